//! The one place that reads the environment.

/// What a variable holds; `None` when it is not set or no text.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn get(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
