//! The built-in manifests held against `channel_facts.tsv`, which was typed from the channels' specifications apart from them:
//! what is required, what warns, what is asked for under a condition, every word of every list and every limit in its measure.
//! The table's head says how a row is written and how sure it is.

mod forms;

use std::collections::{BTreeMap, BTreeSet};

use shelfcast::channel::manifest::{Attribute, Manifest, MaxLength, Weight};
use shelfcast::channel::{self, built_in_names};

/// What the table says of one attribute: `yes`, `warn` (missing is told, not withheld), `if` or `no`; its words, where it has a
/// list; its limits, without the mark of general knowledge.
struct Fact<'t> {
    needed: &'t str,
    words: Option<BTreeSet<&'t str>>,
    limits: BTreeSet<&'t str>,
}

type Facts<'t> = BTreeMap<(&'t str, &'t str), Fact<'t>>;

fn facts() -> Facts<'static> {
    let mut facts = Facts::new();
    for line in include_str!("../channel_facts.tsv").lines().skip(1) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> = line.split('\t').collect();
        let [channel, attribute, needed, words, limits, source] = cells[..] else {
            panic!("not six cells: {line}");
        };
        assert!(["yes", "warn", "if", "no"].contains(&needed), "{line}");
        assert!(["spec", "code", "gk", "ours"].contains(&source), "{line}");
        let words = (!words.is_empty()).then(|| words.split('|').collect());
        let limits = limits
            .split_whitespace()
            .map(|limit| limit.trim_end_matches('?'))
            .collect();
        let fact = Fact {
            needed,
            words,
            limits,
        };
        let before = facts.insert((channel, attribute), fact);
        assert!(before.is_none(), "twice: {line}");
    }
    facts
}

fn needed(attribute: &Attribute) -> &'static str {
    match (attribute.required, attribute.severity) {
        (true, Some(Weight::Warning)) => "warn",
        (true, _) => "yes",
        (false, _) if attribute.required_if.is_some() => "if",
        (false, _) => "no",
    }
}

