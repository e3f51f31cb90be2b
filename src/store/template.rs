//! The templates of `[request]`: addresses, headers, bodies, keys. Comes in: a text and a context of names; goes out: text.
//!
//! They are Handlebars with the helpers of every channel, and `base64_url`, `uuid` and `concat` beside them. In an address each value
//! is percent-encoded, unless the address is one expression alone; in a body it is escaped for JSON, or for XML where the step's
//! `content-type` says so. A name that is not
//! there is an error, never an empty place.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use handlebars::{
    Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason,
    Renderable, ScopedJson, StringOutput, Template,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::helper::crate_adapter::{OwnedContext, register};
use crate::program::escape::Escape;

/// Helpers that only the templates of requests know.
pub(crate) const OWN_HELPERS: &[&str] = &["base64_url", "uuid", "concat"];

/// Most templates that are kept compiled; a manifest has a few dozen.
const COMPILED_MAX: usize = 4_096;

/// What a template's values stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A header, a key, a secret: as it is.
    Plain,
    /// An address.
    Address,
    /// A JSON text.
    Json,
    /// An XML text.
    Xml,
}

/// Renders the templates of one channel.
pub(super) struct Templates {
    plain: Handlebars<'static>,
    address: Handlebars<'static>,
    json: Handlebars<'static>,
    xml: Handlebars<'static>,
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Templates")
    }
}

impl Templates {
    pub(super) fn new(context: OwnedContext) -> Self {
        let context = Arc::new(context);
        let registry = |escape: fn(&str) -> String| {
            let mut registry = Handlebars::new();
            registry.set_strict_mode(true);
            registry.register_escape_fn(escape);
            register(&mut registry, Arc::clone(&context));
            registry.register_helper("base64_url", Box::new(OneText("base64_url", base64_url)));
            registry.register_helper("uuid", Box::new(OneText("uuid", uuid)));
            registry.register_helper("concat", Box::new(Concat));
            registry
        };
        Templates {
            plain: registry(str::to_owned),
            address: registry(percent),
            json: registry(json_escape),
            xml: registry(xml_escape),
        }
    }

    /// Renders a template.
    ///
    /// # Errors
    /// What is wrong, in a few words, without any value.
    pub(super) fn render(
        &self,
        text: &str,
        place: Place,
        context: &Value,
    ) -> Result<String, String> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let registry = match place {
            Place::Address if alone(text) => &self.plain,
            Place::Address => &self.address,
            Place::Plain => &self.plain,
            Place::Json => &self.json,
            Place::Xml => &self.xml,
        };
        let wrong = |why: String| format!("the template `{text}` cannot be rendered: {why}");
        let template = compiled(text).map_err(wrong)?;
        let context = Context::wraps(context).map_err(|error| wrong(why(&error)))?;
        let mut out = StringOutput::new();
        template
            .render(
                registry,
                &context,
                &mut RenderContext::new(template.name.as_ref()),
                &mut out,
            )
            .map_err(|error| wrong(why(&error)))?;
        out.into_string().map_err(|error| wrong(error.to_string()))
    }
}

/// A template, compiled once in the life of the program.
fn compiled(text: &str) -> Result<Arc<Template>, String> {
    static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Template>>>> =
        LazyLock::new(Mutex::default);
    let mut known = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(template) = known.get(text) {
        return Ok(Arc::clone(template));
    }
    let template = Template::compile(text).map_err(|error| error.reason().to_string())?;
    let template = Arc::new(template);
    if known.len() >= COMPILED_MAX {
        known.clear();
    }
    known.insert(text.to_owned(), Arc::clone(&template));
    Ok(template)
}

/// The reason of a failed rendering, without the values that were at hand.
fn why(error: &RenderError) -> String {
    match error.reason() {
        RenderErrorReason::MissingVariable(Some(name)) => format!("there is no `{name}`"),
        RenderErrorReason::MissingVariable(None) => "a name is not there".to_owned(),
        RenderErrorReason::HelperNotFound(name) => format!("there is no helper `{name}`"),
        RenderErrorReason::TemplateError(error) => error.reason().to_string(),
        RenderErrorReason::Other(words) => words.clone(),
        _ => "a helper refused its arguments".to_owned(),
    }
}

