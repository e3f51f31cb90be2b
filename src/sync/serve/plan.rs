//! What a daemon is started with: where it listens, and what a configuration comes to.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use super::form::{Echo, Hook};
use super::keep::EventStore;
use super::limits::Limits;
use super::watch::Watched;
use super::worker::Rounds;

/// From the signal to the end, at most.
pub const STOP_TIME: Duration = Duration::from_secs(9);

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
    /// The longest time from one [`Trigger::Timer`](super::worker::Trigger::Timer) to the next, whatever happens: reconciling
    /// goes on without events, and beside them.
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
    pub(super) fn check(&self) -> Result<(), String> {
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
            if let Some(name) = watched
                .accounts
                .iter()
                .find(|name| !names.contains(name.as_str()))
            {
                return Err(format!(
                    "`{}` is watched for `{name}`, which is not there",
                    watched.name
                ));
            }
        }
        Ok(())
    }
}
