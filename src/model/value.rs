//! A computed value as rules, helpers and templates see it: borrowed text, never copied unless changed.

/// Separates the elements of a [`List`].
pub const ELEMENT: char = '\u{1f}';
/// Separates the name from the value in an element of an ordered list of pairs (`options`, `params`).
pub const PAIR: char = '\u{1e}';

/// What a column, an expression or an attribute holds for one record.
///
/// A whole word says which it is: behind a smaller mark odd bytes would be copied too, by reads that lie across what has
/// just been written in other pieces, and wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Value<'a> {
    /// Nothing: an absent cell, an empty text, a list without elements.
    Absent,
    /// Text, never empty. Numbers, money and dates are text in their canonical form too.
    Text(&'a str),
    /// Yes or no.
    Bool(bool),
    /// A list with at least one element.
    List(List<'a>),
}

impl<'a> Value<'a> {
    /// Text, or absent when it is empty.
    #[inline]
    pub fn text(text: &'a str) -> Self {
        if text.is_empty() {
            Value::Absent
        } else {
            Value::Text(text)
        }
    }

    /// A list from its encoded form, or absent when that is empty.
    #[inline]
    pub fn list(encoded: &'a str) -> Self {
        if encoded.is_empty() {
            Value::Absent
        } else {
            Value::List(List(encoded))
        }
    }

    /// True when there is nothing.
    #[inline]
    pub fn is_absent(self) -> bool {
        matches!(self, Value::Absent)
    }

    /// What `{{#if}}` asks: presence, and of a boolean its value.
    #[inline]
    pub fn is_true(self) -> bool {
        !matches!(self, Value::Absent | Value::Bool(false))
    }

    /// The text of a text, `true` or `false` of a boolean, `""` when absent; `None` for a list.
    #[inline]
    pub fn as_text(self) -> Option<&'a str> {
        match self {
            Value::Absent => Some(""),
            Value::Text(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::List(_) => None,
        }
    }

    /// The elements of a list; a text counts as a list of one, absent as an empty one.
    #[inline]
    pub fn elements(self) -> Elements<'a> {
        match self {
            Value::List(list) => list.iter(),
            // An element separator never stands in a text.
            other => Elements(other.as_text().filter(|text| !text.is_empty())),
        }
    }

    /// How many elements [`Value::elements`] gives.
    pub fn count(self) -> usize {
        match self {
            Value::Absent => 0,
            Value::List(list) => list.count(),
            _ => 1,
        }
    }
}

/// A list in its encoded form: elements separated by [`ELEMENT`]; an element that is a pair has [`PAIR`] inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List<'a>(pub &'a str);

impl<'a> List<'a> {
    /// The elements in order.
    #[inline]
    pub fn iter(self) -> Elements<'a> {
        Elements(Some(self.0))
    }

    /// How many elements there are.
    pub fn count(self) -> usize {
        1 + memchr::memchr_iter(ELEMENT as u8, self.0.as_bytes()).count()
    }
}

/// The elements of a list, in order.
pub struct Elements<'a>(Option<&'a str>);

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0?;
        match memchr::memchr(ELEMENT as u8, rest.as_bytes()) {
            Some(at) => {
                self.0 = rest.get(at + 1..);
                rest.get(..at)
            }
            None => self.0.take(),
        }
    }
}

/// Name and value of a pair element; an element that is no pair has an empty value.
pub fn pair(element: &str) -> (&str, &str) {
    match memchr::memchr(PAIR as u8, element.as_bytes()) {
        Some(at) => (
            element.get(..at).unwrap_or(""),
            element.get(at + 1..).unwrap_or(""),
        ),
        None => (element, ""),
    }
}
