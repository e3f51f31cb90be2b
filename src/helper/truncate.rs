//! `truncate`: a text cut to a length, never inside a grapheme, at a word's end where there is one near.

use icu_segmenter::WordSegmenter;
use icu_segmenter::options::WordBreakInvariantOptions;
use unicode_segmentation::UnicodeSegmentation;

use super::argument::whole;
use super::{Arguments, Helper, HelperContext, HelperError};
use crate::model::value::Value;

/// `{{truncate text 150}}`
pub static TRUNCATE: Helper = Helper {
    name: "truncate",
    summary: "a text cut to a length, at a word's end where there is one",
    usage: "{{truncate text 150 measure=\"characters|graphemes|utf16|bytes\" ellipsis=\"…\"}}",
    page: PAGE,
    arity: (2, 2),
    named: &["measure", "ellipsis"],
    raw: false,
    call,
};

const PAGE: &str = "\
Cuts a text that is too long. What people see as one letter (an emoji, a letter with its marks) is never cut apart. The
cut is made at the end of a word if one ends in the last two fifths, also in Thai, Lao, Khmer, Chinese and Japanese, which
write no spaces; else after the last letter that fits. Spaces and commas before the cut are dropped.

- `text`: any text; absent stays absent.
- the length allowed.
- `measure`: what is counted: `characters` (code points, the usual), `graphemes` (letters as people see them), `utf16`
  (as JavaScript and Java count), `bytes` (of UTF-8).
- `ellipsis`: added where something was cut; it counts.

- `{{truncate \"Red cotton T-shirt\" 12}}` gives `Red cotton`
- `{{truncate \"Red cotton T-shirt\" 12 ellipsis=\"…\"}}` gives `Red cotton…`
- `{{truncate \"เสื้อยืดผ้าฝ้ายสีแดง\" 13}}` gives `เสื้อยืดผ้า`
- `{{truncate \"👩‍👩‍👧👍\" 5}}` gives `👩‍👩‍👧`
";

/// What a length counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Unicode code points.
    Characters,
    /// Grapheme clusters: what people see as letters.
    Graphemes,
    /// UTF-16 code units.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
}

impl Measure {
    /// The measure of that name: `characters`, `graphemes`, `utf16`, `bytes`.
    pub fn from_name(name: &str) -> Option<Measure> {
        Some(match name {
            "characters" => Measure::Characters,
            "graphemes" => Measure::Graphemes,
            "utf16" => Measure::Utf16,
            "bytes" => Measure::Bytes,
            _ => return None,
        })
    }

    /// The length of a text.
    pub fn of(self, text: &str) -> usize {
        match self {
            Measure::Characters => text.chars().count(),
            Measure::Graphemes => text.graphemes(true).count(),
            Measure::Utf16 => text.chars().map(char::len_utf16).sum(),
            Measure::Bytes => text.len(),
        }
    }

    /// True when a text is no longer than that. Most texts are shorter in bytes already.
    pub fn fits(self, text: &str, limit: usize) -> bool {
        text.len() <= limit || (self != Measure::Bytes && self.of(text) <= limit)
    }
}

/// The longest good beginning of `text` of at most `limit`; the text itself when it fits.
pub fn cut(text: &str, limit: usize, measure: Measure) -> &str {
    if measure.fits(text, limit) {
        return text;
    }
    // No word shall cost more than two fifths of what is allowed.
    let least = limit - limit * 2 / 5;
    let (mut used, mut hard, mut from) = (0, 0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        let size = match measure {
            Measure::Graphemes => 1,
            other => other.of(grapheme),
        };
        if used + size > limit {
            break;
        }
        used += size;
        hard = at + grapheme.len();
        if used <= least {
            from = hard;
        }
    }
    let at = word_end(text, from, hard).unwrap_or(hard);
    tidy(text.get(..at).unwrap_or_default())
}

/// The last end of a word at or before `hard` and not before `from`.
fn word_end(text: &str, from: usize, hard: usize) -> Option<usize> {
    let (kept, rest) = text.split_at_checked(hard)?;
    if rest.starts_with(char::is_whitespace) {
        return Some(hard);
    }
    let spaced = kept
        .char_indices()
        .rfind(|(_, c)| c.is_whitespace())
        .map(|(at, _)| at)
        .filter(|at| *at >= from);
    let window_from = spaced.unwrap_or_else(|| start_of_run(kept, from));
    let window = kept.get(window_from..)?;
    if !window.chars().any(writes_no_spaces) {
        return spaced;
    }
    // The words around the cut decide where it may be: look at a piece on both sides of it.
    let ahead = rest.char_indices().nth(40).map_or(rest.len(), |(at, _)| at);
    let piece = text.get(window_from..hard + ahead)?;
    WordSegmenter::new_auto(WordBreakInvariantOptions::default())
        .segment_str(piece)
        .map(|at| window_from + at)
        .take_while(|at| *at <= hard)
        .filter(|at| *at >= from.max(1) && is_grapheme_boundary(text, *at))
        .last()
        .or(spaced)
}

/// The start of the run of letters without spaces that `at` stands in, looking back a bounded way.
fn start_of_run(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    let mut start = at;
    for (back, (i, c)) in before.char_indices().rev().enumerate() {
        if c.is_whitespace() || back == 60 {
            break;
        }
        start = i;
    }
    start
}

