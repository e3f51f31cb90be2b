//! Plan: feeds built and compared with what stands at their channels; a plan keeps its bytes, and is carried out as it is.

use std::fs::File;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::change::{self, Changes, PartBytes, Parts, Side, Tripped};
use crate::channel::manifest::{Absence, Format};
use crate::config::Project;
use crate::config::project::Feed;
use crate::state::{self, Counts, NewPlan, PlannedFeed, SourceDigest, StagedFile, State, Version};

use super::build::{FeedReport, Logs};
use super::delivering::Ready;
use super::publication::{Options, Outcome, Publication, Report};
use super::publish::{chosen, destinations, pretend, stopped};
use super::staging::{self, Workplace};
use super::{Failure, Observer, kept, origin};

/// One feed on its way: what was made, and what it is compared with.
pub(super) struct Made<'p> {
    pub(super) feed: &'p Feed,
    pub(super) channel: String,
    pub(super) format: Format,
    pub(super) absence: Absence,
    pub(super) report: Option<FeedReport>,
    pub(super) counts: Counts,
    pub(super) files: Vec<StagedFile>,
    pub(super) logs: Logs,
    /// What stands at the channel.
    pub(super) current: Option<Version>,
    pub(super) changes: Changes,
    pub(super) tripped: Vec<Tripped>,
    pub(super) allowed: Vec<Tripped>,
}

/// Makes a plan: what would change at each channel. Its bytes are kept, and sent as they are by `publish --plan`.
///
/// # Errors
/// As [`super::publish::publish`]; nothing is sent in any case.
pub fn plan(
    project: &Project,
    options: &Options,
    document: &dyn Fn(&Report) -> String,
    observer: &mut dyn Observer,
) -> Result<Report, Failure> {
    let feeds = chosen(project, &options.feeds)?;
    drop(destinations(project, &feeds)?);
    if options.dry_run {
        let mut ready: Vec<Vec<Ready>> = feeds.iter().map(|_| Vec::new()).collect();
        return pretend(project, options, &feeds, &mut ready, observer);
    }
    let state = State::open(&project.folder)?;
    let workplace = Workplace::new(project, false)?;
    let (staged, made) = make(project, options, &state, &feeds, &workplace, observer)?;
    let mut report = Report {
        rows: staged.rows,
        ..Report::default()
    };
    for made in &made {
        report.feeds.push(seen(made));
    }
    // What does not change is not kept: carrying the plan out sends nothing of it.
    let moving: Vec<&Made<'_>> = made
        .iter()
        .filter(|made| {
            !made.changes.is_nothing() && made.report.as_ref().is_none_or(|feed| feed.exit == 0)
        })
        .collect();
    if moving.is_empty() {
        return Ok(report);
    }
    let planned: Vec<PlannedFeed<'_>> = moving
        .iter()
        .map(|made| PlannedFeed {
            feed: &made.feed.name,
            channel: &made.channel,
            base: made.current.as_ref().map(|version| version.version),
            files: &made.files,
            items_log: Some(&made.logs.items),
            bodies: made.logs.bodies.as_deref(),
            counts: made.counts,
        })
        .collect();
    let kept = state.record_plan(&NewPlan {
        feeds: &planned,
        configuration_digest: &origin::configuration(project, &feeds)?,
        source_digests: sources(&staged, &made, project),
        now: options.now,
        at: crate::clock::now(),
        who: &state::who(),
        document: &document(&report),
    })?;
    report.plan = Some(kept.plan);
    Ok(report)
}

