//! What a run came to, as it is told: sums, the plan with why, guards, refusals, the outcome.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::state::StateError;

use super::decide::Rule;
use super::guard::{Plan, Planned, Trip, VANISHED};
use super::level::{Level, Line, Standing, What};
use super::online::StoreError;
use super::run::Ended;
use super::state::{LineFilter, Look, Which};
use super::summary::{
    GuardTrip, PLANNED_MAX, PlanItem, REFUSALS_MAX, SyncOutcome, SyncRequest, SyncSummary,
};
use super::work::{Figures, Halt};

/// What happened, as it is told.
pub(super) fn tell(
    summary: &mut SyncSummary,
    rule: &Rule,
    state: &dyn Look,
    ended: &Ended,
    figures: &Figures,
    request: &SyncRequest,
    since: Timestamp,
) -> Result<(), StateError> {
    let plan = &ended.plan;
    summary.compared = plan.compared;
    summary.changed = plan.items.len() as u64 + plan.unread;
    summary.accepted = figures.accepted;
    summary.rejected = figures.refused + figures.dead;
    summary.unknown = ended.in_flight;
    summary.held = if request.dry_run { 0 } else { ended.open };
    summary.strangers = count(state, Which::Aside, &rule.name, &|level| {
        matches!(level.standing, Standing::Stranger { .. })
    })?;
    summary.not_stocked = count(state, Which::Aside, &rule.name, &|level| {
        level.standing == Standing::NotStocked
    })?;
    summary.dead = count(state, Which::Dead, &rule.name, &|_| true)?;
    let known_dead = count(state, Which::Dead, &rule.name, &|level| {
        level.known.is_some()
    })?;
    summary.in_step = plan
        .compared
        .saturating_sub(ended.open)
        .saturating_sub(ended.in_flight)
        .saturating_sub(known_dead);
    summary.rounds = ended.rounds;
    let drift = [
        ("lost write", figures.lost),
        ("foreign edit", figures.foreign),
        ("refused", figures.still_refused),
        ("clamped", figures.clamped),
    ];
    summary.drift = drift
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| (what.to_owned(), count))
        .collect();
    for item in &plan.items {
        let moved = item.before.abs_diff(item.after);
        match item.after > item.before {
            true => summary.units.0 = summary.units.0.saturating_add(moved),
            false => summary.units.1 = summary.units.1.saturating_add(moved),
        }
    }
    if let Some(observed) = &ended.observed {
        summary.heard = observed.changed > 0 || observed.events > 0;
        summary.remarks.extend(observed.remarks.iter().cloned());
        if observed.older > 0 {
            summary.remarks.push(format!(
                "{} rows of source `{}` are older than what is known, and change nothing",
                observed.older, rule.source
            ));
        }
        if observed.uncounted > 0 {
            summary.remarks.push(format!(
                "{} rows of source `{}` give no count, and change nothing",
                observed.uncounted, rule.source
            ));
        }
    }
    summary.findings.clone_from(&ended.findings);
    let trips: Vec<GuardTrip> = plan.trips.iter().map(|trip| trip_of(trip, plan)).collect();
    summary.plan_id = ended.held.as_ref().map(|held| held.id.clone());
    summary.tripped = trips;
    if request.dry_run || ended.held.is_some() {
        summary.plan = planned(state, rule, plan)?;
    }
    summary.refusals = refusals(state, rule, since)?;
    summary.outcome = outcome(summary, ended, figures, request);
    if ended.in_flight > 0 && figures.halted.is_none() {
        summary.remarks.push(format!(
            "{} levels were sent and nobody said what became of them; each is read back, or sent again under its key, before anything \
             newer goes out: a later run settles them, once the store has been quiet for as long as a late write may take",
            ended.in_flight
        ));
    }
    if let Some(Halt::Store(error)) = &figures.halted {
        summary.error = Some((error.to_string(), hint(error)));
    }
    if let Some(Halt::Paused(reason)) = &figures.halted {
        summary.remarks.push(format!(
            "paused: {reason}; `shelfcast resume {}` goes on",
            rule.name
        ));
    }
    Ok(())
}

