//! One batch, from its document to one outcome an item: its steps, their verdicts, and what is sent again because its
//! refusal passes.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::channel::manifest::request::{By, Request, Resolve, Step, Verdict};

use super::batch::{Batch, Entry};
use super::call::{Answer, Caller};
use super::clean::shown;
use super::document::{Around, numbered};
use super::outcome::{ItemOutcome, Outcome};
use super::pace::backoff;
use super::template::{Place, Templates};
use super::verdict::{self, joined, text};

/// Rounds in which items go out again whose refusal passes.
pub(super) const ROUNDS_MAX: u32 = 3;

/// The names that each item of a connector has: units, the units that must be there, the location's id, the item's id.
pub(crate) const LEVEL_NAMES: &[&str] = &["quantity", "compare", "place", "remote_id"];

/// What all batches of one sending share.
pub(super) struct Engine {
    pub(super) request: Request,
    pub(super) caller: Caller,
    pub(super) templates: Templates,
    pub(super) around: Around,
    pub(super) own: reqwest::Url,
    /// `settings`, `feed`, `run`, `full`.
    pub(super) context: Map<String, Value>,
    /// Templates look into items.
    pub(super) needs_item: bool,
}

/// Which steps a batch goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Those of items.
    Items,
    /// Those of removals.
    Removals,
}

impl Engine {
    fn steps(&self, line: Line) -> (&[Step], Option<&Verdict>) {
        match (line, &self.request.delete) {
            (Line::Removals, Some(delete)) => (&delete.step, delete.verdict.as_ref()),
            _ => (&self.request.step, self.request.verdict.as_ref()),
        }
    }

    /// Sends a batch; one outcome an item, in its order.
    pub(super) async fn batch(&self, line: Line, batch: Batch) -> Vec<ItemOutcome> {
        let mut done: Vec<Option<Outcome>> = vec![None; batch.entries.len()];
        let mut open: Vec<usize> = (0..batch.entries.len()).collect();
        for round in 1.. {
            let entries: Vec<&Entry> = open.iter().map(|&index| &batch.entries[index]).collect();
            let outcomes = self.attempt(line, &batch.group, &entries, None).await;
            let mut again = Vec::new();
            for (&index, outcome) in open.iter().zip(outcomes) {
                if let Outcome::Rejected {
                    transient: true, ..
                } = outcome
                {
                    again.push(index);
                }
                done[index] = Some(outcome);
            }
            open = again;
            let account = &self.caller.account;
            if open.is_empty()
                || round > ROUNDS_MAX
                || account.paused().is_some()
                || !account.retry()
            {
                break;
            }
            let pause = backoff(Duration::from_secs(2), round);
            self.caller.rest(pause).await;
        }
        batch
            .entries
            .into_iter()
            .zip(done)
            .map(|(entry, outcome)| ItemOutcome {
                id: entry.id,
                sku: entry.sku,
                removed: entry.removed,
                outcome: outcome.unwrap_or_else(|| silent("nothing was said of it")),
            })
            .collect()
    }

