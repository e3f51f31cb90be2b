//! The contract suite: what a connector must do before a sync is trusted to it, tried at a real address.
//!
//! Comes in: a store behind [`OnlineStore`], the SKUs that may be written, a place. Goes out: one [`Finding`] a clause.
//! Promised: only the levels of the SKUs that were named are written, by one unit, and they are put back in the end,
//! whatever happens in between; where that fails it is said with the old level.

use std::collections::HashMap;

use crate::store::Outcome;

use super::level::Pair;
use super::online::{Found, OnlineStore, Reading, RemoteItem, StoreError, Write};

/// How a clause came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not: no sync should be trusted to this connector.
    Broken,
    /// The store cannot do it, and the documentation says what that means.
    Lacking,
    /// It could not be tried.
    NotTried,
}

impl Verdict {
    /// The word in JSON and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Broken => "broken",
            Verdict::Lacking => "lacking",
            Verdict::NotTried => "not-tried",
        }
    }
}

/// A clause and how it came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its name.
    pub clause: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was seen: lower case, no full stop.
    pub message: String,
    /// What to do about it; empty where there is nothing to do.
    pub hint: String,
}

/// What the suite may touch.
#[derive(Clone, Debug)]
pub struct Trial<'t> {
    /// The SKUs whose levels may be written; at least one.
    pub skus: &'t [String],
    /// The store's place; empty where it has one stock.
    pub place: &'t str,
    /// What makes keys of this run different from those of any other.
    pub run: &'t str,
}

/// A SKU that no shop has.
const STRANGER: &str = "shelfcast-no-such-sku-7f3a";

/// The trial's state: what was found, what must be put back.
struct Suite<'s> {
    store: &'s mut dyn OnlineStore,
    trial: &'s Trial<'s>,
    findings: Vec<Finding>,
    keys: u32,
}

/// Tries every clause, in order, and puts the levels back.
pub fn admit(store: &mut dyn OnlineStore, trial: &Trial<'_>) -> Vec<Finding> {
    let mut suite = Suite {
        store,
        trial,
        findings: Vec::new(),
        keys: 0,
    };
    suite.stranger();
    if let Some(items) = suite.resolve()
        && let Some(levels) = suite.read(&items)
    {
        suite.place(&items, &levels);
        suite.write(&items[0], levels[0]);
        suite.stale(&items[0], levels[0]);
        suite.batch(&items, &levels);
        suite.put_back(&items, &levels);
    }
    suite.findings
}

