//! What is handed to the writer: one rendered item, with all that goes with it.

use crate::program::feed::{Fill, Hole};

/// One rendered item on its way into a file.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'p> {
    /// Its bytes.
    pub bytes: &'p [u8],
    /// Places in it that only the writer can fill.
    pub holes: &'p [Hole],
    /// What the holes' places are counted from.
    pub start: usize,
    /// What may fill them.
    pub alternatives: &'p [u8],
    /// What the log says of it.
    pub told: &'p [u8],
    /// The name of its own file, where it has one.
    pub name: &'p str,
    /// The group it is in.
    pub group: u64,
}

impl Piece<'_> {
    /// Its holes, counted from its beginning, with the bytes that may fill them and no other item's.
    pub fn own_holes(&self) -> (Vec<Hole>, &[u8]) {
        let ranges = || {
            self.holes.iter().filter_map(|hole| match hole.fill {
                Fill::Either {
                    then, otherwise, ..
                } => Some([then, otherwise]),
                Fill::Number(_) => None,
            })
        };
        let first = ranges().flatten().map(|range| range.0).min().unwrap_or(0);
        let last = ranges().flatten().map(|range| range.1).max().unwrap_or(0);
        let moved = |(from, to): (usize, usize)| (from - first, to - first);
        let holes = self.holes.iter().map(|hole| Hole {
            at: hole.at - self.start,
            fill: match hole.fill {
                Fill::Either {
                    place,
                    then,
                    otherwise,
                } => Fill::Either {
                    place,
                    then: moved(then),
                    otherwise: moved(otherwise),
                },
                number => number,
            },
        });
        let alternatives = self.alternatives.get(first..last).unwrap_or_default();
        (holes.collect(), alternatives)
    }
}
