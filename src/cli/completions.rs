//! `completions` and `man`: made from the commands' own definition.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell as Kind;

use crate::pipeline::Failure;
use crate::term::Shell;
use crate::write::atomic;

use super::{Cli, exit};

/// `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Kind,
}

/// `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Write a page for each command into this folder, instead of the first to standard output
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

fn unwritten(error: std::io::Error) -> Failure {
    Failure::Disk(format!("cannot write to standard output: {error}"))
}

impl Completions {
    /// Prints the script; the exit code.
    ///
    /// # Errors
    /// Standard output that cannot be written.
    pub fn run(&self, shell: &Shell) -> Result<u8, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "shelfcast", &mut script);
        shell
            .data(|out| out.write_all(&script))
            .map_err(unwritten)?;
        Ok(exit::DONE)
    }
}

impl Man {
    /// Prints or writes the pages; the exit code.
    ///
    /// # Errors
    /// Standard output or a folder that cannot be written.
    pub fn run(&self, shell: &Shell) -> Result<u8, Failure> {
        let pages = pages().map_err(unwritten)?;
        let Some(folder) = &self.folder else {
            let first = pages
                .into_iter()
                .next()
                .map(|(_, page)| page)
                .unwrap_or_default();
            shell.data(|out| out.write_all(&first)).map_err(unwritten)?;
            return Ok(exit::DONE);
        };
        for (name, page) in pages {
            let path = folder.join(&name);
            let written =
                std::fs::create_dir_all(folder).and_then(|()| atomic::write(&path, &page));
            written.map_err(|error| {
                Failure::Disk(format!("cannot write {}: {error}", path.display()))
            })?;
            shell
                .data(|out| writeln!(out, "wrote {}", path.display()))
                .map_err(unwritten)?;
        }
        Ok(exit::DONE)
    }
}

/// The manual's pages, the program's own first: file name and roff.
fn pages() -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = Cli::command();
    command.build();
    let mut pages = Vec::new();
    let mut waiting = vec![("shelfcast".to_owned(), command)];
    while let Some((name, command)) = waiting.pop() {
        for sub in command
            .get_subcommands()
            .filter(|sub| sub.get_name() != "help" && !sub.is_hide_set())
        {
            waiting.push((format!("{name}-{}", sub.get_name()), sub.clone()));
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        pages.push((format!("{name}.1"), page));
    }
    pages.sort_by(|one, other| one.0.cmp(&other.0));
    // `-` sorts before `.`, and the program's own page goes first.
    let own = pages
        .iter()
        .position(|(name, _)| name == "shelfcast.1")
        .unwrap_or(0);
    pages.swap(0, own);
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_has_a_script_that_knows_the_commands() {
        for kind in [
            Kind::Bash,
            Kind::Zsh,
            Kind::Fish,
            Kind::PowerShell,
            Kind::Elvish,
        ] {
            let mut script = Vec::new();
            clap_complete::generate(kind, &mut Cli::command(), "shelfcast", &mut script);
            let script = String::from_utf8(script).expect("text");
            assert!(
                script.contains("channel") && script.contains("lint"),
                "{kind}"
            );
        }
    }

    #[test]
    fn every_command_has_a_page() {
        let pages = pages().expect("pages");
        assert_eq!(pages[0].0, "shelfcast.1");
        assert!(
            pages
                .iter()
                .any(|(name, _)| name == "shelfcast-channel-lint.1"),
            "{:?}",
            pages.iter().map(|(name, _)| name).collect::<Vec<_>>()
        );
        assert!(
            pages
                .iter()
                .all(|(_, page)| page.starts_with(b".ie") || page.starts_with(b".TH"))
        );
    }
}
