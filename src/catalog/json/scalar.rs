//! Texts and numbers of JSON, byte by byte across buffers.

use super::token::{Tokens, Wrong};

/// Most bytes of one text or number.
pub(super) const TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;

impl Tokens {
    /// Reads a number, keeping its exact text.
    pub(super) fn number(&mut self) -> Result<(), Wrong> {
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

    /// Reads a text or key from its opening quote on.
    pub(super) fn string(&mut self) -> Result<(), Wrong> {
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
}
