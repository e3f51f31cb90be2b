//! The server: `POST /stock/SOURCE`, `GET /metrics`, `GET /health`, over HTTP/1.1. In: connections. Out: stored events, rung bells,
//! pages. Every bound is in [`Limits`]; anything else than those three is answered like a source that does not exist.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::form::{Echo, Hook, Refused};
use super::health::Health;
use super::keep::{Keeper, NotKept};
use super::limits::{Limits, SMALL_BODY};
use super::metrics::{self, Metrics};
use super::rate::Bucket;
use super::worker::{Bell, Trigger};
use crate::clock;

/// How long requests that are being answered may take once the daemon ends.
const GRACE: Duration = Duration::from_secs(4);

/// A store account that an event is for.
#[derive(Debug)]
pub struct Target {
    /// By what it knows its own writing again.
    pub echo: Echo,
    /// Where its events are stored.
    pub keeper: Keeper,
    /// Its worker's bell.
    pub bell: Arc<Bell>,
}

/// A source's webhook and whom it is for.
#[derive(Debug)]
pub struct Route {
    hook: Hook,
    bucket: Bucket,
    targets: Vec<Target>,
}

impl Route {
    /// A route.
    pub fn new(hook: Hook, targets: Vec<Target>, limits: &Limits) -> Self {
        Route {
            hook,
            bucket: Bucket::new(limits.per_second, limits.burst),
            targets,
        }
    }
}

/// Routes by the source's name.
pub type Routes = HashMap<String, Arc<Route>>;

/// What the server answers from.
#[derive(Debug)]
pub struct Outside {
    /// What a sender may take.
    pub limits: Limits,
    /// The figures.
    pub metrics: Arc<Metrics>,
    /// How the daemon stands.
    pub health: Arc<Health>,
    /// Names by which pages may be asked for, besides numbers and `localhost`: any other may be a browser that was lured.
    pub hosts: Vec<String>,
    routes: RwLock<Arc<Routes>>,
    stopping: AtomicBool,
    connections: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

type Answer = Response<Full<Bytes>>;

/// Why a request is not answered with 200.
enum No {
    Unknown,
    Slow,
    TooLarge,
    Gone,
    Crowded,
    Refused(Refused),
    TooOften,
    NotKept(NotKept),
    Stopping,
}

impl Outside {
    /// What a server without routes answers from.
    pub fn new(
        limits: Limits,
        hosts: Vec<String>,
        metrics: Arc<Metrics>,
        health: Arc<Health>,
    ) -> Self {
        Outside {
            connections: Arc::new(Semaphore::new(limits.connections.max(1))),
            large: Arc::new(Semaphore::new(limits.large_bodies.max(1))),
            limits,
            metrics,
            health,
            hosts,
            routes: RwLock::default(),
            stopping: AtomicBool::new(false),
        }
    }

    /// Takes other routes, at once and all together.
    pub fn route(&self, routes: Routes) {
        *self.routes.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(routes);
    }

