//! A computed value cleaned, mapped and held against its attribute's rules: in one look where the rules allow, step by step
//! where they do not.

use std::cell::Cell;

use bumpalo::collections::String as ArenaString;
use rust_decimal::Decimal;
use wide::u8x16;

use crate::channel::manifest::{AttributeKind, Overflow};
use crate::helper::truncate::{self, Measure};
use crate::model::gtin::Gtin;
use crate::model::value::Value;
use crate::program::decimal;
use crate::program::evaluate::{Computed, Evaluator, trim};
use crate::program::lanes::Lanes;
use crate::program::reading::gtin_rule;
use crate::validate::finding::Severity;

use super::address::{PLAIN, look, scheme_length};
use super::kinds::{amount, boolean, is_money, whole};
use super::plain_html::plain_html;
use super::survey::short_block;
use super::{AttributeProgram, Finish, Problem, markup};

impl AttributeProgram {
    /// A value as the attribute has it; put where `out` says.
    #[inline]
    pub(super) fn value<'a>(
        &self,
        value: Value<'a>,
        run: &Evaluator<'a>,
        problems: &mut Vec<Problem>,
        out: &Cell<Computed<'a>>,
    ) {
        match (value, self.finish) {
            (Value::Text(text), Finish::Proven { plain }) if text.len() <= self.safe_bytes => {
                let value = Value::Text(text);
                out.set(Computed { value, plain });
            }
            (Value::Text(text), _) => match trim(text) {
                "" => out.set(Computed::ABSENT),
                text => self.text(text, run, problems, out),
            },
            _ => self.other(value, run, problems, out),
        }
    }

    /// A text that begins a window of sixteen bytes, not longer than that, where nothing is to be done with it.
    #[inline]
    pub(super) fn short<'a>(&self, text: &'a str, window: &[u8; 16]) -> Option<Computed<'a>> {
        let length = text.len();
        if length > 16 || length > self.safe_bytes {
            return None;
        }
        let found = self
            .special
            .survey_block(u8x16::new(*window), (1 << length) - 1);
        (!found.odd).then_some(Computed {
            value: Value::Text(text),
            plain: !found.special,
        })
    }

    #[inline(never)]
    fn other<'a>(
        &self,
        value: Value<'a>,
        run: &Evaluator<'a>,
        problems: &mut Vec<Problem>,
        out: &Cell<Computed<'a>>,
    ) {
        match value {
            Value::Bool(_) if self.kind == AttributeKind::Boolean && self.map.is_empty() => {
                out.set(value.into());
            }
            Value::List(_) => {
                problems.push(self.problem(
                    "list-as-text",
                    format!("`{}` is a list where one value belongs", self.name),
                    "join it: `{{join images \", \"}}`, or use `list = \"…\"`",
                ));
                out.set(Computed::ABSENT);
            }
            other => match trim(other.as_text().unwrap_or("")) {
                "" => out.set(Computed::ABSENT),
                text => self.text(text, run, problems, out),
            },
        }
    }

    /// A text without space around it, not empty, as the attribute has it; put where `out` says.
    #[inline(never)]
    pub(super) fn text<'a>(
        &self,
        text: &'a str,
        run: &Evaluator<'a>,
        problems: &mut Vec<Problem>,
        out: &Cell<Computed<'a>>,
    ) {
        match self.finish {
            Finish::Text | Finish::Proven { .. } => {
                let found = self.special.survey(text);
                let plain = !found.special;
                if found.odd {
                    out.set(self.every_step(text, run, problems));
                } else if text.len() > self.safe_bytes {
                    let value = self.fitted(text, run, problems);
                    out.set(Computed { value, plain });
                } else {
                    let value = Value::Text(text);
                    out.set(Computed { value, plain });
                }
            }
            Finish::Address => {
                let bytes = text.as_bytes();
                let scheme = scheme_length(bytes);
                let looked = look(bytes, &self.special);
                let usual = scheme > 0
                    && looked.plain == bytes.len()
                    && bytes.get(scheme).is_some_and(u8::is_ascii_alphanumeric)
                    && bytes.len() <= self.safe_bytes;
                if usual {
                    let (value, plain) = (Value::Text(text), !looked.special);
                    out.set(Computed { value, plain });
                } else {
                    out.set(self.every_step(text, run, problems));
                }
            }
            Finish::All => out.set(self.every_step(text, run, problems)),
        }
    }

    #[inline(never)]
    fn every_step<'a>(
        &self,
        text: &'a str,
        run: &Evaluator<'a>,
        problems: &mut Vec<Problem>,
    ) -> Computed<'a> {
        let text = match self.special.survey(text).odd {
            true => self.without_controls(text, run, problems),
            false => text,
        };
        if text.is_empty() {
            return Computed::ABSENT;
        }
        let text = match self.map.iter().find(|(ours, _)| ours == text) {
            Some((_, theirs)) if theirs.is_empty() => return Computed::ABSENT,
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
                    return Computed::ABSENT;
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
                    return Computed::ABSENT;
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
                    return Computed::ABSENT;
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
                    return Computed::ABSENT;
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
                    return Computed::ABSENT;
                }
            },
            AttributeKind::Boolean => match boolean(text) {
                Some(yes) => return Value::Bool(yes).into(),
                None => {
                    let message =
                        format!("`{}` is neither yes nor no: `{}`", self.name, shown(text));
                    problems.push(self.problem(
                        "not-a-boolean",
                        message,
                        "give it `true` or `false`",
                    ));
                    return Computed::ABSENT;
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
            return Computed::ABSENT;
        }
        if self.misses_form(text, problems) {
            return Computed::ABSENT;
        }
        let value = if text.len() > self.safe_bytes {
            self.fitted(text, run, problems)
        } else {
            Value::Text(text)
        };
        Computed {
            value,
            plain: !self.special.survey(text).special,
        }
    }

    /// Whether a text is shorter than the channel takes, or does not look as it must; says so.
    #[inline(never)]
    fn misses_form(&self, text: &str, problems: &mut Vec<Problem>) -> bool {
        let limits = [
            (
                self.min_length.characters,
                Measure::Characters,
                "characters",
            ),
            (self.min_length.graphemes, Measure::Graphemes, "graphemes"),
            (self.min_length.utf16, Measure::Utf16, "UTF-16 units"),
            (self.min_length.bytes, Measure::Bytes, "bytes"),
        ];
        for (limit, measure, unit) in limits {
            let Some(limit) = limit else { continue };
            let length = measure.of(text);
            if length < limit {
                problems.push(self.problem(
                    "too-short",
                    format!(
                        "`{}` has {length} {unit}, and the channel takes {limit} at least: `{}`",
                        self.name,
                        shown(text)
                    ),
                    "write a longer one, or put more together in [feed.fields]",
                ));
                return true;
            }
        }
        if let Some((least, greatest)) = self.range {
            let inside = amount(text).is_some_and(|number| least <= number && number <= greatest);
            if !inside {
                let between = if greatest == Decimal::MAX {
                    format!("{least} at least")
                } else {
                    format!("{least} to {greatest}")
                };
                problems.push(self.problem(
                    "out-of-range",
                    format!(
                        "`{}` is `{}`, and the channel takes {between}",
                        self.name,
                        shown(text)
                    ),
                    "correct it, or leave the item out with `where`",
                ));
                return true;
            }
        }
        match &self.pattern {
            Some(pattern) if !pattern.is_match(text) => {
                problems.push(self.problem(
                    "wrong-form",
                    format!(
                        "`{}` does not look as the channel wants it: `{}`",
                        self.name,
                        shown(text)
                    ),
                    &format!("it must fit `{pattern}`"),
                ));
                true
            }
            _ => false,
        }
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
    #[inline(never)]
    fn without_controls<'a>(
        &self,
        text: &'a str,
        run: &Evaluator<'a>,
        problems: &mut Vec<Problem>,
    ) -> &'a str {
        if !may_hold_controls(text) {
            return text;
        }
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

    /// A text that may be too long for one of its limits, cut or refused where it is.
    #[inline(never)]
    fn fitted<'a>(
        &self,
        text: &'a str,
        run: &Evaluator<'a>,
        problems: &mut Vec<Problem>,
    ) -> Value<'a> {
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
            text = if self.kind == AttributeKind::Html {
                markup::cut(text, limit, measure, run.arena)
            } else {
                truncate::cut(text, limit, measure)
            };
        }
        Value::text(text)
    }

    /// An absolute http(s) address; what an address may not hold is percent-encoded.
    #[inline(never)]
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
        if look(bytes, &self.special).plain == bytes.len() {
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

pub(super) fn toml_key(name: &str) -> String {
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

/// Whether a text may hold a character that no format carries. HTML with line ends comes by for each product: sixteen bytes
/// together take a tenth of what letters take.
fn may_hold_controls(text: &str) -> bool {
    let bytes = text.as_bytes();
    let found = |block: u8x16| {
        let kept = block.is(b'\n') | block.is(b'\r') | block.is(b'\t');
        let control = block.least(u8x16::splat(0x1f)).equals(block);
        let odd = block.is(0x7f) | block.is(0xef);
        (control.mask() & !kept.mask()) | odd.mask() != 0
    };
    let (blocks, _) = bytes.as_chunks::<16>();
    let last = match bytes.last_chunk::<16>() {
        Some(last) => u8x16::new(*last),
        None => short_block(bytes),
    };
    found(last) || blocks.iter().any(|block| found(u8x16::new(*block)))
}

/// HTML without scripts, handlers and styles; text without markup is left alone.
fn sanitised<'a>(text: &'a str, run: &Evaluator<'a>) -> &'a str {
    if !text.contains(['<', '&']) {
        return text;
    }
    if let Some(plain) = plain_html(text, run.arena) {
        return plain;
    }
    run.arena.alloc_str(&ammonia::clean(text))
}

#[cfg(test)]
mod tests {
    use super::may_hold_controls;

    #[test]
    fn no_control_is_overlooked() {
        for letter in (0..0x100)
            .chain(0xfff0..0x1_0010)
            .filter_map(char::from_u32)
        {
            let forbidden = matches!(letter, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{fffe}' | '\u{ffff}');
            for length in [1, 2, 3, 7, 8, 15, 16, 17, 33, 50] {
                for at in [0, length / 2, length - 1] {
                    let text: String = (0..length)
                        .map(|place| if place == at { letter } else { '\n' })
                        .collect();
                    let found = may_hold_controls(&text);
                    assert!(found || !forbidden, "{text:?}");
                    assert!(!found || forbidden || letter >= '\u{f000}', "{text:?}");
                }
            }
        }
    }
}
