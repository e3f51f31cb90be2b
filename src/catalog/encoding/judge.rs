//! What undeclared bytes are. UTF-8 proves itself; a code page is taken only when no other reads as a language.

use std::collections::HashSet;

use super::language::{LANGUAGES, Language, by_tag, is_sign, joins_words};
use super::{CANDIDATES, Charset};

/// Most different words kept.
const WORDS_MAX: usize = 4096;

/// Longest word kept, in bytes; of a longer one its beginning.
const WORD_BYTES_MAX: usize = 48;

/// Share of words, in percent, that must read as words.
const FITTING_PERCENT: usize = 95;

/// What was seen of a file: which bytes, which words with bytes beyond ASCII, and how much of it is UTF-8.
#[derive(Default)]
pub struct Evidence {
    used: Vec<bool>,
    words: HashSet<Vec<u8>>,
    /// The first words in the order of the file.
    first: Vec<Vec<u8>>,
    word: Vec<u8>,
    /// Letters just before, which the next chunk may make a word of.
    edge: Vec<u8>,
    /// Letters of several bytes that are right UTF-8.
    letters: u64,
    /// Bytes that are not.
    bad: u64,
    /// Bytes of a letter that the last chunk began.
    tail: Vec<u8>,
    /// Lines so far, and the first bad byte's line and value.
    line_feeds: u64,
    first_bad: Option<(u64, u8)>,
}

/// What the bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// UTF-8 throughout.
    Utf8,
    /// Mostly UTF-8, with a byte on this line that is not.
    DamagedUtf8 {
        /// Line from 1.
        line: u64,
        /// The byte.
        byte: u8,
    },
    /// This, and why.
    Charset(Charset, String),
    /// One of these, each with the first word as it would read.
    Ambiguous(Vec<(Charset, String)>),
}

impl Evidence {
    /// Takes in a part of the file, in order.
    pub fn add(&mut self, bytes: &[u8]) {
        self.used.resize(256, false);
        if self.tail.is_empty() && self.word.is_empty() && bytes.is_ascii() {
            self.line_feeds += memchr::memchr_iter(b'\n', bytes).count() as u64;
            self.keep_edge(bytes);
            return;
        }
        self.count_utf8(bytes);
        let mut rest = bytes;
        loop {
            if self.word.is_empty() {
                // ASCII without a word under way says nothing
                let at = rest.iter().position(|byte| !byte.is_ascii());
                let (plain, from) = rest.split_at(at.unwrap_or(rest.len()));
                self.keep_edge(plain);
                if from.is_empty() {
                    return;
                }
                self.word.append(&mut self.edge);
                rest = from;
            }
            let length = rest
                .iter()
                .position(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic());
            let (part, from) = rest.split_at(length.unwrap_or(rest.len()));
            for byte in part {
                if let Some(used) = self.used.get_mut(usize::from(*byte)) {
                    *used = true;
                }
            }
            let room = WORD_BYTES_MAX.saturating_sub(self.word.len());
            self.word
                .extend_from_slice(part.get(..room.min(part.len())).unwrap_or_default());
            if length.is_none() {
                return;
            }
            self.end_word();
            rest = from;
        }
    }

    /// Keeps the letters at the end of plain ASCII: they may begin a word.
    fn keep_edge(&mut self, plain: &[u8]) {
        let letters = plain
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        if letters < plain.len() {
            self.edge.clear();
        }
        let kept = letters.min(WORD_BYTES_MAX / 2);
        self.edge
            .extend_from_slice(plain.get(plain.len() - kept..).unwrap_or_default());
        self.edge.truncate(WORD_BYTES_MAX / 2);
    }

    fn end_word(&mut self) {
        self.edge.clear();
        let word = std::mem::take(&mut self.word);
        if word.is_empty() || self.words.len() >= WORDS_MAX || self.words.contains(&word) {
            return;
        }
        if self.first.len() < 3 {
            self.first.push(word.clone());
        }
        self.words.insert(word);
    }

