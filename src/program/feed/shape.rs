//! An item as JSON members, without a template.

use crate::channel::manifest::AttributeKind;
use crate::model::value::Value;
use crate::program::escape::Escape;
use crate::program::evaluate::{Computed, Evaluator};
use crate::program::members::{Shape, write_element, write_value};

use super::FeedRun;

impl FeedRun<'_, '_> {
    /// Writes a shape; false when it held nothing and wrote nothing.
    pub(super) fn shape(&mut self, shape: &Shape, bytes: &mut Vec<u8>) -> bool {
        match shape {
            Shape::Value(slot, kind) => {
                let Computed { value, plain } = self.run.computed(*slot);
                match value {
                    Value::Absent => return false,
                    Value::Text(text) if plain && !is_numeric(*kind) => {
                        bytes.push(b'"');
                        bytes.extend_from_slice(text.as_bytes());
                        bytes.push(b'"');
                    }
                    value => write_value(value, *kind, bytes),
                }
                true
            }
            Shape::List(slot, kind) => {
                let value = self.run.attribute(*slot);
                match value {
                    Value::Absent => false,
                    Value::List(_) => {
                        write_value(value, *kind, bytes);
                        true
                    }
                    single => {
                        bytes.push(b'[');
                        write_value(single, *kind, bytes);
                        bytes.push(b']');
                        true
                    }
                }
            }
            Shape::Object(members) => {
                let start = bytes.len();
                bytes.push(b'{');
                let mut any = false;
                for (name, member) in members {
                    let before = bytes.len();
                    if any {
                        bytes.push(b',');
                    }
                    bytes.push(b'"');
                    Escape::Json.write(name, bytes);
                    bytes.extend_from_slice(b"\":");
                    if self.shape(member, bytes) {
                        any = true;
                    } else {
                        bytes.truncate(before);
                    }
                }
                if !any {
                    bytes.truncate(start);
                    return false;
                }
                bytes.push(b'}');
                true
            }
            Shape::Zipped(columns) => zipped(self.run, columns, bytes),
            Shape::Variants(inner) => {
                let speaker = self.run.row();
                bytes.push(b'[');
                for variant in 0..self.rows.len() {
                    self.take_variant(variant);
                    if variant > 0 {
                        bytes.push(b',');
                    }
                    if !self.shape(inner, bytes) {
                        bytes.extend_from_slice(b"{}");
                    }
                }
                bytes.push(b']');
                self.leave_variants(speaker);
                true
            }
        }
    }
}

/// Kinds that may be written as a literal.
fn is_numeric(kind: AttributeKind) -> bool {
    matches!(kind, AttributeKind::Decimal | AttributeKind::Integer)
}

/// An array of objects whose members are the lists' elements of the same place.
fn zipped(
    run: &Evaluator<'_>,
    columns: &[(String, u32, AttributeKind)],
    bytes: &mut Vec<u8>,
) -> bool {
    let lists: Vec<Vec<&str>> = columns
        .iter()
        .map(|(_, slot, _)| run.attribute(*slot).elements().collect())
        .collect();
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    if longest == 0 {
        return false;
    }
    bytes.push(b'[');
    for index in 0..longest {
        if index > 0 {
            bytes.push(b',');
        }
        bytes.push(b'{');
        let mut any = false;
        for ((name, _, kind), list) in columns.iter().zip(&lists) {
            let Some(element) = list.get(index) else {
                continue;
            };
            if any {
                bytes.push(b',');
            }
            any = true;
            bytes.push(b'"');
            Escape::Json.write(name, bytes);
            bytes.extend_from_slice(b"\":");
            write_element(element, *kind, bytes);
        }
        bytes.push(b'}');
    }
    bytes.push(b']');
    true
}
