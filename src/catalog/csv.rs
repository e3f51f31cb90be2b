//! To be written: csv.
