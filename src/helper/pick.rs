//! `pick`: one value by its name, out of pairs or a cell that packs them. `zip`: names in one cell and values in another.

use super::{Arguments, Helper, HelperContext, HelperError};
use crate::model::value::{ELEMENT, PAIR, Value};

/// `{{pick options "color" "colour"}}`
pub(super) static PICK: Helper = Helper {
    name: "pick",
    summary: "one value by its name",
    usage: "{{pick pairs \"name\" …}}",
    page: PICK_PAGE,
    arity: (2, usize::MAX),
    named: &["between", "pair"],
    raw: false,
    call: pick,
};

const PICK_PAGE: &str = "\
The value of a name, out of pairs (`options`, `params`) or a text that packs them: `size=XS,color=Black`. Capitals do not
count. A piece without a name goes on the value before it.

- pairs: a list of pairs, or a text; absent stays absent.
- one or more names; the first that is there counts.
- `between`: what stands between the pairs of a text, `,` when left out.
- `pair`: what stands between name and value in a text, `=` when left out.

- `{{pick \"size=XS,color=Black\" \"colour\" \"color\"}}` gives `Black`
- `{{pick \"sku: A; size: M\" \"size\" between=\";\" pair=\":\"}}` gives `M`
";

/// `{{zip names values "|"}}`
pub(super) static ZIP: Helper = Helper {
    name: "zip",
    summary: "names and values as pairs",
    usage: "{{zip names values \"|\"}}",
    page: ZIP_PAGE,
    arity: (2, 3),
    named: &[],
    raw: false,
    call: zip,
};

const ZIP_PAGE: &str = "\
Pairs (as `options` and `params` hold them) of names in one cell and values in another, the first with the first. A name
without a value is left out.

- names: a list, or a text.
- values: a list, or a text.
- what separates the elements of a text, `|` when left out.

- `{{join (zip \"size|color\" \"38|Navy\" \"|\")}}` gives `size: 38, color: Navy`
";

fn zip<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let separator = args
        .text(2)?
        .filter(|separator| !separator.is_empty())
        .unwrap_or("|");
    let (names, values) = (args.get(0), args.get(1));
    let pieces = |value: Value<'a>| {
        value
            .elements()
            .flat_map(|element| element.split(separator))
            .map(str::trim)
            .collect::<Vec<_>>()
    };
    let mut encoded = String::new();
    for (name, value) in pieces(names).into_iter().zip(pieces(values)) {
        if name.is_empty() || value.is_empty() {
            continue;
        }
        if !encoded.is_empty() {
            encoded.push(ELEMENT);
        }
        encoded.push_str(name);
        encoded.push(PAIR);
        encoded.push_str(value);
    }
    Ok(Value::list(ctx.arena.alloc_str(&encoded)))
}

fn pick<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let between = args.named_text("between")?.unwrap_or(",");
    let sign = args.named_text("pair")?.unwrap_or("=");
    let pairs = args.get(0);
    for n in 1..args.positional.len() {
        let Some(name) = args.text(n)? else { continue };
        let found = match pairs {
            Value::Absent | Value::Bool(_) => return Ok(Value::Absent),
            Value::List(list) => list.iter().find_map(|element| {
                let (known, value) = element
                    .split_once(PAIR)
                    .or_else(|| element.split_once(sign))?;
                same(known, name).then(|| Value::text(value.trim()))
            }),
            Value::Text(text) => packed(text, name, between, sign, ctx),
        };
        if let Some(found) = found.filter(|found| !found.is_absent()) {
            return Ok(found);
        }
    }
    Ok(Value::Absent)
}

fn same(known: &str, name: &str) -> bool {
    let known = known.trim();
    known.eq_ignore_ascii_case(name) || known.to_lowercase() == name.to_lowercase()
}

fn packed<'a>(
    text: &'a str,
    name: &str,
    between: &str,
    sign: &str,
    ctx: &HelperContext<'a>,
) -> Option<Value<'a>> {
    if between.is_empty() {
        return None;
    }
    let mut pieces = text.split(between).flat_map(|piece| piece.split(ELEMENT));
    let value = pieces.by_ref().find_map(|piece| {
        let (known, value) = piece.split_once(sign)?;
        same(known, name).then_some(value)
    })?;
    let mut whole = String::new();
    for more in pieces.take_while(|piece| !piece.contains(sign)) {
        if whole.is_empty() {
            whole.push_str(value);
        }
        whole.push_str(between);
        whole.push_str(more);
    }
    Some(if whole.is_empty() {
        Value::text(value.trim())
    } else {
        ctx.text(whole.trim())
    })
}

#[cfg(test)]
mod tests {
    use crate::helper::testing::Bench;
    use crate::model::value::Value;

    #[test]
    fn names_and_values_become_pairs() {
        let bench = Bench::new("en");
        let zip =
            |names, values| bench.value("zip", &[Value::text(names), Value::text(values)], &[]);
        assert_eq!(
            zip("size|color", "38|Navy"),
            Ok(Value::list("size\u{1e}38\u{1f}color\u{1e}Navy"))
        );
        assert_eq!(zip("size|color", "38"), Ok(Value::list("size\u{1e}38")));
        assert_eq!(zip("", "38"), Ok(Value::Absent));
    }

    #[test]
    fn a_value_is_found_by_its_name() {
        let bench = Bench::new("en");
        for (args, want) in [
            (&["size=XS,color=Black", "Color"][..], "Black"),
            (&["size=XS,color=Black", "colour", "color"], "Black"),
            (&["care=wash, dry,size=M", "care"], "wash, dry"),
            (&["size=XS", "weight"], ""),
            (&["", "weight"], ""),
        ] {
            assert_eq!(bench.call("pick", args), Ok(want.to_owned()), "{args:?}");
        }
    }
}
