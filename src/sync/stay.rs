//! A project's syncs for as long as they are left running: each store account's state, connection and sources stay open from
//! round to round.
//!
//! Comes in: the project, and what the outside ([`super::serve`]) notices. Goes out: rounds. Promised: the account is held from
//! the first round to the last, so that no other run comes between; a round that fails leaves what it had, and the next
//! begins with settling.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::config::project::{Project, Source};
use crate::config::sync::{Locations, Store, Sync};
use crate::config::{ConfigError, span};
use crate::pipeline::Failure;
use crate::state::StateError;
use crate::store::pace::SystemClock;

use super::connector::Connector;
use super::level::reading;
use super::rule::stock_source;
use super::serve::{
    Account as Served, Echo, EventStore, Hook, Limits, Plan, RoundEnd, Rounds, SyncFigures,
    Trigger, Watched,
};
use super::session::{self, Account, Parts};
use super::source::Watch;
use super::state::sqlite::{SqliteIntake, SqliteState};
use super::state::{Change, Event, Intake, SyncState};
use super::summary::{DEADLINE, SyncRequest, SyncSummary};

/// Every so often a round is done, whatever is noticed: drift is looked for then.
const EVERY: Duration = Duration::from_secs(300);
/// Every so often it is asked whether a person gave an order.
const ORDERS: Duration = Duration::from_millis(500);
/// Ids of events are remembered for so long.
const EVENTS_KEPT: SignedDuration = SignedDuration::from_hours(8 * 24);

/// What a daemon is started with, from a project.
///
/// # Errors
/// A project that is wrong.
pub fn plan(project: &Project, request: &SyncRequest) -> Result<Plan, Failure> {
    super::check::check(project).map_err(Failure::Configuration)?;
    let syncs = session::chosen(project, &request.syncs)?;
    let project = Arc::new(project.clone());
    let mut plan = Plan::default();
    for store in &project.store {
        let of_store: Vec<Sync> = syncs
            .iter()
            .filter(|sync| sync.to == store.name)
            .map(|sync| (*sync).clone())
            .collect();
        if of_store.is_empty() {
            continue;
        }
        let ages = of_store
            .iter()
            .filter_map(|sync| age(sync.max_age.as_deref()));
        let max_age = ages.min();
        let has_webhook = of_store
            .iter()
            .filter_map(|sync| stock_source(&project, sync).ok())
            .any(|source| source.webhook.is_some());
        plan.watched.push(orders_of(&project, store));
        plan.accounts.push(Served {
            name: store.name.clone(),
            events: has_webhook.then(|| {
                Box::new(Events {
                    project: Arc::clone(&project),
                    store: store.name.clone(),
                    syncs: of_store
                        .iter()
                        .map(|sync| (sync.name.clone(), sync.from.clone()))
                        .collect(),
                    intake: None,
                }) as Box<dyn EventStore>
            }),
            rounds: Box::new(Staying {
                project: Arc::clone(&project),
                store: store.clone(),
                syncs: of_store,
                request: SyncRequest {
                    watching: true,
                    ..request.clone()
                },
                open: None,
                stop: Arc::default(),
            }),
            every: EVERY,
            max_age,
        });
    }
    let mut seen: HashSet<&str> = HashSet::new();
    for sync in &syncs {
        if !seen.insert(&sync.from) {
            continue;
        }
        let source = stock_source(&project, sync)?;
        let readers: Vec<&Sync> = syncs
            .iter()
            .copied()
            .filter(|other| other.from == sync.from)
            .collect();
        plan.watched.push(news_of(&project, source, &readers)?);
        let quiet = readers
            .iter()
            .filter_map(|sync| age(sync.max_age.as_deref()))
            .min();
        plan.sources.push((source.name.clone(), quiet));
        let hook = Hook::new(source, &project.folder, &Limits::default()).map_err(|message| {
            ConfigError::new("shelfcast.toml", message, "see docs/webhooks.md")
        })?;
        if let Some(hook) = hook {
            let accounts = readers
                .iter()
                .map(|sync| (sync.to.clone(), echo(&project, sync)))
                .collect();
            plan.hooks.push((hook, accounts));
        }
    }
    Ok(plan)
}

fn age(text: Option<&str>) -> Option<Duration> {
    span::parse(text?).ok()
}

