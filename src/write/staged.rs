//! One feed being written: its parts, each with head and tail, items filled in where only the writer knows.

mod held;
mod piece;
pub(super) mod sink;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::program::feed::Hole;
use crate::recovery::{self, kill_point};

use super::atomic::AtomicFile;
use super::documents::Documents;
use super::items::{ItemLogWriter, LogFoot, LogHead};
use held::{Held, Next};
pub use piece::Piece;
use sink::{Counting, Sink, hex};

/// How large a part may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes before compression.
    pub bytes: Option<u64>,
    /// Items.
    pub items: Option<u64>,
    /// Whether a feed beyond them is split.
    pub parts: bool,
}

/// How a feed's files are written.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The feed's name.
    pub name: String,
    /// The files' ending, without the point.
    pub extension: String,
    /// Whether they are compressed.
    pub gzip: bool,
    /// Whether digests are made.
    pub digests: bool,
    /// How large a part may be.
    pub limits: Limits,
    /// What the bytes become on the way out.
    pub encoding: Encoding,
    /// Whether a byte order mark goes first.
    pub bom: bool,
    /// Whether the files need not outlive a power cut: a run works with them and keeps them elsewhere.
    pub passing: bool,
    /// Whether each item is a document of its own, in a folder of the feed's name.
    pub documents: bool,
}

/// What a feed's bytes become on the way out.
#[derive(Clone, Copy, Debug)]
pub enum Encoding {
    /// They are written as they are.
    Utf8,
    /// They are written in another encoding; letters it lacks become `?` and are counted.
    Other(&'static encoding_rs::Encoding),
    /// They are cells and rows of a workbook.
    Workbook,
}

/// A file of a feed, written and not yet in place.
pub struct Artifact {
    /// Where it will stand.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Items in it.
    pub items: u64,
    /// Hex of its SHA-256, when digests are made.
    pub sha256: Option<String>,
}

/// What writes head and tail, for a part's number and (in the tail) its count of items.
pub type Frame<'f> = dyn Fn(u64, Option<u64>) -> (Vec<u8>, Vec<u8>) + 'f;

/// What writes the file that names the parts.
pub type Index<'i> = dyn Fn(&[Artifact]) -> Vec<u8> + 'i;

/// A feed being written.
pub struct StagedFeed<'f> {
    shape: Shape,
    folder: PathBuf,
    frame: &'f Frame<'f>,
    done: Vec<(AtomicFile, Artifact)>,
    current: Option<Part>,
    /// The item in hand: it is written when it is known whether it is the last.
    held: Option<Held>,
    /// The group of the item before.
    group: Option<u64>,
    /// The documents, where each item is one; begun with the first.
    documents: Option<Documents>,
    /// Items written.
    pub items: u64,
    /// Bytes written, before compression.
    pub bytes: u64,
    /// Why the feed cannot be delivered: one item or the whole is beyond the channel's limits.
    pub over: Option<String>,
    /// Letters that the encoding lacks.
    pub unencodable: u64,
    log: Option<Log>,
}

/// The log of the items, and their bytes where the files themselves cannot be looked into.
struct Log {
    writer: ItemLogWriter<AtomicFile>,
    bodies: Option<AtomicFile>,
    bodies_bytes: u64,
}

struct Part {
    sink: Sink,
    number: u64,
    bytes: u64,
    items: u64,
    tail_bytes: u64,
}

impl<'f> StagedFeed<'f> {
    /// Begins a feed in a folder. Nothing is made before the first item.
    pub fn new(folder: &Path, shape: Shape, frame: &'f Frame<'f>) -> Self {
        StagedFeed {
            shape,
            folder: folder.to_owned(),
            frame,
            done: Vec::new(),
            current: None,
            held: None,
            group: None,
            documents: None,
            items: 0,
            bytes: 0,
            over: None,
            unencodable: 0,
            log: None,
        }
    }

