//! To be written: language.
