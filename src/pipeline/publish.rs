//! Publish: what was built, compared with what stands at the channel, held or let through by gates, kept, delivered,
//! proven. Plan: the same, up to the comparison.
//!
//! Nothing is sent before its bytes are kept and synced, and nothing counts as published before every destination has a
//! receipt. A run that dies anywhere leaves the last published version where it was; the next one completes what it began.

use jiff::Timestamp;

use crate::channel::manifest::Absence;
use crate::config::Project;
use crate::config::project::Feed;
use crate::deliver::Deadline;
use crate::state::{self, Action, Lock, NewVersion, Override, Run, SourceDigest, State};

use super::delivering::{self, Delivered, Delivery, Ready};
use super::planning::{Made, carry_out, compared, make, seen, sources};
use super::publication::{Options, Outcome, Publication, Report};
use super::staging::Workplace;
use super::{Failure, Observer, origin};

/// The program's name and version, as versions are marked with.
const ENGINE: &str = concat!("shelfcast ", env!("CARGO_PKG_VERSION"));
/// The part of a channel's expiry after which an unchanged feed is sent again.
const RETOUCH_AFTER: f64 = 0.7;

/// Publishes feeds.
///
/// # Errors
/// Configuration, sources, locks, state and disk; nothing was published then, or as much as the state tells.
pub fn publish(
    project: &Project,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Report, Failure> {
    let feeds = chosen(project, &options.feeds)?;
    let mut ready = destinations(project, &feeds)?;
    if options.dry_run {
        return pretend(project, options, &feeds, &mut ready, observer);
    }
    let state = State::open(&project.folder)?;
    let locks = lock(&state, &feeds, options)?;
    let deadline = Deadline::after(options.deadline);
    let workplace = Workplace::new(project, false)?;
    let (free, pinned) = pins(&state, &feeds, options)?;
    let mut report = Report::default();
    let made = match &options.plan {
        None => {
            let (staged, made) = make(project, options, &state, &free, &workplace, observer)?;
            report.rows = staged.rows;
            let sources = sources(&staged, &made, project);
            (made, sources)
        }
        Some(plan) => carry_out(
            project,
            options,
            &state,
            &free,
            &workplace,
            plan,
            &mut report,
        )?,
    };
    let (made, sources) = made;
    let run = Publishing {
        project,
        state: &state,
        options,
        sources,
        configuration: origin::configuration(project, &free)?,
        workplace: &workplace,
        deadline,
    };
    for (feed, reason) in pinned {
        report.feeds.push(stopped(feed, Outcome::Pinned, reason));
    }
    for made in made {
        let at = |name: &str| feeds.iter().position(|feed| feed.name == name);
        let index = at(&made.feed.name).expect("it was chosen");
        let publication = run.one(made, &locks[index], &mut ready[index], observer)?;
        report.feeds.push(publication);
    }
    report
        .feeds
        .sort_by_key(|done| feeds.iter().position(|feed| feed.name == done.feed));
    write_down(&state, &report)?;
    Ok(report)
}

/// The feeds that are meant: named, or all that have somewhere to go.
pub(super) fn chosen<'p>(project: &'p Project, names: &[String]) -> Result<Vec<&'p Feed>, Failure> {
    let feeds = super::program::chosen(project, names, "shelfcast.toml")?;
    let (going, staying): (Vec<_>, Vec<_>) =
        feeds.into_iter().partition(|feed| !feed.to.is_empty());
    if going.is_empty() || (!names.is_empty() && !staying.is_empty()) {
        let what = match staying.first() {
            Some(feed) => format!("feed `{}` has no destination", feed.name),
            None => "there is no feed".to_owned(),
        };
        return Err(Failure::configuration(
            "shelfcast.toml",
            what,
            "add under the feed: [[feed.to]] path = \"/srv/www/feeds/\", or url = \"sftp://…\"",
        ));
    }
    Ok(going)
}

