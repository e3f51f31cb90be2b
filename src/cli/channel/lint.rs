//! `channel lint`: mistakes in manifests and templates, each with its place and the way out.

use clap::Args;
use serde_json::json;

use crate::channel::lint::{self, Problem};
use crate::cli::{Global, exit};
use crate::pipeline::Failure;
use crate::report::json::done;
use crate::term::Shell;
use crate::validate::finding::Severity;

use super::{chosen, unwritten};

/// `channel lint`.
#[derive(Debug, Args)]
pub(super) struct Lint {
    /// Channels to look at; all by default
    channels: Vec<String>,
    /// Fail on findings of this kind
    #[arg(long, value_name = "WHAT", value_parser = ["warnings"])]
    deny: Option<String>,
}

impl Lint {
    /// Runs it; 1 when something is wrong.
    ///
    /// # Errors
    /// An unknown channel.
    pub(super) fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let (mut errors, mut warnings) = (0_u64, 0_u64);
        let channels = chosen(&self.channels, global)?;
        for channel in &channels {
            for problem in lint::lint(Some(&global.project), channel) {
                match problem.severity {
                    Severity::Error => errors += 1,
                    Severity::Warning => warnings += 1,
                }
                tell(shell, channel, &problem)?;
            }
        }
        let wrong = errors > 0 || (self.deny.is_some() && warnings > 0);
        let code = if wrong { exit::DATA } else { exit::DONE };
        if shell.json {
            let mut line = done(code);
            (line["channels"], line["errors"], line["warnings"]) =
                (json!(channels.len()), json!(errors), json!(warnings));
            shell
                .data(|out| writeln!(out, "{line}"))
                .map_err(unwritten)?;
        } else {
            let noun = if channels.len() == 1 {
                "channel"
            } else {
                "channels"
            };
            shell
                .data(|out| {
                    writeln!(
                        out,
                        "{} {noun}: {errors} errors, {warnings} warnings",
                        channels.len()
                    )
                })
                .map_err(unwritten)?;
        }
        Ok(code)
    }
}

fn tell(shell: &Shell, channel: &str, problem: &Problem) -> Result<(), Failure> {
    if shell.json {
        let severity = if problem.severity == Severity::Error {
            "error"
        } else {
            "warning"
        };
        let line = json!({
            "type": "finding",
            "rule": problem.rule,
            "severity": severity,
            "channel": channel,
            "source": problem.path,
            "line": problem.line,
            "column": problem.column,
            "message": problem.message,
            "hint": problem.hint,
        });
        return shell.data(|out| writeln!(out, "{line}")).map_err(unwritten);
    }
    let word = if problem.severity == Severity::Error {
        shell.red("error")
    } else {
        shell.yellow("warning")
    };
    let mut text = format!(
        "{word}[{}]: {}\n  --> {}",
        problem.rule,
        shell.clean(&problem.message),
        problem.path
    );
    if problem.line > 0 {
        text.push_str(&format!(":{}", problem.line));
        if problem.column > 0 {
            text.push_str(&format!(":{}", problem.column));
        }
    }
    text.push('\n');
    if !problem.hint.is_empty() {
        text.push_str(&format!("  hint: {}\n", shell.clean(&problem.hint)));
    }
    shell.data(|out| writeln!(out, "{text}")).map_err(unwritten)
}
