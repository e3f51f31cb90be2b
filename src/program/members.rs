//! JSON from attribute names: `offers.price`, `image[]`, `variants[].sku` become objects, arrays and members.
//!
//! Absent members are left out, and objects without members with them. Decimals and integers are number literals of
//! their exact text.

use crate::channel::manifest::AttributeKind;
use crate::model::value::{PAIR, Value, pair};

use super::escape::Escape;

/// The shape of a JSON document.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// An object: names and what stands under them.
    Object(Vec<(String, Shape)>),
    /// One value.
    Value(u32, AttributeKind),
    /// An array of a list's elements.
    List(u32, AttributeKind),
    /// An array of objects, one member each from lists of the same length.
    Zipped(Vec<(String, u32, AttributeKind)>),
    /// An array of the product's variants.
    Variants(Box<Shape>),
}

impl Shape {
    /// The shape of attributes by their names: (name, slot, kind).
    pub fn of<'n>(attributes: impl Iterator<Item = (&'n str, u32, AttributeKind)>) -> Shape {
        let mut root = Shape::Object(Vec::new());
        for (name, slot, kind) in attributes {
            root.insert(name, slot, kind);
        }
        root
    }

    fn insert(&mut self, path: &str, slot: u32, kind: AttributeKind) {
        let (head, rest) = match path.split_once('.') {
            Some((head, rest)) => (head, Some(rest)),
            None => (path, None),
        };
        let Shape::Object(members) = self else { return };
        let at = |members: &mut Vec<(String, Shape)>, name: &str, make: Shape| -> usize {
            members
                .iter()
                .position(|(known, _)| known == name)
                .unwrap_or_else(|| {
                    members.push((name.to_owned(), make));
                    members.len() - 1
                })
        };
        match (head.strip_suffix("[]"), rest) {
            (Some("variants"), Some(rest)) => {
                let index = at(
                    members,
                    "variants",
                    Shape::Variants(Box::new(Shape::Object(Vec::new()))),
                );
                if let Shape::Variants(inner) = &mut members[index].1 {
                    inner.insert(rest, slot, kind);
                }
            }
            (Some(name), Some(rest)) => {
                let index = at(members, name, Shape::Zipped(Vec::new()));
                if let Shape::Zipped(columns) = &mut members[index].1 {
                    columns.push((rest.to_owned(), slot, kind));
                }
            }
            (Some(name), None) => members.push((name.to_owned(), Shape::List(slot, kind))),
            (None, Some(rest)) => {
                let index = at(members, head, Shape::Object(Vec::new()));
                members[index].1.insert(rest, slot, kind);
            }
            (None, None) => members.push((head.to_owned(), Shape::Value(slot, kind))),
        }
    }
}

/// Writes one value as JSON.
pub fn write_value(value: Value<'_>, kind: AttributeKind, out: &mut Vec<u8>) {
    match value {
        Value::Absent => out.extend_from_slice(b"null"),
        Value::Bool(yes) => out.extend_from_slice(if yes { b"true" } else { b"false" }),
        Value::Text(text) => write_text(text, kind, out),
        Value::List(list) => {
            out.push(b'[');
            for (index, element) in list.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_element(element, kind, out);
            }
            out.push(b']');
        }
    }
}

/// Writes an element of a list: a pair as an object with `name` and `value`.
pub fn write_element(element: &str, kind: AttributeKind, out: &mut Vec<u8>) {
    if !element.contains(PAIR) {
        return write_text(element, kind, out);
    }
    let (name, value) = pair(element);
    out.extend_from_slice(b"{\"name\":\"");
    Escape::Json.write(name, out);
    out.extend_from_slice(b"\",\"value\":\"");
    Escape::Json.write(value, out);
    out.extend_from_slice(b"\"}");
}

fn write_text(text: &str, kind: AttributeKind, out: &mut Vec<u8>) {
    let literal =
        matches!(kind, AttributeKind::Decimal | AttributeKind::Integer) && is_json_number(text);
    if literal {
        out.extend_from_slice(text.as_bytes());
    } else {
        out.push(b'"');
        Escape::Json.write(text, out);
        out.push(b'"');
    }
}

/// JSON allows no leading zeros, no bare point.
pub(super) fn is_json_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole) && all_digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_a_shape() {
        let kinds = AttributeKind::Text;
        let shape = Shape::of(
            [
                ("id", 0, kinds),
                ("offers.price", 1, kinds),
                ("image[]", 2, kinds),
                ("offers.currency", 3, kinds),
            ]
            .into_iter(),
        );
        let Shape::Object(members) = shape else {
            panic!("an object")
        };
        assert_eq!(
            members
                .iter()
                .map(|(name, _)| name.as_str())
                .collect::<Vec<_>>(),
            ["id", "offers", "image"]
        );
        assert_eq!(
            members[1].1,
            Shape::Object(vec![
                ("price".to_owned(), Shape::Value(1, kinds)),
                ("currency".to_owned(), Shape::Value(3, kinds))
            ])
        );
    }

    #[test]
    fn numbers_are_literals_only_where_json_allows() {
        let written = |text: &str| {
            let mut out = Vec::new();
            write_value(Value::Text(text), AttributeKind::Decimal, &mut out);
            String::from_utf8(out).expect("UTF-8")
        };
        assert_eq!(written("12.340"), "12.340");
        assert_eq!(written("007"), "\"007\"");
        assert_eq!(written("-0.5"), "-0.5");
    }
}
