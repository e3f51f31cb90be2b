//! Short-lived tokens: fetched once, shared by all calls of an account, fetched anew before they end or when one is refused.
//!
//! Comes in: the secrets, out of [`Auth`]. Promised: one fetch at a time; a failure that may pass is tried again, a few times;
//! no secret stands in any message.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use serde_json::Value;

use crate::channel::manifest::request::{AuthKind, ClientPlace, Method};

use super::account::{Account, WAIT_MAX};
use super::auth::{Auth, Token};
use super::clean::{clean, is_loopback, refused, shown};
use super::transport::{Exchange, Reply, Transport, Try, address, unpacked};
use super::verdict::text;

/// Where Amazon changes refresh tokens.
pub(super) const AMAZON_TOKENS: &str = "https://api.amazon.com/auth/o2/token";
/// Longest answer of a token's address, in bytes.
const TOKEN_BYTES_MAX: usize = 64 * 1024;
/// So long before its end a token is not used any more.
const EARLY: Duration = Duration::from_secs(60);
/// Tries to fetch a token.
const TRIES: u32 = 3;

impl Auth {
    /// Forgets a token that was refused; one fetched meanwhile stays.
    pub(super) async fn forget(&self, account: &Account, refused: &str) {
        let mut kept = account.token().lock().await;
        if kept.as_ref().is_some_and(|token| token.value == refused) {
            *kept = None;
        }
    }

    /// The token in use, for taking it out of messages.
    pub(super) async fn current(&self, account: &Account) -> Option<String> {
        let kept = account.token().lock().await;
        kept.as_ref().map(|token| token.value.clone())
    }

    /// The token to use.
    pub(super) async fn token(
        &self,
        transport: &dyn Transport,
        total: Duration,
        account: &Account,
    ) -> Result<String, String> {
        // held while it is fetched, so that all callers share one
        let mut kept = account.token().lock().await;
        let now = account.clock().now();
        if let Some(token) = kept.as_ref().filter(|token| token.ends > now) {
            return Ok(token.value.clone());
        }
        let exchange = self.exchange(total)?;
        let mut tries = 1;
        loop {
            match self.fetch(&exchange, transport, account).await {
                Ok(token) => {
                    let value = token.value.clone();
                    *kept = Some(token);
                    return Ok(value);
                }
                Err((reason, passes)) if !passes || tries >= TRIES => return Err(reason),
                // what the other side asks for holds for tokens, too
                Err((reason, _)) if account.waits() > WAIT_MAX => return Err(reason),
                Err(_) => {
                    let pause = super::pace::backoff(Duration::from_secs(1), tries);
                    account.clock().sleep(pause.max(account.waits())).await;
                    tries += 1;
                }
            }
        }
    }

    /// The request for a token.
    fn exchange(&self, total: Duration) -> Result<Exchange, String> {
        let written = match self.value("url") {
            "" => AMAZON_TOKENS,
            url => url,
        };
        let url = match self.kind {
            AuthKind::Login => address(&self.own, written).ok(),
            _ => Url::parse(written).ok(),
        };
        let url = url.ok_or_else(|| "the address for tokens is none".to_owned())?;
        if let Some(why) = refused(&url, is_loopback(&self.own)) {
            return Err(format!("the address for tokens is {why}"));
        }
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        let (kind, body) = match self.kind {
            AuthKind::Login => ("application/json", self.value("template").to_owned()),
            _ => {
                if self.client_place == ClientPlace::Basic {
                    let pair = format!(
                        "{}:{}",
                        self.value("client_id"),
                        self.value("client_secret")
                    );
                    let basic = format!("Basic {}", STANDARD.encode(pair));
                    headers.push(("authorization".to_owned(), basic));
                }
                ("application/x-www-form-urlencoded", self.form())
            }
        };
        headers.push(("content-type".to_owned(), kind.to_owned()));
        Ok(Exchange {
            method: Method::Post,
            url,
            headers,
            body: body.into_bytes(),
            total,
        })
    }

    /// What OAuth asks for a token with.
    fn form(&self) -> String {
        let mut form: Vec<(&str, &str)> = vec![(
            "grant_type",
            match self.kind {
                AuthKind::Oauth2Client => "client_credentials",
                _ => "refresh_token",
            },
        )];
        for name in ["refresh_token", "scope"] {
            let wanted = name == "scope" || self.kind != AuthKind::Oauth2Client;
            if wanted && !self.value(name).is_empty() {
                form.push((name, self.value(name)));
            }
        }
        if self.client_place == ClientPlace::Body {
            for name in ["client_id", "client_secret"] {
                if !self.value(name).is_empty() {
                    form.push((name, self.value(name)));
                }
            }
        }
        Url::parse_with_params("http://form/", &form)
            .ok()
            .and_then(|url| url.query().map(str::to_owned))
            .unwrap_or_default()
    }

    /// Fetches a token; a failure says whether it may pass.
    async fn fetch(
        &self,
        exchange: &Exchange,
        transport: &dyn Transport,
        account: &Account,
    ) -> Result<Token, (String, bool)> {
        let place = shown(&exchange.url);
        let failed =
            |why: &str, passes| (format!("no token could be fetched: {place} {why}"), passes);
        let reply = match transport.exchange(exchange).await {
            Try::Answer(reply) => reply,
            Try::Unreached(why) => return Err(failed(&why, true)),
            Try::Broken(why) => return Err(failed(&why, true)),
            Try::Unfit(why) => return Err(failed(&why, false)),
        };
        let Reply { status, .. } = reply;
        let wait = reply
            .header("retry-after")
            .and_then(|value| super::pace::retry_after(value, account.clock().wall()));
        if let Some(wait) = wait.filter(|_| status == 429 || status == 503) {
            account.hold(wait);
        }
        let header = self
            .value("answer")
            .strip_prefix("header:")
            .map(|name| reply.header(name).map(str::to_owned));
        if reply.body.len() > TOKEN_BYTES_MAX {
            return Err(failed("answers at length", false));
        }
        let body = unpacked(reply.body).unwrap_or_default();
        let json: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let token = match (self.kind, header) {
            (AuthKind::Login, Some(header)) => header,
            (AuthKind::Login, None) => text(json.pointer(self.value("answer"))),
            _ => json
                .get("access_token")
                .and_then(Value::as_str)
                .map(str::to_owned),
        };
        let well = (200..300).contains(&status);
        if let Some(value) = token.filter(|token| well && !token.is_empty()) {
            let seconds = match json.get("expires_in") {
                Some(Value::Number(number)) => number.as_u64(),
                Some(Value::String(text)) => text.parse().ok(),
                _ => None,
            };
            let life = match self.kind {
                AuthKind::Login => self.life,
                _ => Duration::from_secs(seconds.unwrap_or(3600).min(30 * 86_400)),
            };
            // a short-lived one is used for half its life
            let early = EARLY.min(life / 2);
            return Ok(Token {
                value,
                ends: account.clock().now().saturating_add(life - early),
            });
        }
        let own = Some(self.value("message")).filter(|pointer| !pointer.is_empty());
        let said = own
            .and_then(|pointer| json.pointer(pointer))
            .or_else(|| json.get("error_description"))
            .or_else(|| json.get("error"))
            .or_else(|| json.get("message"))
            .and_then(Value::as_str);
        let said = match said {
            Some(said) => format!(": {}", clean(said, &self.secrets)),
            None if well => ", without a token: look at the user and the password".to_owned(),
            None => String::new(),
        };
        let passes = status >= 500 || status == 429;
        Err(failed(&format!("answered {status}{said}"), passes))
    }
}
