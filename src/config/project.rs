//! `shelfcast.toml`: the project as it is written.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::destination::To;
use super::sync::{Rows, Store, Sync, Webhook};
use super::toml_file::{self, ConfigError};

/// A project file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// The shop.
    pub shop: Shop,
    /// Where the catalog comes from: the first is the master, the others join it.
    #[serde(default)]
    pub source: Vec<Source>,
    /// Where stock lies.
    #[serde(default)]
    pub location: Vec<IndexMap<String, String>>,
    /// The feeds to make.
    #[serde(default)]
    pub feed: Vec<Feed>,
    /// A list of products to leave out: sku, feed or `*`, until, reason.
    pub exclude: Option<String>,
    /// Online stores, for `sync`.
    #[serde(default)]
    pub store: Vec<Store>,
    /// What keeps an online store's stock in step.
    #[serde(default)]
    pub sync: Vec<Sync>,
    /// Who is told when a run does not end well.
    pub notify: Option<Notify>,
    /// How long a plan may be carried out, such as `24h`, the default.
    pub plan_life: Option<String>,
    /// The project's folder.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// Who is told when a run does not end well.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    /// A program and its arguments; the summary is its standard input, one line of JSON.
    pub command: Option<Vec<String>>,
    /// An address, or `env:NAME` that holds one; the summary is posted as JSON.
    pub url: Option<String>,
}

/// The shop.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// Its name.
    pub name: String,
    /// Its address on the web.
    pub url: String,
    /// Currency of prices that name none, ISO 4217.
    pub currency: String,
    /// Language of texts that name none, BCP 47.
    pub language: String,
    /// Country, ISO 3166-1.
    pub country: String,
    /// Time zone, IANA.
    #[serde(default = "utc")]
    pub timezone: String,
    /// Units of bare numbers in the catalog.
    #[serde(default)]
    pub units: Units,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// Units of bare numbers in the catalog.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Units {
    /// Of weights, such as `g`.
    pub weight: String,
    /// Of lengths, such as `cm`.
    pub length: String,
}

impl Default for Units {
    fn default() -> Self {
        Units {
            weight: "g".to_owned(),
            length: "cm".to_owned(),
        }
    }
}

/// Which numbers a stock source gives.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Units physically there.
    OnHand,
    /// Units on hand less committed.
    Available,
    /// Units that may be sold online.
    Salable,
}

/// Whether prices contain tax.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Prices {
    /// They do.
    Gross,
    /// They do not.
    Net,
}

/// What a source is for.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Stock by location: many rows a key.
    Stock,
    /// Online orders, for a sync that subtracts them.
    Orders,
}

/// One place data is read from.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// A file, a glob, `-` for standard input, or an https address.
    pub path: Option<String>,
    /// `sqlite:path`, or `env:NAME` that holds a `postgres:` or `mysql:` address.
    pub database: Option<String>,
    /// The query, with `database`.
    pub query: Option<String>,
    /// The query's time-out in milliseconds.
    pub timeout_ms: Option<u64>,
    /// A known export layout.
    pub preset: Option<String>,
    /// `csv tsv json ndjson xml xlsx ods`, where the name does not say it.
    pub format: Option<String>,
    /// The text's encoding, where it is not UTF-8.
    pub encoding: Option<String>,
    /// What separates cells.
    pub delimiter: Option<String>,
    /// What quotes cells.
    pub quote: Option<String>,
    /// Whether the first row names the columns.
    pub header: Option<bool>,
    /// The columns' names, without a header.
    pub names: Option<Vec<String>>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// The XML element of a record.
    pub record: Option<String>,
    /// The path to the array in JSON.
    pub at: Option<String>,
    /// How numbers are written, BCP 47.
    pub locale: Option<String>,
    /// Language of its texts, BCP 47.
    pub language: Option<String>,
    /// Currency of its amounts, ISO 4217.
    pub currency: Option<String>,
    /// Zone of its times, IANA.
    pub timezone: Option<String>,
    /// Whether its prices contain tax.
    pub prices: Option<Prices>,
    /// What separates the elements of a list in a cell.
    pub separator: Option<String>,
    /// The column that joins it to the master: ours.
    pub join: Option<String>,
    /// What it is for, besides adding columns.
    pub role: Option<Role>,
    /// Which numbers a stock source gives.
    pub basis: Option<Basis>,
    /// What a missing row means: only `nothing` and, in a sync, `zero`.
    pub absence: Option<String>,
    /// Ours = a column's name, or a template over the columns.
    #[serde(default)]
    pub fields: IndexMap<String, String>,
    /// Ours = what to take where a row has nothing.
    #[serde(default)]
    pub defaults: IndexMap<String, String>,
    /// Seconds a dropped file must be left alone before it is read.
    pub settle: Option<String>,
    /// The column that orders changes, in a sync: only rows from the last value on are asked for.
    pub cursor: Option<String>,
    /// The column that orders observations of the same SKU, in a sync: a number that grows, or a time; `cursor`'s by default.
    pub order: Option<String>,
    /// How far `cursor` goes back, for rows that others commit late: a span such as `60s`, the default for times; for numbers
    /// how many, 1000 by default.
    #[schemars(with = "Option<serde_json::Value>")]
    pub margin: Option<toml::Value>,
    /// How often a daemon looks for news, such as `1s`.
    pub poll: Option<String>,
    /// The column that parts equal values of `order` or `cursor`.
    pub tie: Option<String>,
    /// What a stock file holds.
    #[serde(default)]
    pub rows: Rows,
    /// The SKU of a last row that says that the file is whole; its quantity is the number of rows before it.
    pub end: Option<String>,
    /// SKUs without which a reading is not whole.
    #[serde(default)]
    pub sentinel: Vec<String>,
    /// Where changes are pushed to us, for a daemon.
    pub webhook: Option<Webhook>,
}

