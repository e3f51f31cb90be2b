//! The daemon in a process of its own: stopped by signals at random moments, killed at the named points, started again.

use std::collections::HashSet;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::support::*;
use crate::config::env;
use crate::recovery;
use crate::sync::serve::daemon::run;
use crate::sync::serve::form::{Echo, Hook};
use crate::sync::serve::limits::Limits;
use crate::sync::serve::notice::Notice;
use crate::sync::serve::plan::{Account, Listen, Options, Plan};
use crate::sync::serve::signals;
use crate::sync::serve::worker::{RoundEnd, Rounds, Trigger};

/// Times a signal comes at a random moment; `SHELFCAST_SIGNALS` asks for more.
const SIGNALS: usize = 12;

fn start(folder: &Path, kill_at: &str) -> Child {
    drop(std::fs::remove_file(folder.join("address")));
    Command::new(std::env::current_exe().unwrap())
        .args([
            "sync::serve::tests::process::a_process",
            "--exact",
            "--quiet",
        ])
        .env("SERVE_TEST_FOLDER", folder)
        .env("SHELFCAST_KILL_AT", kill_at)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Calls that are made all the time until the stop; each is a line in a file.
struct Calls(std::fs::File);

impl Rounds for Calls {
    fn round(&mut self, _why: Trigger, stop: &std::sync::atomic::AtomicBool) -> RoundEnd {
        for _ in 0..20 {
            if stop.load(Ordering::SeqCst) {
                break;
            }
            self.0.write_all(b"call\n").unwrap();
            std::thread::sleep(Duration::from_millis(1));
        }
        RoundEnd::default()
    }
}

/// What `start` runs; without its variable it is a test that does nothing.
#[test]
fn a_process() {
    let Some(folder) = env::get("SERVE_TEST_FOLDER") else {
        return;
    };
    let folder = Path::new(&folder).to_owned();
    let signals = signals::install().unwrap();
    let open = |name: &str| {
        let mut options = std::fs::OpenOptions::new();
        options
            .append(true)
            .create(true)
            .open(folder.join(name))
            .unwrap()
    };
    let options = Options {
        listen: Listen {
            address: "127.0.0.1:0".parse().unwrap(),
            beyond_loopback: false,
        },
        ..Options::default()
    };
    let (secrets, source) = source("", "");
    let hook = Hook::new(&source, secrets.path(), &Limits::default());
    let mut plan = Some(Plan {
        accounts: vec![Account {
            name: "web".to_owned(),
            rounds: Box::new(Calls(open("calls"))),
            events: Some(Box::new(Shelf::at(&folder.join("events")))),
            every: Duration::from_millis(10),
            max_age: None,
        }],
        hooks: vec![(
            hook.unwrap().unwrap(),
            vec![("web".to_owned(), Echo::default())],
        )],
        sources: vec![("till".to_owned(), None)],
        ..Plan::default()
    });
    let place = folder.clone();
    let tell = Box::new(move |notice: &Notice| {
        if let Notice::Listening(address) = notice {
            std::fs::write(place.join("address.new"), address.to_string()).unwrap();
            std::fs::rename(place.join("address.new"), place.join("address")).unwrap();
        }
    });
    let ended = run(
        &options,
        &mut || plan.take().ok_or_else(String::new),
        &signals,
        tell,
    )
    .unwrap();
    assert!(ended.late.is_empty());
    open("calls").write_all(b"end\n").unwrap();
}

/// Where it listens; `None` where it ended before.
fn address(folder: &Path, child: &mut Child) -> Option<SocketAddr> {
    loop {
        if let Ok(text) = std::fs::read_to_string(folder.join("address")) {
            return Some(text.parse().unwrap());
        }
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// How it ended, which must be within the time that is promised.
fn ended(child: &mut Child) -> ExitStatus {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if started.elapsed() > Duration::from_secs(10) {
            child.kill().unwrap();
            panic!("it did not end within ten seconds");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

fn stored(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("events")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Sends one event; whether it was answered with 200.
fn post(address: SocketAddr, id: &str) -> Option<bool> {
    let body = one_row(id, "A", 1);
    let headers = signed(body.as_bytes(), crate::clock::now().as_second());
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(300)))
        .unwrap();
    let bytes = request("POST", "/stock/till", &headers, body.as_bytes(), true);
    stream.write_all(&bytes).ok()?;
    Some(answer(&mut stream)?.status == 200)
}

#[test]
fn signals_at_random_moments_lose_nothing_and_end_it_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let times = env::get("SHELFCAST_SIGNALS")
        .and_then(|text| text.parse().ok())
        .unwrap_or(SIGNALS);
    let mut answered = HashSet::new();
    // A sequence that looks random and is the same each time.
    let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
    for round in 0..times {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let events = (seed >> 33) % 40;
        let mut child = start(folder.path(), "");
        let address = address(folder.path(), &mut child).unwrap();
        let sender = std::thread::spawn(move || {
            let mut answered = Vec::new();
            for id in (0..500).map(|number| format!("evt-{round}-{number}")) {
                match post(address, &id) {
                    Some(true) => answered.push(id),
                    Some(false) => {}
                    None => break,
                }
            }
            answered
        });
        std::thread::sleep(Duration::from_millis(events * 5));
        signal(&child, if round % 2 == 0 { "-TERM" } else { "-INT" });
        let status = ended(&mut child);
        assert!(status.success(), "{status}");
        answered.extend(sender.join().unwrap());
        let stored: HashSet<_> = stored(folder.path()).into_iter().collect();
        assert!(answered.is_subset(&stored), "what was answered is on disk");
        let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap();
        assert!(calls.ends_with("end\n"), "no call after the end");
    }
    assert!(!answered.is_empty(), "some were answered");
}

#[test]
fn killed_between_proof_disk_and_answer_it_loses_nothing_and_stores_nothing_twice() {
    for point in [recovery::Y16, recovery::Y17] {
        let folder = tempfile::tempdir().unwrap();
        let mut answered = HashSet::new();
        let mut sent = Vec::new();
        for kill in 1..5 {
            let mut child = start(folder.path(), &format!("{point}:{kill}"));
            let address = address(folder.path(), &mut child).unwrap();
            for number in 0..10 {
                let id = format!("{point}-{kill}-{number}");
                sent.push(id.clone());
                match post(address, &id) {
                    Some(true) => drop(answered.insert(id)),
                    Some(false) => panic!("refused"),
                    None => break,
                }
            }
            assert_eq!(
                ended(&mut child).signal(),
                Some(9),
                "{point}:{kill} was reached"
            );
            let stored: HashSet<_> = stored(folder.path()).into_iter().collect();
            assert!(answered.is_subset(&stored), "what was answered is on disk");
            // Verified and not stored is not there; stored and not answered is.
            let last = sent.last().unwrap();
            assert_eq!(stored.contains(last), point == recovery::Y17);
        }
        // All senders come again.
        let mut child = start(folder.path(), "");
        let address = address(folder.path(), &mut child).unwrap();
        for id in &sent {
            assert_eq!(post(address, id), Some(true));
        }
        signal(&child, "-TERM");
        assert!(ended(&mut child).success());
        let mut once = stored(folder.path());
        assert_eq!(once.len(), sent.len(), "each exactly once");
        once.sort();
        sent.sort();
        assert_eq!(once, sent);
    }
}
