//! Single products taken out: `exclude = "exclude.csv"` with sku, feed or `*`, until, reason.

use std::collections::HashMap;

use crate::config::{ConfigError, Project};

use super::Failure;

/// Loads the project's exclusions: a function from SKU and feed to the reason.
///
/// # Errors
/// A file that cannot be read or a row that cannot be understood.
pub fn load(
    project: &Project,
    now: jiff::Timestamp,
) -> Result<impl Fn(&str, &str) -> Option<String> + Sync + use<>, Failure> {
    let mut rows: HashMap<String, Vec<(String, String)>> = HashMap::new();
    if let Some(path) = &project.exclude {
        let wrong = |line: u64, message: String, hint: &str| {
            Failure::from(
                ConfigError::new(path.as_str(), message, hint)
                    .at_line(usize::try_from(line).unwrap_or(0)),
            )
        };
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .trim(csv::Trim::All)
            .from_path(project.folder.join(path))
            .map_err(|error| {
                Failure::configuration(
                    path,
                    format!("cannot be read: {error}"),
                    "it is a CSV file with the columns sku, feed, until, reason",
                )
            })?;
        let headers = reader
            .headers()
            .map_err(|error| wrong(1, error.to_string(), "the first row names the columns"))?
            .clone();
        let column = |name: &str| {
            headers
                .iter()
                .position(|header| header.eq_ignore_ascii_case(name))
        };
        let Some(sku) = column("sku") else {
            return Err(wrong(
                1,
                "has no column `sku`".to_owned(),
                "the columns are sku, feed, until, reason",
            ));
        };
        let zone =
            jiff::tz::TimeZone::get(&project.shop.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
        for record in reader.records() {
            let record = record.map_err(|error| {
                let line = error.position().map_or(0, csv::Position::line);
                wrong(line, error.to_string(), "correct the row")
            })?;
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |name: &str| column(name).and_then(|at| record.get(at)).unwrap_or("");
            let until = cell("until");
            if !until.is_empty() {
                let rules = crate::model::date::DateRules {
                    zone: &zone,
                    order: None,
                    thai: false,
                    end: true,
                };
                let end = crate::model::date::parse(until, &rules)
                    .map_err(|problem| wrong(line, problem.message(until), &problem.hint()))?;
                if end.at <= now {
                    continue;
                }
            }
            let feed = if cell("feed").is_empty() {
                "*"
            } else {
                cell("feed")
            };
            let sku = record.get(sku).unwrap_or("").to_owned();
            rows.entry(sku)
                .or_default()
                .push((feed.to_owned(), cell("reason").to_owned()));
        }
    }
    Ok(move |sku: &str, feed: &str| {
        let (_, reason) = rows
            .get(sku)?
            .iter()
            .find(|(wanted, _)| wanted == "*" || wanted == feed)?;
        Some(reason.clone())
    })
}
