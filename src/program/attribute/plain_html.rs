//! HTML as editors write it: a few elements, properly nested. `ammonia` parses a document for it; here one look gives the same
//! bytes. Whatever is not surely of this kind is left to `ammonia`.

use bumpalo::Bump;
use bumpalo::collections::String as ArenaString;

use wide::u8x16;

use crate::helper::entities;
use crate::program::lanes::Lanes;

/// Deepest nesting looked through.
const DEPTH: usize = 16;

/// What an element may stand in, as far as a parser would not close or move anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Text in a line.
    Inline,
    /// A link, which holds no other.
    Link,
    /// A paragraph or heading, which holds no block.
    Paragraph,
    /// A block that holds anything.
    Block,
    /// A list, in which items stand.
    List,
    /// An item of a list.
    Item,
}

/// The element of a name, with its name as it is written.
fn element(name: &str) -> Option<(&'static str, Kind)> {
    let all = |names: &[&'static str], kind| {
        names
            .iter()
            .find(|known| **known == name)
            .map(|&known| (known, kind))
    };
    match name.len() {
        1 => all(&["b", "i", "u"], Kind::Inline)
            .or_else(|| all(&["p"], Kind::Paragraph))
            .or_else(|| all(&["a"], Kind::Link)),
        2 => all(&["em"], Kind::Inline)
            .or_else(|| all(&["h1", "h2", "h3", "h4", "h5", "h6"], Kind::Paragraph))
            .or_else(|| all(&["ul", "ol"], Kind::List))
            .or_else(|| all(&["li"], Kind::Item)),
        3 => all(&["div"], Kind::Block).or_else(|| all(&["sub", "sup"], Kind::Inline)),
        4 => all(&["span"], Kind::Inline),
        5 => all(&["small"], Kind::Inline),
        6 => all(&["strong"], Kind::Inline),
        _ => None,
    }
}

/// The HTML as `ammonia::clean` gives it; `None` where that is not surely known.
pub(super) fn plain_html<'a>(html: &str, arena: &'a Bump) -> Option<&'a str> {
    let mut open: [(&str, Kind); DEPTH] = [("", Kind::Block); DEPTH];
    let mut depth = 0;
    let mut out = ArenaString::with_capacity_in(html.len() + html.len() / 4, arena);
    let mut rest = html;
    // A byte order mark would vanish.
    if rest.starts_with('\u{feff}') {
        return None;
    }
    while let Some(at) = special(rest.as_bytes()) {
        let (text, special) = rest.split_at(at);
        out.push_str(text);
        let mut letters = special.chars();
        rest = match letters.next()? {
            '<' => tag(letters.as_str(), &mut open, &mut depth, &mut out)?,
            '>' => {
                out.push_str("&gt;");
                letters.as_str()
            }
            '&' => {
                let (letter, after) = reference(letters.as_str())?;
                write_letter(letter, &mut out);
                after
            }
            '\u{80}'..='\u{9f}' | '\0'..=' ' => return None,
            letter => {
                write_letter(letter, &mut out);
                letters.as_str()
            }
        };
    }
    out.push_str(rest);
    (depth == 0).then(|| out.into_bump_str())
}

/// Where the first byte stands that may not be written as it is: sixteen are looked at together, a fifth of what one by one
/// takes.
fn special(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let block = u8x16::new(*block);
        // `<` and `>` differ in one bit.
        let markup = (block | u8x16::splat(2)).is(b'>') | block.is(b'&') | block.is(0xc2);
        let control = block.least(u8x16::splat(0x1f)).equals(block).mask();
        let kept = (block.is(b'\n') | block.is(b'\t')).mask();
        match markup.mask() | (control & !kept) {
            0 => at += 16,
            mask => return Some(at + mask.trailing_zeros() as usize),
        }
    }
    let rest = bytes.get(at..)?;
    let found = rest.iter().position(|&byte| {
        matches!(byte, b'<' | b'>' | b'&' | 0xc2) || (byte < b' ' && byte != b'\n' && byte != b'\t')
    });
    found.map(|found| at + found)
}

