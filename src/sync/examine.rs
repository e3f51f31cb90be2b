//! What waits for a person at a store account, and what of the project leaves a promise weaker than it could be: for `doctor`,
//! beside the look at the state itself in `state::doctor`. It changes nothing.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use jiff::{SignedDuration, Timestamp};

use crate::config::Project;
use crate::config::project::Source;
use crate::config::sync::{Rows, Store, Sync};
use crate::state::{Damage, StateError};

use super::state::{LineFilter, Look, Which};

/// What an examination of one store account found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// Levels looked at.
    pub levels: u64,
    /// Lines of the ledger looked at.
    pub lines: u64,
    /// What waits for somebody.
    pub damages: Vec<Damage>,
}

/// After this, what waits for a person is told again.
const LONG: SignedDuration = SignedDuration::from_hours(24);

struct Looking<'l> {
    place: String,
    look: &'l dyn Look,
    now: Timestamp,
    found: Examined,
}

/// Looks at a store account's state.
///
/// # Errors
/// A state that refuses.
pub fn state(
    look: &dyn Look,
    store: &str,
    project: &Project,
    now: Timestamp,
) -> Result<Examined, StateError> {
    let mut looking = Looking {
        place: format!(".shelfcast/sync/{store}.db"),
        look,
        now,
        found: Examined::default(),
    };
    looking.found.lines = looking.ledger()?;
    looking.levels(project)?;
    looking.batches()?;
    looking.people(project)?;
    Ok(looking.found)
}

impl Looking<'_> {
    fn untidy(&mut self, message: String, hint: &str) {
        self.found.damages.push(Damage {
            damaged: false,
            place: self.place.clone(),
            message,
            hint: hint.to_owned(),
        });
    }

    /// Counts the ledger's lines.
    fn ledger(&mut self) -> Result<u64, StateError> {
        let mut lines = 0;
        self.look.ledger(&LineFilter::default(), &mut |_| {
            lines += 1;
            ControlFlow::Continue(())
        })?;
        Ok(lines)
    }

    /// Levels of syncs that the project does not have.
    fn levels(&mut self, project: &Project) -> Result<(), StateError> {
        let mut strays: BTreeMap<String, u64> = BTreeMap::new();
        let mut levels = 0;
        self.look.levels(Which::All, &mut |level| {
            levels += 1;
            if !project.sync.iter().any(|sync| sync.name == level.sync) {
                *strays.entry(level.sync).or_default() += 1;
            }
            ControlFlow::Continue(())
        })?;
        self.found.levels = levels;
        for (sync, levels) in strays {
            self.untidy(
                format!("{levels} levels are of sync `{sync}`, which the project does not have"),
                "they are kept and never sent; if the sync was renamed, give it its name back",
            );
        }
        Ok(())
    }

    /// What has been on its way for long.
    fn batches(&mut self) -> Result<(), StateError> {
        for batch in self.look.batches()? {
            if self.now.duration_since(batch.made_at) > LONG {
                self.untidy(
                    format!(
                        "batch {} of sync `{}` is on its way since {}: nobody knows what became of it",
                        batch.id, batch.sync, batch.made_at
                    ),
                    "`shelfcast sync` settles it: by its key, or by reading the store",
                );
            }
        }
        Ok(())
    }

    /// Pauses, orders and held plans that have waited for long.
    fn people(&mut self, project: &Project) -> Result<(), StateError> {
        for pause in self.look.pauses()? {
            if self.now.duration_since(pause.at) > LONG {
                self.untidy(
                    format!(
                        "sync `{}` is paused since {} by {}: {}",
                        pause.sync, pause.at, pause.who, pause.reason
                    ),
                    "`shelfcast resume NAME` lets it go on",
                );
            }
        }
        let waiting = self.look.orders()?;
        let old = |at: Timestamp| self.now.duration_since(at) > LONG;
        if let Some(kept) = waiting.iter().find(|kept| old(kept.at)) {
            let message = format!(
                "{} orders wait for a run, the oldest since {}",
                waiting.len(),
                kept.at
            );
            self.untidy(
                message,
                "no run has been since then: look at cron, or at the daemon",
            );
        }
        for sync in &project.sync {
            let Some(source) = project.source.iter().find(|one| one.name == sync.from) else {
                continue;
            };
            let position = self
                .look
                .position(&super::level::reading(&sync.name, &source.name))?;
            if let Some(position) = position
                && self.now.duration_since(position.time) > LONG
            {
                self.untidy(
                    format!(
                        "source `{}` was last read whole on {}",
                        source.name, position.time
                    ),
                    "look whether it is still written, and whether sync still runs",
                );
            }
        }
        Ok(())
    }
}

/// What of the project leaves a promise weaker than it could be, with what to do: advice, no damage.
pub fn advice(project: &Project) -> Vec<(String, String)> {
    let mut advice = Vec::new();
    for sync in &project.sync {
        if let Some(source) = project.source.iter().find(|one| one.name == sync.from) {
            wholeness(sync, source, &mut advice);
        }
    }
    for store in &project.store {
        abilities(store, project, &mut advice);
    }
    advice
}

/// N3: without a mark, a file that is cut at a line's end cannot be told from a real change.
fn wholeness(sync: &Sync, source: &Source, advice: &mut Vec<(String, String)>) {
    let marked = source.end.is_some() || !source.sentinel.is_empty();
    let name = &source.name;
    if source.path.is_some() && source.rows == Rows::All && !marked {
        advice.push((
            format!("source `{name}` cannot prove that it is whole: a file that is cut at a line's end looks like a change"),
            "have a last row written, with `end = \"SKU\"` and the number of rows as its quantity; or name `sentinel` SKUs that are always there".to_owned(),
        ));
    }
    if source.absence.as_deref() == Some("zero") && source.end.is_none() {
        advice.push((
            format!("source `{name}` has `absence = \"zero\"` and no end mark: absent rows will never count as zero"),
            "give it `end = \"SKU\"`; absence counts after two whole readings that prove it".to_owned(),
        ));
    }
    if source.order.is_none() && source.cursor.is_none() {
        advice.push((
            format!("source `{name}` has no order mark: an older file that is dropped later wins"),
            "name a column that only grows: `order = \"updated_at\"`".to_owned(),
        ));
    }
    if sync.max_age.is_none() {
        advice.push((
            format!(
                "sync `{}` has no `max_age`: that it stopped running is not noticed",
                sync.name
            ),
            "write `max_age = \"2h\"`, and have `shelfcast status` watched".to_owned(),
        ));
    }
}

/// What a store cannot do, and the rights that its connector needs.
fn abilities(store: &Store, project: &Project, advice: &mut Vec<(String, String)>) {
    let name = super::check::connector(store);
    let Ok(channel) = crate::channel::load(Some(&project.folder), &name) else {
        return;
    };
    let Some(request) = &channel.manifest.request else {
        return;
    };
    let compares = request
        .levels
        .as_ref()
        .is_some_and(|levels| levels.compare_and_set);
    if !compares {
        advice.push((
            format!(
                "store `{}` ({}) sets a level whatever it has: an order that comes between reading and writing can be overwritten",
                store.name, store.connector
            ),
            "keep some `safety_stock`; docs/sync.md tells how wide the window is".to_owned(),
        ));
    }
    for (secret, needed) in &request.secrets {
        if let Some(about) = &needed.about {
            advice.push((
                format!("store `{}`: `{secret}` is {about}", store.name),
                "the store account that it belongs to needs no rights beside: one that may do everything can lose everything".to_owned(),
            ));
        }
    }
}
