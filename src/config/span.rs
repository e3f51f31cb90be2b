//! Spans of time as people write them: `500ms`, `90s`, `15m`, `2h`, `3d`, `1h30m`.

use std::time::Duration;

/// Reads a span; a bare number is none, since nobody can tell what it counts.
///
/// # Errors
/// What is wrong, and what to write instead.
pub fn parse(text: &str) -> Result<Duration, (String, &'static str)> {
    let wrong = || {
        (
            format!("`{text}` is no span of time"),
            "write a number with its unit, such as `90s`, `15m`, `2h`, `3d` or `1h30m`",
        )
    };
    let mut milliseconds: u64 = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(rest.len());
        let number: u64 = rest
            .get(..digits)
            .and_then(|number| number.parse().ok())
            .ok_or_else(wrong)?;
        let letters = rest.get(digits..).unwrap_or("");
        let units = [
            ("ms", 1),
            ("s", 1000),
            ("m", 60_000),
            ("h", 3_600_000),
            ("d", 86_400_000),
        ];
        let (unit, after) = units
            .iter()
            .find_map(|(name, unit)| Some((*unit, letters.strip_prefix(name)?)))
            .ok_or_else(wrong)?;
        milliseconds = number
            .checked_mul(unit)
            .and_then(|more| milliseconds.checked_add(more))
            .ok_or_else(wrong)?;
        rest = after.trim_start();
    }
    Ok(Duration::from_millis(milliseconds))
}

/// A span as people read it, in its two largest units: `2 d 3 h`, `5 min 10 s`, `0 s`.
pub fn show(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = units.iter().position(|(number, _)| *number > 0);
    let shown: Vec<String> = units
        .iter()
        .skip(first.unwrap_or(3))
        .take(2)
        .enumerate()
        .filter(|(place, (number, _))| *place == 0 || *number > 0)
        .map(|(_, (number, unit))| format!("{number} {unit}"))
        .collect();
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_with_their_units() {
        for (text, seconds) in [
            ("90s", 90),
            ("15m", 900),
            ("2h", 7200),
            ("3d", 259_200),
            ("1h30m", 5400),
            (" 1h 30m ", 5400),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "90",
            "h",
            "1.5h",
            "-2h",
            "2 h x",
            "99999999999999999999d",
            "9999999999999999d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_are_shown_short() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (310, "5 min 10 s"),
            (3600, "1 h"),
            (3601, "1 h"),
            (183_600, "2 d 3 h"),
        ] {
            assert_eq!(show(Duration::from_secs(seconds)), text);
        }
    }
}
