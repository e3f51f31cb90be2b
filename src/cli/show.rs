//! `show FEED@VERSION`: one kept version: what it was made from, by whom, and where it was delivered; or its bytes.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::kept::{Kept, receipt_line, standing, unwritten, version_line};
use crate::pipeline::Failure;
use crate::report::human::size;
use crate::report::json;
use crate::report::table::table;
use crate::report::text::{count, thousands};
use crate::state::{Receipt, State, Version};
use crate::term::Shell;

use super::{Global, exit};

/// `show`.
#[derive(Debug, Args)]
pub struct Show {
    /// Which: `google-th@12`, `google-th@pending`, or `google-th` for the published one
    #[arg(value_name = "FEED@VERSION")]
    version: String,
    /// Write its files into this folder, as they were made
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Show {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// An unknown feed or version; a version that is damaged.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let kept = Kept::open(&global.project)?;
        let (state, version) = kept.version(&self.version)?;
        let standing = standing(state, &version)?;
        let receipts = state.receipts(&version.feed, version.version)?;
        if let Some(folder) = &self.output {
            state.extract(&version, folder)?;
        }
        let written = shell.data(|out| {
            if shell.json {
                writeln!(out, "{}", version_line(&version, &standing))?;
                for receipt in &receipts {
                    writeln!(out, "{}", receipt_line(&version, receipt))?;
                }
                let mut summary = json::done(exit::DONE);
                if let Some(folder) = &self.output {
                    summary["output"] = json!(folder);
                }
                writeln!(out, "{summary}")
            } else {
                let awaited = awaited(state, &version);
                human(&kept, &version, &standing, &receipts, &awaited, shell, out)
            }
        });
        written.map_err(unwritten)?;
        if let Some(folder) = &self.output {
            shell.say(&format!(
                "wrote {} to {}",
                count(version.files.len() as u64, "file"),
                folder.display()
            ));
        }
        Ok(exit::DONE)
    }
}

fn awaited(state: &State, version: &Version) -> Vec<String> {
    state
        .awaited(&version.feed, version.version)
        .unwrap_or_default()
}

fn human(
    kept: &Kept,
    version: &Version,
    standing: &str,
    receipts: &[Receipt],
    awaited: &[String],
    shell: &Shell,
    out: &mut dyn std::io::Write,
) -> std::io::Result<()> {
    let counts = &version.counts;
    let title = format!("{}@{}", version.feed, version.version);
    writeln!(out, "{} ({standing})", shell.bold(&title))?;
    let line = |out: &mut dyn std::io::Write, name: &str, value: &str| {
        writeln!(out, "  {name:14} {}", shell.clean(value))
    };
    line(out, "channel", &version.channel)?;
    line(
        out,
        "published",
        &version.published_at.map_or_else(
            || "never".to_owned(),
            |at| format!("{} {}", kept.moment(at), kept.zone()),
        ),
    )?;
    line(
        out,
        "recorded",
        &format!("{} by {}", kept.moment(version.recorded_at), version.who),
    )?;
    line(out, "made as of", &kept.moment(version.now))?;
    line(out, "made by", &version.engine)?;
    line(
        out,
        "records",
        &format!(
            "{} read = {} filtered + {} withheld + {} written; {}",
            thousands(counts.read),
            thousands(counts.filtered),
            thousands(counts.withheld),
            thousands(counts.written),
            count(counts.warnings, "warning")
        ),
    )?;
    line(out, "digest", &version.digest)?;
    line(out, "configuration", &version.configuration_digest)?;
    for source in &version.source_digests {
        line(
            out,
            "source",
            &format!("{}  {}", source.name, source.digest),
        )?;
    }
    if let Some(plan) = &version.plan {
        line(out, "plan", plan)?;
    }
    for allowed in &version.overrides {
        line(
            out,
            "let pass",
            &format!(
                "gate `{}` by {}, {}: {}",
                allowed.gate,
                allowed.who,
                kept.moment(allowed.at),
                allowed.reason
            ),
        )?;
    }
    writeln!(out)?;
    let mut rows = vec![
        ["file", "items", "size", "sha256"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(version.files.iter().map(|file| {
        vec![
            shell.clean(&file.name),
            thousands(file.items),
            size(file.bytes),
            file.sha256.clone(),
        ]
    }));
    table(&rows, &[1, 2], out)?;
    writeln!(out)?;
    for receipt in receipts {
        writeln!(
            out,
            "delivered to {} at {}: {}",
            shell.clean(&receipt.destination),
            kept.moment(receipt.at),
            count(receipt.files.len() as u64, "file")
        )?;
        for file in &receipt.files {
            writeln!(
                out,
                "  {}  {}  {}  {}",
                shell.clean(&file.name),
                size(file.bytes),
                file.sha256,
                shell.clean(&file.proof)
            )?;
        }
    }
    for destination in awaited {
        writeln!(out, "not yet confirmed by {}", shell.clean(destination))?;
    }
    Ok(())
}