/// By what a sync knows its own writing.
fn echo(project: &Project, sync: &Sync) -> Echo {
    let host = project
        .store
        .iter()
        .find(|store| store.name == sync.to)
        .and_then(|store| reqwest::Url::parse(store.url.as_deref()?).ok())
        .and_then(|url| url.host_str().map(str::to_owned));
    let (places, locations) = match &sync.locations {
        Some(Locations::Mapped(map)) => (
            map.values().cloned().collect(),
            map.keys().cloned().collect(),
        ),
        Some(Locations::Pooled(list)) => (HashSet::new(), list.iter().cloned().collect()),
        None => (HashSet::new(), HashSet::new()),
    };
    Echo {
        places,
        locations,
        host,
    }
}

/// News of a source.
fn news_of(project: &Project, source: &Source, readers: &[&Sync]) -> Result<Watched, ConfigError> {
    let mut watch = Watch::new(project, &[source], Arc::new(SystemClock::default()))?;
    let mut accounts: Vec<String> = readers.iter().map(|sync| sync.to.clone()).collect();
    accounts.sort_unstable();
    accounts.dedup();
    Ok(Watched {
        name: source.name.clone(),
        trigger: Trigger::Source,
        // the watch itself knows when a source is due
        poll: Duration::from_millis(100),
        accounts,
        look: Box::new(move || Ok(!watch.look().is_empty())),
    })
}

/// Orders that people give a store account.
fn orders_of(project: &Arc<Project>, store: &Store) -> Watched {
    let (project, name) = (Arc::clone(project), store.name.clone());
    let mut intake: Option<SqliteIntake> = None;
    Watched {
        name: format!("orders for {name}"),
        trigger: Trigger::Order,
        poll: ORDERS,
        accounts: vec![name.clone()],
        look: Box::new(move || {
            let wrong = |error: StateError| error.to_string();
            if intake.is_none() {
                intake = Some(SqliteIntake::open(&project.folder, &name).map_err(wrong)?);
            }
            match &intake {
                Some(intake) => intake.order_waits().map_err(wrong),
                None => Ok(false),
            }
        }),
    }
}

/// Where webhooks' events are stored, beside the round that holds the account.
struct Events {
    project: Arc<Project>,
    store: String,
    /// The account's syncs, and the source of each.
    syncs: Vec<(String, String)>,
    intake: Option<SqliteIntake>,
}

impl EventStore for Events {
    fn store(&mut self, events: &[Event]) -> Result<(), StateError> {
        if self.intake.is_none() {
            self.intake = Some(SqliteIntake::open(&self.project.folder, &self.store)?);
        }
        let Some(intake) = &mut self.intake else {
            return Ok(());
        };
        // each sync that reads the source merges it by itself
        let mut kept: Vec<Event> = Vec::with_capacity(events.len());
        for event in events {
            let readers = self.syncs.iter().filter(|(_, from)| *from == event.source);
            for (sync, source) in readers {
                kept.push(Event {
                    source: reading(sync, source),
                    ..event.clone()
                });
            }
        }
        intake.events(&kept).map(drop)
    }

    fn forget(&mut self, _: Timestamp) -> Result<(), StateError> {
        // the round that holds the account does
        Ok(())
    }
}

/// A store account's rounds.
struct Staying {
    project: Arc<Project>,
    store: Store,
    syncs: Vec<Sync>,
    request: SyncRequest,
    open: Option<Open>,
    /// The daemon's stop.
    stop: Arc<AtomicBool>,
}

/// What stays open between rounds.
struct Open {
    account: Account,
    parts: Vec<Parts>,
    last_good: Vec<Option<Timestamp>>,
    /// Since when something is open that the store does not have.
    behind: Vec<Option<Instant>>,
    /// Calls, and answers that we are too fast, before this round.
    calls: u64,
    throttles: u64,
}

impl Staying {
    fn open(&mut self) -> Result<&mut Open, Failure> {
        if self.open.is_none() {
            let now = crate::clock::now();
            let connector = Connector::open(
                &self.project,
                &self.store,
                &session::run_name(&self.store, now),
                None,
                Some(Arc::clone(&self.stop)),
            )?;
            let state = SqliteState::open(
                &self.project.folder,
                &self.store.name,
                self.request.wait,
                now,
            )
            .map_err(StateError::from)?;
            let parts = self
                .syncs
                .iter()
                .map(|sync| Parts::of(&self.project, sync, &connector, true))
                .collect::<Result<Vec<_>, _>>()?;
            self.open = Some(Open {
                last_good: vec![None; parts.len()],
                behind: vec![None; parts.len()],
                calls: 0,
                throttles: 0,
                account: Account {
                    project: Arc::clone(&self.project),
                    state: Box::new(state),
                    connector,
                },
                parts,
            });
        }
        self.open
            .as_mut()
            .ok_or_else(|| Failure::Disk("the store account cannot be held".to_owned()))
    }

