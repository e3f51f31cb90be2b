//! What people and programs see of findings and outcomes.

pub mod human;
pub mod json;
