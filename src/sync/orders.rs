//! What people asked for, carried out by the run that has the state: pause, resume, retry, drop.

use jiff::Timestamp;

use crate::state::StateError;

use super::decide::Rule;
use super::level::{Level, Line, Pair, Standing, Wanted, What};
use super::run::is_for;
use super::state::{Change, Order, Pause, SyncState, Transaction};

/// Carries out the orders that are about a sync.
///
/// # Errors
/// A state that refuses.
pub fn carry_out(rule: &Rule, state: &mut dyn SyncState, now: Timestamp) -> Result<(), StateError> {
    let orders = state.orders()?;
    if !orders.iter().any(|kept| is_for(&kept.order, &rule.name)) {
        return Ok(());
    }
    state.commit(&mut |made| {
        for kept in &orders {
            match &kept.order {
                Order::Pause { sync, reason } if *sync == rule.name => {
                    made.write(Change::Paused(&Pause {
                        sync: sync.clone(),
                        at: kept.at,
                        who: kept.who.clone(),
                        reason: reason.clone(),
                    }))?;
                }
                Order::Resume { sync } if *sync == rule.name => {
                    made.write(Change::Resumed(sync))?;
                }
                Order::Retry { pair } => {
                    if !mend(made, rule, pair, now, &kept.who, What::Retried)? {
                        continue;
                    }
                }
                Order::Drop { pair } => {
                    if !mend(made, rule, pair, now, &kept.who, What::Dropped)? {
                        continue;
                    }
                }
                Order::Pause { .. } | Order::Resume { .. } => continue,
            }
            made.write(Change::OrderDone(kept.id))?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Takes a dead letter up again, or lays it to rest; false where it is another sync's.
fn mend(
    made: &mut dyn Transaction,
    rule: &Rule,
    pair: &Pair,
    now: Timestamp,
    who: &str,
    what: What,
) -> Result<bool, StateError> {
    let Some(mut level) = made.level(pair)? else {
        return Ok(true);
    };
    if level.sync != rule.name {
        return Ok(false);
    }
    if !matches!(level.standing, Standing::Dead { .. }) {
        return Ok(true);
    }
    let Some(mut wanted) = level.wanted else {
        return Ok(true);
    };
    let before = level.known.map(|known| known.quantity);
    level.standing = Standing::Open;
    level.attempts = 0;
    level.not_before = None;
    if what == What::Dropped {
        // what the store says stands until the source says something new
        level.wanted = level.known.map(|known| Wanted {
            quantity: known.quantity,
            version: wanted.version + 1,
            ..wanted
        });
    } else {
        wanted.version += 1;
        level.wanted = Some(wanted);
        level.known = None;
    }
    write(
        made,
        &level,
        wanted.version,
        wanted.quantity,
        before,
        now,
        who,
        what,
    )?;
    Ok(true)
}

#[expect(clippy::too_many_arguments, reason = "a line of the ledger, spelt out")]
fn write(
    made: &mut dyn Transaction,
    level: &Level,
    version: u64,
    quantity: i64,
    before: Option<i64>,
    now: Timestamp,
    who: &str,
    what: What,
) -> Result<(), StateError> {
    made.write(Change::Line(&Line {
        at: now,
        sync: level.sync.clone(),
        pair: level.pair.clone(),
        version,
        quantity,
        before,
        batch: 0,
        what,
        code: String::new(),
        message: format!("by {who}"),
    }))?;
    made.write(Change::Level(level))
}
