//! What a manifest may not say, key by key.

use crate::catalog::columns::{self, Kind};
use crate::channel::Channel;
use crate::channel::manifest::{Attribute, AttributeKind, Format, Manifest, Overflow, Records};
use crate::helper;
use crate::program::nearest::near;
use crate::validate::finding::Severity;

use super::Problem;
use super::countries::is_country;
use super::place::Places;

/// Names that templates know beside the attributes.
pub(super) const RESERVED: &[&str] = &[
    "catalog", "shop", "feed", "settings", "run", "items", "variants", "this",
];
/// Blocks and lookups of Handlebars itself.
const BLOCKS: &[&str] = &["if", "unless", "each", "with", "lookup", "log"];
const CERTAINTIES: &[&str] = &["specification", "public code", "general knowledge"];
const SETTING_KINDS: &[&str] = &[
    "text",
    "html",
    "url",
    "image-url",
    "enum",
    "gtin",
    "money",
    "decimal",
    "integer",
    "date",
    "boolean",
    "list",
];

/// Collects problems of one file.
struct Rules<'c, 'p> {
    channel: &'c Channel,
    places: &'c Places<'c>,
    problems: &'p mut Vec<Problem>,
}

/// Checks a manifest.
pub(super) fn check(channel: &Channel, places: &Places<'_>, problems: &mut Vec<Problem>) {
    let mut rules = Rules {
        channel,
        places,
        problems,
    };
    rules.head();
    rules.settings();
    for (name, attribute) in &channel.manifest.attributes {
        rules.name(name);
        rules.values(name, attribute);
        rules.lengths(name, attribute);
        rules.without_effect(name, attribute);
    }
}

impl Rules<'_, '_> {
    fn manifest(&self) -> &Manifest {
        &self.channel.manifest
    }

    fn say(
        &mut self,
        rule: &'static str,
        severity: Severity,
        at: (usize, usize),
        message: String,
        hint: impl Into<String>,
    ) {
        let path = self.channel.manifest_path.clone();
        self.problems.push(Problem {
            rule,
            severity,
            path,
            line: at.0,
            column: at.1,
            message,
            hint: hint.into(),
        });
    }

