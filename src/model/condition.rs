//! To be written: condition.
