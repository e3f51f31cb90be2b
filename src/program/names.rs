//! What names mean: in mappings and filters the catalog's columns, in templates the computed attributes.

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::channel::manifest::AttributeLevel;
use crate::config::project::Shop;

use super::columns::{Columns, View};
use super::condition::{Type, Variables};
use super::graph::{Graph, Node, NodeId};
use super::lower::{Level, Names};
use super::nearest::near;

/// What is known at load whatever the record: shop, feed, settings, run.
pub struct Constants<'c> {
    /// The shop.
    pub shop: &'c Shop,
    /// The feed's name.
    pub feed: &'c str,
    /// The channel's name.
    pub channel: &'c str,
    /// The feed's language.
    pub language: &'c str,
    /// The feed's currency.
    pub currency: &'c str,
    /// Every setting the manifest knows, with its value where it has one.
    pub settings: &'c IndexMap<String, Option<toml::Value>>,
    /// The run's moment in the shop's zone, RFC 3339.
    pub now: &'c str,
}

type Problem = (String, String);

impl Constants<'_> {
    /// The node of a reserved name; `None` when the path is none of them.
    fn resolve(&self, graph: &mut Graph, path: &[String]) -> Option<Result<NodeId, Problem>> {
        let [first, rest @ ..] = path else {
            return None;
        };
        let key = rest.join(".");
        let one_of = |known: &[(&str, &str)], graph: &mut Graph| match known
            .iter()
            .find(|(name, _)| *name == key)
        {
            Some((_, value)) => Ok(graph.text(value)),
            None => {
                let names = known.iter().map(|(name, _)| *name);
                let listed = names
                    .clone()
                    .map(|name| format!("`{first}.{name}`"))
                    .collect::<Vec<_>>()
                    .join(", ");
                Err((
                    format!("there is no `{first}.{key}`"),
                    near(&key, names).unwrap_or_else(|| format!("there are {listed}")),
                ))
            }
        };
        Some(match first.as_str() {
            "shop" if !rest.is_empty() => one_of(
                &[
                    ("name", self.shop.name.as_str()),
                    ("url", self.shop.url.trim_end_matches('/')),
                    ("currency", &self.shop.currency),
                    ("language", &self.shop.language),
                    ("country", &self.shop.country),
                    ("timezone", &self.shop.timezone),
                ],
                graph,
            ),
            "feed" if !rest.is_empty() => one_of(
                &[
                    ("name", self.feed),
                    ("channel", self.channel),
                    ("language", self.language),
                    ("currency", self.currency),
                ],
                graph,
            ),
            "run" if !rest.is_empty() => {
                let date: String = self.now.chars().take(10).collect();
                one_of(&[("now", self.now), ("date", &date)], graph)
            }
            "settings" if !rest.is_empty() => match self.settings.get(&key) {
                Some(value) => Ok(setting(graph, value.as_ref())),
                None => Err((
                    format!("the manifest knows no setting `{key}`"),
                    near(&key, self.settings.keys().map(String::as_str))
                        .unwrap_or_else(|| format!("declare it: [settings.{key}]")),
                )),
            },
            _ => return None,
        })
    }
}

fn setting(graph: &mut Graph, value: Option<&toml::Value>) -> NodeId {
    match value {
        None => graph.add(Node::Absent),
        Some(toml::Value::String(text)) => graph.text(text),
        Some(toml::Value::Boolean(yes)) => graph.add(Node::Bool(*yes)),
        Some(toml::Value::Array(list)) => {
            let nodes: Vec<NodeId> = list
                .iter()
                .map(|value| setting(graph, Some(value)))
                .collect();
            graph.add(Node::ListOf(nodes.into()))
        }
        Some(other) => graph.text(&other.to_string()),
    }
}

/// Names in mappings and filters: catalog columns, and what is known at load.
pub struct CatalogNames<'n, 's> {
    /// The columns.
    pub columns: &'n mut Columns<'s>,
    /// How the feed sees them.
    pub view: &'n View,
    /// What is known at load.
    pub constants: &'n Constants<'n>,
    /// The channel's own result, in a mapping that replaces it.
    pub mapped: Option<NodeId>,
}

impl CatalogNames<'_, '_> {
    fn find(&mut self, graph: &mut Graph, path: &[String]) -> Result<(NodeId, String), Problem> {
        let path = match path {
            [first, rest @ ..] if first == "catalog" && !rest.is_empty() => rest,
            other => other,
        };
        if let Some(result) = self.constants.resolve(graph, path) {
            return result.map(|node| (node, String::new()));
        }
        match path {
            [only] if only == "mapped" => {
                return self
                    .mapped
                    .map(|node| (node, String::new()))
                    .ok_or_else(|| {
                        (
                            "`mapped` is known only in [feed.fields]".to_owned(),
                            "it stands for the channel's own result".to_owned(),
                        )
                    });
            }
            [first, key]
                if first == "location" && (self.view.stock_rows || self.view.per_location) =>
            {
                return Ok((
                    graph.add(Node::Location(key.as_str().into())),
                    String::new(),
                ));
            }
            [only] if only == "location" && self.view.per_location => {
                return Ok((graph.add(Node::Location("code".into())), String::new()));
            }
            _ => {}
        }
        let name = path.join(".");
        match self.columns.column(graph, self.view, &name) {
            Some(node) => Ok((node, name)),
            None => {
                let known = self.columns.names();
                let hint = near(&name, known.iter().map(String::as_str)).unwrap_or_else(|| {
                    "`shelfcast channel columns` lists what the catalog has".to_owned()
                });
                Err((format!("the catalog has no column `{name}`"), hint))
            }
        }
    }
}

