//! Language tags (BCP 47): taken apart, checked for form, compared. Only base language, script and region count here;
//! variants and extensions are accepted and ignored.

/// A tag taken apart; the parts are slices of it, in the case they were written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language<'t> {
    /// The language itself: 2 or 3 letters, such as `pt`.
    pub base: &'t str,
    /// The script, four letters, such as `Hant`.
    pub script: Option<&'t str>,
    /// The region: two letters or three digits, such as `BR`, `419`.
    pub region: Option<&'t str>,
}

/// Takes a tag apart; `_` counts as `-`. `None` when it is not well formed.
pub fn parse(tag: &str) -> Option<Language<'_>> {
    let letters = |s: &str| s.bytes().all(|b| b.is_ascii_alphabetic());
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let mut subtags = tag.split(['-', '_']).peekable();
    let base = subtags
        .next()
        .filter(|s| matches!(s.len(), 2 | 3) && letters(s))?;
    let script = subtags.next_if(|s| s.len() == 4 && letters(s));
    let region = subtags.next_if(|s| (s.len() == 2 && letters(s)) || (s.len() == 3 && digits(s)));
    // What may follow: variants, and extensions after a single letter.
    let well_formed =
        subtags.all(|s| (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric()));
    well_formed.then_some(Language {
        base,
        script,
        region,
    })
}

/// The base language of a tag in lower case, `pt` of `pt-BR`; empty when the tag is not well formed.
pub fn base(tag: &str) -> String {
    parse(tag).map_or_else(String::new, |language| language.base.to_ascii_lowercase())
}

/// True when text in `offered` serves a reader of `wanted`: the same base language, and nothing in `offered` narrower
/// than what is wanted. `pt` serves `pt-BR`; `pt-PT` does not, nor does it serve plain `pt`.
pub fn matches(wanted: &str, offered: &str) -> bool {
    let (Some(wanted), Some(offered)) = (parse(wanted), parse(offered)) else {
        return false;
    };
    let fits = |wanted: Option<&str>, offered: Option<&str>| match (wanted, offered) {
        (_, None) => true,
        (Some(wanted), Some(offered)) => wanted.eq_ignore_ascii_case(offered),
        (None, Some(_)) => false,
    };
    wanted.base.eq_ignore_ascii_case(offered.base)
        && fits(wanted.script, offered.script)
        && fits(wanted.region, offered.region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_apart() {
        for (tag, base, script, region) in [
            ("pl", "pl", None, None),
            ("pt-BR", "pt", None, Some("BR")),
            ("zh_Hant_TW", "zh", Some("Hant"), Some("TW")),
            ("es-419", "es", None, Some("419")),
            ("de-DE-1996", "de", None, Some("DE")),
            ("th-TH-u-nu-thai", "th", None, Some("TH")),
        ] {
            let want = Language {
                base,
                script,
                region,
            };
            assert_eq!(parse(tag), Some(want), "{tag}");
        }
        for tag in [
            "",
            "p",
            "polish",
            "12",
            "en-",
            "en--US",
            "en US",
            "ไทย",
            "en-toolongsubtag",
        ] {
            assert_eq!(parse(tag), None, "{tag}");
        }
        assert_eq!(base("PT-br"), "pt");
        assert_eq!(base("?"), "");
    }

    #[test]
    fn a_wider_tag_serves_a_narrower_wish() {
        for (wanted, offered, want) in [
            ("pt-BR", "pt", true),
            ("pt-BR", "PT-br", true),
            ("pt-BR", "pt-PT", false),
            ("pt", "pt-BR", false),
            ("zh-Hant-TW", "zh-Hant", true),
            ("zh-Hans", "zh-Hant", false),
            ("pl", "cs", false),
            ("pl", "", false),
        ] {
            assert_eq!(matches(wanted, offered), want, "{wanted} {offered}");
        }
    }
}
