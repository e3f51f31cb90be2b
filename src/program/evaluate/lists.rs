//! Lists in cells that need not be made, because what is asked of them stands in the cell.

use memchr::{memchr3, memchr3_iter};

use crate::model::value::{ELEMENT, PAIR, Value};
use crate::program::graph::NodeId;

use super::value::is_tidy;
use super::{Evaluator, Outcome, trim};

impl<'a> Evaluator<'a> {
    /// The first element of a list that a byte parts.
    #[inline(never)]
    pub(super) fn first_of(&self, id: NodeId, byte: u8, column: u32) -> Outcome<'a> {
        if let Some(text) = self.raw_text(column) {
            let first = match memchr3(byte, ELEMENT as u8, PAIR as u8, text.as_bytes()) {
                None => text,
                Some(at) if text.as_bytes()[at] == byte => trim(text.get(..at).unwrap_or("")),
                Some(_) => "",
            };
            if !first.is_empty() {
                return Ok(Value::Text(first));
            }
        }
        self.kept(id)
    }

    /// The elements of a list that a byte parts, joined by that byte between blanks.
    #[inline(never)]
    pub(super) fn joined_cell(&self, id: NodeId, byte: u8, column: u32) -> Outcome<'a> {
        match self.raw_text(column) {
            Some(text) if is_joined(text, byte) => Ok(Value::Text(text)),
            _ => self.kept(id),
        }
    }
}

/// Whether each such byte stands between two blanks, and these beside what is not white space.
fn is_joined(text: &str, byte: u8) -> bool {
    let mut start = 0;
    for at in memchr3_iter(byte, ELEMENT as u8, PAIR as u8, text.as_bytes()) {
        let element = at.checked_sub(1).and_then(|end| text.get(start..end));
        let parted = text.get(at.saturating_sub(1)..at + 2);
        if parted.map(str::as_bytes) != Some(&[b' ', byte, b' '])
            || !element.is_some_and(|element| !element.is_empty() && is_tidy(element))
        {
            return false;
        }
        start = at + 2;
    }
    text.get(start..)
        .is_some_and(|last| !last.is_empty() && is_tidy(last))
}

#[cfg(test)]
mod tests {
    use super::is_joined;

    #[test]
    fn only_what_joining_would_leave_alone_stands_as_it_is() {
        for text in ["Home", "Home > Kuchnia", "บ้าน > ครัว > ชา", "a b > c"] {
            assert!(is_joined(text, b'>'), "{text}");
        }
        for text in [
            "",
            ">",
            " > ",
            "a >",
            "> a",
            "a>b",
            "a >b",
            "a  > b",
            "a >  b",
            "a > > b",
            "a > ",
            "a\u{1f}b",
            "a \u{1f} b",
            "a\u{a0} > b",
            "a > \u{a0}b",
            "a > b\u{1e}c",
        ] {
            assert!(!is_joined(text, b'>'), "{text:?}");
        }
    }
}
