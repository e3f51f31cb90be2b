//! One request over the wire and its whole answer: what goes out, how a failure reads, where an address leads.
//!
//! All calls go through a [`Transport`], those for tokens too. The machine's own is [`Wire`]; a simulated world gives another.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io::Read;
use std::pin::Pin;
use std::time::Duration;

use reqwest::{Client, Url};

use crate::channel::manifest::request::{Method, Timeouts};
use crate::recovery::{self, kill_point};

use super::auth::Credential;
use super::call::{ANSWER_BYTES_MAX, Call, Caller};
use super::clean::is_loopback;

/// So long a connection is kept for the next call. Some servers close theirs after 5 seconds, and between two calls nobody
/// here would notice: the next call would be lost on it.
const IDLE: Duration = Duration::from_secs(3);

/// One HTTP request as it leaves: credentials are in, redirects are not followed.
#[derive(Clone)]
pub struct Exchange {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// Headers in order, names in any case.
    pub headers: Vec<(String, String)>,
    /// What is sent; empty where nothing is.
    pub body: Vec<u8>,
    /// After so long it is given up, whatever came until then.
    pub total: Duration,
}

impl fmt::Debug for Exchange {
    /// Without headers, query and body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = super::clean::shown(&self.url);
        write!(f, "{} {place}", self.method.as_str())
    }
}

/// A whole answer, packed as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers; names in any case, values that are no text are left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer without headers.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Reply {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// How one exchange ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Try {
    /// With a whole answer.
    Answer(Reply),
    /// Nothing arrived there; why, as what follows the address in a message.
    Unreached(String),
    /// It may have arrived, and the answer did not; why.
    Broken(String),
    /// It cannot be sent at all; why.
    Unfit(String),
}

/// An exchange under way.
pub type Trying<'a> = Pin<Box<dyn Future<Output = Try> + Send + 'a>>;

/// Where calls leave this program.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends a request once, and reads the whole answer. It follows no redirect, repeats nothing, unpacks nothing, and ends
    /// within [`Exchange::total`].
    fn exchange<'a>(&'a self, exchange: &'a Exchange) -> Trying<'a>;
}

/// The network.
#[derive(Debug)]
pub struct Wire(Client);

impl Wire {
    /// A client that follows no redirect and keeps bodies as sent; `near` says that the other side is on this machine.
    ///
    /// # Errors
    /// A machine without what TLS needs.
    pub fn new(timeouts: &Timeouts, near: bool) -> Result<Self, String> {
        let mut builder = Client::builder()
            .user_agent(concat!("shelfcast/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(timeouts.connect.0)
            .read_timeout(timeouts.idle.0)
            .pool_idle_timeout(IDLE)
            .no_gzip();
        if near {
            builder = builder.no_proxy();
        }
        builder
            .build()
            .map(Wire)
            .map_err(|error| format!("no secure connection can be made: {}", reasons(&error)))
    }

    async fn once(&self, exchange: &Exchange) -> Try {
        let method = match exchange.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut request = self
            .0
            .request(method, exchange.url.clone())
            .timeout(exchange.total);
        for (name, value) in &exchange.headers {
            request = request.header(name, value);
        }
        if exchange.method != Method::Get || !exchange.body.is_empty() {
            request = request.body(exchange.body.clone());
        }
        kill_point(recovery::Y6);
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
        kill_point(recovery::Y8);
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect();
        let mut reply = Reply {
            status,
            headers,
            body: Vec::new(),
        };
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    reply.body.extend_from_slice(&chunk);
                    kill_point(recovery::Y9);
                    if reply.body.len() > ANSWER_BYTES_MAX {
                        return Try::Broken("answers at too great a length".to_owned());
                    }
                }
                Ok(None) => return Try::Answer(reply),
                // a refusal is one, whole or not
                Err(_) if (400..500).contains(&status) => {
                    reply.body.clear();
                    return Try::Answer(reply);
                }
                Err(error) => return Try::Broken(why(&error)),
            }
        }
    }
}

impl Transport for Wire {
    fn exchange<'a>(&'a self, exchange: &'a Exchange) -> Trying<'a> {
        Box::pin(self.once(exchange))
    }
}

impl Caller {
    /// Sends it once, and reads the whole answer.
    pub(super) async fn send(&self, call: &Call, url: &Url, credential: Credential) -> Try {
        let mut url = url.clone();
        let mut headers = call.headers.clone();
        match credential {
            Credential::None => {}
            Credential::Header(name, value) => headers.push((name, value)),
            Credential::Query(name, value) => {
                url.query_pairs_mut().append_pair(&name, &value);
            }
        }
        let mut total = self.timeouts.total.0;
        if let Some(deadline) = self.deadline {
            total = total.min(deadline.saturating_sub(self.account.clock().now()));
        }
        let exchange = Exchange {
            method: call.method,
            url,
            headers,
            body: call.body.clone(),
            total,
        };
        self.transport.exchange(&exchange).await
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

/// The causes of an error without its address, innermost last; the usual ones in words.
fn reasons(error: &reqwest::Error) -> String {
    let mut reasons: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(known) = error.downcast_ref().and_then(usual) {
            return known.to_owned();
        }
        let reason = error.to_string();
        if reason.starts_with("dns error") {
            return "no machine of this name is known".to_owned();
        }
        let new = !reasons.iter().any(|known| known.contains(&reason));
        if new && !reason.contains("://") && reason != "client error (Connect)" {
            reasons.push(reason);
        }
        cause = error.source();
    }
    if reasons.is_empty() {
        return "no reason given".to_owned();
    }
    reasons.join(": ")
}

/// What a shop owner meets most, in words.
fn usual(error: &std::io::Error) -> Option<&'static str> {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => Some("nobody answers there (connection refused)"),
        std::io::ErrorKind::NetworkUnreachable | std::io::ErrorKind::HostUnreachable => {
            Some("there is no way to it from this machine")
        }
        _ => None,
    }
}

/// An address out of a template's text, joined to the channel's own.
pub(super) fn address(own: &Url, text: &str) -> Result<Url, String> {
    let text = text.trim();
    let whole = match text.strip_prefix('/') {
        Some("") => own.as_str().to_owned(),
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
