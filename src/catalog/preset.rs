//! Known export layouts: which columns are ours, which rows make one product. Each is a file in `src/catalog/presets/`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The layout of a known export.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Its name, as `preset = "…"` says it.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Columns that must all be there for a file to be recognised.
    pub recognise: Vec<String>,
    /// Columns of which one at least must be there as well; none is asked when empty.
    #[serde(default)]
    pub recognise_any: Vec<String>,
    /// File formats it comes in.
    #[serde(default)]
    pub formats: Vec<String>,
    /// The XML element of a record.
    pub record: Option<String>,
    /// The path to the array in JSON.
    pub at: Option<String>,
    /// Ours = a column's name, or a template over the columns.
    pub fields: BTreeMap<String, String>,
    /// What rows of one product share: a template. Rows without are products of their own.
    pub key: Option<String>,
    /// Whether a row without a key goes on with the product above it.
    #[serde(default)]
    pub continues: bool,
    /// Further keys this row is known by: a list, elements separated by `|`.
    pub aliases: Option<String>,
    /// What a row is: a template that gives `variant`, `product` (a product's own row, no variant), `head` (the same, but a
    /// variant where the product has no other) or `extra` (neither).
    pub role: Option<String>,
    /// Columns gathered over all rows of a product.
    #[serde(default)]
    pub gather: Vec<String>,
    /// Columns a variant never takes from its product, though the vocabulary would.
    #[serde(default)]
    pub own: Vec<String>,
    /// Columns found by their names, in any of our languages, among `options` and `params`: color, size.
    #[serde(default)]
    pub named: Vec<String>,
    /// A filter for its feeds, in CEL: what the shop itself does not show.
    pub filter: Option<String>,
    /// Further sources over the same file, as `[[source]]` has them: tables that refer to each other.
    #[serde(default)]
    pub also: Vec<toml::Table>,
    /// Whether rows of a product may stand apart, so that the file is read whole first.
    #[serde(default)]
    pub scattered: bool,
    /// How numbers are written, BCP 47.
    pub locale: Option<String>,
    /// Unit of bare weights.
    pub weight_unit: Option<String>,
    /// What separates the elements of a list, by our column.
    #[serde(default)]
    pub separators: BTreeMap<String, String>,
    /// What a person should know about it.
    #[serde(default)]
    pub about: String,
}

const FILES: &[(&str, &str)] = &[
    ("shopify", include_str!("presets/shopify.toml")),
    ("woocommerce", include_str!("presets/woocommerce.toml")),
    (
        "woocommerce-xml",
        include_str!("presets/woocommerce-xml.toml"),
    ),
    ("magento", include_str!("presets/magento.toml")),
    ("google-rss", include_str!("presets/google-rss.toml")),
    ("google-tsv", include_str!("presets/google-tsv.toml")),
    ("spree", include_str!("presets/spree.toml")),
    ("prestashop", include_str!("presets/prestashop.toml")),
    ("opencart", include_str!("presets/opencart.toml")),
    ("vendure", include_str!("presets/vendure.toml")),
    ("square", include_str!("presets/square.toml")),
    ("saleor", include_str!("presets/saleor.toml")),
    ("saleor-part", include_str!("presets/saleor-part.toml")),
];

static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(name, text)| {
            toml::from_str(text).unwrap_or_else(|error| panic!("built-in preset `{name}`: {error}"))
        })
        .collect()
});

impl Preset {
    /// Whether one of its templates is this one.
    pub fn has(&self, template: &str) -> bool {
        let rows = [&self.key, &self.aliases, &self.role];
        self.fields.values().any(|known| known == template)
            || rows.into_iter().flatten().any(|known| known == template)
    }
}

/// All known layouts.
pub fn all() -> &'static [Preset] {
    &PRESETS
}

/// The layout of that name.
pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// The layout a file's columns show, when one is known.
pub fn recognise(columns: &[String]) -> Option<&'static Preset> {
    let has = |wanted: &String| {
        columns
            .iter()
            .any(|column| column.eq_ignore_ascii_case(wanted))
    };
    PRESETS
        .iter()
        .filter(|preset| !preset.recognise.is_empty() && preset.recognise.iter().all(has))
        .filter(|preset| preset.recognise_any.is_empty() || preset.recognise_any.iter().any(has))
        .max_by_key(|preset| preset.recognise.len() + preset.recognise_any.len().min(1))
}
