//! Shelfcast: one catalog in, every channel's feed out.
//!
//! Publish, read as one line: `catalog` reads sources into batches of cells, `program` is what the manifests, mappings and
//! templates of all feeds compile to (one graph of values, shared by the feeds), `validate` holds the rules and findings,
//! `write` turns rendered items into whole files, `pipeline` ties them together. `model` holds the nouns and imports
//! nothing of ours; `cli`, `report` and `term` are the only parts that talk to people.

pub mod catalog;
pub mod change;
pub mod channel;
pub mod cli;
pub mod clock;
pub mod config;
pub mod deliver;
pub mod helper;
pub mod init;
pub mod model;
pub mod notify;
pub mod pipeline;
pub mod program;
pub mod recovery;
pub mod report;
pub mod state;
pub mod store;
pub mod sync;
pub mod term;
pub mod validate;
pub mod write;
