//! `status`: how old each feed's published version is against its limit, what is pinned, pending or failed; and how each
//! sync stands.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::kept::{Kept, unwritten};
use crate::config::span;
use crate::pipeline::Failure;
use crate::program::nearest::near;
use crate::report::json;
use crate::report::sync::standing as syncs;
use crate::report::table::table;
use crate::report::text::count;
use crate::state::{Pin, Run, State};
use crate::sync::level::reading;
use crate::sync::standing::{self, SyncStanding};
use crate::sync::state::{Look, sqlite};
use crate::term::Shell;

use super::{Global, exit};

/// `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Feeds and syncs to look at; all by default
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The oldest a published version or a good run may be, such as 2h; for those without a `max_age` of their own
    #[arg(long, value_name = "TIME")]
    max_age: Option<String>,
}

/// How a feed stands.
#[derive(Debug, Default)]
struct Standing {
    feed: String,
    version: Option<u64>,
    published_at: Option<Timestamp>,
    age: Option<Duration>,
    limit: Option<Duration>,
    pin: Option<Pin>,
    pending: Option<(u64, Vec<String>)>,
    run: Option<Run>,
    findings: Vec<String>,
}

impl Status {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// An unknown feed, a limit that is none, a state that cannot be read.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let limit = self
            .max_age
            .as_deref()
            .map(|text| {
                span::parse(text)
                    .map_err(|(message, hint)| Failure::configuration("--max-age", message, hint))
            })
            .transpose()?;
        let kept = Kept::open(&global.project)?;
        let now = global.now(kept.zone())?;
        self.check(&kept)?;
        let (feeds, synced) = self.named(&kept);
        let mut standings = Vec::new();
        for feed in feeds.map_or_else(|| Ok(Vec::new()), |feeds| kept.chosen(&feeds))? {
            let own = kept
                .project
                .feed
                .iter()
                .find(|known| known.name == feed)
                .and_then(|known| known.max_age.as_deref())
                .and_then(|text| span::parse(text).ok());
            standings.push(look(kept.state.as_ref(), feed, own.or(limit), now)?);
        }
        let synced = self.syncs(&kept, &synced, limit, now)?;
        let of_syncs: usize = synced.iter().map(|one| one.findings.len()).sum();
        let findings: usize = standings.iter().map(|one| one.findings.len()).sum();
        let findings = findings + of_syncs;
        let code = if findings > 0 { exit::DATA } else { exit::DONE };
        shell
            .data(|out| {
                if shell.json {
                    for standing in &standings {
                        writeln!(out, "{}", line(standing))?;
                    }
                    for sync in &synced {
                        writeln!(out, "{}", syncs::line(sync))?;
                    }
                    let mut summary = json::done(code);
                    summary["feeds"] = json!(standings.len());
                    if !synced.is_empty() {
                        summary["syncs"] = json!(synced.len());
                    }
                    summary["findings"] = json!(findings);
                    return writeln!(out, "{summary}");
                }
                if !synced.is_empty() {
                    let zone = jiff::tz::TimeZone::get(kept.zone());
                    let zone = zone.unwrap_or(jiff::tz::TimeZone::UTC);
                    syncs::write(shell, &synced, &zone, out)?;
                    if standings.is_empty() {
                        return Ok(());
                    }
                    writeln!(out)?;
                }
                human(&kept, &standings, shell, out)
            })
            .map(|()| code)
            .map_err(unwritten)
    }
}

impl Status {
    /// Whether every name is a feed's or a sync's; a project without syncs has only feeds.
    fn check(&self, kept: &Kept) -> Result<(), Failure> {
        let mut known = kept.feeds()?;
        if kept.project.sync.is_empty() {
            return Ok(());
        }
        known.extend(kept.project.sync.iter().map(|sync| sync.name.clone()));
        match self.names.iter().find(|name| !known.contains(name)) {
            None => Ok(()),
            Some(name) => Err(Failure::configuration(
                "shelfcast.toml",
                format!("there is neither a feed nor a sync `{name}`"),
                near(name, known.iter().map(String::as_str))
                    .unwrap_or_else(|| format!("there is {}", known.join(", "))),
            )),
        }
    }

    /// The names that mean feeds, and those that mean syncs; no feeds where only syncs are named.
    fn named(&self, kept: &Kept) -> (Option<Vec<String>>, Vec<String>) {
        let known = |name: &&String| kept.project.sync.iter().any(|sync| sync.name == **name);
        let (syncs, feeds): (Vec<_>, Vec<_>) = self.names.iter().partition(known);
        let only_syncs = feeds.is_empty() && !syncs.is_empty();
        let owned = |names: Vec<&String>| names.into_iter().cloned().collect::<Vec<_>>();
        let syncs = if self.names.is_empty() {
            let all = kept.project.sync.iter();
            all.map(|sync| sync.name.clone()).collect()
        } else {
            owned(syncs)
        };
        ((!only_syncs).then(|| owned(feeds)), syncs)
    }

