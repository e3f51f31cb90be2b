//! Units that `[[sync.keep]]` keeps back, by SKU: its filters over the catalog, the first that fits. A filter that compares
//! what cannot be compared stops the sync: nothing would be kept back by it.

use std::collections::BTreeMap;
use std::io::BufRead;

use crate::config::project::{Feed, Project};
use crate::config::sync::Sync;
use crate::config::toml_file;
use crate::pipeline::Failure;
use crate::pipeline::build::{Options, build};
use crate::pipeline::observer::Observer;
use crate::validate::finding::Finding;

/// The units, by SKU. Nothing is read where no rule is written.
///
/// # Errors
/// A filter that is wrong, or compares what cannot be compared; a catalog that is not whole.
pub fn units(project: &Project, sync: &Sync) -> Result<BTreeMap<String, i64>, Failure> {
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
        .map_err(|error| Failure::Configuration(vec![error]))?;
        feed.filter = Some(keep.filter.clone());
        feed.max_withheld = Some("100%".to_owned());
        feeds.push(feed);
    }
    // Without its formula: what is kept back goes into it.
    let project = Project {
        feed: feeds,
        sync: Vec::new(),
        ..project.clone()
    };
    let disk = |error: std::io::Error| {
        Failure::Disk(format!(
            "sync `{}`: `keep` cannot be worked out in a temporary folder: {error}",
            sync.name
        ))
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
    let mut wrong = Wrong::default();
    let report = build(&project, &options, &mut wrong).map_err(|failure| named(sync, failure))?;
    if let Some((feed, message, hint)) = wrong.0 {
        let message = format!("feed `{feed}`, `where`: {message}");
        let failure = Failure::configuration("shelfcast.toml", message, hint);
        return Err(named(sync, failure));
    }
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

/// A failure, told of the sync's rules and not of the feeds that are made of them here.
fn named(sync: &Sync, failure: Failure) -> Failure {
    let Failure::Configuration(mut errors) = failure else {
        return failure;
    };
    for error in &mut errors {
        for number in 0..sync.keep.len() {
            let rule = format!("sync `{}`, [[sync.keep]] number {}", sync.name, number + 1);
            error.message = error
                .message
                .replace(&format!("feed `keep-{number}`"), &rule);
        }
    }
    Failure::Configuration(errors)
}

/// The first filter that compares what cannot be compared: its feed, what is wrong, what to do.
#[derive(Default)]
struct Wrong(Option<(String, String, String)>);

impl Observer for Wrong {
    fn finding(&mut self, finding: &Finding) {
        if let (None, "rule-type", Some(feed)) = (&self.0, finding.rule, &finding.feed) {
            self.0 = Some((feed.clone(), finding.message.clone(), finding.hint.clone()));
        }
    }
}
