//! To be written: sql.
