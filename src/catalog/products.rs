//! Rows of one product, brought together: batches in, batches out in which every product is whole.
//!
//! Rows that already stand together stream. Where a product's rows turn out to stand apart, reading starts again with
//! [`Gathering::Whole`]: every record is put aside (on disk past a limit) and comes back product by product, in the order
//! in which the products first appeared.

use std::io::{Read, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

use super::batch::BATCH_BYTES;
use super::open::SourceReader;
use super::{Batch, SourceError, SourceProblem};
use crate::model::seen::Seen;

/// How rows of a product are brought together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gathering {
    /// Every row is a product of its own.
    Single,
    /// Rows of a product stand together.
    Adjacent,
    /// They may stand apart.
    Whole,
}

/// What is known of a row before products are made: its product's key, and further keys it is known by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowKeys {
    /// Hash of what rows of one product share; a row without is a product of its own.
    pub key: Option<u128>,
    /// Hashes of other keys under which rows may name this one.
    pub aliases: Vec<u128>,
}

/// Gives each row of a batch its keys.
pub type KeysOf<'k> = dyn Fn(&Batch) -> Vec<RowKeys> + Sync + 'k;

/// Why reading products ended early.
pub enum Interrupted {
    /// The source cannot be used.
    Source(SourceError),
    /// A product's rows stand apart: read again with [`Gathering::Whole`].
    Scattered,
}

impl From<SourceError> for Interrupted {
    fn from(error: SourceError) -> Self {
        Interrupted::Source(error)
    }
}

/// A batch and where its products end, in rows.
#[derive(Default)]
pub struct ProductBatch {
    /// The records.
    pub batch: Batch,
    /// One past the last row of each product; empty when each row is one.
    pub ends: Vec<usize>,
    /// Rows before this belong to the batch before.
    pub first: usize,
}

/// Reads products.
pub struct ProductReader<'k> {
    source: SourceReader,
    keys: &'k KeysOf<'k>,
    gathering: Gathering,
    sequence: u64,
    held: Option<(ProductBatch, Vec<RowKeys>)>,
    done: bool,
    seen: Seen,
    gathered: Option<Gathered>,
    spare: Vec<Batch>,
}

impl<'k> ProductReader<'k> {
    /// Products of a source.
    pub fn new(source: SourceReader, keys: &'k KeysOf<'k>, gathering: Gathering) -> Self {
        ProductReader {
            source,
            keys,
            gathering,
            sequence: 0,
            held: None,
            done: false,
            seen: Seen::default(),
            gathered: None,
            spare: Vec::new(),
        }
    }

    /// Gives back a batch whose buffers may be used again.
    pub fn recycle(&mut self, batch: Batch) {
        if self.spare.len() < 4 {
            self.spare.push(batch);
        }
    }

