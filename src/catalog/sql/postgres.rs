//! PostgreSQL: a cursor in a read-only transaction, values in the server's own text form.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{
    AssertSqlSafe, Column, ConnectOptions, Connection, Error, Executor, Row, SqlSafeStr, Statement,
    TypeInfo, ValueRef,
};

use super::address::Address;
use super::server::{Stage, connect, fail};
use super::{SqlOptions, text_or_hex};
use crate::catalog::background::{Producer, Stop};
use crate::catalog::flat::push_clean;
use crate::model::value::ELEMENT;

/// Rows fetched at a time.
const FETCH: &str = "FETCH FORWARD 250 FROM shelfcast_rows";

/// How a column's text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Boolean,
    Timestamp,
    Array,
}

/// Reads the rows of `query` to their end.
pub(super) async fn read(
    address: &Address,
    query: &str,
    options: SqlOptions,
    producer: &mut Producer,
) -> Result<(), Stop> {
    let settings = PgConnectOptions::from_str(&address.target)
        .map_err(|error| fail(&error, Stage::Connect, address, options))?
        .application_name("shelfcast")
        .disable_statement_logging();
    let mut connection: PgConnection = connect(address, options, settings.connect()).await?;
    let failed = |stage| move |error: Error| Stop::Failed(fail(&error, stage, address, options));
    // The settings make every value's text independent of how the server is set up.
    let begin = format!(
        "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; \
         SET LOCAL statement_timeout = {}; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL timezone = 'UTC'; \
         SET LOCAL intervalstyle = 'iso_8601'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; \
         SET LOCAL cursor_tuple_fraction = 1.0; SET LOCAL client_encoding = 'UTF8'",
        options.timeout_ms.min(i32::MAX as u64)
    );
    execute(&mut connection, begin)
        .await
        .map_err(failed(Stage::Connect))?;
    // Preparing refuses more than one statement, and tells the columns of a query that has no rows.
    let statement = connection
        .prepare(AssertSqlSafe(query.to_owned()).into_sql_str())
        .await
        .map_err(failed(Stage::Prepare))?;
    let names = statement
        .columns()
        .iter()
        .map(|column| column.name().to_owned());
    producer.columns(names.collect())?;
    let forms: Vec<Form> = statement
        .columns()
        .iter()
        .map(|column| match column.type_info().name() {
            "BOOL" => Form::Boolean,
            "TIMESTAMP" | "TIMESTAMPTZ" => Form::Timestamp,
            name if name.ends_with("[]") => Form::Array,
            _ => Form::Plain,
        })
        .collect();
    let declare = format!("DECLARE shelfcast_rows NO SCROLL CURSOR FOR\n{query}");
    execute(&mut connection, declare)
        .await
        .map_err(failed(Stage::Prepare))?;
    let mut cells = vec![String::new(); forms.len()];
    let mut number = 0_u64;
    loop {
        let rows = connection.fetch_all(sqlx::raw_sql(FETCH)).await;
        let rows = rows.map_err(failed(Stage::Read))?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            number += 1;
            fill(&row, &forms, &mut cells).map_err(failed(Stage::Read))?;
            producer.record(number, cells.iter().map(String::as_str))?;
        }
    }
    execute(&mut connection, "COMMIT".to_owned())
        .await
        .map_err(failed(Stage::Read))?;
    // Every row is here: a farewell that goes wrong changes nothing.
    drop(connection.close().await);
    Ok(())
}

async fn execute(connection: &mut PgConnection, sql: String) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .map(|_| ())
}

fn fill(row: &PgRow, forms: &[Form], cells: &mut [String]) -> Result<(), Error> {
    for (column, (form, cell)) in forms.iter().zip(cells).enumerate() {
        cell.clear();
        let value = row.try_get_raw(column)?;
        if value.is_null() {
            continue;
        }
        let bytes = value.as_bytes().map_err(Error::Decode)?;
        match (form, std::str::from_utf8(bytes)) {
            (Form::Boolean, Ok("t")) => cell.push_str("true"),
            (Form::Boolean, Ok("f")) => cell.push_str("false"),
            (Form::Timestamp, Ok(text)) => timestamp(text, cell),
            (Form::Array, Ok(text)) if array(text, cell) => {}
            _ => text_or_hex(bytes, cell),
        }
    }
    Ok(())
}

/// `2026-11-22 13:05:09.5+00` as RFC 3339; other texts (`infinity`, dates before Christ) as they are.
fn timestamp(text: &str, out: &mut String) {
    let parts = text.split_once(' ').filter(|(_, time)| !time.contains(' '));
    let Some((date, time)) = parts else {
        return out.push_str(text);
    };
    out.push_str(date);
    out.push('T');
    match time.strip_suffix("+00") {
        Some(time) => {
            out.push_str(time);
            out.push('Z');
        }
        None => {
            out.push_str(time);
            let hours_only = time
                .rsplit_once(['+', '-'])
                .is_some_and(|(_, zone)| zone.len() == 2);
            if hours_only {
                out.push_str(":00");
            }
        }
    }
}

/// `{a,"b c",NULL}` as a list cell; false for what is no list of one dimension.
fn array(text: &str, out: &mut String) -> bool {
    let Some(body) = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
    else {
        return false;
    };
    let mut elements: Vec<(String, bool)> = Vec::new();
    let mut element = String::new();
    let (mut quoted, mut inside) = (false, false);
    let mut letters = body.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => element.extend(letters.next()),
            '"' => {
                inside = !inside;
                quoted = true;
            }
            '{' | '}' if !inside => return false,
            ',' if !inside => {
                elements.push((std::mem::take(&mut element), quoted));
                quoted = false;
            }
            other => element.push(other),
        }
    }
    elements.push((element, quoted));
    let kept = elements
        .iter()
        .filter(|(element, quoted)| !element.is_empty() && (*quoted || element != "NULL"));
    for (place, (element, _)) in kept.enumerate() {
        if place > 0 {
            out.push(ELEMENT);
        }
        push_clean(out, element);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_become_lists() {
        for (text, cell) in [
            (
                "{a,\"b, \\\"c\\\"\",NULL,\"NULL\",\"\"}",
                "a\u{1f}b, \"c\"\u{1f}NULL",
            ),
            ("{}", ""),
            ("{1,2}", "1\u{1f}2"),
        ] {
            let mut out = String::new();
            assert!(array(text, &mut out));
            assert_eq!(out, cell);
        }
        assert!(!array("{{1},{2}}", &mut String::new()));
        assert!(!array("[0:1]={1,2}", &mut String::new()));
    }

    #[test]
    fn timestamps_are_rfc_3339() {
        for (text, says) in [
            ("2026-11-22 13:05:09.5+00", "2026-11-22T13:05:09.5Z"),
            ("2026-11-22 13:05:09+07", "2026-11-22T13:05:09+07:00"),
            ("2026-11-22 13:05:09-03:30", "2026-11-22T13:05:09-03:30"),
            ("2026-11-22 13:05:09", "2026-11-22T13:05:09"),
            ("infinity", "infinity"),
            ("0044-03-15 00:00:00 BC", "0044-03-15 00:00:00 BC"),
        ] {
            let mut out = String::new();
            timestamp(text, &mut out);
            assert_eq!(out, says);
        }
    }
}
