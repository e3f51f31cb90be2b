//! One JSON object flattened to columns by dotted path.
//!
//! Scalars are cells; a list of scalars is a list cell; a list of name and value objects is a list of pairs; any other
//! list of objects is flattened by place (`images.0.src`) and, a member at a time, to list cells (`images[].src`).

use std::collections::HashSet;

use super::token::{Event, Tokens, Wrong};
use crate::catalog::flat::{Flat, NoColumn};

/// Elements of a list of objects that get columns of their own.
pub(super) const INDEXED_MAX: usize = 16;
/// Most values in one record.
const VALUES_MAX: usize = 1_000_000;
/// Most bytes of one record as it stands in the file.
const RECORD_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Names of a member that holds a pair's name, and of one that holds its value.
const NAME_MEMBERS: [&str; 3] = ["name", "key", "label"];
const VALUE_MEMBERS: [&str; 2] = ["value", "val"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Null,
    Scalar,
    Array,
    Object,
}

/// A value, with its descendants right behind it.
#[derive(Clone, Copy)]
struct Node {
    kind: Kind,
    /// The member's name, as a range of the text; empty in arrays.
    key: (usize, usize),
    text: (usize, usize),
    /// One past the last descendant.
    end: usize,
}

/// One value of the document, with everything below it. Buffers are kept from record to record.
#[derive(Default)]
pub(super) struct Record {
    nodes: Vec<Node>,
    text: String,
    path: String,
    /// A key that stands twice in one object.
    pub(super) duplicate: Option<String>,
    /// A list of more than [`INDEXED_MAX`] objects was met.
    pub(super) long_list: bool,
}

impl Record {
    /// Reads the value that `first` begins, to its end.
    pub(super) fn read(&mut self, tokens: &mut Tokens, first: Event) -> Result<(), Wrong> {
        self.nodes.clear();
        self.text.clear();
        self.duplicate = None;
        let began = tokens.offset();
        let outside =
            tokens.depth() - usize::from(matches!(first, Event::ObjectStart | Event::ArrayStart));
        let mut open: Vec<usize> = Vec::new();
        let mut key = (0, 0);
        let mut event = first;
        loop {
            match event {
                Event::Key => key = self.keep(&tokens.text),
                Event::ObjectEnd | Event::ArrayEnd => {
                    let closed = open.pop().unwrap_or(0);
                    self.set_end(closed);
                    if event == Event::ObjectEnd && self.duplicate.is_none() {
                        self.duplicate = self.find_duplicate(closed);
                    }
                }
                _ => {
                    let place = self.nodes.len();
                    let (kind, text) = match event {
                        Event::ObjectStart => (Kind::Object, (0, 0)),
                        Event::ArrayStart => (Kind::Array, (0, 0)),
                        Event::True => (Kind::Scalar, self.keep("true")),
                        Event::False => (Kind::Scalar, self.keep("false")),
                        Event::Null => (Kind::Null, (0, 0)),
                        _ => (Kind::Scalar, self.keep(&tokens.text)),
                    };
                    self.nodes.push(Node {
                        kind,
                        key,
                        text,
                        end: place + 1,
                    });
                    key = (0, 0);
                    if matches!(kind, Kind::Object | Kind::Array) {
                        open.push(place);
                    }
                }
            }
            if tokens.depth() == outside {
                return Ok(());
            }
            if self.nodes.len() > VALUES_MAX {
                return Err(tokens.wrong(format!("one record has more than {VALUES_MAX} values")));
            }
            if tokens.offset() - began > RECORD_BYTES_MAX {
                return Err(tokens.wrong(format!(
                    "one record is longer than {} MiB",
                    RECORD_BYTES_MAX / 1024 / 1024
                )));
            }
            event = tokens.next()?;
        }
    }

    /// True when the value is an object.
    pub(super) fn is_object(&self) -> bool {
        self.nodes
            .first()
            .is_some_and(|node| node.kind == Kind::Object)
    }

