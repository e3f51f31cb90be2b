//! Build: the catalog read once, every feed made in one pass, files written whole or not at all.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use bumpalo::Bump;

use crate::catalog::Batch;
use crate::catalog::products::{Gathering, Interrupted, ProductReader};
use crate::config::Project;
use crate::program::attribute::Problem;
use crate::program::evaluate::Evaluator;
use crate::program::feed::{FeedOutput, FeedRun, Fill};
use crate::program::lower::LateNumber;
use crate::recovery::{self, kill_point};
use crate::validate::finding::{Finding, Severity};

use super::joined::report_rejects;
use super::program::{self, Program, Wanted};
use super::run::run;
use super::written::Written;
use super::{Failure, Observer, exclude};

/// What to build, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Names of feeds; empty is all.
    pub feeds: Vec<String>,
    /// The run's moment.
    pub now: jiff::Timestamp,
    /// How many threads work on batches.
    pub threads: usize,
    /// Where files go; `None` writes nothing.
    pub folder: Option<PathBuf>,
    /// Whether files get their digests.
    pub digests: bool,
    /// Whether it is counted how many items have a value for each attribute.
    pub fill: bool,
    /// Whether the items are logged beside the files, for plans and publications.
    pub log: bool,
}

/// How one feed came out.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedReport {
    /// The feed.
    pub name: String,
    /// Its channel.
    pub channel: String,
    /// 0, or 1 when the data is over a limit and the old file stays.
    pub exit: u8,
    /// Records read, in the feed's kind of record.
    pub read: u64,
    /// Records the filter or an exclusion left out.
    pub filtered: u64,
    /// Records withheld for what is wrong with them.
    pub withheld: u64,
    /// Items written.
    pub written: u64,
    /// Warnings.
    pub warnings: u64,
    /// Bytes written, before compression.
    pub bytes: u64,
    /// The files.
    pub files: Vec<FileReport>,
    /// Seconds from the run's start until the feed stood.
    pub seconds: f64,
    /// Why the old file stays.
    pub held: Option<String>,
    /// How many of the items written have a value, attribute by attribute; empty where it was not asked for.
    pub fill: Vec<Filled>,
    /// Where the items are logged, where that was asked for.
    pub log: Option<Logs>,
}

/// The log of a feed's items, and their bytes where the files' own cannot be looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logs {
    /// The log.
    pub items: PathBuf,
    /// The items' bytes as they were rendered: of workbooks, and of files in another encoding than UTF-8.
    pub bodies: Option<PathBuf>,
}

/// How many items of a feed have a value for one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The attribute.
    pub attribute: String,
    /// Items with a value.
    pub items: u64,
}

/// One file of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// Where it stands, relative to the project.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Items in it.
    pub items: u64,
    /// Hex of its SHA-256, where digests were asked for.
    pub sha256: Option<String>,
}

/// How a run came out.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The feeds, in the project's order.
    pub feeds: Vec<FeedReport>,
    /// Rows of the master.
    pub rows: u64,
    /// Seconds it took.
    pub seconds: f64,
    /// Elements of templates that the crate rendered, feed by feed.
    pub slow: Vec<String>,
    /// The files that the catalog was read from, where items were logged.
    pub sources: Vec<String>,
}

impl Report {
    /// The exit code: 1 when every feed is over a limit, 3 when some are, 0 when none is.
    pub fn exit(&self) -> u8 {
        let over = self.feeds.iter().filter(|feed| feed.exit != 0).count();
        match over {
            0 => 0,
            all if all == self.feeds.len() => 1,
            _ => 3,
        }
    }
}

/// Why the pass ended early: for good, or to be begun again.
enum Stopped {
    Failed(Failure),
    Scattered,
}

impl From<Interrupted> for Stopped {
    fn from(interrupted: Interrupted) -> Self {
        match interrupted {
            Interrupted::Source(error) => Stopped::Failed(Failure::Source(error)),
            Interrupted::Scattered => Stopped::Scattered,
        }
    }
}

