//! Rules and findings: what is wrong with a value, never a `Result`.

pub mod finding;
pub mod rules;
