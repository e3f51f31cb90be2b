//! New channels from nothing or from another, and built-in ones copied out: which files, with which text.
//!
//! Nothing is written here: what comes back is paths inside the project and their bytes, for the caller to write.

use std::collections::BTreeMap;
use std::path::Path;

use handlebars::template::{Template, TemplateElement};

use crate::config::ConfigError;
use crate::program::lower::parse;
use crate::program::nearest::near;

use super::golden::{self, FOLDER};
use super::manifest::{Attribute, AttributeLevel, Format, Manifest, Records};
use super::{Channel, built_in, built_in_names};

/// Files by their path inside the project.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A catalog of three rows that every new channel can be tried with.
const CATALOG: &str = "\
sku,title,description,brand,gtin,category,price,sale_price,on_hand,availability,condition,url,image,color,size
MUG-RED,Red mug,A mug of 300 ml,Kilnside,9506000130019,Kitchen > Mugs,9.90,,12,in_stock,new,https://shop.example/mug-red,https://shop.example/mug-red.jpg,Red,
TEE-S,\"Tee, organic cotton\",\"Soft & light, <b>organic</b>\",Loomery,,Clothing > Tops,24.50,19.50,0,out_of_stock,new,https://shop.example/tee?size=s,https://shop.example/tee.jpg,White,S
LAMP-1,Ruhe „Klein“ lamp,,Nordlicht,,Home > Lamps,129,,3,in_stock,new,https://shop.example/lamp-1,https://shop.example/lamp-1.jpg,,
";

/// A new channel's files: its manifest, a template where the format needs one, a golden case. `read` is today.
///
/// # Errors
/// A name that cannot be one or is taken, a source that is unknown or cannot be used.
pub fn new(
    project: &Path,
    name: &str,
    format: Option<Format>,
    from: Option<&str>,
    read: &str,
) -> Result<Files, ConfigError> {
    let path = format!("channels/{name}.toml");
    let plain = |letter: char| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-' || letter == '_'
    };
    if name.is_empty() || name.starts_with('-') || !name.chars().all(plain) {
        return Err(ConfigError::new(
            path,
            format!("`{name}` cannot be a channel's name"),
            "use small letters, digits, `-` and `_`: it names files",
        ));
    }
    if built_in_names().iter().any(|known| known == name) {
        return Err(ConfigError::new(
            path,
            format!("`{name}` is a built-in channel"),
            format!(
                "`shelfcast channel eject {name}` copies it out to change; or choose another name"
            ),
        ));
    }
    match from {
        None => {
            let format = format.ok_or_else(|| {
                ConfigError::new(
                    path,
                    "a new channel needs a format",
                    "add `--format xml`, or `--from` another channel",
                )
            })?;
            Ok(blank(name, format, read))
        }
        Some(from) => like(project, name, format, from),
    }
}

/// A channel with five attributes.
fn blank(name: &str, format: Format, read: &str) -> Files {
    let templated = needs_template(format);
    let mut manifest = format!(
        r#"name = "{name}"
title = "{}"
group = "marketplace"              # website search-ads marketplace social price-comparison ai store-system
countries = ["*"]
# Where its rules are written, when they were read, and how sure they are: specification, public code or general knowledge.
spec = {{ url = "https://example.com/feed-specification", read = "{read}", certainty = "general knowledge" }}
not_covered = []
records = "variants"               # variants, products (each with its variants) or stock
format = "{}"
"#,
        titled(name),
        word(format),
    );
    if templated {
        manifest.push_str(&format!("template = \"{name}.hbs\"\n"));
    }
    manifest.push_str(
        r#"prices = "gross"
absence = "delete"                 # what leaving an item out does there: delete nothing tombstone zero expire:30d

[attributes.id]
value = "{{sku}}"
required = true
unique = true

[attributes.title]
value = "{{title}}"
required = true
max_length = { characters = 150 }

[attributes.link]
value = "{{url}}"
kind = "url"
required = true

[attributes.price]
value = "{{money current_price}}"
kind = "money"
required = true

[attributes.availability]
value = "{{availability}}"
one_of = ["in_stock", "out_of_stock", "preorder", "backorder"]
"#,
    );
    let mut files = Files::new();
    if templated {
        let parsed: Manifest = toml::from_str(&manifest).expect("a new manifest is one");
        files.insert(
            format!("templates/{name}.hbs"),
            template(&parsed).into_bytes(),
        );
    }
    files.insert(format!("channels/{name}.toml"), manifest.into_bytes());
    files.insert(format!("{FOLDER}/{name}/plain/catalog.csv"), CATALOG.into());
    files
}

