//! `stock`: one SKU at the stores, term by term; and the same in full for `explain --sync`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use clap::Args;

use crate::config::sync::Sync;
use crate::pipeline::Failure;
use crate::report::json;
use crate::report::sync::level::{self, PlaceView, SkuView};
use crate::sync::connector::Connector;
use crate::sync::decide::Rule;
use crate::sync::level::{Batch, Level, Line, Observation, Pair, reading};
use crate::sync::online::{Found, OnlineStore, Reading, RemoteItem};
use crate::sync::state::{LineFilter, Look, Which};
use crate::sync::{keep, origin};
use crate::term::Shell;

use super::kept::unwritten;
use super::synced::{Synced, unknown_sku};
use super::{Global, exit};

/// How long the store may take to answer `--online`.
const DEADLINE: Duration = Duration::from_secs(60);
/// Lines of the ledger that are shown of a place.
const LINES: usize = 5;

/// `stock`.
#[derive(Debug, Args)]
pub struct Stock {
    /// The SKU
    #[arg(long, value_name = "SKU")]
    sku: String,
    /// Syncs to look at; by default all
    #[arg(long = "sync", value_name = "NAME")]
    syncs: Vec<String>,
    /// Ask the store what it says now
    #[arg(long)]
    online: bool,
}

/// What is looked up of a SKU.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Depth {
    /// The store is asked.
    pub(super) online: bool,
    /// The source is read again, for files and rows.
    pub(super) origins: bool,
    /// So many lines of the ledger.
    pub(super) lines: usize,
}

impl Stock {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// An unknown sync or SKU; a state that refuses.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let depth = Depth {
            online: self.online,
            origins: false,
            lines: LINES,
        };
        show(global, shell, &self.sku, &self.syncs, depth)
    }
}

/// Shows a SKU at the stores of some syncs.
pub(super) fn show(
    global: &Global,
    shell: &Shell,
    sku: &str,
    syncs: &[String],
    depth: Depth,
) -> Result<u8, Failure> {
    let synced = Synced::open(global)?;
    let mut views = Vec::new();
    let mut known = Vec::new();
    let mut never = Vec::new();
    for sync in synced.chosen(syncs)? {
        let Some(state) = synced.look(&sync.to)? else {
            never.push(sync.name.clone());
            continue;
        };
        let looked = look(&synced, sync, &state, sku, depth)?;
        match looked {
            Some(view) => views.push(view),
            None => state.skus(&reading(&sync.name, &sync.from), &mut |sku| {
                known.push(sku.to_owned())
            })?,
        }
    }
    if views.is_empty() {
        if known.is_empty()
            && let Some(first) = never.first()
        {
            return Err(Failure::configuration(
                "shelfcast.toml",
                format!("sync `{first}` has never run: nothing is known of any SKU"),
                format!(
                    "`shelfcast sync {first} --dry-run` reads the source and shows what would be sent"
                ),
            ));
        }
        return Err(unknown_sku(
            sku,
            &known,
            "no source gives, and no store keeps, the SKU",
        ));
    }
    shell
        .data(|out| {
            if shell.json {
                for line in views.iter().flat_map(level::lines) {
                    writeln!(out, "{line}")?;
                }
                return writeln!(out, "{}", json::done(exit::DONE));
            }
            for (index, view) in views.iter().enumerate() {
                if index > 0 {
                    writeln!(out)?;
                }
                level::write(shell, view, &synced.zone(), out)?;
            }
            Ok(())
        })
        .map(|()| exit::DONE)
        .map_err(unwritten)
}

