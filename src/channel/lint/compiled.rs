//! The compiler's own verdict on a channel: compiled against a catalog that has every column of the vocabulary, for a
//! feed that gives every setting. What it refuses is wrong whatever the catalog.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use bumpalo::Bump;

use crate::catalog::Batch;
use crate::catalog::columns::{COLUMNS, DERIVED};
use crate::channel::Channel;
use crate::channel::manifest::{Attribute, Records, Setting};
use crate::config::project::{Feed, Shop, Source};
use crate::config::{ConfigError, Project};
use crate::helper::HelperContext;
use crate::program::attribute::AttributeProgram;
use crate::program::columns::{Columns, Schema, View};
use crate::program::compile::{self, Surroundings};
use crate::program::evaluate::Evaluator;
use crate::program::graph::{Graph, Node};
use crate::program::lower::parse;
use crate::program::{Location, Tables};
use crate::validate::finding::Severity;

use super::Problem;
use super::place::Places;

const MADE_UP: &str = "the catalog";

/// Compiles the channel and tells what is wrong.
pub(super) fn check(
    project: Option<&Path>,
    channel: &Channel,
    places: &Places<'_>,
    problems: &mut Vec<Problem>,
) {
    let shop: Shop = from_toml(
        "name = 'Shop'\nurl = 'https://shop.example'\ncurrency = 'EUR'\nlanguage = 'en'\ncountry = 'DE'",
    );
    let schemas = schemas(project, channel);
    let locations = vec![location(channel)];
    let mut feed: Feed = from_toml("name = 'lint'\nchannel = 'lint'");
    feed.settings = channel
        .manifest
        .settings
        .iter()
        .map(|(name, setting)| (name.clone(), given(setting)))
        .collect();
    let mut fallbacks = Vec::new();
    let mut columns = Columns {
        schemas: &schemas,
        shop: &shop,
        fallbacks: &mut fallbacks,
        problems: Vec::new(),
        translated: BTreeMap::new(),
        keep: Vec::new(),
    };
    let mut graph = Graph::default();
    let view = View {
        language: shop.language.clone(),
        currency: shop.currency.clone(),
        stock_rows: channel.manifest.records == Records::Stock,
        prices: channel.manifest.prices,
        ..View::default()
    };
    let around = Surroundings {
        shop: &shop,
        locations: &locations,
        now: "2026-11-22T10:00:00+00:00",
        project_path: MADE_UP,
    };
    let mut slots = 0;
    match compile::feed(
        &mut graph,
        &mut columns,
        &feed,
        channel,
        view,
        &mut slots,
        &around,
    ) {
        Ok(program) => {
            for attribute in &program.attributes {
                withheld(&graph, attribute, channel, places, problems);
            }
        }
        Err(errors) => problems.extend(
            errors
                .into_iter()
                .map(|error| placed(error, channel, places)),
        ),
    }
    index(channel, problems);
}

fn from_toml<T: serde::de::DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).expect("what lint makes up is a valid configuration")
}

/// The columns a catalog can have: ours, those that follow from them, and the project's own mapped ones.
pub(super) fn columns(project: Option<&Path>, channel: &Channel) -> Vec<String> {
    let mut names = master(project, channel);
    names.extend(DERIVED.iter().map(|(name, _, _)| (*name).to_owned()));
    names
}

/// The columns of a master that has them all.
fn master(project: Option<&Path>, channel: &Channel) -> Vec<String> {
    let mut names: Vec<String> = COLUMNS
        .iter()
        .map(|column| column.name.to_owned())
        .collect();
    if let Some(project) = project.and_then(|project| Project::load(project).ok()) {
        for source in project.source {
            names.extend(source.fields.into_keys());
            names.extend(source.names.unwrap_or_default());
        }
    }
    // Columns in a language or currency, as they are written: `[title.pl]`.
    for piece in channel
        .manifest_text
        .split('[')
        .skip(1)
        .filter_map(|piece| piece.split(']').next())
    {
        if piece
            .split_once('.')
            .is_some_and(|(base, _)| COLUMNS.iter().any(|column| column.name == base))
        {
            names.push(piece.to_owned());
        }
    }
    names
}

