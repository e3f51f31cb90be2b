//! Well-formed XML as pieces: start, text, end.
//!
//! Comes in: a UTF-8 stream. Goes out: one piece at a time, entities resolved. It promises that a document that is cut,
//! not well-formed, deeper than 64 levels, or that defines entities ends in an error with its line, never in
//! [`Piece::End`]. Nothing is ever fetched.

use std::io::Read;

use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::events::{BytesStart, Event};

use super::counted::Counted;
use crate::catalog::flat::read_failed;
use crate::catalog::{SourceError, SourceProblem};

/// Nesting allowed.
const DEPTH_MAX: usize = 64;
/// Attributes of one element.
const ATTRIBUTES_MAX: usize = 256;

/// What stands next in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::catalog) enum Piece {
    /// An element begins: see [`Pieces::name`] and [`Pieces::attributes`].
    Start,
    /// Text in [`Pieces::text`]: only a part of what the element holds, more may follow.
    Text,
    /// The innermost element ends.
    Close,
    /// The document ended whole.
    End,
}

/// Reads a document piece by piece.
pub(in crate::catalog) struct Pieces {
    reader: Reader<Counted>,
    source: String,
    buffer: Vec<u8>,
    /// Names from the root, each after a slash.
    path: String,
    /// For each open element, how long the path was before it, and its line.
    open: Vec<(usize, u64)>,
    rooted: bool,
    closed: String,
    /// Line where the last piece began, from 1.
    pub(in crate::catalog) line: u64,
    /// Text, with entities resolved and line ends as `\n`.
    pub(in crate::catalog) text: String,
    /// The attributes of the element that began, as written and with entities resolved.
    pub(in crate::catalog) attributes: Vec<(String, String)>,
}

impl Pieces {
    /// Pieces of a stream that `source` stands for in messages.
    pub(in crate::catalog) fn new(stream: Box<dyn Read + Send>, source: &str) -> Self {
        let mut reader = Reader::from_reader(Counted::new(stream));
        reader.config_mut().expand_empty_elements = true;
        Pieces {
            reader,
            source: source.to_owned(),
            buffer: Vec::new(),
            path: String::new(),
            open: Vec::new(),
            rooted: false,
            closed: String::new(),
            line: 1,
            text: String::new(),
            attributes: Vec::new(),
        }
    }

    /// Open elements.
    pub(in crate::catalog) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Names from the root to the innermost open element, each after a slash.
    pub(in crate::catalog) fn path(&self) -> &str {
        &self.path
    }