/// Builds feeds.
///
/// # Errors
/// When sources, configuration or the disk make it impossible; no file was changed then.
pub fn build(
    project: &Project,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Report, Failure> {
    match pass(project, options, None, observer) {
        Err(Stopped::Scattered) => {
            observer.restart();
            match pass(project, options, Some(Gathering::Whole), observer) {
                Err(Stopped::Scattered) => unreachable!("gathered products cannot stand apart"),
                other => other.map_err(failed),
            }
        }
        other => other.map_err(failed),
    }
}

fn failed(stopped: Stopped) -> Failure {
    match stopped {
        Stopped::Failed(failure) => failure,
        Stopped::Scattered => Failure::Disk("products stand apart".to_owned()),
    }
}

/// One pass over the catalog: compile, read, compute, check, render, write, commit.
fn pass(
    project: &Project,
    options: &Options,
    gathering: Option<Gathering>,
    observer: &mut dyn Observer,
) -> Result<Report, Stopped> {
    let started = Instant::now();
    let wanted = Wanted {
        feeds: &options.feeds,
        now: options.now,
        every_cell: options.folder.is_none(),
        log: options.log,
    };
    let (mut program, master) =
        program::compile(project, &wanted, observer).map_err(Stopped::Failed)?;
    for feed in &mut program.feeds {
        feed.fill = options.fill;
    }
    let program = program;
    kill_point(recovery::P1);
    let excluded = exclude::load(project, options.now).map_err(Stopped::Failed)?;
    let keys = |batch: &Batch| program.row_keys(batch);
    let mut reader = ProductReader::new(master, &keys, gathering.unwrap_or(program.gathering));
    check_frames(&program).map_err(Stopped::Failed)?;
    let frames: Vec<_> = (0..program.feeds.len())
        .map(|feed| frame(&program, feed))
        .collect();
    let mut written: Vec<Written<'_>> = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        written.push(Written::new(&program, index, options, frame).map_err(Stopped::Failed)?);
    }
    let mut rows = 0;
    let mut unmatched: BTreeMap<(String, String), u64> = BTreeMap::new();
    run::<Stopped>(&program, &mut reader, &excluded, options.threads, |work| {
        rows += work.rows;
        kill_point(recovery::P2);
        let rejected = report_rejects(&mut work.input.batch, &program.files, observer);
        for finding in &work.findings {
            observer.finding(finding);
        }
        for (value, count) in std::mem::take(&mut work.unmatched) {
            *unmatched.entry(value).or_default() += count;
        }
        for (index, feed) in written.iter_mut().enumerate() {
            feed.take(&program, work, index, rejected, observer)
                .map_err(Stopped::Failed)?;
        }
        observer.progress(rows);
        Ok(())
    })?;
    kill_point(recovery::P3);
    for remark in reader.take_remarks() {
        observer.remark(&remark);
    }
    report_unmet(&program, observer);
    report_unmatched(&unmatched, observer);
    let mut report = Report {
        rows,
        slow: program
            .tables
            .fallbacks
            .iter()
            .map(|fallback| fallback.shown.clone())
            .collect(),
        ..Report::default()
    };
    // Every feed stands whole beside its target before the first takes its place.
    for feed in &mut written {
        feed.finish(&program).map_err(Stopped::Failed)?;
    }
    for feed in written {
        let mut done = feed.commit(&program, project).map_err(Stopped::Failed)?;
        done.seconds = started.elapsed().as_secs_f64();
        report.feeds.push(done);
    }
    if options.log {
        report.sources = program.files.names().map(str::to_owned).collect();
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Head and tail of a feed's parts. That they can be made was asked before the run began.
fn frame<'p>(
    program: &'p Program,
    feed: usize,
) -> impl Fn(u64, Option<u64>) -> (Vec<u8>, Vec<u8>) + 'p {
    move |number, items| head_and_tail(program, feed, number, items).unwrap_or_default()
}

