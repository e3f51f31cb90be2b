//! A channel's golden cases: rendered by the real pipeline at a fixed moment, held against the files that were reviewed.
//!
//! A case is a folder `tests/golden/<channel>/<case>/`: `catalog.csv`, what it refers to, an optional `shelfcast.toml` laid
//! over the default case project, `expected.<ext>` (parts `expected-001.<ext>`) and `findings.jsonl`. The project's own
//! cases win over the built-in ones, channel by channel. Nothing is changed unless [`Case::update`] is called.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::config::toml_file::ConfigError;
use crate::config::{Project, toml_file};
use crate::pipeline::build::{self, Options};
use crate::pipeline::{Failure, Observer};
use crate::validate::finding::Finding;
use crate::write::atomic;

use super::manifest::Manifest;

static CASES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/tests/golden");

/// The moment of every case.
pub const NOW: &str = "2026-11-22T10:00:00Z";
/// Where a project keeps its cases.
pub const FOLDER: &str = "tests/golden";
const FINDINGS: &str = "findings.jsonl";
const FEED: &str = "case";

const DEFAULT: &str = r#"
[shop]
name = "Case Shop"
url = "https://shop.example"
currency = "EUR"
language = "en"
country = "DE"
timezone = "Europe/Berlin"
units = { weight = "g", length = "cm" }

[[source]]
name = "products"
path = "catalog.csv"
"#;

/// One case: its files by name.
#[derive(Clone, Debug)]
pub struct Case {
    /// The channel.
    pub channel: String,
    /// The case's name.
    pub name: String,
    /// Its files: path inside the case, bytes.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Its folder, when it is the project's own; `None` for a built-in one.
    pub folder: Option<PathBuf>,
}

/// What a case came to: its files by name, `findings.jsonl` among them.
pub type Rendered = BTreeMap<String, Vec<u8>>;

/// A file of a case that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The file's name inside the case.
    pub file: String,
    /// What is wrong with it: lower case, no full stop.
    pub message: String,
    /// The unified diff from expected to made; empty where there is nothing to compare.
    pub diff: String,
}

/// The cases of a channel: the project's own where it has any, else the built-in ones, by name.
///
/// # Errors
/// A case that cannot be read.
pub fn cases(project: &Path, channel: &str) -> Result<Vec<Case>, Failure> {
    let folder = project.join(FOLDER).join(channel);
    if folder.is_dir() {
        let mut cases = Vec::new();
        for name in folders(&folder)? {
            let folder = folder.join(&name);
            let mut files = BTreeMap::new();
            read_into(&folder, &folder, &mut files)?;
            cases.push(Case {
                channel: channel.to_owned(),
                name,
                files,
                folder: Some(folder),
            });
        }
        if !cases.is_empty() {
            return Ok(cases);
        }
    }
    Ok(built_in(channel))
}

/// The channels that the project has cases of, by name.
///
/// # Errors
/// A folder that cannot be read.
pub fn channels(project: &Path) -> Result<Vec<String>, Failure> {
    let folder = project.join(FOLDER);
    if folder.is_dir() {
        folders(&folder)
    } else {
        Ok(Vec::new())
    }
}

/// The built-in cases of a channel, by name.
pub fn built_in(channel: &str) -> Vec<Case> {
    let Some(folder) = CASES.get_dir(channel) else {
        return Vec::new();
    };
    let mut cases: Vec<Case> = folder
        .dirs()
        .filter_map(|dir| {
            let name = dir.path().file_name()?.to_str()?.to_owned();
            let mut files = BTreeMap::new();
            collect(dir, dir.path(), &mut files);
            Some(Case {
                channel: channel.to_owned(),
                name,
                files,
                folder: None,
            })
        })
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

fn collect(dir: &Dir<'_>, base: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for file in dir.files() {
        if let Some(name) = file.path().strip_prefix(base).ok().and_then(Path::to_str) {
            files.insert(name.to_owned(), file.contents().to_vec());
        }
    }
    for dir in dir.dirs() {
        collect(dir, base, files);
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Disk(format!("cannot read {}: {error}", path.display()))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Disk(format!("cannot write {}: {error}", path.display()))
}

/// The names of the folders in a folder, sorted.
fn folders(folder: &Path) -> Result<Vec<String>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    Ok(names)
}

fn read_into(
    base: &Path,
    folder: &Path,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder)
        .map_err(|error| unreadable(folder, &error))?
        .flatten()
    {
        let path = entry.path();
        if path.is_dir() {
            read_into(base, &path, files)?;
        } else if let Some(name) = path.strip_prefix(base).ok().and_then(Path::to_str)
            && !entry.file_name().as_encoded_bytes().starts_with(b".")
        {
            files.insert(
                name.replace('\\', "/"),
                std::fs::read(&path).map_err(|error| unreadable(&path, &error))?,
            );
        }
    }
    Ok(())
}