/// Builds feeds and compares them with what stands at their channels.
pub(super) fn make<'p>(
    project: &Project,
    options: &Options,
    state: &State,
    feeds: &[&'p Feed],
    workplace: &Workplace,
    observer: &mut dyn Observer,
) -> Result<(super::build::Report, Vec<Made<'p>>), Failure> {
    if feeds.is_empty() {
        return Ok((super::build::Report::default(), Vec::new()));
    }
    let names: Vec<String> = feeds.iter().map(|feed| feed.name.clone()).collect();
    let (report, _) = staging::stage(
        project,
        &names,
        workplace,
        options.now,
        options.threads,
        observer,
    )?;
    let mut all = Vec::new();
    for built in &report.feeds {
        let feed = feeds
            .iter()
            .find(|feed| feed.name == built.name)
            .expect("it was asked for");
        let channel = crate::channel::load(Some(&project.folder), &feed.channel)?;
        let logs = built.log.clone().expect("items were logged");
        let current = state.current(&feed.name)?;
        let files = staging::files(built, feed.gzip, project);
        let (changes, tripped) = if built.exit == 0 {
            compared(state, feed, current.as_ref(), &files, &logs, options.now)?
        } else {
            (Changes::default(), Vec::new())
        };
        let (allowed, tripped) = tripped
            .into_iter()
            .partition(|tripped| options.allow.contains(&tripped.gate));
        all.push(Made {
            feed,
            channel: feed.channel.clone(),
            format: channel.manifest.format,
            absence: channel.manifest.absence,
            counts: counts(built),
            report: Some(built.clone()),
            files,
            logs,
            current,
            changes,
            tripped,
            allowed,
        });
    }
    Ok((report, all))
}

/// Takes a plan's bytes out and holds them against what stands now.
pub(super) fn carry_out<'p>(
    project: &Project,
    options: &Options,
    state: &State,
    feeds: &[&'p Feed],
    workplace: &Workplace,
    name: &str,
    report: &mut Report,
) -> Result<(Vec<Made<'p>>, Vec<SourceDigest>), Failure> {
    let refuse = |what: String, hint: &str| {
        Err(Failure::Refused(vec![(
            format!("plan `{name}` cannot be carried out: {what}"),
            hint.to_owned(),
        )]))
    };
    let again = "make a new one: `shelfcast plan`";
    let Some(plan) = state.plan(&plan_name(name))? else {
        return Err(Failure::configuration(
            "--plan",
            format!("there is no plan `{name}`"),
            "give the name that `shelfcast plan` printed",
        ));
    };
    let life = project.plan_life()?;
    let age = crate::clock::now().duration_since(plan.made_at);
    if age.is_negative() || age.unsigned_abs() > life {
        return refuse(
            format!("it was made at {} and is too old", plan.made_at),
            again,
        );
    }
    if plan.configuration_digest
        != origin::configuration(project, &chosen(project, &options.feeds)?)?
    {
        return refuse("the configuration has changed since".to_owned(), again);
    }
    for source in &plan.source_digests {
        if origin::is_same(&source.name, &source.digest, project) == Some(false) {
            let moved = format!("source `{}` has changed since", source.name);
            if options.strict_source {
                return refuse(moved, again);
            }
            report
                .remarks
                .push(format!("{moved}; the plan's own bytes are sent"));
        }
    }
    let mut made = Vec::new();
    for planned in plan.feeds {
        let Some(feed) = feeds.iter().find(|feed| feed.name == planned.feed) else {
            continue;
        };
        let current = state.current(&feed.name)?;
        if current.as_ref().map(|version| version.version) != planned.base {
            return refuse(
                format!("feed `{}` has been published since", feed.name),
                again,
            );
        }
        let room = workplace.room(&format!("plan-{}", feed.name))?;
        let take = |file: &state::VersionFile| -> Result<PathBuf, Failure> {
            let path = room.join(&file.name);
            state.extract_file(file, &path)?;
            Ok(path)
        };
        let mut files = Vec::new();
        for file in &planned.files {
            files.push(StagedFile {
                name: file.name.clone(),
                path: take(file)?,
                bytes: file.bytes,
                sha256: file.sha256.clone(),
                items: file.items,
                role: file.role,
            });
        }
        let logs = Logs {
            items: take(planned.items_log.as_ref().expect("plans keep their logs"))?,
            bodies: planned.bodies.as_ref().map(take).transpose()?,
        };
        let (changes, tripped) = compared(state, feed, current.as_ref(), &files, &logs, plan.now)?;
        let (allowed, tripped) = tripped
            .into_iter()
            .partition(|tripped| options.allow.contains(&tripped.gate));
        let channel = crate::channel::load(Some(&project.folder), &feed.channel)?;
        made.push(Made {
            feed,
            channel: planned.channel,
            format: channel.manifest.format,
            absence: channel.manifest.absence,
            report: None,
            counts: planned.counts,
            files,
            logs,
            current,
            changes,
            tripped,
            allowed,
        });
    }
    report.plan = Some(plan.plan);
    Ok((made, plan.source_digests))
}

