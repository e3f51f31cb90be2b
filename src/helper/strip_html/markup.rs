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

/// What the element of a name of so many letters does, `number` being [`packed`] of all of them.
#[inline]
pub(super) fn element(number: u64, letters: usize) -> Option<Element> {
    if letters > PACKED_MAX {
        return None;
    }
    match NUMBERS.get(place(number)) {
        Some((known, element)) if *known == number => Some(*element),
        _ => Some(Element::Inline),
    }
}

/// The same of a name too long to be a number.
#[cold]
pub(super) fn long_element(name: &str) -> Element {
    let is_any = |names: &[&str]| names.iter().any(|other| name.eq_ignore_ascii_case(other));
    if is_any(BLOCKS) {
        Element::Block
    } else if is_any(HIDDEN) {
        Element::Hidden
    } else {
        Element::Inline
    }
}

/// Places in the table: enough that no two names need the same one.
const PLACES: usize = 1 << 7;

/// Where a name's number stands in the table. The factor was found by trial; the table's making proves it.
const fn place(number: u64) -> usize {
    (number.wrapping_mul(FACTOR) >> (64 - PLACES.trailing_zeros())) as usize
}

const FACTOR: u64 = 0xacc0_2fd1_159d_0bc5;

/// The names as numbers, each in its place; 0 is no name.
static NUMBERS: [(u64, Element); PLACES] = {
    let mut numbers = [(0, Element::Inline); PLACES];
    let mut count = 0;
    while count < BLOCKS.len() + HIDDEN.len() {
        let (name, element) = if count < BLOCKS.len() {
            (BLOCKS[count].as_bytes(), Element::Block)
        } else {
            (HIDDEN[count - BLOCKS.len()].as_bytes(), Element::Hidden)
        };
        if name.len() <= PACKED_MAX {
            let (mut number, mut letter) = (0, 0);
            while letter < name.len() {
                number = packed(number, name[letter]);
                letter += 1;
            }
            assert!(numbers[place(number)].0 == 0, "two names in one place");
            numbers[place(number)] = (number, element);
        }
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