    /// The next batch of whole products; `None` at the end.
    ///
    /// # Errors
    /// When the source is not whole, or products stand apart and were not expected to.
    #[expect(
        clippy::should_implement_trait,
        reason = "it may fail, and lends what it reads"
    )]
    pub fn next(&mut self) -> Result<Option<ProductBatch>, Interrupted> {
        let next = match self.gathering {
            Gathering::Single => self.read()?,
            Gathering::Adjacent => self.adjacent()?,
            Gathering::Whole => self.whole()?,
        };
        Ok(next.map(|mut next| {
            next.batch.sequence = self.sequence;
            self.sequence += 1;
            next
        }))
    }

    /// What the readers had to say, once everything is read.
    pub fn take_remarks(&mut self) -> Vec<String> {
        self.source.take_remarks()
    }

    fn read(&mut self) -> Result<Option<ProductBatch>, SourceError> {
        let mut batch = self.spare.pop().unwrap_or_default();
        Ok(self.source.read(&mut batch)?.then(|| ProductBatch {
            batch,
            ..ProductBatch::default()
        }))
    }

    fn read_keyed(&mut self) -> Result<Option<(ProductBatch, Vec<RowKeys>)>, SourceError> {
        if self.done {
            return Ok(None);
        }
        match self.read()? {
            Some(next) => {
                let keys = (self.keys)(&next.batch);
                Ok(Some((next, keys)))
            }
            None => {
                self.done = true;
                Ok(None)
            }
        }
    }

    fn adjacent(&mut self) -> Result<Option<ProductBatch>, Interrupted> {
        let current = match self.held.take() {
            Some(held) => Some(held),
            None => self.read_keyed()?,
        };
        let Some((mut current, mut keys)) = current else {
            return Ok(None);
        };
        // The last product may go on in what follows.
        while let Some((mut next, next_keys)) = self.read_keyed()? {
            let last = keys.last().and_then(|keys| keys.key);
            let same_file =
                next.batch.file == current.batch.file && next.batch.order == current.batch.order;
            let more = next_keys
                .iter()
                .take_while(|keys| last.is_some() && same_file && keys.key == last)
                .count();
            for (row, more_keys) in next_keys.iter().take(more).enumerate() {
                let width = next.batch.width();
                current.batch.push_record(
                    next.batch.line(row),
                    (0..width).map(|column| next.batch.cell(row, column)),
                );
                keys.push(more_keys.clone());
            }
            let all = more == next_keys.len();
            if all {
                current.batch.rejects.append(&mut next.batch.rejects);
                self.recycle(next.batch);
                continue;
            }
            next.first = more;
            self.held = Some((next, next_keys));
            break;
        }
        let rows = keys.len();
        let own = keys.get(current.first..).unwrap_or_default();
        self.seen.look_ahead(own.iter().filter_map(|row| row.key));
        let mut start = current.first;
        for row in current.first..rows {
            let ends =
                row + 1 == rows || keys[row].key.is_none() || keys[row + 1].key != keys[row].key;
            if !ends {
                continue;
            }
            if let Some(key) = keys[row].key
                && !self.seen.insert(key)
            {
                return Err(Interrupted::Scattered);
            }
            current.ends.push(row + 1);
            start = row + 1;
        }
        debug_assert_eq!(
            start,
            rows.max(current.first),
            "every row belongs to a product"
        );
        Ok(Some(current))
    }

    fn whole(&mut self) -> Result<Option<ProductBatch>, Interrupted> {
        if self.gathered.is_none() {
            let mut gathered = Gathered::new(self.source.columns().len());
            let mut rejects = Vec::new();
            while let Some((mut next, keys)) = self.read_keyed()? {
                rejects.append(&mut next.batch.rejects);
                gathered.add(&next.batch, &keys)?;
                self.recycle(next.batch);
            }
            gathered.order();
            gathered.rejects = rejects;
            self.gathered = Some(gathered);
        }
        let batch = self.spare.pop().unwrap_or_default();
        let gathered = self.gathered.as_mut().expect("made just now");
        Ok(gathered.next(batch)?)
    }
}

const SPOOL_BYTES: usize = 64 << 20;

/// Records put aside, by product.
struct Gathered {
    width: usize,
    spool: SpooledTempFile,
    bytes: u64,
    /// Product (as a node of the union), offset.
    records: Vec<(u32, u64)>,
    parents: Vec<u32>,
    keys: std::collections::HashMap<u128, u32>,
    at: usize,
    rejects: Vec<super::batch::Reject>,
}

impl Gathered {
    fn new(width: usize) -> Self {
        Gathered {
            width,
            spool: SpooledTempFile::new(SPOOL_BYTES),
            bytes: 0,
            records: Vec::new(),
            parents: Vec::new(),
            keys: std::collections::HashMap::new(),
            at: 0,
            rejects: Vec::new(),
        }
    }

    fn root(&mut self, mut node: u32) -> u32 {
        while self.parents[node as usize] != node {
            let up = self.parents[node as usize];
            self.parents[node as usize] = self.parents[up as usize];
            node = up;
        }
        node
    }

    /// One product of two: the one that appeared first stays.
    fn unite(&mut self, one: u32, other: u32) -> u32 {
        let (one, other) = (self.root(one), self.root(other));
        let (first, later) = if one < other {
            (one, other)
        } else {
            (other, one)
        };
        self.parents[later as usize] = first;
        first
    }

    fn product(&mut self, keys: &RowKeys) -> u32 {
        let mut product: Option<u32> = None;
        for key in keys.key.iter().chain(&keys.aliases) {
            match (self.keys.get(key).copied(), product) {
                (Some(known), None) => product = Some(self.root(known)),
                (Some(known), Some(have)) => product = Some(self.unite(known, have)),
                (None, _) => {}
            }
        }
        let product = product.unwrap_or_else(|| {
            let new = u32::try_from(self.parents.len()).expect("fewer than 4 billion products");
            self.parents.push(new);
            new
        });
        for key in keys.key.iter().chain(&keys.aliases) {
            self.keys.insert(*key, product);
        }
        product
    }

