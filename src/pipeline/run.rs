//! One pass makes all feeds: batches are read in order, worked on by several threads, and handed on in order again.
//!
//! The same bytes come out at any number of threads: workers see one batch each, and only the receiving side, which sees
//! them in order, knows of neighbours.

use std::cell::RefCell;
use std::collections::BTreeMap;

use bumpalo::Bump;
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::catalog::products::{Interrupted, ProductBatch, ProductReader};
use crate::program::evaluate::{Evaluator, Product};
use crate::program::feed::{FeedOutput, FeedRun, ProductRows};
use crate::validate::finding::{Finding, Severity};

use super::program::Program;

/// What the feeds made of one batch.
#[derive(Default)]
pub struct Work {
    /// The batch.
    pub input: ProductBatch,
    /// What each feed made of it.
    pub feeds: Vec<FeedOutput>,
    /// What is wrong with the catalog's own cells.
    pub findings: Vec<Finding>,
    /// Values that `map` found no row for, with how often.
    pub unmatched: BTreeMap<(String, String), u64>,
    /// Rows in it.
    pub rows: u64,
}

/// Says whether the project leaves a SKU out of a feed, and why.
pub type Excluded = dyn Fn(&str, &str) -> Option<String> + Sync;

/// Runs every feed on a batch.
pub fn process(program: &Program, excluded: &Excluded, arena: &Bump, work: &mut Work) {
    work.feeds
        .resize_with(program.feeds.len(), FeedOutput::default);
    for output in &mut work.feeds {
        output.clear();
    }
    work.findings.clear();
    let unmatched = RefCell::new(BTreeMap::new());
    {
        let batch = &work.input.batch;
        let contexts = program.contexts(arena, &unmatched);
        let run = Evaluator::new(
            &program.graph,
            &program.tables,
            &contexts,
            arena,
            batch,
            program.slots,
        );
        run.set_sku(program.sku);
        let mut feeds: Vec<FeedRun<'_, '_>> = program
            .feeds
            .iter()
            .map(|feed| FeedRun::new(feed, &run, program.sku, excluded))
            .collect();
        let mut variants = Vec::new();
        let mut start = work.input.first;
        let singles = work.input.ends.is_empty();
        let products = if singles {
            batch.len()
        } else {
            work.input.ends.len()
        };
        for product in 0..products {
            let end = if singles {
                product + 1
            } else {
                work.input.ends[product]
            };
            let product = rows_of(program, &run, start, end, &mut variants);
            run.settle(product);
            for feed in &mut feeds {
                feed.begin_product(product);
            }
            for &row in &variants {
                run.select(row, product);
                let differs = run.compare(program.watched.columns());
                run.touch(&program.joins);
                for &node in &program.every_cell {
                    // Asked for what reading the cell has to say; a failure is a feed's matter.
                    if run.value(node).is_err() {
                        continue;
                    }
                }
                for (feed, output) in feeds.iter_mut().zip(&mut work.feeds) {
                    feed.variant(row, differs, output);
                }
            }
            start = end;
            // Rows that are neither a product nor a variant are no record of any feed.
            if variants.is_empty() && !product.apart && program.role.is_some() {
                continue;
            }
            let rows = ProductRows {
                product,
                variants: &variants,
            };
            for (feed, output) in feeds
                .iter_mut()
                .zip(&mut work.feeds)
                .filter(|(feed, _)| feed.takes_products())
            {
                feed.whole_product(&rows, output);
            }
        }
        work.rows = (batch.len() - work.input.first) as u64;
        let mut told = std::collections::HashSet::new();
        for misread in run.take_misread() {
            // A cell is read anew for each product feed; it is told once.
            if !told.insert((
                misread.file,
                misread.line,
                misread.column.clone(),
                misread.trouble.rule,
            )) {
                continue;
            }
            work.findings.push(Finding {
                rule: misread.trouble.rule,
                severity: Severity::Warning,
                feed: None,
                sku: misread.sku,
                source: program.files.name(misread.file).to_owned(),
                line: misread.line,
                column: misread.column,
                message: misread.trouble.message,
                hint: misread.trouble.hint,
            });
        }
    }
    work.unmatched = unmatched.into_inner();
}

