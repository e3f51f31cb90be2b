//! Every helper registered in the `handlebars` crate, so that the crate prints the same bytes as the compiled program: the
//! oracle in tests and the slow path at work. In: a registry. Promise: the very functions of [`HELPERS`] are called.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bumpalo::Bump;
use bumpalo::collections::String as ArenaString;
use handlebars::{
    Context, Handlebars, Helper as CrateHelper, HelperDef, HelperResult, Output, RenderContext,
    RenderError, RenderErrorReason, ScopedJson,
};
use serde_json::Value as Json;

use super::map::Table;
use super::{Arguments, HELPERS, Helper, HelperContext, HelperError};
use crate::model::value::{ELEMENT, PAIR, Value, pair};

/// What helpers may know, owned: it lives as long as the registry.
#[derive(Debug, Default)]
pub struct OwnedContext {
    /// The feed's currency, ISO 4217.
    pub currency: String,
    /// The feed's language, BCP 47.
    pub language: String,
    /// The shop's time zone, IANA.
    pub timezone: String,
    /// Unit of bare weights in the catalog.
    pub weight_unit: String,
    /// Unit of bare lengths in the catalog.
    pub length_unit: String,
    /// The mapping tables, by the path written in the template.
    pub tables: Arc<BTreeMap<String, Table>>,
    /// Values that `map` found no row for, with how often: (table path, value).
    pub unmatched: Mutex<BTreeMap<(String, String), u64>>,
}

impl OwnedContext {
    /// Runs `work` with a context over `arena`, and keeps count of what `map` did not match.
    pub fn with<'a, T>(
        &'a self,
        arena: &'a Bump,
        unmatched: &'a RefCell<BTreeMap<(String, String), u64>>,
        work: impl FnOnce(&HelperContext<'a>) -> T,
    ) -> T {
        let result = work(&HelperContext {
            arena,
            currency: &self.currency,
            language: &self.language,
            timezone: &self.timezone,
            weight_unit: &self.weight_unit,
            length_unit: &self.length_unit,
            tables: &self.tables,
            unmatched,
        });
        let new = std::mem::take(&mut *unmatched.borrow_mut());
        if !new.is_empty() {
            let mut counts = self
                .unmatched
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            for (what, count) in new {
                *counts.entry(what).or_default() += count;
            }
        }
        result
    }
}

/// Registers all helpers; those of the same name that the crate has of its own are replaced.
pub fn register(registry: &mut Handlebars<'_>, context: Arc<OwnedContext>) {
    for helper in HELPERS {
        registry.register_helper(
            helper.name,
            Box::new(Adapter {
                helper,
                context: Arc::clone(&context),
            }),
        );
    }
}

/// One of our helpers as the crate sees it.
struct Adapter {
    helper: &'static Helper,
    context: Arc<OwnedContext>,
}

impl Adapter {
    fn run(&self, call: &CrateHelper<'_>) -> Result<Json, RenderError> {
        let arena = Bump::new();
        let unmatched = RefCell::default();
        let positional: Vec<Value<'_>> = call
            .params()
            .iter()
            .map(|param| from_json(param.value(), &arena))
            .collect();
        let named: Vec<(&str, Value<'_>)> = call
            .hash()
            .iter()
            .map(|(name, param)| (*name, from_json(param.value(), &arena)))
            .collect();
        let arguments = Arguments {
            positional: &positional,
            named: &named,
        };
        self.context
            .with(&arena, &unmatched, |ctx| {
                check(self.helper, &arguments)?;
                (self.helper.call)(&arguments, ctx).map(to_json)
            })
            .map_err(|why| {
                RenderErrorReason::Other(format!("`{}`: {why}", self.helper.name)).into()
            })
    }
}

/// Refuses a call with too few or too many arguments, or with names that the helper does not take.
pub fn check(helper: &Helper, arguments: &Arguments<'_, '_>) -> Result<(), HelperError> {
    let count = arguments.positional.len();
    let (least, most) = helper.arity;
    if !(least..=most).contains(&count) {
        return Err(HelperError(format!(
            "takes {} arguments, not {count}: {}",
            match most {
                most if most == least => format!("{least}"),
                usize::MAX => format!("at least {least}"),
                most => format!("{least} to {most}"),
            },
            helper.usage
        )));
    }
    match arguments
        .named
        .iter()
        .find(|(name, _)| !helper.named.contains(name))
    {
        Some((name, _)) => Err(HelperError(format!(
            "has no argument `{name}`: {}",
            helper.usage
        ))),
        None => Ok(()),
    }
}

impl HelperDef for Adapter {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        call: &CrateHelper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        self.run(call).map(ScopedJson::Derived)
    }

    fn call<'reg: 'rc, 'rc>(
        &self,
        call: &CrateHelper<'rc>,
        registry: &'reg Handlebars<'reg>,
        _: &'rc Context,
        context: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let text = print(&self.run(call)?);
        if self.helper.raw || context.is_disable_escape() {
            out.write(&text)?;
        } else {
            out.write(&registry.get_escape_fn()(&text))?;
        }
        Ok(())
    }
}

/// A result as it is printed bare.
fn print(json: &Json) -> String {
    match json {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(print).collect();
            format!("[{}]", elements.join(", "))
        }
        other => other.to_string(),
    }
}

/// A JSON value as helpers see it.
pub fn from_json<'a>(json: &Json, arena: &'a Bump) -> Value<'a> {
    match json {
        Json::Null => Value::Absent,
        Json::Bool(value) => Value::Bool(*value),
        Json::String(text) => Value::text(arena.alloc_str(text)),
        Json::Number(number) => Value::text(arena.alloc_str(&number.to_string())),
        Json::Array(elements) => {
            let mut encoded = ArenaString::new_in(arena);
            for (i, element) in elements.iter().enumerate() {
                if i > 0 {
                    encoded.push(ELEMENT);
                }
                push_element(&mut encoded, element);
            }
            Value::list(encoded.into_bump_str())
        }
        Json::Object(_) => Value::text(arena.alloc_str(&json.to_string())),
    }
}

fn push_element(encoded: &mut ArenaString<'_>, element: &Json) {
    match (element, element.get("name"), element.get("value")) {
        (Json::String(text), ..) => encoded.push_str(text),
        (Json::Object(_), Some(name), Some(value)) => {
            encoded.push_str(&print(name));
            encoded.push(PAIR);
            encoded.push_str(&print(value));
        }
        (Json::Null, ..) => {}
        (other, ..) => encoded.push_str(&other.to_string()),
    }
}

/// A helper's result as the crate sees it: a list as an array, its pairs as objects of `name` and `value`.
pub fn to_json(value: Value<'_>) -> Json {
    match value {
        Value::Absent => Json::Null,
        Value::Bool(value) => Json::Bool(value),
        Value::Text(text) => Json::String(text.to_owned()),
        Value::List(list) => list
            .iter()
            .map(|element| {
                if element.contains(PAIR) {
                    let (name, value) = pair(element);
                    serde_json::json!({ "name": name, "value": value })
                } else {
                    Json::String(element.to_owned())
                }
            })
            .collect(),
    }
}

#[cfg(test)]
#[path = "crate_adapter_tests.rs"]
mod tests;
