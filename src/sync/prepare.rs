//! Before anything is sent: the store's ids of SKUs, and what the store says of pairs that were never pushed.
//!
//! That reading is the baseline, and the value to compare with. What the store does not know is set aside, counted, and
//! looked up again some hours later.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::channel::manifest::request::RemoteId;
use crate::state::StateError;

use super::level::{Known, Level, Standing};
use super::online::{Found, Reading, RemoteItem, StoreError};
use super::state::{Change, Which};
use super::work::{ATTEMPTS_MOST, Halt, Work, is_due};

/// Pairs looked up and read between two commits.
const CHUNK: usize = 2_000;
/// What the store does not know is looked up again after this.
const ASIDE: Duration = Duration::from_secs(6 * 3600);

impl Work<'_> {
    /// Gives every open pair an id and a known level, or sets it aside; how many levels were read.
    ///
    /// # Errors
    /// A state that refuses. A store that cannot be asked halts the run.
    pub fn prepare(&mut self) -> Result<u64, StateError> {
        self.try_aside_again()?;
        let mut read = 0;
        let now = self.now();
        while !self.halted()? {
            let mut chunk: Vec<Level> = Vec::new();
            let sync = self.rule.name.clone();
            self.state.levels(Which::Open, &mut |level| {
                let waits = !is_due(level.not_before, now);
                if level.sync == sync && level.known.is_none() && level.flight.is_none() && !waits {
                    chunk.push(level);
                }
                match chunk.len() < CHUNK {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })?;
            if chunk.is_empty() {
                break;
            }
            match self.baseline(chunk)? {
                Some(levels) => read += levels,
                None => break,
            }
        }
        Ok(read)
    }

    /// What was set aside long enough is open again.
    fn try_aside_again(&mut self) -> Result<(), StateError> {
        let now = self.now();
        let sync = self.rule.name.clone();
        let mut due: Vec<Level> = Vec::new();
        self.state.levels(Which::Aside, &mut |level| {
            if level.sync == sync && is_due(level.not_before, now) {
                due.push(level);
            }
            ControlFlow::Continue(())
        })?;
        if due.is_empty() {
            return Ok(());
        }
        self.state.commit(&mut |made| {
            for level in &due {
                let mut level = level.clone();
                level.standing = Standing::Open;
                level.not_before = None;
                level.known = None;
                made.write(Change::Level(&level))?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Looks up and reads; `None` when the store cannot be asked.
    fn baseline(&mut self, mut levels: Vec<Level>) -> Result<Option<u64>, StateError> {
        let now = self.now();
        let mut aside: Vec<Level> = Vec::new();
        let Some(items) = self.remote_items(&mut levels, &mut aside)? else {
            return Ok(None);
        };
        let readings = match self.store.read(&items) {
            Ok(readings) => readings,
            Err(error) => return self.halt(error),
        };
        let at = self.state.tick() + 1;
        let mut read = 0;
        let mut changed: Vec<Level> = Vec::new();
        for (mut level, reading) in levels.into_iter().zip(readings) {
            match reading {
                Reading::Level(quantity) => {
                    level.known = Some(Known {
                        quantity,
                        version: 0,
                        at,
                    });
                    level.not_before = None;
                    read += 1;
                    if !level.is_open() {
                        self.figures.in_step += 1;
                    }
                    changed.push(level);
                }
                Reading::NotStocked => {
                    level.standing = Standing::NotStocked;
                    level.not_before = Some(super::work::later(now, ASIDE));
                    aside.push(level);
                }
                Reading::Unknown(reason) => {
                    self.figures.unread += 1;
                    level.attempts += 1;
                    level.not_before = Some(super::work::pause_after(level.attempts, now));
                    if level.attempts >= ATTEMPTS_MOST {
                        self.figures.dead += 1;
                        level.standing = Standing::Dead {
                            code: "unread".to_owned(),
                            message: reason,
                            since: now,
                        };
                    }
                    changed.push(level);
                }
            }
        }
        self.figures.strangers += aside.len() as u64;
        let nothing = changed.is_empty() && aside.is_empty();
        self.state.commit(&mut |made| {
            for level in changed.iter().chain(&aside) {
                made.write(Change::Level(level))?;
            }
            Ok(())
        })?;
        match nothing {
            true => self.halt(StoreError::Failed(
                "the store does not say which SKUs it knows".to_owned(),
            )),
            false => Ok(Some(read)),
        }
    }

    /// The store's names of pairs, in their order; pairs whose SKU it does not know are moved to `aside`. `None` when the
    /// store cannot be asked.
    pub(super) fn remote_items(
        &mut self,
        levels: &mut Vec<Level>,
        aside: &mut Vec<Level>,
    ) -> Result<Option<Vec<RemoteItem>>, StateError> {
        let mut skus: Vec<String> = levels.iter().map(|level| level.pair.sku.clone()).collect();
        skus.sort_unstable();
        skus.dedup();
        let mut remotes = self.state.remotes(&skus)?;
        skus.retain(|sku| !remotes.contains_key(sku));
        if !skus.is_empty() {
            let found = match self.store.resolve(&skus) {
                Ok(found) => found,
                Err(error) => return self.halt(error),
            };
            let mut new: Vec<(String, RemoteId)> = Vec::new();
            let until = super::work::later(self.now(), ASIDE);
            let mut known: Vec<Level> = Vec::with_capacity(levels.len());
            for mut level in std::mem::take(levels) {
                let reason = match found.get(&level.pair.sku) {
                    Some(Found::Stranger) => "the store does not know the SKU",
                    Some(Found::Ambiguous) => {
                        "the store knows the SKU more than once and cannot say which is meant"
                    }
                    Some(Found::Remote(_)) | None => {
                        known.push(level);
                        continue;
                    }
                };
                level.standing = Standing::Stranger {
                    reason: reason.to_owned(),
                };
                level.not_before = Some(until);
                aside.push(level);
            }
            *levels = known;
            for (sku, found) in found {
                if let Found::Remote(remote) = found {
                    new.push((sku, remote));
                }
            }
            new.sort_by(|one, other| one.0.cmp(&other.0));
            self.state.commit(&mut |made| {
                for (sku, remote) in &new {
                    made.write(Change::Remote {
                        sku,
                        remote: Some(remote),
                    })?;
                }
                Ok(())
            })?;
            remotes.extend(new);
        }
        let mut items = Vec::with_capacity(levels.len());
        levels.retain(|level| match remotes.get(&level.pair.sku) {
            Some(remote) => {
                items.push(RemoteItem {
                    pair: level.pair.clone(),
                    remote: remote.clone(),
                });
                true
            }
            None => false,
        });
        Ok(Some(items))
    }

    /// Remembers why the store cannot be used.
    pub(super) fn halt<T>(&mut self, error: StoreError) -> Result<Option<T>, StateError> {
        if self.figures.halted.is_none() {
            self.figures.halted = Some(Halt::Store(error));
        }
        Ok(None)
    }
}
