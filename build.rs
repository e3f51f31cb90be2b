//! Channels, templates and golden cases are compiled in: a file that comes or goes among them is a reason to build again.
#![expect(clippy::print_stdout, reason = "this is how a build script talks to Cargo")]

fn main() {
    for folder in ["channels", "templates", "tests/golden"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
