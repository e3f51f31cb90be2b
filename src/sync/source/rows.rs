//! One reading: from the records of an opened source to observations, and the proof that it was whole.
//!
//! Promised: a row without a SKU, or that cannot be read, is a finding and changes nothing; a reading whose end mark,
//! number of rows or sentinels do not fit is a failure, whatever was told before.

use hashbrown::HashSet;
use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use crate::catalog::open::{FileNames, SourceReader};
use crate::catalog::{Batch, SourceError, SourceProblem};
use crate::config::project::Source;
use crate::model::number::NumberLocale;
use crate::recovery;
use crate::sync::level::{Mark, Observation};
use crate::sync::planted;
use crate::validate::finding::{Finding, Severity};

use super::cell::{Trouble, ceiling, count};
use super::cursor::Progress;
use super::layout::{Layout, Row};
use super::mark::{MarkRules, mark};
use super::{SourceFailure, Tell};

/// Findings that are kept of one reading; the others are counted.
pub const FINDINGS_MAX: usize = 1_000;

/// What a reading is held against.
pub(super) struct Rules<'s> {
    pub(super) source: &'s Source,
    pub(super) numbers: Option<NumberLocale>,
    pub(super) marks: MarkRules,
    /// It holds all rows: sentinels must be there, and a SKU stands once at a location.
    pub(super) all: bool,
    /// Each row counts for itself, however many a SKU has, and a part of a unit counts as one: orders.
    pub(super) each: bool,
    /// The column of the count, for findings.
    pub(super) quantity: &'static str,
    /// Its end mark is looked for, where the source has one.
    pub(super) end: bool,
}

/// What came of a reading.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Rows with a SKU, the end mark not among them.
    pub(super) rows: u64,
    /// Records in all before the end mark, those that could not be read among them.
    pub(super) records: u64,
    /// Records that no one SKU's absence may be told from: unreadable, or without a SKU.
    pub(super) lost: u64,
    pub(super) findings: Vec<Finding>,
    pub(super) found: u64,
    pub(super) remarks: Vec<String>,
    /// The end mark was there, and fitted.
    pub(super) ended: bool,
}

struct Reading<'s> {
    rules: &'s Rules<'s>,
    names: &'s FileNames,
    tally: Tally,
    observation: Observation,
    keys: HashSet<u64>,
    key: String,
    missing: Vec<&'s str>,
    /// The end mark's file, line and count.
    end: Option<(String, u64, String)>,
}

/// Reads all records of an opened source and tells its observations.
pub(super) fn read(
    reader: &mut SourceReader,
    names: &FileNames,
    layout: &Layout,
    rules: &Rules<'_>,
    mut progress: Option<&mut Progress>,
    tell: Tell<'_>,
) -> Result<Tally, SourceFailure> {
    let mut reading = Reading::new(names, rules);
    let mut batch = Batch::default();
    while reader.read(&mut batch)? {
        recovery::kill_point(recovery::Y2);
        reading.rejects(&mut batch);
        layout.rows(&batch, &mut |row| {
            if let Some(progress) = progress.as_deref_mut() {
                progress.row(row.cursor, row.now)?;
            }
            reading.row(row, tell)
        })?;
    }
    reading.tally.remarks = reader.take_remarks();
    reading.finish()
}

/// Reads to the end what has no columns because it has no rows.
pub(super) fn read_nothing(
    reader: &mut SourceReader,
    names: &FileNames,
    rules: &Rules<'_>,
) -> Result<Tally, SourceFailure> {
    let mut batch = Batch::default();
    let mut reading = Reading::new(names, rules);
    while reader.read(&mut batch)? {
        reading.rejects(&mut batch);
    }
    reading.tally.remarks = reader.take_remarks();
    reading.finish()
}

impl<'s> Reading<'s> {
    fn new(names: &'s FileNames, rules: &'s Rules<'s>) -> Self {
        Reading {
            rules,
            names,
            tally: Tally::default(),
            observation: Observation::default(),
            keys: HashSet::new(),
            key: String::new(),
            missing: rules.source.sentinel.iter().map(String::as_str).collect(),
            end: None,
        }
    }

    /// Records that could not be read: which SKUs they are of, nobody knows.
    fn rejects(&mut self, batch: &mut Batch) {
        for reject in std::mem::take(&mut batch.rejects) {
            self.tally.records += 1;
            self.tally.lost += 1;
            self.find(Finding {
                rule: reject.rule,
                severity: Severity::Error,
                feed: None,
                sku: None,
                source: self.names.name(batch.file).to_owned(),
                line: reject.line,
                column: String::new(),
                message: reject.message,
                hint: reject.hint,
            });
        }
    }

