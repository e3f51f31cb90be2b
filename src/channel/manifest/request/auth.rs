//! `[request.auth]` and `[request.secrets]`: who is calling, as manifests write it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Span;

/// A secret the merchant must give.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SecretNeeded {
    /// What it is and where it is found.
    pub about: Option<String>,
    /// True when the channel works without it.
    pub optional: bool,
}

/// How calls say who is calling.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum AuthKind {
    /// They do not.
    #[default]
    None,
    /// `Authorization: Bearer …` with `token`.
    Bearer,
    /// `token` in the header `header`.
    Header,
    /// `token` as the query parameter `parameter`.
    Query,
    /// HTTP Basic with `user` and `password`.
    Basic,
    /// OAuth 2: a refresh token is changed for short-lived ones.
    Oauth2Refresh,
    /// OAuth 2: client id and secret are changed for short-lived ones.
    Oauth2Client,
    /// Login with Amazon: as `oauth2-refresh`, with the token in `x-amz-access-token`.
    AmazonLwa,
    /// A call with user and password whose answer holds the token of a session.
    Login,
}

impl AuthKind {
    /// The word in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            AuthKind::None => "none",
            AuthKind::Bearer => "bearer",
            AuthKind::Header => "header",
            AuthKind::Query => "query",
            AuthKind::Basic => "basic",
            AuthKind::Oauth2Refresh => "oauth2-refresh",
            AuthKind::Oauth2Client => "oauth2-client",
            AuthKind::AmazonLwa => "amazon-lwa",
            AuthKind::Login => "login",
        }
    }

    /// The keys it needs, and those it may have beside them.
    pub fn keys(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            AuthKind::None => (&[], &[]),
            AuthKind::Bearer => (&["token"], &["hosts"]),
            AuthKind::Header => (&["token", "header"], &["hosts", "prefix"]),
            AuthKind::Query => (&["token", "parameter"], &["hosts"]),
            AuthKind::Basic => (&["user"], &["password", "hosts"]),
            AuthKind::Oauth2Refresh => (
                &["url", "client_id", "refresh_token"],
                &[
                    "client_secret",
                    "client",
                    "scope",
                    "header",
                    "prefix",
                    "hosts",
                ],
            ),
            AuthKind::Oauth2Client => (
                &["url", "client_id", "client_secret"],
                &["client", "scope", "header", "prefix", "hosts"],
            ),
            AuthKind::AmazonLwa => (
                &["client_id", "client_secret", "refresh_token"],
                &["url", "hosts"],
            ),
            AuthKind::Login => (
                &["url", "template", "answer"],
                &["message", "life", "header", "prefix", "hosts"],
            ),
        }
    }

    /// Whether its tokens are fetched and can be fetched anew.
    pub fn fetches_tokens(self) -> bool {
        matches!(
            self,
            AuthKind::Oauth2Refresh
                | AuthKind::Oauth2Client
                | AuthKind::AmazonLwa
                | AuthKind::Login
        )
    }
}

/// Where an OAuth client shows its id and secret.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ClientPlace {
    /// In the form.
    #[default]
    Body,
    /// As HTTP Basic.
    Basic,
}

/// Who is calling: templates over `secrets` and `settings`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// How calls say it.
    pub kind: AuthKind,
    /// The token, key or password that is sent.
    pub token: Option<String>,
    /// The header that carries it; `authorization` by default.
    pub header: Option<String>,
    /// What stands before it in the header.
    pub prefix: Option<String>,
    /// The query parameter that carries it.
    pub parameter: Option<String>,
    /// The user of HTTP Basic.
    pub user: Option<String>,
    /// The password of HTTP Basic.
    pub password: Option<String>,
    /// Where tokens are fetched; of `login` one that begins with `/` continues the channel's `url`.
    pub url: Option<String>,
    /// The client's id.
    pub client_id: Option<String>,
    /// The client's secret.
    pub client_secret: Option<String>,
    /// Where both are shown.
    pub client: ClientPlace,
    /// The refresh token.
    pub refresh_token: Option<String>,
    /// What is asked for.
    pub scope: Option<String>,
    /// What `login` sends: a JSON text as a template.
    pub template: Option<String>,
    /// Where the answer to `login` has the token: a JSON pointer, or `header:NAME`.
    pub answer: Option<String>,
    /// Where the answer to `login` says why there is none: a JSON pointer.
    pub message: Option<String>,
    /// How long a token of `login` holds; it is fetched anew when it is refused, too. An hour by default.
    pub life: Option<Span>,
    /// Hosts that may see the credentials beside the one of `url`.
    pub hosts: Vec<String>,
}
