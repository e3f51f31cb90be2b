//! What sync speaks of: pairs of place and SKU, what was observed of them, what is wanted, known and on its way.
//!
//! Quantities are whole units. *Ticks* are the state's logical clock: its number of commits. They order what we know of the
//! store against what we read in the shops, whatever the machine's clock does.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A SKU at an online location.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pair {
    /// The store's name of the location; empty where the store has one stock.
    pub place: String,
    /// The SKU.
    pub sku: String,
}

impl Pair {
    /// A pair.
    pub fn new(place: impl Into<String>, sku: impl Into<String>) -> Self {
        Pair {
            place: place.into(),
            sku: sku.into(),
        }
    }
}

/// What orders two observations of the same thing: the source's own word, never our clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mark {
    /// The source gives none: rows of a whole reading replace those of an earlier one.
    #[default]
    None,
    /// A number that only grows.
    Sequence(i64),
    /// A time, in microseconds since 1970 UTC, and what parts equal ones.
    Time {
        /// Microseconds since 1970 UTC.
        micros: i64,
        /// The tie-break; empty where there is none.
        tie: String,
    },
}

impl Mark {
    /// Whether an observation with this mark may stand over one with `other`. Equal marks may: repeats change nothing. Marks
    /// of different kinds say nothing about each other: the one that is read now stands.
    pub fn may_replace(&self, other: &Mark) -> bool {
        match (self, other) {
            (Mark::Sequence(new), Mark::Sequence(old)) => new >= old,
            (
                Mark::Time { micros: new, tie },
                Mark::Time {
                    micros: old,
                    tie: old_tie,
                },
            ) => (new, tie) >= (old, old_tie),
            _ => true,
        }
    }
}

/// What a source says of one SKU at one of our locations. Absent is not zero: a count that the row does not give is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Our location's code; empty where the source has none.
    pub location: String,
    /// The SKU.
    pub sku: String,
    /// The count of the source's basis: units on hand, available or salable. Fractions are floored, negatives kept.
    pub quantity: Option<i64>,
    /// Units promised to orders that `quantity` still counts; basis on hand only.
    pub committed: Option<i64>,
    /// Units to keep back, where a column says so.
    pub safety_stock: Option<i64>,
    /// What orders it.
    pub mark: Mark,
}

/// What the state calls a sync's own reading of a source: syncs that read the same source each have their position in it, and
/// their last values.
pub fn reading(sync: &str, source: &str) -> String {
    format!("{sync}: {source}")
}

/// How far a source was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The tick before the last whole reading began.
    pub read_at: u64,
    /// When that was, for people.
    pub time: Timestamp,
    /// The cursor's value, exactly as the source wrote it; empty for sources that are read whole.
    pub cursor: String,
    /// Rows that the last whole reading gave.
    pub rows: u64,
    /// A digest of what was read: the same again changes nothing. Of a file drop: of the last file taken.
    pub digest: String,
    /// Whether that reading proved that it was whole: an end mark or a declared count. Only then can absence mean anything.
    pub proven: bool,
    /// Names and digests of files already taken, newest last, at most 1,000.
    pub files: Vec<(String, String)>,
}

/// What the store should say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Units.
    pub quantity: i64,
    /// Grows with each decision for the pair.
    pub version: u64,
    /// The tick before the reading began that it comes from.
    pub observed_at: u64,
}

/// What the store says, as far as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Units.
    pub quantity: i64,
    /// The version that the store accepted; 0 where it was only read.
    pub version: u64,
    /// The tick when we knew.
    pub at: u64,
}

/// How a pair stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It is kept in step.
    #[default]
    Open,
    /// The store does not know the SKU, or knows it twice.
    Stranger {
        /// Which.
        reason: String,
    },
    /// The store knows the SKU and does not stock it there.
    NotStocked,
    /// It failed for good; a person decides.
    Dead {
        /// The store's code.
        code: String,
        /// Its words, cleaned.
        message: String,
        /// Since when.
        since: Timestamp,
    },
}

