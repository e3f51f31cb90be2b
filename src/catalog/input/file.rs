//! A file on disk that must stay the same while it is read.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use crate::catalog::{SourceError, SourceProblem};

/// How alike a file name must be to be proposed for one that is missing.
const ALIKE: f64 = 0.8;

/// Most names proposed.
const PROPOSED: usize = 3;

/// Opens a file, with its size where it is a plain file.
pub(super) fn open(
    path: &Path,
    name: &str,
) -> Result<(Box<dyn Read + Send>, Option<u64>), SourceError> {
    let missing = |message: String| SourceError::new(SourceProblem::Missing, name, message);
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => missing("no such file".to_owned()).hint(near_misses(path)),
        io::ErrorKind::PermissionDenied => missing("may not be read".to_owned())
            .hint("give the user that runs this the right to read the file"),
        _ => missing(format!("cannot be opened: {error}")),
    })?;
    let found = file
        .metadata()
        .map_err(|error| missing(format!("cannot be opened: {error}")))?;
    if found.is_dir() {
        return Err(missing("this is a folder".to_owned())
            .hint("name a file in it, or a pattern such as `folder/*.csv`"));
    }
    if !found.is_file() {
        return Ok((Box::new(file), None));
    }
    let size_bytes = found.len();
    let steady = Steady {
        name: name.to_owned(),
        file,
        begun: state(&found),
        read_bytes: 0,
    };
    Ok((Box::new(steady), Some(size_bytes)))
}

/// File names beside a missing one that look like it.
fn near_misses(path: &Path) -> String {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let wanted = path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return "the folder is not there either: check the path, which is relative to the project"
            .to_owned();
    };
    let mut alike: Vec<(f64, String)> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    if alike.is_empty() {
        return "check the path, which is relative to the project".to_owned();
    }
    let names: Vec<String> = alike
        .iter()
        .take(PROPOSED)
        .map(|(_, name)| format!("`{name}`"))
        .collect();
    format!("did you mean {}?", names.join(" or "))
}

/// Reads a file, and at its end makes sure that it is still the one that was opened.
struct Steady {
    name: String,
    file: File,
    begun: (u64, Option<SystemTime>),
    read_bytes: u64,
}

fn state(found: &Metadata) -> (u64, Option<SystemTime>) {
    (found.len(), found.modified().ok())
}

impl Read for Steady {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read(room)?;
        self.read_bytes += bytes as u64;
        if bytes > 0 || room.is_empty() {
            return Ok(bytes);
        }
        let now = state(&self.file.metadata()?);
        if now == self.begun && self.read_bytes == now.0 {
            return Ok(0);
        }
        Err(io::Error::other(
            SourceError::new(
                SourceProblem::NotWhole,
                &self.name,
                "the file changed while it was being read",
            )
            .hint("write the export under another name, and rename it when it is whole"),
        ))
    }
}
