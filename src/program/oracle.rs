//! The oracle: an item as the `handlebars` crate is given it, so that tests can hold the compiled program to the crate's bytes.
//!
//! In: the record in hand. Out: its attributes by name (`null` for absent), and under `catalog` the columns that the
//! template names.

use serde_json::{Map, Value as Json};

use super::attribute::AttributeProgram;
use super::evaluate::Evaluator;
use super::fallback::to_json;
use super::graph::NodeId;

/// The object of the item in hand.
pub(super) fn item<'p>(
    run: &Evaluator<'_>,
    attributes: impl Iterator<Item = &'p AttributeProgram>,
    columns: &[(Vec<String>, NodeId)],
) -> Map<String, Json> {
    let mut item: Map<String, Json> = attributes
        .map(|attribute| {
            (
                attribute.name.clone(),
                to_json(run.attribute(attribute.slot)),
            )
        })
        .collect();
    for (path, node) in columns {
        let value = run.value(*node).map_or(Json::Null, to_json);
        let mut inner = &mut item;
        let Some((last, folders)) = path.split_last() else {
            continue;
        };
        for folder in folders {
            let entry = inner
                .entry(folder.as_str())
                .or_insert_with(|| Json::Object(Map::new()));
            let Json::Object(object) = entry else {
                return item;
            };
            inner = object;
        }
        inner.insert(last.clone(), value);
    }
    item
}
