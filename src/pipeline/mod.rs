//! The straight lines: from catalog to feeds. Stages never print; what people should know travels to an [`Observer`].

pub mod build;
mod compiling;
pub mod delivering;
pub mod exclude;
pub mod failure;
mod formula;
mod index;
pub mod inspect;
mod joined;
pub mod kept;
pub(crate) mod mapping;
pub mod observer;
pub mod oracle;
pub mod origin;
mod placing;
pub mod planning;
pub mod program;
pub mod publication;
pub mod publish;
pub mod readiness;
mod requesting;
pub mod rollback;
pub mod run;
pub mod sample;
mod staging;
pub mod survey;
mod written;

pub use failure::Failure;
pub use observer::Observer;
