//! A run's own folder, in `work` under `.shelfcast`: feeds are built there, compared, kept and sent from there. It goes with the
//! run; what a killed run left is taken away by the next.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::config::Project;
use crate::state::{Role, StagedFile};
use crate::write::items::ItemLogReader;

use super::build::{self, FeedReport, Logs, Options, Report};
use super::{Failure, Observer};

/// A run's folder; dropped, it is gone.
pub(super) struct Workplace {
    folder: PathBuf,
    /// Held as long as the run lives: a folder that nobody holds is a dead run's.
    _alive: File,
    /// A run that must leave no trace in the project works elsewhere.
    _elsewhere: Option<tempfile::TempDir>,
}

impl Workplace {
    /// Makes one, and takes away those of dead runs. With `elsewhere` it lies in the system's folder for temporary files
    /// and the project is not touched.
    pub(super) fn new(project: &Project, elsewhere: bool) -> Result<Self, Failure> {
        let temporary = elsewhere
            .then(tempfile::tempdir)
            .transpose()
            .map_err(|error| wrong("a temporary folder", &error))?;
        let all = match &temporary {
            Some(folder) => folder.path().to_owned(),
            None => project.folder.join(".shelfcast").join("work"),
        };
        let wrong = |error: &std::io::Error| wrong(&all.display().to_string(), error);
        std::fs::create_dir_all(&all).map_err(|error| wrong(&error))?;
        sweep(&all).map_err(|error| wrong(&error))?;
        let folder = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(&all)
            .map_err(|error| wrong(&error))?
            .keep();
        let alive = open(&folder.join("alive")).map_err(|error| wrong(&error))?;
        alive
            .try_lock()
            .map_err(|error| wrong(&std::io::Error::other(error.to_string())))?;
        Ok(Workplace {
            folder,
            _alive: alive,
            _elsewhere: temporary,
        })
    }

    /// A folder in it for one purpose, made when it is not there.
    pub(super) fn room(&self, name: &str) -> Result<PathBuf, Failure> {
        let room = self.folder.join(name);
        std::fs::create_dir_all(&room)
            .map_err(|error| wrong(&room.display().to_string(), &error))?;
        Ok(room)
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        // What cannot be removed now is taken away by the next run.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn wrong(what: &str, error: &std::io::Error) -> Failure {
    Failure::Disk(format!("cannot work in {what}: {error}"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "an empty file that is only locked"
)]
fn open(path: &Path) -> std::io::Result<File> {
    File::create(path)
}

/// Takes the folders away that no living run holds.
fn sweep(all: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(all)? {
        let folder = entry?.path();
        let dead = match File::open(folder.join("alive")) {
            Ok(file) => match file.try_lock() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock) => false,
                Err(TryLockError::Error(error)) => return Err(error),
            },
            // Begun this moment, or taken away by somebody else just now: left alone.
            Err(_) => false,
        };
        if dead {
            drop(std::fs::remove_dir_all(&folder));
        }
    }
    Ok(())
}

/// Builds feeds into a run's folder, with their logs.
pub(super) fn stage(
    project: &Project,
    feeds: &[String],
    workplace: &Workplace,
    now: jiff::Timestamp,
    threads: usize,
    observer: &mut dyn Observer,
) -> Result<(Report, PathBuf), Failure> {
    let room = workplace.room("feeds")?;
    let options = Options {
        feeds: feeds.to_vec(),
        now,
        threads,
        folder: Some(room.clone()),
        digests: false,
        fill: true,
        log: true,
    };
    Ok((build::build(project, &options, observer)?, room))
}

/// The files of a staged feed as they are kept and delivered: parts, then their index.
pub(super) fn files(feed: &FeedReport, gzip: bool, project: &Project) -> Vec<StagedFile> {
    let several = feed.files.len() > 1;
    feed.files
        .iter()
        .map(|file| {
            let path = project.folder.join(&file.path);
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let index = several && file.items == 0;
            StagedFile {
                name: if gzip && !index {
                    format!("{name}.gz")
                } else {
                    name
                },
                path,
                bytes: file.bytes,
                sha256: String::new(),
                items: file.items,
                role: match (several, index) {
                    (false, _) => Role::Only,
                    (true, true) => Role::Index,
                    (true, false) => Role::Part,
                },
            }
        })
        .collect()
}

/// Opens a staged feed's log.
pub(super) fn log(logs: &Logs) -> Result<ItemLogReader<std::io::BufReader<File>>, Failure> {
    let shown = logs.items.display().to_string();
    let file = File::open(&logs.items).map_err(|error| wrong(&shown, &error))?;
    ItemLogReader::open(std::io::BufReader::new(file))
        .map_err(|error| Failure::Disk(format!("{shown}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_runs_are_swept_and_living_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            open(&folder.path().join(name).join("alive")).unwrap()
        };
        drop(make("run-dead"));
        let living = make("run-living");
        living.try_lock().unwrap();
        sweep(folder.path()).unwrap();
        assert!(!folder.path().join("run-dead").exists());
        assert!(folder.path().join("run-living").exists());
    }
}
