//! The zip archive that a workbook is, measured before anything in it is trusted.
//!
//! Comes in: a path. Goes out: which kind of workbook it is. It promises that every part was read once with its checksum,
//! and that none expands beyond measure.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use zip::ZipArchive;

use crate::catalog::{SourceError, SourceProblem};

/// Expansion that is always allowed, in bytes.
const EXPANDED_FREE_BYTES: u64 = 16 * 1024 * 1024;
/// Beyond that, how many times its packed size a part or the whole may expand to.
const RATIO_MAX: u64 = 100;
/// Files in the archive.
const PARTS_MAX: usize = 10_000;

/// Which kind of workbook it is.
pub(super) enum Kind {
    /// XLSX, for calamine to open.
    Excel,
    /// ODS, with its content unpacked to a temporary file.
    OpenDocument(File),
}

/// Opens the workbook at `path`, checks it and says which kind it is.
pub(super) fn open(path: &Path, name: &str) -> Result<Kind, SourceError> {
    let mut file = File::open(path).map_err(|error| {
        SourceError::new(
            SourceProblem::Missing,
            name,
            format!("cannot open it: {error}"),
        )
    })?;
    let mut magic = [0; 8];
    let length = file.seek(SeekFrom::End(0)).and_then(|length| {
        file.rewind()?;
        let read = (&mut file).take(8).read(&mut magic)?;
        file.rewind()?;
        Ok(length.max(read as u64))
    });
    let length = length.map_err(|error| damaged(name, &error))?;
    if magic == *b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" {
        return Err(not_whole(
            name,
            "it is a workbook with a password, or in the old .xls format",
        )
        .hint("save it without a password as .xlsx"));
    }
    if !magic.starts_with(b"PK") {
        return Err(not_whole(name, "it is no workbook")
            .hint("a workbook is .xlsx or .ods; if it is text, set its `format`"));
    }
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
        not_whole(name, format!("it is cut or damaged: {error}"))
            .hint("fetch or save the workbook again")
    })?;
    let (mut excel, mut binary, mut open_document, mut encrypted) = (false, false, false, false);
    if archive.len() > PARTS_MAX {
        return Err(not_whole(
            name,
            format!("it has more than {PARTS_MAX} parts"),
        ));
    }
    let mut total = 0_u64;
    let mut names = Vec::new();
    let mut types = String::new();
    let mut content = None;
    for index in 0..archive.len() {
        let part = archive.by_index(index);
        let part = part.map_err(|error| damaged_part(name, &error))?;
        let declared = part.size();
        let packed = part.compressed_size();
        total = total.saturating_add(declared);
        let too_much = |expanded: u64, packed: u64| {
            expanded > EXPANDED_FREE_BYTES && expanded / RATIO_MAX > packed
        };
        if too_much(declared, packed) || too_much(total, length) {
            return Err(bomb(name));
        }
        let called = part
            .name()
            .map_err(|error| damaged_part(name, &error))?
            .into_owned();
        match called.as_str() {
            "xl/workbook.xml" | "xl\\workbook.xml" => excel = true,
            "xl/workbook.bin" => binary = true,
            _ => {}
        }
        if called.starts_with("xl/media/") || called.starts_with("Pictures/") {
            continue;
        }
        // A part that says it is smaller than it is ends here too.
        let mut bounded = part.take(declared + 1);
        let read = match called.as_str() {
            "content.xml" => {
                let file = tempfile::tempfile();
                let mut file = file.map_err(|error| damaged(name, &error))?;
                let read = std::io::copy(&mut bounded, &mut file)
                    .and_then(|read| file.flush().and_then(|()| file.rewind()).map(|()| read));
                content = Some(file);
                read
            }
            "META-INF/manifest.xml" | "mimetype" | "[Content_Types].xml" => {
                let mut text = Vec::new();
                let read = bounded.read_to_end(&mut text).map(|read| read as u64);
                let text = String::from_utf8_lossy(&text);
                open_document |= text.contains("opendocument.spreadsheet");
                encrypted |= text.contains("encryption-data");
                if called.starts_with('[') {
                    types = text.into_owned();
                }
                read
            }
            _ => std::io::copy(&mut bounded, &mut std::io::sink()),
        };
        match read {
            Ok(read) if read > declared => return Err(bomb(name)),
            Ok(read) if read < declared => {
                return Err(not_whole(name, format!("its part `{called}` is cut"))
                    .hint("fetch or save the workbook again"));
            }
            Ok(_) => {}
            Err(error) => return Err(damaged(name, &error)),
        }
        names.push(called);
    }
    // Without its styles a date is a bare number, and calamine does not miss them.
    for part in ["xl/styles.xml", "xl/sharedStrings.xml"] {
        let declared = types.contains(&format!("\"/{part}\""));
        if declared && !names.iter().any(|name| name == part) {
            return Err(not_whole(name, format!("its part `{part}` is missing"))
                .hint("fetch or save the workbook again"));
        }
    }
    match content {
        _ if encrypted => {
            Err(not_whole(name, "it has a password").hint("save it without a password"))
        }
        _ if excel => Ok(Kind::Excel),
        Some(file) if open_document => Ok(Kind::OpenDocument(file)),
        _ if binary => {
            Err(not_whole(name, "it is in the binary .xlsb format").hint("save it as .xlsx"))
        }
        _ => Err(not_whole(name, "it is a zip archive, but no workbook")
            .hint("a workbook is .xlsx or .ods; unpack other archives first")),
    }
}

/// An error about the whole workbook.
pub(super) fn not_whole(name: &str, message: impl Into<String>) -> SourceError {
    SourceError::new(SourceProblem::NotWhole, name, message)
}

fn bomb(name: &str) -> SourceError {
    not_whole(
        name,
        format!("it expands to more than {RATIO_MAX} times its size, as no honest workbook does"),
    )
    .hint("open it in a spreadsheet program and save it again, or export it as CSV")
}

fn damaged(name: &str, error: &std::io::Error) -> SourceError {
    not_whole(name, format!("it is cut or damaged: {error}"))
        .hint("fetch or save the workbook again")
}

fn damaged_part(name: &str, error: &zip::result::ZipError) -> SourceError {
    if error.to_string().to_lowercase().contains("password") {
        return not_whole(name, "it has a password").hint("save it without a password");
    }
    not_whole(name, format!("it is cut or damaged: {error}"))
        .hint("fetch or save the workbook again")
}
