//! Exit codes: the contract with scripts.

/// Done; warnings and withheld items may have been shown.
pub const DONE: u8 = 0;
/// The data is over a limit, or findings were denied.
pub const DATA: u8 = 1;
/// Usage, configuration, manifest or template.
pub const CONFIGURATION: u8 = 2;
/// Own disk or state failed.
pub const DISK: u8 = 8;
