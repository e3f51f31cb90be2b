//! Findings grouped by rule and shown a few times each; a table that adds up; errors with their way out.

use std::collections::BTreeMap;
use std::io::Write;

use crate::pipeline::Observer;
use crate::pipeline::build::Report;
use crate::term::Shell;
use crate::validate::finding::{Finding, Severity};

/// How many findings of a rule are kept to be shown.
const SHOWN: usize = 3;

/// Findings of one rule.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// How many there were.
    pub count: u64,
    /// The first of them.
    pub first: Vec<Finding>,
}

/// Collects what a run tells: counts, and the first findings of each rule.
#[derive(Default)]
pub struct Collected {
    /// By severity, rule and feed.
    pub groups: BTreeMap<(std::cmp::Reverse<Severity>, &'static str), Group>,
    /// What the sources' owner should hear.
    pub remarks: Vec<String>,
    /// How many findings of a rule are kept.
    pub keep: usize,
}

impl Collected {
    /// Keeps a few findings of each rule.
    pub fn new() -> Self {
        Collected { keep: SHOWN, ..Collected::default() }
    }

    /// The groups, most harmful first: errors before warnings, the most frequent first.
    pub fn sorted(&self) -> Vec<(&'static str, Severity, &Group)> {
        let mut groups: Vec<_> = self.groups.iter().map(|((severity, rule), group)| (*rule, severity.0, group)).collect();
        groups.sort_by_key(|(rule, severity, group)| (std::cmp::Reverse(*severity), std::cmp::Reverse(group.count), *rule));
        groups
    }

    /// How many errors and warnings there were.
    pub fn counts(&self) -> (u64, u64) {
        let sum = |wanted: Severity| self.groups.iter().filter(|((severity, _), _)| severity.0 == wanted).map(|(_, group)| group.count).sum();
        (sum(Severity::Error), sum(Severity::Warning))
    }
}

impl Observer for Collected {
    fn finding(&mut self, finding: &Finding) {
        let group = self.groups.entry((std::cmp::Reverse(finding.severity), finding.rule)).or_default();
        group.count += 1;
        if group.first.len() < self.keep {
            group.first.push(finding.clone());
        }
    }

    fn remark(&mut self, remark: &str) {
        self.remarks.push(remark.to_owned());
    }
}

/// One finding as the house writes it.
pub fn finding(shell: &Shell, finding: &Finding) -> String {
    let word = match finding.severity {
        Severity::Error => shell.red("error"),
        Severity::Warning => shell.yellow("warning"),
    };
    let mut text = format!("{word}[{}]: {}\n", finding.rule, shell.clean(&finding.message));
    let mut place = shell.clean(&finding.source);
    if finding.line > 0 {
        place.push_str(&format!(":{}", finding.line));
    }
    if !finding.column.is_empty() {
        place.push_str(&format!(", column `{}`", shell.clean(&finding.column)));
    }
    let mut whose = Vec::new();
    if let Some(sku) = &finding.sku {
        whose.push(format!("SKU `{}`", shell.clean(sku)));
    }
    if let Some(feed) = &finding.feed {
        whose.push(format!("feed `{feed}`"));
    }
    if !whose.is_empty() {
        place.push_str(&format!(" ({})", whose.join(", ")));
    }
    if !place.is_empty() {
        text.push_str(&format!("  --> {place}\n"));
    }
    if !finding.hint.is_empty() {
        text.push_str(&format!("  hint: {}\n", shell.clean(&finding.hint)));
    }
    text
}

/// Findings, grouped: each rule a few times, then a count.
pub fn findings(shell: &Shell, collected: &Collected, out: &mut dyn Write) -> std::io::Result<()> {
    for (rule, _, group) in collected.sorted() {
        for one in &group.first {
            writeln!(out, "{}", finding(shell, one))?;
        }
        let more = group.count - group.first.len() as u64;
        if more > 0 {
            writeln!(out, "  … and {more} more of `{rule}`; `shelfcast explain {rule}` says what it is\n")?;
        }
    }
    Ok(())
}

/// The table of feeds: counts that add up, and where the files are.
pub fn table(report: &Report, out: &mut dyn Write) -> std::io::Result<()> {
    let head = ["feed", "channel", "read", "filtered", "withheld", "written", "warnings", "size", "file"];
    let mut rows: Vec<[String; 9]> = vec![head.map(str::to_owned)];
    for feed in &report.feeds {
        let file = match (feed.files.as_slice(), &feed.held) {
            (_, Some(_)) => "not written".to_owned(),
            ([], None) => "-".to_owned(),
            ([one], None) => one.path.clone(),
            ([first, .., last], None) => format!("{} … {}", first.path, last.path),
        };
        rows.push([
            feed.name.clone(),
            feed.channel.clone(),
            feed.read.to_string(),
            feed.filtered.to_string(),
            feed.withheld.to_string(),
            feed.written.to_string(),
            feed.warnings.to_string(),
            size(feed.bytes),
            file,
        ]);
    }
    let widths: Vec<usize> = (0..9).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column] - cell.chars().count());
            let numeric = (2..8).contains(&column);
            line.push_str(&if numeric { format!("{pad}{cell}") } else { format!("{cell}{pad}") });
            line.push_str("  ");
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    for feed in &report.feeds {
        if let Some(held) = &feed.held {
            writeln!(out, "feed `{}` was not written: {held}; what stood there before stays", feed.name)?;
        }
    }
    Ok(())
}

/// Bytes as people read them.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // Tenths of the unit, in whole numbers.
    let mut tenths = bytes / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_234), "1.2 kB");
        assert_eq!(size(2_500_000), "2.5 MB");
    }
}
