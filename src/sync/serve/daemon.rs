//! The daemon: takes a plan, starts what it names, watches signals and the clock, ends in time.
//!
//! In: where to listen, how to make a plan from the configuration, signals. Out: how it ended. One worker a store account, one
//! thread a watched source, one for each account's events, one for the server, one that tells. At a signal nothing new
//! begins; what is on its way has until [`STOP_TIME`]; what is not done by then is left to the next start, as after a
//! crash.

use std::collections::HashSet;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use tokio::sync::watch as flag;

use super::form::{Echo, Hook};
use super::health::{Health, Turn};
use super::keep::{EventStore, Keeper};
use super::limits::Limits;
use super::metrics::{self, Metrics};
use super::server::{Outside, Route, Routes, Target, serve};
use super::signals::Signal;
use super::watch::{self, Watched};
use super::worker::{self, Bell, Rounds};
use crate::clock;

/// From the signal to the end, at most.
pub const STOP_TIME: Duration = Duration::from_secs(9);
/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(500);
/// Notices that wait to be told.
const NOTICES_WAITING: usize = 1_000;

/// Where the server listens.
#[derive(Clone, Debug)]
pub struct Listen {
    /// The address; `127.0.0.1:8787` by default.
    pub address: SocketAddr,
    /// Whether it may be another than this machine's own. There is no TLS here: something in front must have it.
    pub beyond_loopback: bool,
}

impl Default for Listen {
    fn default() -> Self {
        Listen {
            address: SocketAddr::from(([127, 0, 0, 1], 8787)),
            beyond_loopback: false,
        }
    }
}

impl Listen {
    /// Whether it may be listened there.
    ///
    /// # Errors
    /// What to do instead.
    pub fn check(&self) -> Result<(), String> {
        if self.address.ip().is_loopback() || self.beyond_loopback {
            return Ok(());
        }
        Err(format!(
            "`{}` can be reached from other machines, and there is no TLS here: listen on 127.0.0.1 and put a server with \
             TLS in front of it, or allow it with `--listen-beyond-loopback`",
            self.address
        ))
    }
}

/// What a daemon is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the server listens.
    pub listen: Listen,
    /// Names, besides numbers and `localhost`, by which `/metrics` and `/health` may be asked for.
    pub hosts: Vec<String>,
    /// What a sender may take.
    pub limits: Limits,
    /// From the signal to the end, at most; [`STOP_TIME`].
    pub stop_time: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: Listen::default(),
            hosts: Vec::new(),
            limits: Limits::default(),
            stop_time: STOP_TIME,
        }
    }
}

/// A store account.
pub struct Account {
    /// Its name.
    pub name: String,
    /// How its rounds are done.
    pub rounds: Box<dyn Rounds>,
    /// Where its events are stored; needed where a webhook is for it.
    pub events: Option<Box<dyn EventStore>>,
    /// The longest time from one round to the next, whatever happens: reconciling goes on without events.
    pub every: Duration,
    /// The oldest its last good round may be.
    pub max_age: Option<Duration>,
}

/// What a configuration comes to.
#[derive(Default)]
pub struct Plan {
    /// Store accounts.
    pub accounts: Vec<Account>,
    /// What is looked at.
    pub watched: Vec<Watched>,
    /// Webhooks, each with the accounts it is for and by what they know their own writing.
    pub hooks: Vec<(Hook, Vec<(String, Echo)>)>,
    /// Sources, each with how long it may be quiet.
    pub sources: Vec<(String, Option<Duration>)>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("accounts", &self.accounts.len())
            .field("watched", &self.watched)
            .field("hooks", &self.hooks)
            .field("sources", &self.sources)
            .finish_non_exhaustive()
    }
}

impl Plan {
    /// Whether it names what it has.
    fn check(&self) -> Result<(), String> {
        let mut names = HashSet::new();
        for account in &self.accounts {
            if !names.insert(account.name.as_str()) {
                return Err(format!("store account `{}` is there twice", account.name));
            }
        }
        let mut hooks = HashSet::new();
        for (hook, accounts) in &self.hooks {
            let source = hook.source();
            if !hooks.insert(source) {
                return Err(format!("the webhook of source `{source}` is there twice"));
            }
            if accounts.is_empty() {
                return Err(format!(
                    "source `{source}` has a webhook and no sync reads it: its events would reach nothing"
                ));
            }
            for (name, _) in accounts {
                let known = self.accounts.iter().find(|account| account.name == *name);
                if known.is_none_or(|account| account.events.is_none()) {
                    return Err(format!(
                        "the webhook of source `{source}` is for store account `{name}`, which takes no events"
                    ));
                }
            }
        }
        for watched in &self.watched {
            if let Some(name) = watched.accounts.iter().find(|name| !names.contains(name.as_str())) {
                return Err(format!("`{}` is watched for `{name}`, which is not there", watched.name));
            }
        }
        Ok(())
    }
}

