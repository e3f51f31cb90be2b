//! Who is calling: credentials, and the short-lived tokens that some are changed for.
//!
//! Comes in: `[request.auth]` with its secrets resolved. Promised: credentials go to the origin of the channel's own address
//! and to `hosts`, over TLS or inside this machine, and nowhere else; a token is fetched once and shared until it ends; no
//! secret stands in any message.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Url};
use serde_json::{Value, json};

use crate::channel::manifest::request::{Auth as Written, AuthKind, ClientPlace};
use crate::config::secret::Secret;

use super::account::Account;
use super::clean::{clean, is_loopback, refused, shown};
use super::template::{Place, Templates};

/// Where Amazon changes refresh tokens.
pub const AMAZON_TOKENS: &str = "https://api.amazon.com/auth/o2/token";
/// Longest answer of a token's address, in bytes.
const TOKEN_BYTES_MAX: usize = 64 * 1024;
/// So long before its end a token is not used any more.
const EARLY: Duration = Duration::from_secs(60);
/// Tries to fetch a token.
const TRIES: u32 = 3;

/// A short-lived token.
#[derive(Clone)]
pub struct Token {
    value: String,
    ends: Duration,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a call carries.
#[derive(Clone)]
pub(super) enum Credential {
    None,
    Header(String, String),
    Query(String, String),
}

/// Who is calling, with the secrets in.
pub(super) struct Auth {
    kind: AuthKind,
    client_place: ClientPlace,
    header: String,
    prefix: String,
    values: BTreeMap<&'static str, String>,
    /// Hosts beside the channel's own.
    hosts: Vec<String>,
    own: Url,
    pub(super) secrets: Vec<String>,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Auth({})", self.kind.as_str())
    }
}

impl Auth {
    /// Puts the secrets in.
    ///
    /// # Errors
    /// A key that the kind needs and the manifest lacks; a template that cannot be rendered.
    pub(super) fn new(
        written: &Written,
        secrets: &BTreeMap<String, Secret>,
        settings: &Value,
        own: &Url,
        templates: &Templates,
    ) -> Result<Self, String> {
        let given: serde_json::Map<String, Value> = secrets
            .iter()
            .map(|(name, secret)| (name.clone(), Value::String(secret.expose().to_owned())))
            .collect();
        let context = json!({ "secrets": given, "settings": settings });
        let mut values = BTreeMap::new();
        for (name, text) in [
            ("token", &written.token),
            ("user", &written.user),
            ("password", &written.password),
            ("url", &written.url),
            ("client_id", &written.client_id),
            ("client_secret", &written.client_secret),
            ("refresh_token", &written.refresh_token),
            ("scope", &written.scope),
            ("parameter", &written.parameter),
        ] {
            if let Some(text) = text {
                let value = templates.render(text, Place::Plain, &context)?;
                values.insert(name, value);
            }
        }
        for key in written.kind.keys().0 {
            let there = match *key {
                "header" => written.header.is_some(),
                key => values.get(key).is_some_and(|value| !value.is_empty()),
            };
            if !there {
                return Err(format!(
                    "`{}` needs `{key}` in [request.auth], and a secret behind it",
                    written.kind.as_str()
                ));
            }
        }
        let (header, prefix) = match written.kind {
            AuthKind::AmazonLwa => ("x-amz-access-token", ""),
            AuthKind::Header => ("authorization", ""),
            _ => ("authorization", "Bearer "),
        };
        Ok(Auth {
            kind: written.kind,
            client_place: written.client,
            header: written.header.clone().unwrap_or_else(|| header.to_owned()),
            prefix: written.prefix.clone().unwrap_or_else(|| prefix.to_owned()),
            values,
            hosts: written.hosts.clone(),
            own: own.clone(),
            secrets: secrets
                .values()
                .map(|secret| secret.expose().to_owned())
                .collect(),
        })
    }

    fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// Whether an address may see the credentials.
    fn may_see(&self, url: &Url) -> bool {
        if url.origin() == self.own.origin() {
            return true;
        }
        let host = url.host_str().unwrap_or_default();
        url.scheme() == "https"
            && self
                .hosts
                .iter()
                .any(|known| known.eq_ignore_ascii_case(host))
    }

