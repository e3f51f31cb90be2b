//! The steps of a template, done for the item in hand.

use std::ops::Range;

use crate::helper::json;
use crate::model::value::{PAIR, Value, pair};
use crate::program::attribute::Problem;
use crate::program::escape::{Escape, Quoting};
use crate::program::evaluate::Computed;
use crate::program::graph::NodeId;
use crate::program::lower::Fit;
use crate::program::members::is_json_number;
use crate::validate::finding::Severity;

use super::sink::Sink;
use super::steps::{Step, Steps};
use super::{FeedOutput, FeedRun, Fill, Hole};

impl<'a> FeedRun<'_, 'a> {
    /// Does all steps; what they write goes to `sink`, places for the writer to `out`.
    #[inline(never)]
    pub(super) fn print_all(
        &mut self,
        steps: &Steps,
        sink: &mut Sink,
        out: &mut FeedOutput,
    ) -> Result<(), Box<Problem>> {
        self.print(steps, 0..steps.steps.len(), sink, out)
    }

    /// Does some steps, of which none jumps out of them. Pieces are short: a call for each would cost as much as they do.
    #[inline(always)]
    pub(super) fn print(
        &mut self,
        steps: &Steps,
        some: Range<usize>,
        sink: &mut Sink,
        out: &mut FeedOutput,
    ) -> Result<(), Box<Problem>> {
        let run = self.run;
        let mut at = some.start;
        while at < some.end {
            let Some(step) = steps.steps.get(at) else {
                break;
            };
            at += 1;
            match step {
                Step::Literal(text) => sink.literal(text),
                Step::Led(before, slot, escape) => {
                    sink.literal(before);
                    self.attribute(*slot, *escape, sink);
                }
                Step::Between(slot, before, after, escape) => {
                    let computed = run.computed(*slot);
                    match computed.value {
                        Value::Text(text) if computed.plain => {
                            sink.literal(before);
                            sink.copy(text.as_bytes());
                            sink.literal(after);
                        }
                        Value::Absent | Value::Bool(false) => {}
                        _ => {
                            sink.literal(before);
                            self.attribute_escaped(*slot, *escape, sink);
                            sink.literal(after);
                        }
                    }
                }
                Step::Attribute(slot, escape) => self.attribute(*slot, *escape, sink),
                Step::Json(before, slot, script) => {
                    sink.literal(before);
                    self.json(run.computed(*slot), *script, sink);
                }
                Step::JsonBetween(slot, before, after, script) => {
                    let computed = run.computed(*slot);
                    if computed.value.is_true() {
                        sink.literal(before);
                        self.json(computed, *script, sink);
                        sink.literal(after);
                    }
                }
                Step::Unless(slot, to) => {
                    if !run.attribute(*slot).is_true() {
                        at = *to as usize;
                    }
                }
                Step::Jump(to) => at = *to as usize,
                other => at = self.rarer(other, at, steps, sink, out)?,
            }
        }
        Ok(())
    }

    /// A step of the rarer kinds; gives where to go on.
    #[inline(never)]
    fn rarer(
        &mut self,
        step: &Step,
        next: usize,
        steps: &Steps,
        sink: &mut Sink,
        out: &mut FeedOutput,
    ) -> Result<usize, Box<Problem>> {
        let run = self.run;
        match *step {
            Step::Literal(_)
            | Step::Led(..)
            | Step::Between(..)
            | Step::Attribute(..)
            | Step::Json(..)
            | Step::JsonBetween(..)
            | Step::Unless(..)
            | Step::Jump(_) => {}
            Step::Long(text) => sink.copy(steps.long(text).as_bytes()),
            Step::Elements(slot, ref before, ref after, escape) => {
                let Computed { value, plain } = run.computed(slot);
                for element in value.elements() {
                    sink.literal(before);
                    if plain {
                        sink.copy(element.as_bytes());
                    } else {
                        self.escaped(element, escape, sink);
                    }
                    sink.literal(after);
                }
            }
            Step::JsonElements(slot, script) => {
                let Computed { value, plain } = run.computed(slot);
                for (index, element) in value.elements().enumerate() {
                    if index > 0 {
                        sink.byte(b',');
                    }
                    sink.byte(b'"');
                    let value = Value::text(element);
                    self.json(Computed { value, plain }, script, sink);
                }
            }
            Step::UnlessNode(test, to) => {
                if !self.test(test)? {
                    return Ok(to as usize);
                }
            }
            Step::UnlessFirst(to) => {
                if self.variant != 0 {
                    return Ok(to as usize);
                }
            }
            Step::Node(node, escape) => {
                let value = self.value(node)?;
                self.write(value, escape, sink);
            }
            Step::Fitting(node, fit, escape) => {
                let value = self.value(node)?;
                out.doubtful |= !fits(value, fit);
                self.write(value, escape, sink);
            }
            Step::Joined(slot, separator, escape) => {
                self.joined(slot, steps.long(separator), escape, sink);
            }
            Step::Each(list, body, to) => {
                let list = self.value(list)?;
                let count = list.count();
                for (index, element) in list.elements().enumerate() {
                    run.within(element, index, index + 1 == count, || {
                        self.print_all(&steps.bodies[body as usize], sink, out)
                    })?;
                }
                if count > 0 {
                    return Ok(to as usize);
                }
            }
            Step::Variants(body) => {
                let speaker = run.row();
                for variant in 0..self.rows.len() {
                    self.take_variant(variant);
                    run.within("", variant, variant + 1 == self.rows.len(), || {
                        self.print_all(&steps.bodies[body as usize], sink, out)
                    })?;
                }
                self.leave_variants(speaker);
            }
            Step::Number(number) => out.holes.push(Hole {
                at: sink.len(),
                fill: Fill::Number(number),
            }),
            Step::Late(place, then, otherwise) => {
                let then = self.alternative(&steps.bodies[then as usize], out)?;
                let otherwise = self.alternative(&steps.bodies[otherwise as usize], out)?;
                out.holes.push(Hole {
                    at: sink.len(),
                    fill: Fill::Either {
                        place,
                        then,
                        otherwise,
                    },
                });
            }
        }
        Ok(next)
    }

    /// Puts aside what may fill a hole; gives where it lies.
    fn alternative(
        &mut self,
        steps: &Steps,
        out: &mut FeedOutput,
    ) -> Result<(usize, usize), Box<Problem>> {
        let mut sink = Sink::default();
        self.print_all(steps, &mut sink, out)?;
        let start = out.alternatives.len();
        out.alternatives.extend_from_slice(&sink.into_bytes());
        Ok((start, out.alternatives.len()))
    }

    /// Writes an attribute: the usual one is text that is copied as it stands.
    #[inline]
    fn attribute(&mut self, slot: u32, escape: Escape, sink: &mut Sink) {
        match self.run.computed(slot) {
            Computed {
                value: Value::Text(text),
                plain: true,
            } => sink.copy(text.as_bytes()),
            Computed {
                value: Value::Absent,
                ..
            } => {}
            _ => self.attribute_escaped(slot, escape, sink),
        }
    }

    /// Writes a value as JSON; the quote that a text begins with stands there already. As the helper `json` does, and
    /// without a call, an arena and a copy: 10 % less for `openai-products`.
    #[inline]
    fn json(&mut self, computed: Computed<'_>, script: bool, sink: &mut Sink) {
        match computed.value {
            // In a page, plain is what HTML writes as it stands.
            Value::Text(text) if computed.plain && self.program.escape == Escape::Json => {
                sink.copy(text.as_bytes());
                sink.byte(b'"');
            }
            Value::Text(text) if sink.json(text.as_bytes(), script) => sink.byte(b'"'),
            value => {
                sink.back();
                sink.copy(json::json(value, script, self.run.arena).as_bytes());
            }
        }
    }

    #[inline(never)]
    fn attribute_escaped(&mut self, slot: u32, escape: Escape, sink: &mut Sink) {
        self.write(self.run.attribute(slot), escape, sink);
    }

    fn write(&mut self, value: Value<'_>, escape: Escape, sink: &mut Sink) {
        match value {
            Value::Absent => {}
            Value::Text(text) => self.escaped(text, escape, sink),
            Value::Bool(yes) => sink.copy(if yes { b"true" } else { b"false" }),
            // Lint refuses a bare list; the crate would print it like this.
            Value::List(list) => {
                let elements: Vec<&str> = list.iter().collect();
                self.escaped(&format!("[{}]", elements.join(", ")), escape, sink);
            }
        }
    }

    fn escaped(&mut self, text: &str, escape: Escape, sink: &mut Sink) {
        match escape {
            Escape::None => sink.copy(text.as_bytes()),
            Escape::Xml => sink.xml(text.as_bytes()),
            Escape::Cell { delimiter, quoting } => match quoting {
                Quoting::Necessary => sink.cell(text.as_bytes(), delimiter),
                Quoting::Never => sink.blanked(text.as_bytes(), delimiter),
                Quoting::Always => {
                    self.scratch.clear();
                    escape.write(text, &mut self.scratch);
                    sink.copy(&self.scratch);
                }
            },
            _ => {
                self.scratch.clear();
                escape.write(text, &mut self.scratch);
                sink.copy(&self.scratch);
            }
        }
    }

    /// Writes the elements of an attribute with a text between them.
    fn joined(&mut self, slot: u32, separator: &str, escape: Escape, sink: &mut Sink) {
        let Value::List(list) = self.run.attribute(slot) else {
            return self.attribute(slot, escape, sink);
        };
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        for (index, element) in list.iter().enumerate() {
            if index > 0 {
                joined.push_str(separator);
            }
            match pair(element) {
                (name, value) if name.len() < element.len() => {
                    joined.push_str(name);
                    joined.push_str(": ");
                    joined.push_str(&value.replace(PAIR, ": "));
                }
                _ => joined.push_str(element),
            }
        }
        self.escaped(&joined, escape, sink);
        self.joined = joined;
    }

    #[inline]
    fn value(&self, node: NodeId) -> Result<Value<'a>, Box<Problem>> {
        self.run
            .value(node)
            .map_err(|failure| self.problem(failure))
    }

    fn test(&self, node: NodeId) -> Result<bool, Box<Problem>> {
        self.run.test(node).map_err(|failure| self.problem(failure))
    }

    #[cold]
    fn problem(&self, failure: crate::program::evaluate::Failure) -> Box<Problem> {
        let trouble = self.run.trouble(failure);
        Box::new(Problem {
            rule: trouble.rule,
            severity: Severity::Error,
            message: trouble.message,
            hint: trouble.hint,
        })
    }
}

/// Whether a value is what must stand there.
fn fits(value: Value<'_>, fit: Fit) -> bool {
    match (fit, value) {
        (Fit::Scalar, Value::Bool(_)) => true,
        (Fit::Scalar, Value::Text(text)) => {
            is_json_number(text) || matches!(text, "true" | "false" | "null")
        }
        (Fit::Text, Value::Text(text)) => text.starts_with('"'),
        _ => false,
    }
}
