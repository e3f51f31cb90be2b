//! How the daemon stands, for `/health` and for alarms: each account's last round and next try, each source's silence.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// How an account stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountHealth {
    /// What its worker does: `waiting`, `working`, `ended`.
    pub state: &'static str,
    /// The exit code of its last round.
    pub exit: Option<u8>,
    /// Rounds in a row that failed.
    pub failures: u32,
    /// When the next round is due.
    #[serde(serialize_with = "written")]
    pub next_try: Option<Timestamp>,
    /// When the last good round ended.
    #[serde(serialize_with = "written")]
    pub last_good: Option<Timestamp>,
    /// Whether that is longer ago than it may be.
    pub overdue: bool,
    /// Whether events cannot be stored.
    pub disk_refuses: bool,
    /// The last good round, or the start, by the clock that never jumps.
    #[serde(skip)]
    pub good_at: Option<Instant>,
    /// The oldest it may be.
    #[serde(skip)]
    pub max_age: Option<Duration>,
}

/// How a source stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceHealth {
    /// Seconds since it had news, or since the start.
    pub age_seconds: u64,
    /// Whether it is quiet for longer than it may.
    pub quiet: bool,
}

#[derive(Debug)]
struct Heard {
    at: Instant,
    quiet_max: Option<Duration>,
    quiet: bool,
}

/// How the daemon stands.
#[derive(Debug, Default)]
pub struct Health {
    accounts: Mutex<BTreeMap<String, AccountHealth>>,
    sources: Mutex<BTreeMap<String, Heard>>,
}

/// What turned since the last look at the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A source fell silent for longer than it may, or is heard again.
    Source {
        /// The source.
        source: String,
        /// How long it was silent.
        age: Duration,
        /// Whether it is quiet now.
        quiet: bool,
    },
    /// An account has had no good round for longer than it may, or has one again.
    Account {
        /// The account.
        account: String,
        /// Since its last good round, or the start.
        age: Duration,
        /// Whether it is overdue now.
        overdue: bool,
    },
}

impl Health {
    /// Only these accounts and sources are known from now on; what is known of them stays.
    pub fn configure(
        &self,
        accounts: &[(String, Option<Duration>)],
        sources: &[(String, Option<Duration>)],
        now: Instant,
    ) {
        let mut known = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|name, _| accounts.iter().any(|(account, _)| account == name));
        for (name, max_age) in accounts {
            let entry = known.entry(name.clone()).or_insert_with(|| AccountHealth {
                state: "waiting",
                good_at: Some(now),
                ..AccountHealth::default()
            });
            entry.max_age = *max_age;
        }
        let mut heard = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        heard.retain(|name, _| sources.iter().any(|(source, _)| source == name));
        for (name, quiet_max) in sources {
            let entry = heard.entry(name.clone()).or_insert(Heard {
                at: now,
                quiet_max: None,
                quiet: false,
            });
            entry.quiet_max = *quiet_max;
        }
    }

    /// Changes what is known of an account.
    pub fn account(&self, name: &str, change: impl FnOnce(&mut AccountHealth)) {
        let mut known = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = known.get_mut(name) {
            change(account);
        }
    }

    /// A source had news.
    pub fn heard(&self, source: &str, now: Instant) {
        let mut heard = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = heard.get_mut(source) {
            entry.at = now;
        }
    }

    /// Looks at the clock: what turned since the last look.
    pub fn look(&self, now: Instant) -> Vec<Turn> {
        let mut heard = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let mut turns = Vec::new();
        for (source, entry) in heard.iter_mut() {
            let age = now.saturating_duration_since(entry.at);
            let quiet = entry.quiet_max.is_some_and(|most| age > most);
            if quiet != entry.quiet {
                entry.quiet = quiet;
                turns.push(Turn::Source {
                    source: source.clone(),
                    age,
                    quiet,
                });
            }
        }
        drop(heard);
        let mut known = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, account) in known.iter_mut() {
            let age = account
                .good_at
                .map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
            let overdue = account.max_age.is_some_and(|most| age > most);
            if overdue != account.overdue {
                account.overdue = overdue;
                turns.push(Turn::Account {
                    account: name.clone(),
                    age,
                    overdue,
                });
            }
        }
        turns
    }

    /// Each source as it stands.
    pub fn sources(&self, now: Instant) -> BTreeMap<String, SourceHealth> {
        let heard = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        heard
            .iter()
            .map(|(source, entry)| {
                let health = SourceHealth {
                    age_seconds: now.saturating_duration_since(entry.at).as_secs(),
                    quiet: entry.quiet,
                };
                (source.clone(), health)
            })
            .collect()
    }

    /// Each account as it stands.
    pub fn accounts(&self) -> BTreeMap<String, AccountHealth> {
        let known = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Whether all is well, and the page that says so in JSON.
    pub fn page(&self, now: Instant) -> (bool, String) {
        let accounts = self.accounts();
        let sources = self.sources(now);
        let well = accounts
            .values()
            .all(|account| account.failures == 0 && !account.overdue && !account.disk_refuses)
            && sources.values().all(|source| !source.quiet);
        let page = serde_json::json!({ "ok": well, "accounts": accounts, "sources": sources });
        (well, format!("{page}\n"))
    }
}

/// A moment as RFC 3339 writes it, to the second.
fn written<S: Serializer>(at: &Option<Timestamp>, into: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => into.collect_str(&format_args!("{at:.0}")),
        None => into.serialize_none(),
    }
}
