//! Channels: manifests and templates, built in or from the project.

pub mod manifest;
