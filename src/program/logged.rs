//! What the log of a feed's items says of one item beside its bytes: price, availability, quantity, title, and what will
//! change by itself. Comes in: the record in hand and its computed attributes. Goes out: borrowed text for the log.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use crate::channel::manifest::{AttributeKind, Manifest};
use crate::model::currency;
use crate::model::value::Value;

use super::attribute::AttributeProgram;
use super::columns::{Columns, View};
use super::evaluate::{Evaluator, Product};
use super::graph::{Graph, Node, NodeId};

/// How far ahead changes that come by themselves are told.
pub const AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Where the log's values come from, for one feed.
pub struct LogProgram {
    /// The attribute that carries the price, by its slot.
    price: Option<u32>,
    /// The attribute that carries a sale beside it, by its slot.
    sale_attribute: Option<u32>,
    current: NodeId,
    regular: NodeId,
    sale: NodeId,
    starts: NodeId,
    ends: NodeId,
    availability: NodeId,
    quantity: NodeId,
    title: NodeId,
    /// Decimals of the feed's currency.
    exponent: u8,
}

/// What the log says of one item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logged<'a> {
    /// The price as the item carries it, else as the catalog has it: exact decimal text.
    pub price: Option<Cow<'a, str>>,
    /// The price as the catalog has it, exact decimal text.
    pub catalog_price: Option<&'a str>,
    /// `in_stock out_of_stock preorder backorder`.
    pub availability: Option<&'a str>,
    /// Units that may be sold.
    pub quantity: Option<i64>,
    /// The catalog's title in the feed's language.
    pub title: Option<&'a str>,
    /// When the price will change by itself within [`AHEAD`], and to what.
    pub upcoming: Option<(Timestamp, &'a str)>,
}

impl LogProgram {
    /// Finds the columns in a feed's view, and the attribute that carries its price: the first whose mapping names
    /// `current_price`, else `price`.
    pub fn new(
        graph: &mut Graph,
        columns: &mut Columns<'_>,
        view: &View,
        manifest: &Manifest,
        attributes: &[AttributeProgram],
    ) -> Self {
        let mut column = |name: &str| {
            columns
                .column(graph, view, name)
                .unwrap_or_else(|| graph.add(Node::Absent))
        };
        LogProgram {
            price: price_attribute(manifest)
                .and_then(|name| attributes.iter().find(|attribute| attribute.name == *name))
                .map(|attribute| attribute.slot),
            sale_attribute: sale_attribute(manifest)
                .and_then(|name| attributes.iter().find(|attribute| attribute.name == *name))
                .map(|attribute| attribute.slot),
            current: column("current_price"),
            regular: column("price"),
            sale: column("sale_price"),
            starts: column("sale_starts"),
            ends: column("sale_ends"),
            availability: column("availability"),
            quantity: column("salable"),
            title: column("title"),
            exponent: currency::exponent(&view.currency),
        }
    }

