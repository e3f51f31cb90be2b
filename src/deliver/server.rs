//! A server for tests, on loopback: it keeps what is put, and misbehaves when it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// What the next request meets.
#[derive(Clone, Debug)]
pub(in crate::deliver) enum Answer {
    /// It is kept.
    Keep,
    /// Its first bytes are kept, and all is well.
    Cut(usize),
    /// A byte is changed, and all is well.
    Spoil,
    /// Line ends are changed, and all is well.
    LineEnds,
    /// All is well, and nothing is kept.
    Ignore,
    /// All is well, and it is kept only after so many looks at it.
    KeepLater(usize),
    /// It is kept, and the answer is an error.
    KeepAndFail,
    /// Nothing is kept, and this is the answer: status, headers, body.
    Say(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Nothing is ever said.
    Silence,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(in crate::deliver) struct Asked {
    pub(in crate::deliver) method: Method,
    pub(in crate::deliver) uri: Uri,
    pub(in crate::deliver) headers: HeaderMap,
    pub(in crate::deliver) body: Bytes,
    pub(in crate::deliver) at: Instant,
}

#[derive(Default)]
struct Inner {
    files: BTreeMap<String, Bytes>,
    later: Option<(String, Bytes, usize)>,
    answers: VecDeque<Answer>,
    looks: VecDeque<Answer>,
    asked: Vec<Asked>,
}

/// The server; it ends when it is dropped.
pub(in crate::deliver) struct Server {
    inner: Arc<Mutex<Inner>>,
    pub(in crate::deliver) address: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// A certificate and its key, PEM and DER.
pub(in crate::deliver) struct Identity {
    pub(in crate::deliver) pem: String,
    config: Arc<tokio_rustls::rustls::ServerConfig>,
}

impl Identity {
    /// A certificate that this process makes for names.
    pub(in crate::deliver) fn of(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let key = tokio_rustls::rustls::pki_types::PrivateKeyDer::try_from(
            made.signing_key.serialize_der(),
        )
        .expect("a key");
        let provider = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider();
        let config = tokio_rustls::rustls::ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .expect("protocols")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate with its key");
        Identity {
            pem: made.cert.pem(),
            config: Arc::new(config),
        }
    }
}

impl Server {
    pub(in crate::deliver) fn start() -> Self {
        Self::start_as(None)
    }

    /// With TLS where there is an identity.
    pub(in crate::deliver) fn start_as(identity: Option<&Identity>) -> Self {
        let inner = Arc::new(Mutex::new(Inner::default()));
        let (stop, stopped) = oneshot::channel::<()>();
        let (told, address) = std::sync::mpsc::channel();
        let app = Router::new().fallback(answer).with_state(inner.clone());
        let tls = identity.map(|identity| identity.config.clone());
        let scheme = if tls.is_some() { "https" } else { "http" };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                told.send(listener.local_addr().expect("bound"))
                    .expect("heard");
                let serve = async move {
                    match tls {
                        None => axum::serve(listener, app).await.expect("served"),
                        Some(tls) => {
                            let acceptor = tokio_rustls::TlsAcceptor::from(tls);
                            axum::serve(TlsListener { listener, acceptor }, app)
                                .await
                                .expect("served");
                        }
                    }
                };
                tokio::select! {
                    () = serve => {}
                    _ = stopped => {}
                }
            });
        });
        let address = address.recv().expect("started");
        Server {
            inner,
            address: format!("{scheme}://{address}"),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// What the next requests but GET meet, in order; then they are kept.
    pub(in crate::deliver) fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.lock().answers.extend(answers);
    }

    /// What the next GETs meet, in order; then they get what was kept.
    pub(in crate::deliver) fn answer_looks(&self, answers: impl IntoIterator<Item = Answer>) {
        self.lock().looks.extend(answers);
    }

    /// The requests since this was last asked.
    pub(in crate::deliver) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.lock().asked)
    }

    /// The bytes under a path.
    pub(in crate::deliver) fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.lock().files.get(path).map(|bytes| bytes.to_vec())
    }

    pub(in crate::deliver) fn paths(&self) -> Vec<String> {
        self.lock().files.keys().cloned().collect()
    }

    pub(in crate::deliver) fn plant(&self, path: &str, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.lock().files.insert(path.to_owned(), bytes);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // a server that ended by itself hears nothing
            let _heard = stop.send(());
        }
        drop(self.thread.take().map(std::thread::JoinHandle::join));
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

