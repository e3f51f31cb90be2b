//! To be written: encoding.
