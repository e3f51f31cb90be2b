//! `[request]` of a manifest: how a channel that takes requests rather than a document is talked to.
//!
//! The channel's template renders one batch; what stands here says how a batch becomes calls, how fast they may go, and
//! where the answer tells what became of each item. A store connector is the same with `records = "stock"`.

mod auth;
mod levels;
mod lookup;
mod measure;
mod verdict;

pub use auth::{Auth, AuthKind, ClientPlace, SecretNeeded};
pub use levels::{Budget, Levels};
pub use lookup::{Pages, Read, RemoteId, Resolve, Unnamed};
pub use measure::{Size, Span};
pub use verdict::{Body, By, Counts, ErrorPlaces, Missing, Verdict};

use std::fmt;
use std::time::Duration;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

/// How a channel takes requests.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The address that steps start from, a template over `settings`; `url` of a store or destination stands in for it.
    pub url: Option<String>,
    /// Secrets the merchant must give, by name; `[request.auth]` alone may use them.
    #[serde(default)]
    pub secrets: IndexMap<String, SecretNeeded>,
    /// Who is calling.
    #[serde(default)]
    pub auth: Auth,
    /// How fast calls may go, all together.
    #[serde(default)]
    pub pace: Option<Pace>,
    /// What an answer says of the points that are left, where calls cost points.
    #[serde(default)]
    pub budget: Option<Budget>,
    /// How much goes into one batch: a number of items, or `{ items = 100, bytes = "4 MB" }`.
    #[serde(default)]
    pub batch: Batch,
    /// Batches on their way at once; 1 by default.
    pub concurrency: Option<u32>,
    /// Items of a batch share this: a template over `item`.
    pub group_by: Option<String>,
    /// The member of each item of a JSON batch that is set to its number in the batch, from 1.
    pub number: Option<String>,
    /// Headers of every step: templates.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// The key by which the other side knows a repeated batch.
    pub idempotency: Option<Idempotency>,
    /// How long an answer is waited for.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// The calls of one batch, in order.
    #[serde(default)]
    pub step: Vec<Step>,
    /// Where the answer says what became of each item.
    pub verdict: Option<Verdict>,
    /// Where an answer that refuses a whole call says why.
    #[serde(default)]
    pub error: ErrorPlaces,
    /// How an item is taken out.
    pub delete: Option<Delete>,
    /// How SKUs become the channel's own ids.
    pub resolve: Option<Resolve>,
    /// How a store's present levels are read.
    pub read: Option<Read>,
    /// What a store can do that is kept in step; with it the channel is a store connector.
    pub levels: Option<Levels>,
}

/// How fast calls may go: a bucket of `burst` calls that fills by `requests` each `per`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// Calls.
    pub requests: u32,
    /// In so long, such as `1s`, `1m`.
    pub per: Span,
    /// Calls that may go back to back; 1 by default, which spaces them evenly.
    pub burst: Option<u32>,
}

/// How much goes into one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Most items.
    pub items: u32,
    /// Most bytes of the document.
    pub bytes: Option<Size>,
}

impl Default for Batch {
    fn default() -> Self {
        Batch {
            items: 1,
            bytes: None,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "BatchSize")]
struct BatchTable {
    /// Most items.
    items: u32,
    /// Most bytes of the document, such as `4 MB`.
    bytes: Option<Size>,
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Batch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of items, or `{ items = 100, bytes = \"4 MB\" }`")
            }

            fn visit_i64<E: de::Error>(self, items: i64) -> Result<Batch, E> {
                u32::try_from(items)
                    .map(|items| Batch { items, bytes: None })
                    .map_err(|_| E::custom(format!("a batch of {items} items cannot be")))
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Batch, M::Error> {
                let table = BatchTable::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Batch {
                    items: table.items,
                    bytes: table.bytes,
                })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Batch {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Batch".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<BatchTable>();
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 1 }, table] })
    }
}

/// The key by which the other side knows a repeated batch.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Idempotency {
    /// The key, a template over `batch.digest`, `run`, `group`; templates of steps see it as `key`.
    pub key: String,
    /// The header that carries it.
    pub header: Option<String>,
}

/// How long an answer is waited for.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// To get a connection.
    pub connect: Span,
    /// Longest silence while the answer comes.
    pub idle: Span,
    /// One call in all.
    pub total: Span,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            connect: Span(Duration::from_secs(10)),
            idle: Span(Duration::from_secs(30)),
            total: Span(Duration::from_secs(120)),
        }
    }
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Makes or asks.
    #[default]
    Post,
    /// Puts a thing in its place.
    Put,
    /// Changes parts.
    Patch,
    /// Takes out.
    Delete,
}

