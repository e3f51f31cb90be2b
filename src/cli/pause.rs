//! `pause` and `resume`: a sync stopped by a person, and let go on.

use clap::Args;
use serde_json::json;

use crate::pipeline::Failure;
use crate::report::json;
use crate::sync::standing;
use crate::sync::state::{Intake, Order};
use crate::term::Shell;

use super::kept::unwritten;
use super::synced::Synced;
use super::{Global, exit};

/// `pause`.
#[derive(Debug, Args)]
pub struct Pause {
    /// The sync
    sync: String,
    /// Why, for whoever wonders
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// `resume`.
#[derive(Debug, Args)]
pub struct Resume {
    /// The sync
    sync: String,
    /// Why, for the log
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

impl Pause {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// An unknown sync; a state that refuses.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let synced = Synced::open(global)?;
        let order = Order::Pause {
            sync: self.sync.clone(),
            reason: self.reason.clone(),
        };
        leave(&synced, global, &self.sync, &order)?;
        let detail = format!("sync `{}`: {}", self.sync, self.reason);
        synced.log(global, "pause", detail)?;
        told(
            shell,
            "paused",
            &self.sync,
            &format!(
                "sync `{0}` is paused: nothing is sent from the next batch on; `shelfcast resume {0}` goes on",
                self.sync
            ),
        )
    }
}

impl Resume {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// An unknown sync; a state that refuses.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let synced = Synced::open(global)?;
        let chosen = synced.chosen(std::slice::from_ref(&self.sync))?;
        let paused = match chosen.first() {
            Some(sync) => match synced.look(&sync.to)? {
                Some(state) => standing::paused(&state, &self.sync)?,
                None => None,
            },
            None => None,
        };
        if paused.is_none() {
            let text = format!("sync `{}` was not paused", self.sync);
            return told(shell, "not-paused", &self.sync, &text);
        }
        let order = Order::Resume {
            sync: self.sync.clone(),
        };
        leave(&synced, global, &self.sync, &order)?;
        let detail = format!("sync `{}`: {}", self.sync, self.reason);
        synced.log(global, "resume", detail)?;
        told(
            shell,
            "resumed",
            &self.sync,
            &format!("sync `{}` goes on with its next run", self.sync),
        )
    }
}

/// Leaves an order where the next run, or the daemon that is at work, picks it up.
pub(super) fn leave(
    synced: &Synced,
    global: &Global,
    sync: &str,
    order: &Order,
) -> Result<(), Failure> {
    let now = global.now(&synced.project.shop.timezone)?;
    let chosen = synced.chosen(&[sync.to_owned()])?;
    for sync in chosen {
        let mut intake = synced.intake(&sync.to)?;
        intake.order(now, &crate::state::who(), order)?;
    }
    Ok(())
}

fn told(shell: &Shell, what: &str, sync: &str, text: &str) -> Result<u8, Failure> {
    shell
        .data(|out| {
            if shell.json {
                writeln!(out, "{}", json!({ "type": what, "sync": sync }))?;
                return writeln!(out, "{}", json::done(exit::DONE));
            }
            writeln!(out, "{}", shell.clean(text))
        })
        .map(|()| exit::DONE)
        .map_err(unwritten)
}
