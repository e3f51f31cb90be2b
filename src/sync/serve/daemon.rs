//! The daemon: takes a plan, starts what it names, watches signals and the clock, ends in time.
//!
//! In: where to listen, how to make a plan from the configuration, signals. Out: how it ended. One worker a store account, one
//! thread a watched source, one for each account's events, one for the server, one that tells. At a signal nothing new
//! begins; what is on its way has until the options' `stop_time`; what is not done by then is left to the next start, as after a
//! crash.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use tokio::sync::watch as flag;

use super::health::Health;
use super::keep::Keeper;
use super::metrics::{self, Metrics};
use super::notice::{Notice, Tell};
use super::plan::{Options, Plan};
use super::server::{Outside, Route, Routes, Target, serve};
use super::signals::Signal;
use super::watch;
use super::worker::{self, Bell};
use crate::clock;

/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(500);
/// Notices that wait to be told.
const NOTICES_WAITING: usize = 1_000;

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
    let plan = load()
        .and_then(checked)
        .map_err(DaemonError::Configuration)?;
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
                bells: watched
                    .accounts
                    .iter()
                    .filter_map(|name| bell_of(name))
                    .collect(),
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
                    let (_, keeper, bell) =
                        keepers.iter().find(|(account, _, _)| *account == name)?;
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
                None => signals.try_iter().any(|signal| signal == Signal::Stop),
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