pub(super) fn destinations(project: &Project, feeds: &[&Feed]) -> Result<Vec<Vec<Ready>>, Failure> {
    let (mut ready, mut errors) = (Vec::new(), Vec::new());
    for feed in feeds {
        match delivering::open(feed, project) {
            Ok(opened) => ready.push(opened),
            Err(Failure::Configuration(wrong)) => errors.extend(wrong),
            Err(other) => return Err(other),
        }
    }
    if errors.is_empty() {
        Ok(ready)
    } else {
        Err(Failure::Configuration(errors))
    }
}

/// The locks of all feeds, or none.
fn lock(state: &State, feeds: &[&Feed], options: &Options) -> Result<Vec<Lock>, Failure> {
    // In one order, so that two runs never wait for each other.
    let mut order: Vec<usize> = (0..feeds.len()).collect();
    order.sort_by_key(|&index| &feeds[index].name);
    let mut locks: Vec<(usize, Lock)> = Vec::new();
    for index in order {
        let lock = state.lock_feed(&feeds[index].name, options.wait, crate::clock::now())?;
        locks.push((index, lock));
    }
    locks.sort_by_key(|(index, _)| *index);
    Ok(locks.into_iter().map(|(_, lock)| lock).collect())
}

/// Feeds that are free to go, and those that a pin holds, with why.
type Sorted<'p> = (Vec<&'p Feed>, Vec<(&'p Feed, String)>);

/// Which feeds are free to go, and which a pin holds. A plan was read by a person, and lifts pins as `--unpin` does.
fn pins<'p>(state: &State, feeds: &[&'p Feed], options: &Options) -> Result<Sorted<'p>, Failure> {
    let (mut free, mut pinned) = (Vec::new(), Vec::new());
    for &feed in feeds {
        match state.pinned(&feed.name)? {
            Some(pin) if !options.unpin && options.plan.is_none() => pinned.push((
                feed,
                format!(
                    "pinned to version {} by {} on {}{}",
                    pin.version,
                    pin.who,
                    pin.at.strftime("%Y-%m-%d %H:%M UTC"),
                    if pin.reason.is_empty() {
                        String::new()
                    } else {
                        format!(": {}", pin.reason)
                    }
                ),
            )),
            _ => free.push(feed),
        }
    }
    Ok((free, pinned))
}

pub(super) fn addresses(ready: &[Ready]) -> Vec<String> {
    ready
        .iter()
        .map(|ready| ready.address().to_owned())
        .collect()
}

pub(super) fn concluded(delivered: &[Delivered]) -> Outcome {
    let arrived = delivered.iter().filter(|one| one.outcome.is_ok()).count();
    match arrived {
        all if all == delivered.len() => Outcome::Published,
        0 => Outcome::NotDelivered,
        _ => Outcome::Partly,
    }
}

pub(super) fn stopped(feed: &Feed, outcome: Outcome, remark: String) -> Publication {
    Publication {
        feed: feed.name.clone(),
        channel: feed.channel.clone(),
        outcome,
        build: None,
        changes: None,
        tripped: Vec::new(),
        allowed: Vec::new(),
        published: None,
        version: None,
        delivered: Vec::new(),
        remarks: vec![remark],
    }
}

/// What all feeds of a run share.
struct Publishing<'r> {
    project: &'r Project,
    state: &'r State,
    options: &'r Options,
    sources: Vec<SourceDigest>,
    configuration: String,
    workplace: &'r Workplace,
    deadline: Deadline,
}

/// A kept version as it is sent.
struct Kept<'k> {
    version: u64,
    files: &'k [crate::state::StagedFile],
    logs: &'k super::build::Logs,
    full: bool,
}

