//! What people may want to know of a running daemon, and what of it is an alarm.

use std::net::SocketAddr;
use std::time::Duration;

use super::health::Turn;

/// Something that people may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The server listens.
    Listening(SocketAddr),
    /// An account's rounds end otherwise than before, and not well.
    Failing {
        /// The account.
        account: String,
        /// The exit code.
        exit: u8,
        /// The round's words.
        words: String,
        /// When it is tried again.
        next_try_in: Duration,
    },
    /// An account's rounds end well again.
    Recovered {
        /// The account.
        account: String,
    },
    /// A look at a source failed, the first time in a row.
    WatchFailed {
        /// The source, or what else is looked at.
        name: String,
        /// Why.
        words: String,
    },
    /// A source fell silent for longer than it may, or an account has had no good round for too long; or no longer.
    Turned(Turn),
    /// The configuration was read anew and taken.
    Reloaded,
    /// It was read anew and is wrong: the old one stays.
    ReloadRefused(String),
    /// The daemon was asked to end.
    Stopping,
}

impl Notice {
    /// Whether somebody should be woken: for `[notify]`.
    pub fn is_alarm(&self) -> bool {
        match self {
            Notice::Failing { exit, .. } => *exit != 5,
            Notice::WatchFailed { .. } | Notice::ReloadRefused(_) => true,
            Notice::Turned(Turn::Source { quiet, .. }) => *quiet,
            Notice::Turned(Turn::Account { overdue, .. }) => *overdue,
            _ => false,
        }
    }
}

/// Tells people. It is called on a thread of its own and may take its time.
pub type Tell = Box<dyn FnMut(&Notice) + Send>;
