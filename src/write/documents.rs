//! A document an item: many small files that are staged together in a hidden folder, and take their places together.
//!
//! What they are called is kept beside them in a hidden list, so that the next feed takes away the files of items that are
//! gone, and no file that somebody else put there. A file whose bytes did not change is left alone.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::xxh3_128;

use crate::model::seen::Seen;

use super::atomic::AtomicFile;
use super::staged::Artifact;

/// Where the names of a feed's documents are kept: a name a line.
pub(super) const LIST: &str = ".shelfcast-documents";
/// Says in a hidden folder that its run lives.
const ALIVE: &str = ".alive";
/// Files that are synced at a time.
const SYNCED_AT_ONCE: usize = 16;
/// The names that are staged.
const NAMES: &str = ".names";

/// Documents that are being written.
pub(super) struct Documents {
    folder: PathBuf,
    hidden: PathBuf,
    /// Held as long as the run lives.
    _alive: File,
    names: BufWriter<File>,
    seen: Seen,
    passing: bool,
    count: u64,
    bytes: u64,
    digest: Option<Sha256>,
    /// All of them, where they are kept and delivered one by one.
    artifacts: Vec<Artifact>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "files in a hidden folder, which goes with the run"
)]
fn create(path: &Path) -> io::Result<File> {
    File::create(path)
}

