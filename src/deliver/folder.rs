//! A folder on this machine, such as one that a web server shows.
//!
//! A file is written under a hidden name in the same folder, synced, read again, renamed, and the folder is synced: a reader
//! gets the old file or the new one, and so does a machine that loses its power. Files can be read by everyone whom the umask
//! allows (0644). A link in the place of a file is replaced by the file and never written through; nothing is made outside
//! the folder. What a killed run left behind is removed by the next one.

#[cfg(all(test, unix))]
mod tests;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use super::{
    Address, Capabilities, Deadline, DeliveryError, Destination, Naming, Proof, Remote, Upload,
};
use crate::config::ConfigError;
use crate::config::destination::To;
use crate::recovery::{self, kill_point};

/// The hidden files' first letters and their last; the name and a number lie between.
const HIDDEN: (&str, &str) = (".shelfcast-", ".part");

/// Delivers to a folder.
pub(super) struct Folder {
    address: Address,
    folder: PathBuf,
    /// It may be made when it is missing: it lies in the project.
    made: bool,
}

impl Folder {
    /// Opens a folder; nothing is made yet.
    ///
    /// # Errors
    /// A `path` that names a folder where it cannot.
    pub(super) fn open(to: &To, mut address: Address, project: &Path) -> Result<Self, ConfigError> {
        if let Naming::File(name) = &address.naming {
            let whole = format!("{}{name}", address.folder);
            if project.join(&whole).is_dir() {
                address.folder = format!("{whole}/");
                address.naming = Naming::Folder;
            } else if !super::is_file_name(name) {
                return Err(to.wrong(
                    format!("`{}` is no name for a file", address.shown),
                    "hidden files are not delivered; for a folder, write `/` at its end",
                ));
            }
        }
        let relative = Path::new(&address.folder);
        let made = relative
            .components()
            .all(|step| matches!(step, Component::Normal(_) | Component::CurDir));
        Ok(Folder {
            folder: project.join(relative),
            address,
            made,
        })
    }

    /// The folder, made where that is right.
    fn ready(&self) -> Result<(), DeliveryError> {
        if self.folder.is_dir() {
            return Ok(());
        }
        if !self.made {
            return Err(DeliveryError::abort(
                self.address(),
                "the folder is not there",
                "make it, or mount what it lies on; only folders inside the project are made",
            ));
        }
        fs::create_dir_all(&self.folder)
            .and_then(|()| match self.folder.parent() {
                Some(parent) if parent.is_dir() => sync_folder(parent),
                _ => Ok(()),
            })
            .map_err(|error| self.failed("the folder cannot be made", &error))
    }

    /// Removes what killed runs left behind of a file. One that a living run writes is locked, and stays.
    fn clean(&self, name: &str) -> io::Result<()> {
        let prefix = format!("{}{name}-", HIDDEN.0);
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let is_ours = entry
                .file_name()
                .to_str()
                .and_then(|found| found.strip_prefix(&prefix)?.strip_suffix(HIDDEN.1))
                .is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_hexdigit()));
            if !is_ours || !entry.file_type()?.is_file() {
                continue;
            }
            let path = entry.path();
            let dead = File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
            if dead {
                remove_if_there(&path)?;
            }
        }
        Ok(())
    }

    /// Copies the file to its hidden name, synced and read again.
    fn stage(&self, upload: &Upload<'_>, deadline: &Deadline) -> Result<Staged, DeliveryError> {
        let refused = |error: &io::Error| self.failed("the file cannot be written", error);
        let mut source = File::open(upload.path)
            .map_err(|error| self.failed("the file to send cannot be read", &error))?;
        let mut staged = Staged::create(&self.folder, upload.name).map_err(|e| refused(&e))?;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            deadline.check(self.address())?;
            let read = io::Read::read(&mut source, &mut buffer)
                .map_err(|error| self.failed("the file to send cannot be read", &error))?;
            if read == 0 {
                break;
            }
            staged
                .file
                .write_all(buffer.get(..read).unwrap_or_default())
                .map_err(|error| refused(&error))?;
        }
        kill_point(recovery::P9);
        staged.file.sync_all().map_err(|error| refused(&error))?;
        let written = File::open(&staged.path)
            .and_then(|file| Remote::read(file, upload.bytes))
            .map_err(|error| self.failed("the written file cannot be read again", &error))?;
        match written.differs(upload) {
            Some(how) => Err(DeliveryError::not_what_was_sent(
                self.address(),
                upload.name,
                &how,
            )),
            None => Ok(staged),
        }
    }

    fn failed(&self, what: &str, error: &io::Error) -> DeliveryError {
        use io::ErrorKind as Kind;
        let message = format!("{what}: {error}");
        let (hint, lasting) = match error.kind() {
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => {
                ("make room on the disk; the old file stands", true)
            }
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem => {
                ("let the user of this run write in the folder", true)
            }
            Kind::NotFound | Kind::NotADirectory | Kind::IsADirectory => {
                ("look at what stands there", true)
            }
            _ => ("run again; the old file stands", false),
        };
        if lasting {
            DeliveryError::abort(self.address(), message, hint)
        } else {
            DeliveryError::retry(self.address(), message, hint)
        }
    }
}

