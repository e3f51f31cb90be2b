//! Why the state could not be read or written, in a type that decides the exit code.

use std::path::{Path, PathBuf};

/// What kind of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A file is damaged, cut, gone, or older than it was (exit 8).
    Damaged,
    /// A newer program wrote it (exit 8).
    Newer,
    /// The disk or the system refused (exit 8).
    Disk,
    /// Another run holds the lock (exit 5).
    Busy,
    /// Another run took this one's lock over: what this one does counts no more (exit 5).
    Stale,
    /// There is no such feed, version or plan (exit 2).
    Unknown,
}

/// Why the state could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateError {
    /// What kind of trouble it is.
    pub trouble: Trouble,
    /// The file, where there is one.
    pub path: Option<PathBuf>,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl StateError {
    /// Something is wrong with no one file.
    pub fn new(trouble: Trouble, message: impl Into<String>, hint: impl Into<String>) -> Self {
        StateError {
            trouble,
            path: None,
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// A file of the state is not what was written.
    pub fn damaged(path: &Path, message: impl Into<String>) -> Self {
        StateError {
            trouble: Trouble::Damaged,
            path: Some(path.to_owned()),
            message: message.into(),
            hint: "nothing was changed; put the whole folder `.shelfcast` back from a backup, or move it away to begin \
                   anew (the next publication is then a first one); `shelfcast doctor` says more"
                .to_owned(),
        }
    }

    /// The disk refused.
    pub fn disk(path: &Path, doing: &str, error: &std::io::Error) -> Self {
        StateError {
            trouble: Trouble::Disk,
            path: Some(path.to_owned()),
            message: format!("cannot {doing}: {error}"),
            hint: "free space or mend the disk and its permissions, then run again; the state before is whole"
                .to_owned(),
        }
    }

    /// There is no such thing.
    pub fn unknown(message: impl Into<String>, hint: impl Into<String>) -> Self {
        StateError::new(Trouble::Unknown, message, hint)
    }

    /// The exit code it ends the run with.
    pub fn exit(&self) -> u8 {
        match self.trouble {
            Trouble::Damaged | Trouble::Newer | Trouble::Disk => 8,
            Trouble::Busy | Trouble::Stale => 5,
            Trouble::Unknown => 2,
        }
    }

    /// What SQLite said of the database.
    pub(crate) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let disk =
            |doing: &str| StateError::disk(path, doing, &std::io::Error::other(error.to_string()));
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StateError::new(
                Trouble::Busy,
                format!("{}: another run is writing the state", path.display()),
                "wait for it, or give `--wait 60s`",
            ),
            Some(
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory,
            ) => disk("use the database"),
            _ => StateError::damaged(path, format!("the database is damaged: {error}")),
        }
    }
}

impl std::fmt::Display for StateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}: {}", path.display(), self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for StateError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trouble_has_its_exit_code() {
        let exit = |trouble| StateError::new(trouble, "m", "h").exit();
        assert_eq!(exit(Trouble::Damaged), 8);
        assert_eq!(exit(Trouble::Newer), 8);
        assert_eq!(exit(Trouble::Disk), 8);
        assert_eq!(exit(Trouble::Busy), 5);
        assert_eq!(exit(Trouble::Stale), 5);
        assert_eq!(exit(Trouble::Unknown), 2);
    }
}
