//! Strict JSON as events, from a stream or from one line of text.
//!
//! Comes in: bytes. Goes out: one event at a time with its text, constant memory. It promises that a text which is not
//! whole and valid JSON ends in an error with line and column, never in [`Event::End`].

use std::io::Read;

/// Nesting allowed.
const DEPTH_MAX: usize = 128;
/// Most bytes of one text or number.
pub(super) const TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;
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
    buffer: Vec<u8>,
    at: usize,
    /// Bytes before the buffer.
    before: u64,
    line: u64,
    /// Where the line begins, in bytes from the start.
    line_start: u64,
    /// True for each open object, false for each open array.
    open: Vec<bool>,
    expect: Expect,
    raw: Vec<u8>,
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

    fn cut(&self) -> Wrong {
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
                    return Err(self.wrong(format!("it is nested deeper than {DEPTH_MAX} levels")));
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

    fn unexpected(&self, byte: u8) -> Wrong {
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
    fn stray(&self, byte: u8) -> Wrong {
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

    fn number(&mut self) -> Result<(), Wrong> {
        self.text.clear();
        if self.peek()? == Some(b'-') {
            self.take();
        }
        match self.peek()? {
            Some(b'0') => {
                self.take();
                if let Some(b'0'..=b'9') = self.peek()? {
                    let mut wrong = self.wrong("a number may not begin with 0");
                    wrong.hint = "write an identifier as text, in double quotes";
                    return Err(wrong);
                }
            }
            _ => self.digits()?,
        }
        if self.peek()? == Some(b'.') {
            self.take();
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek()? {
            self.take();
            if let Some(b'+' | b'-') = self.peek()? {
                self.take();
            }
            self.digits()?;
        }
        // Unless something follows, a number at the end of a stream may be the beginning of a longer one; nobody can
        // tell, but a document whose only value is a number holds no record anyway.
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Wrong> {
        let before = self.text.len();
        while let Some(b'0'..=b'9') = self.peek()? {
            self.take();
            if self.text.len() > TEXT_BYTES_MAX {
                return Err(self.too_long());
            }
        }
        if self.text.len() == before {
            return Err(match self.peek()? {
                None => self.cut(),
                Some(byte) => self.stray(byte),
            });
        }
        Ok(())
    }

    /// Moves the ASCII byte that comes next to the text.
    fn take(&mut self) {
        if let Some(&byte) = self.buffer.get(self.at) {
            self.text.push(char::from(byte));
            self.at += 1;
        }
    }

    fn string(&mut self) -> Result<(), Wrong> {
        self.at += 1;
        self.raw.clear();
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let plain = rest
                .iter()
                .position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20)
                .unwrap_or(rest.len());
            self.raw
                .extend_from_slice(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            if self.raw.len() > TEXT_BYTES_MAX {
                return Err(self.too_long());
            }
            match self.peek()? {
                None => {
                    let mut wrong = self.cut();
                    wrong.message = "it ends inside a text".to_owned();
                    return Err(wrong);
                }
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(byte) if byte < 0x20 => {
                    let mut wrong =
                        self.wrong(format!("control character 0x{byte:02x} inside a text"));
                    wrong.hint =
                        "write a line break as \\n; or the closing quote before it is missing";
                    return Err(wrong);
                }
                // A new buffer has begun.
                Some(_) => {}
            }
        }
        match std::str::from_utf8(&self.raw) {
            Ok(text) => {
                self.text.clear();
                self.text.push_str(text);
            }
            Err(_) => {
                let mut wrong = self.wrong("a text holds bytes that are not UTF-8");
                wrong.hint = "declare the source's `encoding`";
                return Err(wrong);
            }
        }
        self.at += 1;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Wrong> {
        self.at += 1;
        let Some(byte) = self.peek()? else {
            return Err(self.cut());
        };
        let plain = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.wrong("unknown escape after `\\` in a text")),
        };
        self.at += 1;
        self.raw.push(plain);
        Ok(())
    }

    fn unicode_escape(&mut self) -> Result<(), Wrong> {
        let first = self.hex4()?;
        let code = if (0xd800..0xdc00).contains(&first) {
            for expected in [b'\\', b'u'] {
                match self.peek()? {
                    Some(byte) if byte == expected => self.at += 1,
                    None => return Err(self.cut()),
                    Some(_) => return Err(self.wrong("half of a surrogate pair in a text")),
                }
            }
            let second = self.hex4()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(self.wrong("half of a surrogate pair in a text"));
            }
            0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        let Some(letter) = char::from_u32(code) else {
            return Err(self.wrong("half of a surrogate pair in a text"));
        };
        let mut utf8 = [0; 4];
        self.raw
            .extend_from_slice(letter.encode_utf8(&mut utf8).as_bytes());
        Ok(())
    }

    fn hex4(&mut self) -> Result<u32, Wrong> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(byte) = self.peek()? else {
                return Err(self.cut());
            };
            let Some(digit) = char::from(byte).to_digit(16) else {
                return Err(self.wrong("`\\u` is not followed by four hexadecimal digits"));
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn too_long(&self) -> Wrong {
        self.wrong(format!(
            "one value is longer than {} MiB",
            TEXT_BYTES_MAX / 1024 / 1024
        ))
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

    fn peek(&mut self) -> Result<Option<u8>, Wrong> {
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
