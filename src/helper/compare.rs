//! `eq ne lt lte gt gte` and `and or not`: yes or no. Numbers are compared exactly, everything else as text.

use std::cmp::Ordering;

use super::{Arguments, Call, Helper, HelperError};
use crate::model::decimal;
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

helper!(EQ, "eq", "whether two values are the same", "{{eq a b}}", (2, 2), "\
True when both values are the same. Two numbers are compared as exact decimals (`1.50` is `1.5`), everything else letter
for letter. Absent is the same as absent and as `\"\"`.

- two values.

- `{{eq \"1.50\" \"1.5\"}}` gives `true`
- `{{eq \"red\" \"Red\"}}` gives `false`
", |args, _| Ok(Value::Bool(same(args))));
helper!(
    NE,
    "ne",
    "whether two values differ",
    "{{ne a b}}",
    (2, 2),
    "\
The opposite of `eq`.

- two values.

- `{{ne \"red\" \"blue\"}}` gives `true`
",
    |args, _| Ok(Value::Bool(!same(args)))
);
helper!(LT, "lt", "whether the first value is less", "{{lt a b}}", (2, 2), "\
True when the first value is less than the second: exact decimals when both are numbers, else by their letters. False
when one is absent.

- two values.

- `{{lt \"9.99\" \"10\"}}` gives `true`
", |args, _| order(args, Ordering::is_lt));
helper!(
    LTE,
    "lte",
    "whether the first value is less or the same",
    "{{lte a b}}",
    (2, 2),
    "\
True when the first value is less than the second or the same, as `lt` compares them.

- two values.

- `{{lte \"10.0\" \"10\"}}` gives `true`
",
    |args, _| order(args, Ordering::is_le)
);
helper!(GT, "gt", "whether the first value is more", "{{gt a b}}", (2, 2), "\
True when the first value is more than the second: exact decimals when both are numbers, else by their letters. False
when one is absent.

- two values.

- `{{gt price \"1000\"}}` gives `true`
", |args, _| order(args, Ordering::is_gt));
helper!(
    GTE,
    "gte",
    "whether the first value is more or the same",
    "{{gte a b}}",
    (2, 2),
    "\
True when the first value is more than the second or the same, as `gt` compares them.

- two values.

- `{{gte \"2\" \"10\"}}` gives `false`
",
    |args, _| order(args, Ordering::is_ge)
);
helper!(
    AND,
    "and",
    "whether all values are there",
    "{{and a b …}}",
    (1, usize::MAX),
    "\
True when every value is there and none is `false`. `0` is there.

- any number of values.

- `{{and title nothing}}` gives `false`
",
    |args, _| Ok(Value::Bool(
        args.positional.iter().all(|value| value.is_true())
    ))
);
helper!(
    OR,
    "or",
    "whether one of the values is there",
    "{{or a b …}}",
    (1, usize::MAX),
    "\
True when at least one value is there and not `false`.

- any number of values.

- `{{or title nothing}}` gives `true`
",
    |args, _| Ok(Value::Bool(
        args.positional.iter().any(|value| value.is_true())
    ))
);
helper!(
    NOT,
    "not",
    "whether a value is absent or false",
    "{{not a}}",
    (1, 1),
    "\
True when the value is absent or `false`.

- one value.

- `{{not nothing}}` gives `true`
",
    |args, _| Ok(Value::Bool(!args.get(0).is_true()))
);

fn same(args: &Arguments<'_, '_>) -> bool {
    let (a, b) = (args.get(0), args.get(1));
    match (a.as_text(), b.as_text()) {
        (Some(a), Some(b)) => match decimal::compare(a, b) {
            Some(ordering) => ordering.is_eq(),
            None => a == b,
        },
        _ => a == b,
    }
}

fn order<'a>(
    args: &Arguments<'_, 'a>,
    wanted: fn(Ordering) -> bool,
) -> Result<Value<'a>, HelperError> {
    let (Some(a), Some(b)) = (args.text(0)?, args.text(1)?) else {
        return Ok(Value::Bool(false));
    };
    let ordering = decimal::compare(a, b).unwrap_or_else(|| a.cmp(b));
    Ok(Value::Bool(wanted(ordering)))
}

#[cfg(test)]
mod tests {
    use crate::helper::testing::Bench;
    use crate::model::value::{List, Value};

    #[test]
    fn numbers_are_numbers_and_texts_are_texts() {
        let bench = Bench::new("en");
        for (helper, a, b, want) in [
            ("eq", "10", "10.00", true),
            ("eq", "-0", "0", true),
            ("eq", "a", "a", true),
            ("eq", "", "", true),
            ("eq", "", "a", false),
            ("ne", "1", "2", true),
            ("lt", "9", "10", true),
            ("lt", "9a", "10", false),
            ("lt", "", "1", false),
            ("gt", "0.30000000000000000000000000000001", "0.3", true),
            ("gte", "5", "5", true),
            ("lte", "6", "5", false),
            ("and", "a", "", false),
            ("or", "", "0", true),
        ] {
            let args = [Value::text(a), Value::text(b)];
            assert_eq!(
                bench.value(helper, &args, &[]),
                Ok(Value::Bool(want)),
                "{helper} {a} {b}"
            );
        }
        let no = [Value::Bool(false)];
        assert_eq!(bench.value("not", &no, &[]), Ok(Value::Bool(true)));
        let list = Value::List(List("a\u{1f}b"));
        assert_eq!(bench.value("eq", &[list, list], &[]), Ok(Value::Bool(true)));
        assert!(bench.value("lt", &[list, list], &[]).is_err());
        assert_eq!(
            bench.value("eq", &[Value::Bool(true), Value::Text("true")], &[]),
            Ok(Value::Bool(true))
        );
    }
}
