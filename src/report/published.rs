//! What people and programs see of a publication, a plan and a rollback.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::change::Tripped;
use crate::config::project::Shop;
use crate::pipeline::delivering::Delivered;
use crate::pipeline::publication::{Outcome, Publication, Report};
use crate::term::Shell;

use super::human::{self, Collected};
use super::{json as lines, plan, plan_html, plan_json};

/// Prints how a publication ended.
///
/// # Errors
/// When the output refuses.
pub fn print(shell: &Shell, report: &Report, collected: &Collected, dry: bool) -> io::Result<()> {
    if shell.json {
        return shell.data(|out| {
            for feed in &report.feeds {
                writeln!(out, "{}", feed_line(feed))?;
            }
            writeln!(out, "{}", summary(report.exit(), report, collected))
        });
    }
    talk(shell, report, collected)?;
    shell.data(|out| {
        table(&report.feeds, out)?;
        for feed in &report.feeds {
            details(shell, feed, dry, out)?;
        }
        Ok(())
    })
}

/// Prints a plan: feed by feed what would change, and how to carry it out.
///
/// # Errors
/// When the output refuses.
pub fn planned(
    shell: &Shell,
    report: &Report,
    collected: &Collected,
    zone: &jiff::tz::TimeZone,
) -> io::Result<()> {
    if shell.json {
        return shell.data(|out| {
            for line in planned_feeds(report).iter().flat_map(plan_json::lines) {
                writeln!(out, "{line}")?;
            }
            writeln!(out, "{}", summary(report.exit_as_plan(), report, collected))
        });
    }
    talk(shell, report, collected)?;
    shell.data(|out| {
        for feed in &report.feeds {
            if feed.outcome == Outcome::Withheld {
                let why = shell.clean(&feed.remarks.join("; "));
                writeln!(out, "{}: cannot be made: {why}\n", shell.red(&feed.feed))?;
            }
        }
        plan::plan(shell, &planned_feeds(report), zone, out)?;
        for feed in report
            .feeds
            .iter()
            .filter(|feed| feed.outcome != Outcome::Withheld)
        {
            for remark in &feed.remarks {
                writeln!(out, "feed `{}`: {}", feed.feed, shell.clean(remark))?;
            }
        }
        match &report.plan {
            None => Ok(()),
            Some(plan) if report.feeds.iter().any(|feed| !feed.tripped.is_empty()) => writeln!(
                out,
                "plan {plan} is kept; a gate holds some of it: correct the data and plan again, or let the gate pass this once: \
                 shelfcast publish --plan {plan} --allow GATE --reason \"…\""
            ),
            Some(plan) => writeln!(
                out,
                "plan {plan} is kept; send exactly this: shelfcast publish --plan {plan}"
            ),
        }
    })
}

/// The feeds of a plan as its reports take them.
fn planned_feeds(report: &Report) -> Vec<plan::PlannedFeed<'_>> {
    let feeds = report.feeds.iter();
    let made = feeds.filter(|feed| feed.outcome != Outcome::Withheld);
    made.filter_map(|feed| {
        Some(plan::PlannedFeed {
            feed: &feed.feed,
            channel: &feed.channel,
            published: feed
                .published
                .map(|(version, at)| (version, at.as_second())),
            changes: feed.changes.as_ref()?,
            tripped: &feed.tripped,
            allowed: &[],
        })
    })
    .collect()
}

/// Prints how a rollback ended.
///
/// # Errors
/// When the output refuses.
pub fn rolled_back(
    shell: &Shell,
    report: &Report,
    collected: &Collected,
    dry: bool,
) -> io::Result<()> {
    if shell.json {
        return print(shell, report, collected, dry);
    }
    talk(shell, report, collected)?;
    shell.data(|out| {
        for feed in &report.feeds {
            let version = feed.version.unwrap_or(0);
            match feed.outcome {
                Outcome::Published => writeln!(
                    out,
                    "version {version} of feed `{0}` stands again, and the feed is pinned to it: `shelfcast publish` leaves it \
                     alone until `shelfcast publish {0} --unpin`",
                    feed.feed
                )?,
                _ => writeln!(out, "version {version} of feed `{}`:", feed.feed)?,
            }
            details(shell, feed, dry, out)?;
        }
        Ok(())
    })
}

