//! `channel columns`: what mappings can be made of.

use clap::Args;
use serde_json::json as object;

use crate::catalog::columns::{COLUMNS, DERIVED};
use crate::cli::{Global, exit};
use crate::config::Project;
use crate::pipeline::Failure;
use crate::pipeline::survey::{self, Column, Surveyed};
use crate::report::json;
use crate::term::Shell;

use super::{table, unwritten};

/// `channel columns`.
#[derive(Debug, Args)]
pub(super) struct Columns {
    /// All columns there can be, without reading the catalog
    #[arg(long)]
    vocabulary: bool,
}

impl Columns {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// A project or catalog that cannot be read.
    pub(super) fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let at_hand = !self.vocabulary && global.project.join("shelfcast.toml").is_file();
        let text = if at_hand {
            let sources = survey::survey(&Project::load(&global.project)?)?;
            if shell.json {
                lines(&sources)
            } else {
                page(&sources, shell)
            }
        } else {
            if !shell.json && !self.vocabulary {
                shell.say("no project here: these are the columns a catalog can have");
            }
            vocabulary(shell)
        };
        shell
            .data(|out| out.write_all(text.as_bytes()))
            .map_err(unwritten)?;
        Ok(exit::DONE)
    }
}

fn vocabulary(shell: &Shell) -> String {
    let known = COLUMNS
        .iter()
        .map(|column| (column.name, survey::kind(column.kind), column.about));
    let derived = DERIVED
        .iter()
        .map(|(name, kind, about)| (*name, survey::kind(*kind), *about));
    if shell.json {
        let lines: String = known
            .chain(derived)
            .map(|(name, kind, about)| {
                format!(
                    "{}\n",
                    object!({ "type": "column", "column": name, "kind": kind, "about": about })
                )
            })
            .collect();
        return lines + &format!("{}\n", json::done(exit::DONE));
    }
    let mut rows = vec![["column", "kind", "what it is"].map(str::to_owned).to_vec()];
    rows.extend(
        known
            .chain(derived)
            .map(|(name, kind, about)| [name, kind, about].map(str::to_owned).to_vec()),
    );
    table(&rows)
}

/// Filled rows in a hundred: 100 only when all are, 0 only when none is.
pub(super) fn fill(filled: u64, rows: u64) -> String {
    match (filled * 100).checked_div(rows) {
        Some(0) if filled > 0 => "<1%".to_owned(),
        share => format!("{}%", share.unwrap_or(0)),
    }
}

fn page(sources: &[Surveyed], shell: &Shell) -> String {
    let mut text = String::new();
    for source in sources {
        text.push_str(&format!(
            "{} ({}): {} rows\n",
            shell.bold(&source.source),
            source.place,
            source.rows
        ));
        let row = |column: &Column, mapping: String| {
            let mut fill = fill(column.filled, source.rows);
            if column.misread > 0 {
                fill.push_str(&format!(" ({} unreadable)", column.misread));
            }
            vec![
                format!("  {}", column.name),
                column.kind.to_owned(),
                fill,
                mapping,
                shell.clean(&column.examples.join(", ")),
            ]
        };
        let mut rows = vec![
            ["  ours", "kind", "fill", "made of", "examples"]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(source.ours.iter().map(|column| {
            let short: String = column.mapping.chars().take(40).collect();
            row(
                column,
                if short == column.mapping {
                    short
                } else {
                    format!("{short}…")
                },
            )
        }));
        if rows.len() > 1 {
            text.push_str(&table(&rows));
        }
        let mut rows = vec![
            ["  the source's own", "kind", "fill", "", "examples"]
                .map(str::to_owned)
                .to_vec(),
        ];
        // A column that is ours by its name was shown above.
        let own = source.own.iter().filter(|column| {
            !source
                .ours
                .iter()
                .any(|ours| ours.name == column.name && ours.mapping.is_empty())
        });
        rows.extend(own.map(|column| row(column, String::new())));
        if rows.len() > 1 {
            text.push_str(&table(&rows));
        }
        text.push('\n');
    }
    let derived: Vec<String> = DERIVED
        .iter()
        .map(|(name, _, about)| format!("`{name}` ({about})"))
        .collect();
    text.push_str(&format!("beside them: {}; an odd name is written `{{{{[Cost per item]}}}}`, in `where` `col[\"Cost per item\"]`\n", derived.join(", ")));
    text
}

fn lines(sources: &[Surveyed]) -> String {
    let mut text = String::new();
    for source in sources {
        for (ours, column) in source
            .ours
            .iter()
            .map(|column| (true, column))
            .chain(source.own.iter().map(|column| (false, column)))
        {
            let line = object!({
                "type": "column",
                "source": source.source,
                "column": column.name,
                "ours": ours,
                "kind": column.kind,
                "mapping": column.mapping,
                "rows": source.rows,
                "filled": column.filled,
                "misread": column.misread,
                "examples": column.examples,
            });
            text.push_str(&format!("{line}\n"));
        }
    }
    text + &format!("{}\n", json::done(exit::DONE))
}
