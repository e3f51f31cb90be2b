//! What can be wrong with a whole source, in a type that says how the run must end.

use std::fmt;

/// What kind of trouble, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceProblem {
    /// The file, table or address is not there or cannot be opened (exit 7).
    Missing,
    /// It is cut, damaged, or not what it says it is (exit 7).
    NotWhole,
    /// Its settings in the project do not fit it: unknown sheet, delimiter, encoding, column (exit 2).
    Configuration,
}

/// A source that cannot be used. Displays as `path:line, column `c`: message`, with the hint kept apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError {
    /// What kind of trouble.
    pub problem: SourceProblem,
    /// File, address or table as the user wrote it.
    pub path: String,
    /// Line from 1, where one is known.
    pub line: Option<u64>,
    /// Column name or number, where one is known.
    pub column: Option<String>,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it; empty when there is nothing to say.
    pub hint: String,
}

impl SourceError {
    /// An error about a whole file.
    pub fn new(
        problem: SourceProblem,
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        SourceError {
            problem,
            path: path.into(),
            line: None,
            column: None,
            message: message.into(),
            hint: String::new(),
        }
    }

    /// The same with the line where it was found.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// The same with the column where it was found.
    #[must_use]
    pub fn in_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for SourceError {}
