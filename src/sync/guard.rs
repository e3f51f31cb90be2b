//! What stops a run before its first byte leaves: a plan that would empty a shop, or turn it upside down.
//!
//! Comes in: what is open, against what the store says as last acknowledged, also after runs that were held. Goes out: the
//! guards that tripped, and the plan, kept for approval. An approved plan lets exactly its own changes through: what came
//! since is weighed alone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use crate::config::gate::Limit;
use crate::state::StateError;

use super::decide::Rule;
use super::level::{Level, Pair, What};
use super::observe::Observed;
use super::state::{HeldPlan, LineFilter, Look, Totals, Which};
use super::work::APPROVED;

/// The guard of rows that are no longer there.
pub const VANISHED: &str = "vanished";

/// One change that would be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The pair.
    pub pair: Pair,
    /// What the store says.
    pub before: i64,
    /// What it would say.
    pub after: i64,
}

/// A guard that tripped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trip {
    /// Which: `to_zero`, `changed`, `units` or `vanished`.
    pub guard: &'static str,
    /// The online location; empty where it is over all.
    pub place: String,
    /// What is wrong, with numbers.
    pub message: String,
}

/// What would be sent.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The changes, by place and SKU.
    pub items: Vec<Planned>,
    /// Levels of this sync that are known at the store.
    pub compared: u64,
    /// Open levels that the store was not asked about yet.
    pub unread: u64,
    /// Guards that tripped; none of the plan is sent then.
    pub trips: Vec<Trip>,
}