impl Method {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// One call.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name, for messages, `answer:NAME` and `[request.verdict]`.
    pub name: String,
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// The address: a template; one that begins with `/` continues `url`. An address that is one expression alone is taken
    /// as it is, otherwise each value is percent-encoded.
    pub url: String,
    /// Headers beside those of `[request]`: templates.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// What is sent: `batch` (the document), `none`, or `answer:NAME` (what an earlier step answered).
    pub body: Option<String>,
    /// What is sent instead: a JSON text as a template.
    pub template: Option<String>,
    /// Names and where their values stand in the answer: a JSON pointer, or `header:NAME`. With `?` behind it, what is not
    /// there is empty; else the step fails.
    #[serde(default)]
    pub capture: IndexMap<String, String>,
    /// Asks again until the answer says that it is done.
    pub until: Option<Until>,
    /// The statuses of success; 200 to 299 by default.
    pub expect: Option<Vec<u16>>,
    /// The step is left out where this capture found nothing.
    pub when: Option<String>,
    /// False where the call carries no credentials.
    pub auth: Option<bool>,
    /// False where the call changes nothing that buyers see, such as an upload that a later step names; true otherwise, except of GET.
    pub effect: Option<bool>,
    /// True where sending it twice does what sending it once does; of GET, PUT and DELETE, and with `[request.idempotency]`, by default.
    pub idempotent: Option<bool>,
    /// A pace of its own beside the one of `[request]`.
    pub pace: Option<Pace>,
    /// Where this answer refuses single items already.
    pub verdict: Option<Verdict>,
}

impl Step {
    /// Whether the call may change what buyers see.
    pub fn has_effect(&self) -> bool {
        self.effect.unwrap_or(self.method != Method::Get)
    }

    /// Whether it may be sent again when nobody knows whether it arrived.
    pub fn is_idempotent(&self, keyed: bool) -> bool {
        self.idempotent.unwrap_or(
            keyed
                || !self.has_effect()
                || matches!(self.method, Method::Get | Method::Put | Method::Delete),
        )
    }

    /// Whether a status is success.
    pub fn expects(&self, status: u16) -> bool {
        match &self.expect {
            Some(known) => known.contains(&status),
            None => (200..300).contains(&status),
        }
    }
}

/// Asks again until the answer says that it is done.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// Where the state stands: a JSON pointer.
    pub state: String,
    /// States that end it well.
    pub done: Vec<String>,
    /// States that say that nothing was done: the batch is refused.
    #[serde(default)]
    pub failed: Vec<String>,
    /// States that end it and do not say what was done.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// Before the first question and between the first two.
    pub every: Span,
    /// Between two questions at most; the pause doubles until then.
    pub longest: Option<Span>,
    /// In all; after it the outcome is unknown.
    pub within: Span,
}

/// How an item is taken out.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Delete {
    /// What stands in the batch for an item that is gone: a template over `item.id`, `item.sku`.
    pub item: Option<String>,
    /// How many go into one batch of their own steps; 1 by default.
    pub batch: Batch,
    /// The calls, where they are others.
    pub step: Vec<Step>,
    /// Where their answer says what became of each.
    pub verdict: Option<Verdict>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Request, String> {
        crate::config::toml_file::parse("a.toml", text)
            .map_err(|error| format!("{} {}", error.message, error.hint))
    }

    #[test]
    fn a_batch_is_a_number_or_a_table() {
        assert_eq!(
            parsed("batch = 100").expect("read").batch,
            Batch {
                items: 100,
                bytes: None
            }
        );
        let both = parsed("batch = { items = 5, bytes = \"4 MB\" }").expect("read");
        assert_eq!(
            both.batch,
            Batch {
                items: 5,
                bytes: Some(Size(4_000_000))
            }
        );
        let error = parsed("batch = { itms = 5 }").expect_err("misspelt");
        assert!(error.contains("did you mean `items`?"), "{error}");
        assert!(parsed("batch = -1").is_err());
    }

    #[test]
    fn times_and_sizes_have_units() {
        let span = |text: &str| Span::try_from(text.to_owned());
        assert_eq!(span("45s"), Ok(Span(Duration::from_secs(45))));
        assert_eq!(span("200ms"), Ok(Span(Duration::from_millis(200))));
        assert_eq!(span("2 h"), Ok(Span(Duration::from_secs(7200))));
        for wrong in [
            "45",
            "s",
            "-1s",
            "1 week",
            "99999999999999999999s",
            "9999999999999999d",
        ] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Size::try_from("10 MiB".to_owned()), Ok(Size(10 << 20)));
        assert!(Size::try_from("ten".to_owned()).is_err());
    }

    #[test]
    fn misspelt_keys_are_named_with_their_near_miss() {
        for (text, near) in [
            ("concurency = 2", "`concurrency`"),
            ("[auth]\nkind = \"barer\"", "`bearer`"),
            (
                "[[step]]\nname = \"a\"\nurl = \"/\"\nmetod = \"PUT\"",
                "`method`",
            ),
            ("[verdict]\ncounts = { listd = \"/a\" }", "`listed`"),
        ] {
            let error = parsed(text).expect_err("misspelt");
            assert!(error.contains(&format!("did you mean {near}?")), "{error}");
        }
    }
}
