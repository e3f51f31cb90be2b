//! Compiles the program anew when a built-in channel, template or case is added: the compiler itself sees changes only. Packs
//! what the loader relocates.

use std::process::Command;

fn main() {
    for folder in ["channels", "templates", "tests/golden"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    if packs_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether relative relocations may be packed: two megabytes less that every run reads into memory. The loader of glibc
/// understands them since 2.36, and a linker that does not know the option passes over it.
fn packs_relocations() -> bool {
    #[expect(clippy::disallowed_methods, reason = "cargo tells a build script so")]
    let read = |name: &str| std::env::var(name).unwrap_or_default();
    if read("CARGO_CFG_TARGET_OS") != "linux"
        || read("CARGO_CFG_TARGET_ENV") != "gnu"
        || read("HOST") != read("TARGET")
    {
        return false;
    }
    let version = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let version = version.map(|answer| String::from_utf8_lossy(&answer.stdout).into_owned());
    // Such as `glibc 2.36`.
    let minor = version
        .ok()
        .and_then(|version| version.trim().strip_prefix("glibc 2.")?.parse::<u32>().ok());
    minor.is_some_and(|minor| minor >= 36)
}
