//! SKUs to the channel's own ids. Comes in: SKUs and what is known already; goes out: the same with what was found. What the
//! channel does not know stays absent: it is counted, never guessed.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::channel::manifest::request::{RemoteId, Resolve};

use super::call::{Call, CallError, address};
use super::request::{SendError, Sending, runtime};
use super::run::Engine;
use super::template::Place;
use super::verdict::text;

/// Looks up what is not known yet; how many SKUs the channel does not know. Not to be called from within an asynchronous
/// task.
///
/// # Errors
/// A manifest that does not do; an answer that cannot be had or read: what was found before it stays in `known`.
pub fn resolve(
    sending: &Sending<'_>,
    skus: impl IntoIterator<Item = String>,
    known: &mut HashMap<String, RemoteId>,
) -> Result<u64, SendError> {
    let Some(resolve) = &sending.request.resolve else {
        return Ok(0);
    };
    let engine = Engine::new(sending)?;
    let most = usize::try_from(resolve.batch.items.max(1)).unwrap_or(usize::MAX);
    let mut wanted: Vec<String> = skus
        .into_iter()
        .filter(|sku| !known.contains_key(sku))
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    runtime()?.block_on(async {
        let mut strangers = 0;
        for skus in wanted.chunks(most) {
            let found = engine.look_up(resolve, skus).await?;
            strangers += skus.iter().filter(|sku| !found.contains_key(*sku)).count() as u64;
            known.extend(found);
        }
        Ok(strangers)
    })
}

impl Engine {
    async fn look_up(
        &self,
        resolve: &Resolve,
        skus: &[String],
    ) -> Result<HashMap<String, RemoteId>, SendError> {
        let mut context: Map<String, Value> = self.context.clone();
        context.insert("skus".to_owned(), json!(skus));
        let context = Value::Object(context);
        let wrong = SendError::Configuration;
        let url = self
            .templates
            .render(&resolve.url, Place::Address, &context)
            .and_then(|url| address(&self.own, &url))
            .map_err(wrong)?;
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, text) in self.request.headers.iter().chain(&resolve.headers) {
            let value = self
                .templates
                .render(text, Place::Plain, &context)
                .map_err(wrong)?;
            headers.push((name.clone(), value));
        }
        let body = match &resolve.template {
            Some(template) => {
                headers.push(("content-type".to_owned(), "application/json".to_owned()));
                self.templates
                    .render(template, Place::Json, &context)
                    .map_err(wrong)?
            }
            None => String::new(),
        };
        let call = Call {
            name: "resolve".to_owned(),
            method: resolve.method,
            url,
            headers,
            body: body.into_bytes(),
            effect: false,
            idempotent: true,
            credentials: true,
            pace: None,
            expect: None,
        };
        let unreadable =
            || SendError::Machine("the channel's ids cannot be read out of its answer".to_owned());
        let answer = self.caller.call(&call).await.map_err(|error| match error {
            CallError::Refused { message, .. } | CallError::Ended { message, .. } => {
                SendError::Machine(format!("the channel's ids cannot be looked up: {message}"))
            }
            CallError::Lost(reason) | CallError::NotSent(reason) | CallError::Stopped(reason) => {
                SendError::Machine(format!("the channel's ids cannot be looked up: {reason}"))
            }
        })?;
        let json = answer.json.ok_or_else(unreadable)?;
        let elements = json
            .pointer(&resolve.items)
            .and_then(Value::as_array)
            .ok_or_else(unreadable)?;
        let mut found: HashMap<String, RemoteId> = HashMap::new();
        for element in elements {
            let at = |pointer: &str| text(element.pointer(pointer));
            let (Some(sku), Some(id)) = (at(&resolve.sku), at(&resolve.id)) else {
                continue;
            };
            // searches answer with what looks alike, too
            if !skus.contains(&sku) {
                continue;
            }
            let fields = resolve
                .fields
                .iter()
                .filter_map(|(name, pointer)| Some((name.clone(), at(pointer)?)))
                .collect();
            let new = RemoteId { id, fields };
            if found.get(&sku).is_some_and(|known| *known != new) {
                return Err(SendError::Machine(format!(
                    "the channel has two things with the SKU `{sku}`, and cannot say which is meant"
                )));
            }
            found.insert(sku, new);
        }
        Ok(found)
    }
}
