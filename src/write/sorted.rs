//! Items brought into the order of their keys: in memory while they fit, else in sorted runs on disk that are merged.
//!
//! In: keys that compare as bytes, with whatever belongs to them, in the catalog's order. Out: the same by key; what has
//! the same key keeps the order it came in.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// What is kept in memory before a run goes to disk, in bytes.
pub const MEMORY_BYTES: usize = 32 << 20;
/// Read and written at a time, a run, in bytes.
const BLOCK: usize = 64 * 1024;
/// Runs that are merged at once; more are merged in several passes.
const RUNS_MAX: usize = 64;

/// A sorted file: each record its key's length, its own length, key and bytes.
type Run = File;

/// Records that are being sorted.
pub struct Sorter {
    folder: PathBuf,
    memory_bytes: usize,
    bytes: Vec<u8>,
    records: Vec<Record>,
    runs: Vec<Run>,
}

#[derive(Clone, Copy)]
struct Record {
    start: usize,
    key: usize,
    length: usize,
}

impl Sorter {
    /// Sorts with so much memory; runs go to unnamed files in a folder, which is made when it is needed.
    pub fn new(folder: &Path, memory_bytes: usize) -> Self {
        Sorter {
            folder: folder.to_owned(),
            memory_bytes,
            bytes: Vec::new(),
            records: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// Takes a record.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn push(&mut self, key: &[u8], record: &[u8]) -> io::Result<()> {
        let taken = self.bytes.len() + self.records.len() * size_of::<Record>();
        if !self.records.is_empty() && taken + key.len() + record.len() > self.memory_bytes {
            self.spill()?;
        }
        self.records.push(Record {
            start: self.bytes.len(),
            key: key.len(),
            length: record.len(),
        });
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(record);
        Ok(())
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        self.records
            .sort_by(|one, other| one.key(bytes).cmp(other.key(bytes)));
    }

    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let mut run = self.run()?;
        for record in &self.records {
            write(&mut run, record.key(&self.bytes), record.rest(&self.bytes))?;
        }
        self.runs.push(rewound(run)?);
        self.records.clear();
        self.bytes.clear();
        if self.runs.len() >= RUNS_MAX {
            self.merge()?;
        }
        Ok(())
    }

    /// All runs as one.
    fn merge(&mut self) -> io::Result<()> {
        let mut merged = Merged::of(std::mem::take(&mut self.runs))?;
        let mut run = self.run()?;
        while let Some((key, record)) = merged.next()? {
            write(&mut run, &key, &record)?;
        }
        self.runs.push(rewound(run)?);
        Ok(())
    }

    fn run(&self) -> io::Result<BufWriter<File>> {
        std::fs::create_dir_all(&self.folder)?;
        Ok(BufWriter::with_capacity(
            BLOCK,
            tempfile::tempfile_in(&self.folder)?,
        ))
    }

    /// Gives every record in order.
    ///
    /// # Errors
    /// When the disk refuses, and what `take` says.
    pub fn finish(mut self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        if self.runs.is_empty() {
            self.sort();
            return self
                .records
                .iter()
                .try_for_each(|record| take(record.rest(&self.bytes)));
        }
        if !self.records.is_empty() {
            self.spill()?;
        }
        (self.bytes, self.records) = (Vec::new(), Vec::new());
        let mut merged = Merged::of(std::mem::take(&mut self.runs))?;
        while let Some((_, record)) = merged.next()? {
            take(&record)?;
        }
        Ok(())
    }
}

impl Record {
    fn key(self, bytes: &[u8]) -> &[u8] {
        bytes
            .get(self.start..self.start + self.key)
            .unwrap_or_default()
    }

    fn rest(self, bytes: &[u8]) -> &[u8] {
        let start = self.start + self.key;
        bytes.get(start..start + self.length).unwrap_or_default()
    }
}

/// A record at the front of its run: key, the run's number, bytes; the least is the greatest here.
type Front = Reverse<(Vec<u8>, usize, Vec<u8>)>;

