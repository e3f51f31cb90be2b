//! Manifest, mappings, filter and template of one feed, compiled into the graph that all feeds share.

mod document;

pub use document::split;

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::channel::Channel;
use crate::channel::manifest::{
    Attribute, AttributeKind, AttributeLevel, Format, Manifest, Overflow, Records, Weight,
};
use crate::config::project::{Feed, Shop};
use crate::config::toml_file::ConfigError;
use crate::validate::finding::Severity;

use super::Location;
use super::attribute::{AttributeProgram, ListProgram, safe_bytes};
use super::columns::{Columns, View};
use super::condition::{self, Type};
use super::escape::{Escape, Quoting};
use super::fallback::Fallback;
use super::feed::FeedProgram;
use super::graph::{Graph, Node, NodeId};
use super::lower::{Level, Lowering, Names, TemplateProblem, parse};
use super::names::{AttributeNames, CatalogNames, Constants, Known};
use super::nearest::near;

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
    // Read from the manifest and checked, so that a channel can say it; refused rather than passed over in silence.
    if !manifest.sort.is_empty() || manifest.document.is_some() || manifest.file.is_some() {
        errors.push(ConfigError::new(
            channel.manifest_path.as_str(),
            "`sort`, `document` and `file` cannot be followed by this version",
            "take the key out: items are written in the catalog's order, into one document",
        ));
    }
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
        unique: attributes.iter().position(|attribute| attribute.unique),
        attributes,
        head: document.head,
        body: document.body,
        tail: document.tail,
        shape: document.shape,
        format: manifest.format,
        escape,
        stock,
        translated,
        catalog: document.catalog,
        raw: document.raw,
        slots: *slots as usize,
        fill: false,
        log: None,
        view,
    })
}

