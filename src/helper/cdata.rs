//! `cdata`: a text as an XML CDATA section.

use std::borrow::Cow;

use bumpalo::collections::String as ArenaString;

use super::{Arguments, Helper, HelperContext, HelperError};
use crate::model::value::Value;

/// `{{cdata text}}`
pub(super) static CDATA: Helper = Helper {
    name: "cdata",
    summary: "a text as an XML CDATA section",
    usage: "{{cdata text}}",
    page: PAGE,
    arity: (1, 1),
    named: &[],
    raw: true,
    call,
};

const PAGE: &str = "\
Wraps a text in a CDATA section, printed as it is: for channels that want HTML in their XML. `]]>` inside the text is
split over two sections; control characters that XML forbids are dropped, a carriage return becomes a line feed.

- `text`: any text; absent prints nothing.

- `{{cdata \"<b>Cup & saucer</b>\"}}` gives `<![CDATA[<b>Cup & saucer</b>]]>`
- `{{cdata \"a]]>b\"}}` gives `<![CDATA[a]]]]><![CDATA[>b]]>`
";

fn call<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let Some(text) = args.text(0)? else {
        return Ok(Value::Absent);
    };
    let forbidden =
        |c: char| (c < ' ' && !matches!(c, '\t' | '\n')) || matches!(c, '\u{fffe}' | '\u{ffff}');
    // Cleaned first: a dropped character may have kept a `]]>` apart.
    let clean = if text.contains(forbidden) {
        let lines = text.replace("\r\n", "\n").replace('\r', "\n");
        Cow::Owned(lines.chars().filter(|c| !forbidden(*c)).collect())
    } else {
        Cow::Borrowed(text)
    };
    let mut out = ArenaString::with_capacity_in(clean.len() + 12, ctx.arena);
    out.push_str("<![CDATA[");
    for (i, piece) in clean.split("]]>").enumerate() {
        if i > 0 {
            out.push_str("]]]]><![CDATA[>");
        }
        out.push_str(piece);
    }
    out.push_str("]]>");
    Ok(Value::text(out.into_bump_str()))
}

#[cfg(test)]
mod tests {
    use crate::helper::testing::Bench;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_xml_reader_gives_the_text_back(text in "[\\]>ab&<\u{1}\n\r]{1,12}") {
            let bench = Bench::new("en");
            let section = bench.call("cdata", &[&text]).expect("any text can be written");
            // What a reader sees: the contents of all sections, one after the other.
            let mut rest = section.as_str();
            let mut read = String::new();
            while let Some((_, tail)) = rest.split_once("<![CDATA[") {
                let (content, tail) = tail.split_once("]]>").expect("a section is closed");
                read.push_str(content);
                rest = tail;
            }
            prop_assert_eq!(rest, "");
            let want = text.replace("\r\n", "\n").replace('\r', "\n").replace('\u{1}', "");
            prop_assert_eq!(read, want);
        }
    }
}
