//! The misbehaving store on loopback: a protocol, its faults, and what only a wire can do wrong.
//!
//! The store's clock is the machine's, counted from the start. Written on bare sockets, since a well-bred server cannot stop
//! in the middle of a byte. Tests look at it and steer it under `/_control/`; that way nothing goes wrong.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::control;
use super::dice::Dice;
use super::exchange::{Answer, Millis, Request};
use super::faults::{End, Faults};
use super::protocol::Protocol;
use super::shop::Shop;

/// Most bytes of a request's body.
const BODY_MAX: usize = 16 * 1024 * 1024;
/// Places at which answers are broken off, one after the other.
const CUTS: u64 = 200;

/// How the store is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// What it speaks.
    pub protocol: Protocol,
    /// Its places; one with an empty code where it has no locations.
    pub places: Vec<String>,
    /// Its SKUs.
    pub skus: Vec<String>,
    /// What each has at first.
    pub opening: i64,
    /// What chance comes from.
    pub seed: u64,
    /// Calls in a thousand that go wrong.
    pub faults: u64,
    /// Calls in a thousand that go wrong on the wire.
    pub wire: u64,
    /// Calls a second, after which it answers 429; 0 for no limit.
    pub rate: f64,
    /// Each answer takes so long.
    pub latency: Duration,
    /// How long it keeps one waiting who is to give up.
    pub hold: Duration,
    /// How long a session lasts.
    pub session: Duration,
    /// The port; 0 for any.
    pub port: u16,
}

impl Options {
    /// A store without faults: so many SKUs `SKU-00001`…, ten of each.
    pub fn quiet(protocol: Protocol, skus: usize) -> Self {
        let places: &[&str] = if protocol.places() {
            &["HAN", "SGN"]
        } else {
            &[""]
        };
        Options {
            protocol,
            places: places.iter().map(|place| (*place).to_owned()).collect(),
            skus: (1..=skus)
                .map(|number| format!("SKU-{number:05}"))
                .collect(),
            opening: 10,
            seed: 1,
            faults: 0,
            wire: 0,
            rate: 0.0,
            latency: Duration::ZERO,
            hold: Duration::from_secs(30),
            session: Duration::from_secs(3600),
            port: 0,
        }
    }
}

/// What only a wire can do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireFault {
    /// The connection is closed at once.
    Closed,
    /// The head comes a byte a second.
    SlowHead,
    /// The body comes a byte a second.
    SlowBody,
    /// The body never ends.
    Endless,
    /// It is broken off at one of 200 places.
    Reset,
    /// It is shorter than was said.
    Short,
}

impl WireFault {
    /// All.
    pub const ALL: [WireFault; 6] = [
        WireFault::Closed,
        WireFault::SlowHead,
        WireFault::SlowBody,
        WireFault::Endless,
        WireFault::Reset,
        WireFault::Short,
    ];

    /// As it is counted.
    pub fn name(self) -> &'static str {
        match self {
            WireFault::Closed => "closed",
            WireFault::SlowHead => "slow-head",
            WireFault::SlowBody => "slow-body",
            WireFault::Endless => "endless",
            WireFault::Reset => "reset",
            WireFault::Short => "short",
        }
    }
}

/// The store while it runs.
#[derive(Debug)]
pub struct Store {
    /// What it sells.
    pub shop: Shop,
    /// What goes wrong.
    pub faults: Faults,
    /// What it speaks.
    pub protocol: Protocol,
    /// Calls in a thousand that go wrong on the wire.
    pub wire: u64,
    /// How often each wire fault was drawn.
    pub wire_drawn: [u64; WireFault::ALL.len()],
    /// Calls above the rate.
    pub over_rate: u64,
    rate: f64,
    tokens: (f64, Millis),
    dice: Dice,
    cuts: u64,
    began: Instant,
}

impl Store {
    /// Milliseconds since the start.
    pub fn now(&self) -> Millis {
        Millis::try_from(self.began.elapsed().as_millis()).unwrap_or(Millis::MAX)
    }

    /// Whether the rate is kept.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a test")]
    fn within_rate(&mut self, now: Millis) -> bool {
        if self.rate <= 0.0 {
            return true;
        }
        let passed = now.saturating_sub(self.tokens.1) as f64 / 1000.0;
        let tokens = (self.tokens.0 + passed * self.rate).min(self.rate.max(1.0));
        let fits = tokens >= 1.0;
        self.tokens = (if fits { tokens - 1.0 } else { tokens }, now);
        fits
    }
}

