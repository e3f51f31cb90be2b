//! A copy of a state to plan on: what a dry run would keep goes into the copy and with it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::state::StateError;

use super::level::Level;
use super::observe;
use super::state::{Change, Look, SyncState, Which};

/// Copies what a run looks at: all but the ledger's older lines and what webhooks have said before.
///
/// # Errors
/// A state that cannot be read.
pub(super) fn copy(
    from: &dyn Look,
    to: &mut dyn SyncState,
    sources: &[String],
    syncs: &[String],
) -> Result<(), StateError> {
    let mut levels: Vec<Level> = Vec::new();
    from.levels(Which::All, &mut |level| {
        levels.push(level);
        ControlFlow::Continue(())
    })?;
    let skus: BTreeSet<String> = levels.iter().map(|level| level.pair.sku.clone()).collect();
    let skus: Vec<String> = skus.into_iter().collect();
    let remotes = from.remotes(&skus)?;
    let notes = sources
        .iter()
        .map(|source| format!("fresh:{source}"))
        .chain(syncs.iter().flat_map(|sync| {
            ["rule", "orders", "turn", "recheck"].map(|kind| format!("{kind}:{sync}"))
        }));
    let notes: Vec<(String, String)> = notes
        .filter_map(|name| match from.note(&name) {
            Ok(value) => Some(Ok((name, value?))),
            Err(error) => Some(Err(error)),
        })
        .collect::<Result<_, _>>()?;
    let since = crate::clock::now()
        .checked_sub(jiff::SignedDuration::from_hours(1))
        .ok();
    to.commit(&mut |made| {
        for level in &levels {
            made.write(Change::Level(level))?;
        }
        for (sku, remote) in &remotes {
            made.write(Change::Remote {
                sku,
                remote: Some(remote),
            })?;
        }
        for source in sources {
            copy_source(from, made, source)?;
        }
        for batch in from.batches()? {
            made.write(Change::Batch(&batch))?;
        }
        for event in from.events(usize::MAX)? {
            made.write(Change::Event(&event))?;
        }
        for kept in from.orders()? {
            made.write(Change::Order {
                at: kept.at,
                who: &kept.who,
                order: &kept.order,
            })?;
        }
        for pause in from.pauses()? {
            made.write(Change::Paused(&pause))?;
        }
        for held in from.held()? {
            made.write(Change::Held(&held))?;
        }
        for (name, value) in &notes {
            made.write(Change::Note { name, value })?;
        }
        // what the guard weighs besides the plan
        let filter = super::state::LineFilter {
            since,
            ..Default::default()
        };
        let mut lines = Vec::new();
        from.ledger(&filter, &mut |line| {
            lines.push(line);
            ControlFlow::Continue(())
        })?;
        lines
            .iter()
            .try_for_each(|line| made.write(Change::Line(line)))
    })?;
    // ticks go on from where they were: what was known stays older than what is read now
    while to.tick() < from.tick() {
        to.commit(&mut |_| Ok(()))?;
    }
    Ok(())
}

fn copy_source(
    from: &dyn Look,
    made: &mut dyn super::state::Transaction,
    source: &str,
) -> Result<(), StateError> {
    let mut absent: Vec<(u64, u32)> = Vec::new();
    from.digests(source, &mut |key, _, times| {
        if times > 0 {
            absent.push((key, times));
        }
    })?;
    let mut skus: Vec<String> = Vec::new();
    from.skus(source, &mut |sku| skus.push(sku.to_owned()))?;
    for sku in &skus {
        for observation in from.observations(source, sku)? {
            let key = observe::key(&observation.location, &observation.sku);
            made.write(Change::Observed {
                source,
                key,
                digest: observe::digest(key, &observation),
                observation: &observation,
            })?;
        }
    }
    for (key, times) in absent {
        made.write(Change::Absent { source, key, times })?;
    }
    if let Some(position) = from.position(source)? {
        made.write(Change::Position {
            source,
            position: &position,
        })?;
    }
    Ok(())
}
