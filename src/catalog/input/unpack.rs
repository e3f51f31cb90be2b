//! gzip and Zstandard, told by their first bytes, unpacked as a stream and within bounds.

use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use super::{read_error, read_start};
use crate::catalog::{SourceError, SourceProblem};

/// How many times its size packed data may grow to, past [`RATIO_FREE_BYTES`].
const RATIO_MAX: u64 = 100;

/// Unpacked bytes that no ratio is asked of.
const RATIO_FREE_BYTES: u64 = 8 * 1024 * 1024;

/// Bytes of packed data read at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Largest window of Zstandard data, as a power of two: 128 MiB.
const WINDOW_LOG_MAX: u32 = 27;

/// Bytes after whatever packing there was.
pub(super) struct Unpacked {
    pub(super) reader: Box<dyn Read + Send>,
    pub(super) packed: bool,
    pub(super) remark: Option<String>,
}

/// Unpacks what its first bytes say is packed. Errors on the way are of problem `NotWhole`.
pub(super) fn unpack(
    name: &str,
    mut raw: Box<dyn Read + Send>,
    bytes_max: u64,
) -> Result<Unpacked, SourceError> {
    let start = read_start(&mut raw, 4).map_err(|error| read_error(name, error))?;
    let format = match start.as_slice() {
        [0x1F, 0x8B, ..] => Some("gzip"),
        [0x28, 0xB5, 0x2F, 0xFD] => Some("Zstandard"),
        _ => None,
    };
    let named = match name.rsplit('.').next() {
        Some("gz") => Some("gzip"),
        Some("zst") => Some("Zstandard"),
        _ => None,
    };
    let all = Cursor::new(start).chain(raw);
    let Some(format) = format else {
        if let Some(named) = named {
            return Err(SourceError::new(
                SourceProblem::NotWhole,
                name,
                format!("this is not {named} data, though the name says so"),
            )
            .hint("look at what the file holds: it may be empty, an error page, or not packed at all"));
        }
        return Ok(Unpacked {
            reader: Box::new(all),
            packed: false,
            remark: None,
        });
    };
    let packed_bytes = Arc::new(AtomicU64::new(0));
    let counted = BufReader::with_capacity(
        CHUNK_BYTES,
        Counted {
            inner: all,
            bytes: Arc::clone(&packed_bytes),
        },
    );
    let inner: Box<dyn Read + Send> = if format == "gzip" {
        Box::new(MultiGzDecoder::new(counted))
    } else {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(counted)
            .map_err(|error| read_error(name, error))?;
        decoder
            .window_log_max(WINDOW_LOG_MAX)
            .map_err(|error| read_error(name, error))?;
        Box::new(decoder)
    };
    Ok(Unpacked {
        reader: Box::new(Bounded {
            name: name.to_owned(),
            format,
            inner,
            packed_bytes,
            bytes: 0,
            bytes_max,
        }),
        packed: true,
        remark: (named != Some(format)).then(|| format!("this is {format} data and was unpacked")),
    })
}

/// Counts the packed bytes.
struct Counted<R> {
    inner: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(room)?;
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}

/// Stops unpacking when it goes past all bounds, and says plainly when the packed data is cut or damaged.
struct Bounded {
    name: String,
    format: &'static str,
    inner: Box<dyn Read + Send>,
    packed_bytes: Arc<AtomicU64>,
    bytes: u64,
    bytes_max: u64,
}

impl Bounded {
    fn error(&self, message: String, hint: &str) -> io::Error {
        io::Error::other(
            SourceError::new(SourceProblem::NotWhole, &self.name, message).hint(hint),
        )
    }

    fn check(&self) -> io::Result<()> {
        if self.bytes > self.bytes_max {
            return Err(self.error(
                format!(
                    "the {} data unpacks to more than the limit of {} bytes",
                    self.format, self.bytes_max
                ),
                "if the file is meant, raise the limit or split the file",
            ));
        }
        let packed = self.packed_bytes.load(Ordering::Relaxed).max(1);
        if self.bytes > RATIO_FREE_BYTES && self.bytes / packed >= RATIO_MAX {
            return Err(self.error(
                format!(
                    "the {} data unpacks to more than {RATIO_MAX} times its size",
                    self.format
                ),
                "no catalog packs so well: look at what the file holds; if it is meant, unpack it first",
            ));
        }
        Ok(())
    }
}

impl Read for Bounded {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(room).map_err(|error| {
            if error
                .get_ref()
                .is_some_and(|inner| inner.is::<SourceError>())
            {
                return error;
            }
            if error.kind() == io::ErrorKind::UnexpectedEof {
                let part = match self.format {
                    "gzip" => "member",
                    _ => "frame",
                };
                return self.error(
                    format!("the file ends in the middle of a {} {part}", self.format),
                    "get the rest of the file: it was cut",
                );
            }
            self.error(
                format!("the {} data is damaged: {error}", self.format),
                "fetch or pack the file again",
            )
        })?;
        self.bytes += bytes as u64;
        self.check()?;
        Ok(bytes)
    }
}
