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

/// Tags of common elements as they are usually written, between `<` and `>`: what they do is found by one comparison.
const USUAL: &[(&str, Element)] = &[
    ("p", Element::Block),
    ("/p", Element::Block),
    ("br", Element::Block),
    ("br/", Element::Block),
    ("br /", Element::Block),
    ("li", Element::Block),
    ("/li", Element::Block),
    ("ul", Element::Block),
    ("/ul", Element::Block),
    ("ol", Element::Block),
    ("/ol", Element::Block),
    ("div", Element::Block),
    ("/div", Element::Block),
    ("h1", Element::Block),
    ("/h1", Element::Block),
    ("h2", Element::Block),
    ("/h2", Element::Block),
    ("h3", Element::Block),
    ("/h3", Element::Block),
    ("h4", Element::Block),
    ("/h4", Element::Block),
    ("tr", Element::Block),
    ("/tr", Element::Block),
    ("td", Element::Block),
    ("/td", Element::Block),
    ("th", Element::Block),
    ("/th", Element::Block),
    ("table", Element::Block),
    ("/table", Element::Block),
    ("tbody", Element::Block),
    ("/tbody", Element::Block),
    ("b", Element::Inline),
    ("/b", Element::Inline),
    ("i", Element::Inline),
    ("/i", Element::Inline),
    ("u", Element::Inline),
    ("/u", Element::Inline),
    ("em", Element::Inline),
    ("/em", Element::Inline),
    ("strong", Element::Inline),
    ("/strong", Element::Inline),
    ("span", Element::Inline),
    ("/span", Element::Inline),
    ("small", Element::Inline),
    ("/small", Element::Inline),
    ("sup", Element::Inline),
    ("/sup", Element::Inline),
    ("font", Element::Inline),
    ("/font", Element::Inline),
    ("/a", Element::Inline),
];

/// What a usual tag does that begins with these bytes after its `<`, and how long it is up to and with its `>`.
#[inline(always)]
pub(super) fn usual(after: &[u8; 8]) -> Option<(Element, usize)> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let word = u64::from_le_bytes(*after);
    // The lowest of these bits is that of the first `>`.
    let ends = word ^ (ONES * b'>' as u64);
    let ends = ends.wrapping_sub(ONES) & !ends & HIGHS;
    let bits = ends.trailing_zeros() & 0x38;
    let tag = word & 1u64.wrapping_shl(bits).wrapping_sub(1);
    match USUAL_NUMBERS.get(usual_place(tag)) {
        Some((known, element)) if *known == tag && ends != 0 && tag != 0 => {
            Some((*element, (bits / 8) as usize + 1))
        }
        _ => None,
    }
}

/// Places for the usual tags, enough that no two need the same one.
const USUAL_PLACES: usize = 1 << 7;

const fn usual_place(tag: u64) -> usize {
    (tag.wrapping_mul(USUAL_FACTOR) >> (64 - USUAL_PLACES.trailing_zeros())) as usize
}

const USUAL_FACTOR: u64 = 0x3783_ee75_1f26_3bcb;

/// The usual tags, their letters as a number, each in its place; 0 is no tag.
static USUAL_NUMBERS: [(u64, Element); USUAL_PLACES] = {
    let mut numbers = [(0, Element::Inline); USUAL_PLACES];
    let mut count = 0;
    while count < USUAL.len() {
        let (name, element) = (USUAL[count].0.as_bytes(), USUAL[count].1);
        let (mut number, mut letter) = (0u64, name.len());
        while letter > 0 {
            letter -= 1;
            number = number << 8 | name[letter] as u64;
        }
        assert!(
            name.len() < 8 && numbers[usual_place(number)].0 == 0,
            "two tags in one place"
        );
        numbers[usual_place(number)] = (number, element);
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
