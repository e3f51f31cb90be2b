//! Reads a staged document once more, as its reader will, where its template could have broken it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::de::IgnoredAny;

use crate::channel::manifest::Format;

/// Read at a time, in bytes.
const READ_BYTES: usize = 64 * 1024;

/// Whether a file is one well-formed document of its format; what is wrong otherwise. Formats without a grammar pass.
///
/// # Errors
/// When the file cannot be read.
pub fn well_formed(path: &Path, format: Format, gzip: bool) -> std::io::Result<Result<(), String>> {
    let file = File::open(path)?;
    let reader: Box<dyn Read> = if gzip {
        Box::new(flate2::read::MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let reader = BufReader::with_capacity(READ_BYTES, reader);
    Ok(match format {
        Format::Xml => xml(reader),
        Format::Json => serde_json::from_reader::<_, IgnoredAny>(reader)
            .map(|_| ())
            .map_err(|error| error.to_string()),
        Format::Ndjson => lines(reader)?,
        _ => Ok(()),
    })
}

fn lines(mut reader: impl BufRead) -> std::io::Result<Result<(), String>> {
    let check = |line: &[u8], number: u64| {
        serde_json::from_slice::<IgnoredAny>(line)
            .map(|_| ())
            .map_err(|error| format!("line {number}: {error}"))
    };
    // The beginning of a line whose end is not read yet.
    let mut begun = Vec::new();
    let mut number = 0;
    loop {
        let piece = reader.fill_buf()?;
        let (line, used) = match memchr::memchr(b'\n', piece) {
            Some(end) => (piece.get(..end).unwrap_or_default(), end + 1),
            None => {
                let used = piece.len();
                begun.extend_from_slice(piece);
                reader.consume(used);
                if used > 0 {
                    continue;
                }
                let last = match begun.as_slice() {
                    [] => Ok(()),
                    last => check(last, number + 1),
                };
                return Ok(last);
            }
        };
        number += 1;
        let verdict = if begun.is_empty() {
            check(line, number)
        } else {
            begun.extend_from_slice(line);
            check(&begun, number)
        };
        begun.clear();
        reader.consume(used);
        if verdict.is_err() {
            return Ok(verdict);
        }
    }
}

fn xml(reader: impl BufRead) -> Result<(), String> {
    let mut reader = quick_xml::Reader::from_reader(reader);
    let config = reader.config_mut();
    config.check_end_names = true;
    config.allow_dangling_amp = false;
    let mut buffer = Vec::new();
    let (mut depth, mut roots) = (0_usize, 0_usize);
    loop {
        buffer.clear();
        let at = reader.buffer_position();
        match reader.read_event_into(&mut buffer) {
            Ok(quick_xml::events::Event::Eof) if depth > 0 => {
                return Err("an element is not closed".to_owned());
            }
            Ok(quick_xml::events::Event::Eof) if roots != 1 => {
                return Err(format!("it has {roots} root elements"));
            }
            Ok(quick_xml::events::Event::Eof) => return Ok(()),
            Ok(quick_xml::events::Event::Start(_)) => {
                roots += usize::from(depth == 0);
                depth += 1;
            }
            Ok(quick_xml::events::Event::Empty(_)) => roots += usize::from(depth == 0),
            Ok(quick_xml::events::Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(_) => {}
            Err(error) => return Err(format!("byte {at}: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str, format: Format) -> Result<(), String> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        crate::write::atomic::write(file.path(), text.as_bytes()).expect("written");
        well_formed(file.path(), format, false).expect("readable")
    }

    #[test]
    fn a_broken_document_is_told() {
        assert_eq!(verdict("<a><b>1</b></a>", Format::Xml), Ok(()));
        assert!(verdict("<a><b>1</a>", Format::Xml).is_err());
        assert!(verdict("<a>1</a><a>2</a>", Format::Xml).is_err());
        assert!(verdict("<a>", Format::Xml).is_err());
        assert!(verdict("{\"a\": [1,]}", Format::Json).is_err());
        assert_eq!(verdict("{\"a\":1}\n{\"a\":2}\n", Format::Ndjson), Ok(()));
        assert!(verdict("{\"a\":1}\n\n{\"a\":2}\n", Format::Ndjson).is_err());
        // A line longer than what is read at a time, and a last one without its end.
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(READ_BYTES));
        assert_eq!(
            verdict(&format!("{long}\n{long}\n1"), Format::Ndjson),
            Ok(())
        );
        let wrong = verdict(&format!("{long}\n{long}\n1\n{{"), Format::Ndjson);
        assert!(wrong.is_err_and(|message| message.starts_with("line 4: ")));
    }
}
