//! What the catalog holds: each source's columns as we read them and as they stand, how full they are, with examples.
//!
//! Every source is read once, by itself: nothing is joined, inherited or withheld.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use bumpalo::Bump;

use crate::catalog::Batch;
use crate::catalog::columns::{COLUMNS, Kind};
use crate::catalog::open::FileNames;
use crate::config::{ConfigError, Project};
use crate::helper::HelperContext;
use crate::helper::crate_adapter::OwnedContext;
use crate::model::value::Value;
use crate::program::Tables;
use crate::program::columns::Columns;
use crate::program::decimal;
use crate::program::evaluate::{Evaluator, Product};
use crate::program::graph::{Graph, NodeId};

use super::Failure;
use super::mapping::mappings;
use super::program::open_sources;

/// How many examples of a column are kept.
const EXAMPLES: usize = 2;
/// How many characters of an example are kept.
const SHOWN: usize = 40;

/// A source and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surveyed {
    /// The source's name.
    pub source: String,
    /// Where it is read from.
    pub place: String,
    /// Its rows.
    pub rows: u64,
    /// Our columns that it gives, in the vocabulary's order.
    pub ours: Vec<Column>,
    /// Its own columns, in its order, under their own names.
    pub own: Vec<Column>,
}

/// One column of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds, such as `money` or `list`.
    pub kind: &'static str,
    /// How it is got, where it is mapped.
    pub mapping: String,
    /// Rows that have a value.
    pub filled: u64,
    /// Rows whose cell could not be read as what the column holds.
    pub misread: u64,
    /// The first values that differ.
    pub examples: Vec<String>,
}

impl Column {
    fn take(&mut self, text: &str) {
        self.filled += 1;
        if self.examples.len() < EXAMPLES {
            let short = shortened(text);
            if !self.examples.contains(&short) {
                self.examples.push(short);
            }
        }
    }
}

/// A value on one line, its beginning.
fn shortened(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = words.chars().take(SHOWN).collect();
    if words.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}

/// The word for what a column holds.
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Identifier => "identifier",
        Kind::Money => "money",
        Kind::Decimal => "decimal",
        Kind::Quantity => "quantity",
        Kind::Gtin => "gtin",
        Kind::Availability => "availability",
        Kind::Condition => "condition",
        Kind::Gender => "gender",
        Kind::AgeGroup => "age group",
        Kind::Start | Kind::End => "date",
        Kind::Weight => "weight",
        Kind::Length => "length",
        Kind::List => "list",
        Kind::Levels => "levels",
        Kind::Pairs => "pairs",
    }
}

