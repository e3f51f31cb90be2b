//! An item's fields, out of its own rendered bytes: what a person would name to say what changed.
//!
//! XML by element path, attributes as `path@name`, repeats as `path[2]`; delimited and workbook cells by column; JSON by
//! pointer; everything else, and what does not parse, line by line. Nothing here fails: text that is no document of its
//! format is still lines.

mod delimited;
mod json;
mod lines;
mod xml;

use std::collections::HashMap;

use crate::write::items::LogHead;

use super::VALUE_BYTES_MAX;
use super::changes::FieldChange;

/// One field of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its path.
    pub path: String,
    /// Its value as it reads, without escapes.
    pub value: String,
}

impl Field {
    fn new(path: impl Into<String>, value: impl Into<String>) -> Self {
        Field {
            path: path.into(),
            value: value.into(),
        }
    }
}

/// An item's fields in the order in which they stand.
pub fn fields(head: &LogHead, bytes: &[u8]) -> Vec<Field> {
    // Rendered bytes are UTF-8; what is not is shown as far as it goes.
    let text = String::from_utf8_lossy(bytes);
    let found = match head.format.as_str() {
        "xml" => xml::fields(&text),
        "json" | "ndjson" => json::fields(&text),
        "csv" | "tsv" => delimited::fields(head, &text),
        "xlsx" => Some(delimited::cells(head, &text)),
        _ => None,
    };
    found.unwrap_or_else(|| lines::fields(&text))
}

/// An item as it is written, for what its fields do not show.
pub fn written(bytes: &[u8]) -> Vec<Field> {
    vec![Field::new("as written", String::from_utf8_lossy(bytes))]
}

/// A field before and after; `None` where it was not there, or is no longer there.
pub type Pair<'f> = (Option<&'f Field>, Option<&'f Field>);

/// The fields that differ, in the order of the old ones, then what is new. Where both are lines, the runs of equal lines
/// at both ends are left out first, so that one line more is one change.
pub fn differing<'f>(old: &'f [Field], new: &'f [Field]) -> Vec<Pair<'f>> {
    if lines::are(old) && lines::are(new) {
        return lines::differing(old, new);
    }
    let mut known: Option<HashMap<&str, usize>> = None;
    let mut met = vec![false; new.len()];
    let mut out: Vec<Pair<'f>> = Vec::new();
    for (place, before) in old.iter().enumerate() {
        // Fields are nearly always in the same place.
        let same = new
            .get(place)
            .filter(|now| now.path == before.path)
            .map(|_| place);
        let found = same.or_else(|| {
            let known = known.get_or_insert_with(|| {
                let paths = new.iter().enumerate();
                paths
                    .map(|(place, field)| (field.path.as_str(), place))
                    .collect()
            });
            known.get(before.path.as_str()).copied()
        });
        let now = found.and_then(|place| new.get(place));
        if let Some(place) = found {
            met[place] = true;
        }
        if now.is_none_or(|now| now.value != before.value) {
            out.push((Some(before), now));
        }
    }
    for (now, met) in new.iter().zip(met) {
        if !met {
            out.push((None, Some(now)));
        }
    }
    out
}

/// A pair as it is listed, values cut.
pub(super) fn change(old: Option<&Field>, new: Option<&Field>) -> FieldChange {
    let path = old.or(new).map_or("", |field| field.path.as_str());
    // Long texts that begin alike are shown from a little before where they part.
    let from = match (old, new) {
        (Some(old), Some(new)) => parting(&old.value, &new.value),
        _ => 0,
    };
    FieldChange {
        field: path.to_owned(),
        old: old.map(|field| cut(&field.value, from)),
        new: new.map(|field| cut(&field.value, from)),
    }
}

/// Where to begin showing two values, so that their difference is seen: 0, or so many bytes before it.
fn parting(old: &str, new: &str) -> usize {
    const BEFORE: usize = 40;
    let same = old
        .bytes()
        .zip(new.bytes())
        .take_while(|(old, new)| old == new)
        .count();
    if old.len().max(new.len()) <= VALUE_BYTES_MAX || same <= BEFORE * 2 {
        return 0;
    }
    // Both begin with the same bytes, so a boundary of one is a boundary of the other.
    old.floor_char_boundary(same - BEFORE)
}

fn cut(value: &str, from: usize) -> String {
    let rest = value.get(from..).unwrap_or(value);
    let end = rest.floor_char_boundary(VALUE_BYTES_MAX);
    let shown = rest.get(..end).unwrap_or(rest);
    format!(
        "{}{shown}{}",
        if from > 0 { "…" } else { "" },
        if end < rest.len() { "…" } else { "" }
    )
}

/// A path without the places of repeats: `image[2]` is `image`, `/images/3/url` is `/images/*/url`, `line 7` is `line`.
pub fn group(path: &str) -> String {
    if path.starts_with('/') {
        let parts = path.split('/').map(|part| {
            let place = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if place { "*" } else { part }
        });
        return parts.collect::<Vec<_>>().join("/");
    }
    if lines::is(path) {
        return lines::LINE.to_owned();
    }
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        match after.split_once(']') {
            Some((digits, after)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                rest = after;
            }
            _ => {
                out.push('[');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// A path for the n-th (from 1) of its name: the first has no number.
fn numbered(path: &str, number: usize) -> String {
    if number <= 1 {
        path.to_owned()
    } else {
        format!("{path}[{number}]")
    }
}

#[cfg(test)]
mod tests;
