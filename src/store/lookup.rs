//! What a store is asked before it is written to: the ids of SKUs, and the present levels of pairs. Comes in: SKUs or items,
//! `[request.resolve]` and `[request.read]`; goes out: one answer each.
//!
//! Promised: what the store does not name is never guessed; two ids of one SKU are [`Found::Ambiguous`]; an answer in pages
//! is whole or fails: a page that comes twice, a cursor that goes round and a sum that does not agree are no answer.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::channel::manifest::request::{
    ErrorPlaces, Method, Pages, Read, RemoteId, Resolve, Unnamed,
};

use super::batch::Entry;
use super::call::{Answer, Call, CallError};
use super::run::Engine;
use super::template::Place;
use super::transport::address;
use super::verdict::{joined, text};

/// Most pages of one answer.
const PAGES_MAX: u32 = 1_000;

/// What the store says of a SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Its id there.
    Remote(RemoteId),
    /// The store does not know it.
    Stranger,
    /// The store has it more than once, and cannot say which is meant.
    Ambiguous,
}

/// What the store says of the level of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Units.
    Level(i64),
    /// The store knows the item and does not keep it there, or does not count it.
    NotStocked,
    /// It could not be read; why.
    Unknown(String),
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The manifest does not do.
    Configuration(String),
    /// The store was not reached, or its answer cannot be read.
    Failed(String),
}

/// One question as the manifest writes it.
struct Question<'q> {
    name: &'static str,
    method: Method,
    url: &'q str,
    headers: &'q IndexMap<String, String>,
    template: Option<&'q str>,
    pages: Option<&'q Pages>,
    items: &'q str,
    may_lack_items: bool,
}

impl Engine {
    /// What the store says of these SKUs, by all its questions: each is named.
    pub(super) async fn look_up(
        &self,
        resolve: &Resolve,
        skus: &[String],
    ) -> Result<HashMap<String, Found>, Unanswered> {
        let mut found = self.find(resolve, skus).await?;
        if let Some(then) = &resolve.then {
            self.follow(then, &mut found).await?;
        }
        for also in &resolve.also {
            for (sku, other) in Box::pin(self.look_up(also, skus)).await? {
                match found.get_mut(&sku) {
                    Some(known) if *known == other || other == Found::Stranger => {}
                    Some(known) if *known != Found::Stranger => *known = Found::Ambiguous,
                    _ => {
                        found.insert(sku, other);
                    }
                }
            }
        }
        Ok(found)
    }

