//! To be written: money.
