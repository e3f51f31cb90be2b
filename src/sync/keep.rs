//! Units that `[[sync.keep]]` keeps back, by SKU: its filters over the catalog, the first that fits.

use std::collections::BTreeMap;
use std::io::BufRead;

use crate::config::project::{Feed, Project};
use crate::config::sync::Sync;
use crate::config::{ConfigError, toml_file};
use crate::pipeline::build::{Options, build};
use crate::pipeline::{Failure, Silent};

use super::source::SourceFailure;

/// The units, by SKU. Nothing is read where no rule is written.
///
/// # Errors
/// A filter that is wrong; a catalog that is not whole.
pub fn units(project: &Project, sync: &Sync) -> Result<BTreeMap<String, i64>, SourceFailure> {
    let mut units = BTreeMap::new();
    if sync.keep.is_empty() {
        return Ok(units);
    }
    let mut feeds = Vec::new();
    for (number, keep) in sync.keep.iter().enumerate() {
        let mut feed: Feed = toml_file::parse(
            "shelfcast.toml",
            &format!("name = \"keep-{number}\"\nchannel = \"skus\"\n"),
        )
        .map_err(|error| wrong(&error))?;
        feed.filter = Some(keep.filter.clone());
        feed.max_withheld = Some("100%".to_owned());
        feeds.push(feed);
    }
    let project = Project {
        feed: feeds,
        ..project.clone()
    };
    let disk = |error: std::io::Error| SourceFailure::NotWhole {
        message: format!("sync `{}`: `keep` cannot be worked out: {error}", sync.name),
        hint: "free space for temporary files, then run again".to_owned(),
    };
    let folder = tempfile::tempdir().map_err(disk)?;
    let options = Options {
        feeds: Vec::new(),
        now: crate::clock::now(),
        threads: 1,
        folder: Some(folder.path().to_owned()),
        digests: false,
        fill: false,
        log: false,
    };
    let report = build(&project, &options, &mut Silent).map_err(failed)?;
    // the first rule that fits counts: the later ones are read first
    for (number, keep) in sync.keep.iter().enumerate().rev() {
        let name = format!("keep-{number}");
        let files = report.feeds.iter().filter(|feed| feed.name == name);
        for file in files.flat_map(|feed| &feed.files) {
            let path = folder.path().join(&file.path);
            let text = std::io::BufReader::new(std::fs::File::open(&path).map_err(disk)?);
            for line in text.lines() {
                let line: serde_json::Value =
                    serde_json::from_str(&line.map_err(disk)?).unwrap_or_default();
                if let Some(sku) = line.get("sku").and_then(|sku| sku.as_str()) {
                    units.insert(sku.to_owned(), keep.units);
                }
            }
        }
    }
    Ok(units)
}

fn wrong(error: &ConfigError) -> SourceFailure {
    SourceFailure::Configuration {
        message: error.message.clone(),
        hint: error.hint.clone(),
    }
}

fn failed(failure: Failure) -> SourceFailure {
    let (message, hint) = failure.messages().into_iter().next().unwrap_or_default();
    match failure.exit() {
        2 => SourceFailure::Configuration { message, hint },
        _ => SourceFailure::NotWhole { message, hint },
    }
}
