//! Twelve built-in items for a channel without a catalog: hostile text, Thai, prices in VND, no image, a sale.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::channel;
use crate::channel::manifest::Manifest;
use crate::config::Project;
use crate::config::toml_file;

use super::Failure;
use super::build::{Options, build};
use super::observer::Silent;

const CATALOG: &str = include_str!("sample/catalog.csv");
const STOCK: &str = include_str!("sample/stock.csv");
const PROJECT: &str = include_str!("sample/shelfcast.toml");

/// The channel's whole document of the built-in items. Channels of the project are known.
///
/// # Errors
/// An unknown channel; a manifest or template that is wrong.
pub fn render(project: &Path, name: &str) -> Result<Vec<u8>, Failure> {
    let channel = channel::load(Some(project), name)?;
    let disk =
        |error: std::io::Error| Failure::Disk(format!("cannot write a temporary file: {error}"));
    let folder = tempfile::tempdir().map_err(disk)?;
    let mut sample: Project = toml_file::parse("the built-in project", PROJECT)?;
    sample.folder = folder.path().to_owned();
    for (file, text) in [("catalog.csv", CATALOG), ("stock.csv", STOCK)] {
        crate::write::atomic::write(&folder.path().join(file), text.as_bytes()).map_err(disk)?;
    }
    for sub in ["channels", "templates", "mappings"] {
        copy(&project.join(sub), &folder.path().join(sub)).map_err(disk)?;
    }
    let mut settings = indexmap::IndexMap::new();
    for (setting, about) in &channel.manifest.settings {
        // A mapping table belongs to a project; the sample has none.
        let is_table = setting.ends_with("_table");
        if let Some(example) = about
            .example
            .clone()
            .filter(|_| about.required && !is_table)
        {
            settings.insert(setting.clone(), example);
        }
        if about.required && is_table {
            let path = format!("mappings/sample-{setting}.csv");
            crate::write::atomic::write(&folder.path().join(&path), &table()).map_err(disk)?;
            settings.insert(setting.clone(), path.into());
        }
    }
    name_locations(&mut sample, &channel.manifest);
    if let Some(feed) = sample.feed.first_mut() {
        feed.channel = name.to_owned();
        feed.settings = settings;
    }
    let now = "2026-11-22T10:00:00Z".parse().expect("a moment");
    let options = Options {
        feeds: Vec::new(),
        now,
        threads: 1,
        folder: Some(folder.path().join("out")),
        digests: false,
        fill: false,
        log: false,
    };
    let mut report = build(&sample, &options, &mut Silent)?;
    if report.feeds.iter().any(|feed| feed.held.is_some()) {
        // Some channels want a setting where the catalog has no column, and the sample has few: then all examples are given.
        for feed in &mut sample.feed {
            for (setting, about) in &channel.manifest.settings {
                let example = about.example.clone();
                let example = example.filter(|_| !setting.ends_with("_table"));
                if let Some(example) = example {
                    feed.settings.entry(setting.clone()).or_insert(example);
                }
            }
        }
        report = build(&sample, &options, &mut Silent)?;
    }
    let mut bytes = Vec::new();
    for feed in &report.feeds {
        if let Some(held) = &feed.held {
            return Err(Failure::configuration(
                &channel.manifest_path,
                format!("the channel takes none of the built-in items: {held}"),
                "`shelfcast channel lint` says why",
            ));
        }
        for file in &feed.files {
            for path in documents(&folder.path().join(&file.path)).map_err(disk)? {
                bytes.extend(std::fs::read(path).map_err(disk)?);
            }
        }
    }
    Ok(bytes)
}

/// A file alone; the documents of a folder in the order of their names.
fn documents(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// A mapping table for whatever stands in the built-in catalog: a project's own belongs to its channel's account.
fn table() -> Vec<u8> {
    let mut rows = csv::Writer::from_writer(Vec::new());
    let mut known = HashSet::new();
    let mut reader = csv::Reader::from_reader(CATALOG.as_bytes());
    for record in reader.records().flatten() {
        for text in record.iter().flat_map(|cell| cell.split('|').chain([cell])) {
            let key: String = text.to_lowercase().split_whitespace().collect();
            if !key.is_empty() && known.insert(key) {
                // Digits are a number and a text.
                let number = (1000 + known.len()).to_string();
                rows.write_record([text.trim(), &number])
                    .expect("a vector takes all");
            }
        }
    }
    rows.into_inner().expect("a vector takes all")
}

/// Gives the built-in locations the keys that the channel names columns by.
fn name_locations(sample: &mut Project, manifest: &Manifest) {
    for name in manifest.attributes.keys() {
        let pieces = name.split("{{").skip(1);
        for key in pieces.filter_map(|piece| {
            let expression = piece.split("}}").next()?;
            expression.trim().strip_prefix("location.")
        }) {
            for location in &mut sample.location {
                let code = location.get("code").cloned().unwrap_or_default();
                location.entry(key.to_owned()).or_insert(code);
            }
        }
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let Ok(entries) = std::fs::read_dir(from) else {
        return Ok(());
    };
    std::fs::create_dir_all(to)?;
    for entry in entries.flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
