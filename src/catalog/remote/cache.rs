//! Copies of fetched files with what the server needs to know to say that they are current.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

/// What tells one version of a file from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Validators {
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    /// Length of the copy.
    pub(super) bytes: u64,
}

/// The place of one address's copy.
pub(super) struct Cache {
    folder: PathBuf,
    body: PathBuf,
    notes: PathBuf,
}

impl Cache {
    /// The place for an address, whose name on disk gives nothing of it away.
    pub(super) fn open(folder: &Path, address: &str) -> io::Result<Cache> {
        fs::create_dir_all(folder)?;
        let digest = Sha256::digest(address.as_bytes());
        let key: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
        Ok(Cache {
            folder: folder.to_owned(),
            body: folder.join(format!("{key}.body")),
            notes: folder.join(format!("{key}.json")),
        })
    }

    /// Where the copy is.
    pub(super) fn body(&self) -> PathBuf {
        self.body.clone()
    }

    /// What the copy was marked with; `None` when there is none, or not a whole one, or it has no marks.
    pub(super) fn validators(&self) -> Option<Validators> {
        let notes = fs::read(&self.notes).ok()?;
        let validators: Validators = serde_json::from_slice(&notes).ok()?;
        let whole = fs::metadata(&self.body).is_ok_and(|found| found.len() == validators.bytes);
        let marked = validators.etag.is_some() || validators.last_modified.is_some();
        (whole && marked).then_some(validators)
    }

    /// A hidden file, for this user alone, to write a new copy to.
    pub(super) fn begin(&self) -> io::Result<NamedTempFile> {
        NamedTempFile::new_in(&self.folder)
    }

    /// Puts a whole copy in its place. Cut off at any point, no marks are left that do not belong to the copy.
    pub(super) fn commit(
        &self,
        mut file: NamedTempFile,
        validators: &Validators,
    ) -> io::Result<PathBuf> {
        match fs::remove_file(&self.notes) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        file.flush()?;
        file.persist(&self.body).map_err(|error| error.error)?;
        let mut notes = NamedTempFile::new_in(&self.folder)?;
        notes.write_all(&serde_json::to_vec(validators)?)?;
        notes.persist(&self.notes).map_err(|error| error.error)?;
        Ok(self.body())
    }
}
