//! One attribute of one feed: its value computed, cleaned, mapped and held against the channel's rules.
//!
//! Checks come before the write, on the computed value, and allocate nothing when they pass.

mod address;

use bumpalo::collections::String as ArenaString;
use wide::u8x16;

use crate::channel::manifest::{AttributeKind, AttributeLevel, MaxLength, Overflow};
use crate::helper::truncate::{self, Measure};
use crate::model::gtin::Gtin;
use crate::model::value::{ELEMENT, List, Value};
use crate::validate::finding::Severity;

use super::decimal;
use super::evaluate::{Evaluator, trim};
use super::graph::NodeId;
use super::reading::gtin_rule;
use address::{PLAIN, is_plain_address, scheme_length};

/// One attribute as it was compiled.
pub struct AttributeProgram {
    /// The channel's name for it.
    pub name: String,
    /// Its number among the computed attributes.
    pub slot: u32,
    /// Its mapping; of a list, what is made of each element.
    pub value: NodeId,
    /// The list it is made from.
    pub list: Option<ListProgram>,
    /// What its value is.
    pub kind: AttributeKind,
    /// Whether it must be there.
    pub required: bool,
    /// The condition under which it must be there.
    pub required_if: Option<(NodeId, String)>,
    /// How much a broken rule matters.
    pub severity: Severity,
    /// Whether two items may not share it.
    pub unique: bool,
    /// The values it may have; empty is any.
    pub one_of: Vec<String>,
    /// Ours = the channel's spelling.
    pub map: Vec<(String, String)>,
    /// How long it may be.
    pub max_length: MaxLength,
    /// The shortest byte length that may break a limit.
    pub safe_bytes: usize,
    /// What happens when it is longer.
    pub overflow: Overflow,
    /// On which level of a product it stands.
    pub level: AttributeLevel,
    /// The location whose stock it tells.
    pub location: Option<u32>,
    /// The master's column that its mapping takes as it is, when present: the usual way, and the short one.
    pub direct: Option<u32>,
    /// Whether its value is known to need no cleaning: it follows from a reading that gives plain ASCII words.
    pub clean: bool,
    /// Currency of the feed, for messages about missing prices.
    pub currency: String,
}

/// How a list attribute is made.
pub struct ListProgram {
    /// The list.
    pub list: NodeId,
    /// Whether each element is computed, or taken as it is.
    pub computed: bool,
    /// Elements left out at the front.
    pub skip: usize,
    /// Elements taken at most.
    pub max_items: usize,
}