impl Publishing<'_> {
    /// One feed, from what was made to its receipts.
    fn one(
        &self,
        made: Made<'_>,
        lock: &Lock,
        ready: &mut [Ready],
        observer: &mut dyn Observer,
    ) -> Result<Publication, Failure> {
        let mut publication = seen(&made);
        match publication.outcome {
            Outcome::Withheld => {}
            Outcome::Unchanged => {
                self.unchanged(&made, lock, ready, &mut publication, observer)?;
            }
            Outcome::Held => self.held(&made)?,
            _ => {
                let version = match self.begun(&made)? {
                    Some(version) => version,
                    None => self.keep(&made, lock, ready)?,
                };
                let kept = Kept {
                    version,
                    files: &made.files,
                    logs: &made.logs,
                    full: false,
                };
                self.send(&made, lock, ready, &kept, &mut publication, observer)?;
            }
        }
        Ok(publication)
    }

    /// The version that an earlier run kept, whose bytes are those that were made now, and that still awaits receipts.
    fn begun(&self, made: &Made<'_>) -> Result<Option<u64>, Failure> {
        let Some(pending) = self.state.pending(&made.feed.name)? else {
            return Ok(None);
        };
        let (changes, _) = compared(
            self.state,
            made.feed,
            Some(&pending),
            &made.files,
            &made.logs,
            self.options.now,
        )?;
        Ok(changes.is_nothing().then_some(pending.version))
    }

    fn held(&self, made: &Made<'_>) -> Result<(), Failure> {
        let mut action = Action::new(crate::clock::now(), &state::who(), "held");
        action.feed = Some(made.feed.name.clone());
        action.detail = made
            .tripped
            .iter()
            .map(|tripped| format!("{}: {}", tripped.gate.as_str(), tripped.message))
            .collect::<Vec<_>>()
            .join("; ");
        Ok(self.state.log(&action)?)
    }

    fn keep(&self, made: &Made<'_>, lock: &Lock, ready: &[Ready]) -> Result<u64, Failure> {
        let (who, at) = (state::who(), crate::clock::now());
        let overrides = made
            .allowed
            .iter()
            .map(|tripped| Override {
                gate: tripped.gate.as_str().to_owned(),
                who: who.clone(),
                reason: self.options.reason.clone(),
                at,
            })
            .collect();
        Ok(self.state.record_version(
            lock,
            &NewVersion {
                feed: &made.feed.name,
                channel: &made.channel,
                files: &made.files,
                items_log: Some(&made.logs.items),
                bodies: made.logs.bodies.as_deref(),
                counts: made.counts,
                source_digests: self.sources.clone(),
                configuration_digest: &self.configuration,
                engine: ENGINE,
                now: self.options.now,
                at,
                who: &who,
                plan: self.options.plan.as_deref(),
                overrides,
                destinations: addresses(ready),
            },
        )?)
    }

    /// Sends a kept version to whoever has no receipt for it.
    fn send(
        &self,
        made: &Made<'_>,
        lock: &Lock,
        ready: &mut [Ready],
        kept: &Kept<'_>,
        publication: &mut Publication,
        observer: &mut dyn Observer,
    ) -> Result<(), Failure> {
        let (feed, version) = (&made.feed.name, kept.version);
        let room = self.workplace.room(&format!("send-{feed}"))?;
        let delivery = Delivery {
            project: self.project,
            state: self.state,
            lock,
            feed: made.feed,
            version,
            files: kept.files,
            format: made.format,
            logs: kept.logs,
            room: &room,
            full: kept.full,
            wait: self.options.wait,
            deadline: self.deadline,
        };
        let awaited = self.state.awaited(feed, version)?;
        publication.version = Some(version);
        for ready in ready
            .iter_mut()
            .filter(|ready| awaited.iter().any(|to| to == ready.address()))
        {
            publication.delivered.push(delivery.to(ready, observer)?);
        }
        publication.outcome = concluded(&publication.delivered);
        if publication.outcome == Outcome::Published {
            let (who, at) = (state::who(), crate::clock::now());
            self.state.published(lock, feed, version, at, &who)?;
            if self.options.unpin || self.options.plan.is_some() {
                self.state.unpin(feed, &who, &self.options.reason, at)?;
            }
            self.state.prune(lock, feed, state::KEEP, &who, at)?;
        }
        Ok(())
    }

    /// What stands is what was made: sent only where a destination lacks it, or before the channel lets it expire.
    fn unchanged(
        &self,
        made: &Made<'_>,
        lock: &Lock,
        ready: &mut [Ready],
        publication: &mut Publication,
        observer: &mut dyn Observer,
    ) -> Result<(), Failure> {
        let feed = &made.feed.name;
        let Some(current) = &made.current else {
            return Ok(());
        };
        publication.version = Some(current.version);
        let receipts = self.state.receipts(feed, current.version)?;
        let latest = |address: &str| {
            let own = receipts.iter().filter(|known| known.destination == address);
            own.map(|receipt| receipt.at).next_back()
        };
        let stale = |at: Timestamp| match made.absence {
            Absence::Expire(days) => {
                let limit = f64::from(days) * 86_400.0 * RETOUCH_AFTER;
                // A receipt of the future was kept by a clock that has been put right since.
                at > crate::clock::now()
                    || self.options.now.duration_since(at).as_secs_f64() > limit
            }
            _ => false,
        };
        let due: Vec<String> = addresses(ready)
            .into_iter()
            .filter(|address| latest(address).is_none_or(stale))
            .collect();
        if due.is_empty() {
            if self.options.unpin {
                let (who, at) = (state::who(), crate::clock::now());
                self.state.unpin(feed, &who, &self.options.reason, at)?;
            }
            return Ok(());
        }
        let refreshed = due.iter().any(|address| latest(address).is_some());
        self.state.offer(lock, feed, current.version, &due)?;
        let room = self.workplace.room(&format!("again-{feed}"))?;
        let (files, logs) = delivering::extracted(self.state, current, &room)?;
        let kept = Kept {
            version: current.version,
            files: &files,
            logs: &logs,
            full: refreshed,
        };
        self.send(made, lock, ready, &kept, publication, observer)?;
        if publication.outcome == Outcome::Published && refreshed {
            publication.outcome = Outcome::Refreshed;
        }
        Ok(())
    }
}

