//! Many schedules, the same one twice, and planted bugs that must turn it red.
//!
//! `SHELFCAST_SEED=N` plays one schedule again; `SHELFCAST_SCHEDULES=N` says how many are played, `SHELFCAST_FIRST=N` from
//! which seed on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use shelfcast::recovery;

use super::super::faults::Fault;
use super::sales::HAPPENS;
use super::schedule::{Report, play};
use super::speaks::connectors;
use super::till::Wrong;

/// Schedules where nothing else is said.
const SCHEDULES: u64 = 10_000;
/// Last events that a broken schedule tells.
const TRAIL: usize = 20;
/// Schedules until a planted bug must have shown.
const PLANTED_MOST: u64 = 3000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The one line by which a schedule is told.
fn told(report: &Report) -> String {
    let Some((promise, how, trail)) = &report.violation else {
        return format!(
            "seed {}: nothing broken, digest {:016x}",
            report.seed, report.digest
        );
    };
    format!(
        "SHELFCAST_SEED={} breaks {promise}: {how} | {}",
        report.seed,
        trail.join(" | ")
    )
}

#[derive(Default)]
struct Sums {
    faults: Vec<u64>,
    killed: BTreeMap<&'static str, u64>,
    wrong: BTreeMap<&'static str, u64>,
    runs: u64,
    applied: u64,
    held: u64,
    checked: [u64; 3],
    broken: Vec<String>,
}

impl Sums {
    fn add(&mut self, report: &Report) {
        self.faults.resize(Fault::ALL.len(), 0);
        for (sum, count) in self.faults.iter_mut().zip(&report.faults) {
            *sum += count;
        }
        for (point, count) in &report.kill.killed {
            *self.killed.entry(point).or_default() += count;
        }
        for (name, count) in &report.wrong {
            *self.wrong.entry(name).or_default() += count;
        }
        self.runs += report.runs;
        self.applied += report.applied;
        self.held += report.held;
        for (sum, count) in self.checked.iter_mut().zip(report.checked) {
            *sum += count;
        }
        if report.violation.is_some() && self.broken.len() < 20 {
            self.broken.push(told(report));
        }
    }
}

#[test]
fn schedules_of_faults_and_crashes_lose_nothing() {
    if let Some(seed) = number("SHELFCAST_SEED") {
        let report = play(&connectors(), seed, 10_000);
        println!("{}", told(&report).replace(" | ", "\n  "));
        assert!(report.violation.is_none(), "broken");
        return;
    }
    let many = number("SHELFCAST_SCHEDULES").unwrap_or(SCHEDULES);
    let began = Instant::now();
    let first = number("SHELFCAST_FIRST").unwrap_or(0);
    let next = AtomicU64::new(first);
    let sums: Vec<Sums> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let connectors = connectors();
                    let mut sums = Sums::default();
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= first + many || sums.broken.len() >= 5 {
                            return sums;
                        }
                        sums.add(&play(&connectors, seed, TRAIL));
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    let mut all = Sums::default();
    all.faults.resize(Fault::ALL.len(), 0);
    for one in sums {
        for (sum, count) in all.faults.iter_mut().zip(&one.faults) {
            *sum += count;
        }
        for (point, count) in one.killed {
            *all.killed.entry(point).or_default() += count;
        }
        for (name, count) in one.wrong {
            *all.wrong.entry(name).or_default() += count;
        }
        all.runs += one.runs;
        all.applied += one.applied;
        all.held += one.held;
        for (sum, count) in all.checked.iter_mut().zip(one.checked) {
            *sum += count;
        }
        all.broken.extend(one.broken);
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{many} schedules in {seconds:.1} s, {:.0} a second; {} runs, {} changes at the store, {} held; {} broken",
        many as f64 / seconds,
        all.runs,
        all.applied,
        all.held,
        all.broken.len()
    );
    println!("killed: {:?}", all.killed);
    println!("sources and orders: {:?}", all.wrong);
    let [undisturbed, looks, restarts] = all.checked;
    println!(
        "L2 in {undisturbed} undisturbed runs, L4 at {looks} looks, L5 at {restarts} restarts"
    );
    let faults: BTreeMap<&str, u64> = Fault::ALL
        .iter()
        .map(|fault| fault.name())
        .zip(all.faults)
        .collect();
    println!("faults: {faults:?}");
    assert!(all.broken.is_empty(), "\n{}", all.broken.join("\n"));
    // what was never drawn was not tested; a handful of schedules cannot draw everything
    let (faults_least, kills_least) = match many {
        0..1000 => return,
        1000..10_000 => (1, 1),
        _ => (50, 20),
    };
    let drawn = faults
        .into_iter()
        .chain(all.wrong.iter().map(|(name, count)| (*name, *count)));
    let drawn: BTreeMap<&str, u64> = drawn.collect();
    for (name, count) in &drawn {
        assert!(
            *count >= faults_least,
            "fault `{name}` was drawn {count} times"
        );
    }
    for wrong in Wrong::ALL {
        assert!(
            drawn.contains_key(wrong.name()),
            "`{}` was never drawn",
            wrong.name()
        );
    }
    for name in HAPPENS.iter().chain(&["row-taken-out", "store-clamps"]) {
        assert!(drawn.contains_key(name), "`{name}` was never drawn");
    }
    for (promise, count) in ["L2", "L4", "L5"].iter().zip(all.checked) {
        assert!(count >= faults_least, "{promise} was checked {count} times");
    }
    for point in recovery::SYNC {
        let count = all.killed.get(point).copied().unwrap_or(0);
        assert!(count >= kills_least, "{count} died at {point}");
    }
}

#[test]
fn the_same_seed_is_the_same_schedule() {
    let connectors = connectors();
    for seed in 0..20 {
        let (one, other) = (
            play(&connectors, seed, TRAIL),
            play(&connectors, seed, TRAIL),
        );
        assert_eq!(one.digest, other.digest, "seed {seed}");
        assert_eq!(one.violation, other.violation, "seed {seed}");
    }
}

/// Bugs that are planted one by one.
const PLANTED: [&str; 18] = [
    "order counted twice",
    "order counted after it was booked",
    "zero after one snapshot",
    "drop the completeness check",
    "one that waits holds others up",
    "any run counts as good",
    "repair a clamp for ever",
    "wait for the quiet time",
    "outbox after send",
    "new key on retry",
    "key reused for another target",
    "resend after key expiry",
    "ignore one item's error",
    "missing item counted as accepted",
    "stale compare retried with the old target",
    "null compare",
    "event order by arrival",
    "skip sync",
];

#[cfg(debug_assertions)]
#[test]
fn every_planted_bug_is_found() {
    let found: Vec<(&str, Option<Report>, u64)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|half| {
                scope.spawn(move || {
                    let connectors = connectors();
                    let mut found = Vec::new();
                    for bug in PLANTED.iter().skip(half).step_by(2) {
                        shelfcast::sync::planted::plant(Some(bug));
                        let mut played = 0;
                        let red = (0..PLANTED_MOST).find_map(|seed| {
                            played += 1;
                            let report = play(&connectors, seed, TRAIL);
                            report.violation.is_some().then_some(report)
                        });
                        shelfcast::sync::planted::plant(None);
                        found.push((*bug, red, played));
                    }
                    found
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    let mut missed = Vec::new();
    for (bug, red, played) in found {
        match red.and_then(|report| report.violation) {
            Some((promise, how, _)) => {
                println!("`{bug}` breaks {promise} after {played} schedules: {how}")
            }
            None => missed.push(bug),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}
