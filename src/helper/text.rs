//! `replace`, `default`, `hash`, `url_encode`: small works on texts.

use std::fmt::Write as _;

use bumpalo::collections::String as ArenaString;
use sha2::{Digest, Sha256};

use super::argument::whole;
use super::{Arguments, Helper, HelperContext, HelperError};
use crate::model::value::Value;

/// `{{replace text "a" "b"}}`
pub(super) static REPLACE: Helper = Helper {
    name: "replace",
    summary: "one piece of text put for another, everywhere",
    usage: "{{replace text \"a\" \"b\"}}",
    page: REPLACE_PAGE,
    arity: (2, 3),
    named: &[],
    raw: false,
    call: replace,
};

const REPLACE_PAGE: &str = "\
Puts one piece of text for another wherever it stands. Capitals matter; there are no patterns.

- `text`: any text; absent stays absent.
- what is looked for.
- what is put there; nothing when left out.

- `{{replace \"12 pack (NEW)\" \" (NEW)\" \"\"}}` gives `12 pack`
- `{{replace \"a;b;c\" \";\" \", \"}}` gives `a, b, c`
";

/// `{{default a b}}`
pub(super) static DEFAULT: Helper = Helper {
    name: "default",
    summary: "the first of its arguments that is there",
    usage: "{{default a b …}}",
    page: DEFAULT_PAGE,
    arity: (1, usize::MAX),
    named: &[],
    raw: false,
    call: default,
};

const DEFAULT_PAGE: &str = "\
The first argument that is not absent. `0` and `false` are there.

- any number of values.

- `{{default nothing \"red\"}}` gives `red`
- `{{default \"0\" \"5\"}}` gives `0`
";

/// `{{hash text 12}}`
pub(super) static HASH: Helper = Helper {
    name: "hash",
    summary: "a short, stable identifier made of a text",
    usage: "{{hash text 12}}",
    page: HASH_PAGE,
    arity: (1, 2),
    named: &[],
    raw: false,
    call: hash,
};

const HASH_PAGE: &str = "\
The first digits of the SHA-256 of a text, in hexadecimal: the same text gives the same digits on every machine. With
12 digits two of a million texts meet with a chance of about 1 in 560.

- `text`: any text; absent stays absent.
- how many digits, 1 to 64; 12 when left out.

- `{{hash \"https://shop.example/cup\" 8}}` gives `f76edfe4`
";

/// `{{url_encode text}}`
pub(super) static URL_ENCODE: Helper = Helper {
    name: "url_encode",
    summary: "a text made fit for a part of an address",
    usage: "{{url_encode text}}",
    page: URL_ENCODE_PAGE,
    arity: (1, 1),
    named: &[],
    raw: false,
    call: url_encode,
};

const URL_ENCODE_PAGE: &str = "\
Percent-encodes all but letters, digits and `- . _ ~`, so that a text can stand in a path or a parameter of an address.
Do not give it a whole address: its `/` and `?` would be encoded too.

- `text`: any text; absent stays absent.

- `https://shop.example/?q={{url_encode \"żółta koszulka\"}}` is how it is used
- `{{url_encode \"a b&c/ł\"}}` gives `a%20b%26c%2F%C5%82`
";

fn replace<'a>(
    args: &Arguments<'_, 'a>,
    ctx: &HelperContext<'a>,
) -> Result<Value<'a>, HelperError> {
    let (Some(text), Some(from)) = (args.text(0)?, args.text(1)?) else {
        return Ok(args.get(0));
    };
    let to = args.text(2)?.unwrap_or_default();
    if !text.contains(from) {
        return Ok(Value::text(text));
    }
    Ok(ctx.text(&text.replace(from, to)))
}

fn default<'a>(args: &Arguments<'_, 'a>, _: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let there = args.positional.iter().find(|value| !value.is_absent());
    Ok(there.copied().unwrap_or(Value::Absent))
}

fn hash<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let Some(text) = args.text(0)? else {
        return Ok(Value::Absent);
    };
    let digits = args.text(1)?.map_or(Ok(12), |n| whole(n, "digits"))?;
    if !(1..=64).contains(&digits) {
        return Err(HelperError(format!(
            "a hash has 1 to 64 digits, not {digits}"
        )));
    }
    let mut hex = ArenaString::with_capacity_in(64, ctx.arena);
    for byte in Sha256::digest(text.as_bytes()) {
        let written = write!(hex, "{byte:02x}");
        debug_assert!(written.is_ok(), "text takes every write");
    }
    hex.truncate(digits);
    Ok(Value::text(hex.into_bump_str()))
}

fn url_encode<'a>(
    args: &Arguments<'_, 'a>,
    ctx: &HelperContext<'a>,
) -> Result<Value<'a>, HelperError> {
    let Some(text) = args.text(0)? else {
        return Ok(Value::Absent);
    };
    let unreserved =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if text.bytes().all(unreserved) {
        return Ok(Value::text(text));
    }
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let hex = |value: u8| HEX.get(usize::from(value)).copied().map_or('0', char::from);
    let mut encoded = ArenaString::with_capacity_in(text.len() * 3, ctx.arena);
    for byte in text.bytes() {
        if unreserved(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    Ok(Value::text(encoded.into_bump_str()))
}

#[cfg(test)]
mod tests {
    use crate::helper::testing::Bench;
    use crate::model::value::Value;

    #[test]
    fn texts_are_changed() {
        let bench = Bench::new("en");
        for (helper, args, want) in [
            ("replace", &["aXbX", "X", "-"][..], "a-b-"),
            ("replace", &["abc", "X", "-"], "abc"),
            ("replace", &["XX", "X"], ""),
            ("default", &["", "", "c"], "c"),
            ("default", &["0", "1"], "0"),
            ("default", &[""], ""),
            ("hash", &["abc"], "ba7816bf8f01"),
            ("hash", &["abc", "4"], "ba78"),
            ("url_encode", &["Az09-._~"], "Az09-._~"),
            ("url_encode", &["ก %"], "%E0%B8%81%20%25"),
        ] {
            assert_eq!(
                bench.call(helper, args),
                Ok(want.to_owned()),
                "{helper} {args:?}"
            );
        }
        assert!(bench.call("hash", &["abc", "65"]).is_err());
        assert!(bench.call("hash", &["abc", "x"]).is_err());
        let no = Value::Bool(false);
        assert_eq!(bench.value("default", &[no, Value::Text("x")], &[]), Ok(no));
    }
}
