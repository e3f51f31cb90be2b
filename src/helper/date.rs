//! `date`: a moment written by a pattern, in the shop's time zone.

use jiff::ToSpan;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::{Arguments, Helper, HelperContext, HelperError};
use crate::model::date::{self, DateRules};
use crate::model::value::Value;

/// `{{date x "%Y-%m-%d"}}`
pub(super) static DATE: Helper = Helper {
    name: "date",
    summary: "a date or time written by a pattern",
    usage: "{{date x \"%Y-%m-%d\" zone=\"Europe/Warsaw\" last=true}}",
    page: PAGE,
    arity: (1, 2),
    named: &["zone", "last"],
    raw: false,
    call,
};

const PAGE: &str = "\
Writes a date or a time by a pattern, in the shop's time zone.

- `x`: a date; absent stays absent.
- the pattern, RFC 3339 when left out: `%Y` year, `%m` month, `%d` day, `%H` hour, `%M` minute, `%S` second, `%z` offset
  as `+0700`, `%:z` as `+07:00`, `%s` seconds since 1970, `%a %b` English names. All of C's `strftime` but its locales.
- `zone`: another time zone, such as `UTC` or `Europe/Warsaw`.
- `last`: `true` writes an end that falls on midnight as 23:59:59 of the day before, where people or a channel take the
  last day and not the first moment after it: `sale_ends` of `2026-11-30` is midnight, when the first of December begins.

- `{{date sale_ends \"%d.%m.%Y\"}}` gives `30.11.2026`
- `{{date sale_ends \"%Y-%m-%dT%H:%MZ\" zone=\"UTC\"}}` gives `2026-11-30T05:00Z`
- `{{date \"2026-12-01T00:00:00+07:00\" \"%Y-%m-%d %H:%M:%S\" last=true}}` gives `2026-11-30 23:59:59`
- `{{date \"2026-11-30\"}}` gives `2026-11-30T00:00:00+07:00`
";

fn call<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let Some(text) = args.text(0)? else {
        return Ok(Value::Absent);
    };
    let zone = |name: &str| {
        TimeZone::get(name).map_err(|_| HelperError(format!("`{name}` is not a time zone")))
    };
    let shop = zone(ctx.timezone)?;
    let rules = DateRules {
        zone: &shop,
        order: None,
        thai: false,
        end: false,
    };
    let moment = date::parse(text, &rules).map_err(|problem| HelperError(problem.message(text)))?;
    let zone = match args.named_text("zone")? {
        Some(name) => zone(name)?,
        None => shop,
    };
    let mut zoned = moment.at.to_zoned(zone);
    if args.named_bool("last", false)? && zoned.time() == jiff::civil::Time::midnight() {
        zoned = zoned
            .checked_sub(1.second())
            .map_err(|why| HelperError(format!("`{text}` has no moment before it: {why}")))?;
    }
    let pattern = args.text(1)?.unwrap_or("%Y-%m-%dT%H:%M:%S%:z");
    let written = strtime::format(pattern, &zoned)
        .map_err(|why| HelperError(format!("the pattern `{pattern}` cannot be used: {why}")))?;
    Ok(ctx.text(&written))
}

#[cfg(test)]
mod tests {
    use crate::helper::testing::Bench;
    use crate::model::value::Value;

    #[test]
    fn moments_are_written_in_a_zone() {
        let bench = Bench::new("th");
        let noon = "2026-11-30T12:00:00+07:00";
        assert_eq!(
            bench.call("date", &[noon, "%H:%M %z"]),
            Ok("12:00 +0700".to_owned())
        );
        let warsaw = bench.value(
            "date",
            &[Value::Text(noon), Value::Text("%H:%M %:z")],
            &[("zone", Value::Text("Europe/Warsaw"))],
        );
        assert_eq!(warsaw, Ok(Value::Text("06:00 +01:00")));
        assert_eq!(bench.call("date", &["", "%H"]), Ok(String::new()));
        for (end, want) in [
            ("2026-12-01T00:00:00+07:00", "30.11. 23:59:59"),
            ("2026-11-30T18:00:00+07:00", "30.11. 18:00:00"),
        ] {
            let last = bench.value(
                "date",
                &[Value::Text(end), Value::Text("%d.%m. %H:%M:%S")],
                &[("last", Value::Bool(true))],
            );
            assert_eq!(last, Ok(Value::Text(want)));
        }
        assert!(bench.call("date", &["soon"]).is_err());
        assert!(bench.call("date", &[noon, "%Q!%"]).is_err());
        assert!(
            bench
                .value(
                    "date",
                    &[Value::Text(noon)],
                    &[("zone", Value::Text("Mars"))]
                )
                .is_err()
        );
    }
}