    /// The name of the innermost open element, with its prefix.
    pub(in crate::catalog) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or("")
    }

    #[cfg_attr(
        not(feature = "xlsx"),
        expect(dead_code, reason = "only workbooks ask")
    )]
    /// The name of the element that ended last, with its prefix.
    pub(in crate::catalog) fn closed(&self) -> &str {
        &self.closed
    }

    /// The next piece.
    pub(in crate::catalog) fn next(&mut self) -> Result<Piece, SourceError> {
        loop {
            self.buffer.clear();
            self.text.clear();
            self.reader.get_mut().begin_piece();
            self.line = self.reader.get_ref().line();
            let mut buffer = std::mem::take(&mut self.buffer);
            let step = match self.reader.read_event_into(&mut buffer) {
                Ok(event) => self.piece(event),
                Err(error) => Err(self.unreadable(&error)),
            };
            self.buffer = buffer;
            if let Some(piece) = step? {
                return Ok(piece);
            }
        }
    }

    /// An error at the place reached.
    pub(in crate::catalog) fn wrong(&self, message: impl Into<String>) -> SourceError {
        SourceError::new(SourceProblem::NotWhole, &self.source, message)
            .at_line(self.reader.get_ref().line())
    }

    fn piece(&mut self, event: Event<'_>) -> Result<Option<Piece>, SourceError> {
        match event {
            Event::Start(start) | Event::Empty(start) => self.start(&start).map(Some),
            Event::End(_) => {
                self.closed.clear();
                self.closed
                    .push_str(self.path.rsplit('/').next().unwrap_or(""));
                let (length, _) = self.open.pop().unwrap_or_default();
                self.path.truncate(length);
                Ok(Some(Piece::Close))
            }
            Event::Text(text) => {
                self.text.push_str(&text.xml10_content());
                self.check_place()
            }
            Event::CData(text) => {
                self.text.push_str(&text.xml10_content());
                if self.open.is_empty() {
                    return Err(self.wrong("a CDATA section stands outside the root element"));
                }
                self.check_place()
            }
            Event::GeneralRef(reference) => {
                let letter = self.entity(&reference)?;
                self.text.push(letter);
                if self.open.is_empty() {
                    return Err(self.wrong("text stands outside the root element"));
                }
                self.check_place()
            }
            Event::Decl(_) if self.rooted => Err(self
                .wrong("an XML declaration stands in the middle")
                .hint("the file seems to be two documents, one after the other")),
            Event::DocType(declaration) => self.doctype(&declaration),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => Ok(None),
            Event::Eof => match self.open.last() {
                Some(&(_, line)) => Err(self
                    .wrong(format!(
                        "it ends while `<{}>` from line {line} is open",
                        self.name()
                    ))
                    .hint("the file is cut; fetch or write it again")),
                None if !self.rooted => Err(self
                    .wrong("it holds no element")
                    .hint("the file is empty or cut; fetch or write it again")),
                None => Ok(Some(Piece::End)),
            },
        }
    }

    fn check_place(&self) -> Result<Option<Piece>, SourceError> {
        if !self.open.is_empty() {
            return Ok(Some(Piece::Text));
        }
        // A byte order mark in the middle of a stream is what joining two files leaves behind.
        if self.text.trim_matches('\u{feff}').trim().is_empty() {
            return Ok(None);
        }
        let error = self.wrong("text stands outside the root element");
        Err(if self.rooted {
            error.hint("take away what follows the root's end tag")
        } else {
            error.hint("look at what the source really holds; this is no XML")
        })
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<Piece, SourceError> {
        let name = start.name();
        let name: &str = name.as_ref();
        let letter = name.chars().next();
        if !letter.is_some_and(|c| c.is_alphabetic() || c == '_' || c == ':') || name.contains('/')
        {
            return Err(self
                .wrong("`<` is not followed by an element's name")
                .hint("write `<` in text as `&lt;`, or put the text in a CDATA section"));
        }
        if self.open.is_empty() {
            if self.rooted {
                return Err(self
                    .wrong(format!(
                        "a second root element, `<{name}>`, follows the first"
                    ))
                    .hint("a document has one root; the file seems to be several joined"));
            }
            if name.eq_ignore_ascii_case("html") {
                return Err(self.page());
            }
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(self
                .wrong(format!("it is nested deeper than {DEPTH_MAX} levels"))
                .hint("no catalog is: look at what writes it"));
        }
        self.rooted = true;
        self.open.push((self.path.len(), self.line));
        self.path.push('/');
        self.path.push_str(name);
        self.attributes.clear();
        for attribute in start.attributes() {
            let attribute = attribute
                .map_err(|error| self.wrong(format!("`<{name}>` has a bad attribute: {error}")))?;
            if self.attributes.len() >= ATTRIBUTES_MAX {
                return Err(self.wrong(format!(
                    "`<{name}>` has more than {ATTRIBUTES_MAX} attributes"
                )));
            }
            let value = self.attribute(&attribute.value)?;
            let key: &str = attribute.key.as_ref();
            self.attributes.push((key.to_owned(), value));
        }
        Ok(Piece::Start)
    }

    /// An attribute's value: entities resolved, white space as spaces.
    fn attribute(&self, raw: &str) -> Result<String, SourceError> {
        let mut value = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some((before, after)) = rest.split_once('&') {
            push_attribute(&mut value, before);
            let Some((reference, after)) = after.split_once(';') else {
                return Err(self
                    .wrong("`&` in an attribute is not followed by an entity")
                    .hint("write `&` as `&amp;`"));
            };
            value.push(self.entity(reference)?);
            rest = after;
        }
        push_attribute(&mut value, rest);
        if raw.contains('<') {
            return Err(self
                .wrong("`<` in an attribute's value")
                .hint("write it as `&lt;`; or the closing quote before it is missing"));
        }
        Ok(value)
    }

    /// The character that `name` of `&name;` stands for.
    fn entity(&self, name: &str) -> Result<char, SourceError> {
        let code = match name.strip_prefix('#') {
            Some(number) => match number.strip_prefix('x') {
                Some(hex) if !hex.starts_with('+') => u32::from_str_radix(hex, 16).ok(),
                None if !number.starts_with('+') => number.parse().ok(),
                _ => None,
            },
            None => match name {
                "lt" => return Ok('<'),
                "gt" => return Ok('>'),
                "amp" => return Ok('&'),
                "apos" => return Ok('\''),
                "quot" => return Ok('"'),
                _ => {
                    return Err(self.wrong(format!("unknown entity `&{name};`")).hint(
                        "XML knows `&amp;`, `&lt;`, `&gt;`, `&quot;`, `&apos;` and numbers such as `&#160;`; put HTML in CDATA",
                    ));
                }
            },
        };
        code.filter(|&code| code != 0)
            .and_then(char::from_u32)
            .ok_or_else(|| self.wrong(format!("`&{name};` is no character")))
    }

    fn doctype(&self, declaration: &str) -> Result<Option<Piece>, SourceError> {
        let root = declaration.split_whitespace().next().unwrap_or("");
        if root.eq_ignore_ascii_case("html") {
            return Err(self.page());
        }
        if declaration.contains('[') {
            return Err(self
                .wrong("its DOCTYPE declares entities or elements of its own, which is refused")
                .hint("take the DOCTYPE out and write the texts themselves"));
        }
        if self.rooted {
            return Err(self.wrong("a DOCTYPE stands inside or behind the root element"));
        }
        Ok(None)
    }

    fn page(&self) -> SourceError {
        self.wrong("it is an HTML page where XML should be")
            .hint("look at what the source really holds; it may be an error page")
    }

    fn unreadable(&self, error: &Error) -> SourceError {
        let line = self.reader.get_ref().line();
        match error {
            Error::Io(error) => read_failed(error, &self.source, line),
            Error::Encoding(_) => self
                .wrong("it holds bytes that are not UTF-8")
                .hint("declare the source's `encoding`"),
            Error::Syntax(error) => self
                .wrong(error.to_string())
                .hint("the file is cut, or `<` in a text is not written as `&lt;`"),
            Error::IllFormed(error) => self
                .wrong(error.to_string())
                .hint("correct the document; it must be well-formed XML"),
            other => self.wrong(other.to_string()),
        }
    }
}

/// Adds raw text of an attribute, in which XML turns white space to spaces.
fn push_attribute(value: &mut String, raw: &str) {
    value.extend(raw.chars().map(|c| {
        if matches!(c, '\t' | '\n' | '\r') {
            ' '
        } else {
            c
        }
    }));
}
