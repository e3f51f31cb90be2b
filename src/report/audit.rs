//! Where feeds contradict each other, as people and programs see it.

use std::io::Write;

use serde_json::{Value, json};

use super::text::{count, several, thousands, value};
use crate::change::audit::{Audit, Disagreement, Group, Kind};
use crate::term::Shell;

/// How many SKUs of a kind are shown, and with `-v`.
const SHOWN: usize = 5;
const SHOWN_VERBOSE: usize = 100;
/// How many feeds of a value are named.
const FEEDS: usize = 4;

/// What an audit found, grouped, the worst first.
///
/// # Errors
/// When the output refuses.
pub fn audit(shell: &Shell, audit: &Audit, out: &mut dyn Write) -> std::io::Result<()> {
    for group in &audit.groups {
        show(shell, group, out)?;
        writeln!(out)?;
    }
    let wrong: u64 = audit.groups.iter().map(|group| group.total).sum();
    let found = if wrong == 0 {
        "they agree".to_owned()
    } else {
        count(wrong, "disagreement")
    };
    writeln!(
        out,
        "{} in {} or more: {found}",
        count(audit.shared, "SKU"),
        count(2.min(audit.feeds.len() as u64), "feed"),
    )
}

fn title(group: &Group) -> String {
    let what = match group.kind {
        Kind::Price => "prices differ",
        Kind::Currency => "the currency is not the feed's own",
        Kind::Availability => "availability differs",
        Kind::Title => "titles differ",
    };
    if group.of.is_empty() {
        what.to_owned()
    } else {
        format!("{what} ({})", value(&group.of))
    }
}

fn show(shell: &Shell, group: &Group, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "{}: {}",
        shell.bold(&title(group)),
        count(group.total, "SKU")
    )?;
    let most = if shell.verbose > 0 {
        SHOWN_VERBOSE
    } else {
        SHOWN
    };
    for item in group.items.iter().take(most) {
        writeln!(out, "  {}", value(&item.sku))?;
        for (said, feeds) in &item.values {
            writeln!(
                out,
                "    {} in {}",
                value(said),
                several("feed", feeds, FEEDS)
            )?;
        }
    }
    let more = group
        .total
        .saturating_sub(group.items.len().min(most) as u64);
    if more > 0 {
        writeln!(out, "  … and {} more", thousands(more))?;
    }
    Ok(())
}

/// The lines for programs: a `disagreement` each, and last the `audit`. What is listed is bounded, the counts are exact.
pub fn lines(audit: &Audit) -> impl Iterator<Item = Value> + '_ {
    let each = audit.groups.iter().flat_map(|group| {
        let items = group.items.iter();
        items.map(move |item| disagreement(group, item))
    });
    each.chain(std::iter::once_with(move || whole(audit)))
}

fn disagreement(group: &Group, item: &Disagreement) -> Value {
    let values: Vec<Value> = item
        .values
        .iter()
        .map(|(value, feeds)| json!({ "value": value, "feeds": feeds }))
        .collect();
    json!({
        "type": "disagreement",
        "kind": group.kind.as_str(),
        "of": group.of,
        "sku": item.sku,
        "values": values,
    })
}

fn whole(audit: &Audit) -> Value {
    let feeds: Vec<Value> = audit
        .feeds
        .iter()
        .map(|(feed, items)| json!({ "feed": feed, "items": items }))
        .collect();
    let sum = |kind: Kind| -> u64 {
        let groups = audit.groups.iter().filter(|group| group.kind == kind);
        groups.map(|group| group.total).sum()
    };
    json!({
        "type": "audit",
        "feeds": feeds,
        "shared": audit.shared,
        "price": sum(Kind::Price),
        "currency": sum(Kind::Currency),
        "availability": sum(Kind::Availability),
        "title": sum(Kind::Title),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Audit {
        let values = |values: &[(&str, &[&str])]| {
            let owned = values.iter().map(|(value, feeds)| {
                let feeds = feeds.iter().map(|feed| (*feed).to_owned()).collect();
                ((*value).to_owned(), feeds)
            });
            owned.collect()
        };
        Audit {
            feeds: vec![("web".to_owned(), 10), ("meta".to_owned(), 12)],
            shared: 9,
            groups: vec![Group {
                kind: Kind::Price,
                of: "EUR".to_owned(),
                total: 7,
                items: vec![Disagreement {
                    sku: "A\u{1b}1".to_owned(),
                    values: values(&[("19.9", &["web", "meta"]), ("21", &["ceneo"])]),
                }],
            }],
        }
    }

    #[test]
    fn people_read_who_says_what() {
        let shell = Shell {
            colour: false,
            quiet: false,
            verbose: 0,
            json: false,
            progress: false,
        };
        let mut out = Vec::new();
        audit(&shell, &found(), &mut out).expect("written");
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "prices differ (EUR): 7 SKUs\n  A\\u{1b}1\n    19.9 in feeds `web` and `meta`\n    21 in feed `ceneo`\n  … and 6 more\n\n9 SKUs in 2 feeds or more: 7 disagreements\n"
        );
    }

    #[test]
    fn programs_read_lines() {
        let found = found();
        let lines: Vec<String> = lines(&found).map(|line| line.to_string()).collect();
        assert_eq!(
            lines,
            [
                r#"{"type":"disagreement","kind":"price","of":"EUR","sku":"A\u001b1","values":[{"value":"19.9","feeds":["web","meta"]},{"value":"21","feeds":["ceneo"]}]}"#,
                r#"{"type":"audit","feeds":[{"feed":"web","items":10},{"feed":"meta","items":12}],"shared":9,"price":7,"currency":0,"availability":0,"title":0}"#,
            ]
        );
    }
}
