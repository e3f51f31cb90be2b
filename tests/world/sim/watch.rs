//! Who looks whether all is well: what `status` and a daemon's alarms say of runs that stopped and sources that fell silent, held
//! against the world's own record (L4).

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use shelfcast::store::pace::Clock as _;
use shelfcast::sync::serve::health::Health;
use shelfcast::sync::standing::{self, Asked};

use super::super::exchange::Millis;
use super::schedule::{Play, SYNC};

/// The oldest that a good run may be.
const AGE_MOST: Duration = Duration::from_secs(2 * 3600);
/// The longest that a source may be silent.
const SILENT_MOST: Duration = Duration::from_secs(1800);

/// The record.
#[derive(Debug)]
pub(super) struct Watch {
    /// When the last good run ended, by the machine's time of day; `None` where there was none.
    good: Option<Timestamp>,
    /// A run died while its end was being kept: nobody can say which end is the last.
    vague: bool,
    health: Health,
    begin: Instant,
    /// When the source had news, or the daemon began.
    news: Millis,
}

impl Watch {
    pub(super) fn new() -> Self {
        let (health, begin) = (Health::default(), Instant::now());
        configure(&health, begin);
        Watch {
            good: None,
            vague: false,
            health,
            begin,
            news: 0,
        }
    }

    /// A run ended, and its end is kept.
    pub(super) fn ended(&mut self, at: Timestamp, exit: u8) {
        if exit == 0 {
            (self.good, self.vague) = (Some(at), false);
        }
    }

    /// The source had news.
    pub(super) fn heard(&mut self, now: Millis) {
        self.news = now;
        self.health
            .heard("till", self.begin + Duration::from_millis(now));
    }

    /// The program died, perhaps while the end of its run was being kept; the next one knows nothing of what this one heard.
    pub(super) fn died(&mut self, now: Millis, in_the_end: bool) {
        self.vague |= in_the_end;
        self.health = Health::default();
        configure(&self.health, self.begin + Duration::from_millis(now));
        self.news = now;
    }
}

fn configure(health: &Health, now: Instant) {
    health.configure(&[], &[("till".to_owned(), Some(SILENT_MOST))], now);
}

impl Play<'_> {
    /// Somebody looks: runs that stopped and a source that is silent are told, and nothing else is.
    pub(super) fn look_around(&mut self) {
        let now = self.clock.wall();
        let asked = Asked {
            sync: SYNC,
            store: "store",
            source: &self.rule.reading,
            limit: Some(AGE_MOST),
            now,
        };
        let standing = standing::look(Some(&self.state), &asked).expect("a state in memory");
        let told = standing.findings.iter().any(|finding| {
            finding.contains("is the limit") || finding.contains("no run has ended well")
        });
        // a clock that was set back makes nothing old
        let most = SignedDuration::try_from(AGE_MOST).expect("short");
        let old = self
            .watch
            .good
            .is_none_or(|good| now.duration_since(good) > most);
        let millis = self.clock.millis();
        let moment = self.watch.begin + Duration::from_millis(millis);
        self.watch.health.look(moment);
        let silent = self
            .watch
            .health
            .sources(moment)
            .values()
            .any(|source| source.quiet);
        let expected = Duration::from_millis(millis - self.watch.news) > SILENT_MOST;
        let mut world = self.shared.lock();
        if told != old && !self.watch.vague {
            let how = format!("the last good run was {:?}: told {told}", self.watch.good);
            world.oracle.broken("L4", how);
        }
        if silent != expected {
            let how = format!("the source is silent: {expected}, told {silent}");
            world.oracle.broken("L4", how);
        }
        world.checked_silence += 1;
    }
}