/// True for a template that is one expression and nothing else.
fn alone(text: &str) -> bool {
    text.trim()
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"))
        .is_some_and(|inside| !inside.contains("{{") && !inside.contains("}}"))
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn json_escape(text: &str) -> String {
    let quoted = Value::String(text.to_owned()).to_string();
    quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or_default()
        .to_owned()
}

/// Escapes markup; what XML 1.0 cannot hold is left out.
fn xml_escape(text: &str) -> String {
    let held = |letter: &char| match letter {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        letter => !letter.is_control(),
    };
    Escape::Xml.escaped(&text.chars().filter(held).collect::<String>())
}

fn base64_url(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// The same text always makes the same UUID, of the version for values made by rule (8).
fn uuid(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hex: String = digest
        .iter()
        .take(16)
        .enumerate()
        .map(|(index, byte)| match index {
            6 => format!("{:02x}", (byte & 0x0f) | 0x80),
            8 => format!("{:02x}", (byte & 0x3f) | 0x80),
            _ => format!("{byte:02x}"),
        })
        .collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}

/// A helper from one text to one text.
struct OneText(&'static str, fn(&str) -> String);

impl HelperDef for OneText {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        call: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let text = match call.param(0).map(|param| param.value()) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => {
                return Err(
                    RenderErrorReason::Other(format!("`{}` takes one text", self.0)).into(),
                );
            }
        };
        Ok(ScopedJson::Derived(Value::String((self.1)(&text))))
    }
}

/// The helper that puts its arguments one behind the other.
struct Concat;

impl HelperDef for Concat {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        call: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let mut text = String::new();
        for param in call.params() {
            match param.value() {
                Value::String(part) => text.push_str(part),
                Value::Number(part) => text.push_str(&part.to_string()),
                _ => {
                    let words = "`concat` takes texts".to_owned();
                    return Err(RenderErrorReason::Other(words).into());
                }
            }
        }
        Ok(ScopedJson::Derived(Value::String(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_written_for_their_place() {
        let templates = Templates::new(OwnedContext::default());
        let context = json!({ "a": "x/y z\"ż", "b": { "c": "https://h.example/p?q=1&r=2" } });
        let render = |text, place| templates.render(text, place, &context);
        assert_eq!(
            render("/p/{{a}}", Place::Address).as_deref(),
            Ok("/p/x%2Fy%20z%22%C5%BC")
        );
        assert_eq!(
            render("{{b.c}}", Place::Address).as_deref(),
            Ok("https://h.example/p?q=1&r=2")
        );
        assert_eq!(
            render("{\"a\":\"{{a}}\",\"b\":{{json a}}}", Place::Json).as_deref(),
            Ok("{\"a\":\"x/y z\\\"ż\",\"b\":\"x/y z\\\"ż\"}")
        );
        assert_eq!(render("{{a}}", Place::Plain).as_deref(), Ok("x/y z\"ż"));
    }

    #[test]
    fn a_name_that_is_not_there_is_an_error_without_values() {
        let templates = Templates::new(OwnedContext::default());
        let error = templates
            .render("/{{b}}/{{a}}", Place::Address, &json!({ "a": "secret" }))
            .expect_err("missing");
        assert!(
            error.contains("`b`") && !error.contains("secret"),
            "{error}"
        );
    }

    #[test]
    fn own_helpers() {
        let templates = Templates::new(OwnedContext::default());
        let context = json!({ "id": "sku/1", "l": "en" });
        assert_eq!(
            templates
                .render("{{base64_url id}}", Place::Address, &context)
                .as_deref(),
            Ok("c2t1LzE")
        );
        assert_eq!(
            templates
                .render(
                    "{{base64_url (concat l \"~\" id)}}",
                    Place::Address,
                    &context
                )
                .as_deref(),
            Ok("ZW5-c2t1LzE")
        );
        let uuid = templates
            .render("{{uuid id}}", Place::Plain, &context)
            .expect("a uuid");
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'8');
    }
}
