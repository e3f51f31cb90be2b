//! Kept versions as a comparison reads them: the log of their items, and the bytes of single items.

use std::fs::File;
use std::io;

use crate::change::{CompareError, PartBytes};
use crate::state::{State, StateError, Version, VersionFile, VersionReader};
use crate::write::items::{ItemLogError, ItemLogReader};

use super::Failure;

/// The items of a kept version; none where no log of them was kept.
///
/// # Errors
/// A log that is gone or damaged.
pub fn items(
    state: &State,
    version: &Version,
) -> Result<Option<ItemLogReader<VersionReader>>, Failure> {
    let Some(file) = &version.items_log else {
        return Ok(None);
    };
    let reader = state.open_file(file)?;
    ItemLogReader::open(reader)
        .map(Some)
        .map_err(|error| damaged(state, file, &error))
}

/// What is wrong with a kept version's log, naming its file.
pub fn damaged(state: &State, file: &VersionFile, error: &ItemLogError) -> Failure {
    StateError::damaged(&state.folder().join(&file.stored), error.to_string()).into()
}

/// What is wrong with a comparison of a kept version with another one.
pub fn incomparable(
    state: &State,
    old: Option<&Version>,
    new: Option<&Version>,
    error: CompareError,
) -> Failure {
    let log = |version: Option<&Version>| version.and_then(|version| version.items_log.clone());
    match (&error, log(old), log(new)) {
        (CompareError::Old(error), Some(file), _) | (CompareError::New(error), _, Some(file)) => {
            damaged(state, &file, error)
        }
        _ => Failure::Disk(error.to_string()),
    }
}

/// A part of a kept version (from 1) that shows its items' bytes, as a stream: forwards only.
///
/// # Errors
/// A part that is not there, gone or damaged.
pub fn part(state: &State, version: &Version, number: u32) -> io::Result<PartBytes> {
    let file = part_file(version, number)?;
    let reader = state.open_file(file).map_err(io::Error::other)?;
    Ok(PartBytes::Stream(Box::new(reader)))
}

/// The same in a temporary file, for whoever reads here and there.
///
/// # Errors
/// A part that is not there, gone or damaged, and a disk that refuses.
pub fn part_file_anywhere(state: &State, version: &Version, number: u32) -> io::Result<PartBytes> {
    let file = part_file(version, number)?;
    let mut reader = state.open_file(file).map_err(io::Error::other)?;
    let mut copy: File = tempfile::tempfile()?;
    io::copy(&mut reader, &mut copy)?;
    Ok(PartBytes::File(copy))
}

/// The bodies where they are kept, else the part: the index is none.
fn part_file(version: &Version, number: u32) -> io::Result<&VersionFile> {
    use crate::state::Role;
    let mut parts = version
        .files
        .iter()
        .filter(|file| matches!(file.role, Role::Only | Role::Part));
    let place = usize::try_from(number).unwrap_or(0).wrapping_sub(1);
    version
        .bodies
        .as_ref()
        .or_else(|| parts.nth(place))
        .ok_or_else(|| {
            let message = format!("version {} has no part {number}", version.version);
            io::Error::new(io::ErrorKind::NotFound, message)
        })
}
