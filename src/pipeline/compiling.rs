//! A project's feeds, lowered into one graph over the columns of its opened sources.

use std::collections::BTreeMap;

use crate::channel::{self, Channel};
use crate::config::ConfigError;
use crate::config::project::{Feed, Project};
use crate::program::attribute::shared;
use crate::program::columns::{Columns, Schema, View, position};
use crate::program::compile::{self, Surroundings};
use crate::program::fallback::Fallback;
use crate::program::feed::FeedProgram;
use crate::program::graph::{Graph, Node, NodeId};
use crate::program::logged::LogProgram;
use crate::program::nearest::near;
use crate::program::repeat::Watched;
use crate::program::{Location, Tables};

use super::Failure;
use super::formula::{formula_of, formulas};
use super::program::Wanted;

/// A project while its feeds are compiled.
pub(super) struct Compiling<'p> {
    pub(super) project: &'p Project,
    pub(super) path: &'p str,
    pub(super) graph: Graph,
    pub(super) tables: Tables,
    pub(super) fallbacks: Vec<Fallback>,
    pub(super) views: Vec<(String, String)>,
}

/// What came of it.
pub(super) struct Compiled {
    pub(super) feeds: Vec<FeedProgram>,
    pub(super) channels: Vec<Channel>,
    pub(super) sku: NodeId,
    pub(super) role: Option<NodeId>,
    pub(super) keys: (Option<NodeId>, Option<NodeId>),
    pub(super) joins: Vec<(u32, NodeId)>,
    /// The key of each joined source's own rows.
    pub(super) table_keys: Vec<NodeId>,
    pub(super) slots: u32,
    pub(super) every_cell: Vec<NodeId>,
    pub(super) watched: Watched,
}

