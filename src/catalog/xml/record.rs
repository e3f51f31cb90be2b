//! One record element flattened to columns by path.
//!
//! `title`, `imgs/main@url`, `@id`. A repeated element makes a list cell; parameters make a list of pairs; text mixed with
//! HTML tags stays one text with its tags.

use super::pieces::{Piece, Pieces};
use crate::catalog::SourceError;
use crate::catalog::flat::{Flat, NoColumn};

/// Most elements, attributes and texts in one record.
const NODES_MAX: usize = 1_000_000;
/// Most bytes of text in one record.
const TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Tags that are the text's own when they stand among text.
const HTML_TAGS: [&str; 38] = [
    "a",
    "b",
    "big",
    "blockquote",
    "br",
    "center",
    "code",
    "dd",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tr",
    "u",
    "ul",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Element,
    Attribute,
    Text,
}

/// A node, with its descendants right behind it.
#[derive(Clone, Copy)]
struct Node {
    kind: Kind,
    name: (usize, usize),
    /// Of attributes and texts.
    text: (usize, usize),
    /// One past the last descendant.
    end: usize,
}

/// One element with everything below it. Buffers are kept from record to record.
#[derive(Default)]
pub(super) struct Record {
    nodes: Vec<Node>,
    text: String,
    path: String,
}

impl Record {
    /// Reads the element that has just begun, to its end.
    pub(super) fn read(&mut self, pieces: &mut Pieces) -> Result<(), SourceError> {
        self.nodes.clear();
        self.text.clear();
        let outside = pieces.depth() - 1;
        let mut open = Vec::new();
        let mut piece = Piece::Start;
        // True while the last node is a text that more text may follow.
        let mut joins = false;
        loop {
            match piece {
                Piece::Start => {
                    joins = false;
                    open.push(self.nodes.len());
                    let name = self.keep(pieces.name());
                    self.push(Kind::Element, name, (0, 0));
                    for (key, value) in &pieces.attributes {
                        if key == "xmlns" || key.starts_with("xmlns:") {
                            continue;
                        }
                        let (name, text) = (self.keep(key), self.keep(value));
                        self.push(Kind::Attribute, name, text);
                    }
                }
                Piece::Text => {
                    let text = self.keep(&pieces.text);
                    match self.nodes.last_mut() {
                        // `x&amp;y` comes as three pieces; they lie side by side.
                        Some(last) if joins => last.text.1 = text.1,
                        _ => self.push(Kind::Text, (0, 0), text),
                    }
                    joins = true;
                }
                Piece::Close => {
                    joins = false;
                    let end = self.nodes.len();
                    if let Some(node) = open.pop().and_then(|place| self.nodes.get_mut(place)) {
                        node.end = end;
                    }
                }
                Piece::End => return Err(pieces.wrong("it ends inside a record")),
            }
            if pieces.depth() == outside {
                return Ok(());
            }
            if self.nodes.len() > NODES_MAX || self.text.len() > TEXT_BYTES_MAX {
                return Err(pieces.wrong(format!(
                    "one record has more than {NODES_MAX} parts or {} MiB",
                    TEXT_BYTES_MAX / 1024 / 1024
                )));
            }
            piece = pieces.next()?;
        }
    }

    /// Gives every value below to `flat`.
    pub(super) fn flatten(&mut self, flat: &mut Flat) -> Result<(), NoColumn> {
        let mut path = std::mem::take(&mut self.path);
        path.clear();
        let result = self.root(&mut path, flat);
        self.path = path;
        result
    }

    fn root(&self, path: &mut String, flat: &mut Flat) -> Result<(), NoColumn> {
        self.attributes(0, path, flat, &[])?;
        let text = self.own_text(0);
        if !text.is_empty() {
            flat.append(self.name(0), &text)?;
        }
        self.elements(0, path, flat)
    }

    fn element(&self, at: usize, path: &mut String, flat: &mut Flat) -> Result<(), NoColumn> {
        let text = self.own_text(at);
        let leaf = !self
            .children(at)
            .any(|(_, node)| node.kind == Kind::Element);
        if leaf {
            let named = self.attribute(at, "name");
            let valued = self
                .attribute(at, "value")
                .or_else(|| self.attribute(at, "val"));
            match (named, valued) {
                (Some(name), _) if !text.is_empty() => {
                    flat.append_pair(path, name, &text)?;
                    return self.attributes(at, path, flat, &["name"]);
                }
                (Some(name), Some(value)) => {
                    flat.append_pair(path, name, value)?;
                    return self.attributes(at, path, flat, &["name", "value", "val"]);
                }
                _ => {}
            }
            self.attributes(at, path, flat, &[])?;
            let bare = !self
                .children(at)
                .any(|(_, node)| node.kind == Kind::Attribute);
            if bare || !text.is_empty() {
                flat.append(path, &text)?;
            }
            return Ok(());
        }
        self.attributes(at, path, flat, &[])?;
        if let Some((name, values)) = self.pair(at) {
            for value in values {
                flat.append_pair(path, &self.own_text(name), &self.own_text(value))?;
            }
            return Ok(());
        }
        if !text.is_empty() {
            if self.is_html(at) {
                let mut markup = String::new();
                self.markup(at, &mut markup);
                return flat.append(path, markup.trim());
            }
            flat.append(path, &text)?;
        }
        self.elements(at, path, flat)
    }

