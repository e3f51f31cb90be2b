//! One file, or what is fetched from an address: read when it has settled, unless it is the one that was read before.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::catalog::open::{FileNames, format_of};
use crate::catalog::{SourceError, SourceProblem, remote};
use crate::config::sync::Rows;
use crate::sync::level::Position;

use super::rows::Tally;
use super::seen::{Held, Seen, Stamp};
use super::settings::Settings;
use super::{Read, ReadKind, SourceFailure, StockSource, Tell};

/// The longest that a young file is waited for.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// A source of one file.
pub(super) struct OneFile {
    settings: Settings,
}

/// A file that has been read, or need not be.
pub(super) enum Taken {
    /// It is what it was.
    Same(Seen),
    /// It was read.
    Read(Tally, Seen),
    /// It is too young, in words.
    Young(String),
}

impl OneFile {
    pub(super) fn new(settings: Settings) -> Self {
        OneFile { settings }
    }
}

impl StockSource for OneFile {
    fn read(&mut self, position: Option<&Position>, tell: Tell<'_>) -> Result<Read, SourceFailure> {
        let settings = &self.settings;
        let all = settings.source.rows == Rows::All;
        let path = settings.source.path.clone().unwrap_or_default();
        let before = position.cloned().unwrap_or_default();
        if path == "-" {
            return standard_input(settings, position, tell);
        }
        let mut remarks = Vec::new();
        let file = if path.contains("://") {
            let options =
                remote::RemoteOptions::new(settings.project.folder.join(".shelfcast/remote"));
            let fetched = remote::fetch(&path, &options)?;
            remarks.extend(fetched.remarks);
            fetched.path
        } else {
            settings.project.folder.join(&path)
        };
        let seen = Seen::parse(&before.digest);
        match take(settings, &path, &file, &seen, position, all, tell)? {
            Taken::Young(why) => {
                remarks.push(why);
                Ok(Read::quiet(ReadKind::Nothing, before, remarks))
            }
            Taken::Same(seen) => {
                let position = Position {
                    digest: seen.text(),
                    ..before
                };
                Ok(Read::quiet(ReadKind::Unchanged, position, remarks))
            }
            Taken::Read(tally, seen) => Ok(finished(tally, seen, before, all, remarks)),
        }
    }
}

/// The position and words of a reading that ended well.
pub(super) fn finished(
    mut tally: Tally,
    seen: Seen,
    before: Position,
    all: bool,
    mut remarks: Vec<String>,
) -> Read {
    remarks.append(&mut tally.remarks);
    let position = Position {
        cursor: String::new(),
        rows: if all { tally.rows } else { before.rows },
        digest: seen.text(),
        proven: all && tally.ended && tally.lost == 0,
        ..before
    };
    Read {
        position,
        kind: if all {
            ReadKind::Snapshot
        } else {
            ReadKind::Changes
        },
        rows: tally.rows,
        rejected: tally.findings,
        found: tally.found,
        remarks,
        more: false,
    }
}

/// Reads a file that has settled, is whole and does not move meanwhile; `seen` is what is known of the one before.
pub(super) fn take(
    settings: &Settings,
    shown: &str,
    path: &Path,
    seen: &Seen,
    position: Option<&Position>,
    all: bool,
    tell: Tell<'_>,
) -> Result<Taken, SourceFailure> {
    let begun = settings.now();
    let fetched = shown.contains("://");
    let mut stamp = Stamp::of(path, shown)?;
    if !fetched {
        match settled(settings, shown, path, stamp)? {
            Ok(after) => stamp = after,
            Err(why) => return Ok(Taken::Young(why)),
        }
    }
    let same_settings = seen.settings == settings.digest;
    if same_settings && !seen.stamp.is_empty() && seen.stamp == stamp.kept(begun) {
        return Ok(Taken::Same(seen.clone()));
    }
    let mut held = Held::open(path, shown, stamp)?;
    let mut now_seen = Seen {
        content: held.content.clone(),
        stamp: held.stamp().kept(begun),
        settings: settings.digest.clone(),
        columns: seen.columns.clone(),
    };
    if same_settings && seen.content == held.content {
        return Ok(Taken::Same(now_seen));
    }
    let mut names = FileNames::default();
    let rules = settings.rules(all, begun);
    let mut reader = open_at(settings, shown, path, &mut names)?;
    let (tally, columns) = settings.read(&mut reader, &names, &rules, None, position, tell)?;
    held.check(path, begun)?;
    now_seen.columns = columns;
    Ok(Taken::Read(tally, now_seen))
}

fn open_at(
    settings: &Settings,
    shown: &str,
    path: &Path,
    names: &mut FileNames,
) -> Result<crate::catalog::open::SourceReader, SourceError> {
    if format_of(shown, settings.source.format.as_deref()).is_none() {
        return Err(SourceError::new(
            SourceProblem::Configuration,
            shown,
            "what it holds cannot be told from its name",
        )
        .hint("add `format = \"csv\"` (csv tsv json ndjson xml xlsx ods) to the source"));
    }
    settings.open_file(shown, path, names)
}

/// Whether a file has been left alone for long enough, waiting a little where that is wanted; otherwise why not.
fn settled(
    settings: &Settings,
    shown: &str,
    path: &Path,
    stamp: Stamp,
) -> Result<Result<Stamp, String>, SourceError> {
    let settle = settings.settle(shown);
    if settle.is_zero() {
        return Ok(Ok(stamp));
    }
    let left = match stamp.age(settings.now()) {
        Some(age) if age >= settle => return Ok(Ok(stamp)),
        Some(age) => settle - age,
        // Its time lies ahead of ours: what it looks like after the whole span decides.
        None => settle,
    };
    let seconds = settle.as_secs_f64();
    if !settings.waits || left > WAIT_MAX {
        return Ok(Err(format!(
            "{shown}: changed less than {seconds} s ago, and waits until it has been left alone for that long (`settle`)"
        )));
    }
    wait(settings, left);
    let after = Stamp::of(path, shown)?;
    if after == stamp {
        return Ok(Ok(after));
    }
    Ok(Err(format!(
        "{shown}: is still being written, and waits (`settle`)"
    )))
}

fn wait(settings: &Settings, length: Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(async { settings.clock.sleep(length).await }),
        Err(_) => std::thread::sleep(length),
    }
}

/// Standard input can be read once, and is what it is.
fn standard_input(
    settings: &Settings,
    position: Option<&Position>,
    tell: Tell<'_>,
) -> Result<Read, SourceFailure> {
    let all = settings.source.rows == Rows::All;
    let mut names = FileNames::default();
    let rules = settings.rules(all, settings.now());
    let mut reader = settings.open_file("-", &PathBuf::from("-"), &mut names)?;
    let (tally, columns) = settings.read(&mut reader, &names, &rules, None, position, tell)?;
    let seen = Seen {
        settings: settings.digest.clone(),
        columns,
        ..Seen::default()
    };
    let before = position.cloned().unwrap_or_default();
    Ok(finished(tally, seen, before, all, Vec::new()))
}

/// When a file may be read at the earliest, seen from now; zero where it may at once.
pub(super) fn wait_left(stamp: &Stamp, settle: Duration, now: Timestamp) -> Duration {
    stamp
        .age(now)
        .map_or(settle, |age| settle.saturating_sub(age))
}
