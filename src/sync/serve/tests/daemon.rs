//! The loop: why a round is done, who is not held up, how a configuration is read anew, how it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::unbounded;

use super::running::*;
use super::support::*;
use crate::sync::serve::daemon::{DaemonError, Ended, run};
use crate::sync::serve::form::Hook;
use crate::sync::serve::limits::Limits;
use crate::sync::serve::notice::Notice;
use crate::sync::serve::plan::{Account, Listen, Options, Plan};
use crate::sync::serve::signals::Signal;
use crate::sync::serve::watch::Watched;
use crate::sync::serve::worker::{Bell, RoundEnd, Trigger, wait_after};

#[test]
fn rounds_have_their_reasons() {
    let (reasons, told) = unbounded();
    let shelf = Shelf::default();
    let news = Arc::new(AtomicBool::new(false));
    let order = Arc::new(AtomicBool::new(false));
    let watched = |name: &str, trigger, flag: &Arc<AtomicBool>| {
        let flag = Arc::clone(flag);
        Watched {
            name: name.to_owned(),
            trigger,
            poll: Duration::from_millis(5),
            accounts: vec!["web".to_owned()],
            look: Box::new(move || Ok(flag.swap(false, Ordering::SeqCst))),
        }
    };
    let mut more = 2;
    let daemon = Daemon::with(Plan {
        accounts: vec![account("web", &shelf, move |why, _| {
            reasons.send(why).unwrap();
            let again = why == Trigger::Order && more > 0;
            more -= usize::from(again);
            RoundEnd {
                more: again,
                ..ended(0)
            }
        })],
        watched: vec![
            watched("till", Trigger::Source, &news),
            watched("orders of web", Trigger::Order, &order),
        ],
        hooks: for_accounts(&["web"]),
        sources: till(None),
    });
    let next = || told.recv_timeout(Duration::from_secs(300)).unwrap();
    assert_eq!(next(), Trigger::Start);
    assert_eq!(daemon.post("evt-1"), 200);
    assert_eq!(next(), Trigger::Event);
    assert_eq!(shelf.events().len(), 1, "stored before the round");
    news.store(true, Ordering::SeqCst);
    assert_eq!(next(), Trigger::Source);
    order.store(true, Ordering::SeqCst);
    assert_eq!(next(), Trigger::Order);
    assert_eq!(next(), Trigger::More);
    assert_eq!(daemon.stop(), Ended::default());
    assert!(told.try_recv().is_err(), "and none without a reason");
}

#[test]
fn the_timer_is_a_reason() {
    let (reasons, told) = unbounded();
    let mut plan = Plan {
        accounts: vec![account("web", &Shelf::default(), move |why, _| {
            reasons.send(why).unwrap();
            ended(0)
        })],
        ..Plan::default()
    };
    plan.accounts[0].every = Duration::from_millis(20);
    let daemon = Daemon::with(plan);
    for expected in [
        Trigger::Start,
        Trigger::Timer,
        Trigger::Timer,
        Trigger::Timer,
    ] {
        assert_eq!(told.recv_timeout(Duration::from_secs(300)), Ok(expected));
    }
    daemon.stop();
}

#[test]
fn the_timer_comes_though_events_come_all_the_time() {
    let (reasons, told) = unbounded();
    let daemon = Daemon::with(Plan {
        accounts: vec![Account {
            every: Duration::from_millis(150),
            ..account("web", &Shelf::default(), move |why, _| {
                reasons.send(why).unwrap();
                ended(0)
            })
        }],
        hooks: for_accounts(&["web"]),
        sources: till(None),
        ..Plan::default()
    });
    let mut events = 0;
    let timed = (0..5_000).any(|number| {
        assert_eq!(daemon.post(&format!("evt-{number}")), 200);
        told.try_iter().any(|why| {
            events += usize::from(why == Trigger::Event);
            why == Trigger::Timer
        })
    });
    assert!(timed, "{events} rounds for events, and none by the timer");
    daemon.stop();
}

