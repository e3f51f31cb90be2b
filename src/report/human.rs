//! Findings grouped by rule and shown a few times each; a table that adds up; errors with their way out.

use std::io::Write;

use super::text::{count, message, several, thousands, value};
use crate::pipeline::build::Report;
use crate::term::Shell;
use crate::validate::finding::{Finding, Severity};
use crate::validate::rules;

pub use super::collected::Collected;
use super::collected::{Example, Group};

/// How many feeds of an example are named.
const FEEDS: usize = 4;
/// How many columns of a rule are named.
const COLUMNS: usize = 4;

/// One finding as the house writes it.
pub fn finding(shell: &Shell, finding: &Finding) -> String {
    let feeds: Vec<String> = finding.feed.iter().cloned().collect();
    let mut text = format!(
        "{}: {}\n",
        head(shell, finding.rule, finding.severity),
        message(&finding.message)
    );
    let place = place(finding, Some(&finding.column), &feeds);
    if !place.is_empty() {
        text.push_str(&format!("  --> {place}\n"));
    }
    if !finding.hint.is_empty() {
        text.push_str(&format!("  hint: {}\n", message(&finding.hint)));
    }
    text
}

fn head(shell: &Shell, rule: &str, severity: Severity) -> String {
    let word = match severity {
        Severity::Error => shell.red("error"),
        Severity::Warning => shell.yellow("warning"),
    };
    format!("{word}[{}]", shell.bold(rule))
}

/// `catalog.csv:18, column `ean` (SKU `A-1`, feeds `a` and `b`)`.
fn place(finding: &Finding, column: Option<&str>, feeds: &[String]) -> String {
    let mut place = value(&finding.source);
    if finding.line > 0 {
        place.push_str(&format!(":{}", finding.line));
    }
    if let Some(column) = column.filter(|column| !column.is_empty()) {
        place.push_str(&format!(", column `{}`", value(column)));
    }
    let mut whose = Vec::new();
    if let Some(sku) = &finding.sku {
        whose.push(format!("SKU `{}`", value(sku)));
    }
    if !feeds.is_empty() {
        whose.push(several("feed", feeds, FEEDS));
    }
    if !whose.is_empty() {
        place.push_str(&format!(" ({})", whose.join(", ")));
    }
    place
}

/// Findings, grouped, most harmful first: each rule with a few examples, a count and the way out.
///
/// # Errors
/// When the output refuses.
pub fn findings(shell: &Shell, collected: &Collected, out: &mut dyn Write) -> std::io::Result<()> {
    for (rule, severity, group) in collected.sorted() {
        match group.examples.as_slice() {
            [example] if example.said.len() == 1 && example.others == 0 => {
                single(shell, example, out)?
            }
            _ => several_examples(shell, rule, severity, group, out)?,
        }
        writeln!(out)?;
    }
    Ok(())
}

/// A rule that one record breaks: the finding itself.
fn single(shell: &Shell, example: &Example, out: &mut dyn Write) -> std::io::Result<()> {
    let (first, said) = (&example.first, &example.said[0]);
    writeln!(
        out,
        "{}: {}",
        head(shell, first.rule, first.severity),
        message(&said.message)
    )?;
    let place = place(first, Some(&said.column), &said.feeds);
    if !place.is_empty() {
        writeln!(out, "  --> {place}")?;
    }
    way_out(first.rule, Some(&said.hint), out)
}

