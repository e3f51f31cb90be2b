//! One call: its turn, its credentials, its answer, and what a failure means.
//!
//! Comes in: a prepared call. Goes out: the answer, or one of four failures that the caller can act on. Promised: what may
//! have arrived is sent again only where that does no harm; 429 and `Retry-After` hold the whole account; 401 fetches one
//! new token and no more; 403 pauses the account; a redirect carries credentials to no other host; every wait is bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Url;
use serde_json::Value;

use crate::channel::manifest::request::{Budget, ErrorPlaces, Method, Pace, Timeouts};

use super::account::{Account, Reckoned};
use super::auth::{Auth, Credential};
use super::clean::{clean, refused, shown};
use super::pace::{backoff, retry_after};
use super::transport::{Reply, Transport, Try, unpacked};
use super::verdict::text;

/// Tries of one call.
pub(super) const TRIES_MAX: u32 = 5;
/// Redirects of one reading call.
const REDIRECTS_MAX: u32 = 3;
/// Longest answer, in bytes, packed or not.
pub(super) const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// So long after an interruption a call on its way may still be answered.
const GRACE: Duration = Duration::from_secs(5);
/// The pause before the second try.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// A call, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// It may change what buyers see.
    pub(super) effect: bool,
    /// Twice does what once does.
    pub(super) idempotent: bool,
    pub(super) credentials: bool,
    pub(super) pace: Option<Pace>,
    pub(super) expect: Option<Vec<u16>>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// With its body unpacked.
    pub(super) reply: Reply,
    /// The body, where it is JSON.
    pub(super) json: Option<Value>,
    /// An earlier try of the same call may have arrived.
    pub(super) repeated: bool,
}

impl Answer {
    /// What stands at a JSON pointer, or in `header:NAME`.
    pub(super) fn at(&self, place: &str) -> Option<String> {
        match place.strip_prefix("header:") {
            Some(name) => self.reply.header(name).map(str::to_owned),
            None => text(self.json.as_ref().and_then(|json| json.pointer(place))),
        }
    }
}

/// Why there is no answer to go on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CallError {
    /// The other side said no, and did nothing.
    Refused { code: String, message: String },
    /// A polled step ended in a state that says that nothing was done.
    Ended { code: String, message: String },
    /// It may have done it.
    Lost(String),
    /// Nothing arrived there.
    NotSent(String),
    /// Nothing leaves any more; nothing arrived there.
    Stopped(String),
}

/// What all calls of one sending share.
pub(super) struct Caller {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) auth: Auth,
    pub(super) account: Account,
    pub(super) places: ErrorPlaces,
    pub(super) budget: Option<Budget>,
    pub(super) timeouts: Timeouts,
    /// By the account's clock.
    pub(super) deadline: Option<Duration>,
    pub(super) stop: Option<Arc<AtomicBool>>,
    /// The channel is on this machine.
    pub(super) near: bool,
}

impl Caller {
    /// Words of others, fit to be shown.
    pub(super) async fn cleaned(&self, words: &str) -> String {
        let mut secrets = self.auth.secrets.clone();
        secrets.extend(self.auth.current(&self.account).await);
        clean(words, &secrets)
    }

    fn over(&self) -> Option<String> {
        let stopped = self
            .stop
            .as_ref()
            .is_some_and(|stop| stop.load(Ordering::Relaxed));
        if stopped {
            return Some("the run was interrupted".to_owned());
        }
        let now = self.account.clock().now();
        self.deadline
            .is_some_and(|deadline| now >= deadline)
            .then(|| "the run's deadline is over".to_owned())
    }

