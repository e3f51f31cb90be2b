//! One rule broken by one value, with its place and the way out.

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Counted and shown.
    Warning,
    /// The offer is withheld.
    Error,
}

/// One rule broken by one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name, such as `gtin-check-digit`.
    pub rule: &'static str,
    /// Whether the offer is withheld for it.
    pub severity: Severity,
    /// The feed it concerns; `None` for the catalog's own.
    pub feed: Option<String>,
    /// The SKU; `None` where the record has none.
    pub sku: Option<String>,
    /// The source file as the user knows it.
    pub source: String,
    /// Line (or record number) in it, from 1; 0 when unknown.
    pub line: u64,
    /// The column or attribute concerned; empty when none.
    pub column: String,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}