/// What is open, as a plan.
///
/// # Errors
/// A state that refuses.
pub fn plan(look: &dyn Look, rule: &Rule) -> Result<Plan, StateError> {
    let mut plan = Plan::default();
    look.levels(Which::Open, &mut |level: Level| {
        if level.sync == rule.name
            && let Some(wanted) = level.wanted
        {
            match level.known {
                Some(known) => plan.items.push(Planned {
                    pair: level.pair,
                    before: known.quantity,
                    after: wanted.quantity,
                }),
                None => plan.unread += 1,
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(plan)
}

/// Weighs a plan.
///
/// # Errors
/// A state that refuses.
pub fn weigh(
    look: &dyn Look,
    rule: &Rule,
    plan: &mut Plan,
    observed: Option<&Observed>,
    approved: Option<&HeldPlan>,
    now: Timestamp,
) -> Result<(), StateError> {
    let totals: BTreeMap<String, Totals> = look.totals(&rule.name)?;
    plan.compared = totals.values().map(|totals| totals.levels).sum();
    if let Some(observed) = observed {
        vanished(rule, observed, plan);
    }
    if plan.items.is_empty() {
        return Ok(());
    }
    let allowed: HashSet<(&Pair, i64)> = approved
        .iter()
        .flat_map(|held| held.items.iter().map(|(pair, _, after)| (pair, *after)))
        .collect();
    let mut moves: BTreeMap<String, Moves> = BTreeMap::new();
    for item in &plan.items {
        if allowed.contains(&(&item.pair, item.after)) {
            continue;
        }
        moves.entry(item.pair.place.clone()).or_default().add(item);
    }
    for (place, zeroed) in zeroed_within_the_hour(look, rule, now)? {
        moves.entry(place).or_default().zeroed_before += zeroed;
    }
    let mut all = (Totals::default(), Moves::default());
    let mut of_places: Vec<Trip> = Vec::new();
    for (place, totals) in &totals {
        let moves = moves.remove(place).unwrap_or_default();
        all.0.add(totals);
        all.1.join(&moves);
        trips(rule, place, totals, &moves, &mut of_places);
    }
    trips(rule, "", &all.0, &all.1, &mut plan.trips);
    // a place is named where it is not all of them
    of_places.retain(|trip| {
        !plan
            .trips
            .iter()
            .any(|over_all| over_all.guard == trip.guard)
    });
    plan.trips.append(&mut of_places);
    Ok(())
}

#[derive(Clone, Copy, Debug, Default)]
struct Moves {
    changed: u64,
    to_zero: u64,
    zeroed_before: u64,
    units: u64,
}

impl Moves {
    fn add(&mut self, item: &Planned) {
        self.changed += 1;
        self.to_zero += u64::from(item.before > 0 && item.after <= 0);
        self.units = self.units.saturating_add(item.before.abs_diff(item.after));
    }

    fn join(&mut self, other: &Moves) {
        self.changed += other.changed;
        self.to_zero += other.to_zero;
        self.zeroed_before += other.zeroed_before;
        self.units = self.units.saturating_add(other.units);
    }
}

fn trips(rule: &Rule, place: &str, totals: &Totals, moves: &Moves, trips: &mut Vec<Trip>) {
    let limits = &rule.guard;
    let mut check =
        |guard: &'static str, limit: Limit, part: u64, levels: u64, whole: u64, what: &str| {
            let Some(limit) = limit.0 else { return };
            if levels < limits.at_least.max(1) || whole == 0 {
                return;
            }
            let share = Decimal::from(part) / Decimal::from(whole);
            if share <= limit {
                return;
            }
            let place_said = match place {
                "" => String::new(),
                place => format!(" at `{place}`"),
            };
            trips.push(Trip {
                guard,
                place: place.to_owned(),
                message: format!(
                    "{part} of {whole} {what}{place_said}: {}, the limit is {}",
                    percent(share),
                    percent(limit)
                ),
            });
        };
    let zeroed = moves.to_zero + moves.zeroed_before;
    if moves.to_zero > 0 {
        check(
            "to_zero",
            limits.to_zero,
            zeroed,
            zeroed,
            totals.positive + moves.zeroed_before,
            "levels above zero would go to zero, with those of the last hour",
        );
    }
    check(
        "changed",
        limits.changed,
        moves.changed,
        moves.changed,
        totals.levels,
        "levels would change",
    );
    check(
        "units",
        limits.units,
        moves.units,
        moves.changed,
        totals.units,
        "units would come or go",
    );
}

fn vanished(rule: &Rule, observed: &Observed, plan: &mut Plan) {
    let Some(limit) = rule.guard.vanished.0 else {
        return;
    };
    let gone = observed.vanished.len() as u64;
    if gone < rule.guard.at_least.max(1) || observed.known == 0 {
        return;
    }
    let share = Decimal::from(gone) / Decimal::from(observed.known);
    if share > limit {
        plan.trips.push(Trip {
            guard: VANISHED,
            place: String::new(),
            message: format!(
                "{} of {} rows are no longer in source `{}`: {}, the limit is {}",
                gone,
                observed.known,
                rule.source,
                percent(share),
                percent(limit)
            ),
        });
    }
}

/// Levels that went to zero within the last hour, by place.
fn zeroed_within_the_hour(
    look: &dyn Look,
    rule: &Rule,
    now: Timestamp,
) -> Result<HashMap<String, u64>, StateError> {
    let mut zeroed: HashMap<String, u64> = HashMap::new();
    let since = now
        .checked_sub(SignedDuration::from_hours(1))
        .unwrap_or(now);
    let filter = LineFilter {
        sync: Some(&rule.name),
        since: Some(since),
        what: Some(What::Accepted),
        ..LineFilter::default()
    };
    look.ledger(&filter, &mut |line| {
        let approved = line.code == APPROVED;
        if line.quantity <= 0 && line.before.is_some_and(|before| before > 0) && !approved {
            *zeroed.entry(line.pair.place).or_default() += 1;
        }
        ControlFlow::Continue(())
    })?;
    Ok(zeroed)
}

fn percent(share: Decimal) -> String {
    format!(
        "{}%",
        (share * Decimal::ONE_HUNDRED).round_dp(1).normalize()
    )
}

/// Which rows vanished, in a few letters: an approval lets these vanish and no others.
pub fn vanished_digest(keys: &[u64]) -> String {
    let mut digest = Sha256::new();
    for key in keys {
        digest.update(key.to_le_bytes());
    }
    hex(&digest.finalize(), 8)
}

fn hex(bytes: &[u8], most: usize) -> String {
    let bytes = bytes.iter().take(most);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// A plan that is kept for approval.
pub fn held(rule: &Rule, plan: &Plan, vanished: &[u64], now: Timestamp) -> HeldPlan {
    let mut digest = Sha256::new();
    digest.update(rule.name.as_bytes());
    if plan.trips.iter().any(|trip| trip.guard == VANISHED) {
        digest.update(vanished_digest(vanished).as_bytes());
    }
    for item in &plan.items {
        for text in [&item.pair.place, &item.pair.sku] {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text.as_bytes());
        }
        digest.update(item.before.to_le_bytes());
        digest.update(item.after.to_le_bytes());
    }
    let id = hex(&digest.finalize(), 6);
    HeldPlan {
        id,
        sync: rule.name.clone(),
        at: now,
        reasons: plan.trips.iter().map(|trip| trip.message.clone()).collect(),
        items: plan
            .items
            .iter()
            .map(|item| (item.pair.clone(), Some(item.before), item.after))
            .collect(),
    }
}
