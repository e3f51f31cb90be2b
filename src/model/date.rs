//! To be written: date.
