//! The planted bug that leaves a sync out is seen by whoever looks after a crash.

use super::*;
use crate::sync::planted;

/// Plants a bug until it is dropped.
struct Planted;

impl Planted {
    fn new(name: &'static str) -> Self {
        planted::plant(Some(name));
        Planted
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        planted::plant(None);
    }
}

#[test]
fn in_memory_commits_are_lost_at_the_crash() {
    let mut state = MemoryState::new();
    keep(&mut state, &[Change::Level(&open_level("p", "A", 1))]);
    let before = dump(&state);
    {
        let _bug = Planted::new("skip sync");
        keep(&mut state, &[Change::Level(&open_level("p", "A", 2))]);
        keep(&mut state, &[Change::Level(&open_level("p", "B", 2))]);
        assert_ne!(dump(&state), before);
        state.crash();
    }
    assert_eq!(dump(&state), before);
    keep(&mut state, &[Change::Level(&open_level("p", "A", 3))]);
    let after = dump(&state);
    state.crash();
    assert_eq!(dump(&state), after);
}

#[test]
fn a_process_that_dies_inside_a_commit_leaves_nothing_of_it() {
    let disk = MemoryDisk::new();
    let mut state = disk.open();
    keep(&mut state, &[Change::Level(&open_level("p", "A", 1))]);
    let before = dump(&state);
    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        state.commit(&mut |transaction| {
            transaction.write(Change::Level(&open_level("p", "A", 2)))?;
            std::panic::resume_unwind(Box::new("the machine is gone"))
        })
    }));
    assert!(died.is_err());
    disk.crash();
    assert_eq!(dump(&disk.open()), before);
}