    /// What kind of value it is, for messages.
    pub(super) fn kind_name(&self) -> &'static str {
        match self.nodes.first().map(|node| node.kind) {
            Some(Kind::Object) => "an object",
            Some(Kind::Array) => "a list",
            Some(Kind::Null) | None => "null",
            Some(Kind::Scalar) => "a single value",
        }
    }

    /// Gives every value below to `flat`.
    pub(super) fn flatten(&mut self, flat: &mut Flat) -> Result<(), NoColumn> {
        let mut path = std::mem::take(&mut self.path);
        path.clear();
        let result = self.object(0, &mut path, flat);
        self.path = path;
        self.long_list |= result?;
        Ok(())
    }

    fn keep(&mut self, text: &str) -> (usize, usize) {
        let start = self.text.len();
        self.text.push_str(text);
        (start, self.text.len())
    }

    fn set_end(&mut self, place: usize) {
        let end = self.nodes.len();
        if let Some(node) = self.nodes.get_mut(place) {
            node.end = end;
        }
    }

    fn slice(&self, range: (usize, usize)) -> &str {
        self.text.get(range.0..range.1).unwrap_or("")
    }

    /// The values directly below, with their places.
    fn children(&self, place: usize) -> impl Iterator<Item = (usize, Node)> {
        let end = self.nodes.get(place).map_or(place, |node| node.end);
        let mut next = place + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let node = *self.nodes.get(next)?;
            let at = next;
            next = node.end;
            Some((at, node))
        })
    }

    fn find_duplicate(&self, object: usize) -> Option<String> {
        let mut seen = HashSet::new();
        self.children(object)
            .map(|(_, node)| self.slice(node.key))
            .find(|key| !seen.insert(*key))
            .map(str::to_owned)
    }

    /// Flattens an object's members; true when a long list was met.
    fn object(&self, place: usize, path: &mut String, flat: &mut Flat) -> Result<bool, NoColumn> {
        let mut long = false;
        for (at, node) in self.children(place) {
            let length = path.len();
            if length > 0 {
                path.push('.');
            }
            let key = self.slice(node.key).trim();
            path.push_str(if key.is_empty() { "(empty)" } else { key });
            long |= self.value(at, node, path, flat)?;
            path.truncate(length);
        }
        Ok(long)
    }

    fn value(
        &self,
        at: usize,
        node: Node,
        path: &mut String,
        flat: &mut Flat,
    ) -> Result<bool, NoColumn> {
        match node.kind {
            Kind::Null => flat.mention(path)?,
            Kind::Scalar => flat.set(path, self.slice(node.text))?,
            Kind::Object => return self.object(at, path, flat),
            Kind::Array => return self.array(at, path, flat),
        }
        Ok(false)
    }

    fn array(&self, place: usize, path: &mut String, flat: &mut Flat) -> Result<bool, NoColumn> {
        let mut objects = 0;
        let mut lists = 0;
        let mut pairs = true;
        for (at, node) in self.children(place) {
            match node.kind {
                Kind::Null => {}
                // A second list cell of the same path (`a` given twice) joins the first: both are one column's elements.
                Kind::Scalar => flat.append(path, self.slice(node.text))?,
                Kind::Array => lists += 1,
                Kind::Object => {
                    objects += 1;
                    pairs = pairs && self.pair(at).is_some();
                }
            }
        }
        if objects + lists == 0 {
            return Ok(false);
        }
        if objects > 0 && lists == 0 && pairs {
            for (name, value) in self.children(place).filter_map(|(at, _)| self.pair(at)) {
                flat.append_pair(path, name, value)?;
            }
            return Ok(false);
        }
        let length = path.len();
        let nested = self
            .children(place)
            .filter(|(_, node)| matches!(node.kind, Kind::Object | Kind::Array));
        for (index, (at, node)) in nested.enumerate() {
            if index < INDEXED_MAX {
                path.push('.');
                path.push_str(&index.to_string());
                self.value(at, node, path, flat)?;
                path.truncate(length);
            }
            for (_, member) in self
                .children(at)
                .filter(|(_, member)| node.kind == Kind::Object && member.kind == Kind::Scalar)
            {
                path.push_str("[].");
                path.push_str(self.slice(member.key).trim());
                flat.append(path, self.slice(member.text))?;
                path.truncate(length);
            }
        }
        Ok(objects + lists > INDEXED_MAX)
    }

    /// Name and value when an object has exactly these two.
    fn pair(&self, object: usize) -> Option<(&str, &str)> {
        let mut members = self.children(object).map(|(_, node)| node);
        let (first, second) = (members.next()?, members.next()?);
        if members.next().is_some() {
            return None;
        }
        let is = |node: Node, names: &[&str]| {
            let key = self.slice(node.key);
            names.iter().any(|name| name.eq_ignore_ascii_case(key))
        };
        let (name, value) = if is(first, &NAME_MEMBERS) && is(second, &VALUE_MEMBERS) {
            (first, second)
        } else if is(second, &NAME_MEMBERS) && is(first, &VALUE_MEMBERS) {
            (second, first)
        } else {
            return None;
        };
        let plain = name.kind == Kind::Scalar && matches!(value.kind, Kind::Scalar | Kind::Null);
        plain.then(|| (self.slice(name.text), self.slice(value.text)))
    }
}