/// All that is known of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// The pair.
    pub pair: Pair,
    /// The sync that keeps it.
    pub sync: String,
    /// What the store should say; absent while no source says.
    pub wanted: Option<Wanted>,
    /// What it says.
    pub known: Option<Known>,
    /// The batch it is on its way with.
    pub flight: Option<u64>,
    /// How it stands.
    pub standing: Standing,
    /// Sendings of the present version that did not end well.
    pub attempts: u32,
    /// It is left alone until then.
    pub not_before: Option<Timestamp>,
}

impl Level {
    /// A pair of which nothing is known.
    pub fn new(pair: Pair, sync: &str) -> Self {
        Level {
            pair,
            sync: sync.to_owned(),
            wanted: None,
            known: None,
            flight: None,
            standing: Standing::Open,
            attempts: 0,
            not_before: None,
        }
    }

    /// Whether the store must still be told.
    pub fn is_open(&self) -> bool {
        self.standing == Standing::Open
            && self.wanted.is_some_and(|wanted| {
                self.known
                    .is_none_or(|known| known.quantity != wanted.quantity)
            })
    }
}

/// One write that is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchItem {
    /// The pair.
    pub pair: Pair,
    /// The version it carries.
    pub version: u64,
    /// Units to set.
    pub quantity: i64,
    /// What the store must say for it to be set; absent on stores that do not compare.
    pub compare: Option<i64>,
}

/// How far a batch came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BatchState {
    /// It is stored and may have been sent: a run that died cannot say. It is sent again under its key, or read.
    Prepared,
    /// It was sent, and nobody knows what became of it.
    Unknown,
}

/// Writes that travel together, stored before they are sent and repeated verbatim or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its number; grows.
    pub id: u64,
    /// The sync it is of.
    pub sync: String,
    /// The key by which the store knows a repetition; made once.
    pub key: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The key means nothing any more from then on; absent where the store knows no keys.
    pub key_ends: Option<Timestamp>,
    /// Its items.
    pub items: Vec<BatchItem>,
    /// How far it came.
    pub state: BatchState,
    /// When it became unknown; reading it back waits for the store's quiet time from then on.
    pub unknown_since: Option<Timestamp>,
    /// Sendings.
    pub attempts: u32,
}

impl Batch {
    /// Whether the store still knows the key. A clock that went back behind the making cannot tell: then it does not.
    pub fn key_holds(&self, now: Timestamp) -> bool {
        self.key_ends
            .is_some_and(|ends| now >= self.made_at && now < ends)
    }

    /// Whether a late effect can still come; a clock that went back begins the wait anew.
    pub fn is_quiet(&self, now: Timestamp, quiet: Duration) -> bool {
        let since = self.unknown_since.unwrap_or(self.made_at);
        let waited = now.duration_since(since);
        !waited.is_negative() && waited.unsigned_abs() >= quiet
    }
}

/// What a line of the ledger tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The store took it.
    Accepted,
    /// It said it already: nothing was sent.
    InStep,
    /// A newer version took its place before it was sent.
    Superseded,
    /// The store refused it; it may pass.
    Refused,
    /// The store refused it for good: a dead letter.
    Dead,
    /// The store had another level than was compared with.
    Stale,
    /// Nobody knows.
    Unknown,
    /// It was unknown, and reading showed that it was not applied.
    NotApplied,
    /// Reading showed a level that we did not write.
    Foreign,
    /// Reading showed an older level than the store had accepted: a lost write.
    Lost,
    /// The store took a level and says another one, and did so before: it makes this of it.
    Clamped,
    /// A person dropped it.
    Dropped,
    /// A person had it tried again.
    Retried,
}

/// One line of the ledger, which is only added to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// The sync.
    pub sync: String,
    /// The pair.
    pub pair: Pair,
    /// The version.
    pub version: u64,
    /// Units that were to be set, or that were read.
    pub quantity: i64,
    /// What the store said before, where it was known.
    pub before: Option<i64>,
    /// The batch; 0 where none was.
    pub batch: u64,
    /// What is told.
    pub what: What,
    /// The store's code; empty where there is none.
    pub code: String,
    /// Its words, cleaned, or ours.
    pub message: String,
}
