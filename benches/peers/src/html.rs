//! An HTML description to one line of text, the way a hand-written feed does it.
//!
//! The rules, which `{{strip_html description}}` must share on this catalog: a tag that opens or closes a block (`p`, `div`,
//! `ul`, `ol`, `li`, `br`, headings) parts words, other tags vanish; entities are decoded once, after the tags are gone; a run
//! of white space (the no-break space too) becomes one space; none at either end.

/// Names of the tags that part words.
const BLOCKS: [&str; 9] = ["p", "br", "li", "ul", "ol", "div", "h2", "h3", "h4"];

/// Appends the text of `html` to `out`, which the caller has emptied.
pub fn strip_into(html: &str, out: &mut String) {
    let mut rest = html;
    let mut space = false;
    while let Some(c) = rest.chars().next() {
        match c {
            '<' => match rest.split_once('>') {
                Some((tag, after)) => {
                    space |= is_block(tag);
                    rest = after;
                }
                None => rest = "",
            },
            '&' => {
                let (decoded, after) = entity(rest);
                push(decoded, &mut space, out);
                rest = after;
            }
            c if c.is_whitespace() => {
                space = true;
                rest = rest.get(c.len_utf8()..).unwrap_or("");
            }
            _ => {
                // A run without anything special is copied at once.
                let end = rest
                    .find(|c: char| c == '<' || c == '&' || c.is_whitespace())
                    .unwrap_or(rest.len());
                let (run, after) = rest.split_at(end);
                if space && !out.is_empty() {
                    out.push(' ');
                }
                space = false;
                out.push_str(run);
                rest = after;
            }
        }
    }
}

/// Whether a tag, given from its `<` to before its `>`, parts words.
fn is_block(tag: &str) -> bool {
    let name = tag.trim_start_matches(['<', '/']);
    let end = name
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(name.len());
    let (name, _) = name.split_at(end);
    BLOCKS.iter().any(|block| name.eq_ignore_ascii_case(block))
}

/// The character an entity at the start of `text` means, and what follows it; a bare `&` is itself.
fn entity(text: &str) -> (char, &str) {
    let bare = ('&', text.get(1..).unwrap_or(""));
    let Some((name, after)) = text.split_once(';') else {
        return bare;
    };
    let decoded = match name {
        "&amp" => Some('&'),
        "&lt" => Some('<'),
        "&gt" => Some('>'),
        "&quot" => Some('"'),
        "&nbsp" => Some('\u{a0}'),
        "&ndash" => Some('\u{2013}'),
        _ => name
            .strip_prefix("&#")
            .and_then(|digits| digits.parse().ok())
            .and_then(char::from_u32),
    };
    decoded.map_or(bare, |c| (c, after))
}

/// Appends one decoded character, minding white space.
fn push(c: char, space: &mut bool, out: &mut String) {
    if c.is_whitespace() {
        *space = true;
        return;
    }
    if *space && !out.is_empty() {
        out.push(' ');
    }
    *space = false;
    out.push(c);
}

#[cfg(test)]
mod tests {
    use super::strip_into;

    fn strip(html: &str) -> String {
        let mut out = String::new();
        strip_into(html, &mut out);
        out
    }

    #[test]
    fn blocks_part_words_and_other_tags_vanish() {
        assert_eq!(
            strip("<p class=\"a\">One</p><ul><li>t<b>w</b>o</li></ul>"),
            "One two"
        );
        assert_eq!(strip("a<br/>b<em>c</em>"), "a bc");
    }

    #[test]
    fn entities_are_decoded_once_and_after_the_tags() {
        assert_eq!(
            strip("&lt;b&gt; &amp;amp; &#39;x&#39; & y"),
            "<b> &amp; 'x' & y"
        );
    }

    #[test]
    fn white_space_collapses_at_either_end_and_between() {
        assert_eq!(strip(" \n a&nbsp; &nbsp;b\n</p>"), "a b");
    }
}
