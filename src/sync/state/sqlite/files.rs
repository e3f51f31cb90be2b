//! Where a store account's state lies, how it is made, and what of it is there.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use crate::state::verify::{exists, hold};
use crate::state::{StateError, private};

use super::mark::{self, Commit};
use super::pages::{PAGE, Pages};
use super::{damaged, schema, sqlite_error};

/// Where things lie.
#[derive(Clone, Debug)]
pub(in crate::sync::state) struct Places {
    store: String,
    /// `.shelfcast`.
    root: PathBuf,
    /// `.shelfcast/locks`.
    pub(super) locks: PathBuf,
    /// `.shelfcast/sync`.
    pub(in crate::sync::state) folder: PathBuf,
    /// The database.
    pub(in crate::sync::state) database: PathBuf,
    /// SQLite's log of it.
    pub(in crate::sync::state) log: PathBuf,
    /// SQLite's index of its log.
    pub(super) index: PathBuf,
    /// The mark.
    pub(in crate::sync::state) mark: PathBuf,
    /// What is held while the two are read or changed.
    pub(in crate::sync::state) guard: PathBuf,
}

/// What of a state is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Present {
    /// Nothing, or what a run left that died while it was made.
    Nothing,
    /// A database and a mark.
    State,
}

impl Places {
    /// Of a store account; its name becomes that of files.
    pub(in crate::sync::state) fn of(project: &Path, store: &str) -> Result<Self, StateError> {
        crate::state::store::check_name("store", store)?;
        let root = project.join(".shelfcast");
        let folder = root.join("sync");
        let file = |ending: &str| folder.join(format!("{store}.{ending}"));
        Ok(Places {
            store: store.to_owned(),
            locks: root.join("locks"),
            database: file("db"),
            log: file("db-wal"),
            index: file("db-shm"),
            mark: file("mark"),
            guard: file("lock"),
            folder,
            root,
        })
    }

    /// The lock's scope.
    pub(super) fn scope(&self) -> String {
        format!("store:{}", self.store)
    }

    pub(super) fn mark_name(&self) -> String {
        format!("{}.mark", self.store)
    }

    fn staged(&self) -> PathBuf {
        self.folder.join(format!(".{}.db.new", self.store))
    }

    /// Makes the folders where they are not, and refuses those that others may write to.
    pub(super) fn make_folders(&self) -> Result<(), StateError> {
        for folder in [&self.root, &self.folder, &self.locks] {
            private::folder(folder)?;
            private::guard_folder(folder)?;
        }
        Ok(())
    }

    /// Whether there are folders to look into; those that others may write to are refused.
    pub(super) fn have_folders(&self) -> Result<bool, StateError> {
        for folder in [&self.root, &self.folder] {
            if !exists(folder) {
                return Ok(false);
            }
            private::guard_folder(folder)?;
        }
        Ok(true)
    }

    pub(super) fn lost_mark(&self) -> StateError {
        damaged(
            &self.mark,
            format!(
                "the mark is gone while its database `{}.db` is there: nobody can tell whether that is the newest one",
                self.store
            ),
        )
    }

    /// What is there.
    pub(super) fn present(&self) -> Result<Present, StateError> {
        let mark = mark::read(&self.mark)?;
        match (exists(&self.database), mark) {
            // SQLite would take it for a new one, and its log beside it away
            (true, Some(Commit { counter, .. }))
                if counter > 0 && self.database.metadata().is_ok_and(|file| file.len() == 0) =>
            {
                Err(damaged(&self.database, "the database is empty"))
            }
            (true, Some(_)) => Ok(Present::State),
            (true, None) => Err(self.lost_mark()),
            (false, Some(Commit { counter, .. })) if counter > 0 => Err(damaged(
                &self.database,
                format!(
                    "the database is gone, and its mark `{}` says that there was one",
                    self.mark_name()
                ),
            )),
            (false, _) if self.log.metadata().is_ok_and(|log| log.len() > 0) => Err(damaged(
                &self.database,
                "the database is gone, and its log beside it is not",
            )),
            (false, _) => Ok(Present::Nothing),
        }
    }

    /// Makes an empty state where there is none.
    pub(super) fn make_if_missing(&self) -> Result<(), StateError> {
        self.make_folders()?;
        let guard = hold(&self.guard, true)?;
        if self.present()? == Present::Nothing {
            self.make()?;
        }
        drop(guard);
        Ok(())
    }

    /// The mark announces the database before it gets its name: a run that dies in between leaves a mark that says nothing
    /// was ever kept.
    fn make(&self) -> Result<(), StateError> {
        let staged = self.staged();
        if exists(&staged) {
            std::fs::remove_file(&staged).map_err(|error| {
                StateError::disk(&staged, "take away what a dead run left", &error)
            })?;
        }
        let made = self.fill(&staged).and_then(|first| {
            mark::make(&self.mark)?;
            std::fs::rename(&staged, &self.database)
                .map_err(|error| StateError::disk(&self.database, "name the database", &error))?;
            private::sync_folder(&self.folder)?;
            mark::put(&self.mark, first)
        });
        if made.is_err() {
            drop(std::fs::remove_file(&staged));
        }
        made
    }

    fn fill(&self, staged: &Path) -> Result<Commit, StateError> {
        let file = private::create(staged)
            .map_err(|error| StateError::disk(staged, "make the database", &error))?;
        let wrong = |error: rusqlite::Error| sqlite_error(staged, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(staged, flags).map_err(wrong)?;
        let made = (|| {
            connection.execute_batch(&format!("PRAGMA page_size = {PAGE}; BEGIN"))?;
            schema::make(&connection)?;
            connection.execute(
                "INSERT INTO meta VALUES (1, 1, ?1)",
                params![0_u128.to_le_bytes()],
            )?;
            connection.execute_batch("COMMIT; PRAGMA journal_mode = WAL;")
        })();
        made.map_err(wrong)?;
        connection.close().map_err(|(_, error)| wrong(error))?;
        file.sync_all()
            .map_err(|error| StateError::disk(staged, "sync the database", &error))?;
        Ok(Commit {
            counter: 1,
            digest: Pages::at_rest(staged)?.sum(staged)?,
            previous: 0,
        })
    }
}