    fn elements(&self, at: usize, path: &mut String, flat: &mut Flat) -> Result<(), NoColumn> {
        let length = path.len();
        for (child, _) in self
            .children(at)
            .filter(|(_, node)| node.kind == Kind::Element)
        {
            if length > 0 {
                path.push('/');
            }
            path.push_str(self.name(child));
            self.element(child, path, flat)?;
            path.truncate(length);
        }
        Ok(())
    }

    fn attributes(
        &self,
        at: usize,
        path: &mut String,
        flat: &mut Flat,
        without: &[&str],
    ) -> Result<(), NoColumn> {
        let length = path.len();
        for (_, node) in self
            .children(at)
            .filter(|(_, node)| node.kind == Kind::Attribute)
        {
            let name = self.slice(node.name);
            if without.contains(&name) {
                continue;
            }
            path.push('@');
            path.push_str(name);
            flat.append(path, self.slice(node.text).trim())?;
            path.truncate(length);
        }
        Ok(())
    }

    /// Where name and values stand in an element that holds nothing but leaves called `…NAME` (once) and `…VAL` or
    /// `…VALUE`.
    fn pair(&self, at: usize) -> Option<(usize, Vec<usize>)> {
        let mut name = None;
        let mut values = Vec::new();
        for (child, _) in self
            .children(at)
            .filter(|(_, node)| node.kind == Kind::Element)
        {
            if self
                .children(child)
                .any(|(_, node)| node.kind == Kind::Element)
            {
                return None;
            }
            let called = self.name(child).to_ascii_lowercase();
            let ends = |endings: &[&str]| endings.iter().any(|ending| called.ends_with(ending));
            if ends(&["val", "value"]) {
                values.push(child);
            } else if name.is_none() && ends(&["name", "key", "label"]) {
                name = Some(child);
            } else {
                return None;
            }
        }
        (!values.is_empty()).then_some((name?, values))
    }

    fn is_html(&self, at: usize) -> bool {
        self.children(at)
            .filter(|(_, node)| node.kind == Kind::Element)
            .all(|(child, _)| {
                HTML_TAGS.contains(&self.name(child).to_ascii_lowercase().as_str())
                    && self.is_html(child)
            })
    }

    /// Writes what an element holds as HTML.
    fn markup(&self, at: usize, out: &mut String) {
        for (child, node) in self.children(at) {
            match node.kind {
                Kind::Attribute => {}
                Kind::Text => push_escaped(out, self.slice(node.text)),
                Kind::Element => {
                    let name = self.name(child);
                    out.push('<');
                    out.push_str(name);
                    for (_, attribute) in self
                        .children(child)
                        .filter(|(_, node)| node.kind == Kind::Attribute)
                    {
                        out.push(' ');
                        out.push_str(self.slice(attribute.name));
                        out.push_str("=\"");
                        push_escaped(out, self.slice(attribute.text));
                        out.push('"');
                    }
                    out.push('>');
                    if !["br", "hr", "img"].contains(&name.to_ascii_lowercase().as_str()) {
                        self.markup(child, out);
                        out.push_str("</");
                        out.push_str(name);
                        out.push('>');
                    }
                }
            }
        }
    }

    fn push(&mut self, kind: Kind, name: (usize, usize), text: (usize, usize)) {
        let end = self.nodes.len() + 1;
        self.nodes.push(Node {
            kind,
            name,
            text,
            end,
        });
    }

    fn keep(&mut self, text: &str) -> (usize, usize) {
        let start = self.text.len();
        self.text.push_str(text);
        (start, self.text.len())
    }

    fn slice(&self, range: (usize, usize)) -> &str {
        self.text.get(range.0..range.1).unwrap_or("")
    }

    fn name(&self, at: usize) -> &str {
        self.nodes.get(at).map_or("", |node| self.slice(node.name))
    }

    /// The nodes directly below, with their places.
    fn children(&self, at: usize) -> impl Iterator<Item = (usize, Node)> {
        let end = self.nodes.get(at).map_or(at, |node| node.end);
        let mut next = at + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let node = *self.nodes.get(next)?;
            let place = next;
            next = node.end;
            Some((place, node))
        })
    }

    fn attribute(&self, at: usize, name: &str) -> Option<&str> {
        self.children(at)
            .filter(|(_, node)| node.kind == Kind::Attribute)
            .find(|(_, node)| self.slice(node.name) == name)
            .map(|(_, node)| self.slice(node.text).trim())
    }

    /// The text right inside an element, without that of its children.
    fn own_text(&self, at: usize) -> String {
        let mut text = String::new();
        for (_, node) in self
            .children(at)
            .filter(|(_, node)| node.kind == Kind::Text)
        {
            text.push_str(self.slice(node.text));
        }
        let end = text.trim_end().len();
        text.truncate(end);
        text.drain(..text.len() - text.trim_start().len());
        text
    }
}

fn push_escaped(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
}
