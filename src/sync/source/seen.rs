//! What a position remembers of the bytes it was made from: their digest, how the file looked, and what read them.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use xxhash_rust::xxh3::Xxh3;

use crate::catalog::{SourceError, SourceProblem};

/// A file that was changed so shortly before it is looked at may be changed again without looking different.
const SHORTLY: Duration = Duration::from_secs(2);

/// What was read, as a position keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Digest of the bytes; empty where they were not taken together.
    pub(super) content: String,
    /// How the file looked; empty where that does not prove that it is the same.
    pub(super) stamp: String,
    /// Digest of the settings that it was read with.
    pub(super) settings: String,
    /// The columns that it had of those it need not have.
    pub(super) columns: String,
}

impl Seen {
    pub(super) fn parse(text: &str) -> Self {
        let mut parts = text.split(' ').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        Seen {
            content: next(),
            stamp: next(),
            settings: next(),
            columns: next(),
        }
    }

    pub(super) fn text(&self) -> String {
        format!(
            "{} {} {} {}",
            self.content, self.stamp, self.settings, self.columns
        )
    }
}

/// How a file looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    /// Device, number and time of change, where there are such.
    place: (u64, u64, i64, i64),
}

impl Stamp {
    /// Of a file by its path; symbolic links are followed.
    pub(super) fn of(path: &Path, shown: &str) -> Result<Self, SourceError> {
        match std::fs::metadata(path) {
            Ok(found) => Ok(Stamp::from(&found)),
            Err(error) => Err(SourceError::new(
                SourceProblem::Missing,
                shown,
                if error.kind() == std::io::ErrorKind::NotFound {
                    "no such file".to_owned()
                } else {
                    format!("cannot be looked at: {error}")
                },
            )
            .hint("check the path, which is relative to the project; look whether the folder is mounted")),
        }
    }

    /// How long ago it was changed; `None` where its time lies ahead of now, or is not known.
    pub(super) fn age(&self, now: Timestamp) -> Option<Duration> {
        let now = SystemTime::from(now);
        now.duration_since(self.modified?).ok()
    }

    /// As it is kept; empty where a change right now would not show.
    pub(super) fn kept(&self, now: Timestamp) -> String {
        if self.age(now).is_none_or(|age| age < SHORTLY) {
            return String::new();
        }
        let modified = self
            .modified
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .unwrap_or_default();
        let (device, number, second, nanosecond) = self.place;
        format!(
            "{}-{}-{device}-{number}-{second}-{nanosecond}",
            self.size,
            modified.as_nanos()
        )
    }
}

impl From<&Metadata> for Stamp {
    #[cfg(unix)]
    fn from(found: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Stamp {
            size: found.len(),
            modified: found.modified().ok(),
            place: (found.dev(), found.ino(), found.ctime(), found.ctime_nsec()),
        }
    }

    #[cfg(not(unix))]
    fn from(found: &Metadata) -> Self {
        Stamp {
            size: found.len(),
            modified: found.modified().ok(),
            place: (0, 0, 0, 0),
        }
    }
}

/// A file that is held open while others read it, so that what moves meanwhile is seen.
pub(super) struct Held {
    file: File,
    stamp: Stamp,
    shown: String,
    /// Digest of its bytes.
    pub(super) content: String,
}

impl Held {
    /// Opens a file and takes its digest.
    pub(super) fn open(path: &Path, shown: &str, expected: Stamp) -> Result<Self, SourceError> {
        let failed = |error: std::io::Error| {
            SourceError::new(
                SourceProblem::Missing,
                shown,
                format!("cannot be read: {error}"),
            )
            .hint("see that the user that runs this may read it, and that the disk is well")
        };
        let mut held = Held {
            file: File::open(path).map_err(failed)?,
            stamp: expected,
            shown: shown.to_owned(),
            content: String::new(),
        };
        if Stamp::from(&held.file.metadata().map_err(failed)?) != expected {
            return Err(held.moved("was replaced before it was read"));
        }
        held.content = held.digest().map_err(failed)?;
        held.is_same(path)?;
        Ok(held)
    }

    fn digest(&mut self) -> std::io::Result<String> {
        use std::io::Seek;
        self.file.rewind()?;
        let mut hash = Xxh3::new();
        let mut buffer = vec![0; 128 * 1024];
        loop {
            match self.file.read(&mut buffer)? {
                0 => return Ok(format!("{:032x}", hash.digest128())),
                read => hash.update(buffer.get(..read).unwrap_or_default()),
            }
        }
    }

    /// Whether path and open file are still what they were, by their looks, and by their bytes where looks do not prove it.
    pub(super) fn check(&mut self, path: &Path, begun: Timestamp) -> Result<(), SourceError> {
        self.is_same(path)?;
        if self.stamp.kept(begun).is_empty() {
            let digest = self.digest();
            if !digest.is_ok_and(|digest| digest == self.content) {
                return Err(self.moved("changed while it was being read"));
            }
            self.is_same(path)?;
        }
        Ok(())
    }

    fn is_same(&self, path: &Path) -> Result<(), SourceError> {
        let own = self.file.metadata().map(|found| Stamp::from(&found));
        match std::fs::metadata(path) {
            Err(_) => Err(self.moved("was moved away or removed while it was being read")),
            Ok(found) if Stamp::from(&found) == self.stamp => match own {
                Ok(own) if own == self.stamp => Ok(()),
                _ => Err(self.moved("changed while it was being read")),
            },
            Ok(found) if Stamp::from(&found).place.1 != self.stamp.place.1 => {
                Err(self.moved("was replaced while it was being read"))
            }
            Ok(_) => Err(self.moved("changed while it was being read")),
        }
    }

    fn moved(&self, what: &str) -> SourceError {
        SourceError::new(
            SourceProblem::NotWhole,
            &self.shown,
            format!("the file {what}"),
        )
        .hint("nothing was taken from it; write exports under another name, and rename them when they are whole")
    }

    pub(super) fn stamp(&self) -> Stamp {
        self.stamp
    }
}
