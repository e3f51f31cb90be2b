//! `sync`: what the shops have is what the web shop says; once, as a plan, or for as long as it is left running.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::config::{Project, span as spans};
use crate::pipeline::Failure;
use crate::report::sync::{notice, run as report};
use crate::sync::serve::{self, DaemonError, Listen, Options, Tell, signals};
use crate::sync::state::Look;
use crate::sync::summary::SyncRequest;
use crate::sync::{session, stay};
use crate::term::Shell;

use super::kept::unwritten;
use super::synced::Synced;
use super::{Global, exit, interrupt};

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
    /// Listen where other machines can reach it; there is no TLS here, so something in front must have it
    #[arg(long, requires = "listen")]
    listen_beyond_loopback: bool,
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
            return self.stay(&synced, &request, shell);
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
    fn stay(&self, synced: &Synced, request: &SyncRequest, shell: &Shell) -> Result<u8, Failure> {
        if request.dry_run {
            return Err(Failure::configuration(
                "--watch",
                "a daemon has no dry run",
                "`shelfcast sync --dry-run` shows what would be sent now",
            ));
        }
        let listen = Listen {
            beyond_loopback: self.listen_beyond_loopback,
            ..Listen::default()
        };
        let options = Options {
            listen: Listen {
                address: self.listen.unwrap_or(listen.address),
                ..listen
            },
            ..Options::default()
        };
        let signals = signals::install()
            .map_err(|error| Failure::Disk(format!("signals cannot be taken: {error}")))?;
        let folder = synced.project.folder.clone();
        let mut load = || {
            let project = Project::load(&folder).map_err(|error| told(&error.into()))?;
            stay::plan(&project, request).map_err(|failure| told(&failure))
        };
        let ended = serve::run(&options, &mut load, &signals, teller(synced, shell));
        match ended {
            Ok(ended) => {
                for store in ended.late {
                    shell.say(&format!(
                        "store `{store}` was not done in time: the next start settles it"
                    ));
                }
                Ok(exit::DONE)
            }
            Err(DaemonError::System(error)) => Err(Failure::Disk(error.to_string())),
            Err(error) => Err(Failure::configuration(
                "sync --watch",
                error.to_string(),
                "see shelfcast.toml, and the address after --listen",
            )),
        }
    }
}

/// A failure in one line, with what to do.
fn told(failure: &Failure) -> String {
    let messages = failure.messages().into_iter();
    let said = messages.map(|(message, hint)| match hint.as_str() {
        "" => message,
        hint => format!("{message} ({hint})"),
    });
    said.collect::<Vec<_>>().join("; ")
}

/// Says what the daemon tells, and wakes whom the project names.
fn teller(synced: &Synced, shell: &Shell) -> Tell {
    let shell = shell.clone();
    let notify = synced.project.notify.clone();
    let folder = synced.project.folder.clone();
    let shop = synced.project.shop.name.clone();
    Box::new(move |notice| {
        let words = notice::words(notice);
        shell.say(&shell.clean(&words));
        let Some(notify) = notify.as_ref().filter(|_| notice.is_alarm()) else {
            return;
        };
        let summary = json!({
            "type": "alarm",
            "ok": false,
            "command": "sync --watch",
            "shop": shop,
            "at": crate::clock::now().to_string(),
            "message": words,
        });
        if let Err(message) = crate::notify::tell(notify, &folder, &summary) {
            shell.error(&message, "nobody was told");
        }
    })
}
