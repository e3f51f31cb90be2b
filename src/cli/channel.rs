//! `channel`: what a template developer works with; one file a subcommand.

mod lint;
mod test;

use clap::{Args, Subcommand};

use crate::channel;
use crate::pipeline::Failure;
use crate::program::lower::near;
use crate::term::Shell;

use super::Global;

/// `channel`.
#[derive(Debug, Args)]
pub struct Channel {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look for mistakes in manifests and templates; reads no catalog
    Lint(lint::Lint),
    /// Render the channels' golden cases and compare
    Test(test::Test),
}

impl Channel {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// What makes it impossible.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        match &self.command {
            Command::Lint(lint) => lint.run(global, shell),
            Command::Test(test) => test.run(global, shell),
        }
    }
}

fn unwritten(error: std::io::Error) -> Failure {
    Failure::Disk(format!("cannot write to standard output: {error}"))
}

/// The channels meant: those named, or all.
fn chosen(names: &[String], global: &Global) -> Result<Vec<String>, Failure> {
    let known = channel::names(Some(&global.project));
    let mut unknown = Vec::new();
    for name in names.iter().filter(|name| !known.contains(name)) {
        let hint = near(name, known.iter().map(String::as_str)).unwrap_or_else(|| "`shelfcast channel list` names them".to_owned());
        unknown.push(crate::config::ConfigError::new(format!("channels/{name}.toml"), format!("there is no channel `{name}`"), hint));
    }
    if !unknown.is_empty() {
        return Err(Failure::Configuration(unknown));
    }
    Ok(if names.is_empty() { known } else { names.to_vec() })
}
