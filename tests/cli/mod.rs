//! What the program promises to scripts: codes, streams, JSON, the same bytes.

mod changes;
mod channels;
mod check;
mod determinism;
mod documents;
mod json;
mod readiness;
mod state;
mod streams;
mod sync;

/// A shop with one catalog, for tests of what it has published: feeds are added.
const LUMO: &str = r#"
[shop]
name = "Lumo"
url = "https://lumo.example"
currency = "THB"
language = "th"
country = "TH"
timezone = "Asia/Bangkok"

[[source]]
name = "products"
path = "catalog.csv"
"#;