    /// What a call to an address carries, and the token in it.
    ///
    /// # Errors
    /// Why no token could be had.
    pub(super) async fn credential(
        &self,
        url: &Url,
        client: &Client,
        account: &Account,
    ) -> Result<(Credential, Option<String>), String> {
        if !self.may_see(url) {
            return Ok((Credential::None, None));
        }
        let header = |value: &str| {
            Credential::Header(self.header.clone(), format!("{}{value}", self.prefix))
        };
        Ok(match self.kind {
            AuthKind::None => (Credential::None, None),
            AuthKind::Bearer | AuthKind::Header => (header(self.value("token")), None),
            AuthKind::Query => (
                Credential::Query(
                    self.value("parameter").to_owned(),
                    self.value("token").to_owned(),
                ),
                None,
            ),
            AuthKind::Basic => {
                let pair = format!("{}:{}", self.value("user"), self.value("password"));
                let basic = format!("Basic {}", STANDARD.encode(pair));
                (Credential::Header("authorization".to_owned(), basic), None)
            }
            AuthKind::Oauth2Refresh | AuthKind::Oauth2Client | AuthKind::AmazonLwa => {
                let token = self.token(client, account).await?;
                (header(&token), Some(token))
            }
        })
    }

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

    async fn token(&self, client: &Client, account: &Account) -> Result<String, String> {
        // held while it is fetched, so that all callers share one
        let mut kept = account.token().lock().await;
        let now = account.clock().now();
        if let Some(token) = kept.as_ref().filter(|token| token.ends > now) {
            return Ok(token.value.clone());
        }
        let mut tries = 1;
        loop {
            match self.fetch(client, account).await {
                Ok(token) => {
                    let value = token.value.clone();
                    *kept = Some(token);
                    return Ok(value);
                }
                Err((reason, passes)) if !passes || tries >= TRIES => return Err(reason),
                Err(_) => {
                    let pause = super::pace::backoff(Duration::from_secs(1), tries);
                    account.clock().sleep(pause).await;
                    tries += 1;
                }
            }
        }
    }

    /// Fetches a token; a failure says whether it may pass.
    async fn fetch(&self, client: &Client, account: &Account) -> Result<Token, (String, bool)> {
        let written = match self.value("url") {
            "" => AMAZON_TOKENS,
            url => url,
        };
        let url = Url::parse(written)
            .map_err(|_| ("the address for tokens is none".to_owned(), false))?;
        if let Some(why) = refused(&url, is_loopback(&self.own)) {
            return Err((format!("the address for tokens is {why}"), false));
        }
        let place = shown(&url);
        let mut form: Vec<(&str, &str)> = vec![(
            "grant_type",
            match self.kind {
                AuthKind::Oauth2Client => "client_credentials",
                _ => "refresh_token",
            },
        )];
        let mut request = client.post(url).header("accept", "application/json");
        for name in ["refresh_token", "scope"] {
            let wanted = name == "scope" || self.kind != AuthKind::Oauth2Client;
            if wanted && !self.value(name).is_empty() {
                form.push((name, self.value(name)));
            }
        }
        if self.client_place == ClientPlace::Basic {
            let pair = format!(
                "{}:{}",
                self.value("client_id"),
                self.value("client_secret")
            );
            request = request.header("authorization", format!("Basic {}", STANDARD.encode(pair)));
        } else {
            for name in ["client_id", "client_secret"] {
                if !self.value(name).is_empty() {
                    form.push((name, self.value(name)));
                }
            }
        }
        let body = reqwest::Url::parse_with_params("http://form/", &form)
            .ok()
            .and_then(|url| url.query().map(str::to_owned))
            .unwrap_or_default();
        let answer = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await;
        let mut answer = answer.map_err(|error| {
            let why = if error.is_timeout() {
                "did not answer in time"
            } else {
                "cannot be reached"
            };
            (format!("no token could be fetched: {place} {why}"), true)
        })?;
        let status = answer.status();
        let mut text = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await {
            text.extend_from_slice(&chunk);
            if text.len() > TOKEN_BYTES_MAX {
                return Err((
                    format!("no token could be fetched: {place} answers at length"),
                    false,
                ));
            }
        }
        let json: Value = serde_json::from_slice(&text).unwrap_or(Value::Null);
        let token = json.get("access_token").and_then(Value::as_str);
        match token.filter(|token| status.is_success() && !token.is_empty()) {
            Some(token) => {
                let seconds = match json.get("expires_in") {
                    Some(Value::Number(number)) => number.as_u64(),
                    Some(Value::String(text)) => text.parse().ok(),
                    _ => None,
                };
                let life = Duration::from_secs(seconds.unwrap_or(3600).min(30 * 86_400));
                // a short-lived one is used for half its life
                let early = EARLY.min(life / 2);
                Ok(Token {
                    value: token.to_owned(),
                    ends: account.clock().now().saturating_add(life - early),
                })
            }
            None => {
                let said = json
                    .get("error_description")
                    .or_else(|| json.get("error"))
                    .and_then(Value::as_str)
                    .map_or_else(String::new, |said| {
                        format!(": {}", clean(said, &self.secrets))
                    });
                let passes = status.is_server_error() || status.as_u16() == 429;
                let message = format!(
                    "no token could be fetched: {place} answered {}{said}",
                    status.as_u16()
                );
                Err((message, passes))
            }
        }
    }
}
