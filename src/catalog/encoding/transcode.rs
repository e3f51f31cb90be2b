//! A stream of some character set as a stream of UTF-8, which stops at the first byte that is not right.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult};
use unicode_normalization::UnicodeNormalization;

use super::{Charset, Kind};
use crate::catalog::{SourceError, SourceProblem};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Reads UTF-8 out of a stream in another character set.
///
/// Errors are `io::Error`s that carry a [`SourceError`] of problem `NotWhole`, with the line and the byte.
pub struct Transcoder<R> {
    path: String,
    charset: Charset,
    inner: R,
    decoding: Decoding,
    raw: Vec<u8>,
    text: Vec<u8>,
    given: usize,
    line: u64,
    /// Bytes taken in before this chunk.
    offset: u64,
    ended: bool,
}

enum Decoding {
    Table(Box<Table>),
    Decoder(Box<Decoder>),
}

struct Table {
    letters: [Option<char>; 256],
    /// windows-1258 writes tones as letters of their own behind the vowel: the vowel waits here for its tone.
    composes: bool,
    waiting: Option<char>,
}

impl<R: Read> Transcoder<R> {
    /// Reads `inner` as `charset`; errors name the source `path`.
    pub fn new(path: &str, charset: Charset, inner: R) -> Self {
        let decoding = match (charset.table(), charset.kind) {
            (None, Kind::MultiByte(encoding)) => {
                Decoding::Decoder(Box::new(encoding.new_decoder_without_bom_handling()))
            }
            (None, _) => Decoding::Decoder(Box::new(
                encoding_rs::UTF_8.new_decoder_without_bom_handling(),
            )),
            (Some(letters), _) => Decoding::Table(Box::new(Table {
                letters,
                composes: charset.name == "windows-1258",
                waiting: None,
            })),
        };
        Transcoder {
            path: path.to_owned(),
            charset,
            inner,
            decoding,
            raw: Vec::new(),
            text: Vec::new(),
            given: 0,
            line: 1,
            offset: 0,
            ended: false,
        }
    }

    /// Reads and transcodes one more chunk; `text` may stay empty without this being the end.
    fn chunk(&mut self) -> io::Result<()> {
        self.raw.resize(CHUNK_BYTES, 0);
        let bytes = self.inner.read(&mut self.raw)?;
        self.raw.truncate(bytes);
        self.ended = bytes == 0;
        self.text.clear();
        self.given = 0;
        let bad = match &mut self.decoding {
            Decoding::Table(table) => table.decode(&self.raw, self.ended, &mut self.text),
            Decoding::Decoder(decoder) => decode(decoder, &self.raw, self.ended, &mut self.text),
        };
        if let Some(at) = bad {
            return Err(io::Error::other(self.bad_byte(at)));
        }
        // only errors need the line, but they need it of all that went before
        self.line += memchr::memchr_iter(b'\n', &self.text).count() as u64;
        self.offset += bytes as u64;
        Ok(())
    }

    fn bad_byte(&self, at: usize) -> SourceError {
        let line = self.line + memchr::memchr_iter(b'\n', &self.text).count() as u64;
        let name = self.charset.name;
        let error = match self.raw.get(at) {
            Some(byte) => SourceError::new(
                SourceProblem::NotWhole,
                &self.path,
                format!(
                    "byte 0x{byte:02X} (number {}) is not {name}",
                    self.offset + at as u64 + 1
                ),
            )
            .hint(hint(self.charset, *byte)),
            None => SourceError::new(
                SourceProblem::NotWhole,
                &self.path,
                format!("the file ends in the middle of a letter of {name}"),
            )
            .hint("get the rest of the file: it was cut"),
        };
        error.at_line(line)
    }
}

fn hint(charset: Charset, byte: u8) -> &'static str {
    match (charset.kind, charset.name) {
        (Kind::Latin1, _) | (_, "ISO-8859-15") if (0x80..0xA0).contains(&byte) => {
            "this looks like windows-1252: set `encoding` in the source to it"
        }
        (_, "ISO-8859-2") if (0x80..0xA0).contains(&byte) => {
            "this looks like windows-1250: set `encoding` in the source to it"
        }
        _ => "set `encoding` in the source to what the file really is, or export it as UTF-8",
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while self.given >= self.text.len() {
            if self.ended {
                return Ok(0);
            }
            self.chunk()?;
        }
        let rest = self.text.get(self.given..).unwrap_or_default();
        let bytes = rest.len().min(room.len());
        if let (Some(to), Some(from)) = (room.get_mut(..bytes), rest.get(..bytes)) {
            to.copy_from_slice(from);
        }
        self.given += bytes;
        Ok(bytes)
    }
}

impl Table {
    /// Adds the text of `raw` to `text`; returns where a byte is that means nothing.
    fn decode(&mut self, raw: &[u8], last: bool, text: &mut Vec<u8>) -> Option<usize> {
        let mut buffer = [0u8; 4];
        let mut put = |text: &mut Vec<u8>, letter: char| {
            text.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
        };
        for (at, byte) in raw.iter().enumerate() {
            let Some(letter) = self.letters.get(usize::from(*byte)).copied().flatten() else {
                return Some(at);
            };
            if !self.composes {
                put(text, letter);
                continue;
            }
            let Some(before) = self.waiting.replace(letter) else {
                continue;
            };
            match join(before, letter) {
                Some(composed) => self.waiting = Some(composed),
                None => put(text, before),
            }
        }
        if last && let Some(letter) = self.waiting.take() {
            put(text, letter);
        }
        None
    }
}

/// A vowel with the tone that follows it, as one letter.
fn join(vowel: char, tone: char) -> Option<char> {
    if !matches!(tone, '\u{300}'..='\u{36f}') {
        return None;
    }
    let mut joined = [vowel, tone].into_iter().nfc();
    match (joined.next(), joined.next()) {
        (Some(letter), None) => Some(letter),
        _ => None,
    }
}

/// The same by an `encoding_rs` decoder. A letter cut by the end of the stream is at the place behind the last byte.
fn decode(decoder: &mut Decoder, raw: &[u8], last: bool, text: &mut Vec<u8>) -> Option<usize> {
    let mut read = 0;
    loop {
        let filled = text.len();
        let rest = raw.get(read..).unwrap_or_default();
        let room = decoder
            .max_utf8_buffer_length_without_replacement(rest.len())
            .unwrap_or(CHUNK_BYTES);
        text.resize(filled + room, 0);
        let (result, bytes, written) = decoder.decode_to_utf8_without_replacement(
            rest,
            text.get_mut(filled..).unwrap_or_default(),
            last,
        );
        text.truncate(filled + written);
        read += bytes;
        match result {
            DecoderResult::InputEmpty => return None,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(_, _) if last => return Some(raw.len()),
            DecoderResult::Malformed(bad, after) => {
                return Some(read.saturating_sub(usize::from(bad) + usize::from(after)));
            }
        }
    }
}