    fn try_round(&mut self, why: Trigger, stop: &AtomicBool) -> Result<RoundEnd, Failure> {
        let mut request = self.request.clone();
        request.now = crate::clock::now();
        let full = matches!(why, Trigger::Timer | Trigger::Start);
        let open = self.open()?;
        if full {
            forget(open.account.state.as_mut(), request.now)?;
        }
        let mut summaries: Vec<SyncSummary> = Vec::new();
        for (index, parts) in open.parts.iter_mut().enumerate() {
            parts.samples = full;
            let deadline = request.deadline.unwrap_or(DEADLINE);
            let summary = open.account.run(parts, &request, deadline, stop)?;
            if summary.exit() == 0 {
                open.last_good[index] = Some(crate::clock::now());
            }
            let pending = summary.held + summary.unknown;
            open.behind[index] = match (pending, open.behind[index]) {
                (0, _) => None,
                (_, Some(since)) => Some(since),
                (_, None) => Some(Instant::now()),
            };
            summaries.push(summary);
        }
        let connector = &open.account.connector;
        let (calls, throttles) = (connector.calls().0, connector.throttles());
        let end = RoundEnd {
            exit: worst(&summaries),
            words: words(&summaries),
            calls: calls - open.calls,
            throttles: throttles - open.throttles,
            paused: summaries.iter().any(|summary| summary.paused()),
            more: summaries
                .iter()
                .any(|summary| summary.held > 0 && summary.exit() == 3),
            heard: summaries
                .iter()
                .zip(&open.parts)
                .filter(|(summary, _)| summary.heard)
                .map(|(_, parts)| parts.sync.from.clone())
                .collect(),
            syncs: summaries
                .iter()
                .enumerate()
                .map(|(index, summary)| SyncFigures {
                    sync: summary.name.clone(),
                    compared: summary.compared,
                    changed: summary.changed,
                    accepted: summary.accepted,
                    rejected: summary.rejected,
                    unknown: summary.unknown,
                    held: summary.held,
                    pending: summary.held + summary.unknown,
                    dead: summary.dead,
                    lag: open.behind[index].map_or(Duration::ZERO, |since| since.elapsed()),
                    last_good: open.last_good[index],
                })
                .collect(),
        };
        (open.calls, open.throttles) = (calls, throttles);
        Ok(end)
    }
}

impl Rounds for Staying {
    fn attach(&mut self, stop: &Arc<AtomicBool>) {
        self.stop = Arc::clone(stop);
    }

    fn round(&mut self, why: Trigger, stop: &AtomicBool) -> RoundEnd {
        match self.try_round(why, stop) {
            Ok(end) => {
                // what the disk or another run did to the state is looked at anew
                if matches!(end.exit, 5 | 8) {
                    self.open = None;
                }
                end
            }
            Err(failure) => {
                self.open = None;
                let words = failure.messages().into_iter().map(|(message, _)| message);
                RoundEnd {
                    exit: failure.exit(),
                    words: words.collect::<Vec<_>>().join("; "),
                    ..RoundEnd::default()
                }
            }
        }
    }
}

/// Forgets the ids of events that no sender repeats any more.
fn forget(state: &mut dyn SyncState, now: Timestamp) -> Result<(), StateError> {
    let before = now.checked_sub(EVENTS_KEPT).unwrap_or(now);
    state.commit(&mut |made| made.write(Change::EventsForgotten(before)))?;
    Ok(())
}

fn worst(summaries: &[SyncSummary]) -> u8 {
    super::summary::exit_of(summaries.iter().map(SyncSummary::exit))
}

fn words(summaries: &[SyncSummary]) -> String {
    let said: Vec<String> = summaries
        .iter()
        .filter(|summary| summary.exit() != 0)
        .map(|summary| {
            let why = match (&summary.error, summary.tripped.first()) {
                (Some((message, _)), _) => format!(": {message}"),
                (None, Some(trip)) => format!(": {}", trip.message),
                (None, None) => String::new(),
            };
            format!("{} {}{why}", summary.name, summary.outcome.as_str())
        })
        .collect();
    said.join("; ")
}
