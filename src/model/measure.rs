//! Weights, lengths, volumes, areas and counts with their units. In: a cell such as `1.2 kg`, `500g`, `12"`, or a bare
//! number in the catalog's unit. Out: an exact amount in the base unit of its kind, `1200 g`, `30 cm`, `750 ml`.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};

use super::number::{self, NumberLocale, NumberProblem};

/// What a unit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Base unit `g`.
    Weight,
    /// Base unit `cm`.
    Length,
    /// Base unit `ml`.
    Volume,
    /// Base unit `cm2`; `sqm` is 10,000 of them.
    Area,
    /// Base unit `ct`.
    Count,
}

impl Kind {
    /// The unit of the canonical form.
    pub fn base_unit(self) -> &'static str {
        match self {
            Kind::Weight => "g",
            Kind::Length => "cm",
            Kind::Volume => "ml",
            Kind::Area => "cm2",
            Kind::Count => "ct",
        }
    }
}

/// A unit: what it measures and how many base units it is, as mantissa and decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// What it measures.
    pub kind: Kind,
    /// How it is written.
    pub symbol: &'static str,
    mantissa: i64,
    scale: u32,
}

impl Unit {
    fn factor(self) -> Decimal {
        Decimal::new(self.mantissa, self.scale)
    }
}

/// The unit of a symbol or word, in any case; `None` for an unknown one.
pub fn unit(text: &str) -> Option<Unit> {
    let lowered = || text.trim().trim_end_matches('.').to_lowercase();
    by_name(text).or_else(|| by_name(&lowered()))
}

/// The unit of a name in small letters.
fn by_name(name: &str) -> Option<Unit> {
    let (kind, symbol, mantissa, scale) = match name {
        "g" | "gr" | "gram" | "grams" | "gramme" | "grammes" | "г" | "гр" | "ก" | "กรัม" | "克" => {
            (Kind::Weight, "g", 1, 0)
        }
        "kg" | "kgs" | "kilo" | "kilogram" | "kilograms" | "кг" | "กก" | "กิโลกรัม" | "公斤" => {
            (Kind::Weight, "kg", 1000, 0)
        }
        "mg" | "мг" => (Kind::Weight, "mg", 1, 3),
        "lb" | "lbs" | "pound" | "pounds" => (Kind::Weight, "lb", 45_359_237, 5),
        "oz" | "ounce" | "ounces" => (Kind::Weight, "oz", 28_349_523_125, 9),
        "t" | "tonne" => (Kind::Weight, "t", 1_000_000, 0),
        "mm" | "мм" | "มม" => (Kind::Length, "mm", 1, 1),
        "cm" | "см" | "ซม" => (Kind::Length, "cm", 1, 0),
        "m" | "м" | "metre" | "meter" | "metres" | "meters" | "เมตร" => {
            (Kind::Length, "m", 100, 0)
        }
        "in" | "inch" | "inches" | "\"" | "″" | "”" | "นิ้ว" => {
            (Kind::Length, "in", 254, 2)
        }
        "ft" | "foot" | "feet" | "′" => (Kind::Length, "ft", 3048, 2),
        "yd" | "yard" | "yards" => (Kind::Length, "yd", 9144, 2),
        "ml" | "мл" | "มล" => (Kind::Volume, "ml", 1, 0),
        "cl" => (Kind::Volume, "cl", 10, 0),
        "dl" => (Kind::Volume, "dl", 100, 0),
        "l" | "lt" | "ltr" | "litre" | "liter" | "litres" | "liters" | "л" | "ลิตร" => {
            (Kind::Volume, "l", 1000, 0)
        }
        "cbm" | "m3" | "m³" => (Kind::Volume, "cbm", 1_000_000, 0),
        "floz" | "fl oz" | "fl. oz" => (Kind::Volume, "floz", 295_735_295_625, 10),
        "cm2" | "cm²" => (Kind::Area, "cm2", 1, 0),
        "sqm" | "m2" | "m²" | "qm" => (Kind::Area, "sqm", 10_000, 0),
        "ct" | "pcs" | "pc" | "pieces" | "szt" | "ks" | "stk" | "stück" | "шт" | "ชิ้น" => {
            (Kind::Count, "ct", 1, 0)
        }
        _ => return None,
    };
    Some(Unit {
        kind,
        symbol,
        mantissa,
        scale,
    })
}