pub(super) fn is_expected(name: &str) -> bool {
    name.starts_with("expected") || name == FINDINGS
}

impl Case {
    /// How messages name it: `google-products/sale`.
    pub fn title(&self) -> String {
        format!("{}/{}", self.channel, self.name)
    }

    /// Renders the case in a folder of its own, with the project's channels, templates and mapping tables. `line` is how
    /// a finding is recorded.
    ///
    /// # Errors
    /// What makes it impossible; paths in messages are the case's.
    pub fn render(
        &self,
        project: &Path,
        line: &dyn Fn(&Finding) -> serde_json::Value,
    ) -> Result<Rendered, Failure> {
        let scratch = tempfile::tempdir()
            .map_err(|error| Failure::Disk(format!("cannot make a folder for a case: {error}")))?;
        let folder = scratch.path();
        let result = self
            .lay_out(project, folder)
            .and_then(|project| self.built(&project, line));
        result.map_err(|failure| relative(failure, folder, &format!("{FOLDER}/{}", self.title())))
    }

    /// Lays the case out as a project in a folder, with the project's channels, templates and mapping tables.
    ///
    /// # Errors
    /// A case whose project cannot be used; a folder that cannot be written.
    pub fn lay_out(&self, project: &Path, folder: &Path) -> Result<Project, Failure> {
        for name in ["channels", "templates", "mappings"] {
            if project.join(name).is_dir() {
                copy(&project.join(name), &folder.join(name))?;
            }
        }
        for (name, bytes) in self.files.iter().filter(|(name, _)| !is_expected(name)) {
            write(&folder.join(name), bytes)?;
        }
        let channel = super::load(Some(folder), &self.channel)?;
        let shown = format!("{FOLDER}/{}/shelfcast.toml", self.title());
        let own = match self.files.get("shelfcast.toml") {
            Some(bytes) => {
                toml_file::parse::<toml::Table>(&shown, &String::from_utf8_lossy(bytes))?
            }
            None => toml::Table::new(),
        };
        let text = toml::to_string(&project_of(&channel.manifest, own, &shown)?)
            .map_err(|error| ConfigError::new(shown.as_str(), error.to_string(), ""))?;
        write(&folder.join("shelfcast.toml"), text.as_bytes())?;
        Ok(Project::load(folder)?)
    }

    fn built(
        &self,
        project: &Project,
        line: &dyn Fn(&Finding) -> serde_json::Value,
    ) -> Result<Rendered, Failure> {
        let out = project.folder.join("out");
        let now = NOW.parse().expect("the moment of cases is a time");
        let options = Options {
            feeds: Vec::new(),
            now,
            threads: 1,
            folder: Some(out.clone()),
            digests: false,
            fill: false,
            log: false,
        };
        let mut found = Found::default();
        let report = build::build(project, &options, &mut found)?;
        let mut rendered = Rendered::new();
        let mut files = BTreeMap::new();
        if out.is_dir() {
            read_into(&out, &out, &mut files)?;
        }
        for (name, bytes) in files {
            let name = match name.strip_prefix(FEED) {
                Some(rest) if rest.starts_with(['.', '-']) => format!("expected{rest}"),
                _ => format!("expected/{name}"),
            };
            rendered.insert(name, bytes);
        }
        found.findings.sort_by(|one, other| {
            let key = |finding: &Finding| {
                (
                    finding.source.clone(),
                    finding.line,
                    finding.column.clone(),
                    finding.rule,
                    finding.message.clone(),
                )
            };
            key(one).cmp(&key(other))
        });
        let mut lines: String = found
            .findings
            .iter()
            .map(|finding| format!("{}\n", line(finding)))
            .collect();
        for held in report.feeds.iter().filter_map(|feed| feed.held.as_ref()) {
            lines.push_str(&format!(
                "{}\n",
                serde_json::json!({ "type": "held", "reason": held })
            ));
        }
        rendered.insert(FINDINGS.to_owned(), lines.into_bytes());
        Ok(rendered)
    }

    /// What differs from the expected files; empty when the case passes.
    pub fn compare(&self, rendered: &Rendered) -> Vec<Mismatch> {
        let mut wrong = Vec::new();
        let recorded = self.files.keys().any(|name| is_expected(name));
        if !recorded {
            let message = "nothing is expected of this case yet".to_owned();
            return vec![Mismatch {
                file: FINDINGS.to_owned(),
                message,
                diff: String::new(),
            }];
        }
        for (name, made) in rendered {
            match self.files.get(name) {
                Some(expected) if expected == made => {}
                Some(expected) => wrong.push(Mismatch {
                    file: name.clone(),
                    message: "differs".to_owned(),
                    diff: diff(name, expected, made),
                }),
                // Nothing found needs no file to say so.
                None if name == FINDINGS && made.is_empty() => {}
                None => wrong.push(Mismatch {
                    file: name.clone(),
                    message: "was made and is not expected".to_owned(),
                    diff: diff(name, b"", made),
                }),
            }
        }
        for name in self
            .files
            .keys()
            .filter(|name| is_expected(name) && !rendered.contains_key(*name))
        {
            wrong.push(Mismatch {
                file: name.clone(),
                message: "is expected, and nothing made it".to_owned(),
                diff: String::new(),
            });
        }
        wrong
    }

