//! What a sender may take of us: each bound by its name, with its default.

use std::time::Duration;

/// The bounds of the daemon's server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body, told or sent; 1 MiB.
    pub body_bytes: usize,
    /// Header lines; 64.
    pub headers: usize,
    /// Bytes of the request line and the headers; 16 KiB, never less than 8 KiB.
    pub head_bytes: usize,
    /// Connections at a time; 256.
    pub connections: usize,
    /// Bodies above [`SMALL_BODY`] in memory at a time; 32.
    pub large_bodies: usize,
    /// From the connection, or from the last answer, to the end of the headers; 10 s.
    pub head_time: Duration,
    /// Silence within a body; 5 s.
    pub body_idle: Duration,
    /// From the headers to the answer; 30 s.
    pub request_time: Duration,
    /// Of a connection, however many requests it carries; 10 min.
    pub connection_time: Duration,
    /// Signed requests a second and source; 2,000.
    pub per_second: u32,
    /// Signed requests at once, after a silence; 10,000.
    pub burst: u32,
    /// Rows of an event; 10,000.
    pub rows: usize,
    /// Events of a store account that wait for the disk; 10,000.
    pub waiting: usize,
}

/// Bodies of so many bytes are not counted as large.
pub const SMALL_BODY: usize = 64 * 1024;

/// Bytes of a text in an event: a SKU, a location, an id.
pub const TEXT_BYTES: usize = 256;

/// How far the sender's clock may be from ours, either way.
pub const CLOCK_WINDOW: Duration = Duration::from_secs(300);

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body_bytes: 1024 * 1024,
            headers: 64,
            head_bytes: 16 * 1024,
            connections: 256,
            large_bodies: 32,
            head_time: Duration::from_secs(10),
            body_idle: Duration::from_secs(5),
            request_time: Duration::from_secs(30),
            connection_time: Duration::from_secs(600),
            per_second: 2_000,
            burst: 10_000,
            rows: 10_000,
            waiting: 10_000,
        }
    }
}