fn several_examples(
    shell: &Shell,
    rule: &str,
    severity: Severity,
    group: &Group,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let title = rules::find(rule).map_or("", |rule| rule.title);
    writeln!(out, "{}: {title}", head(shell, rule, severity))?;
    writeln!(out, "  {}", extent(group))?;
    // The way out stands once, unless it is another one for each record.
    let hints: Vec<&str> = group
        .examples
        .iter()
        .filter_map(|example| example.said.first())
        .map(|said| said.hint.as_str())
        .collect();
    let one = hints.windows(2).all(|pair| pair[0] == pair[1]);
    for example in &group.examples {
        match example.said.as_slice() {
            [said] if example.others == 0 => {
                writeln!(
                    out,
                    "  --> {}",
                    place(&example.first, Some(&said.column), &said.feeds)
                )?;
                writeln!(out, "      {}", message(&said.message))?;
            }
            all => {
                writeln!(out, "  --> {}", place(&example.first, None, &[]))?;
                for said in all {
                    let feeds = several("feed", &said.feeds, FEEDS);
                    let feeds = if feeds.is_empty() {
                        feeds
                    } else {
                        format!(" ({feeds})")
                    };
                    writeln!(out, "      {}{feeds}", message(&said.message))?;
                }
                if example.others > 0 {
                    writeln!(out, "      … and {}", count(example.others, "more finding"))?;
                }
            }
        }
        if let Some(said) = example
            .said
            .first()
            .filter(|said| !one && !said.hint.is_empty())
        {
            writeln!(out, "      hint: {}", message(&said.hint))?;
        }
    }
    let shown: u64 = group.examples.iter().map(Example::findings).sum();
    if shown < group.count {
        writeln!(
            out,
            "  … and {}",
            count(group.count - shown, "more finding")
        )?;
    }
    way_out(rule, hints.first().copied().filter(|_| one), out)
}

/// How far a defect reaches: `15 findings, 2 SKUs, 9 feeds; in `image` 12, `title` 3`.
pub fn extent(group: &Group) -> String {
    let mut text = format!("{}, {}", count(group.count, "finding"), group.records());
    let feeds = group.feed_count();
    if feeds > 0 {
        text.push_str(&format!(", {}", count(feeds, "feed")));
    }
    let columns = group.columns();
    if columns.len() > 1 {
        let named: Vec<String> = columns
            .iter()
            .take(COLUMNS)
            .map(|(name, number)| {
                format!(
                    "{} {}",
                    if name.is_empty() {
                        "no column".to_owned()
                    } else {
                        format!("`{}`", value(name))
                    },
                    thousands(*number)
                )
            })
            .collect();
        text.push_str(&format!("; in {}", named.join(", ")));
        if columns.len() > COLUMNS {
            text.push_str(&format!(
                " and {}",
                count((columns.len() - COLUMNS) as u64, "other column")
            ));
        }
    }
    text
}

fn way_out(rule: &str, hint: Option<&str>, out: &mut dyn Write) -> std::io::Result<()> {
    match hint.filter(|hint| !hint.is_empty()) {
        Some(hint) => writeln!(
            out,
            "  hint: {}. More: shelfcast explain {rule}",
            message(hint)
        ),
        None => writeln!(out, "  more: shelfcast explain {rule}"),
    }
}

