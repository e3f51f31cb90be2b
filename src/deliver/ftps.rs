//! Delivery by FTPS.

use std::path::Path;

use super::{Address, Destination};
use crate::config::ConfigError;
use crate::config::destination::To;

/// Opens a place; calls nobody yet.
///
/// # Errors
/// What is missing or does not fit.
pub(super) fn open(
    to: &To,
    address: Address,
    _project: &Path,
) -> Result<Box<dyn Destination>, ConfigError> {
    Err(to.wrong(format!("`{}` is not delivered to yet", address.shown), ""))
}