    fn add(&mut self, batch: &Batch, keys: &[RowKeys]) -> Result<(), SourceError> {
        let mut record = Vec::new();
        for (row, keys) in keys.iter().enumerate() {
            let product = self.product(keys);
            self.records.push((product, self.bytes));
            record.clear();
            record.extend_from_slice(&batch.line(row).to_le_bytes());
            record.extend_from_slice(&batch.file.to_le_bytes());
            record.push(u8::from(batch.lists));
            for column in 0..self.width {
                let place = if batch.order.is_empty() {
                    column
                } else {
                    batch.order[column] as usize
                };
                let cell = batch.cell(row, place);
                record.extend_from_slice(
                    &u32::try_from(cell.len())
                        .expect("a cell is less than 4 GiB")
                        .to_le_bytes(),
                );
                record.extend_from_slice(cell.as_bytes());
            }
            let length = u32::try_from(record.len()).expect("a record is less than 4 GiB");
            let put = self
                .spool
                .write_all(&length.to_le_bytes())
                .and_then(|()| self.spool.write_all(&record));
            put.map_err(|error| spool_error(&error))?;
            self.bytes += 4 + u64::from(length);
        }
        Ok(())
    }

    fn order(&mut self) {
        for at in 0..self.records.len() {
            let (product, offset) = self.records[at];
            self.records[at] = (self.root(product), offset);
        }
        self.records.sort_unstable();
        self.keys = std::collections::HashMap::new();
    }

    fn next(&mut self, mut batch: Batch) -> Result<Option<ProductBatch>, SourceError> {
        if self.at == self.records.len() && self.rejects.is_empty() {
            return Ok(None);
        }
        batch.clear(self.width);
        batch.order.clear();
        batch.rejects = std::mem::take(&mut self.rejects);
        let mut made = ProductBatch {
            batch,
            ..ProductBatch::default()
        };
        let mut record = Vec::new();
        let mut files = Vec::new();
        while self.at < self.records.len() {
            let (product, offset) = self.records[self.at];
            self.read_at(offset, &mut record)
                .map_err(|error| spool_error(&error))?;
            let cells = Cells::of(&record);
            files.push(cells.file);
            made.batch.lists = cells.lists;
            made.batch.push_record(cells.line, cells);
            self.at += 1;
            if self
                .records
                .get(self.at)
                .is_none_or(|(next, _)| *next != product)
            {
                made.ends.push(made.batch.len());
                if made.batch.text_len() > BATCH_BYTES {
                    break;
                }
            }
        }
        made.batch.file = files.first().copied().unwrap_or(0);
        if files.iter().any(|&file| file != made.batch.file) {
            made.batch.files = files;
        }
        Ok(Some(made))
    }

    fn read_at(&mut self, offset: u64, record: &mut Vec<u8>) -> std::io::Result<()> {
        self.spool.seek(SeekFrom::Start(offset))?;
        let mut length = [0; 4];
        self.spool.read_exact(&mut length)?;
        record.resize(u32::from_le_bytes(length) as usize, 0);
        self.spool.read_exact(record)
    }
}

fn spool_error(error: &std::io::Error) -> SourceError {
    SourceError::new(
        SourceProblem::NotWhole,
        "the catalog",
        format!("cannot be put aside to bring products together: {error}"),
    )
    .hint("free space in the temporary folder, or set TMPDIR")
}

/// The cells of a record as it was put aside.
struct Cells<'r> {
    line: u64,
    file: u32,
    lists: bool,
    rest: &'r [u8],
}

impl<'r> Cells<'r> {
    fn of(record: &'r [u8]) -> Self {
        let (line, rest) = record
            .split_first_chunk::<8>()
            .expect("a record begins with its line");
        let (file, rest) = rest.split_first_chunk::<4>().expect("then its file");
        let (lists, rest) = rest.split_first().expect("then whether it has lists");
        Cells {
            line: u64::from_le_bytes(*line),
            file: u32::from_le_bytes(*file),
            lists: *lists == 1,
            rest,
        }
    }
}

impl<'r> Iterator for Cells<'r> {
    type Item = &'r str;

    fn next(&mut self) -> Option<&'r str> {
        let (length, rest) = self.rest.split_first_chunk::<4>()?;
        let (cell, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        self.rest = rest;
        std::str::from_utf8(cell).ok()
    }
}
