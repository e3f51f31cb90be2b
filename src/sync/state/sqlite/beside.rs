//! The files of a database, as they are read beside SQLite.
//!
//! POSIX takes all of a process's locks on a file away when the process closes any descriptor of that file, SQLite's own
//! locks with them (sqlite.org/howtocorrupt.html, 2.2): another process would take SQLite's index for left over and make it
//! anew under our feet. So what was opened here stays open for as long as the file is there.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// A file that stays open.
pub(in crate::sync::state) struct Beside(Arc<File>);

/// Reads it from a place on.
pub(in crate::sync::state) struct From<'b> {
    beside: &'b Beside,
    at: u64,
}

impl Beside {
    /// Opens a file, or takes it as it was opened before.
    ///
    /// # Errors
    /// What opening says.
    #[cfg(unix)]
    pub(in crate::sync::state) fn open(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        use std::sync::{Mutex, PoisonError};

        /// Device, number, and the open file.
        type Kept = (u64, u64, Arc<File>);
        static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let metadata = path.metadata()?;
        let is =
            |(device, number, _): &&Kept| (metadata.dev(), metadata.ino()) == (*device, *number);
        if let Some((.., file)) = kept.iter().find(is) {
            return Ok(Beside(Arc::clone(file)));
        }
        // Of a file that is gone nobody holds a lock that matters.
        kept.retain(|(.., file)| {
            let metadata = file.metadata();
            metadata.is_ok_and(|metadata| metadata.nlink() > 0)
        });
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let file = Arc::new(file);
        kept.push((metadata.dev(), metadata.ino(), Arc::clone(&file)));
        Ok(Beside(file))
    }

    /// Opens a file. Here, closing it takes no lock away.
    ///
    /// # Errors
    /// What opening says.
    #[cfg(not(unix))]
    pub(in crate::sync::state) fn open(path: &Path) -> io::Result<Self> {
        File::open(path).map(|file| Beside(Arc::new(file)))
    }

    /// Its length in bytes.
    ///
    /// # Errors
    /// What the system says.
    pub(in crate::sync::state) fn length(&self) -> io::Result<u64> {
        self.0.metadata().map(|metadata| metadata.len())
    }

    /// Reads it from a place on; others may read it meanwhile.
    pub(in crate::sync::state) fn from(&self, at: u64) -> From<'_> {
        From { beside: self, at }
    }
}

impl Read for From<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(&*self.beside.0, bytes, self.at)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(&*self.beside.0, bytes, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "files that a test makes")]
    fn a_file_is_opened_once_and_a_new_one_of_its_name_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        std::fs::write(&path, "one").expect("written");
        let (first, second) = (Beside::open(&path), Beside::open(&path));
        let (first, second) = (first.expect("there"), second.expect("there"));
        assert!(Arc::ptr_eq(&first.0, &second.0));
        std::fs::remove_file(&path).expect("gone");
        std::fs::write(&path, "two").expect("written");
        let third = Beside::open(&path).expect("there");
        assert!(!Arc::ptr_eq(&first.0, &third.0));
        let mut text = String::new();
        third.from(0).read_to_string(&mut text).expect("read");
        assert_eq!(text, "two");
    }
}
