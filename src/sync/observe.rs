//! What the shops say, into the state: last values, targets and the source's position in one commit.
//!
//! Comes in: a stock source, events that were taken in, open online orders. Goes out: sums; in the state, each pair's wanted
//! level with a version that grew where it is another. Promised: a reading that is not whole changes nothing; an observation
//! with an older mark never replaces a newer one; what a row does not give stays as it was.

use std::collections::BTreeMap;

use hashbrown::HashSet;
use jiff::{SignedDuration, Timestamp};

use crate::recovery::{self, kill_point};
use crate::state::StateError;
use crate::validate::finding::Finding;

use super::decide::Rule;
use super::level::{Level, Line, Mark, Pair, Standing, Wanted, What};
use super::packed::Skus;
use super::planted;
use super::rows::{GONE, Rows};
use super::source::{self, ReadKind, SourceFailure, StockSource};
use super::state::{Change, Look, SyncState, Transaction, Which};

/// Events merged in one commit.
const EVENTS_MOST: usize = 10_000;
/// A dead letter is tried again with a new quantity, but not sooner than this after it died.
const DEAD_RESTS: SignedDuration = SignedDuration::from_hours(1);
/// What a reading came to.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The tick before the reading began.
    pub tick: u64,
    /// What it was of.
    pub kind: ReadKind,
    /// Rows read.
    pub rows: u64,
    /// Rows that say something new.
    pub changed: u64,
    /// Rows without a count: they change nothing.
    pub uncounted: u64,
    /// Rows that are older than what is known: they change nothing.
    pub older: u64,
    /// Rows that were known and are not there any more, by key.
    pub vanished: Vec<u64>,
    /// Rows that are known and that this reading gave without a count, or not at all, by key: it says nothing of them.
    pub absent: HashSet<u64>,
    /// Rows that are known, those that vanished included; of whole readings.
    pub known: u64,
    /// Events merged.
    pub events: u64,
    /// Pairs with a new version.
    pub decided: u64,
    /// More waits to be read.
    pub more: bool,
    /// Rows that could not be used.
    pub rejected: Vec<Finding>,
    /// What the source's owner should hear.
    pub remarks: Vec<String>,
}

/// Reads the source, and then keeps what follows from it in one commit: while a slow source is read, nobody waits for the state.
/// With `whole` all of it is read, also what was read before.
///
/// # Errors
/// A source that is not whole, and a state that refuses; nothing is changed then.
pub fn observe(
    rule: &Rule,
    state: &mut dyn SyncState,
    source: &mut dyn StockSource,
    orders: Option<&BTreeMap<String, i64>>,
    whole: bool,
    now: Timestamp,
) -> Result<Observed, SourceFailure> {
    let tick = state.tick();
    let mut rows = Rows::new(rule, whole);
    let mut position = state
        .position(&rule.reading)
        .map_err(SourceFailure::State)?;
    let read_at = position.as_ref().map_or(0, |position| position.read_at);
    if let Some(position) = position.as_mut().filter(|_| whole) {
        *position = source::whole(rule.rows, position);
    }
    let mut observed = Observed {
        tick,
        kind: ReadKind::Nothing,
        rows: 0,
        changed: 0,
        uncounted: 0,
        older: 0,
        vanished: Vec::new(),
        absent: HashSet::new(),
        known: 0,
        events: 0,
        decided: 0,
        more: false,
        rejected: Vec::new(),
        remarks: Vec::new(),
    };
    let mut events = state.events(EVENTS_MOST).map_err(SourceFailure::State)?;
    events.retain(|event| event.source == rule.reading);
    events.iter().for_each(|event| rows.await_event(event));
    let look: &dyn SyncState = state;
    let read = source.read(position.as_ref(), &mut |observation| {
        kill_point(recovery::Y2);
        rows.hear(look, observation, &mut observed)
    })?;
    kill_point(recovery::Y3);
    let kept = state.commit(&mut |made| {
        let mut touched = Skus::default();
        for event in &events {
            for observation in &event.observations {
                // without a mark it only asks for a reading, which follows
                if observation.mark != Mark::None || planted::is("event order by arrival") {
                    rows.merge_event(made, observation, &mut touched, &mut observed)?;
                }
            }
            observed.events += 1;
            made.write(Change::EventMerged {
                source: &event.source,
                id: &event.id,
            })?;
        }
        rows.merge_all(made, &mut touched, &mut observed)?;
        rows.absences(made, &read, &mut touched, &mut observed)?;
        let mut position = read.position.clone();
        position.read_at = read_at;
        if read.kind != ReadKind::Nothing {
            position.read_at = tick;
            position.time = now;
        }
        // looking at the same file again shows nothing newer; asking a database again does
        let fresh_content = match read.kind {
            ReadKind::Snapshot | ReadKind::Changes => true,
            ReadKind::Unchanged => rule.live,
            ReadKind::Nothing => false,
        };
        made.write(Change::Position {
            source: &rule.reading,
            position: &position,
        })?;
        if fresh_content {
            made.write(Change::Note {
                name: &fresh(&rule.reading),
                value: &tick.to_string(),
            })?;
        }
        changed_rule(rule, made, &mut touched)?;
        let before = changed_orders(rule, made, orders, &mut touched)?;
        for sku in touched.sorted() {
            let of = |orders: &BTreeMap<String, i64>| orders.get(sku).copied().unwrap_or(0);
            let mut open = orders.map_or(0, of);
            if planted::is("order counted twice") {
                open += of(&before);
            }
            if planted::is("order counted after it was booked") {
                open = open.max(of(&before));
            }
            observed.decided += decide(rule, made, sku, open, tick, now)?;
        }
        kill_point(recovery::Y4);
        Ok(())
    });
    kept.map_err(SourceFailure::State)?;
    observed.kind = read.kind;
    observed.rows = read.rows;
    observed.rejected = read.rejected;
    observed.remarks = read.remarks;
    observed.more = read.more;
    Ok(observed)
}

