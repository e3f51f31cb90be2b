//! Strict JSON as events, from a stream or from one line of text.
//!
//! Comes in: bytes. Goes out: one event at a time with its text, constant memory. It promises that a text which is not
//! whole and valid JSON ends in an error with line and column, never in [`Event::End`].

use std::io::Read;

/// Nesting allowed.
const DEPTH_MAX: usize = 128;
/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// What stands next in the document. The text of a key, string or number is in [`Tokens::text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Key,
    Text,
    Number,
    True,
    False,
    Null,
    /// The document ended whole.
    End,
}

/// What is wrong with a document, and where.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) line: u64,
    /// Bytes from the beginning of the line, from 1.
    pub(super) column: u64,
    pub(super) message: String,
    pub(super) hint: &'static str,
    /// It ends too early.
    pub(super) cut: bool,
    /// Bytes follow a document that is complete.
    pub(super) trailing: bool,
    /// Reading failed, rather than the text being wrong.
    pub(super) io: Option<std::io::Error>,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// Just inside `[`.
    ValueOrEnd,
    /// Just inside `{`.
    KeyOrEnd,
    Key,
    Colon,
    CommaOrEnd,
    Nothing,
}

/// Reads a document event by event.
pub(super) struct Tokens {
    reader: Option<Box<dyn Read + Send>>,
    pub(super) buffer: Vec<u8>,
    pub(super) at: usize,
    /// Bytes before the buffer.
    before: u64,
    line: u64,
    /// Where the line begins, in bytes from the start.
    line_start: u64,
    /// True for each open object, false for each open array.
    open: Vec<bool>,
    expect: Expect,
    pub(super) raw: Vec<u8>,
    /// The decoded text of the last key, string or number.
    pub(super) text: String,
}

impl Tokens {
    /// Events of a stream.
    pub(super) fn stream(reader: Box<dyn Read + Send>) -> Self {
        Tokens {
            reader: Some(reader),
            buffer: Vec::new(),
            at: 0,
            before: 0,
            line: 1,
            line_start: 0,
            open: Vec::new(),
            expect: Expect::Value,
            raw: Vec::new(),
            text: String::new(),
        }
    }

    /// For single lines, given with [`Tokens::set_line`].
    pub(super) fn lines() -> Self {
        let mut tokens = Tokens::stream(Box::new(std::io::empty()));
        tokens.reader = None;
        tokens
    }

    /// Begins again with one line; takes its bytes and leaves the old buffer.
    pub(super) fn set_line(&mut self, bytes: &mut Vec<u8>, line: u64) {
        std::mem::swap(&mut self.buffer, bytes);
        self.at = 0;
        self.before = 0;
        self.line = line;
        self.line_start = 0;
        self.open.clear();
        self.expect = Expect::Value;
    }

    /// Line of the byte that comes next, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Bytes consumed.
    pub(super) fn offset(&self) -> u64 {
        self.before + self.at as u64
    }

    /// Open objects and arrays.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The next event.
    pub(super) fn next(&mut self) -> Result<Event, Wrong> {
        loop {
            let Some(byte) = self.skip_space()? else {
                if self.expect == Expect::Nothing {
                    return Ok(Event::End);
                }
                return Err(self.cut());
            };
            match (self.expect, byte) {
                (Expect::Nothing, _) => {
                    let mut wrong = self.wrong("something follows the end of the document");
                    wrong.trailing = true;
                    return Err(wrong);
                }
                (Expect::CommaOrEnd, b',') => {
                    self.at += 1;
                    self.expect = if self.open.last() == Some(&true) {
                        Expect::Key
                    } else {
                        Expect::Value
                    };
                }
                (Expect::Colon, b':') => {
                    self.at += 1;
                    self.expect = Expect::Value;
                }
                (Expect::CommaOrEnd | Expect::KeyOrEnd, b'}')
                    if self.open.last() == Some(&true) =>
                {
                    return Ok(self.close(Event::ObjectEnd));
                }
                (Expect::CommaOrEnd | Expect::ValueOrEnd, b']')
                    if self.open.last() == Some(&false) =>
                {
                    return Ok(self.close(Event::ArrayEnd));
                }
                (Expect::Key | Expect::KeyOrEnd, b'"') => {
                    self.string()?;
                    self.expect = Expect::Colon;
                    return Ok(Event::Key);
                }
                (Expect::Value | Expect::ValueOrEnd, _) => return self.value(byte),
                _ => return Err(self.unexpected(byte)),
            }
        }
    }

    /// Reads on to the end of the value that `first` began.
    pub(super) fn skip(&mut self, first: Event) -> Result<(), Wrong> {
        if !matches!(first, Event::ObjectStart | Event::ArrayStart) {
            return Ok(());
        }
        let outside = self.depth() - 1;
        while self.depth() > outside {
            self.next()?;
        }
        Ok(())
    }

    /// An error at the byte that comes next.
    pub(super) fn wrong(&self, message: impl Into<String>) -> Wrong {
        Wrong {
            line: self.line,
            column: self.offset() - self.line_start + 1,
            message: message.into(),
            hint: "",
            cut: false,
            trailing: false,
            io: None,
        }
    }

