//! `channel`: what a template developer works with; one file a subcommand.

mod columns;
mod helpers;
mod lint;
mod list;
mod make;
mod readiness;
mod show;
mod test;

use clap::{Args, Subcommand};

use crate::channel;
use crate::pipeline::Failure;
use crate::program::nearest::near;
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
    /// List the channels
    List(list::List),
    /// Show what a channel needs and, in a project, how ready its catalog is for it
    Show(show::Show),
    /// Look for mistakes in manifests and templates; reads no catalog
    Lint(lint::Lint),
    /// Render the channels' golden cases and compare
    Test(test::Test),
    /// Make a new channel
    New(make::New),
    /// Copy a built-in channel into the project, to change it
    Eject(make::Eject),
    /// List the helpers of mappings and templates, or show one's page
    Helpers(helpers::Helpers),
    /// List the catalog's columns; without a project, the columns there can be
    Columns(columns::Columns),
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
            Command::List(list) => list.run(global, shell),
            Command::Show(show) => show.run(global, shell),
            Command::New(new) => new.run(global, shell),
            Command::Eject(eject) => eject.run(global, shell),
            Command::Helpers(helpers) => helpers.run(global, shell),
            Command::Columns(columns) => columns.run(global, shell),
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
        let hint = near(name, known.iter().map(String::as_str))
            .unwrap_or_else(|| "`shelfcast channel list` names them".to_owned());
        unknown.push(crate::config::ConfigError::new(
            format!("channels/{name}.toml"),
            format!("there is no channel `{name}`"),
            hint,
        ));
    }
    if !unknown.is_empty() {
        return Err(Failure::Configuration(unknown));
    }
    Ok(if names.is_empty() {
        known
    } else {
        names.to_vec()
    })
}

/// Rows as a table: columns as wide as their widest cell, two spaces between.
fn table(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width + 2 - cell.chars().count()));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
