//! The bytes of versions and plans: compressed, each folder there whole or not at all, digests checked when read.
//!
//! Each file is one zstd frame at level 3 that needs no other version. Measured on the benches' catalog of 100,000
//! products as `google-products` (152.8 MB), one thread, zstd 1.5.7; the version before had 1 % more items and 3 % other
//! prices:
//!
//! | how | kept | CPU to keep | memory | CPU to read |
//! | --- | --- | --- | --- | --- |
//! | level 1 | 7.27 MB | 0.21 s | 4 MiB | 0.5 s |
//! | level 3 | 6.96 MB | 0.20 s | 6 MiB | 0.1 s |
//! | level 3, window 8 MiB | 7.08 MB | 0.31 s | 12 MiB | 0.3 s |
//! | level 3, long, window 16 MiB | 7.42 MB | 0.90 s | 21 MiB | 0.2 s |
//! | level 3, long, window 128 MiB | 7.43 MB | 1.16 s | 140 MiB | 0.4 s |
//! | level 6 | 5.99 MB | 1.10 s | 9 MiB | 0.3 s |
//! | level 3, the version before as dictionary | 0.17 MB | 0.55 s | 313 MiB | 0.3 s |
//!
//! Longer windows cost more than they save: what repeats in a feed stands near. A dictionary saves 40 times the space and
//! takes the whole version before into memory, twice, and every version would then hang on the one before; thirty versions
//! of such a feed take 210 MB as they are. SHA-256 of the bytes is another 0.5 s.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{Role, StagedFile, State, StateError, Version, VersionFile, private};

/// zstd's level.
const LEVEL: i32 = 3;
/// Bytes moved at a time.
const CHUNK: usize = 128 * 1024;
/// The file in a version's folder that its readers hold.
pub(super) const READING: &str = ".reading";

/// Copies staged files, compressed, into a new folder `target`, by way of a hidden one beside it; file and folder are on
/// disk when it returns. A folder that stands there without anyone knowing of it is of a run that died: it is replaced.
/// `below` is how the files are called from `.shelfcast`.
pub(super) fn keep(
    parent: &Path,
    target: &Path,
    below: &str,
    files: &[StagedFile],
) -> Result<Vec<VersionFile>, StateError> {
    let name = target
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("new");
    let staged = parent.join(format!(".{name}.new"));
    for left in [&staged, &target.to_path_buf()] {
        if left.symlink_metadata().is_ok() {
            std::fs::remove_dir_all(left).map_err(|error| {
                StateError::disk(left, "take away what a dead run left", &error)
            })?;
        }
    }
    private::folder(&staged)?;
    let kept = fill(&staged, below, files).and_then(|kept| {
        private::sync_folder(&staged)?;
        std::fs::rename(&staged, target)
            .map_err(|error| StateError::disk(target, "name the folder", &error))?;
        private::sync_folder(parent)?;
        Ok(kept)
    });
    if kept.is_err() {
        drop(std::fs::remove_dir_all(&staged));
    }
    kept
}

fn fill(folder: &Path, below: &str, files: &[StagedFile]) -> Result<Vec<VersionFile>, StateError> {
    let reading = folder.join(READING);
    private::create(&reading)
        .and_then(|file| file.sync_all())
        .map_err(|error| StateError::disk(&reading, "make the file", &error))?;
    let mut kept = Vec::with_capacity(files.len());
    for (ordinal, file) in files.iter().enumerate() {
        let stored = match file.role {
            Role::ItemLog => "items.log.zst".to_owned(),
            Role::Bodies => "items.bodies.zst".to_owned(),
            _ => {
                check_name("file", &file.name)?;
                format!("{ordinal:03}-{}.zst", file.name)
            }
        };
        let packed = pack(&file.path, &folder.join(&stored))?;
        if matches!(file.role, Role::ItemLog | Role::Bodies) {
            // Nobody said what they are; what was read is what is kept.
        } else if packed.bytes != file.bytes
            || !(file.sha256.is_empty() || file.sha256.eq_ignore_ascii_case(&packed.sha256))
        {
            return Err(StateError::damaged(
                &file.path,
                format!(
                    "the rendered file changed before it was kept: {} bytes, digest {}; it was made with {} bytes, digest {}",
                    packed.bytes, packed.sha256, file.bytes, file.sha256
                ),
            ));
        }
        kept.push(VersionFile {
            name: file.name.clone(),
            role: file.role,
            items: file.items,
            bytes: packed.bytes,
            sha256: packed.sha256,
            stored: format!("{below}/{stored}"),
            stored_bytes: packed.stored,
        });
    }
    Ok(kept)
}

struct Packed {
    bytes: u64,
    sha256: String,
    stored: u64,
}

/// Compresses a file into a new one, and syncs it.
fn pack(from: &Path, to: &Path) -> Result<Packed, StateError> {
    let mut source = File::open(from)
        .map_err(|error| StateError::disk(from, "read the rendered file", &error))?;
    let written = |error: io::Error| StateError::disk(to, "keep the version's bytes", &error);
    let target = private::create(to).map_err(written)?;
    let mut encoder = zstd::Encoder::new(target, LEVEL).map_err(written)?;
    encoder.include_checksum(true).map_err(written)?;
    let mut digest = Sha256::new();
    let mut bytes = 0;
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match source.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(StateError::disk(from, "read the rendered file", &error)),
        };
        let piece = chunk.get(..read).unwrap_or_default();
        digest.update(piece);
        bytes += read as u64;
        encoder.write_all(piece).map_err(written)?;
    }
    let target = encoder.finish().map_err(written)?;
    target.sync_all().map_err(written)?;
    let stored = target.metadata().map_err(written)?.len();
    Ok(Packed {
        bytes,
        sha256: hex(&digest.finalize()),
        stored,
    })
}

