//! The attributes of a manifest as programs: what each is computed from, and what is left to do with its value.

use std::collections::HashMap;

use rust_decimal::Decimal;

use crate::channel::manifest::{
    Attribute, AttributeKind, AttributeLevel, Overflow, Records, Weight,
};
use crate::config::toml_file::ConfigError;
use crate::program::Location;
use crate::program::attribute::survey::Special;
use crate::program::attribute::{AttributeProgram, ListProgram, safe_bytes};
use crate::program::columns::View;
use crate::program::condition::Type;
use crate::program::decimal;
use crate::program::graph::{Node, NodeId, Part, Way, helper};
use crate::program::lower::Level;
use crate::program::names::Known;
use crate::program::repeat;
use crate::validate::finding::Severity;

use super::{Compiler, escape_of, proof};

impl Compiler<'_, '_> {
    pub(super) fn attributes(
        &mut self,
        slots: &mut u32,
    ) -> (Vec<AttributeProgram>, HashMap<String, Known>) {
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
                let mut program = self.attribute(name, attribute, slot, place);
                program.mark = repeat::one(programs.len());
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
                changes: self.changes(value),
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
                    changes: None,
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
        let special = Special::of(escape_of(&self.channel.manifest));
        let alone = place.is_none() && list.is_none();
        let direct = if alone { self.direct(value) } else { None };
        let finish = match &list {
            // What an element is follows from no reading.
            Some(list) if !list.computed => {
                let none = self.graph.add(Node::This {
                    up: 0,
                    part: Part::Element,
                });
                proof::finish(self.graph, none, attribute, self.view, &special)
            }
            _ => proof::finish(self.graph, value, attribute, self.view, &special),
        };
        let pattern = attribute.pattern.as_ref().and_then(|pattern| {
            match regex::Regex::new(pattern) {
                Ok(pattern) => Some(pattern),
                Err(error) => {
                    self.manifest_error(
                        name,
                        format!("`pattern` is no regular expression: {error}"),
                        "see https://docs.rs/regex for its syntax; a backslash is written twice in a TOML text, once in \'…\'",
                    );
                    None
                }
            }
        });
        let range = attribute.range.as_ref().and_then(|range| {
            let read = range_of(range);
            if read.is_none() {
                self.manifest_error(
                    name,
                    "`range` is neither one number nor two, the least first".to_owned(),
                    "write `range = [1, 99999]`, or `[\"0.01\", \"9999.99\"]`",
                );
            }
            read
        });
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
            min_length: attribute.min_length.unwrap_or_default(),
            pattern,
            range,
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
            direct,
            finish,
            special,
            currency: self.view.currency.clone(),
            share: None,
            reads: repeat::OTHER,
            mark: repeat::OTHER,
        }
    }

    /// The byte that an element must hold for a mapping to make something else of it: what `{{replace this "," …}}` replaces.
    fn changes(&self, node: NodeId) -> Option<u8> {
        let element = Node::This {
            up: 0,
            part: Part::Element,
        };
        match self.graph.node(node) {
            Node::Helper {
                helper: number,
                positional,
                ..
            } if helper(*number).name == "replace" => match **positional {
                [text, from, _] if *self.graph.node(text) == element => {
                    match self.graph.constant(from)??.as_bytes() {
                        [byte] => Some(*byte),
                        _ => None,
                    }
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The master's column that a mapping takes as it is, where it holds something.
    fn direct(&self, node: NodeId) -> Option<u32> {
        match self.graph.way(node) {
            Way::Cell(column) | Way::OwnCell(column) => Some(column),
            _ => None,
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
}

/// The least and the greatest of `range = [1, 99999]`.
fn range_of(range: &[toml::Value]) -> Option<(Decimal, Decimal)> {
    let number = |value: &toml::Value| match value {
        toml::Value::String(text) => decimal::parse(text),
        toml::Value::Integer(number) => Some(Decimal::from(*number)),
        toml::Value::Float(number) => decimal::parse(&number.to_string()),
        _ => None,
    };
    match range {
        [least] => Some((number(least)?, Decimal::MAX)),
        [least, greatest] => {
            let (least, greatest) = (number(least)?, number(greatest)?);
            (least <= greatest).then_some((least, greatest))
        }
        _ => None,
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
