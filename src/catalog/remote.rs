//! Sources at an address: fetched whole into a cache folder, then opened as any file.
//!
//! `https://` only, and `http://` on this machine. A body that is shorter than the server announced, too long or too slow is
//! an error, and the copy of the run before stays. Unchanged files are not fetched again (ETag, Last-Modified). Addresses
//! are shown without user name, password and query, which may hold secrets.

mod cache;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED,
};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, StatusCode, Url};

use super::input::{self, Input, InputOptions};
use super::{SourceError, SourceProblem};
use cache::{Cache, Validators};

/// Most redirects followed.
pub const REDIRECTS_MAX: usize = 3;

/// Bounds of a fetch, and where its copy is kept.
#[derive(Clone, Debug)]
pub struct RemoteOptions {
    /// Folder of the copies, made when it is missing; files in it are readable by the user alone.
    pub cache: PathBuf,
    /// Longest body, in bytes as sent.
    pub bytes_max: u64,
    /// Time to get a connection.
    pub connect_timeout: Duration,
    /// Longest pause while the body arrives.
    pub idle_timeout: Duration,
    /// Time for everything.
    pub total_timeout: Duration,
}

impl RemoteOptions {
    /// The usual bounds: 8 GiB, 10 seconds to connect, pauses of 30 seconds, an hour in all.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        RemoteOptions {
            cache: cache.into(),
            bytes_max: 8 * 1024 * 1024 * 1024,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(3600),
        }
    }
}

/// A fetched source: a whole file on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where the copy is.
    pub path: PathBuf,
    /// The address as it may be shown.
    pub name: String,
    /// True when the server said that the copy is still current.
    pub unchanged: bool,
    /// What the source's owner should hear.
    pub remarks: Vec<String>,
}

/// True for an address that [`fetch`] would take on, whatever comes of it.
pub fn is_address(source: &str) -> bool {
    source.contains("://")
}

/// Fetches an address and opens what came. Not to be called from within an asynchronous task.
///
/// # Errors
/// As [`fetch`] and [`input::open`].
pub fn open(
    address: &str,
    remote: &RemoteOptions,
    options: &InputOptions<'_>,
) -> Result<Input, SourceError> {
    let fetched = fetch(address, remote)?;
    let mut input = input::open(&fetched.path, &fetched.name, options)?;
    input.remarks.splice(0..0, fetched.remarks);
    Ok(input)
}

/// Fetches an address into the cache, or finds that the copy there is current. Not to be called from within an asynchronous
/// task.
///
/// # Errors
/// `Configuration` for an address that is none or not safe; `Missing` when nothing is there or nobody answers; `NotWhole`
/// when the body is cut, too long, too slow, or not the file.
pub fn fetch(address: &str, options: &RemoteOptions) -> Result<Fetched, SourceError> {
    let url = Url::parse(address.trim()).map_err(|error| {
        let name = address.split(['?', '@']).next().unwrap_or_default();
        SourceError::new(
            SourceProblem::Configuration,
            name,
            format!("this is not an address: {error}"),
        )
        .hint("write it as `https://host/path`")
    })?;
    let name = shown(&url);
    if let Err(reason) = check_scheme(&url) {
        return Err(
            SourceError::new(SourceProblem::Configuration, &name, reason)
                .hint("use the `https://` address of the file"),
        );
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            SourceError::new(
                SourceProblem::Missing,
                &name,
                format!("cannot be fetched: {error}"),
            )
        })?;
    let fetch = Fetch { url, name, options };
    runtime.block_on(fetch.run())
}

/// The address without what may be secret in it.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let secret = url.query().is_some();
    url.set_query(None);
    url.set_fragment(None);
    // an address that can have no user has none to take out
    let _none = url.set_username("").and_then(|()| url.set_password(None));
    format!("{url}{}", if secret { "?…" } else { "" })
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn check_scheme(url: &Url) -> Result<(), String> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => Err("`http://` would send and receive the file unprotected".to_owned()),
        scheme => Err(format!("`{scheme}://` addresses cannot be fetched")),
    }
}

