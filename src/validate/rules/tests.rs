//! Every rule that a finding may name has its page, and every page's example does what it says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;

use super::*;
use crate::config::Project;
use crate::pipeline::Observer;
use crate::pipeline::build::{self, Options};
use crate::validate::finding::Finding;

/// What the examples take for granted: a shop, one source, one feed at one channel that asks for a little of everything.
const SHOP: &str = "[shop]\nname = \"Example\"\nurl = \"https://shop.example\"\ncurrency = \"EUR\"\nlanguage = \"en\"\ncountry = \"DE\"\ntimezone = \"Europe/Berlin\"\n";
const CHANNEL: &str = "name = \"example\"\ntitle = \"Example\"\ngroup = \"website\"\ncountries = [\"*\"]\nrecords = \"variants\"\nformat = \"ndjson\"\nprices = \"gross\"\nspec = { url = \"https://shop.example/spec\", read = \"2026-11-22\", certainty = \"specification\" }\n";
const ATTRIBUTES: [(&str, &str); 11] = [
    ("id", "value = \"{{sku}}\"\nrequired = true\nunique = true"),
    ("title", "value = \"{{title}}\""),
    ("price", "value = \"{{money price}}\"\nkind = \"money\""),
    ("quantity", "value = \"{{on_hand}}\""),
    ("availability", "value = \"{{availability}}\""),
    ("gtin", "value = \"{{gtin}}\""),
    ("condition", "value = \"{{condition}}\""),
    ("gender", "value = \"{{gender}}\""),
    ("age_group", "value = \"{{age_group}}\""),
    ("weight", "value = \"{{weight}}\""),
    (
        "sale",
        "value = \"{{sale_price}} {{sale_starts}} {{tax_rate}}\"",
    ),
];

#[derive(Default)]
struct Rules(BTreeMap<&'static str, Vec<Finding>>);

impl Observer for Rules {
    fn finding(&mut self, finding: &Finding) {
        self.0
            .entry(finding.rule)
            .or_default()
            .push(finding.clone());
    }
}

fn run(files: Example) -> Result<Rules, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file stands in a folder"))
            .expect("a folder");
        crate::write::atomic::write(&path, text.as_bytes()).expect("written");
    };
    let mut project = SHOP.to_owned();
    let mut channel = CHANNEL.to_owned();
    let added = |wanted: &str| {
        files
            .iter()
            .find(|(name, _)| *name == wanted)
            .map_or("", |(_, text)| *text)
    };
    let settings = added("shelfcast.toml");
    if !settings.contains("name = \"products\"") {
        let (catalog, _) = files
            .iter()
            .find(|(name, _)| name.starts_with("catalog."))
            .expect("a catalog");
        project.push_str(&format!(
            "[[source]]\nname = \"products\"\npath = \"{catalog}\"\n"
        ));
    }
    project.push_str(settings);
    if !settings.contains("[[feed]]") {
        project.push_str("[[feed]]\nname = \"example\"\nchannel = \"example\"\n");
    }
    for (name, text) in ATTRIBUTES {
        if !added("channel.toml").contains(&format!("[attributes.{name}]")) {
            channel.push_str(&format!("[attributes.{name}]\n{text}\n"));
        }
    }
    channel.push_str(added("channel.toml"));
    write("shelfcast.toml", &project);
    write("channels/example.toml", &channel);
    for (name, text) in files
        .iter()
        .filter(|(name, _)| !["shelfcast.toml", "channel.toml"].contains(name))
    {
        write(name, text);
    }
    let mut heard = Rules::default();
    let project = Project::load(folder.path()).expect("a project");
    let now = "2026-11-22T10:00:00Z".parse().expect("a moment");
    let options = Options {
        feeds: Vec::new(),
        now,
        threads: 1,
        folder: None,
        digests: false,
        fill: false,
        log: false,
    };
    build::build(&project, &options, &mut heard)
        .map_err(|failure| format!("{failure}\n{files:?}"))?;
    Ok(heard)
}

