//! `history`: the versions that are kept, and `history prune`: letting the oldest go.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::kept::{Kept, short, standing, unwritten, version_line};
use crate::pipeline::Failure;
use crate::report::human::size;
use crate::report::json;
use crate::report::table::table;
use crate::report::text::{count, thousands};
use crate::state::{self, Busy, State};
use crate::term::Shell;

use super::{Global, exit};

/// How long a plan is kept: long past the day in which it may be published.
const PLANS: std::time::Duration = std::time::Duration::from_secs(7 * 86_400);

/// `history`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct History {
    /// The feed; without it, all feeds with their newest
    feed: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Let the oldest versions go; never the published, a pinned or a pending one
    Prune(Prune),
}

#[derive(Debug, Args)]
struct Prune {
    /// Feeds to prune; all by default
    feeds: Vec<String>,
    /// How many versions of a feed are kept
    #[arg(long, value_name = "N", default_value_t = state::KEEP as u64, value_parser = clap::value_parser!(u64).range(1..))]
    keep: u64,
    /// How long another run is waited for, such as 60s
    #[arg(long, value_name = "TIME", default_value = "0s")]
    wait: String,
}

impl History {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// An unknown feed, a state that cannot be read.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let kept = Kept::open(&global.project)?;
        if let Some(Command::Prune(prune)) = &self.command {
            return prune.run(&kept, global, shell);
        }
        match &self.feed {
            Some(feed) => one(&kept, feed, shell),
            None => all(&kept, shell),
        }
    }
}

