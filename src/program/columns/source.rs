//! One source's columns: where each is taken from, how its cells are read, and by which key a joined source is asked.

use crate::catalog::columns::{self, Kind};
use crate::config::project::Shop;
use crate::model::date::DateOrder;
use crate::model::number::NumberLocale;
use crate::program::escape::Escape;
use crate::program::graph::{Graph, Node, NodeId};
use crate::program::lower::{Level, Lowering, Names, parse};
use crate::program::nearest::{near, nearest};
use crate::program::reading::Reading;

use super::{ColumnProblem, Columns, View, position};

impl Columns<'_> {
    /// One source's value of a column, read as what `base` holds, joined where the source is not the master.
    pub(super) fn of_source(
        &mut self,
        graph: &mut Graph,
        view: &View,
        index: usize,
        name: &str,
        base: &str,
    ) -> Option<NodeId> {
        let own = self.in_source(graph, index, name, base)?;
        let Some(table) = self.schemas[index].table else {
            return Some(own);
        };
        let key = self.key(graph, view, index);
        Some(graph.add(Node::Join {
            table,
            key,
            value: own,
        }))
    }

    /// The record's key for a joined source.
    pub fn key(&mut self, graph: &mut Graph, view: &View, index: usize) -> NodeId {
        let join = self.schemas[index]
            .source
            .join
            .clone()
            .unwrap_or_else(|| "sku".to_owned());
        let base = join
            .split_once('.')
            .map_or(join.as_str(), |(base, _)| base)
            .to_owned();
        let own = self.in_source(graph, 0, &join, &base);
        match own {
            Some(node) => node,
            None if join == "product_id" => self.known(graph, view, "product_id"),
            None => {
                let hint = nearest(&join, self.schemas[0].columns.iter().map(String::as_str))
                    .map_or_else(
                        || "map it in the master's [source.fields]".to_owned(),
                        |near| format!("did you mean `{near}`?"),
                    );
                self.problem(
                    0,
                    format!(
                        "the master has no column `{join}` to join source `{}` by",
                        self.schemas[index].source.name
                    ),
                    hint,
                );
                graph.add(Node::Absent)
            }
        }
    }

    fn problem(&mut self, index: usize, message: String, hint: String) {
        let source = self.schemas[index].source.name.clone();
        let problem = ColumnProblem {
            source,
            message,
            hint,
        };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// A column on a row of its own source: mapped, or of that name, read as what it holds, with its default.
    pub fn in_source(
        &mut self,
        graph: &mut Graph,
        index: usize,
        name: &str,
        base: &str,
    ) -> Option<NodeId> {
        let schema = &self.schemas[index];
        let mapping = schema.source.fields.get(name).cloned();
        let mapping = mapping.or_else(|| {
            schema
                .preset
                .and_then(|preset| preset.fields.get(name).cloned())
                .filter(|mapping| {
                    // A preset names columns that an export may lack.
                    mapping.contains("{{") || position(&schema.columns, mapping).is_some()
                })
        });
        let mut nodes = Vec::new();
        match mapping {
            Some(mapping) if mapping.contains("{{") => {
                nodes.push(self.template(graph, index, name, &mapping))
            }
            Some(mapping) => match position(&self.schemas[index].columns, &mapping) {
                Some(column) => nodes.push(graph.add(Node::Raw(column))),
                None => {
                    let hint = near(
                        &mapping,
                        self.schemas[index].columns.iter().map(String::as_str),
                    );
                    let hint = hint.unwrap_or_else(|| {
                        format!("its columns are {}", listed(&self.schemas[index].columns))
                    });
                    self.problem(
                        index,
                        format!(
                            "source `{}` has no column `{mapping}` for `{name}`",
                            self.schemas[index].source.name
                        ),
                        hint,
                    );
                }
            },
            None => {
                let exact = position(&schema.columns, name);
                nodes.extend(exact.map(|column| graph.add(Node::Raw(column))));
                if nodes.is_empty() {
                    nodes.extend(self.named(graph, index, name));
                }
            }
        }
        let node = nodes
            .pop()
            .map(|node| self.read(graph, index, name, base, node));
        let default = self.schemas[index].source.defaults.get(name).cloned();
        match (node, default) {
            (node, Some(default)) => {
                let default = graph.text(&default);
                let default = self.read(graph, index, name, base, default);
                Some(graph.first(node.into_iter().chain([default]).collect()))
            }
            (node, None) => node,
        }
    }

    /// A column that stands among options or params by its name in some language, where the layout says so.
    fn named(&mut self, graph: &mut Graph, index: usize, name: &str) -> Option<NodeId> {
        let preset = self.schemas[index].preset?;
        if !preset.named.iter().any(|named| named == name) {
            return None;
        }
        let words = crate::catalog::words::of(name);
        let helper = crate::helper::HELPERS
            .iter()
            .position(|helper| helper.name == "pick")
            .and_then(|at| u16::try_from(at).ok())?;
        let mut found = Vec::new();
        for list in ["options", "params"] {
            if let Some(list) = self.in_source(graph, index, list, list) {
                let arguments: Vec<NodeId> = std::iter::once(list)
                    .chain(words.iter().map(|word| graph.text(word)))
                    .collect();
                found.push(graph.add(Node::Helper {
                    helper,
                    view: 0,
                    positional: arguments.into(),
                    named: [].into(),
                }));
            }
        }
        (!found.is_empty()).then(|| graph.first(found))
    }

    /// Reads a cell as what the column holds.
    fn read(
        &mut self,
        graph: &mut Graph,
        index: usize,
        name: &str,
        base: &str,
        node: NodeId,
    ) -> NodeId {
        let Some(column) = columns::find(base) else {
            return node;
        };
        if matches!(column.kind, Kind::Text | Kind::Identifier) {
            return graph.add(Node::Trim(node));
        }
        let schema = &self.schemas[index];
        let preset = schema.preset;
        let locale = schema
            .source
            .locale
            .clone()
            .or_else(|| preset.and_then(|preset| preset.locale.clone()));
        let language = schema
            .source
            .language
            .as_deref()
            .unwrap_or(&self.shop.language);
        let zone = schema
            .source
            .timezone
            .as_deref()
            .unwrap_or(&self.shop.timezone);
        let unit = match column.kind {
            Kind::Weight => Some(
                preset
                    .and_then(|preset| preset.weight_unit.as_deref())
                    .unwrap_or(&self.shop.units.weight),
            ),
            Kind::Length => Some(self.shop.units.length.as_str()),
            _ => None,
        };
        let currency = match name.split_once('.') {
            Some((_, marked)) if column.kind == Kind::Money => marked.to_owned(),
            _ => schema
                .source
                .currency
                .clone()
                .unwrap_or_else(|| self.shop.currency.clone()),
        };
        let reading =
            graph.reading(Reading {
                column: name.to_owned(),
                shown: match graph.node(node) {
                    Node::Raw(raw) => schema.columns[*raw as usize].clone(),
                    _ => name.to_owned(),
                },
                kind: column.kind,
                numbers: locale.as_deref().and_then(NumberLocale::from_tag),
                dates: locale.as_deref().and_then(DateOrder::from_tag),
                currency,
                zone: jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC),
                thai: language.starts_with("th"),
                unit: unit.and_then(crate::model::measure::unit),
                separator: schema.source.separator.clone().or_else(|| {
                    preset.and_then(|preset| preset.separators.get(column.name).cloned())
                }),
            });
        graph.add(Node::Read {
            reading,
            input: node,
        })
    }

    /// A mapping over a source's own columns.
    pub fn template(
        &mut self,
        graph: &mut Graph,
        index: usize,
        name: &str,
        mapping: &str,
    ) -> NodeId {
        let schemas = self.schemas;
        let columns = &schemas[index].columns;
        let lenient = schemas[index].preset.is_some_and(|preset| {
            !schemas[index].source.fields.contains_key(name) && preset.has(mapping)
        });
        let mut names = SourceNames {
            columns,
            shop: self.shop,
            lenient,
        };
        let template = match parse(mapping) {
            Ok(template) => template,
            Err(problem) => {
                self.problem(
                    index,
                    format!(
                        "the mapping of `{name}` does not parse: {}",
                        problem.message
                    ),
                    problem.hint,
                );
                return graph.add(Node::Absent);
            }
        };
        let partials = std::collections::HashMap::new();
        let mut lowering = Lowering::new(
            graph,
            self.fallbacks,
            &mut names,
            &partials,
            Escape::None,
            0,
            &[Level::Item],
        );
        let node = lowering.text(&template);
        let problems = std::mem::take(&mut lowering.problems);
        drop(lowering);
        for problem in problems {
            self.problem(
                index,
                format!("the mapping of `{name}`: {}", problem.message),
                problem.hint,
            );
        }
        node
    }
}

