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
    #[inline(always)]
    pub fn write(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Escape::None => out.extend_from_slice(text.as_bytes()),
            Escape::Xml => write_xml(text.as_bytes(), out),
            other => other.write_other(text.as_bytes(), out),
        }
    }

    fn write_other(self, text: &[u8], out: &mut Vec<u8>) {
        match self {
            Escape::None => out.extend_from_slice(text),
            Escape::Xml => write_xml(text, out),
            Escape::Html => escape_runs(text, out, is_xml, html),
            Escape::Json => escape_runs(text, out, is_json, json),
            Escape::Edifact => escape_runs(text, out, |block| any(block, b"'+:?"), edifact),
            Escape::Cell { delimiter, quoting } => cell(text, delimiter, quoting, out),
        }
    }

    /// A value, escaped.
    pub fn escaped(self, text: &str) -> String {
        let mut out = Vec::with_capacity(text.len());
        self.write(text, &mut out);
        String::from_utf8(out).expect("escapes keep UTF-8 whole")
    }
}

/// The usual format, in a function without the others.
#[inline(never)]
fn write_xml(text: &[u8], out: &mut Vec<u8>) {
    escape_runs(text, out, is_xml, xml);
}

/// Appends a text with its special bytes replaced. What is harmless is looked at and copied in pieces of fixed size.
#[inline(always)]
fn escape_runs(
    text: &[u8],
    out: &mut Vec<u8>,
    special: impl Fn(u8x16) -> u8x16 + Copy,
    replace: impl Fn(u8, &mut Vec<u8>) + Copy,
) {
    let mask = if text.len() >= 32 {
        return escape_long(text, out, special, replace);
    } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let mask = mask_of_ends16(first, last, text.len(), special);
        if mask == 0 {
            return append_ends::<16>(first, last, text.len(), out);
        }
        mask
    } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let mask = mask_of_ends8(first, last, text.len(), special);
        if mask == 0 {
            return append_ends::<8>(first, last, text.len(), out);
        }
        mask
    } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let mask = mask_of_ends4(first, last, text.len(), special);
        if mask == 0 {
            return append_ends::<4>(first, last, text.len(), out);
        }
        mask
    } else {
        mask_of_few(text, special)
    };
    let run = replaced(text, 0, 0, mask, out, replace);
    out.extend_from_slice(text.get(run..).unwrap_or_default());
}

/// A text from both its ends, which may overlap: `N` bytes each, `length` in all.
#[inline(always)]
fn append_ends<const N: usize>(first: &[u8; N], last: &[u8; N], length: usize, out: &mut Vec<u8>) {
    let from = out.len();
    out.extend_from_slice(first);
    out.truncate(from.wrapping_add(length.wrapping_sub(N)));
    out.extend_from_slice(last);
}

#[inline(never)]
fn escape_long(
    text: &[u8],
    out: &mut Vec<u8>,
    special: impl Fn(u8x16) -> u8x16 + Copy,
    replace: impl Fn(u8, &mut Vec<u8>) + Copy,
) {
    let mut run = 0;
    let (blocks, rest) = text.as_chunks::<32>();
    for (number, block) in blocks.iter().enumerate() {
        let mask = mask_of(block, special);
        if mask != 0 {
            run = replaced(text, run, number.wrapping_mul(32), mask, out, replace);
        }
    }
    if let Some(last) = text.last_chunk::<32>().filter(|_| !rest.is_empty()) {
        let done = 32u32.wrapping_sub(rest.len() as u32);
        let mask = mask_of(last, special).wrapping_shr(done);
        if mask != 0 {
            let base = text.len().wrapping_sub(rest.len());
            run = replaced(text, run, base, mask, out, replace);
        }
    }
    out.extend_from_slice(text.get(run..).unwrap_or_default());
}