    /// Logs the items into `<feed>.items` beside the files, and their bytes into `<feed>.bodies` where the files are
    /// workbooks or in another encoding than UTF-8.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn log(&mut self, head: &LogHead) -> io::Result<()> {
        let file = |ending: &str| {
            let path = self.folder.join(format!("{}.{ending}", self.shape.name));
            AtomicFile::create(&path).map(|file| file.passing(self.shape.passing))
        };
        let opaque = !matches!(self.shape.encoding, Encoding::Utf8);
        self.log = Some(Log {
            writer: ItemLogWriter::new(file("items")?, head)?,
            bodies: opaque.then(|| file("bodies")).transpose()?,
            bodies_bytes: 0,
        });
        Ok(())
    }

    /// A feed that is counted and not written.
    pub fn discarding(shape: Shape, frame: &'f Frame<'f>) -> Self {
        StagedFeed::new(Path::new(""), shape, frame)
    }

    /// Counts what would stand around the items of a feed that is not written.
    pub fn count_frame(&mut self) {
        let (head, tail) = (self.frame)(1, Some(self.items));
        let mark = if self.shape.bom { "\u{feff}".len() } else { 0 };
        self.bytes += (mark + head.len() + tail.len()) as u64;
    }

    /// Counts an item that is not written.
    pub fn count(&mut self, bytes: usize) {
        self.items += 1;
        self.bytes += bytes as u64;
    }

    /// Whether some items can go into the part under way one after another, without a look at each: none is a document of its
    /// own, none waits for its neighbours, none is logged, and no limit comes near.
    pub fn takes_all(&self, holes: &[Hole], bytes: usize, items: usize) -> bool {
        !self.shape.documents
            && holes.is_empty()
            && self.held.is_none()
            && self.log.is_none()
            && self.over.is_none()
            && self
                .current
                .as_ref()
                .is_some_and(|part| !self.is_full(part, bytes as u64, items as u64))
    }

    /// Adds items that it takes all, side by side as they lie: no buffer stands between them and the file.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn add_all(&mut self, bytes: &[u8], items: u64) -> io::Result<()> {
        self.emit(bytes)?;
        self.items += items;
        if let Some(part) = &mut self.current {
            part.items += items;
        }
        Ok(())
    }

    /// Adds one rendered item.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn add(&mut self, piece: &Piece<'_>) -> io::Result<()> {
        if self.shape.documents {
            return self.add_document(piece);
        }
        // Without holes nothing in the item waits for its neighbours.
        if piece.holes.is_empty() && self.held.is_none() {
            self.make_room(piece.bytes.len() as u64)?;
            self.group = Some(piece.group);
            return self.put(piece.bytes, piece.told);
        }
        if let Some(held) = self.held.replace(Held::of(piece)) {
            let next = Next {
                bytes: piece.bytes.len() as u64,
                group: piece.group,
            };
            self.write_held(&held, Some(next))?;
        }
        Ok(())
    }

    /// An item that is a document: first and last of its file.
    fn add_document(&mut self, piece: &Piece<'_>) -> io::Result<()> {
        let held = Held::of(piece);
        self.begin_document(piece.name)?;
        self.note_over(held.bytes.len() as u64);
        self.fill_and_put(&held, None)?;
        self.end_part()
    }

    fn would_fill(&self, bytes: u64) -> bool {
        self.shape.limits.items.is_some_and(|most| most < 2)
            || self.shape.limits.bytes.is_some_and(|most| bytes > most)
    }

    fn is_full(&self, part: &Part, bytes: u64, items: u64) -> bool {
        let limits = &self.shape.limits;
        limits.items.is_some_and(|most| part.items + items > most)
            || limits
                .bytes
                .is_some_and(|most| part.bytes + bytes + part.tail_bytes > most)
    }

    /// Ends the part where the next item would break its limits, and begins one where there is none.
    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        if self.current.as_ref().is_some_and(|part| {
            part.items > 0 && self.shape.limits.parts && self.is_full(part, bytes, 1)
        }) {
            self.end_part()?;
        }
        if self.current.is_none() {
            self.begin_part()?;
        }
        self.note_over(bytes);
        Ok(())
    }

    /// Notes that the next item breaks the limits of its file.
    fn note_over(&mut self, bytes: u64) {
        if self.over.is_none()
            && let Some(part) = &self.current
            && self.is_full(part, bytes, 1)
        {
            let limits = &self.shape.limits;
            self.over = Some(match (limits.items, limits.bytes) {
                (Some(items), _) if part.items + 1 > items => {
                    format!("it has more than the {items} items that the channel takes in one file")
                }
                (_, Some(bytes)) => format!(
                    "it is larger than the {bytes} bytes that the channel takes in one file"
                ),
                _ => "it is beyond the channel's limits".to_owned(),
            });
        }
    }

    /// Where a part stands: the feed's own name where it is the only one.
    fn part_path(&self, number: u64, only: bool) -> PathBuf {
        let gz = if self.shape.gzip { ".gz" } else { "" };
        let (name, extension) = (&self.shape.name, &self.shape.extension);
        let number = if only {
            String::new()
        } else {
            format!("-{number:03}")
        };
        self.folder.join(format!("{name}{number}.{extension}{gz}"))
    }

    fn begin_part(&mut self) -> io::Result<()> {
        let number = self.done.len() as u64 + 1;
        let path = self.part_path(number, !self.shape.limits.parts);
        let file = AtomicFile::create(&path)?.passing(self.shape.passing);
        self.begin_file(number, file)
    }

    fn begin_document(&mut self, name: &str) -> io::Result<()> {
        let gz = if self.shape.gzip { ".gz" } else { "" };
        let documents = match &mut self.documents {
            Some(documents) => documents,
            none => none.insert(Documents::new(
                &self.folder,
                &self.shape.name,
                self.shape.passing,
                self.shape.digests,
            )?),
        };
        let file = documents.begin(&format!("{name}{gz}"))?;
        self.begin_file(self.items + 1, file)
    }

    fn begin_file(&mut self, number: u64, file: AtomicFile) -> io::Result<()> {
        let counting = Counting::new(file, self.shape.digests);
        let sink = Sink::new(counting, &self.shape)?;
        let (head, tail) = (self.frame)(number, None);
        self.current = Some(Part {
            sink,
            number,
            bytes: 0,
            items: 0,
            tail_bytes: tail.len() as u64,
        });
        if self.shape.bom {
            self.emit("\u{feff}".as_bytes())?;
        }
        self.emit(&head)
    }

    fn emit(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(part) = &mut self.current else {
            return Ok(());
        };
        part.bytes += bytes.len() as u64;
        self.bytes += bytes.len() as u64;
        if let Encoding::Other(encoding) = self.shape.encoding {
            let text = String::from_utf8_lossy(bytes);
            let mut encoder = encoding.new_encoder();
            let mut out = Vec::with_capacity(text.len() + 16);
            let mut rest = text.as_ref();
            loop {
                let (result, read) =
                    encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut out, true);
                rest = rest.get(read..).unwrap_or("");
                match result {
                    encoding_rs::EncoderResult::InputEmpty => break,
                    encoding_rs::EncoderResult::OutputFull => out.reserve(rest.len() * 2 + 16),
                    encoding_rs::EncoderResult::Unmappable(_) => {
                        self.unencodable += 1;
                        out.push(b'?');
                    }
                }
            }
            return part.sink.write_all(&out);
        }
        part.sink.write_all(bytes)
    }

    fn put(&mut self, bytes: &[u8], told: &[u8]) -> io::Result<()> {
        if let Some(log) = &mut self.log {
            let (number, offset) = self
                .current
                .as_ref()
                .map_or((1, 0), |part| (part.number, part.bytes));
            let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
            if let Some(bodies) = &mut log.bodies {
                bodies.write_all(bytes)?;
                log.writer.add(1, log.bodies_bytes, length, told)?;
                log.bodies_bytes += u64::from(length);
            } else {
                let number = u32::try_from(number).map_err(io::Error::other)?;
                log.writer.add(number, offset, length, told)?;
            }
        }
        self.emit(bytes)?;
        self.items += 1;
        if let Some(part) = &mut self.current {
            part.items += 1;
        }
        Ok(())
    }

    fn end_part(&mut self) -> io::Result<()> {
        let Some(part) = &self.current else {
            return Ok(());
        };
        kill_point(recovery::P4);
        let (_, tail) = (self.frame)(part.number, Some(part.items));
        self.emit(&tail)?;
        let Some(part) = self.current.take() else {
            return Ok(());
        };
        let items = part.items;
        let counting = part.sink.finish()?;
        let artifact = Artifact {
            path: counting.file.target().to_owned(),
            bytes: counting.bytes,
            items,
            sha256: counting.digest.map(|digest| hex(&digest.finalize())),
        };
        match &mut self.documents {
            Some(documents) => documents.end(counting.file, artifact)?,
            None => self.done.push((counting.file, artifact)),
        }
        Ok(())
    }

    /// Writes what is held and ends the last part; the files are whole and still hidden.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(&mut self) -> io::Result<()> {
        if let Some(held) = self.held.take() {
            self.write_held(&held, None)?;
        }
        self.end_part()
    }

    /// Reads every part once more; the first that is no well-formed document, and why.
    ///
    /// # Errors
    /// When a file cannot be read back.
    pub fn malformed(
        &mut self,
        format: crate::channel::manifest::Format,
    ) -> io::Result<Option<String>> {
        for (file, _) in &mut self.done {
            if let Err(message) =
                super::verify::well_formed(file.staged()?, format, self.shape.gzip)?
            {
                return Ok(Some(message));
            }
        }
        let documents = self.documents.as_ref().map(Documents::staged);
        for path in documents.transpose()?.unwrap_or_default() {
            if let Err(message) = super::verify::well_formed(&path, format, self.shape.gzip)? {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                return Ok(Some(format!("{name}: {message}")));
            }
        }
        Ok(None)
    }

    /// Ends the log; where it is, and where the bytes are that the files do not show.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn end_log(&mut self, foot: &LogFoot) -> io::Result<Option<(PathBuf, Option<PathBuf>)>> {
        let Some(log) = self.log.take() else {
            return Ok(None);
        };
        let commit = |file: AtomicFile| {
            let path = file.target().to_owned();
            file.commit().map(|()| path)
        };
        let items = commit(log.writer.finish(foot)?)?;
        Ok(Some((items, log.bodies.map(commit).transpose()?)))
    }

    /// The files as they will be.
    pub fn artifacts(&self) -> impl Iterator<Item = &Artifact> {
        self.done.iter().map(|(_, artifact)| artifact)
    }

    /// Gives all files their names, then the index that names the parts; takes away parts of an earlier, longer feed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn commit(mut self, index: Option<&Index<'_>>) -> io::Result<Vec<Artifact>> {
        if let Some(documents) = self.documents.take() {
            return documents.commit();
        }
        let mut done = std::mem::take(&mut self.done);
        let only = self.part_path(1, true);
        let parts = if done.len() > 1 { done.len() } else { 0 };
        if let [(file, artifact)] = done.as_mut_slice() {
            file.retarget(only.clone());
            artifact.path.clone_from(&only);
        }
        let mut artifacts = Vec::new();
        for (file, artifact) in done {
            file.commit()?;
            artifacts.push(artifact);
        }
        match index {
            Some(index) if parts > 0 => {
                let bytes = index(&artifacts);
                let path = self
                    .folder
                    .join(format!("{}.{}", self.shape.name, self.shape.extension));
                super::atomic::write(&path, &bytes)?;
                let sha256 = self.shape.digests.then(|| hex(&Sha256::digest(&bytes)));
                artifacts.push(Artifact {
                    path,
                    bytes: bytes.len() as u64,
                    items: 0,
                    sha256,
                });
            }
            // Without an index the feed's own name would go on offering what was there before the feed was split.
            None if parts > 0 && only.is_file() => std::fs::remove_file(only)?,
            _ => {}
        }
        for number in parts as u64 + 1.. {
            let old = self.part_path(number, false);
            if !old.is_file() {
                break;
            }
            std::fs::remove_file(old)?;
        }
        Ok(artifacts)
    }
}