/// `my-shop` as people write it: `My shop`.
fn titled(name: &str) -> String {
    let words = name.replace(['-', '_'], " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// The word of a format in manifests.
pub fn word(format: Format) -> &'static str {
    match format {
        Format::Xml => "xml",
        Format::Csv => "csv",
        Format::Tsv => "tsv",
        Format::Json => "json",
        Format::Ndjson => "ndjson",
        Format::Html => "html",
        Format::Xlsx => "xlsx",
        Format::Text => "text",
        Format::Edifact => "edifact",
    }
}

/// The words of all formats.
pub const FORMATS: &[&str] = &[
    "xml", "csv", "tsv", "json", "ndjson", "html", "xlsx", "text", "edifact",
];

/// The format of a word.
pub fn format_of(word: &str) -> Option<Format> {
    use Format::{Csv, Edifact, Html, Json, Ndjson, Text, Tsv, Xlsx, Xml};
    [Xml, Csv, Tsv, Json, Ndjson, Html, Xlsx, Text, Edifact]
        .into_iter()
        .find(|format| self::word(*format) == word)
}

fn needs_template(format: Format) -> bool {
    matches!(
        format,
        Format::Xml | Format::Html | Format::Text | Format::Edifact
    )
}

/// A channel like another: its manifest under a new name, its template and cases; in another format a template of its own.
fn like(
    project: &Path,
    name: &str,
    format: Option<Format>,
    from: &str,
) -> Result<Files, ConfigError> {
    let channel = super::load(Some(project), from)?;
    let format = format.unwrap_or(channel.manifest.format);
    let same = format == channel.manifest.format;
    let keeps = same && channel.template.is_some();
    let made = !same && needs_template(format);
    let mut manifest = String::new();
    let mut head = true;
    let mut skipped = false;
    for line in channel.manifest_text.lines() {
        if line.starts_with('[') {
            head = false;
            // Another format has no dialect, and no index of parts.
            skipped = !same && matches!(line.trim(), "[delimited]" | "[parts]");
        }
        let key = line.split_once('=').map_or("", |(key, _)| key.trim());
        match key {
            _ if skipped => {}
            "name" if head => writeln_to(&mut manifest, &format!("name = \"{name}\"")),
            "title" if head => writeln_to(
                &mut manifest,
                &format!("title = {}", toml::Value::from(titled(name))),
            ),
            "format" if head => {
                writeln_to(&mut manifest, &format!("format = \"{}\"", word(format)));
                if made {
                    writeln_to(&mut manifest, &format!("template = \"{name}.hbs\""));
                }
            }
            "template" if head => {
                if keeps {
                    writeln_to(&mut manifest, &format!("template = \"{name}.hbs\""));
                }
            }
            "delimited" | "parts" | "document" | "file" if head && !same => {}
            _ => writeln_to(&mut manifest, line),
        }
    }
    let mut files = Files::new();
    if let Some((_, text)) = channel.template.as_ref().filter(|_| keeps) {
        files.insert(format!("templates/{name}.hbs"), text.clone().into_bytes());
    } else if made {
        let parsed: Manifest =
            crate::config::toml_file::parse(&format!("channels/{name}.toml"), &manifest)?;
        files.insert(
            format!("templates/{name}.hbs"),
            template(&parsed).into_bytes(),
        );
    }
    files.insert(format!("channels/{name}.toml"), manifest.into_bytes());
    let cases = golden::cases(project, from)
        .map_err(|failure| ConfigError::new(format!("{FOLDER}/{from}"), failure.to_string(), ""))?;
    for case in cases {
        for (file, bytes) in case
            .files
            .into_iter()
            .filter(|(file, _)| !golden::is_expected(file))
        {
            files.insert(format!("{FOLDER}/{name}/{}/{file}", case.name), bytes);
        }
    }
    files
        .entry(format!("{FOLDER}/{name}/plain/catalog.csv"))
        .or_insert_with(|| CATALOG.into());
    Ok(files)
}

fn writeln_to(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// A template that writes every attribute of a manifest.
fn template(manifest: &Manifest) -> String {
    let (head, open, close, tail) = match manifest.format {
        Format::Xml => (
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<items>\n",
            "<item>\n",
            "</item>\n",
            "</items>\n",
        ),
        Format::Html => (
            "<!DOCTYPE html>\n<html lang=\"{{feed.language}}\">\n<head>\n<meta charset=\"utf-8\">\n<title>{{shop.name}}</title>\n</head>\n<body>\n",
            "<dl>\n",
            "</dl>\n",
            "</body>\n</html>\n",
        ),
        Format::Edifact => (
            "UNB+UNOC:3+{{shop.name}}+RECEIVER'\n",
            "",
            "",
            "UNZ+{{feed.items}}+1'\n",
        ),
        _ => ("", "", "", ""),
    };
    let mut body = String::new();
    let variants = manifest.records == Records::Products;
    let of_variant =
        |attribute: &Attribute| variants && attribute.level == Some(AttributeLevel::Variant);
    for (name, attribute) in manifest
        .attributes
        .iter()
        .filter(|(_, attribute)| !of_variant(attribute))
    {
        body.push_str(&line(manifest.format, name, attribute));
    }
    if manifest.attributes.values().any(of_variant) {
        body.push_str("{{#each variants}}\n");
        if manifest.format == Format::Xml {
            body.push_str("<variant>\n");
        }
        for (name, attribute) in manifest
            .attributes
            .iter()
            .filter(|(_, attribute)| of_variant(attribute))
        {
            body.push_str(&line(manifest.format, name, attribute));
        }
        if manifest.format == Format::Xml {
            body.push_str("</variant>\n");
        }
        body.push_str("{{/each}}\n");
    }
    format!("{head}{{{{#each items}}}}\n{open}{body}{close}{{{{/each}}}}\n{tail}")
}

/// One attribute as its format writes it.
fn line(format: Format, name: &str, attribute: &Attribute) -> String {
    let path = if name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    {
        name.to_owned()
    } else {
        format!("[{name}]")
    };
    let written = |value: &str| match format {
        Format::Xml => format!("<{0}>{{{{{value}}}}}</{0}>\n", element(name)),
        Format::Html => format!("<dt>{name}</dt><dd>{{{{{value}}}}}</dd>\n"),
        Format::Edifact => format!("IMD+F++:::{{{{{value}}}}}'\n"),
        _ => format!("{name}: {{{{{value}}}}}\n"),
    };
    if attribute.list.is_some() {
        return format!("{{{{#each {path}}}}}\n{}{{{{/each}}}}\n", written("this"));
    }
    if attribute.required {
        written(&path)
    } else {
        format!("{{{{#if {path}}}}}\n{}{{{{/if}}}}\n", written(&path))
    }
}

/// A name as XML takes it for an element.
fn element(name: &str) -> String {
    let mut element: String = name
        .chars()
        .map(|letter| {
            if letter.is_alphanumeric() || letter == '_' || letter == '-' || letter == '.' {
                letter
            } else {
                '_'
            }
        })
        .collect();
    if !element.starts_with(|letter: char| letter.is_alphabetic() || letter == '_') {
        element.insert(0, '_');
    }
    element
}

/// A built-in channel's files: manifest, templates, the partials they use, golden cases.
///
/// # Errors
/// A name that is no built-in channel.
pub fn eject(name: &str) -> Result<Files, ConfigError> {
    let path = format!("channels/{name}.toml");
    let names = built_in_names();
    let Some(manifest) = built_in(&path) else {
        let hint = near(name, names.iter().map(String::as_str))
            .unwrap_or_else(|| "`shelfcast channel list` names them".to_owned());
        return Err(ConfigError::new(
            path,
            format!("there is no built-in channel `{name}`"),
            hint,
        ));
    };
    let channel = super::load(None, name)?;
    let mut files = Files::from([(path, manifest.as_bytes().to_vec())]);
    for (path, text) in [&channel.template, &channel.index].into_iter().flatten() {
        files.insert(path.clone(), text.clone().into_bytes());
        used_partials(&channel, text, &mut files);
    }
    for case in golden::built_in(name) {
        for (file, bytes) in case.files {
            files.insert(format!("{FOLDER}/{name}/{}/{file}", case.name), bytes);
        }
    }
    Ok(files)
}

fn used_partials(channel: &Channel, text: &str, files: &mut Files) {
    let Ok(template) = parse(text) else { return };
    let mut names = Vec::new();
    partials_of(&template, &mut names);
    for name in names {
        let path = format!("templates/partials/{name}.hbs");
        if let Some(text) = channel.partials.get(&name)
            && files.insert(path, text.clone().into_bytes()).is_none()
        {
            used_partials(channel, text, files);
        }
    }
}

fn partials_of(template: &Template, names: &mut Vec<String>) {
    for element in &template.elements {
        match element {
            TemplateElement::PartialExpression(partial) => {
                names.extend(partial.name.as_name().map(str::to_owned))
            }
            TemplateElement::HelperBlock(block) => {
                block
                    .template
                    .iter()
                    .chain(&block.inverse)
                    .for_each(|template| partials_of(template, names));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::lint::lint;

    fn written(files: &Files) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, bytes) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
            crate::write::atomic::write(&path, bytes).expect("written");
        }
        folder
    }

    /// Lints, renders and records the new channel's cases.
    #[track_caller]
    fn holds(files: &Files, name: &str) {
        let folder = written(files);
        assert_eq!(lint(Some(folder.path()), name), [], "{name}");
        let cases = golden::cases(folder.path(), name).expect("cases");
        assert!(cases.iter().any(|case| case.name == "plain"), "{name}");
        for case in cases.iter().filter(|case| case.name == "plain") {
            let made = case
                .render(folder.path(), &|_| serde_json::Value::Null)
                .unwrap_or_else(|failure| panic!("{name}: {failure}"));
            assert!(
                made.keys().any(|file| file.starts_with("expected")),
                "{name}: {made:?}"
            );
        }
    }

    #[test]
    fn a_new_channel_of_any_format_lints_clean_and_renders_three_items() {
        for word in FORMATS {
            let name = format!("my-{word}");
            let files = new(
                Path::new("/nowhere"),
                &name,
                format_of(word),
                None,
                "2026-11-22",
            )
            .expect("a new channel");
            holds(&files, &name);
        }
    }

    #[test]
    fn a_channel_like_another_lints_as_that_one_does() {
        for from in built_in_names() {
            let files = new(
                Path::new("/nowhere"),
                "copy",
                None,
                Some(&from),
                "2026-11-22",
            )
            .unwrap_or_else(|error| panic!("{from}: {error}"));
            let folder = written(&files);
            let errors = |project: Option<&Path>, name: &str| {
                lint(project, name)
                    .iter()
                    .map(|problem| (problem.rule, problem.message.clone()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(
                errors(Some(folder.path()), "copy"),
                errors(None, &from),
                "{from}"
            );
        }
    }

    #[test]
    fn a_channel_in_another_format_gets_a_template_of_its_own() {
        let files = new(
            Path::new("/nowhere"),
            "mine",
            Some(Format::Xml),
            Some("meta-catalog"),
            "2026-11-22",
        )
        .expect("a new channel");
        let template = String::from_utf8_lossy(&files["templates/mine.hbs"]).into_owned();
        assert!(template.contains("<title>{{title}}</title>"), "{template}");
        holds(&files, "mine");
    }

    #[test]
    fn names_that_cannot_be_are_refused() {
        let of = |name: &str| {
            new(
                Path::new("/nowhere"),
                name,
                Some(Format::Csv),
                None,
                "2026-11-22",
            )
            .expect_err("refused")
        };
        assert!(of("My Shop").message.contains("cannot be a channel's name"));
        assert!(of("heureka").hint.contains("channel eject heureka"));
        assert!(of("../x").message.contains("cannot be"));
    }

    #[test]
    fn an_ejected_channel_brings_all_it_needs() {
        for name in built_in_names() {
            let files = eject(&name).expect("ejected");
            assert!(
                files.keys().any(|path| path.ends_with("plain/catalog.csv")),
                "{name}"
            );
            holds_like_built_in(&files, &name);
        }
        assert!(
            eject("heurekka")
                .expect_err("unknown")
                .hint
                .contains("`heureka`")
        );
    }

    #[track_caller]
    fn holds_like_built_in(files: &Files, name: &str) {
        let folder = written(files);
        let channel = crate::channel::load(Some(folder.path()), name).expect("loads");
        assert!(channel.from_project);
        assert_eq!(lint(Some(folder.path()), name), lint(None, name));
    }
}
