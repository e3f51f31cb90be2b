//! `build --all-ready`: a feed for every channel that has what it needs; of the others, what they lack.

use serde_json::json as object;

use crate::config::Project;
use crate::pipeline::Failure;
use crate::pipeline::build::{self, Options};
use crate::pipeline::readiness::{self, Tally};
use crate::report::json;
use crate::term::Shell;

use super::watching::{Asked, Watching};
use super::{Global, exit};

/// How many attributes are named as missing.
const NAMED: usize = 4;

/// A channel that gets no feed, and why.
struct Unready {
    channel: String,
    reason: String,
    settings: Vec<String>,
    /// Attribute, missing, wrong otherwise.
    lacking: Vec<(String, u64, u64)>,
}

/// Runs it; the exit code: 0 when at least one feed was made.
///
/// # Errors
/// What makes it impossible.
pub(super) fn run(mut project: Project, global: &Global, shell: &Shell) -> Result<u8, Failure> {
    let now = global.now(&project.shop.timezone)?;
    let mut unready = Vec::new();
    let mut feeds = Vec::new();
    for candidate in readiness::candidates(&project, now)? {
        if candidate.can_be_built() {
            feeds.extend(candidate.feed);
            continue;
        }
        let settings: Vec<String> = candidate
            .settings
            .into_iter()
            .map(|(name, ..)| name)
            .collect();
        let reason = match candidate.obstacles.into_iter().next() {
            Some((message, _)) => message,
            None => format!("settings are missing: `{}`", settings.join("`, `")),
        };
        unready.push(Unready {
            channel: candidate.name,
            reason,
            settings,
            lacking: Vec::new(),
        });
    }
    project.feed = feeds;
    let options = Options {
        feeds: Vec::new(),
        now,
        threads: global.threads(),
        folder: (!global.dry_run).then(|| project.folder.join("out")),
        digests: shell.json,
        fill: false,
        log: false,
    };
    let mut watching = Watching::new(&Asked::default(), shell)?;
    let mut tally = Tally::new(&mut watching);
    let built = build::build(&project, &options, &mut tally);
    let lacking = |feed: &str| -> Vec<(String, u64, u64)> {
        let all = tally.of(feed).into_iter();
        all.map(|(attribute, missing, wrong)| (attribute.to_owned(), missing, wrong))
            .collect()
    };
    let mut lacked = Vec::new();
    if let Ok(report) = &built {
        for feed in &report.feeds {
            lacked.push(lacking(&feed.name));
        }
    }
    let collected = watching.finish(built.is_ok())?;
    let mut report = built?;
    let mut made = Vec::new();
    for (feed, lacking) in std::mem::take(&mut report.feeds).into_iter().zip(lacked) {
        match &feed.held {
            None => made.push(feed),
            Some(held) => unready.push(Unready {
                reason: held.clone(),
                channel: feed.name,
                settings: Vec::new(),
                lacking,
            }),
        }
    }
    report.feeds = made;
    unready.sort_by(|one, other| one.channel.cmp(&other.channel));
    let code = if report.feeds.is_empty() {
        exit::DATA
    } else {
        exit::DONE
    };
    super::remember(json::summary(code, &report, collected.counts()));
    let failed =
        |error: std::io::Error| Failure::Disk(format!("cannot write to standard output: {error}"));
    if shell.json {
        shell
            .data(|out| {
                unready
                    .iter()
                    .try_for_each(|one| writeln!(out, "{}", line(one)))
            })
            .map_err(failed)?;
        super::build::print(shell, &report, &collected, code, false)?;
        return Ok(code);
    }
    super::build::print(shell, &report, &collected, code, false)?;
    shell
        .data(|out| {
            writeln!(
                out,
                "\n{} of {} channels are ready; not made:",
                report.feeds.len(),
                report.feeds.len() + unready.len()
            )?;
            unready
                .iter()
                .try_for_each(|one| writeln!(out, "  {}", shell.clean(&told(one))))?;
            writeln!(
                out,
                "`shelfcast channel show NAME` says all that one of them needs"
            )
        })
        .map_err(failed)?;
    Ok(code)
}

fn told(unready: &Unready) -> String {
    let mut named: Vec<String> = unready
        .lacking
        .iter()
        .filter(|(attribute, ..)| !attribute.is_empty())
        .take(NAMED)
        .map(|(attribute, missing, wrong)| match (missing, wrong) {
            (0, wrong) => format!("`{attribute}` is wrong in {wrong}"),
            (missing, 0) => format!("`{attribute}` is missing in {missing}"),
            (missing, wrong) => {
                format!("`{attribute}` is missing in {missing} and wrong in {wrong}")
            }
        })
        .collect();
    named.insert(0, unready.reason.clone());
    format!("{}: {}", unready.channel, named.join("; "))
}

fn line(unready: &Unready) -> serde_json::Value {
    let lacking: Vec<_> = unready
        .lacking
        .iter()
        .map(|(attribute, missing, wrong)| {
            object!({ "attribute": attribute, "missing": missing, "wrong": wrong })
        })
        .collect();
    object!({
        "type": "unready",
        "channel": unready.channel,
        "reason": unready.reason,
        "missing_settings": unready.settings,
        "attributes": lacking,
    })
}
