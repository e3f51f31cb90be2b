//! A folder into which files are dropped: each is read once, and none is moved or deleted.
//!
//! Files come in the order of their names, numbers in them by value (`stock-9.csv` before `stock-10.csv`): who writes the file gives
//! the name, while its time changes on every copy, upload and unpacking. A file is known by its name and the digest of its
//! bytes. Files of changes are read one after another, one a reading, so that each is kept before the next; of files that hold
//! all rows the newest counts, and those before it are passed over and told. Without order marks, a file that comes late, and
//! stands before one that was read, is passed over too: older would go over newer.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::catalog::{SourceError, SourceProblem, open};
use crate::config::sync::Rows;
use crate::sync::level::Position;

use super::file::{Taken, finished, take};
use super::seen::{Held, Seen, Stamp};
use super::settings::Settings;
use super::{Read, ReadKind, SourceFailure, StockSource, Tell};

/// Files that a position remembers.
const FILES_MAX: usize = 1_000;

/// Stands in place of columns where a file was passed over.
const PASSED: &str = "passed";

/// A watched folder.
pub(super) struct Dropped {
    settings: Settings,
}

impl Dropped {
    pub(super) fn new(settings: Settings) -> Self {
        Dropped { settings }
    }
}

/// One file that lies there.
struct Lying {
    name: String,
    path: PathBuf,
    stamp: Stamp,
    /// What is known of a file of that name.
    known: Option<Seen>,
}

impl Lying {
    /// Whether it is known as it lies there, by its looks.
    fn is_known(&self, settings: &Settings) -> bool {
        let stamp = self.stamp.kept(settings.now());
        self.known
            .as_ref()
            .is_some_and(|known| !stamp.is_empty() && known.stamp == stamp)
    }
}

/// A folder as it is found.
struct Found {
    lying: Vec<Lying>,
    before: Position,
    remarks: Vec<String>,
    /// A newer file has not settled.
    waits: bool,
}

impl StockSource for Dropped {
    fn read(&mut self, position: Option<&Position>, tell: Tell<'_>) -> Result<Read, SourceFailure> {
        let settings = &self.settings;
        let pattern = settings.source.path.clone().unwrap_or_default();
        let before = position.cloned().unwrap_or_default();
        let mut lying = list(&pattern, &settings.project.folder)?;
        let known: HashMap<&str, &str> = before
            .files
            .iter()
            .map(|(name, seen)| (name.as_str(), seen.as_str()))
            .collect();
        for file in &mut lying {
            file.known = known.get(file.name.as_str()).map(|seen| Seen::parse(seen));
        }
        let found = Found {
            lying,
            before: before.clone(),
            remarks: Vec::new(),
            waits: false,
        };
        match settings.source.rows {
            Rows::All => found.newest(settings, position, tell, &pattern),
            Rows::Changes => found.next(settings, position, tell),
        }
    }
}

impl Found {
    /// The name of the file that was read last.
    fn last(&self) -> Option<&str> {
        let mut read = self.before.files.iter().rev();
        read.find(|(_, seen)| !is_passed(seen))
            .map(|(name, _)| name.as_str())
    }

    /// Of files that hold all rows, the newest that has settled.
    fn newest(
        mut self,
        settings: &Settings,
        position: Option<&Position>,
        tell: Tell<'_>,
        pattern: &str,
    ) -> Result<Read, SourceFailure> {
        let last = self.last().map(str::to_owned);
        if self.lying.is_empty() {
            if last.is_none() {
                return Err(SourceError::new(
                    SourceProblem::Missing,
                    pattern,
                    "no file fits this pattern",
                )
                .hint("look for a misspelt folder or ending")
                .into());
            }
            let remark = format!("{pattern}: the files are gone; the last levels stay");
            return Ok(self.quiet(ReadKind::Nothing, remark));
        }
        let mut at = self.lying.len();
        while at > 0 {
            at -= 1;
            let file = &self.lying[at];
            let is_older = last
                .as_deref()
                .is_some_and(|last| natural(&file.name, last) == Ordering::Less);
            if is_older {
                break;
            }
            let is_last = last.as_deref() == Some(file.name.as_str());
            let known = file.known.clone().unwrap_or_default();
            if is_last && file.is_known(settings) && known.settings == settings.digest {
                return self.unchanged(settings, at, known);
            }
            match take(
                settings, &file.name, &file.path, &known, position, true, tell,
            )? {
                Taken::Young(why) => {
                    self.remarks.push(why);
                    self.waits = true;
                }
                Taken::Same(seen) => return self.unchanged(settings, at, seen),
                Taken::Read(tally, seen) => {
                    self.pass_over(settings, at)?;
                    self.remember(at, seen.text());
                    let files = std::mem::take(&mut self.before.files);
                    let mut read = finished(tally, seen, self.before, true, self.remarks);
                    read.position.files = files;
                    return Ok(read);
                }
            }
        }
        Ok(Read::quiet(ReadKind::Nothing, self.before, self.remarks))
    }

