//! What a running daemon tells, in a line each.

use crate::config::span;
use crate::sync::serve::Notice;
use crate::sync::serve::health::Turn;

/// A notice in words; what stands in it is data: clean it before it is shown.
pub fn words(notice: &Notice) -> String {
    match notice {
        Notice::Listening(address) => {
            format!("at work; http://{address}/metrics and /health tell how it stands")
        }
        Notice::Failing {
            account,
            exit,
            words,
            next_try_in,
        } => format!(
            "store `{account}`: exit {exit}: {words}; the next try is in {}",
            span::show(*next_try_in)
        ),
        Notice::Recovered { account } => format!("store `{account}`: well again"),
        Notice::WatchFailed { name, words } => format!("source `{name}`: {words}"),
        Notice::Turned(Turn::Source { source, age, quiet }) => match quiet {
            true => format!("source `{source}` is silent for {}", span::show(*age)),
            false => format!("source `{source}` is heard again"),
        },
        Notice::Turned(Turn::Account {
            account,
            age,
            overdue,
        }) => match overdue {
            true => format!(
                "store `{account}`: no run has ended well for {}",
                span::show(*age)
            ),
            false => format!("store `{account}`: a run has ended well again"),
        },
        Notice::Reloaded => "the configuration is read anew".to_owned(),
        Notice::ReloadRefused(why) => {
            format!("the configuration is wrong, and the old one stays: {why}")
        }
        Notice::Stopping => "ending: nothing new begins, what is on its way is settled".to_owned(),
    }
}
