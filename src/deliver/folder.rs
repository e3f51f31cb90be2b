//! A folder on this machine.

use std::path::{Path, PathBuf};

use super::{
    Address, Capabilities, Deadline, DeliveryError, Destination, Naming, Proof, Remote, Upload,
};
use crate::config::ConfigError;
use crate::config::destination::To;

/// Delivers to a folder.
pub(super) struct Folder {
    address: Address,
    folder: PathBuf,
}

impl Folder {
    /// Opens a folder; nothing is made yet.
    pub(super) fn open(_to: &To, address: Address, project: &Path) -> Result<Self, ConfigError> {
        let folder = project.join(&address.folder);
        Ok(Folder { address, folder })
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

    fn put(&mut self, _upload: &Upload<'_>, deadline: &Deadline) -> Result<Proof, DeliveryError> {
        deadline.check(self.address())?;
        Err(DeliveryError::abort(
            self.address(),
            self.folder.display().to_string(),
            "",
        ))
    }

    fn stands(&mut self, _: &str, deadline: &Deadline) -> Result<Option<Remote>, DeliveryError> {
        deadline.check(self.address())?;
        Ok(None)
    }

    fn remove(&mut self, _name: &str, deadline: &Deadline) -> Result<(), DeliveryError> {
        deadline.check(self.address())
    }
}
