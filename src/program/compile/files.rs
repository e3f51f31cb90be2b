//! Where an item goes: the name of its own file, and its place in a sorted feed.

use std::collections::HashMap;

use crate::channel::manifest::{AttributeLevel, Format, Records};
use crate::config::toml_file::ConfigError;
use crate::program::columns::Columns;
use crate::program::condition::Type;
use crate::program::escape::Escape;
use crate::program::graph::Node;
use crate::program::lower::{Level, Lowering, Operation, parse};
use crate::program::names::{AttributeNames, CatalogNames, Known};
use crate::program::nearest::near;
use crate::program::order::OrderKey;

use super::Compiler;

impl Compiler<'_, '_> {
    /// What makes the name of an item's file, where each item has one.
    pub(super) fn file(&mut self, known: &HashMap<String, Known>) -> Option<Vec<Operation>> {
        let manifest = &self.channel.manifest;
        let path = self.channel.manifest_path.clone();
        let mut wrong = |message: &str, hint: &str| {
            self.errors
                .push(ConfigError::new(path.as_str(), message, hint));
        };
        let source = match (manifest.document.as_deref(), &manifest.file) {
            (None, None) => return None,
            (None, Some(_)) => {
                wrong(
                    "`file` names the documents of single items, and the feed is one document",
                    "add `document = \"item\"`, or take `file` out: a feed's file has the feed's name",
                );
                return None;
            }
            (Some(word), _) if word != "item" => {
                wrong(
                    &format!("`document = \"{word}\"` is not known"),
                    "`document = \"item\"` makes a document for each item",
                );
                return None;
            }
            (Some(_), None) => {
                wrong(
                    "a document for each item needs a file name",
                    "add `file = \"{{slug title}}.html\"`",
                );
                return None;
            }
            (Some(_), Some(source)) => source,
        };
        if manifest.request.is_some() || manifest.parts.index.is_some() {
            wrong(
                "`document = \"item\"` goes neither with `[request]` nor with `parts.index`",
                "take one of the two out",
            );
        }
        if manifest.format == Format::Xlsx {
            wrong(
                "a workbook for each item cannot be made",
                "take `document = \"item\"` out, or write another format",
            );
        }
        let template = match parse(source) {
            Ok(template) => template,
            Err(problem) => {
                wrong(&format!("`file`: {}", problem.message), &problem.hint);
                return None;
            }
        };
        let mut fallbacks = std::mem::take(self.columns.fallbacks);
        let mut names = AttributeNames {
            attributes: known,
            products: manifest.records == Records::Products,
            grouped: false,
            catalog: CatalogNames {
                columns: self.columns,
                view: self.view,
                constants: self.constants,
                mapped: None,
            },
        };
        let mut lowering = Lowering::new(
            self.graph,
            &mut fallbacks,
            &mut names,
            &self.channel.partials,
            Escape::None,
            self.view.number,
            &[Level::Item],
        );
        let operations = lowering.operations(&template);
        let problems = std::mem::take(&mut lowering.problems);
        *self.columns.fallbacks = fallbacks;
        for problem in problems {
            self.errors.push(ConfigError::new(
                path.as_str(),
                format!("`file`: {}", problem.message),
                problem.hint,
            ));
        }
        if operations
            .iter()
            .any(|operation| matches!(operation, Operation::Late(..) | Operation::LateNumber(_)))
        {
            self.errors.push(ConfigError::new(
                path.as_str(),
                "`file`: an item's place among the others is no name: it moves when another goes",
                "name it by what is its own: `{{slug title}}-{{slug sku}}.html`",
            ));
        }
        Some(operations)
    }

    /// What the items are sorted by.
    pub(super) fn order(&mut self, known: &HashMap<String, Known>) -> Vec<OrderKey> {
        let manifest = &self.channel.manifest;
        let mut keys = Vec::new();
        for entry in &manifest.sort {
            let (name, descending) = match entry.strip_prefix('-') {
                Some(name) => (name, true),
                None => (entry.as_str(), false),
            };
            if let Some(attribute) = known.get(name) {
                if manifest.records == Records::Products
                    && attribute.level == AttributeLevel::Variant
                {
                    self.errors.push(ConfigError::new(
                        self.channel.manifest_path.as_str(),
                        format!("`sort`: `{name}` is a variant's, and whole products are sorted"),
                        "sort by an attribute of the product",
                    ));
                    continue;
                }
                let is_money = manifest.attributes.get(name).is_some_and(|attribute| {
                    attribute.kind == crate::channel::manifest::AttributeKind::Money
                });
                keys.push(OrderKey {
                    value: self.graph.add(Node::Attribute(attribute.slot)),
                    number: is_money || attribute.kind == Type::Number,
                    descending,
                });
                continue;
            }
            match self.columns.column(self.graph, self.view, name) {
                Some(value) => keys.push(OrderKey {
                    value,
                    number: Columns::type_of(name) == Type::Number,
                    descending,
                }),
                None => {
                    let mut names = self.columns.names();
                    names.extend(known.keys().cloned());
                    names.sort();
                    let hint = near(name, names.iter().map(String::as_str)).unwrap_or_else(|| {
                        "it sorts by the channel's attributes and the catalog's columns".to_owned()
                    });
                    self.errors.push(ConfigError::new(
                        self.channel.manifest_path.as_str(),
                        format!("`sort`: there is neither an attribute nor a column `{name}`"),
                        hint,
                    ));
                }
            }
        }
        keys
    }
}
