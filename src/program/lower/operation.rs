//! What a template does for one item, as a tree.

use handlebars::template::{Parameter, TemplateElement};
use serde_json::Value as Json;

use crate::program::escape::Escape;
use crate::program::graph::NodeId;

/// What a template does for one item, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Writes text as it stands.
    Literal(Box<str>),
    /// Writes a value, escaped.
    Print(NodeId, Escape),
    /// Writes a computed attribute, escaped.
    PrintAttribute(u32, Escape),
    /// Writes a value that must be of a kind where it stands; a document with another one is in doubt.
    Fitting(NodeId, Fit, Escape),
    /// One of two, by a test.
    If(NodeId, Vec<Operation>, Vec<Operation>),
    /// Something for each element of a list, or something else when it is empty.
    Each(NodeId, Vec<Operation>, Vec<Operation>),
    /// Something for each variant of the product in hand.
    Variants(Vec<Operation>),
    /// One of two, by the item's place among those written, which only the writer knows.
    Late(Place, Vec<Operation>, Vec<Operation>),
    /// A number that only the writer knows.
    LateNumber(LateNumber),
    /// Writes an attribute, its list joined by a separator, escaped.
    Joined(u32, Box<str>, Escape),
    /// Something that stands only with a product's first variant.
    OncePerProduct(Vec<Operation>),
}

/// What a value must be where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// A number, a boolean or null, as JSON writes it.
    Scalar,
    /// A JSON text with its quotes.
    Text,
}

/// What may be asked of an item's place in its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Whether it is the part's first.
    First,
    /// Whether it is the part's last.
    Last,
    /// Whether it is the part's first of its group.
    GroupFirst,
    /// Whether it is the part's last of its group.
    GroupLast,
}

/// Numbers that are known when an item is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LateNumber {
    /// The item's place in its part, from 0, plus so many.
    Index(u64),
    /// The part's number, from 1.
    Part,
    /// How many items the part has, so many times, plus so many; known in the tail.
    Items {
        /// What the count is multiplied by.
        times: u64,
        /// What is added then.
        plus: u64,
    },
}

/// Whether something in it waits for the writer.
pub(super) fn waits(operations: &[Operation]) -> bool {
    operations.iter().any(|operation| match operation {
        Operation::Late(..) | Operation::LateNumber(_) => true,
        Operation::If(_, then, otherwise) | Operation::Each(_, then, otherwise) => {
            waits(then) || waits(otherwise)
        }
        Operation::Variants(body) | Operation::OncePerProduct(body) => waits(body),
        _ => false,
    })
}

/// The count of items that `add` and `mul` reckon with, as what it is multiplied by and what is added; 0 times is a plain
/// number. `None` where something else than `feed.items` and whole numbers takes part.
pub(super) fn reckoned(helper: Option<&str>, parameters: &[Parameter]) -> Option<(u64, u64)> {
    let terms: Vec<(u64, u64)> = parameters.iter().map(term).collect::<Option<_>>()?;
    let (first, rest) = terms.split_first()?;
    rest.iter()
        .try_fold(*first, |(times, plus), &(by, more)| match helper? {
            "add" => Some((times.checked_add(by)?, plus.checked_add(more)?)),
            // Of two factors one is a plain number.
            "mul" if by == 0 => Some((times.checked_mul(more)?, plus.checked_mul(more)?)),
            "mul" if times == 0 => Some((plus.checked_mul(by)?, plus.checked_mul(more)?)),
            _ => None,
        })
}

fn term(parameter: &Parameter) -> Option<(u64, u64)> {
    match parameter {
        Parameter::Literal(Json::Number(number)) => Some((0, number.as_u64()?)),
        Parameter::Subexpression(inner) => match inner.as_element() {
            TemplateElement::Expression(inner) => reckoned(inner.name.as_name(), &inner.params),
            _ => None,
        },
        other => match other.as_name()? {
            "feed.items" | "this.feed.items" => Some((1, 0)),
            _ => None,
        },
    }
}

/// Literals side by side as one.
pub(super) fn merge_literals(operations: Vec<Operation>) -> Vec<Operation> {
    let mut merged: Vec<Operation> = Vec::new();
    for operation in operations {
        match (merged.last_mut(), operation) {
            (Some(Operation::Literal(before)), Operation::Literal(text)) => {
                *before = format!("{before}{text}").into()
            }
            (_, Operation::Literal(text)) if text.is_empty() => {}
            (_, other) => merged.push(other),
        }
    }
    merged
}
