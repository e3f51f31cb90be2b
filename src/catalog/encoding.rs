//! Character sets: by name, or judged from bytes; and the streaming way from them to UTF-8.
//!
//! Nothing is replaced: a byte that its character set does not define is an error that names the line. A detected
//! character set is always reported with its proof.

mod judge;
mod language;
#[cfg(test)]
mod tests;
mod transcode;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

pub use judge::{Evidence, Verdict};
pub use transcode::Transcoder;

/// A character set that a source may be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charset {
    /// Its name in settings and messages, such as `windows-1250`.
    pub name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Utf8,
    /// A letter a byte, by the table of this encoding.
    SingleByte(&'static Encoding),
    /// The first 128 codes, or the first 256, with nothing at 128 to 159.
    Latin1,
    Ascii,
    /// Several bytes a letter.
    MultiByte(&'static Encoding),
}

/// UTF-8.
pub const UTF8: Charset = Charset {
    name: "UTF-8",
    kind: Kind::Utf8,
};

/// UTF-16 with the low byte first.
pub const UTF16_LE: Charset = Charset {
    name: "UTF-16LE",
    kind: Kind::MultiByte(UTF_16LE),
};

/// UTF-16 with the high byte first.
pub const UTF16_BE: Charset = Charset {
    name: "UTF-16BE",
    kind: Kind::MultiByte(UTF_16BE),
};

/// What undeclared bytes that are not UTF-8 may be, in the order they are named to the user.
const CANDIDATES: [&str; 7] = [
    "windows-1252",
    "windows-1250",
    "windows-1258",
    "windows-874",
    "ISO-8859-1",
    "ISO-8859-2",
    "ISO-8859-15",
];

impl Charset {
    /// Finds a character set by one of its names, in any case: `cp1250`, `latin2`, `TIS-620`, `utf8`.
    pub fn by_name(name: &str) -> Option<Charset> {
        let label = name.trim().to_ascii_lowercase().replace('_', "-");
        // `encoding_rs` follows browsers, which take these for windows-1252
        match label.as_str() {
            "iso-8859-1" | "iso8859-1" | "iso88591" | "latin1" | "latin-1" | "l1" | "cp819" => {
                return Some(Charset {
                    name: "ISO-8859-1",
                    kind: Kind::Latin1,
                });
            }
            "ascii" | "us-ascii" => {
                return Some(Charset {
                    name: "ASCII",
                    kind: Kind::Ascii,
                });
            }
            _ => {}
        }
        let label = match label.as_str() {
            "latin-2" => "latin2",
            "latin9" | "latin-9" => "iso-8859-15",
            "cp874" | "tis620" => "windows-874",
            other => match other.strip_prefix("win-").or(other.strip_prefix("win")) {
                Some(page) if page.len() == 4 && page.bytes().all(|b| b.is_ascii_digit()) => {
                    return Charset::by_name(&format!("windows-{page}"));
                }
                _ => other,
            },
        };
        let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
        Some(if encoding == encoding_rs::UTF_8 {
            UTF8
        } else if encoding.is_single_byte() {
            Charset {
                name: encoding.name(),
                kind: Kind::SingleByte(encoding),
            }
        } else {
            Charset {
                name: encoding.name(),
                kind: Kind::MultiByte(encoding),
            }
        })
    }

    /// True for UTF-8, which needs no transcoding.
    pub fn is_utf8(self) -> bool {
        self.kind == Kind::Utf8
    }

    /// The letter of each byte where a letter is one byte; `None` for bytes that are not defined, or only as controls.
    fn table(self) -> Option<[Option<char>; 256]> {
        if matches!(self.kind, Kind::Utf8 | Kind::MultiByte(_)) {
            return None;
        }
        let mut table = [None; 256];
        for (byte, place) in (0u8..=255).zip(table.iter_mut()) {
            let letter = match self.kind {
                _ if byte.is_ascii() => Some(char::from(byte)),
                Kind::Latin1 => Some(char::from(byte)),
                Kind::SingleByte(encoding) => encoding
                    .decode_without_bom_handling_and_without_replacement(&[byte])
                    .and_then(|text| text.chars().next()),
                _ => None,
            };
            *place = letter.filter(|letter| !matches!(letter, '\u{80}'..='\u{9f}'));
        }
        Some(table)
    }
}
