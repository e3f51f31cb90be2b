//! An item's rendered bytes, out of the parts they stand in.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Which of two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What stands at the channel.
    Old,
    /// What was made now.
    New,
}

/// Gives items' bytes. Old ones are asked for in the order in which they stand.
pub trait ItemBytes {
    /// Reads `length` bytes from `offset` of a part (from 1) into `into`, which is emptied first.
    ///
    /// # Errors
    /// When the part cannot be read, or ends before.
    fn read(
        &mut self,
        side: Side,
        part: u32,
        offset: u64,
        length: u32,
        into: &mut Vec<u8>,
    ) -> io::Result<()>;
}

/// One part, as it can be read.
pub enum PartBytes {
    /// A file: any place at once.
    File(File),
    /// A stream, such as one that is decompressed: forwards only, opened again to go back.
    Stream(Box<dyn Read>),
}

/// Items out of parts that are opened when they are needed, one a side at a time.
pub struct Parts<F> {
    open: F,
    old: Option<Opened>,
    new: Option<Opened>,
}

struct Opened {
    part: u32,
    at: u64,
    bytes: PartBytes,
}

impl<F: FnMut(Side, u32) -> io::Result<PartBytes>> Parts<F> {
    /// `open` opens a part (from 1) of a side, at its beginning.
    pub fn new(open: F) -> Self {
        Parts {
            open,
            old: None,
            new: None,
        }
    }
}

impl<F: FnMut(Side, u32) -> io::Result<PartBytes>> ItemBytes for Parts<F> {
    fn read(
        &mut self,
        side: Side,
        part: u32,
        offset: u64,
        length: u32,
        into: &mut Vec<u8>,
    ) -> io::Result<()> {
        let slot = match side {
            Side::Old => &mut self.old,
            Side::New => &mut self.new,
        };
        let usable = slot.as_ref().is_some_and(|opened| {
            opened.part == part
                && (matches!(opened.bytes, PartBytes::File(_)) || opened.at <= offset)
        });
        if !usable {
            *slot = Some(Opened {
                part,
                at: 0,
                bytes: (self.open)(side, part)?,
            });
        }
        let Some(opened) = slot else {
            return Ok(());
        };
        into.clear();
        let read = match &mut opened.bytes {
            PartBytes::File(file) => {
                file.seek(SeekFrom::Start(offset))?;
                file.take(u64::from(length)).read_to_end(into)?
            }
            PartBytes::Stream(stream) => {
                let skipped = io::copy(&mut stream.take(offset - opened.at), &mut io::sink())?;
                let read = stream.take(u64::from(length)).read_to_end(into)?;
                opened.at += skipped + read as u64;
                read
            }
        };
        if read < length as usize {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("part {part} ends inside the item at byte {offset}"),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_go_forwards_and_are_opened_again_to_go_back() {
        let mut opened = 0;
        let mut parts = Parts::new(|_, part| {
            opened += 1;
            let text: &[u8] = if part == 1 { b"0123456789" } else { b"abc" };
            Ok(PartBytes::Stream(Box::new(text)))
        });
        let mut into = vec![1];
        let mut read = |part, offset, length| {
            let result = parts.read(Side::Old, part, offset, length, &mut into);
            result.map(|()| String::from_utf8(into.clone()).expect("text"))
        };
        assert_eq!(read(1, 2, 3).expect("there"), "234");
        assert_eq!(read(1, 7, 1).expect("there"), "7");
        assert_eq!(read(2, 0, 3).expect("there"), "abc");
        assert_eq!(read(1, 0, 1).expect("there"), "0");
        assert!(read(1, 8, 3).is_err());
        assert_eq!(opened, 3);
    }

    #[test]
    fn files_are_read_anywhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("part");
        crate::write::atomic::write(&path, b"0123456789").expect("written");
        let mut parts = Parts::new(|_, _| Ok(PartBytes::File(File::open(&path)?)));
        let mut into = Vec::new();
        for (offset, want) in [(5, b"56"), (0, b"01"), (8, b"89")] {
            parts
                .read(Side::New, 1, offset, 2, &mut into)
                .expect("there");
            assert_eq!(into, want);
        }
        assert!(parts.read(Side::New, 1, 9, 2, &mut into).is_err());
    }
}
