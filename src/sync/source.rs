//! The stock a sync reads: whole, or without effect.

use crate::state::StateError;
use crate::validate::finding::Finding;

use super::level::{Observation, Position};

/// What a reading was of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadKind {
    /// All rows: what is missing is gone.
    Snapshot,
    /// Only what changed.
    Changes,
    /// Nothing was there to read.
    Nothing,
}

/// A whole reading.
#[derive(Clone, Debug)]
pub struct Read {
    /// How far it came; `read_at` and `time` are the caller's.
    pub position: Position,
    /// What it was of.
    pub kind: ReadKind,
    /// Rows.
    pub rows: u64,
    /// Rows that could not be used, with file, line, column and SKU.
    pub rejected: Vec<Finding>,
    /// What its owner should hear, a sentence each.
    pub remarks: Vec<String>,
}

/// Why a reading has no effect.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SourceFailure {
    /// The source is missing, cut or unreadable (exit 7).
    #[error("{message}")]
    NotWhole {
        /// What is wrong, with file and line.
        message: String,
        /// What to do.
        hint: String,
    },
    /// The project is wrong (exit 2).
    #[error("{message}")]
    Configuration {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// What `tell` returned.
    #[error(transparent)]
    State(#[from] StateError),
}

/// A stock source of a sync.
pub trait StockSource: Send {
    /// Reads all rows, or those from the position's cursor on. Nothing of what `tell` was given counts unless this returns well.
    ///
    /// # Errors
    /// [`SourceFailure`].
    fn read(
        &mut self,
        position: Option<&Position>,
        tell: &mut dyn FnMut(&Observation) -> Result<(), StateError>,
    ) -> Result<Read, SourceFailure>;
}
