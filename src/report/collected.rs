//! Findings come in, one at a time; what is kept of them does not grow with their number: counts, and a few examples a rule.
//!
//! The same defect of one record in several feeds is one example with its feeds.

use std::collections::{BTreeMap, HashSet};

use xxhash_rust::xxh3::xxh3_64;

use crate::pipeline::Observer;
use crate::validate::finding::{Finding, Severity};
use crate::validate::rules::{self, Harm};

/// How many examples of a rule are kept to be shown.
const SHOWN: usize = 3;
/// How many messages an example keeps: feeds may say the same defect in different words.
const SAID: usize = 3;
/// Up to how many records are counted once each, 8 bytes for each; beyond it the count says `over`.
const RECORDS_MAX: usize = 1_000_000;
/// Up to how many columns are counted for each rule.
const COLUMNS_MAX: usize = 1_000;

/// Findings of one rule and severity.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// How many there were.
    pub count: u64,
    /// How many of them in each feed; `None` is the catalog's own.
    pub feeds: BTreeMap<Option<String>, u64>,
    /// How many of them in each column or attribute.
    pub columns: BTreeMap<String, u64>,
    /// The first records with it.
    pub examples: Vec<Example>,
    /// Whether every record had a SKU.
    skus: bool,
    /// What stands for the records.
    records: HashSet<u64>,
}

/// One record that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The first finding.
    pub first: Finding,
    /// What was said of it, in one or more feeds.
    pub said: Vec<Said>,
    /// How many findings said it in yet other words.
    pub others: u64,
}

/// What feeds say of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The column or attribute.
    pub column: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// In which feeds; empty for the catalog's own.
    pub feeds: Vec<String>,
}

impl Said {
    fn of(finding: &Finding) -> Self {
        Said {
            column: finding.column.clone(),
            message: finding.message.clone(),
            hint: finding.hint.clone(),
            feeds: finding.feed.iter().cloned().collect(),
        }
    }
}

impl Group {
    /// How many records it concerns, as in `3 SKUs`.
    pub fn records(&self) -> String {
        let number = self.records.len() as u64;
        let over = if self.records.len() == RECORDS_MAX {
            "over "
        } else {
            ""
        };
        format!(
            "{over}{}",
            super::text::count(number, if self.skus { "SKU" } else { "record" })
        )
    }

    /// How many feeds it concerns.
    pub fn feed_count(&self) -> u64 {
        self.feeds.keys().flatten().count() as u64
    }

    /// The columns it was found in, the most frequent first.
    pub fn columns(&self) -> Vec<(&str, u64)> {
        let mut columns: Vec<_> = self
            .columns
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .collect();
        columns.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
        columns
    }

    fn add(&mut self, finding: &Finding, keep: usize) {
        self.skus = finding.sku.is_some() && (self.skus || self.count == 0);
        self.count += 1;
        *self.feeds.entry(finding.feed.clone()).or_default() += 1;
        if self.columns.len() < COLUMNS_MAX || self.columns.contains_key(&finding.column) {
            *self.columns.entry(finding.column.clone()).or_default() += 1;
        }
        if self.records.len() < RECORDS_MAX {
            let record = match &finding.sku {
                Some(sku) => xxh3_64(sku.as_bytes()),
                None => xxh3_64(
                    format!(
                        "{}\n{}\n{}",
                        finding.source,
                        finding.line,
                        if finding.line == 0 {
                            &finding.message
                        } else {
                            ""
                        }
                    )
                    .as_bytes(),
                ),
            };
            self.records.insert(record);
        }
        let same = |example: &&mut Example| {
            let first = &example.first;
            first.line == finding.line
                && first.line > 0
                && first.sku == finding.sku
                && first.source == finding.source
        };
        if let Some(example) = self.examples.iter_mut().find(same) {
            example.add(finding);
        } else if self.examples.len() < keep {
            self.examples.push(Example {
                first: finding.clone(),
                said: vec![Said::of(finding)],
                others: 0,
            });
        }
    }
}

impl Example {
    /// How many findings it stands for.
    pub fn findings(&self) -> u64 {
        self.others
            + self
                .said
                .iter()
                .map(|said| said.feeds.len().max(1) as u64)
                .sum::<u64>()
    }

    fn add(&mut self, finding: &Finding) {
        let same =
            |said: &&mut Said| said.message == finding.message && said.column == finding.column;
        if let Some(said) = self.said.iter_mut().find(same) {
            said.feeds.extend(
                finding
                    .feed
                    .iter()
                    .filter(|feed| !said.feeds.contains(feed))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        } else if self.said.len() < SAID {
            self.said.push(Said::of(finding));
        } else {
            self.others += 1;
        }
    }
}

/// Collects what a run tells.
#[derive(Default)]
pub struct Collected {
    /// By severity and rule.
    pub groups: BTreeMap<(Severity, &'static str), Group>,
    /// What the sources' owner should hear.
    pub remarks: Vec<String>,
    /// How many examples of a rule are kept.
    pub keep: usize,
}

impl Collected {
    /// Keeps a few examples of each rule.
    pub fn new() -> Self {
        Collected::keeping(SHOWN)
    }

    /// Keeps so many examples of each rule.
    pub fn keeping(keep: usize) -> Self {
        Collected {
            keep,
            ..Collected::default()
        }
    }

    /// The groups, most harmful first: what withholds items, then what harms most, then what concerns most records.
    pub fn sorted(&self) -> Vec<(&'static str, Severity, &Group)> {
        let mut groups: Vec<_> = self
            .groups
            .iter()
            .map(|((severity, rule), group)| (*rule, *severity, group))
            .collect();
        let key = |rule: &str, severity: Severity, group: &Group| -> (Severity, Harm, usize, u64) {
            (
                severity,
                rules::harm(rule),
                group.records.len(),
                group.count,
            )
        };
        groups.sort_by(|(a, a_severity, a_group), (b, b_severity, b_group)| {
            key(b, *b_severity, b_group)
                .cmp(&key(a, *a_severity, a_group))
                .then(a.cmp(b))
        });
        groups
    }

    /// How many errors and warnings there were.
    pub fn counts(&self) -> (u64, u64) {
        let sum = |wanted: Severity| {
            self.groups
                .iter()
                .filter(|((severity, _), _)| *severity == wanted)
                .map(|(_, group)| group.count)
                .sum()
        };
        (sum(Severity::Error), sum(Severity::Warning))
    }
}

impl Observer for Collected {
    fn finding(&mut self, finding: &Finding) {
        self.groups
            .entry((finding.severity, finding.rule))
            .or_default()
            .add(finding, self.keep);
    }

    fn remark(&mut self, remark: &str) {
        self.remarks.push(remark.to_owned());
    }

    fn restart(&mut self) {
        self.groups.clear();
        self.remarks.clear();
    }
}
