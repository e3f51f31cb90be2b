//! A run of sync: the table, the plan of a dry run, what was held or refused; lines for programs.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::report::json as lines;
use crate::report::table::table;
use crate::report::text::{count, message, value};
use crate::sync::level::Line;
use crate::sync::summary::{GuardTrip, PlanItem, SyncReport, SyncSummary};
use crate::term::Shell;

use super::{pair, plan, word};

/// Refusals that are shown.
const SHOWN: usize = 20;

/// Prints how a run came out; of a dry run, the plan.
///
/// # Errors
/// When the output refuses.
pub fn print(shell: &Shell, report: &SyncReport, dry: bool) -> io::Result<()> {
    if shell.json {
        return shell.data(|out| {
            for sync in &report.syncs {
                for line in lines_of(sync, dry) {
                    writeln!(out, "{line}")?;
                }
            }
            writeln!(out, "{}", summary(report))
        });
    }
    for remark in &report.remarks {
        shell.say(&format!("note: {}", shell.clean(remark)));
    }
    for sync in &report.syncs {
        for remark in &sync.remarks {
            shell.say(&format!(
                "note: sync `{}`: {}",
                sync.name,
                shell.clean(remark)
            ));
        }
        for text in said(shell, sync) {
            shell.say(&text);
        }
        if let Some((message, hint)) = &sync.error {
            shell.error(&format!("sync `{}`: {message}", sync.name), hint);
        }
    }
    shell.data(|out| {
        if dry {
            for sync in &report.syncs {
                if sync.error.is_none() {
                    plan::plan(shell, sync, out)?;
                    plan::trips(shell, sync, out)?;
                }
            }
            return Ok(());
        }
        outcomes(&report.syncs, shell, out)?;
        for sync in &report.syncs {
            details(shell, sync, out)?;
        }
        Ok(())
    })
}

/// What is wrong with rows of the source, the first of each rule in full.
fn said(shell: &Shell, sync: &SyncSummary) -> Vec<String> {
    let mut made: Vec<(&str, u64, String)> = Vec::new();
    for finding in &sync.findings {
        if let Some((_, count, _)) = made.iter_mut().find(|(rule, ..)| *rule == finding.rule) {
            *count += 1;
            continue;
        }
        let mut text = format!(
            "{}: {}\n  --> {}",
            shell.yellow(&format!("warning[{}]", finding.rule)),
            message(&finding.message),
            shell.clean(&finding.source)
        );
        if finding.line > 0 {
            text.push_str(&format!(":{}", finding.line));
        }
        if !finding.column.is_empty() {
            text.push_str(&format!(", column `{}`", value(&finding.column)));
        }
        if let Some(sku) = &finding.sku {
            text.push_str(&format!(" (SKU `{}`)", value(sku)));
        }
        if !finding.hint.is_empty() {
            text.push_str(&format!("\n  hint: {}", shell.clean(&finding.hint)));
        }
        made.push((finding.rule, 1, text));
    }
    made.into_iter()
        .map(|(_, count, text)| match count {
            1 => text,
            more => format!("{text}\n  … and {} more rows like it", more - 1),
        })
        .collect()
}

fn outcomes(syncs: &[SyncSummary], shell: &Shell, out: &mut dyn Write) -> io::Result<()> {
    let head = [
        "sync",
        "outcome",
        "compared",
        "changed",
        "accepted",
        "rejected",
        "unknown",
        "held",
        "in step",
        "strangers",
        "dead",
        "seconds",
        "to",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for sync in syncs {
        let number = |n: u64| n.to_string();
        rows.push(vec![
            sync.name.clone(),
            sync.outcome.as_str().to_owned(),
            number(sync.compared),
            number(sync.changed),
            number(sync.accepted),
            number(sync.rejected),
            number(sync.unknown),
            number(sync.held),
            number(sync.in_step),
            number(sync.strangers),
            number(sync.dead),
            format!("{:.1}", sync.seconds),
            shell.clean(&sync.address),
        ]);
    }
    table(&rows, &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11], out)
}