/// Something that people may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The server listens.
    Listening(SocketAddr),
    /// An account's rounds end otherwise than before, and not well.
    Failing {
        /// The account.
        account: String,
        /// The exit code.
        exit: u8,
        /// The round's words.
        words: String,
        /// When it is tried again.
        next_try_in: Duration,
    },
    /// An account's rounds end well again.
    Recovered {
        /// The account.
        account: String,
    },
    /// A look at a source failed, the first time in a row.
    WatchFailed {
        /// The source, or what else is looked at.
        name: String,
        /// Why.
        words: String,
    },
    /// A source fell silent for longer than it may, or an account has had no good round for too long; or no longer.
    Turned(Turn),
    /// The configuration was read anew and taken.
    Reloaded,
    /// It was read anew and is wrong: the old one stays.
    ReloadRefused(String),
    /// The daemon was asked to end.
    Stopping,
}

impl Notice {
    /// Whether somebody should be woken: for `[notify]`.
    pub fn is_alarm(&self) -> bool {
        match self {
            Notice::Failing { exit, .. } => *exit != 5,
            Notice::WatchFailed { .. } | Notice::ReloadRefused(_) => true,
            Notice::Turned(Turn::Source { quiet, .. }) => *quiet,
            Notice::Turned(Turn::Account { overdue, .. }) => *overdue,
            _ => false,
        }
    }
}

/// Tells people. It is called on a thread of its own and may take its time.
pub type Tell = Box<dyn FnMut(&Notice) + Send>;

/// How a daemon ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Accounts whose round was not done in time; it is settled at the next start.
    pub late: Vec<String>,
}

/// Why a daemon could not start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The configuration does not do (exit 2).
    #[error("{0}")]
    Configuration(String),
    /// The address cannot be had (exit 2).
    #[error("cannot listen on `{address}`: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// The system gives no threads (exit 8).
    #[error("cannot start a thread: {0}")]
    System(#[from] std::io::Error),
}

/// What a plan started, until the next one.
struct Generation {
    stop: Arc<AtomicBool>,
    bells: Vec<Arc<Bell>>,
    workers: Vec<(String, JoinHandle<()>)>,
    keepers: Vec<JoinHandle<()>>,
}

/// What outlasts plans.
struct House {
    outside: Arc<Outside>,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    notices: Sender<Notice>,
}

/// Runs until a signal says stop. `load` makes a plan from the configuration, now and at each reload; it must not wait for a
/// running round.
///
/// # Errors
/// [`DaemonError`]: it did not start.
pub fn run(
    options: &Options,
    load: &mut dyn FnMut() -> Result<Plan, String>,
    signals: &Receiver<Signal>,
    mut tell: Tell,
) -> Result<Ended, DaemonError> {
    options.listen.check().map_err(DaemonError::Configuration)?;
    let checked = |plan: Plan| plan.check().map(|()| plan);
    let plan = load().and_then(checked).map_err(DaemonError::Configuration)?;
    let address = options.listen.address;
    let not_there = |error| DaemonError::Listen { address, error };
    let listener = TcpListener::bind(address).map_err(not_there)?;
    let address = listener.local_addr().map_err(not_there)?;

    let (notices, told) = bounded::<Notice>(NOTICES_WAITING);
    let teller = std::thread::Builder::new()
        .name("notices".to_owned())
        .spawn(move || told.iter().for_each(|notice| tell(&notice)))?;
    let metrics = Arc::new(Metrics::default());
    let health = Arc::new(Health::default());
    let house = House {
        outside: Arc::new(Outside::new(
            options.limits.clone(),
            options.hosts.clone(),
            Arc::clone(&metrics),
            Arc::clone(&health),
        )),
        metrics,
        health,
        notices,
    };
    house.facts();
    let mut generation = house.start(plan)?;
    let (close, closed) = flag::channel(false);
    let server = start_server(listener, Arc::clone(&house.outside), closed)?;
    house.say(Notice::Listening(address));

    loop {
        let mut stop = false;
        match signals.recv_timeout(TICK) {
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => stop = true,
            Ok(Signal::Reload) => match load().and_then(checked) {
                Ok(plan) => {
                    stop = !generation.end(None, signals).is_empty();
                    if !stop {
                        house.metrics.clear_gauges();
                        house.facts();
                        generation = house.start(plan)?;
                        house.reloaded("taken", Notice::Reloaded);
                    }
                }
                Err(why) => house.reloaded("refused", Notice::ReloadRefused(why)),
            },
            Err(RecvTimeoutError::Timeout) => {}
        }
        for turn in house.health.look(Instant::now()) {
            house.say(Notice::Turned(turn));
        }
        if stop {
            break;
        }
    }

    let until = Instant::now() + options.stop_time;
    house.say(Notice::Stopping);
    house.outside.stop();
    generation.ask();
    close.send_replace(true);
    let late = generation.end(Some(until), signals);
    wait_for(&server, until);
    house.outside.route(Routes::new());
    let Generation { keepers, .. } = generation;
    for keeper in &keepers {
        wait_for(keeper, until);
    }
    drop(house);
    wait_for(&teller, until);
    Ok(Ended { late })
}

impl House {
    fn say(&self, notice: Notice) {
        // A full queue: nobody takes them; metrics and health say the same.
        drop(self.notices.try_send(notice));
    }