impl Names for CatalogNames<'_, '_> {
    fn resolve(&mut self, graph: &mut Graph, _: Level, path: &[String]) -> Result<NodeId, Problem> {
        self.find(graph, path).map(|(node, _)| node)
    }
}

impl Variables for CatalogNames<'_, '_> {
    fn variable(&mut self, graph: &mut Graph, path: &[String]) -> Result<(NodeId, Type), Problem> {
        let (node, name) = self.find(graph, path)?;
        let kind = if name.is_empty() {
            Type::Any
        } else {
            Columns::type_of(&name)
        };
        Ok((node, kind))
    }
}

/// One computed attribute as templates know it.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its number.
    pub slot: u32,
    /// On which level it stands.
    pub level: AttributeLevel,
    /// The type a condition takes it for.
    pub kind: Type,
}

/// Names in templates and `required_if`: computed attributes, the catalog, and what is known at load.
pub struct AttributeNames<'n, 's> {
    /// The attributes by name.
    pub attributes: &'n HashMap<String, Known>,
    /// Whether items are products with variants.
    pub products: bool,
    /// Whether the feed is sorted, and its items so stand in groups.
    pub grouped: bool,
    /// The catalog behind them.
    pub catalog: CatalogNames<'n, 's>,
}

impl AttributeNames<'_, '_> {
    fn find(
        &mut self,
        graph: &mut Graph,
        level: Option<Level>,
        path: &[String],
    ) -> Result<(NodeId, Type), Problem> {
        if let [first, rest @ ..] = path
            && first == "catalog"
            && !rest.is_empty()
        {
            return self.catalog.variable(graph, path);
        }
        if let Some(result) = self.catalog.constants.resolve(graph, path) {
            return result.map(|node| (node, Type::Any));
        }
        if let [first, place] = path
            && first == "group"
            && matches!(place.as_str(), "first" | "last")
        {
            let hint = if self.grouped {
                format!("it is asked alone, once an item: `{{{{#if group.{place}}}}}`")
            } else {
                "it is known where the manifest has `sort`: a group is what shares its first key"
                    .to_owned()
            };
            return Err((format!("`group.{place}` is not known here"), hint));
        }
        let name = path.join(".");
        // A name may be written with dots (`offers.price`) where the format makes members of it.
        if level != Some(Level::Document)
            && let Some(known) = self.attributes.get(&name)
        {
            let wrong = match (level, known.level) {
                (Some(Level::Item), AttributeLevel::Variant) if self.products => Some(format!(
                    "it is a variant's: write it inside `{{{{#each variants}}}}`, or set `level = \"product\"` on `{name}`"
                )),
                (Some(Level::Variant), AttributeLevel::Product) => {
                    Some(format!("it is the product's: write `../{name}`"))
                }
                _ => None,
            };
            return match wrong {
                Some(hint) => Err((format!("`{name}` is not known here"), hint)),
                None => Ok((graph.add(Node::Attribute(known.slot)), known.kind)),
            };
        }
        if level == Some(Level::Document) && name == "categories" {
            return Err((
                "a list of the catalog's categories is not known here".to_owned(),
                "give the channel's own in a setting: `[settings.categories] kind = \"list\"`, as yandex-yml does"
                    .to_owned(),
            ));
        }
        if level == Some(Level::Document) {
            return Err((
                format!("`{name}` is not known outside `{{{{#each items}}}}`"),
                "the document knows `shop`, `feed`, `settings` and `run`".to_owned(),
            ));
        }
        let hint = near(&name, self.attributes.keys().map(String::as_str)).unwrap_or_else(|| {
            if self
                .catalog
                .columns
                .column(graph, self.catalog.view, &name)
                .is_some()
            {
                format!(
                    "it is a catalog column: write `catalog.{name}`, or declare an attribute for it"
                )
            } else {
                "the manifest declares the attributes a template may use".to_owned()
            }
        });
        Err((format!("there is no attribute `{name}`"), hint))
    }
}

impl Names for AttributeNames<'_, '_> {
    fn resolve(
        &mut self,
        graph: &mut Graph,
        level: Level,
        path: &[String],
    ) -> Result<NodeId, Problem> {
        self.find(graph, Some(level), path).map(|(node, _)| node)
    }

    fn is_variants(&self, level: Level, path: &[String]) -> bool {
        self.products && level == Level::Item && matches!(path, [only] if only == "variants")
    }

    fn is_grouped(&self) -> bool {
        self.grouped
    }
}

impl Variables for AttributeNames<'_, '_> {
    fn variable(&mut self, graph: &mut Graph, path: &[String]) -> Result<(NodeId, Type), Problem> {
        self.find(graph, None, path)
    }
}
