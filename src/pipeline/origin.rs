//! What a build was made from, as digests: the files of its sources, and its configuration. A plan is bound to both.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

use crate::catalog::open::FileNames;
use crate::config::Project;

use super::program::Program;

/// A file of a source as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name as messages name it.
    pub name: String,
    /// Its size in bytes; 0 where it is no file.
    pub bytes: u64,
    /// Hex of the xxh3 (128 bits) of its bytes; empty where it is no file: a database, standard input.
    pub digest: String,
}

/// The files that a program's sources were read from.
pub(super) fn sources(files: &FileNames, project: &Project) -> Vec<SourceFile> {
    files
        .names()
        .map(|name| {
            let own = project.folder.join(name);
            let path = [Path::new(name), own.as_path()]
                .into_iter()
                .find(|path| path.is_file());
            let (bytes, digest) = path.and_then(digest).unwrap_or_default();
            SourceFile {
                name: name.to_owned(),
                bytes,
                digest,
            }
        })
        .collect()
}

fn digest(path: &Path) -> Option<(u64, String)> {
    let mut file = File::open(path).ok()?;
    let mut hash = Xxh3::new();
    let mut buffer = vec![0; 128 * 1024];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer).ok()? {
            0 => return Some((bytes, format!("{:032x}", hash.digest128()))),
            read => {
                hash.update(buffer.get(..read).unwrap_or_default());
                bytes += read as u64;
            }
        }
    }
}

/// Digest of what decides how a feed is made beside its sources: the project file, the channel's manifest and templates,
/// the mapping tables, and this program's version.
pub(super) fn configuration(program: &Program, feed: usize, project: &Project) -> String {
    let mut hash = Xxh3::new();
    let mut add = |what: &str, bytes: &[u8]| {
        hash.update(what.as_bytes());
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add("program", env!("CARGO_PKG_VERSION").as_bytes());
    let file = |path: &Path| std::fs::read(path).unwrap_or_default();
    add("project", &file(&project.folder.join("shelfcast.toml")));
    let channel = &program.channels[feed];
    add("manifest", channel.manifest_text.as_bytes());
    for (_, text) in channel.template.iter().chain(&channel.index) {
        add("template", text.as_bytes());
    }
    let mut partials: Vec<_> = channel.partials.iter().collect();
    partials.sort();
    for (name, text) in partials {
        add(name, text.as_bytes());
    }
    for name in program.mappings.keys() {
        add(name, &file(&project.folder.join(name)));
    }
    format!("{:032x}", hash.digest128())
}