    /// From now on nothing is taken any more.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path();
        if let Some(source) = path.strip_prefix("/stock/") {
            let source = source.to_owned();
            let known = self
                .routes
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&source)
                .map(Arc::clone);
            let taken = match known {
                Some(route) if request.method() == Method::POST => {
                    let time = self.limits.request_time;
                    tokio::time::timeout(time, self.take(&route, request))
                        .await
                        .unwrap_or(Err(No::Slow))
                }
                _ => Err(No::Unknown),
            };
            return match taken {
                Ok(()) => plain(StatusCode::OK, "ok\n"),
                Err(no) => self.refuse(&source, no),
            };
        }
        if request.method() != Method::GET || !self.may_read(request.headers()) {
            return plain(StatusCode::NOT_FOUND, "not found\n");
        }
        match path {
            "/metrics" => {
                let now = Instant::now();
                for (source, health) in self.health.sources(now) {
                    let labels = [source.as_str()];
                    let age = health.age_seconds as f64;
                    self.metrics.set(&metrics::SOURCE_AGE, &labels, age);
                    let quiet = f64::from(u8::from(health.quiet));
                    self.metrics.set(&metrics::SOURCE_QUIET, &labels, quiet);
                }
                let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
                page(StatusCode::OK, kind, self.metrics.render())
            }
            "/health" => {
                let (well, text) = self.health.page(Instant::now());
                let status = if well {
                    StatusCode::OK
                } else {
                    StatusCode::SERVICE_UNAVAILABLE
                };
                page(status, HeaderValue::from_static("application/json"), text)
            }
            _ => plain(StatusCode::NOT_FOUND, "not found\n"),
        }
    }

    /// Signature, then sense, then disk, then 200.
    async fn take(&self, route: &Route, request: Request<Incoming>) -> Result<(), No> {
        if self.stopping.load(Ordering::SeqCst) {
            return Err(No::Stopping);
        }
        let hook = &route.hook;
        let (head, body) = request.into_parts();
        let (body, _large) = self.body(body).await?;
        let told = |what: &str| {
            let labels = [hook.source(), what];
            self.metrics.add(&metrics::EVENTS, &labels, 1.0);
        };
        if hook.is_ping(&head.headers, &body) {
            told("ping");
            return Ok(());
        }
        let now = clock::now();
        hook.verify(&head.headers, &body, now)
            .map_err(No::Refused)?;
        // Only what is signed counts: others cannot use up the sender's share.
        if !route.bucket.take(Instant::now()) {
            return Err(No::TooOften);
        }
        let said = hook.read(&head.headers, &body, now).map_err(No::Refused)?;
        drop(body);
        let mut kept = Vec::with_capacity(route.targets.len());
        for target in &route.targets {
            if let Some(event) = hook.event_for(&said, &target.echo, now) {
                kept.push((target, target.keeper.keep(event)));
            }
        }
        if kept.is_empty() {
            told("echo");
            return Ok(());
        }
        let mut bells = Vec::with_capacity(kept.len());
        for (target, stored) in kept {
            stored.await.map_err(No::NotKept)?;
            bells.push(&target.bell);
        }
        self.health.heard(hook.source(), Instant::now());
        for bell in bells {
            bell.ring(Trigger::Event);
        }
        told(if said.observations.is_empty() {
            "hint"
        } else {
            "rows"
        });
        Ok(())
    }

    /// The whole body, as it came, within the bounds.
    async fn body(
        &self,
        mut body: Incoming,
    ) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), No> {
        let most = self.limits.body_bytes;
        let told = body.size_hint().exact();
        if told.is_some_and(|length| length > most as u64) {
            return Err(No::TooLarge);
        }
        let mut large = None;
        let mut read = Vec::new();
        loop {
            let frame = tokio::time::timeout(self.limits.body_idle, body.frame())
                .await
                .map_err(|_| No::Slow)?;
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|_| No::Gone)?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if read.len() + data.len() > most {
                return Err(No::TooLarge);
            }
            if large.is_none() && read.len() + data.len() > SMALL_BODY {
                let permit = Arc::clone(&self.large).try_acquire_owned();
                large = Some(permit.map_err(|_| No::Crowded)?);
            }
            read.extend_from_slice(&data);
        }
        Ok((read, large))
    }

    fn refuse(&self, source: &str, no: No) -> Answer {
        let unreadable;
        let (reason, status, words) = match no {
            No::Unknown => ("unknown_source", StatusCode::NOT_FOUND, "not found\n"),
            No::Slow => ("slow", StatusCode::REQUEST_TIMEOUT, "too slow\n"),
            No::TooLarge => ("too_large", StatusCode::PAYLOAD_TOO_LARGE, "too large\n"),
            No::Gone => ("cut_off", StatusCode::BAD_REQUEST, "the body broke off\n"),
            No::Crowded => ("crowded", StatusCode::SERVICE_UNAVAILABLE, "try again\n"),
            No::TooOften => ("rate", StatusCode::TOO_MANY_REQUESTS, "too often\n"),
            No::Stopping => ("stopping", StatusCode::SERVICE_UNAVAILABLE, "try again\n"),
            No::NotKept(NotKept::Full) => ("full", StatusCode::SERVICE_UNAVAILABLE, "try again\n"),
            No::NotKept(NotKept::Failed) => {
                ("disk", StatusCode::SERVICE_UNAVAILABLE, "try again\n")
            }
            No::Refused(Refused::Signature) => (
                "signature",
                StatusCode::UNAUTHORIZED,
                "not signed by one of ours\n",
            ),
            No::Refused(Refused::Late) => (
                "late",
                StatusCode::UNAUTHORIZED,
                "the timestamp is more than 300 seconds from our clock\n",
            ),
            No::Refused(Refused::Unreadable(ref why)) => {
                // Only who signed is told, and only names of ours and places.
                unreadable = format!("{why}\n");
                ("unreadable", StatusCode::BAD_REQUEST, unreadable.as_str())
            }
        };
        // What strangers make up is no label.
        let source = if reason == "unknown_source" {
            ""
        } else {
            source
        };
        self.metrics
            .add(&metrics::EVENTS_REFUSED, &[source, reason], 1.0);
        let mut answer = plain(status, words);
        let headers = answer.headers_mut();
        match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            StatusCode::UNAUTHORIZED
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::PAYLOAD_TOO_LARGE => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        answer
    }

    /// Whether pages are asked for by a name that no lured browser has.
    fn may_read(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return false;
        };
        let Ok(host) = host.to_str() else {
            return false;
        };
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let number = name
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(name);
        number.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self.hosts.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

fn plain(status: StatusCode, words: &str) -> Answer {
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    page(status, kind, words.to_owned())
}

fn page(status: StatusCode, kind: HeaderValue, text: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// Serves until `stop` says true; requests being answered then have a few seconds.
pub async fn serve(listener: TcpListener, outside: Arc<Outside>, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Too many open files, mostly: it passes, and asking at once does not help.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        match Arc::clone(&outside.connections).try_acquire_owned() {
            Ok(permit) => {
                connections.spawn(connection(
                    stream,
                    Arc::clone(&outside),
                    stop.clone(),
                    permit,
                ));
            }
            Err(_) => outside.metrics.add(&metrics::CONNECTIONS_REFUSED, &[], 1.0),
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    // Those that take longer are cut: their senders come again.
    drop(tokio::time::timeout(GRACE, all).await);
}

async fn connection(
    stream: TcpStream,
    outside: Arc<Outside>,
    mut stop: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
) {
    // Small answers must not wait for more to send; a system that refuses that is only slower.
    drop(stream.set_nodelay(true));
    let limits = outside.limits.clone();
    let service = service_fn(move |request| {
        let outside = Arc::clone(&outside);
        async move { Ok::<_, Infallible>(outside.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_headers(limits.headers)
        .max_buf_size(limits.head_bytes.max(8 * 1024))
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => {}
        () = tokio::time::sleep(limits.connection_time) => {}
    }
    connection.as_mut().graceful_shutdown();
    drop(tokio::time::timeout(limits.request_time, connection).await);
}
