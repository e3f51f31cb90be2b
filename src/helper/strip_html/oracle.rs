//! The same rules read slowly, for the tests: what the fast path is held to.

use std::borrow::Cow;

use bumpalo::Bump;
use bumpalo::collections::String as ArenaString;
use memchr::{memchr, memchr3, memmem};

use crate::helper::entities;
use crate::helper::strip_html::markup::{BLOCKS, HIDDEN};

/// The text of an HTML fragment; the very same slice when there is nothing to do.
pub(super) fn strip<'a>(text: &'a str, separator: &str, arena: &'a Bump) -> &'a str {
    let clean_edges = !text.starts_with(' ') && !text.ends_with(' ');
    if clean_edges && next_special(text.as_bytes(), 0) == text.len() {
        return text;
    }
    let mut stripper = Stripper {
        text,
        separator,
        out: ArenaString::with_capacity_in(text.len(), arena),
        gap: Gap::None,
    };
    stripper.run();
    stripper.out.into_bump_str()
}

/// What stands between the text written and the text to come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Space,
    Break,
}

struct Stripper<'t, 'a> {
    text: &'t str,
    separator: &'t str,
    out: ArenaString<'a>,
    gap: Gap,
}

impl<'t> Stripper<'t, '_> {
    fn run(&mut self) {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let special = next_special(bytes, at);
            self.push_run(self.slice(at, special));
            at = match bytes.get(special) {
                None => break,
                Some(b'<') => self.tag(special),
                Some(b'&') => self.entity(special),
                Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0c) => {
                    self.widen(Gap::Space);
                    special + 1
                }
                Some(0xc2) => self.latin(special),
                // A control character stays: whoever writes the value drops and counts it.
                Some(_) => {
                    self.push(self.slice(special, special + 1));
                    special + 1
                }
            };
        }
    }

    fn slice(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn widen(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    /// Text without specials: single spaces inside, perhaps one at either edge.
    fn push_run(&mut self, run: &str) {
        let run = match run.strip_prefix(' ') {
            Some(rest) => {
                self.widen(Gap::Space);
                rest
            }
            None => run,
        };
        let (run, after) = match run.strip_suffix(' ') {
            Some(rest) => (rest, Gap::Space),
            None => (run, Gap::None),
        };
        self.push(run);
        self.widen(after);
    }

    fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if !self.out.is_empty() {
            match self.gap {
                Gap::None => {}
                Gap::Space => self.out.push(' '),
                Gap::Break => self.out.push_str(self.separator),
            }
        }
        self.gap = Gap::None;
        self.out.push_str(text);
    }

    /// A character whose first byte is C2: the non-breaking space, C1 controls, the soft hyphen, or just text.
    fn latin(&mut self, at: usize) -> usize {
        match self.text.as_bytes().get(at + 1) {
            Some(0xa0) => self.widen(Gap::Space),
            Some(0x80..=0x9f) => {}
            _ => self.push(self.slice(at, at + 2)),
        }
        at + 2
    }

    /// A `<`: where the text goes on after the tag, comment or script.
    fn tag(&mut self, at: usize) -> usize {
        let rest = self.slice(at + 1, self.text.len());
        let end = self.text.len();
        let after = |needle: &str| {
            memmem::find(rest.as_bytes(), needle.as_bytes()).map(|i| at + 1 + i + needle.len())
        };
        if rest.starts_with("!--") {
            return after("-->").unwrap_or(end);
        }
        if rest.starts_with("![CDATA[") {
            // Its content is read like any other. An inner one cannot be closed too, so that this nests only once.
            let from = at + "<![CDATA[".len();
            let Some(after) = after("]]>") else {
                return from;
            };
            let inner = self.slice(from, after - "]]>".len());
            let outer = std::mem::replace(&mut self.text, inner);
            self.run();
            self.text = outer;
            return after;
        }
        let closing = rest.strip_prefix('/');
        let name_from = closing.unwrap_or(rest);
        let markup = name_from.starts_with(|c: char| c.is_ascii_alphabetic())
            || rest.starts_with(['!', '?'])
            || closing.is_some_and(|rest| rest.starts_with('>'));
        let Some(tag_end) = tag_end(rest).filter(|_| markup) else {
            self.push("<");
            return at + 1;
        };
        let name_len = name_from
            .bytes()
            .position(|b| !b.is_ascii_alphanumeric())
            .unwrap_or(name_from.len());
        let name = name_from.get(..name_len).unwrap_or_default();
        if closing.is_none() && is_any(name, HIDDEN) {
            self.widen(Gap::Space);
            return self.after_hidden(at + 1 + tag_end, name);
        }
        if is_block(name) {
            self.widen(Gap::Break);
        }
        at + 1 + tag_end
    }

    /// The end of a `script` or the like whose content begins at `from`.
    fn after_hidden(&self, from: usize, name: &str) -> usize {
        let content = self.slice(from, self.text.len());
        for found in memmem::find_iter(content.as_bytes(), "</") {
            let rest = content.get(found + 2..).unwrap_or_default();
            let same = rest
                .get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name));
            if same {
                return from + found + 2 + tag_end(rest).unwrap_or(rest.len());
            }
        }
        self.text.len()
    }

    /// A `&`: where the text goes on after the entity.
    fn entity(&mut self, at: usize) -> usize {
        let rest = self.slice(at + 1, self.text.len());
        let window = rest
            .as_bytes()
            .get(..32.min(rest.len()))
            .unwrap_or_default();
        let decoded = memchr(b';', window).and_then(|end| {
            let name = rest.get(..end)?;
            Some((decode(name)?, at + 1 + end + 1))
        });
        let Some((c, after)) = decoded else {
            self.push("&");
            return at + 1;
        };
        if c.is_whitespace() {
            self.widen(Gap::Space);
        } else if !c.is_control() {
            self.push(c.encode_utf8(&mut [0; 4]));
        }
        after
    }
}

