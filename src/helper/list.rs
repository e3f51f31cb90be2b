//! `split`, `join`, `first`: between texts and lists.

use bumpalo::collections::String as ArenaString;

use super::argument::push_element;
use super::{Arguments, Helper, HelperContext, HelperError};
use crate::model::value::{ELEMENT, Value};

/// `{{split text ","}}`
pub(super) static SPLIT: Helper = Helper {
    name: "split",
    summary: "a text cut into a list",
    usage: "{{split text \",\"}}",
    page: SPLIT_PAGE,
    arity: (1, 2),
    named: &[],
    raw: false,
    call: split,
};

const SPLIT_PAGE: &str = "\
Cuts a text into a list. White space around the elements is dropped, and so are empty elements.

- `text`: any text; a list stays as it is, absent stays absent.
- what separates the elements, `,` when left out.

- `{{join (split \"red, green,,blue\" \",\") \" / \"}}` gives `red / green / blue`
";

/// `{{join list " > "}}`
pub(super) static JOIN: Helper = Helper {
    name: "join",
    summary: "a list as one text",
    usage: "{{join list \" > \"}}",
    page: JOIN_PAGE,
    arity: (1, 2),
    named: &[],
    raw: false,
    call: join,
};

const JOIN_PAGE: &str = "\
Puts the elements of a list into one text. Pairs (`options`, `params`) become `name: value`.

- `list`: a list; a text stays as it is, absent stays absent.
- what stands between the elements, `, ` when left out.

- `{{join category \" > \"}}` gives `Home > Kitchen > Cups`
- `{{join options}}` gives `Color: red, Size: M`
";

/// `{{first list}}`
pub(super) static FIRST: Helper = Helper {
    name: "first",
    summary: "the first element of a list",
    usage: "{{first list}}",
    page: FIRST_PAGE,
    arity: (1, 1),
    named: &[],
    raw: false,
    call: first,
};

const FIRST_PAGE: &str = "\
The first element of a list.

- `list`: a list; a text stays as it is, absent stays absent.

- `{{first category}}` gives `Home`
";

fn split<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let Value::Text(text) = args.get(0) else {
        return Ok(args.get(0));
    };
    let separator = args.text(1)?.unwrap_or(",");
    let mut encoded = ArenaString::with_capacity_in(text.len(), ctx.arena);
    let elements = text.split(separator).map(str::trim);
    for (i, element) in elements.filter(|element| !element.is_empty()).enumerate() {
        if i > 0 {
            encoded.push(ELEMENT);
        }
        encoded.push_str(element);
    }
    Ok(Value::list(encoded.into_bump_str()))
}

fn join<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let Value::List(list) = args.get(0) else {
        return Ok(args.get(0));
    };
    let separator = match args.text(1)? {
        None if args.positional.len() < 2 => ", ",
        given => given.unwrap_or_default(),
    };
    let mut text = ArenaString::with_capacity_in(list.0.len() + 16, ctx.arena);
    for (i, element) in list.iter().enumerate() {
        if i > 0 {
            text.push_str(separator);
        }
        push_element(&mut text, element);
    }
    Ok(Value::text(text.into_bump_str()))
}

fn first<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let Value::List(list) = args.get(0) else {
        return Ok(args.get(0));
    };
    let Some(element) = list.iter().next() else {
        return Ok(Value::Absent);
    };
    if memchr::memchr(crate::model::value::PAIR as u8, element.as_bytes()).is_none() {
        return Ok(Value::text(element));
    }
    let mut text = ArenaString::new_in(ctx.arena);
    push_element(&mut text, element);
    Ok(Value::text(text.into_bump_str()))
}

#[cfg(test)]
mod tests {
    use crate::helper::testing::Bench;
    use crate::model::value::{List, Value};

    #[test]
    fn split_and_join_are_inverse() {
        let bench = Bench::new("en");
        let list = bench.value("split", &[Value::Text("a, b ,c"), Value::Text(",")], &[]);
        assert_eq!(list, Ok(Value::List(List("a\u{1f}b\u{1f}c"))));
        let text = bench.value(
            "join",
            &[Value::List(List("a\u{1f}b")), Value::Text("|")],
            &[],
        );
        assert_eq!(text, Ok(Value::Text("a|b")));
        assert_eq!(
            bench.value("split", &[Value::Text(" , ,")], &[]),
            Ok(Value::Absent)
        );
        let pairs = Value::List(List("Size\u{1e}M\u{1f}Color\u{1e}red"));
        assert_eq!(
            bench.value("first", &[pairs], &[]),
            Ok(Value::Text("Size: M"))
        );
    }
}
