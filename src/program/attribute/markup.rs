//! HTML that is too long, cut so that what is left is whole: no half tag or entity at its end, every element closed.

use bumpalo::Bump;

use crate::helper::truncate::{self, Measure};

/// Elements that have no end.
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// Cuts sanitised HTML to a limit, the ends of its elements included. Empty where not even they fit.
pub(super) fn cut<'a>(text: &'a str, limit: usize, measure: Measure, arena: &'a Bump) -> &'a str {
    if !text.contains(['<', '&']) {
        return truncate::cut(text, limit, measure);
    }
    let mut budget = limit;
    while budget > 0 {
        let kept = whole(truncate::cut(text, budget, measure));
        let ends = ends(kept);
        if ends.is_empty() && measure.fits(kept, limit) {
            return kept;
        }
        let closed = format!("{kept}{ends}");
        let length = measure.of(&closed);
        if length <= limit {
            return arena.alloc_str(&closed);
        }
        // Fewer letters may leave other elements open: each round gives back what the ends took.
        budget = budget.saturating_sub((length - limit).max(1));
    }
    ""
}

/// The text up to a tag or entity that does not end in it.
fn whole(text: &str) -> &str {
    let tag = text
        .rfind('<')
        .filter(|&at| !text.get(at..).unwrap_or("").contains('>'));
    let text = tag.and_then(|at| text.get(..at)).unwrap_or(text);
    let entity = text
        .rfind('&')
        .filter(|&at| !text.get(at..).unwrap_or("").contains(';'));
    let text = entity.and_then(|at| text.get(..at)).unwrap_or(text);
    text.trim_end()
}

/// The ends of the elements that are open at the end of a text, the innermost first.
fn ends(text: &str) -> String {
    let mut open: Vec<&str> = Vec::new();
    for piece in text.split('<').skip(1) {
        let Some((tag, _)) = piece.split_once('>') else {
            continue;
        };
        if let Some(name) = tag.strip_prefix('/') {
            if let Some(at) = open.iter().rposition(|known| *known == name.trim()) {
                open.truncate(at);
            }
            continue;
        }
        let name = tag
            .split(|letter: char| letter.is_ascii_whitespace() || letter == '/')
            .next()
            .unwrap_or("");
        let is_name = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
        if is_name && !VOID.contains(&name) && !tag.ends_with('/') {
            open.push(name);
        }
    }
    open.iter().rev().map(|name| format!("</{name}>")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, limit: usize) -> String {
        cut(text, limit, Measure::Characters, &Bump::new()).to_owned()
    }

    #[test]
    fn every_element_is_closed() {
        let text = "<p>one two <b>three four</b> five</p><ul><li>six</li><li>seven</li></ul>";
        for limit in 1..text.len() {
            let cut = at(text, limit);
            assert!(cut.chars().count() <= limit, "{limit}: {cut}");
            assert_eq!(ends(&cut), "", "{limit}: {cut}");
            for (begin, end) in [("<p>", "</p>"), ("<b>", "</b>"), ("<li>", "</li>")] {
                let count = |tag| cut.matches(tag).count();
                assert_eq!(count(begin), count(end), "{limit}: {cut}");
            }
        }
        assert_eq!(at(text, 20), "<p>one two</p>");
        assert_eq!(
            at("<p>first<br>second line of it</p>", 24),
            "<p>first<br>second</p>"
        );
    }

    #[test]
    fn neither_entities_nor_tags_are_cut_through() {
        assert_eq!(at("Salz &amp; Pfeffer", 8), "Salz");
        assert_eq!(at("<a href=\"https://x.example/\">link</a>", 12), "");
        assert_eq!(at("plain text here", 10), "plain text");
    }
}