/// One feed's versions, newest first.
fn one(kept: &Kept, feed: &str, shell: &Shell) -> Result<u8, Failure> {
    kept.chosen(&[feed.to_owned()])?;
    let mut versions = Vec::new();
    if let Some(state) = &kept.state {
        for version in state.history(feed)? {
            let standing = standing(state, &version)?;
            versions.push((version, standing));
        }
    }
    if shell.json {
        let mut summary = json::done(exit::DONE);
        summary["versions"] = json!(versions.len());
        return shell
            .data(|out| {
                for (version, standing) in &versions {
                    writeln!(out, "{}", version_line(version, standing))?;
                }
                writeln!(out, "{summary}")
            })
            .map(|()| exit::DONE)
            .map_err(unwritten);
    }
    if versions.is_empty() {
        shell.say(&format!("feed `{feed}` has never been published"));
        return Ok(exit::DONE);
    }
    let head = [
        "version",
        "standing",
        "published",
        "items",
        "size",
        "by",
        "digest",
        "note",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (version, standing) in &versions {
        let gates: Vec<&str> = version
            .overrides
            .iter()
            .map(|allowed| allowed.gate.as_str())
            .collect();
        let note = if gates.is_empty() {
            String::new()
        } else {
            format!("let pass: {}", gates.join(", "))
        };
        rows.push(vec![
            version.version.to_string(),
            standing.clone(),
            version
                .published_at
                .map_or_else(|| "-".to_owned(), |at| kept.moment(at)),
            thousands(version.items),
            size(version.bytes),
            shell.clean(&version.who),
            short(&version.digest),
            shell.clean(&note),
        ]);
    }
    shell
        .data(|out| {
            table(&rows, &[0, 3, 4], out)?;
            writeln!(
                out,
                "{} of feed `{feed}`; times of {}",
                count(versions.len() as u64, "version"),
                kept.zone()
            )
        })
        .map(|()| exit::DONE)
        .map_err(unwritten)
}

/// All feeds, each with what is published.
fn all(kept: &Kept, shell: &Shell) -> Result<u8, Failure> {
    let head = [
        "feed",
        "versions",
        "published",
        "version",
        "items",
        "size",
        "pinned",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut lines = Vec::new();
    for feed in kept.feeds()? {
        let Some(state) = &kept.state else {
            lines.push(json!({ "type": "history", "feed": feed, "versions": 0, "current": null, "pending": null, "pinned": null }));
            rows.push(vec![feed, "0".to_owned(), "never".to_owned()]);
            continue;
        };
        let versions = state.history(&feed)?.len();
        let (current, pin) = (state.current(&feed)?, state.pinned(&feed)?);
        let pending = state.pending(&feed)?.map(|version| version.version);
        lines.push(json!({
            "type": "history",
            "feed": feed,
            "versions": versions,
            "current": current.as_ref().map(|version| version.version),
            "published_at": current.as_ref().and_then(|version| version.published_at).map(|at| at.to_string()),
            "pending": pending,
            "pinned": pin.as_ref().map(|pin| pin.version),
        }));
        let mut row = vec![feed, versions.to_string()];
        match &current {
            Some(version) => row.extend([
                version
                    .published_at
                    .map_or_else(|| "-".to_owned(), |at| kept.moment(at)),
                version.version.to_string(),
                thousands(version.items),
                size(version.bytes),
            ]),
            None => row.extend(["never", "-", "-", "-"].map(str::to_owned)),
        }
        row.push(pin.map_or_else(String::new, |pin| {
            format!(
                "at {} by {}: {}",
                pin.version,
                shell.clean(&pin.who),
                shell.clean(&pin.reason)
            )
        }));
        rows.push(row);
    }
    shell
        .data(|out| {
            if shell.json {
                for line in &lines {
                    writeln!(out, "{line}")?;
                }
                let mut summary = json::done(exit::DONE);
                summary["feeds"] = json!(lines.len());
                writeln!(out, "{summary}")
            } else {
                table(&rows, &[1, 3, 4, 5], out)
            }
        })
        .map(|()| exit::DONE)
        .map_err(unwritten)
}

impl Prune {
    fn run(&self, kept: &Kept, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let wait = crate::config::span::parse(&self.wait)
            .map_err(|(message, hint)| Failure::configuration("--wait", message, hint))?;
        let feeds = kept.chosen(&self.feeds)?;
        let now = global.now(kept.zone())?;
        let (mut code, mut gone, mut bytes) = (exit::DONE, 0, 0);
        let mut lines = Vec::new();
        if kept.state.is_some() {
            let state = State::open(&global.project)?;
            let known = state.feeds()?;
            for feed in feeds.iter().filter(|feed| known.contains(feed)) {
                let lock = match state.lock_feed(feed, wait, now) {
                    Ok(lock) => lock,
                    // The others can be pruned; this one is when its run is over.
                    Err(busy @ Busy::Held { .. }) => {
                        code = state::StateError::from(busy.clone()).exit();
                        shell.error(&busy.to_string(), "wait for it, or give `--wait 60s`");
                        continue;
                    }
                    Err(busy) => return Err(busy.into()),
                };
                let keep = usize::try_from(self.keep).unwrap_or(usize::MAX);
                let pruned = state.prune(&lock, feed, keep, &state::who(), now)?;
                gone += pruned.versions.len();
                bytes += pruned.bytes;
                lines.push((feed.clone(), pruned));
            }
            let before = jiff::SignedDuration::try_from(PLANS)
                .ok()
                .and_then(|span| now.checked_sub(span).ok());
            if let (Some(before), true) = (before, self.feeds.is_empty()) {
                state.prune_plans(before, &state::who(), now)?;
            }
        }
        shell
            .data(|out| {
                for (feed, pruned) in &lines {
                    if shell.json {
                        let line = json!({ "type": "pruned", "feed": feed, "versions": pruned.versions, "read": pruned.read, "bytes": pruned.bytes });
                        writeln!(out, "{line}")?;
                    } else if !pruned.versions.is_empty() || !pruned.read.is_empty() {
                        write!(out, "feed `{feed}`: {} gone, {} freed", count(pruned.versions.len() as u64, "version"), size(pruned.bytes))?;
                        if !pruned.read.is_empty() {
                            write!(out, "; {} being read", count(pruned.read.len() as u64, "version"))?;
                        }
                        writeln!(out)?;
                    }
                }
                if shell.json {
                    let mut summary = json::done(code);
                    summary["versions"] = json!(gone);
                    summary["bytes"] = json!(bytes);
                    writeln!(out, "{summary}")
                } else if gone == 0 {
                    writeln!(out, "nothing to let go: no feed has more than {}", count(self.keep, "version"))
                } else {
                    Ok(())
                }
            })
            .map(|()| code)
            .map_err(unwritten)
    }
}
