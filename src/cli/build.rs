//! `build` and `check`: the same pass, with and without files.


use clap::Args;

use crate::config::Project;
use crate::pipeline::build::{self, Options, Report};
use crate::pipeline::{Failure, Observer};
use crate::report::human::{self, Collected};
use crate::report::json;
use crate::term::Shell;
use crate::validate::finding::Finding;

use super::Global;
use super::exit;

/// `build`.
#[derive(Debug, Args)]
pub struct Build {
    /// Feeds to build; all by default
    feeds: Vec<String>,
    /// Fail on findings of this kind
    #[arg(long, value_name = "WHAT", value_parser = ["warnings"])]
    deny: Option<String>,
}

/// `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Feeds to check; all by default
    feeds: Vec<String>,
    /// Fail on findings of this kind
    #[arg(long, value_name = "WHAT", value_parser = ["warnings"])]
    deny: Option<String>,
}

impl Build {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// What makes it impossible.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let project = Project::load(&global.project)?;
        let folder = Some(project.folder.join("out"));
        let (report, collected) = pass(&project, &self.feeds, folder, global, shell)?;
        print(shell, &report, &collected, false)?;
        Ok(code(&report, &collected, self.deny.as_deref()))
    }
}

impl Check {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// What makes it impossible.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let project = Project::load(&global.project)?;
        let (report, collected) = pass(&project, &self.feeds, None, global, shell)?;
        print(shell, &report, &collected, true)?;
        Ok(code(&report, &collected, self.deny.as_deref()))
    }
}

/// Prints findings as they come, for programs; collects them for people.
struct Watching<'s> {
    collected: Collected,
    shell: &'s Shell,
    bar: Option<indicatif::ProgressBar>,
}

impl Observer for Watching<'_> {
    fn finding(&mut self, finding: &Finding) {
        self.collected.finding(finding);
        if self.shell.json {
            let line = json::finding(finding);
            drop(self.shell.data(|out| writeln!(out, "{line}")));
        }
    }

    fn remark(&mut self, remark: &str) {
        self.collected.remark(remark);
    }

    fn progress(&mut self, records: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(records);
        }
    }
}

fn pass(
    project: &Project,
    feeds: &[String],
    folder: Option<std::path::PathBuf>,
    global: &Global,
    shell: &Shell,
) -> Result<(Report, Collected), Failure> {
    let options =
        Options { feeds: feeds.to_vec(), now: global.now(&project.shop.timezone)?, threads: global.threads(), folder, digests: shell.json };
    let bar = shell.progress.then(|| {
        let bar = indicatif::ProgressBar::new_spinner();
        let style = indicatif::ProgressStyle::with_template("{spinner} {pos} records, {per_sec}, {elapsed}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar
    });
    let mut watching = Watching { collected: Collected::new(), shell, bar };
    let report = build::build(project, &options, &mut watching);
    if let Some(bar) = &watching.bar {
        bar.finish_and_clear();
    }
    Ok((report?, watching.collected))
}

fn print(shell: &Shell, report: &Report, collected: &Collected, findings_first: bool) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Disk(format!("cannot write to standard output: {error}"));
    if shell.json {
        return shell
            .data(|out| {
                for feed in &report.feeds {
                    writeln!(out, "{}", json::feed(feed))?;
                }
                writeln!(out, "{}", json::summary(report.exit()))
            })
            .map_err(failed);
    }
    for remark in &collected.remarks {
        shell.say(&format!("note: {}", shell.clean(remark)));
    }
    let mut grouped = Vec::new();
    human::findings(shell, collected, &mut grouped).map_err(failed)?;
    let grouped = String::from_utf8_lossy(&grouped).into_owned();
    if findings_first {
        shell.data(|out| out.write_all(grouped.as_bytes())).map_err(failed)?;
    } else {
        shell.say(grouped.trim_end());
    }
    shell
        .data(|out| {
            human::table(report, out)?;
            let (errors, warnings) = collected.counts();
            let rate = report.rows as f64 / report.seconds.max(0.001);
            writeln!(out, "{} records in {:.2} s ({rate:.0} a second); {errors} errors, {warnings} warnings", report.rows, report.seconds)
        })
        .map_err(failed)?;
    if shell.verbose > 0 {
        for slow in &report.slow {
            shell.say(&format!("note: rendered by the slow path: {slow}"));
        }
    }
    Ok(())
}

fn code(report: &Report, collected: &Collected, deny: Option<&str>) -> u8 {
    let denied = deny.is_some() && collected.counts().1 > 0;
    match report.exit() {
        exit::DONE if denied => exit::DATA,
        code => code,
    }
}
