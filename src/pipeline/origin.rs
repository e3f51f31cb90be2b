//! What a build was made from, as digests: the files of its sources, and its configuration. A plan is bound to both.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

use crate::catalog::open::FileNames;
use crate::channel;
use crate::config::project::Feed;
use crate::config::{ConfigError, Project};

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

/// Whether a source's file is still what it was; `None` where that cannot be told: a database, standard input.
pub(super) fn is_same(name: &str, digest_then: &str, project: &Project) -> Option<bool> {
    if digest_then.is_empty() {
        return None;
    }
    let own = project.folder.join(name);
    let path = [Path::new(name), own.as_path()]
        .into_iter()
        .find(|path| path.is_file());
    Some(
        path.and_then(digest)
            .is_some_and(|(_, now)| now == digest_then),
    )
}

/// Digest of what decides how feeds are made beside their sources: the project file, the channels' manifests and
/// templates, the mapping tables that they name, and this program's version.
///
/// # Errors
/// A channel that cannot be loaded.
pub(super) fn configuration(project: &Project, feeds: &[&Feed]) -> Result<String, ConfigError> {
    let mut hash = Xxh3::new();
    let mut add = |what: &str, bytes: &[u8]| {
        hash.update(what.as_bytes());
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    let file = |path: &Path| std::fs::read(path).unwrap_or_default();
    add("program", env!("CARGO_PKG_VERSION").as_bytes());
    add("project", &file(&project.folder.join("shelfcast.toml")));
    if let Some(list) = &project.exclude {
        add(list, &file(&project.folder.join(list)));
    }
    for feed in feeds {
        let channel = channel::load(Some(&project.folder), &feed.channel)?;
        let mut texts = vec![channel.manifest_text.clone()];
        texts.extend(channel.template.iter().map(|(_, text)| text.clone()));
        texts.extend(channel.index.iter().map(|(_, text)| text.clone()));
        let mut partials: Vec<_> = channel.partials.iter().collect();
        partials.sort();
        texts.extend(partials.into_iter().map(|(_, text)| text.clone()));
        texts.extend(feed.fields.values().cloned());
        texts.extend(feed.settings.values().map(ToString::to_string));
        for text in &texts {
            add(&feed.name, text.as_bytes());
            for table in tables(text) {
                add(table, &file(&project.folder.join(table)));
            }
        }
    }
    Ok(format!("{:032x}", hash.digest128()))
}

/// The mapping tables that a text names in quotes; a path with spaces is no table's.
fn tables(text: &str) -> impl Iterator<Item = &str> {
    text.split(['"', '\''])
        .filter(|word| word.ends_with(".csv") && !word.contains(['\n', '{', '#', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_found_in_quotes() {
        let text = r#"value = '{{map "mappings/google.csv" category}}' # see a.csv"#;
        assert_eq!(tables(text).collect::<Vec<_>>(), ["mappings/google.csv"]);
    }
}
