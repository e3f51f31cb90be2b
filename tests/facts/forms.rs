//! The built-in manifests held against `channel_forms.tsv`: what a feed is written in, how much one file or request may hold, and
//! the form of its prices.

use std::collections::BTreeMap;

use shelfcast::channel::manifest::{Format, Manifest};

use super::manifests;

/// A row: format, delimiter, items, bytes, the attribute of the price and the price's form.
type Form<'t> = [&'t str; 6];

fn forms() -> BTreeMap<&'static str, Form<'static>> {
    let mut forms = BTreeMap::new();
    for line in include_str!("../channel_forms.tsv").lines().skip(1) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> = line.split('\t').collect();
        let [
            channel,
            format,
            delimiter,
            items,
            bytes,
            price,
            money,
            source,
        ] = cells[..]
        else {
            panic!("not eight cells: {line}");
        };
        assert!(["spec", "code", "gk", "ours"].contains(&source), "{line}");
        let form = [format, delimiter, items, bytes, price, money];
        assert!(forms.insert(channel, form).is_none(), "twice: {line}");
    }
    forms
}

/// The form of a price, by the mapping that writes it.
fn money(mapping: &str) -> &'static str {
    let signs = [
        ("minor=true", "minor"),
        ("1000000", "micros"),
        ("decimal=\",\"", "comma"),
        ("currency=\"symbol\"", "symbol"),
        ("decimal=settings.decimal", "setting"),
        ("currency=\"none\"", "plain"),
        ("{{money", "code"),
    ];
    let sign = signs.iter().find(|(sign, _)| mapping.contains(sign));
    sign.map_or("none", |(_, form)| form)
}

/// Where a manifest and its row part.
fn wrong(manifest: &Manifest, form: Form<'_>) -> Vec<String> {
    let [format, delimiter, items, bytes, price, money_form] = form;
    let own = manifest.delimited.delimiter.as_deref();
    let limits = &manifest.limits;
    let mut pairs = vec![
        (
            "format",
            format!("{:?}", manifest.format).to_lowercase(),
            format,
        ),
        (
            "delimiter",
            if manifest.format == Format::Csv {
                own.unwrap_or(",").to_owned()
            } else {
                String::new()
            },
            delimiter,
        ),
        (
            "items",
            limits
                .items
                .map_or(String::new(), |items| items.to_string()),
            items,
        ),
        ("bytes", limits.bytes.clone().unwrap_or_default(), bytes),
    ];
    if !price.is_empty() {
        let attribute = manifest.attributes.get(price);
        let mapping = attribute.and_then(|attribute| attribute.value.as_deref());
        pairs.push(("money", money(mapping.unwrap_or("")).to_owned(), money_form));
    }
    pairs
        .into_iter()
        .filter(|(_, own, told)| own != told)
        .map(|(what, own, told)| {
            format!(
                "{}: {what} is `{own}`, and `{told}` in the table",
                manifest.name
            )
        })
        .collect()
}

#[test]
fn feeds_are_written_as_the_specifications_say() {
    let forms = forms();
    let manifests = manifests();
    let mut all = Vec::new();
    for manifest in &manifests {
        match forms.get(manifest.name.as_str()) {
            Some(form) => all.extend(wrong(manifest, *form)),
            None => all.push(format!("the table does not know `{}`", manifest.name)),
        }
    }
    for name in forms.keys() {
        if !manifests.iter().any(|manifest| manifest.name == *name) {
            all.push(format!("there is no channel `{name}`"));
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn another_form_is_noticed() {
    let forms = forms();
    for manifest in manifests() {
        let form = forms[manifest.name.as_str()];
        let mut broken = manifest.clone();
        broken.limits.items = Some(7);
        broken.limits.bytes = Some("7 kB".to_owned());
        broken.delimited.delimiter = Some("^".to_owned());
        let mut expected = if manifest.format == Format::Csv { 3 } else { 2 };
        if let Some(price) = broken.attributes.get_mut(form[4]) {
            price.value = Some("{{price}}".to_owned());
            expected += 1;
        }
        let found = wrong(&broken, form);
        assert_eq!(found.len(), expected, "{}: {found:?}", manifest.name);
    }
}