fn is_any(name: &str, names: &[&str]) -> bool {
    names.iter().any(|other| name.eq_ignore_ascii_case(other))
}

fn is_block(name: &str) -> bool {
    is_any(name, BLOCKS)
}

/// Where a tag ends, just after its `>`; a `>` inside a quoted attribute is none. `text` begins after the `<`.
fn tag_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        let found = at + memchr3(b'>', b'"', b'\'', rest)?;
        let quote = *bytes.get(found)?;
        if quote == b'>' {
            return Some(found + 1);
        }
        let before = bytes.get(..found)?.trim_ascii_end();
        // A quote that opens no value, or is never closed, is only a letter.
        at = match bytes.get(found + 1..).and_then(|rest| memchr(quote, rest)) {
            Some(end) if before.ends_with(b"=") => found + 1 + end + 1,
            _ => found + 1,
        };
    }
}

/// The character of an entity, given without `&` and `;`.
fn decode(name: &str) -> Option<char> {
    let Some(number) = name.strip_prefix('#') else {
        return entities::character(name);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    // Numbers 128 to 159 were always meant as windows-1252.
    let bytes = [u8::try_from(code).unwrap_or_default()];
    if (0x80..=0x9f).contains(&code) {
        let text: Cow<'_, str> = encoding_rs::WINDOWS_1252
            .decode_without_bom_handling(&bytes)
            .0;
        return text.chars().next();
    }
    char::from_u32(code)
}

/// The next byte that is not plain text: `<`, `&`, a control, the lead byte of a non-breaking space, or the second of two
/// spaces. The text's length when there is none.
fn next_special(bytes: &[u8], from: usize) -> usize {
    (from..bytes.len())
        .find(|&at| match bytes[at] {
            b' ' => at > from && bytes[at - 1] == b' ',
            byte => matches!(byte, 0..=0x1f | b'<' | b'&' | 0x7f | 0xc2),
        })
        .unwrap_or(bytes.len())
}