/// Runs read side by side, the least first.
struct Merged {
    runs: Vec<BufReader<File>>,
    /// Of each run the next record: key, the run's number, bytes. Earlier runs hold what came earlier.
    next: BinaryHeap<Front>,
}

impl Merged {
    fn of(runs: Vec<Run>) -> io::Result<Self> {
        let mut merged = Merged {
            runs: runs
                .into_iter()
                .map(|run| BufReader::with_capacity(BLOCK, run))
                .collect(),
            next: BinaryHeap::new(),
        };
        for number in 0..merged.runs.len() {
            merged.refill(number)?;
        }
        Ok(merged)
    }

    fn refill(&mut self, number: usize) -> io::Result<()> {
        if let Some((key, record)) = read(&mut self.runs[number])? {
            self.next.push(Reverse((key, number, record)));
        }
        Ok(())
    }

    fn next(&mut self) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let Some(Reverse((key, number, record))) = self.next.pop() else {
            return Ok(None);
        };
        self.refill(number)?;
        Ok(Some((key, record)))
    }
}

fn rewound(run: BufWriter<File>) -> io::Result<Run> {
    let mut file = run.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(file)
}

fn write(run: &mut impl Write, key: &[u8], record: &[u8]) -> io::Result<()> {
    for length in [key.len(), record.len()] {
        let length = u32::try_from(length).map_err(io::Error::other)?;
        run.write_all(&length.to_le_bytes())?;
    }
    run.write_all(key)?;
    run.write_all(record)
}

fn read(run: &mut impl Read) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let mut head = [0; 8];
    match run.read_exact(&mut head) {
        Ok(()) => {}
        // Runs are ours and whole: they end where a record would begin.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let [a, b, c, d, e, f, g, h] = head;
    let mut key = vec![0; u32::from_le_bytes([a, b, c, d]) as usize];
    let mut record = vec![0; u32::from_le_bytes([e, f, g, h]) as usize];
    run.read_exact(&mut key)?;
    run.read_exact(&mut record)?;
    Ok(Some((key, record)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys that meet often, each record naming its place.
    fn sorted(count: usize, memory_bytes: usize) -> (Vec<String>, usize) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut sorter = Sorter::new(folder.path(), memory_bytes);
        for place in 0..count {
            let key = format!("{:02}", place * 7919 % 23);
            sorter
                .push(key.as_bytes(), format!("{key}:{place:06}").as_bytes())
                .expect("taken");
        }
        let spilled = sorter.runs.len();
        let mut out = Vec::new();
        sorter
            .finish(|record| {
                out.push(String::from_utf8_lossy(record).into_owned());
                Ok(())
            })
            .expect("sorted");
        (out, spilled)
    }

    #[test]
    fn memory_and_disk_give_one_order_and_equals_keep_theirs() {
        let (wanted, spilled) = sorted(5000, usize::MAX);
        assert_eq!(spilled, 0);
        assert_eq!(wanted.len(), 5000);
        // The place behind the key grows with each key: the order is stable.
        assert!(wanted.is_sorted());
        // One record a run takes several passes of merging.
        for memory in [1, 100, 5000, 60_000] {
            let (out, spilled) = sorted(5000, memory);
            assert!(spilled > 0, "{memory}");
            assert!(out == wanted, "{memory} bytes of memory");
        }
    }

    #[test]
    fn nothing_is_sorted_to_nothing() {
        assert_eq!(sorted(0, 10).0, Vec::<String>::new());
    }

    #[test]
    fn what_the_taker_says_ends_it() {
        let mut sorter = Sorter::new(Path::new("."), 1 << 20);
        sorter.push(b"a", b"x").expect("taken");
        let error = sorter
            .finish(|_| Err(io::Error::other("full")))
            .expect_err("refused");
        assert_eq!(error.to_string(), "full");
    }
}