    /// Makes a call, and again where that does no harm.
    ///
    /// # Errors
    /// See [`CallError`].
    pub(super) async fn call(&self, call: &Call) -> Result<Answer, CallError> {
        let mut tries = 0;
        let mut fresh_token = false;
        // an earlier try may have arrived
        let mut maybe = false;
        loop {
            tries += 1;
            let end = match self.one(call, &mut fresh_token, tries).await {
                Ok(mut answer) => {
                    answer.repeated = maybe;
                    return Ok(answer);
                }
                Err(end) => end,
            };
            let stop = |reason: String| match maybe {
                true => CallError::Lost(reason),
                false => CallError::Stopped(reason),
            };
            let (reason, pause, arrived) = match end {
                End::Final(CallError::Refused { code, message }) if maybe => {
                    return Err(CallError::Lost(format!(
                        "the answer to the first try was lost, and the second was answered `{code}` {message}"
                    )));
                }
                End::Final(CallError::Stopped(reason)) => return Err(stop(reason)),
                End::Final(error) => return Err(error),
                End::Again => {
                    tries -= 1;
                    continue;
                }
                End::Throttled(reason) => (reason, None, false),
                End::Unreached(reason) => (reason, Some(backoff(FIRST_PAUSE, tries)), false),
                End::Broken(reason) => (reason, Some(backoff(FIRST_PAUSE, tries)), true),
            };
            maybe |= arrived && call.effect;
            if arrived && !call.idempotent {
                return Err(CallError::Lost(reason));
            }
            if tries >= TRIES_MAX || !self.account.retry() {
                return Err(match maybe {
                    true => CallError::Lost(reason),
                    false => CallError::NotSent(reason),
                });
            }
            if let Some(reason) = self.account.paused().or_else(|| self.over()) {
                return Err(match maybe {
                    true => CallError::Lost(reason),
                    false => CallError::Stopped(reason),
                });
            }
            if let Some(pause) = pause {
                self.rest(pause).await;
            }
        }
    }

    /// Waits so long, or until the run is over.
    pub(super) async fn rest(&self, length: Duration) {
        self.account.rest(length, &|| self.over()).await;
    }

    /// Ends a while after the run was interrupted: so long a call on its way may still be answered.
    async fn interrupted(&self) {
        let Some(stop) = &self.stop else {
            return std::future::pending().await;
        };
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        tokio::time::sleep(GRACE).await;
    }

    /// One try, from its turn to its answer.
    async fn one(&self, call: &Call, fresh_token: &mut bool, tries: u32) -> Result<Answer, End> {
        let place = shown(&call.url);
        let stopped = |reason| End::Final(CallError::Stopped(reason));
        if let Some(reason) = self.over() {
            return Err(stopped(reason));
        }
        let mut url = call.url.clone();
        let mut redirects = 0;
        let (reply, token) = loop {
            if let Some(why) = refused(&url, self.near) {
                let message = format!("step `{}` leads to {why}", call.name);
                return Err(End::Final(CallError::NotSent(message)));
            }
            let (credential, token) = match call.credentials {
                true => self
                    .auth
                    .credential(
                        &url,
                        self.transport.as_ref(),
                        self.timeouts.total.0,
                        &self.account,
                    )
                    .await
                    .map_err(|reason| {
                        self.account.pause(&reason);
                        stopped(reason)
                    })?,
                false => (Credential::None, None),
            };
            self.account
                .turn(&call.name, call.pace, self.deadline, &|| self.over())
                .await
                .map_err(stopped)?;
            let end = tokio::select! {
                end = self.send(call, &url, credential) => end,
                () = self.interrupted() => {
                    Try::Broken("had not answered when the run was interrupted".to_owned())
                }
            };
            match end {
                Try::Unreached(why) => return Err(End::Unreached(format!("{place} {why}"))),
                Try::Broken(why) => return Err(End::Broken(format!("{place} {why}"))),
                Try::Unfit(why) => {
                    let message = format!("{place} {why}");
                    return Err(End::Final(CallError::NotSent(message)));
                }
                Try::Answer(reply) => {
                    let status = reply.status;
                    let to = reply.header("location").and_then(|to| url.join(to).ok());
                    match to.filter(|_| (300..400).contains(&status) && status != 304) {
                        Some(to) if call.method == Method::Get && redirects < REDIRECTS_MAX => {
                            redirects += 1;
                            url = to;
                        }
                        Some(to) => {
                            let message = format!(
                                "{place} redirects to {}, which is not followed",
                                to.host_str().unwrap_or_default()
                            );
                            return Err(End::Final(CallError::Refused {
                                code: status.to_string(),
                                message,
                            }));
                        }
                        None => break (reply, token),
                    }
                }
            }
        };
        self.judge(call, reply, token, fresh_token, tries).await
    }

