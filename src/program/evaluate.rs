//! Runs the graph: the value of a node for the record in hand.
//!
//! An evaluator lives as long as a batch. Values borrow from the batch, the tables, the graph or the arena; what a record
//! was asked once is kept until the next record. It knows rows and products, not feeds.

mod calls;
mod lists;
mod rows;
mod value;

use std::cell::{Cell, RefCell};

use bumpalo::Bump;
use xxhash_rust::xxh3::xxh3_128;

use crate::catalog::Batch;
use crate::catalog::batch::Record;
use crate::helper::HelperContext;
use crate::model::value::Value;

use super::Tables;
use super::attribute::shared::Shared;
use super::graph::{Graph, NodeId};
use super::repeat::ALL;
use super::table::RowId;
pub(super) use value::trim;

/// Why a node has no value: the number of the [`Trouble`] that says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure(pub u32);

/// A node's value, or why there is none.
pub type Outcome<'a> = Result<Value<'a>, Failure>;

/// A computed attribute: its value, and whether it is written as it stands in its feed's format.
#[derive(Clone, Copy, Debug)]
pub struct Computed<'a> {
    /// The value.
    pub value: Value<'a>,
    /// True when escaping would change nothing.
    pub plain: bool,
}

impl Computed<'_> {
    /// Nothing.
    pub const ABSENT: Computed<'static> = Computed {
        value: Value::Absent,
        plain: true,
    };
}

impl<'a> From<Value<'a>> for Computed<'a> {
    fn from(value: Value<'a>) -> Self {
        Computed {
            value,
            plain: false,
        }
    }
}

/// A rule broken while a value was computed.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// The rule.
    pub rule: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// A cell that could not be read as what its column holds: a finding about the catalog.
#[derive(Clone, Debug)]
pub struct Misread {
    /// The rule, the message, the way out.
    pub trouble: Trouble,
    /// The SKU of the record in hand, where it has one.
    pub sku: Option<String>,
    /// The file's number.
    pub file: u32,
    /// The record's line.
    pub line: u64,
    /// The source's column.
    pub column: String,
}

/// The rows of the product in hand, in its batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Product {
    /// First row.
    pub start: usize,
    /// One past the last row.
    pub end: usize,
    /// The row that stands for the product.
    pub row: usize,
    /// Whether that row is not itself a variant.
    pub apart: bool,
}

#[derive(Clone, Copy)]
struct Place<'a> {
    batch: &'a Batch,
    row: usize,
    record: Record<'a>,
    /// Columns stand as they are numbered, and no cell is a list.
    usual: bool,
    /// A row other than the record's own: nothing is kept, nothing reported.
    elsewhere: bool,
    /// A row of a joined source: misread cells there are reported.
    joined: bool,
}

impl<'a> Place<'a> {
    #[inline]
    fn new(batch: &'a Batch, row: usize) -> Self {
        Place {
            batch,
            row,
            record: batch.record(row),
            usual: batch.order.is_empty() && !batch.lists,
            elsewhere: false,
            joined: false,
        }
    }

    fn elsewhere(self) -> Self {
        Place {
            elsewhere: true,
            ..self
        }
    }
}

#[derive(Clone, Copy)]
struct Frame<'a> {
    element: &'a str,
    index: usize,
    last: bool,
}

/// What a node came to, and for which record.
#[derive(Clone)]
struct Kept<'a> {
    stamp: Cell<u32>,
    outcome: Cell<Outcome<'a>>,
}

impl<'a> Kept<'a> {
    /// What it came to for the record of that stamp, where it was asked.
    #[inline]
    fn get(&self, stamp: u32) -> Option<Outcome<'a>> {
        (self.stamp.get() == stamp).then(|| self.outcome.get())
    }

    #[inline]
    fn set(&self, stamp: u32, outcome: Outcome<'a>) {
        self.stamp.set(stamp);
        self.outcome.set(outcome);
    }
}

/// Computes values of the records of one batch.
pub struct Evaluator<'a> {
    graph: &'a Graph,
    tables: &'a Tables,
    /// Where new text is put.
    pub arena: &'a Bump,
    contexts: &'a [HelperContext<'a>],
    kept: Vec<Kept<'a>>,
    stamp: Cell<u32>,
    joined: Vec<Cell<(u32, Option<RowId>)>>,
    batch: &'a Batch,
    place: Cell<Place<'a>>,
    home: Cell<usize>,
    sku: Cell<Option<NodeId>>,
    product: Cell<Product>,
    compared: Cell<(Product, usize)>,
    /// The product whose rows have stamps of their own, from this one on.
    settled: Cell<(Product, u32)>,
    /// The stamp that no row has had.
    fresh: Cell<u32>,
    /// The rows of which something was told.
    told: RefCell<Vec<usize>>,
    stock_row: Cell<Option<RowId>>,
    variants: RefCell<Vec<usize>>,
    location: Cell<Option<u32>>,
    frames: RefCell<Vec<Frame<'a>>>,
    attributes: Vec<Cell<Computed<'a>>>,
    shared: Vec<Cell<Shared<'a>>>,
    hashed: Cell<(usize, usize, u128)>,
    troubles: RefCell<Vec<Trouble>>,
    misread: RefCell<Vec<Misread>>,
}

