//! To be written: remote.
