//! Writes `shelfcast.toml` from a proposal, with a comment where a person may want to change something.

use std::fmt::Write;

use super::propose::{Fact, Proposal};
use super::trial::Tried;

/// The project's text. `path` is the export as the project names it.
pub fn text(proposal: &Proposal, path: &str, feeds: &[Tried]) -> String {
    let mut out = String::new();
    // A string takes every write.
    let done = write(proposal, path, feeds, &mut out);
    debug_assert!(done.is_ok(), "text takes every write");
    out
}

fn write(proposal: &Proposal, path: &str, feeds: &[Tried], out: &mut String) -> std::fmt::Result {
    let comment = |fact: &Fact| {
        fact.proof.as_ref().map_or(
            "CHECK: a placeholder, nothing in the export says it".to_owned(),
            Clone::clone,
        )
    };
    writeln!(
        out,
        "# Made by `shelfcast init --from`. Lines marked CHECK were not to be found in the export.\n"
    )?;
    writeln!(out, "[shop]")?;
    writeln!(out, "name = {}", quoted(&proposal.name.value))?;
    writeln!(
        out,
        "url = {}   # {}",
        quoted(&proposal.url.value),
        comment(&proposal.url)
    )?;
    writeln!(
        out,
        "currency = {}   # {}",
        quoted(&proposal.currency.value),
        comment(&proposal.currency)
    )?;
    let language = proposal
        .language
        .proof
        .as_deref()
        .unwrap_or("CHECK: no letters speak for another language");
    writeln!(
        out,
        "language = {}   # {language}",
        quoted(&proposal.language.value)
    )?;
    writeln!(out, "country = {}", quoted(proposal.place.0))?;
    writeln!(out, "timezone = {}\n", quoted(proposal.place.1))?;
    writeln!(out, "[[source]]")?;
    writeln!(out, "name = \"products\"")?;
    writeln!(out, "path = {}", quoted(path))?;
    if let Some(preset) = proposal.preset {
        writeln!(
            out,
            "preset = {}   # {}",
            quoted(&preset.name),
            preset.title
        )?;
    }
    if let Some(locale) = &proposal.locale {
        writeln!(
            out,
            "locale = {}   # {}",
            quoted(&locale.value),
            comment(locale)
        )?;
    }
    if let Some(encoding) = &proposal.encoding {
        writeln!(
            out,
            "encoding = {}   # {}",
            quoted(&encoding.value),
            comment(encoding)
        )?;
    }
    if let Some(sheet) = &proposal.sheet {
        writeln!(out, "sheet = {}", quoted(sheet))?;
    }
    if let Some(names) = &proposal.names {
        writeln!(out, "header = false")?;
        let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
        writeln!(out, "names = [{}]", names.join(", "))?;
    }
    if !proposal.guesses.is_empty() {
        writeln!(
            out,
            "\n[source.fields]                   # ours = the export's column, or a text over its columns"
        )?;
        for guess in &proposal.guesses {
            let check = if guess.confidence < 60 {
                format!("   # CHECK: {}", guess.why)
            } else {
                String::new()
            };
            writeln!(out, "{} = {}{check}", guess.ours, quoted(&guess.mapping))?;
        }
    }
    if !proposal.defaults.is_empty() {
        writeln!(
            out,
            "\n[source.defaults]                 # where a row has nothing"
        )?;
        for (ours, value, why) in &proposal.defaults {
            writeln!(out, "{ours} = {}   # CHECK: {why}", quoted(value))?;
        }
    }
    further_sources(proposal, path, out)?;
    for feed in feeds {
        feed_text(proposal, feed, out)?;
    }
    Ok(())
}

/// Tables of the same file that refer to each other.
fn further_sources(proposal: &Proposal, path: &str, out: &mut String) -> std::fmt::Result {
    for source in proposal.preset.map_or(&[][..], |preset| &preset.also) {
        writeln!(out, "\n[[source]]")?;
        writeln!(out, "path = {}", quoted(path))?;
        for (key, value) in source.iter().filter(|(_, value)| !value.is_table()) {
            writeln!(out, "{key} = {value}")?;
        }
        if let Some(fields) = source.get("fields").and_then(toml::Value::as_table) {
            writeln!(out, "[source.fields]")?;
            for (ours, mapping) in fields {
                let mapping = mapping
                    .as_str()
                    .unwrap_or_default()
                    .replace("{{currency}}", &proposal.currency.value);
                writeln!(out, "{ours} = {}", quoted(&mapping))?;
            }
        }
    }
    Ok(())
}

fn feed_text(proposal: &Proposal, feed: &Tried, out: &mut String) -> std::fmt::Result {
    let off = if feed.kept { "" } else { "# " };
    writeln!(out)?;
    if feed.written == 0
        && let Some((attribute, _, message, count)) = feed.reasons.first()
    {
        writeln!(
            out,
            "# Nothing can be written for {} yet: `{attribute}` withholds {count} records ({message}).",
            feed.channel
        )?;
        if !feed.kept {
            writeln!(
                out,
                "# Give the catalog what it lacks, then take the signs away."
            )?;
        }
    }
    writeln!(out, "{off}[[feed]]")?;
    writeln!(out, "{off}name = {}", quoted(feed.name))?;
    writeln!(out, "{off}channel = {}", quoted(feed.channel))?;
    if let Some(filter) = proposal.preset.and_then(|preset| preset.filter.as_ref()) {
        writeln!(out, "{off}where = {}", quoted(filter))?;
    }
    let withheld = feed.admitted.saturating_sub(feed.written);
    if feed.written > 0 && withheld * 5 > feed.admitted {
        let share = (withheld * 100).div_ceil(feed.admitted.max(1)).min(100);
        writeln!(
            out,
            "{off}max_withheld = \"{share}%\"   # CHECK: as found in the export; over it a build keeps the old file"
        )?;
    }
    Ok(())
}

/// A TOML string: literal where it can be, so that templates stay readable.
fn quoted(text: &str) -> String {
    let plain = text.chars().all(|letter| !letter.is_control());
    if plain && text.contains(['"', '\\']) && !text.contains('\'') {
        return format!("'{text}'");
    }
    if plain && text.contains(['"', '\\']) && !text.contains("'''") && !text.ends_with('\'') {
        return format!("'''{text}'''");
    }
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn texts_survive_the_way_through_toml() {
        for text in [
            "plain",
            "{{eq a \"b\"}}",
            "{{first (split (replace [image] '[\"' '') '\", \"')}}",
            "a\\b",
            "tab\there",
            "'",
            "ends \"'",
        ] {
            let parsed: toml::Table = toml::from_str(&format!("x = {}", quoted(text))).expect(text);
            assert_eq!(parsed["x"].as_str(), Some(text));
        }
    }
}
