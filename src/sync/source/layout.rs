//! Where a source's rows say what a sync asks of them: our columns, found by mapping, preset or name.
//!
//! Comes in: the columns of an opened source, and what the project says of it. Goes out: the texts of each row's cells that
//! a sync reads. A column that must be there and is not is an error that names it, never zeros.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use bumpalo::Bump;

use crate::catalog::preset::Preset;
use crate::catalog::{Batch, SourceError, SourceProblem};
use crate::config::Project;
use crate::config::project::Source;
use crate::helper::crate_adapter::OwnedContext;
use crate::helper::{HelperContext, map};
use crate::pipeline::mapping::mappings;
use crate::program::Tables;
use crate::program::columns::{Columns, Schema, position};
use crate::program::evaluate::Evaluator;
use crate::program::graph::{Graph, Node, NodeId};
use crate::program::nearest::near;
use crate::sync::planted;

/// Cells that a sync may ask of a row, in the order of [`Row`].
pub(super) const CELLS: usize = 8;

/// The texts of a row's cells, trimmed; empty where there is nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row<'a> {
    pub(super) sku: &'a str,
    pub(super) location: &'a str,
    pub(super) quantity: &'a str,
    pub(super) committed: &'a str,
    pub(super) safety_stock: &'a str,
    pub(super) order: &'a str,
    pub(super) tie: &'a str,
    pub(super) cursor: &'a str,
    /// Line or record number.
    pub(super) line: u64,
    /// The file's number.
    pub(super) file: u32,
    /// The batch's column of the database's clock.
    pub(super) now: &'a str,
}

/// What a sync asks of a source.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Asked {
    /// The column of the count, ours.
    pub(super) quantity: &'static str,
    /// Whether units promised to orders are asked for.
    pub(super) committed: bool,
    /// The column of the safety stock, which must then be there; otherwise `safety_stock` is taken where it is.
    pub(super) safety_stock: Option<String>,
    /// Whether a safety stock counts at all.
    pub(super) safety: bool,
    /// The column of the order mark; where it may be absent, `updated_at`.
    pub(super) order: Option<String>,
    /// The column that parts equal marks.
    pub(super) tie: Option<String>,
    /// The cursor's column.
    pub(super) cursor: Option<String>,
}

/// Name of the column that a cursor's query adds: the database's clock.
pub(super) const NOW: &str = "shelfcast_now";

/// Where a cell is.
#[derive(Clone, Copy, Debug)]
enum Place {
    Nowhere,
    /// The source's column, by number.
    Cell(u32),
    /// A value that is computed.
    Made(NodeId),
}

/// Where the cells of one opened source are.
pub(super) struct Layout {
    graph: Graph,
    tables: Tables,
    mappings: Arc<BTreeMap<String, map::Table>>,
    shop: crate::config::project::Shop,
    places: [Place; CELLS],
    now: Option<u32>,
    made: bool,
    /// Which of the columns that may be absent are there.
    pub(super) optional: String,
}

