//! The contract for programs: JSON Lines, each with a `type`, the last a `summary`.

use serde_json::{Value, json};

use crate::pipeline::Failure;
use crate::pipeline::build::{FeedReport, Report};
use crate::validate::finding::{Finding, Severity};

/// The line of a feed.
pub fn feed(feed: &FeedReport) -> Value {
    let files: Vec<Value> = feed
        .files
        .iter()
        .map(|file| json!({ "path": file.path, "bytes": file.bytes, "items": file.items, "sha256": file.sha256 }))
        .collect();
    let mut line = json!({
        "type": "feed",
        "feed": feed.name,
        "channel": feed.channel,
        "exit": feed.exit,
        "read": feed.read,
        "filtered": feed.filtered,
        "withheld": feed.withheld,
        "written": feed.written,
        "warnings": feed.warnings,
        "bytes": feed.bytes,
        "files": files,
        "seconds": rounded(feed.seconds),
    });
    if let Some(held) = &feed.held {
        line["reason"] = json!(held);
    }
    if !feed.fill.is_empty() {
        line["fill"] = feed
            .fill
            .iter()
            .map(|filled| (filled.attribute.clone(), json!(filled.items)))
            .collect();
    }
    line
}

/// The line of a finding.
pub fn finding(finding: &Finding) -> Value {
    let mut line = json!({
        "type": "finding",
        "rule": finding.rule,
        "severity": match finding.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "feed": finding.feed,
        "sku": finding.sku,
        "source": finding.source,
        "line": finding.line,
        "column": finding.column,
        "message": finding.message,
        "hint": finding.hint,
    });
    if finding.sku.is_none() && finding.line > 0 {
        line["record"] = json!(finding.line);
    }
    line
}

/// The last line of a command that builds nothing.
pub fn done(exit: u8) -> Value {
    json!({ "type": "summary", "ok": exit == 0, "exit": exit })
}

/// The last line of a run.
pub fn summary(exit: u8, report: &Report, (errors, warnings): (u64, u64)) -> Value {
    json!({
        "type": "summary",
        "ok": exit == 0,
        "exit": exit,
        "feeds": report.feeds.len(),
        "records": report.rows,
        "findings": { "error": errors, "warning": warnings },
        "seconds": rounded(report.seconds),
    })
}

/// Seconds to the millisecond.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// The last line after a failure.
pub fn failed(failure: &Failure) -> Value {
    let errors: Vec<Value> = failure
        .messages()
        .into_iter()
        .map(|(message, hint)| json!({ "message": message, "hint": hint }))
        .collect();
    json!({ "type": "summary", "ok": false, "exit": failure.exit(), "errors": errors })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::pipeline::build::{FileReport, Filled};

    /// The contract as a reader sees it: a field that is not named here is a decision to be made.
    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
    enum Line {
        Feed {
            feed: String,
            channel: String,
            exit: u8,
            read: u64,
            filtered: u64,
            withheld: u64,
            written: u64,
            warnings: u64,
            bytes: u64,
            files: Vec<File>,
            seconds: f64,
            reason: Option<String>,
            fill: Option<BTreeMap<String, u64>>,
        },
        Finding {
            rule: String,
            severity: String,
            feed: Option<String>,
            sku: Option<String>,
            source: String,
            line: u64,
            column: String,
            message: String,
            hint: String,
            record: Option<u64>,
        },
        Summary {
            ok: bool,
            exit: u8,
            feeds: Option<u64>,
            records: Option<u64>,
            findings: Option<Counts>,
            seconds: Option<f64>,
            errors: Option<Vec<Wrong>>,
        },
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct File {
        path: String,
        bytes: u64,
        items: u64,
        sha256: Option<String>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Counts {
        error: u64,
        warning: u64,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Wrong {
        message: String,
        hint: String,
    }

    fn read(value: &Value) -> Line {
        let text = value.to_string();
        assert!(!text.contains('\n'));
        serde_json::from_str(&text).expect("a line of the contract")
    }

    #[test]
    fn lines_read_back_with_unknown_fields_denied() {
        let report = FeedReport {
            log: None,
            name: "web".to_owned(),
            channel: "google-products".to_owned(),
            exit: 1,
            read: 5,
            filtered: 1,
            withheld: 1,
            written: 3,
            warnings: 2,
            bytes: 99,
            files: vec![FileReport {
                path: "out/web.xml".to_owned(),
                bytes: 99,
                items: 3,
                sha256: Some("ab".to_owned()),
            }],
            seconds: 0.123_456,
            held: Some("over".to_owned()),
            fill: vec![Filled {
                attribute: "id".to_owned(),
                items: 3,
            }],
        };
        let files = vec![File {
            path: "out/web.xml".to_owned(),
            bytes: 99,
            items: 3,
            sha256: Some("ab".to_owned()),
        }];
        assert_eq!(
            read(&feed(&report)),
            Line::Feed {
                feed: "web".to_owned(),
                channel: "google-products".to_owned(),
                exit: 1,
                read: 5,
                filtered: 1,
                withheld: 1,
                written: 3,
                warnings: 2,
                bytes: 99,
                files,
                seconds: 0.123,
                reason: Some("over".to_owned()),
                fill: Some([("id".to_owned(), 3)].into()),
            }
        );
        let summarised = read(&summary(
            1,
            &Report {
                rows: 5,
                feeds: vec![report],
                ..Report::default()
            },
            (1, 2),
        ));
        let Line::Summary {
            ok,
            exit,
            feeds,
            records,
            findings,
            errors,
            ..
        } = summarised
        else {
            panic!("{summarised:?}")
        };
        assert_eq!(
            (ok, exit, feeds, records, errors),
            (false, 1, Some(1), Some(5), None)
        );
        assert_eq!(
            findings,
            Some(Counts {
                error: 1,
                warning: 2
            })
        );
        let fatal = read(&failed(&Failure::configuration(
            "shelfcast.toml",
            "wrong",
            "right it",
        )));
        let Line::Summary {
            ok: false,
            exit: 2,
            errors: Some(errors),
            findings: None,
            ..
        } = fatal
        else {
            panic!("{fatal:?}")
        };
        assert_eq!(
            errors,
            [Wrong {
                message: "shelfcast.toml: wrong".to_owned(),
                hint: "right it".to_owned()
            }]
        );
    }

    #[test]
    fn a_finding_without_a_sku_names_its_record() {
        let mut found = Finding {
            rule: "cut",
            severity: Severity::Warning,
            feed: None,
            sku: None,
            source: "catalog.csv".to_owned(),
            line: 7,
            column: "title".to_owned(),
            message: "\u{1b}[2J \"ชาม\"".to_owned(),
            hint: String::new(),
        };
        let line = finding(&found);
        assert!(
            line.get("feed").is_some_and(Value::is_null)
                && line.get("sku").is_some_and(Value::is_null)
        );
        let Line::Finding {
            record,
            message,
            severity,
            ..
        } = read(&line)
        else {
            panic!("{line}")
        };
        assert_eq!(
            (record, message.as_str(), severity.as_str()),
            (Some(7), "\u{1b}[2J \"ชาม\"", "warning")
        );
        found.sku = Some("A-1".to_owned());
        assert!(finding(&found).get("record").is_none());
    }
}
