//! Manifest, mappings, filter and template of one feed, compiled into the graph that all feeds share.

use std::collections::HashMap;

use handlebars::template::{Template, TemplateElement};
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
use super::lower::{
    Level, Lowering, Names, Operation, TemplateProblem, mentioned, near, parse, split_path,
};
use super::members::Shape;
use super::names::{AttributeNames, CatalogNames, Constants, Known};

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

#[derive(Default)]
struct Document {
    head: Vec<Operation>,
    body: Vec<Operation>,
    tail: Vec<Operation>,
    shape: Option<Shape>,
    raw: bool,
    catalog: Vec<(Vec<String>, NodeId)>,
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

    fn document(
        &mut self,
        attributes: &[AttributeProgram],
        known: &HashMap<String, Known>,
        escape: Escape,
    ) -> Document {
        let manifest = &self.channel.manifest;
        match &self.channel.template {
            Some((path, text)) => self.templated(path, text, known, escape),
            None if manifest.format.is_delimited() => delimited(manifest, attributes, escape),
            None if matches!(manifest.format, Format::Json | Format::Ndjson) => {
                let named = attributes
                    .iter()
                    .map(|attribute| (attribute.name.as_str(), attribute.slot, attribute.kind));
                let shape = Some(Shape::of(named));
                let literal = |text: &str| Operation::Literal(text.into());
                if manifest.format == Format::Ndjson {
                    Document {
                        shape,
                        body: vec![literal("\n")],
                        ..Document::default()
                    }
                } else {
                    let comma = Operation::Late(
                        super::lower::Place::Last,
                        vec![literal("\n")],
                        vec![literal(",\n")],
                    );
                    Document {
                        shape,
                        head: vec![literal("[\n")],
                        body: vec![comma],
                        tail: vec![literal("]\n")],
                        ..Document::default()
                    }
                }
            }
            None => {
                self.errors.push(ConfigError::new(
                    self.channel.manifest_path.as_str(),
                    format!("format `{}` needs a template", manifest.format.extension()),
                    "add `template = \"….hbs\"`; csv, tsv, xlsx, json and ndjson may leave it out",
                ));
                Document::default()
            }
        }
    }

    fn templated(
        &mut self,
        path: &str,
        text: &str,
        known: &HashMap<String, Known>,
        escape: Escape,
    ) -> Document {
        let template = match parse(text) {
            Ok(template) => template,
            Err(problem) => {
                self.errors.push(ConfigError {
                    path: path.to_owned(),
                    line: Some(problem.line),
                    message: format!("column {}: {}", problem.column, problem.message),
                    hint: problem.hint,
                });
                return Document::default();
            }
        };
        let Some((head, body, tail)) = split(&template) else {
            self.errors.push(ConfigError::new(
                path,
                "a template has exactly one `{{#each items}}`, not inside another block",
                "what stands before it is written once, its body for each item, what follows once",
            ));
            return Document::default();
        };
        let mut document = Document::default();
        let products = self.channel.manifest.records == Records::Products;
        for (part, level, out) in [
            (&head, Level::Document, &mut document.head),
            (&body, Level::Item, &mut document.body),
            (&tail, Level::Document, &mut document.tail),
        ] {
            let mut taken: Vec<Fallback> = std::mem::take(self.columns.fallbacks);
            let catalog = CatalogNames {
                columns: self.columns,
                view: self.view,
                constants: self.constants,
                mapped: None,
            };
            let mut names = AttributeNames {
                attributes: known,
                products,
                catalog,
            };
            let mut lowering = Lowering::new(
                self.graph,
                &mut taken,
                &mut names,
                &self.channel.partials,
                escape,
                self.view.number,
                &[level],
            );
            *out = lowering.operations(part);
            document.raw |= lowering.raw;
            for problem in std::mem::take(&mut lowering.problems) {
                self.errors.push(ConfigError {
                    path: path.to_owned(),
                    line: Some(problem.line),
                    message: format!("column {}: {}", problem.column, problem.message),
                    hint: problem.hint,
                });
            }
            *self.columns.fallbacks = taken;
        }
        document.catalog = self.catalog_names(&body);
        document
    }

