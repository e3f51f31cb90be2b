//! To be written: gtin.