    /// One round: document, steps, verdicts. A key given stands in for the manifest's.
    pub(super) async fn attempt(
        &self,
        line: Line,
        group: &str,
        entries: &[&Entry],
        key: Option<&str>,
    ) -> Vec<Outcome> {
        let all = |outcome: Outcome| vec![outcome; entries.len()];
        let held = |reason: String| all(Outcome::Held { reason });
        let items = match self.items(entries) {
            Ok(items) => items,
            Err(reason) => return held(reason),
        };
        let document = self.around.document(items.iter().map(Vec::as_slice));
        let context = match self.context(group, entries, &document, key) {
            Ok(context) => context,
            Err(reason) => return held(reason),
        };
        let (steps, verdict) = self.steps(line);
        let under_way = verdict.filter(|verdict| !verdict.again.is_empty());
        let mut answers: HashMap<&str, Answer> = HashMap::new();
        let ended = self
            .go(steps, under_way, document, context, &mut answers)
            .await;
        let well = ended.is_ok();
        let mut outcomes: Vec<Option<Outcome>> = vec![None; entries.len()];
        // refusals on the way hold, whatever came after
        for step in steps {
            let (Some(early), Some(answer)) = (&step.verdict, answers.get(step.name.as_str()))
            else {
                continue;
            };
            let read = self.read(early, Some(answer), entries, &items).await;
            for (known, said) in outcomes.iter_mut().zip(read) {
                if let Some(Outcome::Rejected { .. } | Outcome::Stale { .. }) = said {
                    *known = said;
                }
            }
        }
        let rest: Vec<Outcome> = match ended {
            Ok(()) => {
                let last = verdict.and_then(|verdict| {
                    let name = verdict.step.as_deref();
                    let name = name.or_else(|| steps.last().map(|step| step.name.as_str()));
                    answers.get(name.unwrap_or_default())
                });
                match verdict {
                    None => all(silent(
                        "the channel's manifest does not say where the answer tells",
                    )),
                    Some(_) if last.is_none() => {
                        all(silent("the step that would tell was left out"))
                    }
                    Some(verdict) => self
                        .read(verdict, last, entries, &items)
                        .await
                        .into_iter()
                        .map(|said| said.unwrap_or_else(|| silent("the answer does not name it")))
                        .collect(),
                }
            }
            Err(failed) => {
                let mut outcome = failed.outcome(verdict, self.request.levels.is_some());
                // a refusal of many that names none says little of each: alone they will tell
                if let Outcome::Rejected { transient, .. } = &mut outcome {
                    *transient |= self.request.levels.is_some() && entries.len() > 1;
                }
                all(outcome)
            }
        };
        let place = shown(&self.own);
        let lost = rest
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Unknown { .. } | Outcome::Held { .. }));
        self.caller.account.batch_ended(well || !lost, &place);
        outcomes
            .into_iter()
            .zip(rest)
            .map(|(early, rest)| early.unwrap_or(rest))
            .collect()
    }

    /// The items' bytes, numbered where the manifest asks for it.
    fn items(&self, entries: &[&Entry]) -> Result<Vec<Vec<u8>>, String> {
        entries
            .iter()
            .enumerate()
            .map(|(index, entry)| match &self.request.number {
                Some(member) if !entry.bytes.is_empty() => {
                    numbered(&entry.bytes, member, index + 1)
                }
                _ => Ok(entry.bytes.clone()),
            })
            .collect()
    }

    /// The names that the templates of a batch see.
    fn context(
        &self,
        group: &str,
        entries: &[&Entry],
        document: &[u8],
        key: Option<&str>,
    ) -> Result<Map<String, Value>, String> {
        let mut context = self.context.clone();
        context.insert("group".to_owned(), json!(group));
        let now = self.caller.account.clock().wall();
        context.insert("now".to_owned(), json!(now.to_string()));
        if let Some(first) = entries.first() {
            context.insert("item".to_owned(), self.item(first));
        }
        let named: Vec<Value> = entries
            .iter()
            .map(|entry| Value::Object(self.named(entry, Map::new())))
            .collect();
        let mut digest = Sha256::new();
        digest.update(document);
        for entry in entries {
            digest.update([0]);
            digest.update(entry.id.as_bytes());
        }
        let digest: String = digest
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        context.insert("items".to_owned(), Value::Array(named));
        context.insert(
            "batch".to_owned(),
            json!({ "digest": digest, "items": entries.len(), "bytes": document.len() }),
        );
        context.insert("captures".to_owned(), json!({}));
        if let Some(key) = key {
            context.insert("key".to_owned(), json!(key));
        } else if let Some(idempotency) = &self.request.idempotency {
            let whole = Value::Object(context.clone());
            let key = self
                .templates
                .render(&idempotency.key, Place::Plain, &whole)?;
            context.insert("key".to_owned(), json!(key));
        }
        Ok(context)
    }

    /// An item as templates see it: the members of its own JSON, then what it goes by.
    pub(super) fn item(&self, entry: &Entry) -> Value {
        let item = match self.needs_item {
            true => serde_json::from_slice(&entry.bytes).unwrap_or_default(),
            false => Map::new(),
        };
        Value::Object(self.named(entry, item))
    }

    /// Puts in what an item goes by. Of a connector's item all names are there; what has no value is null.
    fn named(&self, entry: &Entry, mut item: Map<String, Value>) -> Map<String, Value> {
        item.insert("id".to_owned(), json!(entry.id));
        item.insert("sku".to_owned(), json!(entry.sku));
        if self.request.levels.is_some() {
            let resolved = self.request.resolve.iter().flat_map(Resolve::names);
            for name in LEVEL_NAMES.iter().copied().chain(resolved) {
                item.insert(name.to_owned(), Value::Null);
            }
        }
        for (name, value) in &entry.fields {
            item.insert(name.clone(), json!(value));
        }
        item
    }

    async fn read(
        &self,
        verdict: &Verdict,
        answer: Option<&Answer>,
        entries: &[&Entry],
        items: &[Vec<u8>],
    ) -> Vec<Option<Outcome>> {
        let keys: Vec<String> = entries
            .iter()
            .zip(items)
            .enumerate()
            .map(|(index, (entry, bytes))| {
                let key = match &verdict.item {
                    None => entry.id.clone(),
                    Some(pointer) => {
                        let name = pointer.strip_prefix('/');
                        if name.is_some() && name == self.request.number.as_deref() {
                            (index + 1).to_string()
                        } else if let Some(value) = name.and_then(|name| entry.field(name)) {
                            value.to_owned()
                        } else {
                            serde_json::from_slice::<Value>(bytes)
                                .ok()
                                .and_then(|item| text(item.pointer(pointer)))
                                .or_else(|| match name {
                                    Some("sku") => Some(entry.sku.clone()),
                                    Some("id") => Some(entry.id.clone()),
                                    _ => None,
                                })
                                .unwrap_or_default()
                        }
                    }
                };
                let place = verdict.place.as_ref();
                joined(
                    key,
                    place.map(|_| entry.field("place").unwrap_or_default().to_owned()),
                )
            })
            .collect();
        let mut secrets = self.caller.auth.secrets.clone();
        secrets.extend(self.caller.auth.current(&self.caller.account).await);
        let json = answer.and_then(|answer| answer.json.as_ref());
        if verdict.by == By::Status {
            let nothing = answer.is_some_and(|answer| answer.reply.status == 204);
            let outcome = verdict::by_status(verdict, json, nothing);
            return vec![Some(outcome); entries.len()];
        }
        let units: Vec<Option<String>> = entries
            .iter()
            .map(|entry| entry.field("quantity").map(str::to_owned))
            .collect();
        let mut outcomes = verdict::read(verdict, json, &keys, &units, &secrets);
        // without a key an earlier try may be what changed the level
        if answer.is_some_and(|answer| answer.repeated) && self.request.idempotency.is_none() {
            for outcome in outcomes.iter_mut().flatten() {
                if let Outcome::Stale { .. } = outcome {
                    *outcome = silent("the answer to the first try was lost");
                }
            }
        }
        outcomes
    }
}

fn silent(reason: &str) -> Outcome {
    Outcome::Unknown {
        reason: reason.to_owned(),
    }
}
