//! A channel's manifest: what it takes, as it is written in `channels/<name>.toml`.

pub mod request;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::project::Prices;

use request::Request;

/// What a channel takes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its name, and its file's.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What kind of place it is.
    pub group: Group,
    /// Countries it matters in, ISO 3166-1; `*` is all.
    pub countries: Vec<String>,
    /// Where its rules are written.
    pub spec: Spec,
    /// What it knows and this manifest does not.
    #[serde(default)]
    pub not_covered: Vec<String>,
    /// What one item is.
    pub records: Records,
    /// The format, which decides escaping, checks and the file's ending.
    pub format: Format,
    /// The template's file; formats with columns or members may leave it out.
    pub template: Option<String>,
    /// Whether its prices contain tax.
    pub prices: Option<Prices>,
    /// What leaving an item out does there.
    #[serde(default)]
    pub absence: Absence,
    /// How large a file it takes.
    #[serde(default)]
    pub limits: Limits,
    /// Whether larger feeds are split.
    #[serde(default)]
    pub parts: Parts,
    /// Which records it wants at all: CEL over catalog columns; the feed's `where` narrows it further.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// What the items are sorted by: attributes, or columns of the catalog; `-price` puts the greatest first. With it the
    /// template knows `group.first` and `group.last`: whether the item is the first or last of those that share the first
    /// of them.
    #[serde(default)]
    pub sort: Vec<String>,
    /// `item`: a document for each item, in a folder of the feed's name.
    pub document: Option<String>,
    /// The name of each document's file: a template over the attributes, such as `{{slug title}}.html`.
    pub file: Option<String>,
    /// The dialect of delimited files.
    #[serde(default)]
    pub delimited: Delimited,
    /// How it takes requests rather than a document.
    pub request: Option<Request>,
    /// What the merchant must or may say.
    #[serde(default)]
    pub settings: IndexMap<String, Setting>,
    /// Its attributes, in order.
    pub attributes: IndexMap<String, Attribute>,
}

impl Manifest {
    /// Whether each item is a document of its own.
    pub fn is_a_document_an_item(&self) -> bool {
        self.document.as_deref() == Some("item")
    }
}

/// What kind of place a channel is.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// The shop's own site and its platform.
    Website,
    /// Search engines and advertising.
    SearchAds,
    /// Marketplaces.
    Marketplace,
    /// Social networks.
    Social,
    /// Price comparison.
    PriceComparison,
    /// Shopping by AI assistants.
    Ai,
    /// Tills, shelf labels, ERP.
    StoreSystem,
}

impl Group {
    /// The word in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Group::Website => "website",
            Group::SearchAds => "search-ads",
            Group::Marketplace => "marketplace",
            Group::Social => "social",
            Group::PriceComparison => "price-comparison",
            Group::Ai => "ai",
            Group::StoreSystem => "store-system",
        }
    }
}

/// Where a channel's rules are written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The specification's address.
    pub url: String,
    /// The day it was read, `YYYY-MM-DD`.
    pub read: String,
    /// `specification`, `public code` or `general knowledge`.
    pub certainty: String,
}

/// What one item is made of.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Records {
    /// One variant.
    Variants,
    /// One product with its variants.
    Products,
    /// One stock row, joined to its variant.
    Stock,
}

/// A feed's format.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// XML.
    Xml,
    /// Comma-separated, or as `[delimited]` says.
    Csv,
    /// Tab-separated.
    Tsv,
    /// One JSON document.
    Json,
    /// A JSON document a line.
    Ndjson,
    /// HTML.
    Html,
    /// A workbook.
    Xlsx,
    /// Text.
    Text,
    /// EDIFACT.
    Edifact,
}

impl Format {
    /// The file's ending.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Xml => "xml",
            Format::Csv => "csv",
            Format::Tsv => "tsv",
            Format::Json => "json",
            Format::Ndjson => "jsonl",
            Format::Html => "html",
            Format::Xlsx => "xlsx",
            Format::Text => "txt",
            Format::Edifact => "edi",
        }
    }

    /// Its word in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Ndjson => "ndjson",
            Format::Text => "text",
            Format::Edifact => "edifact",
            other => other.extension(),
        }
    }

    /// Whether attributes are columns.
    pub fn is_delimited(self) -> bool {
        matches!(self, Format::Csv | Format::Tsv | Format::Xlsx)
    }
}

/// What leaving an item out does at the channel.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(try_from = "String")]
pub enum Absence {
    /// It is deleted there.
    #[default]
    Delete,
    /// Nothing happens.
    Nothing,
    /// It must be named as gone.
    Tombstone,
    /// It must be sent with no stock.
    Zero,
    /// It goes after so many days.
    Expire(u32),
}

impl TryFrom<String> for Absence {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(match text.as_str() {
            "delete" => Absence::Delete,
            "nothing" => Absence::Nothing,
            "tombstone" => Absence::Tombstone,
            "zero" => Absence::Zero,
            other => match other
                .strip_prefix("expire:")
                .and_then(|days| days.strip_suffix('d'))
                .and_then(|days| days.parse().ok())
            {
                Some(days) => Absence::Expire(days),
                None => {
                    return Err(format!(
                        "`{other}` is no absence: `delete nothing tombstone zero expire:30d`"
                    ));
                }
            },
        })
    }
}