    /// Rewrites the expected files; how many changed.
    ///
    /// # Errors
    /// A built-in case, and a folder that cannot be written.
    pub fn update(&self, rendered: &Rendered) -> Result<usize, Failure> {
        let Some(folder) = &self.folder else {
            let hint = format!(
                "`shelfcast channel eject {}` copies it with its cases into the project",
                self.channel
            );
            return Err(Failure::configuration(
                &format!("{FOLDER}/{}", self.title()),
                "a built-in case cannot be rewritten",
                hint,
            ));
        };
        let mut changed = 0;
        for (name, bytes) in rendered {
            if self.files.get(name) != Some(bytes) {
                write(&folder.join(name), bytes)?;
                changed += 1;
            }
        }
        for name in self
            .files
            .keys()
            .filter(|name| is_expected(name) && !rendered.contains_key(*name))
        {
            let path = folder.join(name);
            std::fs::remove_file(&path).map_err(|error| unwritable(&path, &error))?;
            changed += 1;
        }
        Ok(changed)
    }
}

#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
}

impl Observer for Found {
    fn finding(&mut self, finding: &Finding) {
        self.findings.push(finding.clone());
    }

    fn remark(&mut self, _: &str) {}

    fn progress(&mut self, _: u64) {}
}

/// The case's project: the default one, the manifest's examples as settings, the case's own keys over them.
fn project_of(
    manifest: &Manifest,
    mut own: toml::Table,
    shown: &str,
) -> Result<toml::Table, ConfigError> {
    let mut project: toml::Table =
        toml::from_str(DEFAULT).expect("the default case project is TOML");
    let mut feed = toml::Table::new();
    feed.insert("name".to_owned(), FEED.into());
    feed.insert("channel".to_owned(), manifest.name.as_str().into());
    feed.insert("max_withheld".to_owned(), "100%".into());
    let examples: toml::Table = manifest
        .settings
        .iter()
        .filter_map(|(name, setting)| Some((name.clone(), setting.example.clone()?)))
        .collect();
    feed.insert("settings".to_owned(), examples.into());
    match own.remove("feed") {
        None => {}
        Some(toml::Value::Array(feeds)) if feeds.len() <= 1 => {
            if let Some(toml::Value::Table(over)) = feeds.into_iter().next() {
                overlay(&mut feed, over);
            }
        }
        Some(_) => {
            return Err(ConfigError::new(
                shown,
                "a case has one feed",
                "write one [[feed]] with the keys that differ; `name` and `channel` are not needed",
            ));
        }
    }
    if let Some(toml::Value::Array(sources)) = own.remove("source") {
        let all = project
            .get_mut("source")
            .and_then(toml::Value::as_array_mut)
            .expect("the default case project has sources");
        for source in sources {
            match (all.first_mut(), source) {
                (Some(toml::Value::Table(master)), toml::Value::Table(source))
                    if source.get("name") == master.get("name") =>
                {
                    overlay(master, source)
                }
                (_, source) => all.push(source),
            }
        }
    }
    overlay(&mut project, own);
    project.insert("feed".to_owned(), toml::Value::Array(vec![feed.into()]));
    Ok(project)
}

/// Lays tables over tables, key by key; all other values replace.
fn overlay(under: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => overlay(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

/// The failure with the scratch folder's name taken out of its paths.
fn relative(failure: Failure, folder: &Path, shown: &str) -> Failure {
    let folder = folder.display().to_string();
    match failure {
        Failure::Configuration(errors) => Failure::Configuration(
            errors
                .into_iter()
                .map(|error| ConfigError {
                    path: error.path.replace(&folder, shown),
                    message: error.message.replace(&folder, shown),
                    ..error
                })
                .collect(),
        ),
        other => other,
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    atomic::write(path, bytes).map_err(|error| unwritable(path, &error))
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let mut files = BTreeMap::new();
    read_into(from, from, &mut files)?;
    files
        .iter()
        .try_for_each(|(name, bytes)| write(&to.join(name), bytes))
}

/// A unified diff; for what is no text, the sizes.
fn diff(name: &str, expected: &[u8], made: &[u8]) -> String {
    match (std::str::from_utf8(expected), std::str::from_utf8(made)) {
        (Ok(expected), Ok(made)) => similar::TextDiff::from_lines(expected, made)
            .unified_diff()
            .context_radius(2)
            .header(&format!("{name} (expected)"), &format!("{name} (made)"))
            .to_string(),
        _ => format!(
            "{name}: {} bytes expected, {} made\n",
            expected.len(),
            made.len()
        ),
    }
}

#[cfg(test)]
mod tests;
