//! One store account, opened once and used for a whole run: ids, levels, writes. Comes in: a [`Sending`] with the connector's
//! `[request]`; goes out: one answer for each thing asked, in order.
//!
//! Promised: [`Connection::push`] sends exactly the batch it is given, under the key it is given, and repeats it only as one
//! call's own retries do. All calls wait for their answer; none may be made from within an asynchronous task.

use std::collections::HashMap;
use std::fmt;

use indexmap::IndexMap;
use tokio::runtime::Runtime;

use super::account::Account;
use super::batch::Entry;
use super::clean::shown;
use super::lookup::{Found, Reading, Unanswered};
use super::outcome::Outcome;
use super::request::{Item, SendError, Sending, runtime};
use super::run::{Engine, Line};

/// A store account, ready to be talked to.
pub struct Connection {
    engine: Engine,
    runtime: Runtime,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.address())
    }
}

impl Connection {
    /// Reads settings and secrets, and calls nobody yet. `head`, `tail`, `full` and `remote` of the sending play no part
    /// where the steps have templates of their own.
    ///
    /// # Errors
    /// Settings, secrets or a manifest that do not do; a machine that cannot make calls.
    pub fn open(sending: &Sending<'_>) -> Result<Self, SendError> {
        Ok(Connection {
            engine: Engine::new(sending)?,
            runtime: runtime()?,
        })
    }

    /// The store's address, without secrets.
    pub fn address(&self) -> String {
        shown(&self.engine.own)
    }

    /// The account, with its pace, its token and its pause.
    pub fn account(&self) -> &Account {
        &self.engine.caller.account
    }

    /// What items may share a batch: those of equal groups. Empty where all may.
    ///
    /// # Errors
    /// Why it cannot be said of this item: a field that it lacks.
    pub fn group(&self, item: &Item<'_>) -> Result<String, String> {
        // asked of every level of a shop
        match self.engine.request.group_by {
            Some(_) => self.engine.group(&entry(item)),
            None => Ok(String::new()),
        }
    }

    /// Sends one batch: exactly these items in this order, under this key. One outcome an item, in their order. A refusal
    /// that passes is told and not tried again; neither are items sent that others of their batch held back.
    pub fn push(&self, key: &str, items: &[Item<'_>]) -> Vec<Outcome> {
        let entries: Vec<Entry> = items.iter().map(entry).collect();
        let entries: Vec<&Entry> = entries.iter().collect();
        let Some(first) = entries.first() else {
            return Vec::new();
        };
        let group = match self.engine.group(first) {
            Ok(group) => group,
            Err(reason) => return vec![Outcome::Held { reason }; items.len()],
        };
        let sent = self
            .engine
            .attempt(Line::Items, &group, &entries, Some(key));
        self.runtime.block_on(sent)
    }

    /// What the store says of these SKUs. Each is named in the answer; without `[request.resolve]` a SKU is its own id.
    ///
    /// # Errors
    /// A manifest that does not do; a store that cannot be asked, or whose answer is not whole.
    pub fn resolve(&self, skus: &[String]) -> Result<HashMap<String, Found>, SendError> {
        let Some(resolve) = &self.engine.request.resolve else {
            let own = |sku: &String| {
                let remote = crate::channel::manifest::request::RemoteId {
                    id: sku.clone(),
                    fields: IndexMap::new(),
                };
                (sku.clone(), Found::Remote(remote))
            };
            return Ok(skus.iter().map(own).collect());
        };
        let mut wanted = skus.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let most = usize::try_from(resolve.batch.items.max(1)).unwrap_or(usize::MAX);
        let mut found = HashMap::with_capacity(wanted.len());
        for skus in wanted.chunks(most) {
            let answer = self.runtime.block_on(self.engine.look_up(resolve, skus));
            found.extend(answer.map_err(|error| match error {
                Unanswered::Configuration(reason) => SendError::Configuration(reason),
                Unanswered::Failed(reason) => {
                    SendError::Machine(format!("the store's ids cannot be looked up: {reason}"))
                }
            })?);
        }
        Ok(found)
    }

    /// What levels the store has now: one reading an item, in their order. A question that fails leaves its items
    /// [`Reading::Unknown`].
    ///
    /// # Errors
    /// A manifest that does not do, such as one without `[request.read]`.
    pub fn read(&self, items: &[Item<'_>]) -> Result<Vec<Reading>, SendError> {
        let Some(read) = &self.engine.request.read else {
            let reason = "the connector's manifest has no [request.read]".to_owned();
            return Err(SendError::Configuration(reason));
        };
        let entries: Vec<Entry> = items.iter().map(entry).collect();
        let mut groups: IndexMap<String, Vec<usize>> = IndexMap::new();
        for (index, entry) in entries.iter().enumerate() {
            let group = match &read.group_by {
                Some(template) => self.engine.grouped(template, entry),
                None => self.engine.group(entry),
            };
            let group = group.map_err(SendError::Configuration)?;
            groups.entry(group).or_default().push(index);
        }
        let unread = Reading::Unknown("it was not read".to_owned());
        let mut readings = vec![unread; items.len()];
        let most = usize::try_from(read.batch.items.max(1)).unwrap_or(usize::MAX);
        for (group, indexes) in &groups {
            for indexes in indexes.chunks(most) {
                let asked: Vec<&Entry> = indexes.iter().map(|&index| &entries[index]).collect();
                let answer = self
                    .runtime
                    .block_on(self.engine.levels(read, group, &asked));
                let said = match answer {
                    Ok(said) => said,
                    Err(Unanswered::Configuration(reason)) => {
                        return Err(SendError::Configuration(reason));
                    }
                    Err(Unanswered::Failed(reason)) => {
                        vec![Reading::Unknown(reason); indexes.len()]
                    }
                };
                for (&index, said) in indexes.iter().zip(said) {
                    readings[index] = said;
                }
            }
        }
        Ok(readings)
    }
}

fn entry(item: &Item<'_>) -> Entry {
    Entry {
        id: item.id.clone().into_owned(),
        sku: item.sku.clone().into_owned(),
        bytes: item.bytes.to_vec(),
        removed: false,
        fields: item
            .fields
            .iter()
            .map(|(name, value)| (name.clone().into_owned(), value.clone().into_owned()))
            .collect(),
    }
}