fn head_and_tail(
    program: &Program,
    feed: usize,
    number: u64,
    items: Option<u64>,
) -> Result<(Vec<u8>, Vec<u8>), Box<Problem>> {
    let arena = Bump::new();
    let unmatched = RefCell::default();
    let contexts = program.contexts(&arena, &unmatched);
    let batch = Batch::default();
    let run = Evaluator::new(
        &program.graph,
        &program.tables,
        &contexts,
        &arena,
        &batch,
        program.slots,
    );
    let nobody = |_: &str, _: &str| None;
    let mut feed_run = FeedRun::new(&program.feeds[feed], &run, program.sku, &nobody);
    let mut fill = |steps: &_| -> Result<Vec<u8>, Box<Problem>> {
        Ok(filled(&feed_run.document(steps)?, number, items))
    };
    Ok((
        fill(&program.feeds[feed].head)?,
        fill(&program.feeds[feed].tail)?,
    ))
}

/// A head or tail that cannot be made is a mistake in the template or in a setting.
fn check_frames(program: &Program) -> Result<(), Failure> {
    for (feed, channel) in program.channels.iter().enumerate() {
        if let Err(problem) = head_and_tail(program, feed, 1, Some(0)) {
            let path = channel
                .template
                .as_ref()
                .map_or(&channel.manifest_path, |(path, _)| path);
            let name = &program.feeds[feed].name;
            return Err(Failure::configuration(
                path,
                format!(
                    "feed `{name}`, what stands around the items: {}",
                    problem.message
                ),
                problem.hint,
            ));
        }
    }
    Ok(())
}

fn filled(output: &FeedOutput, number: u64, items: Option<u64>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(output.bytes.len());
    let mut at = 0;
    for hole in &output.holes {
        bytes.extend_from_slice(&output.bytes[at..hole.at]);
        at = hole.at;
        let value = match hole.fill {
            Fill::Number(LateNumber::Part) => number.to_string(),
            Fill::Number(LateNumber::Items { times, plus }) => items
                .unwrap_or(0)
                .saturating_mul(times)
                .saturating_add(plus)
                .to_string(),
            _ => String::new(),
        };
        bytes.extend_from_slice(value.as_bytes());
    }
    bytes.extend_from_slice(&output.bytes[at..]);
    bytes
}

/// Rows of joined sources that no record asked for.
fn report_unmet(program: &Program, observer: &mut dyn Observer) {
    for table in &program.tables.joined {
        for (key, row) in table.unmet() {
            let (batch, row) = table.row(row);
            observer.finding(&Finding {
                rule: "unknown-key",
                severity: Severity::Warning,
                feed: None,
                sku: Some(key.to_owned()),
                source: program.files.name(batch.file_of(row)).to_owned(),
                line: batch.line(row),
                column: String::new(),
                message: format!("`{key}` in source `{}` is met in no product", table.name),
                hint: "correct the key, add the product, or take the row out".to_owned(),
            });
        }
    }
}

/// Addresses a mapping table has no row for that are listed; a table of pictures misses them by the thousand.
const ADDRESSES_LISTED: usize = 20;

/// Values that a mapping table has no row for.
fn report_unmatched(unmatched: &BTreeMap<(String, String), u64>, observer: &mut dyn Observer) {
    let mut addresses: BTreeMap<&str, usize> = BTreeMap::new();
    for ((table, value), count) in unmatched {
        if value.contains("://") {
            let met = addresses.entry(table).or_default();
            *met += 1;
            if *met > ADDRESSES_LISTED {
                continue;
            }
        }
        let times = if *count == 1 {
            "once".to_owned()
        } else {
            format!("{count} times")
        };
        observer.finding(&Finding {
            rule: "unmapped",
            severity: Severity::Warning,
            feed: None,
            sku: None,
            source: table.clone(),
            line: 0,
            column: String::new(),
            message: format!("`{value}` has no row in this table, and was asked for {times}"),
            hint: "add a row with this value, or with the beginning of it".to_owned(),
        });
    }
    for (table, met) in addresses {
        let Some(more) = met.checked_sub(ADDRESSES_LISTED).filter(|more| *more > 0) else {
            continue;
        };
        observer.finding(&Finding {
            rule: "unmapped",
            severity: Severity::Warning,
            feed: None,
            sku: None,
            source: table.to_owned(),
            line: 0,
            column: String::new(),
            message: format!("{more} more addresses have no row in this table"),
            hint: "add a row for each: the address, and what the channel calls the picture"
                .to_owned(),
        });
    }
}