/// A tag, given without its `<`: written as `ammonia` writes it. Gives what follows it.
fn tag<'t>(
    text: &'t str,
    open: &mut [(&'static str, Kind); DEPTH],
    depth: &mut usize,
    out: &mut ArenaString<'_>,
) -> Option<&'t str> {
    let closing = text.starts_with('/');
    let text = text.strip_prefix('/').unwrap_or(text);
    let length = text
        .bytes()
        .position(|byte| !byte.is_ascii_lowercase() && !byte.is_ascii_digit())?;
    let (name, rest) = text.split_at(length);
    if closing {
        *depth = depth.checked_sub(1)?;
        if open.get(*depth)?.0 != name {
            return None;
        }
        out.push_str("</");
        out.push_str(name);
        out.push('>');
        return rest.strip_prefix('>');
    }
    if name == "br" {
        out.push_str("<br>");
        return rest
            .strip_prefix('>')
            .or_else(|| rest.strip_prefix(" />"))
            .or_else(|| rest.strip_prefix("/>"));
    }
    let (name, kind) = element(name)?;
    let around = open.get(..*depth)?;
    let within = |kind: Kind| around.iter().any(|(_, outer)| *outer == kind);
    let fits = match kind {
        Kind::Inline => true,
        Kind::Link => !within(Kind::Link),
        Kind::Paragraph | Kind::Block | Kind::List => !within(Kind::Paragraph),
        Kind::Item => around.last().is_some_and(|(_, outer)| *outer == Kind::List),
    };
    if !fits {
        return None;
    }
    out.push('<');
    out.push_str(name);
    let rest = attributes(rest, kind, out)?;
    if kind == Kind::Link {
        out.push_str(" rel=\"noopener noreferrer\"");
    }
    out.push('>');
    *open.get_mut(*depth)? = (name, kind);
    *depth += 1;
    Some(rest)
}

/// The attributes up to the end of a tag; of those known here only a link's address is kept. Gives what follows the tag.
fn attributes<'t>(text: &'t str, kind: Kind, out: &mut ArenaString<'_>) -> Option<&'t str> {
    let mut rest = text;
    let mut linked = false;
    loop {
        if let Some(after) = rest.strip_prefix('>') {
            return Some(after);
        }
        let (name, value) = rest.strip_prefix(' ')?.split_once("=\"")?;
        let (value, after) = value.split_once('"')?;
        if value.contains(['<', '>', '\u{a0}', '\r', '\n', '\0']) {
            return None;
        }
        match name {
            "class" | "style" | "id" | "target" => {}
            "href" if kind == Kind::Link && !linked => {
                linked = true;
                out.push_str(" href=\"");
                address(value, out)?;
                out.push('"');
            }
            _ => return None,
        }
        rest = after;
    }
}

/// A web address that any parser takes, written as an attribute's value.
fn address(value: &str, out: &mut ArenaString<'_>) -> Option<()> {
    let host = value
        .strip_prefix("https://")
        .or_else(|| value.strip_prefix("http://"))?;
    let host = host.split(['/', '?', '#']).next()?;
    let last = host.rsplit('.').next()?;
    // A last label of digits is an address in numbers, and `xn--` may be none that can be decoded.
    let plain = host.bytes().all(|byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.' || byte == b'-'
    }) && host
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase())
        && last.bytes().all(|byte| byte.is_ascii_lowercase())
        && !last.is_empty()
        && !host.contains("xn--")
        && !host.contains("..");
    if !plain || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        // Without its semicolon, a name may or may not be one.
        let (letter, after) = reference(after).filter(|(letter, _)| *letter == '&')?;
        out.push_str(before);
        write_letter(letter, out);
        rest = after;
    }
    out.push_str(rest);
    Some(())
}

/// A character reference, given without its `&`: the letter, and what follows.
fn reference(text: &str) -> Option<(char, &str)> {
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let (name, rest) = text.split_at(end);
    let rest = rest.strip_prefix(';')?;
    let letter = match name.strip_prefix('#') {
        // Numbers that mean something else than themselves are seldom.
        Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => number
            .parse()
            .ok()
            .filter(|code| (0x20..0x7f).contains(code) || (0xa0..0xd800).contains(code))
            .and_then(char::from_u32)?,
        Some(_) => return None,
        None => entities::character(name)?,
    };
    Some((letter, rest))
}

