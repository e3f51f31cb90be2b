//! The program as people run it: one test binary, a folder a subject.
//!
//! `harness` makes projects in temporary folders and runs the program; `hostile` gives it bad input; `cli` holds what it
//! promises to scripts; `facts` holds manifests to the channels' specifications; `oracle` holds templates to the bytes of
//! the `handlebars` crate; `stores` drives real online stores; `tidy` finds what people forget.
#![allow(unreachable_pub, reason = "a test binary has no outside")]
#![expect(clippy::disallowed_methods, reason = "tests write what they like")]
#![expect(clippy::print_stdout, reason = "what is skipped is said")]

mod cli;
mod facts;
mod harness;
mod hostile;
mod oracle;
mod publish;
mod stores;
mod tidy;
