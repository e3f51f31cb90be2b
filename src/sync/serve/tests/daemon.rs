//! The loop: why a round is done, what holds it back, who is not held up, what is told, how it ends.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::support::*;
use crate::sync::serve::daemon::{Account, DaemonError, Ended, Listen, Notice, Options, Plan, run};
use crate::sync::serve::form::{Echo, Hook};
use crate::sync::serve::health::Turn;
use crate::sync::serve::limits::Limits;
use crate::sync::serve::signals::Signal;
use crate::sync::serve::watch::Watched;
use crate::sync::serve::worker::{Bell, RoundEnd, Rounds, SyncFigures, Trigger, wait_after};

const LONG: Duration = Duration::from_secs(3600);

/// Rounds that do what a test says.
struct Told<F>(F);

impl<F: FnMut(Trigger, &AtomicBool) -> RoundEnd + Send> Rounds for Told<F> {
    fn round(&mut self, why: Trigger, stop: &AtomicBool) -> RoundEnd {
        (self.0)(why, stop)
    }
}

fn account(
    name: &str,
    shelf: &Shelf,
    rounds: impl FnMut(Trigger, &AtomicBool) -> RoundEnd + Send + 'static,
) -> Account {
    Account {
        name: name.to_owned(),
        rounds: Box::new(Told(rounds)),
        events: Some(Box::new(shelf.clone())),
        every: LONG,
        max_age: None,
    }
}

fn ended(exit: u8) -> RoundEnd {
    RoundEnd {
        exit,
        words: format!("exit {exit}"),
        ..RoundEnd::default()
    }
}

/// A running daemon.
struct Daemon {
    address: SocketAddr,
    signals: Sender<Signal>,
    notices: Receiver<Notice>,
    thread: std::thread::JoinHandle<Result<Ended, DaemonError>>,
}

impl Daemon {
    fn start(mut load: impl FnMut() -> Result<Plan, String> + Send + 'static) -> Self {
        let options = Options {
            listen: Listen {
                address: "127.0.0.1:0".parse().unwrap(),
                beyond_loopback: false,
            },
            stop_time: Duration::from_secs(3),
            ..Options::default()
        };
        let (signals, asked) = unbounded();
        let (tell, notices) = unbounded();
        let thread = std::thread::spawn(move || {
            let tell = Box::new(move |notice: &Notice| tell.send(notice.clone()).unwrap_or(()));
            run(&options, &mut load, &asked, tell)
        });
        let Ok(Notice::Listening(address)) = notices.recv() else {
            panic!("it did not start: {:?}", thread.join());
        };
        Daemon {
            address,
            signals,
            notices,
            thread,
        }
    }

    /// With one plan, which is never read again.
    fn with(plan: Plan) -> Self {
        let mut plan = Some(plan);
        Self::start(move || plan.take().ok_or_else(|| "no plan".to_owned()))
    }

    fn notice(&self, fits: impl Fn(&Notice) -> bool) -> Notice {
        loop {
            let told = self.notices.recv_timeout(Duration::from_secs(30));
            let notice = told.expect("told in time");
            if fits(&notice) {
                return notice;
            }
        }
    }

    fn post(&self, id: &str) -> u16 {
        let body = one_row(id, "A", 1);
        let headers = signed(body.as_bytes(), crate::clock::now().as_second());
        send(self.address, "POST", "/stock/till", &headers, body.as_bytes()).status
    }

    fn page(&self, path: &str) -> Answer {
        send(self.address, "GET", path, &[], b"")
    }

    fn stop(self) -> Ended {
        self.signals.send(Signal::Stop).unwrap();
        self.thread.join().unwrap().unwrap()
    }
}

fn for_accounts(names: &[&str]) -> Vec<(Hook, Vec<(String, Echo)>)> {
    let accounts = names.iter().map(|&name| (name.to_owned(), Echo::default()));
    vec![(hook("", ""), accounts.collect())]
}

