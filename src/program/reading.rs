//! Cells to values: how a column's text is read as what the column holds.

use bumpalo::Bump;

use crate::catalog::columns::Kind;
use crate::model::value::{ELEMENT, PAIR, Value};

use super::evaluate::Trouble;

/// How one column of one source is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Our column, for messages.
    pub column: String,
    /// What its cells hold.
    pub kind: Kind,
    /// How numbers are written, BCP 47, where it was declared.
    pub locale: Option<String>,
    /// The currency of bare amounts, ISO 4217.
    pub currency: String,
    /// The zone of moments without an offset, IANA.
    pub timezone: String,
    /// Language of the texts, BCP 47.
    pub language: String,
    /// Unit of bare weights.
    pub weight_unit: String,
    /// Unit of bare lengths.
    pub length_unit: String,
    /// What separates the elements of a list in a cell, where it was declared.
    pub separator: Option<String>,
}

/// Reads a value, never absent; what is wrong with it comes beside what could be made of it.
pub fn read<'a>(reading: &Reading, value: Value<'a>, arena: &'a Bump) -> (Value<'a>, Option<Trouble>) {
    match reading.kind {
        Kind::Text | Kind::Identifier => (value, None),
        Kind::List => (list(reading, value, arena, "|"), None),
        Kind::Levels => (list(reading, value, arena, ">"), None),
        Kind::Pairs => (pairs(value, arena), None),
        _ => (value, None),
    }
}

/// A list from one cell: elements as they came, or the text split.
fn list<'a>(reading: &Reading, value: Value<'a>, arena: &'a Bump, usual: &str) -> Value<'a> {
    let Value::Text(text) = value else { return value };
    let separator = reading.separator.as_deref().unwrap_or(usual);
    if !text.contains(separator) {
        return Value::list(text.trim());
    }
    let mut encoded = bumpalo::collections::String::new_in(arena);
    for element in text.split(separator).map(str::trim).filter(|element| !element.is_empty()) {
        if !encoded.is_empty() {
            encoded.push(ELEMENT);
        }
        encoded.push_str(element);
    }
    Value::list(encoded.into_bump_str())
}

/// Names and values from one cell: `Colour: red; Size: M`.
fn pairs<'a>(value: Value<'a>, arena: &'a Bump) -> Value<'a> {
    let Value::Text(text) = value else { return value };
    let mut encoded = bumpalo::collections::String::new_in(arena);
    for element in text.split(['|', ';', '\n']).map(str::trim).filter(|element| !element.is_empty()) {
        let (name, value) = element.split_once([':', '=']).unwrap_or((element, ""));
        if !encoded.is_empty() {
            encoded.push(ELEMENT);
        }
        encoded.push_str(name.trim());
        encoded.push(PAIR);
        encoded.push_str(value.trim());
    }
    Value::list(encoded.into_bump_str())
}