impl<'a> Evaluator<'a> {
    /// An evaluator over a batch, with room for so many attributes.
    pub fn new(
        graph: &'a Graph,
        tables: &'a Tables,
        contexts: &'a [HelperContext<'a>],
        arena: &'a Bump,
        batch: &'a Batch,
        attributes: usize,
    ) -> Self {
        Evaluator {
            graph,
            tables,
            arena,
            contexts,
            kept: vec![
                Kept {
                    stamp: Cell::new(0),
                    outcome: Cell::new(Ok(Value::Absent)),
                };
                graph.len()
            ],
            stamp: Cell::new(1),
            joined: vec![Cell::new((0, None)); tables.joined.len()],
            place: Cell::new(Place::new(batch, 0)),
            home: Cell::new(0),
            batch,
            sku: Cell::new(None),
            product: Cell::new(Product::default()),
            compared: Cell::default(),
            settled: Cell::default(),
            fresh: Cell::new(1),
            told: RefCell::default(),
            stock_row: Cell::new(None),
            variants: RefCell::new(Vec::new()),
            location: Cell::new(None),
            frames: RefCell::new(Vec::new()),
            attributes: vec![Cell::new(Computed::ABSENT); attributes],
            shared: vec![Cell::new(Shared::NONE); graph.shared],
            hashed: Cell::default(),
            troubles: RefCell::new(Vec::new()),
            misread: RefCell::new(Vec::new()),
        }
    }

    /// Says which node is the record's SKU, for messages.
    pub fn set_sku(&self, sku: NodeId) {
        self.sku.set(Some(sku));
    }

    /// The SKU of the record in hand, wherever values are computed just now.
    fn home_sku(&self) -> Option<String> {
        let sku = self.sku.get()?;
        let home = Place::new(self.batch, self.home.get()).elsewhere();
        let before = self.place.replace(home);
        let text = self.text(sku).map(str::to_owned);
        self.place.set(before);
        text
    }

    /// Says that a product is known as it will stay: what is kept of one of its rows holds whenever that row is taken again.
    pub fn settle(&self, product: Product) {
        let first = self.fresh.get();
        self.settled.set((product, first));
        self.fresh
            .set(first + u32::try_from(product.end - product.start).unwrap_or(0));
    }

    /// Takes a row in hand. What was kept of another one is forgotten.
    pub fn select(&self, row: usize, product: Product) {
        self.place.set(Place::new(self.batch, row));
        self.home.set(row);
        self.product.set(product);
        let (settled, first) = self.settled.get();
        let stamp = match row.checked_sub(settled.start) {
            Some(at) if settled == product && row < settled.end => first + at as u32,
            _ => self.fresh.replace(self.fresh.get() + 1),
        };
        self.stamp.set(stamp);
        self.stock_row.set(None);
        self.location.set(None);
    }

    /// Holds the row in hand against the one compared before, of the same product: the watched columns whose cells differ,
    /// a bit each. All, where it is another product's.
    pub fn compare(&self, watched: &[u32]) -> u64 {
        let (place, product) = (self.place.get(), self.product.get());
        let (before, row) = self.compared.replace((product, place.row));
        if before != product || !place.usual {
            return ALL;
        }
        let other = self.batch.record(row);
        let (mut differ, mut bit) = (0, 1);
        for &column in watched {
            if !place.record.repeats(other, column) {
                differ |= bit;
            }
            bit <<= 1;
        }
        differ
    }

    /// Whether the row in hand is its product's last.
    pub fn ends_product(&self) -> bool {
        self.place.get().row + 1 == self.product.get().end
    }

    /// Whether nothing was told of the row in hand.
    pub fn is_untold(&self) -> bool {
        let told = self.told.borrow();
        told.is_empty() || told.binary_search(&self.home.get()).is_err()
    }

    /// Notes that something is told of the row in hand.
    #[cold]
    fn tell(&self) {
        let (mut told, row) = (self.told.borrow_mut(), self.home.get());
        if let Err(at) = told.binary_search(&row) {
            told.insert(at, row);
        }
    }

    /// The row in hand.
    pub fn row(&self) -> usize {
        self.place.get().row
    }

    /// Takes a stock row of the record in hand (or none).
    pub fn select_stock(&self, row: Option<RowId>) {
        self.stock_row.set(row);
    }

    /// Says which rows are the variants of the product in hand.
    pub fn set_variants(&self, rows: &[usize]) {
        let mut variants = self.variants.borrow_mut();
        variants.clear();
        variants.extend_from_slice(rows);
    }

    /// Takes a location in hand (or none).
    pub fn select_location(&self, location: Option<u32>) {
        self.location.set(location);
    }

    /// Sets a computed attribute of the item in hand.
    #[inline]
    pub fn set_attribute(&self, slot: u32, computed: Computed<'a>) {
        self.attributes[slot as usize].set(computed);
    }

    /// Where a computed attribute of the item in hand is put.
    #[inline]
    pub(super) fn slot(&self, slot: u32) -> &Cell<Computed<'a>> {
        &self.attributes[slot as usize]
    }

    /// The value of a computed attribute of the item in hand.
    #[inline]
    pub fn attribute(&self, slot: u32) -> Value<'a> {
        self.attributes[slot as usize].get().value
    }

    /// A computed attribute of the item in hand.
    #[inline]
    pub fn computed(&self, slot: u32) -> Computed<'a> {
        self.attributes[slot as usize].get()
    }

    /// What a group of attributes that compute alike has for the record in hand.
    #[inline]
    pub(super) fn shared(&self, group: u32) -> Option<Shared<'a>> {
        let shared = self.shared[group as usize].get();
        (shared.stamp == self.stamp.get()).then_some(shared)
    }

    /// Keeps it for them: the formats of which it is known whether they write it as it stands, and those that do.
    #[inline]
    pub(super) fn share(&self, group: u32, known: u8, plain: u8, value: Value<'a>) {
        self.shared[group as usize].set(Shared {
            stamp: self.stamp.get(),
            known,
            plain,
            value,
        });
    }

    /// The hash of a value's text. Most feeds ask for that of the same text, the SKU: it lies where it lay.
    pub(super) fn hash(&self, text: &'a str) -> u128 {
        let place = (text.as_ptr() as usize, text.len());
        let (at, length, hash) = self.hashed.get();
        if (at, length) == place {
            return hash;
        }
        let hash = xxh3_128(text.as_bytes());
        self.hashed.set((place.0, place.1, hash));
        hash
    }

    /// What went wrong, by a failure's number.
    pub fn trouble(&self, failure: Failure) -> Trouble {
        self.troubles.borrow()[failure.0 as usize].clone()
    }

    /// The cells misread since last asked.
    pub fn take_misread(&self) -> Vec<Misread> {
        if self.misread.borrow().is_empty() {
            Vec::new()
        } else {
            self.misread.take()
        }
    }

    /// The code of the location of the stock row in hand.
    pub fn stock_location_code(&self) -> Option<&'a str> {
        let table = self.tables.stock?;
        self.stock_row.get().and_then(|row| {
            self.at_joined(table, row, self.tables.stock_location?)
                .ok()?
                .as_text()
        })
    }

    /// The number of the location of the stock row in hand, where the project knows it.
    pub fn stock_location(&self) -> Option<u32> {
        let code = self.stock_location_code()?;
        let at = self
            .tables
            .locations
            .iter()
            .position(|location| location.code == code)?;
        u32::try_from(at).ok()
    }

    /// The stock rows a record has in a table.
    pub fn stock_rows(&self, table: u32, key: NodeId) -> Vec<RowId> {
        let tables = self.tables;
        let first = self.joined_row(table, key);
        std::iter::successors(first, |&row| tables.joined[table as usize].next(row)).collect()
    }

    /// A failure that says so.
    #[cold]
    pub fn fail(&self, rule: &'static str, message: String, hint: &str) -> Failure {
        let mut troubles = self.troubles.borrow_mut();
        troubles.push(Trouble {
            rule,
            message,
            hint: hint.to_owned(),
        });
        Failure(u32::try_from(troubles.len() - 1).unwrap_or(u32::MAX))
    }

    /// Tells something wrong with the record in hand that is no one feed's matter.
    #[cold]
    pub(super) fn report(&self, rule: &'static str, message: String, hint: &str, column: &str) {
        let place = self.place.get();
        if place.elsewhere {
            return;
        }
        self.tell();
        self.misread.borrow_mut().push(Misread {
            trouble: Trouble {
                rule,
                message,
                hint: hint.to_owned(),
            },
            sku: self.home_sku(),
            file: place.batch.file_of(place.row),
            line: place.batch.line(place.row),
            column: column.to_owned(),
        });
    }

    /// The pattern of a number.
    pub(super) fn pattern(&self, number: u32) -> &'a regex::Regex {
        &self.graph.patterns[number as usize]
    }

    /// The tables values are joined from.
    pub fn tables(&self) -> &'a Tables {
        self.tables
    }
}
