//! How ready a catalog is for a channel: the channel's feed is tried on the project's sources, and nothing is written.
//!
//! In: a project and channels, whether it feeds them or not. Out: the settings that are missing, how full each attribute
//! would be, what would be withheld and why. A missing setting or value is told, never fatal.

use std::collections::BTreeMap;

use crate::channel::manifest::Records;
use crate::channel::{self, Channel};
use crate::config::project::{Feed, Overlooks, Project, Role};
use crate::config::toml_file::{self, ConfigError};
use crate::validate::finding::{Finding, Severity};

use super::build::{FeedReport, Options, build};
use super::{Failure, Observer, program};

/// A channel as the project could feed it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The channel's name, and that of the feed that is tried.
    pub name: String,
    /// The feed that is tried: the project's own for this channel under the channel's name, or one without any settings.
    pub feed: Option<Feed>,
    /// The project's feed it was made of.
    pub like: Option<String>,
    /// Required settings that nobody gave: name, what it is, an example.
    pub settings: Vec<(String, String, String)>,
    /// What else stands in the way: message and hint.
    pub obstacles: Vec<(String, String)>,
}

impl Candidate {
    /// Whether a feed can be built at all.
    pub fn can_be_built(&self) -> bool {
        self.feed.is_some() && self.settings.is_empty() && self.obstacles.is_empty()
    }
}

/// How ready the catalog is for one channel.
#[derive(Clone, Debug)]
pub struct Ready {
    /// What was tried.
    pub candidate: Candidate,
    /// Records in the channel's kind of record, less those the feed's filter leaves out.
    pub records: u64,
    /// How many of them were looked at: the others cannot be read, or stand a second time.
    pub tried: u64,
    /// How many of them would be written as they are; `None` where a missing setting hides it.
    pub able: Option<u64>,
    /// Its attributes in order.
    pub attributes: Vec<Attribute>,
}

/// How an attribute comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Records that have a value for it.
    pub filled: u64,
    /// How many times a value that is required there was missing.
    pub missing: u64,
    /// How many times a value would withhold its record for another reason.
    pub wrong: u64,
    /// The missing setting that it is made of.
    pub setting: Option<String>,
}

/// What each feed's attributes lack, counted while everything is passed on to another observer.
pub struct Tally<'o> {
    inner: &'o mut dyn Observer,
    /// By feed and attribute: missing, and wrong otherwise.
    pub lacking: BTreeMap<(String, String), (u64, u64)>,
}

impl<'o> Tally<'o> {
    /// Counts what another observer hears.
    pub fn new(inner: &'o mut dyn Observer) -> Self {
        Tally {
            inner,
            lacking: BTreeMap::new(),
        }
    }

    /// What a feed lacks, the most frequent first: attribute, missing, wrong otherwise.
    pub fn of(&self, feed: &str) -> Vec<(&str, u64, u64)> {
        let mut lacking: Vec<_> = self
            .lacking
            .iter()
            .filter(|((name, _), _)| name == feed)
            .map(|((_, attribute), &(missing, wrong))| (attribute.as_str(), missing, wrong))
            .collect();
        lacking.sort_by_key(|(attribute, missing, wrong)| {
            (std::cmp::Reverse(missing + wrong), *attribute)
        });
        lacking
    }
}

impl Observer for Tally<'_> {
    fn finding(&mut self, finding: &Finding) {
        if let (Severity::Error, Some(feed)) = (finding.severity, &finding.feed) {
            let key = (feed.clone(), finding.column.clone());
            let (missing, wrong) = self.lacking.entry(key).or_default();
            if finding.rule == "missing-required" {
                *missing += 1;
            } else {
                *wrong += 1;
            }
        }
        self.inner.finding(finding);
    }

    fn remark(&mut self, remark: &str) {
        self.inner.remark(remark);
    }

    fn restart(&mut self) {
        self.lacking.clear();
        self.inner.restart();
    }

    fn progress(&mut self, records: u64) {
        self.inner.progress(records);
    }
}

