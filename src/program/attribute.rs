//! One attribute of one feed: its value computed, cleaned, mapped and held against the channel's rules.
//!
//! Checks come before the write, on the computed value, and allocate nothing when they pass.

mod address;
mod finish;
mod kinds;
mod markup;
mod plain_html;
pub mod shared;
pub mod survey;

use std::cell::Cell;

use bumpalo::collections::String as ArenaString;
use rust_decimal::Decimal;

use crate::channel::manifest::{AttributeKind, AttributeLevel, MaxLength, Overflow};
use crate::model::value::{ELEMENT, List, Value};
use crate::validate::finding::Severity;

use super::evaluate::{Computed, Evaluator, Failure};
use super::graph::NodeId;
use address::{look, scheme_length};
pub use finish::shown;
use finish::toml_key;
use shared::Share;
use survey::Special;

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
    /// How short it may be.
    pub min_length: MaxLength,
    /// What it must look like.
    pub pattern: Option<regex::Regex>,
    /// The least and the greatest number it may be.
    pub range: Option<(Decimal, Decimal)>,
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
    /// What is left to do with a value that its mapping gave.
    pub finish: Finish,
    /// The bytes that the feed's format writes otherwise.
    pub special: Special,
    /// Currency of the feed, for messages about missing prices.
    pub currency: String,
    /// The attributes that compute alike.
    pub share: Option<Share>,
    /// The columns it is computed from, as a set of [`super::repeat`].
    pub reads: u64,
    /// Itself, as a set of its feed's attributes.
    pub mark: u64,
}

/// What is left to do with a value, by the way it came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// Its length is looked at: a reading has proved it clean, right and, where so said, plain in the feed's format.
    Proven {
        /// Whether it is written as it stands.
        plain: bool,
    },
    /// It is text with a length, neither mapped nor one of some.
    Text,
    /// It is an address with a length, neither mapped nor one of some.
    Address,
    /// Everything there is.
    All,
}

