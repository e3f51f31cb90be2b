//! `channel list`: the channels there are, the project's own among them.

use clap::Args;
use serde_json::json as object;

use crate::channel::manifest::{Group, Records};
use crate::channel::{self, Channel, scaffold};
use crate::cli::{Global, exit};
use crate::pipeline::Failure;
use crate::report::json;
use crate::term::Shell;

use super::{table, unwritten};

/// How many countries of a channel are named in the list.
const COUNTRIES: usize = 8;

/// `channel list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only channels that matter in this country, such as TH
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
    /// Only channels of this group
    #[arg(long, value_name = "GROUP", value_parser = ["website", "search-ads", "marketplace", "social", "price-comparison", "ai", "store-system"])]
    group: Option<String>,
    /// As a table in Markdown
    #[arg(long, hide = true)]
    markdown: bool,
}

impl List {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// A country that is none.
    pub(super) fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let country = self.country.as_deref().map(str::to_ascii_uppercase);
        if let Some(code) = country
            .as_deref()
            .filter(|code| !channel::lint::is_country(code))
        {
            let hint = if code == "UK" {
                "did you mean `GB`?"
            } else {
                "write two letters of ISO 3166-1, such as `TH`"
            };
            return Err(Failure::configuration(
                "--country",
                format!("`{code}` is no country"),
                hint,
            ));
        }
        let project = (!self.markdown).then_some(global.project.as_path());
        let mut channels = Vec::new();
        let mut code = exit::DONE;
        for name in channel::names(project) {
            match channel::load(project, &name) {
                Ok(channel) => channels.push(channel),
                Err(error) => {
                    code = exit::CONFIGURATION;
                    shell.error(&error.to_string(), &error.hint);
                }
            }
        }
        channels.retain(|channel| {
            let manifest = &channel.manifest;
            let here = country.as_ref().is_none_or(|country| {
                manifest
                    .countries
                    .iter()
                    .any(|known| known == country || known == "*")
            });
            here && self
                .group
                .as_ref()
                .is_none_or(|group| group == manifest.group.as_str())
        });
        if shell.json {
            for channel in &channels {
                shell
                    .data(|out| writeln!(out, "{}", line(channel)))
                    .map_err(unwritten)?;
            }
            let mut summary = json::done(code);
            summary["channels"] = object!(channels.len());
            shell
                .data(|out| writeln!(out, "{summary}"))
                .map_err(unwritten)?;
        } else if self.markdown {
            let text = markdown(&channels);
            shell
                .data(|out| out.write_all(text.as_bytes()))
                .map_err(unwritten)?;
        } else if channels.is_empty() {
            shell.say("no channel fits");
        } else {
            let text = grouped(&channels, shell);
            shell
                .data(|out| out.write_all(text.as_bytes()))
                .map_err(unwritten)?;
        }
        Ok(code)
    }
}

/// The word of a kind of record in manifests.
pub(super) fn records(records: Records) -> &'static str {
    match records {
        Records::Variants => "variants",
        Records::Products => "products",
        Records::Stock => "stock",
    }
}

/// Countries as people read them.
pub(super) fn countries(channel: &Channel) -> String {
    let codes = &channel.manifest.countries;
    if codes.iter().any(|code| code == "*") {
        "all".to_owned()
    } else {
        codes.join(" ")
    }
}

/// The same on little room: the first few, and how many there are.
fn few_countries(channel: &Channel) -> String {
    let codes = &channel.manifest.countries;
    if codes.len() <= COUNTRIES {
        return countries(channel);
    }
    let first: Vec<&str> = codes
        .iter()
        .take(COUNTRIES - 2)
        .map(String::as_str)
        .collect();
    format!("{} … {} in all", first.join(" "), codes.len())
}

fn cells(channel: &Channel) -> [String; 7] {
    let manifest = &channel.manifest;
    [
        manifest.name.clone(),
        manifest.title.clone(),
        manifest.group.as_str().to_owned(),
        countries(channel),
        manifest.spec.certainty.clone(),
        records(manifest.records).to_owned(),
        scaffold::word(manifest.format).to_owned(),
    ]
}

