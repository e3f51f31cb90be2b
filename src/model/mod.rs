//! The nouns: values a catalog is made of and their exact rules. No input or output, nothing of ours imported.

pub mod age_group;
pub mod availability;
pub mod condition;
pub mod currency;
pub mod date;
pub mod decimal;
pub mod file_name;
pub mod gender;
pub mod gtin;
pub mod language;
pub mod measure;
pub mod money;
pub mod number;
pub mod quantity;
pub mod seen;
pub mod stock;
pub mod value;
pub mod visible;
pub mod words;
