//! An online store on loopback that misbehaves as it is told, for tests and measurements.
//!
//!     misbehaving-store CONNECTOR [--skus N] [--places A,B] [--opening N] [--seed N] [--faults PERMILLE]
//!         [--wire PERMILLE] [--rate CALLS_A_SECOND] [--latency MS] [--hold MS] [--session MS] [--port N] [--skus-from FILE]
//!
//! CONNECTOR is shopify, woocommerce, vendure, medusa, magento, prestashop or http-json. It prints `ready URL` and stays until it is
//! killed. `--skus-from` names a file with a SKU a line. What it holds, and how it is steered, is under `URL/_control/`.
#![allow(
    unreachable_pub,
    dead_code,
    reason = "it takes what it needs out of the tests' world"
)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    reason = "it is a program of its own"
)]
#![expect(clippy::disallowed_methods, reason = "tests write what they like")]

#[path = "../world/mod.rs"]
mod world;

use std::time::Duration;

use world::protocol::Protocol;
use world::server::{Options, start};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some(protocol) = Protocol::by_name(&name) else {
        wrong(&format!("unknown connector `{name}`"))
    };
    let mut options = Options::quiet(protocol, 400);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        let number = || -> u64 {
            value
                .parse()
                .unwrap_or_else(|_| wrong(&format!("`{flag}` takes a number, not `{value}`")))
        };
        match flag.as_str() {
            "--skus" => {
                let count = usize::try_from(number()).unwrap_or(usize::MAX);
                options.skus = Options::quiet(protocol, count).skus;
            }
            "--skus-from" => {
                let text = std::fs::read_to_string(&value)
                    .unwrap_or_else(|error| wrong(&format!("{value}: {error}")));
                options.skus = text.lines().map(str::to_owned).collect();
            }
            "--places" => options.places = value.split(',').map(str::to_owned).collect(),
            "--opening" => options.opening = i64::try_from(number()).unwrap_or(0),
            "--seed" => options.seed = number(),
            "--faults" => options.faults = number(),
            "--wire" => options.wire = number(),
            "--rate" => {
                options.rate = value
                    .parse()
                    .unwrap_or_else(|_| wrong(&format!("`{flag}` takes a number, not `{value}`")));
            }
            "--latency" => options.latency = Duration::from_millis(number()),
            "--hold" => options.hold = Duration::from_millis(number()),
            "--session" => options.session = Duration::from_millis(number()),
            "--port" => options.port = u16::try_from(number()).unwrap_or(0),
            other => wrong(&format!("unknown option `{other}`")),
        }
    }
    match start(&options) {
        Ok(running) => {
            println!("ready {}", running.url);
            loop {
                std::thread::park();
            }
        }
        Err(error) => wrong(&format!("cannot listen: {error}")),
    }
}

fn wrong(message: &str) -> ! {
    eprintln!("misbehaving-store: {message}");
    std::process::exit(2)
}