fn is_grapheme_boundary(text: &str, at: usize) -> bool {
    let mut cursor = unicode_segmentation::GraphemeCursor::new(at, text.len(), true);
    cursor.is_boundary(text, 0).unwrap_or(false)
}

/// Thai, Lao, Myanmar, Khmer, Kana and Han.
fn writes_no_spaces(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Drops what should not stand before a cut.
fn tidy(text: &str) -> &str {
    let tidy = text.trim_end_matches(|c: char| {
        c.is_whitespace()
            || matches!(
                c,
                ',' | ';' | ':' | '-' | '\u{2013}' | '\u{2014}' | '(' | '[' | '/' | '&' | '|'
            )
    });
    // What is nothing but such signs is better than nothing.
    if tidy.is_empty() || !is_grapheme_boundary(text, tidy.len()) {
        text.trim_end()
    } else {
        tidy
    }
}

fn call<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let Some(text) = args.text(0)? else {
        return Ok(Value::Absent);
    };
    let limit = args
        .text(1)?
        .ok_or_else(|| HelperError("the length allowed is missing".to_owned()))?;
    let limit = whole(limit, "length")?;
    let measure = match args.named_text("measure")? {
        None => Measure::Characters,
        Some(name) => Measure::from_name(name).ok_or_else(|| {
            HelperError(format!(
                "`measure` takes `characters`, `graphemes`, `utf16` or `bytes`, not `{name}`"
            ))
        })?,
    };
    if measure.fits(text, limit) {
        return Ok(Value::text(text));
    }
    let ellipsis = args.named_text("ellipsis")?.unwrap_or_default();
    match limit.checked_sub(measure.of(ellipsis)) {
        Some(room) if room > 0 && !ellipsis.is_empty() => {
            Ok(ctx.text(&[cut(text, room, measure), ellipsis].concat()))
        }
        _ => Ok(Value::text(cut(text, limit, measure))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helper::testing::Bench;
    use proptest::prelude::*;

    #[test]
    fn words_stay_whole_where_they_can() {
        for (text, limit, want) in [
            ("Áo thun nam cotton cổ tròn", 19, "Áo thun nam cotton"),
            ("Áo thun nam cotton cổ tròn", 18, "Áo thun nam cotton"),
            ("Áo thun nam cotton cổ tròn", 17, "Áo thun nam"),
            ("Żółta koszulka, rozmiar XL", 15, "Żółta koszulka"),
            ("Donaudampfschifffahrt", 10, "Donaudampf"),
            ("A Donaudampfschifffahrt", 10, "A Donaudam"),
            ("short", 10, "short"),
            ("abc", 0, ""),
            ("กระเป๋าสะพายข้างผู้หญิงหนังแท้", 14, "กระเป๋าสะพาย"),
            ("東京タワーの写真集と地図", 7, "東京タワーの"),
        ] {
            assert_eq!(
                cut(text, limit, Measure::Characters),
                want,
                "{text} {limit}"
            );
        }
    }

    #[test]
    fn each_measure_counts_its_own() {
        let text = "👍🏽👍🏽👍🏽";
        for (measure, limit, kept) in [
            (Measure::Graphemes, 2, 2),
            (Measure::Characters, 5, 2),
            (Measure::Utf16, 8, 2),
            (Measure::Utf16, 7, 1),
            (Measure::Bytes, 16, 2),
            (Measure::Bytes, 7, 0),
        ] {
            assert_eq!(
                cut(text, limit, measure).graphemes(true).count(),
                kept,
                "{measure:?} {limit}"
            );
        }
    }

    #[test]
    fn arguments_are_checked() {
        let bench = Bench::new("en");
        assert_eq!(bench.call("truncate", &["", "5"]), Ok(String::new()));
        for args in [&["abc"][..], &["abc", "x"], &["abc", "-1"], &["abc", ""]] {
            assert!(bench.call("truncate", args).is_err(), "{args:?}");
        }
        let odd = [("measure", Value::Text("words"))];
        assert!(
            bench
                .value("truncate", &[Value::Text("abc"), Value::Text("1")], &odd)
                .is_err()
        );
        let dots = [("ellipsis", Value::Text("..."))];
        let long = [Value::Text("abcdefgh"), Value::Text("2")];
        assert_eq!(bench.value("truncate", &long, &dots), Ok(Value::Text("ab")));
    }

    fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[a-z]{1,9}",
            "[ ,.]{1,2}",
            "\\PC{1,4}",
            Just("เสื้อยืดผ้าฝ้าย".to_owned()),
            Just("👩‍👩‍👧".to_owned()),
            Just("e\u{301}".to_owned()),
            Just("ភាសាខ្មែរ".to_owned()),
            Just("東京タワー".to_owned()),
            Just("🇵🇱🇻🇳".to_owned()),
            Just("\r\n".to_owned()),
            Just("żółw ".to_owned()),
        ];
        prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn never_too_long_never_inside_a_grapheme(text in texts(), limit in 0usize..60, which in 0usize..4) {
            let measure = [Measure::Characters, Measure::Graphemes, Measure::Utf16, Measure::Bytes][which];
            let kept = cut(&text, limit, measure);
            prop_assert!(measure.of(kept) <= limit);
            prop_assert!(text.starts_with(kept));
            let whole: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]).collect();
            prop_assert!(whole.contains(&kept.len()), "{:?} cut inside a grapheme: {:?}", text, kept);
            prop_assert_eq!(measure.of(&text) <= limit, kept.len() == text.len() && measure.fits(&text, limit));
        }
    }
}
