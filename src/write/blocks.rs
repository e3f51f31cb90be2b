//! A new file written in blocks, a long one past the page cache.
//!
//! In: bytes in pieces of any size, one after another. Out: the file. A long file is written straight from its block
//! (`O_DIRECT`): it is synced anyway before it gets its name, so that a copy of it in memory saves nothing and pushes out
//! what others read. On ext4, 160 MB cost 42 ms of CPU instead of 68 (copied, written back, and given up when the
//! next feed replaces it). Where the system or the file system cannot do that, the file is written as usual.

use std::fs::File;
use std::io::{self, Write};

/// Bytes written at once while the file is short.
const SHORT_BYTES: usize = 64 * 1024;

/// Bytes written at once past the page cache. Twice as many save another tenth of that, and each feed of a run has its own.
const LONG_BYTES: usize = 256 * 1024;

/// From so many bytes on a file is long: who reads a shorter one soon finds it in memory. Whole blocks of both sizes.
const LONG_FROM_BYTES: u64 = 4 * 1024 * 1024;

/// Bytes copied at once: more at a time are no faster, and count for far more instructions.
const COPY_BYTES: usize = 1920;

/// What a block's place in memory and in the file is a multiple of, in bytes: as any disk wants it.
const ALIGNED_BYTES: usize = 4096;

/// A new file and the block that is being filled.
#[derive(Debug)]
pub(super) struct Blocks {
    file: File,
    /// The bytes from `start` on are to be written.
    block: Vec<u8>,
    /// Where in `block` memory is aligned, once the file is long.
    start: usize,
    /// Bytes in the file.
    written: u64,
    way: Way,
}

/// How blocks reach the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// As usual; straight when the file is long.
    Undecided,
    /// Past the page cache.
    Straight,
    /// As usual, however long the file becomes.
    Usual,
}

impl Blocks {
    /// A file with nothing in it.
    pub(super) fn new(file: File) -> Self {
        Blocks {
            file,
            block: Vec::new(),
            start: 0,
            written: 0,
            way: Way::Undecided,
        }
    }

    /// Says that the file is soon read again, or never synced: however long, it goes through the page cache.
    pub(super) fn keep_cached(&mut self) {
        if self.way == Way::Undecided {
            self.way = Way::Usual;
        }
    }

    /// Appends bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        loop {
            let empty = self.block.len() == self.start;
            if self.way == Way::Usual && empty && rest.len() >= SHORT_BYTES {
                self.written += rest.len() as u64;
                return self.file.write_all(rest);
            }
            let size = match self.way {
                Way::Straight => LONG_BYTES,
                Way::Undecided | Way::Usual => SHORT_BYTES,
            };
            let room = (self.start + size).saturating_sub(self.block.len());
            let (fits, more) = rest.split_at(room.min(rest.len()));
            for piece in fits.chunks(COPY_BYTES) {
                self.block.extend_from_slice(piece);
            }
            if fits.len() < room {
                return Ok(());
            }
            self.put()?;
            rest = more;
        }
    }

    /// Writes what is in the block, so that the file has all that was appended. What is appended later goes the usual way.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.block.len() > self.start {
            self.leave_straight()?;
            self.put()?;
        }
        self.file.flush()
    }

    /// The file, with all that was appended.
    pub(super) fn into_file(mut self) -> io::Result<File> {
        self.flush()?;
        Ok(self.file)
    }

    /// Writes the block and empties it.
    #[expect(
        clippy::disallowed_methods,
        reason = "what a straight write leaves over is written as usual"
    )]
    fn put(&mut self) -> io::Result<()> {
        let mut from = self.start;
        while let Some(rest) = self.block.get(from..).filter(|rest| !rest.is_empty()) {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(bytes) => from += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Some file systems say only here that they cannot.
                Err(error)
                    if error.kind() == io::ErrorKind::InvalidInput && self.way == Way::Straight =>
                {
                    self.leave_straight()?;
                }
                Err(error) => return Err(error),
            }
        }
        self.written += (self.block.len() - self.start) as u64;
        self.block.truncate(self.start);
        if self.way == Way::Undecided && self.written == LONG_FROM_BYTES {
            self.become_long();
        }
        Ok(())
    }

    /// Takes a larger block and goes straight, where that is possible.
    fn become_long(&mut self) {
        if set_straight(&self.file, true).is_err() {
            self.way = Way::Usual;
            return;
        }
        self.way = Way::Straight;
        let mut block: Vec<u8> = Vec::with_capacity(LONG_BYTES + ALIGNED_BYTES);
        // Room that was promised does not move.
        self.start = block
            .as_ptr()
            .align_offset(ALIGNED_BYTES)
            .min(ALIGNED_BYTES);
        block.resize(self.start, 0);
        self.block = block;
    }

    fn leave_straight(&mut self) -> io::Result<()> {
        if self.way == Way::Straight {
            set_straight(&self.file, false)?;
        }
        self.way = Way::Usual;
        Ok(())
    }
}

/// Says whether writing a file goes past the page cache.
#[cfg(target_os = "linux")]
fn set_straight(file: &File, straight: bool) -> io::Result<()> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

    let mut flags = fcntl_getfl(file)?;
    flags.set(OFlags::DIRECT, straight);
    Ok(fcntl_setfl(file, flags)?)
}

#[cfg(not(target_os = "linux"))]
fn set_straight(_: &File, straight: bool) -> io::Result<()> {
    match straight {
        true => Err(io::ErrorKind::Unsupported.into()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of which no two places near each other look alike.
    fn bytes(length: usize) -> Vec<u8> {
        (0..length)
            .map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8)
            .collect()
    }

    /// What a file holds after bytes were appended in pieces of a size, flushed after so many.
    fn written(all: &[u8], piece: usize, flushed: Option<usize>, cached: bool) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        let mut blocks = Blocks::new(File::create_new(&path).expect("made"));
        if cached {
            blocks.keep_cached();
        }
        for (number, piece) in all.chunks(piece).enumerate() {
            blocks.append(piece).expect("written");
            if Some(number) == flushed {
                blocks.flush().expect("flushed");
                let so_far = std::fs::metadata(&path).expect("there").len();
                assert_eq!(so_far, ((number + 1) * piece.len()) as u64);
            }
        }
        drop(blocks.into_file().expect("written"));
        std::fs::read(&path).expect("there")
    }

    #[test]
    fn every_length_arrives_whole() {
        let long = LONG_FROM_BYTES as usize;
        let all = bytes(long + 2 * LONG_BYTES + 1);
        for length in [
            0,
            1,
            SHORT_BYTES,
            SHORT_BYTES + 1,
            long - 1,
            long,
            long + 1,
            long + LONG_BYTES,
            long + LONG_BYTES + 4097,
            long + 2 * LONG_BYTES,
            all.len(),
        ] {
            let wanted = &all[..length];
            for piece in [1_000, 190_001, LONG_BYTES, all.len()] {
                for cached in [false, true] {
                    let found = written(wanted, piece, None, cached);
                    assert!(found == wanted, "{length} in pieces of {piece}");
                }
            }
        }
    }

    #[test]
    fn a_flush_lets_everything_be_read_and_more_follow() {
        let all = bytes(LONG_FROM_BYTES as usize + 3 * LONG_BYTES);
        for flushed in [0, 3, 22, 25] {
            assert!(
                written(&all, 190_001, Some(flushed), false) == all,
                "{flushed}"
            );
        }
    }
}
