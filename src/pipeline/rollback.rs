//! Rollback: a kept version to its destinations again, and the feed pinned to it.

use crate::channel::manifest::Format;
use crate::config::Project;
use crate::config::project::Feed;
use crate::deliver::Deadline;
use crate::state::{self, State, Version};

use super::delivering::{self, Delivery};
use super::publication::{Options, Outcome, Report};
use super::publish::{addresses, chosen, concluded, stopped, write_down};
use super::staging::Workplace;
use super::{Failure, Observer};

/// Puts a kept version back, by default the one before, and pins the feed to it.
///
/// # Errors
/// An unknown feed or version, a lock, state and disk.
pub fn rollback(
    project: &Project,
    feed: &str,
    version: Option<u64>,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Report, Failure> {
    let feeds = chosen(project, &[feed.to_owned()])?;
    let feed = feeds[0];
    let mut ready = delivering::open(feed, project)?;
    let state = State::open(&project.folder)?;
    let lock = state.lock_feed(&feed.name, options.wait, crate::clock::now())?;
    let version = rolled_back_to(&state, feed, version)?;
    let workplace = Workplace::new(project, false)?;
    let format = format_of(project, feed)?;
    let mut publication = stopped(feed, Outcome::Planned, String::new());
    publication.remarks.clear();
    publication.version = Some(version.version);
    let room = workplace.room("version")?;
    let (files, logs) = delivering::extracted(&state, &version, &room)?;
    if options.dry_run {
        let parcels = delivering::parcels(&files, format);
        let deadline = Deadline::after(options.deadline);
        publication.delivered = ready
            .iter_mut()
            .map(|ready| delivering::pretend(ready, &parcels, &deadline))
            .collect();
    } else {
        let (who, at) = (state::who(), crate::clock::now());
        // The pin first: no publication may overtake a rollback that has begun.
        state.pin(&feed.name, version.version, &who, &options.reason, at)?;
        state.offer(&lock, &feed.name, version.version, &addresses(&ready))?;
        let delivery = Delivery {
            project,
            state: &state,
            lock: &lock,
            feed,
            version: version.version,
            files: &files,
            format,
            logs: &logs,
            room: &room,
            full: false,
            wait: options.wait,
            deadline: Deadline::after(options.deadline),
        };
        for ready in &mut ready {
            publication.delivered.push(delivery.to(ready, observer)?);
        }
        publication.outcome = concluded(&publication.delivered);
        if publication.outcome == Outcome::Published {
            state.published(
                &lock,
                &feed.name,
                version.version,
                crate::clock::now(),
                &who,
            )?;
        }
    }
    let report = Report {
        feeds: vec![publication],
        ..Report::default()
    };
    if !options.dry_run {
        write_down(&state, &report)?;
    }
    Ok(report)
}

fn rolled_back_to(state: &State, feed: &Feed, wanted: Option<u64>) -> Result<Version, Failure> {
    let current = state.current(&feed.name)?.map(|version| version.version);
    let history = state.history(&feed.name)?;
    let found = match wanted {
        Some(number) => history.into_iter().find(|known| known.version == number),
        None => history.into_iter().find(|known| {
            known.published_at.is_some() && current.is_some_and(|current| known.version < current)
        }),
    };
    found.ok_or_else(|| {
        let what = wanted.map_or_else(
            || {
                format!(
                    "feed `{}` has no published version before the current one",
                    feed.name
                )
            },
            |number| format!("feed `{}` has no kept version {number}", feed.name),
        );
        Failure::configuration(
            "rollback",
            what,
            format!("`shelfcast history {}` lists them", feed.name),
        )
    })
}

fn format_of(project: &Project, feed: &Feed) -> Result<Format, Failure> {
    Ok(crate::channel::load(Some(&project.folder), &feed.channel)?
        .manifest
        .format)
}
