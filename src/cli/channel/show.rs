//! `channel show`: what a channel needs, takes and does not know.

use clap::Args;
use serde_json::json as object;

use crate::channel::manifest::{Absence, Attribute, Overflow, Setting, Weight};
use crate::channel::{self, Channel, scaffold};
use crate::cli::{Global, exit};
use crate::config::project::Prices;
use crate::pipeline::Failure;
use crate::report::json;
use crate::term::Shell;

use super::list::{countries, records};
use super::{readiness, table, unwritten};

/// `channel show`.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The channel
    channel: String,
    /// Only what the channel needs: the catalog at hand is not read
    #[arg(long)]
    no_catalog: bool,
}

impl Show {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// An unknown channel, or a manifest that is wrong.
    pub(super) fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let channel = channel::load(Some(&global.project), &self.channel)?;
        let ready = if !self.no_catalog && global.project.join("shelfcast.toml").is_file() {
            Some(readiness::tried(&self.channel, global, shell)?)
        } else {
            None
        };
        let text = if shell.json {
            let ready = ready.as_ref().map_or_else(String::new, readiness::line);
            format!("{}\n{ready}{}\n", line(&channel), json::done(exit::DONE))
        } else {
            let ready = ready.map_or_else(String::new, |ready| {
                readiness::page(&ready, &channel, shell)
            });
            page(&channel, shell) + &ready
        };
        shell
            .data(|out| out.write_all(text.as_bytes()))
            .map_err(unwritten)?;
        Ok(exit::DONE)
    }
}

