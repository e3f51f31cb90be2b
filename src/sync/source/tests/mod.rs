#![expect(
    clippy::disallowed_methods,
    reason = "tests write what they like, and are told where real data lies"
)]

mod cells;
mod cursors;
mod databases;
mod files;
mod folders;
mod model;
mod real;
mod sold;
mod watching;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::config::project::Source;
use crate::config::toml_file;
use crate::store::pace::{Clock, Pause};
use crate::sync::level::Mark;

const SHOP: &str = "[shop]\nname = \"Example\"\nurl = \"https://shop.example\"\ncurrency = \"EUR\"\nlanguage = \"en\"\ncountry = \"DE\"\ntimezone = \"Europe/Berlin\"\n";

/// A clock that stands still unless it is waited for.
#[derive(Debug)]
pub(super) struct StillClock(Mutex<Timestamp>);

impl StillClock {
    pub(super) fn at(text: &str) -> Arc<Self> {
        Arc::new(StillClock(Mutex::new(text.parse().expect("a time"))))
    }

    /// A clock that stands at the machine's time and so much.
    pub(super) fn ahead(seconds: i64) -> Arc<Self> {
        let now = crate::clock::now();
        let now = now
            .checked_add(jiff::SignedDuration::from_secs(seconds))
            .expect("a time");
        Arc::new(StillClock(Mutex::new(now)))
    }

    pub(super) fn advance(&self, length: Duration) {
        let mut now = self.0.lock().expect("not poisoned");
        *now = now.checked_add(length).expect("a time");
    }
}

impl Clock for StillClock {
    fn now(&self) -> Duration {
        let now = *self.0.lock().expect("not poisoned");
        Duration::from_nanos(u64::try_from(now.as_nanosecond()).expect("after 1970"))
    }

    fn wall(&self) -> Timestamp {
        *self.0.lock().expect("not poisoned")
    }

    fn sleep(&self, length: Duration) -> Pause {
        self.advance(length);
        Box::pin(std::future::ready(()))
    }
}

/// A project of a folder with these sources.
pub(super) fn project(folder: &Path, sources: &str) -> Project {
    let mut project: Project =
        toml_file::parse("shelfcast.toml", &format!("{SHOP}{sources}")).expect("a project");
    project.folder = folder.to_owned();
    project
}

/// A stock source that reads `path`, with further keys.
pub(super) fn stock(path: &str, keys: &str) -> String {
    format!(
        "[[source]]\nname = \"stock\"\nrole = \"stock\"\nbasis = \"on_hand\"\npath = \"{path}\"\n{keys}\n"
    )
}

pub(super) fn source(project: &Project) -> &Source {
    project.source.first().expect("a source")
}

/// The project's first source, opened an hour after whatever its files were written.
pub(super) fn opened(project: &Project) -> Box<dyn StockSource> {
    opened_at(project, StillClock::ahead(3600))
}

pub(super) fn opened_at(project: &Project, clock: Arc<StillClock>) -> Box<dyn StockSource> {
    let opening = Opening {
        safety_stock: None,
        waits: false,
        clock,
    };
    open(project, source(project), opening).expect("opens")
}

/// What a reading told.
pub(super) fn heard(
    source: &mut dyn StockSource,
    position: Option<&Position>,
) -> (Vec<Observation>, Result<Read, SourceFailure>) {
    let mut told = Vec::new();
    let read = source.read(position, &mut |observation| {
        told.push(observation.clone());
        Ok(())
    });
    (told, read)
}

/// What a reading told that must end well.
pub(super) fn well(
    source: &mut dyn StockSource,
    position: Option<&Position>,
) -> (Vec<Observation>, Read) {
    let (told, read) = heard(source, position);
    (
        told,
        read.unwrap_or_else(|failure| panic!("{failure}: {}", failure.hint())),
    )
}

/// What a reading says that must fail.
pub(super) fn fails(source: &mut dyn StockSource, position: Option<&Position>) -> SourceFailure {
    heard(source, position).1.expect_err("fails")
}

/// SKU and quantity of each.
pub(super) fn counts(told: &[Observation]) -> Vec<(&str, Option<i64>)> {
    told.iter()
        .map(|observation| (observation.sku.as_str(), observation.quantity))
        .collect()
}
