//! The settings a manifest asks and a feed gives.

use indexmap::IndexMap;

use crate::channel::Channel;
use crate::config::project::{Feed, Overlooks};
use crate::config::toml_file::ConfigError;
use crate::program::nearest::near;

use super::Surroundings;

/// The settings of a feed: given, by default, or not there; unknown and missing ones are errors.
pub(super) fn settings(
    feed: &Feed,
    channel: &Channel,
    around: &Surroundings<'_>,
    errors: &mut Vec<ConfigError>,
) -> IndexMap<String, Option<toml::Value>> {
    let manifest = &channel.manifest;
    for name in feed.settings.keys() {
        if !manifest.settings.contains_key(name) {
            let known = manifest.settings.keys().map(String::as_str);
            let listed = known.clone().collect::<Vec<_>>().join("`, `");
            let hint = near(name, known).unwrap_or_else(|| {
                if listed.is_empty() {
                    format!("`{}` has no settings", manifest.name)
                } else {
                    format!("it knows `{listed}`")
                }
            });
            errors.push(ConfigError::new(
                around.project_path,
                format!(
                    "feed `{}`: channel `{}` knows no setting `{name}`",
                    feed.name, manifest.name
                ),
                hint,
            ));
        }
    }
    let mut all = IndexMap::new();
    for (name, setting) in &manifest.settings {
        let value = feed
            .settings
            .get(name)
            .or(setting.default.as_ref())
            .cloned();
        if value.is_none() && setting.required && feed.overlooks == Overlooks::Nothing {
            let example = setting
                .example
                .as_ref()
                .map_or_else(|| "\"…\"".to_owned(), ToString::to_string);
            let about = setting
                .about
                .as_deref()
                .map_or_else(String::new, |about| format!(" ({about})"));
            errors.push(ConfigError::new(
                around.project_path,
                format!(
                    "feed `{}`: channel `{}` needs the setting `{name}`{about}",
                    feed.name, manifest.name
                ),
                format!("add under this feed: [feed.settings] {name} = {example}"),
            ));
        }
        if let (Some(words), Some(given)) = (&setting.one_of, &value) {
            let shown = given
                .as_str()
                .map_or_else(|| given.to_string(), str::to_owned);
            if !shown.is_empty() && !words.contains(&shown) {
                let hint = near(&shown, words.iter().map(String::as_str))
                    .unwrap_or_else(|| format!("it takes `{}`", words.join("`, `")));
                errors.push(ConfigError::new(
                    around.project_path,
                    format!(
                        "feed `{}`: the setting `{name}` of channel `{}` cannot be `{shown}`",
                        feed.name, manifest.name
                    ),
                    hint,
                ));
            }
        }
        all.insert(name.clone(), value);
    }
    all
}