/// All of it but the last step: nothing in the project is touched, nobody is written to.
pub(super) fn pretend(
    project: &Project,
    options: &Options,
    feeds: &[&Feed],
    ready: &mut [Vec<Ready>],
    observer: &mut dyn Observer,
) -> Result<Report, Failure> {
    // Without a state there is nothing to compare with, and none is made.
    let elsewhere;
    let state = match State::read(&project.folder)? {
        Some(state) => state,
        None => {
            elsewhere = tempfile::tempdir().map_err(|error| {
                Failure::Disk(format!("cannot make a temporary folder: {error}"))
            })?;
            State::open(elsewhere.path())?
        }
    };
    let workplace = Workplace::new(project, true)?;
    let (staged, made) = make(project, options, &state, feeds, &workplace, observer)?;
    let deadline = Deadline::after(options.deadline);
    let mut report = Report {
        rows: staged.rows,
        ..Report::default()
    };
    for (made, ready) in made.iter().zip(ready) {
        let mut publication = seen(made);
        if publication.outcome == Outcome::Planned {
            let parcels = delivering::parcels(&made.files, made.format);
            publication.delivered = ready
                .iter_mut()
                .map(|ready| delivering::pretend(ready, &parcels, &deadline))
                .collect();
        }
        report.feeds.push(publication);
    }
    Ok(report)
}

/// Keeps how the run ended, for `status`.
pub(super) fn write_down(state: &State, report: &Report) -> Result<(), Failure> {
    let at = crate::clock::now();
    let runs: Vec<Run> = report
        .feeds
        .iter()
        .map(|feed| Run {
            feed: feed.feed.clone(),
            at,
            exit: feed.outcome.exit(),
            outcome: feed.outcome.as_str().to_owned(),
        })
        .collect();
    Ok(state.ran(&runs)?)
}
