//! How a value is written in each format, so that it reads back as it was.

use wide::u8x16;

/// The format a value is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Escape {
    /// As it stands.
    None,
    /// XML text and attributes.
    Xml,
    /// HTML text and attributes.
    Html,
    /// Inside a JSON string.
    Json,
    /// A cell of a delimited file: quoted where it must be.
    Cell {
        /// What separates cells.
        delimiter: u8,
        /// When cells are quoted.
        quoting: Quoting,
    },
    /// EDIFACT data: the release character before syntax characters.
    Edifact,
}

/// When a cell of a delimited file is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quoting {
    /// Where it holds a delimiter, a quote or a line end.
    Necessary,
    /// Always.
    Always,
    /// Never: delimiters and line ends inside become spaces.
    Never,
}

impl Escape {
    /// Appends a value, escaped.
    #[inline]
    pub fn write(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Escape::None => out.extend_from_slice(text.as_bytes()),
            Escape::Xml => escape_runs(text.as_bytes(), out, is_xml, xml),
            Escape::Html => escape_runs(text.as_bytes(), out, is_xml, html),
            Escape::Json => escape_runs(text.as_bytes(), out, is_json, json),
            Escape::Edifact => escape_runs(text.as_bytes(), out, is_edifact, edifact),
            Escape::Cell { delimiter, quoting } => cell(text.as_bytes(), delimiter, quoting, out),
        }
    }

    /// A value, escaped.
    pub fn escaped(self, text: &str) -> String {
        let mut out = Vec::with_capacity(text.len());
        self.write(text, &mut out);
        String::from_utf8(out).expect("escapes keep UTF-8 whole")
    }
}

/// Copies runs of harmless bytes, 16 looked at together, and replaces the others.
#[inline]
fn escape_runs(
    text: &[u8],
    out: &mut Vec<u8>,
    special: impl Fn(u8x16) -> u32,
    replace: impl Fn(u8, &mut Vec<u8>),
) {
    let mut run = 0;
    let mut at = 0;
    let mut block = [0u8; 16];
    while at < text.len() {
        let rest = &text[at..];
        let mut mask = match rest.first_chunk::<16>() {
            Some(chunk) => special(u8x16::new(*chunk)),
            None => {
                block[..rest.len()].copy_from_slice(rest);
                special(u8x16::new(block)) & ((1 << rest.len()) - 1)
            }
        };
        while mask != 0 {
            let hit = at + mask.trailing_zeros() as usize;
            out.extend_from_slice(&text[run..hit]);
            replace(text[hit], out);
            run = hit + 1;
            mask &= mask - 1;
        }
        at += 16;
    }
    out.extend_from_slice(&text[run..]);
}

#[inline]
fn any(block: u8x16, bytes: &[u8]) -> u8x16 {
    bytes.iter().fold(u8x16::splat(0), |hits, &byte| {
        hits | block.simd_eq(u8x16::splat(byte))
    })
}

#[inline]
fn is_xml(block: u8x16) -> u32 {
    any(block, b"&<>\"'\r").to_bitmask()
}

fn xml(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(match byte {
        b'&' => b"&amp;",
        b'<' => b"&lt;",
        b'>' => b"&gt;",
        b'"' => b"&quot;",
        b'\'' => b"&apos;",
        // A reader turns a raw CR into LF.
        _ => b"&#13;",
    });
}

fn html(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'\'' => out.extend_from_slice(b"&#39;"),
        b'\r' => out.push(byte),
        other => xml(other, out),
    }
}

#[inline]
fn is_json(block: u8x16) -> u32 {
    // `<` leaves as \u003c, so that a document may stand in a <script> element.
    let control = block.simd_lt(u8x16::splat(0x20));
    (any(block, b"\"\\<\x7f") | control).to_bitmask()
}

fn json(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        other => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(other >> 4)]);
            out.push(HEX[usize::from(other & 15)]);
        }
    }
}

#[inline]
fn is_edifact(block: u8x16) -> u32 {
    any(block, b"'+:?").to_bitmask()
}

fn edifact(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'?', byte]);
}

fn cell(text: &[u8], delimiter: u8, quoting: Quoting, out: &mut Vec<u8>) {
    match quoting {
        Quoting::Never => {
            for &byte in text {
                out.push(if byte == delimiter || byte == b'\n' || byte == b'\r' {
                    b' '
                } else {
                    byte
                });
            }
        }
        Quoting::Necessary
            if !text
                .iter()
                .any(|&byte| byte == delimiter || matches!(byte, b'"' | b'\r' | b'\n')) =>
        {
            out.extend_from_slice(text);
        }
        _ => {
            out.push(b'"');
            for &byte in text {
                if byte == b'"' {
                    out.push(b'"');
                }
                out.push(byte);
            }
            out.push(b'"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_escapes_its_own() {
        assert_eq!(
            Escape::Xml.escaped("a<b> & \"c\" 'd'\r ]]> ก"),
            "a&lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;&#13; ]]&gt; ก"
        );
        assert_eq!(
            Escape::Json.escaped("\"\\\n\u{1}</script>ż"),
            "\\\"\\\\\\n\\u0001\\u003c/script>ż"
        );
        assert_eq!(Escape::Edifact.escaped("5'+:?"), "5?'?+?:??");
        let necessary = Escape::Cell {
            delimiter: b';',
            quoting: Quoting::Necessary,
        };
        assert_eq!(necessary.escaped("a,b"), "a,b");
        assert_eq!(necessary.escaped("a;\"b\""), "\"a;\"\"b\"\"\"");
        assert_eq!(
            Escape::Cell {
                delimiter: b'\t',
                quoting: Quoting::Never
            }
            .escaped("a\tb\r\nc"),
            "a b  c"
        );
    }

    #[test]
    fn blocks_of_sixteen_have_no_seams() {
        for length in 0..70 {
            let text: String = (0..length)
                .map(|at| if at % 7 == 3 { '&' } else { 'x' })
                .collect();
            assert_eq!(Escape::Xml.escaped(&text), text.replace('&', "&amp;"));
        }
    }
}
