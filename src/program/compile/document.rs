//! What is written around and for each item: from a template, from columns, or from members.

use std::collections::HashMap;

use handlebars::template::{Template, TemplateElement};

use crate::channel::manifest::{AttributeLevel, Format, Manifest, Records};
use crate::config::toml_file::ConfigError;
use crate::program::attribute::AttributeProgram;
use crate::program::escape::Escape;
use crate::program::fallback::Fallback;
use crate::program::graph::NodeId;
use crate::program::lower::{LateNumber, Level, Lowering, Names, Operation, parse};
use crate::program::members::Shape;
use crate::program::names::{AttributeNames, CatalogNames, Known};
use crate::program::path::{mentioned, split_path};

use super::{Compiler, WORKBOOK_ROW, json};

#[derive(Default)]
pub(super) struct Document {
    pub(super) head: Vec<Operation>,
    pub(super) body: Vec<Operation>,
    pub(super) tail: Vec<Operation>,
    pub(super) shape: Option<Shape>,
    pub(super) raw: bool,
    pub(super) proved: bool,
    pub(super) catalog: Vec<(Vec<String>, NodeId)>,
}

impl Compiler<'_, '_> {
    pub(super) fn document(
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
                let products = manifest.records == Records::Products;
                // What is a variant's stands with its variant, whether or not its name says so.
                let names: Vec<String> = attributes
                    .iter()
                    .map(|attribute| match attribute.level {
                        AttributeLevel::Variant
                            if products && !attribute.name.starts_with("variants[].") =>
                        {
                            format!("variants[].{}", attribute.name)
                        }
                        _ => attribute.name.clone(),
                    })
                    .collect();
                let named = names
                    .iter()
                    .zip(attributes)
                    .map(|(name, attribute)| (name.as_str(), attribute.slot, attribute.kind));
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
                        crate::program::lower::Place::Last,
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
                grouped: !self.channel.manifest.sort.is_empty(),
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
        if counts_items(&document.head) {
            self.errors.push(ConfigError::new(
                path,
                "`feed.items` stands before the items: how many there are is known when they are written",
                "move it behind `{{/each}}`, or leave it out",
            ));
        }
        let format = self.channel.manifest.format;
        document.proved = matches!(format, Format::Json | Format::Ndjson)
            && json::prove(&mut document, self.graph, format == Format::Ndjson);
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

/// Whether the count of items is asked for.
fn counts_items(operations: &[Operation]) -> bool {
    operations.iter().any(|operation| match operation {
        Operation::LateNumber(LateNumber::Items { .. }) => true,
        Operation::If(_, then, otherwise)
        | Operation::Each(_, then, otherwise)
        | Operation::Late(_, then, otherwise) => counts_items(then) || counts_items(otherwise),
        _ => false,
    })
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