    fn head(&mut self) {
        let manifest = self.manifest().clone();
        if manifest.title.trim().is_empty() {
            self.say(
                "no-title",
                Severity::Error,
                self.places.value(&["title"]),
                "the channel has no title".to_owned(),
                "write what people call it",
            );
        }
        if manifest.countries.is_empty() {
            let at = self.places.value(&["countries"]);
            self.say(
                "unknown-country",
                Severity::Error,
                at,
                "the channel names no country".to_owned(),
                "write `[\"*\"]` where it matters everywhere",
            );
        }
        for (index, country) in manifest
            .countries
            .iter()
            .enumerate()
            .filter(|(_, country)| *country != "*" && !is_country(country))
        {
            let at = self.places.element(&["countries"], index);
            let upper = country.to_ascii_uppercase();
            let hint = match upper.as_str() {
                "UK" => "did you mean `GB`?".to_owned(),
                known if is_country(known) => format!("did you mean `{known}`?"),
                _ => "write two letters of ISO 3166-1, such as `TH`, or `*`".to_owned(),
            };
            self.say(
                "unknown-country",
                Severity::Error,
                at,
                format!("`{country}` is no country"),
                hint,
            );
        }
        if manifest.spec.read.parse::<jiff::civil::Date>().is_err() {
            let at = self.places.value(&["spec", "read"]);
            self.say(
                "spec-date",
                Severity::Error,
                at,
                format!("`{}` is no day", manifest.spec.read),
                "write the day the specification was read: `YYYY-MM-DD`",
            );
        }
        if !CERTAINTIES.contains(&manifest.spec.certainty.as_str()) {
            let at = self.places.value(&["spec", "certainty"]);
            let hint = near(&manifest.spec.certainty, CERTAINTIES.iter().copied());
            let all = "it is `specification`, `public code` or `general knowledge`";
            self.say(
                "certainty",
                Severity::Error,
                at,
                format!("`{}` is no certainty", manifest.spec.certainty),
                hint.unwrap_or_else(|| all.to_owned()),
            );
        }
        if !manifest.spec.url.starts_with("https://") && !manifest.spec.url.starts_with("http://") {
            let at = self.places.value(&["spec", "url"]);
            self.say(
                "spec-url",
                Severity::Error,
                at,
                format!("`{}` is no web address", manifest.spec.url),
                "say where the rules are written, so that others can read them",
            );
        }
        if manifest.attributes.is_empty() {
            self.say(
                "no-attributes",
                Severity::Error,
                (1, 1),
                "the channel has no attribute".to_owned(),
                "add `[attributes.id]` with `value = \"{{sku}}\"`",
            );
        }
        match (manifest.document.as_deref(), &manifest.file) {
            (Some("item"), None) => {
                let at = self.places.value(&["document"]);
                self.say(
                    "no-file",
                    Severity::Error,
                    at,
                    "a document for each item needs a file name".to_owned(),
                    "add `file = \"{{slug title}}.html\"`",
                );
            }
            (Some("item") | None, _) => {}
            (Some(other), _) => {
                let at = self.places.value(&["document"]);
                self.say(
                    "document",
                    Severity::Error,
                    at,
                    format!("`document = \"{other}\"` is not known"),
                    "`document = \"item\"` makes a document for each item",
                );
            }
        }
        for (index, key) in manifest.sort.iter().enumerate() {
            let column = key.strip_prefix('-').unwrap_or(key);
            if manifest.attributes.contains_key(column) {
                continue;
            }
            if columns::find(column).is_none()
                && !columns::DERIVED.iter().any(|(name, _, _)| *name == column)
            {
                let at = self.places.element(&["sort"], index);
                let hint = near(column, columns::COLUMNS.iter().map(|column| column.name))
                    .unwrap_or_else(|| "it sorts by columns of the catalog".to_owned());
                self.say(
                    "impossible-name",
                    Severity::Error,
                    at,
                    format!("the catalog has no column `{column}`"),
                    hint,
                );
            }
        }
        self.delimited(&manifest);
    }

    fn delimited(&mut self, manifest: &Manifest) {
        let dialect = &manifest.delimited;
        let is_delimited = matches!(manifest.format, Format::Csv | Format::Tsv);
        let mut word = |key: &str, value: Option<&str>, known: &[&str]| {
            let Some(value) = value.filter(|value| !known.contains(value)) else {
                return;
            };
            let at = self.places.value(&["delimited", key]);
            let all = known
                .iter()
                .map(|word| format!("`{word}`"))
                .collect::<Vec<_>>()
                .join(", ");
            let hint =
                near(value, known.iter().copied()).unwrap_or_else(|| format!("known here: {all}"));
            self.say(
                "dialect",
                Severity::Error,
                at,
                format!("`{key} = \"{value}\"` is not known"),
                hint,
            );
        };
        word(
            "quote",
            dialect.quote.as_deref(),
            &["necessary", "always", "never"],
        );
        word("line_end", dialect.line_end.as_deref(), &["lf", "crlf"]);
        if let Some(delimiter) = dialect.delimiter.as_deref().filter(|text| text.len() != 1) {
            let at = self.places.value(&["delimited", "delimiter"]);
            self.say(
                "dialect",
                Severity::Error,
                at,
                format!("`{delimiter}` is no delimiter"),
                "it is one ASCII character, such as `;`",
            );
        }
        if let Some(label) = dialect
            .encoding
            .as_deref()
            .filter(|label| encoding_rs::Encoding::for_label(label.as_bytes()).is_none())
        {
            let at = self.places.value(&["delimited", "encoding"]);
            self.say(
                "dialect",
                Severity::Error,
                at,
                format!("`{label}` is no encoding"),
                "write it like `utf-8` or `windows-1250`",
            );
        }
        let used = dialect.quote.is_some()
            || dialect.line_end.is_some()
            || dialect.delimiter.is_some()
            || dialect.header.is_some();
        if used && !is_delimited {
            let at = self.places.key(&["delimited"]);
            self.say(
                "no-effect",
                Severity::Warning,
                at,
                "`[delimited]` has no effect in this format".to_owned(),
                "it belongs to csv and tsv; take it out",
            );
        }
    }