    /// Reads the record in hand.
    pub fn read<'a>(&self, run: &Evaluator<'a>, now: Timestamp) -> Logged<'a> {
        let catalog_price = run.text(self.current);
        Logged {
            price: self.paid(run, catalog_price, |slot| run.attribute(slot)),
            catalog_price,
            availability: run.text(self.availability),
            quantity: run.text(self.quantity).and_then(|text| text.parse().ok()),
            title: run.text(self.title),
            upcoming: self.upcoming(run, now),
        }
    }

    /// Reads a whole product: the dearest of its variants stands for its price, its quantity is their sum, and it can be
    /// had when one of them can. `prices` are the variants' own price attributes, where the price is one of theirs.
    pub fn read_product<'a>(
        &self,
        run: &Evaluator<'a>,
        now: Timestamp,
        rows: &[usize],
        product: Product,
        attribute: impl Fn(usize, u32) -> Value<'a>,
    ) -> Logged<'a> {
        let mut all = Logged::default();
        for (variant, &row) in rows.iter().enumerate() {
            run.select(row, product);
            let mut one = self.read(run, now);
            one.price = self.paid(run, one.catalog_price, |slot| attribute(variant, slot));
            if variant == 0 {
                all = one;
                continue;
            }
            let dearer = match (one.catalog_price, all.catalog_price) {
                (Some(one), Some(all)) => {
                    crate::model::decimal::compare(one, all).is_some_and(std::cmp::Ordering::is_gt)
                }
                (one, all) => one.is_some() && all.is_none(),
            };
            if dearer {
                (all.price, all.catalog_price) = (one.price, one.catalog_price);
            }
            all.quantity = match (all.quantity, one.quantity) {
                (Some(all), Some(one)) => Some(all.saturating_add(one)),
                (all, one) => all.or(one),
            };
            if all.availability != Some("in_stock") && one.availability.is_some() {
                all.availability = one.availability;
            }
            all.upcoming = [all.upcoming, one.upcoming]
                .into_iter()
                .flatten()
                .min_by_key(|(at, _)| *at);
        }
        all
    }

    /// What a buyer pays by what the item says: its sale while one is on and it carries one, else its price, else what the
    /// catalog has.
    fn paid<'a>(
        &self,
        run: &Evaluator<'a>,
        catalog: Option<&'a str>,
        attribute: impl Fn(u32) -> Value<'a>,
    ) -> Option<Cow<'a, str>> {
        let on_sale = catalog.is_some() && run.text(self.regular) != catalog;
        let sale = self
            .sale_attribute
            .filter(|_| on_sale)
            .and_then(|slot| self.written(attribute(slot), catalog));
        let price = || self.written(attribute(self.price?), catalog);
        sale.or_else(price).or(catalog.map(Cow::Borrowed))
    }

    /// The amount that an attribute carries. Whole minor units of the catalog's price are that price.
    fn written<'a>(&self, value: Value<'a>, catalog: Option<&'a str>) -> Option<Cow<'a, str>> {
        let Value::Text(text) = value else {
            return None;
        };
        let amount = amount(text, self.exponent)?;
        if self.exponent > 0
            && !amount.contains('.')
            && let Some(catalog) = catalog
            && minor_units(catalog, self.exponent).is_some_and(|minor| minor == *amount)
        {
            return Some(Cow::Borrowed(catalog));
        }
        Some(amount)
    }

    fn upcoming<'a>(&self, run: &Evaluator<'a>, now: Timestamp) -> Option<(Timestamp, &'a str)> {
        let sale = run.text(self.sale)?;
        let soon = |node| {
            let at: Timestamp = run.text(node)?.parse().ok()?;
            (at > now && at.duration_since(now) <= AHEAD).then_some(at)
        };
        if let Some(starts) = soon(self.starts) {
            return Some((starts, sale));
        }
        let begun = run
            .text(self.starts)
            .and_then(|text| text.parse::<Timestamp>().ok())
            .is_none_or(|at| at <= now);
        let ends = soon(self.ends).filter(|_| begun)?;
        Some((ends, run.text(self.regular)?))
    }
}

/// The amount in a text that a channel is given, such as `1 234,50 zł` or `THB 2,612.00`, as a plain decimal. A lone
/// separator before exactly three digits groups them where the currency does not have three decimals.
fn amount(text: &str, exponent: u8) -> Option<Cow<'_, str>> {
    let digit = |letter: char| letter.is_ascii_digit();
    let (from, to) = (text.find(digit)?, text.rfind(digit)? + 1);
    let number = text.get(from..to)?;
    let Some(last) = number.rfind(['.', ',']) else {
        if number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Cow::Borrowed(number));
        }
        return digits(number).map(Cow::Owned);
    };
    let (whole, decimals) = (number.get(..last)?, number.get(last + 1..)?);
    let separator = number.get(last..=last)?;
    let groups = decimals.len() == 3 && exponent != 3 || whole.contains(separator);
    if groups {
        return digits(number).map(Cow::Owned);
    }
    if separator == "." && whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Cow::Borrowed(number));
    }
    let decimals = digits(decimals)?;
    Some(Cow::Owned(format!("{}.{decimals}", digits(whole)?)))
}

