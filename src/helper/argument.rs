//! How helpers read their arguments: a text, a whole number, an exact decimal, a named choice. Every mistake is a
//! [`HelperError`] that names the argument.

use rust_decimal::Decimal;

use super::{Arguments, HelperError};
use crate::model::value::{Value, pair};

impl<'a> Arguments<'_, 'a> {
    /// The nth positional argument as text; `None` when absent, an error for a list.
    pub(super) fn text(&self, n: usize) -> Result<Option<&'a str>, HelperError> {
        text_of(self.get(n))
    }

    /// A named argument as text; `None` when not given.
    pub(super) fn named_text(&self, name: &str) -> Result<Option<&'a str>, HelperError> {
        text_of(self.named(name))
    }

    /// A named argument that is yes or no; `default` when not given.
    pub(super) fn named_bool(&self, name: &str, default: bool) -> Result<bool, HelperError> {
        match self.named(name) {
            Value::Absent => Ok(default),
            Value::Bool(value) => Ok(value),
            Value::Text("true") => Ok(true),
            Value::Text("false") => Ok(false),
            _ => Err(HelperError(format!("`{name}` takes `true` or `false`"))),
        }
    }

    /// A named argument that is a whole number; `None` when not given.
    pub(super) fn named_whole(&self, name: &str) -> Result<Option<usize>, HelperError> {
        self.named_text(name)?
            .map(|text| whole(text, name))
            .transpose()
    }
}

fn text_of(value: Value<'_>) -> Result<Option<&str>, HelperError> {
    match value {
        Value::Absent => Ok(None),
        Value::List(_) => Err(HelperError(
            "takes a text, and this is a list; use `join` or `first`".to_owned(),
        )),
        other => Ok(other.as_text()),
    }
}

/// A whole number, 0 or more, at most a million.
pub(super) fn whole(text: &str, what: &str) -> Result<usize, HelperError> {
    text.parse()
        .ok()
        .filter(|number| *number <= 1_000_000)
        .ok_or_else(|| {
            HelperError(format!(
                "`{what}` takes a whole number up to 1000000, not `{text}`"
            ))
        })
}

/// An exact decimal.
pub(super) fn decimal(text: &str) -> Result<Decimal, HelperError> {
    Decimal::from_str_exact(text.trim())
        .map_err(|_| HelperError(format!("`{text}` is not a number of at most 28 digits")))
}

/// A list element as people read it: a pair as `name: value`.
pub(super) fn push_element(out: &mut impl std::fmt::Write, element: &str) {
    let (name, value) = pair(element);
    // Writing to text does not fail.
    let written = if value.is_empty() {
        out.write_str(name)
    } else {
        write!(out, "{name}: {value}")
    };
    debug_assert!(written.is_ok(), "text takes every write");
}
