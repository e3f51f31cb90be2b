//! Manifest, mappings, filter and template of one feed, compiled into the graph that all feeds share.

mod attribute;
mod document;
mod files;
mod json;
mod mapping;
mod proof;
mod settings;

pub use document::split;

use std::collections::HashMap;

use crate::channel::Channel;
use crate::channel::manifest::{Format, Manifest, Records};
use crate::config::project::{Feed, Overlooks, Shop};
use crate::config::toml_file::ConfigError;

use super::Location;
use super::attribute::AttributeProgram;
use super::columns::{Columns, View};
use super::condition;
use super::escape::{Escape, Quoting};
use super::feed::{FeedProgram, Steps};
use super::graph::{Graph, NodeId};
use super::names::{AttributeNames, CatalogNames, Constants, Known};
use super::nearest::near;
use settings::settings;

/// What compiling a feed needs beside the feed.
pub struct Surroundings<'s> {
    /// The shop.
    pub shop: &'s Shop,
    /// The places where stock lies.
    pub locations: &'s [Location],
    /// The run's moment in the shop's zone, RFC 3339.
    pub now: &'s str,
    /// How the project's file is named in messages.
    pub project_path: &'s str,
}

/// Separates cells and rows of a feed that becomes a workbook.
pub const WORKBOOK_CELL: u8 = 0x1f;
/// Ends a row of a feed that becomes a workbook.
pub const WORKBOOK_ROW: &str = "\u{1e}";

