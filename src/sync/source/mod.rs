//! The sources of a sync: stock as observations, and open orders, read whole or without effect.
//!
//! Comes in: a source of the project and how far it was read. Goes out: one observation a row to `tell`, and the new position;
//! nothing of what `tell` was given may be used unless the reading ends well. `cell` and `mark` say what texts mean, `layout`
//! where they stand, `rows` reads them and holds a reading against its end mark and sentinels; `file` and `dropped` read files that
//! must not move meanwhile, `database` queries, with `cursor` from the last value on; `watch` tells when to look again.

pub mod cell;
pub mod cursor;
mod database;
mod dropped;
mod file;
mod layout;
pub mod mark;
mod orders;
mod rows;
mod seen;
mod settings;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::Arc;

use crate::catalog::{SourceError, SourceProblem};
use crate::config::project::Source;
use crate::config::sync::Rows;
use crate::config::{ConfigError, Project};
use crate::state::StateError;
use crate::store::pace::Clock;
use crate::validate::finding::Finding;

use super::level::{Observation, Position};

pub use orders::{OpenOrders, orders};
pub use rows::FINDINGS_MAX;
pub use watch::Watch;

use settings::Settings;

/// Whom observations are told.
pub type Tell<'t> = &'t mut dyn FnMut(&Observation) -> Result<(), StateError>;

/// A stock source of a sync.
pub trait StockSource: Send {
    /// Reads the source: all its rows, or those from the position's cursor on. Nothing may be used of what `tell` was given
    /// unless it ends well. Without a position, or with one of [`whole`], all is read that there is.
    ///
    /// # Errors
    /// A source that is missing, not whole or not as the project says (nothing was changed); what `tell` returns.
    fn read(&mut self, position: Option<&Position>, tell: Tell<'_>) -> Result<Read, SourceFailure>;
}

/// What a reading was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadKind {
    /// All that the source has: rows that are not there are gone, where it is proven.
    Snapshot,
    /// Rows that may have changed.
    Changes,
    /// The source was looked at, and says what it said: observations stand as of now. Nothing was told.
    Unchanged,
    /// The source could not be looked at now: nothing is known. Nothing was told.
    Nothing,
}

/// What came of a reading.
#[derive(Clone, Debug)]
pub struct Read {
    /// Where the next one begins; `read_at` and `time` are the caller's.
    pub position: Position,
    /// What it was.
    pub kind: ReadKind,
    /// Rows that were told.
    pub rows: u64,
    /// What is wrong with rows, the first [`FINDINGS_MAX`].
    pub rejected: Vec<Finding>,
    /// How much is wrong with rows in all.
    pub found: u64,
    /// What people should hear, a sentence each.
    pub remarks: Vec<String>,
    /// More waits: once this position is kept, read again.
    pub more: bool,
}

impl Read {
    /// Nothing was told.
    fn quiet(kind: ReadKind, position: Position, remarks: Vec<String>) -> Self {
        Read {
            position,
            kind,
            rows: 0,
            rejected: Vec::new(),
            found: 0,
            remarks,
            more: false,
        }
    }
}

/// Why a reading has no effect.
#[derive(Clone, Debug)]
pub enum SourceFailure {
    /// The source: missing or not whole (exit 7), or not as the project says (exit 2).
    Source(SourceError),
    /// Who was told did not take it.
    State(StateError),
}

impl SourceFailure {
    /// The exit code it ends the run with.
    pub fn exit(&self) -> u8 {
        match self {
            SourceFailure::Source(error) if error.problem == SourceProblem::Configuration => 2,
            SourceFailure::Source(_) => 7,
            SourceFailure::State(error) => error.exit(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        match self {
            SourceFailure::Source(error) => &error.hint,
            SourceFailure::State(error) => &error.hint,
        }
    }
}

impl std::fmt::Display for SourceFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SourceFailure::Source(error) => error.fmt(f),
            SourceFailure::State(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SourceFailure {}

impl From<SourceError> for SourceFailure {
    fn from(error: SourceError) -> Self {
        SourceFailure::Source(error)
    }
}

impl From<SourceFailure> for crate::pipeline::Failure {
    fn from(failure: SourceFailure) -> Self {
        match failure {
            SourceFailure::Source(error) => crate::pipeline::Failure::Source(error),
            SourceFailure::State(error) => crate::pipeline::Failure::State(error),
        }
    }
}

/// How a source is opened for a sync.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The column of the safety stock, where the sync names one: then it must be there.
    pub safety_stock: Option<String>,
    /// A file that is too young to be read is waited for, ten seconds at most. A daemon comes back instead.
    pub waits: bool,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// The position from which a source is read whole, though nothing may have changed. What is known of its columns stays, and
/// dropped files of changes stay read.
pub fn whole(rows: Rows, position: &Position) -> Position {
    let forget = |text: &str| {
        let seen = seen::Seen {
            content: String::new(),
            stamp: String::new(),
            ..seen::Seen::parse(text)
        };
        seen.text()
    };
    let mut position = position.clone();
    position.cursor.clear();
    position.digest = forget(&position.digest);
    if rows == Rows::All
        && let Some((_, last)) = position.files.last_mut()
    {
        *last = forget(last);
    }
    position
}

/// Opens a stock source: what the project says of it is checked, nothing is read.
///
/// # Errors
/// Settings that exclude each other, or cannot be.
pub fn open(
    project: &Project,
    source: &Source,
    opening: Opening,
) -> Result<Box<dyn StockSource>, ConfigError> {
    let settings = Settings::of_stock(project, source, opening)?;
    if source.database.is_some() {
        return Ok(Box::new(database::Database::new(settings)));
    }
    let path = source.path.as_deref().unwrap_or("");
    if settings::is_pattern(path, &project.folder) {
        return Ok(Box::new(dropped::Dropped::new(settings)));
    }
    Ok(Box::new(file::OneFile::new(settings)))
}
