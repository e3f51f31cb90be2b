//! `build`: every feed in one pass, files into `out/`. The pass and what is printed of it are `check`'s too.

use clap::Args;

use crate::config::Project;
use crate::pipeline::Failure;
use crate::pipeline::build::{self, Options, Report};
use crate::report::human::{self, Collected};
use crate::report::json;
use crate::term::Shell;

use super::exit;
use super::watching::{Asked, Watching};
use super::{Global, all_ready};

/// `build`.
#[derive(Debug, Args)]
pub struct Build {
    /// Feeds to build; all by default
    feeds: Vec<String>,
    /// Fail on findings of this kind
    #[arg(long, value_name = "WHAT", value_parser = ["warnings"])]
    deny: Option<String>,
    /// Make a feed for every channel whose required settings and attributes are there, whether the project has it or not
    #[arg(long, conflicts_with_all = ["feeds", "deny"])]
    all_ready: bool,
}

impl Build {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// What makes it impossible.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let project = Project::load(&global.project)?;
        if self.all_ready {
            return all_ready::run(project, global, shell);
        }
        let options = Options {
            feeds: self.feeds.clone(),
            now: global.now(&project.shop.timezone)?,
            threads: global.threads(),
            folder: (!global.dry_run).then(|| project.folder.join("out")),
            digests: shell.json,
            fill: false,
            log: false,
        };
        let (report, collected) = pass(&project, &options, &Asked::default(), shell)?;
        let code = code(&report, &collected, self.deny.as_deref());
        super::remember(json::summary(code, &report, collected.counts()));
        print(shell, &report, &collected, code, false)?;
        Ok(code)
    }
}

/// One pass, watched.
pub(super) fn pass(
    project: &Project,
    options: &Options,
    asked: &Asked,
    shell: &Shell,
) -> Result<(Report, Collected), Failure> {
    let mut watching = Watching::new(asked, shell)?;
    let report = build::build(project, options, &mut watching);
    let collected = watching.finish(report.is_ok())?;
    Ok((report?, collected))
}

/// Prints what came of a pass: findings and remarks, then the feeds.
pub(super) fn print(
    shell: &Shell,
    report: &Report,
    collected: &Collected,
    code: u8,
    findings_are_data: bool,
) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::Disk(format!("cannot write to standard output: {error}"));
    if shell.json {
        return shell
            .data(|out| {
                for feed in &report.feeds {
                    writeln!(out, "{}", json::feed(feed))?;
                }
                writeln!(out, "{}", json::summary(code, report, collected.counts()))
            })
            .map_err(failed);
    }
    for remark in &collected.remarks {
        shell.say(&format!("note: {}", shell.clean(remark)));
    }
    let mut grouped = Vec::new();
    human::findings(shell, collected, &mut grouped).map_err(failed)?;
    let grouped = String::from_utf8_lossy(&grouped).into_owned();
    if findings_are_data {
        shell
            .data(|out| out.write_all(grouped.as_bytes()))
            .map_err(failed)?;
    } else if !grouped.is_empty() {
        shell.say(&grouped);
    }
    shell
        .data(|out| {
            human::table(report, out)?;
            let (errors, warnings) = collected.counts();
            let rate = report.rows as f64 / report.seconds.max(0.001);
            writeln!(
                out,
                "{} records in {:.2} s ({rate:.0} a second); {errors} errors, {warnings} warnings",
                report.rows, report.seconds
            )
        })
        .map_err(failed)?;
    if shell.verbose > 0 {
        for slow in &report.slow {
            shell.say(&format!(
                "note: rendered by the slow path: {}",
                shell.clean(slow)
            ));
        }
    }
    Ok(())
}

/// The exit code of a pass.
pub(super) fn code(report: &Report, collected: &Collected, deny: Option<&str>) -> u8 {
    let denied = deny.is_some() && collected.counts().1 > 0;
    match report.exit() {
        exit::DONE if denied => exit::DATA,
        code => code,
    }
}
