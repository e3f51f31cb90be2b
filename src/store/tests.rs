//! The engine against stores that misbehave: real HTTP on this machine, a simulated clock.

mod channels;
mod connection;
mod connectors;
mod credentials;
mod faults;
mod limits;
mod prestashop;
mod shapes;
mod storms;
mod words;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::channel::manifest::Format;
use crate::channel::manifest::request::Request;
use crate::config::secret::Secret;

use super::account::Account;
use super::memory::SimulatedClock;
use super::outcome::{ItemOutcome, Outcome};
use super::pace::Clock;
use super::request::{FeedNames, Item, Removed, RequestReport, SendError, Sending, send};

/// A channel that takes the batches of [`super::memory::Memory`].
pub(super) const SIMPLE: &str = r#"
batch = 4
[[step]]
name = "write"
url = "/batch"
body = "batch"
idempotent = true
[verdict]
items = "/results"
key = "/id"
status = "/status"
accepted = ["ok"]
code = "/code"
message = "/message"
transient = ["busy"]
"#;

pub(super) fn request(text: &str) -> Request {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// One sending, with everything that tests look at.
pub(super) struct Bench {
    pub(super) request: Request,
    pub(super) url: String,
    pub(super) format: Format,
    pub(super) head: Vec<u8>,
    pub(super) tail: Vec<u8>,
    pub(super) settings: Value,
    pub(super) secrets: BTreeMap<String, Secret>,
    pub(super) clock: Arc<SimulatedClock>,
    pub(super) account: Account,
    pub(super) deadline: Option<std::time::Duration>,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) report: RequestReport,
    pub(super) outcomes: Vec<ItemOutcome>,
}

impl Bench {
    pub(super) fn new(url: &str, text: &str) -> Self {
        Bench::of(url, request(text))
    }

    pub(super) fn of(url: &str, request: Request) -> Self {
        let clock = SimulatedClock::new();
        let shared: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        Bench {
            url: url.to_owned(),
            format: Format::Json,
            head: b"{\"items\":[\n".to_vec(),
            tail: b"\n]}".to_vec(),
            settings: json!({}),
            secrets: BTreeMap::new(),
            account: Account::with_clock(request.pace, shared),
            clock,
            deadline: None,
            request,
        }
    }

    /// A secret out of a file, as everywhere.
    pub(super) fn secret(&mut self, name: &str, value: &str) {
        let folder = tempfile::tempdir().expect("a folder");
        crate::write::atomic::write(&folder.path().join("secret"), value.as_bytes())
            .expect("written");
        let secret = Secret::resolve("file:secret", folder.path()).expect("a secret");
        self.secrets.insert(name.to_owned(), secret);
    }

    pub(super) fn sending(&self) -> Sending<'_> {
        Sending {
            request: &self.request,
            format: self.format,
            head: &self.head,
            tail: &self.tail,
            settings: &self.settings,
            secrets: &self.secrets,
            feed: FeedNames {
                name: "case",
                language: "en",
                currency: "EUR",
                country: "DE",
            },
            url: Some(&self.url),
            run: "run-1",
            full: false,
            remote: None,
            account: self.account.clone(),
            deadline: self.deadline,
            stop: None,
            transport: None,
        }
    }

    pub(super) fn try_send(
        &self,
        items: &[(String, Vec<u8>)],
        removed: &[&str],
    ) -> Result<Sent, SendError> {
        let mut outcomes = Vec::new();
        let items = items.iter().map(|(id, bytes)| {
            Ok(Item {
                id: Cow::Borrowed(id.as_str()),
                sku: Cow::Borrowed(id.as_str()),
                bytes: Cow::Borrowed(bytes.as_slice()),
                fields: Vec::new(),
            })
        });
        let removed = removed.iter().map(|id| Removed {
            id: Cow::Borrowed(*id),
            sku: Cow::Borrowed(*id),
            fields: Vec::new(),
        });
        let report = send(&self.sending(), items, removed, &mut |outcome| {
            outcomes.push(outcome);
        })?;
        Ok(Sent { report, outcomes })
    }

    pub(super) fn send(&self, items: &[(String, Vec<u8>)], removed: &[&str]) -> Sent {
        let sent = self.try_send(items, removed).expect("begun");
        let report = &sent.report;
        assert_eq!(
            report.accepted + report.rejected + report.unknown + report.held,
            (items.len() + removed.len()) as u64,
            "each is told once: {sent:#?}"
        );
        assert_eq!(sent.outcomes.len(), items.len() + removed.len());
        sent
    }
}

impl Sent {
    /// One letter an item, by id: accepted, rejected, unknown, held.
    pub(super) fn letters(&self) -> String {
        let mut sorted: Vec<&ItemOutcome> = self.outcomes.iter().collect();
        sorted.sort_by(|one, other| one.id.cmp(&other.id));
        sorted
            .iter()
            .map(|outcome| match outcome.outcome {
                Outcome::Accepted => 'a',
                Outcome::Rejected { .. } => 'r',
                Outcome::Stale { .. } => 's',
                Outcome::Unknown { .. } => 'u',
                Outcome::Held { .. } => 'h',
            })
            .collect()
    }

    pub(super) fn of(&self, id: &str) -> &Outcome {
        let mut found = self.outcomes.iter().filter(|outcome| outcome.id == id);
        &found.next().expect("an outcome").outcome
    }

    /// All that is said to people.
    pub(super) fn words(&self) -> String {
        let mut words = format!("{:?}", self.report);
        for outcome in &self.outcomes {
            words.push_str(&format!(
                "{outcome:?}{:?}",
                outcome.finding("case", &self.report.address)
            ));
        }
        words
    }
}

/// `a1`, `a2`, … as the memory store takes them.
pub(super) fn items(count: usize) -> Vec<(String, Vec<u8>)> {
    (1..=count)
        .map(|number| {
            let id = format!("a{number:04}");
            let bytes = format!(",{{\"id\":\"{id}\",\"v\":{number}}}\n").into_bytes();
            (id, bytes)
        })
        .collect()
}

/// The same, some of which the store refuses with a code.
pub(super) fn refused(items: &mut [(String, Vec<u8>)], which: &[usize], code: &str) {
    for &index in which {
        let (id, bytes) = &mut items[index];
        *bytes = format!("{{\"id\":\"{id}\",\"refuse\":\"{code}\"}}").into_bytes();
    }
}
