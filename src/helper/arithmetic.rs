//! `add sub mul div round`: exact decimals of up to 28 digits. An absent operand makes an absent result.

use rust_decimal::{Decimal, RoundingStrategy};

use super::argument::{decimal, whole};
use super::{Arguments, Call, Helper, HelperContext, HelperError};
use crate::model::value::Value;

macro_rules! helper {
    ($item:ident, $name:literal, $summary:literal, $usage:literal, $arity:expr, $page:expr, $call:expr) => {
        #[doc = concat!("`", $usage, "`")]
        pub(super) static $item: Helper = Helper {
            name: $name,
            summary: $summary,
            usage: $usage,
            page: $page,
            arity: $arity,
            named: &[],
            raw: false,
            call: $call as Call,
        };
    };
}

helper!(
    ADD,
    "add",
    "the sum of numbers",
    "{{add a b …}}",
    (2, usize::MAX),
    "\
Adds numbers, exactly. Absent when one of them is absent.

- two numbers or more.

- `{{add \"19.90\" \"0.10\"}}` gives `20.00`
",
    |args, ctx| fold(args, ctx, Decimal::checked_add)
);
helper!(
    SUB,
    "sub",
    "one number less others",
    "{{sub a b …}}",
    (2, usize::MAX),
    "\
Takes the other numbers from the first, exactly. Absent when one of them is absent.

- two numbers or more.

- `{{sub \"20\" \"0.05\"}}` gives `19.95`
",
    |args, ctx| fold(args, ctx, Decimal::checked_sub)
);
helper!(MUL, "mul", "the product of numbers", "{{mul a b …}}", (2, usize::MAX), "\
Multiplies numbers, exactly while the result has at most 28 digits. Absent when one of them is absent.

- two numbers or more.

- `{{mul \"2612.00\" \"1.07\"}}` gives `2794.8400`
", |args, ctx| fold(args, ctx, Decimal::checked_mul));
helper!(DIV, "div", "one number divided by another", "{{div a b}}", (2, 2), "\
Divides the first number by the second, to 28 digits; use `round` around it. Dividing by zero withholds the item. Absent
when one of them is absent.

- two numbers.

- `{{round (div \"10\" \"3\") 2}}` gives `3.33`
- `{{div \"10\" \"4\"}}` gives `2.5`
", div);
helper!(
    ROUND,
    "round",
    "a number with so many decimals",
    "{{round x 2}}",
    (1, 2),
    "\
Rounds to so many decimals and writes exactly as many; a half goes away from zero.

- `x`: a number; absent stays absent.
- how many decimals, 0 when left out.

- `{{round \"2.345\" 2}}` gives `2.35`
- `{{round \"2.5\"}}` gives `3`
- `{{round \"7\" 2}}` gives `7.00`
",
    round
);

fn fold<'a>(
    args: &Arguments<'_, 'a>,
    ctx: &HelperContext<'a>,
    step: fn(Decimal, Decimal) -> Option<Decimal>,
) -> Result<Value<'a>, HelperError> {
    let mut result: Option<Decimal> = None;
    for n in 0..args.positional.len() {
        let Some(text) = args.text(n)? else {
            return Ok(Value::Absent);
        };
        let number = decimal(text)?;
        result = Some(match result {
            None => number,
            Some(before) => step(before, number).ok_or_else(too_large)?,
        });
    }
    Ok(result.map_or(Value::Absent, |result| ctx.text(&result.to_string())))
}

fn too_large() -> HelperError {
    HelperError("the result is too large".to_owned())
}

fn div<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let (Some(a), Some(b)) = (args.text(0)?, args.text(1)?) else {
        return Ok(Value::Absent);
    };
    let (a, b) = (decimal(a)?, decimal(b)?);
    if b.is_zero() {
        return Err(HelperError(format!("cannot divide {a} by zero")));
    }
    let result = a.checked_div(b).ok_or_else(too_large)?;
    Ok(ctx.text(&result.normalize().to_string()))
}

fn round<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let Some(text) = args.text(0)? else {
        return Ok(Value::Absent);
    };
    let places = args.text(1)?.map_or(Ok(0), |n| whole(n, "decimals"))?;
    if places > 28 {
        return Err(HelperError(format!("at most 28 decimals, not {places}")));
    }
    match crate::model::decimal::round(text, places) {
        Some(rounded) => Ok(ctx.text(&rounded)),
        None => {
            // What decimals allow beside the canonical form, such as a plus sign.
            let strategy = RoundingStrategy::MidpointAwayFromZero;
            let number = decimal(text)?.round_dp_with_strategy(places as u32, strategy);
            Ok(ctx.text(&format!("{number:.places$}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::helper::testing::Bench;
    use proptest::prelude::*;

    #[test]
    fn arithmetic_is_exact() {
        let bench = Bench::new("en");
        for (helper, args, want) in [
            ("add", &["0.1", "0.2"][..], "0.3"),
            ("add", &["1", "2", "3"], "6"),
            ("sub", &["1.00", "0.90"], "0.10"),
            ("mul", &["19.99", "3"], "59.97"),
            ("div", &["1", "8"], "0.125"),
            ("div", &["1", "3"], "0.3333333333333333333333333333"),
            ("round", &["-2.5"], "-3"),
            ("add", &["", "2"], ""),
            ("div", &["1", ""], ""),
            ("round", &["", "2"], ""),
        ] {
            assert_eq!(
                bench.call(helper, args),
                Ok(want.to_owned()),
                "{helper} {args:?}"
            );
        }
        for (helper, args) in [
            ("div", &["1", "0.00"][..]),
            ("add", &["one", "2"]),
            ("add", &["79228162514264337593543950335", "1"]),
            ("round", &["1", "two"]),
            ("round", &["x", "2"]),
        ] {
            assert!(bench.call(helper, args).is_err(), "{helper} {args:?}");
        }
        assert_eq!(
            bench
                .call("div", &["12.50", "0"])
                .map_err(|e| e.to_string()),
            Err("cannot divide 12.50 by zero".to_owned())
        );
    }

    proptest! {
        #[test]
        fn agrees_with_integers(a in -1_000_000_000i64..1_000_000_000, b in -1_000_000_000i64..1_000_000_000) {
            let bench = Bench::new("en");
            let cents = |n: i64| format!("{}{}.{:02}", if n < 0 { "-" } else { "" }, n.abs() / 100, n.abs() % 100);
            let sum = bench.call("add", &[&cents(a), &cents(b)]);
            prop_assert_eq!(sum, Ok(cents(a + b)));
            let back = bench.call("sub", &[&cents(a + b), &cents(b)]);
            prop_assert_eq!(back, Ok(cents(a)));
        }
    }
}
