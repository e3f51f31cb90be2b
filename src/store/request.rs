//! Items to a channel that takes requests, as one straight line: put together, sent, judged, told.
//!
//! Comes in: the manifest's `[request]`, the feed's settings and secrets, rendered items and removals. Goes out: one outcome an
//! item, in any order, and the sums. Promised: each item is told exactly once, whatever happens; nothing leaves after the
//! account is paused, the deadline is over or the run is interrupted: what is left is `Held`. Memory: the batches on
//! their way, and at most 10,000 items that wait for their group.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use reqwest::Url;
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use crate::channel::manifest::request::{RemoteId, Request, Step};
use crate::channel::manifest::{Format, Manifest};
use crate::config::secret::Secret;
use crate::helper::crate_adapter::OwnedContext;

use super::account::Account;
use super::auth::Auth;
use super::batch::Entry;
use super::call::Caller;
use super::clean::{refused, shown};
use super::desk::Desk;
use super::document::Around;
use super::outcome::ItemOutcome;
use super::run::Engine;
use super::template::{Place, Templates};
use super::transport::{Transport, Wire, near};

/// An item as the feed's template wrote it.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// Its id at the channel: the attribute that is `unique`.
    pub id: Cow<'a, str>,
    /// Its SKU; empty where it has none.
    pub sku: Cow<'a, str>,
    /// Its bytes out of the feed; a comma at either end of a JSON item is taken off.
    pub bytes: Cow<'a, [u8]>,
    /// Further names for templates, such as `remote_id`, `location_id`, `key`.
    pub fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// An item that was published and is gone.
#[derive(Clone, Debug)]
pub struct Removed<'a> {
    /// Its id at the channel.
    pub id: Cow<'a, str>,
    /// Its SKU; empty where it has none.
    pub sku: Cow<'a, str>,
    /// Further names for templates.
    pub fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// What sending needs beside the items.
#[derive(Clone, Debug)]
pub struct Sending<'a> {
    /// How the channel takes requests.
    pub request: &'a Request,
    /// The format of the batch document.
    pub format: Format,
    /// What the feed's template writes before the items.
    pub head: &'a [u8],
    /// What it writes after them.
    pub tail: &'a [u8],
    /// The feed's settings, defaults included: an object, or null.
    pub settings: &'a Value,
    /// The secrets that the manifest asks for, by name.
    pub secrets: &'a BTreeMap<String, Secret>,
    /// The feed, as templates see it.
    pub feed: FeedNames<'a>,
    /// Where the channel is, in place of the manifest's `url`.
    pub url: Option<&'a str>,
    /// The run's name; keys may be made from it.
    pub run: &'a str,
    /// True when these are all items of the feed, not only what changed.
    pub full: bool,
    /// What resolving found, by SKU.
    pub remote: Option<&'a HashMap<String, RemoteId>>,
    /// The account, shared by all who use the same credentials.
    pub account: Account,
    /// After so long no call is begun.
    pub deadline: Option<Duration>,
    /// Set from outside when the run shall end.
    pub stop: Option<Arc<AtomicBool>>,
    /// Where calls leave, in place of the network.
    pub transport: Option<Arc<dyn Transport>>,
}

/// The feed, as templates of requests see it: `feed.name` and so on.
#[derive(Clone, Copy, Debug, Default)]
pub struct FeedNames<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its language, BCP 47.
    pub language: &'a str,
    /// Its currency, ISO 4217.
    pub currency: &'a str,
    /// The shop's country, ISO 3166-1.
    pub country: &'a str,
}

/// The sums of a sending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestReport {
    /// The channel's address, without secrets.
    pub address: String,
    /// Items and removals that were taken.
    pub accepted: u64,
    /// Those that were refused.
    pub rejected: u64,
    /// Those of which nobody knows.
    pub unknown: u64,
    /// Those that did not leave.
    pub held: u64,
    /// Calls made by this sending, repeated ones included.
    pub calls: u64,
    /// Calls and rounds that repeated another.
    pub retries: u64,
    /// Why nothing leaves any more, where that is so.
    pub paused: Option<String>,
}

/// Why sending could not begin, or its items could not be read on.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Manifest, settings or secrets do not do.
    #[error("{0}")]
    Configuration(String),
    /// The items could not be read; what was told before holds.
    #[error("the items to send cannot be read: {0}")]
    Items(#[from] io::Error),
    /// This machine cannot make calls.
    #[error("{0}")]
    Machine(String),
}

/// The settings of a feed with the manifest's defaults, as templates see them; what has neither is null.
pub fn settings(manifest: &Manifest, given: &indexmap::IndexMap<String, toml::Value>) -> Value {
    let value = |value: &toml::Value| match value {
        toml::Value::String(text) => json!(text),
        other => serde_json::to_value(other).unwrap_or(Value::Null),
    };
    manifest
        .settings
        .iter()
        .map(|(name, setting)| {
            let found = given.get(name).or(setting.default.as_ref());
            (name.clone(), found.map_or(Value::Null, value))
        })
        .collect::<Map<String, Value>>()
        .into()
}

