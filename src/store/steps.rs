//! A batch's calls, in order: what each sends, what its answer hands on, the polling, and what a failure means for the items.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::channel::manifest::request::{Step, Until, Verdict};

use super::call::{Answer, Call, CallError, TRIES_MAX};
use super::outcome::Outcome;
use super::pace::backoff;
use super::run::Engine;
use super::template::Place;
use super::transport::address;
use super::verdict::{self, text};

/// How far a batch came before it failed.
pub(super) struct Failed {
    error: CallError,
    /// A step before may have changed something.
    after_effect: bool,
    /// The step itself may change something.
    effect: bool,
}

impl Engine {
    /// The steps, in order.
    pub(super) async fn go<'s>(
        &'s self,
        steps: &'s [Step],
        verdict: Option<&Verdict>,
        document: Vec<u8>,
        mut context: Map<String, Value>,
        answers: &mut HashMap<&'s str, Answer>,
    ) -> Result<(), Failed> {
        let mut after_effect = false;
        let optional: Vec<&str> = steps
            .iter()
            .filter_map(|step| step.when.as_deref())
            .collect();
        for step in steps {
            let effect = step.has_effect();
            let failed = |error| Failed {
                error,
                after_effect,
                effect,
            };
            let captured = |name: &str| {
                context
                    .get("captures")
                    .and_then(|captures| captures.get(name))
                    .is_some_and(|value| value.as_str() != Some(""))
            };
            if step.when.as_deref().is_some_and(|name| !captured(name)) {
                continue;
            }
            let call = self
                .prepare(step, &document, &context, answers)
                .map_err(|reason| {
                    failed(CallError::NotSent(format!(
                        "step `{}`: {reason}",
                        step.name
                    )))
                })?;
            let answer = match &step.until {
                None => self.settled(&call, verdict).await,
                Some(until) => self.poll(&call, until).await,
            }
            .map_err(failed)?;
            for (name, place) in &step.capture {
                let (place, may_lack) = match place.strip_suffix('?') {
                    Some(place) => (place, true),
                    None => (place.as_str(), optional.contains(&name.as_str())),
                };
                let found = match answer.at(place) {
                    Some(found) => found,
                    None if may_lack => String::new(),
                    None => {
                        let reason = format!("the answer of step `{}` has no `{place}`", step.name);
                        return Err(failed(CallError::Lost(reason)));
                    }
                };
                if let Some(Value::Object(captures)) = context.get_mut("captures") {
                    captures.insert(name.clone(), Value::String(found));
                }
            }
            after_effect |= effect;
            answers.insert(step.name.as_str(), answer);
        }
        Ok(())
    }

    /// Makes a call, and again with the same key while the answer says that the same batch is under way.
    async fn settled(&self, call: &Call, verdict: Option<&Verdict>) -> Result<Answer, CallError> {
        let mut tries = 1;
        loop {
            let answer = match self.caller.call(call).await {
                // it was under way: what is said of the repetition says nothing of it
                Err(error) if tries > 1 => return Err(CallError::Lost(said(error))),
                answer => answer?,
            };
            let under_way =
                |verdict| verdict::under_way(verdict, answer.json.as_ref()) && call.effect;
            if !verdict.is_some_and(under_way) {
                return Ok(answer);
            }
            let account = &self.caller.account;
            if tries >= TRIES_MAX || account.paused().is_some() || !account.retry() {
                let reason = "the same batch is still under way".to_owned();
                return Err(CallError::Lost(reason));
            }
            self.caller
                .rest(backoff(Duration::from_secs(1), tries))
                .await;
            tries += 1;
        }
    }

    fn prepare(
        &self,
        step: &Step,
        document: &[u8],
        context: &Map<String, Value>,
        answers: &HashMap<&str, Answer>,
    ) -> Result<Call, String> {
        let whole = Value::Object(context.clone());
        let url = self.templates.render(&step.url, Place::Address, &whole)?;
        let url = address(&self.own, &url)?;
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, text) in self.request.headers.iter().chain(&step.headers) {
            let value = self.templates.render(text, Place::Plain, &whole)?;
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            if !value.is_empty() {
                headers.push((name.clone(), value));
            }
        }
        let keyed = self.request.idempotency.as_ref();
        if let Some(header) = keyed.and_then(|keyed| keyed.header.as_ref())
            && step.has_effect()
            && let Some(key) = context.get("key").and_then(Value::as_str)
        {
            headers.push((header.clone(), key.to_owned()));
        }
        let body = match (step.body.as_deref(), &step.template) {
            (_, Some(template)) => {
                let typed = headers
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
                let place = match typed {
                    Some((_, kind)) if kind.contains("xml") => Place::Xml,
                    _ => Place::Json,
                };
                let body = self.templates.render(template, place, &whole)?;
                if typed.is_none() {
                    headers.push(("content-type".to_owned(), "application/json".to_owned()));
                }
                body.into_bytes()
            }
            (Some("batch"), None) => document.to_vec(),
            (Some(body), None) => match body.strip_prefix("answer:") {
                Some(name) => answers
                    .get(name)
                    .map(|answer| answer.reply.body.clone())
                    .ok_or_else(|| format!("step `{name}` has not answered"))?,
                None => Vec::new(),
            },
            (None, None) => Vec::new(),
        };
        Ok(Call {
            name: step.name.clone(),
            method: step.method,
            url,
            headers,
            body,
            effect: step.has_effect(),
            idempotent: step.is_idempotent(keyed.is_some()),
            credentials: step.auth.unwrap_or(true),
            pace: step.pace,
            expect: step.expect.clone(),
        })
    }

    /// Asks until the answer says that it is done.
    async fn poll(&self, call: &Call, until: &Until) -> Result<Answer, CallError> {
        let clock = self.caller.account.clock();
        let started = clock.now();
        let mut pause = until.every.0;
        let longest = until.longest.map_or(pause, |longest| longest.0.max(pause));
        let mut last = String::new();
        loop {
            self.caller.rest(pause).await;
            let answer = self.caller.call(call).await?;
            let state = text(
                answer
                    .json
                    .as_ref()
                    .and_then(|json| json.pointer(&until.state)),
            );
            if let Some(state) = state {
                if until.done.contains(&state) {
                    return Ok(answer);
                }
                let shown = self.caller.cleaned(&state).await;
                if until.failed.contains(&state) {
                    return Err(CallError::Ended {
                        message: format!("step `{}` ended as `{shown}`", call.name),
                        code: shown,
                    });
                }
                if until.unknown.contains(&state) {
                    return Err(CallError::Lost(format!(
                        "step `{}` ended as `{shown}`",
                        call.name
                    )));
                }
                last = shown;
            }
            let spent = clock.now().saturating_sub(started);
            if spent.saturating_add(pause) > until.within.0 {
                let state = match last.as_str() {
                    "" => "no state".to_owned(),
                    state => format!("`{state}`"),
                };
                return Err(CallError::Lost(format!(
                    "step `{}` still says {state} after {} seconds",
                    call.name,
                    spent.as_secs()
                )));
            }
            pause = (pause * 2).min(longest);
        }
    }
}

