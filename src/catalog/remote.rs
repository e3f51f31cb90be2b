//! To be written: remote.

use std::path::{Path, PathBuf};

use super::{SourceError, SourceProblem};

/// Fetches an address.
///
/// # Errors
/// Always, as yet.
pub fn fetch(url: &str, _cache: &Path) -> Result<PathBuf, SourceError> {
    Err(SourceError::new(SourceProblem::Missing, url, "cannot be fetched yet"))
}
