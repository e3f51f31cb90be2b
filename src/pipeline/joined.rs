//! Joined sources, read into their tables: keys computed, what is wrong with their rows told.

use std::cell::RefCell;
use std::collections::BTreeMap;

use bumpalo::Bump;

use crate::catalog::Batch;
use crate::catalog::open::{FileNames, SourceReader};
use crate::config::Project;
use crate::config::project::Role;
use crate::helper::HelperContext;
use crate::program::Tables;
use crate::program::columns::Schema;
use crate::program::evaluate::Evaluator;
use crate::program::graph::{Graph, Node, NodeId};
use crate::program::table::Table;
use crate::validate::finding::{Finding, Severity};

use super::{Failure, Observer};

/// Reads the joined sources into their tables.
#[allow(clippy::too_many_arguments)]
pub(super) fn load_tables(
    graph: &Graph,
    tables: &mut Tables,
    schemas: &[Schema],
    readers: Vec<SourceReader>,
    keys: &[NodeId],
    project: &Project,
    files: &FileNames,
    observer: &mut dyn Observer,
) -> Result<(), Failure> {
    let nothing = Tables::default();
    let mappings = BTreeMap::new();
    let unmatched = RefCell::default();
    for ((schema, mut reader), &key) in schemas.iter().skip(1).zip(readers).zip(keys) {
        let mut table = Table::new(&schema.source.name, reader.columns().to_vec());
        let one_to_one = schema.source.role.is_none();
        // A key with a condition takes some rows of the source on purpose.
        let join = schema.source.join.as_deref().unwrap_or("sku");
        let mapping = schema
            .source
            .fields
            .get(join)
            .or_else(|| schema.preset.and_then(|preset| preset.fields.get(join)));
        let picks_rows = mapping.is_some_and(|mapping| mapping.contains("{{#if"));
        loop {
            let mut batch = Batch::default();
            if !reader.read(&mut batch)? {
                break;
            }
            report_rejects(&mut batch, files, observer);
            let arena = Bump::new();
            let contexts = [HelperContext {
                arena: &arena,
                currency: &project.shop.currency,
                language: &project.shop.language,
                timezone: &project.shop.timezone,
                weight_unit: &project.shop.units.weight,
                length_unit: &project.shop.units.length,
                tables: &mappings,
                unmatched: &unmatched,
            }];
            let keys: Vec<Option<String>> = {
                let run = Evaluator::new(graph, &nothing, &contexts, &arena, &batch, 0);
                (0..batch.len())
                    .map(|row| {
                        run.select(row, Default::default());
                        run.text(key).map(str::to_owned)
                    })
                    .collect()
            };
            let join = schema
                .source
                .join
                .clone()
                .unwrap_or_else(|| "sku".to_owned());
            for (row, key) in keys.iter().enumerate() {
                if key.is_none() && !picks_rows {
                    observer.finding(&table_finding(
                        files,
                        &batch,
                        row,
                        "missing-key",
                        &join,
                        None,
                        "the row has no key to join by, and is left out".to_owned(),
                        "fill the column, or take the row out",
                    ));
                }
            }
            table.add(
                batch,
                keys.iter().map(Option::as_deref),
                |batch, row, key| {
                    if one_to_one {
                        observer.finding(&table_finding(
                            files,
                            batch,
                            row,
                            "duplicate-key",
                            &join,
                            Some(key),
                            format!(
                                "`{key}` stands a second time in source `{}`; the first row counts",
                                schema.source.name
                            ),
                            "keep one row a key",
                        ));
                    }
                },
            );
        }
        if schema.source.role == Some(Role::Stock) && !project.location.is_empty() {
            report_unknown_locations(
                graph,
                &table,
                tables.stock_location,
                project,
                files,
                observer,
            );
        }
        for remark in reader.take_remarks() {
            observer.remark(&remark);
        }
        let (keys, rows) = table.counts();
        observer.remark(&format!(
            "source `{}`: {rows} rows, {keys} keys, {:.1} MB in memory",
            schema.source.name,
            table.size_bytes() as f64 / 1e6
        ));
        tables.joined.push(table);
    }
    Ok(())
}

/// Stock rows at places that the project does not name, once a place.
fn report_unknown_locations(
    graph: &Graph,
    table: &Table,
    location: Option<NodeId>,
    project: &Project,
    files: &FileNames,
    observer: &mut dyn Observer,
) {
    let Some(Node::Trim(raw)) = location.map(|location| graph.node(location)) else {
        return;
    };
    let Node::Raw(column) = graph.node(*raw) else {
        return;
    };
    let mut unknown: BTreeMap<String, (u64, crate::program::table::RowId)> = BTreeMap::new();
    for row in table.rows() {
        let (batch, at) = table.row(row);
        let place = if batch.order.is_empty() {
            *column
        } else {
            batch.order[*column as usize]
        };
        let code = batch.cell(at, place as usize).trim();
        let known = project
            .location
            .iter()
            .any(|location| location.get("code").is_some_and(|known| known == code));
        if !known && !code.is_empty() {
            unknown.entry(code.to_owned()).or_insert((0, row)).0 += 1;
        }
    }
    for (code, (count, row)) in unknown {
        let (batch, at) = table.row(row);
        observer.finding(&table_finding(
            files,
            batch,
            at,
            "unknown-location",
            "location",
            None,
            format!("the project has no location `{code}`, and {count} stock rows are there"),
            "add a [[location]] with this code, or correct the rows",
        ));
    }
}

#[allow(clippy::too_many_arguments)]
fn table_finding(
    files: &FileNames,
    batch: &Batch,
    row: usize,
    rule: &'static str,
    column: &str,
    sku: Option<&str>,
    message: String,
    hint: &str,
) -> Finding {
    Finding {
        rule,
        severity: Severity::Warning,
        feed: None,
        sku: sku.map(str::to_owned),
        source: files.name(batch.file_of(row)).to_owned(),
        line: batch.line(row),
        column: column.to_owned(),
        message,
        hint: hint.to_owned(),
    }
}

/// Tells the records that could not be read; how many they were.
pub(super) fn report_rejects(
    batch: &mut Batch,
    files: &FileNames,
    observer: &mut dyn Observer,
) -> u64 {
    let file = batch.file;
    let rejects = std::mem::take(&mut batch.rejects);
    for reject in &rejects {
        observer.finding(&Finding {
            rule: reject.rule,
            severity: Severity::Error,
            feed: None,
            sku: None,
            source: files.name(file).to_owned(),
            line: reject.line,
            column: String::new(),
            message: reject.message.clone(),
            hint: reject.hint.clone(),
        });
    }
    rejects.len() as u64
}
