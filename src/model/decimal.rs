//! Exact arithmetic on numbers kept as text: `-?digits[.digits]` in, the same out, at any length where no division is
//! asked for. Rounding is half away from zero (`2.5` -> `3`, `-2.5` -> `-3`), the commercial rule. Never a float.

use std::cmp::Ordering;

/// The digits before and after the point, and whether a minus stands before them.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'t> {
    /// True for `-1`, also for `-0`.
    pub negative: bool,
    /// The digits before the point, as written, at least one.
    pub whole: &'t str,
    /// The digits after the point, as written; empty when there is no point.
    pub fraction: &'t str,
}

impl Parts<'_> {
    /// True when every digit is 0.
    pub fn is_zero(&self) -> bool {
        self.whole
            .bytes()
            .chain(self.fraction.bytes())
            .all(|b| b == b'0')
    }
}

/// Takes a canonical number apart; `None` for anything but `-?digits[.digits]`.
#[inline]
pub fn parts(text: &str) -> Option<Parts<'_>> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut point = None;
    for (at, byte) in rest.bytes().enumerate() {
        if byte.wrapping_sub(b'0') > 9 {
            if byte != b'.' || point.is_some() {
                return None;
            }
            point = Some(at);
        }
    }
    let (whole, fraction) = match point {
        Some(at) => (rest.get(..at)?, rest.get(at + 1..)?),
        None => (rest, "0"),
    };
    if whole.is_empty() || fraction.is_empty() {
        return None;
    }
    Some(Parts {
        negative,
        whole,
        fraction: if point.is_some() { fraction } else { "" },
    })
}

/// Compares two canonical numbers exactly; `None` when one of them is no number.
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parts(a)?, parts(b)?);
    let negative = |p: &Parts<'_>| p.negative && !p.is_zero();
    Some(match (negative(&a), negative(&b)) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => magnitude(&a, &b),
        (true, true) => magnitude(&b, &a),
    })
}

fn magnitude(a: &Parts<'_>, b: &Parts<'_>) -> Ordering {
    let (aw, bw) = (
        a.whole.trim_start_matches('0'),
        b.whole.trim_start_matches('0'),
    );
    let (af, bf) = (
        a.fraction.trim_end_matches('0'),
        b.fraction.trim_end_matches('0'),
    );
    // Without trailing zeros the shorter of two fractions that agree is the smaller one, as in byte order.
    aw.len()
        .cmp(&bw.len())
        .then_with(|| aw.cmp(bw))
        .then_with(|| af.cmp(bf))
}

/// Rounds to exactly `places` digits after the point, filling up with zeros; `None` when the text is no number.
pub fn round(text: &str, places: usize) -> Option<String> {
    let number = parts(text)?;
    let mut digits = String::with_capacity(number.whole.len() + places + 2);
    digits.push_str(number.whole.trim_start_matches('0'));
    if digits.is_empty() {
        digits.push('0');
    }
    let kept = number.fraction.get(..places).unwrap_or(number.fraction);
    digits.push_str(kept);
    for _ in kept.len()..places {
        digits.push('0');
    }
    let up = number
        .fraction
        .as_bytes()
        .get(places)
        .is_some_and(|next| *next >= b'5');
    let mut digits = if up { increment(&digits) } else { digits };
    if places > 0 {
        digits.insert(digits.len() - places, '.');
    }
    if number.negative && digits.bytes().any(|b| matches!(b, b'1'..=b'9')) {
        digits.insert(0, '-');
    }
    Some(digits)
}

/// Adds one to a run of digits.
fn increment(digits: &str) -> String {
    let kept = digits.trim_end_matches('9');
    let nines = digits.len() - kept.len();
    let mut out = String::with_capacity(digits.len() + 1);
    let mut chars = kept.chars();
    match chars.next_back().and_then(|last| last.to_digit(10)) {
        Some(last) => {
            out.push_str(chars.as_str());
            out.extend(char::from_digit(last + 1, 10));
        }
        None => out.push('1'),
    }
    out.extend(std::iter::repeat_n('0', nines));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounds_half_away_from_zero() {
        for (text, places, want) in [
            ("2.5", 0, "3"),
            ("-2.5", 0, "-3"),
            ("2.4999999999999999999999999999999999", 0, "2"),
            ("0.005", 2, "0.01"),
            ("-0.004", 2, "0.00"),
            ("999.995", 2, "1000.00"),
            ("9.5", 0, "10"),
            ("007", 1, "7.0"),
            ("12", 2, "12.00"),
        ] {
            assert_eq!(round(text, places).as_deref(), Some(want), "{text}");
        }
        for text in ["", ".", "1.", ".5", "1e3", "--1", "1,0", "+1"] {
            assert_eq!(round(text, 2), None, "{text}");
        }
    }

    #[test]
    fn compares_exactly() {
        for (a, b, want) in [
            ("10", "9.99", Ordering::Greater),
            ("0.10", "0.1", Ordering::Equal),
            ("-0", "0.0", Ordering::Equal),
            ("-2", "-1", Ordering::Less),
            ("-1", "0.5", Ordering::Less),
            (
                "0.30000000000000000000000000000001",
                "0.3",
                Ordering::Greater,
            ),
            ("00012", "12", Ordering::Equal),
        ] {
            assert_eq!(compare(a, b), Some(want), "{a} {b}");
        }
        assert_eq!(compare("a", "1"), None);
    }

    proptest! {
        #[test]
        fn rounding_agrees_with_integers(units in 0i64..1_000_000_000, places in 0usize..4) {
            // The oracle works on ten-thousandths as integers.
            let text = format!("{}.{:04}", units / 10_000, units % 10_000);
            let step = 10i64.pow(4 - places as u32);
            let rounded = (units + step / 2) / step;
            let scale = 10i64.pow(places as u32);
            let want = if places == 0 { rounded.to_string() } else {
                format!("{}.{:0places$}", rounded / scale, rounded % scale)
            };
            prop_assert_eq!(round(&text, places), Some(want));
        }
    }
}
