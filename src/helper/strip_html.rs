//! `strip_html`: the text of an HTML description in one pass: tags dropped, entities decoded, white space collapsed.

mod markup;
mod specials;

use std::borrow::Cow;

use bumpalo::Bump;
use bumpalo::collections::String as ArenaString;
use memchr::{memchr, memmem};

use markup::Element;
use specials::Specials;

use super::entities;
use super::{Arguments, Helper, HelperContext, HelperError};
use crate::model::value::Value;

/// `{{strip_html text}}`
pub static STRIP_HTML: Helper = Helper {
    name: "strip_html",
    summary: "the text of an HTML description, without tags",
    usage: "{{strip_html description separator=\"\\n\"}}",
    page: PAGE,
    arity: (1, 1),
    named: &["separator"],
    raw: false,
    call,
};

const PAGE: &str = "\
The text that a reader of a page would see. Tags and comments are dropped, what stands inside `script` and `style` too;
entities are decoded, once (`&amp;lt;` becomes `&lt;`); white space, also the non-breaking space, becomes one space;
Text that is no HTML comes out as it is.

- `text`: any text; absent stays absent.
- `separator`: what stands where a paragraph, line or list item ends, a space when left out.

- `{{strip_html \"<p>Soft&nbsp;cotton.</p><ul><li>Red</li><li>Blue</li></ul>\"}}` gives `Soft cotton. Red Blue`
- `{{strip_html \"a<br>b\" separator=\" | \"}}` gives `a | b`
- `{{strip_html \"5 < 6 &amp; 7 &gt; 6\"}}` gives `5 < 6 & 7 > 6`
";

fn call<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let Some(text) = args.text(0)? else {
        return Ok(Value::Absent);
    };
    let separator = args.named_text("separator")?.unwrap_or(" ");
    Ok(Value::text(strip(text, separator, ctx.arena)))
}

/// The text of an HTML fragment; the very same slice when there is nothing to do.
pub fn strip<'a>(text: &'a str, separator: &str, arena: &'a Bump) -> &'a str {
    let clean_edges = !text.starts_with(' ') && !text.ends_with(' ');
    let mut specials = Specials::of(text.as_bytes());
    if clean_edges && specials.next(0) == text.len() {
        return text;
    }
    let mut stripper = Stripper {
        separator,
        out: ArenaString::with_capacity_in(text.len(), arena),
        end: End::Space,
    };
    stripper.run(text, specials);
    if stripper.end == End::Space {
        stripper.unspace();
    }
    stripper.out.into_bump_str()
}

/// How the text written so far ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// With text.
    Text,
    /// With one space, or nothing is written yet.
    Space,
    /// With text, after which the separator must come if more does.
    Break,
}

struct Stripper<'s, 'a> {
    separator: &'s str,
    out: ArenaString<'a>,
    end: End,
}

