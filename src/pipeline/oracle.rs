//! The oracle: whole documents rendered by the `handlebars` crate itself, from the data the compiled program computed.
//!
//! In: a project. Out: for each feed with a template, the text its file must have. Nothing of the lowered program takes
//! part in the rendering; parts and encodings do not either.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use bumpalo::Bump;
use serde_json::{Map, Value as Json, json};

use crate::catalog::Batch;
use crate::catalog::products::{Gathering, Interrupted, ProductReader};
use crate::config::Project;
use crate::helper::crate_adapter::OwnedContext;
use crate::program::fallback::registry;
use crate::program::feed::FeedOutput;
use crate::program::lower::parse;

use super::program::{self, Program, Wanted};
use super::run::{Work, process};
use super::{Failure, exclude, observer::Silent};

/// What the crate makes of one feed.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The feed.
    pub feed: String,
    /// Its channel.
    pub channel: String,
    /// How many items it has.
    pub items: usize,
    /// The document, or why the crate refuses it; of a feed with a document an item all of them, one after another.
    pub document: Result<String, String>,
    /// The names of the items' own files, in their order, where they have such.
    pub names: Vec<String>,
}

/// An item as templates see it, and where it goes.
struct Placed {
    item: Json,
    key: Vec<u8>,
    group: u64,
    name: String,
}

/// Renders every feed that has a template by the crate.
///
/// # Errors
/// What makes a build impossible.
pub fn render(project: &Project, now: jiff::Timestamp) -> Result<Vec<Rendered>, Failure> {
    let (program, master) = program::compile(
        project,
        &Wanted {
            feeds: &[],
            now,
            every_cell: false,
            log: false,
        },
        &mut Silent,
    )?;
    let excluded = exclude::load(project, now)?;
    let keys = |batch: &Batch| program.row_keys(batch);
    // Rows of a product may stand apart: gathered whole they need no second attempt.
    let gathering = if program.keys.0.is_some() {
        Gathering::Whole
    } else {
        program.gathering
    };
    let mut reader = ProductReader::new(master, &keys, gathering);
    let mut items: Vec<Vec<Placed>> = program.feeds.iter().map(|_| Vec::new()).collect();
    let mut ids: Vec<HashSet<u128>> = vec![HashSet::new(); program.feeds.len()];
    while let Some(input) = reader.next().map_err(interrupted)? {
        let mut work = Work {
            input,
            ..Work::default()
        };
        work.feeds.resize_with(program.feeds.len(), || FeedOutput {
            described: Some(Vec::new()),
            ..FeedOutput::default()
        });
        process(&program, &excluded, &Bump::new(), &mut work);
        for (number, output) in work.feeds.into_iter().enumerate() {
            let unique = program.feeds[number]
                .attributes
                .iter()
                .any(|attribute| attribute.unique);
            let (mut name, mut key) = (0, 0);
            for (item, described) in output
                .items
                .iter()
                .zip(output.described.unwrap_or_default())
            {
                let placed = Placed {
                    item: described,
                    key: output
                        .keys
                        .get(key..item.key_end)
                        .unwrap_or_default()
                        .to_vec(),
                    group: item.group,
                    name: output
                        .names
                        .get(name..item.name_end)
                        .unwrap_or("")
                        .to_owned(),
                };
                (name, key) = (item.name_end, item.key_end);
                let is_new = !unique || ids[number].insert(item.unique);
                let own = |other: &Placed| {
                    placed.name.is_empty() || !other.name.eq_ignore_ascii_case(&placed.name)
                };
                if is_new && items[number].iter().all(own) {
                    items[number].push(placed);
                }
            }
        }
    }
    let feeds = items
        .into_iter()
        .enumerate()
        .filter(|(number, _)| program.channels[*number].template.is_some());
    Ok(feeds
        .map(|(number, items)| whole(project, &program, number, items, now))
        .collect())
}

fn interrupted(interrupted: Interrupted) -> Failure {
    match interrupted {
        Interrupted::Source(error) => Failure::Source(error),
        Interrupted::Scattered => Failure::Disk("products stand apart".to_owned()),
    }
}