fn till(quiet_max: Option<Duration>) -> Vec<(String, Option<Duration>)> {
    vec![("till".to_owned(), quiet_max)]
}

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
            RoundEnd { more: again, ..ended(0) }
        })],
        watched: vec![
            watched("till", Trigger::Source, &news),
            watched("orders of web", Trigger::Order, &order),
        ],
        hooks: for_accounts(&["web"]),
        sources: till(None),
    });
    let next = || told.recv_timeout(Duration::from_secs(30)).unwrap();
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
    for expected in [Trigger::Start, Trigger::Timer, Trigger::Timer, Trigger::Timer] {
        assert_eq!(told.recv_timeout(Duration::from_secs(30)), Ok(expected));
    }
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
    assert_eq!(told.recv_timeout(Duration::from_secs(30)), Ok(Trigger::Start));
    for number in 0..5 {
        assert_eq!(daemon.post(&format!("evt-{number}")), 200);
        assert_eq!(told.recv_timeout(Duration::from_secs(30)), Ok(Trigger::Event));
    }
    // Both have them: the one that is stuck when it comes to it.
    assert_eq!(shelves.map(|shelf| shelf.events().len()), [5, 5]);
    assert_eq!(daemon.stop(), Ended::default());
}

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
    let Notice::Failing { account, exit, words, next_try_in } = failing else {
        unreachable!();
    };
    assert_eq!((account.as_str(), exit, words.as_str()), ("web", 4, "exit 4"));
    assert_eq!(next_try_in, Duration::from_secs(1));
    let started = Instant::now();
    for number in 0..100 {
        assert_eq!(daemon.post(&format!("evt-{number}")), 200, "events are taken all the same");
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
    assert!(text.contains("shelfcast_sync_next_try_timestamp_seconds{account=\"web\"}"), "{text}");
    assert!(text.contains("shelfcast_sync_rounds_total{account=\"web\",exit=\"4\"}"), "{text}");
    well.store(true, Ordering::SeqCst);
    daemon.notice(|notice| matches!(notice, Notice::Recovered { account } if account == "web"));
    assert_eq!(daemon.page("/health").status, 200);
    daemon.stop();
}

