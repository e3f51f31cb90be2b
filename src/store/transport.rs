//! One request over the wire and its whole answer: what goes out, how a failure reads, where an address leads.

use std::error::Error;
use std::io::Read;

use reqwest::header::HeaderMap;
use reqwest::{Client, Url};

use crate::channel::manifest::request::{Method, Timeouts};

use super::auth::Credential;
use super::call::{ANSWER_BYTES_MAX, Call, Caller};
use super::clean::is_loopback;

/// One try's end.
pub(super) enum Try {
    Answer(u16, HeaderMap, Vec<u8>),
    /// Nothing arrived there.
    Unreached(String),
    /// It may have arrived.
    Broken(String),
    /// It cannot be sent at all.
    Unfit(String),
}

impl Caller {
    /// A client that follows no redirect and keeps bodies as sent.
    ///
    /// # Errors
    /// A machine without what TLS needs.
    pub(super) fn client(timeouts: &Timeouts, near: bool) -> Result<Client, String> {
        let mut builder = Client::builder()
            .user_agent(concat!("shelfcast/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(timeouts.connect.0)
            .read_timeout(timeouts.idle.0)
            .no_gzip();
        if near {
            builder = builder.no_proxy();
        }
        builder
            .build()
            .map_err(|error| format!("no secure connection can be made: {}", reasons(&error)))
    }

    /// Sends it once, and reads the whole answer.
    pub(super) async fn send(&self, call: &Call, url: &Url, credential: Credential) -> Try {
        let method = match call.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut url = url.clone();
        let header = match credential {
            Credential::None => None,
            Credential::Header(name, value) => Some((name, value)),
            Credential::Query(name, value) => {
                url.query_pairs_mut().append_pair(&name, &value);
                None
            }
        };
        let mut total = self.timeouts.total.0;
        if let Some(deadline) = self.deadline {
            total = total.min(deadline.saturating_sub(self.account.clock().now()));
        }
        let mut request = self.client.request(method, url).timeout(total);
        for (name, value) in call.headers.iter().chain(header.iter()) {
            request = request.header(name, value);
        }
        if call.method != Method::Get || !call.body.is_empty() {
            request = request.body(call.body.clone());
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let why = why(&error);
                return if error.is_builder() {
                    Try::Unfit(why)
                } else if error.is_connect() {
                    Try::Unreached(why)
                } else {
                    Try::Broken(why)
                };
            }
        };
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    body.extend_from_slice(&chunk);
                    if body.len() > ANSWER_BYTES_MAX {
                        return Try::Broken("answers at too great a length".to_owned());
                    }
                }
                Ok(None) => return Try::Answer(status, headers, body),
                // a refusal is one, whole or not
                Err(_) if (400..500).contains(&status) => {
                    return Try::Answer(status, headers, Vec::new());
                }
                Err(error) => return Try::Broken(why(&error)),
            }
        }
    }
}

/// A body out of gzip, which it shows by its first bytes.
pub(super) fn unpacked(body: Vec<u8>) -> Result<Vec<u8>, String> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return Ok(body);
    }
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(body.as_slice())
        .take(ANSWER_BYTES_MAX as u64 + 1)
        .read_to_end(&mut out)
        .map_err(|_| "answered with a packed body that is not whole".to_owned())?;
    if out.len() > ANSWER_BYTES_MAX {
        return Err("answers at too great a length".to_owned());
    }
    Ok(out)
}

fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        "did not answer in time".to_owned()
    } else if error.is_connect() {
        format!("cannot be reached: {}", reasons(error))
    } else if error.is_builder() {
        "is asked for with a header or address that cannot be".to_owned()
    } else {
        "broke the connection off".to_owned()
    }
}

/// The causes of an error without its address, innermost last.
fn reasons(error: &reqwest::Error) -> String {
    let mut reasons: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        if !reason.contains("://") && !reasons.iter().any(|known| known.contains(&reason)) {
            reasons.push(reason);
        }
        cause = error.source();
    }
    if reasons.is_empty() {
        return "no reason given".to_owned();
    }
    reasons.join(": ")
}

/// An address out of a template's text, joined to the channel's own.
pub(super) fn address(own: &Url, text: &str) -> Result<Url, String> {
    let text = text.trim();
    let whole = match text.strip_prefix('/') {
        Some(rest) => format!("{}/{rest}", own.as_str().trim_end_matches('/')),
        None => text.to_owned(),
    };
    let url = Url::parse(&whole).map_err(|_| "its address is none".to_owned())?;
    match url.host_str() {
        Some(_) => Ok(url),
        None => Err("its address has no host".to_owned()),
    }
}

/// Whether the channel is on this machine.
pub(super) fn near(own: &Url) -> bool {
    is_loopback(own)
}
