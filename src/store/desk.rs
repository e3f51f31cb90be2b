//! Where items become batches, batches are launched, and outcomes told: each exactly once.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;

use super::batch::{Batch, Batcher, Entry};
use super::outcome::{ItemOutcome, Outcome};
use super::request::{Item, Removed, RequestReport, Sending};
use super::run::{Engine, Line};
use super::template::Place;

/// Where batches are made, launched and told.
pub(super) struct Desk<'d> {
    pub(super) engine: Arc<Engine>,
    pub(super) concurrency: usize,
    pub(super) running: JoinSet<Vec<ItemOutcome>>,
    pub(super) report: &'d mut RequestReport,
    pub(super) tell: &'d mut dyn FnMut(ItemOutcome),
}

impl Desk<'_> {
    /// Takes all items and removals in, and launches what is full; the rest at the end.
    pub(super) async fn all<'i>(
        &mut self,
        sending: &Sending<'_>,
        items: impl IntoIterator<Item = io::Result<Item<'i>>>,
        removed: impl IntoIterator<Item = Removed<'i>>,
    ) -> io::Result<()> {
        let request = sending.request;
        let around = sending.head.len() + sending.tail.len();
        let engine = Arc::clone(&self.engine);
        let between = engine.around.between();
        let mut batcher = Batcher::new(request.batch, around, between);
        let mut failed = None;
        for item in items {
            let item = match item {
                Ok(item) => item,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            };
            let fields = self.fields(sending, &item.sku, item.fields);
            let entry = Entry {
                bytes: engine.around.bare(&item.bytes).to_vec(),
                id: item.id.into_owned(),
                sku: item.sku.into_owned(),
                removed: false,
                fields,
            };
            self.push(Line::Items, &mut batcher, entry).await;
        }
        let own_steps = request
            .delete
            .as_ref()
            .is_some_and(|delete| !delete.step.is_empty());
        let mut removals = request
            .delete
            .as_ref()
            .filter(|_| own_steps)
            .map(|delete| Batcher::new(delete.batch, 0, 0));
        for gone in removed {
            let fields = self.fields(sending, &gone.sku, gone.fields);
            let mut entry = Entry {
                id: gone.id.into_owned(),
                sku: gone.sku.into_owned(),
                bytes: Vec::new(),
                removed: true,
                fields,
            };
            if failed.is_some() {
                let reason = "the items before it could not be read".to_owned();
                self.told(entry, Outcome::Held { reason });
                continue;
            }
            match (&mut removals, request.delete.as_ref()) {
                (Some(removals), _) => self.push(Line::Removals, removals, entry).await,
                (None, Some(delete)) if delete.item.is_some() => {
                    let mut context = engine.context.clone();
                    context.insert("item".to_owned(), engine.item(&entry));
                    let text = delete.item.as_deref().unwrap_or_default();
                    match engine
                        .templates
                        .render(text, Place::Json, &Value::Object(context))
                    {
                        Ok(bytes) => {
                            entry.bytes = engine.around.bare(bytes.as_bytes()).to_vec();
                            self.push(Line::Items, &mut batcher, entry).await;
                        }
                        Err(reason) => self.told(entry, Outcome::Held { reason }),
                    }
                }
                _ => {
                    let reason = "the channel's manifest has no [request.delete]".to_owned();
                    self.told(entry, Outcome::Held { reason });
                }
            }
        }
        for batch in batcher.rest() {
            self.launch(Line::Items, batch).await;
        }
        for batch in removals.iter_mut().flat_map(Batcher::rest) {
            self.launch(Line::Removals, batch).await;
        }
        failed.map_or(Ok(()), Err)
    }

    /// An item's own names, and those of its remote id.
    fn fields(
        &self,
        sending: &Sending<'_>,
        sku: &str,
        given: Vec<(Cow<'_, str>, Cow<'_, str>)>,
    ) -> Vec<(String, String)> {
        let mut fields: Vec<(String, String)> = Vec::new();
        if let Some(remote) = sending.remote.and_then(|remote| remote.get(sku)) {
            fields.push(("remote_id".to_owned(), remote.id.clone()));
            fields.extend(
                remote
                    .fields
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
        }
        fields.extend(
            given
                .into_iter()
                .map(|(name, value)| (name.into_owned(), value.into_owned())),
        );
        fields
    }

    async fn push(&mut self, line: Line, batcher: &mut Batcher, entry: Entry) {
        if let Some(reason) = self.engine.over() {
            return self.told(entry, Outcome::Held { reason });
        }
        let group = match self.engine.group(&entry) {
            Ok(group) => group,
            Err(reason) => return self.told(entry, Outcome::Held { reason }),
        };
        match batcher.push(group, entry) {
            Ok(full) => {
                for batch in full {
                    self.launch(line, batch).await;
                }
            }
            Err(given) => {
                let (entry, message) = *given;
                let outcome = Outcome::Rejected {
                    code: "too-large".to_owned(),
                    message,
                    transient: false,
                };
                self.told(entry, outcome);
            }
        }
    }

    async fn launch(&mut self, line: Line, batch: Batch) {
        if let Some(reason) = self.engine.over() {
            for entry in batch.entries {
                let reason = reason.clone();
                self.told(entry, Outcome::Held { reason });
            }
            return;
        }
        while self.running.len() >= self.concurrency && self.one_ended().await {}
        let engine = Arc::clone(&self.engine);
        self.running
            .spawn(async move { engine.batch(line, batch).await });
        // with one batch at a time it is told before the next one is made
        if self.concurrency == 1 {
            self.one_ended().await;
        }
    }

    /// Waits for one batch; false when none is on its way.
    pub(super) async fn one_ended(&mut self) -> bool {
        let Some(ended) = self.running.join_next().await else {
            return false;
        };
        for outcome in ended.expect("a batch neither panics nor is aborted") {
            self.count(outcome);
        }
        true
    }

    fn told(&mut self, entry: Entry, outcome: Outcome) {
        self.count(ItemOutcome {
            id: entry.id,
            sku: entry.sku,
            removed: entry.removed,
            outcome,
        });
    }

    fn count(&mut self, outcome: ItemOutcome) {
        *match outcome.outcome {
            Outcome::Accepted => &mut self.report.accepted,
            Outcome::Rejected { .. } | Outcome::Stale { .. } => &mut self.report.rejected,
            Outcome::Unknown { .. } => &mut self.report.unknown,
            Outcome::Held { .. } => &mut self.report.held,
        } += 1;
        (self.tell)(outcome);
    }
}