/// Which rows of a product are variants, and which one speaks for it.
pub fn rows_of(
    program: &Program,
    run: &Evaluator<'_>,
    start: usize,
    end: usize,
    variants: &mut Vec<usize>,
) -> Product {
    variants.clear();
    let mut product = Product {
        start,
        end,
        row: start,
        apart: false,
    };
    if end == start + 1 && program.role.is_none() {
        variants.push(start);
        return product;
    }
    let mut lone = None;
    for row in start..end {
        run.select(row, product);
        let role = match program.role {
            Some(role) => run.text(role).unwrap_or("variant").trim(),
            // Without a known layout, a first row without a SKU stands for the product.
            None if row == start && run.text(program.sku).is_none() => "product",
            None => "variant",
        };
        match role {
            "product" => {
                if !product.apart {
                    (product.row, product.apart) = (row, true);
                }
            }
            "extra" => {}
            // A product's own row, which is the variant where there is no other.
            "head" => {
                if !product.apart {
                    (product.row, product.apart) = (row, true);
                    lone = Some(row);
                }
            }
            _ => variants.push(row),
        }
    }
    if variants.is_empty()
        && let Some(row) = lone
    {
        variants.push(row);
        product.apart = false;
    }
    if !product.apart
        && let Some(&first) = variants.first()
        && program.role.is_some()
    {
        product.row = first;
    }
    product
}

/// Runs all feeds over the catalog and hands each batch's results on, in order.
///
/// # Errors
/// What the reader or the receiver says; everything stops then.
pub fn run<E: From<Interrupted>>(
    program: &Program,
    reader: &mut ProductReader<'_>,
    excluded: &Excluded,
    threads: usize,
    mut receive: impl FnMut(&mut Work) -> Result<(), E>,
) -> Result<(), E> {
    if threads <= 1 {
        let mut arena = Bump::new();
        let mut work = Work::default();
        while let Some(input) = reader.next()? {
            work.input = input;
            process(program, excluded, &arena, &mut work);
            receive(&mut work)?;
            reader.recycle(std::mem::take(&mut work.input.batch));
            arena.reset();
        }
        return Ok(());
    }
    let ring = threads + 2;
    let (free_in, free_out) = bounded::<Work>(ring);
    let (work_in, work_out) = bounded::<Work>(ring);
    let (done_in, done_out) = bounded::<Result<Work, Interrupted>>(ring + 1);
    for _ in 0..ring {
        drop(free_in.send(Work::default()));
    }
    std::thread::scope(|scope| {
        let failed = done_in.clone();
        scope.spawn(move || feed_workers(reader, &free_out, &work_in, &failed));
        for _ in 0..threads {
            let (work_out, done_in) = (work_out.clone(), done_in.clone());
            scope.spawn(move || {
                let mut arena = Bump::new();
                while let Ok(mut work) = work_out.recv() {
                    process(program, excluded, &arena, &mut work);
                    arena.reset();
                    if done_in.send(Ok(work)).is_err() {
                        break;
                    }
                }
            });
        }
        drop((done_in, work_out));
        let result = in_order(&done_out, &free_in, &mut receive);
        // Whoever still waits for room finds nobody at the other end.
        drop((done_out, free_in));
        result
    })
}

fn feed_workers(
    reader: &mut ProductReader<'_>,
    free: &Receiver<Work>,
    work: &Sender<Work>,
    failed: &Sender<Result<Work, Interrupted>>,
) {
    while let Ok(mut next) = free.recv() {
        reader.recycle(std::mem::take(&mut next.input.batch));
        match reader.next() {
            Ok(Some(input)) => {
                next.input = input;
                if work.send(next).is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(interrupted) => {
                // Nobody listens any more when the receiving side has failed first.
                drop(failed.send(Err(interrupted)));
                return;
            }
        }
    }
}

fn in_order<E: From<Interrupted>>(
    done: &Receiver<Result<Work, Interrupted>>,
    free: &Sender<Work>,
    receive: &mut impl FnMut(&mut Work) -> Result<(), E>,
) -> Result<(), E> {
    let mut waiting: BTreeMap<u64, Work> = BTreeMap::new();
    let mut next = 0;
    while let Ok(result) = done.recv() {
        let work = result?;
        waiting.insert(work.input.batch.sequence, work);
        while let Some(mut work) = waiting.remove(&next) {
            receive(&mut work)?;
            next += 1;
            // The reading side is gone when everything is read.
            drop(free.send(work));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
