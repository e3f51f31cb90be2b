//! The readiness report: what the catalog at hand can give a channel, and what is missing.

use serde_json::json as object;

use crate::channel::Channel;
use crate::cli::Global;
use crate::cli::watching::{Asked, Watching};
use crate::config::Project;
use crate::pipeline::Failure;
use crate::pipeline::build::Options;
use crate::pipeline::readiness::{self, Attribute, Ready};
use crate::report::text::{count, thousands};
use crate::term::Shell;

use super::columns::fill;
use super::show::presence;
use super::table;

/// Tries a channel on the project's catalog.
///
/// # Errors
/// A project or catalog that cannot be read.
pub(super) fn tried(name: &str, global: &Global, shell: &Shell) -> Result<Ready, Failure> {
    let project = Project::load(&global.project)?;
    let options = Options {
        feeds: Vec::new(),
        now: global.now(&project.shop.timezone)?,
        threads: global.threads(),
        folder: None,
        digests: false,
        fill: true,
        log: false,
    };
    // What is found is told by attribute, not record by record.
    let quiet = Shell {
        json: false,
        ..shell.clone()
    };
    let mut watching = Watching::new(&Asked::default(), &quiet)?;
    let ready = readiness::of(&project, name, &options, &mut watching);
    watching.finish(ready.is_ok())?;
    ready
}

/// The report for people.
pub(super) fn page(ready: &Ready, channel: &Channel, shell: &Shell) -> String {
    let candidate = &ready.candidate;
    let mut text = format!("\n{}\n", shell.bold("The catalog at hand"));
    if let Some(like) = &candidate.like {
        text.push_str(&format!(
            "  tried with the settings and mappings of feed `{}`\n",
            shell.clean(like)
        ));
    }
    for (message, hint) in &candidate.obstacles {
        text.push_str(&format!(
            "  cannot be built: {}\n    hint: {}\n",
            shell.clean(message),
            shell.clean(hint)
        ));
    }
    for (setting, about, example) in &candidate.settings {
        let about = if about.is_empty() {
            String::new()
        } else {
            format!(" ({about})")
        };
        text.push_str(&format!(
            "  the setting `{setting}` is missing{about}\n    hint: add under a feed of this channel: [feed.settings] {setting} = {example}\n"
        ));
    }
    if ready.attributes.is_empty() {
        return text;
    }
    let records = count(ready.records, "record");
    text.push_str(&match ready.able {
        Some(able) if able == ready.records => format!("  all {records} can be sent as they are\n"),
        Some(able) => format!(
            "  {} of {records} can be sent as they are\n",
            thousands(able)
        ),
        None => {
            format!("  {records}; how many can be sent shows when the missing settings are given\n")
        }
    });
    if ready.tried < ready.records {
        text.push_str(&format!(
            "  {} cannot be read, or stand a second time, and are not counted below\n",
            thousands(ready.records - ready.tried)
        ));
    }
    text.push('\n');
    let mut rows = vec![
        ["  attribute", "needed", "fill", "missing", "wrong", "note"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let number = |number: u64| {
        if number == 0 {
            String::new()
        } else {
            thousands(number)
        }
    };
    rows.extend(ready.attributes.iter().map(|attribute| {
        let needed = channel
            .manifest
            .attributes
            .get(&attribute.name)
            .map_or_else(String::new, presence);
        vec![
            format!("  {}", attribute.name),
            needed,
            fill(attribute.filled, ready.tried),
            number(attribute.missing),
            number(attribute.wrong),
            note(attribute),
        ]
    }));
    text.push_str(&table(&rows));
    text.push_str("\nfill: records with a value; missing: it is required there; wrong: it would be refused. `shelfcast check` names the records of a feed\n");
    text
}

fn note(attribute: &Attribute) -> String {
    attribute
        .setting
        .as_ref()
        .map_or_else(String::new, |setting| {
            format!("needs the setting `{setting}`")
        })
}

/// The report for programs: a line.
pub(super) fn line(ready: &Ready) -> String {
    let candidate = &ready.candidate;
    let settings: Vec<_> = candidate
        .settings
        .iter()
        .map(|(name, about, example)| object!({ "name": name, "about": about, "example": example }))
        .collect();
    let obstacles: Vec<_> = candidate
        .obstacles
        .iter()
        .map(|(message, hint)| object!({ "message": message, "hint": hint }))
        .collect();
    let attributes: Vec<_> = ready
        .attributes
        .iter()
        .map(|attribute| {
            object!({
                "name": attribute.name,
                "filled": attribute.filled,
                "missing": attribute.missing,
                "wrong": attribute.wrong,
                "setting": attribute.setting,
            })
        })
        .collect();
    let line = object!({
        "type": "readiness",
        "channel": candidate.name,
        "feed": candidate.like,
        "records": ready.records,
        "tried": ready.tried,
        "able": ready.able,
        "missing_settings": settings,
        "obstacles": obstacles,
        "attributes": attributes,
    });
    format!("{line}\n")
}