/// The table of feeds: counts that add up, and where the files are.
///
/// # Errors
/// When the output refuses.
pub fn table(report: &Report, out: &mut dyn Write) -> std::io::Result<()> {
    let head = [
        "feed", "channel", "read", "filtered", "withheld", "written", "warnings", "size", "time",
        "file",
    ];
    let mut rows: Vec<[String; 10]> = vec![head.map(str::to_owned)];
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
            format!("{:.2} s", feed.seconds),
            file,
        ]);
    }
    let widths: Vec<usize> = (0..10)
        .map(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column] - cell.chars().count());
            let numeric = (2..9).contains(&column);
            line.push_str(&if numeric {
                format!("{pad}{cell}")
            } else {
                format!("{cell}{pad}")
            });
            line.push_str("  ");
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    for feed in &report.feeds {
        if let Some(held) = &feed.held {
            writeln!(
                out,
                "feed `{}` was not written: {held}; what stood there before stays",
                feed.name
            )?;
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
    use crate::pipeline::Observer;

    const PLAIN: Shell = Shell {
        colour: false,
        quiet: false,
        verbose: 0,
        json: false,
        progress: false,
    };

    fn found(
        rule: &'static str,
        severity: Severity,
        feed: Option<&str>,
        sku: &str,
        line: u64,
        text: &str,
    ) -> Finding {
        Finding {
            rule,
            severity,
            feed: feed.map(str::to_owned),
            sku: Some(sku.to_owned()),
            source: "catalog.csv".to_owned(),
            line,
            column: "title".to_owned(),
            message: text.to_owned(),
            hint: "mend it".to_owned(),
        }
    }

    fn shown(found: &[Finding]) -> String {
        let mut collected = Collected::new();
        found.iter().for_each(|finding| collected.finding(finding));
        let mut out = Vec::new();
        findings(&PLAIN, &collected, &mut out).expect("written");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn one_defect_in_many_feeds_is_shown_once() {
        let feeds: Vec<String> = (1..=16).map(|number| format!("feed-{number:02}")).collect();
        let all: Vec<Finding> = feeds
            .iter()
            .map(|feed| {
                found(
                    "missing-required",
                    Severity::Error,
                    Some(feed),
                    "A-1",
                    7,
                    "`title` has no value",
                )
            })
            .collect();
        let expected = "error[missing-required]: `title` has no value\n  --> catalog.csv:7, column `title` (SKU `A-1`, feeds `feed-01`, `feed-02`, `feed-03`, `feed-04` and 12 more)\n  hint: mend it. More: shelfcast explain missing-required\n\n";
        assert_eq!(shown(&all), expected);
    }

    #[test]
    fn the_worst_comes_first_and_many_become_a_count() {
        let mut all = vec![
            found("unknown-key", Severity::Warning, None, "K", 1, "k"),
            found("cut", Severity::Warning, Some("a"), "C", 1, "c"),
            found("price-not-a-number", Severity::Warning, None, "P", 1, "p"),
        ];
        all.extend((0..40).map(|line| {
            found(
                "cut",
                Severity::Warning,
                Some("a"),
                &format!("C{line}"),
                line + 2,
                "c",
            )
        }));
        all.push(found("too-long", Severity::Error, Some("a"), "L", 9, "l"));
        let text = shown(&all);
        let heads: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with(['e', 'w']))
            .map(|line| line.split(':').next().unwrap_or(""))
            .collect();
        assert_eq!(
            heads,
            [
                "error[too-long]",
                "warning[price-not-a-number]",
                "warning[cut]",
                "warning[unknown-key]"
            ]
        );
        assert_eq!(text.matches("SKU `C").count(), 3);
        assert!(text.contains("  41 findings, 41 SKUs, 1 feed\n"), "{text}");
        assert!(
            text.contains(
                "  … and 38 more findings\n  hint: mend it. More: shelfcast explain cut\n"
            ),
            "{text}"
        );
        assert_eq!(text.matches("mend it").count(), 4);
    }

    #[test]
    fn what_feeds_say_differently_is_all_said() {
        let text = shown(&[
            found(
                "no-price-in-currency",
                Severity::Error,
                Some("th"),
                "A",
                3,
                "no price in THB",
            ),
            found(
                "no-price-in-currency",
                Severity::Error,
                Some("vn"),
                "A",
                3,
                "no price in VND",
            ),
            found(
                "no-price-in-currency",
                Severity::Error,
                Some("th-2"),
                "A",
                3,
                "no price in THB",
            ),
        ]);
        assert!(text.contains("  3 findings, 1 SKU, 3 feeds\n  --> catalog.csv:3 (SKU `A`)\n      no price in THB (feeds `th` and `th-2`)\n      no price in VND (feed `vn`)\n  hint"), "{text}");
    }

    #[test]
    fn data_does_not_steer_the_terminal() {
        let sku = format!("A\u{1b}]0;title\u{7}\n{}", "9".repeat(500));
        let text = shown(&[found(
            "cut",
            Severity::Warning,
            Some("a"),
            &sku,
            1,
            "`\u{1b}[2J\u{202e}` was cut",
        )]);
        assert!(
            !text
                .chars()
                .any(|letter| letter.is_control() && letter != '\n'),
            "{text:?}"
        );
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(
            text.contains("`\\u{1b}[2J\\u{202e}` was cut")
                && text.contains("SKU `A\\u{1b}]0;title\\u{7}\\n999"),
            "{text}"
        );
        assert!(
            text.lines().all(|line| line.chars().count() < 200),
            "{text}"
        );
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_234), "1.2 kB");
        assert_eq!(size(2_500_000), "2.5 MB");
    }
}
