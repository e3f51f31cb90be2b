//! What one feed makes of one batch: bytes, items, and what is wrong.

use crate::program::attribute::Problem;
use crate::program::evaluate::Product;
use crate::program::lower::{LateNumber, Place};

/// Where and for whom a problem was found.
pub struct Reported {
    /// What is wrong.
    pub problem: Problem,
    /// The attribute's name.
    pub attribute: String,
    /// The record's SKU.
    pub sku: Option<String>,
    /// The record's row in the batch.
    pub row: usize,
}

/// A place in an item that only the writer can fill.
#[derive(Clone, Copy, Debug)]
pub struct Hole {
    /// Where in the feed's bytes.
    pub at: usize,
    /// What belongs there.
    pub fill: Fill,
}

/// What fills a hole.
#[derive(Clone, Copy, Debug)]
pub enum Fill {
    /// A number.
    Number(LateNumber),
    /// One of two ranges of the alternatives, by the item's place.
    Either {
        /// What is asked.
        place: Place,
        /// The bytes when it is so.
        then: (usize, usize),
        /// The bytes when it is not.
        otherwise: (usize, usize),
    },
}

/// One rendered item.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// Where its bytes end; they begin where the item before ended.
    pub end: usize,
    /// Where its holes end.
    pub holes: usize,
    /// Where the text of its unique attribute ends among the ids.
    pub id_end: usize,
    /// Hash of what must be unique, 0 when nothing must.
    pub unique: u128,
    /// Where what the log says of it ends.
    pub log_end: usize,
    /// Where the name of its own file ends among the names.
    pub name_end: usize,
    /// Where its place in the order ends among the keys.
    pub key_end: usize,
    /// Hash of the group it is in, where items are sorted.
    pub group: u64,
    /// Its row in the batch.
    pub row: usize,
}

/// What one feed made of one batch.
#[derive(Default)]
pub struct FeedOutput {
    /// The items' bytes, one after another; what lies behind the last item's end is none of them.
    pub bytes: Vec<u8>,
    /// The items.
    pub items: Vec<Item>,
    /// Places the writer fills.
    pub holes: Vec<Hole>,
    /// What may fill them.
    pub alternatives: Vec<u8>,
    /// The texts of the unique attribute, one after another; each item says where its own ends.
    pub ids: String,
    /// The names of the items' own files, one after another; each item says where its own ends.
    pub names: String,
    /// The items' places in the order, one after another; each item says where its own ends.
    pub keys: Vec<u8>,
    /// Records read, in the feed's kind of record.
    pub read: u64,
    /// Records the filter left out.
    pub filtered: u64,
    /// Records withheld.
    pub withheld: u64,
    /// Whether a value is not what its template needs there: the document may be broken.
    pub doubtful: bool,
    /// What is wrong with values.
    pub reported: Vec<Reported>,
    /// The items as templates see them, where that was asked for.
    pub described: Option<Vec<serde_json::Value>>,
    /// Where it is counted, 1 for each attribute that has a value, 0 for the others: item by item, in the attributes' order.
    pub fill: Vec<u8>,
    /// What the log says of the items, one after another; each item says where its own ends.
    pub log: Vec<u8>,
}

impl FeedOutput {
    /// How many bytes the items have.
    pub fn written(&self) -> usize {
        self.items.last().map_or(0, |item| item.end)
    }

    /// Empties it; buffers are kept, and the bytes in them, which the next items overwrite.
    pub fn clear(&mut self) {
        self.items.clear();
        self.holes.clear();
        self.alternatives.clear();
        self.ids.clear();
        self.names.clear();
        self.keys.clear();
        self.reported.clear();
        if let Some(described) = &mut self.described {
            described.clear();
        }
        self.fill.clear();
        self.log.clear();
        (self.read, self.filtered, self.withheld) = (0, 0, 0);
        self.doubtful = false;
    }
}

/// A product as it lies in the batch: its rows, and which of them are variants.
pub struct ProductRows<'r> {
    /// Its place.
    pub product: Product,
    /// The variants' rows.
    pub variants: &'r [usize],
}
