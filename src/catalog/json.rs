//! To be written: json.