    pub(super) fn cut(&self) -> Wrong {
        let mut wrong = self.wrong(match self.open.len() {
            0 => "it ends before its value".to_owned(),
            1 => "it ends in the middle: 1 bracket is still open".to_owned(),
            open => format!("it ends in the middle: {open} brackets are still open"),
        });
        wrong.hint = "the file is cut; fetch or write it again";
        wrong.cut = true;
        wrong
    }

    fn close(&mut self, event: Event) -> Event {
        self.at += 1;
        self.open.pop();
        self.done();
        event
    }

    fn done(&mut self) {
        self.expect = if self.open.is_empty() {
            Expect::Nothing
        } else {
            Expect::CommaOrEnd
        };
    }

    fn value(&mut self, byte: u8) -> Result<Event, Wrong> {
        let event = match byte {
            b'{' | b'[' => {
                if self.open.len() >= DEPTH_MAX {
                    let mut wrong =
                        self.wrong(format!("it is nested deeper than {DEPTH_MAX} levels"));
                    wrong.hint = "no catalog is: look at what writes it";
                    return Err(wrong);
                }
                self.at += 1;
                self.open.push(byte == b'{');
                if byte == b'{' {
                    self.expect = Expect::KeyOrEnd;
                    return Ok(Event::ObjectStart);
                }
                self.expect = Expect::ValueOrEnd;
                return Ok(Event::ArrayStart);
            }
            b'"' => {
                self.string()?;
                Event::Text
            }
            b'-' | b'0'..=b'9' => {
                self.number()?;
                Event::Number
            }
            b't' => self.word("true", Event::True)?,
            b'f' => self.word("false", Event::False)?,
            b'n' => self.word("null", Event::Null)?,
            _ => return Err(self.unexpected(byte)),
        };
        self.done();
        Ok(event)
    }

    pub(super) fn unexpected(&self, byte: u8) -> Wrong {
        let mut wrong = self.wrong(match byte {
            b'N' | b'I' | b'i' => "`NaN` and `Infinity` are no JSON values".to_owned(),
            b'/' | b'#' => "comments are no part of JSON".to_owned(),
            b'\'' => "a text in single quotes is no JSON".to_owned(),
            b']' | b'}' => match self.expect {
                Expect::Key | Expect::Value => {
                    format!("`{}` after a comma or colon", char::from(byte))
                }
                _ => format!("`{}` closes nothing that is open", char::from(byte)),
            },
            b'<' if self.open.is_empty() => "it is HTML or XML where JSON should be".to_owned(),
            b' '..=b'~' => format!("unexpected `{}`", char::from(byte)),
            _ => format!("unexpected byte 0x{byte:02x}"),
        });
        wrong.hint = match byte {
            b'N' | b'I' | b'i' => "write null, or leave the member out",
            b'/' | b'#' => "take the comments out",
            b'\'' => "write it in double quotes",
            b']' | b'}' => "take the comma before it away",
            b'<' => "look at what the source really holds; it may be an error page",
            _ => "",
        };
        wrong
    }

    /// A byte in the middle of a number or word.
    pub(super) fn stray(&self, byte: u8) -> Wrong {
        match byte {
            b']' | b'}' => self.wrong(format!("unexpected `{}`", char::from(byte))),
            _ => self.unexpected(byte),
        }
    }

    fn word(&mut self, word: &str, event: Event) -> Result<Event, Wrong> {
        for (place, expected) in word.bytes().enumerate() {
            match self.peek()? {
                Some(byte) if byte == expected => self.at += 1,
                None => return Err(self.cut()),
                Some(b'a' | b'A') if word == "null" && place == 1 => {
                    return Err(self.unexpected(b'N'));
                }
                Some(byte) => return Err(self.stray(byte)),
            }
        }
        Ok(event)
    }

    fn skip_space(&mut self) -> Result<Option<u8>, Wrong> {
        loop {
            match self.peek()? {
                Some(b'\n') => {
                    self.at += 1;
                    self.line += 1;
                    self.line_start = self.offset();
                }
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                // A byte order mark is no space, but it is what many programs begin a file with.
                Some(0xef) if self.offset() == 0 && self.buffer.starts_with(b"\xef\xbb\xbf") => {
                    self.at += 3;
                }
                other => return Ok(other),
            }
        }
    }

    pub(super) fn peek(&mut self) -> Result<Option<u8>, Wrong> {
        if let Some(&byte) = self.buffer.get(self.at) {
            return Ok(Some(byte));
        }
        if self.reader.is_none() {
            return Ok(None);
        }
        self.before += self.at as u64;
        self.at = 0;
        self.buffer.resize(CHUNK_BYTES, 0);
        let mut filled = 0;
        while let Some(reader) = &mut self.reader {
            let room = self.buffer.get_mut(filled..).unwrap_or_default();
            match reader.read(room) {
                Ok(0) => self.reader = None,
                Ok(count) => {
                    filled += count;
                    // The byte order mark is looked for in the first buffer.
                    if filled >= 3 {
                        break;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.buffer.clear();
                    let mut wrong = self.wrong("cannot be read");
                    wrong.io = Some(error);
                    return Err(wrong);
                }
            }
        }
        self.buffer.truncate(filled);
        Ok(self.buffer.first().copied())
    }
}