/// The store, running on a thread of its own; it ends with the program.
#[derive(Clone, Debug)]
pub struct Running {
    /// Where it is, without a slash at the end.
    pub url: String,
    /// The store itself.
    pub store: Arc<Mutex<Store>>,
}

impl Running {
    /// Looks at it, or changes it.
    pub fn with<T>(&self, look: impl FnOnce(&mut Store) -> T) -> T {
        look(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Starts it.
///
/// # Errors
/// A port that cannot be had.
pub fn start(options: &Options) -> std::io::Result<Running> {
    let places: Vec<&str> = options.places.iter().map(String::as_str).collect();
    let skus: Vec<&str> = options.skus.iter().map(String::as_str).collect();
    let mut shop = Shop::new(&places, &skus, options.opening);
    shop.reserves = matches!(options.protocol, Protocol::Vendure | Protocol::Medusa);
    shop.session_life = Millis::try_from(options.session.as_millis()).unwrap_or(Millis::MAX);
    let mut faults = Faults::seeded(options.seed, options.faults);
    faults.patience = Millis::try_from(options.hold.as_millis())
        .unwrap_or(30_000)
        .max(2000);
    faults.epoch = jiff::Timestamp::now().as_second();
    let store = Arc::new(Mutex::new(Store {
        shop,
        faults,
        protocol: options.protocol,
        wire: options.wire,
        wire_drawn: [0; WireFault::ALL.len()],
        over_rate: 0,
        rate: options.rate,
        tokens: (options.rate.max(1.0), 0),
        dice: Dice::new(options.seed ^ 0x5151),
        cuts: 0,
        began: Instant::now(),
    }));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}", listener.local_addr()?);
    let running = Running {
        url,
        store: Arc::clone(&store),
    };
    let latency = options.latency;
    let hold = options.hold;
    std::thread::Builder::new()
        .name("store".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).expect("a listener");
                loop {
                    let Ok((stream, _)) = listener.accept().await else {
                        continue;
                    };
                    let store = Arc::clone(&store);
                    tokio::spawn(async move {
                        // whoever hangs up has had enough
                        drop(serve(stream, store, latency, hold).await);
                    });
                }
            });
        })?;
    Ok(running)
}

/// Answers requests of one connection until it ends.
async fn serve(
    stream: TcpStream,
    store: Arc<Mutex<Store>>,
    latency: Duration,
    hold: Duration,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let Some((request, target)) = read(&mut stream).await? else {
            return Ok(());
        };
        let (end, took, wire, cut) = {
            let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
            let store = &mut *store;
            let now = store.now();
            if target.starts_with("/_control/") {
                store.faults.settle(&mut store.shop, store.protocol, now);
                (End::Answer(control::answer(store, &request)), 0, None, 0)
            } else if store.within_rate(now) {
                let done = store
                    .faults
                    .exchange(&mut store.shop, store.protocol, &request, now);
                let wire = store.dice.permille(store.wire).then(|| {
                    let at = store.dice.index(WireFault::ALL.len());
                    store.wire_drawn[at] += 1;
                    WireFault::ALL[at]
                });
                store.cuts += 1;
                let took = done.fault.map_or(0, |_| done.took);
                (done.end, took, wire, store.cuts % CUTS)
            } else {
                store.over_rate += 1;
                store.faults.asked_until = now + 1000;
                let answer = Answer::json(429, &json!({ "errors": "Exceeded the rate limit." }));
                (End::Answer(answer.with("retry-after", "1")), 0, None, 0)
            }
        };
        if !target.starts_with("/_control/") {
            let wait = latency + Duration::from_millis(took).min(hold);
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
        }
        let (answer, bytes) = match end {
            End::Answer(answer) => (answer, None),
            End::Cut(answer, bytes) => (answer, Some(bytes)),
            End::TimedOut => return Ok(()),
            End::Reset | End::Unreached => return reset(stream.into_inner()),
        };
        let wire = wire.map(|fault| (fault, cut));
        if !write(&mut stream, &answer, bytes, wire, hold).await? {
            return reset(stream.into_inner());
        }
    }
}

/// Breaks a connection off, without a farewell.
fn reset(stream: TcpStream) -> std::io::Result<()> {
    stream.set_zero_linger()
}

