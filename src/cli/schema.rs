//! `schema`: JSON Schemas of manifests and projects, for editors.

use clap::{Args, ValueEnum};

use crate::channel::manifest::Manifest;
use crate::config::Project;
use crate::pipeline::Failure;
use crate::term::Shell;

use super::exit;

/// `schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Of which file
    #[arg(value_enum)]
    file: File,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum File {
    /// A channel's manifest, channels/NAME.toml
    Manifest,
    /// The project, shelfcast.toml
    Project,
}

impl Schema {
    /// Prints it; the exit code.
    ///
    /// # Errors
    /// Standard output that cannot be written.
    pub fn run(&self, shell: &Shell) -> Result<u8, Failure> {
        let text = serde_json::to_string_pretty(&schema(self.file)).unwrap_or_default();
        shell
            .data(|out| writeln!(out, "{text}"))
            .map_err(|error| Failure::Disk(format!("cannot write to standard output: {error}")))?;
        Ok(exit::DONE)
    }
}

fn schema(file: File) -> schemars::Schema {
    let mut schema = match file {
        File::Manifest => schemars::schema_for!(Manifest),
        File::Project => schemars::schema_for!(Project),
    };
    let title = match file {
        File::Manifest => "Shelfcast channel manifest",
        File::Project => "Shelfcast project",
    };
    schema.insert("title".to_owned(), title.into());
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// What a schema says against a value, as far as our schemas go: properties, required, enum, const, type, items,
    /// additionalProperties, anyOf, oneOf and references inside it.
    fn wrong(root: &Value, schema: &Value, value: &Value, path: &str) -> Option<String> {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = root
                .pointer(
                    reference
                        .strip_prefix('#')
                        .expect("a reference inside the schema"),
                )
                .expect("a target");
            return wrong(root, target, value, path);
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(choices) = schema.get(key).and_then(Value::as_array)
                && choices
                    .iter()
                    .all(|choice| wrong(root, choice, value, path).is_some())
            {
                return Some(format!("{path}: fits none of {key}"));
            }
        }
        if let Some(expected) = schema.get("const")
            && expected != value
        {
            return Some(format!("{path}: is not {expected}"));
        }
        if let Some(words) = schema.get("enum").and_then(Value::as_array)
            && !words.contains(value)
        {
            return Some(format!("{path}: {value} is none of {words:?}"));
        }
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let allowed = |known: &Value| known == kind || (known == "number" && kind == "integer");
        match schema.get("type") {
            Some(Value::Array(kinds)) if !kinds.iter().any(allowed) => {
                return Some(format!("{path}: is a {kind}"));
            }
            Some(known @ Value::String(_)) if !allowed(known) => {
                return Some(format!("{path}: is a {kind}"));
            }
            _ => {}
        }
        if let Value::Object(members) = value {
            let empty = serde_json::Map::new();
            let properties = schema
                .get("properties")
                .and_then(Value::as_object)
                .unwrap_or(&empty);
            for name in schema
                .get("required")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                if !members.contains_key(name.as_str().unwrap_or_default()) {
                    return Some(format!("{path}: lacks {name}"));
                }
            }
            for (name, member) in members {
                let further = match (properties.get(name), schema.get("additionalProperties")) {
                    (Some(property), _) => wrong(root, property, member, &format!("{path}.{name}")),
                    (None, Some(Value::Bool(false))) => {
                        Some(format!("{path}: `{name}` is unknown"))
                    }
                    (None, Some(rest @ Value::Object(_))) => {
                        wrong(root, rest, member, &format!("{path}.{name}"))
                    }
                    _ => None,
                };
                if further.is_some() {
                    return further;
                }
            }
        }
        if let (Value::Array(elements), Some(items)) = (value, schema.get("items")) {
            return elements
                .iter()
                .find_map(|element| wrong(root, items, element, &format!("{path}[]")));
        }
        None
    }

    fn json(text: &str) -> Value {
        serde_json::to_value(toml::from_str::<toml::Table>(text).expect("TOML")).expect("JSON")
    }

    #[test]
    fn schemas_are_of_the_draft_that_editors_know() {
        for file in [File::Manifest, File::Project] {
            let schema = schema(file);
            assert_eq!(
                schema.get("$schema").and_then(Value::as_str),
                Some("https://json-schema.org/draft/2020-12/schema")
            );
            assert_eq!(
                schema.get("additionalProperties"),
                Some(&Value::Bool(false)),
                "unknown keys are errors"
            );
        }
    }

    #[test]
    fn every_built_in_manifest_fits_and_a_misspelt_one_does_not() {
        let schema = serde_json::to_value(schema(File::Manifest)).expect("JSON");
        for name in crate::channel::built_in_names() {
            let text =
                crate::channel::built_in(&format!("channels/{name}.toml")).expect("a manifest");
            assert_eq!(wrong(&schema, &schema, &json(text), &name), None);
        }
        let text = crate::channel::built_in("channels/heureka.toml").expect("a manifest");
        let misspelt = wrong(
            &schema,
            &schema,
            &json(&text.replacen("required =", "requierd =", 1)),
            "heureka",
        )
        .expect("a misspelt key");
        assert!(misspelt.contains("`requierd` is unknown"), "{misspelt}");
        let group = text.replacen("group = \"price-comparison\"", "group = \"prices\"", 1);
        assert!(wrong(&schema, &schema, &json(&group), "heureka").is_some());
    }

    #[test]
    fn the_sample_project_fits() {
        let schema = serde_json::to_value(schema(File::Project)).expect("JSON");
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/shop/shelfcast.toml");
        let text = std::fs::read_to_string(path).expect("the sample project");
        assert_eq!(wrong(&schema, &schema, &json(&text), "shop"), None);
    }
}
