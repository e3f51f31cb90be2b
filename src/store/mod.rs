//! Channels and stores that take requests: rendered items in, one outcome an item out.
//!
//! [`request::send`] is the straight line: batches, steps, verdicts. `pace` holds the one budget of an account, `auth` its
//! tokens, `call` one call with its retries, `verdict` reads answers item by item. Promised: an item that no answer speaks
//! of is unknown, never taken; what may have arrived is sent again only where that does no harm; credentials leave for the
//! hosts they belong to and no other; no message holds a secret. It knows no catalog, no template of items, no state.

pub mod account;
pub mod auth;
mod batch;
mod call;
mod clean;
pub mod connection;
mod desk;
mod document;
pub mod lookup;
#[cfg(test)]
mod memory;
pub mod outcome;
pub mod pace;
pub mod request;
pub(crate) mod run;
mod steps;
pub(crate) mod template;
#[cfg(test)]
mod tests;
mod token;
pub mod transport;
mod verdict;

pub use account::Account;
pub use connection::Connection;
pub use lookup::{Found, Reading};
pub use outcome::{ItemOutcome, Outcome};
pub use request::{Item, Removed, RequestReport, SendError, Sending};
pub use transport::{Exchange, Reply, Transport, Try, Trying};
