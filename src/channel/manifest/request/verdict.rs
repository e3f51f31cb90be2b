//! `[request.verdict]` and `[request.error]`: where answers tell what became of what was sent, as manifests write it.

use schemars::JsonSchema;
use serde::Deserialize;

/// How an answer's elements and our items find each other.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// By a key that both have.
    #[default]
    Key,
    /// The nth element is about the nth item.
    Index,
    /// The status alone speaks for the whole batch.
    Status,
}

/// What an item is when the answer does not name it.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Nobody knows.
    #[default]
    Unknown,
    /// Taken, where `counts` prove that the answer is whole.
    Accepted,
}

/// What the body of a success is, where the status speaks for the batch: a page of words may come with any status.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// JSON of any shape; with 204, nothing.
    #[default]
    Json,
    /// A JSON object.
    Object,
    /// A JSON list.
    List,
    /// A JSON list without elements.
    EmptyList,
    /// Whatever it is: the status alone proves it.
    Any,
}

/// Where an answer says what became of each item.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Verdict {
    /// The step whose answer it is; the last by default.
    pub step: Option<String>,
    /// The array, or the object by key, of outcomes: a JSON pointer. Left out, the whole answer is the one outcome.
    pub items: Option<String>,
    /// How its elements and our items find each other.
    pub by: By,
    /// With `by = "status"`: what the body of a success is; another body leaves the batch unknown.
    pub body: Body,
    /// With `by = "status"`: what a success has somewhere: a JSON pointer.
    pub present: Option<String>,
    /// The key in an element: a JSON pointer.
    pub key: Option<String>,
    /// The key in our item: a JSON pointer into it; its id by default.
    pub item: Option<String>,
    /// The status in an element: a JSON pointer.
    pub status: Option<String>,
    /// Statuses of an item that was taken. Without `status`, an element with neither code nor message is taken.
    pub accepted: Vec<String>,
    /// The code of a refusal: a JSON pointer in the element.
    pub code: Option<String>,
    /// Its words.
    pub message: Option<String>,
    /// Codes and statuses of refusals that pass: the item is sent again, a few times.
    pub transient: Vec<String>,
    /// The item's number in the batch, from 0, in an element: a JSON pointer. The list then holds only what went wrong, must
    /// be there, and an element without a number is about the whole batch.
    pub index: Option<String>,
    /// The array of levels in an element: a JSON pointer. Left out, the element is the level.
    pub levels: Option<String>,
    /// The location in a level: a JSON pointer; the item's `place` must be the same.
    pub place: Option<String>,
    /// The quantity in a level: a JSON pointer; where it is not the item's `quantity`, nobody knows.
    pub quantity: Option<String>,
    /// All or none: where an item is refused, none was taken, and the others are held.
    pub atomic: bool,
    /// Codes that say that the store has another level than the one compared with: nothing was changed.
    pub stale: Vec<String>,
    /// Codes that say that the same batch is under way: it is repeated with the same key.
    pub again: Vec<String>,
    /// Codes that say that nobody knows what became of the batch.
    pub lost: Vec<String>,
    /// What an item is that the answer does not name.
    pub missing: Missing,
    /// Numbers in the answer that prove that it is whole.
    pub counts: Counts,
}

/// Numbers in an answer that prove that it is whole: JSON pointers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Counts {
    /// As many as items were sent.
    pub sent: Option<String>,
    /// As many as were not refused.
    pub accepted: Option<String>,
    /// As many as the list has elements.
    pub listed: Option<String>,
}

/// Where an answer that refuses a whole call says why: JSON pointers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorPlaces {
    /// The code.
    pub code: Option<String>,
    /// Its words.
    pub message: Option<String>,
    /// Codes that mean: too many calls, whatever the status.
    pub throttled: Vec<String>,
    /// Codes that mean: the credentials do not hold, whatever the status.
    pub unauthorized: Vec<String>,
    /// Codes that mean: the account may not, whatever the status.
    pub forbidden: Vec<String>,
    /// Codes that mean: nothing was done, whatever the status.
    pub refused: Vec<String>,
    /// Codes that mean: the other side failed, and may have done it, whatever the status.
    pub broken: Vec<String>,
}