    fn settings(&mut self) {
        for (name, setting) in &self.channel.manifest.settings {
            if let Some(kind) = setting
                .kind
                .as_deref()
                .filter(|kind| !SETTING_KINDS.contains(kind))
            {
                let at = self.places.value(&["settings", name, "kind"]);
                let hint = near(kind, SETTING_KINDS.iter().copied()).unwrap_or_else(|| {
                    "it is `text`, `integer`, `decimal`, `boolean`, `list` …".to_owned()
                });
                self.say(
                    "setting-kind",
                    Severity::Error,
                    at,
                    format!("setting `{name}`: `{kind}` is no kind"),
                    hint,
                );
            }
            if setting.required && setting.example.is_none() {
                let at = self.places.key(&["settings", name]);
                let message = format!("setting `{name}` is required and has no example");
                self.say(
                    "no-example",
                    Severity::Error,
                    at,
                    message,
                    "add `example = …`: messages show it, and the channel's cases use it",
                );
            }
            if setting.required && setting.default.is_some() {
                let at = self.places.value(&["settings", name, "required"]);
                let message = format!(
                    "setting `{name}` is required and has a default, so that it is never missed"
                );
                self.say(
                    "no-effect",
                    Severity::Warning,
                    at,
                    message,
                    "take one of the two out",
                );
            }
            let text = &self.channel.manifest_text;
            let template = self.channel.template.as_ref().map_or("", |(_, text)| text);
            let mentioned = |text: &str| {
                text.contains(&format!("settings.{name}"))
                    || text.contains(&format!("settings.[{name}]"))
            };
            if !mentioned(text)
                && !mentioned(template)
                && !self
                    .channel
                    .partials
                    .values()
                    .any(|partial| mentioned(partial))
            {
                let at = self.places.key(&["settings", name]);
                self.say(
                    "unused-setting",
                    Severity::Warning,
                    at,
                    format!("setting `{name}` is used nowhere"),
                    format!("write `{{{{settings.{name}}}}}` where it belongs, or take it out"),
                );
            }
        }
    }

    fn name(&mut self, name: &str) {
        let at = self.places.key(&["attributes", name]);
        let groups = name == "group" && !self.channel.manifest.sort.is_empty();
        if RESERVED.contains(&name) || groups {
            let message =
                format!("attribute `{name}` has a name that templates know for something else");
            self.say(
                "reserved-name",
                Severity::Error,
                at,
                message,
                format!("call it `{name}_value`; the template writes the channel's own name"),
            );
            return;
        }
        // A column's header may be any word; only a template could take it for the helper.
        let columns =
            self.channel.template.is_none() && self.channel.manifest.format.is_delimited();
        if !columns && (helper::find(name).is_some() || BLOCKS.contains(&name)) {
            let message = format!("attribute `{name}` is called like the helper `{name}`");
            self.say(
                "reserved-name",
                Severity::Error,
                at,
                message,
                format!("call it `{name}_value`; the template writes the channel's own name"),
            );
        }
    }

    fn values(&mut self, name: &str, attribute: &Attribute) {
        if attribute.kind == AttributeKind::Enum
            && attribute.one_of.as_ref().is_none_or(Vec::is_empty)
        {
            let at = self.places.value(&["attributes", name, "kind"]);
            self.say(
                "enum-without-values",
                Severity::Error,
                at,
                format!("attribute `{name}` is an enum and knows no value"),
                "add `one_of = […]`",
            );
        }
        if let Some(allowed) = &attribute.one_of {
            for (ours, theirs) in &attribute.map {
                if !theirs.is_empty() && !allowed.contains(theirs) {
                    let at = self.places.value(&["attributes", name, "map", ours]);
                    let hint =
                        near(theirs, allowed.iter().map(String::as_str)).unwrap_or_else(|| {
                            "add it to `one_of`, or map to a word that stands there".to_owned()
                        });
                    self.say("map-not-in-values", Severity::Error, at, format!("attribute `{name}` maps `{ours}` to `{theirs}`, which `one_of` does not allow"), hint);
                }
            }
        }
        let Some(known) = attribute
            .value
            .as_deref()
            .and_then(plain_column)
            .and_then(canonical)
        else {
            return;
        };
        for ours in attribute
            .map
            .keys()
            .filter(|ours| !known.contains(&ours.as_str()))
        {
            let at = self.places.key(&["attributes", name, "map", ours]);
            let all = known
                .iter()
                .map(|word| format!("`{word}`"))
                .collect::<Vec<_>>()
                .join(", ");
            let hint = near(ours, known.iter().copied())
                .unwrap_or_else(|| format!("the column gives {all}"));
            self.say(
                "map-never-met",
                Severity::Error,
                at,
                format!("attribute `{name}` maps `{ours}`, which the column never gives"),
                hint,
            );
        }
    }

