//! `[[feed.to]]`: where a feed is delivered, as it is written. Secrets are references and nothing here holds one.

use std::path::Path;
use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::secret::Secret;
use super::toml_file::ConfigError;

/// The time-out where none is given: the longest silence of the other side.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// The tries where none are given.
pub const RETRIES: u32 = 5;
/// The most tries that can be asked for.
pub const RETRIES_MAX: u32 = 20;

/// A place that takes a feed's files. Its debug output shows where it is, and neither query nor credentials.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct To {
    /// A folder or a file on this machine; a relative one lies in the project.
    pub path: Option<String>,
    /// `sftp:// ftps:// s3:// gs:// az:// https://`; with `/` at its end a folder, else it names the file. `.gz` and
    /// `.zst` compress.
    pub url: Option<String>,
    /// Whether `https://` puts or posts; `PUT` by default.
    pub method: Option<Method>,
    /// The user, where the address does not name one.
    pub user: Option<String>,
    /// The user's password: `env:NAME` or `file:PATH`.
    pub password: Option<SecretRef>,
    /// The private key of `sftp://`, or the service account's JSON of `gs://`: `file:PATH` or `env:NAME`.
    pub key: Option<SecretRef>,
    /// What the private key is locked with: `env:NAME` or `file:PATH`.
    pub key_passphrase: Option<SecretRef>,
    /// A bearer token (`https://`, `gs://`, `az://`), or the session token of `s3://`: `env:NAME` or `file:PATH`.
    pub token: Option<SecretRef>,
    /// The access key's id (`s3://`), or the account's key (`az://`): `env:NAME` or `file:PATH`.
    pub access_key: Option<SecretRef>,
    /// The secret that belongs to `access_key` (`s3://`): `env:NAME` or `file:PATH`.
    pub secret_key: Option<SecretRef>,
    /// The storage account (`az://`).
    pub account: Option<String>,
    /// The file with the host keys that are trusted (`sftp://`); the user's own by default.
    pub known_hosts: Option<String>,
    /// The address of the store's service, where it is not the maker's own (`s3://`, `gs://`, `az://`).
    pub endpoint: Option<String>,
    /// The store's region (`s3://`).
    pub region: Option<String>,
    /// Whether the bucket stands in the path rather than in the host's name (`s3://`); true with an `endpoint`.
    pub path_style: Option<bool>,
    /// Whether the channel is called item by item, by its manifest's `[request]`; `url` then stands in for its address.
    pub requests: bool,
    /// The secrets that the channel's requests ask for, by name: `env:NAME` or `file:PATH`.
    pub secrets: IndexMap<String, SecretRef>,
    /// How often a channel that takes requests gets everything, not only what changed; `7d` by default.
    pub full_every: Option<String>,
    /// Headers to send (`https://`); a value `env:NAME` or `file:PATH` is a secret.
    pub headers: IndexMap<String, String>,
    /// Whether what was sent is fetched again and compared; where it is not said, wherever the server gives it.
    pub read_back: Option<bool>,
    /// Allows `http://` beyond this machine. What is sent can then be read and changed on its way.
    pub allow_http: bool,
    /// Allows `ftp://`: FTP without TLS. The password and what is sent can then be read and changed on their way.
    pub allow_plain: bool,
    /// The longest silence, such as `60s`; 60 seconds by default.
    pub timeout: Option<String>,
    /// How often it is tried, 1 to 20; 5 by default.
    pub retries: Option<u32>,
    /// A file with certificates (PEM) that are trusted besides the system's.
    pub ca: Option<String>,
}

/// What `https://` is asked.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum Method {
    /// The address is what it will stand at.
    #[serde(rename = "PUT")]
    Put,
    /// The address takes it in.
    #[serde(rename = "POST")]
    Post,
}

/// Where a secret is found: `env:NAME` or `file:PATH`. A value written in its place is refused and not repeated.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(transparent)]
pub struct SecretRef(String);

impl SecretRef {
    /// A reference.
    ///
    /// # Errors
    /// A text that is none; the message does not repeat it.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        if is_reference(text) {
            Ok(SecretRef(text.to_owned()))
        } else {
            Err("secrets are references, never values: write `env:NAME` or `file:PATH`")
        }
    }

    /// The secret, read now.
    ///
    /// # Errors
    /// As [`Secret::resolve`], and when it is empty.
    pub fn resolve(&self, project: &Path) -> Result<Secret, String> {
        let secret = Secret::resolve(&self.0, project)?;
        if secret.expose().is_empty() {
            return Err(format!("the secret `{}` is empty", self.0));
        }
        Ok(secret)
    }

    /// The reference as it is written.
    pub fn reference(&self) -> &str {
        &self.0
    }
}

