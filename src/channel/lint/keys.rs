//! Every key of a manifest that nothing reads, all at once: held against the manifest's own JSON Schema.

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::channel::manifest::Manifest;
use crate::program::nearest::nearest;
use crate::validate::finding::Severity;

use super::Problem;
use super::place::line_and_column;

/// The misspelt keys of a manifest that does not load; none where something else is wrong with it.
pub(super) fn misspelt(path: &str, text: &str) -> Vec<Problem> {
    let Ok(table) = DeTable::parse(text) else {
        return Vec::new();
    };
    let Ok(schema) = serde_json::to_value(schemars::schema_for!(Manifest)) else {
        return Vec::new();
    };
    let mut keys = Keys {
        path,
        text,
        root: &schema,
        problems: Vec::new(),
    };
    keys.table(table.get_ref(), &schema);
    keys.problems
}

struct Keys<'k> {
    path: &'k str,
    text: &'k str,
    root: &'k Value,
    problems: Vec<Problem>,
}

impl Keys<'_> {
    fn table(&mut self, table: &DeTable<'_>, schema: &Value) {
        let schema = resolved(self.root, schema);
        let known = schema.get("properties").and_then(Value::as_object);
        let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        for (key, value) in table {
            let name: &str = key.get_ref();
            let of = known.and_then(|known| known.get(name)).or_else(|| {
                schema
                    .get("additionalProperties")
                    .filter(|more| more.is_object())
            });
            match (of, value.get_ref()) {
                (Some(schema), DeValue::Table(inner)) => self.table(inner, schema),
                (Some(schema), DeValue::Array(elements)) => {
                    let Some(each) = resolved(self.root, schema).get("items") else {
                        continue;
                    };
                    for element in elements {
                        if let DeValue::Table(inner) = element.get_ref() {
                            self.table(inner, each);
                        }
                    }
                }
                (None, _) if closed => self.unknown(name, key.span().start, known),
                _ => {}
            }
        }
    }

    fn unknown(
        &mut self,
        name: &str,
        offset: usize,
        known: Option<&serde_json::Map<String, Value>>,
    ) {
        let words: Vec<&str> = known
            .into_iter()
            .flat_map(|known| known.keys())
            .map(String::as_str)
            .collect();
        let all = words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let hint = match nearest(name, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? known here: {all}"),
            None => format!("known here: {all}"),
        };
        let (line, column) = line_and_column(self.text, offset);
        self.problems.push(Problem {
            rule: "misspelt-key",
            severity: Severity::Error,
            path: self.path.to_owned(),
            line,
            column,
            message: format!("unknown key `{name}`"),
            hint,
        });
    }
}

/// A schema behind its reference, or the one choice of several that is a table.
fn resolved<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    if let Some(target) = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
    {
        return resolved(root, target);
    }
    match schema.get("anyOf").and_then(Value::as_array) {
        Some(choices) => choices
            .iter()
            .map(|choice| resolved(root, choice))
            .find(|choice| choice.get("properties").is_some())
            .unwrap_or(schema),
        None => schema,
    }
}
