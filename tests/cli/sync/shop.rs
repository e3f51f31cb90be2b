//! An online store on loopback that speaks the plain form: absolute levels with a compare value, keys, a verdict an item.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

/// What the store holds and how it behaves.
#[derive(Default)]
pub struct Inside {
    /// Levels by SKU and location.
    pub levels: BTreeMap<(String, String), i64>,
    /// Every write that was applied: SKU, location, quantity.
    pub applied: Vec<(String, String, i64)>,
    /// Calls that asked for a change.
    pub writes: u32,
    /// Calls that only read.
    pub reads: u32,
    /// SKUs that it refuses for good.
    pub refused: HashSet<String>,
    /// It sets a level whatever it has.
    pub ignores_expected: bool,
    /// Every call is answered with this status and nothing else.
    pub broken: Option<u16>,
    keys: HashMap<String, Value>,
    tokens: HashSet<String>,
}

/// The store.
pub struct Shop {
    inside: Arc<Mutex<Inside>>,
    url: String,
}

impl Shop {
    /// Opens it, with levels a little off those that [`super::usual`] comes to.
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let inside = Arc::new(Mutex::new(Inside::default()));
        let shared = Arc::clone(&inside);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || drop(answer(stream, &shared)));
            }
        });
        let shop = Shop { inside, url };
        for (sku, location, units) in super::usual() {
            let place = if location == "siam" { "L1" } else { "L2" };
            shop.inside()
                .levels
                .insert((sku, place.to_owned()), units - 2);
        }
        for number in [1, 2, 3] {
            let key = (format!("ชาม-{number:02}"), "L1".to_owned());
            shop.inside().levels.insert(key, 5);
        }
        shop
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it holds.
    pub fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("no test panicked inside")
    }

    /// A level.
    pub fn level(&self, sku: &str, place: &str) -> Option<i64> {
        let key = (sku.to_owned(), place.to_owned());
        self.inside().levels.get(&key).copied()
    }

    /// What was applied since the last time.
    pub fn take_applied(&self) -> Vec<(String, String, i64)> {
        std::mem::take(&mut self.inside().applied)
    }
}

fn answer(stream: TcpStream, inside: &Mutex<Inside>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            match line.trim_end().split_once(':') {
                Some((name, value)) => {
                    headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
                }
                None => break,
            }
        }
        let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
        let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
        reader.read_exact(&mut body)?;
        let (status, said) = {
            let mut inside = inside.lock().expect("no test panicked inside");
            inside.tokens.insert(header("authorization"));
            if header("authorization") != format!("Bearer {}", super::CANARY) {
                (
                    401,
                    json!({ "error": { "code": "token", "message": "who are you" } }),
                )
            } else if first.starts_with("GET") {
                inside.reads += 1;
                match inside.broken {
                    Some(status) => (status, json!({})),
                    None => (200, read(&inside, &first)),
                }
            } else {
                inside.writes += 1;
                match inside.broken {
                    Some(status) => (status, json!({})),
                    None => (200, write(&mut inside, &header("idempotency-key"), &body)),
                }
            }
        };
        let said = said.to_string();
        let mut stream = &stream;
        write!(
            stream,
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{said}",
            said.len()
        )?;
        stream.flush()?;
    }
}

fn read(inside: &Inside, first: &str) -> Value {
    let path = first.split(' ').nth(1).unwrap_or("");
    let url = reqwest::Url::parse(&format!("http://shop{path}")).expect("an address");
    let wanted: HashSet<String> = url
        .query_pairs()
        .filter(|(name, _)| name == "skus")
        .flat_map(|(_, value)| value.split(',').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let levels: Vec<Value> = inside
        .levels
        .iter()
        .filter(|((sku, _), _)| wanted.contains(sku))
        .map(|((sku, place), units)| json!({ "sku": sku, "location": place, "quantity": units }))
        .collect();
    json!({ "total": levels.len(), "levels": levels })
}

fn write(inside: &mut Inside, key: &str, body: &[u8]) -> Value {
    assert!(!key.is_empty(), "every batch has a key");
    if let Some(said) = inside.keys.get(key) {
        return said.clone();
    }
    let body: Value = serde_json::from_slice(body).expect("JSON");
    let mut results = Vec::new();
    for level in body["levels"].as_array().expect("levels") {
        let text = |name: &str| level[name].as_str().expect("a text").to_owned();
        let (sku, place) = (text("sku"), text("location"));
        let quantity = level["quantity"].as_i64().expect("units");
        let slot = (sku.clone(), place.clone());
        let now = inside.levels.get(&slot).copied();
        let expected = level["expected"].as_i64();
        let status = if inside.refused.contains(&sku) {
            "refused"
        } else if now.is_none() {
            "unknown"
        } else if expected.is_some() && expected != now && !inside.ignores_expected {
            "conflict"
        } else {
            inside.levels.insert(slot, quantity);
            inside.applied.push((sku.clone(), place.clone(), quantity));
            "ok"
        };
        results.push(json!({
            "sku": sku, "location": place, "status": status, "code": status,
            "message": if status == "ok" { "" } else { "not \u{1b}[31mthis" },
        }));
    }
    let said = json!({ "results": results });
    inside.keys.insert(key.to_owned(), said.clone());
    said
}
