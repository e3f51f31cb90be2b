//! An online store, spoken to by its connector's manifest.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::channel::Channel;
use crate::config::project::Project;
use crate::config::sync::Store;
use crate::config::{ConfigError, secret::Secret};
use crate::store::request::{self, FeedNames, Item, SendError, Sending};
use crate::store::{Account, Connection, Outcome, Transport};

use super::online::{Capabilities, Found, OnlineStore, Reading, RemoteItem, StoreError, Write};

/// A store behind its connector.
#[derive(Debug)]
pub struct Connector {
    connection: Connection,
    capabilities: Capabilities,
}

impl Connector {
    /// Reads the manifest, settings and secrets of a store, and calls nobody yet. `run` names the run, for templates.
    ///
    /// # Errors
    /// A connector that is not there or does not do; a secret that cannot be had.
    pub fn open(
        project: &Project,
        store: &Store,
        run: &str,
        deadline: Option<Duration>,
        stop: Option<Arc<AtomicBool>>,
    ) -> Result<Self, ConfigError> {
        let channel = crate::channel::load(Some(&project.folder), &super::check::connector(store))?;
        let mut secrets = BTreeMap::new();
        for (name, reference) in &store.secrets {
            let secret = Secret::resolve(reference, &project.folder).map_err(|message| {
                wrong(
                    store,
                    &format!("`{name}`: {message}"),
                    "set it, or name another: `env:NAME` or `file:PATH`",
                )
            })?;
            secrets.insert(name.clone(), secret);
        }
        let country = project.shop.country.clone();
        let currency = store
            .currency
            .clone()
            .unwrap_or_else(|| project.shop.currency.clone());
        let account = Account::new(channel.manifest.request.as_ref().and_then(|r| r.pace));
        let shop = Shop {
            name: &store.name,
            url: store.url.as_deref(),
            language: &project.shop.language,
            currency: &currency,
            country: &country,
            settings: &store.settings,
        };
        Self::with(
            &channel, &shop, &secrets, account, None, run, deadline, stop,
        )
        .map_err(|error| wrong(store, &error.to_string(), "see `shelfcast channel show`"))
    }

    /// The same with an account, and a transport, of somebody else's making.
    ///
    /// # Errors
    /// A manifest, settings or secrets that do not do.
    #[expect(clippy::too_many_arguments, reason = "what a sending is made of")]
    pub fn with(
        channel: &Channel,
        shop: &Shop<'_>,
        secrets: &BTreeMap<String, Secret>,
        account: Account,
        transport: Option<Arc<dyn Transport>>,
        run: &str,
        deadline: Option<Duration>,
        stop: Option<Arc<AtomicBool>>,
    ) -> Result<Self, SendError> {
        let Some(request) = &channel.manifest.request else {
            return Err(SendError::Configuration(format!(
                "channel `{}` takes no requests, and is no connector",
                channel.manifest.name
            )));
        };
        let settings = request::settings(&channel.manifest, shop.settings);
        let connection = Connection::open(&Sending {
            request,
            format: channel.manifest.format,
            head: b"",
            tail: b"",
            settings: &settings,
            secrets,
            feed: FeedNames {
                name: shop.name,
                language: shop.language,
                currency: shop.currency,
                country: shop.country,
            },
            url: shop.url,
            run,
            full: false,
            remote: None,
            account,
            deadline,
            stop,
            transport,
        })?;
        let levels = request.levels.clone().unwrap_or_default();
        Ok(Connector {
            capabilities: Capabilities {
                compare_and_set: levels.compare_and_set,
                key_life: levels.key_life.map(|life| life.0),
                quiet: levels.quiet.0,
                places: levels.places,
                batch: usize::try_from(request.batch.items.max(1)).unwrap_or(usize::MAX),
                maximum: levels.maximum,
            },
            connection,
        })
    }

    /// The store's address, without secrets.
    pub fn address(&self) -> String {
        self.connection.address()
    }

    /// Answers so far that we are too fast.
    pub fn throttles(&self) -> u64 {
        self.connection.account().throttles()
    }

    /// Calls made so far, and how many of them repeated another.
    pub fn calls(&self) -> (u64, u64) {
        self.connection.account().calls()
    }
}

/// A store, as its connector's templates see it.
#[derive(Clone, Copy, Debug)]
pub struct Shop<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where it is, in place of the manifest's address.
    pub url: Option<&'a str>,
    /// Language, BCP 47.
    pub language: &'a str,
    /// Currency, ISO 4217.
    pub currency: &'a str,
    /// Country, ISO 3166-1.
    pub country: &'a str,
    /// What the connector needs beside secrets.
    pub settings: &'a indexmap::IndexMap<String, toml::Value>,
}

fn wrong(store: &Store, message: &str, hint: &str) -> ConfigError {
    ConfigError::new(
        "shelfcast.toml",
        format!("store `{}`: {message}", store.name),
        hint,
    )
}

impl From<SendError> for StoreError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Configuration(message) => StoreError::Configuration(message),
            other => StoreError::Failed(other.to_string()),
        }
    }
}

impl OnlineStore for Connector {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn paused(&self) -> Option<String> {
        self.connection.account().paused()
    }

    fn resolve(&mut self, skus: &[String]) -> Result<HashMap<String, Found>, StoreError> {
        Ok(self.connection.resolve(skus)?)
    }

    fn read(&mut self, items: &[RemoteItem]) -> Result<Vec<Reading>, StoreError> {
        let items: Vec<Item<'_>> = items.iter().map(|item| named(item, None)).collect();
        Ok(self.connection.read(&items)?)
    }

    fn group(&self, item: &RemoteItem) -> String {
        // an item that lacks what its group is made of is told so when it is pushed
        self.connection
            .group(&named(item, None))
            .unwrap_or_default()
    }

    fn push(&mut self, key: &str, writes: &[Write]) -> Vec<Outcome> {
        let items: Vec<Item<'_>> = writes
            .iter()
            .map(|write| named(&write.item, Some(write)))
            .collect();
        self.connection.push(key, &items)
    }
}

/// An item with the names that templates see.
fn named<'a>(item: &'a RemoteItem, write: Option<&Write>) -> Item<'a> {
    let mut fields: Vec<(Cow<'a, str>, Cow<'a, str>)> = vec![
        ("remote_id".into(), item.remote.id.as_str().into()),
        ("place".into(), item.pair.place.as_str().into()),
    ];
    for (name, value) in &item.remote.fields {
        fields.push((name.as_str().into(), value.as_str().into()));
    }
    if let Some(write) = write {
        fields.push(("quantity".into(), write.quantity.to_string().into()));
        if let Some(compare) = write.compare {
            fields.push(("compare".into(), compare.to_string().into()));
        }
    }
    Item {
        id: item.remote.id.as_str().into(),
        sku: item.pair.sku.as_str().into(),
        bytes: Cow::Borrowed(b""),
        fields,
    }
}