/// A plan as a document, kept with it: the lines of its feeds.
pub fn document(report: &Report) -> String {
    planned_feeds(report)
        .iter()
        .flat_map(plan_json::lines)
        .map(|line| format!("{line}\n"))
        .collect()
}

/// A plan as a page.
pub fn page(shop: &Shop, now: jiff::Timestamp, report: &Report) -> String {
    plan_html::page(shop, now.as_second(), &planned_feeds(report))
}

/// What the catalog had to say, on standard error.
fn talk(shell: &Shell, report: &Report, collected: &Collected) -> io::Result<()> {
    for remark in report.remarks.iter().chain(&collected.remarks) {
        shell.say(&format!("note: {}", shell.clean(remark)));
    }
    let mut grouped = Vec::new();
    human::findings(shell, collected, &mut grouped)?;
    if !grouped.is_empty() {
        shell.say(&String::from_utf8_lossy(&grouped));
    }
    Ok(())
}

/// The table of feeds: what changes, how it ended, where it stands.
fn table(feeds: &[Publication], out: &mut dyn Write) -> io::Result<()> {
    let mut rows = vec![
        [
            "feed", "outcome", "version", "items", "added", "changed", "removed", "to",
        ]
        .map(str::to_owned),
    ];
    for feed in feeds {
        let count = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let counts = feed.changes.as_ref().map(|changes| &changes.counts);
        rows.push([
            feed.feed.clone(),
            feed.outcome.as_str().to_owned(),
            count(feed.version),
            count(feed.changes.as_ref().map(|changes| changes.after.items)),
            count(counts.map(|counts| counts.added)),
            count(counts.map(|counts| counts.changed)),
            count(counts.map(|counts| counts.removed)),
            feed.delivered
                .iter()
                .filter(|one| one.outcome.is_ok() && one.steps.is_empty())
                .map(|one| one.address.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        ]);
    }
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..8).map(width).collect();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column] - cell.chars().count());
            line.push_str(&if (2..7).contains(&column) {
                format!("{pad}{cell}  ")
            } else {
                format!("{cell}{pad}  ")
            });
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// What a feed has to say beside its row: why it was held, who did not take it.
fn details(shell: &Shell, feed: &Publication, dry: bool, out: &mut dyn Write) -> io::Result<()> {
    for remark in feed.remarks.iter().filter(|remark| !remark.is_empty()) {
        writeln!(out, "\nfeed `{}`: {}", feed.feed, shell.clean(remark))?;
    }
    if feed.outcome == Outcome::Pinned {
        writeln!(
            out,
            "  hint: `shelfcast publish {} --unpin` publishes it again",
            feed.feed
        )?;
    }
    for tripped in &feed.tripped {
        gate(shell, &feed.feed, tripped, out)?;
    }
    for tripped in &feed.allowed {
        writeln!(
            out,
            "\nfeed `{}`: gate `{}` was let pass: {}",
            feed.feed,
            tripped.gate.as_str(),
            shell.clean(&tripped.message)
        )?;
    }
    for one in &feed.delivered {
        for step in &one.steps {
            writeln!(out, "  would {}", shell.clean(step))?;
        }
        if let Err(error) = &one.outcome {
            writeln!(
                out,
                "\n{}: feed `{}` was not delivered to {}: {}",
                shell.red("error"),
                feed.feed,
                one.address,
                shell.clean(&error.message)
            )?;
            if !error.hint.is_empty() {
                writeln!(out, "  hint: {}", shell.clean(&error.hint))?;
            }
        }
    }
    if feed.outcome == Outcome::Held && !dry {
        writeln!(
            out,
            "  what stands at the channel stays; `shelfcast plan {}` shows every change",
            feed.feed
        )?;
    }
    Ok(())
}

