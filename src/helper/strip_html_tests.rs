use super::*;
use proptest::prelude::*;

fn stripped(text: &str) -> String {
    strip(text, " ", &Bump::new()).to_owned()
}

#[test]
fn plain_text_is_borrowed() {
    let arena = Bump::new();
    for text in [
        "Soft cotton",
        "",
        "Żółta koszulka – „XL”, 5 €, bawełna 100 %, do prania w 30°",
        "เสื้อยืดผ้าฝ้ายสีแดงสดใสสำหรับผู้ชายและผู้หญิง",
    ] {
        let same = strip(text, " ", &arena);
        assert!(
            same == text && (same.as_ptr() == text.as_ptr() || text.contains('°')),
            "{text}"
        );
    }
}

#[test]
fn readers_see_text_only() {
    for (html, want) in [
        ("<p>One</p>\n<p>Two</p>", "One Two"),
        ("a<b>b</b>c", "abc"),
        ("a <i>b</i> c", "a b c"),
        ("one<br/>two<BR>three", "one two three"),
        ("<ul><li>x</li><li>y</li></ul>", "x y"),
        ("  a \u{a0}&nbsp; b\t\r\n", "a b"),
        ("a\u{1}b\u{7f}c\u{85}d&#7;e", "a\u{1}b\u{7f}cde"),
        ("5 < 6 and 7 > 2", "5 < 6 and 7 > 2"),
        ("size <M", "size <M"),
        ("I <3 you", "I <3 you"),
        ("AT&T &unknown; &;", "AT&T &unknown; &;"),
        (
            "Caf&eacute; &#8211; &#x201C;x&#x201d; &#150;",
            "Café – “x” –",
        ),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("&lt;b&gt;", "<b>"),
        ("&#0;&#xD800;&#99999999;", "&#xD800;&#99999999;"),
        ("a<!-- b > c -->d", "ad"),
        ("a<!-- never closed", "a"),
        ("a<![CDATA[b]]>c", "abc"),
        ("<script>if (a < b) { x('</p>') }</script>t", "t"),
        ("<STYLE type=\"a>b\">p { }</Style >t", "t"),
        ("<script>never closed", ""),
        ("<a href=\"x?a=1&b=2\" title='1 > 0'>link</a>", "link"),
        ("<a title=it's>x</a>", "x"),
        ("<?xml version=\"1.0\"?><!DOCTYPE html>x", "x"),
        ("x</>y", "xy"),
        ("<", "<"),
        ("&", "&"),
        ("a ]] b ]> c", "a ]] b ]> c"),
        (" x", "x"),
        ("x ", "x"),
        (
            "sixteen letters  and two spaces",
            "sixteen letters and two spaces",
        ),
        ("© 2026 ® ½", "© 2026 ® ½"),
    ] {
        assert_eq!(stripped(html), want, "{html}");
    }
}

#[test]
fn breaks_take_the_separator() {
    let text = strip("<p>a</p> <p>b c</p><ul><li>d</ul>", "\n", &Bump::new()).to_owned();
    assert_eq!(text, "a\nb c\nd");
}

proptest! {
    #[test]
    fn what_is_left_is_collapsed(text in "[a-z<>&;/! \t\u{a0}\u{1}\"'=#łก]{0,60}") {
        let out = stripped(&text);
        prop_assert!(!out.contains("  ") && !out.starts_with(' ') && !out.ends_with(' '), "{:?}", out);
        prop_assert!(!out.contains('\u{a0}'), "{:?}", out);
    }

    #[test]
    fn escaped_text_comes_back(text in "[a-zA-Z<>&;łก€]{1,40}", tag in "p|div|b|span") {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let tagged = format!("<{tag} class=\"x\">{escaped}</{tag}>");
        prop_assert_eq!(stripped(&tagged), text);
    }

    #[test]
    fn specials_are_found_by_vectors_as_byte_by_byte(text in "[a-z <&\tł\u{a0}]{0,70}", from in 0usize..8) {
        let bytes = text.as_bytes();
        let slow = (from..bytes.len()).find(|at| match bytes[*at] {
            b' ' => *at > from && bytes[at - 1] == b' ',
            byte => matches!(byte, 0..=0x1f | b'<' | b'&' | 0x7f | 0xc2),
        });
        prop_assert_eq!(next_special(bytes, from), slow.unwrap_or(bytes.len()).max(from.min(bytes.len())));
    }

    #[test]
    fn never_panics(text in "\\PC{0,40}") {
        stripped(&text);
    }
}
