//! What the first bytes tell: that this is no data at all, or in which character set it is.

use std::io::Read;

use super::{Again, InputOptions, read_error};
use crate::catalog::encoding::{Charset, Evidence, UTF8, UTF16_BE, UTF16_LE, Verdict};
use crate::catalog::{SourceError, SourceProblem};

/// Bytes read at a time when a whole file is judged.
const CHUNK_BYTES: usize = 256 * 1024;

/// The first bytes of a source.
pub(super) struct Start<'a> {
    pub(super) name: &'a str,
    pub(super) bytes: &'a [u8],
    /// These are all the bytes there are.
    pub(super) whole: bool,
    /// They came out of packed data, which is dear to read twice.
    pub(super) packed: bool,
}

/// A character set, how many bytes of byte order mark to skip, and what to say about it.
type Settled = (Charset, usize, Option<String>);

impl Start<'_> {
    /// Settles the character set: by byte order mark, as declared, or by proof.
    pub(super) fn charset(
        &self,
        again: &Again,
        options: &InputOptions<'_>,
    ) -> Result<Settled, SourceError> {
        self.refuse_other_formats()?;
        let declared = match options.encoding {
            None => None,
            Some(name) => Some(Charset::by_name(name).ok_or_else(|| self.unknown(name))?),
        };
        if let Some((mark, bytes)) = self.byte_order_mark()? {
            return self.marked(mark, bytes, declared);
        }
        if let Some(charset) = declared {
            return Ok((charset, 0, None));
        }
        if let Some(charset) = utf16_by_nul(self.bytes) {
            let remark = format!(
                "the text is {}: every other byte of many is NUL, and so read it is text",
                charset.name
            );
            return Ok((charset, 0, Some(remark)));
        }
        self.detected(again, options)
    }

    fn error(&self, problem: SourceProblem, message: impl Into<String>) -> SourceError {
        SourceError::new(problem, self.name, message)
    }

    /// An error page or a workbook under a wrong name.
    fn refuse_other_formats(&self) -> Result<(), SourceError> {
        let text = self
            .bytes
            .strip_prefix(b"\xEF\xBB\xBF")
            .unwrap_or(self.bytes)
            .trim_ascii_start();
        let begins = |word: &[u8]| {
            text.get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        if begins(b"<!doctype html") || begins(b"<html") {
            return Err(self
                .error(SourceProblem::NotWhole, "an HTML page, not CSV or other data")
                .hint("open it in a browser: it is often a log-in or error page; fetch the export again"));
        }
        if begins(b"PK\x03\x04") {
            return Err(self
                .error(SourceProblem::NotWhole, "a workbook or ZIP archive, not text")
                .hint("set `format = \"xlsx\"` or `\"ods\"` for a workbook; unpack an archive first"));
        }
        Ok(())
    }

    fn unknown(&self, name: &str) -> SourceError {
        self.error(
            SourceProblem::Configuration,
            format!("unknown encoding `{name}`"),
        )
        .hint("usual ones are `utf-8`, `utf-16`, `windows-1250`, `windows-1252`, `windows-1258`, `windows-874` (`tis-620`), `iso-8859-1`, `iso-8859-2`, `iso-8859-15`")
    }

    fn byte_order_mark(&self) -> Result<Option<(Charset, usize)>, SourceError> {
        Ok(match self.bytes {
            [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => {
                return Err(self
                    .error(SourceProblem::Configuration, "the text is UTF-32")
                    .hint("export it as UTF-8"));
            }
            [0xEF, 0xBB, 0xBF, ..] => Some((UTF8, 3)),
            [0xFF, 0xFE, ..] => Some((UTF16_LE, 2)),
            [0xFE, 0xFF, ..] => Some((UTF16_BE, 2)),
            _ => None,
        })
    }

    fn marked(
        &self,
        mark: Charset,
        bytes: usize,
        declared: Option<Charset>,
    ) -> Result<Settled, SourceError> {
        match declared {
            None if mark.is_utf8() => Ok((mark, bytes, None)),
            None => {
                let remark = format!("the text is {}: its byte order mark says so", mark.name);
                Ok((mark, bytes, Some(remark)))
            }
            Some(declared) if declared == mark => Ok((mark, bytes, None)),
            // plain `utf-16` leaves the order of bytes to the mark
            Some(declared) if declared == UTF16_LE && mark == UTF16_BE => Ok((mark, bytes, None)),
            Some(declared) => Err(self
                .error(
                    SourceProblem::Configuration,
                    format!(
                        "the encoding is declared as {}, but the file begins with the byte order mark of {}",
                        declared.name, mark.name
                    ),
                )
                .hint(format!("set `encoding = \"{}\"` in the source, or take it out", mark.name.to_lowercase()))),
        }
    }

    /// Tells the character set from the bytes, all of them where they can be read again.
    fn detected(
        &self,
        again: &Again,
        options: &InputOptions<'_>,
    ) -> Result<Settled, SourceError> {
        let mut evidence = Evidence::default();
        evidence.add(self.bytes);
        let proven = !evidence.is_ascii() && evidence.is_utf8();
        if proven || self.whole && evidence.is_utf8() {
            return Ok((UTF8, 0, None));
        }
        // All ASCII so far. Reading on in packed data or a stream is dear or impossible: it is UTF-8 until its reader
        // meets something else, and then it is refused.
        let ascii = evidence.is_ascii();
        let mut all = self.whole;
        if !self.whole
            && !(ascii && self.packed)
            && let Some(mut reader) = again.open(self.name, options)?
        {
            evidence = Evidence::default();
            self.read_all(&mut reader, &mut evidence)?;
            all = true;
        }
        match evidence.judge(options.language) {
            // damaged UTF-8 is for its reader to refuse, which knows the column too
            Verdict::Utf8 | Verdict::DamagedUtf8 { .. } => Ok((UTF8, 0, None)),
            Verdict::Charset(charset, proof) => {
                let part = if all { "" } else { " (judged by its beginning)" };
                Ok((charset, 0, Some(format!("{proof}{part}"))))
            }
            Verdict::Ambiguous(candidates) => Err(self.ambiguous(&candidates)),
        }
    }

    /// Takes in the whole file, or as much as proves that it is UTF-8.
    fn read_all(&self, reader: &mut dyn Read, evidence: &mut Evidence) -> Result<(), SourceError> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let bytes = match reader.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(read_error(self.name, error)),
            };
            evidence.add(chunk.get(..bytes).unwrap_or_default());
            if !evidence.is_ascii() && evidence.is_utf8() {
                return Ok(());
            }
        }
    }

    fn ambiguous(&self, candidates: &[(Charset, String)]) -> SourceError {
        let readings: Vec<String> = candidates
            .iter()
            .map(|(charset, word)| format!("{} reads `{word}`", charset.name))
            .collect();
        let (message, example) = match candidates.first() {
            None => (
                "the text is not UTF-8, and no encoding known here reads all of it".to_owned(),
                "windows-1251",
            ),
            Some((charset, _)) => (
                format!(
                    "the text is not UTF-8, and its encoding cannot be told: {}",
                    readings.join(", ")
                ),
                charset.name,
            ),
        };
        self.error(SourceProblem::Configuration, message).hint(format!(
            "set `encoding = \"{example}\"`, or whichever reads right, in the source; its `language` may decide too"
        ))
    }
}

