//! SQLite files, read only.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, ErrorCode, InterruptHandle, OpenFlags};

use super::address::Address;
use super::{SqlOptions, text_or_hex, too_slow};
use crate::catalog::background::{Producer, Stop};
use crate::catalog::batch::Reject;
use crate::catalog::{SourceError, SourceProblem};

/// How long to wait for a writer to finish.
const BUSY: Duration = Duration::from_secs(5);

/// Reads the rows of `query` to their end.
pub(super) fn read(
    address: &Address,
    query: &str,
    options: SqlOptions,
    producer: &mut Producer,
) -> Result<(), Stop> {
    if !Path::new(&address.target).is_file() {
        return Err(address
            .error(SourceProblem::Missing, "there is no such file")
            .into());
    }
    if is_cut(Path::new(&address.target)) {
        return Err(address
            .error(
                SourceProblem::NotWhole,
                "the file is shorter than it says it is",
            )
            .hint("the file is cut; copy it again, with its writer stopped")
            .into());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&address.target, flags)
        .and_then(|connection| connection.busy_timeout(BUSY).map(|()| connection))
        .map_err(|error| fail(&error, address, options))?;
    let watch = Watch::start(
        connection.get_interrupt_handle(),
        Duration::from_millis(options.timeout_ms),
    );
    let result = rows(&connection, query, address, options, producer, &watch);
    watch.stop();
    result
}

fn rows(
    connection: &Connection,
    query: &str,
    address: &Address,
    options: SqlOptions,
    producer: &mut Producer,
    watch: &Watch,
) -> Result<(), Stop> {
    let failed = |error: Error| Stop::Failed(fail(&error, address, options));
    let mut statement = connection.prepare(query).map_err(failed)?;
    if !statement.readonly() {
        return Err(address
            .error(
                SourceProblem::Configuration,
                "the query does more than read",
            )
            .hint("write one query that begins with SELECT or WITH")
            .into());
    }
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    producer.columns(names)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut number = 0_u64;
    loop {
        let mut bad = 0;
        watch.busy(true);
        let row = rows.next().map_err(failed)?;
        // Waiting for whoever reads the batches is not the database's time.
        watch.busy(false);
        let Some(row) = row else { return Ok(()) };
        number += 1;
        let mut wrong = None;
        let made = producer.make(number, |column, cell| {
            let written = match row.get_ref(column) {
                Err(error) => {
                    wrong = Some(error);
                    return false;
                }
                Ok(ValueRef::Null) => Ok(()),
                Ok(ValueRef::Integer(value)) => write!(cell, "{value}"),
                Ok(ValueRef::Real(value)) => write!(cell, "{value}"),
                Ok(ValueRef::Text(bytes)) => match std::str::from_utf8(bytes) {
                    Ok(text) => {
                        crate::catalog::flat::push_clean(cell, text);
                        Ok(())
                    }
                    Err(_) => {
                        bad = column;
                        return false;
                    }
                },
                Ok(ValueRef::Blob(bytes)) => {
                    text_or_hex(bytes, cell);
                    Ok(())
                }
            };
            written.is_ok()
        })?;
        if let Some(error) = wrong {
            return Err(failed(error));
        }
        match made {
            true => {}
            false => producer.reject(Reject {
                rule: "bad-record",
                line: number,
                message: format!("column {} holds a text that is not UTF-8", bad + 1),
                hint: "correct the value in the database".to_owned(),
            })?,
        }
    }
}

/// True when a file without a write-ahead log is shorter than its header says: SQLite reads what is missing as zeros.
fn is_cut(path: &Path) -> bool {
    let mut header = [0; 100];
    let read = File::open(path).and_then(|mut file| {
        file.read_exact(&mut header)?;
        file.metadata().map(|metadata| metadata.len())
    });
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let logged = std::fs::metadata(log).is_ok_and(|metadata| metadata.len() > 0);
    let [.., page_high, page_low] = header_bytes::<18>(&header);
    let [.., c0, c1, c2, c3, p0, p1, p2, p3] = header_bytes::<32>(&header);
    let [.., v0, v1, v2, v3] = header_bytes::<96>(&header);
    let page = match u16::from_be_bytes([page_high, page_low]) {
        1 => 65_536,
        size => u64::from(size),
    };
    // The count is only right when the file was last written by a version that keeps it.
    let counted = [c0, c1, c2, c3] == [v0, v1, v2, v3];
    let pages = u64::from(u32::from_be_bytes([p0, p1, p2, p3]));
    read.is_ok_and(|length| counted && !logged && length < page * pages)
}

/// The first `N` bytes of a file's header.
fn header_bytes<const N: usize>(header: &[u8; 100]) -> [u8; N] {
    *header
        .first_chunk()
        .expect("asked for less than the header")
}

fn fail(error: &Error, address: &Address, options: SqlOptions) -> SourceError {
    if matches!(error, Error::MultipleStatement) {
        return address
            .error(
                SourceProblem::Configuration,
                "the query is more than one statement",
            )
            .hint("write one query");
    }
    let message = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => too_slow(&address.shown, options),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => address
            .error(SourceProblem::NotWhole, &message)
            .hint("the file is damaged or no SQLite database"),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::DatabaseBusy) => {
            address
                .error(SourceProblem::Missing, &message)
                .hint("see that the file may be read and that nobody is writing to it")
        }
        Some(ErrorCode::Unknown) | None => address
            .error(SourceProblem::Configuration, &message)
            .hint("correct the source's query"),
        Some(_) => address.error(SourceProblem::NotWhole, &message),
    }
}

/// What the thread that reads and the one that watches it share.
#[derive(Default)]
struct Shared {
    /// Steps begun and ended: odd while the database is at work.
    steps: AtomicU64,
    done: Mutex<bool>,
    wake: Condvar,
}

/// Interrupts a step that takes too long.
struct Watch {
    shared: Arc<Shared>,
}

impl Watch {
    fn start(handle: InterruptHandle, limit: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let tick = (limit / 4).clamp(Duration::from_millis(1), Duration::from_millis(50));
        // Without this thread there is no time limit, but everything else works.
        drop(thread::Builder::new().spawn(move || {
            // The step that was seen last, and since when.
            let mut seen = (0, Instant::now());
            let Ok(mut done) = theirs.done.lock() else {
                return;
            };
            while !*done {
                let step = theirs.steps.load(Ordering::Relaxed);
                if step != seen.0 {
                    seen = (step, Instant::now());
                }
                let is_busy = step % 2 == 1;
                if is_busy && !limit.is_zero() && seen.1.elapsed() > limit {
                    handle.interrupt();
                }
                match theirs.wake.wait_timeout(done, tick) {
                    Ok((next, _)) => done = next,
                    Err(_) => return,
                }
            }
        }));
        Watch { shared }
    }

    /// Begins or ends a step.
    fn busy(&self, busy: bool) {
        let steps = self.shared.steps.load(Ordering::Relaxed);
        if (steps % 2 == 1) != busy {
            self.shared.steps.store(steps + 1, Ordering::Relaxed);
        }
    }

    fn stop(&self) {
        if let Ok(mut done) = self.shared.done.lock() {
            *done = true;
        }
        self.shared.wake.notify_all();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop();
    }
}
