//! The delimiter, found where it can be proven: the one that gives every record the same number of cells.

use super::slow::Slow;
use crate::catalog::{SourceError, SourceProblem};

/// What a delimiter may be, unless it is declared.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Records looked at.
const RECORDS: usize = 100;

/// A found delimiter, and what to say of it.
pub(super) struct Found {
    pub(super) delimiter: u8,
    pub(super) remark: Option<String>,
}

/// How one candidate reads the first records.
struct Reading {
    delimiter: u8,
    /// Cells of the first record.
    width: usize,
    records: usize,
    /// Records as wide as the first.
    alike: usize,
}

impl Reading {
    fn new(delimiter: u8, quote: Option<u8>, text: &[u8], last: bool) -> Self {
        let mut reading = Reading {
            delimiter,
            width: 0,
            records: 0,
            alike: 0,
        };
        let mut slow = Slow::new(delimiter, quote);
        let mut rest = text;
        while reading.records < RECORDS
            && let Some((cells, bytes, _)) = slow.first(rest, last)
        {
            rest = rest.get(bytes..).unwrap_or_default();
            // rows of empty cells say nothing, except what the first of all says
            if reading.records > 0 && cells.iter().all(Vec::is_empty) {
                continue;
            }
            if reading.records == 0 {
                reading.width = cells.len();
            }
            reading.records += 1;
            reading.alike += usize::from(cells.len() == reading.width);
        }
        reading
    }

    /// Another record and four in five are as wide as the first, which has several cells; in a short file one may be odd.
    fn is_plausible(&self) -> bool {
        self.width > 1 && self.alike > 1 && self.records - self.alike <= (self.records / 5).max(1)
    }

    fn is_proven(&self) -> bool {
        self.width > 1 && self.alike == self.records
    }
}

/// Finds the delimiter in the first part of a file; `last` when that is all of it.
pub(super) fn delimiter(
    path: &str,
    quote: Option<u8>,
    text: &[u8],
    last: bool,
) -> Result<Found, SourceError> {
    let readings: Vec<Reading> = CANDIDATES
        .iter()
        .map(|delimiter| Reading::new(*delimiter, quote, text, last))
        .collect();
    for test in [Reading::is_proven, Reading::is_plausible] {
        let mut fitting: Vec<&Reading> = readings.iter().filter(|r| test(r)).collect();
        fitting.sort_by_key(|reading| std::cmp::Reverse(reading.width));
        match fitting.as_slice() {
            [] => {}
            [first, second, ..] if first.width == second.width => {
                return Err(SourceError::new(
                    SourceProblem::Configuration,
                    path,
                    format!(
                        "the delimiter may be {} or {}: both give {} columns",
                        shown(first.delimiter),
                        shown(second.delimiter),
                        first.width
                    ),
                )
                .hint("set `delimiter` in the source"));
            }
            [first, ..] => return Ok(found(first)),
        }
    }
    if let Some(wide) = readings
        .iter()
        .filter(|r| r.width > 1)
        .max_by_key(|r| r.alike)
        && readings.iter().all(|r| r.width > 1 || r.alike < r.records)
    {
        return Err(SourceError::new(
            SourceProblem::Configuration,
            path,
            format!(
                "no delimiter gives the records one width: with {} the first has {} cells, and {} of {} records are like it",
                shown(wide.delimiter),
                wide.width,
                wide.alike,
                wide.records
            ),
        )
        .hint("set `delimiter` in the source, and look at lines with quotes in the middle of a cell"));
    }
    // One column. Whatever is taken must not divide it.
    let delimiter = readings
        .iter()
        .find(|reading| reading.width <= 1 && reading.alike == reading.records)
        .map_or(b',', |reading| reading.delimiter);
    Ok(Found {
        delimiter,
        remark: Some("one column: no delimiter was found".to_owned()),
    })
}

fn found(reading: &Reading) -> Found {
    let odd = reading.records - reading.alike;
    let proof = if odd == 0 {
        format!(
            "the first {} records have {} cells each",
            reading.records, reading.width
        )
    } else {
        format!(
            "{} of the first {} records have {} cells",
            reading.alike, reading.records, reading.width
        )
    };
    Found {
        delimiter: reading.delimiter,
        remark: Some(format!(
            "the delimiter is {}: {proof}",
            shown(reading.delimiter)
        )),
    }
}

/// A delimiter as people write it.
pub(super) fn shown(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "a tab".to_owned(),
        byte => format!("`{}`", byte.escape_ascii()),
    }
}

/// The delimiter that a first line `sep=;` declares, with the bytes that line takes.
pub(super) fn declared(text: &[u8]) -> Option<(u8, usize)> {
    let rest = text.strip_prefix(b"sep=")?;
    let (delimiter, rest) = rest.split_first()?;
    let line_end = match rest {
        [b'\r', b'\n', ..] => 2,
        [b'\n' | b'\r', ..] => 1,
        _ => return None,
    };
    (delimiter.is_ascii() && !matches!(delimiter, 0 | b'\r' | b'\n' | b'"'))
        .then_some((*delimiter, 4 + 1 + line_end))
}