    /// What a whole answer means.
    async fn judge(
        &self,
        call: &Call,
        mut reply: Reply,
        token: Option<String>,
        fresh_token: &mut bool,
        tries: u32,
    ) -> Result<Answer, End> {
        let place = shown(&call.url);
        let status = reply.status;
        reply.body = match unpacked(std::mem::take(&mut reply.body)) {
            Ok(body) => body,
            Err(why) if (200..300).contains(&status) => {
                return Err(End::Broken(format!("{place} {why}")));
            }
            Err(_) => Vec::new(),
        };
        let json: Option<Value> = serde_json::from_slice(&reply.body).ok();
        self.reckon(call, json.as_ref());
        let at = |pointer: &Option<String>| {
            text(
                json.as_ref()
                    .and_then(|json| json.pointer(pointer.as_deref()?)),
            )
        };
        let code = at(&self.places.code);
        let message = at(&self.places.message).unwrap_or_default();
        let is = |codes: &[String]| code.as_ref().is_some_and(|code| codes.contains(code));
        let words = self.cleaned(&message).await;
        let said = match (&code, words.is_empty()) {
            (_, false) => format!(": {words}"),
            (Some(code), true) => format!(": `{}`", self.cleaned(code).await),
            (None, true) => String::new(),
        };
        let wait = reply
            .header("retry-after")
            .and_then(|value| retry_after(value, self.account.clock().wall()));
        if status == 429 || is(&self.places.throttled) {
            // an account that reckons in points waits for its points
            let alone = match self.budget {
                Some(_) if status != 429 => FIRST_PAUSE,
                _ => backoff(FIRST_PAUSE * 2, tries),
            };
            self.account.throttled(wait.unwrap_or(alone));
            let reason = format!("{place} answered {status}, too many calls{said}");
            return Err(match self.account.paused() {
                Some(paused) => End::Final(CallError::Stopped(paused)),
                None => End::Throttled(reason),
            });
        }
        if status == 401 || is(&self.places.unauthorized) {
            if let (Some(token), false) = (&token, *fresh_token) {
                *fresh_token = true;
                self.auth.forget(&self.account, token).await;
                return Err(End::Again);
            }
            let reason = format!(
                "the account is paused: {place} does not take the credentials ({status}){said}"
            );
            self.account.pause(&reason);
            return Err(End::Final(CallError::Stopped(reason)));
        }
        let expected = match &call.expect {
            Some(known) => known.contains(&status),
            None => (200..300).contains(&status),
        };
        let refused = is(&self.places.refused);
        let broken = is(&self.places.broken);
        let forbidden = is(&self.places.forbidden);
        if expected && !refused && !broken && !forbidden {
            self.account.answered();
            return Ok(Answer {
                reply,
                json,
                repeated: false,
            });
        }
        if call.credentials && (matches!(status, 402 | 403) || forbidden) {
            let reason = format!("the account is paused: {place} blocks it ({status}){said}");
            self.account.pause(&reason);
            return Err(End::Final(CallError::Stopped(reason)));
        }
        let reason = format!("{place} answered {status}{said}");
        if !refused && (broken || matches!(status, 408 | 425) || status >= 500) {
            if let Some(wait) = wait {
                self.account.hold(wait.min(super::account::WAIT_MAX));
            }
            return Err(End::Broken(reason));
        }
        if !refused && (200..300).contains(&status) {
            return Err(End::Final(CallError::Lost(format!(
                "{reason}, which step `{}` does not expect",
                call.name
            ))));
        }
        self.account.answered();
        let code = match code {
            Some(code) => self.cleaned(&code).await,
            None => status.to_string(),
        };
        let message = if words.is_empty() {
            format!("{place} answered {status}")
        } else {
            words
        };
        Err(End::Final(CallError::Refused { code, message }))
    }
}

impl Caller {
    /// Takes over what an answer says of the points that are left.
    fn reckon(&self, call: &Call, json: Option<&Value>) {
        let (Some(budget), Some(json)) = (&self.budget, json) else {
            return;
        };
        let number = |pointer: &str| json.pointer(pointer).and_then(Value::as_f64);
        if let (Some(available), Some(restore)) =
            (number(&budget.available), number(&budget.restore))
        {
            let cost = number(&budget.cost);
            let said = Reckoned {
                available,
                restore,
                cost,
            };
            self.account.reckoned(&call.name, said);
        }
    }
}

/// How one try ended, when not with the answer that was expected.
enum End {
    Final(CallError),
    /// At once, with a new token.
    Again,
    /// Not taken; the account waits.
    Throttled(String),
    Unreached(String),
    Broken(String),
}
