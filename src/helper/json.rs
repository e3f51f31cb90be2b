//! `json`: a value as JSON text.

use std::fmt::Write as _;

use bumpalo::Bump;
use bumpalo::collections::String as ArenaString;
use wide::u8x16;

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
    Ok(Value::text(json(args.get(0), script, ctx.arena)))
}

/// A value as JSON.
pub fn json<'a>(value: Value<'_>, script: bool, arena: &'a Bump) -> &'a str {
    let mut out = ArenaString::with_capacity_in(32, arena);
    match value {
        Value::Absent => out.push_str("null"),
        Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Value::Text(text) => push_string(&mut out, text, script),
        Value::List(list) => push_list(&mut out, list, script),
    }
    out.into_bump_str()
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
    let bytes = text.as_bytes();
    let (mut run, mut at) = (0, 0);
    loop {
        at = next_candidate(bytes, at, script);
        // Some readers of JSON Lines take U+0085, U+2028 and U+2029 for line ends.
        let length = match (bytes.get(at), bytes.get(at + 1), bytes.get(at + 2)) {
            (None, ..) => break,
            (Some(0xc2), Some(0x85), _) => 2,
            (Some(0xe2), Some(0x80), Some(0xa8 | 0xa9)) => 3,
            (Some(0xc2 | 0xe2), ..) => {
                at += 1;
                continue;
            }
            _ => 1,
        };
        out.push_str(text.get(run..at).unwrap_or_default());
        let special = text.get(at..at + length).unwrap_or_default();
        match special {
            "\"" => out.push_str("\\\""),
            "\\" => out.push_str("\\\\"),
            "\n" => out.push_str("\\n"),
            "\r" => out.push_str("\\r"),
            "\t" => out.push_str("\\t"),
            other => {
                for letter in other.chars() {
                    let written = write!(out, "\\u{:04x}", u32::from(letter));
                    debug_assert!(written.is_ok(), "text takes every write");
                }
            }
        }
        at += length;
        run = at;
    }
    out.push_str(text.get(run..).unwrap_or_default());
    out.push('"');
}

/// The next byte from `from` on that is escaped, or may begin a character that is; the text's length when there is none.
#[inline]
fn next_candidate(bytes: &[u8], from: usize, script: bool) -> usize {
    let less = u8x16::splat(if script { b'<' } else { b'"' });
    let candidates = |block: &[u8; 16]| {
        let block = u8x16::new(*block);
        // Controls are the bytes that an unsigned minimum with 0x1F leaves alone.
        let found = block.simd_eq(block.min(u8x16::splat(0x1f)))
            | block.simd_eq(u8x16::splat(b'"'))
            | block.simd_eq(u8x16::splat(b'\\'))
            | block.simd_eq(less)
            | block.simd_eq(u8x16::splat(0xc2))
            | block.simd_eq(u8x16::splat(0xe2));
        found.to_bitmask()
    };
    let mut at = from;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let mask = candidates(block);
        if mask != 0 {
            return at + mask.trailing_zeros() as usize;
        }
        at += 16;
    }
    // The last bytes, looked at from the text's end or with room behind.
    let rest = bytes.get(at..).unwrap_or_default();
    let mask = match bytes.last_chunk::<16>() {
        Some(last) => candidates(last) >> (16 - rest.len()),
        None => {
            let mut block = [b'x'; 16];
            block
                .iter_mut()
                .zip(rest)
                .for_each(|(to, from)| *to = *from);
            candidates(&block)
        }
    };
    match mask {
        0 => bytes.len(),
        mask => at + mask.trailing_zeros() as usize,
    }
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

    /// The same letter by letter.
    fn slowly(text: &str, script: bool) -> String {
        let mut out = String::from("\"");
        for letter in text.chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\0'..='\u{1f}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                    out.push_str(&format!("\\u{:04x}", u32::from(letter)));
                }
                '<' if script => out.push_str("\\u003c"),
                _ => out.push(letter),
            }
        }
        out.push('"');
        out
    }

    proptest! {
        #[test]
        fn vectors_escape_as_letters_do(
            text in "([a-z]{0,20}|[\u{1}-\u{1d}<\"\\\\\n\t\u{85}\u{84}\u{b0}\u{2028}\u{2029}\u{2027}\u{2013}\u{e01}]){1,30}",
            script in any::<bool>(),
        ) {
            let bench = Bench::new("en");
            let json = bench.value("json", &[Value::Text(text.as_str())], &[("script", Value::Bool(script))]);
            let slow = slowly(&text, script);
            prop_assert_eq!(json, Ok(Value::Text(slow.as_str())));
        }

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
