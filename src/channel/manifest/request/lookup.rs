//! `[request.resolve]` and `[request.read]`: what a store is asked, as manifests write it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Batch, Method};

/// How SKUs become the channel's own ids.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    /// The method; POST by default.
    #[serde(default)]
    pub method: Method,
    /// The address: a template over `settings` and `skus`.
    pub url: String,
    /// Headers: templates.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// What is sent: a JSON text as a template.
    pub template: Option<String>,
    /// SKUs asked for at once; 1 by default.
    #[serde(default)]
    pub batch: Batch,
    /// How the answer goes on, where it comes in pages.
    pub pages: Option<Pages>,
    /// The array of what was found: a JSON pointer, `""` where the answer is the array.
    pub items: String,
    /// True where an answer without the array means an empty one.
    #[serde(default)]
    pub may_lack_items: bool,
    /// The SKU in an element: a JSON pointer.
    pub sku: String,
    /// The remote id in an element: a JSON pointer.
    pub id: String,
    /// Further members of `item`, and where they stand in an element.
    #[serde(default)]
    pub fields: IndexMap<String, String>,
    /// Elements with a value here are left out: JSON pointers. Such as the second part of a kit. `0`, false and an empty text
    /// are no value.
    #[serde(default)]
    pub unless: Vec<String>,
    /// A further question about what was found, whose answers are the ids: its `skus` are the ids found first, and its
    /// `sku` is where an element has such an id.
    pub then: Option<Box<Resolve>>,
    /// Other questions about the same SKUs. What two of them find is ambiguous.
    #[serde(default)]
    pub also: Vec<Resolve>,
}

impl Resolve {
    /// The names that an item gets from it.
    pub fn names(&self) -> Vec<&str> {
        let further = self.then.iter().map(|then| &**then).chain(&self.also);
        let further = further.flat_map(Resolve::names);
        self.fields
            .keys()
            .map(String::as_str)
            .chain(further)
            .collect()
    }
}

/// How an answer goes on that comes in pages; by a cursor (`next`), or by number (`size`). Templates see `page.number` (from
/// 1), `page.offset` and `page.cursor` (empty at first).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pages {
    /// The cursor of the next page: a JSON pointer, or `header:NAME`. None, null or empty ends it.
    pub next: Option<String>,
    /// True where another page follows: a JSON pointer.
    pub more: Option<String>,
    /// Most elements of a page; a shorter one is the last.
    pub size: Option<u32>,
    /// Elements in all: a JSON pointer, or `header:NAME`. What was read must agree.
    pub total: Option<String>,
}

/// What a pair is that a read answer does not name.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Unnamed {
    /// Nobody knows.
    #[default]
    Unknown,
    /// Not kept there.
    NotStocked,
}

/// How a store's present levels are read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The method; POST by default.
    #[serde(default)]
    pub method: Method,
    /// The address: a template over `settings`, `items`, `item`, `group` and `page`.
    pub url: String,
    /// Headers: templates.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// What is sent: a JSON text as a template.
    pub template: Option<String>,
    /// Pairs asked for at once; 1 by default.
    #[serde(default)]
    pub batch: Batch,
    /// Pairs of one question share this: a template over `item`. As `[request]` by default.
    pub group_by: Option<String>,
    /// How the answer goes on, where it comes in pages.
    pub pages: Option<Pages>,
    /// The array of elements: a JSON pointer, `""` where the answer is the array.
    pub items: String,
    /// True where an answer without the array means an empty one.
    #[serde(default)]
    pub may_lack_items: bool,
    /// The key in an element: a JSON pointer.
    pub key: String,
    /// The name of our item that is the same; `remote_id` where there is `[request.resolve]`, else `sku`.
    pub item: Option<String>,
    /// The array of levels in an element: a JSON pointer. Left out, the element is the level.
    pub levels: Option<String>,
    /// The location in a level: a JSON pointer; the item's `place` must be the same.
    pub place: Option<String>,
    /// The quantity in a level: a JSON pointer. Null or absent, the pair is not kept there.
    pub quantity: String,
    /// True where an element has more levels than it shows: a JSON pointer in the element.
    pub cut: Option<String>,
    /// What a pair is that no element names.
    #[serde(default)]
    pub missing: Unnamed,
}

/// What a channel's own id of a SKU is; kept between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteId {
    /// The id.
    pub id: String,
    /// Further members by name.
    #[serde(default)]
    pub fields: IndexMap<String, String>,
}
