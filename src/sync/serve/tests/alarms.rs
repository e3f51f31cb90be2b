//! What is told and counted: failures, silence, faults, figures.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::unbounded;

use super::running::*;
use super::support::*;
use crate::sync::serve::daemon::{Ended, run};
use crate::sync::serve::health::Turn;
use crate::sync::serve::notice::Notice;
use crate::sync::serve::plan::{Account, Listen, Options, Plan};
use crate::sync::serve::signals::Signal;
use crate::sync::serve::watch::Watched;
use crate::sync::serve::worker::{RoundEnd, SyncFigures, Trigger};

#[test]
fn failures_are_not_hammered_and_are_told() {
    let rounds = Arc::new(AtomicUsize::new(0));
    let well = Arc::new(AtomicBool::new(false));
    let (counted, healed) = (Arc::clone(&rounds), Arc::clone(&well));
    let daemon = Daemon::with(Plan {
        accounts: vec![account("web", &Shelf::default(), move |_, _| {
            counted.fetch_add(1, Ordering::SeqCst);
            ended(if healed.load(Ordering::SeqCst) { 0 } else { 4 })
        })],
        hooks: for_accounts(&["web"]),
        sources: till(None),
        ..Plan::default()
    });
    let failing = daemon.notice(|notice| matches!(notice, Notice::Failing { .. }));
    assert!(failing.is_alarm());
    let Notice::Failing {
        account,
        exit,
        words,
        next_try_in,
    } = failing
    else {
        unreachable!();
    };
    assert_eq!(
        (account.as_str(), exit, words.as_str()),
        ("web", 4, "exit 4")
    );
    assert_eq!(next_try_in, Duration::from_secs(1));
    let started = Instant::now();
    for number in 0..100 {
        assert_eq!(
            daemon.post(&format!("evt-{number}")),
            200,
            "events are taken all the same"
        );
    }
    // Each second one at most, whatever rings.
    let most = 2 + started.elapsed().as_secs() as usize;
    assert!(rounds.load(Ordering::SeqCst) <= most);
    let health = daemon.page("/health");
    assert_eq!(health.status, 503);
    let page: serde_json::Value = serde_json::from_str(&health.body).unwrap();
    assert_eq!(page["ok"], false);
    assert_eq!(page["accounts"]["web"]["exit"], 4);
    let text = daemon.page("/metrics").body;
    assert!(
        text.contains("shelfcast_sync_next_try_timestamp_seconds{account=\"web\"}"),
        "{text}"
    );
    assert!(
        text.contains("shelfcast_sync_rounds_total{account=\"web\",exit=\"4\"}"),
        "{text}"
    );
    well.store(true, Ordering::SeqCst);
    daemon.notice(|notice| matches!(notice, Notice::Recovered { account } if account == "web"));
    assert_eq!(daemon.page("/health").status, 200);
    daemon.stop();
}

#[test]
fn silence_is_noticed() {
    let daemon = Daemon::with(Plan {
        accounts: vec![Account {
            max_age: Some(Duration::from_millis(50)),
            ..account("web", &Shelf::default(), |_, _| ended(0))
        }],
        hooks: for_accounts(&["web"]),
        sources: till(Some(Duration::from_millis(1500))),
        ..Plan::default()
    });
    let overdue = daemon
        .notice(|notice| matches!(notice, Notice::Turned(Turn::Account { overdue: true, .. })));
    assert!(overdue.is_alarm());
    let quiet =
        daemon.notice(|notice| matches!(notice, Notice::Turned(Turn::Source { quiet: true, .. })));
    assert!(quiet.is_alarm());
    let health = daemon.page("/health");
    assert_eq!(health.status, 503);
    assert!(health.body.contains("\"quiet\":true"), "{}", health.body);
    let text = daemon.page("/metrics").body;
    assert!(
        text.contains("shelfcast_sync_source_quiet{source=\"till\"} 1"),
        "{text}"
    );
    assert!(
        text.contains("shelfcast_sync_source_age_seconds{source=\"till\"}"),
        "{text}"
    );
    assert_eq!(daemon.post("evt-1"), 200);
    let heard =
        daemon.notice(|notice| matches!(notice, Notice::Turned(Turn::Source { quiet: false, .. })));
    assert!(!heard.is_alarm());
    daemon.stop();
}

#[test]
fn a_look_that_fails_is_told_once_and_goes_on() {
    let (tell, told) = unbounded();
    let mut looks = 0;
    let daemon = Daemon::with(Plan {
        accounts: vec![account("web", &Shelf::default(), move |why, _| {
            tell.send(why).unwrap();
            ended(0)
        })],
        watched: vec![Watched {
            name: "till".to_owned(),
            trigger: Trigger::Source,
            poll: Duration::from_millis(2),
            accounts: vec!["web".to_owned()],
            look: Box::new(move || {
                looks += 1;
                if looks < 4 {
                    Err("no connection".to_owned())
                } else {
                    Ok(looks == 4)
                }
            }),
        }],
        sources: till(None),
        ..Plan::default()
    });
    assert_eq!(
        told.recv_timeout(Duration::from_secs(300)),
        Ok(Trigger::Start)
    );
    assert_eq!(
        told.recv_timeout(Duration::from_secs(300)),
        Ok(Trigger::Source)
    );
    let text = daemon.page("/metrics").body;
    assert!(
        text.contains("shelfcast_sync_source_failures_total{source=\"till\"} 3"),
        "{text}"
    );
    let failed: Vec<_> = daemon
        .notices
        .try_iter()
        .filter(|notice| matches!(notice, Notice::WatchFailed { .. }))
        .collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    daemon.stop();
}

