//! Open online orders: how many units of each SKU are sold online and still counted in the shops.
//!
//! Read whole or not at all: an order that cannot be read would be sold a second time, so that it is a failure here.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::catalog::open::{self, FileNames};
use crate::catalog::{SourceError, SourceProblem};
use crate::config::Project;
use crate::config::project::Source;
use crate::store::pace::Clock;
use crate::sync::level::Observation;

use super::SourceFailure;
use super::layout::Asked;
use super::seen::{Held, Stamp};
use super::settings::{Settings, is_pattern};

/// Open orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenOrders {
    /// Units of each SKU, above 0.
    pub units: HashMap<String, i64>,
    /// Rows read.
    pub rows: u64,
    /// What people should hear, a sentence each.
    pub remarks: Vec<String>,
}

/// Reads a source with `role = "orders"`: `sku` and `quantity`; the rows of a SKU add up, fractions count as one.
///
/// # Errors
/// Settings that cannot be, a source that is missing or not whole, a row whose quantity cannot be read.
pub fn orders(
    project: &Project,
    source: &Source,
    clock: Arc<dyn Clock>,
) -> Result<OpenOrders, SourceFailure> {
    let asked = Asked {
        quantity: "quantity",
        ..Asked::default()
    };
    let settings = Settings::of(project, source, asked, false, clock).map_err(|error| {
        let mut failure = SourceError::new(SourceProblem::Configuration, error.path, error.message);
        failure.hint = error.hint;
        failure
    })?;
    let mut open_orders = OpenOrders::default();
    if source.database.is_some() {
        let mut names = FileNames::default();
        let mut reader = open::open(
            source,
            settings.preset,
            &project.folder,
            &project.shop.language,
            &mut names,
        )?;
        add(&settings, &mut reader, &names, &mut open_orders)?;
        return Ok(open_orders);
    }
    let path = source.path.as_deref().unwrap_or("");
    let plain = !path.contains("://") && path != "-";
    let files = if plain && is_pattern(path, &project.folder) {
        open::files(path, &project.folder)?
    } else {
        vec![(path.to_owned(), project.folder.join(path))]
    };
    for (shown, path) in files {
        let now = settings.now();
        let mut held = None;
        let path = if plain {
            let stamp = Stamp::of(&path, &shown)?;
            held = Some(Held::open(&path, &shown, stamp)?);
            path
        } else if shown == "-" {
            PathBuf::from("-")
        } else {
            open::fetched(&shown, path, &project.folder)?
        };
        let mut names = FileNames::default();
        let mut reader = settings.open_file(&shown, &path, &mut names)?;
        add(&settings, &mut reader, &names, &mut open_orders)?;
        if let Some(held) = &mut held {
            held.check(&path, now)?;
        }
    }
    Ok(open_orders)
}

/// Adds the orders of one opened source.
fn add(
    settings: &Settings,
    reader: &mut open::SourceReader,
    names: &FileNames,
    open_orders: &mut OpenOrders,
) -> Result<(), SourceFailure> {
    let mut rules = settings.rules(true, settings.now());
    rules.each = true;
    let mut unread = None;
    let units = &mut open_orders.units;
    let (tally, _) = settings.read(
        reader,
        names,
        &rules,
        None,
        None,
        &mut |observation: &Observation| {
            match observation.quantity {
                Some(quantity) => {
                    let sum = units.entry(observation.sku.clone()).or_insert(0);
                    *sum = sum.saturating_add(quantity);
                }
                None => unread = unread.take().or_else(|| Some(observation.sku.clone())),
            }
            Ok(())
        },
    )?;
    let finding = tally.findings.iter().find(|finding| {
        !["missing-key", "date-invalid", "quantity-negative"].contains(&finding.rule)
    });
    if let Some(finding) = finding {
        return Err(SourceError::new(
            SourceProblem::NotWhole,
            &finding.source,
            finding.message.clone(),
        )
        .at_line(finding.line)
        .in_column(&finding.column)
        .hint("an order that cannot be read would be sold a second time: correct the row")
        .into());
    }
    if let Some(sku) = unread {
        let file = names.names().last().unwrap_or_default().to_owned();
        return Err(SourceError::new(
            SourceProblem::NotWhole,
            file,
            format!("an order of `{sku}` has no quantity"),
        )
        .hint("an order that cannot be read would be sold a second time: correct the row")
        .into());
    }
    open_orders.rows += tally.rows;
    open_orders.remarks.extend(tally.remarks);
    let nameless = tally
        .findings
        .iter()
        .filter(|finding| finding.rule == "missing-key")
        .count();
    if nameless > 0 {
        open_orders.remarks.push(format!(
            "source `{}`: {nameless} order rows without a SKU count nothing",
            settings.source.name
        ));
    }
    open_orders.units.retain(|_, units| *units > 0);
    Ok(())
}
