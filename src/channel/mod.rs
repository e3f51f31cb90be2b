//! Channels: manifests and templates, built in or from the project; a file of the project wins, each for itself.

pub mod golden;
pub mod lint;
pub mod manifest;
pub mod scaffold;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use include_dir::{Dir, include_dir};

use crate::config::toml_file::{self, ConfigError};
use crate::program::nearest::near;

use manifest::Manifest;

static CHANNELS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/channels");
static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// A channel: its manifest, its template, the partials there are.
#[derive(Clone, Debug)]
pub struct Channel {
    /// What it takes.
    pub manifest: Manifest,
    /// The manifest's file as messages name it.
    pub manifest_path: String,
    /// The manifest as it is written.
    pub manifest_text: String,
    /// The template: its file as messages name it, and its text.
    pub template: Option<(String, String)>,
    /// The template of the file that names the parts.
    pub index: Option<(String, String)>,
    /// Static partials by name.
    pub partials: HashMap<String, String>,
    /// Whether the manifest is the project's own.
    pub from_project: bool,
}

/// A built-in file's text: `channels/…` or `templates/…`.
pub fn built_in(path: &str) -> Option<&'static str> {
    let file = match path.split_once('/')? {
        ("channels", "skus.toml") => return Some(include_str!("skus.toml")),
        ("channels", rest) => CHANNELS.get_file(rest),
        ("templates", rest) => TEMPLATES.get_file(rest),
        _ => None,
    };
    file.and_then(|file| file.contents_utf8())
}

/// The names of the built-in channels, in order.
pub fn built_in_names() -> Vec<String> {
    let names: BTreeSet<String> = CHANNELS
        .files()
        .filter_map(|file| {
            file.path()
                .to_str()?
                .strip_suffix(".toml")
                .map(str::to_owned)
        })
        .collect();
    names.into_iter().collect()
}

/// The names of all channels a project knows, its own included.
pub fn names(project: Option<&Path>) -> Vec<String> {
    let mut names: BTreeSet<String> = built_in_names().into_iter().collect();
    if let Some(entries) =
        project.and_then(|project| std::fs::read_dir(project.join("channels")).ok())
    {
        for entry in entries.flatten() {
            names.extend(
                entry
                    .file_name()
                    .to_str()
                    .and_then(|name| name.strip_suffix(".toml"))
                    .map(str::to_owned),
            );
        }
    }
    names.into_iter().collect()
}

/// The text of a channel file: the project's, else the built-in one; with how messages name it.
fn text(project: Option<&Path>, path: &str) -> Result<Option<(String, String, bool)>, ConfigError> {
    if let Some(project) = project {
        let file = project.join(path);
        if file.is_file() {
            let text = std::fs::read_to_string(&file)
                .map_err(|error| ConfigError::new(path, format!("cannot be read: {error}"), ""))?;
            return Ok(Some((path.to_owned(), text, true)));
        }
    }
    Ok(built_in(path).map(|text| (path.to_owned(), text.to_owned(), false)))
}

/// Loads a channel by its name.
///
/// # Errors
/// An unknown name with its near miss, a manifest or template that is wrong or missing.
pub fn load(project: Option<&Path>, name: &str) -> Result<Channel, ConfigError> {
    let plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let path = format!("channels/{name}.toml");
    let found = if plain { text(project, &path)? } else { None };
    let Some((manifest_path, manifest_text, from_project)) = found else {
        let known = names(project);
        let hint = near(name, known.iter().map(String::as_str))
            .unwrap_or_else(|| "`shelfcast channel list` names them".to_owned());
        return Err(ConfigError::new(
            path,
            format!("there is no channel `{name}`"),
            hint,
        ));
    };
    let manifest: Manifest = toml_file::parse(&manifest_path, &manifest_text)?;
    if manifest.name != name {
        return Err(ConfigError::new(
            manifest_path,
            format!("the manifest calls itself `{}`", manifest.name),
            format!("a manifest's name is its file's: write `name = \"{name}\"`"),
        ));
    }
    let template = |file: &Option<String>| -> Result<Option<(String, String)>, ConfigError> {
        let Some(file) = file else { return Ok(None) };
        let inside = !file.contains("..") && !file.starts_with('/') && !file.contains('\\');
        let path = format!("templates/{file}");
        match if inside { text(project, &path)? } else { None } {
            Some((path, text, _)) => Ok(Some((path, text))),
            None => Err(ConfigError::new(
                manifest_path.as_str(),
                format!("there is no template `{file}`"),
                "templates lie in the folder templates/ beside channels/",
            )),
        }
    };
    Ok(Channel {
        template: template(&manifest.template)?,
        index: template(&manifest.parts.index)?,
        partials: partials(project),
        manifest,
        manifest_path,
        manifest_text,
        from_project,
    })
}

fn partials(project: Option<&Path>) -> HashMap<String, String> {
    let mut partials = HashMap::new();
    let stem = |path: &Path| {
        path.file_stem()
            .and_then(|stem| stem.to_str())
            .map(str::to_owned)
    };
    if let Some(folder) = TEMPLATES.get_dir("partials") {
        for file in folder.files() {
            if let (Some(name), Some(text)) = (stem(file.path()), file.contents_utf8()) {
                partials.insert(name, text.to_owned());
            }
        }
    }
    if let Some(entries) =
        project.and_then(|project| std::fs::read_dir(project.join("templates/partials")).ok())
    {
        for entry in entries.flatten() {
            if let (Some(name), Ok(text)) =
                (stem(&entry.path()), std::fs::read_to_string(entry.path()))
            {
                partials.insert(name, text);
            }
        }
    }
    partials
}