/// A master with every column, and a stock source beside it.
fn schemas(project: Option<&Path>, channel: &Channel) -> Vec<Schema> {
    let names = master(project, channel);
    let master: Source = from_toml("name = 'catalog'\npath = 'catalog.csv'");
    let stock: Source =
        from_toml("name = 'stock'\npath = 'stock.csv'\nrole = 'stock'\nbasis = 'on_hand'");
    let stock_columns = [
        "sku",
        "location",
        "on_hand",
        "committed",
        "available",
        "salable",
        "incoming",
        "safety_stock",
        "updated_at",
    ];
    vec![
        Schema {
            source: master,
            preset: None,
            columns: names,
            table: None,
        },
        Schema {
            source: stock,
            preset: None,
            columns: stock_columns.map(str::to_owned).to_vec(),
            table: Some(0),
        },
    ]
}

/// A location with every key that the manifest's attributes are named by.
fn location(channel: &Channel) -> Location {
    let mut keys = vec![
        ("name".to_owned(), "Shop".to_owned()),
        ("store_code".to_owned(), "S1".to_owned()),
    ];
    for name in channel.manifest.attributes.keys() {
        for piece in name
            .split("{{")
            .skip(1)
            .filter_map(|piece| piece.split("}}").next())
        {
            if let Some(key) = piece.trim().strip_prefix("location.") {
                keys.push((key.to_owned(), key.to_owned()));
            }
        }
    }
    Location {
        code: "shop".to_owned(),
        keys,
    }
}

/// A value for a setting: nothing may be missed for want of it.
fn given(setting: &Setting) -> toml::Value {
    if let Some(value) = setting.example.as_ref().or(setting.default.as_ref()) {
        return value.clone();
    }
    if let Some(word) = setting.one_of.as_ref().and_then(|words| words.first()) {
        return word.as_str().into();
    }
    match setting.kind.as_deref() {
        Some("integer") => 1.into(),
        Some("boolean") => true.into(),
        Some("list") => toml::Value::Array(vec!["one".into()]),
        _ => "given".into(),
    }
}

/// A compiler's error at its place in the file.
fn placed(error: ConfigError, channel: &Channel, places: &Places<'_>) -> Problem {
    let column_in = |text: &str| -> Option<(usize, String)> {
        let (number, rest) = text.strip_prefix("column ")?.split_once(": ")?;
        Some((number.parse().ok()?, rest.to_owned()))
    };
    let (mut line, mut column) = (error.line.unwrap_or(0), 0);
    let mut message = error
        .message
        .strip_prefix("feed `lint`: ")
        .unwrap_or(&error.message)
        .to_owned();
    let mut path = if error.path == MADE_UP {
        channel.manifest_path.clone()
    } else {
        error.path
    };
    if let Some((at, rest)) = column_in(&message) {
        (column, message) = (at, rest);
        // The place that counts is the one in the partial.
        while let Some((partial, at, rest)) = in_partial(&message) {
            path = format!("templates/partials/{partial}.hbs");
            ((line, column), message) = (at, rest);
        }
    } else if let Some((attribute, rest)) =
        attribute_of(&message).filter(|_| path == channel.manifest_path)
    {
        // A mapping's errors count columns inside the mapping.
        if let Some((at, rest)) = rest.strip_prefix(", ").and_then(column_in) {
            (line, column) = places.inside(&["attributes", attribute, "value"], 1, at);
            message = format!("attribute `{attribute}`: {rest}");
        } else {
            let key = if rest.contains("`required_if`") {
                "required_if"
            } else if rest.contains("column") {
                "list"
            } else {
                "value"
            };
            (line, column) = places.value(&["attributes", attribute, key]);
        }
    }
    let rule = match message.as_str() {
        text if text.contains("there is no helper") || text.contains("block helper") => {
            "unknown-helper"
        }
        text if text.contains("has no option") || text.contains("arguments,") => "helper-arguments",
        text if text.contains("there is no attribute")
            || text.contains("has no column")
            || text.contains("is not known")
            || text.contains("there is no `") =>
        {
            "impossible-name"
        }
        text if text.contains("knows no setting") => "impossible-name",
        _ if path == channel.manifest_path => "manifest",
        _ => "template",
    };
    Problem {
        rule,
        severity: Severity::Error,
        path,
        line,
        column,
        message,
        hint: error.hint,
    }
}

/// ``in partial `x`, line 1, column 2: …`` in its parts.
fn in_partial(message: &str) -> Option<(String, (usize, usize), String)> {
    let (partial, rest) = message
        .strip_prefix("in partial `")?
        .split_once("`, line ")?;
    let (line, rest) = rest.split_once(", column ")?;
    let (column, rest) = rest.split_once(": ")?;
    Some((
        partial.to_owned(),
        (line.parse().ok()?, column.parse().ok()?),
        rest.to_owned(),
    ))
}

