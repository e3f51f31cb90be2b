//! `preview`, `explain` and `why-not`: one SKU as a channel gets it, how, and why it does not.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use clap::Args;

use crate::config::Project;
use crate::pipeline::inspect::{Inspected, inspect};
use crate::pipeline::{Failure, sample};
use crate::term::Shell;
use crate::validate::finding::Severity;

use super::Global;
use super::exit;

/// `preview`.
#[derive(Debug, Args)]
pub struct Preview {
    /// The variant
    #[arg(long, value_name = "SKU", required_unless_present = "channel")]
    sku: Option<String>,
    /// The feed; all by default
    #[arg(long, value_name = "FEED")]
    feed: Vec<String>,
    /// A channel, with twelve built-in items instead of a catalog
    #[arg(long, value_name = "NAME", conflicts_with_all = ["sku", "feed"])]
    channel: Option<String>,
    /// Show it again whenever a file changes
    #[arg(long)]
    watch: bool,
}

/// `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// A rule, whose page is shown; or, with --sku, an attribute
    subject: Option<String>,
    /// The variant
    #[arg(long, value_name = "SKU")]
    sku: Option<String>,
    /// The feed
    #[arg(long, value_name = "FEED", requires = "sku")]
    feed: Vec<String>,
    /// The sync whose level of the variant is explained, term by term
    #[arg(long, value_name = "NAME", requires = "sku", conflicts_with_all = ["feed", "subject"])]
    sync: Option<String>,
}

/// `why-not`.
#[derive(Debug, Args)]
pub struct WhyNot {
    /// The variant
    #[arg(long, value_name = "SKU")]
    sku: String,
    /// The feed; all by default
    #[arg(long, value_name = "FEED")]
    feed: Vec<String>,
}

/// What was being done when standard output refuses.
const STDOUT: &str = "cannot write to standard output";

impl Preview {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// What makes a build impossible.
    pub fn run(&self, global: &Global, shell: &Shell) -> anyhow::Result<u8> {
        if !self.watch {
            return self.once(global, shell);
        }
        let mut seen = Vec::new();
        loop {
            let now = stamps(&global.project);
            if now != seen {
                seen = now;
                shell
                    .data(|out| write!(out, "\u{1b}[2J\u{1b}[H"))
                    .context(STDOUT)?;
                // A mistake in a file is shown, and mended in the next round.
                if let Err(error) = self.once(global, shell) {
                    super::tell(shell, &error);
                }
                shell.say("watching; Ctrl-C ends it");
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    fn once(&self, global: &Global, shell: &Shell) -> anyhow::Result<u8> {
        if let Some(channel) = &self.channel {
            let rendered = sample::render(&global.project, channel)?;
            shell.data(|out| out.write_all(&rendered)).context(STDOUT)?;
            return Ok(exit::DONE);
        }
        let project = Project::load(&global.project)?;
        let sku = self.sku.as_deref().unwrap_or("");
        let found = inspect(
            &project,
            sku,
            &self.feed,
            global.now(&project.shop.timezone)?,
        )?;
        if shell.json {
            let lines: Vec<_> = found.iter().map(json_of).collect();
            shell
                .data(|out| {
                    for line in &lines {
                        writeln!(out, "{line}")?;
                    }
                    writeln!(out, "{}", crate::report::json::done(exit::DONE))
                })
                .context(STDOUT)?;
            return Ok(exit::DONE);
        }
        shell
            .data(|out| {
                for one in &found {
                    writeln!(
                        out,
                        "{}",
                        shell.bold(&format!("== {} ({})", one.feed, one.place))
                    )?;
                    match &one.reason {
                        Some((reason, hint)) => writeln!(
                            out,
                            "not in the feed: {}\n  hint: {}",
                            shell.clean(reason),
                            shell.clean(hint)
                        )?,
                        None => writeln!(out, "{}", one.bytes.trim_end())?,
                    }
                    for problem in one
                        .problems
                        .iter()
                        .filter(|problem| problem.severity == Severity::Warning)
                    {
                        writeln!(
                            out,
                            "{}[{}]: {}",
                            shell.yellow("warning"),
                            problem.rule,
                            shell.clean(&problem.message)
                        )?;
                    }
                    writeln!(out)?;
                }
                Ok(())
            })
            .context(STDOUT)?;
        Ok(exit::DONE)
    }
}

/// When the files that a preview depends on were last changed.
fn stamps(project: &std::path::Path) -> Vec<(PathBuf, SystemTime)> {
    let mut stamps = Vec::new();
    let mut folders = vec![project.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let hidden = path
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with('.') || name == "out" || name == "target");
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() && !hidden => folders.push(path),
                Ok(metadata) if !hidden => {
                    stamps.extend(metadata.modified().ok().map(|modified| (path, modified)))
                }
                _ => {}
            }
        }
    }
    stamps.sort();
    stamps
}

