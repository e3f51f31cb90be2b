//! `[feed.gate]`: what stops a publication.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};

use crate::program::decimal;

/// What stops a publication. Each limit is a share such as `"10%"`, tripped by more than it, or `"off"`.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct GateLimits {
    /// Items that go, of those that stand there.
    pub removed: Limit,
    /// Items that come, of those that stand there.
    pub added: Limit,
    /// Items that come back under another id, of those that stand there.
    pub ids_changed: Limit,
    /// Items whose price moves far.
    pub price_moved: PriceLimit,
    /// Items that can no longer be bought, of those that could.
    pub going_out_of_stock: Limit,
    /// Items that lose an attribute's value: percentage points of its fill.
    pub fill_drop: Limit,
    /// How much larger or smaller the feed is.
    pub bytes: Limit,
    /// Fewer items than this trip no gate.
    pub at_least: u64,
}

impl Default for GateLimits {
    fn default() -> Self {
        let percent = |percent: i64| Limit(Some(Decimal::new(percent, 2)));
        GateLimits {
            removed: percent(10),
            added: percent(50),
            ids_changed: percent(5),
            price_moved: PriceLimit(Some(PriceShares::default())),
            going_out_of_stock: percent(20),
            fill_drop: percent(10),
            bytes: percent(50),
            at_least: 5,
        }
    }
}

impl GateLimits {
    /// What counts as a far move of a price; the default where the gate is off.
    pub fn price_by(&self) -> Decimal {
        self.price_moved.0.unwrap_or_default().by
    }
}

/// A share (`0.1` is 10 %), or nothing for `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub Option<Decimal>);

/// How many prices may move how far, or nothing for `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceLimit(pub Option<PriceShares>);

/// How many prices may move how far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceShares {
    /// The share of the items with a price in both versions that may move far.
    pub share: Decimal,
    /// What is far: a share of the old price.
    pub by: Decimal,
}

impl Default for PriceShares {
    fn default() -> Self {
        PriceShares {
            share: Decimal::new(20, 2),
            by: Decimal::new(50, 2),
        }
    }
}

/// A share as it is written: `10%` or `0.5%`.
fn share(text: &str) -> Result<Decimal, String> {
    let number = text.trim().strip_suffix('%').map(str::trim);
    let share = number
        .and_then(decimal::parse)
        .and_then(|number| number.checked_div(Decimal::ONE_HUNDRED))
        .filter(|share| *share >= Decimal::ZERO);
    share.ok_or_else(|| format!("`{text}` is no share: write it like `\"10%\"`, or `\"off\"`"))
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Written::deserialize(deserializer)?.text::<D>()?;
        if text == "off" {
            return Ok(Limit(None));
        }
        share(&text)
            .map(|share| Limit(Some(share)))
            .map_err(de::Error::custom)
    }
}

/// A value of any kind, so that a wrong one is answered in our words.
#[derive(Deserialize)]
#[serde(transparent)]
struct Written(toml::Value);

impl Written {
    fn text<'de, D: Deserializer<'de>>(self) -> Result<String, D::Error> {
        match self.0 {
            toml::Value::String(text) => Ok(text),
            other => Err(de::Error::custom(format!(
                "`{other}` is no share: write it like `\"10%\"`, or `\"off\"`"
            ))),
        }
    }
}

/// The table of `price_moved`.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct PriceTable {
    /// The share of prices that may move far.
    share: String,
    /// What is far: a share of the old price.
    by: String,
}

impl Default for PriceTable {
    fn default() -> Self {
        PriceTable {
            share: "20%".to_owned(),
            by: "50%".to_owned(),
        }
    }
}

impl<'de> Deserialize<'de> for PriceLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) if text == "off" => return Ok(PriceLimit(None)),
            table @ toml::Value::Table(_) => table,
            other => {
                return Err(de::Error::custom(format!(
                    "`{other}` is no limit: write `price_moved = {{ share = \"20%\", by = \"50%\" }}`, or `\"off\"`"
                )));
            }
        };
        let table: PriceTable = table
            .try_into()
            .map_err(|error: toml::de::Error| de::Error::custom(error.message()))?;
        let share_of = |text: &str| share(text).map_err(de::Error::custom);
        Ok(PriceLimit(Some(PriceShares {
            share: share_of(&table.share)?,
            by: share_of(&table.by)?,
        })))
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^([0-9]+(\\.[0-9]+)? ?%|off)$",
            "description": "A share such as `10%`, or `off`."
        })
    }
}

impl JsonSchema for PriceLimit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PriceLimit".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let table = generator.subschema_for::<PriceTable>();
        schemars::json_schema!({ "anyOf": [{ "const": "off" }, table] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::toml_file::parse;

    fn limits(text: &str) -> Result<GateLimits, String> {
        parse("shelfcast.toml", text).map_err(|error| format!("{error} ({})", error.hint))
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        assert_eq!(limits(""), Ok(GateLimits::default()));
        let some = limits(
            "removed = \"off\"\nadded = \"12.5%\"\nat_least = 1\nprice_moved = { by = \"10 %\" }",
        )
        .expect("good");
        assert_eq!(some.removed, Limit(None));
        assert_eq!(some.added, Limit(Some(Decimal::new(125, 3))));
        assert_eq!(some.at_least, 1);
        let prices = some.price_moved.0.expect("on");
        assert_eq!(
            (prices.share, prices.by),
            (Decimal::new(2, 1), Decimal::new(1, 1))
        );
        assert_eq!(
            limits("price_moved = \"off\"").map(|some| some.price_moved),
            Ok(PriceLimit(None))
        );
    }

    #[test]
    fn an_unknown_gate_and_a_wrong_limit_are_errors() {
        for (text, words) in [
            (
                "removd = \"10%\"",
                "unknown key `removd` (did you mean `removed`?",
            ),
            ("removed = 10", "`10` is no share"),
            ("removed = \"10\"", "`10` is no share"),
            ("removed = \"-1%\"", "`-1%` is no share"),
            ("removed = \"of\"", "`of` is no share"),
            ("price_moved = \"20%\"", "write `price_moved = { share"),
            ("price_moved = { shar = \"20%\" }", "did you mean `share`?"),
            ("price_moved = { share = \"x\" }", "`x` is no share"),
            ("at_least = -1", "shelfcast.toml:1"),
            ("empty = \"off\"", "unknown key `empty`"),
            ("currency = \"off\"", "unknown key `currency`"),
        ] {
            let error = limits(text).expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
