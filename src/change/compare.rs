//! Two item logs compared in one pass, each read once; then the fields of the worst items and of a sample.
//!
//! While both logs go in step nothing is kept. Where they differ, items wait for their counterpart ([`super::pending`]),
//! so memory follows how far apart the logs are, not how long they are. Two items of one log with the same id (channels
//! without a unique attribute) are matched one to one.

use std::collections::HashMap;
use std::io::{self, Read};

use rust_decimal::Decimal;
use xxhash_rust::xxh3::xxh3_64;

use crate::write::items::{ItemBody, ItemLogError, ItemLogReader, LogFoot, LogHead};

use super::bytes::ItemBytes;
use super::changes::{Changes, FillChange, Listed, Stand};
use super::pending::Pending;
use super::reading::{Kept, read_fields};
use super::tally::{Places, Tally};

/// What a comparison needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompareOptions {
    /// The run's moment, in seconds since 1970 UTC.
    pub now: i64,
    /// How far ahead prices that change by themselves are shown, in seconds.
    pub ahead_seconds: i64,
    /// What counts as a far move of a price, as a share of the old one: the gate's `price_moved.by`.
    pub price_by: Decimal,
}

impl CompareOptions {
    /// Seven days ahead, and what the gates say of prices.
    pub fn of(limits: &crate::config::gate::GateLimits, now: i64) -> Self {
        CompareOptions {
            now,
            ahead_seconds: 7 * 24 * 60 * 60,
            price_by: limits.price_by(),
        }
    }
}

/// Why two versions cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The log of what stands at the channel cannot be used.
    #[error("the published version's items: {0}")]
    Old(ItemLogError),
    /// The log of what was made now cannot be used.
    #[error("the new version's items: {0}")]
    New(ItemLogError),
    /// An item's bytes cannot be read.
    #[error("an item's bytes cannot be read: {0}")]
    Bytes(#[from] io::Error),
}

/// Compares what stands at a channel with what was made now; without an old version all items are added.
///
/// # Errors
/// A log that cannot be used, and bytes that cannot be read.
pub fn compare<O: Read, N: Read>(
    old: Option<&mut ItemLogReader<O>>,
    new: &mut ItemLogReader<N>,
    bytes: &mut dyn ItemBytes,
    options: &CompareOptions,
) -> Result<Changes, CompareError> {
    let mut tally = Tally::new(options);
    let mut changes = Changes {
        price_by: options.price_by,
        fields_stride: 1,
        ..Changes::default()
    };
    let old_head = match old {
        Some(old) => {
            in_step(old, new, &mut tally)?;
            let foot = old.foot().cloned().unwrap_or_default();
            let after = new.foot().cloned().unwrap_or_default();
            changes.document_changed =
                (foot.head_hash, foot.tail_hash) != (after.head_hash, after.tail_hash);
            changes.fill = fill(&foot, &after);
            changes.before = Some(stand(old.head(), &foot));
            Some(old.head().clone())
        }
        None => {
            while let Some(record) = new.next().map_err(CompareError::New)? {
                tally.added(&record, false);
            }
            let after = new.foot().cloned().unwrap_or_default();
            changes.fill = fill(&LogFoot::default(), &after);
            changes.document_changed = true;
            None
        }
    };
    changes.after = stand(new.head(), &new.foot().cloned().unwrap_or_default());
    list(tally, &mut changes, |worst, sample, changes| {
        let heads = (old_head.as_ref().unwrap_or(new.head()), new.head());
        read_fields(worst, sample, heads, bytes, changes)
    })?;
    Ok(changes)
}

fn stand(head: &LogHead, foot: &LogFoot) -> Stand {
    Stand {
        items: foot.items,
        bytes: foot.bytes,
        format: head.format.clone(),
        currency: head.currency.clone(),
        language: head.language.clone(),
    }
}

fn fill(old: &LogFoot, new: &LogFoot) -> Vec<FillChange> {
    let find = |foot: &LogFoot, name: &str| {
        let found = foot.fill.iter().find(|(attribute, _)| attribute == name);
        found.map_or(0, |(_, items)| *items)
    };
    let gone = old
        .fill
        .iter()
        .filter(|(name, _)| !new.fill.iter().any(|(attribute, _)| attribute == name));
    new.fill
        .iter()
        .chain(gone)
        .map(|(name, _)| FillChange {
            attribute: name.clone(),
            before: find(old, name),
            after: find(new, name),
        })
        .collect()
}

