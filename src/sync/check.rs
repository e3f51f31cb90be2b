//! What is wrong with a project's stores and syncs that the form of its file cannot show: names that lead nowhere, places
//! that two syncs would write, secrets that the connector does not know. Comes in: the project; goes out: every error at
//! once, with the near miss. Nobody is called, no secret is resolved.

use std::collections::BTreeMap;

use crate::channel::manifest::Manifest;
use crate::config::project::Role;
use crate::config::sync::{Locations, OnlineOrders, Store, Sync, share};
use crate::config::{ConfigError, Project, span};
use crate::program::nearest::near;

/// How messages name the project's file.
const FILE: &str = "shelfcast.toml";

/// The channel that is a store's connector: `vendure` is `vendure-stock`, `shopify-2025` is `shopify-stock-2025`.
pub fn connector(store: &Store) -> String {
    format!("{}-stock", store.connector)
}

/// The connector that a channel is; `None` where it is none.
pub fn connector_of(channel: &str) -> Option<String> {
    let name = channel.strip_suffix("-stock")?.to_owned();
    // A feed of what is almost sold out.
    (name != "low").then_some(name)
}

/// The largest level that a store takes, as its connector says; no limit where it says none.
pub fn maximum(project: &Project, store: &Store) -> i64 {
    let channel = crate::channel::load(Some(&project.folder), &connector(store));
    let request = channel.ok().and_then(|channel| channel.manifest.request);
    request
        .and_then(|request| request.levels)
        .map_or(i64::MAX, |levels| levels.maximum)
}

