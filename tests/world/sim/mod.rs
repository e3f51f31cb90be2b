//! The simulated world: the program's own sync and store engine, with real manifests, against model tills and a model store.
//!
//! One thread, one seed, virtual time. A schedule is up to 200 steps: sales at the till, receipts, online orders, edits by
//! other hands, events twice and out of order, runs that die at a named point, clocks that jump, stores that misbehave. After
//! each step the oracle, which keeps its own list of what was ever right and of what the store applied, checks the promises;
//! then everything heals, and all must be in step within the bound.

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
