//! The outside under test: signatures, senders' forms, the server under attack, many events, the daemon, the process killed.

#![expect(clippy::disallowed_methods, reason = "tests write files of their own")]

mod alarms;
mod bounds;
mod daemon;
mod echo;
mod events;
mod forms;
mod http;
mod process;
mod running;
mod signatures;
mod support;