fn json_of(one: &Inspected) -> serde_json::Value {
    serde_json::json!({
        "type": "item",
        "feed": one.feed,
        "place": one.place,
        "written": one.reason.is_none(),
        "reason": one.reason.as_ref().map(|(reason, _)| reason),
        "hint": one.reason.as_ref().map(|(_, hint)| hint),
        "attributes": one.attributes.iter().map(|attribute| (attribute.attribute.clone(), serde_json::json!(attribute.value))).collect::<serde_json::Map<_, _>>(),
        "item": one.bytes,
    })
}

impl Explain {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// An unknown rule, SKU, feed or attribute; what makes a build impossible.
    pub fn run(&self, global: &Global, shell: &Shell) -> anyhow::Result<u8> {
        let Some(sku) = &self.sku else {
            return Ok(super::explain::rule(self.subject.as_deref(), shell)?);
        };
        if let Some(sync) = &self.sync {
            return Ok(super::explain::level(global, shell, sku, sync)?);
        }
        let project = Project::load(&global.project)?;
        let found = inspect(
            &project,
            sku,
            &self.feed,
            global.now(&project.shop.timezone)?,
        )?;
        if let Some(wanted) = &self.subject
            && !found.iter().any(|one| {
                one.attributes
                    .iter()
                    .any(|attribute| attribute.attribute == *wanted)
            })
        {
            let names = found
                .iter()
                .flat_map(|one| &one.attributes)
                .map(|attribute| attribute.attribute.as_str());
            let hint = crate::program::nearest::near(wanted, names).unwrap_or_else(|| {
                "`shelfcast channel show` lists a channel's attributes".to_owned()
            });
            return Err(Failure::configuration(
                "explain",
                format!("no feed here has an attribute `{wanted}`"),
                hint,
            )
            .into());
        }
        shell
            .data(|out| {
                for one in &found {
                    writeln!(
                        out,
                        "{}",
                        shell.bold(&format!("== {} at {} ({})", sku, one.feed, one.place))
                    )?;
                    if let Some((reason, hint)) = &one.reason {
                        writeln!(
                            out,
                            "not in the feed: {}\n  hint: {}",
                            shell.clean(reason),
                            shell.clean(hint)
                        )?;
                    }
                    let wanted =
                        |name: &str| self.subject.as_deref().is_none_or(|wanted| wanted == name);
                    for attribute in one
                        .attributes
                        .iter()
                        .filter(|attribute| wanted(&attribute.attribute))
                    {
                        writeln!(
                            out,
                            "{} = {}",
                            shell.bold(&attribute.attribute),
                            shell.clean(&attribute.value)
                        )?;
                        if !attribute.mapping.is_empty() {
                            writeln!(out, "  mapping: {}", shell.clean(&attribute.mapping))?;
                        }
                        for step in &attribute.steps {
                            writeln!(
                                out,
                                "  {}{}",
                                "  ".repeat(step.depth),
                                shell.clean(&step.text)
                            )?;
                        }
                        for problem in &attribute.problems {
                            writeln!(out, "  {}: {}", problem.rule, shell.clean(&problem.message))?;
                        }
                        if self.subject.is_some() && !attribute.bytes.is_empty() {
                            writeln!(out, "  written as: {}", shell.clean(&attribute.bytes))?;
                        }
                    }
                    writeln!(out)?;
                }
                Ok(())
            })
            .context(STDOUT)?;
        Ok(exit::DONE)
    }
}

impl WhyNot {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// An unknown SKU or feed; what makes a build impossible.
    pub fn run(&self, global: &Global, shell: &Shell) -> anyhow::Result<u8> {
        let project = Project::load(&global.project)?;
        let found = inspect(
            &project,
            &self.sku,
            &self.feed,
            global.now(&project.shop.timezone)?,
        )?;
        shell
            .data(|out| {
                for one in &found {
                    match &one.reason {
                        Some((reason, hint)) => {
                            writeln!(
                                out,
                                "{}: not in the feed ({})\n  {}\n  hint: {}",
                                one.feed,
                                one.place,
                                shell.clean(reason),
                                shell.clean(hint)
                            )?;
                        }
                        None => writeln!(out, "{}: in the feed ({})", one.feed, one.place)?,
                    }
                }
                Ok(())
            })
            .context(STDOUT)?;
        Ok(exit::DONE)
    }
}
