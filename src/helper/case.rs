//! `upper`, `lower`, `title_case`: letters changed as the feed's language does it (Turkish dotted i, Dutch ij, Greek
//! accents).

use std::borrow::Cow;

use icu_casemap::options::TitlecaseOptions;
use icu_casemap::{CaseMapper, TitlecaseMapper};
use icu_locale_core::LanguageIdentifier;
use unicode_segmentation::UnicodeSegmentation;

use super::{Arguments, Helper, HelperContext, HelperError};
use crate::model::value::Value;

/// `{{upper text}}`
pub(super) static UPPER: Helper = Helper {
    name: "upper",
    summary: "capital letters, by the feed's language",
    usage: "{{upper text}}",
    page: UPPER_PAGE,
    arity: (1, 1),
    named: &[],
    raw: false,
    call: upper,
};

const UPPER_PAGE: &str = "\
All letters as capitals, the way the feed's language writes them. A feed in Turkish turns `i` into `İ`.

- `text`: any text; absent stays absent.

- `{{upper \"łódź\"}}` gives `ŁÓDŹ`
- `{{upper \"straße\"}}` gives `STRASSE`
";

/// `{{lower text}}`
pub(super) static LOWER: Helper = Helper {
    name: "lower",
    summary: "small letters, by the feed's language",
    usage: "{{lower text}}",
    page: LOWER_PAGE,
    arity: (1, 1),
    named: &[],
    raw: false,
    call: lower,
};

const LOWER_PAGE: &str = "\
All letters as small ones, the way the feed's language writes them. A feed in Turkish turns `I` into `ı`.

- `text`: any text; absent stays absent.

- `{{lower \"ĐÀ NẴNG\"}}` gives `đà nẵng`
";

/// `{{title_case text}}`
pub(super) static TITLE_CASE: Helper = Helper {
    name: "title_case",
    summary: "each word with a capital first, by the feed's language",
    usage: "{{title_case text}}",
    page: TITLE_CASE_PAGE,
    arity: (1, 1),
    named: &[],
    raw: false,
    call: title_case,
};

const TITLE_CASE_PAGE: &str = "\
Each word with a capital at its start and small letters after it: for titles that stand in capitals alone. Names with
capitals inside lose them.

- `text`: any text; absent stays absent.

- `{{title_case \"RED COTTON T-SHIRT\"}}` gives `Red Cotton T-Shirt`
- `{{title_case \"men's ŻÓŁTA koszulka\"}}` gives `Men's Żółta Koszulka`
";

/// The feed's language; the root locale where its tag is none.
fn language(ctx: &HelperContext<'_>) -> LanguageIdentifier {
    ctx.language.parse().unwrap_or(LanguageIdentifier::UNKNOWN)
}

/// True where ASCII letters change as in English.
fn ascii_rules(text: &str, ctx: &HelperContext<'_>) -> bool {
    let base = ctx.language.get(..2).unwrap_or_default();
    text.is_ascii()
        && !["tr", "az", "lt"]
            .iter()
            .any(|special| base.eq_ignore_ascii_case(special))
}

fn keep<'a>(text: &'a str, changed: &str, ctx: &HelperContext<'a>) -> Value<'a> {
    if text == changed {
        Value::text(text)
    } else {
        ctx.text(changed)
    }
}

fn upper<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let Some(text) = args.text(0)? else {
        return Ok(Value::Absent);
    };
    let changed = if ascii_rules(text, ctx) {
        Cow::Owned(text.to_ascii_uppercase())
    } else {
        CaseMapper::new().uppercase_to_string(text, &language(ctx))
    };
    Ok(keep(text, &changed, ctx))
}

fn lower<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let Some(text) = args.text(0)? else {
        return Ok(Value::Absent);
    };
    let changed = if ascii_rules(text, ctx) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        CaseMapper::new().lowercase_to_string(text, &language(ctx))
    };
    Ok(keep(text, &changed, ctx))
}

fn title_case<'a>(
    args: &Arguments<'_, 'a>,
    ctx: &HelperContext<'a>,
) -> Result<Value<'a>, HelperError> {
    let Some(text) = args.text(0)? else {
        return Ok(Value::Absent);
    };
    let (mapper, language) = (TitlecaseMapper::new(), language(ctx));
    let changed: String = text
        .split_word_bounds()
        .map(|word| {
            mapper.titlecase_segment_to_string(word, &language, TitlecaseOptions::default())
        })
        .collect();
    Ok(keep(text, &changed, ctx))
}

#[cfg(test)]
mod tests {
    use crate::helper::testing::Bench;

    #[test]
    fn the_language_decides() {
        let turkish = Bench::new("tr");
        assert_eq!(turkish.call("upper", &["iğne"]), Ok("İĞNE".to_owned()));
        assert_eq!(turkish.call("lower", &["ISI"]), Ok("ısı".to_owned()));
        assert_eq!(
            turkish.call("title_case", &["istanbul"]),
            Ok("İstanbul".to_owned())
        );
        let english = Bench::new("en");
        assert_eq!(english.call("upper", &["i"]), Ok("I".to_owned()));
        assert_eq!(
            english.call("upper", &["ภาษาไทย"]),
            Ok("ภาษาไทย".to_owned())
        );
        assert_eq!(
            english.call("title_case", &["it's 12 o'clock"]),
            Ok("It's 12 O'clock".to_owned())
        );
    }
}
