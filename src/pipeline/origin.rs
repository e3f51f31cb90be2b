//! What a build was made from, as digests: the files of its sources, and its configuration. A plan is bound to both.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use crate::channel;
use crate::config::project::Feed;
use crate::config::{ConfigError, Project};
use crate::state::SourceDigest;

/// The digests of the files that sources were read from: hex of the xxh3 (128 bits) of their bytes, empty where it is no
/// file: a database, standard input.
pub(super) fn sources(names: &[String], project: &Project) -> Vec<SourceDigest> {
    names
        .iter()
        .map(|name| SourceDigest {
            name: name.clone(),
            digest: file_of(name, project)
                .and_then(|path| digest(&path))
                .unwrap_or_default(),
        })
        .collect()
}

/// Where a source's file lies: messages name it from where the program runs, or from the project.
fn file_of(name: &str, project: &Project) -> Option<PathBuf> {
    let own = project.folder.join(name);
    [PathBuf::from(name), own]
        .into_iter()
        .find(|path| path.is_file())
}

fn digest(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let mut hash = Xxh3::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match file.read(&mut buffer).ok()? {
            0 => return Some(format!("{:032x}", hash.digest128())),
            read => hash.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

/// Whether a source's file is still what it was; `None` where that cannot be told: a database, standard input.
pub(super) fn is_same(name: &str, digest_then: &str, project: &Project) -> Option<bool> {
    if digest_then.is_empty() {
        return None;
    }
    let now = file_of(name, project).and_then(|path| digest(&path));
    Some(now.as_deref() == Some(digest_then))
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