    fn lengths(&mut self, name: &str, attribute: &Attribute) {
        if let Some(limits) = attribute.max_length {
            let measures = [
                limits.characters,
                limits.graphemes,
                limits.utf16,
                limits.bytes,
            ];
            let at = self.places.value(&["attributes", name, "max_length"]);
            if measures.iter().all(Option::is_none) {
                self.say(
                    "no-length",
                    Severity::Error,
                    at,
                    format!("attribute `{name}`: `max_length` names no measure"),
                    "write `{ characters = 150 }`, or graphemes, utf16, bytes",
                );
            }
            if measures.contains(&Some(0)) {
                self.say(
                    "no-length",
                    Severity::Error,
                    at,
                    format!("attribute `{name}`: a length of 0 lets nothing through"),
                    "write how long it may be",
                );
            }
            if attribute.overflow == Some(Overflow::Cut)
                && (attribute.unique
                    || matches!(
                        attribute.kind,
                        AttributeKind::Url | AttributeKind::ImageUrl | AttributeKind::Gtin
                    ))
            {
                let at = self.places.value(&["attributes", name, "overflow"]);
                self.say(
                    "cut-identifier",
                    Severity::Error,
                    at,
                    format!("attribute `{name}` would be cut, and then names something else"),
                    "write `overflow = \"withhold\"`",
                );
            }
        } else if attribute.overflow.is_some() {
            let at = self.places.key(&["attributes", name, "overflow"]);
            self.say(
                "no-effect",
                Severity::Warning,
                at,
                format!("attribute `{name}`: `overflow` has no effect without `max_length`"),
                "add `max_length`, or take it out",
            );
        }
    }

    fn without_effect(&mut self, name: &str, attribute: &Attribute) {
        let records = self.channel.manifest.records;
        let mut useless = |key: &str, why: &str, hint: &str| {
            let at = self.places.key(&["attributes", name, key]);
            self.say(
                "no-effect",
                Severity::Warning,
                at,
                format!("attribute `{name}`: `{key}` has no effect {why}"),
                hint,
            );
        };
        if attribute.list.is_none() {
            for (key, given) in [
                ("skip", attribute.skip > 0),
                ("max_items", attribute.max_items.is_some()),
                ("separator", attribute.separator.is_some()),
            ] {
                if given {
                    useless(key, "without `list`", "name the list: `list = \"images\"`");
                }
            }
        }
        if attribute.level.is_some() && records != Records::Products {
            useless("level", "without `records = \"products\"`", "take it out");
        }
        if attribute.required && attribute.required_if.is_some() {
            useless(
                "required_if",
                "beside `required = true`",
                "keep one of the two",
            );
        }
    }
}

/// The column of a mapping that is a column alone: `{{availability}}`.
pub(super) fn plain_column(mapping: &str) -> Option<&str> {
    let name = mapping
        .trim()
        .strip_prefix("{{")?
        .strip_suffix("}}")?
        .trim();
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    plain.then_some(name)
}

/// The words a column gives after reading, where they are few.
fn canonical(column: &str) -> Option<&'static [&'static str]> {
    match columns::find(column)?.kind {
        Kind::Availability => Some(&["in_stock", "out_of_stock", "preorder", "backorder"]),
        Kind::Condition => Some(&["new", "refurbished", "used"]),
        Kind::Gender => Some(&["male", "female", "unisex"]),
        Kind::AgeGroup => Some(&["newborn", "infant", "toddler", "kids", "adult"]),
        _ => None,
    }
}
