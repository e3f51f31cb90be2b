//! What a run of sync is asked for, and how it came out: for the straight line, and for those who report it.

use std::time::Duration;

use jiff::Timestamp;

use crate::validate::finding::Finding;

use super::level::{Line, Pair};

/// How long a run of a sync may take, where neither the command nor the project says.
pub const DEADLINE: Duration = Duration::from_secs(600);
/// Items of a plan that a summary holds; the rest are counted, and are in the kept plan.
pub const PLANNED_MAX: usize = 1000;
/// Lines on what the store did not take that a summary holds; the rest are counted, and are in the ledger.
pub const REFUSALS_MAX: usize = 100;

/// What to bring in step, and how.
#[derive(Clone, Debug)]
pub struct SyncRequest {
    /// Names of syncs; empty is all.
    pub syncs: Vec<String>,
    /// The run's moment.
    pub now: Timestamp,
    /// Whether nothing is kept and nothing sent: the plan is made, the state and the store are only read.
    pub dry_run: bool,
    /// Whether the store is read back in full, and drift repaired.
    pub full: bool,
    /// The held plan that is let pass, by its id.
    pub approve: Option<String>,
    /// Why, for the ledger and the log.
    pub reason: String,
    /// Who asks.
    pub who: String,
    /// How long the store account's lock is waited for.
    pub wait: Duration,
    /// Whether a daemon asks, which comes back.
    pub watching: bool,
    /// How long the run may take; each sync's own limit, or [`DEADLINE`], where it is not said.
    pub deadline: Option<Duration>,
}

/// How a sync's run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncOutcome {
    /// All that could be brought in step is.
    #[default]
    Done,
    /// It would send this: a dry run.
    Planned,
    /// It is stopped by a person; nothing was sent.
    Paused,
    /// A guard stopped it; nothing was sent, the plan is kept.
    Held,
    /// Some levels were taken, others refused, unknown or left for the next run.
    Partly,
    /// The store failed after all retries.
    Failed,
    /// A source is missing or not whole; nothing was changed.
    NoSource,
    /// Another run works on the store account.
    Busy,
    /// The machine's own state or disk failed or is damaged.
    State,
    /// It was told to stop; the state is whole.
    Interrupted,
}

impl SyncOutcome {
    /// The word in JSON and state.
    pub fn as_str(self) -> &'static str {
        match self {
            SyncOutcome::Done => "done",
            SyncOutcome::Planned => "planned",
            SyncOutcome::Paused => "paused",
            SyncOutcome::Held => "held",
            SyncOutcome::Partly => "partly",
            SyncOutcome::Failed => "failed",
            SyncOutcome::NoSource => "no-source",
            SyncOutcome::Busy => "busy",
            SyncOutcome::State => "state",
            SyncOutcome::Interrupted => "interrupted",
        }
    }

    /// Its exit code. A pause is what a person wanted, and no failure.
    pub fn exit(self) -> u8 {
        match self {
            SyncOutcome::Done | SyncOutcome::Planned | SyncOutcome::Paused => 0,
            SyncOutcome::Partly => 3,
            SyncOutcome::Failed => 4,
            SyncOutcome::Busy => 5,
            SyncOutcome::Held => 6,
            SyncOutcome::NoSource => 7,
            SyncOutcome::State => 8,
            SyncOutcome::Interrupted => 130,
        }
    }
}

/// One level that would be, or was, sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanItem {
    /// The pair.
    pub pair: Pair,
    /// What the store says; absent where it was never read.
    pub before: Option<i64>,
    /// What it would say.
    pub after: i64,
    /// Why: the terms of the formula in words, empty where they are not known. It holds
    /// codes of locations, which are data.
    pub why: String,
}

impl PlanItem {
    /// How much harm a mistake would do, most first when sorted ascending: going to zero, coming back from zero, then the
    /// largest moves; pairs of which nothing is known last.
    pub fn harm(&self) -> (u8, std::cmp::Reverse<u64>) {
        let moved = self.before.map_or(0, |before| before.abs_diff(self.after));
        let class = match (self.before, self.after) {
            (Some(1..), ..=0) => 0,
            (Some(..=0), 1..) => 1,
            (Some(_), _) => 2,
            (None, _) => 3,
        };
        (class, std::cmp::Reverse(moved))
    }
}

/// A guard that stopped a run, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardTrip {
    /// Its key under `[sync.guard]`: `to_zero`, `changed`, `units`, `vanished`.
    pub guard: String,
    /// The place it looked at; empty where it looked at all of them.
    pub place: String,
    /// What, with numbers: lower case, no full stop.
    pub message: String,
    /// The most harmful of the levels it is about, at most 5.
    pub items: Vec<PlanItem>,
}