#[test]
fn examples_break_their_rule_and_are_put_right() {
    let mut wrong = Vec::new();
    let mut say = |rule: &Rule, what: String| wrong.push(format!("{}: {what}", rule.name));
    for rule in RULES {
        if !rule.fires.is_empty() {
            match run(rule.fires) {
                Err(failure) => say(rule, failure),
                Ok(heard) => match heard.0.get(rule.name).map(|findings| &findings[0]) {
                    None => say(rule, format!("its example broke {:?}", heard.0)),
                    Some(first) => {
                        if first.severity != rule.severity {
                            say(
                                rule,
                                "the example's finding is of another severity".to_owned(),
                            );
                        }
                        if first.message.is_empty() || first.message.ends_with('.') {
                            say(rule, first.message.clone());
                        }
                    }
                },
            }
        }
        if !rule.passes.is_empty() {
            match run(rule.passes) {
                Err(failure) => say(rule, failure),
                Ok(heard) if heard.0.is_empty() => {}
                Ok(heard) => say(rule, format!("put right, it still broke {:?}", heard.0)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_a_whole_page() {
    let mut names = BTreeSet::new();
    let shape = Regex::new("^[a-z]+(-[a-z]+)*$").expect("a pattern");
    for rule in RULES {
        assert!(names.insert(rule.name), "`{}` stands twice", rule.name);
        assert!(shape.is_match(rule.name), "`{}`", rule.name);
        for text in [rule.title, rule.checks, rule.why, rule.instead] {
            assert!(
                !text.is_empty(),
                "`{}` misses a part of its page",
                rule.name
            );
        }
        assert!(!rule.title.ends_with('.'), "`{}`", rule.name);
        for line in rule.page().lines() {
            assert!(line.chars().count() <= 80, "`{}`: {line}", rule.name);
            assert!(
                !line.chars().any(char::is_control),
                "`{}`: {line}",
                rule.name
            );
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_rule_named_in_the_source_has_a_page_and_no_page_is_idle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    // Where a finding's rule is named: a field, the first argument of what makes one, a match that decides it.
    let named = Regex::new(r#"\brule:\s*"([a-z-]+)"|\b(?:fail|trouble|problem|reject|misread|report)\(\s*"([a-z-]+)"\s*,|"(unknown-[a-z-]+)""#).expect("a pattern");
    let call = Regex::new(r#"table_finding\([^;]*?"([a-z]+-[a-z-]+)""#).expect("a pattern");
    let decided =
        Regex::new(r"(?s)let rule = match.*?\n\s*\};|fn [a-z_]*rule\(.*?\n\}").expect("a pattern");
    let arm = Regex::new(r#"=> "([a-z-]+)""#).expect("a pattern");
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    for file in files {
        // What `channel lint` says of a channel's own files is said there in full.
        if file.starts_with(root.join("validate"))
            || file.starts_with(root.join("channel"))
            || file.components().any(|part| part.as_os_str() == "tests")
            || file.ends_with("tests.rs")
            // What lint says of channels has pages of its own.
            || file.starts_with(root.join("channel/lint"))
            || file.ends_with("channel/lint.rs")
        {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("source");
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("");
        let mut add = |name: &str| drop(found.insert(name.to_owned(), file.clone()));
        for captures in named.captures_iter(text).chain(call.captures_iter(text)) {
            captures
                .iter()
                .skip(1)
                .flatten()
                .for_each(|name| add(name.as_str()));
        }
        for block in decided.find_iter(text) {
            arm.captures_iter(block.as_str())
                .for_each(|captures| add(&captures[1]));
        }
    }
    let without: Vec<_> = found
        .iter()
        .filter(|(name, _)| find(name).is_none())
        .collect();
    assert!(
        without.is_empty(),
        "without a page in src/validate/rules/: {without:?}"
    );
    for rule in RULES {
        assert!(
            found.contains_key(rule.name),
            "nothing names the rule `{}`",
            rule.name
        );
    }
    assert!(found.len() >= 40, "the walk found only {found:?}");
}

#[test]
fn near_misses_are_suggested() {
    assert_eq!(nearest("gtin-checkdigit"), Some("gtin-check-digit"));
    assert_eq!(nearest("invalid-gtin"), Some("gtin-invalid"));
    assert_eq!(nearest("required-missing"), Some("missing-required"));
    assert_eq!(nearest("weather"), None);
}