fn in_step<O: Read, N: Read>(
    old: &mut ItemLogReader<O>,
    new: &mut ItemLogReader<N>,
    tally: &mut Tally<'_>,
) -> Result<(), CompareError> {
    let (mut gone, mut come) = (Pending::default(), Pending::default());
    loop {
        let before = old.next().map_err(CompareError::Old)?;
        let now = new.next().map_err(CompareError::New)?;
        match (&before, &now) {
            (None, None) => break,
            (Some(before), Some(now)) if before.body.id == now.body.id => {
                tally.pair(before, now);
                continue;
            }
            _ => {}
        }
        if let Some(before) = &before {
            let met = come.take(before.body.id, |now| tally.pair(before, now));
            if met.is_none() {
                // With nothing left to come and nothing waiting there is nobody to wait for.
                if now.is_none() && come.is_empty() {
                    tally.removed(before, false);
                } else {
                    gone.insert(before);
                }
            }
        }
        if let Some(now) = &now {
            let met = gone.take(now.body.id, |before| tally.pair(before, now));
            if met.is_none() {
                if before.is_none() && gone.is_empty() {
                    tally.added(now, false);
                } else {
                    come.insert(now);
                }
            }
        }
    }
    leftovers(&gone, &come, tally);
    Ok(())
}

/// Items that met nobody went or came; those of one SKU, or one title and price, are one item under two ids.
fn leftovers(gone: &Pending, come: &Pending, tally: &mut Tally<'_>) {
    let by_sku = |item: &ItemBody<'_>| (!item.sku.is_empty()).then(|| xxh3_64(item.sku.as_bytes()));
    let by_title = |item: &ItemBody<'_>| {
        (!item.title.is_empty()).then(|| {
            let price = item.price.unwrap_or_default();
            xxh3_64(format!("{}\n{price}", item.title).as_bytes())
        })
    };
    if gone.is_empty() || come.is_empty() {
        gone.each(|record| tally.removed(record, false));
        come.each(|record| tally.added(record, false));
        return;
    }
    let mut skus: HashMap<u64, u32> = HashMap::new();
    come.each(|record| {
        if let Some(key) = by_sku(&record.body) {
            *skus.entry(key).or_default() += 1;
        }
    });
    // First by SKU; what is left of both sides then by title.
    let taken = |keys: &mut HashMap<u64, u32>, key: Option<u64>| {
        key.and_then(|key| keys.get_mut(&key))
            .filter(|count| **count > 0)
            .map(|count| *count -= 1)
            .is_some()
    };
    let mut renamed: HashMap<u64, u32> = HashMap::new();
    let mut rest: HashMap<u64, u32> = HashMap::new();
    gone.each(|record| {
        let key = by_sku(&record.body);
        if taken(&mut skus, key) {
            *renamed.entry(key.unwrap_or_default()).or_default() += 1;
        } else if let Some(key) = by_title(&record.body) {
            *rest.entry(key).or_default() += 1;
        }
    });
    let mut sku_left = renamed.clone();
    let mut titles: HashMap<u64, u32> = HashMap::new();
    come.each(|record| {
        let by_sku = taken(&mut sku_left, by_sku(&record.body));
        let key = by_title(&record.body);
        let by_title = !by_sku && taken(&mut rest, key);
        if by_title {
            *titles.entry(key.unwrap_or_default()).or_default() += 1;
        }
        tally.added(record, by_sku || by_title);
    });
    gone.each(|record| {
        let is =
            taken(&mut renamed, by_sku(&record.body)) || taken(&mut titles, by_title(&record.body));
        tally.removed(record, is);
    });
}

fn list(
    tally: Tally<'_>,
    changes: &mut Changes,
    read: impl FnOnce(&mut Kept, Vec<Places>, &mut Changes) -> Result<(), CompareError>,
) -> Result<(), CompareError> {
    changes.counts = tally.counts;
    let (items, total) = tally.added.finish();
    changes.added = Listed { items, total };
    let (items, total) = tally.removed.finish();
    changes.removed = Listed { items, total };
    let (items, total) = tally.upcoming.finish();
    changes.upcoming = Listed { items, total };
    let mut worst: Kept = Vec::new();
    for kind in tally.changed {
        worst.extend(kind.finish().0);
    }
    let (sample, stride) = tally.sample.finish();
    changes.fields_stride = stride;
    read(
        &mut worst,
        sample.into_iter().map(|(_, places)| places).collect(),
        changes,
    )?;
    changes.changed = Listed {
        items: worst.into_iter().map(|(_, change)| change).collect(),
        total: changes.counts.changed,
    };
    Ok(())
}
