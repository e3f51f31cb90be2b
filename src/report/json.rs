//! The contract for programs: JSON Lines, each with a `type`, the last a `summary`.

use serde_json::{Value, json};

use crate::pipeline::Failure;
use crate::pipeline::build::FeedReport;
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
        "seconds": (feed.seconds * 1000.0).round() / 1000.0,
    });
    if let Some(held) = &feed.held {
        line["reason"] = json!(held);
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

/// The last line.
pub fn summary(exit: u8) -> Value {
    json!({ "type": "summary", "ok": exit == 0, "exit": exit })
}

/// The last line after a failure.
pub fn failed(failure: &Failure) -> Value {
    let errors: Vec<Value> = failure.messages().into_iter().map(|(message, hint)| json!({ "message": message, "hint": hint })).collect();
    json!({ "type": "summary", "ok": false, "exit": failure.exit(), "errors": errors })
}