/// A plan by its name, or by the path of a file that is called like it.
fn plan_name(given: &str) -> String {
    let stem = std::path::Path::new(given).file_stem();
    stem.map_or_else(
        || given.to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}

/// What differs from the version that stands at the channel, and which gates that trips.
pub(super) fn compared(
    state: &State,
    feed: &Feed,
    current: Option<&Version>,
    files: &[StagedFile],
    logs: &Logs,
    now: Timestamp,
) -> Result<(Changes, Vec<Tripped>), Failure> {
    let mut old_log = match current {
        Some(version) => kept::items(state, version)?,
        None => None,
    };
    let mut bytes = Parts::new(|side, part: u32| match (side, current) {
        (Side::Old, Some(version)) => kept::part(state, version, part),
        (Side::Old, None) => Err(no_part()),
        (Side::New, _) => {
            let place = (part as usize).saturating_sub(1);
            let path = match &logs.bodies {
                Some(bodies) => bodies,
                None => &files.get(place).ok_or_else(no_part)?.path,
            };
            Ok(PartBytes::File(File::open(path)?))
        }
    });
    let gate = &feed.gate;
    let changes = change::compare(
        old_log.as_mut(),
        &mut staging::log(logs)?,
        &mut bytes,
        &change::CompareOptions::of(gate, now.as_second()),
    )
    .map_err(|error| kept::incomparable(state, current, None, error))?;
    let tripped = if changes.is_nothing() {
        Vec::new()
    } else {
        change::judge(&changes, gate)
    };
    Ok((changes, tripped))
}

fn no_part() -> std::io::Error {
    std::io::Error::other("the log names a part that is not there")
}

fn counts(built: &FeedReport) -> Counts {
    Counts {
        read: built.read,
        filtered: built.filtered,
        withheld: built.withheld,
        written: built.written,
        warnings: built.warnings,
    }
}

/// What feeds were made from, where something of them moves.
pub(super) fn sources(
    report: &super::build::Report,
    made: &[Made<'_>],
    project: &Project,
) -> Vec<SourceDigest> {
    if made.iter().all(|made| made.changes.is_nothing()) {
        return Vec::new();
    }
    origin::sources(&report.sources, project)
}

/// What becomes of items that are gone, where leaving them out of a file does not delete them.
fn left_behind(made: &Made<'_>) -> Option<String> {
    let gone = made.changes.counts.removed;
    if gone == 0 {
        return None;
    }
    let items = if gone == 1 { "item is" } else { "items are" };
    let what = match made.absence {
        Absence::Delete => return None,
        // By request each of them is taken out.
        Absence::Tombstone | Absence::Zero if made.feed.to.iter().all(|to| to.requests) => {
            return None;
        }
        Absence::Expire(days) => format!("the channel drops them after {days} days"),
        _ => "the channel keeps what a file leaves out: take them out there, or set their stock to 0 first".to_owned(),
    };
    Some(format!("{gone} {items} gone from the feed; {what}"))
}

/// A feed as a plan shows it.
pub(super) fn seen(made: &Made<'_>) -> Publication {
    let outcome = match &made.report {
        Some(report) if report.exit != 0 => Outcome::Withheld,
        _ if made.changes.is_nothing() => Outcome::Unchanged,
        _ if !made.tripped.is_empty() => Outcome::Held,
        _ => Outcome::Planned,
    };
    let held = made.report.as_ref().and_then(|report| report.held.clone());
    Publication {
        build: made.report.clone(),
        published: made
            .current
            .as_ref()
            .and_then(|version| Some((version.version, version.published_at?))),
        changes: Some(made.changes.clone()),
        tripped: made.tripped.clone(),
        allowed: made.allowed.clone(),
        remarks: held.into_iter().chain(left_behind(made)).collect(),
        ..stopped(made.feed, outcome, String::new())
    }
}