struct TlsListener {
    listener: TcpListener,
    acceptor: tokio_rustls::TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = tokio_rustls::server::TlsStream<tokio::net::TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else {
                continue;
            };
            // a client that does not trust us hangs up
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// The path as text: what was encoded is decoded.
fn path_of(uri: &Uri) -> String {
    let url = reqwest::Url::parse(&format!("http://h{}", uri.path())).expect("a path");
    let pair = url.path().replace('+', "%2B");
    let pair = format!("x={}", pair.replace('&', "%26"));
    reqwest::Url::parse(&format!("http://h/?{pair}"))
        .expect("a query")
        .query_pairs()
        .next()
        .map(|(_, value)| value.into_owned())
        .expect("a value")
}

async fn answer(State(inner): State<Arc<Mutex<Inner>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    let path = path_of(&head.uri);
    let answer = {
        let mut inner = lock(&inner);
        inner.asked.push(Asked {
            method: head.method.clone(),
            uri: head.uri.clone(),
            headers: head.headers.clone(),
            body: body.clone(),
            at: Instant::now(),
        });
        if is_look(&head.method) {
            inner.looks.pop_front()
        } else {
            inner.answers.pop_front()
        }
        .unwrap_or(Answer::Keep)
    };
    match &answer {
        Answer::Silence => std::future::pending::<()>().await,
        Answer::Say(status, headers, body) => {
            let mut response = (
                StatusCode::from_u16(*status).expect("a status"),
                Body::from(body.clone()),
            )
                .into_response();
            for (name, value) in headers {
                let value = value.parse().expect("a header");
                response.headers_mut().insert(*name, value);
            }
            return response;
        }
        _ => {}
    }
    let mut inner = lock(&inner);
    if is_look(&head.method) {
        if let Some((path, bytes, looks)) = inner.later.take() {
            if looks == 0 {
                inner.files.insert(path, bytes);
            } else {
                inner.later = Some((path, bytes, looks - 1));
            }
        }
        return match inner.files.get(&path) {
            Some(bytes) => file(bytes, &head.headers),
            None => StatusCode::NOT_FOUND.into_response(),
        };
    }
    if head.method == Method::DELETE {
        return match inner.files.remove(&path) {
            Some(_) => StatusCode::NO_CONTENT.into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        };
    }
    let mut kept = body.to_vec();
    match answer {
        Answer::Cut(first) => kept.truncate(first),
        Answer::Spoil => {
            if let Some(byte) = kept.last_mut() {
                *byte ^= 1;
            }
        }
        Answer::LineEnds => {
            kept = String::from_utf8(kept)
                .expect("text")
                .replace('\n', "\r\n")
                .into_bytes();
        }
        Answer::Ignore => return StatusCode::OK.into_response(),
        Answer::KeepLater(looks) => {
            inner.later = Some((path, body, looks));
            return StatusCode::ACCEPTED.into_response();
        }
        _ => {}
    }
    inner.files.insert(path, kept.into());
    if matches!(answer, Answer::KeepAndFail) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    (StatusCode::CREATED, [("etag", "\"kept\"")]).into_response()
}

fn is_look(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

/// A file, or the piece of it that is asked for.
fn file(bytes: &Bytes, headers: &HeaderMap) -> Response {
    let etag = ("etag", "\"kept\"".to_owned());
    let range = headers
        .get("range")
        .and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-'))
        .and_then(|(from, to)| Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()?)));
    let Some((from, to)) = range else {
        return ([etag], bytes.clone()).into_response();
    };
    let to = to.min(bytes.len() - 1);
    let said = format!("bytes {from}-{to}/{}", bytes.len());
    let piece = bytes.slice(from..=to);
    let headers = [etag, ("content-range", said)];
    (StatusCode::PARTIAL_CONTENT, headers, piece).into_response()
}

/// A server that takes a request's head, says this, and then drips a byte from time to time.
pub(in crate::deliver) struct Dripping {
    pub(in crate::deliver) address: String,
    stop: Arc<std::sync::atomic::AtomicBool>,
}

impl Dripping {
    pub(in crate::deliver) fn start(says: &'static str) -> Self {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopped = stop.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (mut stream, stopped) = (stream, stopped.clone());
                std::thread::spawn(move || {
                    let mut taken = [0; 1024];
                    if stream.read(&mut taken).is_err()
                        || stream.write_all(says.as_bytes()).is_err()
                    {
                        return;
                    }
                    while !stopped.load(std::sync::atomic::Ordering::Relaxed)
                        && stream.write_all(b"a").is_ok()
                    {
                        std::thread::sleep(std::time::Duration::from_millis(60));
                    }
                });
            }
        });
        Dripping { address, stop }
    }
}

impl Drop for Dripping {
    fn drop(&mut self) {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}