#[test]
fn a_store_that_is_down_holds_up_no_other() {
    let (tell, told) = unbounded();
    let shelves = [Shelf::default(), Shelf::default()];
    let stuck = account("stuck", &shelves[0], |_, stop| {
        // It would take an hour: only the stop ends it.
        while !stop.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(2));
        }
        ended(4)
    });
    let well = account("well", &shelves[1], move |why, _| {
        tell.send(why).unwrap();
        ended(0)
    });
    let daemon = Daemon::with(Plan {
        accounts: vec![stuck, well],
        hooks: for_accounts(&["stuck", "well"]),
        sources: till(None),
        ..Plan::default()
    });
    assert_eq!(
        told.recv_timeout(Duration::from_secs(300)),
        Ok(Trigger::Start)
    );
    for number in 0..5 {
        assert_eq!(daemon.post(&format!("evt-{number}")), 200);
        assert_eq!(
            told.recv_timeout(Duration::from_secs(300)),
            Ok(Trigger::Event)
        );
    }
    // Both have them: the one that is stuck when it comes to it.
    assert_eq!(shelves.map(|shelf| shelf.events().len()), [5, 5]);
    assert_eq!(daemon.stop(), Ended::default());
}

#[test]
fn waits_grow_and_have_an_end() {
    let seconds = |exit, times| wait_after(exit, times).as_secs();
    assert_eq!(
        [1, 2, 3, 8, 9, 10, 1000].map(|times| seconds(4, times)),
        [1, 2, 4, 128, 256, 300, 300]
    );
    assert_eq!(
        [1, 2, 6, 1000].map(|times| seconds(5, times)),
        [1, 2, 30, 30]
    );
    assert_eq!([0, 6].map(|exit| seconds(exit, 9)), [0, 0]);
    for exit in [1, 2, 3, 7, 8, 101, 255] {
        assert_eq!(seconds(exit, 1), 1);
    }
}

#[test]
fn a_bell_holds_back_all_but_orders() {
    let bell = Bell::default();
    let now = Instant::now();
    let far = now + LONG;
    bell.ring(Trigger::Event);
    bell.ring(Trigger::Source);
    assert_eq!(
        bell.wait(far, now),
        Some(Trigger::Event),
        "the weightiest, once"
    );
    bell.ring(Trigger::Event);
    bell.ring(Trigger::Order);
    assert_eq!(bell.wait(far, far), Some(Trigger::Order));
    assert_eq!(bell.wait(now, now), Some(Trigger::Timer));
    bell.ring(Trigger::Event);
    let soon = Instant::now() + Duration::from_millis(30);
    assert_eq!(bell.wait(far, soon), Some(Trigger::Event));
    assert!(Instant::now() >= soon);
    bell.ring(Trigger::Order);
    bell.stop();
    assert_eq!(bell.wait(now, now), None, "nothing begins after the stop");
}

#[test]
fn a_round_in_progress_is_ended_and_one_that_does_not_end_is_left() {
    let (tell, told) = unbounded();
    let obeys = account("obeys", &Shelf::default(), move |_, stop| {
        tell.send(()).unwrap();
        while !stop.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        ended(0)
    });
    let daemon = Daemon::with(Plan {
        accounts: vec![obeys],
        ..Plan::default()
    });
    told.recv().unwrap();
    assert_eq!(daemon.stop(), Ended::default());

    let (tell, told) = unbounded();
    let stubborn = account("stubborn", &Shelf::default(), move |_, _| {
        tell.send(()).unwrap();
        std::thread::sleep(LONG);
        ended(0)
    });
    let daemon = Daemon::with(Plan {
        accounts: vec![stubborn],
        ..Plan::default()
    });
    told.recv().unwrap();
    assert_eq!(daemon.stop().late, ["stubborn"]);
}

