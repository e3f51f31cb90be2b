//! Whole files: head, items in order, tail, in a hidden file beside the target; renamed when everything is right.

pub mod atomic;
mod documents;
pub mod items;
pub mod sorted;
pub mod staged;
pub mod verify;
#[cfg(feature = "xlsx")]
mod workbook;

pub use staged::{Artifact, Limits, Piece, StagedFeed};
