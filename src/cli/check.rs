//! `check`: the same pass as `build` without its files; what is wrong, worst first, for the terminal, a colleague, the supplier.

use std::path::PathBuf;

use clap::Args;

use crate::config::Project;
use crate::pipeline::Failure;
use crate::pipeline::build::Options;
use crate::report::html;
use crate::term::Shell;
use crate::validate::rules;
use crate::write::atomic;

use super::watching::Asked;
use super::{Global, build};

/// How many examples of a rule the page of a report shows.
const EXAMPLES: usize = 20;
/// How many examples of a rule are printed.
const PRINTED: usize = 3;

/// `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Feeds to check; all by default
    feeds: Vec<String>,
    /// Fail on findings of this kind
    #[arg(long, value_name = "WHAT", value_parser = ["warnings"])]
    deny: Option<String>,
    /// Show, write and deny only findings of this rule; may be given several times
    #[arg(long, value_name = "NAME")]
    rule: Vec<String>,
    /// Write a page with charts that a colleague can open: one file, which asks for nothing else
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Write all findings as CSV for the supplier, safe to open in a spreadsheet
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

impl Check {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// What makes it impossible.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let asked = Asked {
            rules: wanted(&self.rule)?,
            supplier: self.csv.clone(),
            examples: self.report.is_some().then_some(EXAMPLES),
        };
        let project = Project::load(&global.project)?;
        let options = Options {
            feeds: self.feeds.clone(),
            now: global.now(&project.shop.timezone)?,
            threads: global.threads(),
            folder: None,
            digests: false,
            fill: shell.json || self.report.is_some(),
            log: false,
        };
        let (report, mut collected) = build::pass(&project, &options, &asked, shell)?;
        if let Some(path) = &self.report {
            let page = html::page(&html::Checked {
                shop: &project.shop,
                now: options.now,
                report: &report,
                collected: &collected,
            });
            atomic::write(path, page.as_bytes()).map_err(|error| {
                Failure::Disk(format!("cannot write {}: {error}", path.display()))
            })?;
            collected
                .groups
                .values_mut()
                .for_each(|group| group.examples.truncate(PRINTED));
        }
        let code = build::code(&report, &collected, self.deny.as_deref());
        build::print(shell, &report, &collected, code, true)?;
        for path in [&self.report, &self.csv].into_iter().flatten() {
            shell.say(&format!(
                "wrote {}",
                shell.clean(&path.display().to_string())
            ));
        }
        Ok(code)
    }
}

/// The rules of these names.
fn wanted(names: &[String]) -> Result<Vec<&'static str>, Failure> {
    names
        .iter()
        .map(|name| match rules::find(name) {
            Some(rule) => Ok(rule.name),
            None => {
                let hint = crate::validate::rules::nearest(name).map_or_else(
                    || {
                        "the name stands in brackets at each finding, as in `warning[cut]`"
                            .to_owned()
                    },
                    |near| format!("did you mean `{near}`?"),
                );
                Err(Failure::configuration(
                    "--rule",
                    format!("there is no rule `{name}`"),
                    hint,
                ))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
