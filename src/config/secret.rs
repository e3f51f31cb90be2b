//! Secrets by reference: `env:NAME` or `file:PATH`, in a type that cannot print itself.

use std::path::Path;

/// A value that never shows in messages, logs or debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Resolves a reference. `base` is the project folder, for relative files.
    ///
    /// # Errors
    /// A message when the variable is not set, the file cannot be read, or the text is no reference.
    pub fn resolve(reference: &str, base: &Path) -> Result<Self, String> {
        if let Some(name) = reference.strip_prefix("env:") {
            return super::env::get(name)
                .map(Secret)
                .ok_or_else(|| format!("the environment variable `{name}` is not set"));
        }
        if let Some(path) = reference.strip_prefix("file:") {
            let path = base.join(path);
            return std::fs::read_to_string(&path)
                .map(|text| Secret(text.trim_end_matches(['\r', '\n']).to_owned()))
                .map_err(|error| {
                    format!(
                        "the secret's file {} cannot be read: {error}",
                        path.display()
                    )
                });
        }
        Err("secrets are references, never values: write `env:NAME` or `file:PATH`".to_owned())
    }

    /// The secret itself, for the one place that uses it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}
