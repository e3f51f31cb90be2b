//! The nouns: values a catalog is made of and their exact rules. No input or output, nothing of ours imported.

pub mod availability;
pub mod condition;
pub mod date;
pub mod gtin;
pub mod language;
pub mod measure;
pub mod money;
pub mod quantity;
pub mod value;