/// An exact amount of something, in base units; never below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// What is measured.
    pub kind: Kind,
    amount: Decimal,
}

/// Why a cell holds no measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MeasureProblem {
    /// Nothing but white space.
    Blank,
    /// The unit is not known here.
    Unit(String),
    /// The unit measures something else than the column.
    Kind {
        /// The unit written.
        unit: &'static str,
        /// A unit that would fit.
        expected: &'static str,
    },
    /// Below zero.
    Negative,
    /// The number cannot be read.
    Number(NumberProblem),
}

impl MeasureProblem {
    /// What is wrong with `text`: lower case, no full stop.
    pub fn message(&self, text: &str) -> String {
        match self {
            MeasureProblem::Blank => "the measure is blank".to_owned(),
            MeasureProblem::Unit(unit) => format!("the unit `{unit}` of `{text}` is not known"),
            MeasureProblem::Kind { unit, .. } => {
                format!("the unit `{unit}` of `{text}` measures something else")
            }
            MeasureProblem::Negative => format!("the measure `{text}` is below zero"),
            MeasureProblem::Number(problem) => problem.message(text),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            MeasureProblem::Blank => "leave it out, or write an amount such as `500 g`".to_owned(),
            MeasureProblem::Unit(_) => {
                "known are g kg mg lb oz, mm cm m in ft yd, ml cl dl l floz cbm, cm2 sqm, ct"
                    .to_owned()
            }
            MeasureProblem::Kind { expected, .. } => {
                format!("write it in a unit such as `{expected}`")
            }
            MeasureProblem::Negative => "correct it".to_owned(),
            MeasureProblem::Number(problem) => problem.hint().to_owned(),
        }
    }
}

/// Reads a cell whose bare numbers are in `default_unit`, and whose kind is that unit's.
pub fn parse(
    text: &str,
    default_unit: Unit,
    locale: Option<&NumberLocale>,
) -> Result<Measure, MeasureProblem> {
    let measure = parse_any(text, Some(default_unit), locale)?;
    if measure.0.kind != default_unit.kind {
        return Err(MeasureProblem::Kind {
            unit: measure.1.symbol,
            expected: default_unit.symbol,
        });
    }
    Ok(measure.0)
}

/// Reads a cell of any kind of unit, such as `unit_pricing_measure`; gives the measure and the unit it was written in.
pub fn parse_any(
    text: &str,
    default_unit: Option<Unit>,
    locale: Option<&NumberLocale>,
) -> Result<(Measure, Unit), MeasureProblem> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(MeasureProblem::Blank);
    }
    // `cm2` ends in a digit that belongs to the unit.
    let unit_from = trimmed
        .char_indices()
        .skip_while(|(_, c)| number::digit(*c).is_none())
        .find(|(_, c)| c.is_alphabetic() || matches!(c, '"' | '″' | '”' | '′'))
        .map_or(trimmed.len(), |(i, _)| i);
    let (digits, symbol) = trimmed.split_at_checked(unit_from).unwrap_or((trimmed, ""));
    let unit = match (symbol, default_unit) {
        ("", Some(default)) => default,
        (symbol, _) => unit(symbol).ok_or_else(|| MeasureProblem::Unit(symbol.to_owned()))?,
    };
    let amount = number::parse(digits, locale).map_err(MeasureProblem::Number)?;
    let too_long = MeasureProblem::Number(NumberProblem::TooLong);
    let amount = Decimal::from_str_exact(&amount)
        .ok()
        .and_then(|amount| amount.checked_mul(unit.factor()))
        .ok_or(too_long)?;
    if amount.is_sign_negative() && !amount.is_zero() {
        return Err(MeasureProblem::Negative);
    }
    let kind = unit.kind;
    let amount = amount.normalize();
    Ok((Measure { kind, amount }, unit))
}

/// A bare number in a unit, in base units: what [`parse`] makes of the usual cell, without any arithmetic that could round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bare {
    kind: Kind,
    /// All digits as one number.
    digits: u64,
    /// How many of them stand after the point; the last of these is not 0.
    decimals: u32,
}

