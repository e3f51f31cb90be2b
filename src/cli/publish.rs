//! `publish`, `plan` and `rollback`: what changes at the channels, seen and carried out.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::change::Gate;
use crate::config::{Project, span as spans};
use crate::pipeline::Failure;
use crate::pipeline::publication::{DEADLINE, Options};
use crate::pipeline::{planning, publish, rollback};
use crate::report::published;
use crate::term::Shell;

use super::Global;
use super::watching::{Asked, Watching};

/// How long a run may wait and work.
#[derive(Debug, Args)]
pub struct Times {
    /// Wait so long for another run to end, such as `60s`
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "0s")]
    wait: Duration,
    /// End after so long, whatever is left to do
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "1h")]
    deadline: Duration,
}

fn span(text: &str) -> Result<Duration, String> {
    spans::parse(text).map_err(|(message, hint)| format!("{message}: {hint}"))
}

/// `publish`.
#[derive(Debug, Args)]
pub struct Publish {
    /// Feeds to publish; by default all that have a destination
    feeds: Vec<String>,
    /// Send exactly what this plan showed
    #[arg(long, value_name = "PLAN", conflicts_with = "feeds")]
    plan: Option<String>,
    /// Refuse the plan when a source has changed since
    #[arg(long, requires = "plan")]
    strict_source: bool,
    /// Let a gate pass this once, such as `removed`; needs --reason
    #[arg(long, value_name = "GATE", requires = "reason", value_parser = Gate::parse)]
    allow: Vec<Gate>,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Take the pin of a rollback away
    #[arg(long)]
    unpin: bool,
    #[command(flatten)]
    times: Times,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// Feeds to look at; by default all that have a destination
    feeds: Vec<String>,
    /// Write a page that a colleague can open
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// `rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The feed
    feed: String,
    /// The version to put back; by default the one before
    version: Option<u64>,
    /// Why, for the log
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    #[command(flatten)]
    times: Times,
}

fn options(global: &Global, project: &Project) -> Result<Options, Failure> {
    Ok(Options {
        feeds: Vec::new(),
        now: global.now(&project.shop.timezone)?,
        threads: global.threads(),
        plan: None,
        allow: Vec::new(),
        reason: String::new(),
        unpin: false,
        strict_source: false,
        wait: Duration::ZERO,
        deadline: DEADLINE,
        dry_run: global.dry_run,
    })
}

impl Publish {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// What makes it impossible.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let project = Project::load(&global.project)?;
        let options = Options {
            feeds: self.feeds.clone(),
            plan: self.plan.clone(),
            allow: self.allow.clone(),
            reason: self.reason.clone().unwrap_or_default(),
            unpin: self.unpin,
            strict_source: self.strict_source,
            wait: self.times.wait,
            deadline: self.times.deadline,
            ..options(global, &project)?
        };
        let mut watching = Watching::new(&Asked::default(), shell)?;
        let report = publish::publish(&project, &options, &mut watching);
        let collected = watching.finish(report.is_ok())?;
        let report = report?;
        published::print(shell, &report, &collected, options.dry_run).map_err(output)?;
        super::remember(published::summary(report.exit(), &report, &collected));
        Ok(report.exit())
    }
}

impl Plan {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// What makes it impossible.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let project = Project::load(&global.project)?;
        let options = Options {
            feeds: self.feeds.clone(),
            ..options(global, &project)?
        };
        let mut watching = Watching::new(&Asked::default(), shell)?;
        let report = planning::plan(&project, &options, &published::document, &mut watching);
        let collected = watching.finish(report.is_ok())?;
        let report = report?;
        if let Some(path) = &self.report {
            let page = published::page(&project.shop, options.now, &report);
            crate::write::atomic::write(path, page.as_bytes()).map_err(|error| {
                Failure::Disk(format!("cannot write {}: {error}", path.display()))
            })?;
        }
        let zone =
            jiff::tz::TimeZone::get(&project.shop.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
        published::planned(shell, &report, &collected, &zone).map_err(output)?;
        // What a gate would stop is what a plan is there to show: that it was made is success.
        Ok(report.exit_as_plan())
    }
}

impl Rollback {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// What makes it impossible.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let project = Project::load(&global.project)?;
        let options = Options {
            reason: self.reason.clone(),
            wait: self.times.wait,
            deadline: self.times.deadline,
            ..options(global, &project)?
        };
        let mut watching = Watching::new(&Asked::default(), shell)?;
        let report =
            rollback::rollback(&project, &self.feed, self.version, &options, &mut watching);
        let collected = watching.finish(report.is_ok())?;
        let report = report?;
        published::rolled_back(shell, &report, &collected, options.dry_run).map_err(output)?;
        super::remember(published::summary(report.exit(), &report, &collected));
        Ok(report.exit())
    }
}

fn output(error: std::io::Error) -> Failure {
    Failure::Disk(format!("cannot write to standard output: {error}"))
}
