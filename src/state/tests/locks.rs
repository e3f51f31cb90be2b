//! C3: one run at a time, and a run that lost its lock writes nothing.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

#[test]
fn of_many_started_together_one_wins() {
    const MANY: usize = 64;
    const ROUNDS: u64 = 40;
    let project = tempfile::tempdir().expect("a folder");
    drop(State::open(project.path()).expect("opens"));
    let barrier = Barrier::new(MANY);
    let (won, busy) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..MANY {
            scope.spawn(|| {
                let state = State::open(project.path()).expect("opens");
                let mut last = 0;
                for _ in 0..ROUNDS {
                    barrier.wait();
                    let lock = state.lock_feed("web", Duration::ZERO, at(0));
                    match &lock {
                        Ok(lock) => {
                            assert!(lock.fence() > last, "the number grows");
                            last = lock.fence();
                            won.fetch_add(1, Ordering::Relaxed)
                        }
                        Err(Busy::Held { .. }) => busy.fetch_add(1, Ordering::Relaxed),
                        Err(error) => panic!("{error}"),
                    };
                    // The winner holds it until all have tried.
                    barrier.wait();
                    drop(lock);
                }
            });
        }
    });
    assert_eq!(won.load(Ordering::Relaxed), ROUNDS);
    assert_eq!(busy.load(Ordering::Relaxed), ROUNDS * (MANY as u64 - 1));
}

#[test]
fn one_that_waits_gets_it() {
    let project = tempfile::tempdir().expect("a folder");
    let state = State::open(project.path()).expect("opens");
    let lock = state.lock_feed("web", Duration::ZERO, at(0)).expect("free");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let other = State::open(project.path()).expect("opens");
            other
                .lock_feed("web", Duration::from_secs(30), at(1))
                .map(|lock| lock.fence())
        });
        std::thread::sleep(Duration::from_millis(120));
        drop(lock);
        assert_eq!(waiting.join().expect("ends"), Ok(2));
    });
}

#[test]
fn a_stale_run_cannot_write() {
    let project = tempfile::tempdir().expect("a folder");
    let state = State::open(project.path()).expect("opens");
    publish(&state, project.path(), "web", "<old/>");
    let stale = state.lock_feed("web", Duration::ZERO, at(0)).expect("free");
    // Somebody takes the file away, and with it what the lock locks.
    std::fs::remove_file(stale.path()).expect("removed");
    let fresh = state.lock_feed("web", Duration::ZERO, at(1)).expect("free");
    assert!(fresh.fence() > stale.fence());
    let (files, log) = rendered(&project.path().join("work"), "<new/>");
    let new = version("web", &files, &log);
    let is_stale = |error: StateError| {
        assert_eq!(
            (error.trouble, error.exit()),
            (Trouble::Stale, 5),
            "{error}"
        );
    };
    is_stale(state.record_version(&stale, &new).expect_err("stale"));
    let number = state.record_version(&fresh, &new).expect("recorded");
    let receipt = receipt_of("/srv/feeds");
    is_stale(
        state
            .receipt(&stale, "web", number, &receipt)
            .expect_err("stale"),
    );
    is_stale(
        state
            .published(&stale, "web", number, at(2), "eve")
            .expect_err("stale"),
    );
    is_stale(state.offer(&stale, "web", 1, &[]).expect_err("stale"));
    is_stale(
        state
            .prune(&stale, "web", 1, "eve", at(2))
            .expect_err("stale"),
    );
    let current = state.current("web").expect("reads").expect("published");
    assert_eq!(current.version, 1);
    // A lock is good for its own feed's scope only by name; another feed's does not open this one's door.
    drop(stale);
    state
        .receipt(&fresh, "web", number, &receipt)
        .expect("kept");
}

#[test]
fn scopes_that_look_alike_do_not_share_a_lock() {
    let project = tempfile::tempdir().expect("a folder");
    let state = State::open(project.path()).expect("opens");
    let scopes = [
        "feed:a/b",
        "feed:a_b",
        "feed:a:b",
        "to:sftp://u@h/x",
        "to:sftp://u@h/y",
        "ชาม",
        "ถ้วย",
    ];
    let locks: Vec<Lock> = scopes
        .iter()
        .map(|scope| lock::acquire(&state, scope, Duration::ZERO, at(0)).expect(scope))
        .collect();
    for scope in scopes {
        assert!(
            lock::acquire(&state, scope, Duration::ZERO, at(0)).is_err(),
            "{scope}"
        );
    }
    drop(locks);
}