/// One document at one channel.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// Its name, and its file's.
    pub name: String,
    /// The channel that takes it.
    pub channel: String,
    /// Language of its texts, BCP 47; the shop's by default.
    pub language: Option<String>,
    /// Languages taken where that one is missing.
    #[serde(default)]
    pub fallback: Vec<String>,
    /// Its currency, ISO 4217; the shop's by default.
    pub currency: Option<String>,
    /// Which records it has: CEL over catalog columns.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// Attribute = the mapping that replaces the channel's.
    #[serde(default)]
    pub fields: IndexMap<String, String>,
    /// What the channel needs from the merchant.
    #[serde(default)]
    #[schemars(with = "IndexMap<String, serde_json::Value>")]
    pub settings: IndexMap<String, toml::Value>,
    /// Locations whose stock counts; all by default.
    pub locations: Option<Vec<String>>,
    /// The sync whose formula gives `salable`; the only one by default.
    pub stock: Option<String>,
    /// The share of records that may be withheld, such as `20%`.
    pub max_withheld: Option<String>,
    /// The oldest its published version may be before `status` says so, such as `26h`; no limit by default.
    pub max_age: Option<String>,
    /// Compresses the file.
    #[serde(default)]
    pub gzip: bool,
    /// What stops a publication.
    #[serde(default)]
    pub gate: super::gate::GateLimits,
    /// Where it is delivered.
    #[serde(default)]
    pub to: Vec<To>,
    /// What is overlooked, where a feed is only tried; no file can say it.
    #[serde(skip)]
    pub overlooks: Overlooks,
}

/// What is overlooked in a feed that is only tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlooks {
    /// Nothing.
    #[default]
    Nothing,
    /// That a required setting is missing.
    Settings,
    /// The same, and what would withhold an item: it is found, counted, and the item goes on.
    Errors,
}

impl Project {
    /// The project of a folder.
    ///
    /// # Errors
    /// A missing or wrong `shelfcast.toml`.
    pub fn load(folder: &Path) -> Result<Self, ConfigError> {
        let path = folder.join("shelfcast.toml");
        if !path.is_file() {
            return Err(ConfigError::new(
                path.display().to_string(),
                "there is no project here",
                "make one with `shelfcast init DIR --sample`, or name its folder with `--project DIR`",
            ));
        }
        let mut project: Project = toml_file::load(&path, &path.display().to_string())?;
        project.folder = folder.to_owned();
        project.check(&path.display().to_string())?;
        Ok(project)
    }

    /// How long a plan may be carried out.
    ///
    /// # Errors
    /// A text that is no time span.
    pub fn plan_life(&self) -> Result<std::time::Duration, ConfigError> {
        let text = self.plan_life.as_deref().unwrap_or("24h");
        super::span::parse(text).map_err(|(message, hint)| {
            ConfigError::new("shelfcast.toml", format!("`plan_life`: {message}"), hint)
        })
    }

    /// What serde cannot see: names twice, references to nothing, keys that exclude each other.
    fn check(&self, path: &str) -> Result<(), ConfigError> {
        let wrong = |message: String, hint: &str| Err(ConfigError::new(path, message, hint));
        for (index, source) in self.source.iter().enumerate() {
            if self
                .source
                .iter()
                .take(index)
                .any(|other| other.name == source.name)
            {
                return wrong(
                    format!("two sources are called `{}`", source.name),
                    "give each a name of its own",
                );
            }
            match (&source.path, &source.database) {
                (None, None) => {
                    return wrong(
                        format!("source `{}` has neither `path` nor `database`", source.name),
                        "say where it is read from",
                    );
                }
                (Some(_), Some(_)) => {
                    return wrong(
                        format!("source `{}` has both `path` and `database`", source.name),
                        "a source is read from one place",
                    );
                }
                (None, Some(_)) if source.query.is_none() => {
                    return wrong(
                        format!("source `{}` has a database and no `query`", source.name),
                        "add `query = \"SELECT …\"`",
                    );
                }
                _ => {}
            }
            if source.role == Some(Role::Stock) && source.basis.is_none() {
                return wrong(
                    format!(
                        "stock source `{}` does not say what its numbers count",
                        source.name
                    ),
                    "add `basis = \"on_hand\"`, `\"available\"` or `\"salable\"`: committed units subtracted twice undersell, never subtracted they oversell",
                );
            }
            if index > 0 && source.role.is_none() && source.join.is_none() {
                return wrong(
                    format!(
                        "source `{}` does not say how it joins the master",
                        source.name
                    ),
                    "add `join = \"sku\"`",
                );
            }
        }
        for (index, feed) in self.feed.iter().enumerate() {
            if self
                .feed
                .iter()
                .take(index)
                .any(|other| other.name == feed.name)
            {
                return wrong(
                    format!("two feeds are called `{}`", feed.name),
                    "give each a name of its own",
                );
            }
            if feed.name.is_empty()
                || !feed
                    .name
                    .chars()
                    .all(|letter| letter.is_alphanumeric() || "-_.".contains(letter))
                || feed.name.starts_with('.')
            {
                return wrong(
                    format!("`{}` cannot be a feed's name: it names a file", feed.name),
                    "use letters, digits, `-` and `_`",
                );
            }
            if let Some(Err((message, hint))) = feed.max_age.as_deref().map(super::span::parse) {
                return wrong(
                    format!("`max_age` of feed `{}`: {message}", feed.name),
                    hint,
                );
            }
        }
        for location in &self.location {
            if !location.contains_key("code") {
                return wrong(
                    "a [[location]] has no `code`".to_owned(),
                    "add `code = \"…\"`: the name that stock rows use",
                );
            }
        }
        Ok(())
    }
}
