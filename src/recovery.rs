//! Named places where a run may be killed, so that tests can kill it there.
//!
//! [`kill_point`] does nothing in normal runs. In builds with `debug_assertions`, or with the feature `kill-points`, the
//! environment variable `SHELFCAST_KILL_AT` names a point, and how often it must be reached first (`P8`, `P9:3` for the
//! third time); the process then ends itself by SIGKILL there: nothing is flushed, nothing is dropped. Several points
//! are separated by commas.

/// A source is opened.
pub const P1: &str = "P1";
/// The middle of reading it.
pub const P2: &str = "P2";
/// The catalog is validated.
pub const P3: &str = "P3";
/// The middle of writing a staged file.
pub const P4: &str = "P4";
/// Before the staged file is synced.
pub const P5: &str = "P5";
/// It is synced and not yet renamed.
pub const P6: &str = "P6";
/// It is renamed and its folder not yet synced.
pub const P7: &str = "P7";
/// Before the receipt.
pub const P8: &str = "P8";
/// Within an upload.
pub const P9: &str = "P9";
/// It is uploaded and not yet renamed there.
pub const P10: &str = "P10";
/// It is renamed there and not yet read back.
pub const P11: &str = "P11";
/// The middle of writing the receipt: the state is about to commit it.
pub const P12: &str = "P12";
/// The middle of cleaning old versions.
pub const P13: &str = "P13";
/// Between a part and the index.
pub const P14: &str = "P14";

/// The points of a publication, in order.
pub const PUBLISH: [&str; 14] = [P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14];

/// The state: the mark announces a commit that has not happened.
pub const M1: &str = "M1";
/// The state: the database has committed and the mark does not say so yet.
pub const M2: &str = "M2";
/// The state: a new version's folder is in place and has no row.
pub const M3: &str = "M3";
/// The state: the database is made and not yet in place.
pub const M4: &str = "M4";

/// The points inside the state, besides P12 and P13.
pub const STATE: [&str; 4] = [M1, M2, M3, M4];

/// Sync: the store account is locked.
pub const Y1: &str = "Y1";
/// Sync: the middle of reading a snapshot.
pub const Y2: &str = "Y2";
/// Sync: what differs is known.
pub const Y3: &str = "Y3";
/// Sync: the middle of committing what is wanted.
pub const Y4: &str = "Y4";
/// Sync: what is wanted is kept, nothing is sent.
pub const Y5: &str = "Y5";
/// Sync: connected to the store.
pub const Y6: &str = "Y6";
/// Sync: a request is half sent.
pub const Y7: &str = "Y7";
/// Sync: it is sent and not answered.
pub const Y8: &str = "Y8";
/// Sync: the middle of its answer.
pub const Y9: &str = "Y9";
/// Sync: the answer is read, the ledger does not know.
pub const Y10: &str = "Y10";
/// Sync: the middle of committing the ledger's lines.
pub const Y11: &str = "Y11";
/// Sync: the ledger knows, the next batch is not begun.
pub const Y12: &str = "Y12";
/// Sync: the middle of committing a source's position.
pub const Y13: &str = "Y13";
/// Sync: the ledger's old lines are about to be cut.
pub const Y14: &str = "Y14";
/// Sync: they are cut.
pub const Y15: &str = "Y15";
/// Sync: a webhook is verified and not stored.
pub const Y16: &str = "Y16";
/// Sync: it is stored and not answered.
pub const Y17: &str = "Y17";
/// Sync: the middle of committing a dead letter.
pub const Y18: &str = "Y18";
/// Sync: while what a dead run left is settled.
pub const Y19: &str = "Y19";
/// Sync: between two syncs of one run.
pub const Y20: &str = "Y20";

/// The points of a sync, in order.
pub const SYNC: [&str; 20] = [
    Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15, Y16, Y17, Y18, Y19, Y20,
];

/// Ends the process by SIGKILL when a test asked for it at this point; else does nothing.
#[cfg(any(debug_assertions, feature = "kill-points"))]
pub fn kill_point(name: &'static str) {
    armed::reached(name);
}

/// Does nothing: this build has no kill points.
#[cfg(not(any(debug_assertions, feature = "kill-points")))]
#[inline]
pub fn kill_point(_name: &'static str) {}

/// Tells this thread's watcher of each point that is reached, or nobody: a test that ends a run by unwinding there.
#[cfg(any(debug_assertions, feature = "kill-points"))]
pub fn watch(watcher: Option<fn(&'static str)>) {
    armed::WATCHER.with(|kept| kept.set(watcher));
}

#[cfg(any(debug_assertions, feature = "kill-points"))]
mod armed {
    //! The points a test armed, and how often each was reached.

    use std::cell::Cell;
    use std::collections::HashMap;
    use std::sync::{Mutex, OnceLock, PoisonError};

    thread_local! {
        pub(super) static WATCHER: Cell<Option<fn(&'static str)>> = const { Cell::new(None) };
    }

    /// Point = how many more times it is passed unharmed.
    static ARMED: OnceLock<Mutex<HashMap<String, u64>>> = OnceLock::new();

    pub(super) fn parse(text: &str) -> HashMap<String, u64> {
        text.split(',')
            .filter(|entry| !entry.trim().is_empty())
            .map(|entry| {
                let (name, count) = entry.split_once(':').unwrap_or((entry, "1"));
                let count: u64 = count.trim().parse().unwrap_or(1);
                (name.trim().to_owned(), count.max(1) - 1)
            })
            .collect()
    }

    pub(super) fn reached(name: &'static str) {
        if let Some(watcher) = WATCHER.with(Cell::get) {
            watcher(name);
        }
        let armed = ARMED.get_or_init(|| {
            let text = crate::config::env::get("SHELFCAST_KILL_AT").unwrap_or_default();
            Mutex::new(parse(&text))
        });
        let mut armed = armed.lock().unwrap_or_else(PoisonError::into_inner);
        match armed.get_mut(name) {
            None => {}
            Some(0) => die(),
            Some(left) => *left -= 1,
        }
    }

    /// No destructor runs and nothing is flushed.
    fn die() -> ! {
        // The standard library cannot send signals; the shell that kills its parent can.
        let killer = std::process::Command::new("sh")
            .args(["-c", "kill -KILL $PPID"])
            .status();
        drop(killer);
        // Where there is no shell.
        std::process::abort()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_asks_for_is_understood() {
        let armed = armed::parse("P8, P9:3,,P13:x");
        assert_eq!(armed.len(), 3);
        assert_eq!((armed["P8"], armed["P9"], armed["P13"]), (0, 2, 0));
    }

    #[test]
    fn points_that_are_not_armed_are_passed() {
        for point in PUBLISH.iter().chain(&STATE).chain(&SYNC) {
            kill_point(point);
        }
    }
}
