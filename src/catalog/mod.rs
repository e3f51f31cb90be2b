//! The catalog: from files, databases and addresses to batches of cells.
//!
//! A source yields [`batch::Batch`]es: one buffer of text and the ranges of each record's cells. Column names become
//! numbers once, when the source is opened.

mod background;
pub mod batch;
pub mod columns;
pub mod csv;
pub mod encoding;
pub mod error;
mod flat;
pub mod input;
pub mod json;
pub mod open;
pub mod preset;
pub mod products;
pub mod remote;
pub mod sql;
pub mod words;
#[cfg(feature = "xlsx")]
pub mod workbook;
pub mod xml;

pub use batch::Batch;
pub use error::{SourceError, SourceProblem};

/// Reads one file, table or stream as records. Every format implements this.
pub trait RecordReader: Send {
    /// The column names in order, fixed once opened. Names are trimmed; a repeated one has ` (2)`, ` (3)` appended.
    fn columns(&self) -> &[String];

    /// Clears `batch` and fills it with the next records, about [`batch::BATCH_BYTES`] of text; `false` when nothing is
    /// left and the source is known to have ended whole. A record that cannot be read as one (ragged row) is not put in the
    /// batch: it is added to [`Batch::rejects`].
    ///
    /// # Errors
    /// A source that is cut, unreadable or not what it says: nothing made from it may be published.
    fn read_batch(&mut self, batch: &mut Batch) -> Result<bool, SourceError>;

    /// Things about the whole source that its owner should hear (detected delimiter or encoding, merged duplicate
    /// headers), one sentence each, ready when reading has begun.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}