    /// How syncs stand.
    fn syncs(
        &self,
        kept: &Kept,
        names: &[String],
        limit: Option<Duration>,
        now: Timestamp,
    ) -> Result<Vec<SyncStanding>, Failure> {
        let mut standings = Vec::new();
        for sync in &kept.project.sync {
            if !names.contains(&sync.name) {
                continue;
            }
            let own = sync.max_age.as_deref();
            let own = own.and_then(|text| span::parse(text).ok());
            let state = sqlite::read(&kept.project.folder, &sync.to)?;
            let asked = standing::Asked {
                sync: &sync.name,
                store: &sync.to,
                source: &reading(&sync.name, &sync.from),
                limit: own.or(limit),
                now,
            };
            let state = state.as_ref().map(|state| state as &dyn Look);
            standings.push(standing::look(state, &asked)?);
        }
        Ok(standings)
    }
}

fn look(
    state: Option<&State>,
    feed: String,
    limit: Option<Duration>,
    now: Timestamp,
) -> Result<Standing, Failure> {
    let mut standing = Standing {
        feed,
        limit,
        ..Standing::default()
    };
    let feed = &standing.feed;
    if let Some(state) = state {
        standing.version = state.current(feed)?.map(|version| version.version);
        standing.published_at = state.published_at(feed)?;
        standing.pin = state.pinned(feed)?;
        standing.run = state.last_run(feed)?;
        if let Some(pending) = state.pending(feed)? {
            let awaited = state.awaited(feed, pending.version)?;
            standing.pending = Some((pending.version, awaited));
        }
    }
    // A clock that was set back makes nothing old.
    standing.age = standing
        .published_at
        .map(|at| Duration::try_from(now.duration_since(at)).unwrap_or_default());
    match (standing.age, limit) {
        (Some(age), Some(limit)) if age > limit => standing.findings.push(format!(
            "published {} ago, and {} is the limit",
            span::show(age),
            span::show(limit)
        )),
        (None, Some(_)) => standing
            .findings
            .push("it has never been published".to_owned()),
        _ => {}
    }
    if let Some((version, awaited)) = &standing.pending {
        standing.findings.push(if awaited.is_empty() {
            format!(
                "version {version} is kept and not published; `shelfcast publish {feed}` goes on"
            )
        } else {
            format!(
                "version {version} is not confirmed by {}; `shelfcast publish {feed}` goes on",
                awaited.join(", ")
            )
        });
    }
    if let Some(run) = standing.run.as_ref().filter(|run| run.exit != 0) {
        standing.findings.push(format!(
            "the last run ended with exit code {}: {}",
            run.exit, run.outcome
        ));
    }
    Ok(standing)
}

fn line(standing: &Standing) -> Value {
    let moment = |at: Timestamp| at.to_string();
    json!({
        "type": "status",
        "feed": standing.feed,
        "version": standing.version,
        "published_at": standing.published_at.map(moment),
        "age_seconds": standing.age.map(|age| age.as_secs()),
        "max_age_seconds": standing.limit.map(|limit| limit.as_secs()),
        "pinned": standing.pin.as_ref().map(|pin| json!({
            "version": pin.version, "who": pin.who, "reason": pin.reason, "at": moment(pin.at),
        })),
        "pending": standing.pending.as_ref().map(|(version, awaited)| json!({
            "version": version, "awaits": awaited,
        })),
        "last_run": standing.run.as_ref().map(|run| json!({
            "at": moment(run.at), "exit": run.exit, "outcome": run.outcome,
        })),
        "findings": standing.findings,
    })
}

fn human(
    kept: &Kept,
    standings: &[Standing],
    shell: &Shell,
    out: &mut dyn std::io::Write,
) -> std::io::Result<()> {
    let none = || "-".to_owned();
    let head = ["feed", "version", "age", "limit", "last run", "state"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for standing in standings {
        let mut states = Vec::new();
        if let Some(pin) = &standing.pin {
            states.push(format!("pinned at {}", pin.version));
        }
        if let Some((version, _)) = &standing.pending {
            states.push(format!("{version} pending"));
        }
        if states.is_empty() {
            states.push(
                match (standing.findings.is_empty(), standing.version) {
                    (false, _) => "see below",
                    (true, Some(_)) => "well",
                    (true, None) => "not published",
                }
                .to_owned(),
            );
        }
        rows.push(vec![
            standing.feed.clone(),
            standing
                .version
                .map_or_else(none, |number| number.to_string()),
            standing.age.map_or_else(|| "never".to_owned(), span::show),
            standing.limit.map_or_else(none, span::show),
            standing.run.as_ref().map_or_else(none, |run| {
                format!("{}, {}", kept.moment(run.at), shell.clean(&run.outcome))
            }),
            states.join(", "),
        ]);
    }
    table(&rows, &[1], out)?;
    for standing in standings {
        if let Some(pin) = &standing.pin {
            writeln!(
                out,
                "feed `{}` stays at version {}: pinned by {}, {}: {}",
                standing.feed,
                pin.version,
                shell.clean(&pin.who),
                kept.moment(pin.at),
                shell.clean(&pin.reason)
            )?;
        }
        for finding in &standing.findings {
            writeln!(
                out,
                "{}: feed `{}`: {}",
                shell.yellow("finding"),
                standing.feed,
                shell.clean(finding)
            )?;
        }
    }
    let findings: usize = standings.iter().map(|one| one.findings.len()).sum();
    writeln!(
        out,
        "{}, {}; times of {}",
        count(standings.len() as u64, "feed"),
        count(findings as u64, "finding"),
        kept.zone()
    )
}
