//! TOML files to types, with the file, the line and the near miss in every message.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::program::nearest::nearest;

/// A configuration, manifest or mapping file that cannot be used (exit 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file as the user knows it.
    pub path: String,
    /// Line from 1, where one is known.
    pub line: Option<usize>,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it; empty when there is nothing to say.
    pub hint: String,
}

impl ConfigError {
    /// An error about a file.
    pub fn new(
        path: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        ConfigError {
            path: path.into(),
            line: None,
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// The same with its line.
    #[must_use]
    pub fn at_line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.message),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Parses TOML into a type.
///
/// # Errors
/// Syntax, unknown keys, wrong types: with line and near miss.
pub fn parse<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| {
            1 + text
                .bytes()
                .take(span.start)
                .filter(|&byte| byte == b'\n')
                .count()
        });
        let (message, hint) = explain(error.message());
        ConfigError {
            path: path.to_owned(),
            line,
            message,
            hint,
        }
    })
}

/// Reads and parses a TOML file; `shown` is how messages name it.
///
/// # Errors
/// A file that cannot be read, and what [`parse`] says.
pub fn load<T: DeserializeOwned>(path: &Path, shown: &str) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::new(shown, format!("cannot be read: {error}"), ""))?;
    parse(shown, &text)
}

/// Serde's words in ours: ``unknown field `requierd`, expected one of `value`, `required` `` gets a near miss.
fn explain(message: &str) -> (String, String) {
    let first = message.lines().next().unwrap_or(message);
    let quoted: Vec<&str> = first.split('`').skip(1).step_by(2).collect();
    if let Some((unknown, known)) = quoted.split_first()
        && (first.starts_with("unknown field") || first.starts_with("unknown variant"))
    {
        let what = if first.starts_with("unknown field") {
            "unknown key"
        } else {
            "unknown value"
        };
        let near = nearest(unknown, known.iter().copied());
        let mut listed: Vec<&str> = known.to_vec();
        listed.truncate(40);
        let all = listed
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let hint = match near {
            Some(near) => format!("did you mean `{near}`? known here: {all}"),
            None => format!("known here: {all}"),
        };
        return (format!("{what} `{unknown}`"), hint);
    }
    if let (true, Some(missing)) = (first.starts_with("missing field"), quoted.first()) {
        let hint = match *missing {
            // the one key that must never be guessed
            "online_orders" => "say who takes online orders off the count: `\"booked\"` (the till, at once), `\"subtract\"` (here, from a \
                                source of orders) or `\"store-reserves\"` (the online store itself)"
                .to_owned(),
            missing => format!("add `{missing} = …`"),
        };
        return (format!("`{missing}` is missing"), hint);
    }
    (
        first.to_owned(),
        "the file is TOML: texts stand in quotes, tables in brackets; see https://toml.io"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Small {
        #[allow(dead_code)]
        required: bool,
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line_and_near_miss() {
        let error = parse::<Small>("a.toml", "# head\nrequierd = true\n").expect_err("misspelt");
        assert_eq!(error.to_string(), "a.toml:2: unknown key `requierd`");
        assert!(
            error.hint.starts_with("did you mean `required`?"),
            "{}",
            error.hint
        );
    }
}
