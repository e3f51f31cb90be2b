//! What the program promises to scripts: codes, streams, JSON, the same bytes.

mod changes;
mod channels;
mod check;
mod determinism;
mod json;
mod readiness;
mod state;
mod streams;