impl Layout {
    /// Finds the columns.
    ///
    /// # Errors
    /// A column that must be there and is not; a mapping that cannot be.
    pub(super) fn find(
        project: &Project,
        source: &Source,
        preset: Option<&'static Preset>,
        columns: &[String],
        asked: &Asked,
    ) -> Result<Self, SourceError> {
        let schemas = [Schema {
            source: source.clone(),
            preset,
            columns: columns.to_vec(),
            table: None,
        }];
        let mut graph = Graph::default();
        let mut fallbacks = Vec::new();
        let mut resolved = Columns {
            schemas: &schemas,
            shop: &project.shop,
            fallbacks: &mut fallbacks,
            problems: Vec::new(),
            translated: BTreeMap::new(),
            keep: Vec::new(),
        };
        let wrong = |message: String, hint: String| {
            SourceError::new(
                SourceProblem::Configuration,
                format!("source `{}`", source.name),
                message,
            )
            .hint(hint)
        };
        let listed = || {
            let shown: Vec<String> = columns
                .iter()
                .filter(|column| *column != NOW)
                .take(30)
                .map(|column| format!("`{column}`"))
                .collect();
            format!("its columns are {}", shown.join(", "))
        };
        let missing = |name: &str, what: &str| {
            let near = near(name, columns.iter().map(String::as_str));
            let near = near.map_or_else(listed, |near| format!("{near} {}", listed()));
            wrong(
                format!("there is no column `{name}`, {what}"),
                format!("map it: [source.fields] {name} = \"its column\"; {near}"),
            )
        };
        // Read as text: what a cell means to a sync is decided cell by cell.
        let mut place = |graph: &mut Graph, name: &str| {
            let node = resolved.in_source(graph, 0, name, "");
            if let Some(problem) = resolved.problems.pop() {
                return Err(wrong(problem.message, problem.hint));
            }
            Ok(node.map_or(Place::Nowhere, |node| placed(graph, node)))
        };
        let sku = place(&mut graph, "sku")?;
        if matches!(sku, Place::Nowhere) {
            return Err(missing("sku", "which says what a row counts"));
        }
        let mut quantity = place(&mut graph, asked.quantity)?;
        if matches!(quantity, Place::Nowhere) {
            if !planted::is("missing column as 0") {
                return Err(missing(
                    asked.quantity,
                    "which the source's `basis` names as its count",
                ));
            }
            let zero = graph.text("0");
            quantity = Place::Made(zero);
        }
        let mut optional = String::new();
        let location = place(&mut graph, "location")?;
        let committed = match asked.committed {
            true => place(&mut graph, "committed")?,
            false => Place::Nowhere,
        };
        let safety_stock = match (&asked.safety_stock, asked.safety) {
            (_, false) => Place::Nowhere,
            (None, true) => place(&mut graph, "safety_stock")?,
            (Some(name), true) => match place(&mut graph, name)? {
                Place::Nowhere => {
                    return Err(missing(name, "which the sync's `safety_stock` names"));
                }
                found => found,
            },
        };
        let mut must = |graph: &mut Graph, name: &Option<String>, what: &str| match name {
            None => Ok(Place::Nowhere),
            Some(name) => match place(graph, name)? {
                Place::Nowhere => Err(missing(name, what)),
                found => Ok(found),
            },
        };
        let order = must(&mut graph, &asked.order, "which `order` or `cursor` names")?;
        let tie = must(&mut graph, &asked.tie, "which `tie` names")?;
        let cursor = must(&mut graph, &asked.cursor, "which `cursor` names")?;
        let order = match (&asked.order, order) {
            (None, _) => place(&mut graph, "updated_at")?,
            (Some(_), order) => order,
        };
        for (letter, place) in [
            ("l", location),
            ("c", committed),
            ("s", safety_stock),
            ("o", order),
        ] {
            if !matches!(place, Place::Nowhere) {
                optional.push_str(letter);
            }
        }
        let path = project.folder.join("shelfcast.toml").display().to_string();
        let mappings = mappings(&graph, project, &path).map_err(|failure| {
            let (message, hint) = failure.messages().into_iter().next().unwrap_or_default();
            wrong(message, hint)
        })?;
        let mappings = Arc::new(mappings);
        for fallback in &mut fallbacks {
            fallback.prepare(Arc::new(OwnedContext {
                currency: project.shop.currency.clone(),
                language: project.shop.language.clone(),
                timezone: project.shop.timezone.clone(),
                weight_unit: project.shop.units.weight.clone(),
                length_unit: project.shop.units.length.clone(),
                tables: Arc::clone(&mappings),
                unmatched: std::sync::Mutex::default(),
            }));
        }
        let places = [
            sku,
            location,
            quantity,
            committed,
            safety_stock,
            order,
            tie,
            cursor,
        ];
        Ok(Layout {
            made: places.iter().any(|place| matches!(place, Place::Made(_))),
            graph,
            tables: Tables {
                fallbacks,
                ..Tables::default()
            },
            mappings,
            shop: project.shop.clone(),
            places,
            now: position(columns, NOW),
            optional,
        })
    }

    /// Calls `tell` with each row of a batch, until it fails.
    pub(super) fn rows<E>(
        &self,
        batch: &Batch,
        tell: &mut dyn FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let arena = Bump::new();
        let unmatched = RefCell::default();
        let contexts = [HelperContext {
            arena: &arena,
            currency: &self.shop.currency,
            language: &self.shop.language,
            timezone: &self.shop.timezone,
            weight_unit: &self.shop.units.weight,
            length_unit: &self.shop.units.length,
            tables: &self.mappings,
            unmatched: &unmatched,
        }];
        let run = self
            .made
            .then(|| Evaluator::new(&self.graph, &self.tables, &contexts, &arena, batch, 0));
        let cell = |row: usize, column: u32| {
            let column = match batch.order.get(column as usize) {
                Some(column) => *column,
                None if batch.order.is_empty() => column,
                None => u32::MAX,
            };
            batch.cell(row, column as usize).trim()
        };
        for row in 0..batch.len() {
            if let Some(run) = &run {
                run.select(row, Default::default());
            }
            let text = |place: Place| match (place, &run) {
                (Place::Cell(column), _) => cell(row, column),
                (Place::Made(node), Some(run)) => run.text(node).unwrap_or("").trim(),
                _ => "",
            };
            let [
                sku,
                location,
                quantity,
                committed,
                safety_stock,
                order,
                tie,
                cursor,
            ] = self.places.map(text);
            tell(&Row {
                sku,
                location,
                quantity,
                committed,
                safety_stock,
                order,
                tie,
                cursor,
                line: batch.line(row),
                file: batch.file_of(row),
                now: self.now.map_or("", |column| cell(row, column)),
            })?;
        }
        Ok(())
    }
}

/// A cell that is taken as it stands needs no graph.
fn placed(graph: &Graph, node: NodeId) -> Place {
    match graph.node(node) {
        Node::Absent => Place::Nowhere,
        Node::Raw(column) => Place::Cell(*column),
        Node::Trim(inner) => match graph.node(*inner) {
            Node::Raw(column) => Place::Cell(*column),
            _ => Place::Made(node),
        },
        _ => Place::Made(node),
    }
}
