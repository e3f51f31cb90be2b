//! What a gate is called, and what it says when it trips.

use rust_decimal::Decimal;

use crate::program::nearest::near;

/// A gate, by the name in `[feed.gate]` and `--allow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gate {
    /// No items.
    Empty,
    /// Another currency.
    Currency,
    /// Another language.
    Language,
    /// Too many items go.
    Removed,
    /// Too many items come.
    Added,
    /// Too many items come back under another id.
    IdsChanged,
    /// Too many prices move far.
    PriceMoved,
    /// Too many items can no longer be bought.
    GoingOutOfStock,
    /// An attribute loses too many values.
    FillDrop,
    /// The feed is much larger or smaller.
    Bytes,
    /// Prices of zero, on a first publication.
    FirstPrice,
    /// An attribute that hardly any item has, on a first publication.
    FirstFill,
}

impl Gate {
    /// All gates, in the order in which they are judged.
    pub const ALL: [Gate; 12] = [
        Gate::Empty,
        Gate::Currency,
        Gate::Language,
        Gate::PriceMoved,
        Gate::FirstPrice,
        Gate::Removed,
        Gate::GoingOutOfStock,
        Gate::IdsChanged,
        Gate::FillDrop,
        Gate::FirstFill,
        Gate::Added,
        Gate::Bytes,
    ];

    /// Its name in `[feed.gate]` and `--allow`.
    pub fn as_str(self) -> &'static str {
        match self {
            Gate::Empty => "empty",
            Gate::Currency => "currency",
            Gate::Language => "language",
            Gate::Removed => "removed",
            Gate::Added => "added",
            Gate::IdsChanged => "ids_changed",
            Gate::PriceMoved => "price_moved",
            Gate::GoingOutOfStock => "going_out_of_stock",
            Gate::FillDrop => "fill_drop",
            Gate::Bytes => "bytes",
            Gate::FirstPrice => "first_price",
            Gate::FirstFill => "first_fill",
        }
    }

    /// The gate of a name, for `--allow`.
    ///
    /// # Errors
    /// The hint for a name that is none: the near miss, or all names.
    pub fn parse(name: &str) -> Result<Gate, String> {
        let names = || Gate::ALL.iter().map(|gate| gate.as_str());
        Gate::ALL
            .into_iter()
            .find(|gate| gate.as_str() == name)
            .ok_or_else(|| {
                let all = names().map(|name| format!("`{name}`")).collect::<Vec<_>>();
                near(name, names()).unwrap_or_else(|| format!("the gates are {}", all.join(", ")))
            })
    }
}

/// A gate that stops a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tripped {
    /// Which.
    pub gate: Gate,
    /// What it found: lower case, no full stop.
    pub message: String,
    /// How many items it concerns.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// The share found, 0.1 is 10 %; none where it is no share.
    pub share: Option<Decimal>,
    /// The limit, 0.1 is 10 %; none where any is too much.
    pub limit: Option<Decimal>,
    /// The worst items, by id with what happens to them.
    pub items: Vec<NamedItem>,
    /// What to do, with the override for one run.
    pub hint: String,
}

/// An item that a verdict names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedItem {
    /// Its id at the channel.
    pub id: String,
    /// What happens to it; may be empty.
    pub what: String,
}
