//! Where a feed's items go: into the order that the channel asks for, and each into a file of its own where it does so.

use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;
use xxhash_rust::xxh3::xxh3_128;

use crate::model::file_name;
use crate::model::seen::Seen;
use crate::program::feed::{Fill, Hole};
use crate::program::lower::{LateNumber, Place};
use crate::write::Piece;

/// Names that are kept in memory before they go to disk, in bytes.
const NAMES_BYTES: usize = 1 << 20;

/// The names that files have had, and whose they are.
pub(super) struct Names {
    seen: Seen,
    /// A line a name: its hash, and the SKU.
    told: SpooledTempFile,
}

impl Names {
    pub(super) fn new() -> Self {
        Names {
            seen: Seen::default(),
            told: SpooledTempFile::new(NAMES_BYTES),
        }
    }

    /// Takes a name; the SKU of the item that has it already, where one has.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn take(&mut self, name: &str, sku: &str) -> io::Result<Option<String>> {
        let hash = xxh3_128(file_name::folded(name).as_bytes());
        let marked = format!("{hash:032x}");
        if self.seen.insert(hash) {
            self.told.write_all(marked.as_bytes())?;
            self.told
                .write_all(sku.replace(['\n', '\r'], " ").as_bytes())?;
            self.told.write_all(b"\n")?;
            return Ok(None);
        }
        self.told.seek(SeekFrom::Start(0))?;
        let mut owner = String::new();
        for line in BufReader::new(&mut self.told).lines() {
            if let Some(sku) = line?.strip_prefix(&marked) {
                sku.clone_into(&mut owner);
                break;
            }
        }
        self.told.seek(SeekFrom::End(0))?;
        Ok(Some(owner))
    }
}

/// An item as bytes, to be sorted: what [`unpacked`] reads.
pub(super) fn packed(piece: &Piece<'_>, out: &mut Vec<u8>) {
    out.clear();
    let number = |out: &mut Vec<u8>, number: u64| out.extend_from_slice(&number.to_le_bytes());
    let (holes, alternatives) = piece.own_holes();
    number(out, piece.group);
    number(out, holes.len() as u64);
    for hole in holes {
        number(out, hole.at as u64);
        let (kind, values) = match hole.fill {
            Fill::Number(LateNumber::Index(more)) => (0, [more, 0, 0, 0]),
            Fill::Number(LateNumber::Part) => (1, [0; 4]),
            Fill::Number(LateNumber::Items { times, plus }) => (2, [times, plus, 0, 0]),
            Fill::Either {
                place,
                then,
                otherwise,
            } => (
                match place {
                    Place::First => 3,
                    Place::Last => 4,
                    Place::GroupFirst => 5,
                    Place::GroupLast => 6,
                },
                [then.0, then.1, otherwise.0, otherwise.1].map(|at| at as u64),
            ),
        };
        number(out, kind);
        values.into_iter().for_each(|value| number(out, value));
    }
    for bytes in [piece.bytes, alternatives, piece.told, piece.name.as_bytes()] {
        number(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    }
}

/// An item out of its bytes; its holes are laid into `holes`.
pub(super) fn unpacked<'p>(packed: &'p [u8], holes: &'p mut Vec<Hole>) -> Option<Piece<'p>> {
    let mut rest = packed;
    let number = |rest: &mut &[u8]| {
        let (number, after) = rest.split_first_chunk::<8>()?;
        *rest = after;
        Some(u64::from_le_bytes(*number))
    };
    let group = number(&mut rest)?;
    holes.clear();
    for _ in 0..number(&mut rest)? {
        let at = number(&mut rest)? as usize;
        let kind = number(&mut rest)?;
        let mut values = [0; 4];
        for value in &mut values {
            *value = number(&mut rest)?;
        }
        let either = |place| {
            let [a, b, c, d] = values.map(|value| value as usize);
            Fill::Either {
                place,
                then: (a, b),
                otherwise: (c, d),
            }
        };
        let fill = match kind {
            0 => Fill::Number(LateNumber::Index(values[0])),
            1 => Fill::Number(LateNumber::Part),
            2 => Fill::Number(LateNumber::Items {
                times: values[0],
                plus: values[1],
            }),
            3 => either(Place::First),
            4 => either(Place::Last),
            5 => either(Place::GroupFirst),
            _ => either(Place::GroupLast),
        };
        holes.push(Hole { at, fill });
    }
    let mut texts = [&b""[..]; 4];
    for text in &mut texts {
        let length = number(&mut rest)? as usize;
        let (own, after) = rest.split_at_checked(length)?;
        (*text, rest) = (own, after);
    }
    let [bytes, alternatives, told, name] = texts;
    Some(Piece {
        bytes,
        holes,
        start: 0,
        alternatives,
        told,
        name: std::str::from_utf8(name).ok()?,
        group,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_its_first_items() {
        let mut names = Names::new();
        assert_eq!(names.take("a.html", "A-1").expect("taken"), None);
        assert_eq!(names.take("b.html", "B-1").expect("taken"), None);
        let owner = names.take("A.html", "A-2").expect("taken");
        assert_eq!(owner.as_deref(), Some("A-1"));
        assert_eq!(names.take("c.html", "C-1").expect("taken"), None);
        let owner = names.take("c.html", "C-2").expect("taken");
        assert_eq!(owner.as_deref(), Some("C-1"));
    }

    #[test]
    fn an_item_is_unpacked_as_it_was_packed() {
        let holes = [
            Hole {
                at: 12,
                fill: Fill::Number(LateNumber::Index(1)),
            },
            Hole {
                at: 13,
                fill: Fill::Either {
                    place: Place::GroupLast,
                    then: (2, 4),
                    otherwise: (4, 5),
                },
            },
        ];
        let piece = Piece {
            bytes: b"<b></b>",
            holes: &holes,
            start: 10,
            alternatives: b"abcdefgh",
            told: b"told",
            name: "ชา.html",
            group: 7,
        };
        let (mut bytes, mut room) = (Vec::new(), Vec::new());
        packed(&piece, &mut bytes);
        let read = unpacked(&bytes, &mut room).expect("ours");
        assert_eq!(
            (
                read.bytes,
                read.alternatives,
                read.told,
                read.name,
                read.group,
                read.start
            ),
            (piece.bytes, &b"cde"[..], piece.told, piece.name, 7, 0)
        );
        assert_eq!(
            read.holes.iter().map(|hole| hole.at).collect::<Vec<_>>(),
            [2, 3]
        );
        let last = Fill::Either {
            place: Place::GroupLast,
            then: (0, 2),
            otherwise: (2, 3),
        };
        assert_eq!(format!("{:?}", read.holes[1].fill), format!("{last:?}"));
        assert!(unpacked(&bytes[..bytes.len() - 1], &mut Vec::new()).is_none());
    }
}