/// How large a file a channel takes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes before compression, such as `4 GB`.
    pub bytes: Option<String>,
    /// Items.
    pub items: Option<u64>,
}

/// Whether larger feeds are split.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parts {
    /// They are.
    pub allowed: bool,
    /// The template of a file that names the parts.
    pub index: Option<String>,
}

/// The dialect of a delimited file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Delimited {
    /// What separates cells: one character.
    pub delimiter: Option<String>,
    /// `necessary`, `always` or `never`.
    pub quote: Option<String>,
    /// `lf` or `crlf`.
    pub line_end: Option<String>,
    /// Whether the first row names the columns.
    pub header: Option<bool>,
    /// Whether a byte order mark goes first.
    pub bom: Option<bool>,
    /// The encoding, `utf-8` by default.
    pub encoding: Option<String>,
}

/// What a channel needs from the merchant.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Setting {
    /// Whether a feed must give it.
    pub required: bool,
    /// What it is: `text`, `integer`, `boolean`, `list`.
    pub kind: Option<String>,
    /// What holds where the feed says nothing.
    #[schemars(with = "Option<serde_json::Value>")]
    pub default: Option<toml::Value>,
    /// The values it may have.
    pub one_of: Option<Vec<String>>,
    /// An example, which the channel's own cases use.
    #[schemars(with = "Option<serde_json::Value>")]
    pub example: Option<toml::Value>,
    /// What it means.
    pub about: Option<String>,
}

/// What an attribute's value is.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum AttributeKind {
    /// Text.
    #[default]
    Text,
    /// Text with HTML.
    Html,
    /// An absolute http(s) address.
    Url,
    /// The address of an image.
    ImageUrl,
    /// One of a few words.
    Enum,
    /// A GTIN with a right check digit.
    Gtin,
    /// An amount of money.
    Money,
    /// An exact number.
    Decimal,
    /// A whole number.
    Integer,
    /// A date or moment.
    Date,
    /// `true` or `false`.
    Boolean,
}

impl AttributeKind {
    /// The word in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            AttributeKind::Text => "text",
            AttributeKind::Html => "html",
            AttributeKind::Url => "url",
            AttributeKind::ImageUrl => "image-url",
            AttributeKind::Enum => "enum",
            AttributeKind::Gtin => "gtin",
            AttributeKind::Money => "money",
            AttributeKind::Decimal => "decimal",
            AttributeKind::Integer => "integer",
            AttributeKind::Date => "date",
            AttributeKind::Boolean => "boolean",
        }
    }
}

/// How long a value may be, in one measure.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct MaxLength {
    /// Unicode characters.
    pub characters: Option<usize>,
    /// What a reader takes for one letter.
    pub graphemes: Option<usize>,
    /// UTF-16 units.
    pub utf16: Option<usize>,
    /// Bytes of UTF-8.
    pub bytes: Option<usize>,
}

/// What happens to a value that is too long.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// It is cut, at a word's end where there is one.
    Cut,
    /// The item is withheld.
    Withhold,
}

/// How much a broken rule matters.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// The item is withheld.
    Error,
    /// It is counted and shown.
    Warning,
}

/// On which level of a product an attribute stands.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum AttributeLevel {
    /// Once a product.
    Product,
    /// Once a variant.
    Variant,
}

/// One attribute of a channel.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Attribute {
    /// The mapping: a template over catalog columns.
    pub value: Option<String>,
    /// The column whose elements become a list.
    pub list: Option<String>,
    /// Elements left out at the front.
    pub skip: usize,
    /// Elements taken at most.
    pub max_items: Option<usize>,
    /// What joins a list in one cell.
    pub separator: Option<String>,
    /// Whether an item without it is refused.
    pub required: bool,
    /// The same, where a condition over the attributes holds: CEL.
    pub required_if: Option<String>,
    /// How much a broken rule matters.
    pub severity: Option<Weight>,
    /// Whether two items may not share it.
    pub unique: bool,
    /// The values it may have.
    pub one_of: Option<Vec<String>>,
    /// Ours = the channel's spelling.
    pub map: IndexMap<String, String>,
    /// How long it may be.
    pub max_length: Option<MaxLength>,
    /// What happens when it is longer.
    pub overflow: Option<Overflow>,
    /// How short it may be, in the same measures.
    pub min_length: Option<MaxLength>,
    /// What it must look like: a regular expression that is found in it; `^` and `$` hold it to the whole.
    pub pattern: Option<String>,
    /// The least and the greatest number it may be, money included: `[1, 99999]`, `["0.01", "9999.99"]`; `[1]` has no
    /// greatest.
    #[schemars(with = "Option<Vec<serde_json::Value>>")]
    pub range: Option<Vec<toml::Value>>,
    /// What it is.
    pub kind: AttributeKind,
    /// On which level of a product it stands.
    pub level: Option<AttributeLevel>,
    /// `location`: a column for each location.
    pub per: Option<String>,
    /// What is not obvious about it.
    pub about: Option<String>,
}