/// One request; none where the connection ended.
async fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<(Request, String)>> {
    use tokio::io::AsyncBufReadExt as _;
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let (method, target) = (method.to_owned(), target.to_owned());
    let mut headers = Vec::new();
    let mut length = 0;
    let mut chunked = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse().unwrap_or(0);
        }
        chunked |= name == "transfer-encoding" && value.eq_ignore_ascii_case("chunked");
        headers.push((name, value));
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            let size = usize::from_str_radix(line.trim(), 16).unwrap_or(0);
            let start = body.len();
            if start + size > BODY_MAX {
                return Ok(None);
            }
            body.resize(start + size, 0);
            stream.read_exact(&mut body[start..]).await?;
            line.clear();
            stream.read_line(&mut line).await?;
            if size == 0 {
                break;
            }
        }
    } else {
        if length > BODY_MAX {
            return Ok(None);
        }
        body.resize(length, 0);
        stream.read_exact(&mut body).await?;
    }
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let request = Request::new(&method, &target, &headers, &body);
    Ok(Some((request, target)))
}

/// Writes an answer; false where the connection is to be broken off.
async fn write(
    stream: &mut BufReader<TcpStream>,
    answer: &Answer,
    cut: Option<usize>,
    wire: Option<(WireFault, u64)>,
    hold: Duration,
) -> std::io::Result<bool> {
    let mut head = format!("HTTP/1.1 {} Model\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let endless = matches!(wire, Some((WireFault::Endless, _)));
    let length = match wire {
        Some((WireFault::Short, _)) => answer.body.len() + 17,
        _ => answer.body.len(),
    };
    if endless {
        head.push_str("transfer-encoding: chunked\r\n\r\n");
    } else {
        head.push_str(&format!("content-length: {length}\r\n\r\n"));
    }
    let mut bytes = head.into_bytes();
    let start = bytes.len();
    bytes.extend_from_slice(&answer.body);
    if let Some(cut) = cut {
        stream
            .write_all(&bytes[..(start + cut).min(bytes.len())])
            .await?;
        stream.flush().await?;
        return Ok(false);
    }
    match wire {
        None => {
            stream.write_all(&bytes).await?;
            stream.flush().await?;
            Ok(true)
        }
        Some((WireFault::Closed, _)) => Ok(false),
        Some((WireFault::Short, _)) => {
            stream.write_all(&bytes).await?;
            stream.flush().await?;
            Ok(false)
        }
        Some((WireFault::Reset, place)) => {
            let share = usize::try_from(place).unwrap_or(0);
            let at = bytes.len() * share / usize::try_from(CUTS).unwrap_or(200);
            stream.write_all(&bytes[..at]).await?;
            stream.flush().await?;
            Ok(false)
        }
        Some((fault @ (WireFault::SlowHead | WireFault::SlowBody), _)) => {
            let quick = if fault == WireFault::SlowHead {
                0
            } else {
                start
            };
            stream.write_all(&bytes[..quick]).await?;
            let until = Instant::now() + hold;
            for byte in &bytes[quick..] {
                if Instant::now() > until {
                    return Ok(false);
                }
                stream.write_all(&[*byte]).await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_secs(1).min(hold)).await;
            }
            Ok(true)
        }
        Some((WireFault::Endless, _)) => {
            stream.write_all(&bytes[..start]).await?;
            let chunk = [b' '; 64 * 1024];
            let until = Instant::now() + hold;
            while Instant::now() < until {
                stream.write_all(b"10000\r\n").await?;
                stream.write_all(&chunk).await?;
                stream.write_all(b"\r\n").await?;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok(false)
        }
    }
}

/// What tests want to know of a store, as JSON.
pub fn told(store: &Store) -> Value {
    let names = super::faults::Fault::ALL.iter().map(|fault| fault.name());
    let drawn: serde_json::Map<String, Value> = names
        .zip(&store.faults.drawn)
        .map(|(name, count)| (name.to_owned(), json!(count)))
        .collect();
    let wire: serde_json::Map<String, Value> = WireFault::ALL
        .iter()
        .zip(&store.wire_drawn)
        .map(|(fault, count)| (fault.name().to_owned(), json!(count)))
        .collect();
    json!({ "now": store.now(), "calls": store.faults.calls, "early": store.faults.early,
        "over_rate": store.over_rate, "applied": store.shop.applied.len(), "drawn": drawn, "wire": wire })
}
