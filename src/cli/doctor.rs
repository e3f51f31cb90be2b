//! `doctor`: whether everything that is kept is there and is what was kept.

use clap::Args;
use serde_json::json;

use crate::cli::kept::unwritten;
use crate::pipeline::Failure;
use crate::report::human::size;
use crate::report::json;
use crate::report::text::count;
use crate::state::{self, Examination};
use crate::term::Shell;

use super::{Global, exit};

/// `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {}

impl Doctor {
    /// Runs it; the exit code: 1 with findings, 8 when something that was kept is lost or wrong.
    ///
    /// # Errors
    /// What makes looking impossible.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let found = state::examine(&global.project)?;
        let code = if found.is_damaged() {
            exit::DISK
        } else if found.damages.is_empty() {
            exit::DONE
        } else {
            exit::DATA
        };
        shell
            .data(|out| {
                if shell.json {
                    return lines(&found, code, out);
                }
                human(&found, shell, out)
            })
            .map(|()| code)
            .map_err(unwritten)
    }
}

fn lines(found: &Examination, code: u8, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    for damage in &found.damages {
        let line = json!({
            "type": "damage",
            "severity": if damage.damaged { "error" } else { "warning" },
            "place": damage.place,
            "message": damage.message,
            "hint": damage.hint,
        });
        writeln!(out, "{line}")?;
    }
    let mut summary = json::done(code);
    summary["state"] = json!(found.present);
    summary["versions"] = json!(found.versions);
    summary["plans"] = json!(found.plans);
    summary["files"] = json!(found.files);
    summary["bytes"] = json!(found.stored_bytes);
    summary["actions"] = json!(found.actions);
    summary["damages"] = json!(found.damages.len());
    writeln!(out, "{summary}")
}

fn human(found: &Examination, shell: &Shell, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    for damage in &found.damages {
        let word = if damage.damaged {
            shell.red("damaged")
        } else {
            shell.yellow("finding")
        };
        writeln!(
            out,
            "{word}: {}: {}\n  hint: {}",
            shell.clean(&damage.place),
            shell.clean(&damage.message),
            shell.clean(&damage.hint)
        )?;
    }
    if !found.present {
        return writeln!(
            out,
            "nothing is kept yet: no feed has been published from here"
        );
    }
    writeln!(
        out,
        "{} in {} ({}), {}, {} in the log: {}",
        count(found.versions, "version"),
        count(found.files, "file"),
        size(found.stored_bytes),
        count(found.plans, "plan"),
        count(found.actions, "action"),
        match found.damages.len() as u64 {
            0 => shell.green("all as it was kept"),
            some => count(some, "finding"),
        }
    )
}
