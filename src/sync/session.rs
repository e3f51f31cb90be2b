//! A project's syncs, run once: each store account by itself, so that one that is down holds no other up.
//!
//! Comes in: the project and what is asked. Goes out: a summary a sync. Promised: one lock, one state and one pace a store
//! account; a dry run works on a copy of the state and sends nothing; a sync that cannot run says so and
//! lets the others go on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use hashbrown::HashSet;
use jiff::{SignedDuration, Timestamp};

use crate::catalog::SourceProblem;
use crate::config::project::{Role, Source};
use crate::config::sync::{OnlineOrders, Store, Sync};
use crate::config::{ConfigError, Project, span};
use crate::pipeline::Failure;
use crate::program::nearest::near;
use crate::recovery::{self, kill_point};
use crate::state::StateError;
use crate::store::pace::{Clock, SystemClock};

use super::connector::Connector;
use super::decide::Rule;
use super::online::OnlineStore;
use super::rule::stock_source;
use super::run::{self, Inputs, RunError};
use super::source::{self, Opening, SourceFailure, StockSource};
use super::state::memory::MemoryState;
use super::state::sqlite::{SqliteScratch, SqliteState};
use super::state::{Change, HeldPlan, Look, RunEnd, SyncState};
use super::summary::{DEADLINE, SyncOutcome, SyncReport, SyncRequest, SyncSummary};
use super::telling::tell;
use super::work::{Figures, Work};