fn whole(
    project: &Project,
    program: &Program,
    number: usize,
    mut items: Vec<Placed>,
    now: jiff::Timestamp,
) -> Rendered {
    let feed = &program.feeds[number];
    let around = surroundings(project, program, number, items.len(), now);
    let count = items.len();
    items.sort_by(|one, other| one.key.cmp(&other.key));
    let groups: Vec<u64> = items.iter().map(|placed| placed.group).collect();
    let names: Vec<String> = items.iter().map(|placed| placed.name.clone()).collect();
    let apart = feed.file.is_some();
    let items: Vec<Json> = items
        .into_iter()
        .enumerate()
        .map(|(index, Placed { mut item, group, .. })| {
            let other = |at: Option<usize>| {
                apart || at.and_then(|at| groups.get(at)).is_none_or(|other| *other != group)
            };
            if !feed.order.is_empty()
                && let Json::Object(item) = &mut item
            {
                let place = json!({ "first": other(index.checked_sub(1)), "last": other(Some(index + 1)) });
                item.insert("group".to_owned(), place);
            }
            surround(&mut item, &around);
            for variant in item
                .get_mut("variants")
                .and_then(Json::as_array_mut)
                .into_iter()
                .flatten()
            {
                surround(variant, &around);
            }
            item
        })
        .collect();
    let render = |items: &[Json], part: usize| {
        let mut context = around.clone();
        context.insert("items".to_owned(), items.into());
        if apart && let Some(Json::Object(feed)) = context.get_mut("feed") {
            feed.insert("part".to_owned(), part.into());
            feed.insert("items".to_owned(), 1.into());
        }
        document(program, number, &Json::Object(context))
    };
    Rendered {
        feed: feed.name.clone(),
        channel: feed.channel.clone(),
        items: count,
        document: if apart {
            let documents = items.chunks(1).enumerate();
            documents
                .map(|(index, item)| render(item, index + 1))
                .collect()
        } else {
            render(&items, 1)
        },
        names: if apart { names } else { Vec::new() },
    }
}

fn document(program: &Program, number: usize, context: &Json) -> Result<String, String> {
    let (feed, channel) = (&program.feeds[number], &program.channels[number]);
    let (path, text) = channel.template.as_ref().ok_or("no template")?;
    let template =
        parse(text).map_err(|problem| format!("{path}:{}: {}", problem.line, problem.message))?;
    let (timezone, weight_unit, length_unit) = program.shop.clone();
    let owned = OwnedContext {
        currency: feed.view.currency.clone(),
        language: feed.view.language.clone(),
        timezone,
        weight_unit,
        length_unit,
        tables: Arc::clone(&program.mappings),
        unmatched: Mutex::default(),
    };
    let mut registry = registry(feed.escape, Arc::new(owned), template);
    for (name, source) in &channel.partials {
        registry
            .register_partial(name, source)
            .map_err(|error| error.to_string())?;
    }
    registry
        .render("template", context)
        .map_err(|error| error.to_string())
}

/// The reserved names beside an item's own.
fn surround(item: &mut Json, around: &Map<String, Json>) {
    if let Json::Object(item) = item {
        for (name, value) in around {
            item.insert(name.clone(), value.clone());
        }
    }
}

fn surroundings(
    project: &Project,
    program: &Program,
    number: usize,
    items: usize,
    now: jiff::Timestamp,
) -> Map<String, Json> {
    let (feed, configured, channel) = (
        &program.feeds[number],
        &program.configured[number],
        &program.channels[number],
    );
    let shop = &project.shop;
    let text = |text: &str| {
        if text.is_empty() {
            Json::Null
        } else {
            Json::from(text)
        }
    };
    let zone = jiff::tz::TimeZone::get(&shop.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    let now = now.to_zoned(zone);
    let settings: Map<String, Json> = channel
        .manifest
        .settings
        .iter()
        .map(|(name, setting)| {
            (
                name.clone(),
                setting_value(configured.settings.get(name).or(setting.default.as_ref())),
            )
        })
        .collect();
    let all = json!({
        "shop": {
            "name": text(&shop.name),
            "url": text(shop.url.trim_end_matches('/')),
            "currency": text(&shop.currency),
            "language": text(&shop.language),
            "country": text(&shop.country),
            "timezone": text(&shop.timezone),
        },
        "feed": {
            "name": feed.name,
            "channel": feed.channel,
            "language": text(&feed.view.language),
            "currency": text(&feed.view.currency),
            "part": 1,
            "items": items,
        },
        "run": {
            "now": now.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            "date": now.strftime("%Y-%m-%d").to_string(),
        },
        "settings": settings,
    });
    match all {
        Json::Object(all) => all,
        _ => Map::new(),
    }
}

fn setting_value(value: Option<&toml::Value>) -> Json {
    match value {
        None => Json::Null,
        Some(toml::Value::String(text)) if text.is_empty() => Json::Null,
        Some(toml::Value::String(text)) => Json::from(text.as_str()),
        Some(toml::Value::Boolean(yes)) => Json::from(*yes),
        Some(toml::Value::Array(list)) => list
            .iter()
            .map(|value| setting_value(Some(value)))
            .collect(),
        Some(other) => Json::from(other.to_string()),
    }
}