    /// Of files of changes, the first that was not read.
    fn next(
        mut self,
        settings: &Settings,
        position: Option<&Position>,
        tell: Tell<'_>,
    ) -> Result<Read, SourceFailure> {
        let marks = settings.asked.order.is_some();
        let last = self.last().map(str::to_owned);
        let oldest = (self.before.files.len() >= FILES_MAX)
            .then(|| self.before.files.first().map(|(name, _)| name.clone()))
            .flatten();
        for at in 0..self.lying.len() {
            let file = &self.lying[at];
            if file.is_known(settings) {
                continue;
            }
            if file.known.is_none() {
                let stands_before = |other: &str| natural(&file.name, other) == Ordering::Less;
                if oldest.as_deref().is_some_and(stands_before) {
                    // So many were read since that it is not remembered any more.
                    continue;
                }
                if !marks && last.as_deref().is_some_and(stands_before) {
                    let last = last.clone().unwrap_or_default();
                    let why = format!(
                        "it came late, stands before `{last}`, which was read, and without `order` older would go over newer"
                    );
                    self.pass(settings, at, &why)?;
                    continue;
                }
            }
            let known = Seen {
                // A file that was read stays read, whatever the settings are now.
                settings: settings.digest.clone(),
                ..file.known.clone().unwrap_or_default()
            };
            match take(
                settings, &file.name, &file.path, &known, position, false, tell,
            )? {
                // Those behind it wait too: what was read is an unbroken row.
                Taken::Young(why) => {
                    self.remarks.push(why);
                    return Ok(Read::quiet(ReadKind::Nothing, self.before, self.remarks));
                }
                Taken::Same(seen) => self.remember_in_place(at, seen.text()),
                Taken::Read(tally, seen) => {
                    self.remember(at, seen.text());
                    let more = self
                        .lying
                        .iter()
                        .skip(at + 1)
                        .any(|file| !file.is_known(settings));
                    let files = std::mem::take(&mut self.before.files);
                    let mut read = finished(tally, seen, self.before, false, self.remarks);
                    read.position.files = files;
                    read.more = more;
                    return Ok(read);
                }
            }
        }
        Ok(Read::quiet(ReadKind::Unchanged, self.before, self.remarks))
    }

    fn unchanged(
        mut self,
        settings: &Settings,
        at: usize,
        seen: Seen,
    ) -> Result<Read, SourceFailure> {
        self.pass_over(settings, at)?;
        self.remember(at, seen.text());
        self.before.digest = seen.text();
        let kind = if self.waits {
            // A newer file waits: what the source says now is not known.
            ReadKind::Nothing
        } else {
            ReadKind::Unchanged
        };
        Ok(Read::quiet(kind, self.before, self.remarks))
    }

    fn quiet(mut self, kind: ReadKind, remark: String) -> Read {
        self.remarks.push(remark);
        Read::quiet(kind, self.before, self.remarks)
    }

    /// Passes over those before a file that are not known yet.
    fn pass_over(&mut self, settings: &Settings, before: usize) -> Result<(), SourceError> {
        for at in 0..before {
            if self.lying[at].known.is_none() {
                self.pass(settings, at, "a newer file holds all rows")?;
            }
        }
        Ok(())
    }

