//! An independent look at a store account's state: whether levels, ledger, batches and orders agree, and what of the project
//! leaves a promise weaker than it could be. It shares no code with what keeps levels in step; it changes nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;

use jiff::{SignedDuration, Timestamp};

use crate::config::Project;
use crate::config::project::Source;
use crate::config::sync::{Rows, Store, Sync};
use crate::state::{Damage, StateError};

use super::level::{Level, Pair, Standing, What};
use super::state::{LineFilter, Look, Which};

/// What an examination of one store account found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// Levels looked at.
    pub levels: u64,
    /// Lines of the ledger looked at.
    pub lines: u64,
    /// What is not as it should be.
    pub damages: Vec<Damage>,
}

/// What to do about rows that contradict each other.
const ROWS: &str = "`shelfcast sync --full` reads the store back; where the disk failed, put `.shelfcast/sync` back from a backup";
/// After this, what waits for a person is told again.
const LONG: SignedDuration = SignedDuration::from_hours(24);

struct Looking<'l> {
    place: String,
    look: &'l dyn Look,
    now: Timestamp,
    found: Examined,
}

/// What the ledger says of a pair, summed up.
#[derive(Default)]
struct Told {
    accepted: Option<(u64, i64)>,
    versions: HashSet<u64>,
    twice: Option<u64>,
    newest: u64,
    died: bool,
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
    let told = looking.ledger()?;
    looking.levels(&told, project)?;
    looking.batches()?;
    looking.people(project)?;
    Ok(looking.found)
}

impl Looking<'_> {
    fn damaged(&mut self, message: String) {
        self.add(true, message, ROWS);
    }

    fn untidy(&mut self, message: String, hint: &str) {
        self.add(false, message, hint);
    }

    fn add(&mut self, damaged: bool, message: String, hint: &str) {
        self.found.damages.push(Damage {
            damaged,
            place: self.place.clone(),
            message,
            hint: hint.to_owned(),
        });
    }

    /// Sums the ledger up.
    fn ledger(&mut self) -> Result<HashMap<Pair, Told>, StateError> {
        let mut told: HashMap<Pair, Told> = HashMap::new();
        let mut lines = 0;
        self.look.ledger(&LineFilter::default(), &mut |line| {
            lines += 1;
            let pair = told.entry(line.pair).or_default();
            pair.newest = pair.newest.max(line.version);
            match line.what {
                What::Accepted => {
                    if line.version > 0 && !pair.versions.insert(line.version) {
                        pair.twice = Some(line.version);
                    }
                    if pair
                        .accepted
                        .is_none_or(|(version, _)| version <= line.version)
                    {
                        pair.accepted = Some((line.version, line.quantity));
                    }
                }
                What::Dead => pair.died = true,
                _ => {}
            }
            ControlFlow::Continue(())
        })?;
        self.found.lines = lines;
        Ok(told)
    }

    fn levels(&mut self, told: &HashMap<Pair, Told>, project: &Project) -> Result<(), StateError> {
        let tick = self.look.tick();
        let mut wrong: Vec<String> = Vec::new();
        let mut strays: BTreeMap<String, u64> = BTreeMap::new();
        let mut levels = 0;
        self.look.levels(Which::All, &mut |level| {
            levels += 1;
            if !project.sync.iter().any(|sync| sync.name == level.sync) {
                *strays.entry(level.sync.clone()).or_default() += 1;
            }
            wrong.extend(contradictions(&level, told.get(&level.pair), tick));
            ControlFlow::Continue(())
        })?;
        self.found.levels = levels;
        for message in wrong {
            self.damaged(message);
        }
        for (sync, levels) in strays {
            self.untidy(
                format!("{levels} levels are of sync `{sync}`, which the project does not have"),
                "they are kept and never sent; if the sync was renamed, give it its name back",
            );
        }
        Ok(())
    }

    /// What is on its way: each pair once, in a batch that its level names.
    fn batches(&mut self) -> Result<(), StateError> {
        let mut flying: HashMap<Pair, u64> = HashMap::new();
        for batch in self.look.batches()? {
            let old = self.now.duration_since(batch.made_at) > LONG;
            if old {
                self.untidy(
                    format!(
                        "batch {} of sync `{}` is on its way since {}: nobody knows what became of it",
                        batch.id, batch.sync, batch.made_at
                    ),
                    "`shelfcast sync` settles it: by its key, or by reading the store",
                );
            }
            for item in &batch.items {
                if let Some(other) = flying.insert(item.pair.clone(), batch.id) {
                    self.damaged(format!(
                        "{} is on its way twice, with batches {other} and {}",
                        said(&item.pair),
                        batch.id
                    ));
                }
                let level = self.look.level(&item.pair)?;
                if level.as_ref().and_then(|level| level.flight) != Some(batch.id) {
                    self.damaged(format!(
                        "batch {} carries {}, and its level does not say so",
                        batch.id,
                        said(&item.pair)
                    ));
                }
            }
        }
        let mut lost = Vec::new();
        self.look.levels(Which::InFlight, &mut |level| {
            if flying.get(&level.pair).copied() != level.flight {
                lost.push(level.pair);
            }
            ControlFlow::Continue(())
        })?;
        for pair in lost {
            self.damaged(format!(
                "{} is said to be on its way, and no batch carries it",
                said(&pair)
            ));
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
            let position = self.look.position(&source.name)?;
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

fn said(pair: &Pair) -> String {
    match pair.place.as_str() {
        "" => format!("SKU `{}`", pair.sku),
        place => format!("SKU `{}` at `{place}`", pair.sku),
    }
}

/// What of a level contradicts itself, the clock of the state, or the ledger.
fn contradictions(level: &Level, told: Option<&Told>, tick: u64) -> Vec<String> {
    let mut wrong = Vec::new();
    let pair = said(&level.pair);
    if let Some(wanted) = level.wanted {
        if wanted.quantity < 0 {
            wrong.push(format!(
                "{pair} is wanted at {}, below none",
                wanted.quantity
            ));
        }
        if wanted.observed_at > tick {
            wrong.push(format!(
                "{pair} is wanted from a reading that is yet to come"
            ));
        }
        if let Some(told) = told
            && told.newest > wanted.version
        {
            wrong.push(format!(
                "{pair} is wanted in version {}, and the ledger speaks of version {}",
                wanted.version, told.newest
            ));
        }
    }
    if let Some(known) = level.known {
        if known.at > tick {
            wrong.push(format!("{pair} is known from a commit that is yet to come"));
        }
        match level.wanted {
            Some(wanted) if wanted.version < known.version => wrong.push(format!(
                "the store took version {} of {pair}, and {} is the newest",
                known.version, wanted.version
            )),
            _ => {}
        }
        if known.version > 0
            && let Some((version, quantity)) = told.and_then(|told| told.accepted)
        {
            if version > known.version {
                wrong.push(format!(
                    "the ledger says that the store took version {version} of {pair}, the level says {}",
                    known.version
                ));
            } else if version == known.version && quantity != known.quantity {
                wrong.push(format!(
                    "the ledger says that {pair} was taken at {quantity}, the level says {}",
                    known.quantity
                ));
            }
        }
    }
    if let Some(version) = told.and_then(|told| told.twice) {
        wrong.push(format!(
            "version {version} of {pair} was acknowledged twice"
        ));
    }
    if matches!(level.standing, Standing::Dead { .. }) && !told.is_some_and(|told| told.died) {
        wrong.push(format!(
            "{pair} is a dead letter, and the ledger does not say why"
        ));
    }
    wrong
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
                "give it these rights and no more: a token that may do everything can lose everything".to_owned(),
            ));
        }
    }
}
