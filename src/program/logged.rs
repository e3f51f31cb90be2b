//! What the log of a feed's items says of one item beside its bytes: price, availability, quantity, title, and what will
//! change by itself. Comes in: the record in hand and its computed attributes. Goes out: borrowed text for the log.

use jiff::{SignedDuration, Timestamp};

use crate::channel::manifest::{AttributeKind, AttributeLevel, Manifest};
use crate::model::value::Value;

use super::attribute::AttributeProgram;
use super::columns::{Columns, View};
use super::evaluate::{Evaluator, Product};
use super::graph::{Graph, Node, NodeId};

/// How far ahead changes that come by themselves are told.
pub const AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Where the log's values come from, for one feed.
pub struct LogProgram {
    /// The attribute that carries the price a buyer pays, by its slot and level.
    price: Option<(u32, AttributeLevel)>,
    current: NodeId,
    regular: NodeId,
    sale: NodeId,
    starts: NodeId,
    ends: NodeId,
    availability: NodeId,
    quantity: NodeId,
    title: NodeId,
}

/// What the log says of one item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logged<'a> {
    /// The price as the item carries it, else as the catalog has it.
    pub price: Option<&'a str>,
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
                .map(|attribute| (attribute.slot, attribute.level)),
            current: column("current_price"),
            regular: column("price"),
            sale: column("sale_price"),
            starts: column("sale_starts"),
            ends: column("sale_ends"),
            availability: column("availability"),
            quantity: column("salable"),
            title: column("title"),
        }
    }

    /// Reads the record in hand.
    pub fn read<'a>(&self, run: &Evaluator<'a>, now: Timestamp) -> Logged<'a> {
        let catalog_price = run.text(self.current);
        Logged {
            price: self
                .price
                .and_then(|(slot, _)| written(run.attribute(slot)))
                .or(catalog_price),
            catalog_price,
            availability: run.text(self.availability),
            quantity: run
                .text(self.quantity)
                .and_then(|text| text.parse().ok()),
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
            if let Some((slot, _)) = self.price {
                one.price = written(attribute(variant, slot)).or(one.catalog_price);
            }
            if variant == 0 {
                all = one;
                continue;
            }
            let dearer = match (one.catalog_price, all.catalog_price) {
                (Some(one), Some(all)) => crate::model::decimal::compare(one, all)
                    .is_some_and(std::cmp::Ordering::is_gt),
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

fn written(value: Value<'_>) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The attribute that carries what a buyer pays: its mapping names `current_price`, else `price`.
fn price_attribute(manifest: &Manifest) -> Option<&String> {
    let carries = |wanted: &str| {
        manifest.attributes.iter().find(|(_, attribute)| {
            let kind = matches!(
                attribute.kind,
                AttributeKind::Money
                    | AttributeKind::Decimal
                    | AttributeKind::Integer
                    | AttributeKind::Text
            );
            kind && attribute
                .value
                .as_deref()
                .is_some_and(|value| names(value, wanted))
        })
    };
    carries("current_price")
        .or_else(|| carries("price"))
        .map(|(name, _)| name)
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
        assert!(names("{{#if on_sale}}{{current_price}}{{/if}}", "current_price"));
        assert!(!names("{{money sale_price}}", "price"));
        assert!(!names("{{price.PLN}}", "price"));
        assert!(!names("the price of it: {{title}}", "current_price"));
    }

    #[test]
    fn the_price_of_each_built_in_channel_is_found() {
        for name in ["google-products", "meta-catalog", "ceneo", "heureka", "shelf-labels"] {
            let channel = crate::channel::load(None, name).unwrap();
            assert!(price_attribute(&channel.manifest).is_some(), "{name}");
        }
    }
}