/// Compiles one feed. `slots` counts the attributes of all feeds.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn feed(
    graph: &mut Graph,
    columns: &mut Columns<'_>,
    feed: &Feed,
    channel: &Channel,
    view: View,
    slots: &mut u32,
    around: &Surroundings<'_>,
) -> Result<FeedProgram, Vec<ConfigError>> {
    let manifest = &channel.manifest;
    let mut errors = Vec::new();
    let settings = settings(feed, channel, around, &mut errors);
    let constants = Constants {
        shop: around.shop,
        feed: &feed.name,
        channel: &manifest.name,
        language: &view.language,
        currency: &view.currency,
        settings: &settings,
        now: around.now,
    };
    for name in feed.fields.keys() {
        if !manifest.attributes.contains_key(name) {
            let hint = near(name, manifest.attributes.keys().map(String::as_str));
            let hint = hint.unwrap_or_else(|| {
                format!("`shelfcast channel show {}` lists them", manifest.name)
            });
            errors.push(ConfigError::new(
                around.project_path,
                format!(
                    "feed `{}`: the channel has no attribute `{name}`",
                    feed.name
                ),
                hint,
            ));
        }
    }
    let mut compiler = Compiler {
        graph,
        columns,
        view: &view,
        constants: &constants,
        feed,
        channel,
        around,
        errors: &mut errors,
    };
    let filter = compiler.filter();
    let (mut attributes, known) = compiler.attributes(slots);
    compiler.conditions(&mut attributes, &known);
    let escape = escape_of(manifest);
    let document = compiler.document(&attributes, &known, escape);
    let file = compiler.file(&known);
    let order = compiler.order(&known);
    let stock = (manifest.records == Records::Stock)
        .then(|| compiler.stock())
        .flatten();
    let translated = compiler.translated(&attributes);
    for problem in std::mem::take(&mut columns.problems) {
        let error = ConfigError::new(
            around.project_path,
            format!("feed `{}`: {}", feed.name, problem.message),
            problem.hint,
        );
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(FeedProgram {
        name: feed.name.clone(),
        channel: manifest.name.clone(),
        records: manifest.records,
        filter,
        conditions: Vec::new(),
        unique: attributes.iter().position(|attribute| attribute.unique),
        conditional: (0..attributes.len())
            .filter(|&at| attributes[at].required_if.is_some())
            .collect(),
        head: Steps::of(&document.head, graph),
        body: Steps::of_item(
            &document.body,
            graph,
            attributes.first().map_or(0, |attribute| attribute.slot),
        ),
        attributes,
        tail: Steps::of(&document.tail, graph),
        file: file.map(|file| Steps::of(&file, graph)),
        order,
        shape: document.shape,
        format: manifest.format,
        escape,
        stock,
        translated,
        catalog: document.catalog,
        raw: document.raw,
        proved: document.proved,
        slots: *slots as usize,
        fill: false,
        withholds: feed.overlooks != Overlooks::Errors,
        log: None,
        view,
    })
}

/// How a format's values are escaped.
pub fn escape_of(manifest: &Manifest) -> Escape {
    match manifest.format {
        Format::Xml => Escape::Xml,
        Format::Html => Escape::Html,
        Format::Json | Format::Ndjson => Escape::Json,
        Format::Edifact => Escape::Edifact,
        Format::Text => Escape::None,
        Format::Xlsx => Escape::Cell {
            delimiter: WORKBOOK_CELL,
            quoting: Quoting::Never,
        },
        Format::Csv | Format::Tsv => {
            let dialect = &manifest.delimited;
            let usual = if manifest.format == Format::Tsv {
                b'\t'
            } else {
                b','
            };
            let delimiter = dialect
                .delimiter
                .as_deref()
                .and_then(|text| text.bytes().next())
                .unwrap_or(usual);
            let quoting = match dialect.quote.as_deref() {
                Some("always") => Quoting::Always,
                Some("never") => Quoting::Never,
                Some(_) => Quoting::Necessary,
                None if manifest.format == Format::Tsv => Quoting::Never,
                None => Quoting::Necessary,
            };
            Escape::Cell { delimiter, quoting }
        }
    }
}

struct Compiler<'c, 's> {
    graph: &'c mut Graph,
    columns: &'c mut Columns<'s>,
    view: &'c View,
    constants: &'c Constants<'c>,
    feed: &'c Feed,
    channel: &'c Channel,
    around: &'c Surroundings<'c>,
    errors: &'c mut Vec<ConfigError>,
}

impl Compiler<'_, '_> {
    /// The records that both the channel and the feed want.
    fn filter(&mut self) -> Option<NodeId> {
        let (channel, feed) = (
            self.channel.manifest.filter.as_deref(),
            self.feed.filter.as_deref(),
        );
        let channels = channel.and_then(|source| {
            self.condition(source).unwrap_or_else(|(message, hint)| {
                let error = ConfigError::new(
                    self.channel.manifest_path.as_str(),
                    format!("`where`: {message}"),
                    hint,
                );
                self.errors.push(error);
                None
            })
        });
        let feeds = feed.and_then(|source| {
            self.condition(source).unwrap_or_else(|(message, hint)| {
                let error = ConfigError::new(
                    self.around.project_path,
                    format!("feed `{}`, `where`: {message}", self.feed.name),
                    hint,
                );
                self.errors.push(error);
                None
            })
        });
        match (channel, feed) {
            (Some(channel), Some(feed)) if channels.is_some() && feeds.is_some() => self
                .condition(&format!("({channel}) && ({feed})"))
                .ok()
                .flatten(),
            _ => channels.or(feeds),
        }
    }

    fn condition(&mut self, source: &str) -> Result<Option<NodeId>, (String, String)> {
        let mut names = CatalogNames {
            columns: self.columns,
            view: self.view,
            constants: self.constants,
            mapped: None,
        };
        condition::compile(source, self.graph, &mut names).map(Some)
    }

    fn conditions(&mut self, attributes: &mut [AttributeProgram], known: &HashMap<String, Known>) {
        for (name, attribute) in &self.channel.manifest.attributes {
            let Some(source) = &attribute.required_if else {
                continue;
            };
            let catalog = CatalogNames {
                columns: self.columns,
                view: self.view,
                constants: self.constants,
                mapped: None,
            };
            let mut names = AttributeNames {
                attributes: known,
                products: self.channel.manifest.records == Records::Products,
                grouped: false,
                catalog,
            };
            match condition::compile(source, self.graph, &mut names) {
                Ok(node) => {
                    for program in attributes
                        .iter_mut()
                        .filter(|program| program.name == *name)
                    {
                        program.required_if = Some((node, source.clone()));
                    }
                }
                Err((message, hint)) => {
                    self.manifest_error(name, format!("`required_if`: {message}"), &hint)
                }
            }
        }
    }

    fn stock(&mut self) -> Option<(u32, NodeId)> {
        let Some(index) = self.columns.stock_source() else {
            self.errors.push(ConfigError::new(
                self.around.project_path,
                format!("feed `{}`: channel `{}` makes an item of each stock row, and there is no stock source", self.feed.name, self.channel.manifest.name),
                "add a [[source]] with `role = \"stock\"`",
            ));
            return None;
        };
        let table = self.columns.schemas[index].table?;
        let key = self.columns.key(self.graph, self.view, index);
        Some((table, key))
    }

    /// The columns in a language that this feed really uses.
    fn translated(&self, attributes: &[AttributeProgram]) -> Vec<super::columns::Translated> {
        let all = self
            .columns
            .translated
            .get(&self.view.number)
            .cloned()
            .unwrap_or_default();
        all.into_iter()
            .filter(|translated| {
                let is = |id: NodeId| self.reaches(id, translated.any);
                attributes.iter().any(|attribute| {
                    is(attribute.value) || attribute.list.as_ref().is_some_and(|list| is(list.list))
                })
            })
            .collect()
    }

    fn reaches(&self, from: NodeId, to: NodeId) -> bool {
        from == to
            || self
                .graph
                .inputs(from)
                .into_iter()
                .any(|input| self.reaches(input, to))
    }
}