impl Stripper<'_, '_> {
    fn run(&mut self, text: &str, mut specials: Specials<'_>) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            // Tags often follow one another.
            let special = match bytes.get(at) {
                Some(b'<') => at,
                _ => specials.next(at),
            };
            if special > at {
                self.push_run(slice(text, at, special));
            }
            at = match bytes.get(special) {
                None => break,
                Some(b'<') => self.tag(text, special),
                Some(b'&') => self.entity(text, special),
                Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0c) => {
                    self.space();
                    special + 1
                }
                Some(0xc2) => self.latin(text, special),
                // A control character stays: whoever writes the value drops and counts it.
                Some(_) => {
                    self.push(slice(text, special, special + 1));
                    special + 1
                }
            };
        }
    }

    #[inline]
    fn space(&mut self) {
        if self.end == End::Text {
            self.out.push(' ');
            self.end = End::Space;
        }
    }

    #[inline]
    fn part(&mut self) {
        if self.separator == " " {
            return self.space();
        }
        if self.end == End::Space {
            if self.out.is_empty() {
                return;
            }
            self.unspace();
        }
        self.end = End::Break;
    }

    /// Takes back the space at the end.
    fn unspace(&mut self) {
        if let Some(length) = self.out.len().checked_sub(1) {
            self.out.truncate(length);
        }
    }

    /// Text without specials, not empty: single spaces inside, perhaps one at either edge.
    #[inline]
    fn push_run(&mut self, run: &str) {
        let run = match run.strip_prefix(' ') {
            Some(rest) if self.end != End::Text => rest,
            _ => run,
        };
        if run.is_empty() {
            return;
        }
        self.push(run);
        if run.ends_with(' ') {
            self.end = End::Space;
        }
    }

    #[inline]
    fn push(&mut self, text: &str) {
        if self.end == End::Break {
            self.out.push_str(self.separator);
        }
        self.end = End::Text;
        self.out.push_str(text);
    }

    fn push_char(&mut self, letter: char) {
        if letter.is_whitespace() {
            self.space();
        } else if !letter.is_control() {
            self.push(letter.encode_utf8(&mut [0; 4]));
        }
    }

    /// A character whose first byte is C2: the non-breaking space, C1 controls, the soft hyphen, or just text.
    fn latin(&mut self, text: &str, at: usize) -> usize {
        match text.as_bytes().get(at + 1) {
            Some(0xa0) => self.space(),
            Some(0x80..=0x9f) => {}
            _ => self.push(slice(text, at, at + 2)),
        }
        at + 2
    }

    /// A `<`: where the text goes on after the tag, comment or script.
    #[inline]
    fn tag(&mut self, text: &str, at: usize) -> usize {
        let bytes = text.as_bytes();
        let after = bytes.get(at + 1..).and_then(<[u8]>::first_chunk::<8>);
        if let Some((element, length)) = after.and_then(markup::usual) {
            if element == Element::Block {
                self.part();
            }
            return at + 1 + length;
        }
        self.any_tag(text, at)
    }

    /// The same of a tag with attributes, an element seldom met, or what is no tag.
    fn any_tag(&mut self, text: &str, at: usize) -> usize {
        let bytes = text.as_bytes();
        let closing = bytes.get(at + 1) == Some(&b'/');
        let from = at + 1 + usize::from(closing);
        if !bytes.get(from).is_some_and(u8::is_ascii_alphabetic) {
            return self.odd_tag(text, at);
        }
        let (mut number, mut name_end) = (0, from);
        while let Some(letter) = bytes
            .get(name_end)
            .filter(|byte| byte.is_ascii_alphanumeric())
        {
            number = markup::packed(number, *letter);
            name_end += 1;
        }
        let end = match bytes.get(name_end) {
            Some(b'>') => name_end + 1,
            _ => match markup::tag_end(bytes, name_end) {
                Some(end) => end,
                None => {
                    self.push("<");
                    return at + 1;
                }
            },
        };
        let element = markup::element(number, name_end - from)
            .unwrap_or_else(|| markup::long_element(slice(text, from, name_end)));
        match element {
            Element::Block => self.part(),
            Element::Hidden if !closing => {
                self.space();
                return after_hidden(text, end, slice(text, from, name_end));
            }
            Element::Hidden | Element::Inline => {}
        }
        end
    }

    /// A `<` that begins no element.
    #[cold]
    fn odd_tag(&mut self, text: &str, at: usize) -> usize {
        let rest = slice(text, at + 1, text.len());
        let after = |needle: &str| {
            memmem::find(rest.as_bytes(), needle.as_bytes()).map(|i| at + 1 + i + needle.len())
        };
        if rest.starts_with("!--") {
            return after("-->").unwrap_or(text.len());
        }
        if rest.starts_with("![CDATA[") {
            // Its content is read like any other. An inner one cannot be closed too, so that this nests only once.
            let from = at + "<![CDATA[".len();
            let Some(after) = after("]]>") else {
                return from;
            };
            let content = slice(text, from, after - "]]>".len());
            self.run(content, Specials::of(content.as_bytes()));
            return after;
        }
        let markup = rest.starts_with(['!', '?']) || rest.starts_with("/>");
        match markup::tag_end(text.as_bytes(), at + 1).filter(|_| markup) {
            Some(end) => end,
            None => {
                self.push("<");
                at + 1
            }
        }
    }

    /// A `&`: where the text goes on after the entity.
    #[inline]
    fn entity(&mut self, text: &str, at: usize) -> usize {
        let bytes = text.as_bytes();
        let mut name = entities::Packed::default();
        let mut end = at + 1;
        while let Some(letter) = bytes.get(end)
            && name.push(*letter)
        {
            end += 1;
        }
        if bytes.get(end) == Some(&b';')
            && let Some(letter) = name.character()
        {
            self.push_char(letter);
            return end + 1;
        }
        self.odd_entity(text, at)
    }

    /// A `&` before a number, a long name, or nothing that is known.
    fn odd_entity(&mut self, text: &str, at: usize) -> usize {
        let rest = slice(text, at + 1, text.len());
        let window = rest
            .as_bytes()
            .get(..32.min(rest.len()))
            .unwrap_or_default();
        let decoded = memchr(b';', window).and_then(|end| {
            let name = rest.get(..end)?;
            Some((decode(name)?, at + 1 + end + 1))
        });
        let Some((letter, after)) = decoded else {
            self.push("&");
            return at + 1;
        };
        self.push_char(letter);
        after
    }
}

#[inline(always)]
fn slice(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).unwrap_or_default()
}

/// The end of a `script` or the like whose content begins at `from`.
fn after_hidden(text: &str, from: usize, name: &str) -> usize {
    let content = slice(text, from, text.len()).as_bytes();
    for found in memmem::find_iter(content, "</") {
        let rest = content.get(found + 2..).unwrap_or_default();
        let same = rest
            .get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()));
        if same {
            return markup::tag_end(text.as_bytes(), from + found + 2).unwrap_or(text.len());
        }
    }
    text.len()
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

#[cfg(test)]
mod oracle;

#[cfg(test)]
#[path = "strip_html_tests.rs"]
mod tests;
