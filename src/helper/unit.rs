//! `unit`: a weight, length or volume in another unit.

use super::{Arguments, Helper, HelperContext, HelperError};
use crate::model::measure::{self, Bare, Kind, Unit};
use crate::model::number::NumberLocale;
use crate::model::value::Value;

/// `{{unit weight "kg"}}`
pub(super) static UNIT: Helper = Helper {
    name: "unit",
    summary: "a weight, length or volume in another unit",
    usage: "{{unit weight \"kg\" symbol=false decimal=\",\"}}",
    page: PAGE,
    arity: (2, 2),
    named: &["symbol", "decimal"],
    raw: false,
    call,
};

const PAGE: &str = "\
Converts a measure. Metric units convert exactly; pounds, ounces, inches and feet are rounded to 4 decimals where they do
not come out even. A number without a unit is in the catalog's unit of weight or length.

- `weight`: a measure such as `1200 g`; absent stays absent.
- the unit: `g kg mg lb oz t`, `mm cm m in ft yd`, `ml cl dl l cbm floz`, `cm2 sqm`, `ct`.
- `symbol`: `false` writes the number alone.
- `decimal`: what stands before the decimals, `.` when left out.

- `{{unit weight \"kg\"}}` gives `1.2 kg`
- `{{unit weight \"g\" symbol=false}}` gives `1200`
- `{{unit \"30 cm\" \"in\"}}` gives `11.811 in`
- `{{unit weight \"kg\" decimal=\",\"}}` gives `1,2 kg`
";

fn call<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let (Some(text), Some(symbol)) = (args.text(0)?, args.text(1)?) else {
        return Ok(Value::Absent);
    };
    let unit = measure::unit(symbol)
        .ok_or_else(|| HelperError(format!("the unit `{symbol}` is not known")))?;
    let bare = match unit.kind {
        Kind::Weight => ctx.weight_unit,
        Kind::Length => ctx.length_unit,
        other => other.base_unit(),
    };
    let bare = measure::unit(bare).unwrap_or(unit);
    let number = match usual(text, bare, unit) {
        Some(number) => number,
        None => converted(text, bare, unit, symbol)?,
    };
    let number = match args.named_text("decimal")? {
        Some(decimal) => number.replace('.', decimal),
        None => number,
    };
    Ok(if args.named_bool("symbol", true)? {
        ctx.text(&format!("{number} {}", unit.symbol))
    } else {
        ctx.text(&number)
    })
}

/// The usual way: a number in its column's unit, or in the base unit, into a metric one.
fn usual(text: &str, bare: Unit, unit: Unit) -> Option<String> {
    let base = measure::unit(unit.kind.base_unit())?;
    let (digits, from) = match text.strip_suffix(base.symbol) {
        Some(digits) => (digits.strip_suffix(' ')?, base),
        None => (text, bare),
    };
    Bare::of(digits, from)?.in_unit(unit)
}

/// Any measure in any unit of its kind.
fn converted(text: &str, bare: Unit, unit: Unit, symbol: &str) -> Result<String, HelperError> {
    // Values are canonical here: a point, and nothing between thousands.
    let canonical = NumberLocale {
        decimal: '.',
        group: ',',
    };
    let (measure, _) = measure::parse_any(text, Some(bare), Some(&canonical))
        .map_err(|problem| HelperError(problem.message(text)))?;
    measure
        .in_unit(unit)
        .ok_or_else(|| HelperError(format!("`{text}` cannot be given in `{symbol}`")))
}

#[cfg(test)]
mod tests {
    use crate::helper::testing::Bench;

    #[test]
    fn measures_are_converted() {
        let bench = Bench::new("en");
        for (text, unit, want) in [
            ("1200 g", "kg", "1.2 kg"),
            ("1200", "kg", "1.2 kg"),
            ("1.234", "kg", "0.001234 kg"),
            ("2.5", "mm", "25 mm"),
            ("750 ml", "l", "0.75 l"),
            ("453.59237 g", "lb", "1 lb"),
            ("", "kg", ""),
        ] {
            assert_eq!(
                bench.call("unit", &[text, unit]),
                Ok(want.to_owned()),
                "{text}"
            );
        }
        for (text, unit) in [("1200 g", "cm"), ("1 g", "stone"), ("heavy", "kg")] {
            assert!(bench.call("unit", &[text, unit]).is_err(), "{text} {unit}");
        }
    }
}
