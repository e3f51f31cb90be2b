//! An item that waits for its neighbours: what stands in it only the next one, or the end, tells.

use std::io;

use crate::program::feed::{Fill, Hole};
use crate::program::lower::{LateNumber, Place};

use super::{Piece, StagedFeed};

/// The item in hand.
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    pub(super) told: Vec<u8>,
    pub(super) holes: Vec<Hole>,
    pub(super) alternatives: Vec<u8>,
    pub(super) group: u64,
}

/// The item that follows: its length, and the group it is in.
#[derive(Clone, Copy)]
pub(super) struct Next {
    pub(super) bytes: u64,
    pub(super) group: u64,
}

impl Held {
    pub(super) fn of(piece: &Piece<'_>) -> Self {
        let (holes, alternatives) = piece.own_holes();
        Held {
            bytes: piece.bytes.to_vec(),
            told: piece.told.to_vec(),
            holes,
            alternatives: alternatives.to_vec(),
            group: piece.group,
        }
    }
}

impl StagedFeed<'_> {
    /// Writes it, now that it is known what follows.
    pub(super) fn write_held(&mut self, held: &Held, next: Option<Next>) -> io::Result<()> {
        self.make_room(held.bytes.len() as u64)?;
        self.fill_and_put(held, next)
    }

    /// Fills its holes and puts it into the part under way.
    pub(super) fn fill_and_put(&mut self, held: &Held, next: Option<Next>) -> io::Result<()> {
        let last = match (next, &self.current) {
            (None, _) => true,
            (Some(next), Some(part)) => {
                self.shape.limits.parts
                    && self.is_full(part, held.bytes.len() as u64 + next.bytes, 2)
            }
            (Some(next), None) => {
                self.shape.limits.parts && self.would_fill(held.bytes.len() as u64 + next.bytes)
            }
        };
        let (number, index) = self
            .current
            .as_ref()
            .map_or((1, 0), |part| (part.number, part.items));
        let mut filled = Vec::with_capacity(held.bytes.len() + 16);
        let mut at = 0;
        for hole in &held.holes {
            filled.extend_from_slice(&held.bytes[at..hole.at]);
            at = hole.at;
            match hole.fill {
                Fill::Number(LateNumber::Index(more)) => {
                    filled.extend_from_slice((index + more).to_string().as_bytes())
                }
                Fill::Number(LateNumber::Part) => {
                    filled.extend_from_slice(number.to_string().as_bytes())
                }
                Fill::Number(LateNumber::Items { .. }) => {}
                Fill::Either {
                    place,
                    then,
                    otherwise,
                } => {
                    let yes = match place {
                        Place::First => index == 0,
                        Place::Last => last,
                        Place::GroupFirst => index == 0 || self.group != Some(held.group),
                        Place::GroupLast => {
                            last || next.is_none_or(|next| next.group != held.group)
                        }
                    };
                    let (start, end) = if yes { then } else { otherwise };
                    filled.extend_from_slice(&held.alternatives[start..end]);
                }
            }
        }
        filled.extend_from_slice(&held.bytes[at..]);
        self.group = Some(held.group);
        self.put(&filled, &held.told)
    }
}