impl Bare {
    /// Reads `123` or `123.45`; `None` for every other text, which may be a measure all the same, and for long numbers.
    #[inline]
    pub fn of(text: &str, unit: Unit) -> Option<Bare> {
        if text.len() > 16 || !number::is_plain(text) {
            return None;
        }
        let (mut digits, mut decimals, mut after_point) = (0u64, unit.scale, 0);
        for byte in text.bytes() {
            if byte == b'.' {
                after_point = 1;
            } else {
                digits = digits * 10 + u64::from(byte - b'0');
                decimals += after_point;
            }
        }
        digits = digits.checked_mul(u64::try_from(unit.mantissa).ok()?)?;
        while decimals > 0 && digits.is_multiple_of(10) {
            digits /= 10;
            decimals -= 1;
        }
        Some(Bare {
            kind: unit.kind,
            digits,
            decimals,
        })
    }
}

impl Bare {
    /// Writes the canonical form, `1200 g`.
    ///
    /// # Errors
    /// When what it is written to fails.
    pub fn write(&self, out: &mut impl fmt::Write) -> fmt::Result {
        self.write_number(out)?;
        out.write_char(' ')?;
        out.write_str(self.kind.base_unit())
    }

    /// The amount in another unit, where that is one point further left or right: as [`Measure::in_unit`] gives it, a tenth of
    /// the time. `None` for every other unit.
    pub fn in_unit(&self, unit: Unit) -> Option<String> {
        let tens = unit.mantissa.checked_ilog10()?;
        if unit.kind != self.kind || 10i64.checked_pow(tens) != Some(unit.mantissa) {
            return None;
        }
        let (mut digits, mut decimals) = (self.digits, self.decimals + tens);
        while decimals < unit.scale {
            digits = digits.checked_mul(10)?;
            decimals += 1;
        }
        decimals -= unit.scale;
        while decimals > 0 && digits.is_multiple_of(10) {
            digits /= 10;
            decimals -= 1;
        }
        // What is rounded there.
        if decimals > 9 {
            return None;
        }
        let mut text = String::with_capacity(24);
        let moved = Bare {
            digits,
            decimals,
            ..*self
        };
        moved.write_number(&mut text).ok()?;
        Some(text)
    }

    fn write_number(&self, out: &mut impl fmt::Write) -> fmt::Result {
        // 20 digits, a point, and zeros before digits that all stand after it.
        let mut text = [b'0'; 40];
        let (mut at, mut left, mut decimals) = (text.len(), self.digits, self.decimals);
        let mut put = |byte: u8| {
            at -= 1;
            text[at] = byte;
        };
        while decimals > 0 {
            put(b'0' + (left % 10) as u8);
            left /= 10;
            decimals -= 1;
            if decimals == 0 {
                put(b'.');
            }
        }
        loop {
            put(b'0' + (left % 10) as u8);
            left /= 10;
            if left == 0 {
                break;
            }
        }
        let number = text.get(at..).unwrap_or_default();
        out.write_str(std::str::from_utf8(number).map_err(|_| fmt::Error)?)
    }
}

impl Measure {
    /// The amount in another unit as a decimal text, exact for metric units, else rounded to 4 decimals (half away from
    /// zero); `None` when the unit measures something else.
    pub fn in_unit(&self, unit: Unit) -> Option<String> {
        if unit.kind != self.kind {
            return None;
        }
        let amount = self.amount.checked_div(unit.factor())?;
        let exact = amount.checked_mul(unit.factor()) == Some(self.amount) && amount.scale() <= 9;
        let amount = if exact {
            amount
        } else {
            amount.round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero)
        };
        Some(amount.normalize().to_string())
    }
}

