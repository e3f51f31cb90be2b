//! For the tests of what goes over the network: proxies that cut, servers that say nothing, and what is skipped.

use std::io::Read as _;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::DeliveryError;

/// Says that something is skipped, and why.
#[expect(clippy::print_stderr, reason = "what is skipped is said")]
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// Lets so many bytes of the first client's through to a port of this machine, then cuts the connection; later clients
/// are not cut. The proxy's port.
pub(crate) fn cutting_proxy(port: u16, limit: u64) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let own = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        let mut limit = limit;
        for client in listener.incoming() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", port))) else {
                return;
            };
            let (mut to_client, mut from_server) = (
                client.try_clone().expect("a socket"),
                server.try_clone().expect("a socket"),
            );
            thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
            let limit = std::mem::replace(&mut limit, u64::MAX);
            thread::spawn(move || {
                let mut first = client.try_clone().expect("a socket").take(limit);
                let _ended = std::io::copy(&mut first, &mut &server);
                let _gone = client.shutdown(Shutdown::Both);
                let _gone = server.shutdown(Shutdown::Both);
            });
        }
    });
    own
}

/// Accepts and says nothing. Its port.
pub(crate) fn silent_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let own = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for client in listener.incoming().flatten() {
            kept.push(client);
        }
    });
    own
}

/// A port where nobody is at home.
pub(crate) fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port()
}

/// Runs a test of this program in a process of its own, tells it something by a variable, and kills it (SIGKILL) after a
/// time, if one is given. Whether it ended well before.
pub(crate) fn run_and_kill(test: &str, told: (&str, &str), after: Option<Duration>) -> bool {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", test, "--quiet"])
        .env(told.0, told.1)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process");
    if let Some(after) = after {
        thread::sleep(after);
        let _gone = child.kill();
    }
    child.wait().expect("ended").success()
}

/// Eight readers in a loop while `publish` runs, each with its own `reader`, which gives the digest of what it reads: each
/// must be one that `published` knows.
pub(crate) fn read_all_the_while<R: FnMut() -> Result<String, DeliveryError>>(
    reader: impl Fn(usize) -> R + Sync,
    published: impl Fn(&str) -> bool + Sync,
    publish: impl FnOnce(),
) {
    struct Over<'a>(&'a AtomicBool);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let (over, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for number in 0..8 {
            let (over, reads, reader, published) = (&over, &reads, &reader, &published);
            scope.spawn(move || {
                let mut read = reader(number);
                while !over.load(Ordering::Relaxed) {
                    let digest = read().expect("never absent");
                    assert!(
                        published(&digest),
                        "reader {number} saw what was never published"
                    );
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // readers end even if publishing fails
        let _over = Over(&over);
        publish();
    });
    assert!(reads.load(Ordering::Relaxed) > 100);
}
