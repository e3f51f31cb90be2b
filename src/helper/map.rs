//! `map`: the longest matching prefix in a table of two columns.

/// A mapping table read from a two-column CSV file.
#[derive(Debug, Default)]
pub struct Table {}