fn page(channel: &Channel, shell: &Shell) -> String {
    let manifest = &channel.manifest;
    let mut text = format!("{}: {}\n\n", shell.bold(&manifest.name), manifest.title);
    let mut facts = vec![
        ("group", manifest.group.as_str().to_owned()),
        ("countries", countries(channel)),
        ("records", records(manifest.records).to_owned()),
        ("format", scaffold::word(manifest.format).to_owned()),
    ];
    facts.extend(
        channel
            .template
            .as_ref()
            .map(|(path, _)| ("template", path.clone())),
    );
    facts.extend(
        manifest
            .filter
            .as_ref()
            .map(|filter| ("takes", format!("only where {filter}"))),
    );
    facts.push(("prices", prices(manifest.prices).to_owned()));
    facts.push(("absence", absence(&manifest.absence)));
    let limits = [
        manifest.limits.bytes.clone(),
        manifest.limits.items.map(|items| format!("{items} items")),
    ];
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    if !limits.is_empty() {
        let parts = if manifest.parts.allowed {
            " a part"
        } else {
            ""
        };
        facts.push(("limits", format!("{}{parts}", limits.join(", "))));
    }
    facts.push(("specification", manifest.spec.url.clone()));
    facts.push((
        "read",
        format!("{} ({})", manifest.spec.read, manifest.spec.certainty),
    ));
    facts.push((
        "manifest",
        format!(
            "{} ({})",
            channel.manifest_path,
            if channel.from_project {
                "the project's"
            } else {
                "built in"
            }
        ),
    ));
    let rows: Vec<Vec<String>> = facts
        .into_iter()
        .map(|(name, value)| vec![format!("  {name}"), value])
        .collect();
    text.push_str(&table(&rows));
    if !manifest.settings.is_empty() {
        text.push_str(&format!("\n{}\n", shell.bold("Settings")));
        let mut rows = vec![
            ["  name", "needed", "kind", "default", "example", "about"]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(manifest.settings.iter().map(|(name, setting)| {
            let value = |value: &Option<toml::Value>| {
                value.as_ref().map_or_else(String::new, ToString::to_string)
            };
            vec![
                format!("  {name}"),
                needed(setting).to_owned(),
                setting.one_of.as_ref().map_or_else(
                    || setting.kind.clone().unwrap_or_else(|| "text".to_owned()),
                    |words| format!("one of {}", words.join(" ")),
                ),
                value(&setting.default),
                value(&setting.example),
                setting.about.clone().unwrap_or_default(),
            ]
        }));
        text.push_str(&table(&rows));
    }
    text.push_str(&format!("\n{}\n", shell.bold("Attributes")));
    let mut rows = vec![
        ["  name", "needed", "kind", "limits", "made of", "about"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(manifest.attributes.iter().map(|(name, attribute)| {
        vec![
            format!("  {name}"),
            presence(attribute),
            if attribute.list.is_some() {
                format!("list of {}", attribute.kind.as_str())
            } else {
                attribute.kind.as_str().to_owned()
            },
            restrictions(attribute),
            made_of(attribute),
            attribute.about.clone().unwrap_or_default(),
        ]
    }));
    text.push_str(&table(&rows));
    if !manifest.not_covered.is_empty() {
        text.push_str(&format!("\n{}\n", shell.bold("Not covered")));
        for thing in &manifest.not_covered {
            text.push_str(&format!("  {thing}\n"));
        }
    }
    text
}

fn needed(setting: &Setting) -> &'static str {
    if setting.required { "yes" } else { "" }
}

fn prices(prices: Option<Prices>) -> &'static str {
    match prices {
        Some(Prices::Gross) => "with tax",
        Some(Prices::Net) => "without tax",
        None => "as they come",
    }
}

fn absence(absence: &Absence) -> String {
    match absence {
        Absence::Delete => "what is left out is deleted".to_owned(),
        Absence::Nothing => "what is left out stays".to_owned(),
        Absence::Tombstone => "what goes must be named".to_owned(),
        Absence::Zero => "what goes must be sent with no stock".to_owned(),
        Absence::Expire(days) => format!("what is left out goes after {days} days"),
    }
}

pub(super) fn presence(attribute: &Attribute) -> String {
    match (attribute.required, &attribute.required_if) {
        (true, _) => "yes".to_owned(),
        (false, Some(condition)) => format!("if {condition}"),
        (false, None) => String::new(),
    }
}

/// The measures of a `max_length` that are set.
fn lengths(attribute: &Attribute) -> Vec<(&'static str, usize)> {
    let limits = attribute.max_length.unwrap_or_default();
    [
        ("characters", limits.characters),
        ("graphemes", limits.graphemes),
        ("utf16", limits.utf16),
        ("bytes", limits.bytes),
    ]
    .into_iter()
    .filter_map(|(measure, limit)| Some((measure, limit?)))
    .collect()
}

fn restrictions(attribute: &Attribute) -> String {
    let mut all: Vec<String> = lengths(attribute)
        .into_iter()
        .map(|(measure, limit)| format!("{limit} {measure}"))
        .collect();
    match attribute.overflow {
        Some(Overflow::Cut) => all.push("cut".to_owned()),
        Some(Overflow::Withhold) if attribute.max_length.is_some() => {
            all.push("never cut".to_owned())
        }
        _ => {}
    }
    all.extend(attribute.max_items.map(|most| format!("{most} items")));
    if attribute.unique {
        all.push("unique".to_owned());
    }
    if let Some(words) = &attribute.one_of {
        let listed: Vec<&str> = words.iter().take(8).map(String::as_str).collect();
        let more = if words.len() > 8 {
            format!(" … {} in all", words.len())
        } else {
            String::new()
        };
        all.push(format!("one of {}{more}", listed.join(" ")));
    }
    if attribute.severity == Some(Weight::Warning) {
        all.push("warns".to_owned());
    }
    all.join(", ")
}

/// The mapping on one line, its beginning.
fn made_of(attribute: &Attribute) -> String {
    let value = attribute
        .value
        .as_deref()
        .unwrap_or("")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let whole = match &attribute.list {
        Some(list) if value.is_empty() => format!("each of {list}"),
        Some(list) => format!("each of {list}: {value}"),
        None => value,
    };
    let mut short: String = whole.chars().take(60).collect();
    if whole.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

fn line(channel: &Channel) -> serde_json::Value {
    let manifest = &channel.manifest;
    let settings: Vec<_> = manifest
        .settings
        .iter()
        .map(|(name, setting)| {
            object!({ "name": name, "required": setting.required, "kind": setting.kind, "one_of": setting.one_of, "default": setting.default, "example": setting.example, "about": setting.about })
        })
        .collect();
    let attributes: Vec<_> = manifest
        .attributes
        .iter()
        .map(|(name, attribute)| {
            object!({
                "name": name,
                "kind": attribute.kind.as_str(),
                "required": attribute.required,
                "required_if": attribute.required_if,
                "severity": if attribute.severity == Some(Weight::Warning) { "warning" } else { "error" },
                "unique": attribute.unique,
                "one_of": attribute.one_of,
                "map": attribute.map,
                "max_length": lengths(attribute).into_iter().collect::<std::collections::BTreeMap<_, _>>(),
                "max_items": attribute.max_items,
                "list": attribute.list,
                "value": attribute.value,
                "about": attribute.about,
            })
        })
        .collect();
    object!({
        "type": "channel",
        "name": manifest.name,
        "title": manifest.title,
        "group": manifest.group.as_str(),
        "countries": manifest.countries,
        "records": records(manifest.records),
        "format": scaffold::word(manifest.format),
        "spec": { "url": manifest.spec.url, "read": manifest.spec.read, "certainty": manifest.spec.certainty },
        "where": manifest.filter,
        "limits": { "bytes": manifest.limits.bytes, "items": manifest.limits.items },
        "from": if channel.from_project { "project" } else { "built-in" },
        "settings": settings,
        "attributes": attributes,
        "not_covered": manifest.not_covered,
    })
}
