//! Which units an online location may sell: the formulas of the project's syncs, compiled.

use indexmap::IndexMap;

use crate::config::ConfigError;
use crate::config::project::{Basis, Feed, Project, Role};
use crate::config::sync::{Locations, Sync};
use crate::program::Formula;
use crate::program::columns::{Columns, View};
use crate::program::condition;
use crate::program::graph::{Graph, Node, NodeId};
use crate::program::names::{CatalogNames, Constants};
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
        let kept = match basis {
            Basis::Salable => Vec::new(),
            Basis::OnHand | Basis::Available => keep(sync, project, path, columns, graph, errors),
        };
        columns.keep.push(kept);
        made.push(Some(Formula {
            table: columns.schemas[index].table.unwrap_or(0),
            quantity,
            committed,
            location,
            locations: sync
                .locations
                .as_ref()
                .map(Locations::numbered)
                .unwrap_or_default(),
            safety_stock,
            safety_stock_column: column,
            offer: sync.offer(i64::MAX),
        }));
    }
    made
}

/// What `[[sync.keep]]` keeps back: conditions on a product in the shop's language, and units.
fn keep(
    sync: &Sync,
    project: &Project,
    path: &str,
    columns: &mut Columns<'_>,
    graph: &mut Graph,
    errors: &mut Vec<ConfigError>,
) -> Vec<(NodeId, i64)> {
    let view = View {
        language: project.shop.language.clone(),
        currency: project.shop.currency.clone(),
        ..View::default()
    };
    let constants = Constants {
        shop: &project.shop,
        feed: "",
        channel: "",
        language: &view.language,
        currency: &view.currency,
        settings: &IndexMap::new(),
        now: "",
    };
    let mut made = Vec::new();
    for (number, keep) in sync.keep.iter().enumerate() {
        let mut names = CatalogNames {
            columns: &mut *columns,
            view: &view,
            constants: &constants,
            mapped: None,
        };
        match condition::compile(&keep.filter, graph, &mut names) {
            Ok(condition) => made.push((condition, keep.units)),
            Err((message, hint)) => errors.push(ConfigError::new(
                path,
                format!(
                    "sync `{}`, [[sync.keep]] number {}, `where`: {message}",
                    sync.name,
                    number + 1
                ),
                hint,
            )),
        }
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
