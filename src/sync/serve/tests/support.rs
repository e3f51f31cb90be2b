//! What the tests share: hooks, signing by other means than the code's, a shelf that stores events, a server, a client of bytes.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use hmac::{Hmac, Mac};
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use jiff::Timestamp;
use sha2::Sha256;

use crate::config::project::Source;
use crate::state::{StateError, Trouble};
use crate::sync::serve::form::{Echo, Hook};
use crate::sync::serve::health::Health;
use crate::sync::serve::keep::{EventStore, Keeper};
use crate::sync::serve::limits::Limits;
use crate::sync::serve::metrics::Metrics;
use crate::sync::serve::server::{Outside, Route, Routes, Target, serve};
use crate::sync::serve::worker::Bell;
use crate::sync::state::Event;

pub(super) const SECRET: &str = "a-secret-of-the-till-0123456789";

/// 2026-11-20 10:00 UTC.
pub(super) const NOW: i64 = 1_795_168_800;

pub(super) fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

/// A source `till` with these lines, and in `[webhook]` these; its secrets are `SECRET` and `second`.
pub(super) fn source(lines: &str, webhook: &str) -> (tempfile::TempDir, Source) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("first"), format!("{SECRET}\n")).unwrap();
    std::fs::write(folder.path().join("second"), "another-secret-0123456789").unwrap();
    std::fs::write(folder.path().join("empty"), "").unwrap();
    std::fs::write(folder.path().join("blank"), "                       ").unwrap();
    std::fs::write(folder.path().join("short"), "123456789012345").unwrap();
    let secret = if webhook.contains("secret") {
        ""
    } else {
        "secret = [\"file:first\"]"
    };
    let text = format!("name = \"till\"\n{lines}\n[webhook]\n{secret}\n{webhook}\n");
    (folder, toml::from_str(&text).unwrap())
}

pub(super) fn hook(lines: &str, webhook: &str) -> Hook {
    let (folder, source) = source(lines, webhook);
    Hook::new(&source, folder.path(), &Limits::default())
        .unwrap()
        .unwrap()
}

pub(super) fn digest(secret: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(&parts.concat());
    mac.finalize().into_bytes().to_vec()
}

pub(super) fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    map
}

/// The headers of our own form, signed at `at`.
pub(super) fn signed(body: &[u8], at: i64) -> Vec<(&'static str, String)> {
    let time = at.to_string();
    let signature = hex(&digest(SECRET, &[time.as_bytes(), b".", body]));
    vec![
        ("x-shelfcast-timestamp", time),
        ("x-shelfcast-signature", format!("sha256={signature}")),
    ]
}

/// An event of our own form with one row.
pub(super) fn one_row(id: &str, sku: &str, units: i64) -> String {
    serde_json::json!({
        "id": id,
        "rows": [{"sku": sku, "location": "WAW", "on_hand": units, "updated_at": "2026-11-20T10:00:00Z"}],
    })
    .to_string()
}

/// Keeps events in memory or in a file, and counts.
#[derive(Clone, Default)]
pub(super) struct Shelf(pub(super) Arc<Mutex<Kept>>);

#[derive(Default)]
pub(super) struct Kept {
    pub(super) events: Vec<Event>,
    known: HashSet<(String, String)>,
    pub(super) commits: usize,
    pub(super) forgets: usize,
    pub(super) refuse: bool,
    pub(super) delay: Duration,
    file: Option<PathBuf>,
}

impl Shelf {
    /// One that keeps ids in a file, a line each, synced; it knows what is there.
    pub(super) fn at(file: &Path) -> Self {
        let known = std::fs::read_to_string(file).unwrap_or_default();
        // A line that was cut off is not there.
        let whole = known.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let known = whole
            .lines()
            .map(|id| ("till".to_owned(), id.to_owned()))
            .collect();
        Shelf(Arc::new(Mutex::new(Kept {
            known,
            file: Some(file.to_owned()),
            ..Kept::default()
        })))
    }

    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.with(|kept| kept.events.clone())
    }
}

