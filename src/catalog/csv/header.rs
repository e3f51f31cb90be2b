//! Column names: trimmed, never empty, never twice.

use std::collections::{HashMap, HashSet};

use super::{COLUMNS_MAX, CsvOptions};
use crate::catalog::{SourceError, SourceProblem};

/// Most repeated names told by name.
const NAMES_TOLD: usize = 3;

/// The column names of a header record, with a remark when some were repeated.
pub(super) fn names(cells: &[String]) -> (Vec<String>, Option<String>) {
    let taken: HashSet<&str> = cells.iter().map(|cell| cell.trim()).collect();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut names = Vec::with_capacity(cells.len());
    let mut repeated = Vec::new();
    for (at, cell) in cells.iter().enumerate() {
        let wanted = match cell.trim() {
            "" => format!("column {}", at + 1),
            name => name.to_owned(),
        };
        let mut times = seen.get(&wanted).copied().unwrap_or(0) + 1;
        let mut name = wanted.clone();
        if times > 1 {
            name = format!("{wanted} ({times})");
            while taken.contains(name.as_str()) || seen.contains_key(&name) {
                times += 1;
                name = format!("{wanted} ({times})");
            }
            repeated.push(name.clone());
        }
        seen.insert(wanted, times);
        if times > 1 {
            seen.insert(name.clone(), 1);
        }
        names.push(name);
    }
    let remark = (!repeated.is_empty()).then(|| {
        let told: Vec<String> = repeated
            .iter()
            .take(NAMES_TOLD)
            .map(|name| format!("`{name}`"))
            .collect();
        let more = repeated.len() - told.len();
        let tail = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!(
            "repeated column names were numbered: {}{tail}",
            told.join(", ")
        )
    });
    (names, remark)
}

/// The column names of a file whose first record, of `width` cells, is data.
pub(super) fn given(
    path: &str,
    options: &CsvOptions,
    width: usize,
) -> Result<Vec<String>, SourceError> {
    let Some(names) = &options.names else {
        return Ok((1..=width).map(|n| format!("column {n}")).collect());
    };
    if names.len() == width {
        return Ok(self::names(names).0);
    }
    Err(SourceError::new(
        SourceProblem::Configuration,
        path,
        format!(
            "{} column names are given, the first record has {width} cells",
            names.len()
        ),
    )
    .hint("give `names` one name for each cell of a record, in order"))
}

/// Refuses a file with more columns than any catalog has.
pub(super) fn check_width(path: &str, width: usize, line: u64) -> Result<(), SourceError> {
    if width <= COLUMNS_MAX {
        return Ok(());
    }
    Err(SourceError::new(
        SourceProblem::Configuration,
        path,
        format!("{width} columns, over the limit of {COLUMNS_MAX}"),
    )
    .at_line(line)
    .hint("check `delimiter` and `quote`, or export only the columns that are needed"))
}