impl Failed {
    /// What a failure means for each item.
    ///
    /// Where a connector's step refuses that only looks at what will be written, that is the store's word on the write, too.
    pub(super) fn outcome(self, verdict: Option<&Verdict>, connector: bool) -> Outcome {
        let is = |codes: fn(&Verdict) -> &Vec<String>, code: &String| {
            verdict.is_some_and(|verdict| codes(verdict).contains(code))
        };
        let refused = |code: String, message: String| {
            if is(|verdict| &verdict.stale, &code) {
                return Outcome::Stale { code, message };
            }
            if is(|verdict| &verdict.lost, &code) || is(|verdict| &verdict.again, &code) {
                let reason = format!("the answer says `{code}`, which settles nothing");
                return Outcome::Unknown { reason };
            }
            Outcome::Rejected {
                transient: is(|verdict| &verdict.transient, &code),
                code,
                message,
            }
        };
        match self.error {
            CallError::Ended { code, message } => refused(code, message),
            CallError::Refused { code, message }
                if (self.effect || connector) && !self.after_effect =>
            {
                refused(code, message)
            }
            CallError::Lost(reason) if self.effect => Outcome::Unknown { reason },
            CallError::Refused {
                message: reason, ..
            }
            | CallError::NotSent(reason)
            | CallError::Stopped(reason)
            | CallError::Lost(reason) => match self.after_effect {
                true => Outcome::Unknown { reason },
                false => Outcome::Held { reason },
            },
        }
    }
}

/// What an error says, in words.
fn said(error: CallError) -> String {
    match error {
        CallError::Refused { message, .. } | CallError::Ended { message, .. } => {
            format!("the same batch was under way, and then: {message}")
        }
        CallError::Lost(reason) | CallError::NotSent(reason) | CallError::Stopped(reason) => reason,
    }
}
