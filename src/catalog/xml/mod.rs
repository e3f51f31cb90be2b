//! XML catalogs: RSS, marketplace and price comparison feeds, exports.
//!
//! Comes in: a UTF-8 document whose records are the elements of one name. Goes out: batches with a column for every path
//! below the record. A first pass learns the columns (and which element is the record, when nobody says), a second reads;
//! both in memory that does not grow with the document. A document that is not whole and well-formed is never read as one.

mod counted;
mod find;
pub(in crate::catalog) mod pieces;
mod record;
#[cfg(test)]
mod tests;

use hashbrown::HashSet;

use self::find::Matcher;
use self::pieces::{Piece, Pieces};
use self::record::Record;
pub use super::flat::Opener;
use super::flat::{self, Flat};
use super::{Batch, RecordReader, SourceError};

const TOO_WIDE: &str = "set `record` to the element that holds one product";
/// Element names kept for the message about a missing one.
const NAMES_MAX: usize = 1_000;

/// Which elements are records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XmlOptions {
    /// The record element: local (`item`) or prefixed (`g:item`) name, or a path (`channel/item`). Found when absent.
    pub record: Option<String>,
}

/// Reads XML records.
pub struct XmlReader {
    name: String,
    pieces: Pieces,
    matcher: Matcher,
    record: Record,
    flat: Flat,
    remarks: Vec<String>,
    ended: bool,
}

/// Opens an XML source, which `name` stands for in messages, and learns its columns by reading it once (twice when the
/// record element must be found).
///
/// # Errors
/// When it cannot be opened, is cut or not well-formed, declares entities, has no such element, or more than 4,096 columns.
pub fn open(opener: Opener, name: &str, options: &XmlOptions) -> Result<XmlReader, SourceError> {
    let mut remarks = Vec::new();
    let matcher = match &options.record {
        Some(record) => Matcher(record.trim().to_owned()),
        None => find::detect(opener()?, name, &mut remarks)?,
    };
    let mut reader = XmlReader {
        name: name.to_owned(),
        pieces: Pieces::new(opener()?, name),
        matcher,
        record: Record::default(),
        flat: Flat::default(),
        remarks,
        ended: false,
    };
    let mut names = HashSet::new();
    let mut found = false;
    while let Some(line) = reader.next_record(Some(&mut names))? {
        found = true;
        reader.flat.begin();
        let learned = reader.record.flatten(&mut reader.flat);
        learned.map_err(|why| flat::no_column(why, name, line, TOO_WIDE))?;
    }
    if !found {
        return Err(find::missing(&reader.matcher.0, name, &names));
    }
    reader.flat.freeze();
    reader.pieces = Pieces::new(opener()?, name);
    Ok(reader)
}

impl XmlReader {
    /// Reads the next record and says on which line it begins; the names of other elements go to `names`.
    fn next_record(
        &mut self,
        mut names: Option<&mut HashSet<String>>,
    ) -> Result<Option<u64>, SourceError> {
        loop {
            match self.pieces.next()? {
                Piece::Start if self.matcher.matches(self.pieces.path()) => {
                    let line = self.pieces.line;
                    self.record.read(&mut self.pieces)?;
                    return Ok(Some(line));
                }
                Piece::Start => {
                    if let Some(names) = &mut names
                        && names.len() < NAMES_MAX
                        && !names.contains(self.pieces.name())
                    {
                        names.insert(self.pieces.name().to_owned());
                    }
                }
                Piece::End => return Ok(None),
                Piece::Text | Piece::Close => {}
            }
        }
    }
}

impl RecordReader for XmlReader {
    fn columns(&self) -> &[String] {
        self.flat.names()
    }

    fn read_batch(&mut self, batch: &mut Batch) -> Result<bool, SourceError> {
        batch.clear(self.flat.names().len());
        while !self.ended && !flat::is_full(batch) {
            match self.next_record(None)? {
                Some(line) => {
                    self.flat.begin();
                    self.record
                        .flatten(&mut self.flat)
                        .map_err(|why| flat::no_column(why, &self.name, line, TOO_WIDE))?;
                    self.flat.finish(batch, line);
                }
                None => self.ended = true,
            }
        }
        Ok(!batch.is_empty())
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }
}