    fn facts(&self) {
        let version = [env!("CARGO_PKG_VERSION")];
        self.metrics.set(&metrics::BUILD, &version, 1.0);
        let now = worker::seconds(clock::now());
        self.metrics.set(&metrics::UP_SINCE, &[], now);
    }

    fn reloaded(&self, outcome: &str, notice: Notice) {
        self.metrics.add(&metrics::RELOADS, &[outcome], 1.0);
        self.say(notice);
    }

    /// Starts what a plan names. Its routes take the place of the old ones.
    fn start(&self, plan: Plan) -> std::io::Result<Generation> {
        let now = Instant::now();
        let accounts: Vec<_> = plan
            .accounts
            .iter()
            .map(|account| (account.name.clone(), account.max_age))
            .collect();
        self.health.configure(&accounts, &plan.sources, now);
        let mut generation = Generation {
            stop: Arc::new(AtomicBool::new(false)),
            bells: Vec::new(),
            workers: Vec::new(),
            keepers: Vec::new(),
        };
        let mut keepers = Vec::new();
        for account in plan.accounts {
            let bell = Arc::new(Bell::default());
            let keeper = match account.events {
                Some(store) => {
                    let health = Arc::clone(&self.health);
                    let name = account.name.clone();
                    let refuses = Box::new(move |refuses| {
                        health.account(&name, |account| account.disk_refuses = refuses);
                    });
                    let waiting = self.outside.limits.waiting;
                    let (keeper, thread) = Keeper::start(&account.name, store, waiting, refuses)?;
                    generation.keepers.push(thread);
                    Some(keeper)
                }
                None => None,
            };
            let desk = worker::Desk {
                account: account.name.clone(),
                bell: Arc::clone(&bell),
                every: account.every,
                stop: Arc::clone(&generation.stop),
                metrics: Arc::clone(&self.metrics),
                health: Arc::clone(&self.health),
                notices: self.notices.clone(),
            };
            let rounds = account.rounds;
            let thread = std::thread::Builder::new()
                .name(format!("sync of {}", account.name))
                .spawn(move || worker::work(rounds, &desk))?;
            generation.workers.push((account.name.clone(), thread));
            generation.bells.push(Arc::clone(&bell));
            keepers.push((account.name, keeper, bell));
        }
        let bell_of = |name: &str| {
            let found = keepers.iter().find(|(account, _, _)| account == name);
            found.map(|(_, _, bell)| Arc::clone(bell))
        };
        for watched in plan.watched {
            let post = watch::Post {
                bells: watched.accounts.iter().filter_map(|name| bell_of(name)).collect(),
                stop: Arc::clone(&generation.stop),
                metrics: Arc::clone(&self.metrics),
                health: Arc::clone(&self.health),
                notices: self.notices.clone(),
            };
            // It is not waited for at the end: it writes nothing, and a look may hang.
            std::thread::Builder::new()
                .name(format!("watch of {}", watched.name))
                .spawn(move || watch::work(watched, &post))?;
        }
        let mut routes = Routes::new();
        for (hook, accounts) in plan.hooks {
            let targets = accounts
                .into_iter()
                .filter_map(|(name, echo)| {
                    let (_, keeper, bell) = keepers.iter().find(|(account, _, _)| *account == name)?;
                    Some(Target {
                        echo,
                        keeper: keeper.clone()?,
                        bell: Arc::clone(bell),
                    })
                })
                .collect();
            let source = hook.source().to_owned();
            let route = Route::new(hook, targets, &self.outside.limits);
            routes.insert(source, Arc::new(route));
        }
        self.outside.route(routes);
        Ok(generation)
    }
}

impl Generation {
    /// Asks all to end: no round begins any more.
    fn ask(&self) {
        self.stop.store(true, Ordering::SeqCst);
        for bell in &self.bells {
            bell.stop();
        }
    }

    /// Waits for the workers; those that are not done by `until`. Without an `until` it waits for as long as it takes, and
    /// only a signal to stop ends the waiting.
    fn end(&self, until: Option<Instant>, signals: &Receiver<Signal>) -> Vec<String> {
        self.ask();
        loop {
            let late: Vec<String> = self
                .workers
                .iter()
                .filter(|(_, worker)| !worker.is_finished())
                .map(|(name, _)| name.clone())
                .collect();
            let over = match until {
                Some(until) => Instant::now() >= until,
                None => signals
                    .try_iter()
                    .any(|signal| signal == Signal::Stop),
            };
            if late.is_empty() || over {
                return late;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Waits for a thread, not longer than `until`.
fn wait_for(thread: &JoinHandle<()>, until: Instant) {
    while !thread.is_finished() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn start_server(
    listener: TcpListener,
    outside: Arc<Outside>,
    closed: flag::Receiver<bool>,
) -> Result<JoinHandle<()>, DaemonError> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let thread = std::thread::Builder::new()
        .name("server".to_owned())
        .spawn(move || runtime.block_on(serve(listener, outside, closed)))?;
    Ok(thread)
}