/// The digits of a grouped number; `None` where something else stands among them.
fn digits(number: &str) -> Option<String> {
    number
        .chars()
        .filter(|letter| !matches!(letter, '.' | ',' | ' ' | '\u{a0}' | '\u{202f}' | '\''))
        .map(|letter| letter.is_ascii_digit().then_some(letter))
        .collect()
}

/// A plain decimal in whole minor units; `None` where it has more decimals than its currency.
fn minor_units(amount: &str, exponent: u8) -> Option<String> {
    let exponent = usize::from(exponent);
    let (whole, decimals) = amount.split_once('.').unwrap_or((amount, ""));
    let decimals = decimals.trim_end_matches('0');
    if decimals.len() > exponent {
        return None;
    }
    let minor = format!("{whole}{decimals:0<exponent$}");
    Some(minor.trim_start_matches('0').to_owned())
}

/// The attribute that carries what a buyer pays: its mapping names `current_price`, else `price`.
fn price_attribute(manifest: &Manifest) -> Option<&String> {
    carries(manifest, "current_price").or_else(|| carries(manifest, "price"))
}

/// The attribute that carries a sale beside the price.
fn sale_attribute(manifest: &Manifest) -> Option<&String> {
    carries(manifest, "sale_price")
}

/// The first attribute for amounts whose mapping names a column.
fn carries<'m>(manifest: &'m Manifest, column: &str) -> Option<&'m String> {
    let found = manifest.attributes.iter().find(|(_, attribute)| {
        let mapping = attribute.value.as_deref().unwrap_or("");
        let amount = match attribute.kind {
            AttributeKind::Money | AttributeKind::Decimal | AttributeKind::Integer => true,
            AttributeKind::Text => mapping.contains("money ") || mapping.contains("number "),
            _ => false,
        };
        amount && names(mapping, column)
    });
    found.map(|(name, _)| name)
}

/// Whether a mapping names a column, as a word of its own.
fn names(mapping: &str, column: &str) -> bool {
    mapping
        .split(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '.'))
        .any(|word| word == column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_named_as_a_word() {
        assert!(names("{{money price}}", "price"));
        assert!(names(
            "{{#if on_sale}}{{current_price}}{{/if}}",
            "current_price"
        ));
        assert!(!names("{{money sale_price}}", "price"));
        assert!(!names("{{price.PLN}}", "price"));
        assert!(!names("the price of it: {{title}}", "current_price"));
    }

    #[test]
    fn amounts_are_read_as_channels_are_given_them() {
        for (text, exponent, want) in [
            ("12.34 USD", 2, Some("12.34")),
            ("THB 2,612.00", 2, Some("2612.00")),
            ("1 234,50 zł", 2, Some("1234.50")),
            ("1.234,50", 2, Some("1234.50")),
            ("3.609.000 ₫", 0, Some("3609000")),
            ("3.609", 0, Some("3609")),
            ("1.234", 3, Some("1.234")),
            ("1234", 2, Some("1234")),
            ("-", 2, None),
            ("12x34", 2, None),
        ] {
            assert_eq!(amount(text, exponent).as_deref(), want, "{text}");
        }
        assert_eq!(minor_units("12.3", 2).as_deref(), Some("1230"));
        assert_eq!(minor_units("0.05", 2).as_deref(), Some("5"));
        assert_eq!(minor_units("1.234", 2), None);
    }

    #[test]
    fn the_price_of_each_built_in_channel_is_found() {
        for name in [
            "google-products-tsv",
            "google-products",
            "meta-catalog",
            "ceneo",
            "heureka",
            "shelf-labels",
        ] {
            let channel = crate::channel::load(None, name).unwrap();
            assert!(price_attribute(&channel.manifest).is_some(), "{name}");
        }
    }
}