    fn count_utf8(&mut self, bytes: &[u8]) {
        let joined;
        let mut rest = bytes;
        if !self.tail.is_empty() {
            joined = [self.tail.as_slice(), bytes].concat();
            self.tail.clear();
            rest = &joined;
        }
        loop {
            let (good, error) = match std::str::from_utf8(rest) {
                Ok(text) => (text, None),
                Err(error) => {
                    let good = rest.get(..error.valid_up_to()).unwrap_or_default();
                    (std::str::from_utf8(good).unwrap_or_default(), Some(error))
                }
            };
            self.line_feeds += memchr::memchr_iter(b'\n', good.as_bytes()).count() as u64;
            let continued = good.bytes().filter(|byte| byte & 0xC0 == 0x80).count();
            self.letters += if continued == 0 {
                0
            } else {
                good.chars().filter(|letter| !letter.is_ascii()).count() as u64
            };
            let Some(error) = error else {
                return;
            };
            let bad = rest.get(error.valid_up_to()..).unwrap_or_default();
            let Some(length) = error.error_len() else {
                self.tail = bad.to_vec();
                return;
            };
            self.bad += 1;
            let line = self.line_feeds + 1;
            self.first_bad
                .get_or_insert((line, bad.first().copied().unwrap_or(0)));
            rest = bad.get(length..).unwrap_or_default();
        }
    }

    /// True while nothing beyond ASCII was seen.
    pub fn is_ascii(&self) -> bool {
        self.letters == 0 && self.bad == 0 && self.tail.is_empty()
    }

    /// True while everything was UTF-8; a letter may still be cut at the end.
    pub fn is_utf8(&self) -> bool {
        self.bad == 0
    }

    /// Judges what was seen, which is the whole file unless it cannot be read twice. `language` is the source's, if known.
    pub fn judge(&mut self, language: Option<&str>) -> Verdict {
        self.end_word();
        if self.bad == 0 {
            return Verdict::Utf8;
        }
        let (line, byte) = self.first_bad.unwrap_or((1, 0));
        // in a code page, bytes that happen to be letters of UTF-8 are rare; in damaged UTF-8 they are the rule
        if self.letters > self.bad {
            return Verdict::DamagedUtf8 { line, byte };
        }
        let known = language.and_then(by_tag);
        let groups = self.groups();
        let words: Vec<Vec<Vec<char>>> = groups.iter().map(|group| self.read(group)).collect();
        let tests: [&dyn Fn(&[Vec<char>]) -> bool; 3] = [
            &|words| known.is_some() && has_letters(words) && fits_any(words, known),
            &|words| fits_any(words, known),
            &|words| fits_one(words, known),
        ];
        for test in tests {
            let fitting: Vec<&Group> = groups
                .iter()
                .zip(&words)
                .filter(|(_, words)| test(words))
                .map(|(group, _)| group)
                .collect();
            if let [group] = fitting.as_slice() {
                return Verdict::Charset(group.charset(), self.proof(group, known));
            }
        }
        Verdict::Ambiguous(
            groups
                .iter()
                .map(|group| (group.charset(), self.sample(group)))
                .collect(),
        )
    }

    /// The candidates that define every byte seen, together with those that read these bytes alike.
    fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for name in CANDIDATES {
            let Some((charset, table)) =
                Charset::by_name(name).and_then(|c| c.table().map(|t| (c, t)))
            else {
                continue;
            };
            let used = self.used.iter().zip(table).filter(|(used, _)| **used);
            let Some(letters) = used.map(|(_, letter)| letter).collect::<Option<Vec<_>>>() else {
                continue;
            };
            match groups.iter_mut().find(|group| group.letters == letters) {
                Some(group) => group.charsets.push(charset),
                None => groups.push(Group {
                    charsets: vec![charset],
                    table,
                    letters,
                }),
            }
        }
        groups
    }

    fn read(&self, group: &Group) -> Vec<Vec<char>> {
        self.words.iter().map(|word| group.read(word)).collect()
    }

    fn sample(&self, group: &Group) -> String {
        self.first
            .first()
            .map_or(String::new(), |word| group.read(word).into_iter().collect())
    }

    fn proof(&self, group: &Group, known: Option<&Language>) -> String {
        let others: Vec<&str> = group.charsets.iter().skip(1).map(|c| c.name).collect();
        let alike = if others.is_empty() {
            String::new()
        } else {
            format!(" (read as {} it is the same text)", others.join(", "))
        };
        let language = known.map_or(String::new(), |known| format!(" in language `{}`", known.tag));
        format!(
            "the text is {}{alike}: it is not UTF-8, and no other encoding makes words{language} of it, such as `{}`",
            group.charset().name,
            self.sample(group)
        )
    }
}

