//! `channel new` and `channel eject`: files of a channel put into the project.

use clap::Args;
use serde_json::json as object;

use crate::channel::scaffold::{self, Files};
use crate::cli::{Global, exit};
use crate::config::ConfigError;
use crate::pipeline::Failure;
use crate::report::json;
use crate::term::Shell;
use crate::write::atomic;

use super::unwritten;

/// `channel new`.
#[derive(Debug, Args)]
pub(super) struct New {
    /// The new channel's name: small letters, digits and `-`
    name: String,
    /// What it writes
    #[arg(long, value_name = "FORMAT", value_parser = scaffold::FORMATS.to_vec(), required_unless_present = "from")]
    format: Option<String>,
    /// A channel to begin with
    #[arg(long, value_name = "NAME")]
    from: Option<String>,
}

/// `channel eject`.
#[derive(Debug, Args)]
pub(super) struct Eject {
    /// The built-in channel
    channel: String,
    /// Write over what the project has
    #[arg(long)]
    force: bool,
}

impl New {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// A name that cannot be, or is taken; a folder that cannot be written.
    pub(super) fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let today = global.now("UTC")?.strftime("%Y-%m-%d").to_string();
        let format = self.format.as_deref().and_then(scaffold::format_of);
        let files = scaffold::new(
            &global.project,
            &self.name,
            format,
            self.from.as_deref(),
            &today,
        )?;
        put(
            &files,
            false,
            "choose another name, or delete them",
            global,
            shell,
        )?;
        let name = &self.name;
        shell.say(&format!(
            "next: edit channels/{name}.toml, then `shelfcast channel lint {name}`, and `shelfcast channel test {name} --update` to see and keep what it writes;\nuse it with a [[feed]] that says `channel = \"{name}\"`"
        ));
        Ok(exit::DONE)
    }
}

impl Eject {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// An unknown channel, files that are there already, a folder that cannot be written.
    pub(super) fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let files = scaffold::eject(&self.channel)?;
        put(
            &files,
            self.force,
            "`--force` writes over them",
            global,
            shell,
        )?;
        shell.say(&format!("the project's own `{}` is used from now on; delete these files to go back to the built-in one", self.channel));
        Ok(exit::DONE)
    }
}

fn put(
    files: &Files,
    force: bool,
    way_out: &str,
    global: &Global,
    shell: &Shell,
) -> Result<(), Failure> {
    let taken: Vec<ConfigError> = files
        .iter()
        // A partial that is there as it is needed is no obstacle.
        .filter(|(path, bytes)| {
            !force && std::fs::read(global.project.join(path)).is_ok_and(|there| there != **bytes)
        })
        .map(|(path, _)| ConfigError::new(path.as_str(), "is there already", way_out))
        .collect();
    if !taken.is_empty() {
        return Err(Failure::Configuration(taken));
    }
    for (path, bytes) in files {
        let target = global.project.join(path);
        let failed = |error: std::io::Error| Failure::Disk(format!("cannot write {path}: {error}"));
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        atomic::write(&target, bytes).map_err(failed)?;
    }
    shell
        .data(|out| {
            for path in files.keys() {
                if shell.json {
                    writeln!(out, "{}", object!({ "type": "file", "path": path }))?;
                } else {
                    writeln!(out, "wrote {path}")?;
                }
            }
            if shell.json {
                writeln!(out, "{}", json::done(exit::DONE))
            } else {
                Ok(())
            }
        })
        .map_err(unwritten)
}