impl Destination for Folder {
    fn address(&self) -> &str {
        &self.address.shown
    }

    fn naming(&self) -> &Naming {
        &self.address.naming
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            atomic: true,
            read_back: true,
            remove: true,
        }
    }

    fn put(&mut self, upload: &Upload<'_>, deadline: &Deadline) -> Result<Proof, DeliveryError> {
        deadline.check(self.address())?;
        self.ready()?;
        self.clean(upload.name)
            .map_err(|error| self.failed("the folder cannot be looked through", &error))?;
        let mut staged = self.stage(upload, deadline)?;
        let target = self.folder.join(upload.name);
        kill_point(recovery::P10);
        fs::rename(&staged.path, &target)
            .map_err(|error| self.failed("the file cannot take its name", &error))?;
        staged.renamed = true;
        kill_point(recovery::P11);
        sync_folder(&self.folder)
            .map_err(|error| self.failed("the folder cannot be synced", &error))?;
        // The bytes were read again before; what has the name now is that very file.
        let stands = fs::symlink_metadata(&target)
            .and_then(|stands| Ok(is_same(&stands, &staged.file.metadata()?)))
            .map_err(|error| self.failed("the file cannot be found again", &error))?;
        if !stands {
            let how = "another program put a file in its place";
            return Err(DeliveryError::not_what_was_sent(
                self.address(),
                upload.name,
                how,
            ));
        }
        Ok(Proof::ReadBack)
    }

    fn stands(&mut self, name: &str, deadline: &Deadline) -> Result<Option<Remote>, DeliveryError> {
        deadline.check(self.address())?;
        match File::open(self.folder.join(name)).and_then(|file| Remote::read(file, u64::MAX)) {
            Ok(remote) => Ok(Some(remote)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(&format!("`{name}` cannot be read"), &error)),
        }
    }

    fn remove(&mut self, name: &str, deadline: &Deadline) -> Result<(), DeliveryError> {
        deadline.check(self.address())?;
        remove_if_there(&self.folder.join(name))
            .and_then(|()| {
                if self.folder.is_dir() {
                    sync_folder(&self.folder)
                } else {
                    Ok(())
                }
            })
            .map_err(|error| self.failed(&format!("`{name}` cannot be removed"), &error))
    }
}

/// A hidden file. Locked while its run lives; removed when it is dropped before it has its name.
struct Staged {
    file: File,
    path: PathBuf,
    renamed: bool,
}

impl Staged {
    fn create(folder: &Path, name: &str) -> io::Result<Self> {
        let number = super::retry::random();
        let path = folder.join(format!("{}{name}-{number:016x}{}", HIDDEN.0, HIDDEN.1));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
        let file = options.open(&path)?;
        // A file system without locks keeps what killed runs leave behind; nothing else depends on it.
        drop(file.try_lock());
        Ok(Staged {
            file,
            path,
            renamed: false,
        })
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.renamed {
            // Nothing more can be done about a hidden file that cannot be removed: the next run tries again.
            drop(fs::remove_file(&self.path));
        }
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes renames in a folder last. A file system that cannot sync folders is taken at its word.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    match File::open(folder)?.sync_all() {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino(), one.len()) == (other.dev(), other.ino(), other.len())
}

#[cfg(not(unix))]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    one.is_file() && one.len() == other.len()
}