#[test]
fn waits_grow_and_have_an_end() {
    let seconds = |exit, times| wait_after(exit, times).as_secs();
    assert_eq!([1, 2, 3, 8, 9, 10, 1000].map(|times| seconds(4, times)), [1, 2, 4, 128, 256, 300, 300]);
    assert_eq!([1, 2, 6, 1000].map(|times| seconds(5, times)), [1, 2, 30, 30]);
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
    assert_eq!(bell.wait(far, now), Some(Trigger::Event), "the weightiest, once");
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
    let daemon = Daemon::with(Plan { accounts: vec![obeys], ..Plan::default() });
    told.recv().unwrap();
    assert_eq!(daemon.stop(), Ended::default());

    let (tell, told) = unbounded();
    let stubborn = account("stubborn", &Shelf::default(), move |_, _| {
        tell.send(()).unwrap();
        std::thread::sleep(LONG);
        ended(0)
    });
    let daemon = Daemon::with(Plan { accounts: vec![stubborn], ..Plan::default() });
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
    let next = || told.recv_timeout(Duration::from_secs(30)).unwrap();
    assert_eq!(next(), (1, Trigger::Start));
    daemon.signals.send(Signal::Reload).unwrap();
    let refused = daemon.notice(|notice| matches!(notice, Notice::ReloadRefused(_)));
    assert_eq!(refused, Notice::ReloadRefused("`stroe` is no key".to_owned()));
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
    let overdue = daemon.notice(|notice| matches!(notice, Notice::Turned(Turn::Account { overdue: true, .. })));
    assert!(overdue.is_alarm());
    let quiet = daemon.notice(|notice| matches!(notice, Notice::Turned(Turn::Source { quiet: true, .. })));
    assert!(quiet.is_alarm());
    let health = daemon.page("/health");
    assert_eq!(health.status, 503);
    assert!(health.body.contains("\"quiet\":true"), "{}", health.body);
    let text = daemon.page("/metrics").body;
    assert!(text.contains("shelfcast_sync_source_quiet{source=\"till\"} 1"), "{text}");
    assert!(text.contains("shelfcast_sync_source_age_seconds{source=\"till\"}"), "{text}");
    assert_eq!(daemon.post("evt-1"), 200);
    let heard = daemon.notice(|notice| matches!(notice, Notice::Turned(Turn::Source { quiet: false, .. })));
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
                if looks < 4 { Err("no connection".to_owned()) } else { Ok(looks == 4) }
            }),
        }],
        sources: till(None),
        ..Plan::default()
    });
    assert_eq!(told.recv_timeout(Duration::from_secs(30)), Ok(Trigger::Start));
    assert_eq!(told.recv_timeout(Duration::from_secs(30)), Ok(Trigger::Source));
    let text = daemon.page("/metrics").body;
    assert!(text.contains("shelfcast_sync_source_failures_total{source=\"till\"} 3"), "{text}");
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
    told.recv_timeout(Duration::from_secs(30)).unwrap();
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
fn plans_that_reach_nothing_do_not_start() {
    let start = |plan: Plan, address: &str| {
        let options = Options {
            listen: Listen { address: address.parse().unwrap(), beyond_loopback: false },
            ..Options::default()
        };
        let mut plan = Some(plan);
        let (_signals, asked) = unbounded();
        run(&options, &mut || plan.take().ok_or_else(String::new), &asked, Box::new(|_| {}))
    };
    let good = || account("web", &Shelf::default(), |_, _| ended(0));
    for (plan, words) in [
        (Plan { hooks: for_accounts(&[]), ..Plan::default() }, "no sync reads it"),
        (Plan { hooks: for_accounts(&["web"]), ..Plan::default() }, "takes no events"),
        (
            Plan { accounts: vec![Account { events: None, ..good() }], hooks: for_accounts(&["web"]), ..Plan::default() },
            "takes no events",
        ),
        (Plan { accounts: vec![good(), good()], ..Plan::default() }, "twice"),
    ] {
        let error = start(plan, "127.0.0.1:0").unwrap_err();
        assert!(matches!(&error, DaemonError::Configuration(why) if why.contains(words)), "{error}");
    }
    assert!(matches!(start(Plan::default(), "0.0.0.0:0"), Err(DaemonError::Configuration(_))));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert!(matches!(start(Plan::default(), &address), Err(DaemonError::Listen { .. })));
    // Limits reach the hook.
    let (folder, source) = source("", "");
    let limits = Limits { rows: 1, ..Limits::default() };
    let hook = Hook::new(&source, folder.path(), &limits).unwrap().unwrap();
    let two = r#"{"id":"e","rows":[{"sku":"A"},{"sku":"B"}]}"#;
    assert!(hook.read(&headers(&[]), two.as_bytes(), now()).is_err());
    let one = r#"{"id":"e","rows":[{"sku":"A"}]}"#;
    assert!(hook.read(&headers(&[]), one.as_bytes(), now()).is_ok());
}

#[test]
fn notices_that_take_their_time_hold_up_nothing() {
    let told = Arc::new(Mutex::new(0));
    let count = Arc::clone(&told);
    let options = Options {
        listen: Listen { address: "127.0.0.1:0".parse().unwrap(), beyond_loopback: false },
        stop_time: Duration::from_millis(500),
        ..Options::default()
    };
    let (signals, asked) = unbounded();
    let (tell, rounds) = unbounded();
    let mut plan = Some(Plan {
        accounts: vec![Account {
            every: Duration::from_millis(1),
            ..account("web", &Shelf::default(), move |_, _| {
                drop(tell.send(()));
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
        run(&options, &mut || plan.take().ok_or_else(String::new), &asked, tell)
    });
    for _ in 0..5 {
        rounds.recv_timeout(Duration::from_secs(30)).unwrap();
    }
    signals.send(Signal::Stop).unwrap();
    assert_eq!(daemon.join().unwrap().unwrap(), Ended::default());
    assert_eq!(*told.lock().unwrap(), 1);
}
