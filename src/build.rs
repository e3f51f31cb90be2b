//! Compiles the program anew when a built-in channel, template or case is added: the compiler itself sees changes only.

fn main() {
    for folder in ["channels", "templates", "tests/golden"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
