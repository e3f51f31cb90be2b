//! `sync --watch`: it brings in step what changes, shows how it stands, and ends when it is told to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::runs::in_step;
use super::{tills, usual};
use crate::harness::FeedTest;

/// A daemon that is killed when a test is over, however that ends.
struct Daemon {
    child: Child,
    port: u16,
}

impl Daemon {
    fn start(test: &FeedTest) -> Self {
        // A port that was free a moment ago.
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let child = Command::new(env!("CARGO_BIN_EXE_shelfcast"))
            .args(["sync", "--watch", "--listen"])
            .arg(format!("127.0.0.1:{port}"))
            .current_dir(test.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        Daemon { child, port }
    }

    /// The body of an answer; empty while nobody answers.
    fn get(&self, path: &str) -> String {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            write!(
                stream,
                "GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n\r\n",
                self.port
            )?;
            let mut said = String::new();
            stream.read_to_string(&mut said)?;
            Ok(said)
        };
        ask().unwrap_or_default()
    }

    /// Asks it to end; its exit code.
    fn stop(&mut self) -> Option<i32> {
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(asked.expect("kill runs").success());
        let mut code = None;
        until(|| {
            code = self.child.try_wait().expect("a child");
            code.is_some()
        });
        code.expect("it ended").code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Waits until something holds; far longer than it takes.
#[track_caller]
fn until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never held");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_daemon_sends_what_changes_and_ends_when_it_is_told() {
    let (test, shop) = in_step();
    let mut daemon = Daemon::start(&test);
    until(|| {
        daemon
            .get("/metrics")
            .contains("shelfcast_sync_rounds_total")
    });
    let mut rows = usual();
    rows[0].2 += 1;
    tills(&test, &rows);
    until(|| shop.level("ชาม-01", "L1") == Some(10));
    assert!(daemon.get("/metrics").contains("# TYPE"));
    // One run a store account: another one is told so.
    test.run(["sync"]).exits(5);
    assert_eq!(daemon.stop(), Some(0));
    test.run(["sync"]).exits(0);
    test.run(["status"]).exits(0).shows("40 of 40");
    assert_eq!(shop.take_applied().len(), 1);
}

#[test]
fn a_daemon_heeds_a_pause() {
    let (test, shop) = in_step();
    let mut daemon = Daemon::start(&test);
    until(|| {
        daemon
            .get("/metrics")
            .contains("shelfcast_sync_rounds_total")
    });
    test.run(["pause", "web-stock", "--reason", "stock-taking"])
        .exits(0);
    let mut rows = usual();
    rows[0].2 += 1;
    tills(&test, &rows);
    let rounds = |daemon: &Daemon| {
        let metrics = daemon.get("/metrics");
        let lines = metrics.lines();
        let counted = lines.filter(|line| line.starts_with("shelfcast_sync_rounds_total"));
        counted
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum::<f64>()
    };
    let before = rounds(&daemon);
    until(|| rounds(&daemon) > before);
    assert!(shop.take_applied().is_empty());
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn a_daemon_listens_beyond_this_machine_only_when_it_is_said() {
    let (test, _shop) = in_step();
    test.run(["sync", "--watch", "--listen", "0.0.0.0:1"])
        .exits(2)
        .says("--listen-beyond-loopback");
    test.run(["sync", "--watch", "--dry-run"])
        .exits(2)
        .says("no dry run");
}
