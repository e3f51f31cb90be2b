//! `slug`: a text as a piece of an address or file name that people can read.

use bumpalo::collections::String as ArenaString;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::{Arguments, Helper, HelperContext, HelperError};
use crate::model::value::Value;

/// `{{slug text}}`
pub(super) static SLUG: Helper = Helper {
    name: "slug",
    summary: "a text as a readable piece of an address or file name",
    usage: "{{slug text}}",
    page: PAGE,
    arity: (1, 1),
    named: &[],
    raw: false,
    call,
};

const PAGE: &str = "\
Small letters and digits with single dashes between. Latin letters lose their marks (`ł` is `l`, `đ` is `d`, `ß` is `ss`);
letters of other scripts stay. Everything else separates, but apostrophes vanish.

- `text`: any text; absent stays absent, and so is a text without letters and digits.

- `{{slug \"Łódź: Żółta koszulka (XL)\"}}` gives `lodz-zolta-koszulka-xl`
- `{{slug \"Đèn bàn học sinh\"}}` gives `den-ban-hoc-sinh`
- `{{slug \"แก้วกาแฟ 12 ออนซ์\"}}` gives `แก้วกาแฟ-12-ออนซ์`
- `{{slug \"Men's T-Shirt\"}}` gives `mens-t-shirt`
";

fn call<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let Some(text) = args.text(0)? else {
        return Ok(Value::Absent);
    };
    let mut slug = ArenaString::with_capacity_in(text.len(), ctx.arena);
    let mut separate = false;
    // Whether the letter before belongs to a script whose marks are part of its spelling.
    let mut keeps_marks = false;
    for c in text.nfc() {
        if matches!(
            c,
            '\'' | '\u{2019}' | '\u{2bc}' | '\u{ad}' | '\u{200b}'..='\u{200d}'
        ) {
            continue;
        }
        let mark = is_combining_mark(c);
        if mark && !keeps_marks {
            continue;
        }
        if !mark && !c.is_alphanumeric() {
            separate = true;
            keeps_marks = false;
            continue;
        }
        if separate && !slug.is_empty() && !mark {
            slug.push('-');
        }
        separate = false;
        if mark {
            slug.push(c);
        } else {
            keeps_marks = push_letter(&mut slug, c);
        }
    }
    Ok(Value::text(slug.into_bump_str()))
}

/// Adds a letter or digit; true when it is not Latin.
fn push_letter(slug: &mut ArenaString<'_>, c: char) -> bool {
    if c.is_ascii() {
        slug.push(c.to_ascii_lowercase());
        return false;
    }
    let latin = match c {
        'ł' | 'Ł' => "l",
        'đ' | 'Đ' | 'ð' | 'Ð' => "d",
        'ø' | 'Ø' => "o",
        'ß' | 'ẞ' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'þ' | 'Þ' => "th",
        'ı' | 'İ' => "i",
        'ħ' | 'Ħ' => "h",
        'ŋ' | 'Ŋ' => "n",
        _ => "",
    };
    if !latin.is_empty() {
        slug.push_str(latin);
        return false;
    }
    // Only Latin letters lose their marks: й and ά are letters of their own.
    let is_latin = matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}');
    match std::iter::once(c).nfd().next() {
        Some(letter) if is_latin && letter.is_ascii_alphabetic() => {
            slug.push(letter.to_ascii_lowercase());
            false
        }
        _ => {
            slug.extend(c.to_lowercase());
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::helper::testing::Bench;
    use proptest::prelude::*;

    #[test]
    fn scripts_keep_their_letters() {
        let bench = Bench::new("en");
        for (text, want) in [
            ("Ça coûte 5€!", "ca-coute-5"),
            ("Größe", "grosse"),
            ("Новий Йогурт", "новий-йогурт"),
            ("  --  ", ""),
            ("e\u{301}te\u{301}", "ete"),
            ("กุ้ง", "กุ้ง"),
            ("東京 カップ", "東京-カップ"),
            ("İstanbul", "istanbul"),
        ] {
            assert_eq!(bench.call("slug", &[text]), Ok(want.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_a_stray_dash(text in "\\PC{0,30}") {
            let slug = Bench::new("en").call("slug", &[&text]).expect("any text");
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"), "{}", slug);
            prop_assert!(!slug.contains(char::is_whitespace));
        }
    }
}