impl Documents {
    /// Begins documents that will stand in a folder of the feed's name. What a killed run left is taken away.
    pub(super) fn new(folder: &Path, feed: &str, passing: bool, digests: bool) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        sweep(folder, feed)?;
        let hidden = folder.join(format!(".{feed}.{}.part", std::process::id()));
        if hidden.symlink_metadata().is_ok() {
            std::fs::remove_dir_all(&hidden)?;
        }
        std::fs::create_dir(&hidden)?;
        let alive = create(&hidden.join(ALIVE))?;
        alive
            .try_lock()
            .map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Documents {
            folder: folder.join(feed),
            names: BufWriter::new(create(&hidden.join(NAMES))?),
            hidden,
            _alive: alive,
            seen: Seen::default(),
            passing,
            count: 0,
            bytes: 0,
            digest: digests.then(Sha256::new),
            artifacts: Vec::new(),
        })
    }

    /// Begins the file of one document.
    pub(super) fn begin(&self, name: &str) -> io::Result<AtomicFile> {
        AtomicFile::hidden(self.hidden.join(name), self.folder.join(name))
    }

    /// Ends it: it lies whole in the hidden folder, unless it stands already as it is.
    pub(super) fn end(&mut self, file: AtomicFile, artifact: Artifact) -> io::Result<()> {
        let name = artifact
            .path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        let mut file = file;
        let staged = file.staged()?.to_owned();
        if !self.passing && same(&staged, &artifact.path)? {
            drop(file);
        } else {
            file.close()?;
        }
        self.names.write_all(name.as_bytes())?;
        self.names.write_all(b"\n")?;
        self.seen.insert(xxh3_128(name.as_bytes()));
        self.count += 1;
        self.bytes += artifact.bytes;
        if let (Some(digest), Some(own)) = (&mut self.digest, &artifact.sha256) {
            digest.update(format!("{own}  {name}\n"));
        }
        if self.passing {
            self.artifacts.push(artifact);
        }
        Ok(())
    }

    /// Puts the staged files on disk, several at a time: a disk that is asked one by one takes minutes for what it does in
    /// seconds.
    fn sync(&self) -> io::Result<()> {
        let entries = Mutex::new(std::fs::read_dir(&self.hidden)?);
        let next = || {
            let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
            entries.next()
        };
        let work = || -> io::Result<()> {
            while let Some(entry) = next() {
                File::open(entry?.path())?.sync_all()?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..SYNCED_AT_ONCE).map(|_| scope.spawn(work)).collect();
            threads.into_iter().try_for_each(|thread| {
                thread.join().unwrap_or_else(|_| {
                    Err(io::Error::other("a thread that synced files ended early"))
                })
            })
        })
    }

    /// The staged files.
    pub(super) fn staged(&self) -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&self.hidden)? {
            let entry = entry?;
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                paths.push(entry.path());
            }
        }
        Ok(paths)
    }

    /// Gives all documents their names and takes away those of the feed before that are gone. One artifact stands for the
    /// folder, its digest that of the lines `sha256  name`; where the run only works with them, there is one for each.
    pub(super) fn commit(mut self) -> io::Result<Vec<Artifact>> {
        self.names.flush()?;
        std::fs::create_dir_all(&self.folder)?;
        let (list, names) = (self.folder.join(LIST), self.hidden.join(NAMES));
        if !self.passing {
            self.sync()?;
            // Whatever happens from here on, what stands in the folder is in the list.
            write_list(&list, [&list, &names])?;
        }
        for entry in std::fs::read_dir(&self.hidden)? {
            let name = entry?.file_name();
            if !name.as_encoded_bytes().starts_with(b".") {
                std::fs::rename(self.hidden.join(&name), self.folder.join(&name))?;
            }
        }
        if self.passing {
            return Ok(std::mem::take(&mut self.artifacts));
        }
        for name in lines(&list)? {
            let name = name?;
            if self.seen.insert(xxh3_128(name.as_bytes())) && is_plain(&name) {
                match std::fs::remove_file(self.folder.join(&name)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        write_list(&list, [&names])?;
        File::open(&self.folder)?.sync_all()?;
        Ok(vec![Artifact {
            path: self.folder.clone(),
            bytes: self.bytes,
            items: self.count,
            sha256: self
                .digest
                .take()
                .map(|digest| super::staged::sink::hex(&digest.finalize())),
        }])
    }
}

impl Drop for Documents {
    fn drop(&mut self) {
        // What cannot be removed now is taken away by the next run.
        drop(std::fs::remove_dir_all(&self.hidden));
    }
}

/// A name of the list as we write it: the list may have been written to by others.
fn is_plain(name: &str) -> bool {
    crate::model::file_name::check(name).is_ok()
}

/// The lines of a list; none where it is not there.
fn lines(path: &Path) -> io::Result<Box<dyn Iterator<Item = io::Result<String>>>> {
    match File::open(path) {
        Ok(file) => Ok(Box::new(BufReader::new(file).lines())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Box::new(std::iter::empty())),
        Err(error) => Err(error),
    }
}

fn write_list<const N: usize>(list: &Path, from: [&PathBuf; N]) -> io::Result<()> {
    let mut file = AtomicFile::create(list)?;
    for path in from {
        for line in lines(path)? {
            file.write_all(line?.as_bytes())?;
            file.write_all(b"\n")?;
        }
    }
    file.commit()
}

/// Whether two files have the same bytes; a file that is not there is like none.
fn same(staged: &Path, standing: &Path) -> io::Result<bool> {
    let (ours, theirs) = (std::fs::metadata(staged)?, std::fs::metadata(standing));
    if !theirs.is_ok_and(|theirs| theirs.is_file() && theirs.len() == ours.len()) {
        return Ok(false);
    }
    let mut files = [staged, standing].map(|path| File::open(path).map(BufReader::new));
    let [Ok(ours), Ok(theirs)] = &mut files else {
        return Ok(false);
    };
    loop {
        let one = ours.fill_buf()?;
        if one.is_empty() {
            return Ok(true);
        }
        let mut other = vec![0; one.len()];
        if theirs.read_exact(&mut other).is_err() || other != one {
            return Ok(false);
        }
        let length = one.len();
        ours.consume(length);
    }
}

/// Takes the hidden folders of a feed away that no living run holds.
fn sweep(folder: &Path, feed: &str) -> io::Result<()> {
    let before = format!(".{feed}.");
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| {
            name.strip_prefix(&before)
                .and_then(|rest| rest.strip_suffix(".part"))
                .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        });
        if !ours || !entry.path().is_dir() {
            continue;
        }
        let dead = match OpenOptions::new().read(true).open(entry.path().join(ALIVE)) {
            Ok(file) => !matches!(file.try_lock(), Err(TryLockError::WouldBlock)),
            Err(_) => false,
        };
        if dead {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
    Ok(())
}
