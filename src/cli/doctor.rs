//! `doctor`: whether everything that is kept is there and is what was kept, of feeds and of syncs; and what of the project
//! leaves a promise weaker than it could be.

use clap::Args;
use serde_json::json;

use crate::cli::kept::unwritten;
use crate::config::Project;
use crate::pipeline::Failure;
use crate::report::human::size;
use crate::report::json;
use crate::report::text::count;
use crate::state::{self, Examination};
use crate::sync::examine;
use crate::sync::state::{doctor, sqlite};
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
        let mut found = state::examine(&global.project)?;
        let synced = Synced::look(global, &mut found)?;
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
                    return lines(&found, &synced, code, out);
                }
                human(&found, &synced, shell, out)
            })
            .map(|()| code)
            .map_err(unwritten)
    }
}

/// What was looked at of syncs.
#[derive(Default)]
struct Synced {
    stores: u64,
    levels: u64,
    lines: u64,
    advice: Vec<(String, String)>,
}

impl Synced {
    /// Looks at the states of all stores; damages join the others.
    fn look(global: &Global, found: &mut Examination) -> Result<Self, Failure> {
        let mut synced = Synced::default();
        // Without a project, or with a wrong one, there is nothing to compare states with.
        let Ok(project) = Project::load(&global.project) else {
            return Ok(synced);
        };
        let now = global.now(&project.shop.timezone)?;
        for store in &project.store {
            let damages = doctor::examine(&project.folder, &store.name);
            let damaged = damages.iter().any(|damage| damage.damaged);
            found.damages.extend(damages);
            // Of a damaged state no more can be said.
            let state = match sqlite::read(&project.folder, &store.name) {
                Ok(Some(state)) => state,
                Ok(None) => continue,
                Err(_) if damaged => continue,
                Err(error) => return Err(error.into()),
            };
            synced.stores += 1;
            let examined = examine::state(&state, &store.name, &project, now)?;
            synced.levels += examined.levels;
            synced.lines += examined.lines;
            found.damages.extend(examined.damages);
        }
        if !project.sync.is_empty() {
            synced.advice = examine::advice(&project);
        }
        Ok(synced)
    }
}

fn lines(
    found: &Examination,
    synced: &Synced,
    code: u8,
    out: &mut dyn std::io::Write,
) -> std::io::Result<()> {
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
    for (message, hint) in &synced.advice {
        let line = json!({ "type": "advice", "message": message, "hint": hint });
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
    if synced.stores > 0 {
        summary["stores"] = json!(synced.stores);
        summary["levels"] = json!(synced.levels);
        summary["ledger"] = json!(synced.lines);
    }
    writeln!(out, "{summary}")
}

fn human(
    found: &Examination,
    synced: &Synced,
    shell: &Shell,
    out: &mut dyn std::io::Write,
) -> std::io::Result<()> {
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
    for (message, hint) in &synced.advice {
        writeln!(
            out,
            "{}: {}\n  hint: {}",
            shell.bold("advice"),
            shell.clean(message),
            shell.clean(hint)
        )?;
    }
    if synced.stores > 0 {
        writeln!(
            out,
            "{} of {}, {} in the ledger",
            count(synced.levels, "level"),
            count(synced.stores, "store"),
            count(synced.lines, "line")
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