/// How a list attribute is made.
pub struct ListProgram {
    /// The list.
    pub list: NodeId,
    /// Whether each element is computed, or taken as it is.
    pub computed: bool,
    /// The byte without which what is computed of an element is the element.
    pub changes: Option<u8>,
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
    /// Computes the attribute for the item in hand and puts it into its slot; what is wrong with it goes to `problems`.
    ///
    /// Whatever finds the value puts it there itself: handed up, it would be read in other pieces than it was just written
    /// in, and the processor waits in such a case.
    #[inline]
    pub fn compute<'a>(&self, run: &Evaluator<'a>, problems: &mut Vec<Problem>) {
        match self.share {
            Some(share) => self.shared(share, run, problems),
            None => self.alone(run, problems),
        }
    }

    /// The same, whatever others compute.
    #[inline]
    fn alone<'a>(&self, run: &Evaluator<'a>, problems: &mut Vec<Problem>) {
        let out = run.slot(self.slot);
        if let Some(column) = self.direct
            && self.finish == Finish::Text
            && let Some((text, window)) = run.window(column)
            && let Some(computed) = self.short(text, window)
        {
            return out.set(computed);
        }
        self.compute_node(run, problems, out);
    }

    #[inline(never)]
    fn compute_node<'a>(
        &self,
        run: &Evaluator<'a>,
        problems: &mut Vec<Problem>,
        out: &Cell<Computed<'a>>,
    ) {
        if let Some(text) = self.direct.and_then(|column| run.raw_text(column)) {
            return self.text(text, run, problems, out);
        }
        if self.list.is_some() || self.location.is_some() {
            return self.list_or_located(run, problems, out);
        }
        match run.value(self.value) {
            Ok(Value::Absent) => out.set(Computed::ABSENT),
            Ok(value) => self.value(value, run, problems, out),
            Err(failure) => out.set(self.failed(failure, run, problems)),
        }
    }

    #[inline(never)]
    fn list_or_located<'a>(
        &self,
        run: &Evaluator<'a>,
        problems: &mut Vec<Problem>,
        out: &Cell<Computed<'a>>,
    ) {
        if self.location.is_some() {
            run.select_location(self.location);
        }
        match &self.list {
            None => match run.value(self.value) {
                Ok(value) => self.value(value, run, problems, out),
                Err(failure) => out.set(self.failed(failure, run, problems)),
            },
            Some(list) => out.set(match run.value(list.list) {
                Ok(Value::Absent) => Computed::ABSENT,
                Ok(source) => self.list(list, source, run, problems),
                Err(failure) => self.failed(failure, run, problems),
            }),
        }
        if self.location.is_some() {
            run.select_location(None);
        }
    }

    #[cold]
    fn failed<'a>(
        &self,
        failure: Failure,
        run: &Evaluator<'a>,
        problems: &mut Vec<Problem>,
    ) -> Computed<'a> {
        let trouble = run.trouble(failure);
        problems.push(Problem {
            rule: trouble.rule,
            severity: self.severity,
            message: trouble.message,
            hint: trouble.hint,
        });
        Computed::ABSENT
    }

    /// What must be there and is not.
    #[cold]
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
        source: Value<'a>,
        run: &Evaluator<'a>,
        problems: &mut Vec<Problem>,
    ) -> Computed<'a> {
        let computed = list.computed && list.changes.is_none_or(|byte| holds(source, byte));
        if !computed
            && let Value::List(elements) = source
            && self.finish == Finish::Address
            && let Some(unchanged) = self.unchanged(elements, list)
        {
            return unchanged;
        }
        let mut encoded = ArenaString::new_in(run.arena);
        let mut taken = 0;
        let mut plain = true;
        let count = if computed { source.count() } else { 0 };
        for (index, element) in source.elements().enumerate().skip(list.skip) {
            if taken == list.max_items {
                break;
            }
            let value = if computed {
                run.within(element, index, index + 1 == count, || run.value(self.value))
                    .unwrap_or(Value::Absent)
            } else {
                Value::text(element)
            };
            let computed = Cell::new(Computed::ABSENT);
            self.value(value, run, problems, &computed);
            let computed = computed.get();
            if let Some(text) = computed.value.as_text().filter(|text| !text.is_empty()) {
                if taken > 0 {
                    encoded.push(ELEMENT);
                }
                encoded.push_str(text);
                plain &= computed.plain;
                taken += 1;
            }
        }
        Computed {
            value: Value::list(encoded.into_bump_str()),
            plain,
        }
    }

    /// The elements as they came, where every one of them is a plain address of allowed length.
    fn unchanged<'a>(&self, elements: List<'a>, list: &ListProgram) -> Option<Computed<'a>> {
        let encoded = elements.0;
        let (mut start, mut end, mut at) = (None, 0, 0);
        let mut plain = true;
        for index in 0.. {
            let bytes = encoded.as_bytes().get(at..).filter(|rest| !rest.is_empty());
            let Some(bytes) = bytes else { break };
            if index < list.skip {
                let Some(length) = memchr::memchr(ELEMENT as u8, bytes) else {
                    break;
                };
                at += length + 1;
                continue;
            }
            if index - list.skip == list.max_items {
                break;
            }
            let looked = look(bytes, &self.special);
            let scheme = scheme_length(bytes);
            if scheme == 0
                || looked.plain > self.safe_bytes
                || !bytes.get(scheme)?.is_ascii_alphanumeric()
                || bytes
                    .get(looked.plain)
                    .is_some_and(|&byte| byte != ELEMENT as u8)
            {
                return None;
            }
            plain &= !looked.special;
            start.get_or_insert(at);
            end = at + looked.plain;
            at = end + 1;
        }
        let value = start.map_or(Value::Absent, |start| {
            Value::list(encoded.get(start..end).unwrap_or(""))
        });
        Some(Computed { value, plain })
    }
}

/// Whether a byte stands in a text or list.
fn holds(value: Value<'_>, byte: u8) -> bool {
    let text = match value {
        Value::List(list) => list.0,
        other => other.as_text().unwrap_or(""),
    };
    memchr::memchr(byte, text.as_bytes()).is_some()
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
