//! Killed at each named point, and run again: what stands is always a published version, and the rerun completes.

use std::process::{Command, Stdio};

use super::{catalog, shop};
use crate::harness::{FeedTest, NOW};

/// Publishes with a kill point armed; whether it was killed.
fn killed_at(test: &FeedTest, point: &str) -> bool {
    let status = Command::new(env!("CARGO_BIN_EXE_shelfcast"))
        .args(["publish"])
        .current_dir(test.path(""))
        .env("SHELFCAST_NOW", NOW)
        .env("SHELFCAST_KILL_AT", point)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("starts");
    status.code().is_none()
}

/// The points that a publication into a folder passes.
const POINTS: [&str; 16] = [
    "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "P11", "P12", "P13", "M1", "M2",
    "M3",
];

#[test]
fn a_kill_anywhere_leaves_the_last_feed_or_the_next_one() {
    let mut reached = Vec::new();
    for point in POINTS {
        let test = shop("");
        let edition = |edition: usize| {
            catalog(&test, 30, |_, lamp| {
                lamp.title = format!("{} {edition}", lamp.title)
            });
        };
        edition(1);
        assert_eq!(test.run(["publish"]).code, 0);
        let first = test.read("web/google.xml");
        edition(2);
        let killed = killed_at(&test, point);
        let stands = test.read("web/google.xml");
        let rerun = test.run(["publish"]);
        assert_eq!(rerun.code, 0, "{point}: {rerun:?}");
        let second = test.read("web/google.xml");
        assert_ne!(first, second, "{point}");
        assert!(
            stands == first || stands == second,
            "{point}: neither stands"
        );
        let doctor = test.run(["doctor"]);
        assert_eq!(doctor.code, 0, "{point}: {doctor:?}");
        if killed {
            reached.push(point);
        }
    }
    assert!(
        reached.len() >= 12,
        "points that were never reached prove nothing: {reached:?}"
    );
}

#[test]
fn a_first_publication_that_is_killed_is_completed() {
    for point in ["P4", "M3", "P8", "P12"] {
        let test = shop("");
        catalog(&test, 30, |_, _| {});
        killed_at(&test, point);
        let rerun = test.run(["publish"]);
        assert_eq!(rerun.code, 0, "{point}: {rerun:?}");
        assert!(test.path("web/google.xml").exists(), "{point}");
        let left: Vec<_> = std::fs::read_dir(test.path("web"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left.len(), 1, "{point}: {left:?}");
    }
}