    /// The catalog columns that a template names, with their nodes.
    fn catalog_names(&mut self, template: &Template) -> Vec<(Vec<String>, NodeId)> {
        let mut found: Vec<(Vec<String>, NodeId)> = Vec::new();
        for raw in mentioned(template) {
            let (_, path) = split_path(&raw);
            if path.len() < 2
                || path[0] != "catalog"
                || found.iter().any(|(known, _)| *known == path)
            {
                continue;
            }
            let mut names = CatalogNames {
                columns: self.columns,
                view: self.view,
                constants: self.constants,
                mapped: None,
            };
            // What cannot be found was a problem before.
            if let Ok(node) = names.resolve(self.graph, Level::Item, &path) {
                found.push((path, node));
            }
        }
        found
    }
}

/// What stands before, in and after the one `{{#each items}}`.
pub fn split(template: &Template) -> Option<(Template, Template, Template)> {
    let is_items = |element: &TemplateElement| match element {
        TemplateElement::HelperBlock(block) => {
            block.name.as_name() == Some("each")
                && block.params.len() == 1
                && matches!(block.params[0].as_name(), Some("items" | "this.items"))
        }
        _ => false,
    };
    let mut places = template
        .elements
        .iter()
        .enumerate()
        .filter(|(_, element)| is_items(element))
        .map(|(index, _)| index);
    let (at, None) = (places.next()?, places.next()) else {
        return None;
    };
    let part = |range: std::ops::Range<usize>| {
        let mut part = Template::new();
        part.elements = template.elements[range.clone()].to_vec();
        part.mapping = template
            .mapping
            .get(range)
            .map(<[_]>::to_vec)
            .unwrap_or_default();
        part
    };
    let TemplateElement::HelperBlock(block) = &template.elements[at] else {
        return None;
    };
    let body = block.template.clone().unwrap_or_default();
    Some((part(0..at), body, part(at + 1..template.elements.len())))
}

/// Columns from attributes: a header, and a row an item (or a row a variant).
fn delimited(manifest: &Manifest, attributes: &[AttributeProgram], escape: Escape) -> Document {
    let Escape::Cell { delimiter, .. } = escape else {
        return Document::default();
    };
    let end = match (manifest.format, manifest.delimited.line_end.as_deref()) {
        (Format::Xlsx, _) => WORKBOOK_ROW,
        (_, Some("crlf")) => "\r\n",
        _ => "\n",
    };
    let literal = |text: &str| Operation::Literal(text.into());
    let separator = char::from(delimiter).to_string();
    let mut head = String::new();
    let mut row = Vec::new();
    for (index, attribute) in attributes.iter().enumerate() {
        if index > 0 {
            head.push_str(&separator);
            row.push(literal(&separator));
        }
        head.push_str(&escape.escaped(&attribute.name));
        let source = manifest.attributes.get(&attribute.name);
        let cell = match source.and_then(|source| source.separator.clone()) {
            Some(separator) => Operation::Joined(attribute.slot, separator.into(), escape),
            None if attribute.list.is_some() => {
                Operation::Joined(attribute.slot, ",".into(), escape)
            }
            None => Operation::PrintAttribute(attribute.slot, escape),
        };
        if manifest.records == Records::Products && attribute.level == AttributeLevel::Product {
            row.push(Operation::OncePerProduct(vec![cell]));
        } else {
            row.push(cell);
        }
    }
    row.push(literal(end));
    head.push_str(end);
    let body = if manifest.records == Records::Products {
        vec![Operation::Variants(row)]
    } else {
        row
    };
    let header = manifest.delimited.header.unwrap_or(true);
    Document {
        head: if header {
            vec![literal(&head)]
        } else {
            Vec::new()
        },
        body,
        ..Document::default()
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
