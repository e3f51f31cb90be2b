//! `json`: a value as JSON text.

use std::fmt::Write as _;

use bumpalo::collections::String as ArenaString;

use super::{Arguments, Helper, HelperContext, HelperError};
use crate::model::value::{List, PAIR, Value, pair};

/// `{{json x}}`
pub(super) static JSON: Helper = Helper {
    name: "json",
    summary: "a value as JSON, with its quotes",
    usage: "{{json x script=true}}",
    page: PAGE,
    arity: (1, 1),
    named: &["script"],
    raw: true,
    call,
};

const PAGE: &str = "\
Writes a value as JSON text, printed as it is: texts with quotes and escapes, booleans bare, lists as arrays, pairs as
objects with `name` and `value`, absent as `null`. Numbers are texts and get quotes; write `{{price}}` for a bare number.

- `x`: any value.
- `script`: `true` also escapes `<`, so that the text can stand inside a `<script>` element of a page.

- `{{json quoted}}` gives `\"12\\\" pack\"`
- `{{json category}}` gives `[\"Home\",\"Kitchen\",\"Cups\"]`
- `{{json nothing}}` gives `null`
- `{{json options}}` gives `[{\"name\":\"Color\",\"value\":\"red\"},{\"name\":\"Size\",\"value\":\"M\"}]`
- `{{json \"</script>\" script=true}}` gives `\"\\u003c/script>\"`
";

fn call<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let script = args.named_bool("script", false)?;
    let value = args.get(0);
    let mut out = ArenaString::with_capacity_in(32, ctx.arena);
    match value {
        Value::Absent => out.push_str("null"),
        Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Value::Text(text) => push_string(&mut out, text, script),
        Value::List(list) => push_list(&mut out, list, script),
    }
    Ok(Value::text(out.into_bump_str()))
}

fn push_list(out: &mut ArenaString<'_>, list: List<'_>, script: bool) {
    out.push('[');
    for (i, element) in list.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        if element.contains(PAIR) {
            let (name, value) = pair(element);
            out.push_str("{\"name\":");
            push_string(out, name, script);
            out.push_str(",\"value\":");
            push_string(out, value, script);
            out.push('}');
        } else {
            push_string(out, element, script);
        }
    }
    out.push(']');
}

fn push_string(out: &mut ArenaString<'_>, text: &str, script: bool) {
    out.reserve(text.len() + 2);
    out.push('"');
    // Some readers of JSON Lines take these three for line ends.
    let special = |c: char| {
        c < ' '
            || matches!(c, '"' | '\\' | '\u{85}' | '\u{2028}' | '\u{2029}')
            || (script && c == '<')
    };
    let mut rest = text;
    while let Some(at) = rest.find(special) {
        let (plain, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(plain);
        let mut chars = tail.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(c) => {
                let written = write!(out, "\\u{:04x}", u32::from(c));
                debug_assert!(written.is_ok(), "text takes every write");
            }
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use crate::helper::testing::Bench;
    use crate::model::value::Value;
    use proptest::prelude::*;

    #[test]
    fn booleans_and_absence() {
        let bench = Bench::new("en");
        assert_eq!(
            bench.value("json", &[Value::Bool(true)], &[]),
            Ok(Value::Text("true"))
        );
        assert_eq!(
            bench.value("json", &[Value::Absent], &[]),
            Ok(Value::Text("null"))
        );
        assert_eq!(bench.value("json", &[], &[]), Ok(Value::Text("null")));
    }

    #[test]
    fn odd_line_ends_are_escaped() {
        let bench = Bench::new("en");
        let json = bench.call("json", &["a\u{2028}b\u{85}c"]);
        assert_eq!(json, Ok("\"a\\u2028b\\u0085c\"".to_owned()));
    }

    proptest! {
        #[test]
        fn a_parser_reads_the_text_back(text in ".{1,40}", control in "[\u{1}-\u{1d}<\"\\\\]{0,9}", script in any::<bool>()) {
            let bench = Bench::new("en");
            let text = format!("{text}{control}");
            let json = bench.value("json", &[Value::Text(text.as_str())], &[("script", Value::Bool(script))]);
            let json = json.expect("any text can be written").as_text().expect("a text");
            prop_assert_eq!(serde_json::from_str::<String>(json).ok(), Some(text.clone()));
            prop_assert!(!script || !json.contains('<'));
        }
    }
}
