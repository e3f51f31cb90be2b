//! The mapping tables that templates name: found in the compiled graph, read once.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::ConfigError;
use crate::config::Project;
use crate::helper::map;
use crate::program::graph::{Graph, Node, NodeId};

use super::Failure;

/// Loads the mapping tables that the graph's `map` nodes name.
pub(crate) fn mappings(
    graph: &Graph,
    project: &Project,
    path: &str,
) -> Result<BTreeMap<String, map::Table>, Failure> {
    let mut tables = BTreeMap::new();
    let mut errors = Vec::new();
    for number in 0..graph.len() {
        let id = NodeId(u32::try_from(number).expect("fewer than 4 billion nodes"));
        let Node::Helper {
            helper, positional, ..
        } = graph.node(id)
        else {
            continue;
        };
        if crate::program::graph::helper(*helper).name != "map" {
            continue;
        }
        let table = positional.first().and_then(|&first| graph.constant(first));
        if table == Some(None) {
            // A setting that is not given: the branch that asks for it is never taken.
            continue;
        }
        let Some(Some(name)) = table else {
            errors.push(ConfigError::new(
                path,
                "`map` wants its table's path as a literal text or a setting",
                "write `{{map \"mappings/x.csv\" category}}`",
            ));
            continue;
        };
        if tables.contains_key(name) {
            continue;
        }
        match read_mapping(&project.folder, name) {
            Ok(table) => {
                tables.insert(name.to_owned(), table);
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(tables)
    } else {
        Err(Failure::Configuration(errors))
    }
}

fn read_mapping(folder: &Path, name: &str) -> Result<map::Table, ConfigError> {
    let file = std::fs::File::open(folder.join(name)).map_err(|error| {
        ConfigError::new(
            name,
            format!("the mapping table cannot be read: {error}"),
            "it is a CSV file of two columns in the project's folder",
        )
    })?;
    map::Table::read(file, name).map_err(|message| {
        ConfigError::new(
            name,
            message,
            "a mapping table has two columns: what it is here, what it is there",
        )
    })
}
