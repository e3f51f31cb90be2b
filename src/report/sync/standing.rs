//! How syncs stand: a row each, what somebody should look at, lines for programs.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::config::span;
use crate::report::table::table;
use crate::sync::standing::SyncStanding;
use crate::term::Shell;

use super::moment;

/// A sync's line.
pub fn line(standing: &SyncStanding) -> Value {
    json!({
        "type": "status",
        "sync": standing.sync,
        "store": standing.store,
        "levels": standing.levels,
        "in_step": standing.in_step,
        "pending": standing.pending,
        "in_flight": standing.in_flight,
        "dead_letters": standing.dead,
        "strangers": standing.strangers,
        "not_stocked": standing.not_stocked,
        "lag_seconds": standing.lag.map(|lag| lag.as_secs()),
        "age_seconds": standing.age.map(|age| age.as_secs()),
        "max_age_seconds": standing.limit.map(|limit| limit.as_secs()),
        "source_read_at": standing.source_read.map(|at| at.to_string()),
        "paused": standing.pause.as_ref().map(|pause| json!({
            "at": pause.at.to_string(), "who": pause.who, "reason": pause.reason,
        })),
        "held_plan": standing.held.as_ref().map(|held| held.id.as_str()),
        "last_run": standing.run.as_ref().map(|run| json!({
            "at": run.at.to_string(), "exit": run.exit, "outcome": run.words,
            "compared": run.compared, "changed": run.changed, "accepted": run.accepted,
        })),
        "findings": standing.findings,
    })
}

/// Writes syncs for people.
///
/// # Errors
/// When the output refuses.
pub fn write(
    shell: &Shell,
    standings: &[SyncStanding],
    zone: &TimeZone,
    out: &mut dyn Write,
) -> io::Result<()> {
    let none = || "-".to_owned();
    let head = [
        "sync",
        "store",
        "in step",
        "pending",
        "dead",
        "strangers",
        "lag",
        "good run",
        "limit",
        "last run",
        "state",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for one in standings {
        let state = match (&one.pause, &one.run, one.findings.is_empty()) {
            (Some(_), ..) => "paused",
            (None, None, true) => "never run",
            (None, _, false) => "see below",
            (None, Some(_), true) => "well",
        };
        rows.push(vec![
            one.sync.clone(),
            one.store.clone(),
            format!("{} of {}", one.in_step, one.levels),
            (one.pending + one.in_flight).to_string(),
            one.dead.to_string(),
            one.strangers.to_string(),
            one.lag.map_or_else(none, span::show),
            one.age.map_or_else(
                || "never".to_owned(),
                |age| format!("{} ago", span::show(age)),
            ),
            one.limit.map_or_else(none, span::show),
            one.run.as_ref().map_or_else(none, |run| {
                format!("{}, {}", moment(run.at, zone), shell.clean(&run.words))
            }),
            state.to_owned(),
        ]);
    }
    table(&rows, &[2, 3, 4, 5], out)?;
    for one in standings {
        if let Some(pause) = &one.pause {
            writeln!(
                out,
                "sync `{}` is paused by {}, {}: {}; `shelfcast resume {}` goes on",
                one.sync,
                shell.clean(&pause.who),
                moment(pause.at, zone),
                shell.clean(&pause.reason),
                one.sync
            )?;
        }
        for finding in &one.findings {
            writeln!(
                out,
                "{}: sync `{}`: {}",
                shell.yellow("finding"),
                one.sync,
                shell.clean(finding)
            )?;
        }
    }
    Ok(())
}