impl Suite<'_> {
    fn tell(&mut self, clause: &'static str, verdict: Verdict, message: impl Into<String>) {
        self.tell_hint(clause, verdict, message, "");
    }

    fn tell_hint(
        &mut self,
        clause: &'static str,
        verdict: Verdict,
        message: impl Into<String>,
        hint: &str,
    ) {
        self.findings.push(Finding {
            clause,
            verdict,
            message: message.into(),
            hint: hint.to_owned(),
        });
    }

    fn key(&mut self) -> String {
        self.keys += 1;
        format!("{}-{}", self.trial.run, self.keys)
    }

    /// A SKU that the store does not have is a stranger, and no error.
    fn stranger(&mut self) {
        let clause = "stranger";
        match self.store.resolve(&[STRANGER.to_owned()]) {
            Ok(found) => match found.get(STRANGER) {
                Some(Found::Stranger) => {
                    self.tell(clause, Verdict::Holds, "an unknown SKU is said to be unknown");
                }
                Some(Found::Remote(remote)) if remote.id == STRANGER => {
                    let item = RemoteItem {
                        pair: Pair::new(self.trial.place, STRANGER),
                        remote: remote.clone(),
                    };
                    self.stranger_is_read(&item);
                }
                Some(Found::Remote(remote)) => self.tell_hint(
                    clause,
                    Verdict::Broken,
                    format!("the SKU `{STRANGER}`, which no shop has, was found as `{}`", remote.id),
                    "the look-up takes what looks alike: compare the SKU in [request.resolve]",
                ),
                Some(Found::Ambiguous) => self.tell(
                    clause,
                    Verdict::Broken,
                    format!("the SKU `{STRANGER}`, which no shop has, was found more than once"),
                ),
                None => self.tell(
                    clause,
                    Verdict::Broken,
                    "an unknown SKU is passed over: nobody could tell it from one that was not looked up",
                ),
            },
            Err(error) => self.unreachable(clause, &error),
        }
    }

    /// Where the SKU is the store's own id, nothing is looked up: reading tells.
    fn stranger_is_read(&mut self, item: &RemoteItem) {
        let clause = "stranger";
        match self.store.read(std::slice::from_ref(item)).as_deref() {
            Ok([Reading::NotStocked]) => {
                self.tell(clause, Verdict::Holds, "an unknown SKU has no level");
            }
            Ok([Reading::Level(level)]) => self.tell_hint(
                clause,
                Verdict::Broken,
                format!("the SKU `{STRANGER}`, which no shop has, is at {level}"),
                "say `missing = \"not_stocked\"` in [request.read]",
            ),
            Ok(readings) => {
                let message = format!("an unknown SKU cannot be read: {readings:?}");
                self.tell(clause, Verdict::Broken, message);
            }
            Err(error) => {
                let error = error.clone();
                self.unreachable(clause, &error);
            }
        }
    }

    fn unreachable(&mut self, clause: &'static str, error: &StoreError) {
        let hint = match error {
            StoreError::Configuration(_) => "correct the [[store]]: connector, url, secrets",
            StoreError::Failed(_) => "look whether the store answers there, and the token may read",
        };
        self.tell_hint(clause, Verdict::Broken, error.to_string(), hint);
    }

    /// The SKUs that were named have one id each.
    fn resolve(&mut self) -> Option<Vec<RemoteItem>> {
        let clause = "resolve";
        let found: HashMap<String, Found> = match self.store.resolve(self.trial.skus) {
            Ok(found) => found,
            Err(error) => {
                self.unreachable(clause, &error);
                return None;
            }
        };
        let mut items = Vec::new();
        for sku in self.trial.skus {
            match found.get(sku) {
                Some(Found::Remote(remote)) => items.push(RemoteItem {
                    pair: Pair::new(self.trial.place, sku.as_str()),
                    remote: remote.clone(),
                }),
                Some(Found::Ambiguous) => {
                    self.tell_hint(
                        clause,
                        Verdict::NotTried,
                        format!("the store has the SKU `{sku}` more than once"),
                        "name a SKU that it has once",
                    );
                }
                Some(Found::Stranger) | None => {
                    self.tell_hint(
                        clause,
                        Verdict::Broken,
                        format!("the store does not find the SKU `{sku}`"),
                        "name SKUs that it has; if it has this one, the look-up or its rights are wrong",
                    );
                }
            }
        }
        if items.len() < self.trial.skus.len() || items.is_empty() {
            return None;
        }
        let count = items.len();
        self.tell(
            clause,
            Verdict::Holds,
            format!("{count} of {count} SKUs found"),
        );
        Some(items)
    }

    /// Each has a level at the place.
    fn read(&mut self, items: &[RemoteItem]) -> Option<Vec<i64>> {
        let clause = "read";
        let readings = match self.store.read(items) {
            Ok(readings) => readings,
            Err(error) => {
                self.unreachable(clause, &error);
                return None;
            }
        };
        if readings.len() != items.len() {
            self.tell(
                clause,
                Verdict::Broken,
                format!("{} readings for {} SKUs", readings.len(), items.len()),
            );
            return None;
        }
        let mut levels = Vec::new();
        for (item, reading) in items.iter().zip(readings) {
            let sku = &item.pair.sku;
            match reading {
                Reading::Level(level) => levels.push(level),
                Reading::NotStocked => self.tell_hint(
                    clause,
                    Verdict::NotTried,
                    format!("the store does not stock `{sku}` there"),
                    "name one that it stocks, and the place: --place ID",
                ),
                Reading::Unknown(why) => self.tell(
                    clause,
                    Verdict::Broken,
                    format!("the level of `{sku}` cannot be read: {why}"),
                ),
            }
        }
        if levels.len() < items.len() {
            return None;
        }
        self.tell(
            clause,
            Verdict::Holds,
            format!("`{}` is at {}", items[0].pair.sku, levels[0]),
        );
        Some(levels)
    }

    /// A store with places is asked for one, a store without is not.
    fn place(&mut self, items: &[RemoteItem], levels: &[i64]) {
        let capabilities = self.store.capabilities();
        let (clause, named) = ("place", !self.trial.place.is_empty());
        if capabilities.places != named {
            let message = if named {
                "the store has one stock, and a place was named"
            } else {
                "the store has places, and none was named"
            };
            let hint = "a store with places takes `locations = { ours = \"theirs\" }`, one without `[\"a\", \"b\"]`; here: --place ID";
            self.tell_hint(clause, Verdict::Broken, message, hint);
        }
        let most = capabilities.maximum;
        for (item, level) in items.iter().zip(levels) {
            if *level > most {
                let sku = &item.pair.sku;
                let message =
                    format!("`{sku}` is at {level}, and {most} is the connector's maximum");
                self.tell(clause, Verdict::Broken, message);
            }
        }
    }

    /// A level that is one off the one there is, and within what the store takes.
    fn beside(&self, level: i64) -> i64 {
        if level < self.store.capabilities().maximum {
            level.saturating_add(1)
        } else {
            level.saturating_sub(1)
        }
    }

    fn push(&mut self, key: &str, item: &RemoteItem, quantity: i64, compare: i64) -> Outcome {
        let compare = self.store.capabilities().compare_and_set.then_some(compare);
        let write = Write {
            item: item.clone(),
            quantity,
            compare,
        };
        let mut outcomes = self.store.push(key, &[write]);
        match (outcomes.pop(), outcomes.is_empty()) {
            (Some(outcome), true) => outcome,
            _ => Outcome::Unknown {
                reason: "the connector does not give one outcome a write".to_owned(),
            },
        }
    }

    fn level(&mut self, item: &RemoteItem) -> Result<i64, String> {
        match self.store.read(std::slice::from_ref(item)) {
            Ok(readings) => match readings.first() {
                Some(Reading::Level(level)) => Ok(*level),
                Some(Reading::NotStocked) => Err("it is not stocked there any more".to_owned()),
                Some(Reading::Unknown(why)) => Err(why.clone()),
                None => Err("no reading came".to_owned()),
            },
            Err(error) => Err(error.to_string()),
        }
    }

    /// A write is taken, is there when read back, and under the same key is not done again.
    fn write(&mut self, item: &RemoteItem, level: i64) {
        let wanted = self.beside(level);
        let key = self.key();
        let outcome = self.push(&key, item, wanted, level);
        if outcome != Outcome::Accepted {
            self.tell_hint(
                "write",
                Verdict::Broken,
                format!("{level} to {wanted} was not taken: {}", said(&outcome)),
                "look whether the token may write stock",
            );
            return;
        }
        self.tell(
            "write",
            Verdict::Holds,
            format!("{level} to {wanted} was taken"),
        );
        match self.level(item) {
            Ok(now) if now == wanted => {
                self.tell("read-back", Verdict::Holds, format!("it reads {now}"));
            }
            Ok(now) => self.tell_hint(
                "read-back",
                Verdict::Broken,
                format!("it was taken and reads {now}, not {wanted}"),
                "reading and writing do not mean the same number: on hand, available; or the store answers from a cache",
            ),
            Err(why) => self.tell("read-back", Verdict::Broken, format!("it cannot be read: {why}")),
        }
        if self.store.capabilities().key_life.is_none() {
            self.tell(
                "repeat",
                Verdict::Lacking,
                "the store knows no keys: what became of a write that nobody answered for is found out by reading",
            );
            return;
        }
        let outcome = self.push(&key, item, wanted, level);
        let now = self.level(item);
        match (&outcome, now) {
            (Outcome::Accepted, Ok(now)) if now == wanted => self.tell(
                "repeat",
                Verdict::Holds,
                "the same under the same key was taken, and changed nothing",
            ),
            (_, now) => self.tell_hint(
                "repeat",
                Verdict::Broken,
                format!(
                    "the same under the same key: {}, and it reads {}",
                    said(&outcome),
                    now.map_or_else(|why| why, |now| now.to_string())
                ),
                "a connector with [request.idempotency] must be answered as the first time",
            ),
        }
    }

    /// A write that compares with a level that is not there is refused, and changes nothing.
    fn stale(&mut self, item: &RemoteItem, level: i64) {
        let clause = "compare-and-set";
        if !self.store.capabilities().compare_and_set {
            self.tell(
                clause,
                Verdict::Lacking,
                "the store sets a level whatever it has: an order that comes between reading and writing can be overwritten",
            );
            return;
        }
        let Ok(now) = self.level(item) else {
            self.tell(clause, Verdict::NotTried, "the level cannot be read");
            return;
        };
        let elsewhere = now.saturating_add(1000);
        let key = self.key();
        let outcome = self.push(&key, item, level, elsewhere);
        let after = self.level(item);
        match (&outcome, after) {
            (Outcome::Accepted, _) => self.tell_hint(
                clause,
                Verdict::Broken,
                format!("it is at {now}, and a write that expects {elsewhere} was taken"),
                "the compare value does not reach the store: look at the template",
            ),
            (_, Ok(after)) if after != now => self.tell(
                clause,
                Verdict::Broken,
                format!(
                    "a write that expects {elsewhere} was refused, and changed {now} to {after}"
                ),
            ),
            (Outcome::Unknown { reason }, _) => self.tell_hint(
                clause,
                Verdict::Broken,
                format!("a stale write is answered so that nobody knows: {reason}"),
                "name the refusal in [request.verdict]",
            ),
            (Outcome::Rejected { code, .. }, _) => self.tell_hint(
                clause,
                Verdict::Broken,
                format!("a stale write is refused with `{code}`, and is not seen to be stale: it would become a dead letter"),
                "name the code under `stale` in [request.verdict]",
            ),
            (Outcome::Held { reason }, _) => self.tell(
                clause,
                Verdict::NotTried,
                format!("it did not leave: {reason}"),
            ),
            _ => self.tell(
                clause,
                Verdict::Holds,
                format!("a write that expects {elsewhere} instead of {now} was refused"),
            ),
        }
    }

    /// A batch as large as the SKUs allow: one outcome a write, all taken.
    fn batch(&mut self, items: &[RemoteItem], _levels: &[i64]) {
        let clause = "batch";
        let most = self.store.capabilities().batch.max(1);
        let group = self.store.group(&items[0]);
        let mut writes = Vec::new();
        for item in items.iter().take(most) {
            if self.store.group(item) != group {
                continue;
            }
            // What is there is set again: a batch needs no change to be judged item by item.
            let Ok(now) = self.level(item) else { continue };
            writes.push(Write {
                item: item.clone(),
                quantity: now,
                compare: self.store.capabilities().compare_and_set.then_some(now),
            });
        }
        if writes.len() < 2 && most > 1 {
            self.tell_hint(
                clause,
                Verdict::NotTried,
                format!(
                    "a batch holds {most} writes, and only {} may be written",
                    writes.len()
                ),
                "name more SKUs to try it",
            );
            return;
        }
        let key = self.key();
        let outcomes = self.store.push(&key, &writes);
        if outcomes.len() != writes.len() {
            self.tell(
                clause,
                Verdict::Broken,
                format!("{} outcomes for {} writes", outcomes.len(), writes.len()),
            );
            return;
        }
        let refused = writes
            .iter()
            .zip(&outcomes)
            .find(|(_, outcome)| **outcome != Outcome::Accepted);
        match refused {
            None => self.tell(
                clause,
                Verdict::Holds,
                format!(
                    "{} writes in one batch of at most {most} were taken",
                    writes.len()
                ),
            ),
            Some((write, outcome)) => {
                let message = format!("`{}` in a batch: {}", write.item.pair.sku, said(outcome));
                self.tell(clause, Verdict::Broken, message);
            }
        }
    }

    /// The levels that were there are there again.
    fn put_back(&mut self, items: &[RemoteItem], levels: &[i64]) {
        let mut off = Vec::new();
        for (item, &level) in items.iter().zip(levels) {
            for _ in 0..2 {
                match self.level(item) {
                    Ok(now) if now == level => break,
                    Ok(now) => {
                        let key = self.key();
                        let _seen_by_the_next_reading = self.push(&key, item, level, now);
                    }
                    Err(_) => {}
                }
            }
            match self.level(item) {
                Ok(now) if now == level => {}
                Ok(now) => off.push(format!(
                    "`{}` was at {level} and is at {now}",
                    item.pair.sku
                )),
                Err(why) => off.push(format!("`{}` was at {level}: {why}", item.pair.sku)),
            }
        }
        if off.is_empty() {
            self.tell(
                "put-back",
                Verdict::Holds,
                "every level is what it was before",
            );
        } else {
            self.tell_hint(
                "put-back",
                Verdict::Broken,
                off.join("; "),
                "set it by hand in the store's own pages, unless an order took it",
            );
        }
    }
}

/// An outcome in words.
fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Rejected { code, message, .. } => format!("refused, `{code}`: {message}"),
        Outcome::Stale { code, message } => format!("it has another level, `{code}`: {message}"),
        Outcome::Unknown { reason } => format!("nobody knows: {reason}"),
        Outcome::Held { reason } => format!("it did not leave: {reason}"),
        Outcome::Accepted => "taken".to_owned(),
    }
}

#[cfg(test)]
mod tests;