/// How one sync came out.
#[derive(Clone, Debug, Default)]
pub struct SyncSummary {
    /// The sync.
    pub name: String,
    /// Its store.
    pub store: String,
    /// Where that is, without secrets.
    pub address: String,
    /// How it ended.
    pub outcome: SyncOutcome,
    /// Levels that were compared.
    pub compared: u64,
    /// Levels that differed: what is to be sent.
    pub changed: u64,
    /// Levels that the store took.
    pub accepted: u64,
    /// Levels that it refused.
    pub rejected: u64,
    /// Levels of which nobody knows.
    pub unknown: u64,
    /// Levels that did not leave: a guard, the deadline, a pause, or one more reading is needed.
    pub held: u64,
    /// Levels that are in step now.
    pub in_step: u64,
    /// SKUs that one side does not know, or knows twice.
    pub strangers: u64,
    /// Levels at places where the store does not stock the SKU.
    pub not_stocked: u64,
    /// Dead letters there are now.
    pub dead: u64,
    /// Levels that were read back and were not what we knew, and why, in words with counts: `lost write`, `foreign edit`,
    /// `refused`, `clamped`.
    pub drift: Vec<(String, u64)>,
    /// Units that the plan brings, and units that it takes.
    pub units: (u64, u64),
    /// Rounds it took.
    pub rounds: u32,
    /// Calls made.
    pub calls: u64,
    /// Seconds it took.
    pub seconds: f64,
    /// The plan, most harmful first, at most [`PLANNED_MAX`] items: of a dry run, and of a run that was held.
    pub plan: Vec<PlanItem>,
    /// The id by which a held plan is let pass.
    pub plan_id: Option<String>,
    /// The guards that tripped.
    pub tripped: Vec<GuardTrip>,
    /// Guards that tripped and were let pass, by `--approve`.
    pub approved: Vec<GuardTrip>,
    /// What the store did not take, at most [`REFUSALS_MAX`]: lines of the ledger.
    pub refusals: Vec<Line>,
    /// What went wrong as a whole, with what to do: an unreachable store, a source that is not whole.
    pub error: Option<(String, String)>,
    /// Whether the source said something new.
    pub heard: bool,
    /// What is wrong with single rows of the source.
    pub findings: Vec<Finding>,
    /// What else there is to say.
    pub remarks: Vec<String>,
}

impl SyncSummary {
    /// The exit code of this sync.
    pub fn exit(&self) -> u8 {
        self.outcome.exit()
    }

    /// Whether nothing leaves now: by a person's order.
    pub fn paused(&self) -> bool {
        self.outcome == SyncOutcome::Paused
    }
}

/// How a run came out.
#[derive(Clone, Debug, Default)]
pub struct SyncReport {
    /// The syncs, in the project's order.
    pub syncs: Vec<SyncSummary>,
    /// What the run as a whole has to say.
    pub remarks: Vec<String>,
}

impl SyncReport {
    /// The exit code: what all syncs agree on; 130 where one was interrupted, 8 where the state failed, 6 where one was
    /// held, else 3 where they differ.
    pub fn exit(&self) -> u8 {
        exit_of(self.syncs.iter().map(SyncSummary::exit))
    }
}

/// The exit code of several: what all agree on; 130 where one was interrupted, 8 where the state failed, 6 where one was
/// held, else 3 where they differ.
pub fn exit_of(codes: impl Iterator<Item = u8>) -> u8 {
    let mut codes: Vec<u8> = codes.collect();
    codes.sort_unstable();
    codes.dedup();
    match codes.as_slice() {
        [] => 0,
        [one] => *one,
        several => [130, 8, 6]
            .into_iter()
            .find(|code| several.contains(code))
            .unwrap_or(3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(before: Option<i64>, after: i64) -> PlanItem {
        PlanItem {
            pair: Pair::new("", format!("{before:?} {after}")),
            before,
            after,
            why: String::new(),
        }
    }

    #[test]
    fn the_most_harmful_come_first() {
        let mut plan = [
            item(None, 7),
            item(Some(5), 6),
            item(Some(0), 3),
            item(Some(2), 0),
            item(Some(9), 1),
            item(Some(40), 0),
        ];
        plan.sort_by_key(PlanItem::harm);
        let order: Vec<(Option<i64>, i64)> =
            plan.iter().map(|item| (item.before, item.after)).collect();
        assert_eq!(
            order,
            [
                (Some(40), 0),
                (Some(2), 0),
                (Some(0), 3),
                (Some(9), 1),
                (Some(5), 6),
                (None, 7)
            ]
        );
    }

    #[test]
    fn different_results_make_a_part_and_a_guard_makes_six() {
        let exit = |outcomes: &[SyncOutcome]| {
            let syncs = outcomes.iter().map(|&outcome| SyncSummary {
                outcome,
                ..SyncSummary::default()
            });
            SyncReport {
                syncs: syncs.collect(),
                ..SyncReport::default()
            }
            .exit()
        };
        use SyncOutcome::{Busy, Done, Failed, Held, Interrupted, NoSource, Partly, Paused, State};
        assert_eq!(exit(&[]), 0);
        assert_eq!(exit(&[Done, Paused]), 0);
        assert_eq!(exit(&[Failed, Failed]), 4);
        assert_eq!(exit(&[Done, Failed]), 3);
        assert_eq!(exit(&[Partly, NoSource]), 3);
        assert_eq!(exit(&[Busy]), 5);
        assert_eq!(exit(&[Done, Held, Failed]), 6);
        assert_eq!(exit(&[State, Held]), 8);
        assert_eq!(exit(&[Interrupted, State]), 130);
    }
}
