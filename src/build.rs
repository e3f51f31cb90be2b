//! Compiles the program anew when a built-in channel, template or case is added: the compiler itself sees changes only.
#![expect(
    clippy::print_stdout,
    reason = "this is how a build script talks to Cargo"
)]

fn main() {
    for folder in ["channels", "templates", "tests/golden"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
