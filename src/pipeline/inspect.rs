//! One SKU at one feed: what it becomes there, how, and why it does not.

use std::cell::RefCell;

use bumpalo::Bump;

use crate::catalog::Batch;
use crate::catalog::products::{Gathering, Interrupted, ProductReader};
use crate::channel::manifest::{AttributeLevel, Records};
use crate::config::Project;
use crate::program::attribute::Problem;
use crate::program::evaluate::{Evaluator, Product};
use crate::program::feed::{FeedOutput, FeedProgram, FeedRun, Fill, ProductRows};
use crate::program::lower::{LateNumber, Place};
use crate::program::nearest::nearest;
use crate::program::trace::{Places, Step, shown, trace};
use crate::validate::finding::Severity;

use super::program::{self, Program, Wanted};
use super::run::rows_of;
use super::{Failure, exclude, observer::Silent};

/// One attribute of the item, explained.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The attribute.
    pub attribute: String,
    /// Its mapping, as it is written.
    pub mapping: String,
    /// Its value, as people read it.
    pub value: String,
    /// The steps to it.
    pub steps: Vec<Step>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// The bytes it is written as, where it is written.
    pub bytes: String,
}

/// What one SKU is at one feed.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// The feed.
    pub feed: String,
    /// Where its record stands.
    pub place: String,
    /// Its attributes.
    pub attributes: Vec<Explained>,
    /// The item's bytes; empty when it is not written.
    pub bytes: String,
    /// Why it is not in the feed, and what would admit it; `None` when it is.
    pub reason: Option<(String, String)>,
    /// Warnings and errors of the whole item.
    pub problems: Vec<Problem>,
}

/// Looks a SKU up at some feeds (all, when none is named).
///
/// # Errors
/// What makes a build impossible; an unknown SKU, with its near miss.
pub fn inspect(
    project: &Project,
    sku: &str,
    feeds: &[String],
    now: jiff::Timestamp,
) -> Result<Vec<Inspected>, Failure> {
    match look(project, sku, feeds, now, None) {
        Err(Looked::Interrupted(Interrupted::Scattered)) => {
            look(project, sku, feeds, now, Some(Gathering::Whole)).map_err(Looked::into_failure)
        }
        other => other.map_err(Looked::into_failure),
    }
}

enum Looked {
    Failed(Failure),
    Interrupted(Interrupted),
}

impl Looked {
    fn into_failure(self) -> Failure {
        match self {
            Looked::Failed(failure) => failure,
            Looked::Interrupted(Interrupted::Source(error)) => Failure::Source(error),
            Looked::Interrupted(Interrupted::Scattered) => {
                Failure::Disk("products stand apart".to_owned())
            }
        }
    }
}

fn look(
    project: &Project,
    sku: &str,
    feeds: &[String],
    now: jiff::Timestamp,
    gathering: Option<Gathering>,
) -> Result<Vec<Inspected>, Looked> {
    let (program, master) = program::compile(
        project,
        &Wanted {
            feeds,
            now,
            every_cell: false,
            log: false,
        },
        &mut Silent,
    )
    .map_err(Looked::Failed)?;
    let excluded = exclude::load(project, now).map_err(Looked::Failed)?;
    let keys = |batch: &Batch| program.row_keys(batch);
    let mut reader = ProductReader::new(master, &keys, gathering.unwrap_or(program.gathering));
    let mut known: Vec<String> = Vec::new();
    while let Some(input) = reader.next().map_err(Looked::Interrupted)? {
        let arena = Bump::new();
        let unmatched = RefCell::default();
        let contexts = program.contexts(&arena, &unmatched);
        let run = Evaluator::new(
            &program.graph,
            &program.tables,
            &contexts,
            &arena,
            &input.batch,
            program.slots,
        );
        let singles = input.ends.is_empty();
        let products = if singles {
            input.batch.len()
        } else {
            input.ends.len()
        };
        let mut start = input.first;
        let mut variants = Vec::new();
        for product in 0..products {
            let end = if singles {
                product + 1
            } else {
                input.ends[product]
            };
            let product = rows_of(&program, &run, start, end, &mut variants);
            start = end;
            for &row in &variants {
                run.select(row, product);
                let here = run.text(program.sku).unwrap_or("");
                if here == sku {
                    let found = program.feeds.iter().map(|feed| {
                        at_feed(&program, feed, &run, row, product, &variants, &excluded)
                    });
                    return Ok(found.collect());
                }
                if known.len() < 200_000 {
                    known.push(here.to_owned());
                }
            }
        }
    }
    let near = nearest(sku, known.iter().map(String::as_str));
    let hint = near.map_or_else(
        || {
            "a ragged row or one without a SKU cannot be found by it: `shelfcast check` shows them"
                .to_owned()
        },
        |near| format!("did you mean `{near}`?"),
    );
    Err(Looked::Failed(Failure::configuration(
        "the catalog",
        format!("has no SKU `{sku}`"),
        hint,
    )))
}

