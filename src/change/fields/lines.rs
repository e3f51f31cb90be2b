//! Text as numbered lines.

use super::{Field, Pair};

/// How a line is called.
pub(super) const LINE: &str = "line";

/// The lines of a text; blank ones are left out.
pub(super) fn fields(text: &str) -> Vec<Field> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| Field::new(format!("{LINE} {}", number + 1), line.trim()))
        .collect()
}

/// Whether a path is a line's.
pub(super) fn is(path: &str) -> bool {
    path.strip_prefix(LINE)
        .and_then(|rest| rest.strip_prefix(' '))
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether fields are lines.
pub(super) fn are(fields: &[Field]) -> bool {
    fields.iter().all(|field| is(&field.path))
}

/// What differs between the equal beginning and the equal end.
pub(super) fn differing<'f>(old: &'f [Field], new: &'f [Field]) -> Vec<Pair<'f>> {
    let same = |(a, b): &(&Field, &Field)| a.value == b.value;
    let start = old.iter().zip(new).take_while(same).count();
    let (old, new) = (
        old.get(start..).unwrap_or_default(),
        new.get(start..).unwrap_or_default(),
    );
    let end = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(same)
        .count();
    let (old, new) = (
        old.get(..old.len() - end).unwrap_or_default(),
        new.get(..new.len() - end).unwrap_or_default(),
    );
    (0..old.len().max(new.len()))
        .map(|place| (old.get(place), new.get(place)))
        .filter(|(old, new)| old.map(|field| &field.value) != new.map(|field| &field.value))
        .collect()
}
