//! A sync's configuration, as it decides by it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::config::ConfigError;
use crate::config::project::{Basis, Project, Source};
use crate::config::sync::{Rows, Sync, share};

use super::decide::Rule;

/// The share of levels in step that each run reads back, where the project does not say.
const RECHECK: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

impl Rule {
    /// Of a sync of the project that was checked. `largest` is the largest level that the store takes, `kept` the units that
    /// `[[sync.keep]]` keeps back, by SKU.
    ///
    /// # Errors
    /// A stock source that is not there.
    pub fn of(
        project: &Project,
        sync: &Sync,
        largest: i64,
        kept: BTreeMap<String, i64>,
    ) -> Result<Rule, ConfigError> {
        let source = stock_source(project, sync)?;
        let safety_stock = match &sync.safety_stock {
            Some(toml::Value::Integer(units)) => *units,
            _ => 0,
        };
        Ok(Rule {
            name: sync.name.clone(),
            source: source.name.clone(),
            reading: super::level::reading(&sync.name, &source.name),
            read_whole: source.cursor.is_none() && source.rows == Rows::All,
            rows: source.rows,
            live: source.database.is_some(),
            basis: source.basis.unwrap_or(Basis::OnHand),
            online_orders: sync.online_orders,
            locations: sync.locations.clone(),
            safety_stock,
            kept,
            offer: sync.offer(largest),
            guard: sync.guard.clone(),
            absent_is_zero: source.absence.as_deref() == Some("zero"),
            recheck: sync.recheck.as_deref().and_then(share).unwrap_or(RECHECK),
        })
    }
}

/// The stock source of a sync.
///
/// # Errors
/// A name that no source has.
pub fn stock_source<'p>(project: &'p Project, sync: &Sync) -> Result<&'p Source, ConfigError> {
    project
        .source
        .iter()
        .find(|source| source.name == sync.from)
        .ok_or_else(|| {
            ConfigError::new(
                "shelfcast.toml",
                format!(
                    "sync `{}` reads from `{}`, which is no source",
                    sync.name, sync.from
                ),
                "name a [[source]] with `role = \"stock\"`",
            )
        })
}
