//! Files as they will stand at a place: compressed by the ending of their name, measured, with their digest. The same
//! file in gives the same bytes out.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::TempPath;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    None,
    /// gzip, without a time in it.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Packing {
    /// What a name's ending says.
    pub fn of(name: &str) -> Self {
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        if ending.eq_ignore_ascii_case("gz") {
            Packing::Gzip
        } else if ending.eq_ignore_ascii_case("zst") {
            Packing::Zstd
        } else {
            Packing::None
        }
    }

    /// Its media type; the file's own where it is not packed.
    pub fn content_type(self, own: &'static str) -> &'static str {
        match self {
            Packing::None => own,
            Packing::Gzip => "application/gzip",
            Packing::Zstd => "application/zstd",
        }
    }
}

/// A file as it will stand. A packed copy is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Packed {
    path: PathBuf,
    /// Its size.
    pub(super) bytes: u64,
    /// Its SHA-256, in small hexadecimal digits.
    pub(super) sha256: String,
    _copy: Option<TempPath>,
}

impl Packed {
    /// Where its bytes lie.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Packs a file as the name it will have says; the copy lies beside it.
///
/// # Errors
/// As the disk says.
pub(super) fn pack(path: &Path, name: &str) -> io::Result<Packed> {
    let packing = Packing::of(name);
    let file = File::open(path)?;
    if packing == Packing::None {
        let (bytes, sha256) = digest(file)?;
        return Ok(Packed {
            path: path.to_owned(),
            bytes,
            sha256,
            _copy: None,
        });
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut copy = tempfile::Builder::new()
        .prefix(".pack-")
        .tempfile_in(folder)?;
    let sink = Measured {
        inner: copy.as_file_mut(),
        bytes: 0,
        digest: Sha256::new(),
    };
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let (bytes, sha256) = if packing == Packing::Gzip {
        let mut packer = flate2::GzBuilder::new()
            .mtime(0)
            .write(sink, flate2::Compression::default());
        io::copy(&mut reader, &mut packer)?;
        packer.finish()?.end()
    } else {
        let mut packer = zstd::Encoder::new(sink, 3)?;
        packer.include_checksum(true)?;
        io::copy(&mut reader, &mut packer)?;
        packer.finish()?.end()
    };
    let copy = copy.into_temp_path();
    Ok(Packed {
        path: copy.to_path_buf(),
        bytes,
        sha256,
        _copy: Some(copy),
    })
}

struct Measured<'a> {
    inner: &'a mut File,
    bytes: u64,
    digest: Sha256,
}

impl Measured<'_> {
    fn end(self) -> (u64, String) {
        (self.bytes, hex(&self.digest.finalize()))
    }
}

impl Write for Measured<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write_all(bytes)?;
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Reads to the end: how many bytes, and their SHA-256 in small hexadecimal digits.
pub(super) fn digest(mut reader: impl Read) -> io::Result<(u64, String)> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0;
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => return Ok((bytes, hex(&digest.finalize()))),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        digest.update(buffer.get(..read).unwrap_or_default());
        bytes += read as u64;
    }
}

/// Bytes as small hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write what they like")]
mod tests {
    use super::*;

    fn packed(bytes: &[u8], name: &str) -> (tempfile::TempDir, Packed) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("feed");
        std::fs::write(&path, bytes).expect("written");
        let packed = pack(&path, name).expect("packed");
        (folder, packed)
    }

    #[test]
    fn the_ending_packs_and_the_same_in_is_the_same_out() {
        let text = "<item>ż</item>\n".repeat(5000);
        for name in ["a.xml.gz", "a.XML.GZ", "a.xml.zst", "a.xml"] {
            let (_one, first) = packed(text.as_bytes(), name);
            let (_two, second) = packed(text.as_bytes(), name);
            assert_eq!(first.sha256, second.sha256, "{name}");
            let stands = std::fs::read(first.path()).expect("there");
            assert_eq!(stands.len() as u64, first.bytes);
            assert_eq!(digest(stands.as_slice()).expect("read").1, first.sha256);
            let mut back = String::new();
            match Packing::of(name) {
                Packing::None => back = String::from_utf8(stands).expect("text"),
                Packing::Gzip => {
                    // the time in the header is none
                    assert_eq!(stands[4..8], [0, 0, 0, 0]);
                    flate2::read::GzDecoder::new(stands.as_slice())
                        .read_to_string(&mut back)
                        .map(|_| ())
                        .expect("gzip");
                }
                Packing::Zstd => zstd::Decoder::new(stands.as_slice())
                    .expect("zstd")
                    .read_to_string(&mut back)
                    .map(|_| ())
                    .expect("zstd"),
            }
            assert_eq!(back, text, "{name}");
        }
    }

    #[test]
    fn a_packed_copy_goes_when_it_is_done_with() {
        let (folder, copy) = packed(b"a", "a.gz");
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("a folder").count(),
            2
        );
        drop(copy);
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("a folder").count(),
            1
        );
    }
}