    /// Puts what a further question says of the ids found in their place.
    async fn follow(
        &self,
        then: &Resolve,
        found: &mut HashMap<String, Found>,
    ) -> Result<(), Unanswered> {
        let mut ids: Vec<String> = found
            .values()
            .filter_map(|found| match found {
                Found::Remote(remote) => Some(remote.id.clone()),
                Found::Stranger | Found::Ambiguous => None,
            })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(());
        }
        let further = Box::pin(self.look_up(then, &ids)).await?;
        for found in found.values_mut() {
            let Found::Remote(first) = found else {
                continue;
            };
            *found = match further.get(&first.id) {
                Some(Found::Remote(last)) => {
                    let mut last = last.clone();
                    for (name, value) in std::mem::take(&mut first.fields) {
                        last.fields.entry(name).or_insert(value);
                    }
                    Found::Remote(last)
                }
                Some(Found::Ambiguous) => Found::Ambiguous,
                Some(Found::Stranger) | None => Found::Stranger,
            };
        }
        Ok(())
    }

    /// What the store says of these SKUs, by one question: each is named.
    async fn find(
        &self,
        resolve: &Resolve,
        skus: &[String],
    ) -> Result<HashMap<String, Found>, Unanswered> {
        let question = Question {
            name: "resolve",
            method: resolve.method,
            url: &resolve.url,
            headers: &resolve.headers,
            template: resolve.template.as_deref(),
            pages: resolve.pages.as_ref(),
            items: &resolve.items,
            may_lack_items: resolve.may_lack_items,
        };
        let mut context = self.context.clone();
        context.insert("skus".to_owned(), json!(skus));
        let elements = self.ask(&question, context).await?;
        let mut found: HashMap<String, Found> = skus
            .iter()
            .map(|sku| (sku.clone(), Found::Stranger))
            .collect();
        for element in &elements {
            let at = |pointer: &str| text(element.pointer(pointer)).filter(|it| !it.is_empty());
            let (Some(sku), Some(id)) = (at(&resolve.sku), at(&resolve.id)) else {
                continue;
            };
            let other = |pointer: &String| element.pointer(pointer).is_some_and(is_value);
            if resolve.unless.iter().any(other) {
                continue;
            }
            let fields = resolve
                .fields
                .iter()
                .filter_map(|(name, pointer)| Some((name.clone(), at(pointer)?)))
                .collect();
            let new = Found::Remote(RemoteId { id, fields });
            // searches answer with what looks alike, too
            let Some(known) = found.get_mut(&sku) else {
                continue;
            };
            match known {
                Found::Stranger => *known = new,
                Found::Remote(_) if *known == new => {}
                Found::Remote(_) | Found::Ambiguous => *known = Found::Ambiguous,
            }
        }
        Ok(found)
    }

    /// The present levels of pairs that share a question.
    pub(super) async fn levels(
        &self,
        read: &Read,
        group: &str,
        entries: &[&Entry],
    ) -> Result<Vec<Reading>, Unanswered> {
        let question = Question {
            name: "read",
            method: read.method,
            url: &read.url,
            headers: &read.headers,
            template: read.template.as_deref(),
            pages: read.pages.as_ref(),
            items: &read.items,
            may_lack_items: read.may_lack_items,
        };
        let mut context = self.context.clone();
        context.insert("group".to_owned(), json!(group));
        let items: Vec<Value> = entries.iter().map(|entry| self.item(entry)).collect();
        if let Some(first) = items.first() {
            context.insert("item".to_owned(), first.clone());
        }
        context.insert("items".to_owned(), Value::Array(items));
        let elements = self.ask(&question, context).await?;
        let by = match (&read.item, &self.request.resolve) {
            (Some(name), _) => name.trim_start_matches('/'),
            (None, Some(_)) => "remote_id",
            (None, None) => "sku",
        };
        let mut levels = Levels::default();
        for element in &elements {
            levels.take(read, element);
        }
        Ok(entries
            .iter()
            .map(|entry| {
                let key = match by {
                    "sku" => entry.sku.as_str(),
                    "id" => entry.id.as_str(),
                    name => entry.field(name).unwrap_or_default(),
                };
                if key.is_empty() {
                    return Reading::Unknown(format!("it has no `{by}` to be read by"));
                }
                let place = read.place.as_ref();
                let place = place.map(|_| entry.field("place").unwrap_or_default());
                levels.of(read, key, place)
            })
            .collect())
    }

    /// Asks, page by page; all elements.
    async fn ask(
        &self,
        question: &Question<'_>,
        mut context: Map<String, Value>,
    ) -> Result<Vec<Value>, Unanswered> {
        let failed = |words: &str| Unanswered::Failed(words.to_owned());
        let mut elements: Vec<Value> = Vec::new();
        let mut cursor = String::new();
        let mut cursors: HashSet<String> = HashSet::new();
        for number in 1..=PAGES_MAX {
            let page =
                json!({ "number": number, "offset": elements.len(), "cursor": cursor.as_str() });
            context.insert("page".to_owned(), page);
            let answer = self.page(question, &context).await?;
            let found = match answer
                .json
                .as_ref()
                .and_then(|it| it.pointer(question.items))
            {
                Some(Value::Array(found)) => found.clone(),
                None if question.may_lack_items && whole(&answer, &self.request.error) => {
                    Vec::new()
                }
                _ => return Err(failed("the answer has no list where it should stand")),
            };
            let count = found.len();
            if number > 1 && count > 0 && elements.ends_with(&found) {
                return Err(failed("the same page came twice"));
            }
            elements.extend(found);
            let Some(pages) = question.pages else {
                return Ok(elements);
            };
            let total = match &pages.total {
                None => None,
                Some(place) => {
                    let total = answer.at(place).and_then(|it| it.parse::<usize>().ok());
                    Some(
                        total
                            .ok_or_else(|| failed("the answer has no sum where it should stand"))?,
                    )
                }
            };
            if total.is_some_and(|total| elements.len() > total) {
                return Err(failed("there are more elements than the answer's own sum"));
            }
            let next = pages.next.as_ref().and_then(|place| answer.at(place));
            let more = pages.more.as_ref().and_then(|place| answer.at(place));
            let last = more.as_deref() == Some("false")
                || match (&pages.next, pages.size, total) {
                    (Some(_), ..) => next.as_deref().unwrap_or_default().is_empty(),
                    (None, _, Some(total)) => elements.len() >= total || count == 0,
                    (None, Some(size), None) => u64::from(size) > count as u64,
                    (None, None, None) => more.is_none(),
                };
            if last {
                return match total {
                    Some(total) if total != elements.len() => {
                        Err(failed("the pages are not as many as the answer's own sum"))
                    }
                    _ => Ok(elements),
                };
            }
            if let Some(next) = next {
                if !cursors.insert(next.clone()) {
                    return Err(failed("the pages go round"));
                }
                cursor = next;
            }
        }
        Err(failed("the answer has no end"))
    }

    /// One page of an answer.
    async fn page(
        &self,
        question: &Question<'_>,
        context: &Map<String, Value>,
    ) -> Result<Answer, Unanswered> {
        let context = Value::Object(context.clone());
        let wrong = Unanswered::Configuration;
        let url = self
            .templates
            .render(question.url, Place::Address, &context)
            .and_then(|url| address(&self.own, &url))
            .map_err(wrong)?;
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, text) in self.request.headers.iter().chain(question.headers) {
            let value = self
                .templates
                .render(text, Place::Plain, &context)
                .map_err(wrong)?;
            if !value.is_empty() {
                headers.push((name.clone(), value));
            }
        }
        let body = match question.template {
            Some(template) => {
                headers.push(("content-type".to_owned(), "application/json".to_owned()));
                self.templates
                    .render(template, Place::Json, &context)
                    .map_err(wrong)?
            }
            None => String::new(),
        };
        let call = Call {
            name: question.name.to_owned(),
            method: question.method,
            url,
            headers,
            body: body.into_bytes(),
            effect: false,
            idempotent: true,
            credentials: true,
            pace: None,
            expect: None,
        };
        self.caller.call(&call).await.map_err(|error| {
            Unanswered::Failed(match error {
                CallError::Refused { message, .. } | CallError::Ended { message, .. } => message,
                CallError::Lost(reason)
                | CallError::NotSent(reason)
                | CallError::Stopped(reason) => reason,
            })
        })
    }
}