/// How ready the project's catalog is for a channel.
///
/// # Errors
/// An unknown channel, a manifest or mapping that is wrong; sources that cannot be used.
pub fn of(
    project: &Project,
    name: &str,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Ready, Failure> {
    let channel = channel::load(Some(&project.folder), name)?;
    let mut candidate = candidate(project, &channel)?;
    let Some(feed) = candidate
        .feed
        .clone()
        .filter(|_| candidate.obstacles.is_empty())
    else {
        return Ok(Ready {
            candidate,
            records: 0,
            tried: 0,
            able: None,
            attributes: Vec::new(),
        });
    };
    let strict = Feed {
        overlooks: Overlooks::Settings,
        ..feed.clone()
    };
    let tried = Feed {
        name: format!("{name}.tried"),
        overlooks: Overlooks::Errors,
        ..feed
    };
    if tries(project) {
        let errors = program::trial(project, std::slice::from_ref(&tried), options.now)?;
        candidate.obstacles = told(errors.into_iter().flatten());
        if !candidate.obstacles.is_empty() {
            return Ok(Ready {
                candidate,
                records: 0,
                tried: 0,
                able: None,
                attributes: Vec::new(),
            });
        }
    }
    let mut trying = project.clone();
    let tried_name = tried.name.clone();
    trying.feed = vec![strict, tried];
    let options = Options {
        feeds: Vec::new(),
        folder: None,
        fill: true,
        ..options.clone()
    };
    let mut tally = Tally::new(observer);
    let report = build(&trying, &options, &mut tally)?;
    let [strict, tried] = report.feeds.as_slice() else {
        return Err(Failure::Disk("a feed was lost".to_owned()));
    };
    let attributes = attributes(&channel, &candidate, tried, &tally, &tried_name);
    // What a missing setting leaves empty says nothing of the records.
    let hidden = attributes.iter().any(|attribute| {
        attribute.setting.is_some()
            && attribute.filled < tried.written
            && channel
                .manifest
                .attributes
                .get(&attribute.name)
                .is_some_and(|known| known.required)
    });
    Ok(Ready {
        records: tried.read - tried.filtered,
        tried: tried.written,
        able: (!hidden).then_some(strict.written),
        attributes,
        candidate,
    })
}

/// All channels as the project could feed them.
///
/// # Errors
/// Sources that cannot be used.
pub fn candidates(project: &Project, now: jiff::Timestamp) -> Result<Vec<Candidate>, Failure> {
    let mut candidates: Vec<Candidate> = channel::names(Some(&project.folder))
        .into_iter()
        .map(|name| {
            let made = channel::load(Some(&project.folder), &name)
                .and_then(|channel| candidate(project, &channel));
            made.unwrap_or_else(|error| Candidate {
                name,
                feed: None,
                like: None,
                settings: Vec::new(),
                obstacles: told([error]),
            })
        })
        .collect();
    if tries(project) {
        let (places, feeds): (Vec<usize>, Vec<Feed>) = candidates
            .iter()
            .enumerate()
            .filter(|(_, candidate)| candidate.can_be_built())
            .filter_map(|(place, candidate)| Some((place, candidate.feed.clone()?)))
            .unzip();
        let tried = program::trial(project, &feeds, now)?;
        for (place, errors) in places.into_iter().zip(tried) {
            candidates[place].obstacles = told(errors);
        }
    }
    Ok(candidates)
}

/// Whether feeds may be compiled on trial: standard input is opened once.
fn tries(project: &Project) -> bool {
    project
        .source
        .iter()
        .all(|source| source.path.as_deref() != Some("-"))
}

fn told(errors: impl IntoIterator<Item = ConfigError>) -> Vec<(String, String)> {
    let mut told: Vec<(String, String)> = errors
        .into_iter()
        .map(|error| (error.message, error.hint))
        .collect();
    told.dedup();
    told
}

fn candidate(project: &Project, channel: &Channel) -> Result<Candidate, ConfigError> {
    let name = channel.manifest.name.clone();
    let mut obstacles = Vec::new();
    let own = project
        .feed
        .iter()
        .filter(|feed| feed.channel == name)
        .min_by_key(|feed| feed.name != name);
    if let Some(other) = project
        .feed
        .iter()
        .find(|feed| feed.name == name && feed.channel != name)
    {
        obstacles.push((
            format!(
                "the project's feed of this name goes to channel `{}`",
                other.channel
            ),
            "give that feed another name".to_owned(),
        ));
    }
    let feed = match own {
        Some(feed) => Feed {
            name: name.clone(),
            ..feed.clone()
        },
        None => toml_file::parse(
            &channel.manifest_path,
            &format!("name = \"{name}\"\nchannel = \"{name}\"\n"),
        )?,
    };
    let stock = project
        .source
        .iter()
        .any(|source| source.role == Some(Role::Stock));
    if channel.manifest.records == Records::Stock && !stock {
        obstacles.push((
            "it takes an item a stock row, and there is no stock source".to_owned(),
            "add a [[source]] with `role = \"stock\"`".to_owned(),
        ));
    }
    let settings = channel
        .manifest
        .settings
        .iter()
        .filter(|(setting, about)| {
            about.required && about.default.is_none() && !feed.settings.contains_key(*setting)
        })
        .map(|(setting, about)| {
            let example = about
                .example
                .as_ref()
                .map_or_else(|| "\"…\"".to_owned(), ToString::to_string);
            (
                setting.clone(),
                about.about.clone().unwrap_or_default(),
                example,
            )
        })
        .collect();
    Ok(Candidate {
        name,
        feed: Some(feed),
        like: own.map(|feed| feed.name.clone()),
        settings,
        obstacles,
    })
}

fn attributes(
    channel: &Channel,
    candidate: &Candidate,
    tried: &FeedReport,
    tally: &Tally<'_>,
    feed: &str,
) -> Vec<Attribute> {
    tried
        .fill
        .iter()
        .map(|filled| {
            let key = (feed.to_owned(), filled.attribute.clone());
            let (missing, wrong) = tally.lacking.get(&key).copied().unwrap_or_default();
            let mapping = candidate
                .feed
                .as_ref()
                .and_then(|feed| feed.fields.get(&filled.attribute))
                .or_else(|| {
                    channel
                        .manifest
                        .attributes
                        .get(&filled.attribute)?
                        .value
                        .as_ref()
                });
            let setting = mapping.and_then(|mapping| {
                candidate
                    .settings
                    .iter()
                    .map(|(setting, ..)| setting)
                    .find(|setting| mapping.contains(&format!("settings.{setting}")))
                    .cloned()
            });
            Attribute {
                name: filled.attribute.clone(),
                filled: filled.items,
                missing,
                wrong,
                setting,
            }
        })
        .collect()
}