/// That a name names one file or folder of its own.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), StateError> {
    let fine = !name.is_empty()
        && !name.starts_with('.')
        && name.len() <= 200
        && !name
            .chars()
            .any(|letter| matches!(letter, '/' | '\\' | ':' | '\0') || letter.is_control());
    if fine {
        return Ok(());
    }
    Err(StateError::unknown(
        format!("`{name}` cannot be the name of a {what}: it names something in `.shelfcast`"),
        "use letters, digits, `-`, `_` and `.`",
    ))
}

/// Bytes as lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Somebody reads a version: until this is dropped it is not cleaned away.
#[derive(Debug)]
pub struct Reading {
    held: File,
}

impl Drop for Reading {
    fn drop(&mut self) {
        // Closing the file is not enough while a process that was just started still shares it.
        drop(self.held.unlock());
    }
}

/// A kept file's bytes as they were rendered. At its end length and digest are checked: a file that is not what was kept
/// ends in an error (`InvalidData`), never as if it were whole.
pub struct VersionReader {
    decoder: zstd::Decoder<'static, BufReader<File>>,
    digest: Sha256,
    bytes: u64,
    expected: VersionFile,
    checked: bool,
    _reading: Reading,
}

impl std::fmt::Debug for VersionReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VersionReader")
            .field("file", &self.expected.stored)
            .finish_non_exhaustive()
    }
}

impl VersionReader {
    fn wrong(&self, what: &str) -> io::Error {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!(".shelfcast/{}: {what}", self.expected.stored),
        )
    }
}

impl Read for VersionReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = match self.decoder.read(buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(self.wrong(&format!("it is damaged: {error}"))),
        };
        if read == 0 && !self.checked {
            let digest = hex(&std::mem::take(&mut self.digest).finalize());
            if self.bytes != self.expected.bytes || digest != self.expected.sha256 {
                return Err(self.wrong("its bytes are not those that were kept"));
            }
            self.checked = true;
        }
        self.digest.update(buffer.get(..read).unwrap_or_default());
        self.bytes += read as u64;
        if self.bytes > self.expected.bytes {
            return Err(self.wrong("it holds more bytes than were kept"));
        }
        Ok(read)
    }
}

impl State {
    /// Opens a kept file: its bytes, uncompressed. The reader checks their digest at the end.
    ///
    /// # Errors
    /// A file that is gone, of another size, or unreadable.
    pub fn open_file(&self, file: &VersionFile) -> Result<VersionReader, StateError> {
        let path = self.places.root.join(&file.stored);
        let reading = self.hold_folder(path.parent().unwrap_or(&self.places.root))?;
        let opened = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StateError::damaged(&path, "the kept file is gone"),
            _ => StateError::disk(&path, "read the kept file", &error),
        })?;
        let wrong = |error: io::Error| StateError::disk(&path, "read the kept file", &error);
        let length = opened.metadata().map_err(wrong)?.len();
        if length != file.stored_bytes {
            return Err(StateError::damaged(
                &path,
                format!(
                    "the kept file has {length} bytes, and {} were kept",
                    file.stored_bytes
                ),
            ));
        }
        let decoder =
            zstd::Decoder::with_buffer(BufReader::with_capacity(CHUNK, opened)).map_err(wrong)?;
        Ok(VersionReader {
            decoder,
            digest: Sha256::new(),
            bytes: 0,
            expected: file.clone(),
            checked: false,
            _reading: reading,
        })
    }

    /// Keeps a version from being cleaned away while it is read file by file.
    ///
    /// # Errors
    /// A version whose folder is gone.
    pub fn hold(&self, feed: &str, number: u64) -> Result<Reading, StateError> {
        self.hold_folder(&self.places.versions.join(feed).join(number.to_string()))
    }

    fn hold_folder(&self, folder: &Path) -> Result<Reading, StateError> {
        let path = folder.join(READING);
        let held = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StateError::damaged(
                folder,
                "the folder of a kept version is gone, or `.reading` in it",
            ),
            _ => StateError::disk(&path, "hold the version", &error),
        })?;
        held.lock_shared()
            .map_err(|error| StateError::disk(&path, "hold the version", &error))?;
        if path.symlink_metadata().is_err() {
            return Err(StateError::unknown(
                format!(
                    "{}: this version was cleaned away just now",
                    folder.display()
                ),
                "`shelfcast history` lists those that are kept",
            ));
        }
        Ok(Reading { held })
    }

    /// Writes a version's documents into a folder, under their names; each is there whole or not at all.
    ///
    /// # Errors
    /// A version that is damaged, or a disk that refuses.
    pub fn extract(&self, version: &Version, folder: &Path) -> Result<(), StateError> {
        let _reading = self.hold(&version.feed, version.version)?;
        version
            .files
            .iter()
            .try_for_each(|file| self.extract_file(file, &folder.join(&file.name)))
    }

    /// Writes one kept file to a place; it is there whole or not at all.
    ///
    /// # Errors
    /// A file that is damaged, or a disk that refuses.
    pub fn extract_file(&self, file: &VersionFile, to: &Path) -> Result<(), StateError> {
        let mut reader = self.open_file(file)?;
        let written = |error: io::Error| StateError::disk(to, "write the file", &error);
        let mut target = crate::write::atomic::AtomicFile::create(to).map_err(written)?;
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = match reader.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let path = self.places.root.join(&file.stored);
                    return Err(StateError::damaged(&path, error.to_string()));
                }
            };
            target
                .write_all(chunk.get(..read).unwrap_or_default())
                .map_err(written)?;
        }
        target.commit().map_err(written)
    }
}