/// Whether an answer is JSON and says of no error.
fn whole(answer: &Answer, places: &ErrorPlaces) -> bool {
    let code = places.code.as_deref().and_then(|place| answer.at(place));
    // some stores write an object without members as a list
    let shape = |json: &Value| json.is_object() || json.as_array().is_some_and(Vec::is_empty);
    answer.json.as_ref().is_some_and(shape) && code.is_none()
}

/// Whether something stands there: zero, false and nothing are not.
fn is_value(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.as_str(), "" | "0"),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// What elements say of keys and of pairs.
#[derive(Default)]
struct Levels {
    /// True where the element shows fewer levels than it has.
    keys: HashMap<String, bool>,
    pairs: HashMap<String, Reading>,
}

impl Levels {
    fn take(&mut self, read: &Read, element: &Value) {
        let Some(key) = text(element.pointer(&read.key)) else {
            return;
        };
        let cut = read
            .cut
            .as_ref()
            .is_some_and(|pointer| element.pointer(pointer).and_then(Value::as_bool) == Some(true));
        *self.keys.entry(key.clone()).or_default() |= cut;
        let levels = match &read.levels {
            None => std::slice::from_ref(element),
            Some(pointer) => match element.pointer(pointer) {
                Some(Value::Array(levels)) => levels.as_slice(),
                _ => &[],
            },
        };
        for level in levels {
            let place = read.place.as_ref();
            let place = place.map(|place| text(level.pointer(place)).unwrap_or_default());
            let reading = units(level.pointer(&read.quantity));
            let pair = joined(key.clone(), place);
            match self.pairs.get_mut(&pair) {
                Some(known) if *known != reading => {
                    *known = Reading::Unknown("the store names it twice".to_owned());
                }
                Some(_) => {}
                None => {
                    self.pairs.insert(pair, reading);
                }
            }
        }
    }

    fn of(&self, read: &Read, key: &str, place: Option<&str>) -> Reading {
        let pair = joined(key.to_owned(), place.map(str::to_owned));
        match (self.pairs.get(&pair), self.keys.get(key)) {
            (Some(reading), _) => reading.clone(),
            (None, Some(false)) => Reading::NotStocked,
            (None, Some(true)) => {
                Reading::Unknown("the store does not show all locations of it".to_owned())
            }
            (None, None) if read.missing == Unnamed::NotStocked => Reading::NotStocked,
            (None, None) => Reading::Unknown("the store's answer does not name it".to_owned()),
        }
    }
}

/// A quantity: a whole number, as number or text, with zeros behind the point at most.
pub(super) fn units(value: Option<&Value>) -> Reading {
    let Some(text) = text(value) else {
        return match value {
            None | Some(Value::Null) => Reading::NotStocked,
            Some(_) => Reading::Unknown("the store's level is no number".to_owned()),
        };
    };
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    match whole.parse::<i64>() {
        Ok(units) if rest.bytes().all(|byte| byte == b'0') => Reading::Level(units),
        _ => Reading::Unknown("the store's level is no whole number".to_owned()),
    }
}