/// Looks at all stores and syncs of a project.
///
/// # Errors
/// All that is wrong.
pub fn check(project: &Project) -> Result<(), Vec<ConfigError>> {
    let mut errors = Vec::new();
    for (index, store) in project.store.iter().enumerate() {
        let twice = |other: &Store| other.name == store.name;
        if project.store.iter().take(index).any(twice) {
            errors.push(wrong(
                format!("two stores are called `{}`", store.name),
                "give each a name of its own",
            ));
        }
        if !names_a_file(&store.name) {
            errors.push(wrong(
                format!("`{}` cannot be a store's name: it names a file", store.name),
                "use letters, digits, `-` and `_`",
            ));
        }
        store_itself(store, project, &mut errors);
    }
    for (index, sync) in project.sync.iter().enumerate() {
        let before = project.sync.iter().take(index);
        if before.clone().any(|other| other.name == sync.name) {
            errors.push(wrong(
                format!("two syncs are called `{}`", sync.name),
                "give each a name of its own",
            ));
        }
        ends(sync, project, &mut errors);
        numbers(sync, &mut errors);
        locations(sync, project, &mut errors);
        stocks(sync, project, &mut errors);
        for other in before.filter(|other| other.to == sync.to) {
            overlap(sync, other, &mut errors);
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

fn wrong(message: impl Into<String>, hint: impl Into<String>) -> ConfigError {
    ConfigError::new(FILE, message, hint)
}

/// The nearest name, or all there are.
fn known<'n>(word: &str, names: impl Iterator<Item = &'n str> + Clone, none: &str) -> String {
    near(word, names.clone()).unwrap_or_else(|| {
        let all: Vec<String> = names.map(|name| format!("`{name}`")).collect();
        match all.as_slice() {
            [] => none.to_owned(),
            some => format!("there is {}", some.join(", ")),
        }
    })
}

fn names_a_file(name: &str) -> bool {
    let fits = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    !name.is_empty() && name.chars().all(fits) && !name.starts_with('.')
}

/// A store's connector, secrets and settings.
fn store_itself(store: &Store, project: &Project, errors: &mut Vec<ConfigError>) {
    let name = connector(store);
    let channel = match crate::channel::load(Some(&project.folder), &name) {
        Ok(channel) => channel,
        Err(error) if error.message == format!("there is no channel `{name}`") => {
            let all = crate::channel::names(Some(&project.folder));
            let connectors: Vec<String> = all.iter().filter_map(|one| connector_of(one)).collect();
            errors.push(wrong(
                format!(
                    "store `{}`: there is no connector `{}`",
                    store.name, store.connector
                ),
                known(
                    &store.connector,
                    connectors.iter().map(String::as_str),
                    "none is built in",
                ),
            ));
            return;
        }
        Err(error) => {
            errors.push(error);
            return;
        }
    };
    secrets(store, &channel.manifest, errors);
    for name in store.settings.keys() {
        if !channel.manifest.settings.contains_key(name) {
            let names = channel.manifest.settings.keys().map(String::as_str);
            errors.push(wrong(
                format!(
                    "store `{}`: connector `{}` knows no setting `{name}`",
                    store.name, store.connector
                ),
                known(name, names, "it has no settings"),
            ));
        }
    }
    for (name, setting) in &channel.manifest.settings {
        if setting.required && setting.default.is_none() && !store.settings.contains_key(name) {
            let about = setting.about.as_deref().unwrap_or("the connector needs it");
            errors.push(wrong(
                format!(
                    "store `{}`: the setting `{name}` is missing ({about})",
                    store.name
                ),
                format!("add under [store.settings]: {name} = …"),
            ));
        }
    }
}

fn secrets(store: &Store, manifest: &Manifest, errors: &mut Vec<ConfigError>) {
    let Some(request) = &manifest.request else {
        errors.push(wrong(
            format!(
                "store `{}`: channel `{}` takes no requests, and is no connector",
                store.name, manifest.name
            ),
            "choose a connector; `shelfcast channel list` shows those that end in `-stock`",
        ));
        return;
    };
    for (name, reference) in &store.secrets {
        if !request.secrets.contains_key(name) {
            // A misspelt key of the store itself lands here, too.
            let own = ["name", "connector", "url", "currency", "settings"];
            let names = request.secrets.keys().map(String::as_str).chain(own);
            errors.push(wrong(
                format!(
                    "store `{}`: connector `{}` knows no secret `{name}`",
                    store.name, store.connector
                ),
                near(name, names).unwrap_or_else(|| {
                    let all = request.secrets.keys().map(String::as_str);
                    known("", all, "it asks for none")
                }),
            ));
        } else if !is_reference(reference) {
            errors.push(wrong(
                format!("store `{}`: `{name}` is no reference", store.name),
                "secrets are references, never values: write `env:NAME` or `file:PATH`",
            ));
        }
    }
    for (name, needed) in &request.secrets {
        if !needed.optional && !store.secrets.contains_key(name) {
            let about = needed.about.as_deref().unwrap_or("the connector needs it");
            errors.push(wrong(
                format!("store `{}` needs the secret `{name}` ({about})", store.name),
                format!("add under [[store]]: {name} = \"env:NAME\""),
            ));
        }
    }
}

fn is_reference(text: &str) -> bool {
    ["env:", "file:"].iter().any(|kind| {
        text.strip_prefix(kind)
            .is_some_and(|rest| !rest.trim().is_empty())
    })
}

/// Where a sync reads from and where it leads.
fn ends(sync: &Sync, project: &Project, errors: &mut Vec<ConfigError>) {
    let of_role = |role: Role| {
        let sources = project.source.iter();
        sources
            .filter(move |source| source.role == Some(role))
            .map(|source| source.name.as_str())
    };
    let has = |name: &str, role: Role| of_role(role).any(|known| known == name);
    if !has(&sync.from, Role::Stock) {
        errors.push(wrong(
            format!(
                "sync `{}` reads from `{}`, which is no stock source",
                sync.name, sync.from
            ),
            known(
                &sync.from,
                of_role(Role::Stock),
                "name a [[source]] with `role = \"stock\"`",
            ),
        ));
    }
    if !project.store.iter().any(|store| store.name == sync.to) {
        let names = project.store.iter().map(|store| store.name.as_str());
        errors.push(wrong(
            format!(
                "sync `{}` leads to `{}`, which is no store",
                sync.name, sync.to
            ),
            known(&sync.to, names, "add a [[store]] of that name"),
        ));
    }
    match (&sync.orders, sync.online_orders) {
        (Some(orders), OnlineOrders::Subtract) if !has(orders, Role::Orders) => {
            errors.push(wrong(
                format!(
                    "sync `{}` takes orders from `{orders}`, which is no source of orders",
                    sync.name
                ),
                known(
                    orders,
                    of_role(Role::Orders),
                    "name a [[source]] with `role = \"orders\"`",
                ),
            ));
        }
        (None, OnlineOrders::Subtract) if of_role(Role::Orders).count() != 1 => {
            let none = of_role(Role::Orders).count() == 0;
            errors.push(wrong(
                format!(
                    "sync `{}` subtracts online orders, and {}",
                    sync.name,
                    if none {
                        "no source gives them"
                    } else {
                        "several sources give some"
                    }
                ),
                if none {
                    "add a [[source]] with `role = \"orders\"`: sku, quantity, created_at; or say `online_orders = \"booked\"`"
                } else {
                    "say which: `orders = \"NAME\"`"
                },
            ));
        }
        (Some(_), OnlineOrders::Booked | OnlineOrders::StoreReserves) => errors.push(wrong(
            format!(
                "sync `{}` names `orders`, and does not subtract them",
                sync.name
            ),
            "say `online_orders = \"subtract\"`, or take `orders` out",
        )),
        _ => {}
    }
}

/// Spans, shares and units of a sync.
fn numbers(sync: &Sync, errors: &mut Vec<ConfigError>) {
    let name = &sync.name;
    for (key, text) in [("max_age", &sync.max_age), ("deadline", &sync.deadline)] {
        if let Some(Err((message, hint))) = text.as_deref().map(span::parse) {
            errors.push(wrong(format!("sync `{name}`: `{key}`: {message}"), hint));
        }
    }
    for (key, text) in [("share", &sync.share), ("recheck", &sync.recheck)] {
        if let Some(text) = text
            && share(text).is_none()
        {
            errors.push(wrong(
                format!("sync `{name}`: `{key}`: `{text}` is no share"),
                "write a part of the whole, such as `80%`",
            ));
        }
    }
    match &sync.safety_stock {
        None | Some(toml::Value::String(_)) => {}
        Some(toml::Value::Integer(units)) if *units >= 0 => {}
        Some(other) => errors.push(wrong(
            format!(
                "sync `{name}`: `safety_stock`: `{other}` is neither a number of units nor a column"
            ),
            "write `safety_stock = 2`, or the name of a column of the stock source",
        )),
    }
    for (key, units) in [("minimum", sync.minimum), ("maximum", sync.maximum)] {
        if units.is_some_and(|units| units < 0) {
            errors.push(wrong(
                format!("sync `{name}`: `{key}` is below 0"),
                "no store shows fewer than none",
            ));
        }
    }
    if let (Some(minimum), Some(maximum)) = (sync.minimum, sync.maximum)
        && minimum > maximum
    {
        errors.push(wrong(
            format!("sync `{name}`: `minimum` {minimum} is above `maximum` {maximum}"),
            "exchange them, or take one out",
        ));
    }
    for (number, keep) in sync.keep.iter().enumerate() {
        if keep.units < 0 {
            errors.push(wrong(
                format!(
                    "sync `{name}`: [[sync.keep]] number {} keeps {} units back",
                    number + 1,
                    keep.units
                ),
                "write 0 or more",
            ));
        }
    }
}

/// Our locations of a sync: those that the project knows, where it names any.
fn locations(sync: &Sync, project: &Project, errors: &mut Vec<ConfigError>) {
    let Some(own) = &sync.locations else { return };
    let codes: Vec<String> = own.numbered().into_iter().map(|(code, _)| code).collect();
    if codes.is_empty() {
        errors.push(wrong(
            format!(
                "sync `{}`: `locations` names none, and nothing would be sent",
                sync.name
            ),
            "name them, or take `locations` out: all are pooled then",
        ));
    }
    let all = project
        .location
        .iter()
        .filter_map(|location| location.get("code"))
        .map(String::as_str);
    if all.clone().next().is_none() {
        return;
    }
    for code in codes {
        if !all.clone().any(|known| known == code) {
            errors.push(wrong(
                format!("sync `{}`: there is no location `{code}`", sync.name),
                known(&code, all.clone(), ""),
            ));
        }
    }
    if let Locations::Mapped(map) = own {
        for (ours, theirs) in map {
            if theirs.trim().is_empty() {
                errors.push(wrong(
                    format!(
                        "sync `{}`: location `{ours}` leads to no place of the store",
                        sync.name
                    ),
                    "write the store's id of it; a store that has one stock takes a list: `locations = [\"a\", \"b\"]`",
                ));
            }
        }
    }
}

/// A store with locations is told which, one with a single stock is not.
fn stocks(sync: &Sync, project: &Project, errors: &mut Vec<ConfigError>) {
    let Some(store) = project.store.iter().find(|store| store.name == sync.to) else {
        return;
    };
    let channel = crate::channel::load(Some(&project.folder), &connector(store));
    let request = channel.ok().and_then(|channel| channel.manifest.request);
    let Some(levels) = request.and_then(|request| request.levels) else {
        return;
    };
    let mapped = matches!(sync.locations, Some(Locations::Mapped(_)));
    if levels.places && !mapped {
        errors.push(wrong(
            format!(
                "sync `{}`: store `{}` has locations, and none is said to be which",
                sync.name, store.name
            ),
            "write `locations = { ours = \"the store's id\" }`",
        ));
    } else if mapped && !levels.places {
        errors.push(wrong(
            format!(
                "sync `{}`: store `{}` has one stock, and no locations",
                sync.name, store.name
            ),
            "write `locations = [\"a\", \"b\"]`: those of ours that it sells from",
        ));
    }
}

/// The places a sync writes, with one of ours that leads there; the store's only stock is `""`.
fn places(sync: &Sync) -> BTreeMap<&str, &str> {
    match &sync.locations {
        Some(Locations::Mapped(map)) => map
            .iter()
            .map(|(ours, theirs)| (theirs.as_str(), ours.as_str()))
            .collect(),
        Some(Locations::Pooled(_)) | None => BTreeMap::from([("", "")]),
    }
}

/// Two syncs may share a store, and no place of it.
fn overlap(sync: &Sync, other: &Sync, errors: &mut Vec<ConfigError>) {
    let theirs = places(other);
    let Some((place, _)) = places(sync)
        .into_iter()
        .find(|(place, _)| theirs.contains_key(place))
    else {
        return;
    };
    let what = match place {
        "" => "the only stock".to_owned(),
        place => format!("place `{place}`"),
    };
    errors.push(wrong(
        format!(
            "syncs `{}` and `{}` both write {what} of store `{}`",
            other.name, sync.name, sync.to
        ),
        "each would undo the other: give every place of a store to one sync; several of our locations may lead to one place in one sync",
    ));
}

#[cfg(test)]
mod tests;
