//! What a publication is asked for, and how it came out: for the straight lines, and for those who report them.

use std::time::Duration;

use jiff::Timestamp;

use crate::change::{Changes, Gate, Tripped};

use super::build::FeedReport;
use super::delivering::Delivered;

/// How long a run may take, where it is not said.
pub const DEADLINE: Duration = Duration::from_secs(3600);

/// What to publish, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Names of feeds; empty is all that have a destination.
    pub feeds: Vec<String>,
    /// The run's moment.
    pub now: Timestamp,
    /// How many threads work on batches.
    pub threads: usize,
    /// The plan to carry out.
    pub plan: Option<String>,
    /// Gates that are let pass this once.
    pub allow: Vec<Gate>,
    /// Why.
    pub reason: String,
    /// Whether a pin is taken away.
    pub unpin: bool,
    /// Whether a moved source refuses a plan.
    pub strict_source: bool,
    /// How long locks are waited for.
    pub wait: Duration,
    /// How long the run may take.
    pub deadline: Duration,
    /// Whether nothing is kept and nothing sent.
    pub dry_run: bool,
}

/// How one feed's publication ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It stands at every destination.
    Published,
    /// What stands there is what was made.
    Unchanged,
    /// Unchanged, and sent again before the channel lets it expire.
    Refreshed,
    /// The data is over a limit.
    Withheld,
    /// A gate stopped it.
    Held,
    /// The feed is pinned to a version.
    Pinned,
    /// Some destinations have it.
    Partly,
    /// No destination has it.
    NotDelivered,
    /// It would be published: a dry run, or a plan.
    Planned,
}

impl Outcome {
    /// The word in JSON and state.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Published => "published",
            Outcome::Unchanged => "unchanged",
            Outcome::Refreshed => "refreshed",
            Outcome::Withheld => "withheld",
            Outcome::Held => "held",
            Outcome::Pinned => "pinned",
            Outcome::Partly => "partly",
            Outcome::NotDelivered => "not-delivered",
            Outcome::Planned => "planned",
        }
    }

    /// Its exit code.
    pub fn exit(self) -> u8 {
        match self {
            Outcome::Published | Outcome::Unchanged | Outcome::Refreshed | Outcome::Planned => 0,
            Outcome::Withheld => 1,
            Outcome::Partly => 3,
            Outcome::NotDelivered => 4,
            Outcome::Held | Outcome::Pinned => 6,
        }
    }
}

/// What came of one feed.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The feed.
    pub feed: String,
    /// Its channel.
    pub channel: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How its build came out; none where a plan was carried out, or a pin stopped it.
    pub build: Option<FeedReport>,
    /// What differs from what stands at the channel.
    pub changes: Option<Changes>,
    /// The gates that stopped it.
    pub tripped: Vec<Tripped>,
    /// The gates that would have and were let pass.
    pub allowed: Vec<Tripped>,
    /// The version that stood there before, and since when.
    pub published: Option<(u64, Timestamp)>,
    /// The version that was kept or sent.
    pub version: Option<u64>,
    /// Its destinations.
    pub delivered: Vec<Delivered>,
    /// What else there is to say.
    pub remarks: Vec<String>,
}

/// How a run came out.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The feeds.
    pub feeds: Vec<Publication>,
    /// The plan that was made, or carried out.
    pub plan: Option<String>,
    /// Rows of the master.
    pub rows: u64,
    /// What a run as a whole has to say.
    pub remarks: Vec<String>,
}

impl Report {
    /// The exit code: what all feeds agree on; 6 where one was held; 3 where they differ.
    pub fn exit(&self) -> u8 {
        agreed(self.feeds.iter().map(|feed| feed.outcome.exit()))
    }

    /// The exit code of a plan: gates stop no plan.
    pub fn exit_as_plan(&self) -> u8 {
        let held = |outcome: Outcome| outcome == Outcome::Held;
        let rest = self.feeds.iter().map(|feed| feed.outcome);
        agreed(rest.map(|outcome| if held(outcome) { 0 } else { outcome.exit() }))
    }
}

fn agreed(codes: impl Iterator<Item = u8>) -> u8 {
    let mut codes: Vec<u8> = codes.collect();
    codes.sort_unstable();
    codes.dedup();
    match codes.as_slice() {
        [] => 0,
        [one] => *one,
        several if several.contains(&6) => 6,
        _ => 3,
    }
}