impl Compiling<'_> {
    pub(super) fn feeds(
        &mut self,
        schemas: &[Schema],
        feeds: &[&Feed],
        locations: &[Location],
        now: &str,
        wanted: &Wanted<'_>,
    ) -> Result<Compiled, Failure> {
        let project = self.project;
        let mut fallbacks = std::mem::take(&mut self.fallbacks);
        let mut columns = Columns {
            schemas,
            shop: &project.shop,
            fallbacks: &mut fallbacks,
            problems: Vec::new(),
            translated: BTreeMap::new(),
            keep: Vec::new(),
        };
        let graph = &mut self.graph;
        self.views
            .push((project.shop.currency.clone(), project.shop.language.clone()));
        let plain = View {
            language: project.shop.language.clone(),
            currency: project.shop.currency.clone(),
            ..View::default()
        };
        let mut errors: Vec<ConfigError> = Vec::new();
        let sku = columns
            .column(graph, &plain, "sku")
            .unwrap_or_else(|| graph.add(Node::Absent));
        if matches!(graph.node(sku), Node::Absent) {
            errors.push(ConfigError::new(
                self.path,
                format!("source `{}` has no `sku`", schemas[0].source.name),
                "map it in [source.fields]: sku = \"its column\", or make one: sku = \"{{hash url 12}}\"",
            ));
        }
        let preset = schemas[0].preset;
        let template = |columns: &mut Columns<'_>,
                        graph: &mut Graph,
                        source: Option<&String>,
                        what: &str| {
            source.map(|source| {
                if source.contains("{{") {
                    columns.template(graph, 0, what, source)
                } else {
                    graph.add(position(&schemas[0].columns, source).map_or(Node::Absent, Node::Raw))
                }
            })
        };
        let role = template(
            &mut columns,
            graph,
            preset.and_then(|preset| preset.role.as_ref()),
            "role",
        );
        let aliases = template(
            &mut columns,
            graph,
            preset.and_then(|preset| preset.aliases.as_ref()),
            "aliases",
        );
        let key = template(
            &mut columns,
            graph,
            preset.and_then(|preset| preset.key.as_ref()),
            "key",
        );
        let key = key.or_else(|| columns.in_source(graph, 0, "product_id", "product_id"));
        let mut joins = Vec::new();
        let mut table_keys = Vec::new();
        for (index, schema) in schemas.iter().enumerate() {
            let Some(table) = schema.table else { continue };
            let join = schema
                .source
                .join
                .clone()
                .unwrap_or_else(|| "sku".to_owned());
            let base = join
                .split_once('.')
                .map_or(join.as_str(), |(base, _)| base)
                .to_owned();
            match columns.in_source(graph, index, &join, &base) {
                Some(own) => table_keys.push(own),
                None => {
                    let hint = near(&join, schema.columns.iter().map(String::as_str));
                    errors.push(ConfigError::new(
                        self.path,
                        format!(
                            "source `{}` has no column `{join}` to join by",
                            schema.source.name
                        ),
                        hint.unwrap_or_else(|| {
                            format!("map it: [source.fields] {join} = \"its column\"")
                        }),
                    ));
                    table_keys.push(graph.add(Node::Absent));
                }
            }
            let key = columns.key(graph, &plain, index);
            joins.push((table, key));
        }
        if let Some(index) = columns.stock_source() {
            self.tables.stock_location = columns.in_source(graph, index, "location", "location");
        }
        let formulas = formulas(project, self.path, &mut columns, graph, &mut errors);
        let mut compiled = Compiled {
            feeds: Vec::new(),
            channels: Vec::new(),
            sku,
            role,
            keys: (key, aliases),
            joins,
            table_keys,
            slots: 0,
            watched: Watched::default(),
            every_cell: Vec::new(),
        };
        if wanted.every_cell {
            compiled.every_cell = every_column(&mut columns, graph, &plain);
        }
        let around = Surroundings {
            shop: &project.shop,
            locations,
            now,
            project_path: self.path,
        };
        for feed in feeds {
            let channel = match channel::load(Some(&project.folder), &feed.channel) {
                Ok(channel) => channel,
                Err(error) => {
                    errors.push(error);
                    continue;
                }
            };
            let language = feed
                .language
                .clone()
                .unwrap_or_else(|| project.shop.language.clone());
            let currency = feed
                .currency
                .clone()
                .unwrap_or_else(|| project.shop.currency.clone());
            let pair = (currency.clone(), language.clone());
            let number = self
                .views
                .iter()
                .position(|view| *view == pair)
                .unwrap_or_else(|| {
                    self.views.push(pair);
                    self.views.len() - 1
                });
            let view = View {
                number: u16::try_from(number).expect("few views"),
                language,
                fallback: feed.fallback.clone(),
                currency,
                locations: feed.locations.clone(),
                formula: formula_of(feed, project, &formulas, self.path, &mut errors),
                stock_rows: channel.manifest.records == crate::channel::manifest::Records::Stock,
                per_location: false,
                prices: channel.manifest.prices,
            };
            match compile::feed(
                graph,
                &mut columns,
                feed,
                &channel,
                view,
                &mut compiled.slots,
                &around,
            ) {
                Ok(mut program) => {
                    if wanted.log {
                        program.log = Some(LogProgram::new(
                            graph,
                            &mut columns,
                            &program.view,
                            &channel.manifest,
                            &program.attributes,
                        ));
                    }
                    compiled.feeds.push(program);
                    compiled.channels.push(channel);
                }
                Err(wrong) => errors.extend(wrong),
            }
        }
        for problem in std::mem::take(&mut columns.problems) {
            errors.push(ConfigError::new(self.path, problem.message, problem.hint));
        }
        drop(columns);
        self.fallbacks = fallbacks;
        self.tables.formulas = formulas.into_iter().flatten().collect();
        compiled.watched = Watched::by(&mut compiled.feeds, graph);
        shared::group(&mut compiled.feeds, graph);
        if errors.is_empty() {
            Ok(compiled)
        } else {
            Err(Failure::Configuration(errors))
        }
    }
}

/// All columns of the vocabulary whose cells are read as something, in every language and currency that the sources mark.
fn every_column(columns: &mut Columns<'_>, graph: &mut Graph, plain: &View) -> Vec<NodeId> {
    use crate::catalog::columns::{COLUMNS, Kind, find};
    let mut names: Vec<String> = COLUMNS
        .iter()
        .filter(|column| !matches!(column.kind, Kind::Text | Kind::Identifier))
        .map(|column| column.name.to_owned())
        .collect();
    for schema in columns.schemas {
        for name in schema.columns.iter().chain(schema.source.fields.keys()) {
            let marked = name.split_once('.').and_then(|(base, _)| find(base));
            if marked.is_some_and(|column| column.kind == Kind::Money) && !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    let mut nodes: Vec<NodeId> = names
        .iter()
        .filter_map(|name| columns.column(graph, plain, name))
        .collect();
    nodes.retain(|&node| !matches!(graph.node(node), Node::Absent));
    nodes.dedup();
    nodes
}