fn line(channel: &Channel) -> serde_json::Value {
    let manifest = &channel.manifest;
    object!({
        "type": "channel",
        "name": manifest.name,
        "title": manifest.title,
        "group": manifest.group.as_str(),
        "countries": manifest.countries,
        "certainty": manifest.spec.certainty,
        "spec": manifest.spec.url,
        "read": manifest.spec.read,
        "records": records(manifest.records),
        "format": scaffold::word(manifest.format),
        "attributes": manifest.attributes.len(),
        "from": if channel.from_project { "project" } else { "built-in" },
    })
}

/// The groups in the order people look for them, with their headings.
const GROUPS: &[(Group, &str)] = &[
    (Group::Website, "Website"),
    (Group::SearchAds, "Search and ads"),
    (Group::Marketplace, "Marketplaces"),
    (Group::Social, "Social shops"),
    (Group::PriceComparison, "Price comparison"),
    (Group::Ai, "Shopping by AI"),
    (Group::StoreSystem, "Store systems"),
];

/// The channels under their groups' headings, columns under each other through all of them.
fn grouped(channels: &[Channel], shell: &Shell) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    // Where a group begins, and its heading.
    let mut headings: Vec<(usize, &str)> = Vec::new();
    for (group, heading) in GROUPS {
        let before = rows.len();
        for channel in channels {
            if channel.manifest.group != *group {
                continue;
            }
            let [name, title, _, _, certainty, records, format] = cells(channel);
            let from = if channel.from_project { "project" } else { "" };
            rows.push(
                [
                    format!("  {name}"),
                    shell.clean(&title),
                    few_countries(channel),
                    certainty,
                    records,
                    format,
                    from.to_owned(),
                ]
                .to_vec(),
            );
        }
        if rows.len() > before {
            headings.push((before, heading));
        }
    }
    let table = table(&rows);
    let mut text = String::new();
    for (number, line) in table.lines().enumerate() {
        if let Some((_, heading)) = headings.iter().find(|(before, _)| *before == number) {
            if number > 0 {
                text.push('\n');
            }
            text.push_str(&format!("{}\n", shell.bold(heading)));
        }
        text.push_str(line);
        text.push('\n');
    }
    text + &format!(
        "\n{} channels; columns: countries, how sure we are of the rules, records, format. `shelfcast channel show NAME` says what one needs\n",
        channels.len()
    )
}

/// The page `docs/channels.md`.
fn markdown(channels: &[Channel]) -> String {
    let mut text = String::from(
        "# Channels\n\n<!-- Written by `shelfcast channel list --markdown`; a test holds it to that. -->\n\n\
         `shelfcast channel show NAME` says what one needs; `shelfcast channel eject NAME` copies it out to change.\n",
    );
    for (group, heading) in GROUPS {
        let of_group: Vec<&Channel> = channels
            .iter()
            .filter(|channel| channel.manifest.group == *group)
            .collect();
        if of_group.is_empty() {
            continue;
        }
        text.push_str(&format!("\n## {heading}\n\n| name | what it is | countries | records | format | specification | certainty |\n| --- | --- | --- | --- | --- | --- | --- |\n"));
        for channel in of_group {
            let manifest = &channel.manifest;
            let [name, title, _, countries, certainty, records, format] = cells(channel);
            let escaped = title.replace('|', "\\|");
            text.push_str(&format!("| `{name}` | {escaped} | {countries} | {records} | {format} | [read {}]({}) | {certainty} |\n", manifest.spec.read, manifest.spec.url));
        }
        for channel in channels.iter().filter(|channel| {
            channel.manifest.group == *group && !channel.manifest.not_covered.is_empty()
        }) {
            text.push_str(&format!(
                "\nNot covered in `{}`: {}.\n",
                channel.manifest.name,
                channel.manifest.not_covered.join("; ")
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_channels_is_current() {
        let channels: Vec<Channel> = channel::built_in_names()
            .iter()
            .map(|name| channel::load(None, name).expect("a built-in channel"))
            .collect();
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/channels.md");
        let written = std::fs::read_to_string(&page).unwrap_or_default();
        assert_eq!(
            written,
            markdown(&channels),
            "write it anew: shelfcast channel list --markdown > docs/channels.md"
        );
    }
}
