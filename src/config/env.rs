//! The one place that reads the environment, and the file that may stand in for it under cron.

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

use super::ConfigError;

static FROM_FILE: OnceLock<HashMap<String, String>> = OnceLock::new();

/// What a variable holds; `None` when it is not set or no text. The environment itself goes before the file of
/// [`load`], so that one run can differ.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn get(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .or_else(|| FROM_FILE.get().and_then(|known| known.get(name)).cloned())
}

/// Reads `NAME=value` lines from a file that nobody else may read. Once a process.
///
/// # Errors
/// A file that is missing, open to others, or has a line that is no variable; values never show in messages.
pub fn load(path: &Path) -> Result<(), ConfigError> {
    let shown = path.display().to_string();
    check_private(path, &shown)?;
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError::new(
            shown.as_str(),
            format!("cannot be read: {error}"),
            "name a file of `NAME=value` lines",
        )
    })?;
    let known = parse(&text, &shown)?;
    // A second file in one process would be a bug of ours: the first stays.
    FROM_FILE.get_or_init(|| known);
    Ok(())
}

#[cfg(unix)]
fn check_private(path: &Path, shown: &str) -> Result<(), ConfigError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(path).map_err(|error| {
        ConfigError::new(
            shown,
            format!("cannot be read: {error}"),
            "name a file of `NAME=value` lines",
        )
    })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(ConfigError::new(
            shown,
            format!("it holds secrets and others may read it (mode {mode:04o})"),
            format!("run `chmod 600 {shown}`"),
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_: &Path, _: &str) -> Result<(), ConfigError> {
    Ok(())
}

fn parse(text: &str, shown: &str) -> Result<HashMap<String, String>, ConfigError> {
    let mut known = HashMap::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line
            .split_once('=')
            .map(|(name, value)| (name.trim(), value.trim()))
            .filter(|(name, _)| is_name(name))
            .ok_or_else(|| {
                ConfigError::new(
                    shown,
                    "the line is no variable",
                    "write `NAME=value`; a value with spaces at its ends goes in quotes",
                )
                .at_line(number + 1)
            })?;
        known.insert(name.to_owned(), unquoted(value).to_owned());
    }
    Ok(known)
}

fn is_name(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name
            .bytes()
            .next()
            .is_some_and(|byte| !byte.is_ascii_digit())
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_variables() {
        let known = parse(
            "# cron\n\nexport TOKEN=abc=1\nNAME = \" two words \"\nEMPTY=\n",
            "env",
        )
        .unwrap();
        assert_eq!(known["TOKEN"], "abc=1");
        assert_eq!(known["NAME"], " two words ");
        assert_eq!(known["EMPTY"], "");
    }

    #[test]
    fn a_line_that_is_none_is_named_without_its_text() {
        let error = parse("A=1\nsecret words\n", "env").unwrap_err();
        assert_eq!(error.line, Some(2));
        assert!(!error.to_string().contains("secret"));
        assert!(parse("1A=2\n", "env").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("env");
        crate::write::atomic::write(&path, b"A=1\n").unwrap();
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode));
        mode(0o644).unwrap();
        let error = check_private(&path, "env").unwrap_err();
        assert!(error.to_string().contains("0644"), "{error}");
        mode(0o600).unwrap();
        assert!(check_private(&path, "env").is_ok());
    }
}