fn listed(columns: &[String]) -> String {
    let shown: Vec<String> = columns
        .iter()
        .take(30)
        .map(|column| format!("`{column}`"))
        .collect();
    let more = columns.len().saturating_sub(30);
    if more > 0 {
        format!("{} and {more} more", shown.join(", "))
    } else {
        shown.join(", ")
    }
}

/// The names a source mapping sees: the source's own columns.
struct SourceNames<'c> {
    columns: &'c [String],
    shop: &'c Shop,
    /// A preset names columns that an export may lack.
    lenient: bool,
}

impl Names for SourceNames<'_> {
    fn resolve(
        &mut self,
        graph: &mut Graph,
        _: Level,
        path: &[String],
    ) -> Result<NodeId, (String, String)> {
        // A column's own name may have dots in it.
        let name = path.join(".");
        let stripped = name.strip_prefix("catalog.").unwrap_or(&name);
        match position(self.columns, &name).or_else(|| position(self.columns, stripped)) {
            Some(column) => {
                let raw = graph.add(Node::Raw(column));
                Ok(graph.add(Node::Trim(raw)))
            }
            // What the shop is, and the columns of the row that stands for the product.
            None if path.len() == 2 && path[0] == "shop" => match path[1].as_str() {
                "url" => Ok(graph.text(self.shop.url.trim_end_matches('/'))),
                "name" => Ok(graph.text(&self.shop.name)),
                "currency" => Ok(graph.text(&self.shop.currency)),
                other => Err((
                    format!("there is no `shop.{other}`"),
                    "the shop's names are `shop.url`, `shop.name` and `shop.currency`".to_owned(),
                )),
            },
            None if path.len() > 1 && path[0] == "product" => {
                let own = match position(self.columns, &path[1..].join(".")) {
                    Some(column) => {
                        let raw = graph.add(Node::Raw(column));
                        graph.add(Node::Trim(raw))
                    }
                    None if self.lenient => graph.add(Node::Absent),
                    None => {
                        return Err((
                            format!("there is no column `{}`", path[1..].join(".")),
                            format!("the columns are {}", listed(self.columns)),
                        ));
                    }
                };
                Ok(graph.add(Node::OfProduct(own)))
            }
            None if self.lenient => Ok(graph.add(Node::Absent)),
            None => Err((
                format!("there is no column `{name}`"),
                near(&name, self.columns.iter().map(String::as_str)).unwrap_or_else(|| {
                    format!(
                        "a name with spaces is written `[{name}]`; the columns are {}",
                        listed(self.columns)
                    )
                }),
            )),
        }
    }
}