/// Whether any byte is special.
fn has(text: &[u8], special: impl Fn(u8x16) -> u8x16 + Copy) -> bool {
    let found = |block: [u8; 16]| special(u8x16::new(block)).to_bitmask();
    let (blocks, rest) = text.as_chunks::<16>();
    if let Some(last) = text.last_chunk::<16>() {
        return blocks.iter().any(|block| found(*block) != 0) || found(*last) != 0;
    }
    let mut block = [0; 16];
    block
        .iter_mut()
        .zip(rest)
        .for_each(|(to, from)| *to = *from);
    found(block) & ((1 << rest.len()) - 1) != 0
}

/// Appends from `run` on, and replaces the bytes that `mask` marks, counted from `base`; where appending goes on.
#[inline]
fn replaced(
    text: &[u8],
    run: usize,
    base: usize,
    mask: u32,
    out: &mut Vec<u8>,
    replace: impl Fn(u8, &mut Vec<u8>),
) -> usize {
    let (mut run, mut mask) = (run, mask);
    while mask != 0 {
        let hit = base.wrapping_add(mask.trailing_zeros() as usize);
        if let (Some(harmless), Some(byte)) = (text.get(run..hit), text.get(hit)) {
            out.extend_from_slice(harmless);
            replace(*byte, out);
        }
        run = hit.wrapping_add(1);
        mask &= mask.wrapping_sub(1);
    }
    run
}

/// The special bytes of a block, one bit each.
#[inline(always)]
fn mask_of(block: &[u8; 32], special: impl Fn(u8x16) -> u8x16) -> u32 {
    let (halves, _) = block.as_chunks::<16>();
    match halves {
        [low, high] => {
            let (low, high) = (special(u8x16::new(*low)), special(u8x16::new(*high)));
            low.to_bitmask() | high.to_bitmask() << 16
        }
        _ => 0,
    }
}

/// The same of a text of 16 to 31 bytes, given from both ends.
#[inline(always)]
fn mask_of_ends16(
    first: &[u8; 16],
    last: &[u8; 16],
    length: usize,
    special: impl Fn(u8x16) -> u8x16,
) -> u32 {
    let last = special(u8x16::new(*last)).to_bitmask();
    special(u8x16::new(*first)).to_bitmask() | last.wrapping_shl((length as u32).wrapping_sub(16))
}

/// The same of 8 to 15 bytes: both ends side by side in one vector, then each byte's mark where it belongs.
#[inline(always)]
fn mask_of_ends8(
    first: &[u8; 8],
    last: &[u8; 8],
    length: usize,
    special: impl Fn(u8x16) -> u8x16,
) -> u32 {
    let ends = u128::from(u64::from_le_bytes(*first)) | u128::from(u64::from_le_bytes(*last)) << 64;
    let mask = special(u8x16::new(ends.to_le_bytes())).to_bitmask();
    (mask & 0xff) | (mask >> 8 & 0xff).wrapping_shl((length as u32).wrapping_sub(8))
}

/// The same of 4 to 7 bytes.
#[inline(always)]
fn mask_of_ends4(
    first: &[u8; 4],
    last: &[u8; 4],
    length: usize,
    special: impl Fn(u8x16) -> u8x16,
) -> u32 {
    let ends = u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32;
    let mask = special(u8x16::new(u128::from(ends).to_le_bytes())).to_bitmask();
    (mask & 0xf) | (mask >> 4 & 0xf).wrapping_shl((length as u32).wrapping_sub(4))
}

/// The same of fewer than 4 bytes.
#[inline(always)]
fn mask_of_few(text: &[u8], special: impl Fn(u8x16) -> u8x16) -> u32 {
    let at = |at: usize| u32::from(text.get(at).copied().unwrap_or(0)) << (8 * at);
    let bytes = u128::from(at(0) | at(1) | at(2));
    let mask = special(u8x16::new(bytes.to_le_bytes())).to_bitmask();
    mask & 1u32.wrapping_shl(text.len() as u32).wrapping_sub(1)
}

#[inline(always)]
fn any<const N: usize>(block: u8x16, bytes: &[u8; N]) -> u8x16 {
    bytes.iter().fold(u8x16::splat(0), |hits, &byte| {
        hits | block.simd_eq(u8x16::splat(byte))
    })
}

