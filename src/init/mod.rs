//! `init`: makes a project folder: empty, with a sample, or from a merchant's own export.
//!
//! From an export: [`look`] reads it, [`propose`] says which of its columns is which of ours and how surely, [`project`]
//! writes `shelfcast.toml`, and the feeds are tried before they are written, so that the project builds as it stands.
//! What could not be guessed is told by name with what to write; an ambiguous number is asked, never guessed.

mod complete;
mod facts;
mod fit;
pub mod look;
pub mod project;
pub mod propose;
pub mod sample;
#[cfg(test)]
mod tests;
pub mod trial;
pub mod values;

use std::path::{Path, PathBuf};

use crate::pipeline::Failure;

use propose::Proposal;

/// What was made.
#[derive(Debug, Default)]
pub struct Made {
    /// Files written, relative to the project's folder.
    pub files: Vec<String>,
    /// What the look at an export found; nothing without one.
    pub proposal: Option<Proposal>,
    /// The feeds of the project, and those left out with the reason.
    pub feeds: Vec<trial::Tried>,
}

/// Makes a project folder, with a sample catalog or without.
///
/// # Errors
/// When there is one already, or the disk refuses.
pub fn new(folder: &Path, with_sample: bool) -> Result<Made, Failure> {
    refuse_existing(folder)?;
    let files = if with_sample {
        sample::SAMPLE
    } else {
        sample::EMPTY
    };
    let mut made = Made::default();
    for (path, text) in files {
        put(folder, path, text)?;
        made.files.push((*path).to_owned());
    }
    Ok(made)
}

/// Makes a project from a merchant's own export, which stays where it is.
///
/// # Errors
/// When there is a project already, the export cannot be read, or holds no product rows.
pub fn from(
    folder: &Path,
    export: &Path,
    sheet: Option<&str>,
    now: jiff::Timestamp,
) -> Result<Made, Failure> {
    refuse_existing(folder)?;
    let look = look::look(export, sheet)?;
    let mut proposal = propose::propose(&look)?;
    let path = relative(folder, export);
    // The feeds are tried on the real file before the project is written.
    let feeds = trial::run(folder, &proposal, &path, now, &look)?;
    trial::ask_for(&feeds, &mut proposal);
    let text = project::text(&proposal, &path, &feeds);
    let mut made = Made {
        proposal: Some(proposal),
        feeds,
        ..Made::default()
    };
    for (path, text) in [
        ("shelfcast.toml", text.as_str()),
        (".gitignore", sample::IGNORE),
    ] {
        put(folder, path, text)?;
        made.files.push(path.to_owned());
    }
    Ok(made)
}

fn refuse_existing(folder: &Path) -> Result<(), Failure> {
    let there = folder.join("shelfcast.toml");
    if there.exists() {
        return Err(Failure::configuration(
            &there.display().to_string(),
            "there is a project here already",
            "choose another folder, or take that file away",
        ));
    }
    Ok(())
}

fn put(folder: &Path, path: &str, text: &str) -> Result<(), Failure> {
    let target = folder.join(path);
    let failed = |error: std::io::Error| {
        Failure::Disk(format!("cannot write {}: {error}", target.display()))
    };
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    crate::write::atomic::write(&target, text.as_bytes()).map_err(failed)
}

/// The export's path as the project says it: relative where both lie below one folder.
fn relative(folder: &Path, export: &Path) -> String {
    let (Ok(folder), Ok(export)) = (std::path::absolute(folder), std::path::absolute(export))
    else {
        return export.display().to_string();
    };
    let (folder, export) = (tidy(&folder), tidy(&export));
    let same = folder
        .components()
        .zip(export.components())
        .take_while(|(one, other)| one == other)
        .count();
    // Nothing in common but the root: the whole path says more.
    if same <= 1 {
        return export.display().to_string();
    }
    let mut path = PathBuf::new();
    for _ in folder.components().skip(same) {
        path.push("..");
    }
    path.extend(export.components().skip(same));
    path.display().to_string().replace('\\', "/")
}

/// A path without `.` and `..`.
fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for component in path.components() {
        match component {
            std::path::Component::ParentDir => {
                tidied.pop();
            }
            std::path::Component::CurDir => {}
            other => tidied.push(other),
        }
    }
    tidied
}