/// A rule broken by an attribute of an item.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The rule.
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl AttributeProgram {
    /// Computes the attribute for the item in hand; what is wrong with it goes to `problems`.
    pub fn compute<'a>(&self, run: &Evaluator<'a>, problems: &mut Vec<Problem>) -> Value<'a> {
        if self.location.is_some() {
            run.select_location(self.location);
        }
        let value = match &self.list {
            None => match self
                .direct
                .and_then(|column| run.raw_text(column))
                .map_or_else(|| run.value(self.value), |text| Ok(Value::Text(text)))
            {
                Ok(value) => self.finish(value, run, problems),
                Err(failure) => {
                    let trouble = run.trouble(failure);
                    problems.push(Problem {
                        rule: trouble.rule,
                        severity: self.severity,
                        message: trouble.message,
                        hint: trouble.hint,
                    });
                    return Value::Absent;
                }
            },
            Some(list) => self.list(list, run, problems),
        };
        if self.location.is_some() {
            run.select_location(None);
        }
        value
    }

    /// What must be there and is not.
    pub fn check_presence(
        &self,
        value: Value<'_>,
        run: &Evaluator<'_>,
        problems: &mut Vec<Problem>,
    ) {
        if !value.is_absent() {
            return;
        }
        let why = if self.required {
            String::new()
        } else if let Some((condition, source)) = &self.required_if {
            match run.value(*condition) {
                Ok(value) if value.is_true() => format!(", which this item needs: `{source}`"),
                _ => return,
            }
        } else {
            return;
        };
        if self.kind == AttributeKind::Money {
            problems.push(Problem {
                rule: "no-price-in-currency",
                severity: self.severity,
                message: format!(
                    "`{}` has no value: there is no price in {}{why}",
                    self.name, self.currency
                ),
                hint: format!(
                    "give it a price, a column `price.{}`, or a source with `currency = \"{}\"`",
                    self.currency, self.currency
                ),
            });
            return;
        }
        problems.push(Problem {
            rule: "missing-required",
            severity: self.severity,
            message: format!("`{}` has no value{why}", self.name),
            hint: format!(
                "fill the column it is made from, or map it: [feed.fields] {} = \"…\"",
                toml_key(&self.name)
            ),
        });
    }

    fn list<'a>(
        &self,
        list: &ListProgram,
        run: &Evaluator<'a>,
        problems: &mut Vec<Problem>,
    ) -> Value<'a> {
        let source = match run.value(list.list) {
            Ok(value) => value,
            Err(failure) => {
                let trouble = run.trouble(failure);
                problems.push(Problem {
                    rule: trouble.rule,
                    severity: self.severity,
                    message: trouble.message,
                    hint: trouble.hint,
                });
                return Value::Absent;
            }
        };
        if source.is_absent() {
            return source;
        }
        if !list.computed
            && let Value::List(elements) = source
            && let Some(unchanged) = self.unchanged(elements, list)
        {
            return unchanged;
        }
        let mut encoded = ArenaString::new_in(run.arena);
        let mut taken = 0;
        let count = source.count();
        for (index, element) in source.elements().enumerate().skip(list.skip) {
            if taken == list.max_items {
                break;
            }
            let value = if list.computed {
                run.within(element, index, index + 1 == count, || run.value(self.value))
                    .unwrap_or(Value::Absent)
            } else {
                Value::text(element)
            };
            let value = self.finish(value, run, problems);
            if let Some(text) = value.as_text().filter(|text| !text.is_empty()) {
                if taken > 0 {
                    encoded.push(ELEMENT);
                }
                encoded.push_str(text);
                taken += 1;
            }
        }
        Value::list(encoded.into_bump_str())
    }

    /// The elements as they came, where every one of them is a plain address of allowed length.
    fn unchanged<'a>(&self, elements: List<'a>, list: &ListProgram) -> Option<Value<'a>> {
        let is_address = matches!(self.kind, AttributeKind::Url | AttributeKind::ImageUrl);
        if !is_address || !self.map.is_empty() || !self.one_of.is_empty() {
            return None;
        }
        let encoded = elements.0;
        let (mut start, mut end, mut at) = (None, 0, 0);
        for (index, element) in elements.iter().enumerate() {
            let from = at;
            at += element.len() + ELEMENT.len_utf8();
            if index < list.skip {
                continue;
            }
            if index - list.skip == list.max_items {
                break;
            }
            let bytes = element.as_bytes();
            let scheme = scheme_length(bytes);
            let host = bytes.get(scheme)?;
            if scheme == 0
                || !host.is_ascii_alphanumeric()
                || element.len() > self.safe_bytes
                || !is_plain_address(bytes)
            {
                return None;
            }
            start.get_or_insert(from);
            end = from + element.len();
        }
        Some(start.map_or(Value::Absent, |start| {
            Value::list(encoded.get(start..end).unwrap_or(""))
        }))
    }

    /// Cleans, maps and checks one value.
    fn finish<'a>(
        &self,
        value: Value<'a>,
        run: &Evaluator<'a>,
        problems: &mut Vec<Problem>,
    ) -> Value<'a> {
        let mut text = match value {
            Value::Absent => return value,
            Value::Bool(_) if self.kind == AttributeKind::Boolean && self.map.is_empty() => {
                return value;
            }
            Value::List(_) => {
                problems.push(self.problem(
                    "list-as-text",
                    format!("`{}` is a list where one value belongs", self.name),
                    "join it: `{{join images \", \"}}`, or use `list = \"…\"`",
                ));
                return Value::Absent;
            }
            other => trim(other.as_text().unwrap_or("")),
        };
        if text.is_empty() {
            return Value::Absent;
        }
        let is_address = matches!(self.kind, AttributeKind::Url | AttributeKind::ImageUrl);
        if is_address && self.map.is_empty() && is_plain_address(text.as_bytes()) {
            // No control character is plain: what follows looks at the address alone.
        } else if !self.clean && !is_clean(text) {
            text = self.without_controls(text, run, problems);
            if text.is_empty() {
                return Value::Absent;
            }
        }
        let text = match self.map.iter().find(|(ours, _)| ours == text) {
            Some((_, theirs)) if theirs.is_empty() => return Value::Absent,
            Some((_, theirs)) => run.arena.alloc_str(theirs),
            None => text,
        };
        let text = match self.kind {
            AttributeKind::Text | AttributeKind::Date => text,
            AttributeKind::Html => sanitised(text, run),
            AttributeKind::Url | AttributeKind::ImageUrl => match self.url(text, run) {
                Ok(text) => text,
                Err(problem) => {
                    problems.push(problem);
                    return Value::Absent;
                }
            },
            AttributeKind::Enum => text,
            AttributeKind::Gtin => match Gtin::parse(text) {
                Ok(parsed) if parsed.separators_removed => {
                    run.arena.alloc_str(parsed.gtin.as_str())
                }
                Ok(_) => text,
                Err(problem) => {
                    problems.push(self.problem(
                        gtin_rule(&problem),
                        format!("`{}`: {}", self.name, problem.message(&shown(text))),
                        &problem.hint(),
                    ));
                    return Value::Absent;
                }
            },
            AttributeKind::Money => match is_money(text) {
                true => text,
                false => {
                    let message =
                        format!("`{}` is no amount of money: `{}`", self.name, shown(text));
                    problems.push(self.problem(
                        "price-not-a-number",
                        message,
                        "map it with `{{money price}}`",
                    ));
                    return Value::Absent;
                }
            },
            AttributeKind::Decimal => match decimal::parse(text) {
                Some(_) => text,
                None => {
                    let message = format!("`{}` is no number: `{}`", self.name, shown(text));
                    problems.push(self.problem(
                        "not-a-number",
                        message,
                        "give it digits with a point, or map it with `{{number x}}`",
                    ));
                    return Value::Absent;
                }
            },
            AttributeKind::Integer => match whole(text) {
                Some(text) => text,
                None => {
                    let message = format!("`{}` is no whole number: `{}`", self.name, shown(text));
                    problems.push(self.problem(
                        "not-a-number",
                        message,
                        "give it digits alone, or map it with `{{round x}}`",
                    ));
                    return Value::Absent;
                }
            },
            AttributeKind::Boolean => match boolean(text) {
                Some(yes) => return Value::Bool(yes),
                None => {
                    let message =
                        format!("`{}` is neither yes nor no: `{}`", self.name, shown(text));
                    problems.push(self.problem(
                        "not-a-boolean",
                        message,
                        "give it `true` or `false`",
                    ));
                    return Value::Absent;
                }
            },
        };
        if !self.one_of.is_empty() && !self.one_of.iter().any(|allowed| allowed == text) {
            let known: Vec<String> = self
                .one_of
                .iter()
                .take(20)
                .map(|word| format!("`{word}`"))
                .collect();
            let message = format!("`{}` cannot be `{}`", self.name, shown(text));
            problems.push(self.problem(
                "not-allowed",
                message,
                &format!("the channel knows {}", known.join(", ")),
            ));
            return Value::Absent;
        }
        if text.len() > self.safe_bytes {
            return self.shortened(text, problems);
        }
        Value::Text(text)
    }

    fn problem(&self, rule: &'static str, message: String, hint: &str) -> Problem {
        Problem {
            rule,
            severity: self.severity,
            message,
            hint: hint.to_owned(),
        }
    }

    /// Control characters that no format carries are dropped, and counted.
    fn without_controls<'a>(
        &self,
        text: &'a str,
        run: &Evaluator<'a>,
        problems: &mut Vec<Problem>,
    ) -> &'a str {
        let forbidden = |letter: char| matches!(letter, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{fffe}' | '\u{ffff}');
        let dropped = text.chars().filter(|&letter| forbidden(letter)).count();
        if dropped == 0 {
            return text;
        }
        problems.push(Problem {
            rule: "control-character",
            severity: Severity::Warning,
            message: format!(
                "`{}` had {dropped} control characters, which were dropped",
                self.name
            ),
            hint: "clean the text where it is kept".to_owned(),
        });
        let mut kept = ArenaString::new_in(run.arena);
        kept.extend(text.chars().filter(|&letter| !forbidden(letter)));
        trim(kept.into_bump_str())
    }

    fn shortened<'a>(&self, text: &'a str, problems: &mut Vec<Problem>) -> Value<'a> {
        let limits = [
            (
                self.max_length.characters,
                Measure::Characters,
                "characters",
            ),
            (self.max_length.graphemes, Measure::Graphemes, "graphemes"),
            (self.max_length.utf16, Measure::Utf16, "UTF-16 units"),
            (self.max_length.bytes, Measure::Bytes, "bytes"),
        ];
        let mut text = text;
        for (limit, measure, unit) in limits {
            let Some(limit) = limit else { continue };
            if measure.fits(text, limit) {
                continue;
            }
            let length = measure.of(text);
            if self.overflow == Overflow::Withhold {
                problems.push(self.problem(
                    "too-long",
                    format!(
                        "`{}` has {length} {unit}, and the channel takes {limit}: `{}`",
                        self.name,
                        shown(text)
                    ),
                    "shorten it where it is kept, or in [feed.fields] with `{{truncate …}}`",
                ));
                return Value::Absent;
            }
            problems.push(Problem {
                rule: "cut",
                severity: Severity::Warning,
                message: format!("`{}` has {length} {unit}, and was cut to the {limit} that the channel takes", self.name),
                hint: "write a shorter one, or choose where to cut with `{{truncate …}}` in [feed.fields]".to_owned(),
            });
            text = truncate::cut(text, limit, measure);
        }
        Value::text(text)
    }

    /// An absolute http(s) address; what an address may not hold is percent-encoded.
    fn url<'a>(&self, text: &'a str, run: &Evaluator<'a>) -> Result<&'a str, Problem> {
        let bytes = text.as_bytes();
        let scheme = scheme_length(bytes);
        let host_end = scheme
            + memchr::memchr3(b'/', b'?', b'#', &bytes[scheme..]).unwrap_or(bytes.len() - scheme);
        let host = &bytes[scheme..host_end];
        let plausible = scheme > 0
            && host.first().is_some_and(|first| !b":.".contains(first))
            && !host.iter().any(u8::is_ascii_whitespace);
        if !plausible {
            let hint = if text.starts_with('/') || !text.contains("://") {
                "give the whole address: map it with `{{shop.url}}` before the path"
            } else {
                "an address begins with `https://` and a host"
            };
            return Err(self.problem(
                "not-an-address",
                format!("`{}` is no web address: `{}`", self.name, shown(text)),
                hint,
            ));
        }
        if is_plain_address(bytes) {
            return Ok(text);
        }
        // Letters outside ASCII in the host stay: only a resolver may turn them into Punycode.
        let (front, path) = text.split_at_checked(host_end).unwrap_or((text, ""));
        let mut encoded = ArenaString::new_in(run.arena);
        encoded.push_str(front);
        for byte in path.bytes() {
            if PLAIN[usize::from(byte)] {
                encoded.push(char::from(byte));
            } else {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                encoded.push('%');
                encoded.push(char::from(HEX[usize::from(byte >> 4)]));
                encoded.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
        Ok(encoded.into_bump_str())
    }
}

/// A limit in bytes below which no limit in any measure can be broken.
pub fn safe_bytes(limits: &MaxLength) -> usize {
    [
        limits.characters,
        limits.graphemes,
        limits.utf16,
        limits.bytes,
    ]
    .into_iter()
    .flatten()
    .min()
    .unwrap_or(usize::MAX)
}

fn toml_key(name: &str) -> String {
    let bare = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if bare {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}

/// The beginning of a text as messages show it.
pub fn shown(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(60)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

/// True when no byte may belong to a character that no format carries: sixteen bytes are looked at together.
#[inline]
fn is_clean(text: &str) -> bool {
    let odd = |block: u8x16| {
        let control = block.min(u8x16::splat(0x1f)).simd_eq(block);
        (control | block.simd_eq(u8x16::splat(0x7f)) | block.simd_eq(u8x16::splat(0xef)))
            .to_bitmask()
            != 0
    };
    let bytes = text.as_bytes();
    let Some(last) = bytes.last_chunk::<16>() else {
        return !bytes
            .iter()
            .any(|&byte| byte < 0x20 || byte == 0x7f || byte == 0xef);
    };
    bytes.chunks_exact(16).all(|chunk| {
        chunk
            .first_chunk::<16>()
            .is_none_or(|chunk| !odd(u8x16::new(*chunk)))
    }) && !odd(u8x16::new(*last))
}

/// An amount as `{{money}}` writes it: digits with a point or comma, and a code, sign or nothing.
fn is_money(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit()) && !text.starts_with('-')
}

fn whole(text: &str) -> Option<&str> {
    let text = text
        .strip_suffix(".0")
        .or_else(|| text.strip_suffix(".00"))
        .unwrap_or(text);
    let digits = text.strip_prefix('-').unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// HTML without scripts, handlers and styles; text without markup is left alone.
fn sanitised<'a>(text: &'a str, run: &Evaluator<'a>) -> &'a str {
    if !text.contains(['<', '&']) {
        return text;
    }
    run.arena.alloc_str(&ammonia::clean(text))
}