#[inline(always)]
fn is_xml(block: u8x16) -> u8x16 {
    // `&` and `'` differ in the last bit alone, `<` and `>` in the last but one.
    let ampersands = (block | u8x16::splat(1)).simd_eq(u8x16::splat(b'\''));
    let angles = (block | u8x16::splat(2)).simd_eq(u8x16::splat(b'>'));
    ampersands | angles | any(block, b"\"\r")
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

#[inline(always)]
fn is_json(block: u8x16) -> u8x16 {
    // `<` leaves as \u003c, so that a document may stand in a <script> element.
    let control = block.min(u8x16::splat(0x1f)).simd_eq(block);
    any(block, b"\"\\<\x7f") | control
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

fn edifact(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'?', byte]);
}

fn cell(text: &[u8], delimiter: u8, quoting: Quoting, out: &mut Vec<u8>) {
    let structure = |block: u8x16| any(block, &[delimiter, b'\r', b'\n']);
    let quotes = |block: u8x16| any(block, b"\"");
    match quoting {
        Quoting::Never => escape_runs(text, out, structure, |_, out| out.push(b' ')),
        Quoting::Necessary if !has(text, |block| structure(block) | quotes(block)) => {
            out.extend_from_slice(text);
        }
        _ => {
            out.push(b'"');
            escape_runs(text, out, quotes, |_, out| out.extend_from_slice(b"\"\""));
            out.push(b'"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    /// Each format byte by byte: what the vectors are held to.
    fn slowly(escape: Escape, text: &str) -> String {
        let mut out = Vec::new();
        let bytes = text.as_bytes();
        for &byte in bytes {
            match escape {
                Escape::Xml if b"&<>\"'\r".contains(&byte) => xml(byte, &mut out),
                Escape::Html if b"&<>\"'".contains(&byte) => html(byte, &mut out),
                Escape::Json if byte < 0x20 || b"\"\\<\x7f".contains(&byte) => json(byte, &mut out),
                Escape::Edifact if b"'+:?".contains(&byte) => edifact(byte, &mut out),
                Escape::Cell {
                    delimiter,
                    quoting: Quoting::Never,
                } if byte == delimiter || byte == b'\r' || byte == b'\n' => {
                    out.push(b' ');
                }
                Escape::Cell { quoting, .. } if quoting != Quoting::Never && byte == b'"' => {
                    out.extend_from_slice(b"\"\"");
                }
                _ => out.push(byte),
            }
        }
        let quoted = match escape {
            Escape::Cell {
                quoting: Quoting::Always,
                ..
            } => true,
            Escape::Cell {
                delimiter,
                quoting: Quoting::Necessary,
            } => bytes
                .iter()
                .any(|&byte| byte == delimiter || b"\"\r\n".contains(&byte)),
            _ => false,
        };
        let out = String::from_utf8(out).expect("escapes keep UTF-8 whole");
        if quoted { format!("\"{out}\"") } else { out }
    }

    proptest! {
        #[test]
        fn vectors_escape_as_bytes_do(
            text in "([a-zก-ฮ&<>\"'\r\n\t\\\\+:?,;\u{1}\u{7f}%=?]|[a-z ]{1,20}){0,40}",
            length in 0usize..90,
        ) {
            let text: String = text.chars().take(length).collect();
            let cells = [Quoting::Necessary, Quoting::Always, Quoting::Never]
                .map(|quoting| Escape::Cell { delimiter: b';', quoting });
            let all = [Escape::None, Escape::Xml, Escape::Html, Escape::Json, Escape::Edifact];
            for escape in all.into_iter().chain(cells) {
                prop_assert_eq!(escape.escaped(&text), slowly(escape, &text), "{:?} of {:?}", escape, text);
            }
        }
    }

    #[test]
    fn blocks_have_no_seams() {
        for length in 0..70 {
            let text: String = (0..length)
                .map(|at| if at % 7 == 3 { '&' } else { 'x' })
                .collect();
            assert_eq!(Escape::Xml.escaped(&text), text.replace('&', "&amp;"));
        }
    }
}
