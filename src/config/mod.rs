//! The project: `shelfcast.toml` as it is written, loaded with messages that name line and near miss.

pub mod destination;
pub mod env;
pub mod gate;
pub mod project;
pub mod secret;
pub mod span;
pub mod sync;
pub mod toml_file;

pub use project::Project;
pub use toml_file::ConfigError;