fn write_letter(letter: char, out: &mut ArenaString<'_>) {
    match letter {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '\u{a0}' => out.push_str("&nbsp;"),
        other => out.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn piece() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "<p>",
            "</p>",
            "<p class=\"lead\">",
            "<b>",
            "</b>",
            "<strong>",
            "</strong>",
            "<i>",
            "</i>",
            "<em>",
            "</em>",
            "<ul>",
            "</ul>",
            "<ol>",
            "</ol>",
            "<li>",
            "</li>",
            "<div>",
            "</div>",
            "<div id=\"a\" style=\"x: y\">",
            "<h2>",
            "</h2>",
            "<h3>",
            "</h3>",
            "<br>",
            "<br />",
            "<br/>",
            "<span class=\"a\">",
            "</span>",
            "<a>",
            "</a>",
            "<sup>",
            "</sup>",
            "<a href=\"https://baan.example/pl/care?id=4&amp;v=2\">",
            "<a href=\"https://a.example/?a=1&v=2\">",
            "<a target=\"_blank\" href=\"http://a.b/\">",
            "<a href=\"javascript:x\">",
            "<a href=\"https://1.2.3.4.5/\">",
            "<a href=\"https://a.b/[\">",
            "<a href=\"https://a.b?q='%zz\" href=\"https://c.d\">",
            "<a href=\"/p\">",
            "<a href=\"https://a-.b-/\">",
            "<a href=\"https://a.b\\c\">",
            "<small>",
            "</small>",
            "<script>",
            "</script>",
            "<table>",
            "<td>",
            "<img src=\"x\">",
            "<!-- x -->",
            "&amp;",
            "&lt;",
            "&gt;",
            "&nbsp;",
            "&ndash;",
            "&quot;",
            "&#39;",
            "&#8211;",
            "&#150;",
            "&#x41;",
            "&eacute;",
            "&unknown;",
            "&amp",
            "& ",
            "<",
            ">",
            "\"",
            "'",
            "\n",
            "\t",
            "\r",
            " ",
            "\u{a0}",
            "\u{85}",
            "\u{feff}",
            "\u{7f}",
            "\u{1}",
            "\0",
            "tekst",
            "ża",
            "ก",
            "\u{e9}",
            "<P>",
            "<p >",
            "<u>",
            "</u>",
            "&hellip;",
            "&trade;",
            "</br>",
            "<p/>",
            "<li class=\"a\">",
            "<ul><li>",
            "</li></ul>",
            "<p><b>",
            "</b></p>",
        ])
    }

    /// Elements properly nested, or nearly.
    fn nested() -> impl Strategy<Value = String> {
        let leaf = prop::collection::vec(piece(), 0..3).prop_map(|pieces| pieces.concat());
        let leaf = prop_oneof![4 => Just("tekst &amp; dalej".to_owned()), 1 => leaf];
        leaf.prop_recursive(6, 40, 5, |inner| {
            let name = prop::sample::select(vec![
                "p", "b", "i", "ul", "li", "div", "h2", "span", "a", "strong", "ol", "em",
            ]);
            (name, prop::collection::vec(inner, 0..4))
                .prop_map(|(name, inner)| format!("<{name}>{}</{name}>", inner.concat()))
        })
    }

    fn same(html: &str) -> Result<bool, TestCaseError> {
        let arena = Bump::new();
        let ours = plain_html(html, &arena);
        if let Some(ours) = ours {
            prop_assert_eq!(ours, ammonia::clean(html), "{:?}", html);
        }
        Ok(ours.is_some())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn pieces_come_out_as_from_ammonia(pieces in prop::collection::vec(piece(), 0..12)) {
            same(&pieces.concat())?;
        }

        #[test]
        fn nested_elements_come_out_as_from_ammonia(pieces in prop::collection::vec(nested(), 0..5)) {
            same(&pieces.concat())?;
        }
    }

    #[test]
    fn usual_descriptions_are_plain() {
        for html in [
            "<p class=\"lead\">Starannie dobrane, &lt; 2&nbsp;kg.</p><ul><li>Lekki</li><li>12&ndash;24</li></ul>\n<p>a<br />b \
             <a href=\"https://baan.example/pl/care?id=4&amp;v=2\">tej <b>stronie</b></a> </p>",
            "a &amp; b > c\u{a0}d",
            "<div><h2>ชา</h2><p>é &#39;x&#39;</p></div>",
        ] {
            assert!(same(html).expect("the same"), "{html}");
        }
        for html in [
            "<p>a",
            "<p><ul></ul></p>",
            "<a><b><a></a></b></a>",
            "<script>x</script>",
            "a & b",
            "<li>x</li>",
            "<p onclick=\"x\">y</p>",
        ] {
            assert!(!same(html).expect("the same"), "{html}");
        }
    }
}
