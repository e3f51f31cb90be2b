//! A query: read whole, or from a cursor's last value on.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::catalog::SourceError;
use crate::catalog::open::{self, FileNames};
use crate::catalog::sql::{self, Engine};
use crate::config::project::Source;
use crate::sync::level::Position;

use super::cursor::{self, Lower, Progress};
use super::layout::NOW;
use super::rows::Tally;
use super::seen::Seen;
use super::settings::Settings;
use super::{Read, ReadKind, SourceFailure, StockSource, Tell};

/// A database.
pub(super) struct Database {
    settings: Settings,
}

impl Database {
    pub(super) fn new(settings: Settings) -> Self {
        Database { settings }
    }
}

impl StockSource for Database {
    fn read(&mut self, position: Option<&Position>, tell: Tell<'_>) -> Result<Read, SourceFailure> {
        let settings = &self.settings;
        let before = position.cloned().unwrap_or_default();
        let seen = Seen::parse(&before.digest);
        let now = settings.now();
        let mut remarks = Vec::new();
        if let Some(column) = &settings.asked.cursor
            && !before.cursor.is_empty()
            && seen.settings == settings.digest
        {
            let zone = settings.rules(false, now).marks.zone;
            let lower = cursor::lower(&before.cursor, settings.margin, &zone, now);
            if let Some(lower) = lower {
                let asked = Asked {
                    column: Some((column.as_str(), Some(&lower))),
                    all: false,
                };
                let (tally, progress, columns) = self.query(&asked, &zone, now, position, tell)?;
                if progress.as_ref().is_some_and(|kept| kept.1 > 0) {
                    return Ok(self.done(
                        tally,
                        progress,
                        columns,
                        before,
                        ReadKind::Changes,
                        remarks,
                    ));
                }
                // The row that the value is of would be among them: it is gone, or the database went back.
                remarks.push(format!(
                    "source `{}`: `{}`, the cursor's last value, is not there any more: all rows are read",
                    settings.source.name, before.cursor
                ));
            }
        }
        let zone = settings.rules(true, now).marks.zone;
        let asked = Asked {
            column: settings
                .asked
                .cursor
                .as_deref()
                .map(|column| (column, None)),
            all: true,
        };
        let (tally, progress, columns) = self.query(&asked, &zone, now, position, tell)?;
        Ok(self.done(
            tally,
            progress,
            columns,
            before,
            ReadKind::Snapshot,
            remarks,
        ))
    }
}

/// What is asked of the database.
struct Asked<'a> {
    /// The cursor's column and lower bound.
    column: Option<(&'a str, Option<&'a Lower>)>,
    all: bool,
}

impl Database {
    fn query(
        &self,
        asked: &Asked<'_>,
        zone: &TimeZone,
        now: Timestamp,
        position: Option<&Position>,
        tell: Tell<'_>,
    ) -> Result<(Tally, Option<KeptCursor>, String), SourceFailure> {
        let settings = &self.settings;
        let source = self.source(asked)?;
        let mut names = FileNames::default();
        let mut reader = open::open(
            &source,
            settings.preset,
            &settings.project.folder,
            &settings.project.shop.language,
            &mut names,
        )?;
        let mut rules = settings.rules(asked.all, now);
        rules.end &= asked.all;
        let mut progress = asked
            .column
            .map(|(column, lower)| Progress::new(column, zone, now, lower.is_some()));
        let (tally, columns) = settings.read(
            &mut reader,
            &names,
            &rules,
            progress.as_mut(),
            position,
            tell,
        )?;
        let before = position.map_or("", |position| position.cursor.as_str());
        // A whole reading begins anew: a database that went back must not keep a value that lies ahead of it.
        let before = if asked.all { "" } else { before };
        let kept = progress.map(|progress| KeptCursor(progress.keep(before), progress.rows()));
        Ok((tally, kept, columns))
    }

    /// The source with the query that is asked.
    fn source(&self, asked: &Asked<'_>) -> Result<Source, SourceError> {
        let settings = &self.settings;
        let mut source = settings.source.clone();
        let Some((column, lower)) = asked.column else {
            return Ok(source);
        };
        let database = source.database.clone().unwrap_or_default();
        let address = open::address_of(&source, &database, &settings.project.folder)?;
        let engine = sql::engine(&address)?;
        let own = |name: &str| {
            let mapped = settings.source.fields.get(name);
            mapped.map_or_else(|| name.to_owned(), String::clone)
        };
        let query = source.query.take().unwrap_or_default();
        source.query = Some(statement(
            engine,
            &query,
            &own(column),
            settings.asked.tie.as_deref().map(own).as_deref(),
            lower,
        ));
        Ok(source)
    }

    fn done(
        &self,
        mut tally: Tally,
        kept: Option<KeptCursor>,
        columns: String,
        before: Position,
        kind: ReadKind,
        mut remarks: Vec<String>,
    ) -> Read {
        remarks.append(&mut tally.remarks);
        let all = kind == ReadKind::Snapshot;
        let seen = Seen {
            settings: self.settings.digest.clone(),
            columns,
            ..Seen::default()
        };
        let position = Position {
            cursor: kept.map_or_else(String::new, |kept| kept.0),
            rows: if all { tally.rows } else { before.rows },
            digest: seen.text(),
            proven: all && tally.lost == 0,
            ..before
        };
        Read {
            position,
            kind,
            rows: tally.rows,
            rejected: tally.findings,
            found: tally.found,
            remarks,
            more: false,
        }
    }
}

/// The cursor to keep, and how many rows had one.
struct KeptCursor(String, u64);

/// A query around the project's own: from a lower bound on, in order, with the database's clock on each row. The bound's
/// text is made of digits and the signs of a time alone.
pub(super) fn statement(
    engine: Engine,
    query: &str,
    column: &str,
    tie: Option<&str>,
    lower: Option<&Lower>,
) -> String {
    let quote = |name: &str| match engine {
        Engine::Mysql => format!("`{}`", name.replace('`', "``")),
        Engine::Sqlite | Engine::Postgres => format!("\"{}\"", name.replace('"', "\"\"")),
    };
    let now = match engine {
        Engine::Sqlite => "strftime('%Y-%m-%d %H:%M:%f', 'now')",
        Engine::Postgres => {
            "to_char(CURRENT_TIMESTAMP AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        }
        Engine::Mysql => "DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%d %H:%i:%s.%f')",
    };
    let query = query.trim_end().trim_end_matches(';');
    let mut text =
        format!("SELECT shelfcast_rows.*, {now} AS {NOW} FROM (\n{query}\n) AS shelfcast_rows");
    let Some(lower) = lower else { return text };
    let column = format!("shelfcast_rows.{}", quote(column));
    let value = if lower.quoted {
        debug_assert!(
            lower
                .text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b"-: T".contains(&byte)),
            "a bound is a time"
        );
        format!("'{}'", lower.text)
    } else {
        lower.text.clone()
    };
    let operator = lower.operator;
    text.push_str(&format!(
        "\nWHERE {column} {operator} {value} OR {column} IS NULL\nORDER BY {column}"
    ));
    if let Some(tie) = tie {
        text.push_str(&format!(", shelfcast_rows.{}", quote(tie)));
    }
    text
}
