//! To be written: quantity.
