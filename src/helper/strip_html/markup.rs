//! What the tags of HTML mean for its text: which part it, which hide what they hold, and where a tag ends.

use wide::u8x16;

/// Elements whose content nobody reads.
pub(super) const HIDDEN: &[&str] = &[
    "script", "style", "template", "noscript", "iframe", "svg", "head",
];

/// Elements that begin and end a line.
pub(super) const BLOCKS: &[&str] = &[
    "p",
    "br",
    "div",
    "li",
    "ul",
    "ol",
    "tr",
    "td",
    "th",
    "table",
    "thead",
    "tbody",
    "tfoot",
    "caption",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "dl",
    "dt",
    "dd",
    "section",
    "article",
    "header",
    "footer",
    "main",
    "nav",
    "aside",
    "blockquote",
    "pre",
    "figure",
    "figcaption",
    "address",
    "form",
    "fieldset",
    "option",
    "details",
    "summary",
];

/// What an element does to the text around and inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// Nothing: its tags vanish.
    Inline,
    /// Its tags part lines.
    Block,
    /// Its content vanishes too.
    Hidden,
}

/// Longest name that [`element`] takes as a number, in bytes.
pub(super) const PACKED_MAX: usize = 8;

/// One more letter of a name as a number: lower case, so that a tag is looked up by comparing numbers.
#[inline(always)]
pub(super) const fn packed(name: u64, letter: u8) -> u64 {
    // Letters become lower case, digits stay.
    name << 8 | (letter | 0x20) as u64
}

/// What the element of a name does, `number` being [`packed`] of all its letters.
#[inline]
pub(super) fn element(name: &str, number: u64) -> Element {
    if name.len() <= PACKED_MAX {
        return match NUMBERS.binary_search_by_key(&number, |(known, _)| *known) {
            Ok(at) => NUMBERS.get(at).map_or(Element::Inline, |(_, element)| *element),
            Err(_) => Element::Inline,
        };
    }
    let is_any = |names: &[&str]| names.iter().any(|other| name.eq_ignore_ascii_case(other));
    if is_any(BLOCKS) {
        Element::Block
    } else if is_any(HIDDEN) {
        Element::Hidden
    } else {
        Element::Inline
    }
}

const KNOWN: usize = BLOCKS.len() + HIDDEN.len();

/// All names as numbers, in order; those too long are 0, which no name is.
static NUMBERS: [(u64, Element); KNOWN] = {
    let mut numbers = [(0, Element::Inline); KNOWN];
    let mut count = 0;
    while count < KNOWN {
        let (name, element) = if count < BLOCKS.len() {
            (BLOCKS[count].as_bytes(), Element::Block)
        } else {
            (HIDDEN[count - BLOCKS.len()].as_bytes(), Element::Hidden)
        };
        let (mut number, mut letter) = (0, 0);
        while letter < name.len() && name.len() <= PACKED_MAX {
            number = packed(number, name[letter]);
            letter += 1;
        }
        // Into its place among those before it.
        let mut at = count;
        while at > 0 && numbers[at - 1].0 > number {
            numbers[at] = numbers[at - 1];
            at -= 1;
        }
        numbers[at] = (number, element);
        count += 1;
    }
    numbers
};

/// Where a tag ends, just after its `>`; a `>` inside a quoted attribute is none. `from` lies inside the tag.
#[inline]
pub(super) fn tag_end(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let found = find(text, at, *b">\"'")?;
        let quote = *text.get(found)?;
        if quote == b'>' {
            return Some(found + 1);
        }
        // A quote that opens no value, or is never closed, is only a letter.
        let opens = text
            .get(..found)
            .is_some_and(|before| before.trim_ascii_end().ends_with(b"="));
        at = found + 1;
        if opens && let Some(end) = find(text, at, [quote; 3]) {
            at = end + 1;
        }
    }
}

/// Where the first of three bytes stands, from `from` on.
#[inline]
fn find(text: &[u8], from: usize, wanted: [u8; 3]) -> Option<usize> {
    let [one, two, three] = wanted.map(u8x16::splat);
    let mut at = from;
    while let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let block = u8x16::new(*chunk);
        let hits = block.simd_eq(one) | block.simd_eq(two) | block.simd_eq(three);
        let mask = hits.to_bitmask();
        if mask != 0 {
            return Some(at + mask.trailing_zeros() as usize);
        }
        at += 16;
    }
    let rest = text.get(at..)?;
    rest.iter()
        .position(|byte| wanted.contains(byte))
        .map(|found| at + found)
}