/// Character sets that read a file alike.
struct Group {
    charsets: Vec<Charset>,
    table: [Option<char>; 256],
    letters: Vec<char>,
}

impl Group {
    fn charset(&self) -> Charset {
        self.charsets.first().copied().unwrap_or(super::UTF8)
    }

    fn read(&self, word: &[u8]) -> Vec<char> {
        word.iter()
            .filter_map(|byte| self.table.get(usize::from(*byte)).copied().flatten())
            .collect()
    }
}

/// Nearly every word is one of some language, or of the known one.
fn fits_any(words: &[Vec<char>], known: Option<&Language>) -> bool {
    share(words, |word| match known {
        Some(known) => is_word(word, known),
        None => LANGUAGES.iter().any(|language| is_word(word, language)),
    })
}

/// Nearly every word is one of a single language.
fn fits_one(words: &[Vec<char>], known: Option<&Language>) -> bool {
    match known {
        Some(_) => fits_any(words, known),
        None => LANGUAGES
            .iter()
            .any(|language| share(words, |word| is_word(word, language))),
    }
}

/// Some letter beyond ASCII stands in a word, and is not only a sign beside one.
fn has_letters(words: &[Vec<char>]) -> bool {
    let proper = |letter: &char| letter.is_alphabetic() && !is_sign(*letter);
    words.iter().any(|word| {
        word.iter().filter(|letter| proper(letter)).count() > 1
            && word.iter().any(|letter| !letter.is_ascii() && proper(letter))
    })
}

fn share(words: &[Vec<char>], fits: impl Fn(&[char]) -> bool) -> bool {
    let fitting = words.iter().filter(|word| fits(word)).count();
    fitting * 100 >= words.len() * FITTING_PERCENT
}

/// Whether a language writes this word, signs beside it apart.
fn is_word(word: &[char], language: &Language) -> bool {
    let thai = language.tag == "th";
    let mut before: Option<char> = None;
    for (at, letter) in word.iter().copied().enumerate() {
        let next = word.get(at + 1).copied();
        let right = if letter.is_ascii() {
            true
        } else if is_sign(letter) {
            let inside = before.is_some_and(char::is_alphabetic) && next.is_some_and(char::is_alphabetic);
            !inside || joins_words(letter)
        } else if thai {
            let placed = !is_thai_mark(letter) || before.is_some_and(is_thai);
            // one Thai letter on the tail of a Latin word is another encoding's accent
            let alone = before.is_some_and(|b| b.is_ascii_alphabetic()) && !next.is_some_and(is_thai);
            language.writes(letter) && placed && !alone
        } else if is_tone(letter) {
            language.writes(letter) && before.is_some_and(is_vietnamese_vowel)
        } else {
            // a capital after a small letter is no way to write
            let small_before = before.is_some_and(char::is_lowercase);
            language.writes(letter) && !(small_before && letter.is_uppercase())
        };
        if !right {
            return false;
        }
        before = Some(letter);
    }
    true
}

fn is_thai(letter: char) -> bool {
    matches!(letter, '\u{e01}'..='\u{e5b}')
}

/// Vowels and tones that stand above, below or behind the letter before them.
fn is_thai_mark(letter: char) -> bool {
    matches!(letter, '\u{e30}'..='\u{e3a}' | '\u{e45}' | '\u{e47}'..='\u{e4e}')
}

fn is_tone(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

fn is_vietnamese_vowel(letter: char) -> bool {
    "aeiouyăâêôơưAEIOUYĂÂÊÔƠƯ".contains(letter)
}