/// The settings of a feed: given, by default, or not there; unknown and missing ones are errors.
fn settings(
    feed: &Feed,
    channel: &Channel,
    around: &Surroundings<'_>,
    errors: &mut Vec<ConfigError>,
) -> IndexMap<String, Option<toml::Value>> {
    let manifest = &channel.manifest;
    for name in feed.settings.keys() {
        if !manifest.settings.contains_key(name) {
            let known = manifest.settings.keys().map(String::as_str);
            let listed = known.clone().collect::<Vec<_>>().join("`, `");
            let hint = near(name, known).unwrap_or_else(|| {
                if listed.is_empty() {
                    format!("`{}` has no settings", manifest.name)
                } else {
                    format!("it knows `{listed}`")
                }
            });
            errors.push(ConfigError::new(
                around.project_path,
                format!(
                    "feed `{}`: channel `{}` knows no setting `{name}`",
                    feed.name, manifest.name
                ),
                hint,
            ));
        }
    }
    let mut all = IndexMap::new();
    for (name, setting) in &manifest.settings {
        let value = feed
            .settings
            .get(name)
            .or(setting.default.as_ref())
            .cloned();
        if value.is_none() && setting.required {
            let example = setting
                .example
                .as_ref()
                .map_or_else(|| "\"…\"".to_owned(), ToString::to_string);
            let about = setting
                .about
                .as_deref()
                .map_or_else(String::new, |about| format!(" ({about})"));
            errors.push(ConfigError::new(
                around.project_path,
                format!(
                    "feed `{}`: channel `{}` needs the setting `{name}`{about}",
                    feed.name, manifest.name
                ),
                format!("add under this feed: [feed.settings] {name} = {example}"),
            ));
        }
        all.insert(name.clone(), value);
    }
    all
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
    fn filter(&mut self) -> Option<NodeId> {
        let source = self.feed.filter.as_ref()?;
        let mut names = CatalogNames {
            columns: self.columns,
            view: self.view,
            constants: self.constants,
            mapped: None,
        };
        match condition::compile(source, self.graph, &mut names) {
            Ok(node) => Some(node),
            Err((message, hint)) => {
                self.errors.push(ConfigError::new(
                    self.around.project_path,
                    format!("feed `{}`, `where`: {message}", self.feed.name),
                    hint,
                ));
                None
            }
        }
    }

    fn attributes(&mut self, slots: &mut u32) -> (Vec<AttributeProgram>, HashMap<String, Known>) {
        let manifest = &self.channel.manifest;
        let mut programs = Vec::new();
        let mut known = HashMap::new();
        for (name, attribute) in &manifest.attributes {
            let places: Vec<Option<u32>> = match attribute.per.as_deref() {
                None => vec![None],
                Some("location") => self.locations().into_iter().map(Some).collect(),
                Some(other) => {
                    self.manifest_error(
                        name,
                        format!("`per = \"{other}\"` is not known"),
                        "`per = \"location\"` makes a column a location",
                    );
                    vec![None]
                }
            };
            for place in places {
                let slot = *slots;
                *slots += 1;
                let program = self.attribute(name, attribute, slot, place);
                known.insert(
                    program.name.clone(),
                    Known {
                        slot,
                        level: program.level,
                        kind: type_of(attribute),
                    },
                );
                programs.push(program);
            }
        }
        (programs, known)
    }

    /// The project's locations that the feed counts.
    fn locations(&self) -> Vec<u32> {
        let wanted = self.feed.locations.as_ref();
        let counts =
            |location: &Location| wanted.is_none_or(|codes| codes.contains(&location.code));
        (0u32..)
            .zip(self.around.locations)
            .filter(|(_, location)| counts(location))
            .map(|(number, _)| number)
            .collect()
    }

    fn attribute(
        &mut self,
        name: &str,
        attribute: &Attribute,
        slot: u32,
        place: Option<u32>,
    ) -> AttributeProgram {
        let records = self.channel.manifest.records;
        let view = View {
            per_location: place.is_some(),
            ..self.view.clone()
        };
        let mapping = match (&attribute.value, &attribute.list) {
            (Some(value), _) => Some(value.as_str()),
            (None, Some(_)) => None,
            (None, None) => {
                self.manifest_error(
                    name,
                    "it has neither `value` nor `list`".to_owned(),
                    "say where it comes from: `value = \"{{title}}\"`",
                );
                None
            }
        };
        let over_variants = attribute.list.as_deref() == Some("variants");
        let level: &[Level] = if attribute.list.is_some() && !over_variants {
            &[Level::Item, Level::Element]
        } else {
            &[Level::Item]
        };
        let path = self.channel.manifest_path.clone();
        let mut value = match mapping {
            Some(mapping) => self.mapping(
                &view,
                mapping,
                None,
                level,
                &format!("attribute `{name}`"),
                &path,
            ),
            None => self.graph.add(Node::Absent),
        };
        let list = attribute.list.as_ref().map(|list| {
            // One element a variant of the product: the mapping is computed on each of its rows.
            let node = if over_variants {
                self.graph.add(Node::EachVariant(value))
            } else {
                self.list(&view, list, name)
            };
            ListProgram {
                list: node,
                computed: attribute.value.is_some() && !over_variants,
                skip: attribute.skip,
                max_items: attribute.max_items.unwrap_or(usize::MAX),
            }
        });
        let mut list = list;
        if let Some(replacement) = self.feed.fields.get(name) {
            let path = self.around.project_path.to_owned();
            let what = format!("feed `{}`, [feed.fields] `{name}`", self.feed.name);
            let mapped = if list.is_some() { None } else { Some(value) };
            if list.is_some() && !replacement.contains("{{") {
                let node = self.list(&view, replacement, name);
                list = Some(ListProgram {
                    list: node,
                    computed: false,
                    skip: attribute.skip,
                    max_items: attribute.max_items.unwrap_or(usize::MAX),
                });
            } else {
                list = None;
                value = self.mapping(&view, replacement, mapped, &[Level::Item], &what, &path);
            }
        }
        let max_length = attribute.max_length.unwrap_or_default();
        let textual = matches!(attribute.kind, AttributeKind::Text | AttributeKind::Html);
        AttributeProgram {
            name: place.map_or_else(|| name.to_owned(), |place| self.named_for(name, place)),
            slot,
            value,
            list,
            kind: attribute.kind,
            required: attribute.required,
            required_if: None,
            severity: if attribute.severity == Some(Weight::Warning) {
                Severity::Warning
            } else {
                Severity::Error
            },
            unique: attribute.unique,
            one_of: attribute.one_of.clone().unwrap_or_default(),
            map: attribute
                .map
                .iter()
                .map(|(ours, theirs)| (ours.clone(), theirs.clone()))
                .collect(),
            max_length,
            safe_bytes: safe_bytes(&max_length),
            overflow: attribute.overflow.unwrap_or(if textual {
                Overflow::Cut
            } else {
                Overflow::Withhold
            }),
            level: attribute.level.unwrap_or(if records == Records::Products {
                AttributeLevel::Product
            } else {
                AttributeLevel::Variant
            }),
            location: place,
            direct: if place.is_none() {
                self.direct(value)
            } else {
                None
            },
            clean: self.is_clean(value),
            currency: self.view.currency.clone(),
        }
    }

    /// The master's column that a mapping takes as it is.
    fn direct(&self, node: NodeId) -> Option<u32> {
        match self.graph.node(node) {
            Node::Inherit { own, .. } => self.direct(*own),
            Node::Trim(inner) => match self.graph.node(*inner) {
                Node::Raw(column) => Some(*column),
                _ => None,
            },
            _ => None,
        }
    }

    /// Values that a reading has proved to be plain ASCII words.
    fn is_clean(&self, node: NodeId) -> bool {
        use crate::catalog::columns::Kind;
        match self.graph.node(node) {
            Node::Absent => true,
            Node::Read { reading, .. } => matches!(
                self.graph.readings[*reading as usize].kind,
                Kind::Money
                    | Kind::Quantity
                    | Kind::Gtin
                    | Kind::Availability
                    | Kind::Condition
                    | Kind::Gender
                    | Kind::AgeGroup
            ),
            Node::Inherit { own, .. } => self.is_clean(*own),
            Node::Join { value, .. } => self.is_clean(*value),
            Node::First(nodes) => nodes.iter().all(|&node| self.is_clean(node)),
            Node::Availability { given, .. } => self.is_clean(*given),
            Node::Helper {
                helper, positional, ..
            } if super::graph::helper(*helper).name == "money" => {
                positional.first().is_some_and(|&node| {
                    self.is_clean(node) || matches!(self.graph.node(node), Node::SalePrice { .. })
                })
            }
            _ => false,
        }
    }

    /// `New Quantity {{location.name}}` for one location.
    fn named_for(&mut self, name: &str, place: u32) -> String {
        let location = &self.around.locations[place as usize];
        let mut filled = String::new();
        let mut rest = name;
        while let Some((before, after)) = rest.split_once("{{") {
            filled.push_str(before);
            let Some((expression, after)) = after.split_once("}}") else {
                break;
            };
            let key = expression.trim().strip_prefix("location.").unwrap_or("");
            if location.key(key).is_empty() {
                let message = format!(
                    "location `{}` has no `{key}`, which names a column of channel `{}`",
                    location.code, self.channel.manifest.name
                );
                self.errors.push(ConfigError::new(
                    self.around.project_path,
                    message,
                    format!("add `{key} = \"…\"` to that [[location]]"),
                ));
            }
            filled.push_str(location.key(key));
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    fn manifest_error(&mut self, attribute: &str, message: String, hint: &str) {
        let line = line_of(&self.channel.manifest_text, attribute);
        self.errors.push(ConfigError {
            path: self.channel.manifest_path.clone(),
            line,
            message: format!("attribute `{attribute}`: {message}"),
            hint: hint.to_owned(),
        });
    }

    /// A list by its column's name, or by an expression.
    fn list(&mut self, view: &View, source: &str, attribute: &str) -> NodeId {
        if source.contains("{{") {
            let path = self.channel.manifest_path.clone();
            return self.mapping(
                view,
                source,
                None,
                &[Level::Item],
                &format!("the list of attribute `{attribute}`"),
                &path,
            );
        }
        let mut names = CatalogNames {
            columns: self.columns,
            view,
            constants: self.constants,
            mapped: None,
        };
        match names.resolve(self.graph, Level::Item, &[source.to_owned()]) {
            Ok(node) => node,
            Err((message, hint)) => {
                self.manifest_error(attribute, message, &hint);
                self.graph.add(Node::Absent)
            }
        }
    }

    fn mapping(
        &mut self,
        view: &View,
        source: &str,
        mapped: Option<NodeId>,
        levels: &[Level],
        what: &str,
        path: &str,
    ) -> NodeId {
        let template = match parse(source) {
            Ok(template) => template,
            Err(problem) => {
                self.template_error(path, what, source, problem);
                return self.graph.add(Node::Absent);
            }
        };
        let partials = HashMap::new();
        let (node, problems) = {
            let mut taken: Vec<Fallback> = std::mem::take(self.columns.fallbacks);
            let mut names = CatalogNames {
                columns: self.columns,
                view,
                constants: self.constants,
                mapped,
            };
            let mut lowering = Lowering::new(
                self.graph,
                &mut taken,
                &mut names,
                &partials,
                Escape::None,
                view.number,
                levels,
            );
            let node = lowering.text(&template);
            let problems = std::mem::take(&mut lowering.problems);
            // Mappings of sources compiled meanwhile may have added pieces of their own.
            let mut added = std::mem::replace(self.columns.fallbacks, taken);
            debug_assert!(
                added.is_empty(),
                "source mappings are compiled before feeds"
            );
            self.columns.fallbacks.append(&mut added);
            (node, problems)
        };
        for problem in problems {
            self.template_error(path, what, source, problem);
        }
        node
    }

    fn template_error(&mut self, path: &str, what: &str, source: &str, problem: TemplateProblem) {
        let text = if path == self.channel.manifest_path {
            Some(self.channel.manifest_text.as_str())
        } else {
            None
        };
        let line = text.and_then(|text| {
            text.lines()
                .position(|line| line.contains(source))
                .map(|at| at + 1)
        });
        self.errors.push(ConfigError {
            path: path.to_owned(),
            line,
            message: format!("{what}, column {}: {}", problem.column, problem.message),
            hint: problem.hint,
        });
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

fn type_of(attribute: &Attribute) -> Type {
    if attribute.list.is_some() {
        return Type::List;
    }
    match attribute.kind {
        AttributeKind::Decimal | AttributeKind::Integer => Type::Number,
        AttributeKind::Boolean => Type::Bool,
        _ => Type::Text,
    }
}

/// The line where a manifest's attribute begins.
fn line_of(text: &str, attribute: &str) -> Option<usize> {
    let plain = format!("[attributes.{attribute}]");
    let quoted = format!("[attributes.\"{attribute}\"]");
    text.lines()
        .position(|line| line.trim() == plain || line.trim() == quoted)
        .map(|at| at + 1)
}