#[test]
fn a_fault_of_a_round_does_not_end_the_daemon() {
    let (tell, told) = unbounded();
    let mut first = true;
    let daemon = Daemon::with(Plan {
        accounts: vec![account("web", &Shelf::default(), move |_, _| {
            if std::mem::take(&mut first) {
                panic!("a promise is broken");
            }
            tell.send(()).unwrap();
            ended(0)
        })],
        ..Plan::default()
    });
    let failing = daemon.notice(|notice| matches!(notice, Notice::Failing { .. }));
    assert!(matches!(failing, Notice::Failing { exit: 101, .. }));
    told.recv_timeout(Duration::from_secs(300)).unwrap();
    daemon.stop();
}

#[test]
fn figures_of_rounds_are_shown() {
    let (tell, told) = unbounded();
    let daemon = Daemon::with(Plan {
        accounts: vec![account("web", &Shelf::default(), move |_, _| {
            tell.send(()).unwrap();
            RoundEnd {
                calls: 3,
                throttles: 1,
                paused: true,
                syncs: vec![SyncFigures {
                    sync: "stock".to_owned(),
                    compared: 100,
                    changed: 7,
                    accepted: 4,
                    rejected: 1,
                    unknown: 2,
                    held: 9,
                    pending: 12,
                    dead: 5,
                    lag: Duration::from_millis(1500),
                    last_good: Some(now()),
                }],
                ..ended(0)
            }
        })],
        ..Plan::default()
    });
    told.recv().unwrap();
    // The round is counted just after it ended.
    let text = (0..500)
        .map(|_| {
            std::thread::sleep(Duration::from_millis(10));
            daemon.page("/metrics").body
        })
        .find(|text| text.contains("exit=\"0\""))
        .unwrap();
    for line in [
        "shelfcast_sync_rounds_total{account=\"web\",exit=\"0\"} 1",
        "shelfcast_sync_levels_total{sync=\"stock\",what=\"compared\"} 100",
        "shelfcast_sync_levels_total{sync=\"stock\",what=\"changed\"} 7",
        "shelfcast_sync_levels_total{sync=\"stock\",what=\"accepted\"} 4",
        "shelfcast_sync_levels_total{sync=\"stock\",what=\"rejected\"} 1",
        "shelfcast_sync_levels_total{sync=\"stock\",what=\"unknown\"} 2",
        "shelfcast_sync_levels_total{sync=\"stock\",what=\"held\"} 9",
        "shelfcast_sync_pending{sync=\"stock\"} 12",
        "shelfcast_sync_dead_letters{sync=\"stock\"} 5",
        "shelfcast_sync_lag_seconds{sync=\"stock\"} 1.5",
        "shelfcast_sync_last_good_run_timestamp_seconds{sync=\"stock\"} 1795168800",
        "shelfcast_sync_calls_total{account=\"web\"} 3",
        "shelfcast_sync_throttles_total{account=\"web\"} 1",
        "shelfcast_sync_paused{account=\"web\"} 1",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line} in {text}");
    }
    daemon.stop();
}

#[test]
fn notices_that_take_their_time_hold_up_nothing() {
    let told = Arc::new(Mutex::new(0));
    let count = Arc::clone(&told);
    let options = Options {
        listen: Listen {
            address: "127.0.0.1:0".parse().unwrap(),
            beyond_loopback: false,
        },
        stop_time: Duration::from_millis(500),
        ..Options::default()
    };
    let (signals, asked) = unbounded();
    let (tell, rounds) = unbounded();
    let mut plan = Some(Plan {
        accounts: vec![Account {
            every: Duration::from_millis(1),
            ..account("web", &Shelf::default(), move |_, _| {
                tell.send(()).unwrap_or(());
                ended(0)
            })
        }],
        ..Plan::default()
    });
    let daemon = std::thread::spawn(move || {
        let tell = Box::new(move |_: &Notice| {
            *count.lock().unwrap() += 1;
            std::thread::sleep(LONG);
        });
        run(
            &options,
            &mut || plan.take().ok_or_else(String::new),
            &asked,
            tell,
        )
    });
    for _ in 0..5 {
        rounds.recv_timeout(Duration::from_secs(300)).unwrap();
    }
    signals.send(Signal::Stop).unwrap();
    assert_eq!(daemon.join().unwrap().unwrap(), Ended::default());
    assert_eq!(*told.lock().unwrap(), 1);
}
