//! What goes with every request: the project's headers and credentials.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::super::wire::Secrets;
use super::super::{Address, quoted};
use crate::config::ConfigError;
use crate::config::destination::{SecretRef, To, is_reference};

/// The headers of every request, credentials among them.
///
/// # Errors
/// Secrets written in the place of references, credentials that contradict each other, headers that cannot be.
pub(super) fn headers(
    to: &To,
    address: &Address,
    project: &Path,
    secrets: &mut Secrets,
) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &to.headers {
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| to.wrong(format!("`{}` is no header", quoted(name, &[])), ""))?;
        let value = if is_reference(value) {
            let from = SecretRef::new(value).map_err(|message| to.wrong(message, ""))?;
            secrets.read(to, &from, project)?.expose().to_owned()
        } else if is_confidential(name) {
            return Err(to.wrong(
                format!("the header `{name}` holds a secret"),
                "write its value as `env:NAME` or `file:PATH`",
            ));
        } else {
            value.clone()
        };
        headers.insert(header, header_value(to, name, &value)?);
    }
    let authorization = match (&to.token, &to.password) {
        (Some(_), Some(_)) => {
            return Err(to.wrong(
                "it has both `token` and `password`",
                "a server is told one of them",
            ));
        }
        (Some(token), None) => {
            let token = secrets.read(to, token, project)?;
            Some(format!("Bearer {}", token.expose()))
        }
        (None, Some(password)) => {
            let Some(user) = address.user(to) else {
                return Err(to.wrong("it has a `password` and no `user`", "add `user = \"…\"`"));
            };
            let password = secrets.read(to, password, project)?;
            let pair = STANDARD.encode(format!("{user}:{}", password.expose()));
            secrets.add(&pair);
            Some(format!("Basic {pair}"))
        }
        (None, None) if address.user(to).is_some() => {
            return Err(to.wrong(
                "it has a user and no `password`",
                "add `password = \"env:NAME\"`",
            ));
        }
        (None, None) => None,
    };
    if let Some(value) = authorization {
        if headers.contains_key(AUTHORIZATION) {
            return Err(to.wrong(
                "it has credentials and a header `Authorization`",
                "keep one of them",
            ));
        }
        headers.insert(AUTHORIZATION, header_value(to, "Authorization", &value)?);
    }
    Ok(headers)
}

/// A header's value, which nothing prints.
fn header_value(to: &To, name: &str, value: &str) -> Result<HeaderValue, ConfigError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        to.wrong(
            format!("the header `{name}` cannot hold this value"),
            "it must be one line of visible characters",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// True for headers that hold secrets by their name.
fn is_confidential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "authorization",
        "cookie",
        "token",
        "secret",
        "password",
        "key",
        "signature",
    ]
    .iter()
    .any(|word| name.contains(word))
}
