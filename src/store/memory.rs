//! A store in memory that can misbehave, behind a small HTTP server on this machine; and a clock that need not be waited for.
//!
//! The server writes its answers byte by byte as it is told to: cut, dripping, never. Every request is kept.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use serde_json::{Value, json};

use super::pace::{Clock, Pause};

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Seen {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// A parameter of the query or of a form.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let text = match self.query.as_str() {
            "" => String::from_utf8_lossy(&self.body).into_owned(),
            query => query.to_owned(),
        };
        Url::parse(&format!("http://form/?{text}"))
            .expect("a form")
            .query_pairs()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Only so many bytes of the whole answer, head included.
    pub(super) cut: Option<usize>,
    /// A byte at a time, for ever.
    pub(super) drip: bool,
    /// Nothing at all.
    pub(super) silent: bool,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Reply::bytes(status, body.to_string().into_bytes())
    }

    pub(super) fn bytes(status: u16, body: Vec<u8>) -> Self {
        Reply {
            status,
            headers: Vec::new(),
            body,
            cut: None,
            drip: false,
            silent: false,
        }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn write(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        if self.silent {
            // until the other side gives up
            return stream.read_exact(&mut [0; 1]);
        }
        let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", self.status);
        let length = if self.drip { 1 << 30 } else { self.body.len() };
        head.push_str(&format!("Content-Length: {length}\r\n"));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut bytes = format!("{head}\r\n").into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes.truncate(self.cut.unwrap_or(usize::MAX));
        stream.write_all(&bytes)?;
        while self.drip {
            thread::sleep(Duration::from_millis(10));
            stream.write_all(b" ")?;
        }
        Ok(())
    }
}

/// A server that answers as it is told to, until the test ends.
pub(super) struct Server {
    pub(super) address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(super) fn start(handler: impl FnMut(&Seen) -> Reply + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let handler = Arc::new(Mutex::new(handler));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { break };
                let (kept, handler) = (Arc::clone(&kept), Arc::clone(&handler));
                thread::spawn(move || {
                    let Some(request) = request(&mut stream) else {
                        return;
                    };
                    kept.lock().expect("kept").push(request.clone());
                    let reply = (handler.lock().expect("a handler"))(&request);
                    // the other side may be gone, which is its right
                    drop(reply.write(&mut stream));
                });
            }
        });
        Server { address, seen }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("kept").clone()
    }

    /// Requests whose path holds this.
    pub(super) fn count(&self, path: &str) -> usize {
        self.seen()
            .iter()
            .filter(|seen| seen.path.contains(path))
            .count()
    }
}

fn request(stream: &mut TcpStream) -> Option<Seen> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Seen {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body,
    })
}

/// What goes wrong with one request.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// Answered with this, and nothing done.
    Before(Reply),
    /// Done, and answered with this.
    After(Reply),
    /// Done, and the answer breaks off after so many bytes.
    Cut(usize),
    /// Done, and the list of outcomes changed.
    Outcomes(fn(&mut Vec<Value>)),
    /// Nothing.
    None,
}

/// What the store holds and has been through.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// The last value of each item.
    pub(super) items: BTreeMap<String, Value>,
    /// How often each was written.
    pub(super) writes: BTreeMap<String, u32>,
    /// What goes wrong with the next requests, in order.
    pub(super) faults: VecDeque<Fault>,
}

/// A store that takes `{"items":[{"id":…,"v":…,"refuse":code?}]}` and answers `{"results":[{"id":…,"status":…,…}]}`.
pub(super) struct Memory {
    pub(super) server: Server,
    pub(super) shelf: Arc<Mutex<Shelf>>,
}

impl Memory {
    pub(super) fn start(faults: Vec<Fault>) -> Memory {
        let shelf = Arc::new(Mutex::new(Shelf {
            faults: faults.into(),
            ..Shelf::default()
        }));
        let kept = Arc::clone(&shelf);
        let server = Server::start(move |seen| kept.lock().expect("a shelf").answer(seen));
        Memory { server, shelf }
    }

    /// How often each item was written.
    pub(super) fn writes(&self) -> BTreeMap<String, u32> {
        self.shelf.lock().expect("a shelf").writes.clone()
    }
}

impl Shelf {
    fn answer(&mut self, seen: &Seen) -> Reply {
        let fault = self.faults.pop_front().unwrap_or(Fault::None);
        if let Fault::Before(reply) = fault {
            return reply;
        }
        let mut results: Vec<Value> = Vec::new();
        for item in seen.json()["items"].as_array().expect("items") {
            let id = item["id"].as_str().expect("an id").to_owned();
            results.push(match item.get("refuse") {
                Some(code) => {
                    json!({ "id": id, "status": "error", "code": code, "message": "will not do" })
                }
                None => {
                    *self.writes.entry(id.clone()).or_default() += 1;
                    self.items.insert(id.clone(), item.clone());
                    json!({ "id": id, "status": "ok" })
                }
            });
        }
        if let Fault::Outcomes(change) = fault {
            change(&mut results);
        }
        let mut reply = Reply::json(200, &json!({ "results": results }));
        match fault {
            Fault::After(reply) => return reply,
            Fault::Cut(bytes) => reply.cut = Some(bytes),
            _ => {}
        }
        reply
    }
}

/// A clock that goes on when somebody waits.
#[derive(Debug)]
pub(super) struct SimulatedClock(Mutex<Duration>);

impl SimulatedClock {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(SimulatedClock(Mutex::new(Duration::ZERO)))
    }
}

/// What the simulated clock shows at its start.
pub(super) fn start() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().expect("a moment")
}

impl Clock for SimulatedClock {
    fn now(&self) -> Duration {
        *self.0.lock().expect("a clock")
    }

    fn wall(&self) -> Timestamp {
        start() + jiff::SignedDuration::try_from(self.now()).expect("a short time")
    }

    fn sleep(&self, length: Duration) -> Pause {
        *self.0.lock().expect("a clock") += length;
        Box::pin(tokio::task::yield_now())
    }
}