    fn row(&mut self, row: &Row<'_>, tell: Tell<'_>) -> Result<(), SourceFailure> {
        if row.sku.is_empty() && self.is_blank(row) {
            // A line of separators counts nothing.
            return Ok(());
        }
        if let Some((_, line, _)) = &self.end {
            let after = self
                .broken(format!("a row comes after the end mark of line {line}"))
                .at_line(row.line);
            return self.unless_planted(after);
        }
        if self.rules.end && self.rules.source.end.as_deref() == Some(row.sku) {
            let file = self.names.name(row.file).to_owned();
            self.end = Some((file, row.line, row.quantity.to_owned()));
            return Ok(());
        }
        self.tally.records += 1;
        if row.sku.is_empty() {
            self.tally.lost += 1;
            let trouble = Trouble::new(
                "missing-key",
                "the row has no SKU, and changes nothing",
                "fill the column, or take the row out",
            );
            self.trouble(row, "sku", trouble);
            return Ok(());
        }
        self.tally.rows += 1;
        self.missing.retain(|sentinel| *sentinel != row.sku);
        let (mark, trouble) = match self.rules.each {
            true => (Mark::None, None),
            false => mark(row.order, row.tie, &self.rules.marks),
        };
        if let Some(trouble) = trouble {
            self.trouble(row, "order", trouble);
        }
        let once = self.rules.all && !self.rules.each && mark == Mark::None;
        if once && !self.is_first(row) {
            let trouble = Trouble::new(
                "duplicate-key",
                format!(
                    "`{}` stands a second time at the same location; the first row counts",
                    row.sku
                ),
                "give one row a SKU and location: sum them in the query, or say what orders them with `order`",
            );
            self.trouble(row, "sku", trouble);
            return Ok(());
        }
        let column = self.rules.quantity;
        let read = if self.rules.each { ceiling } else { count };
        let mut number = |text: &str, column: &str| {
            let (units, trouble) = read(text, self.rules.numbers.as_ref());
            if let Some(trouble) = trouble {
                self.trouble(row, column, trouble);
            }
            units
        };
        let quantity = number(row.quantity, column);
        let committed = number(row.committed, "committed");
        let safety_stock = number(row.safety_stock, "safety_stock");
        let observation = &mut self.observation;
        observation.location.clear();
        observation.location.push_str(row.location);
        observation.sku.clear();
        observation.sku.push_str(row.sku);
        observation.quantity = quantity;
        observation.committed = committed;
        observation.safety_stock = safety_stock;
        observation.mark = mark;
        tell(&self.observation).map_err(SourceFailure::State)
    }

    fn is_blank(&self, row: &Row<'_>) -> bool {
        [
            row.location,
            row.quantity,
            row.committed,
            row.safety_stock,
            row.order,
        ]
        .iter()
        .all(|cell| cell.is_empty())
    }

    /// Whether this is the first row of its SKU and location.
    fn is_first(&mut self, row: &Row<'_>) -> bool {
        self.key.clear();
        self.key.push_str(row.location);
        self.key.push('\u{1f}');
        self.key.push_str(row.sku);
        self.keys.insert(xxh3_64(self.key.as_bytes()))
    }

    #[cold]
    fn trouble(&mut self, row: &Row<'_>, column: &str, trouble: Trouble) {
        let fields = &self.rules.source.fields;
        let column = match column {
            "order" => self.rules.source.order.as_deref().unwrap_or("updated_at"),
            other => other,
        };
        let column = fields
            .get(column)
            .filter(|mapping| !mapping.contains("{{"))
            .map_or(column, String::as_str);
        let finding = Finding {
            rule: trouble.rule,
            severity: Severity::Warning,
            feed: None,
            sku: (!row.sku.is_empty()).then(|| row.sku.to_owned()),
            source: self.names.name(row.file).to_owned(),
            line: row.line,
            column: column.to_owned(),
            message: trouble.message,
            hint: trouble.hint,
        };
        self.find(finding);
    }

    fn find(&mut self, finding: Finding) {
        self.tally.found += 1;
        if self.tally.findings.len() < FINDINGS_MAX {
            self.tally.findings.push(finding);
        }
    }

    fn broken(&self, message: String) -> SourceError {
        let file = self
            .names
            .names()
            .last()
            .unwrap_or(&self.rules.source.name)
            .to_owned();
        SourceError::new(SourceProblem::NotWhole, file, message)
            .hint("nothing was taken from it; have it exported again, and look at what wrote it")
    }

    fn unless_planted(&self, error: SourceError) -> Result<(), SourceFailure> {
        if planted::is("drop the completeness check") {
            return Ok(());
        }
        Err(error.into())
    }

    /// Holds the reading against what proves it whole.
    fn finish(mut self) -> Result<Tally, SourceFailure> {
        let records = self.tally.records;
        match (&self.rules.source.end, &self.end) {
            (Some(mark), None) if self.rules.end => {
                let error = self.broken(format!(
                    "the last row is not the end mark `{mark}`: after {records} rows it is cut"
                ));
                self.unless_planted(error)?;
            }
            (_, Some((file, line, declared))) => {
                let counted = count(declared, self.rules.numbers.as_ref()).0;
                if counted.and_then(|rows| u64::try_from(rows).ok()) != Some(records) {
                    let says = if declared.is_empty() {
                        "no number of rows".to_owned()
                    } else {
                        format!("{declared} rows")
                    };
                    let mut error =
                        self.broken(format!("its end mark says {says}, and there are {records}"));
                    error.path.clone_from(file);
                    let error = error.at_line(*line).in_column(self.rules.quantity);
                    self.unless_planted(error)?;
                }
            }
            _ => {}
        }
        if self.rules.all && !self.missing.is_empty() {
            let listed: Vec<String> = self
                .missing
                .iter()
                .take(5)
                .map(|sku| format!("`{sku}`"))
                .collect();
            let error = self.broken(format!(
                "{} of `sentinel` {} not in it: it is not whole",
                listed.join(", "),
                if self.missing.len() == 1 { "is" } else { "are" },
            ));
            self.unless_planted(error)?;
        }
        self.tally.ended = self.end.is_some();
        Ok(self.tally)
    }
}

/// The marks' rules of a source, as of now.
pub(super) fn mark_rules(
    source: &Source,
    locale: Option<&str>,
    shop: &crate::config::project::Shop,
    now: Timestamp,
) -> MarkRules {
    let zone = source.timezone.as_deref().unwrap_or(&shop.timezone);
    MarkRules {
        zone: jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC),
        dates: locale.and_then(crate::model::date::DateOrder::from_tag),
        thai: source
            .language
            .as_deref()
            .unwrap_or(&shop.language)
            .starts_with("th"),
        now,
    }
}