/// How many levels of a sync stand so.
fn count(
    state: &dyn Look,
    which: Which<'_>,
    sync: &str,
    fits: &dyn Fn(&Level) -> bool,
) -> Result<u64, StateError> {
    let mut count = 0;
    state.levels(which, &mut |level| {
        count += u64::from(level.sync == sync && fits(&level));
        std::ops::ControlFlow::Continue(())
    })?;
    Ok(count)
}

fn hint(error: &StoreError) -> String {
    match error {
        StoreError::Configuration(_) => "see the store's settings in shelfcast.toml".to_owned(),
        StoreError::Failed(_) => {
            "running again is safe: what is open is kept and goes out then".to_owned()
        }
    }
}

fn outcome(
    summary: &SyncSummary,
    ended: &Ended,
    figures: &Figures,
    request: &SyncRequest,
) -> SyncOutcome {
    if ended.held.is_some() {
        return SyncOutcome::Held;
    }
    match &figures.halted {
        Some(Halt::Stopped) => return SyncOutcome::Interrupted,
        Some(Halt::Paused(_)) => return SyncOutcome::Paused,
        Some(Halt::Store(_)) => return SyncOutcome::Failed,
        Some(Halt::Deadline) => return SyncOutcome::Partly,
        None => {}
    }
    if request.dry_run {
        return SyncOutcome::Planned;
    }
    if summary.unknown > 0 || figures.unread > 0 {
        return SyncOutcome::Failed;
    }
    match summary.rejected > 0 || summary.held > 0 {
        true => SyncOutcome::Partly,
        false => SyncOutcome::Done,
    }
}

fn trip_of(trip: &Trip, plan: &Plan) -> GuardTrip {
    let mut items: Vec<PlanItem> = plan
        .items
        .iter()
        .filter(|item| trip.place.is_empty() || item.pair.place == trip.place)
        .filter(|item| trip.guard != "to_zero" || (item.before > 0 && item.after <= 0))
        .map(|item| plan_item(item, String::new()))
        .collect();
    if trip.guard == VANISHED {
        items.clear();
    }
    items.sort_by_key(PlanItem::harm);
    items.truncate(5);
    GuardTrip {
        guard: trip.guard.to_owned(),
        place: trip.place.clone(),
        message: trip.message.clone(),
        items,
    }
}

fn plan_item(item: &Planned, why: String) -> PlanItem {
    PlanItem {
        pair: item.pair.clone(),
        before: Some(item.before),
        after: item.after,
        why,
    }
}

/// The plan's most harmful items, with why.
fn planned(state: &dyn Look, rule: &Rule, plan: &Plan) -> Result<Vec<PlanItem>, StateError> {
    let mut items: Vec<PlanItem> = plan
        .items
        .iter()
        .map(|item| plan_item(item, String::new()))
        .collect();
    items.sort_by(|one, other| {
        one.harm()
            .cmp(&other.harm())
            .then(one.pair.cmp(&other.pair))
    });
    items.truncate(PLANNED_MAX);
    let orders: BTreeMap<String, i64> = state
        .note(&format!("orders:{}", rule.name))?
        .and_then(|text: String| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    for item in &mut items {
        let sku = &item.pair.sku;
        let observations = state.observations(&rule.reading, sku)?;
        let open = orders.get(sku).copied().unwrap_or(0);
        let terms = rule.targets(sku, &observations, open);
        if let Some(terms) = terms.iter().find(|terms| terms.place == item.pair.place) {
            item.why = terms.words();
        }
    }
    Ok(items)
}

/// What the store did not take in this run.
fn refusals(state: &dyn Look, rule: &Rule, since: Timestamp) -> Result<Vec<Line>, StateError> {
    let mut lines = Vec::new();
    let filter = LineFilter {
        sync: Some(&rule.name),
        since: Some(since),
        ..LineFilter::default()
    };
    state.ledger(&filter, &mut |line| {
        if matches!(
            line.what,
            What::Refused | What::Dead | What::Clamped | What::Unknown | What::Stale
        ) {
            lines.push(line);
        }
        match lines.len() < REFUSALS_MAX {
            true => std::ops::ControlFlow::Continue(()),
            false => std::ops::ControlFlow::Break(()),
        }
    })?;
    Ok(lines)
}
