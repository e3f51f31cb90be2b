//! `money`, `number`: amounts as channels write them.

use bumpalo::collections::String as ArenaString;

use super::{Arguments, Helper, HelperContext, HelperError};
use crate::model::money::{self, CurrencyStyle, MoneyStyle};
use crate::model::value::Value;
use crate::model::{currency, decimal};

/// `{{money price}}`
pub(super) static MONEY: Helper = Helper {
    name: "money",
    summary: "an amount in the feed's currency, with its decimals",
    usage: "{{money price currency=\"code|none|symbol\" decimal=\",\" group=\" \" minor=true}}",
    page: MONEY_PAGE,
    arity: (1, 2),
    named: &["currency", "decimal", "group", "minor"],
    raw: false,
    call: money,
};

const MONEY_PAGE: &str = "\
Writes an amount with as many decimals as its currency has (VND 0, EUR 2, KWD 3), rounded half up on its digits.

- `price`: an amount; absent stays absent.
- the currency, ISO 4217; the feed's when left out.
- `currency`: `code` (the usual), `none`, or `symbol`: the sign where the currency has one, before or after as it is
  written at home; `€` stands before an amount with a decimal point and after one with a comma.
- `decimal`: what stands before the decimals, `.` when left out.
- `group`: what stands between thousands, nothing when left out.
- `minor`: `true` writes minor units (cents) as a whole number.

- `{{money price}}` gives `2612.00 THB`
- `{{money price \"VND\"}}` gives `2612 VND`
- `{{money price currency=\"symbol\" group=\",\"}}` gives `฿2,612.00`
- `{{money \"1299.5\" \"PLN\" currency=\"symbol\" decimal=\",\" group=\" \"}}` gives `1 299,50 zł`
- `{{money price currency=\"none\" minor=true}}` gives `261200`
";

/// `{{number x decimals=2}}`
pub(super) static NUMBER: Helper = Helper {
    name: "number",
    summary: "a number with so many decimals and these separators",
    usage: "{{number x decimals=2 decimal=\",\" group=\" \"}}",
    page: NUMBER_PAGE,
    arity: (1, 1),
    named: &["decimals", "decimal", "group"],
    raw: false,
    call: number,
};

const NUMBER_PAGE: &str = "\
Writes a number the way a channel wants it.

- `x`: a number; absent stays absent.
- `decimals`: how many, rounded half up; as many as there are when left out.
- `decimal`: what stands before them, `.` when left out.
- `group`: what stands between thousands, nothing when left out.

- `{{number \"1234.5\" decimals=2 decimal=\",\" group=\".\"}}` gives `1.234,50`
- `{{number \"0.125\" decimal=\",\"}}` gives `0,125`
";

fn money<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let Some(amount) = args.text(0)? else {
        return Ok(Value::Absent);
    };
    let code = match args.text(1)? {
        Some(code) => currency::code(code)
            .ok_or_else(|| HelperError(format!("`{code}` is not a currency code (ISO 4217)")))?,
        None => ctx.currency,
    };
    let style = MoneyStyle {
        currency: match args.named_text("currency")? {
            None | Some("code") => CurrencyStyle::Code,
            Some("none") => CurrencyStyle::None,
            Some("symbol") => CurrencyStyle::Symbol,
            Some(other) => {
                return Err(HelperError(format!(
                    "`currency` takes `code`, `none` or `symbol`, not `{other}`"
                )));
            }
        },
        decimal: args.named_text("decimal")?.unwrap_or("."),
        group: args.named_text("group")?.unwrap_or_default(),
        minor: args.named_bool("minor", false)?,
    };
    let mut text = ArenaString::with_capacity_in(amount.len() + 8, ctx.arena);
    money::format(amount, code, &style, &mut text)
        .map_err(|_| HelperError(format!("`{amount}` is not an amount")))?;
    Ok(Value::text(text.into_bump_str()))
}

fn number<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let Some(text) = args.text(0)? else {
        return Ok(Value::Absent);
    };
    let not_a_number = || HelperError(format!("`{text}` is not a number"));
    let rounded = match args.named_whole("decimals")? {
        Some(places) if places <= 28 => {
            Some(decimal::round(text, places).ok_or_else(not_a_number)?)
        }
        Some(_) => return Err(HelperError("`decimals` is at most 28".to_owned())),
        None => None,
    };
    let parts = decimal::parts(rounded.as_deref().unwrap_or(text)).ok_or_else(not_a_number)?;
    let mut out = ArenaString::with_capacity_in(text.len() + 8, ctx.arena);
    if parts.negative {
        out.push('-');
    }
    let group = args.named_text("group")?.unwrap_or_default();
    money::write_grouped(parts.whole, group, &mut out).map_err(|_| not_a_number())?;
    if !parts.fraction.is_empty() {
        out.push_str(args.named_text("decimal")?.unwrap_or("."));
        out.push_str(parts.fraction);
    }
    Ok(Value::text(out.into_bump_str()))
}

#[cfg(test)]
mod tests {
    use crate::helper::testing::Bench;
    use crate::model::value::Value;

    #[test]
    fn amounts_follow_their_options() {
        let bench = Bench::new("en");
        let text = Value::Text;
        for (helper, args, named, want) in [
            ("money", &[text("2612")][..], &[][..], "2612.00 THB"),
            ("money", &[text("12.5"), text("vnd")], &[], "13 VND"),
            (
                "money",
                &[text("12.5")],
                &[("decimal", text(",")), ("currency", text("none"))],
                "12,50",
            ),
            (
                "money",
                &[text("0.5")],
                &[("minor", Value::Bool(true))],
                "50 THB",
            ),
            (
                "money",
                &[text("12"), text("AED")],
                &[("currency", text("symbol"))],
                "12.00 AED",
            ),
            (
                "number",
                &[text("-1234567.891")],
                &[("group", text(" "))],
                "-1 234 567.891",
            ),
            ("number", &[text("2.5")], &[("decimals", text("0"))], "3"),
        ] {
            assert_eq!(
                bench.value(helper, args, named),
                Ok(text(want)),
                "{helper} {args:?}"
            );
        }
        for (helper, args, named) in [
            ("money", &[text("call us")][..], &[][..]),
            ("money", &[text("1"), text("XYZ1")], &[]),
            ("money", &[text("1")], &[("currency", text("euro"))]),
            ("number", &[text("x")], &[]),
            ("number", &[text("1")], &[("decimals", text("many"))]),
        ] {
            assert!(
                bench.value(helper, args, named).is_err(),
                "{helper} {args:?}"
            );
        }
        assert_eq!(
            bench.value("money", &[Value::Absent], &[]),
            Ok(Value::Absent)
        );
    }
}