#[test]
fn a_configuration_is_read_anew_or_stays() {
    let (tell, told) = unbounded();
    let shelf = Shelf::default();
    let shelves = shelf.clone();
    let mut loads = 0;
    let daemon = Daemon::start(move || {
        loads += 1;
        if loads == 2 {
            return Err("`stroe` is no key".to_owned());
        }
        let tell = tell.clone();
        Ok(Plan {
            accounts: vec![account("web", &shelves, move |why, _| {
                tell.send((loads, why)).unwrap();
                ended(0)
            })],
            hooks: for_accounts(&["web"]),
            sources: till(None),
            ..Plan::default()
        })
    });
    let next = || told.recv_timeout(Duration::from_secs(300)).unwrap();
    assert_eq!(next(), (1, Trigger::Start));
    daemon.signals.send(Signal::Reload).unwrap();
    let refused = daemon.notice(|notice| matches!(notice, Notice::ReloadRefused(_)));
    assert_eq!(
        refused,
        Notice::ReloadRefused("`stroe` is no key".to_owned())
    );
    assert_eq!(daemon.post("evt-1"), 200);
    assert_eq!(next(), (1, Trigger::Event), "the old one goes on");
    daemon.signals.send(Signal::Reload).unwrap();
    daemon.notice(|notice| *notice == Notice::Reloaded);
    assert_eq!(next(), (3, Trigger::Start));
    assert_eq!(daemon.post("evt-2"), 200);
    assert_eq!(next(), (3, Trigger::Event), "and only the new one");
    assert_eq!(shelf.events().len(), 2);
    daemon.stop();
    assert!(told.try_recv().is_err());
}

#[test]
fn plans_that_reach_nothing_do_not_start() {
    let start = |plan: Plan, address: &str| {
        let options = Options {
            listen: Listen {
                address: address.parse().unwrap(),
                beyond_loopback: false,
            },
            ..Options::default()
        };
        let mut plan = Some(plan);
        let (_signals, asked) = unbounded();
        run(
            &options,
            &mut || plan.take().ok_or_else(String::new),
            &asked,
            Box::new(|_| {}),
        )
    };
    let good = || account("web", &Shelf::default(), |_, _| ended(0));
    for (plan, words) in [
        (
            Plan {
                hooks: for_accounts(&[]),
                ..Plan::default()
            },
            "no sync reads it",
        ),
        (
            Plan {
                hooks: for_accounts(&["web"]),
                ..Plan::default()
            },
            "takes no events",
        ),
        (
            Plan {
                accounts: vec![Account {
                    events: None,
                    ..good()
                }],
                hooks: for_accounts(&["web"]),
                ..Plan::default()
            },
            "takes no events",
        ),
        (
            Plan {
                accounts: vec![good(), good()],
                ..Plan::default()
            },
            "twice",
        ),
    ] {
        let error = start(plan, "127.0.0.1:0").unwrap_err();
        assert!(
            matches!(&error, DaemonError::Configuration(why) if why.contains(words)),
            "{error}"
        );
    }
    assert!(matches!(
        start(Plan::default(), "0.0.0.0:0"),
        Err(DaemonError::Configuration(_))
    ));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert!(matches!(
        start(Plan::default(), &address),
        Err(DaemonError::Listen { .. })
    ));
    // Limits reach the hook.
    let (folder, source) = source("", "");
    let limits = Limits {
        rows: 1,
        ..Limits::default()
    };
    let hook = Hook::new(&source, folder.path(), &limits).unwrap().unwrap();
    let two = r#"{"id":"e","rows":[{"sku":"A"},{"sku":"B"}]}"#;
    assert!(hook.read(&headers(&[]), two.as_bytes(), now()).is_err());
    let one = r#"{"id":"e","rows":[{"sku":"A"}]}"#;
    assert!(hook.read(&headers(&[]), one.as_bytes(), now()).is_ok());
}
