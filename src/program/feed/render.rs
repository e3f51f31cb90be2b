//! One item's bytes: its steps done piece by piece, or taken from the item before where nothing in a piece changed.

use crate::channel::manifest::{AttributeLevel, Records};
use crate::program::attribute::Problem;
use crate::program::repeat::OTHER;

use super::sink::Sink;
use super::{FeedOutput, FeedRun, Item};

/// The item rendered last.
pub(super) struct Rendered {
    /// The attributes computed since.
    pub(super) changed: u64,
    /// Whether the item in hand shares nothing with the one before and the one behind: it needs no pieces.
    pub(super) lone: bool,
    /// Where it begins in the feed's bytes.
    start: usize,
    /// Where each of its pieces ends there.
    ends: Vec<usize>,
}

impl Default for Rendered {
    fn default() -> Self {
        Rendered {
            changed: u64::MAX,
            lone: false,
            start: 0,
            ends: Vec::new(),
        }
    }
}

impl FeedRun<'_, '_> {
    /// Writes the item in hand, whose attributes are computed.
    pub(super) fn render(&mut self, row: usize, out: &mut FeedOutput) {
        let program = self.program;
        let (start, holes) = (out.written(), out.holes.len());
        let mut bytes = std::mem::take(&mut out.bytes);
        let mut at = start;
        if let Some(shape) = &program.shape {
            bytes.truncate(start);
            self.shape(shape, &mut bytes);
            at = bytes.len();
        }
        let mut sink = Sink::new(bytes, at);
        let written = if self.rendered.lone {
            self.print_all(&program.body, &mut sink, out)
        } else {
            self.pieces(&mut sink, out)
        };
        let end = sink.len();
        out.bytes = sink.into_inner();
        let placed = written.and_then(|()| self.placed(out));
        let (name, group) = match placed {
            Ok(placed) => placed,
            Err(problem) => {
                self.rendered.changed = u64::MAX;
                out.holes.truncate(holes);
                self.problems.push(*problem);
                self.report(row, out);
                out.withheld += 1;
                return;
            }
        };
        self.rendered.changed = if self.rendered.lone { u64::MAX } else { OTHER };
        let unique = program
            .unique
            .map(|index| &program.attributes[index])
            .and_then(|attribute| self.run.attribute(attribute.slot).as_text());
        let hash = unique.map_or(0, |text| self.run.hash(text));
        if let Some(text) = unique {
            out.ids.push_str(text);
        }
        if program.log.is_some() {
            self.log_item(start..end, unique, out);
        }
        out.names.push_str(&name);
        out.items.push(Item {
            end,
            holes: out.holes.len(),
            id_end: out.ids.len(),
            log_end: out.log.len(),
            name_end: out.names.len(),
            key_end: out.keys.len(),
            group,
            unique: hash,
            row,
        });
        if let Some(described) = &mut out.described {
            described.push(self.described());
        }
        if program.fill {
            self.count_filled(out);
        }
    }

    /// Does the steps of the item in hand. Pieces whose attributes stand from the item before are copied from it, as many as
    /// lie side by side at once.
    fn pieces(&mut self, sink: &mut Sink, out: &mut FeedOutput) -> Result<(), Box<Problem>> {
        let steps = &self.program.body;
        let Rendered { changed, start, .. } = self.rendered;
        let mut ends = std::mem::take(&mut self.rendered.ends);
        ends.resize(steps.pieces.len(), 0);
        // Where the pieces passed since the last one written lie in the item before.
        let (mut from, mut to) = (start, start);
        let mut first = 0;
        self.rendered.start = sink.len();
        for (piece, end) in steps.pieces.iter().zip(&mut ends) {
            let last = piece.to as usize;
            let ended = *end;
            if piece.asks & changed == 0 {
                *end = sink.len() + (ended - from);
            } else {
                if from < to {
                    sink.repeat(from..to);
                }
                self.print(steps, first..last, sink, out)?;
                *end = sink.len();
                from = ended;
            }
            (to, first) = (ended, last);
        }
        if from < to {
            sink.repeat(from..to);
        }
        self.rendered.ends = ends;
        Ok(())
    }

    /// Notes which attributes of the item in hand have a value; of a product's variants, one is enough.
    fn count_filled(&self, out: &mut FeedOutput) {
        let (attributes, records) = (&self.program.attributes, self.program.records);
        for (index, attribute) in attributes.iter().enumerate() {
            let filled =
                if records == Records::Products && attribute.level == AttributeLevel::Variant {
                    self.matrix
                        .iter()
                        .skip(index)
                        .step_by(attributes.len())
                        .any(|computed| !computed.value.is_absent())
                } else {
                    !self.run.attribute(attribute.slot).is_absent()
                };
            out.fill.push(u8::from(filled));
        }
    }
}
