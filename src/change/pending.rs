//! Items of one log that have not been met in the other: found by id, taken out once.
//!
//! An item costs its record without the tail of its title (about 60 to 120 bytes), 16 to 20 bytes of table, and no
//! allocation of its own. Room is given back chunk by chunk as items are taken, so two logs that are shifted against
//! each other keep only as many items as they are apart.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use crate::write::items::{ItemRecord, decode, encode};

/// Bytes of a chunk; a larger record has one of its own.
const CHUNK_BYTES: usize = 64 << 10;
/// Bytes kept of a title.
const TITLE_BYTES: usize = 60;

#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    live: u32,
}

/// Items waiting for their counterpart.
#[derive(Default)]
pub(super) struct Pending {
    table: HashTable<(u32, u32)>,
    chunks: Vec<Chunk>,
    scratch: Vec<u8>,
}

const PLACE_BYTES: usize = 4 + 4 + 8 + 4;

fn read(chunks: &[Chunk], (chunk, at): (u32, u32)) -> Option<(ItemRecord<'_>, usize)> {
    let bytes = chunks.get(chunk as usize)?.bytes.get(at as usize..)?;
    let word = |from: usize| Some(u32::from_le_bytes(*bytes.get(from..)?.first_chunk()?));
    let count = word(0)? as usize;
    let part = word(4)?;
    let offset = u64::from_le_bytes(*bytes.get(8..)?.first_chunk()?);
    let length = word(16)?;
    let body = decode(bytes.get(PLACE_BYTES..PLACE_BYTES + count)?)?;
    let record = ItemRecord {
        body,
        part,
        offset,
        length,
    };
    Some((record, PLACE_BYTES + count))
}

fn id(chunks: &[Chunk], place: (u32, u32)) -> &str {
    read(chunks, place).map_or("", |(record, _)| record.body.id)
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Keeps an item.
    pub(super) fn insert(&mut self, record: &ItemRecord<'_>) {
        let mut body = record.body;
        let end = body.title.floor_char_boundary(TITLE_BYTES);
        body.title = body.title.get(..end).unwrap_or("");
        self.scratch.clear();
        encode(&body, &mut self.scratch);
        let needed = PLACE_BYTES + self.scratch.len();
        let full = |chunk: &Chunk| chunk.bytes.len() + needed > CHUNK_BYTES;
        if self.chunks.last().is_none_or(full) {
            self.chunks.push(Chunk {
                bytes: Vec::with_capacity(CHUNK_BYTES.max(needed)),
                live: 0,
            });
        }
        let number = self.chunks.len() - 1;
        let Some(chunk) = self.chunks.last_mut() else {
            return;
        };
        let place = (number as u32, chunk.bytes.len() as u32);
        let out = &mut chunk.bytes;
        out.extend_from_slice(&(self.scratch.len() as u32).to_le_bytes());
        out.extend_from_slice(&record.part.to_le_bytes());
        out.extend_from_slice(&record.offset.to_le_bytes());
        out.extend_from_slice(&record.length.to_le_bytes());
        out.extend_from_slice(&self.scratch);
        chunk.live += 1;
        let chunks = &self.chunks;
        self.table
            .insert_unique(xxh3_64(body.id.as_bytes()), place, |&place| {
                xxh3_64(id(chunks, place).as_bytes())
            });
    }

    /// Takes out an item of that id and shows it.
    pub(super) fn take<T>(
        &mut self,
        wanted: &str,
        show: impl FnOnce(&ItemRecord<'_>) -> T,
    ) -> Option<T> {
        if self.table.is_empty() {
            return None;
        }
        let chunks = &self.chunks;
        let found = self
            .table
            .find_entry(xxh3_64(wanted.as_bytes()), |&place| {
                id(chunks, place) == wanted
            })
            .ok()?;
        let (place, _) = found.remove();
        let (record, _) = read(&self.chunks, place)?;
        let shown = show(&record);
        if let Some(chunk) = self.chunks.get_mut(place.0 as usize) {
            chunk.live -= 1;
            if chunk.live == 0 {
                chunk.bytes = Vec::new();
            }
        }
        Some(shown)
    }

    /// Shows what is left, in the order in which it came.
    pub(super) fn each(&self, mut show: impl FnMut(&ItemRecord<'_>)) {
        // The table knows which are left; sorted places are the order.
        let mut places: Vec<(u32, u32)> = self.table.iter().copied().collect();
        places.sort_unstable();
        for place in places {
            if let Some((record, _)) = read(&self.chunks, place) {
                show(&record);
            }
        }
    }

    /// Bytes that it occupies.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(|chunk| chunk.bytes.capacity()).sum();
        chunks + self.chunks.capacity() * size_of::<Chunk>() + self.table.allocation_size()
    }
}
