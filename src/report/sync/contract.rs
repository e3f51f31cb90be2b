//! What the contract suite found: a clause a line.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::report::text::message;
use crate::sync::contract::{Finding, Verdict};
use crate::term::Shell;

/// Whether a connector may be trusted: nothing is broken, and writing was tried.
pub fn is_admitted(findings: &[Finding]) -> bool {
    let broken = findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Broken);
    let written = findings
        .iter()
        .any(|finding| finding.clause == "put-back" && finding.verdict == Verdict::Holds);
    !broken && written
}

/// A clause's line for programs.
pub fn line(connector: &str, finding: &Finding) -> Value {
    json!({
        "type": "clause",
        "connector": connector,
        "clause": finding.clause,
        "verdict": finding.verdict.as_str(),
        "message": finding.message,
        "hint": finding.hint,
    })
}

/// Writes the clauses for people.
///
/// # Errors
/// When the output refuses.
pub fn write(
    shell: &Shell,
    connector: &str,
    findings: &[Finding],
    out: &mut dyn Write,
) -> io::Result<()> {
    let wide = findings.iter().map(|one| one.clause.len()).max();
    for finding in findings {
        let pad = " ".repeat(wide.unwrap_or(0) - finding.clause.len());
        let word = format!("{:9}", finding.verdict.as_str());
        let word = match finding.verdict {
            Verdict::Holds => shell.green(&word),
            Verdict::Broken => shell.red(&word),
            Verdict::Lacking | Verdict::NotTried => shell.yellow(&word),
        };
        writeln!(
            out,
            "{}{pad}  {word}  {}",
            finding.clause,
            message(&finding.message)
        )?;
        if !finding.hint.is_empty() {
            writeln!(out, "  hint: {}", shell.clean(&finding.hint))?;
        }
    }
    let verdict = if is_admitted(findings) {
        shell.green("is admitted")
    } else {
        shell.red("is not admitted")
    };
    writeln!(out, "connector `{connector}` {verdict}")
}