fn at_feed(
    program: &Program,
    feed: &FeedProgram,
    run: &Evaluator<'_>,
    row: usize,
    product: Product,
    variants: &[usize],
    excluded: &dyn Fn(&str, &str) -> Option<String>,
) -> Inspected {
    let file = |number: u32| program.files.name(number).to_owned();
    let places = Places {
        file: &file,
        master: &program.master,
    };
    let (number, line) = {
        run.select(row, product);
        run.place()
    };
    // The item itself, by the same code that builds it.
    let mut output = FeedOutput::default();
    let mut feed_run = FeedRun::new(feed, run, program.sku, excluded);
    if feed.records == Records::Products {
        let rows = ProductRows { product, variants };
        feed_run.begin_product(product);
        for &variant in variants {
            run.select(variant, product);
            feed_run.variant(variant, u64::MAX, &mut output);
        }
        feed_run.whole_product(&rows, &mut output);
    } else {
        run.select(row, product);
        feed_run.variant(row, u64::MAX, &mut output);
    }
    run.select(row, product);
    run.set_variants(variants);
    if let Some((table, key)) = feed.stock {
        run.select_stock(run.stock_rows(table, key).first().copied());
        run.select_location(run.stock_location());
    }
    let mut attributes = Vec::new();
    for attribute in &feed.attributes {
        let mut problems = Vec::new();
        attribute.compute(run, &mut problems);
        let value = run.attribute(attribute.slot);
        if value.is_absent() && attribute.required && problems.is_empty() {
            attribute.check_presence(value, run, &mut problems);
        }
        if attribute.location.is_some() {
            run.select_location(attribute.location);
        }
        let source = attribute
            .list
            .as_ref()
            .map_or(attribute.value, |list| list.list);
        let steps = trace(run, &places, source);
        if attribute.location.is_some() {
            run.select_location(None);
        }
        let bytes = value
            .as_text()
            .map(|text| feed.escape.escaped(text))
            .unwrap_or_default();
        attributes.push(Explained {
            attribute: attribute.name.clone(),
            mapping: mapping(program, feed, &attribute.name),
            value: shown(value),
            steps,
            problems,
            bytes,
        });
    }
    let sku = run.text(program.sku).unwrap_or("").to_owned();
    let problems: Vec<Problem> = output
        .reported
        .iter()
        .filter(|reported| {
            reported.row == row
                || reported.sku.as_deref() == Some(sku.as_str())
                || feed.records == Records::Products
        })
        .map(|reported| reported.problem.clone())
        .collect();
    let mut reason = None;
    if output.items.is_empty() {
        reason = Some(why(
            program, feed, run, row, product, &sku, &problems, excluded, &places,
        ));
    } else if feed.records == Records::Products
        && let Some(problem) = output
            .reported
            .iter()
            .find(|reported| reported.row == row && reported.problem.severity == Severity::Error)
        && feed.attributes.iter().any(|attribute| {
            attribute.level == AttributeLevel::Variant && attribute.name == problem.attribute
        })
    {
        reason = Some((
            format!("this variant is withheld: {}", problem.problem.message),
            problem.problem.hint.clone(),
        ));
    }
    Inspected {
        feed: feed.name.clone(),
        place: format!("{}:{line}", program.files.name(number)),
        attributes,
        bytes: String::from_utf8_lossy(&alone(&output)).into_owned(),
        reason,
        problems,
    }
}

