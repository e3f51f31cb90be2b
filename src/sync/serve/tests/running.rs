//! A running daemon with rounds that do what a test says.

use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::support::*;
use crate::sync::serve::daemon::{DaemonError, Ended, run};
use crate::sync::serve::form::{Echo, Hook};
use crate::sync::serve::notice::Notice;
use crate::sync::serve::plan::{Account, Listen, Options, Plan};
use crate::sync::serve::signals::Signal;
use crate::sync::serve::worker::{RoundEnd, Rounds, Trigger};

pub(super) const LONG: Duration = Duration::from_secs(3600);

/// Rounds that do what a test says.
struct Told<F>(F);

impl<F: FnMut(Trigger, &AtomicBool) -> RoundEnd + Send> Rounds for Told<F> {
    fn round(&mut self, why: Trigger, stop: &AtomicBool) -> RoundEnd {
        (self.0)(why, stop)
    }
}

pub(super) fn account(
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

pub(super) fn ended(exit: u8) -> RoundEnd {
    RoundEnd {
        exit,
        words: format!("exit {exit}"),
        ..RoundEnd::default()
    }
}

/// A running daemon.
pub(super) struct Daemon {
    pub(super) address: SocketAddr,
    pub(super) signals: Sender<Signal>,
    pub(super) notices: Receiver<Notice>,
    pub(super) thread: std::thread::JoinHandle<Result<Ended, DaemonError>>,
}

impl Daemon {
    pub(super) fn start(mut load: impl FnMut() -> Result<Plan, String> + Send + 'static) -> Self {
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
        let again = tell.clone();
        let thread = std::thread::spawn(move || {
            let tell = Box::new(move |notice: &Notice| tell.send(notice.clone()).unwrap_or(()));
            run(&options, &mut load, &asked, tell)
        });
        // Rounds may already have said something: it is heard later.
        let mut early = Vec::new();
        let address = loop {
            match notices.recv_timeout(Duration::from_secs(180)) {
                Ok(Notice::Listening(address)) => break address,
                Ok(other) => early.push(other),
                Err(_) => panic!("it did not start"),
            }
        };
        early
            .into_iter()
            .for_each(|notice| again.send(notice).expect("heard"));
        Daemon {
            address,
            signals,
            notices,
            thread,
        }
    }

    /// With one plan, which is never read again.
    pub(super) fn with(plan: Plan) -> Self {
        let mut plan = Some(plan);
        Self::start(move || plan.take().ok_or_else(|| "no plan".to_owned()))
    }

    pub(super) fn notice(&self, fits: impl Fn(&Notice) -> bool) -> Notice {
        loop {
            // Longer than the longest back-off of a machine that was busy meanwhile.
            let told = self.notices.recv_timeout(Duration::from_secs(300));
            let notice = told.expect("told in time");
            if fits(&notice) {
                return notice;
            }
        }
    }

    pub(super) fn post(&self, id: &str) -> u16 {
        let body = one_row(id, "A", 1);
        let headers = signed(body.as_bytes(), crate::clock::now().as_second());
        send(
            self.address,
            "POST",
            "/stock/till",
            &headers,
            body.as_bytes(),
        )
        .status
    }

    pub(super) fn page(&self, path: &str) -> Answer {
        send(self.address, "GET", path, &[], b"")
    }

    pub(super) fn stop(self) -> Ended {
        self.signals.send(Signal::Stop).unwrap();
        self.thread.join().unwrap().unwrap()
    }
}

pub(super) fn for_accounts(names: &[&str]) -> Vec<(Hook, Vec<(String, Echo)>)> {
    let accounts = names.iter().map(|&name| (name.to_owned(), Echo::default()));
    vec![(hook("", ""), accounts.collect())]
}

pub(super) fn till(quiet_max: Option<Duration>) -> Vec<(String, Option<Duration>)> {
    vec![("till".to_owned(), quiet_max)]
}
