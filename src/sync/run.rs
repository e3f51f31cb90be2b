//! One run of one sync, as a straight line: settle, read, decide, prepare, guard, push, read back.
//!
//! Comes in: what [`Work`] holds and the sources. Goes out: how it ended. Promised: nothing leaves while a guard is tripped, a
//! pause stands or a source is not whole; a run that is stopped anywhere leaves a state from which the next one goes on.

use std::collections::BTreeMap;

use crate::catalog::SourceError;
use crate::recovery::{self, kill_point};
use crate::state::StateError;
use crate::validate::finding::Finding;

use super::guard::{self, Plan};
use super::observe::{self, Observed};
use super::source::{SourceFailure, StockSource};
use super::state::{Change, HeldPlan, Order};
use super::work::{Halt, Work};

/// Readings of the source in one run: where the store turned out to have another level, the source is read once more before
/// anything is sent.
const ROUNDS_MOST: u32 = 3;

/// Open online orders: units by SKU.
pub type Orders = BTreeMap<String, i64>;

/// What a run reads, and how.
pub struct Inputs<'a> {
    /// The stock source.
    pub source: &'a mut dyn StockSource,
    /// Open online orders, read anew each time; absent where nobody subtracts them here.
    pub orders: Option<&'a mut dyn FnMut() -> Result<Orders, SourceFailure>>,
    /// Whether all levels are read back first.
    pub full: bool,
    /// Whether anything is sent.
    pub push: bool,
    /// A held plan that a person let pass.
    pub approved: Option<HeldPlan>,
    /// Which part of the levels is read back as a sample; none where no sample is due.
    pub sample: Option<u64>,
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    /// What the last reading of the source came to.
    pub observed: Option<Observed>,
    /// What was open when the guard looked.
    pub plan: Plan,
    /// The plan that was held, where one was.
    pub held: Option<HeldPlan>,
    /// Readings of the source.
    pub rounds: u32,
    /// Levels still open.
    pub open: u64,
    /// Levels still on their way.
    pub in_flight: u64,
    /// Rows that could not be used.
    pub findings: Vec<Finding>,
}

/// Why a run could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The source (exit 7, or 2).
    #[error("{}", .0.message)]
    Source(SourceError),
    /// The state (exit 8, or 5).
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<SourceFailure> for RunError {
    fn from(failure: SourceFailure) -> Self {
        match failure {
            SourceFailure::State(error) => RunError::State(error),
            SourceFailure::Source(error) => RunError::Source(error),
        }
    }
}

/// Runs a sync once.
///
/// # Errors
/// A source that is not whole or a state that refuses. What a store does is in the figures.
pub fn run(work: &mut Work<'_>, inputs: &mut Inputs<'_>) -> Result<Ended, RunError> {
    let mut ended = Ended::default();
    carry_out_orders(work)?;
    if inputs.push {
        work.settle()?;
    }
    if inputs.full {
        work.read_back_all()?;
    }
    for round in 1..=ROUNDS_MOST {
        if work.halted()? {
            break;
        }
        ended.rounds = round;
        let accepted = work.figures.accepted;
        let orders = match &mut inputs.orders {
            Some(read) => Some(read()?),
            None => None,
        };
        let now = work.now();
        let whole = inputs.full && round == 1;
        let observed = observed(work, inputs.source, orders.as_ref(), whole)?;
        ended.findings.clone_from(&observed.rejected);
        work.prepare()?;
        let mut plan = guard::plan(&*work.state, work.rule)?;
        guard::weigh(
            &*work.state,
            work.rule,
            &mut plan,
            Some(&observed),
            inputs.approved.as_ref(),
            now,
        )?;
        if let Some(approved) = &inputs.approved {
            let note = work.state.note(&vanished_note(&approved.id))?;
            let same = note.as_deref() == Some(&guard::vanished_digest(&observed.vanished));
            plan.trips
                .retain(|trip| trip.guard != guard::VANISHED || !same);
        }
        let stopped = !plan.trips.is_empty();
        if stopped && inputs.push {
            let held = guard::held(work.rule, &plan, &observed.vanished, now);
            keep_held(work, &held, &observed.vanished)?;
            if plan.trips.iter().any(|trip| trip.guard == guard::VANISHED) {
                observe::read_again(work.rule, work.state)?;
            }
            ended.held = Some(held);
        }
        if round == 1 || stopped {
            ended.plan = plan;
        }
        let vanished = observed.vanished.clone();
        work.absent.clone_from(&observed.absent);
        ended.observed = Some(observed);
        if stopped || !inputs.push {
            break;
        }
        observe::take_as_gone(work.rule, work.state, &vanished)?;
        let waiting = work.push()?;
        // what was held with others that were refused, and what has to be read once more
        let progress = work.figures.accepted > accepted || waiting > 0;
        let open = guard::plan(&*work.state, work.rule)?;
        if open.items.is_empty() || !progress {
            break;
        }
    }
    if ended.held.is_none() && inputs.push {
        if let Some(turn) = inputs.sample {
            work.read_back_sample(turn)?;
        }
        end_held(work)?;
    }
    // what was only planned is open still
    ended.open = match inputs.push || ended.rounds == 0 {
        true => open_now(work)?,
        false => ended.plan.items.len() as u64 + ended.plan.unread,
    };
    ended.in_flight = work.in_flight()?;
    kill_point(recovery::Y20);
    Ok(ended)
}