/// What a sync has to say beside its row.
fn details(shell: &Shell, sync: &SyncSummary, out: &mut dyn Write) -> io::Result<()> {
    plan::trips(shell, sync, out)?;
    if !sync.refusals.is_empty() {
        writeln!(out)?;
    }
    // One reason often holds for a whole batch: it is told once.
    let mut groups: Vec<(&Line, usize)> = Vec::new();
    for line in &sync.refusals {
        let alike = |known: &Line| {
            (known.what, &known.code, &known.message) == (line.what, &line.code, &line.message)
        };
        match groups.iter_mut().find(|(known, _)| alike(known)) {
            Some((_, levels)) => *levels += 1,
            None => groups.push((line, 1)),
        }
    }
    for (line, levels) in groups.iter().take(SHOWN) {
        let said = match (line.code.is_empty(), line.message.is_empty()) {
            (true, true) => String::new(),
            (true, false) => format!(": {}", message(&line.message)),
            (false, true) => format!(": `{}`", message(&line.code)),
            (false, false) => format!(": `{}`: {}", message(&line.code), message(&line.message)),
        };
        let more = match levels {
            1 => String::new(),
            levels => format!(" (and {} more levels)", levels - 1),
        };
        writeln!(
            out,
            "{}: {} to {}{more}{said}",
            shell.yellow(word(line.what)),
            pair(&line.pair),
            line.quantity
        )?;
    }
    if groups.len() > SHOWN {
        let rest: usize = groups.iter().skip(SHOWN).map(|(_, levels)| levels).sum();
        writeln!(
            out,
            "… and {} for other reasons",
            count(rest as u64, "level")
        )?;
    }
    for (what, levels) in &sync.drift {
        writeln!(
            out,
            "drift: {}: {}",
            shell.clean(what),
            count(*levels, "level")
        )?;
    }
    if sync.dead > 0 {
        writeln!(
            out,
            "{}: `shelfcast dead-letters list {}` says why, and how to try again",
            count(sync.dead, "dead letter"),
            sync.name
        )?;
    }
    if sync.not_stocked > 0 {
        writeln!(
            out,
            "{} where the store does not stock the SKU: left alone",
            count(sync.not_stocked, "level")
        )?;
    }
    Ok(())
}

/// A sync's lines: its plan where it is dry or held, its refusals, and last itself.
fn lines_of(sync: &SyncSummary, dry: bool) -> Vec<Value> {
    let mut made = Vec::new();
    if dry || !sync.tripped.is_empty() {
        made.extend(sync.plan.iter().map(|item| planned(&sync.name, item)));
    }
    made.extend(sync.findings.iter().map(lines::finding));
    made.extend(sync.refusals.iter().map(refusal));
    made.push(line(sync));
    made
}

/// A planned level's line.
fn planned(sync: &str, item: &PlanItem) -> Value {
    json!({
        "type": "planned",
        "sync": sync,
        "place": item.pair.place,
        "sku": item.pair.sku,
        "before": item.before,
        "after": item.after,
        "why": item.why,
    })
}

/// A line of the ledger's line.
pub(super) fn refusal(line: &Line) -> Value {
    json!({
        "type": "ledger",
        "at": line.at.to_string(),
        "sync": line.sync,
        "place": line.pair.place,
        "sku": line.pair.sku,
        "what": line.what,
        "quantity": line.quantity,
        "before": line.before,
        "version": line.version,
        "batch": line.batch,
        "code": line.code,
        "message": line.message,
    })
}

fn tripped(trip: &GuardTrip) -> Value {
    json!({
        "guard": trip.guard,
        "place": trip.place,
        "message": trip.message,
        "hint": plan::hint(&trip.guard),
    })
}

/// A sync's line.
fn line(sync: &SyncSummary) -> Value {
    let drift: Map<String, Value> = sync
        .drift
        .iter()
        .map(|(what, levels)| (what.clone(), json!(levels)))
        .collect();
    let mut line = json!({
        "type": "sync",
        "name": sync.name,
        "store": sync.store,
        "outcome": sync.outcome.as_str(),
        "exit": sync.exit(),
        "compared": sync.compared,
        "changed": sync.changed,
        "accepted": sync.accepted,
        "rejected": sync.rejected,
        "unknown": sync.unknown,
        "held": sync.held,
        "in_step": sync.in_step,
        "strangers": sync.strangers,
        "not_stocked": sync.not_stocked,
        "dead_letters": sync.dead,
        "drift": drift,
        "rounds": sync.rounds,
        "calls": sync.calls,
        "seconds": (sync.seconds * 1000.0).round() / 1000.0,
    });
    if !sync.tripped.is_empty() {
        line["tripped"] = sync.tripped.iter().map(tripped).collect();
    }
    if !sync.approved.is_empty() {
        line["approved"] = sync.approved.iter().map(tripped).collect();
    }
    if let Some(plan) = &sync.plan_id {
        line["plan"] = json!(plan);
    }
    if let Some((message, hint)) = &sync.error {
        line["error"] = json!({ "message": message, "hint": hint });
    }
    if !sync.remarks.is_empty() {
        line["remarks"] = json!(sync.remarks);
    }
    line
}

/// The last line of a run.
pub fn summary(report: &SyncReport) -> Value {
    let sum = |of: fn(&SyncSummary) -> u64| report.syncs.iter().map(of).sum::<u64>();
    let mut line = lines::done(report.exit());
    line["syncs"] = json!(report.syncs.len());
    line["compared"] = json!(sum(|sync| sync.compared));
    line["changed"] = json!(sum(|sync| sync.changed));
    line["accepted"] = json!(sum(|sync| sync.accepted));
    line["rejected"] = json!(sum(|sync| sync.rejected));
    line["unknown"] = json!(sum(|sync| sync.unknown));
    line["held"] = json!(sum(|sync| sync.held));
    line["plans"] = report
        .syncs
        .iter()
        .filter_map(|sync| sync.plan_id.as_deref())
        .collect();
    line
}

#[cfg(test)]
mod tests;