impl Observed {
    /// Adds what an earlier reading of the same run came to.
    pub fn follow(&mut self, earlier: Observed) {
        self.rows += earlier.rows;
        self.changed += earlier.changed;
        self.uncounted += earlier.uncounted;
        self.older += earlier.older;
        self.events += earlier.events;
        self.decided += earlier.decided;
        self.absent.extend(earlier.absent);
        self.rejected.splice(0..0, earlier.rejected);
        self.remarks.splice(0..0, earlier.remarks);
    }
}

fn fresh(source: &str) -> String {
    format!("fresh:{source}")
}

/// The tick before the last reading that gave new content: of a file that was read before, looking again is not new.
///
/// # Errors
/// A state that refuses.
pub fn fresh_at(look: &dyn Look, source: &str) -> Result<u64, StateError> {
    let note = look.note(&fresh(source))?;
    Ok(note.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// Has the next reading give all rows again, also of a file that does not change: what was held is weighed anew.
///
/// # Errors
/// A state that refuses.
pub fn read_again(rule: &Rule, state: &mut dyn SyncState) -> Result<(), StateError> {
    let Some(position) = state.position(&rule.reading)? else {
        return Ok(());
    };
    let position = source::whole(rule.rows, &position);
    state.commit(&mut |made| {
        made.write(Change::Position {
            source: &rule.reading,
            position: &position,
        })
    })?;
    Ok(())
}

/// Takes rows that vanished as gone: no guard counts them again. They are known again when the source gives them.
///
/// # Errors
/// A state that refuses.
pub fn take_as_gone(
    rule: &Rule,
    state: &mut dyn SyncState,
    keys: &[u64],
) -> Result<(), StateError> {
    // where absence means zero, a row is gone once it was set to zero
    if keys.is_empty() || rule.absent_is_zero {
        return Ok(());
    }
    state.commit(&mut |made| {
        for key in keys {
            made.write(Change::Absent {
                source: &rule.reading,
                key: *key,
                times: GONE,
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Where the project decides otherwise than it did, all is decided anew.
fn changed_rule(
    rule: &Rule,
    made: &mut dyn Transaction,
    touched: &mut Skus,
) -> Result<(), StateError> {
    let name = format!("rule:{}", rule.name);
    let fingerprint = rule.fingerprint();
    if made.note(&name)?.as_deref() == Some(fingerprint.as_str()) {
        return Ok(());
    }
    made.skus(&rule.reading, &mut |sku| {
        touched.add(sku);
    })?;
    let places = rule.places();
    let mut orphans: Vec<Level> = Vec::new();
    made.levels(Which::All, &mut |level| {
        let ours = level.sync == rule.name;
        if ours && level.wanted.is_some() && !places.contains(&level.pair.place) {
            orphans.push(level);
        }
        std::ops::ControlFlow::Continue(())
    })?;
    for mut level in orphans {
        level.wanted = None;
        made.write(Change::Level(&level))?;
    }
    made.write(Change::Note {
        name: &name,
        value: &fingerprint,
    })
}

/// SKUs whose open orders are others than they were are decided anew; what they were.
fn changed_orders(
    rule: &Rule,
    made: &mut dyn Transaction,
    orders: Option<&BTreeMap<String, i64>>,
    touched: &mut Skus,
) -> Result<BTreeMap<String, i64>, StateError> {
    let Some(orders) = orders else {
        return Ok(BTreeMap::new());
    };
    let name = format!("orders:{}", rule.name);
    let before: BTreeMap<String, i64> = made
        .note(&name)?
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let skus = before.keys().chain(orders.keys());
    skus.filter(|sku| before.get(*sku) != orders.get(*sku))
        .for_each(|sku| touched.add(sku));
    let text = serde_json::to_string(orders).unwrap_or_default();
    made.write(Change::Note {
        name: &name,
        value: &text,
    })?;
    Ok(before)
}

/// Decides a SKU anew: how many of its pairs have a new version.
fn decide(
    rule: &Rule,
    made: &mut dyn Transaction,
    sku: &str,
    open: i64,
    tick: u64,
    now: Timestamp,
) -> Result<u64, StateError> {
    let observations = made.observations(&rule.reading, sku)?;
    let mut decided = 0;
    for terms in rule.targets(sku, &observations, open) {
        let quantity = terms.salable;
        let pair = Pair::new(terms.place, sku);
        let mut level = made
            .level(&pair)?
            .unwrap_or_else(|| Level::new(pair, &rule.name));
        level.sync.clone_from(&rule.name);
        let before = level.wanted;
        if before.is_some_and(|before| before.quantity == quantity) {
            continue;
        }
        if let Some(before) = before.filter(|_| level.is_open() && level.flight.is_none()) {
            made.write(Change::Line(&Line {
                at: now,
                sync: rule.name.clone(),
                pair: level.pair.clone(),
                version: before.version,
                quantity: before.quantity,
                before: level.known.map(|known| known.quantity),
                batch: 0,
                what: What::Superseded,
                code: String::new(),
                message: String::new(),
            }))?;
        }
        level.wanted = Some(Wanted {
            quantity,
            version: before.map_or(1, |before| before.version + 1),
            observed_at: tick,
        });
        let rested = matches!(&level.standing,
            Standing::Dead { since, .. } if now.duration_since(*since) >= DEAD_RESTS);
        if rested {
            level.standing = Standing::Open;
        }
        if level.standing == Standing::Open {
            level.attempts = 0;
            level.not_before = None;
        }
        made.write(Change::Level(&level))?;
        decided += 1;
    }
    Ok(decided)
}