/// Follows a redirect when it is one of few, and as safe as what led to it.
fn redirect(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > REDIRECTS_MAX {
        return attempt.error(format!("more than {REDIRECTS_MAX} redirects"));
    }
    let secure = attempt
        .previous()
        .last()
        .is_some_and(|url| url.scheme() == "https");
    if secure && attempt.url().scheme() != "https" {
        return attempt.error("a redirect from `https://` to an unprotected address");
    }
    match check_scheme(attempt.url()) {
        Ok(()) => attempt.follow(),
        Err(reason) => attempt.error(format!("a redirect: {reason}")),
    }
}

/// One fetch.
struct Fetch<'a> {
    url: Url,
    name: String,
    options: &'a RemoteOptions,
}

impl Fetch<'_> {
    async fn run(&self) -> Result<Fetched, SourceError> {
        let cache = Cache::open(&self.options.cache, self.url.as_str())
            .map_err(|error| self.cannot_keep(&error))?;
        let client = self.client()?;
        let known = cache.validators();
        let mut response = self.ask(&client, known.as_ref()).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            if known.is_some() {
                return Ok(self.fetched(cache.body(), true, Vec::new()));
            }
            // nothing was asked that this could answer
            return Err(self.refused(response.status()));
        }
        if response.status() != StatusCode::OK {
            return Err(self.refused(response.status()));
        }
        let validators = Validators {
            etag: text(response.headers(), &ETAG),
            last_modified: text(response.headers(), &LAST_MODIFIED),
            bytes: 0,
        };
        let mut remarks = Vec::new();
        let encoding = text(response.headers(), &CONTENT_ENCODING);
        if !matches!(
            encoding.as_deref(),
            None | Some("" | "identity" | "gzip" | "x-gzip")
        ) {
            return Err(self
                .error(
                    SourceProblem::NotWhole,
                    "the body is packed in a way that was not asked for",
                )
                .hint("ask the server's owner to send the file as it is, or with gzip"));
        }
        if response.content_length().is_none() && encoding.is_none() && is_until_close(&response) {
            remarks.push(
                "the server does not say how long the file is: a cut cannot be noticed".to_owned(),
            );
        }
        let path = self.keep(&cache, &mut response, validators).await?;
        Ok(self.fetched(path, false, remarks))
    }

    fn fetched(&self, path: PathBuf, unchanged: bool, mut remarks: Vec<String>) -> Fetched {
        if unchanged {
            remarks.push("the file has not changed since it was last fetched".to_owned());
        }
        Fetched {
            path,
            name: self.name.clone(),
            unchanged,
            remarks,
        }
    }

    fn client(&self) -> Result<Client, SourceError> {
        let mut builder = Client::builder()
            .user_agent(concat!("shelfcast/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::custom(redirect))
            .referer(false)
            .connect_timeout(self.options.connect_timeout)
            .read_timeout(self.options.idle_timeout)
            .timeout(self.options.total_timeout)
            // the body is kept as sent, so that its length and checksum can be checked
            .no_gzip();
        if is_loopback(&self.url) {
            builder = builder.no_proxy();
        }
        builder.build().map_err(|error| self.failed(error))
    }

    async fn ask(
        &self,
        client: &Client,
        known: Option<&Validators>,
    ) -> Result<Response, SourceError> {
        let mut request = client
            .get(self.url.clone())
            .header(ACCEPT_ENCODING, "gzip, identity");
        if let Some(known) = known {
            if let Some(etag) = &known.etag {
                request = request.header(IF_NONE_MATCH, etag);
            }
            if let Some(date) = &known.last_modified {
                request = request.header(IF_MODIFIED_SINCE, date);
            }
        }
        request.send().await.map_err(|error| self.failed(error))
    }

    /// Writes the body beside the cache's copy, and puts it in its place when it is whole.
    async fn keep(
        &self,
        cache: &Cache,
        response: &mut Response,
        mut validators: Validators,
    ) -> Result<PathBuf, SourceError> {
        if response
            .content_length()
            .is_some_and(|bytes| bytes > self.options.bytes_max)
        {
            return Err(self.too_long());
        }
        let mut file = cache.begin().map_err(|error| self.cannot_keep(&error))?;
        while let Some(chunk) = response.chunk().await.map_err(|error| self.cut(error))? {
            validators.bytes += chunk.len() as u64;
            if validators.bytes > self.options.bytes_max {
                return Err(self.too_long());
            }
            file.write_all(&chunk)
                .map_err(|error| self.cannot_keep(&error))?;
        }
        cache
            .commit(file, &validators)
            .map_err(|error| self.cannot_keep(&error))
    }

    fn error(&self, problem: SourceProblem, message: impl Into<String>) -> SourceError {
        SourceError::new(problem, &self.name, message)
    }

    fn too_long(&self) -> SourceError {
        self.error(
            SourceProblem::NotWhole,
            format!("the file is longer than {} bytes", self.options.bytes_max),
        )
        .hint("if it is meant, raise the limit")
    }

    fn cannot_keep(&self, error: &std::io::Error) -> SourceError {
        self.error(
            SourceProblem::Missing,
            format!("the fetched file cannot be kept in the cache folder: {error}"),
        )
        .hint(format!(
            "look at the disk and the rights of `{}`",
            folder_name(&self.options.cache)
        ))
    }

    /// Why there was no answer.
    fn failed(&self, error: reqwest::Error) -> SourceError {
        let reason = reasons(&error);
        if error.is_redirect() {
            return self
                .error(
                    SourceProblem::NotWhole,
                    format!("cannot be fetched: {reason}"),
                )
                .hint("use the address that the redirects end at");
        }
        let message = if error.is_timeout() {
            "nobody answered in time".to_owned()
        } else {
            format!("cannot be reached: {reason}")
        };
        self.error(SourceProblem::Missing, message)
            .hint("check the address and the network, and run again")
    }

    /// Why the body broke off.
    fn cut(&self, error: reqwest::Error) -> SourceError {
        let message = if error.is_timeout() {
            "the file did not arrive in time".to_owned()
        } else {
            format!("the file broke off before its end: {}", reasons(&error))
        };
        self.error(SourceProblem::NotWhole, message)
            .hint("run again; the last whole copy was kept")
    }

    /// An answer that holds no file.
    fn refused(&self, status: StatusCode) -> SourceError {
        let (problem, hint) = match status.as_u16() {
            401 | 403 => (
                SourceProblem::Missing,
                "the server wants other credentials, or does not let this machine in",
            ),
            404 | 410 => (SourceProblem::Missing, "check the address"),
            429 | 500..=599 => (
                SourceProblem::Missing,
                "the server is busy or broken: run again later",
            ),
            200..=299 => (
                SourceProblem::NotWhole,
                "the address does not give the whole file",
            ),
            _ => (SourceProblem::Missing, "check the address in a browser"),
        };
        self.error(problem, format!("the server answered {status}"))
            .hint(hint)
    }
}

/// A body whose end is only the end of the connection.
fn is_until_close(response: &Response) -> bool {
    response.version() <= reqwest::Version::HTTP_11
        && !response
            .headers()
            .contains_key(reqwest::header::TRANSFER_ENCODING)
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn folder_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || ".".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The causes of an error without its address, innermost last.
fn reasons(error: &reqwest::Error) -> String {
    let mut reasons: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        if !reasons.iter().any(|known| known.contains(&reason)) {
            reasons.push(reason);
        }
        cause = error.source();
    }
    if reasons.is_empty() {
        return "no reason given".to_owned();
    }
    reasons.join(": ")
}
