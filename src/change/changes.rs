//! What differs between two versions of a feed, as numbers and as lists of the worst.

use rust_decimal::Decimal;

use crate::model::availability::Availability;

/// One version of a feed as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stand {
    /// Items.
    pub items: u64,
    /// Bytes before compression.
    pub bytes: u64,
    /// The format's word in the manifest.
    pub format: String,
    /// Its currency, ISO 4217.
    pub currency: String,
    /// Language of its texts, BCP 47.
    pub language: String,
}

/// What differs between the version that stands at the channel and the one made now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// What stands there; none on a first publication.
    pub before: Option<Stand>,
    /// What was made now.
    pub after: Stand,
    /// Exact counts.
    pub counts: Counts,
    /// Items that come, the most valuable first.
    pub added: Listed<ListedItem>,
    /// Items that go, the most valuable first.
    pub removed: Listed<ListedItem>,
    /// Items that change, the most harmful first: price moves, going out of stock, stock moves, others.
    pub changed: Listed<ItemChange>,
    /// Which fields change, the most frequent first.
    pub fields: Vec<FieldGroup>,
    /// One in so many changed items was read for `fields`; 1 is all of them.
    pub fields_stride: u64,
    /// Whether something around the items changes.
    pub document_changed: bool,
    /// Attribute by attribute, the items with a value.
    pub fill: Vec<FillChange>,
    /// Prices that change by themselves soon, the next first.
    pub upcoming: Listed<Upcoming>,
    /// What counts as a far move of a price, as a share of the old one.
    pub price_by: Decimal,
}

impl Changes {
    /// Whether this is a first publication.
    pub fn first(&self) -> bool {
        self.before.is_none()
    }

    /// Whether nothing would change at the channel: no item, and nothing around them.
    pub fn is_nothing(&self) -> bool {
        let counts = &self.counts;
        !self.first()
            && counts.added == 0
            && counts.removed == 0
            && counts.changed == 0
            && !self.document_changed
    }
}

/// Exact counts of items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Items that were not there.
    pub added: u64,
    /// Items that are no longer there.
    pub removed: u64,
    /// Items whose bytes differ.
    pub changed: u64,
    /// Items whose bytes are the same, wherever they stand.
    pub unchanged: u64,
    /// Removed items that come back under another id: the same SKU, or where that went too the same title and price.
    pub ids_changed: u64,
    /// Items in both versions whose price can be compared.
    pub priced: u64,
    /// Of them, those whose price moves.
    pub price_moves: u64,
    /// Of them, those whose price moves by more than [`Changes::price_by`].
    pub price_moves_far: u64,
    /// The sum of money at stake in price moves whose stock is known.
    pub at_stake: Decimal,
    /// Items in both versions that could be bought before.
    pub buyable: u64,
    /// Of them, those that no longer can.
    pub going_out: u64,
    /// Items whose quantity differs.
    pub stock_moves: u64,
    /// Items whose currency differs.
    pub currency_changes: u64,
    /// Items of the new version with a price.
    pub with_price: u64,
    /// Of them, those with a price of zero or less.
    pub zero_prices: u64,
}

/// The worst of a kind, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// The worst, at most a stated number.
    pub items: Vec<T>,
    /// All.
    pub total: u64,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Listed {
            items: Vec::new(),
            total: 0,
        }
    }
}

impl<T> Listed<T> {
    /// How many are not listed.
    pub fn more(&self) -> u64 {
        self.total.saturating_sub(self.items.len() as u64)
    }
}

/// An item that comes or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedItem {
    /// What names it at the channel.
    pub id: String,
    /// Its SKU.
    pub sku: String,
    /// Its title, cut.
    pub title: String,
    /// Its price, an exact decimal.
    pub price: Option<String>,
    /// The price's currency.
    pub currency: String,
    /// Whether it can be bought.
    pub availability: Option<Availability>,
    /// Units.
    pub quantity: Option<i64>,
    /// Whether its SKU goes on under another id.
    pub id_changed: bool,
}

/// An item that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemChange {
    /// What names it at the channel.
    pub id: String,
    /// Its SKU.
    pub sku: String,
    /// Its title now, cut.
    pub title: String,
    /// Its currency now.
    pub currency: String,
    /// How its price moves.
    pub price: Option<PriceMove>,
    /// How its stock moves.
    pub stock: Option<StockMove>,
    /// Whether and how it could be bought.
    pub availability_before: Option<Availability>,
    /// Whether and how it can be bought now.
    pub availability: Option<Availability>,
    /// Whether it could be bought and no longer can.
    pub going_out: bool,
    /// What differs, as its rendered bytes say it.
    pub fields: Vec<FieldChange>,
    /// How many fields more differ.
    pub fields_more: u64,
}

/// How a price moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceMove {
    /// Before.
    pub old: Decimal,
    /// Now.
    pub new: Decimal,
    /// The move as a share of the old price, signed; none from zero.
    pub share: Option<Decimal>,
    /// The size of the move times the units in stock; none where those are unknown.
    pub at_stake: Option<Decimal>,
}

/// How stock moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockMove {
    /// Units before.
    pub old: i64,
    /// Units now.
    pub new: i64,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Its path: elements in XML, the column, a JSON pointer, a line.
    pub field: String,
    /// What stood there; none where it was not there.
    pub old: Option<String>,
    /// What stands there now; none where it is no longer there.
    pub new: Option<String>,
}

/// Changes of one field over all items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldGroup {
    /// Its path, without the places of repeats.
    pub field: String,
    /// Items read in which it differs.
    pub items: u64,
    /// Of them, those that lost their value.
    pub emptied: u64,
    /// Of them, those that had none.
    pub filled: u64,
    /// A few of them.
    pub examples: Vec<Example>,
    /// A few of those that lost their value.
    pub emptied_ids: Vec<String>,
}

/// An example of a field's change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The item's id.
    pub id: String,
    /// What differs.
    pub change: FieldChange,
}

/// How many items have a value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FillChange {
    /// The attribute.
    pub attribute: String,
    /// Items with a value before.
    pub before: u64,
    /// Items with a value now.
    pub after: u64,
}

/// A price that changes by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upcoming {
    /// What names the item at the channel.
    pub id: String,
    /// Its SKU.
    pub sku: String,
    /// Its title, cut.
    pub title: String,
    /// From when, in seconds since 1970 UTC.
    pub at: i64,
    /// The price now, an exact decimal.
    pub price: Option<String>,
    /// The price then, an exact decimal.
    pub then: String,
    /// The currency.
    pub currency: String,
}
