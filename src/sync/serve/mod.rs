//! The daemon's outside: webhooks in, rounds triggered, figures and alarms out.
//!
//! A request comes in by [`server`] within its [`limits`]; its [`form`] proves over the raw bytes who sent it and says what it
//! tells; [`keep`] has it on disk before the sender is answered, many waiting ones in one commit; then the bells of the store
//! accounts concerned ring. [`daemon`] has one worker a store account, which does a round for each bell, for each watched
//! source that has news, and by its timer, backs off after failures and stops at a signal. [`metrics`] and [`health`] say how
//! it stands.
//!
//! Promised: nothing is answered with 200 that is not on disk; what is not signed reaches nothing; an authentic event is a hint
//! unless the configuration trusts its numbers; the same event again changes nothing; answers do not tell whether an event is
//! known; raw bodies and fields that are not needed are never kept; a store account that is down holds up no other. It
//! knows nothing of how a round is done ([`worker::Rounds`]) nor of how events are stored ([`keep::EventStore`]).

pub mod daemon;
pub mod form;
pub mod health;
pub mod keep;
pub mod limits;
pub mod metrics;
pub mod notice;
pub mod plan;
pub mod rate;
pub mod server;
pub mod signals;
pub mod signature;
pub mod watch;
pub mod worker;

#[cfg(test)]
mod tests;

pub use daemon::{DaemonError, Ended, run};
pub use form::{Echo, Hook, Refused, Said};
pub use keep::{EventStore, StateEvents};
pub use limits::Limits;
pub use metrics::Metrics;
pub use notice::{Notice, Tell};
pub use plan::{Account, Listen, Options, Plan};
pub use watch::Watched;
pub use worker::{RoundEnd, Rounds, SyncFigures, Trigger};
