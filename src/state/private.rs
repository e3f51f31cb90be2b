//! Files and folders that only their owner may read: 0600 and 0700 whatever the umask, whole or not at all, synced.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use super::StateError;

/// Makes a folder that only its owner may enter, and puts its name on disk. One that is there is left as it is.
pub(crate) fn folder(path: &Path) -> Result<(), StateError> {
    if path.is_dir() {
        return Ok(());
    }
    let wrong = |error| StateError::disk(path, "make the folder", &error);
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    match builder.create(path) {
        // Another run was faster.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && path.is_dir() => {
            return Ok(());
        }
        other => other.map_err(wrong)?,
    }
    set_mode(path, 0o700).map_err(wrong)?;
    match path.parent() {
        Some(parent) => sync_folder(parent),
        None => Ok(()),
    }
}

/// Opens a file for reading and writing, made 0600 when it is not there.
pub(crate) fn open_or_make(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// A new file, 0600; it must not be there.
pub(crate) fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(path)?;
    set_mode(path, 0o600)?;
    Ok(file)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}

/// The permission bits; `None` where the system has none.
#[cfg(unix)]
pub(crate) fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = path.symlink_metadata().ok()?;
    Some(metadata.permissions().mode() & 0o777)
}

/// The permission bits; `None` where the system has none.
#[cfg(not(unix))]
pub(crate) fn mode(_path: &Path) -> Option<u32> {
    None
}

/// Takes from a folder of ours what others may do with it. One that others may write to is refused: they may have.
pub(crate) fn guard_folder(path: &Path) -> Result<(), StateError> {
    let metadata = path
        .symlink_metadata()
        .map_err(|error| StateError::disk(path, "look at the folder", &error))?;
    if !metadata.is_dir() {
        return Err(StateError::damaged(path, "it is no folder"));
    }
    let Some(mode) = mode(path) else {
        return Ok(());
    };
    if mode & 0o022 != 0 {
        let mut error =
            StateError::damaged(path, format!("others may write to it (mode {mode:03o})"));
        error.hint = format!(
            "see that nothing in it is foreign, then `chmod 700 {}`",
            path.display()
        );
        return Err(error);
    }
    if mode & 0o077 != 0 {
        set_mode(path, 0o700)
            .map_err(|error| StateError::disk(path, "make the folder private", &error))?;
    }
    Ok(())
}

/// Puts a folder's names on disk.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StateError> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| StateError::disk(path, "sync the folder", &error))
}

/// Replaces a small file: written beside it, synced, renamed, the folder synced.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("file");
    let staged = path.with_file_name(format!(".{name}.new"));
    let written = (|| {
        // A left-over of a run that died here is of no use to anyone.
        if staged.symlink_metadata().is_ok() {
            std::fs::remove_file(&staged)?;
        }
        let mut file = create(&staged)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&staged, path)
    })();
    if let Err(error) = written {
        drop(std::fs::remove_file(&staged));
        return Err(StateError::disk(path, "write the file", &error));
    }
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}