/// ``attribute `x`, …`` in its two parts.
fn attribute_of(message: &str) -> Option<(&str, &str)> {
    message
        .strip_prefix("attribute `")
        .or_else(|| message.strip_prefix("the list of attribute `"))?
        .split_once('`')
}

/// Attributes whose rules no item can keep: required and never there, or always the same wrong value.
fn withheld(
    graph: &Graph,
    attribute: &AttributeProgram,
    channel: &Channel,
    places: &Places<'_>,
    problems: &mut Vec<Problem>,
) {
    let Some((name, declared)) = channel.manifest.attributes.get_key_value(&attribute.name) else {
        return;
    };
    let mut say = |severity, key, message: String, hint: String| {
        let (line, column) = places.value(&["attributes", name, key]);
        problems.push(Problem {
            rule: "always-withheld",
            severity,
            path: channel.manifest_path.clone(),
            line,
            column,
            message,
            hint,
        });
    };
    let severity = attribute.severity;
    if let Some(list) = &attribute.list {
        if attribute.required && matches!(graph.node(list.list), Node::Absent) {
            let message =
                format!("attribute `{name}` is required, and its list can never have an element");
            say(
                severity,
                "list",
                message,
                "take it from a column that can".to_owned(),
            );
        }
        return;
    }
    let setting =
        setting_of(declared).and_then(|setting| channel.manifest.settings.get_key_value(setting));
    if let Some((setting, _)) = setting
        .filter(|(_, setting)| attribute.required && !setting.required && setting.default.is_none())
    {
        let message = format!(
            "attribute `{name}` is required, and is made of setting `{setting}`, which is not: without it every item is withheld"
        );
        say(
            Severity::Warning,
            "value",
            message,
            format!("write `required = true` under [settings.{setting}]"),
        );
    }
    let of_setting = declared
        .value
        .as_deref()
        .is_some_and(|value| value.contains("settings."));
    match graph.constant(attribute.value) {
        Some(value) if attribute.required && value.is_none_or(|text| text.trim().is_empty()) => {
            let message =
                format!("attribute `{name}` is required, and its value can never be there");
            say(
                severity,
                "value",
                message,
                "map a column, or take `required` out".to_owned(),
            );
        }
        // What a merchant sets is not ours to judge.
        Some(Some(_)) if !of_setting => {
            for (severity, message, hint) in always_wrong(graph, attribute) {
                say(
                    severity,
                    "value",
                    format!("{message}, whatever the item"),
                    hint,
                );
            }
        }
        _ => {}
    }
}

/// What is wrong with an attribute whose value is the same for every item.
fn always_wrong(graph: &Graph, attribute: &AttributeProgram) -> Vec<(Severity, String, String)> {
    let arena = Bump::new();
    let unmatched = RefCell::default();
    let mappings = BTreeMap::new();
    let contexts = [HelperContext {
        arena: &arena,
        currency: "EUR",
        language: "en",
        timezone: "UTC",
        weight_unit: "g",
        length_unit: "cm",
        tables: &mappings,
        unmatched: &unmatched,
    }];
    let (tables, batch) = (Tables::default(), Batch::default());
    let slots = attribute.slot as usize + 1;
    let run = Evaluator::new(graph, &tables, &contexts, &arena, &batch, slots);
    let mut found = Vec::new();
    attribute.compute(&run, &mut found);
    found
        .into_iter()
        .map(|problem| (problem.severity, problem.message, problem.hint))
        .collect()
}

/// The setting that a mapping is, alone.
fn setting_of(attribute: &Attribute) -> Option<&str> {
    attribute
        .value
        .as_deref()?
        .trim()
        .strip_prefix("{{settings.")?
        .strip_suffix("}}")
        .map(str::trim)
}

/// The template of the file that names the parts.
fn index(channel: &Channel, problems: &mut Vec<Problem>) {
    let Some((path, text)) = &channel.index else {
        return;
    };
    if let Err(problem) = parse(text) {
        problems.push(Problem {
            rule: "template",
            severity: Severity::Error,
            path: path.clone(),
            line: problem.line,
            column: problem.column,
            message: problem.message,
            hint: problem.hint,
        });
    }
}
