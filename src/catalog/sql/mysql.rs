//! MySQL and MariaDB: a read-only transaction, rows streamed in the text protocol.

use std::future::poll_fn;
use std::str::FromStr;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow};
use sqlx::{
    AssertSqlSafe, Column, ConnectOptions, Connection, Error, Executor, Row, SqlSafeStr, Statement,
    TypeInfo, ValueRef,
};

use super::address::Address;
use super::server::{Stage, connect, fail};
use super::{SqlOptions, text_or_hex};
use crate::catalog::background::{Producer, Stop};

/// How a column's text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Date,
    /// Without a zone.
    Datetime,
    /// In UTC, as the session is set.
    Timestamp,
    /// Bits, as a number.
    Bits,
}

/// Reads the rows of `query` to their end.
pub(super) async fn read(
    address: &Address,
    query: &str,
    options: SqlOptions,
    producer: &mut Producer,
) -> Result<(), Stop> {
    let settings = MySqlConnectOptions::from_str(&address.target)
        .map_err(|error| fail(&error, Stage::Connect, address, options))?
        .timezone("+00:00".to_owned())
        .disable_statement_logging();
    let mut connection: MySqlConnection = connect(address, options, settings.connect()).await?;
    let failed = |stage| move |error: Error| Stop::Failed(fail(&error, stage, address, options));
    // MariaDB counts seconds, MySQL milliseconds; each knows only its own variable.
    let seconds = options.timeout_ms as f64 / 1_000.0;
    let limit = format!("SET SESSION max_statement_time = {seconds}");
    if execute(&mut connection, limit).await.is_err() {
        let limit = format!(
            "SET SESSION max_execution_time = {}",
            options.timeout_ms.min(u64::from(u32::MAX))
        );
        execute(&mut connection, limit)
            .await
            .map_err(failed(Stage::Connect))?;
    }
    let begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
    execute(&mut connection, begin.to_owned())
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
            "DATE" => Form::Date,
            "DATETIME" => Form::Datetime,
            "TIMESTAMP" => Form::Timestamp,
            "BIT" => Form::Bits,
            _ => Form::Plain,
        })
        .collect();
    let mut cells = vec![String::new(); forms.len()];
    let mut number = 0_u64;
    let mut rows = connection.fetch(sqlx::raw_sql(AssertSqlSafe(query.to_owned())));
    while let Some(row) = poll_fn(|context| rows.as_mut().poll_next(context)).await {
        let stage = if number == 0 {
            Stage::Prepare
        } else {
            Stage::Read
        };
        let row = row.map_err(failed(stage))?;
        number += 1;
        fill(&row, &forms, &mut cells).map_err(failed(Stage::Read))?;
        producer.record(number, cells.iter().map(String::as_str))?;
    }
    drop(rows);
    execute(&mut connection, "COMMIT".to_owned())
        .await
        .map_err(failed(Stage::Read))?;
    // Every row is here: a farewell that goes wrong changes nothing.
    drop(connection.close().await);
    Ok(())
}

async fn execute(connection: &mut MySqlConnection, sql: String) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .map(|_| ())
}

fn fill(row: &MySqlRow, forms: &[Form], cells: &mut [String]) -> Result<(), Error> {
    for (column, (form, cell)) in forms.iter().zip(cells).enumerate() {
        cell.clear();
        if row.try_get_raw(column)?.is_null() {
            continue;
        }
        let bytes: &[u8] = row.try_get_unchecked(column)?;
        match form {
            Form::Bits if bytes.len() <= 8 => {
                let number = bytes
                    .iter()
                    .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
                cell.push_str(&number.to_string());
            }
            // The server's way of writing that there is no date.
            Form::Date | Form::Datetime | Form::Timestamp if bytes.starts_with(b"0000-00-00") => {}
            Form::Datetime | Form::Timestamp => {
                text_or_hex(bytes, cell);
                *cell = cell.replacen(' ', "T", 1);
                if *form == Form::Timestamp {
                    cell.push('Z');
                }
            }
            _ => text_or_hex(bytes, cell),
        }
    }
    Ok(())
}