/// The ledger is kept for so long, and the last line of each pair for ever.
const LEDGER_KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Runs what is asked.
///
/// # Errors
/// A project that is wrong: all that is wrong with it.
pub fn sync(
    project: &Project,
    request: &SyncRequest,
    stop: &Arc<AtomicBool>,
) -> Result<SyncReport, Failure> {
    super::check::check(project).map_err(Failure::Configuration)?;
    let syncs = chosen(project, &request.syncs)?;
    let stores: Vec<&Store> = project
        .store
        .iter()
        .filter(|store| syncs.iter().any(|sync| sync.to == store.name))
        .collect();
    let results: Vec<Result<Vec<SyncSummary>, Failure>> = std::thread::scope(|scope| {
        let running: Vec<_> = stores
            .iter()
            .map(|store| {
                let of_store: Vec<&Sync> = syncs
                    .iter()
                    .copied()
                    .filter(|sync| sync.to == store.name)
                    .collect();
                scope.spawn(move || account(project, store, &of_store, request, stop))
            })
            .collect();
        running
            .into_iter()
            .map(|thread| match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    let mut report = SyncReport::default();
    let mut failed = None;
    for result in results {
        match result {
            Ok(summaries) => report.syncs.extend(summaries),
            Err(error) => failed = Some(error),
        }
    }
    // what is wrong with one store is wrong with the project: it is said, and the others have been done
    if let Some(error) = failed {
        return Err(error);
    }
    let order = |name: &str| project.sync.iter().position(|sync| sync.name == name);
    report.syncs.sort_by_key(|summary| order(&summary.name));
    Ok(report)
}

/// The syncs that are asked for, in the project's order.
///
/// # Errors
/// A name that no sync has; a project without any.
pub fn chosen<'p>(project: &'p Project, names: &[String]) -> Result<Vec<&'p Sync>, ConfigError> {
    let wrong = |message: String, hint: String| ConfigError::new("shelfcast.toml", message, hint);
    if project.sync.is_empty() {
        return Err(wrong(
            "there is no [[sync]]".to_owned(),
            "docs/sync.md shows how one is written".to_owned(),
        ));
    }
    for name in names {
        if !project.sync.iter().any(|sync| sync.name == *name) {
            let all = project.sync.iter().map(|sync| sync.name.as_str());
            let hint = near(name, all.clone())
                .unwrap_or_else(|| format!("there is {}", all.collect::<Vec<_>>().join(", ")));
            return Err(wrong(format!("there is no sync `{name}`"), hint));
        }
    }
    Ok(project
        .sync
        .iter()
        .filter(|sync| names.is_empty() || names.contains(&sync.name))
        .collect())
}

/// All syncs of one store account, one after the other.
fn account(
    project: &Project,
    store: &Store,
    syncs: &[&Sync],
    request: &SyncRequest,
    stop: &Arc<AtomicBool>,
) -> Result<Vec<SyncSummary>, Failure> {
    let deadline = deadline(syncs, request);
    let connector = Connector::open(
        project,
        store,
        &run_name(store, request.now),
        Some(deadline),
        Some(Arc::clone(stop)),
    )?;
    let opened = match request.dry_run {
        true => scratch(project, store),
        false => SqliteState::open(&project.folder, &store.name, request.wait, request.now)
            .map(|state| Box::new(state) as Box<dyn SyncState + Send>)
            .map_err(StateError::from),
    };
    let state = match opened {
        Ok(opened) => opened,
        Err(error) => {
            return Ok(syncs
                .iter()
                .map(|sync| {
                    let mut summary = begun(sync, &connector);
                    failed_state(&mut summary, &error);
                    summary
                })
                .collect());
        }
    };
    kill_point(recovery::Y1);
    let mut account = Account {
        project: Arc::new(project.clone()),
        state,
        connector,
    };
    syncs
        .iter()
        .map(|sync| {
            let mut parts = Parts::of(project, sync, &account.connector, request.watching)?;
            account.run(&mut parts, request, deadline, stop)
        })
        .collect()
}

/// The run's name, for templates.
pub(super) fn run_name(store: &Store, now: Timestamp) -> String {
    format!("{}-{}", store.name, now.as_millisecond())
}

/// A store account that a run holds.
pub(super) struct Account {
    pub(super) project: Arc<Project>,
    pub(super) state: Box<dyn SyncState + Send>,
    pub(super) connector: Connector,
}

/// What one sync is made of: a daemon keeps it between rounds.
pub(super) struct Parts {
    pub(super) sync: Sync,
    rule: Rule,
    source: Box<dyn StockSource>,
    /// Whether the next run reads a sample back.
    pub(super) samples: bool,
}

impl Parts {
    /// Reads what the project says of a sync; `waits` is false for a daemon, which comes back to files that are too young.
    pub(super) fn of(
        project: &Project,
        sync: &Sync,
        connector: &Connector,
        watching: bool,
    ) -> Result<Self, Failure> {
        let rule = Rule::of(
            project,
            sync,
            connector.capabilities().maximum,
            super::keep::units(project, sync)?,
        )?;
        let opening = Opening {
            safety_stock: match &sync.safety_stock {
                Some(toml::Value::String(column)) => Some(column.clone()),
                _ => None,
            },
            waits: !watching,
            clock: Arc::new(SystemClock::default()),
        };
        Ok(Parts {
            sync: sync.clone(),
            rule,
            source: source::open(project, stock_source(project, sync)?, opening)?,
            samples: true,
        })
    }
}

/// A copy of the state for a dry run: what the run keeps there goes with it.
fn scratch(project: &Project, store: &Store) -> Result<Box<dyn SyncState + Send>, StateError> {
    Ok(match SqliteScratch::open(&project.folder, &store.name)? {
        Some(state) => Box::new(state),
        None => Box::new(MemoryState::new()),
    })
}

fn deadline(syncs: &[&Sync], request: &SyncRequest) -> Duration {
    let own = syncs
        .iter()
        .filter_map(|sync| span::parse(sync.deadline.as_deref()?).ok())
        .max();
    request.deadline.or(own).unwrap_or(DEADLINE)
}

fn begun(sync: &Sync, connector: &Connector) -> SyncSummary {
    SyncSummary {
        name: sync.name.clone(),
        store: sync.to.clone(),
        address: connector.address(),
        ..SyncSummary::default()
    }
}

impl Account {
    /// One run of one sync.
    pub(super) fn run(
        &mut self,
        parts: &mut Parts,
        request: &SyncRequest,
        deadline: Duration,
        stop: &AtomicBool,
    ) -> Result<SyncSummary, Failure> {
        let Parts {
            sync,
            rule,
            source,
            samples,
        } = parts;
        let (project, sync, rule) = (&*self.project, &*sync, &*rule);
        let (state, connector) = (self.state.as_mut(), &mut self.connector);
        let begun_at = Instant::now();
        let since = crate::clock::now();
        let calls = connector.calls().0;
        let mut summary = begun(sync, connector);
        let clock = SystemClock::default();
        let approved = match approved(&*state, rule, request) {
            Ok(approved) => approved,
            Err(Refused::State(error)) => {
                failed_state(&mut summary, &error);
                return Ok(summary);
            }
            Err(Refused::Unknown(error)) => return Err(error.into()),
        };
        let mut read_orders = || orders(project, sync);
        let mut inputs = Inputs {
            source: source.as_mut(),
            orders: match sync.online_orders {
                OnlineOrders::Subtract => Some(&mut read_orders),
                OnlineOrders::Booked | OnlineOrders::StoreReserves => None,
            },
            full: request.full,
            push: !request.dry_run,
            approved,
            sample: samples.then(|| turn(&*state, sync)),
        };
        let mut work = Work {
            rule,
            state: &mut *state,
            store: connector,
            clock: &clock,
            approved: request.approve.is_some(),
            absent: HashSet::new(),
            deadline: clock.now().saturating_add(deadline),
            stop,
            figures: Figures::default(),
        };
        let ended = run::run(&mut work, &mut inputs);
        let figures = std::mem::take(&mut work.figures);
        match ended {
            Ok(ended) => tell(
                &mut summary,
                rule,
                &*state,
                &ended,
                &figures,
                request,
                since,
            )
            .unwrap_or_else(|error| failed_state(&mut summary, &error)),
            Err(RunError::State(error)) => failed_state(&mut summary, &error),
            Err(RunError::Source(error)) if error.problem == SourceProblem::Configuration => {
                return Err(Failure::Source(error));
            }
            Err(RunError::Source(error)) => {
                summary.outcome = SyncOutcome::NoSource;
                summary.error = Some((error.to_string(), error.hint.clone()));
            }
        }
        summary.calls = connector.calls().0 - calls;
        summary.seconds = begun_at.elapsed().as_secs_f64();
        if !request.dry_run
            && let Err(error) = remember(state, &end_of(&summary))
        {
            failed_state(&mut summary, &error);
        }
        Ok(summary)
    }
}

/// Open online orders of a sync that subtracts them.
fn orders(project: &Project, sync: &Sync) -> Result<BTreeMap<String, i64>, SourceFailure> {
    let of_role = |source: &&Source| source.role == Some(Role::Orders);
    let named = |source: &&Source| sync.orders.as_ref().is_none_or(|name| source.name == *name);
    let Some(source) = project.source.iter().filter(of_role).find(named) else {
        return Ok(BTreeMap::new());
    };
    let orders = source::orders(project, source, Arc::new(SystemClock::default()))?;
    Ok(orders.units.into_iter().collect())
}

/// Which run of the sync this is: which part of the levels its sample reads back.
fn turn(state: &dyn Look, sync: &Sync) -> u64 {
    state
        .note(&format!("turn:{}", sync.name))
        .ok()
        .flatten()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// How the run ended, as `status` will tell it.
fn end_of(summary: &SyncSummary) -> RunEnd {
    RunEnd {
        sync: summary.name.clone(),
        at: crate::clock::now(),
        exit: summary.exit(),
        words: match &summary.error {
            Some((message, _)) => format!("{}: {message}", summary.outcome.as_str()),
            None => summary.outcome.as_str().to_owned(),
        },
        compared: summary.compared,
        changed: summary.changed,
        accepted: summary.accepted,
    }
}

/// Keeps how a run ended, ends its turn, and once a day cuts the ledger.
///
/// # Errors
/// A state that refuses.
pub fn remember(state: &mut dyn SyncState, end: &RunEnd) -> Result<(), StateError> {
    let name = format!("turn:{}", end.sync);
    let turn: u64 = state
        .note(&name)?
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let turn = turn.wrapping_add(1).to_string();
    state.commit(&mut |made| {
        made.write(Change::Note {
            name: &name,
            value: &turn,
        })?;
        made.write(Change::Run(end))
    })?;
    cut_ledger(state, end.at)
}

/// Takes lines out of the ledger that are older than it is kept, once a day.
fn cut_ledger(state: &mut dyn SyncState, now: Timestamp) -> Result<(), StateError> {
    let day = now.to_string().chars().take(10).collect::<String>();
    if state.note("cut")?.as_deref() == Some(day.as_str()) {
        return Ok(());
    }
    let before = now.checked_sub(LEDGER_KEPT).unwrap_or(now);
    state.commit(&mut |made| {
        made.write(Change::LedgerCut(before))?;
        made.write(Change::Note {
            name: "cut",
            value: &day,
        })
    })?;
    Ok(())
}

enum Refused {
    State(StateError),
    Unknown(ConfigError),
}

/// The held plan that a person let pass.
fn approved(
    state: &dyn Look,
    rule: &Rule,
    request: &SyncRequest,
) -> Result<Option<HeldPlan>, Refused> {
    let Some(id) = &request.approve else {
        return Ok(None);
    };
    let held = state.held().map_err(Refused::State)?;
    let plan = held
        .into_iter()
        .find(|plan| plan.id == *id && plan.sync == rule.name);
    match plan {
        Some(plan) => Ok(Some(plan)),
        None => Err(Refused::Unknown(ConfigError::new(
            "--approve",
            format!("sync `{}` holds no plan `{id}`", rule.name),
            "the run that is held says its plan's id; a later run may have replaced it: `shelfcast sync --dry-run` shows what is held now",
        ))),
    }
}

fn failed_state(summary: &mut SyncSummary, error: &StateError) {
    summary.outcome = match error.exit() {
        5 => SyncOutcome::Busy,
        _ => SyncOutcome::State,
    };
    summary.error = Some((error.to_string(), error.hint.clone()));
}
