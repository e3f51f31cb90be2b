//! What manifests, mappings, rules and templates compile to, and how it runs on a batch of records.

mod arithmetic;
pub mod attribute;
pub mod columns;
pub mod compile;
pub mod condition;
pub mod decimal;
pub mod escape;
pub mod evaluate;
pub mod fallback;
pub mod feed;
pub mod graph;
pub mod lanes;
pub mod logged;
pub mod lower;
pub mod members;
pub mod names;
pub mod nearest;
pub mod oracle;
pub mod order;
pub mod path;
pub mod reading;
pub mod repeat;
pub mod table;
pub mod trace;

use crate::model::stock::Offer;

use graph::NodeId;

/// What values are computed from beside the batch in hand: joined sources, locations, formulas, the run's one moment.
#[derive(Default)]
pub struct Tables {
    /// The joined sources, by number.
    pub joined: Vec<table::Table>,
    /// The places where stock lies.
    pub locations: Vec<Location>,
    /// The salable formulas of the project's syncs.
    pub formulas: Vec<Formula>,
    /// What the `handlebars` crate renders.
    pub fallbacks: Vec<fallback::Fallback>,
    /// Number of the stock table.
    pub stock: Option<u32>,
    /// The location on a stock row.
    pub stock_location: Option<NodeId>,
    /// The run's one `now`.
    pub now: jiff::Timestamp,
}

/// A place where stock lies, with whatever the project says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// Our code for it.
    pub code: String,
    /// Further keys, `name` and `store_code` among them.
    pub keys: Vec<(String, String)>,
}

impl Location {
    /// What a key says, `""` when it is not there.
    pub fn key(&self, key: &str) -> &str {
        if key == "code" {
            return &self.code;
        }
        self.keys
            .iter()
            .find(|(name, _)| name == key)
            .map_or("", |(_, value)| value)
    }
}

/// How many units of a SKU one online location may sell: the formula of a sync.
#[derive(Clone, Debug)]
pub struct Formula {
    /// The stock table's number.
    pub table: u32,
    /// The row's quantity.
    pub quantity: NodeId,
    /// Units promised to orders, where the quantity still counts them.
    pub committed: Option<NodeId>,
    /// The row's location.
    pub location: NodeId,
    /// The locations that count, each with the number of its online location; empty is all, at one.
    pub locations: Vec<(String, usize)>,
    /// Units kept back at each location.
    pub safety_stock: i64,
    /// A column that says so instead.
    pub safety_stock_column: Option<NodeId>,
    /// What an online location shows.
    pub offer: Offer,
}

impl Formula {
    /// The number of the online location that one of ours belongs to; `None` where it takes no part.
    pub fn place(&self, location: &str) -> Option<usize> {
        if self.locations.is_empty() {
            return Some(0);
        }
        let found = self.locations.iter().find(|(code, _)| code == location);
        found.map(|(_, place)| *place)
    }
}
