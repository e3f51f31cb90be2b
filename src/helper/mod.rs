//! The helpers that mappings and templates may call: small, pure, each in a file of its own with its page.
//!
//! A helper is written once, over [`Value`]s. The compiled program calls it directly; the `handlebars` crate calls the same
//! function through an adapter, so that both give the same bytes.

use std::cell::RefCell;
use std::collections::BTreeMap;

use bumpalo::Bump;

use crate::model::value::Value;

/// One helper: its name, its page and its function.
pub struct Helper {
    /// The name used in templates.
    pub name: &'static str,
    /// One line for `channel helpers`.
    pub summary: &'static str,
    /// How it is called, such as `{{truncate text 150 measure="characters"}}`.
    pub usage: &'static str,
    /// The page: what it does, each argument, at least one example, in Markdown.
    pub page: &'static str,
    /// Fewest and most positional arguments.
    pub arity: (usize, usize),
    /// Names of the named arguments it takes.
    pub named: &'static [&'static str],
    /// True when its result is in the document's own notation already and is printed without escaping.
    pub raw: bool,
    /// What it does.
    pub call: Call,
}

/// A helper's function.
pub type Call =
    for<'a> fn(&Arguments<'_, 'a>, &HelperContext<'a>) -> Result<Value<'a>, HelperError>;

/// What a helper was called with.
pub struct Arguments<'x, 'a> {
    /// The positional arguments in order; a number literal arrives as its text.
    pub positional: &'x [Value<'a>],
    /// The named arguments.
    pub named: &'x [(&'x str, Value<'a>)],
}

impl<'a> Arguments<'_, 'a> {
    /// The nth positional argument, absent when not given.
    pub fn get(&self, n: usize) -> Value<'a> {
        self.positional.get(n).copied().unwrap_or(Value::Absent)
    }

    /// A named argument, absent when not given.
    pub fn named(&self, name: &str) -> Value<'a> {
        self.named
            .iter()
            .find(|(n, _)| *n == name)
            .map_or(Value::Absent, |(_, value)| *value)
    }
}

/// What a helper may know beside its arguments: never the configuration, files or the network.
pub struct HelperContext<'a> {
    /// Where new text is put.
    pub arena: &'a Bump,
    /// The feed's currency, ISO 4217.
    pub currency: &'a str,
    /// The feed's language, BCP 47.
    pub language: &'a str,
    /// The shop's time zone, IANA.
    pub timezone: &'a str,
    /// Unit of bare weights in the catalog, such as `g`.
    pub weight_unit: &'a str,
    /// Unit of bare lengths in the catalog, such as `cm`.
    pub length_unit: &'a str,
    /// The mapping tables loaded for `map`, by the path written in the template.
    pub tables: &'a BTreeMap<String, crate::helper::map::Table>,
    /// Values that `map` found no row for, with how often: (table path, value).
    pub unmatched: &'a RefCell<BTreeMap<(String, String), u64>>,
}

impl<'a> HelperContext<'a> {
    /// Puts new text where it lives as long as the record; empty becomes absent.
    pub fn text(&self, text: &str) -> Value<'a> {
        Value::text(self.arena.alloc_str(text))
    }
}

/// Why a helper could not do its work on these arguments (`rule-helper` finding): lower case, no full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HelperError(pub String);

mod amount;
mod argument;
mod arithmetic;
pub mod barcode;
mod case;
mod cdata;
mod compare;
pub mod crate_adapter;
mod date;
pub(crate) mod entities;
pub mod json;
mod list;
pub mod map;
mod pick;
mod slug;
pub mod strip_html;
#[cfg(test)]
mod testing;
mod text;
pub mod truncate;
mod unit;

/// All helpers, in the order `channel helpers` prints them.
pub static HELPERS: &[&Helper] = &[
    &truncate::TRUNCATE,
    &strip_html::STRIP_HTML,
    &amount::MONEY,
    &amount::NUMBER,
    &date::DATE,
    &unit::UNIT,
    &case::UPPER,
    &case::LOWER,
    &case::TITLE_CASE,
    &text::REPLACE,
    &text::DEFAULT,
    &list::SPLIT,
    &list::JOIN,
    &list::FIRST,
    &pick::PICK,
    &pick::ZIP,
    &map::MAP,
    &slug::SLUG,
    &text::URL_ENCODE,
    &text::HASH,
    &json::JSON,
    &cdata::CDATA,
    &compare::EQ,
    &compare::NE,
    &compare::LT,
    &compare::LTE,
    &compare::GT,
    &compare::GTE,
    &compare::AND,
    &compare::OR,
    &compare::NOT,
    &arithmetic::ADD,
    &arithmetic::SUB,
    &arithmetic::MUL,
    &arithmetic::DIV,
    &arithmetic::ROUND,
    &barcode::BARCODE,
];

/// The helper of that name.
pub fn find(name: &str) -> Option<&'static Helper> {
    HELPERS.iter().copied().find(|helper| helper.name == name)
}
