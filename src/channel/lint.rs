//! Mistakes in a channel's manifest and template, found without a catalog: each with its file, line, column and the way out.

use std::path::Path;

use crate::validate::finding::Severity;

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

/// Looks a channel over.
pub fn lint(project: Option<&Path>, name: &str) -> Vec<Problem> {
    let _ = (project, name);
    Vec::new()
}
