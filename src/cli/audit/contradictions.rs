//! The same SKU in several published feeds, and where they contradict each other.

use serde_json::json;

use crate::change::audit::{AuditedFeed, audit};
use crate::channel;
use crate::cli::kept::{Kept, unwritten};
use crate::config::project::Prices;
use crate::pipeline::{Failure, kept};
use crate::report::{self, json};
use crate::state::{State, Version};
use crate::term::Shell;
use crate::write::items::{ItemLogError, ItemLogReader};

use super::exit;

/// Compares the published versions of these feeds, or of all.
pub(super) fn run(kept: &Kept, named: &[String], shell: &Shell) -> Result<u8, Failure> {
    let chosen = kept.chosen(named)?;
    let mut feeds: Vec<AuditedFeed> = Vec::new();
    let mut versions: Vec<Version> = Vec::new();
    for feed in &chosen {
        let current = match &kept.state {
            Some(state) => state.current(feed)?,
            None => None,
        };
        let Some(version) = current.filter(|version| version.items_log.is_some()) else {
            if named.contains(feed) {
                return Err(Failure::configuration(
                    feed,
                    format!("feed `{feed}` has never been published"),
                    format!("`shelfcast publish {feed}` does it"),
                ));
            }
            continue;
        };
        feeds.push(AuditedFeed {
            name: feed.clone(),
            prices: prices(kept, &version),
        });
        versions.push(version);
    }
    let found = match &kept.state {
        Some(state) if !versions.is_empty() => compare(state, &feeds, &versions)?,
        _ => {
            if !shell.json {
                shell.say("nothing has been published yet that could be compared");
                return Ok(exit::DONE);
            }
            crate::change::audit::Audit::default()
        }
    };
    let written = shell.data(|out| {
        if !shell.json {
            return report::audit::audit(shell, &found, out);
        }
        for line in report::audit::lines(&found) {
            writeln!(out, "{line}")?;
        }
        let mut summary = json::done(exit::DONE);
        let total: u64 = found.groups.iter().map(|group| group.total).sum();
        summary["disagreements"] = json!(total);
        writeln!(out, "{summary}")
    });
    written.map(|()| exit::DONE).map_err(unwritten)
}

fn compare(
    state: &State,
    feeds: &[AuditedFeed],
    versions: &[Version],
) -> Result<crate::change::audit::Audit, Failure> {
    let gone = || std::io::Error::from(std::io::ErrorKind::NotFound);
    let open = |place: usize| -> Result<ItemLogReader<_>, ItemLogError> {
        let file = versions
            .get(place)
            .and_then(|version| version.items_log.as_ref());
        let file = file.ok_or_else(gone)?;
        let reader = state.open_file(file).map_err(std::io::Error::other)?;
        ItemLogReader::open(reader)
    };
    audit(feeds, open).map_err(|wrong| {
        let version = versions.iter().find(|version| version.feed == wrong.feed);
        match version.and_then(|version| version.items_log.as_ref()) {
            Some(file) => kept::damaged(state, file, &wrong.error),
            None => Failure::Disk(wrong.to_string()),
        }
    })
}

/// Whether a channel's prices contain tax: only those of the same kind are compared.
fn prices(kept: &Kept, version: &Version) -> String {
    let channel = channel::load(Some(&kept.project.folder), &version.channel);
    match channel.ok().and_then(|channel| channel.manifest.prices) {
        Some(Prices::Net) => "net",
        Some(Prices::Gross) | None => "gross",
    }
    .to_owned()
}
