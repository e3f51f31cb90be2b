//! What PostgreSQL and MySQL have in common: a small runtime on the reader's thread, and what an error means.

use std::future::Future;
use std::time::Duration;

use sqlx::Error;

use super::address::Address;
use super::{SqlOptions, too_slow};
use crate::catalog::background::Stop;
use crate::catalog::{SourceError, SourceProblem};

/// How long a connection may take to be made.
pub(super) const CONNECT: Duration = Duration::from_secs(15);

/// How far a query had come when something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Connect,
    Prepare,
    Read,
}

/// Runs what `make` makes on this thread.
pub(super) fn run<F>(address: &Address, make: impl FnOnce() -> F) -> Result<(), Stop>
where
    F: Future<Output = Result<(), Stop>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            address.error(SourceProblem::Missing, &format!("cannot start: {error}"))
        })?;
    runtime.block_on(make())
}

/// Makes a connection, within [`CONNECT`].
pub(super) async fn connect<C>(
    address: &Address,
    options: SqlOptions,
    connection: impl Future<Output = Result<C, Error>>,
) -> Result<C, SourceError> {
    match tokio::time::timeout(CONNECT, connection).await {
        Ok(made) => made.map_err(|error| fail(&error, Stage::Connect, address, options)),
        Err(_) => Err(address
            .error(SourceProblem::Missing, "it does not answer")
            .hint("see that the database runs and that this machine may reach it")),
    }
}

/// What an error means for the run.
pub(super) fn fail(
    error: &Error,
    stage: Stage,
    address: &Address,
    options: SqlOptions,
) -> SourceError {
    let database = match error {
        Error::Database(database) => database,
        Error::Configuration(inner) => {
            return address
                .error(
                    SourceProblem::Configuration,
                    &format!("its address cannot be read: {inner}"),
                )
                .hint("write `postgres://user:password@host:port/database`, with odd characters as %40");
        }
        other if stage == Stage::Connect => {
            return address
                .error(SourceProblem::Missing, &format!("cannot connect: {other}"))
                .hint("see that the database runs and that this machine may reach it");
        }
        other => {
            return address
                .error(
                    SourceProblem::NotWhole,
                    &format!("the connection was lost: {other}"),
                )
                .hint("run again; nothing was made from the part that was read");
        }
    };
    let code = database.code().unwrap_or_default();
    let message = database.message();
    // PostgreSQL's cancelled query; MariaDB's and MySQL's (as SQLSTATE or in the text of the driver's error).
    let slow = code == "57014"
        || message.contains("max_statement_time exceeded")
        || message.contains("maximum statement execution time exceeded");
    if slow {
        return too_slow(&address.shown, options);
    }
    if code == "25006" || message.contains("READ ONLY transaction") {
        return address
            .error(
                SourceProblem::Configuration,
                &format!("the query does more than read: {message}"),
            )
            .hint("write one query that begins with SELECT or WITH");
    }
    match stage {
        Stage::Connect => address
            .error(
                SourceProblem::Missing,
                &format!("it refuses the connection: {message}"),
            )
            .hint("check user, password and database name"),
        Stage::Prepare => address
            .error(
                SourceProblem::Configuration,
                &format!("the query is wrong: {message}"),
            )
            .hint("correct the source's query; it must be one statement without parameters"),
        Stage::Read => address.error(
            SourceProblem::NotWhole,
            &format!("the query failed on its way: {message}"),
        ),
    }
}
