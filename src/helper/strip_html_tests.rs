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

/// What descriptions are made of, and what breaks them.
fn piece() -> impl Strategy<Value = String> {
    let usual = prop::sample::select(vec![
        "<p>",
        "</p>",
        "<br>",
        "<br />",
        "<b>",
        "</b>",
        "<li>",
        "<ul class=\"a\">",
        "<a href=\"x?a=1&amp;b=2\" title='1 > 0'>",
        "</a>",
        "</",
        "<",
        ">",
        "&",
        ";",
        "&amp;",
        "&nbsp;",
        "&ndash;",
        "&lt;",
        "&thetasym;",
        "&eacute",
        "&Eacute;",
        "&#8211;",
        "&#x41;",
        "&#150;",
        "&#1;",
        "&zwj;",
        "&nope;",
        "<!-- a > b -->",
        "<!--",
        "<![CDATA[",
        "]]>",
        "<!DOCTYPE html>",
        "<?x ?>",
        "</>",
        "<script>",
        "</script >",
        "<STYLE type='a>b'>",
        "</Style>",
        "<head>",
        "<header>",
        "<blockquote>",
        "<BlockQuote a=b>",
        "<figcaption>",
        "<noscript>",
        "</noscript>",
        "<h1>",
        "<3",
        "</3>",
        "<x y=it's>",
        "\"",
        "'",
        "=",
        "/",
        " ",
        "  ",
        "\t",
        "\r\n",
        "\u{a0}",
        "\u{85}",
        "\u{7f}",
        "\u{1}",
        "°",
        "½",
        "\u{2003}",
    ])
    .prop_map(str::to_owned);
    prop_oneof![
        4 => usual,
        2 => "[a-z ]{0,20}",
        1 => "[a-zก-ฮłęń ]{0,70}",
        1 => "[A-Za-z0-9&;#<>/ ]{0,12}",
    ]
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
    fn specials_are_found_by_vectors_as_byte_by_byte(text in "[a-z <&\tł\u{a0}]{0,200}", step in 1usize..90) {
        let bytes = text.as_bytes();
        let mut specials = Specials::of(bytes);
        for from in (0..bytes.len()).step_by(step) {
            let slow = (from..bytes.len()).find(|at| match bytes[*at] {
                b' ' => *at > 0 && bytes[at - 1] == b' ',
                byte => matches!(byte, 0..=0x1f | b'<' | b'&' | 0xc2),
            });
            prop_assert_eq!(specials.next(from), slow.unwrap_or(bytes.len()));
        }
    }

    #[test]
    fn the_fast_path_gives_what_the_slow_one_gives(
        pieces in proptest::collection::vec(piece(), 0..40),
        separator in prop_oneof![Just(" "), Just("\n"), Just(" | "), Just("")],
    ) {
        let text = pieces.concat();
        let arena = Bump::new();
        prop_assert_eq!(strip(&text, separator, &arena), oracle::strip(&text, separator, &arena), "{:?}", text);
    }

    #[test]
    fn never_panics(text in "\\PC{0,40}") {
        stripped(&text);
    }
}
