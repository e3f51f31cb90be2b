//! How a sync stands, from its state alone: what is in step, what waits, since when all was well.
//!
//! Comes in: a state to look at; goes out: counts, moments, and findings for whoever watches. Nobody is called.

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::span;
use crate::state::StateError;

use super::level::{Position, Standing};
use super::planted;
use super::state::{HeldPlan, Look, Order, Pause, RunEnd, Which};

/// Ends of runs that are looked through for the last good one.
const RUNS_MAX: usize = 10_000;

/// How a sync stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncStanding {
    /// The sync.
    pub sync: String,
    /// Its store.
    pub store: String,
    /// Levels that it keeps: those that some source gives, without strangers.
    pub levels: u64,
    /// Those whose level at the store is the wanted one.
    pub in_step: u64,
    /// Those of which the store must still be told.
    pub pending: u64,
    /// Those that are on their way.
    pub in_flight: u64,
    /// Dead letters.
    pub dead: u64,
    /// SKUs that the store does not know, or knows twice, a place each.
    pub strangers: u64,
    /// Levels at places where the store does not stock the SKU.
    pub not_stocked: u64,
    /// While anything is pending: the time since the last good run.
    pub lag: Option<Duration>,
    /// The time since the last good run; absent where there was none.
    pub age: Option<Duration>,
    /// The oldest that may be.
    pub limit: Option<Duration>,
    /// When the source was last read whole.
    pub source_read: Option<Timestamp>,
    /// The last run.
    pub run: Option<RunEnd>,
    /// Who stopped it, where somebody did.
    pub pause: Option<Pause>,
    /// The newest plan that a guard held.
    pub held: Option<HeldPlan>,
    /// What somebody should look at: lower case, no full stop.
    pub findings: Vec<String>,
}

/// What is asked about a sync.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The sync.
    pub sync: &'a str,
    /// Its store.
    pub store: &'a str,
    /// Its stock source.
    pub source: &'a str,
    /// The oldest a good run may be.
    pub limit: Option<Duration>,
    /// Now.
    pub now: Timestamp,
}

/// Looks at a sync; without a state it has never run.
///
/// # Errors
/// A state that refuses.
pub fn look(state: Option<&dyn Look>, asked: &Asked<'_>) -> Result<SyncStanding, StateError> {
    let mut standing = SyncStanding {
        sync: asked.sync.to_owned(),
        store: asked.store.to_owned(),
        limit: asked.limit,
        ..SyncStanding::default()
    };
    if let Some(state) = state {
        levels(state, &mut standing)?;
        let runs = state.runs(asked.sync, RUNS_MAX)?;
        let good = runs
            .iter()
            .find(|run| run.exit == 0 || planted::is("any run counts as good"));
        standing.age = good.map(|run| since(run.at, asked.now));
        standing.run = runs.into_iter().next();
        standing.lag = standing.age.filter(|_| standing.pending > 0);
        let position: Option<Position> = state.position(asked.source)?;
        standing.source_read = position.map(|position| position.time);
        standing.pause = paused(state, asked.sync)?;
        let held = state.held()?.into_iter();
        standing.held = held.into_iter().find(|held| held.sync == asked.sync);
    }
    findings(&mut standing);
    Ok(standing)
}

/// A clock that was set back makes nothing old.
fn since(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(at)).unwrap_or_default()
}

fn levels(state: &dyn Look, standing: &mut SyncStanding) -> Result<(), StateError> {
    let sync = standing.sync.clone();
    state.levels(Which::All, &mut |level| {
        if level.sync != sync {
            return ControlFlow::Continue(());
        }
        match &level.standing {
            Standing::Stranger { .. } => standing.strangers += 1,
            Standing::NotStocked => standing.not_stocked += 1,
            Standing::Dead { .. } => {
                standing.levels += 1;
                standing.dead += 1;
            }
            Standing::Open if level.wanted.is_some() => {
                standing.levels += 1;
                if level.flight.is_some() {
                    standing.in_flight += 1;
                } else if level.is_open() {
                    standing.pending += 1;
                } else {
                    standing.in_step += 1;
                }
            }
            Standing::Open => {}
        }
        ControlFlow::Continue(())
    })
}

/// Who stopped a sync, orders that no run has seen yet included.
///
/// # Errors
/// A state that refuses.
pub fn paused(state: &dyn Look, sync: &str) -> Result<Option<Pause>, StateError> {
    let mut pause = state.pauses()?.into_iter().find(|pause| pause.sync == sync);
    for kept in state.orders()? {
        match kept.order {
            Order::Pause { sync: of, reason } if of == sync => {
                pause = Some(Pause {
                    sync: of,
                    at: kept.at,
                    who: kept.who,
                    reason,
                });
            }
            Order::Resume { sync: of } if of == sync => pause = None,
            _ => {}
        }
    }
    Ok(pause)
}

fn findings(standing: &mut SyncStanding) {
    let mut found = Vec::new();
    match (standing.age, standing.limit) {
        (Some(age), Some(limit)) if age > limit => found.push(format!(
            "the last good run was {} ago, and {} is the limit",
            span::show(age),
            span::show(limit)
        )),
        (None, Some(_)) => found.push("no run has ended well yet".to_owned()),
        _ => {}
    }
    let sync = &standing.sync;
    match &standing.run {
        Some(run) if run.exit != 0 => found.push(format!(
            "the last run ended with exit code {}: {}",
            run.exit, run.words
        )),
        _ => {}
    }
    match standing.in_flight {
        0 => {}
        1 => found.push(
            "1 level was sent and nobody answered for it: the next run settles it".to_owned(),
        ),
        levels => found.push(format!(
            "{levels} levels were sent and nobody answered for them: the next run settles them"
        )),
    }
    if let Some(held) = &standing.held {
        found.push(format!(
            "a guard holds plan {}: `shelfcast sync {sync} --dry-run` shows it; `--approve {} --reason \"…\"` lets it pass",
            held.id, held.id
        ));
    }
    if standing.dead > 0 {
        found.push(format!(
            "{} dead letter{}: `shelfcast dead-letters list {sync}`",
            standing.dead,
            if standing.dead == 1 { "" } else { "s" }
        ));
    }
    standing.findings = found;
}