impl EventStore for Shelf {
    fn store(&mut self, events: &[Event]) -> Result<(), StateError> {
        let delay = self.with(|kept| kept.delay);
        std::thread::sleep(delay);
        self.with(|kept| {
            if kept.refuse {
                return Err(StateError::new(Trouble::Disk, "no space", ""));
            }
            kept.commits += 1;
            let mut lines = String::new();
            for event in events {
                if kept.known.insert((event.source.clone(), event.id.clone())) {
                    kept.events.push(event.clone());
                    lines.push_str(&event.id);
                    lines.push('\n');
                }
            }
            if let Some(file) = &kept.file {
                let mut file = std::fs::OpenOptions::new()
                    .append(true)
                    .create(true)
                    .open(file)
                    .unwrap();
                file.write_all(lines.as_bytes()).unwrap();
                file.sync_all().unwrap();
            }
            Ok(())
        })
    }

    fn forget(&mut self, _before: Timestamp) -> Result<(), StateError> {
        self.with(|kept| kept.forgets += 1);
        Ok(())
    }
}

/// A server with one source, one account and a shelf.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) shelf: Shelf,
    pub(super) bell: Arc<Bell>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) outside: Arc<Outside>,
    stop: tokio::sync::watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(hook: Hook, limits: Limits) -> Self {
        Self::with(hook, limits, Shelf::default(), Echo::default())
    }

    pub(super) fn with(hook: Hook, limits: Limits, shelf: Shelf, echo: Echo) -> Self {
        let metrics = Arc::new(Metrics::default());
        let health = Arc::new(Health::default());
        health.configure(
            &[("web".to_owned(), None)],
            &[("till".to_owned(), None)],
            Instant::now(),
        );
        let outside = Arc::new(Outside::new(
            limits.clone(),
            vec!["sync.internal".to_owned()],
            Arc::clone(&metrics),
            health,
        ));
        let bell = Arc::new(Bell::default());
        let store = Box::new(shelf.clone());
        let (keeper, _) = Keeper::start("web", store, limits.waiting, Box::new(|_| {})).unwrap();
        let target = Target {
            echo,
            keeper,
            bell: Arc::clone(&bell),
        };
        let route = Route::new(hook, vec![target], &limits);
        outside.route(Routes::from([("till".to_owned(), Arc::new(route))]));
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let (tell, told) = std::sync::mpsc::channel();
        let served = Arc::clone(&outside);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                serve(listener, served, stopped).await;
            });
        });
        Server {
            address: told.recv().unwrap(),
            shelf,
            bell,
            metrics,
            outside,
            stop,
            thread: Some(thread),
        }
    }

    pub(super) fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// An event of our own form, signed now.
    pub(super) fn post(&self, body: &str) -> Answer {
        let at = crate::clock::now().as_second();
        self.send(
            "POST",
            "/stock/till",
            &signed(body.as_bytes(), at),
            body.as_bytes(),
        )
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: &[u8],
    ) -> Answer {
        send(self.address, method, path, headers, body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send(true).unwrap();
        let ended = self.thread.take().unwrap().join();
        if !std::thread::panicking() {
            ended.unwrap();
        }
    }
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

pub(super) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    // Only so that a test that fails ends.
    stream
        .set_read_timeout(Some(Duration::from_secs(300)))
        .unwrap();
    stream
}

pub(super) fn request(
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: &[u8],
    close: bool,
) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        head.push_str("host: 127.0.0.1\r\n");
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if method == "POST" && !headers.iter().any(|(name, _)| *name == "transfer-encoding") {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    if close {
        head.push_str("connection: close\r\n");
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

pub(super) fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: &[u8],
) -> Answer {
    let mut stream = connect(address);
    stream
        .write_all(&request(method, path, headers, body, true))
        .unwrap();
    answer(&mut stream).expect("an answer")
}

/// One answer; `None` where the connection ends without one.
pub(super) fn answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            Ok(_) => return None,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("no answer: {error}"),
        }
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.trim().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Answer {
        status,
        head,
        body: String::from_utf8(body).unwrap(),
    })
}
