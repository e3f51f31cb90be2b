//! `dead-letters`: levels that failed for good, seen, tried again or let be.

use std::ops::ControlFlow;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::pipeline::Failure;
use crate::report::json;
use crate::report::sync::dead::{self, DeadLetter};
use crate::report::text::count;
use crate::sync::level::Line;
use crate::sync::state::{LineFilter, Look, Order, Which};
use crate::term::Shell;

use super::kept::unwritten;
use super::synced::{Synced, unknown_sku};
use super::{Global, exit, pause};

/// `dead-letters`.
#[derive(Debug, Args)]
pub struct DeadLetters {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show them: why, what the store said last, the command that tries again
    List(List),
    /// Have them tried again, by the next run or the daemon at work
    Retry(Choice),
    /// Let them be: what the store says stays, until the source says something new
    Drop(Choice),
}

#[derive(Debug, Args)]
struct List {
    /// Syncs to look at; by default all
    syncs: Vec<String>,
    /// Only of this SKU
    #[arg(long, value_name = "SKU")]
    sku: Option<String>,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
struct Choice {
    /// Syncs to look at; by default all
    syncs: Vec<String>,
    /// Those of this SKU; may be given again
    #[arg(long, value_name = "SKU", group = "which")]
    sku: Vec<String>,
    /// All of them
    #[arg(long, group = "which")]
    all: bool,
}

impl DeadLetters {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// An unknown sync or SKU; a state that refuses.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let synced = Synced::open(global)?;
        match &self.what {
            What::List(list) => list.run(&synced, shell),
            What::Retry(choice) => choice.run(&synced, global, shell, "retry"),
            What::Drop(choice) => choice.run(&synced, global, shell, "drop"),
        }
    }
}

/// The dead letters of some syncs, by store, place and SKU, without their last lines.
fn letters(synced: &Synced, names: &[String]) -> Result<Vec<(String, DeadLetter)>, Failure> {
    let chosen = synced.chosen(names)?;
    let mut stores: Vec<&str> = chosen.iter().map(|sync| sync.to.as_str()).collect();
    stores.dedup();
    stores.sort_unstable();
    stores.dedup();
    let mut found = Vec::new();
    for store in stores {
        let Some(state) = synced.look(store)? else {
            continue;
        };
        state.levels(Which::Dead, &mut |level| {
            if chosen.iter().any(|sync| sync.name == level.sync) {
                found.push((store.to_owned(), DeadLetter { level, last: None }));
            }
            ControlFlow::Continue(())
        })?;
    }
    Ok(found)
}

fn known(letters: &[(String, DeadLetter)]) -> Vec<String> {
    let skus = letters.iter().map(|(_, one)| one.level.pair.sku.clone());
    skus.collect()
}

impl List {
    fn run(&self, synced: &Synced, shell: &Shell) -> Result<u8, Failure> {
        let mut found = letters(synced, &self.syncs)?;
        if let Some(sku) = &self.sku {
            let all = known(&found);
            found.retain(|(_, one)| one.level.pair.sku == *sku);
            if found.is_empty() {
                return Err(unknown_sku(sku, &all, "there is no dead letter of SKU"));
            }
        }
        for (store, letter) in &mut found {
            if let Some(state) = synced.look(store)? {
                letter.last = last(&state, letter)?;
            }
        }
        let found: Vec<DeadLetter> = found.into_iter().map(|(_, letter)| letter).collect();
        shell
            .data(|out| {
                if !shell.json {
                    return dead::list(shell, &found, &synced.zone(), out);
                }
                for letter in &found {
                    writeln!(out, "{}", letter.line())?;
                }
                let mut summary = json::done(exit::DONE);
                summary["dead_letters"] = json!(found.len());
                writeln!(out, "{summary}")
            })
            .map(|()| exit::DONE)
            .map_err(unwritten)
    }
}

/// What the ledger said last of a pair.
fn last(state: &dyn Look, letter: &DeadLetter) -> Result<Option<Line>, Failure> {
    let mut last = None;
    let filter = LineFilter {
        sync: Some(&letter.level.sync),
        sku: Some(&letter.level.pair.sku),
        ..LineFilter::default()
    };
    state.ledger(&filter, &mut |line| {
        if line.pair == letter.level.pair {
            last = Some(line);
        }
        ControlFlow::Continue(())
    })?;
    Ok(last)
}

impl Choice {
    fn run(
        &self,
        synced: &Synced,
        global: &Global,
        shell: &Shell,
        what: &str,
    ) -> Result<u8, Failure> {
        let found = letters(synced, &self.syncs)?;
        for sku in &self.sku {
            if !found.iter().any(|(_, one)| one.level.pair.sku == *sku) {
                return Err(unknown_sku(
                    sku,
                    &known(&found),
                    "there is no dead letter of SKU",
                ));
            }
        }
        let meant: Vec<&DeadLetter> = found
            .iter()
            .map(|(_, letter)| letter)
            .filter(|letter| self.all || self.sku.contains(&letter.level.pair.sku))
            .collect();
        for letter in &meant {
            let pair = letter.level.pair.clone();
            let order = match what {
                "retry" => Order::Retry { pair },
                _ => Order::Drop { pair },
            };
            pause::leave(synced, global, &letter.level.sync, &order)?;
            if what == "drop" {
                let pair = &letter.level.pair;
                let detail = format!(
                    "sync `{}`: SKU `{}` at `{}`",
                    letter.level.sync, pair.sku, pair.place
                );
                synced.log(global, "drop", detail)?;
            }
        }
        let said = count(meant.len() as u64, "dead letter");
        shell
            .data(|out| {
                if shell.json {
                    let mut summary = json::done(exit::DONE);
                    summary[if what == "retry" {
                        "retried"
                    } else {
                        "dropped"
                    }] = json!(meant.len());
                    return writeln!(out, "{summary}");
                }
                match what {
                    "retry" => writeln!(out, "{said} will be tried again by the next run"),
                    _ => writeln!(out, "{said} will be let be from the next run on"),
                }
            })
            .map(|()| exit::DONE)
            .map_err(unwritten)
    }
}
