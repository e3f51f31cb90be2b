//! `pick`: one value by its name, out of pairs or a cell that packs them.

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
- `between=\",\"`: what stands between the pairs of a text.
- `pair=\"=\"`: what stands between name and value in a text.

- `{{pick \"size=XS,color=Black\" \"colour\" \"color\"}}` gives `Black`
- `{{pick \"sku: A; size: M\" \"size\" between=\";\" pair=\":\"}}` gives `M`
";

fn pick<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let between = args.named_text("between")?.unwrap_or(",");
    let sign = args.named_text("pair")?.unwrap_or("=");
    let pairs = args.get(0);
    for n in 1..args.positional.len() {
        let Some(name) = args.text(n)? else { continue };
        let found = match pairs {
            Value::Absent | Value::Bool(_) => return Ok(Value::Absent),
            Value::List(list) => list.iter().find_map(|element| {
                let (known, value) = element.split_once(PAIR).or_else(|| element.split_once(sign))?;
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

fn packed<'a>(text: &'a str, name: &str, between: &str, sign: &str, ctx: &HelperContext<'a>) -> Option<Value<'a>> {
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
    Some(if whole.is_empty() { Value::text(value.trim()) } else { ctx.text(whole.trim()) })
}

#[cfg(test)]
mod tests {
    use crate::helper::testing::Bench;

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
