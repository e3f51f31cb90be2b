//! The slow path: what is not lowered, the `handlebars` crate renders, from the few names it mentions.

use std::sync::Arc;

use handlebars::{Handlebars, Template};
use serde_json::{Map, Value as Json, json};

use crate::helper::crate_adapter::{self, OwnedContext};
use crate::model::value::{PAIR, Value, pair};

use super::escape::Escape;

/// Separates the segments of a name that is handed to a fallback.
pub const PATH: char = '\u{1}';

/// One piece of a template for the crate, with what it needs to render.
pub struct Fallback {
    /// The element as it stands in the template, for `check -v`.
    pub shown: String,
    /// Number of the view whose currency and language its helpers use.
    pub view: u16,
    escape: Escape,
    template: Template,
    registry: Option<Handlebars<'static>>,
}

impl Fallback {
    /// Takes a parsed piece and how its values are escaped.
    pub fn new(shown: String, template: Template, escape: Escape, view: u16) -> Self {
        Fallback {
            shown,
            view,
            escape,
            template,
            registry: None,
        }
    }

    /// Gives it the helpers, once their tables are loaded.
    pub fn prepare(&mut self, context: Arc<OwnedContext>) {
        self.registry = Some(registry(self.escape, context, self.template.clone()));
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
        let Some(registry) = &self.registry else {
            return Err("the piece was not prepared".to_owned());
        };
        registry
            .render("template", &Json::Object(context))
            .map_err(|error| error.to_string())
    }
}

/// A registry of the crate with one template, our helpers and a format's escapes.
pub fn registry(
    escape: Escape,
    context: Arc<OwnedContext>,
    template: Template,
) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.register_escape_fn(move |text| escape.escaped(text));
    crate_adapter::register(&mut registry, context);
    registry.register_template("template", template);
    registry
}

/// A name of several segments becomes nested objects.
fn insert(context: &mut Map<String, Json>, name: &str, value: Json) {
    match name.split_once(PATH) {
        Some((head, rest)) => {
            let inner = context
                .entry(head)
                .or_insert_with(|| Json::Object(Map::new()));
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