    /// Remembers that a file was not read, and tells it.
    fn pass(&mut self, settings: &Settings, at: usize, why: &str) -> Result<(), SourceError> {
        let file = &self.lying[at];
        let mut seen = Seen {
            stamp: file.stamp.kept(settings.now()),
            settings: settings.digest.clone(),
            columns: PASSED.to_owned(),
            ..Seen::default()
        };
        if seen.stamp.is_empty() {
            seen.content = Held::open(&file.path, &file.name, file.stamp)?.content;
        }
        self.remarks
            .push(format!("{}: is passed over: {why}", file.name));
        // The file that was read last stays last.
        let place = self
            .before
            .files
            .iter()
            .rposition(|(_, seen)| !is_passed(seen))
            .unwrap_or(self.before.files.len());
        self.before
            .files
            .insert(place, (file.name.clone(), seen.text()));
        self.shorten();
        Ok(())
    }

    /// Remembers a file as the one that was read last.
    fn remember(&mut self, at: usize, seen: String) {
        let name = self.lying[at].name.clone();
        self.before.files.retain(|(known, _)| *known != name);
        self.before.files.push((name, seen));
        self.shorten();
    }

    fn remember_in_place(&mut self, at: usize, seen: String) {
        let name = &self.lying[at].name;
        match self
            .before
            .files
            .iter_mut()
            .find(|(known, _)| known == name)
        {
            Some((_, known)) => *known = seen,
            None => self.remember(at, seen),
        }
    }

    /// Forgets first what is gone, then what is oldest.
    fn shorten(&mut self) {
        if self.before.files.len() <= FILES_MAX {
            return;
        }
        let here: std::collections::HashSet<&str> =
            self.lying.iter().map(|file| file.name.as_str()).collect();
        self.before
            .files
            .retain(|(name, _)| here.contains(name.as_str()));
        let more = self.before.files.len().saturating_sub(FILES_MAX);
        self.before.files.drain(..more);
    }
}

/// Whether what is kept of a file says that it was passed over.
fn is_passed(seen: &str) -> bool {
    Seen::parse(seen).columns == PASSED
}

/// The files that lie there, in order; hidden ones are still on their way.
fn list(pattern: &str, folder: &Path) -> Result<Vec<Lying>, SourceError> {
    let found = match open::files(pattern, folder) {
        Ok(found) => found,
        Err(error) if error.problem == SourceProblem::Missing => {
            // A folder that is there and empty is none that is missing.
            let start = pattern
                .split(['*', '?', '['])
                .next()
                .and_then(|start| start.rsplit_once('/'))
                .map_or("", |(start, _)| start);
            let root = if pattern.starts_with('/') && start.is_empty() {
                PathBuf::from("/")
            } else {
                folder.join(start)
            };
            if !root.is_dir() {
                return Err(SourceError::new(
                    SourceProblem::Missing,
                    pattern,
                    "the folder is not there",
                )
                .hint("check the path, which is relative to the project; look whether the folder is mounted"));
            }
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    let mut lying = Vec::new();
    for (name, path) in found {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        // One that goes between listing and looking is not there.
        if let Ok(stamp) = Stamp::of(&path, &name) {
            lying.push(Lying {
                name,
                path,
                stamp,
                known: None,
            });
        }
    }
    lying.sort_by(|a, b| natural(&a.name, &b.name));
    Ok(lying)
}

/// The order of names: by letter, numbers by value.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (x, y) = (left.chars().next(), right.chars().next());
        let (Some(x), Some(y)) = (x, y) else {
            // Names of equal numbers differ in their zeros at most.
            return left.len().cmp(&right.len()).then_with(|| a.cmp(b));
        };
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (one, rest) = number(left);
            let (other, others_rest) = number(right);
            let order = one.len().cmp(&other.len()).then_with(|| one.cmp(other));
            if order != Ordering::Equal {
                return order;
            }
            (left, right) = (rest, others_rest);
        } else {
            if x != y {
                return x.cmp(&y);
            }
            left = left.get(x.len_utf8()..).unwrap_or("");
            right = right.get(y.len_utf8()..).unwrap_or("");
        }
    }
}

/// The digits a text begins with, without leading zeros, and what follows.
fn number(text: &str) -> (&str, &str) {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    (digits.trim_start_matches('0'), rest)
}
