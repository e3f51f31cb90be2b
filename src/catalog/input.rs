//! Where bytes come from: a file, stdin, or any stream; unpacked, known to be whole, and as UTF-8 without a byte order mark.
//!
//! What can be told from the first bytes is told here (an HTML page, a workbook, packed data, the character set); what only
//! the end tells (a cut gzip member, a file that changed meanwhile) comes as an `io::Error` that [`read_error`] turns back.
//! UTF-8 is handed on as it is: its reader checks it while it indexes it.

mod file;
mod settle;
#[cfg(test)]
mod tests;
mod unpack;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::encoding::{Transcoder, UTF8};
use super::{SourceError, SourceProblem};

/// Most bytes that packed data may unpack to, unless the caller says otherwise.
pub const UNPACKED_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;

/// First bytes looked at where a file can be read again, and where a stream cannot.
const START_BYTES: usize = 64 * 1024;
const START_BYTES_STREAM: usize = 1024 * 1024;

/// What the source's settings say about its bytes.
#[derive(Clone, Copy, Debug)]
pub struct InputOptions<'a> {
    /// The declared encoding by any usual name; without one it is detected and reported.
    pub encoding: Option<&'a str>,
    /// The source's language (`pl`, `th-TH`), which helps to tell encodings apart.
    pub language: Option<&'a str>,
    /// Most bytes that packed data may unpack to.
    pub unpacked_bytes_max: u64,
}

impl Default for InputOptions<'_> {
    fn default() -> Self {
        InputOptions {
            encoding: None,
            language: None,
            unpacked_bytes_max: UNPACKED_BYTES_MAX,
        }
    }
}

/// An opened source: text in UTF-8 without a byte order mark.
pub struct Input {
    /// The file, address or `-` as the user wrote it; errors begin with it.
    pub name: String,
    /// The text. UTF-8 that the file itself claims to hold is not checked yet: see [`Input::checked`].
    pub reader: Box<dyn Read + Send>,
    /// Size of the file as it lies on disk, packed or not, where it is known.
    pub size_bytes: Option<u64>,
    /// What the source's owner should hear, such as the detected encoding and its proof.
    pub remarks: Vec<String>,
}

impl Input {
    /// The same with its UTF-8 checked on the way, for readers that do not check it themselves.
    #[must_use]
    pub fn checked(self) -> Input {
        Input {
            reader: Box::new(Transcoder::new(&self.name, UTF8, self.reader)),
            ..self
        }
    }
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input")
            .field("name", &self.name)
            .field("size_bytes", &self.size_bytes)
            .field("remarks", &self.remarks)
            .finish_non_exhaustive()
    }
}

/// Opens a file, which errors call `name`; `-` as the name is stdin.
///
/// # Errors
/// `Missing` when it is not there or cannot be opened; `NotWhole` when its first bytes show that it is not what it should
/// be; `Configuration` when its encoding is unknown or cannot be told.
pub fn open(path: &Path, name: &str, options: &InputOptions<'_>) -> Result<Input, SourceError> {
    if name == "-" {
        return from_reader(name, Box::new(io::stdin()), options);
    }
    let (raw, size_bytes) = file::open(path, name)?;
    let source = Again::File(path.to_owned());
    prepare(name, raw, size_bytes, &source, options)
}

/// Opens any stream of bytes, which errors call `name`.
///
/// # Errors
/// As [`open`], but for `Missing`.
pub fn from_reader(
    name: &str,
    reader: Box<dyn Read + Send>,
    options: &InputOptions<'_>,
) -> Result<Input, SourceError> {
    prepare(name, reader, None, &Again::Never, options)
}

/// Turns an error met while reading an [`Input`] into what is wrong with the source.
pub fn read_error(name: &str, error: io::Error) -> SourceError {
    match error.downcast::<SourceError>() {
        Ok(error) => error,
        Err(error) => SourceError::new(
            SourceProblem::NotWhole,
            name,
            format!("cannot be read to its end: {error}"),
        )
        .hint("run again; if it stays so, look at the disk or the connection"),
    }
}

/// Whether the bytes can be read a second time, to judge all of them.
enum Again {
    File(PathBuf),
    Never,
}

impl Again {
    /// The unpacked bytes from the beginning.
    fn open(
        &self,
        name: &str,
        options: &InputOptions<'_>,
    ) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        let Again::File(path) = self else {
            return Ok(None);
        };
        let (raw, _) = file::open(path, name)?;
        Ok(Some(unpack::unpack(name, raw, options.unpacked_bytes_max)?.reader))
    }
}

fn prepare(
    name: &str,
    raw: Box<dyn Read + Send>,
    size_bytes: Option<u64>,
    again: &Again,
    options: &InputOptions<'_>,
) -> Result<Input, SourceError> {
    let unpacked = unpack::unpack(name, raw, options.unpacked_bytes_max)?;
    let mut rest = unpacked.reader;
    let wanted = match again {
        Again::File(_) => START_BYTES,
        Again::Never => START_BYTES_STREAM,
    };
    let start = read_start(&mut rest, wanted).map_err(|error| read_error(name, error))?;
    let mut input = Input {
        name: name.to_owned(),
        reader: rest,
        size_bytes,
        remarks: unpacked.remark.into_iter().collect(),
    };
    let settled = settle::Start {
        name,
        whole: start.len() < wanted,
        bytes: &start,
        packed: unpacked.packed,
    };
    let (charset, skipped, remark) = settled.charset(again, options)?;
    input.remarks.extend(remark);
    let mut start = io::Cursor::new(start);
    start.set_position(skipped as u64);
    let all = start.chain(input.reader);
    input.reader = if charset.is_utf8() {
        Box::new(all)
    } else {
        Box::new(Transcoder::new(name, charset, all))
    };
    Ok(input)
}

/// Reads `wanted` bytes, or fewer when there are no more.
fn read_start(reader: &mut dyn Read, wanted: usize) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    reader.take(wanted as u64).read_to_end(&mut start)?;
    Ok(start)
}
