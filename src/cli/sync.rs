//! `sync`: what the shops have is what the web shop says; once, as a plan, or for as long as it is left running.

use std::time::Duration;

use clap::Args;

use crate::config::span as spans;
use crate::pipeline::Failure;
use crate::report::sync::run as report;
use crate::sync::session;
use crate::sync::state::Look;
use crate::sync::summary::SyncRequest;
use crate::term::Shell;

use super::kept::unwritten;
use super::synced::Synced;
use super::{Global, interrupt};

/// `sync`.
#[derive(Debug, Args)]
pub struct Sync {
    /// Syncs to run; by default all
    syncs: Vec<String>,
    /// Read the online store back in full, say what differs and repair it
    #[arg(long)]
    full: bool,
    /// Let exactly this held plan pass once; needs --reason
    #[arg(long, value_name = "PLAN", requires = "reason")]
    approve: Option<String>,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Stay, and bring in step what changes, until Ctrl-C or SIGTERM
    #[arg(long, conflicts_with = "approve")]
    watch: bool,
    /// Take webhooks (`POST /stock/SOURCE`) and show `/metrics` there, such as 127.0.0.1:8787
    #[arg(long, value_name = "ADDR", requires = "watch")]
    listen: Option<std::net::SocketAddr>,
    /// Wait so long for another run to end, such as `60s`
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "0s")]
    wait: Duration,
    /// End after so long, whatever is left to do; each sync's own limit or 10m by default
    #[arg(long, value_name = "TIME", value_parser = span)]
    deadline: Option<Duration>,
}

fn span(text: &str) -> Result<Duration, String> {
    spans::parse(text).map_err(|(message, hint)| format!("{message}: {hint}"))
}

impl Sync {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// What makes it impossible.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let synced = Synced::open(global)?;
        let mut request = SyncRequest {
            syncs: self.syncs.clone(),
            now: global.now(&synced.project.shop.timezone)?,
            dry_run: global.dry_run,
            full: self.full,
            approve: self.approve.clone(),
            reason: self.reason.clone().unwrap_or_default(),
            who: crate::state::who(),
            wait: self.wait,
            watching: self.watch,
            deadline: self.deadline,
        };
        if self.watch {
            return self.stay(&synced, &request);
        }
        if let Some(plan) = &self.approve {
            request.syncs = vec![self.holder(&synced, plan)?];
            if !global.dry_run {
                let detail = format!(
                    "sync `{}`: plan {plan} let pass: {}",
                    request.syncs.concat(),
                    request.reason
                );
                synced.log(global, "approve", detail)?;
            }
        }
        let report = session::sync(&synced.project, &request, &interrupt::flag())?;
        report::print(shell, &report, request.dry_run).map_err(unwritten)?;
        super::remember(report::summary(&report));
        Ok(report.exit())
    }

    /// The sync that holds a plan, among those that were named.
    fn holder(&self, synced: &Synced, plan: &str) -> Result<String, Failure> {
        let mut held = Vec::new();
        for sync in synced.chosen(&self.syncs)? {
            let Some(state) = synced.look(&sync.to)? else {
                continue;
            };
            for one in state.held()? {
                if one.sync == sync.name {
                    held.push((one.id, one.sync));
                }
            }
        }
        if let Some((_, sync)) = held.iter().find(|(id, _)| id == plan) {
            return Ok(sync.clone());
        }
        let hint = match held.first() {
            None => "no plan is held: `shelfcast sync` runs, and says the plan's name where a guard holds it".to_owned(),
            Some((id, sync)) => format!(
                "what is held now is plan {id} of sync `{sync}`: `shelfcast sync {sync} --dry-run` shows it"
            ),
        };
        Err(Failure::configuration(
            "--approve",
            format!("no plan `{plan}` is held"),
            hint,
        ))
    }

    /// Stays, as a daemon.
    fn stay(&self, _synced: &Synced, _request: &SyncRequest) -> Result<u8, Failure> {
        Err(Failure::configuration(
            "--watch",
            format!(
                "this build cannot stay{}",
                self.listen
                    .map_or_else(String::new, |address| format!(" and listen on {address}"))
            ),
            "run `shelfcast sync` from cron or a timer",
        ))
    }
}