/// Levels of which the store must still be told.
fn open_now(work: &Work<'_>) -> Result<u64, StateError> {
    let open = guard::plan(&*work.state, work.rule)?;
    Ok(open.items.len() as u64 + open.unread)
}

/// Reads the source until nothing more waits there.
fn observed(
    work: &mut Work<'_>,
    source: &mut dyn StockSource,
    orders: Option<&Orders>,
    whole: bool,
) -> Result<Observed, RunError> {
    let now = work.now();
    let mut observed = observe::observe(work.rule, work.state, source, orders, whole, now)?;
    while observed.more && !work.halted()? {
        let mut next = observe::observe(work.rule, work.state, source, orders, false, now)?;
        next.follow(observed);
        observed = next;
    }
    Ok(observed)
}

/// Keeps a plan for approval, in place of the sync's earlier one.
fn keep_held(work: &mut Work<'_>, held: &HeldPlan, vanished: &[u64]) -> Result<(), StateError> {
    let earlier = work.state.held()?;
    let (note, digest) = (vanished_note(&held.id), guard::vanished_digest(vanished));
    work.state.commit(&mut |made| {
        for plan in &earlier {
            if plan.sync == held.sync && plan.id != held.id {
                made.write(Change::HeldEnded(&plan.id))?;
            }
        }
        made.write(Change::Note {
            name: &note,
            value: &digest,
        })?;
        made.write(Change::Held(held))
    })?;
    Ok(())
}

/// What the state calls the digest of the rows that had vanished when a plan was held.
fn vanished_note(plan: &str) -> String {
    format!("vanished:{plan}")
}

/// A run that was not held ends what was.
fn end_held(work: &mut Work<'_>) -> Result<(), StateError> {
    let name = work.rule.name.clone();
    let earlier: Vec<HeldPlan> = work.state.held()?;
    let earlier: Vec<&HeldPlan> = earlier.iter().filter(|plan| plan.sync == name).collect();
    if earlier.is_empty() || matches!(work.figures.halted, Some(Halt::Paused(_))) {
        return Ok(());
    }
    work.state.commit(&mut |made| {
        earlier
            .iter()
            .try_for_each(|plan| made.write(Change::HeldEnded(&plan.id)))
    })?;
    Ok(())
}

/// Carries out what people asked for while nobody ran: pauses, resumptions, dead letters tried again or dropped.
fn carry_out_orders(work: &mut Work<'_>) -> Result<(), StateError> {
    super::orders::carry_out(work.rule, work.state, work.clock.wall())?;
    work.halted()?;
    Ok(())
}

/// Whether an order is about this sync.
pub(super) fn is_for(order: &Order, sync: &str) -> bool {
    match order {
        Order::Pause { sync: of, .. } | Order::Resume { sync: of } => of == sync,
        Order::Retry { .. } | Order::Drop { .. } => true,
    }
}
