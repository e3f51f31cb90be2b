//! The slow path: what is not lowered, the `handlebars` crate renders, from the few names it mentions.

use std::sync::{Arc, Mutex, PoisonError};

use handlebars::{Context, Handlebars, Output, RenderContext, Renderable, Template};
use serde_json::{Map, Value as Json, json};

use crate::helper::crate_adapter::{self, OwnedContext};
use crate::model::value::{PAIR, Value, pair};

use super::escape::Escape;

/// Separates the segments of a name that is handed to a fallback.
pub const PATH: char = '\u{1}';

/// Room for what a piece makes, in bytes, before it must grow.
const TEXT_BYTES: usize = 512;

/// One piece of a template for the crate, with what it needs to render.
pub struct Fallback {
    /// The element as it stands in the template, for `check -v`.
    pub shown: String,
    /// Number of the view whose currency and language its helpers use.
    pub view: u16,
    escape: Escape,
    template: Template,
    registry: Option<Handlebars<'static>>,
    /// Contexts that were used and will be again, one for each thread that renders at the same time.
    contexts: Mutex<Vec<Context>>,
}

/// What the crate writes to.
struct Text(String);

impl Output for Text {
    fn write(&mut self, piece: &str) -> std::io::Result<()> {
        self.0.push_str(piece);
        Ok(())
    }
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
            contexts: Mutex::default(),
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
        let Some(registry) = &self.registry else {
            return Err("the piece was not prepared".to_owned());
        };
        let contexts = || self.contexts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut context = contexts().pop().unwrap_or_else(Context::null);
        fill(context.data_mut(), names);
        let mut text = Text(String::with_capacity(TEXT_BYTES));
        let rendered =
            self.template
                .render(registry, &context, &mut RenderContext::new(None), &mut text);
        contexts().push(context);
        rendered.map(|()| text.0).map_err(|error| error.to_string())
    }
}

/// Puts the names of a piece into the object it was rendered from before, where there is one: they are always the same, in
/// the same order.
fn fill(object: &mut Json, names: &[(&str, Value<'_>)]) {
    let nested = names.iter().any(|(name, _)| name.contains(PATH));
    match object {
        Json::Object(known) if !nested && known.len() == names.len() => {
            for (known, (_, value)) in known.values_mut().zip(names) {
                match (known, value) {
                    // The text's own memory serves again.
                    (Json::String(known), Value::Text(text)) => {
                        known.clear();
                        known.push_str(text);
                    }
                    (known, value) => *known = to_json(*value),
                }
            }
        }
        object => {
            let mut made = Map::new();
            for (name, value) in names {
                insert(&mut made, name, to_json(*value));
            }
            *object = Json::Object(made);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_filled_again_is_as_one_made_anew() {
        let mut reused = Json::Null;
        let list = format!("a{}b", crate::model::value::ELEMENT);
        for values in [
            [Value::Text("x"), Value::Absent, Value::Bool(true)],
            [Value::Text(""), Value::Text("y"), Value::list(&list)],
            [Value::list(&list), Value::Text("longer"), Value::Absent],
        ] {
            for names in [["b", "a", "c"], ["b", "a\u{1}x", "a\u{1}y"]] {
                let named: Vec<(&str, Value<'_>)> = names.into_iter().zip(values).collect();
                let mut anew = Json::Null;
                fill(&mut anew, &named);
                fill(&mut reused, &named);
                fill(&mut reused, &named);
                assert_eq!(reused, anew);
            }
            // A piece keeps its names: the next round begins with the first again.
            reused = Json::Null;
        }
        let first = [("b", Value::Text("x")), ("a", Value::Absent)];
        let second = [("b", Value::Absent), ("a", Value::Text("y"))];
        fill(&mut reused, &first);
        fill(&mut reused, &second);
        assert_eq!(reused, json!({ "b": null, "a": "y" }));
    }
}
