//! Why a run ended without doing its work, in a type that decides the exit code.

use crate::catalog::{SourceError, SourceProblem};
use crate::config::ConfigError;
use crate::state::{Busy, StateError};

/// Why a run could not do its work.
#[derive(Debug)]
pub enum Failure {
    /// Usage, configuration, manifest or template (exit 2): everything that is wrong, at once.
    Configuration(Vec<ConfigError>),
    /// A source is missing, cut or unreadable; nothing was changed (exit 7), or its settings do not fit it (exit 2).
    Source(SourceError),
    /// Own disk or state failed (exit 8): what was being done, to which path, why.
    Disk(String),
    /// Another run holds the lock (exit 5).
    Locked(String),
    /// A person decides: what was asked for is not what it was when it was looked at (exit 6). Messages with their hints.
    Refused(Vec<(String, String)>),
    /// What the project remembers could not be read or written (exit 8), another run holds a lock (exit 5), or there is no
    /// such feed, version or plan (exit 2).
    State(StateError),
}

impl Failure {
    /// One wrong thing in the configuration.
    pub fn configuration(path: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Failure::Configuration(vec![ConfigError::new(path, message, hint)])
    }

    /// The exit code it ends the run with.
    pub fn exit(&self) -> u8 {
        match self {
            Failure::Configuration(_) => 2,
            Failure::Source(error) if error.problem == SourceProblem::Configuration => 2,
            Failure::Source(_) => 7,
            Failure::Disk(_) => 8,
            Failure::Locked(_) => 5,
            Failure::Refused(_) => 6,
            Failure::State(error) => error.exit(),
        }
    }

    /// What is wrong and what to do about it, one pair for each thing.
    pub fn messages(&self) -> Vec<(String, String)> {
        match self {
            Failure::Configuration(errors) => errors
                .iter()
                .map(|error| (error.to_string(), error.hint.clone()))
                .collect(),
            Failure::Source(error) => vec![(error.to_string(), error.hint.clone())],
            Failure::Disk(message) => vec![(
                message.clone(),
                "free space or mend the disk, then run again; the old files are whole".to_owned(),
            )],
            Failure::Locked(message) => vec![(
                message.clone(),
                "wait for it, or give `--wait 60s`".to_owned(),
            )],
            Failure::Refused(messages) => messages.clone(),
            Failure::State(error) => vec![(error.to_string(), error.hint.clone())],
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Failure::Configuration(vec![error])
    }
}

impl From<Vec<ConfigError>> for Failure {
    fn from(errors: Vec<ConfigError>) -> Self {
        Failure::Configuration(errors)
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Failure::Source(error)
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Failure::State(error)
    }
}

impl From<Busy> for Failure {
    fn from(busy: Busy) -> Self {
        Failure::State(busy.into())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (message, _)) in self.messages().iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            f.write_str(message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
