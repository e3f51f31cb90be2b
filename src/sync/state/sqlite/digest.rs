//! The sum by which a commit is known.
//!
//! It adds up, modulo 2^128, the xxh3 digest of every row with its table: a commit of ten rows changes it at the cost of
//! ten rows.

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use xxhash_rust::xxh3::xxh3_128;

/// The digest of a row; `buffer` is for use again.
pub(super) fn row_digest<'v>(
    tag: u8,
    values: impl IntoIterator<Item = ValueRef<'v>>,
    buffer: &mut Vec<u8>,
) -> u128 {
    buffer.clear();
    buffer.push(tag);
    for value in values {
        let (kind, bytes): (u8, &[u8]) = match value {
            ValueRef::Null => {
                buffer.push(0);
                continue;
            }
            ValueRef::Integer(number) => {
                buffer.push(1);
                buffer.extend_from_slice(&number.to_le_bytes());
                continue;
            }
            ValueRef::Real(number) => {
                buffer.push(2);
                buffer.extend_from_slice(&number.to_bits().to_le_bytes());
                continue;
            }
            ValueRef::Text(text) => (3, text),
            ValueRef::Blob(blob) => (4, blob),
        };
        buffer.push(kind);
        buffer.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        buffer.extend_from_slice(bytes);
    }
    xxh3_128(buffer)
}

/// The sum over the schema: what an empty database begins with.
pub(super) fn schema_digest(connection: &Connection) -> rusqlite::Result<u128> {
    let mut statement = connection.prepare_cached(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name",
    )?;
    let mut rows = statement.query([])?;
    let mut sum: u128 = 0;
    let mut buffer = Vec::new();
    while let Some(row) = rows.next()? {
        let values = [
            row.get_ref(0)?,
            row.get_ref(1)?,
            row.get_ref(2)?,
            row.get_ref(3)?,
        ];
        sum = sum.wrapping_add(row_digest(0, values, &mut buffer));
    }
    Ok(sum)
}
