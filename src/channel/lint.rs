//! Mistakes in a channel's manifest and template, found without a catalog: each with its file, line, column and the way out.
//!
//! Comes in: a channel's name and, where there is one, the project. Goes out: every mistake, by file and line. What the
//! compiler refuses is refused here by the compiler itself, against a catalog that has every column of the vocabulary.

mod compiled;
mod countries;
mod flow;
mod keys;
pub mod pages;
mod place;
mod request;
mod rules;
mod uses;

use std::path::Path;

use crate::config::ConfigError;
use crate::validate::finding::Severity;

pub use countries::is_country;
use place::Places;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The rule's name, such as `bare-list`.
    pub rule: &'static str,
    /// Whether the channel cannot stand like this.
    pub severity: Severity,
    /// The file as the user knows it.
    pub path: String,
    /// Line from 1; 0 when unknown.
    pub line: usize,
    /// Column from 1, in characters; 0 when unknown.
    pub column: usize,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Looks a channel over; mistakes by file, line and column.
pub fn lint(project: Option<&Path>, name: &str) -> Vec<Problem> {
    let channel = match super::load(project, name) {
        Ok(channel) => channel,
        Err(error) => return unloadable(project, error),
    };
    let mut problems = Vec::new();
    let places = Places::new(&channel.manifest_text);
    rules::check(&channel, &places, &mut problems);
    request::check(&channel, &places, &mut problems);
    uses::check(
        &channel,
        &places,
        &compiled::columns(project, &channel),
        &mut problems,
    );
    flow::check(&channel, &mut problems);
    compiled::check(project, &channel, &places, &mut problems);
    problems.sort_by(|one, other| {
        (&one.path, one.line, one.column, one.rule).cmp(&(
            &other.path,
            other.line,
            other.column,
            other.rule,
        ))
    });
    problems.dedup();
    problems
}

/// What keeps a manifest from being read at all.
fn unloadable(project: Option<&Path>, error: ConfigError) -> Vec<Problem> {
    let text = super::text(project, &error.path)
        .ok()
        .flatten()
        .map(|(_, text, _)| text)
        .unwrap_or_default();
    let misspelt = keys::misspelt(&error.path, &text);
    if !misspelt.is_empty() {
        return misspelt;
    }
    let line = error.line.unwrap_or(0);
    // The column of the first word that the message quotes.
    let word = error.message.split('`').nth(1).unwrap_or("");
    let written = line
        .checked_sub(1)
        .and_then(|index| text.lines().nth(index))
        .unwrap_or("");
    let column = match written.split_once(word) {
        Some((before, _)) if !word.is_empty() => before.chars().count() + 1,
        _ if line > 0 => 1,
        _ => 0,
    };
    vec![Problem {
        rule: "manifest",
        severity: Severity::Error,
        path: error.path,
        line,
        column,
        message: error.message,
        hint: error.hint,
    }]
}

#[cfg(test)]
mod tests;