/// The mapping of an attribute as it is written, in the project or the manifest.
fn mapping(program: &Program, feed: &FeedProgram, attribute: &str) -> String {
    let index = program
        .feeds
        .iter()
        .position(|other| other.name == feed.name)
        .unwrap_or(0);
    if let Some(own) = program.configured[index].fields.get(attribute) {
        return format!("{own}   ([feed.fields])");
    }
    let source = program.channels[index].manifest.attributes.get(attribute);
    match source.map(|source| (source.list.as_deref(), source.value.as_deref())) {
        Some((Some(list), Some(value))) => format!("{value} for each of {list}"),
        Some((Some(list), None)) => format!("each of {list}"),
        Some((None, Some(value))) => value.to_owned(),
        _ => String::new(),
    }
}

#[allow(clippy::too_many_arguments)]
fn why(
    program: &Program,
    feed: &FeedProgram,
    run: &Evaluator<'_>,
    row: usize,
    product: Product,
    sku: &str,
    problems: &[Problem],
    excluded: &dyn Fn(&str, &str) -> Option<String>,
    places: &Places<'_>,
) -> (String, String) {
    run.select(row, product);
    if let Some(filter) = feed.filter
        && run.value(filter).is_ok_and(|value| !value.is_true())
    {
        let configured = program
            .configured
            .iter()
            .find(|configured| configured.name == feed.name);
        let channels = program
            .channels
            .iter()
            .find(|channel| channel.manifest.name == feed.channel)
            .and_then(|channel| channel.manifest.filter.clone());
        let own = configured.and_then(|configured| configured.filter.clone());
        let (whose, source) = match (own, channels) {
            (Some(own), Some(channels)) => (
                "the `where` of feed and channel",
                format!("({channels}) && ({own})"),
            ),
            (None, Some(channels)) => ("the channel's `where`", channels),
            (own, None) => ("the feed's `where`", own.unwrap_or_default()),
        };
        let values: Vec<String> = trace(run, places, filter)
            .into_iter()
            .map(|step| format!("{}{}", "  ".repeat(step.depth + 1), step.text))
            .collect();
        return (
            format!("{whose} leaves it out: {source}\n{}", values.join("\n")),
            "change the values above, or the filter in shelfcast.toml".to_owned(),
        );
    }
    if let Some(reason) = excluded(sku, &feed.name) {
        let reason = if reason.is_empty() {
            String::new()
        } else {
            format!(": {reason}")
        };
        return (
            format!("the exclusion list takes it out{reason}"),
            "take its row out of the list, or give it an end in `until`".to_owned(),
        );
    }
    match problems
        .iter()
        .find(|problem| problem.severity == Severity::Error)
    {
        Some(problem) => (
            format!("[{}] {}", problem.rule, problem.message),
            problem.hint.clone(),
        ),
        None if feed.records == Records::Stock => (
            "it has no stock row at the feed's locations".to_owned(),
            "add its rows to the stock source".to_owned(),
        ),
        None => (
            "it is the row of a product without variants left".to_owned(),
            "see its variants".to_owned(),
        ),
    }
}

/// The item's bytes as if it were the only one.
fn alone(output: &FeedOutput) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut at = 0;
    for hole in &output.holes {
        bytes.extend_from_slice(&output.bytes[at..hole.at]);
        at = hole.at;
        match hole.fill {
            Fill::Number(LateNumber::Index(more)) => {
                bytes.extend_from_slice(more.to_string().as_bytes())
            }
            Fill::Number(_) => bytes.push(b'1'),
            Fill::Either {
                place: Place::First | Place::Last | Place::GroupFirst | Place::GroupLast,
                then: (start, end),
                ..
            } => bytes.extend_from_slice(&output.alternatives[start..end]),
        }
    }
    bytes.extend_from_slice(&output.bytes[at..output.written()]);
    bytes
}
