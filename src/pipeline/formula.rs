//! Which units an online location may sell: the formulas of the project's syncs, compiled.

use rust_decimal::Decimal;

use crate::config::ConfigError;
use crate::config::project::{Basis, Feed, Project, Role};
use crate::config::sync::{Locations, share};
use crate::program::Formula;
use crate::program::columns::Columns;
use crate::program::graph::{Graph, Node};
use crate::program::nearest::near;

/// The formula of each sync of the project, in order.
pub(super) fn formulas(
    project: &Project,
    path: &str,
    columns: &mut Columns<'_>,
    graph: &mut Graph,
    errors: &mut Vec<ConfigError>,
) -> Vec<Option<Formula>> {
    let mut made = Vec::new();
    for sync in &project.sync {
        let index = columns.schemas.iter().position(|schema| {
            schema.source.name == sync.from && schema.source.role == Some(Role::Stock)
        });
        let Some(index) = index else {
            errors.push(ConfigError::new(
                path,
                format!(
                    "sync `{}` reads from `{}`, which is no stock source",
                    sync.name, sync.from
                ),
                "name a [[source]] with `role = \"stock\"`",
            ));
            made.push(None);
            continue;
        };
        let basis = columns.schemas[index].source.basis.unwrap_or(Basis::OnHand);
        let quantity_name = match basis {
            Basis::OnHand => "on_hand",
            Basis::Available => "available",
            Basis::Salable => "salable",
        };
        let names = [quantity_name, "on_hand", "available", "salable"];
        let Some(quantity) = names
            .iter()
            .find_map(|name| columns.in_source(graph, index, name, name))
        else {
            errors.push(ConfigError::new(
                path,
                format!(
                    "stock source `{}` has no column `{quantity_name}`",
                    sync.from
                ),
                format!("map it: [source.fields] {quantity_name} = \"its column\""),
            ));
            made.push(None);
            continue;
        };
        let committed = if basis == Basis::OnHand {
            columns.in_source(graph, index, "committed", "committed")
        } else {
            None
        };
        let location = columns
            .in_source(graph, index, "location", "location")
            .unwrap_or_else(|| graph.add(Node::Absent));
        let (safety_stock, column) = match &sync.safety_stock {
            _ if basis == Basis::Salable => (0, None),
            None => (0, None),
            Some(toml::Value::Integer(units)) => (*units, None),
            Some(toml::Value::String(name)) => {
                (0, columns.in_source(graph, index, name, "safety_stock"))
            }
            Some(_) => (0, None),
        };
        let share = sync
            .share
            .as_deref()
            .and_then(share)
            .unwrap_or(Decimal::ONE);
        made.push(Some(Formula {
            table: columns.schemas[index].table.unwrap_or(0),
            quantity,
            committed,
            location,
            locations: sync
                .locations
                .as_ref()
                .map(Locations::codes)
                .unwrap_or_default(),
            safety_stock,
            safety_stock_column: column,
            share,
            minimum: sync.minimum.unwrap_or(0).max(0),
            maximum: sync.maximum.unwrap_or(i64::MAX),
        }));
    }
    made
}

pub(super) fn formula_of(
    feed: &Feed,
    project: &Project,
    formulas: &[Option<Formula>],
    path: &str,
    errors: &mut Vec<ConfigError>,
) -> Option<u32> {
    let wanted = match &feed.stock {
        Some(name) => {
            let found = project.sync.iter().position(|sync| sync.name == *name);
            if found.is_none() {
                let hint = near(name, project.sync.iter().map(|sync| sync.name.as_str()))
                    .unwrap_or_else(|| "add a [[sync]] of that name".to_owned());
                errors.push(ConfigError::new(
                    path,
                    format!("feed `{}`: there is no sync `{name}`", feed.name),
                    hint,
                ));
            }
            found?
        }
        None if project.sync.len() == 1 => 0,
        None => return None,
    };
    formulas.get(wanted)?.as_ref()?;
    u32::try_from(formulas.iter().take(wanted).flatten().count()).ok()
}
