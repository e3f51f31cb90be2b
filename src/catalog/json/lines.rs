//! The lines of an NDJSON stream, each bounded.

use std::io::{BufRead, BufReader, Read};

use super::token::TEXT_BYTES_MAX;
use crate::catalog::flat::read_failed;
use crate::catalog::{SourceError, SourceProblem};

/// Reads lines that hold something.
pub(super) struct Lines {
    reader: BufReader<Box<dyn Read + Send>>,
    /// The line last read, without what ends it.
    pub(super) bytes: Vec<u8>,
    /// Its number, from 1.
    pub(super) line: u64,
}

impl Lines {
    /// Lines of a stream.
    pub(super) fn new(stream: Box<dyn Read + Send>) -> Self {
        Lines {
            reader: BufReader::with_capacity(64 * 1024, stream),
            bytes: Vec::new(),
            line: 0,
        }
    }

    /// Reads the next line that is not blank: whether a line end closed it, or `None` when there is none left.
    pub(super) fn next(&mut self, name: &str) -> Result<Option<bool>, SourceError> {
        loop {
            self.bytes.clear();
            let most = TEXT_BYTES_MAX as u64 + 1;
            let read = (&mut self.reader)
                .take(most)
                .read_until(b'\n', &mut self.bytes);
            match read {
                Ok(0) => return Ok(None),
                Ok(_) => self.line += 1,
                Err(error) => return Err(read_failed(&error, name, self.line + 1)),
            }
            if self.bytes.len() as u64 >= most {
                return Err(SourceError::new(
                    SourceProblem::NotWhole,
                    name,
                    format!("one line is longer than {} MiB", TEXT_BYTES_MAX / 1024 / 1024),
                )
                .at_line(self.line)
                .hint("NDJSON has one record a line; if the file is one document, set `format = \"json\"`"));
            }
            let ended = self.bytes.last() == Some(&b'\n');
            if ended {
                self.bytes.pop();
            }
            if self.line == 1 && self.bytes == b"\xef\xbb\xbf" {
                self.bytes.clear();
            }
            if !self.bytes.trim_ascii().is_empty() {
                return Ok(Some(ended));
            }
        }
    }
}
