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
    /// The document, or why the crate refuses it.
    pub document: Result<String, String>,
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
    let mut items: Vec<Vec<Json>> = vec![Vec::new(); program.feeds.len()];
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
            for (item, described) in output
                .items
                .iter()
                .zip(output.described.unwrap_or_default())
            {
                if !unique || ids[number].insert(item.unique) {
                    items[number].push(described);
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
    items: Vec<Json>,
    now: jiff::Timestamp,
) -> Rendered {
    let feed = &program.feeds[number];
    let around = surroundings(project, program, number, items.len(), now);
    let count = items.len();
    let items: Vec<Json> = items
        .into_iter()
        .map(|mut item| {
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
    let mut context = around;
    context.insert("items".to_owned(), items.into());
    Rendered {
        feed: feed.name.clone(),
        channel: feed.channel.clone(),
        items: count,
        document: document(program, number, &Json::Object(context)),
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
