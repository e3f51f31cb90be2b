//! What people and programs see of findings and outcomes.

pub mod audit;
pub mod collected;
pub mod html;
pub mod human;
pub mod json;
pub mod plan;
pub mod plan_html;
pub mod plan_json;
pub mod published;
pub mod supplier;
pub mod sync;
pub mod table;
pub mod text;