/// UTF-16 without a byte order mark: NUL bytes at odd or at even places only, and so read no controls and no half letters.
fn utf16_by_nul(bytes: &[u8]) -> Option<Charset> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let even = pairs.iter().filter(|pair| pair[0] == 0).count();
    let odd = pairs.iter().filter(|pair| pair[1] == 0).count();
    let (charset, nul) = match (even, odd) {
        (0, 0) => return None,
        (0, odd) => (UTF16_LE, odd),
        (even, 0) => (UTF16_BE, even),
        _ => return None,
    };
    let unit = |pair: &[u8; 2]| match charset == UTF16_LE {
        true => u16::from_le_bytes(*pair),
        false => u16::from_be_bytes(*pair),
    };
    // separators, digits and line ends are ASCII in every script: some units at least have a NUL half
    let enough = nul * 20 >= pairs.len() && pairs.len() >= 4;
    let units: Vec<u16> = pairs.iter().map(unit).collect();
    // the start may end between the two units of one letter
    let (last, most) = units.split_last()?;
    let cut = matches!(last, 0xD800..=0xDBFF);
    let units = if cut { most } else { units.as_slice() };
    let text = char::decode_utf16(units.iter().copied()).all(|letter| {
        letter.is_ok_and(|l| !l.is_control() || matches!(l, '\t' | '\r' | '\n'))
    });
    (enough && text).then_some(charset)
}