/// A SKU as one sync keeps it; `None` where neither its source nor its state knows it.
fn look(
    synced: &Synced,
    sync: &Sync,
    state: &dyn Look,
    sku: &str,
    depth: Depth,
) -> Result<Option<SkuView>, Failure> {
    let observations = state.observations(&reading(&sync.name, &sync.from), sku)?;
    let mut levels: BTreeMap<String, Level> = BTreeMap::new();
    state.levels(Which::Sku(sku), &mut |level| {
        if level.sync == sync.name {
            levels.insert(level.pair.place.clone(), level);
        }
        ControlFlow::Continue(())
    })?;
    if observations.is_empty() && levels.is_empty() {
        return Ok(None);
    }
    let store = synced.store(sync);
    let largest = crate::sync::check::maximum(&synced.project, store);
    let rule = Rule::of(
        &synced.project,
        sync,
        largest,
        keep::units(&synced.project, sync)?,
    )?;
    let orders: BTreeMap<String, i64> = state
        .note(&format!("orders:{}", sync.name))?
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let terms = rule.targets(sku, &observations, orders.get(sku).copied().unwrap_or(0));
    let batches = state.batches()?;
    let mut places = rule.places();
    for place in levels.keys() {
        if !places.contains(place) {
            places.push(place.clone());
        }
    }
    let online = match depth.online {
        true => ask(synced, sync, sku, &places)?,
        false => BTreeMap::new(),
    };
    let places = places
        .into_iter()
        .map(|place| {
            let level = levels.get(&place).cloned();
            Ok(PlaceView {
                terms: terms.iter().find(|terms| terms.place == place).cloned(),
                batch: level.as_ref().and_then(|level| batch(&batches, level)),
                online: online.get(&place).cloned(),
                lines: lines(state, &sync.name, sku, &place, depth.lines)?,
                level,
                place,
            })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let origins = match depth.origins {
        true => origins(synced, sync, sku, &observations),
        false => Vec::new(),
    };
    Ok(Some(SkuView {
        sku: sku.to_owned(),
        rule,
        store: store.name.clone(),
        observations,
        origins,
        places,
    }))
}

fn batch(batches: &[Batch], level: &Level) -> Option<Batch> {
    let id = level.flight?;
    batches.iter().find(|batch| batch.id == id).cloned()
}

/// The last lines of the ledger about a pair, oldest first.
fn lines(
    state: &dyn Look,
    sync: &str,
    sku: &str,
    place: &str,
    most: usize,
) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    let filter = LineFilter {
        sync: Some(sync),
        sku: Some(sku),
        ..LineFilter::default()
    };
    state.ledger(&filter, &mut |line| {
        if line.pair.place == place {
            lines.push(line);
        }
        ControlFlow::Continue(())
    })?;
    let skipped = lines.len().saturating_sub(most);
    Ok(lines.split_off(skipped))
}

/// What the store says now, by place.
fn ask(
    synced: &Synced,
    sync: &Sync,
    sku: &str,
    places: &[String],
) -> Result<BTreeMap<String, String>, Failure> {
    let store = synced.store(sync);
    let mut connector = Connector::open(&synced.project, store, "look", Some(DEADLINE), None)?;
    let all = |text: &str| {
        let said = places.iter().map(|place| (place.clone(), text.to_owned()));
        said.collect::<BTreeMap<_, _>>()
    };
    let found = match connector.resolve(&[sku.to_owned()]) {
        Ok(mut found) => found.remove(sku),
        Err(error) => return Ok(all(&format!("it cannot be asked: {error}"))),
    };
    let remote = match found {
        Some(Found::Remote(remote)) => remote,
        Some(Found::Ambiguous) => return Ok(all("it knows the SKU more than once")),
        Some(Found::Stranger) | None => return Ok(all("it does not know the SKU")),
    };
    let items: Vec<RemoteItem> = places
        .iter()
        .map(|place| RemoteItem {
            pair: Pair::new(place.as_str(), sku),
            remote: remote.clone(),
        })
        .collect();
    let readings = match connector.read(&items) {
        Ok(readings) => readings,
        Err(error) => return Ok(all(&format!("it cannot be asked: {error}"))),
    };
    Ok(places
        .iter()
        .cloned()
        .zip(readings.into_iter().map(|reading| match reading {
            Reading::Level(units) => units.to_string(),
            Reading::NotStocked => "it does not stock the SKU there".to_owned(),
            Reading::Unknown(why) => format!("it cannot be read: {why}"),
        }))
        .collect())
}

/// Where the observations stand in the source now, as far as it can be read again.
fn origins(synced: &Synced, sync: &Sync, sku: &str, observations: &[Observation]) -> Vec<String> {
    let found = origin::rows(&synced.project, &sync.from, sku);
    observations
        .iter()
        .map(|row| {
            let of = |place: &&origin::Row| place.location == row.location;
            found
                .iter()
                .find(of)
                .map_or_else(String::new, ToString::to_string)
        })
        .collect()
}