/// An attribute's limits, as the table writes them.
fn limits(attribute: &Attribute) -> BTreeSet<String> {
    let length = |length: &MaxLength| {
        let measures = [
            (length.characters, 'c'),
            (length.graphemes, 'g'),
            (length.utf16, 'u'),
            (length.bytes, 'b'),
        ];
        let counts = measures.into_iter();
        counts
            .filter_map(|(count, letter)| Some(format!("{}{letter}", count?)))
            .collect::<String>()
    };
    let plain = |value: &toml::Value| value.to_string().replace('"', "");
    let range = attribute.range.as_deref().map(|range| {
        let end = |at| range.get(at).map(plain).unwrap_or_default();
        format!("{}..{}", end(0), end(1))
    });
    let at_least = attribute.min_length.as_ref().map(length);
    [
        attribute.max_length.as_ref().map(length),
        at_least.map(|length| format!(">={length}")),
        attribute.max_items.map(|count| format!("{count}x")),
        range,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Where a manifest and the table part.
fn wrong(manifest: &Manifest, facts: &Facts<'_>) -> Vec<String> {
    let name = manifest.name.as_str();
    let mut wrong = Vec::new();
    for (&(_, attribute), fact) in facts.iter().filter(|((channel, _), _)| *channel == name) {
        let Some(known) = manifest.attributes.get(attribute) else {
            wrong.push(format!("{name}: `{attribute}` is not there"));
            continue;
        };
        let needs = needed(known);
        if needs != fact.needed {
            wrong.push(format!(
                "{name}: `{attribute}` is `{needs}`, and `{}` in the table",
                fact.needed
            ));
        }
        let words = known
            .one_of
            .as_ref()
            .map(|words| words.iter().map(String::as_str).collect::<BTreeSet<_>>());
        if words != fact.words {
            wrong.push(format!(
                "{name}: `{attribute}` takes {words:?}, and {:?} in the table",
                fact.words
            ));
        }
        let has = limits(known);
        if !has
            .iter()
            .map(String::as_str)
            .eq(fact.limits.iter().copied())
        {
            wrong.push(format!(
                "{name}: `{attribute}` holds {has:?}, and {:?} in the table",
                fact.limits
            ));
        }
        // A spelling that a value is mapped to is one of the channel's words.
        if let Some(words) = &fact.words {
            for spelling in known.map.values() {
                if !spelling.is_empty() && !words.contains(spelling.as_str()) {
                    wrong.push(format!(
                        "{name}: `{attribute}` is mapped to `{spelling}`, which is no word of its list"
                    ));
                }
            }
        }
    }
    for (attribute, known) in &manifest.attributes {
        let told = facts.contains_key(&(name, attribute.as_str()));
        let said = needed(known) != "no" || known.one_of.is_some() || !limits(known).is_empty();
        if !told && said {
            wrong.push(format!("{name}: the table does not know `{attribute}`"));
        }
    }
    wrong
}

fn manifests() -> Vec<Manifest> {
    built_in_names()
        .iter()
        .map(|name| {
            channel::load(None, name)
                .expect("a built-in channel")
                .manifest
        })
        // a connector's attributes are our own words; what its store wants stands in its requests
        .filter(|manifest| {
            let request = manifest.request.as_ref();
            request.is_none_or(|request| request.levels.is_none())
        })
        .collect()
}

#[test]
fn manifests_say_what_the_specifications_say() {
    let facts = facts();
    let manifests = manifests();
    let mut all: Vec<String> = manifests
        .iter()
        .flat_map(|manifest| wrong(manifest, &facts))
        .collect();
    let names: BTreeSet<&str> = manifests
        .iter()
        .map(|manifest| manifest.name.as_str())
        .collect();
    for (channel, _) in facts.keys() {
        if !names.contains(channel) {
            all.push(format!("there is no channel `{channel}`"));
        }
    }
    for name in names {
        if !facts.keys().any(|(channel, _)| *channel == name) {
            all.push(format!("the table does not know `{name}`"));
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn every_required_attribute_dropped_every_word_misspelt_and_every_limit_lifted_is_noticed() {
    let facts = facts();
    let (mut dropped, mut misspelt, mut lifted) = (0, 0, 0);
    for manifest in manifests() {
        for (name, attribute) in &manifest.attributes {
            if needed(attribute) != "no" {
                let mut broken = manifest.clone();
                broken.attributes.shift_remove(name);
                assert!(
                    !wrong(&broken, &facts).is_empty(),
                    "{}: `{name}` dropped",
                    manifest.name
                );
                let mut broken = manifest.clone();
                let loose = &mut broken.attributes[name];
                (loose.required, loose.required_if) = (false, None);
                assert!(
                    !wrong(&broken, &facts).is_empty(),
                    "{}: `{name}` no longer required",
                    manifest.name
                );
                dropped += 1;
            }
            if !limits(attribute).is_empty() {
                let mut broken = manifest.clone();
                let loose = &mut broken.attributes[name];
                (loose.max_length, loose.min_length) = (None, None);
                (loose.max_items, loose.range) = (None, None);
                assert!(
                    !wrong(&broken, &facts).is_empty(),
                    "{}: `{name}` without its limits",
                    manifest.name
                );
                lifted += 1;
            }
            for place in 0..attribute.one_of.as_ref().map_or(0, Vec::len) {
                let mut broken = manifest.clone();
                let word = &mut broken.attributes[name]
                    .one_of
                    .as_mut()
                    .expect("a list of words")[place];
                word.push('x');
                assert!(
                    !wrong(&broken, &facts).is_empty(),
                    "{}: `{name}` = `{word}`",
                    manifest.name,
                    word = broken.attributes[name].one_of.as_ref().expect("words")[place]
                );
                misspelt += 1;
            }
        }
    }
    assert!(
        dropped > 350 && misspelt > 300 && lifted > 350,
        "{dropped}, {misspelt}, {lifted}"
    );
}
