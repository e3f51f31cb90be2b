//! The slow path: what is not lowered, the `handlebars` crate renders, from the few names it mentions.

use handlebars::{Handlebars, Template};
use serde_json::{Map, Value as Json, json};

use crate::model::value::{PAIR, Value, pair};

/// Separates the segments of a name that is handed to a fallback.
pub const PATH: char = '\u{1}';

/// One piece of a template for the crate, with what it needs to render.
pub struct Fallback {
    /// The element as it stands in the template, for `check -v`.
    pub shown: String,
    registry: Handlebars<'static>,
}

impl Fallback {
    /// Takes a parsed piece; the registry has the helpers and the format's escapes.
    pub fn new(shown: String, template: Template, mut registry: Handlebars<'static>) -> Self {
        registry.register_template("piece", template);
        Fallback { shown, registry }
    }

    /// The piece with these names.
    ///
    /// # Errors
    /// What the crate says against it.
    pub fn render(&self, names: &[(&str, Value<'_>)]) -> Result<String, String> {
        let mut context = Map::new();
        for (name, value) in names {
            insert(&mut context, name, to_json(*value));
        }
        self.registry.render("piece", &Json::Object(context)).map_err(|error| error.to_string())
    }
}

/// A name of several segments becomes nested objects.
fn insert(context: &mut Map<String, Json>, name: &str, value: Json) {
    match name.split_once(PATH) {
        Some((head, rest)) => {
            let inner = context.entry(head).or_insert_with(|| Json::Object(Map::new()));
            if let Json::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
        None => {
            context.insert(name.to_owned(), value);
        }
    }
}

/// A value as templates see it in JSON: text, boolean, list, or null.
pub fn to_json(value: Value<'_>) -> Json {
    match value {
        Value::Absent => Json::Null,
        Value::Text(text) => Json::String(text.to_owned()),
        Value::Bool(yes) => Json::Bool(yes),
        Value::List(list) => Json::Array(
            list.iter()
                .map(|element| {
                    if element.contains(PAIR) {
                        let (name, value) = pair(element);
                        json!({ "name": name, "value": value })
                    } else {
                        Json::String(element.to_owned())
                    }
                })
                .collect(),
        ),
    }
}