/// Reads every source and counts.
///
/// # Errors
/// Sources that cannot be read, mappings that are wrong.
pub fn survey(project: &Project) -> Result<Vec<Surveyed>, Failure> {
    let path = project.folder.join("shelfcast.toml").display().to_string();
    let mut files = FileNames::default();
    let (schemas, readers) = open_sources(project, &path, &mut files)?;
    let mut graph = Graph::default();
    let mut fallbacks = Vec::new();
    let mut columns = Columns {
        schemas: &schemas,
        shop: &project.shop,
        fallbacks: &mut fallbacks,
        problems: Vec::new(),
        translated: BTreeMap::new(),
        keep: Vec::new(),
    };
    let mut nodes: Vec<Vec<(Column, NodeId)>> = Vec::new();
    for (index, schema) in schemas.iter().enumerate() {
        let mut names: Vec<(String, &str, Kind)> = COLUMNS
            .iter()
            .map(|column| (column.name.to_owned(), column.name, column.kind))
            .collect();
        // Columns in a language or currency, such as `title.pl`.
        let marked = schema
            .columns
            .iter()
            .chain(schema.source.fields.keys())
            .filter_map(|name| {
                let base = name.split_once('.')?.0;
                COLUMNS
                    .iter()
                    .find(|column| column.name == base)
                    .map(|column| (name.clone(), column.name, column.kind))
            });
        names.extend(marked);
        let mut found = Vec::new();
        for (name, base, of) in names {
            if let Some(node) = columns.in_source(&mut graph, index, &name, base) {
                let preset = schema
                    .preset
                    .and_then(|preset| preset.fields.get(&name).cloned());
                let mapping = schema
                    .source
                    .fields
                    .get(&name)
                    .cloned()
                    .or(preset)
                    .unwrap_or_default();
                found.push((
                    Column {
                        name,
                        kind: kind(of),
                        mapping,
                        ..Column::default()
                    },
                    node,
                ));
            }
        }
        nodes.push(found);
    }
    let problems: Vec<ConfigError> = columns
        .problems
        .drain(..)
        .map(|problem| ConfigError::new(path.as_str(), problem.message, problem.hint))
        .collect();
    drop(columns);
    if !problems.is_empty() {
        return Err(Failure::Configuration(problems));
    }
    let mappings = Arc::new(mappings(&graph, project, &path)?);
    let shop = &project.shop;
    for fallback in &mut fallbacks {
        fallback.prepare(Arc::new(OwnedContext {
            currency: shop.currency.clone(),
            language: shop.language.clone(),
            timezone: shop.timezone.clone(),
            weight_unit: shop.units.weight.clone(),
            length_unit: shop.units.length.clone(),
            tables: Arc::clone(&mappings),
            unmatched: std::sync::Mutex::default(),
        }));
    }
    let tables = Tables {
        fallbacks,
        ..Tables::default()
    };
    let mut surveyed = Vec::new();
    for ((schema, mut reader), mut ours) in schemas.iter().zip(readers).zip(nodes) {
        let mut own: Vec<Column> = schema
            .columns
            .iter()
            .map(|name| Column {
                name: name.clone(),
                ..Column::default()
            })
            .collect();
        let mut looks: Vec<Looks> = vec![Looks::default(); own.len()];
        let mut rows = 0;
        loop {
            let mut batch = Batch::default();
            if !reader.read(&mut batch)? {
                break;
            }
            rows += batch.len() as u64;
            for (index, column) in own.iter_mut().enumerate() {
                for row in 0..batch.len() {
                    let text = batch.cell(row, place_of(&batch, index)).trim();
                    if !text.is_empty() {
                        looks[index].take(text);
                        column.take(text);
                    }
                }
            }
            let arena = Bump::new();
            let unmatched = RefCell::default();
            let contexts = [HelperContext {
                arena: &arena,
                currency: &shop.currency,
                language: &shop.language,
                timezone: &shop.timezone,
                weight_unit: &shop.units.weight,
                length_unit: &shop.units.length,
                tables: &mappings,
                unmatched: &unmatched,
            }];
            let run = Evaluator::new(&graph, &tables, &contexts, &arena, &batch, 0);
            for row in 0..batch.len() {
                run.select(row, Product::default());
                for (column, node) in &mut ours {
                    match run.value(*node) {
                        Ok(Value::Absent) => {}
                        Ok(Value::Bool(yes)) => column.take(if yes { "true" } else { "false" }),
                        Ok(Value::Text(text)) => column.take(text),
                        Ok(list) => {
                            let all: Vec<String> = list
                                .elements()
                                .map(|element| element.replace(crate::model::value::PAIR, ": "))
                                .collect();
                            column.take(&all.join(" | "));
                        }
                        Err(_) => column.misread += 1,
                    }
                }
            }
        }
        for (column, looks) in own.iter_mut().zip(&looks) {
            column.kind = looks.kind(column.filled);
        }
        let place = schema
            .source
            .path
            .clone()
            .unwrap_or_else(|| "database".to_owned());
        let ours = ours.into_iter().map(|(column, _)| column).collect();
        surveyed.push(Surveyed {
            source: schema.source.name.clone(),
            place,
            rows,
            ours,
            own,
        });
    }
    Ok(surveyed)
}

/// Where a source's column lies in this file's records; out of reach where the file lacks it.
fn place_of(batch: &Batch, column: usize) -> usize {
    if batch.order.is_empty() {
        column
    } else {
        batch
            .order
            .get(column)
            .map_or(usize::MAX, |&place| place as usize)
    }
}

/// What all values of a column look like.
#[derive(Clone, Copy, Debug, Default)]
struct Looks {
    numbers: u64,
    addresses: u64,
}

impl Looks {
    fn take(&mut self, text: &str) {
        self.numbers += u64::from(decimal::parse(text).is_some());
        self.addresses += u64::from(text.starts_with("https://") || text.starts_with("http://"));
    }

    fn kind(self, filled: u64) -> &'static str {
        match filled {
            0 => "empty",
            all if all == self.numbers => "number",
            all if all == self.addresses => "url",
            _ => "text",
        }
    }
}
