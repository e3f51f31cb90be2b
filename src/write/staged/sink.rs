//! Where a part's bytes go: a hidden file, counted and digested on the way, compressed or made a workbook where asked.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::{Encoding, Shape};
use crate::write::atomic::AtomicFile;

/// A digest as small hexadecimal digits.
pub(in crate::write) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file that counts and digests what is written to it.
pub(super) struct Counting {
    pub(super) file: AtomicFile,
    pub(super) bytes: u64,
    pub(super) digest: Option<Sha256>,
}

impl Counting {
    pub(super) fn new(file: AtomicFile, digests: bool) -> Self {
        Counting {
            file,
            bytes: 0,
            digest: digests.then(Sha256::new),
        }
    }
}

impl Write for Counting {
    #[expect(
        clippy::disallowed_methods,
        reason = "a writer around a writer hands on how much was taken"
    )]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        if let Some(digest) = &mut self.digest {
            digest.update(&bytes[..written]);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Where a part's bytes go: as they are, compressed, or into a workbook.
pub(super) enum Sink {
    Plain(Counting),
    Gzip(Box<GzEncoder<Counting>>),
    #[cfg(feature = "xlsx")]
    Workbook(Box<crate::write::workbook::Sheet>, Counting),
}

impl Sink {
    pub(super) fn new(counting: Counting, shape: &Shape) -> io::Result<Self> {
        Ok(match shape.encoding {
            #[cfg(feature = "xlsx")]
            Encoding::Workbook => Sink::Workbook(
                Box::new(crate::write::workbook::Sheet::new(&shape.name)?),
                counting,
            ),
            _ if shape.gzip => Sink::Gzip(Box::new(
                flate2::GzBuilder::new()
                    .mtime(0)
                    .write(counting, Compression::default()),
            )),
            _ => Sink::Plain(counting),
        })
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Sink::Plain(counting) => counting.write_all(bytes),
            Sink::Gzip(encoder) => encoder.write_all(bytes),
            #[cfg(feature = "xlsx")]
            Sink::Workbook(sheet, _) => sheet.rows(bytes),
        }
    }

    pub(super) fn finish(self) -> io::Result<Counting> {
        match self {
            Sink::Plain(counting) => Ok(counting),
            Sink::Gzip(encoder) => encoder.finish(),
            #[cfg(feature = "xlsx")]
            Sink::Workbook(sheet, mut counting) => {
                sheet.finish(&mut counting)?;
                Ok(counting)
            }
        }
    }
}