/// Sends items and removals. Not to be called from within an asynchronous task.
///
/// # Errors
/// [`SendError`]; what happened to single items is no error.
pub fn send<'i>(
    sending: &Sending<'_>,
    items: impl IntoIterator<Item = io::Result<Item<'i>>>,
    removed: impl IntoIterator<Item = Removed<'i>>,
    tell: &mut dyn FnMut(ItemOutcome),
) -> Result<RequestReport, SendError> {
    let engine = Arc::new(Engine::new(sending)?);
    let before = sending.account.calls();
    let mut report = RequestReport {
        address: shown(&engine.own),
        ..RequestReport::default()
    };
    let ended = runtime()?.block_on(async {
        let mut desk = Desk {
            concurrency: sending.request.concurrency.unwrap_or(1).clamp(1, 64) as usize,
            engine: Arc::clone(&engine),
            running: JoinSet::new(),
            report: &mut report,
            tell,
        };
        let ended = desk.all(sending, items, removed).await;
        while desk.one_ended().await {}
        ended
    });
    let after = sending.account.calls();
    report.calls = after.0 - before.0;
    report.retries = after.1 - before.1;
    report.paused = sending.account.paused();
    ended?;
    Ok(report)
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, SendError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| SendError::Machine(format!("no call can be made: {error}")))
}

impl Engine {
    /// What all batches share.
    pub(super) fn new(sending: &Sending<'_>) -> Result<Self, SendError> {
        let wrong = SendError::Configuration;
        let request = sending.request;
        let templates = Templates::new(OwnedContext {
            currency: sending.feed.currency.to_owned(),
            language: sending.feed.language.to_owned(),
            timezone: "UTC".to_owned(),
            weight_unit: "g".to_owned(),
            length_unit: "cm".to_owned(),
            ..OwnedContext::default()
        });
        let context = json!({
            "settings": sending.settings,
            "feed": {
                "name": sending.feed.name,
                "language": sending.feed.language,
                "currency": sending.feed.currency,
                "country": sending.feed.country,
            },
            "run": sending.run,
            "full": sending.full,
        });
        let written = match (sending.url, &request.url) {
            (Some(url), _) => url.to_owned(),
            (None, Some(url)) => templates
                .render(url, Place::Plain, &context)
                .map_err(wrong)?,
            (None, None) => {
                return Err(wrong(
                    "the channel has no address: give `url`, as the store's or the destination's"
                        .to_owned(),
                ));
            }
        };
        let own = Url::parse(written.trim())
            .ok()
            .filter(Url::has_host)
            .ok_or_else(|| wrong("the channel's address is none".to_owned()))?;
        let near = near(&own);
        if let Some(why) = refused(&own, true).filter(|_| !near) {
            return Err(wrong(format!("the channel's address is {why}")));
        }
        for (name, needed) in &request.secrets {
            if !needed.optional && !sending.secrets.contains_key(name) {
                let about = needed.about.as_deref().unwrap_or("the channel needs it");
                return Err(wrong(format!("the secret `{name}` is missing: {about}")));
            }
        }
        let auth = Auth::new(
            &request.auth,
            sending.secrets,
            sending.settings,
            &own,
            &templates,
        )
        .map_err(wrong)?;
        let transport: Arc<dyn Transport> = match &sending.transport {
            Some(given) => Arc::clone(given),
            None => Arc::new(Wire::new(&request.timeouts, near).map_err(SendError::Machine)?),
        };
        let now = sending.account.clock().now();
        let Value::Object(context) = context else {
            return Err(wrong("the settings are no table".to_owned()));
        };
        Ok(Engine {
            needs_item: looks_into_items(request),
            request: request.clone(),
            caller: Caller {
                transport,
                auth,
                account: sending.account.clone(),
                places: request.error.clone(),
                budget: request.budget.clone(),
                timeouts: request.timeouts,
                deadline: sending.deadline.map(|length| now.saturating_add(length)),
                stop: sending.stop.clone(),
                near,
            },
            templates,
            around: Around {
                format: sending.format,
                head: sending.head.to_vec(),
                tail: sending.tail.to_vec(),
            },
            own,
            context,
        })
    }

    pub(super) fn group(&self, entry: &Entry) -> Result<String, String> {
        match &self.request.group_by {
            Some(template) => self.grouped(template, entry),
            None => Ok(String::new()),
        }
    }

    /// What a template says of an item.
    pub(super) fn grouped(&self, template: &str, entry: &Entry) -> Result<String, String> {
        let mut context = self.context.clone();
        context.insert("item".to_owned(), self.item(entry));
        self.templates
            .render(template, Place::Plain, &Value::Object(context))
    }

    /// Why nothing should leave any more.
    pub(super) fn over(&self) -> Option<String> {
        self.caller.account.paused()
    }
}

/// Whether a template looks into items beyond what they go by.
fn looks_into_items(request: &Request) -> bool {
    let of = |steps: &[Step]| {
        steps.iter().any(|step| {
            step.headers
                .values()
                .map(String::as_str)
                .chain([step.url.as_str()])
                .chain(step.template.as_deref())
                .any(|text| text.contains("item."))
        })
    };
    of(&request.step)
        || request
            .group_by
            .as_ref()
            .is_some_and(|text| text.contains("item."))
        || request.headers.values().any(|text| text.contains("item."))
}
