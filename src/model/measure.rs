//! To be written: measure.