/// True for `env:NAME` and `file:PATH`.
pub fn is_reference(text: &str) -> bool {
    ["env:", "file:"].iter().any(|kind| {
        text.strip_prefix(kind)
            .is_some_and(|name| !name.trim().is_empty())
    })
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)
            .map_err(|_| serde::de::Error::custom("a secret's reference is a text"))?;
        SecretRef::new(&text).map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Debug for To {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // a password that has no business in an address stands before the last `@`
        let url = self.url.as_deref().map(|url| {
            let url = url.split(['?', '#']).next().unwrap_or_default();
            match (url.split_once("://"), url.rsplit_once('@')) {
                (Some((scheme, _)), Some((_, place))) => format!("{scheme}://…@{place}"),
                _ => url.to_owned(),
            }
        });
        f.debug_struct("To")
            .field("path", &self.path)
            .field("url", &url)
            .finish_non_exhaustive()
    }
}

impl To {
    /// The longest silence of the other side.
    ///
    /// # Errors
    /// A text that is no time span, or one that is nothing or beyond an hour.
    pub fn timeout(&self) -> Result<Duration, ConfigError> {
        let Some(text) = &self.timeout else {
            return Ok(TIMEOUT);
        };
        super::span::parse(text)
            .ok()
            .filter(|span| !span.is_zero() && *span <= Duration::from_secs(3600))
            .ok_or_else(|| {
                self.wrong(
                    format!("`timeout = \"{text}\"` is no time span that can be waited for"),
                    "write it as `60s` or `5m`; an hour at most",
                )
            })
    }

    /// How often it is tried.
    ///
    /// # Errors
    /// A number beyond 1 to [`RETRIES_MAX`].
    pub fn tries(&self) -> Result<u32, ConfigError> {
        match self.retries {
            None => Ok(RETRIES),
            Some(tries) if (1..=RETRIES_MAX).contains(&tries) => Ok(tries),
            Some(tries) => Err(self.wrong(
                format!("`retries = {tries}` is beyond 1 to {RETRIES_MAX}"),
                "it is how often a delivery is tried",
            )),
        }
    }

    /// What is wrong with this place, in the project's words.
    pub fn wrong(&self, message: impl Into<String>, hint: impl Into<String>) -> ConfigError {
        ConfigError::new("shelfcast.toml: [[feed.to]]", message, hint)
    }
}

#[cfg(test)]
mod tests {
    use super::super::toml_file::parse;
    use super::*;

    #[test]
    fn a_place_is_read_with_its_near_misses() {
        let to: To = parse(
            "a",
            "url = \"sftp://u@h/f.xml\"\npassword = \"env:P\"\ntimeout = \"90s\"\nmethod = \"POST\"",
        )
        .expect("a place");
        assert_eq!(
            to.password.as_ref().map(SecretRef::reference),
            Some("env:P")
        );
        assert_eq!(to.timeout(), Ok(Duration::from_secs(90)));
        assert_eq!(to.tries(), Ok(5));
        let error = parse::<To>("a", "pasword = \"env:P\"").expect_err("misspelt");
        assert!(error.hint.contains("did you mean `password`?"), "{error:?}");
        let error = parse::<To>("a", "method = \"put\"").expect_err("small letters");
        assert!(error.hint.contains("`PUT`"), "{error:?}");
    }

    #[test]
    fn a_secret_in_the_place_of_a_reference_is_refused_and_not_repeated() {
        for slot in [
            "password",
            "key",
            "key_passphrase",
            "token",
            "access_key",
            "secret_key",
        ] {
            for value in ["CANARY-9F", "env:", "file: "] {
                let text = format!("{slot} = \"{value}\"");
                let error = parse::<To>("a", &text).expect_err("a value");
                assert!(error.message.contains("env:NAME"), "{error:?}");
                assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
            }
            let error = parse::<To>("a", &format!("{slot} = [\"CANARY\"]")).expect_err("a list");
            assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
        }
    }

    #[test]
    fn debug_output_shows_the_place_and_nothing_secret() {
        for url in [
            "https://u:CANARY@h/f.xml?sig=CANARY",
            "https://u:CAN@CANARY@h/f.xml#CANARY",
            "sftp://CANARY@h/f.xml",
        ] {
            let to = To {
                url: Some(url.to_owned()),
                headers: [("X".to_owned(), "CANARY".to_owned())]
                    .into_iter()
                    .collect(),
                ..To::default()
            };
            let shown = format!("{to:?}");
            assert!(
                !shown.contains("CANARY") && shown.contains("@h/f.xml"),
                "{shown}"
            );
        }
    }

    #[test]
    fn time_spans_and_tries_have_bounds() {
        let to = |timeout: &str| To {
            timeout: Some(timeout.to_owned()),
            ..To::default()
        };
        assert_eq!(to("500ms").timeout(), Ok(Duration::from_millis(500)));
        assert_eq!(to("5m").timeout(), Ok(Duration::from_secs(300)));
        for wrong in [
            "",
            "60",
            "s",
            "0s",
            "2h",
            "-1s",
            "1 day",
            "99999999999999999999h",
        ] {
            assert!(to(wrong).timeout().is_err(), "{wrong}");
        }
        for (retries, works) in [(0, false), (1, true), (20, true), (21, false)] {
            let to = To {
                retries: Some(retries),
                ..To::default()
            };
            assert_eq!(to.tries().is_ok(), works, "{retries}");
        }
    }
}