impl fmt::Display for Measure {
    /// The canonical form, `1200 g`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.kind.base_unit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, default: &str) -> Result<String, MeasureProblem> {
        parse(text, unit(default).expect("known"), None).map(|m| m.to_string())
    }

    proptest! {
        #[test]
        fn the_short_way_to_a_unit_is_the_long_one(
            text in "[0-9]{1,9}(\\.[0-9]{1,6})?",
            from in prop::sample::select(vec!["g", "kg", "mg", "oz", "t", "mm", "cm", "m", "in", "l"]),
            to in prop::sample::select(vec!["g", "kg", "mg", "oz", "t", "mm", "cm", "m", "in", "cl"]),
        ) {
            let (from, to) = (unit(from).expect("known"), unit(to).expect("known"));
            let short = Bare::of(&text, from).and_then(|bare| bare.in_unit(to));
            if let Some(short) = short {
                let canonical = NumberLocale { decimal: '.', group: ',' };
                let (measure, _) = parse_any(&text, Some(from), Some(&canonical)).expect("a measure");
                prop_assert_eq!(Some(short), measure.in_unit(to));
            }
        }
    }

    #[test]
    fn everything_becomes_base_units() {
        for (text, default, want) in [
            ("1200", "g", "1200 g"),
            ("1.2", "kg", "1200 g"),
            ("1,2 kg", "g", "1200 g"),
            ("500g", "kg", "500 g"),
            ("0.50 kg", "g", "500 g"),
            ("250 mg", "g", "0.25 g"),
            ("1 lb", "g", "453.59237 g"),
            ("2 oz.", "g", "56.69904625 g"),
            ("30", "cm", "30 cm"),
            ("12\"", "cm", "30.48 cm"),
            ("6 ft", "cm", "182.88 cm"),
            ("15 mm", "cm", "1.5 cm"),
            ("0.75 l", "ml", "750 ml"),
            ("2 m2", "sqm", "20000 cm2"),
            ("๑๒ กก.", "g", "12000 g"),
            ("0", "g", "0 g"),
        ] {
            assert_eq!(read(text, default).as_deref(), Ok(want), "{text}");
        }
    }

    #[test]
    fn problems_are_told_apart() {
        for (text, want) in [
            ("", MeasureProblem::Blank),
            ("12 stone", MeasureProblem::Unit("stone".to_owned())),
            (
                "12 cm",
                MeasureProblem::Kind {
                    unit: "cm",
                    expected: "g",
                },
            ),
            ("-5 g", MeasureProblem::Negative),
            ("heavy", MeasureProblem::Number(NumberProblem::Words)),
            ("10 x 20", MeasureProblem::Unit("x 20".to_owned())),
        ] {
            let problem = read(text, "g").expect_err(text);
            assert_eq!(problem, want, "{text}");
            assert!(!problem.message(text).is_empty() && !problem.hint().is_empty());
        }
    }

    #[test]
    fn converts_for_output() {
        let g = unit("g").expect("known");
        let weight = parse("1200", g, None).expect("a weight");
        for (to, want) in [
            ("kg", "1.2"),
            ("g", "1200"),
            ("lb", "2.6455"),
            ("mg", "1200000"),
        ] {
            assert_eq!(
                weight.in_unit(unit(to).expect("known")).as_deref(),
                Some(want)
            );
        }
        assert_eq!(weight.in_unit(unit("cm").expect("known")), None);
        let two_pounds = parse("2 lb", g, None).expect("a weight");
        assert_eq!(
            two_pounds.in_unit(unit("lb").expect("known")).as_deref(),
            Some("2")
        );
    }

    proptest! {
        #[test]
        fn the_short_way_writes_what_the_long_one_writes(
            text in "(0|[1-9][0-9]{0,12})(\\.[0-9]{1,6})?|[0-9]{1,17}|[0-9.,kg ]{1,8}",
            unit in prop::sample::select(vec!["g", "kg", "mg", "lb", "oz", "t", "mm", "cm", "m", "in", "floz", "sqm", "ct"]),
        ) {
            let unit = super::unit(unit).expect("known");
            if let Some(bare) = Bare::of(&text, unit) {
                let mut short = String::new();
                bare.write(&mut short).expect("text takes all");
                let long = parse(&text, unit, None).map(|measure| measure.to_string());
                prop_assert_eq!(long, Ok(short), "{}", text);
            }
        }

        #[test]
        fn metric_conversion_is_exact(mg in 0u64..1_000_000_000_000) {
            let g = unit("g").expect("known");
            let kg = unit("kg").expect("known");
            let weight = parse(&format!("{mg} mg"), g, None).map_err(|p| TestCaseError::fail(format!("{p:?}")))?;
            let text = weight.in_unit(kg).expect("a weight");
            prop_assert_eq!(parse(&text, kg, NumberLocale::from_tag("en").as_ref()), Ok(weight));
        }
    }
}
