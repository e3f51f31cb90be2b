//! The simulated world: the program's own sync and store engine, with real manifests, against model tills and a model store.
//!
//! One thread, one seed, virtual time. A schedule is up to 200 steps: sales at the till, receipts, online orders, edits by
//! other hands, events twice and out of order, runs that die at a named point, clocks that jump, stores that misbehave. After
//! each step the oracle, which keeps its own list of what was ever right and of what the store applied, checks the promises;
//! then everything heals, and all must be in step within the bound.
//!
//! How the promises of liveness are checked:
//!
//! - L1, after healing: all in step within the runs and waits of `healing`, those of which the store makes another number at
//!   that number; then a run in full writes nothing.
//! - L2, after each run in which nothing went wrong: a level that is still open has a reason of its own (it was refused, the store
//!   had another level, its rows are gone), and waits for no other's sake. That one store account holds no other up
//!   is a test of the program (`tests/cli/sync/stuck.rs`), since each has a thread.
//! - L3, at each call: the same write is sent 12 times at most.
//! - L4, whenever time passed: `status` finds a last good run that is too old, and the daemon's health a source that is silent for
//!   too long, exactly when the world's own record says so.
//! - L5, at each first run after a death: the first call leaves within two seconds of the world's time, nothing is waited for
//!   first. What the machine itself takes is measured by `benches/sync.py`.

mod clock;
mod healing;
mod kill;
mod oracle;
mod running;
mod sales;
mod schedule;
mod speaks;
#[cfg(test)]
mod suite;
mod till;
mod watch;
mod wire;
