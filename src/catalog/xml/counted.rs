//! A buffered stream that counts lines and refuses a piece of markup or text that never ends.

use std::io::{BufRead, Error, Read, Result};

/// Most bytes between two events: one tag, comment, or run of text.
pub(super) const PIECE_BYTES_MAX: usize = 16 * 1024 * 1024;
const CHUNK_BYTES: usize = 64 * 1024;

/// What the parser reads from.
pub(super) struct Counted {
    inner: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    at: usize,
    line: u64,
    piece: usize,
}

impl Counted {
    /// Counts from line 1.
    pub(super) fn new(inner: Box<dyn Read + Send>) -> Self {
        Counted {
            inner,
            buffer: Vec::new(),
            at: 0,
            line: 1,
            piece: 0,
        }
    }

    /// Line of the byte that comes next, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// A new event begins.
    pub(super) fn begin_piece(&mut self) {
        self.piece = 0;
    }
}

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(out.len());
        for (to, from) in out.iter_mut().zip(available) {
            *to = *from;
        }
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Counted {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        if self.at >= self.buffer.len() {
            if self.piece > PIECE_BYTES_MAX {
                return Err(Error::other(format!(
                    "one tag or text is longer than {} MiB",
                    PIECE_BYTES_MAX / 1024 / 1024
                )));
            }
            self.at = 0;
            self.buffer.resize(CHUNK_BYTES, 0);
            match self.inner.read(&mut self.buffer) {
                Ok(count) => self.buffer.truncate(count),
                Err(error) => {
                    self.buffer.clear();
                    return Err(error);
                }
            }
        }
        Ok(self.buffer.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        let to = (self.at + count).min(self.buffer.len());
        let consumed = self.buffer.get(self.at..to).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', consumed).count() as u64;
        self.piece += consumed.len();
        self.at = to;
    }
}
