//! Readers in a loop while publications come and runs are killed: every byte string read is a published version.

use std::collections::HashSet;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::{catalog, shop};
use crate::harness::NOW;

/// How many publications, and as many kills; many more under `tests/run --long`.
fn rounds() -> usize {
    std::env::var("SHELFCAST_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(25)
}

#[test]
fn readers_only_ever_see_whole_versions() {
    let test = shop("");
    let edition = |edition: usize| {
        catalog(&test, 30, |_, lamp| {
            lamp.title = format!("{} {edition}", lamp.title)
        });
    };
    edition(0);
    assert_eq!(test.run(["publish"]).code, 0);
    let target = test.path("web/google.xml");
    let over = AtomicBool::new(false);
    let reads = AtomicU64::new(0);
    let seen: Mutex<HashSet<Vec<u8>>> = Mutex::new(HashSet::new());
    let mut versions: HashSet<Vec<u8>> = HashSet::from([std::fs::read(&target).unwrap()]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let bytes = std::fs::read(&target).expect("it is never away");
                    reads.fetch_add(1, Ordering::Relaxed);
                    seen.lock().unwrap().insert(bytes);
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
        }
        for round in 1..=rounds() {
            edition(round);
            // A kill at a moment that differs from round to round, then a run that completes.
            let mut child = Command::new(env!("CARGO_BIN_EXE_shelfcast"))
                .arg("publish")
                .current_dir(test.path(""))
                .env("SHELFCAST_NOW", NOW)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_millis((round as u64 * 7919) % 180));
            drop(child.kill());
            child.wait().unwrap();
            assert_eq!(test.run(["publish"]).code, 0, "round {round}");
            versions.insert(std::fs::read(&target).unwrap());
        }
        over.store(true, Ordering::Relaxed);
    });
    let seen = seen.into_inner().unwrap();
    assert!(
        seen.is_subset(&versions),
        "something was read that was never published"
    );
    assert!(versions.len() > rounds(), "every edition was published");
    println!(
        "readers: {} reads, {} versions, {} kills",
        reads.load(Ordering::Relaxed),
        versions.len(),
        rounds()
    );
}
