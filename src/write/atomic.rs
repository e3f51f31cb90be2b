//! A file that is there whole or not at all: written beside its target, synced, renamed, the folder synced.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::recovery::{self, kill_point};

/// A file being written. Dropped without [`AtomicFile::commit`], it leaves nothing behind.
pub struct AtomicFile {
    writer: Option<BufWriter<File>>,
    staged: PathBuf,
    target: PathBuf,
    passing: bool,
    /// Left where it was written: whoever hid it there gives it its name.
    closed: bool,
}

impl AtomicFile {
    /// Begins a file that will stand at `target`. Its folder is made when it is not there.
    ///
    /// # Errors
    /// When the folder or the hidden file cannot be made.
    pub fn create(target: &Path) -> io::Result<Self> {
        let folder = target
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let name = target
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("file");
        let staged = folder.join(format!(".{name}.{}.part", std::process::id()));
        // A left-over of a run with the same number is of no use to anyone.
        if staged.symlink_metadata().is_ok() {
            std::fs::remove_file(&staged)?;
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&staged)?;
        Ok(AtomicFile {
            writer: Some(BufWriter::with_capacity(64 * 1024, file)),
            staged,
            target: target.to_owned(),
            passing: false,
            closed: false,
        })
    }

    /// Begins a file that is hidden by the folder it lies in, and will stand at `target` when that folder's files do.
    ///
    /// # Errors
    /// When it cannot be made, or is there already.
    pub(super) fn hidden(staged: PathBuf, target: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&staged)?;
        Ok(AtomicFile {
            // Made for one document, which is small.
            writer: Some(BufWriter::new(file)),
            staged,
            target,
            passing: false,
            closed: false,
        })
    }

    /// Writes what is left and leaves the file where it lies; whoever gives it its name syncs it before.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn close(mut self) -> io::Result<()> {
        if let Some(writer) = self.writer.take() {
            drop(
                writer
                    .into_inner()
                    .map_err(io::IntoInnerError::into_error)?,
            );
        }
        self.closed = true;
        Ok(())
    }

    /// Says that the file need not outlive a power cut: nothing waits for the disk. For what a run works with.
    #[must_use]
    pub fn passing(mut self, passing: bool) -> Self {
        self.passing = passing;
        self
    }

    /// Where it will stand.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Where it lies until it is committed; what was written is flushed to there.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn staged(&mut self) -> io::Result<&Path> {
        self.flush()?;
        Ok(&self.staged)
    }

    /// Changes where it will stand, in the same folder.
    pub fn retarget(&mut self, target: PathBuf) {
        self.target = target;
    }

    /// Puts everything on disk and gives the file its name.
    ///
    /// # Errors
    /// When the disk refuses; the old file is then untouched.
    pub fn commit(mut self) -> io::Result<()> {
        if let Some(writer) = self.writer.take() {
            let file = writer
                .into_inner()
                .map_err(io::IntoInnerError::into_error)?;
            kill_point(recovery::P5);
            if !self.passing {
                file.sync_all()?;
            }
            kill_point(recovery::P6);
        }
        std::fs::rename(&self.staged, &self.target)?;
        kill_point(recovery::P7);
        if self.passing {
            return Ok(());
        }
        if let Some(folder) = self
            .target
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

impl Write for AtomicFile {
    #[expect(
        clippy::disallowed_methods,
        reason = "a writer around a writer hands on how much was taken"
    )]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.writer {
            Some(writer) => writer.write(bytes),
            None => Err(io::Error::other("the file is committed")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), BufWriter::flush)
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.closed && (self.writer.take().is_some() || self.staged.exists()) {
            // Nothing more can be done about a hidden file that cannot be removed.
            drop(std::fs::remove_file(&self.staged));
        }
    }
}

/// Writes a whole small file.
///
/// # Errors
/// When the disk refuses; the old file is then untouched.
pub fn write(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(target)?;
    file.write_all(bytes)?;
    file.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_file_leaves_the_old_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("a.xml");
        write(&target, b"old").expect("written");
        let mut file = AtomicFile::create(&target).expect("begun");
        file.write_all(b"half").expect("written");
        drop(file);
        assert_eq!(std::fs::read(&target).expect("there"), b"old");
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("a folder").count(),
            1
        );
    }
}
