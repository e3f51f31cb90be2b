//! The implementations, as worlds.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::state::StateError;
use crate::sync::state::memory::{MemoryDisk, MemoryIntake, MemoryState};
use crate::sync::state::sqlite::{SqliteIntake, SqliteState};

use super::{World, at};

pub(super) struct Memory(MemoryDisk);

impl World for Memory {
    type State = MemoryState;
    type Intake = MemoryIntake;

    fn new() -> Self {
        Memory(MemoryDisk::new())
    }

    fn open(&self) -> Result<MemoryState, StateError> {
        Ok(self.0.open())
    }

    fn take_over(&self) -> MemoryState {
        self.0.open()
    }

    fn intake(&self) -> MemoryIntake {
        self.0.intake()
    }

    fn crash(&self, state: MemoryState) {
        drop(state);
        self.0.crash();
    }
}

/// A project's folder. A crash goes on with a copy of it, made while the run still holds all it holds.
pub(super) struct Sqlite(RefCell<tempfile::TempDir>);

impl Sqlite {
    fn project(&self) -> PathBuf {
        self.0.borrow().path().to_owned()
    }

    fn of(project: &Path) -> Result<SqliteState, StateError> {
        SqliteState::open(project, "main", Duration::ZERO, at(0)).map_err(StateError::from)
    }
}

impl World for Sqlite {
    type State = SqliteState;
    type Intake = SqliteIntake;

    fn new() -> Self {
        Sqlite(RefCell::new(tempfile::tempdir().expect("a folder")))
    }

    fn open(&self) -> Result<SqliteState, StateError> {
        Self::of(&self.project())
    }

    fn take_over(&self) -> SqliteState {
        let locks = self.project().join(".shelfcast/locks");
        for entry in std::fs::read_dir(locks).expect("a folder") {
            std::fs::remove_file(entry.expect("a lock").path()).expect("removed");
        }
        Self::of(&self.project()).expect("opens")
    }

    fn intake(&self) -> SqliteIntake {
        SqliteIntake::open(&self.project(), "main").expect("opens")
    }

    fn crash(&self, state: SqliteState) {
        let after = copied(&self.project());
        drop(state);
        self.0.replace(after);
    }
}

/// What a process that dies now leaves: SQLite's index of its log is memory, and goes with the machine.
pub(in crate::sync::state) fn copied(project: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    for folder in [".shelfcast", ".shelfcast/sync", ".shelfcast/locks"] {
        let to = copy.path().join(folder);
        std::fs::create_dir(&to).expect("made");
        set_private(&to);
        for entry in std::fs::read_dir(project.join(folder)).expect("reads") {
            let from = entry.expect("an entry").path();
            let name = from.file_name().expect("a name").to_owned();
            if from.is_file() && !name.to_string_lossy().ends_with("-shm") {
                std::fs::copy(&from, to.join(name)).expect("copied");
            }
        }
    }
    copy
}

#[cfg(unix)]
fn set_private(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(folder, mode).expect("set");
}

#[cfg(not(unix))]
fn set_private(_folder: &Path) {}