fn gate(shell: &Shell, feed: &str, tripped: &Tripped, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "\n{}: feed `{feed}`: gate `{}`: {}",
        shell.red("held"),
        tripped.gate.as_str(),
        shell.clean(&tripped.message)
    )?;
    for item in &tripped.items {
        let what = if item.what.is_empty() {
            String::new()
        } else {
            format!(": {}", shell.clean(&item.what))
        };
        writeln!(out, "  - {}{what}", shell.clean(&item.id))?;
    }
    let more = tripped.count.saturating_sub(tripped.items.len() as u64);
    if more > 0 && !tripped.items.is_empty() {
        writeln!(out, "  and {more} more")?;
    }
    writeln!(out, "  hint: {}", shell.clean(&tripped.hint))
}

/// The line of a feed for programs: what its build says, and what became of it.
fn feed_line(feed: &Publication) -> Value {
    let mut line = match &feed.build {
        Some(build) => lines::feed(build),
        None => json!({ "type": "feed", "feed": feed.feed, "channel": feed.channel }),
    };
    line["exit"] = json!(feed.outcome.exit());
    // The files were a step on the way; what stands is told with the destinations.
    line["files"] = json!([]);
    line["outcome"] = json!(feed.outcome.as_str());
    line["version"] = json!(feed.version);
    if let Some(changes) = &feed.changes {
        line["changes"] = counts(changes);
    }
    line["gates"] = gates(&feed.tripped);
    line["allowed"] = gates(&feed.allowed);
    line["destinations"] = feed.delivered.iter().map(destination).collect();
    if let Some(remark) = feed.remarks.iter().find(|remark| !remark.is_empty()) {
        line["reason"] = json!(remark);
    }
    line
}

fn counts(changes: &crate::change::Changes) -> Value {
    let counts = &changes.counts;
    json!({
        "added": counts.added,
        "changed": counts.changed,
        "removed": counts.removed,
        "unchanged": counts.unchanged,
    })
}

fn gates(tripped: &[Tripped]) -> Value {
    tripped
        .iter()
        .map(|tripped| {
            json!({
                "gate": tripped.gate.as_str(),
                "message": tripped.message,
                "count": tripped.count,
                "of": tripped.of,
                "hint": tripped.hint,
                "items": tripped.items.iter().map(|item| &item.id).collect::<Vec<_>>(),
            })
        })
        .collect()
}

fn destination(one: &Delivered) -> Value {
    match &one.outcome {
        Ok(_) if !one.steps.is_empty() => json!({
            "destination": one.address,
            "outcome": "dry-run",
            "steps": one.steps,
        }),
        Ok(receipt) => json!({
            "destination": one.address,
            "outcome": "delivered",
            "at": receipt.at.to_string(),
            "files": receipt.files.iter().map(|file| json!({
                "name": file.name, "bytes": file.bytes, "sha256": file.sha256, "proof": file.proof,
            })).collect::<Vec<_>>(),
        }),
        Err(error) => json!({
            "destination": one.address,
            "outcome": "failed",
            "message": error.message,
            "hint": error.hint,
        }),
    }
}

/// The last line of a publication, a plan or a rollback.
pub fn summary(exit: u8, report: &Report, collected: &Collected) -> Value {
    let (errors, warnings) = collected.counts();
    json!({
        "type": "summary",
        "ok": exit == 0,
        "exit": exit,
        "plan": report.plan,
        "feeds": report.feeds.iter().map(|feed| json!({
            "feed": feed.feed, "outcome": feed.outcome.as_str(), "exit": feed.outcome.exit(),
        })).collect::<Vec<_>>(),
        "records": report.rows,
        "remarks": report.remarks,
        "findings": { "error": errors, "warning": warnings },
    })
}
