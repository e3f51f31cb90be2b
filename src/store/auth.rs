//! Who is calling: credentials, and the short-lived tokens that some are changed for.
//!
//! Comes in: `[request.auth]` with its secrets resolved. Promised: credentials go to the origin of the channel's own address
//! and to `hosts`, over TLS or inside this machine, and nowhere else; a token is fetched once and shared until it ends; no
//! secret stands in any message.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use serde_json::{Value, json};

use crate::channel::manifest::request::{Auth as Written, AuthKind, ClientPlace};
use crate::config::secret::Secret;

use super::account::Account;
use super::template::{Place, Templates};
use super::transport::Transport;

/// How long the token of a login holds, where the manifest does not say.
const LOGIN_LIFE: Duration = Duration::from_secs(3600);

/// A short-lived token.
#[derive(Clone)]
pub struct Token {
    pub(super) value: String,
    /// By the account's clock.
    pub(super) ends: Duration,
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
    pub(super) kind: AuthKind,
    pub(super) client_place: ClientPlace,
    header: String,
    prefix: String,
    values: BTreeMap<&'static str, String>,
    /// How long the token of a login holds.
    pub(super) life: Duration,
    /// Hosts beside the channel's own.
    hosts: Vec<String>,
    pub(super) own: Url,
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
            ("template", &written.template),
            ("answer", &written.answer),
            ("message", &written.message),
        ] {
            if let Some(text) = text {
                let place = match name {
                    "template" => Place::Json,
                    _ => Place::Plain,
                };
                let value = templates.render(text, place, &context)?;
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
            life: written.life.map_or(LOGIN_LIFE, |life| life.0),
            hosts: written.hosts.clone(),
            own: own.clone(),
            secrets: secrets
                .values()
                .map(|secret| secret.expose().to_owned())
                .collect(),
        })
    }

    pub(super) fn value(&self, name: &str) -> &str {
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
        transport: &dyn Transport,
        total: Duration,
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
            AuthKind::Oauth2Refresh
            | AuthKind::Oauth2Client
            | AuthKind::AmazonLwa
            | AuthKind::Login => {
                let token = self.token(transport, total, account).await?;
                (header(&token), Some(token))
            }
        })
    }
}
