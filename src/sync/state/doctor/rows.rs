//! Rows that contradict each other.

use rusqlite::Connection;

use super::Found;

/// Most findings shown of one kind.
const SHOWN: usize = 20;

/// An item of a batch, as a table expression that also takes a text which is no JSON.
const ITEMS: &str =
    "batches b, json_each(CASE WHEN json_valid(b.items) THEN b.items ELSE '[]' END) j";

/// Queries that list what contradicts itself, each in one column. `:tick` is the number of the last commit; `ITEMS` stands
/// for the items of the open batches.
const CONTRADICTIONS: &[&str] = &[
    // Levels.
    "SELECT 'the level of ' || sku || ' at `' || place || '` is half there' FROM levels
     WHERE (wanted_quantity IS NULL) + (wanted_version IS NULL) + (wanted_at IS NULL) NOT IN (0, 3)
     OR (known_quantity IS NULL) + (known_version IS NULL) + (known_at IS NULL) NOT IN (0, 3)",
    "SELECT 'the store is said to have a newer version of ' || sku || ' at `' || place || '` than is wanted' FROM levels
     WHERE known_version > wanted_version",
    "SELECT 'the level of ' || sku || ' at `' || place || '` is from a commit that has not been' FROM levels
     WHERE known_at > :tick OR wanted_at > :tick OR known_at < 0 OR wanted_at < 0",
    "SELECT 'the level of ' || sku || ' at `' || place || '` is filed under the wrong kind' FROM levels
     WHERE ifnull(class, 0) IS NOT
       CASE WHEN flight IS NOT NULL THEN 2
            WHEN standing IS NULL AND wanted_quantity IS NOT NULL AND wanted_quantity IS NOT known_quantity THEN 1
            ELSE 0 END
       + CASE WHEN standing IS NULL THEN 0 WHEN standing LIKE '{\"dead\"%' THEN 4 ELSE 8 END",
    "SELECT 'the standing of ' || sku || ' at `' || place || '` cannot be understood' FROM levels
     WHERE standing IS NOT NULL AND standing <> '\"not_stocked\"' AND NOT ifnull(CASE WHEN json_valid(standing) THEN
       json_extract(standing, '$.stranger.reason') IS NOT NULL
       OR json_type(standing, '$.dead.since') = 'integer' END, 0)",
    "SELECT 'the dead letter of ' || sku || ' at `' || place || '` is on its way' FROM levels
     WHERE standing LIKE '{\"dead\"%' AND flight IS NOT NULL",
    "SELECT 'the sendings of ' || sku || ' at `' || place || '` cannot be counted' FROM levels
     WHERE attempts NOT BETWEEN 0 AND 4294967295",
    "SELECT 'what the levels of sync `' || sync || '` at `' || place || '` add up to is not what is kept of it' FROM
       (SELECT sync, place, count(*) AS levels, sum(known_quantity > 0) AS positive,
          sum(min(abs(max(known_quantity, -1000000000000)), 1000000000000)) AS units
        FROM levels WHERE known_quantity IS NOT NULL GROUP BY sync, place) l
     FULL JOIN (SELECT * FROM totals WHERE levels <> 0) t USING (sync, place)
     WHERE l.levels IS NOT t.levels OR l.positive IS NOT t.positive OR l.units IS NOT t.units",
    // What is on its way.
    "SELECT 'batch ' || flight || ' is gone, with which ' || sku || ' at `' || place || '` is on its way' FROM levels
     WHERE flight IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ITEMS WHERE b.id = flight
       AND j.value ->> '$.pair.place' = place AND j.value ->> '$.pair.sku' = sku)",
    "SELECT 'batch ' || b.id || ' carries ' || (j.value ->> '$.pair.sku') || ' at `' || (j.value ->> '$.pair.place')
       || '`, which is not on its way with it' FROM ITEMS
     WHERE b.unknown = 0 AND NOT EXISTS (SELECT 1 FROM levels l WHERE l.flight = b.id
       AND l.place = j.value ->> '$.pair.place' AND l.sku = j.value ->> '$.pair.sku')",
    "SELECT 'batch ' || id || ' carries nothing that is on its way' FROM batches b
     WHERE unknown <> 0 AND NOT EXISTS (SELECT 1 FROM levels WHERE flight = b.id)",
    "SELECT (j.value ->> '$.pair.sku') || ' at `' || (j.value ->> '$.pair.place') || '` is twice in batch ' || b.id
     FROM ITEMS GROUP BY b.id, j.value ->> '$.pair.place', j.value ->> '$.pair.sku' HAVING count(*) > 1",
    "SELECT 'batch ' || b.id || ' carries a newer version of ' || l.sku || ' at `' || l.place || '` than is wanted'
     FROM ITEMS JOIN levels l ON l.place = j.value ->> '$.pair.place' AND l.sku = j.value ->> '$.pair.sku'
     WHERE l.flight = b.id AND j.value ->> '$.version' > l.wanted_version",
    "SELECT 'the key of batch ' || id || ' ended before it was made' FROM batches WHERE key_ends <= made_at",
    "SELECT 'batches ' || group_concat(id, ', ') || ' have the same key' FROM batches GROUP BY key HAVING count(*) > 1",
    "SELECT 'nobody knows since when batch ' || id || ' is unknown' FROM batches WHERE unknown <> 0 AND unknown_since IS NULL",
    "SELECT 'the items of batch ' || id || ' cannot be understood' FROM batches
     WHERE NOT json_valid(items) OR json_type(items) <> 'array' OR json_array_length(items) = 0",
    "SELECT 'batch numbers begin anew before ' || used FROM (SELECT max(id) AS used FROM
       (SELECT max(id) AS id FROM batches UNION ALL SELECT max(batch) FROM ledger UNION ALL SELECT max(flight) FROM levels))
     WHERE used > ifnull((SELECT value FROM numbers WHERE name = 'batch'), 0)",
    // The ledger.
    "SELECT 'the ledger has version ' || version || ' of ' || sku || ' at `' || place || '` accepted ' || count(*) || ' times'
     FROM ledger WHERE what = '\"accepted\"' GROUP BY place, sku, version HAVING count(*) > 1",
    "SELECT 'the ledger has version ' || version || ' of ' || sku || ' at `' || place || '` accepted after version ' || last_one
     FROM (SELECT *, lag(version) OVER (PARTITION BY place, sku ORDER BY id) AS last_one FROM ledger WHERE what = '\"accepted\"')
     WHERE version < last_one",
    "SELECT 'version ' || known_version || ' of ' || sku || ' at `' || place || '` was accepted, and the ledger does not say so'
     FROM levels l WHERE known_version > 0
     AND NOT EXISTS (SELECT 1 FROM accepted a WHERE a.place = l.place AND a.sku = l.sku AND a.version = l.known_version)
     AND NOT (EXISTS (SELECT 1 FROM numbers WHERE name = 'cut')
       AND EXISTS (SELECT 1 FROM paired a WHERE a.place = l.place AND a.sku = l.sku))",
    "SELECT 'the ledger has version ' || a.version || ' of ' || l.sku || ' at `' || l.place
       || '` accepted, and the newest wanted is ' || l.wanted_version
     FROM accepted a JOIN levels l ON l.place = a.place AND l.sku = a.sku WHERE a.version > l.wanted_version",
    "SELECT 'line ' || id || ' of the ledger cannot be understood' FROM ledger WHERE what NOT IN
     ('\"accepted\"', '\"in_step\"', '\"superseded\"', '\"refused\"', '\"dead\"', '\"stale\"', '\"unknown\"',
      '\"not_applied\"', '\"foreign\"', '\"lost\"', '\"dropped\"', '\"retried\"')",
    // Sources.
    "SELECT 'a row of source ' || source || ' is kept twice' FROM observations GROUP BY source, key HAVING count(*) > 1",
    "SELECT 'rows are kept of source ' || source || ', which nobody knows' FROM observations
     WHERE source NOT IN (SELECT number FROM sources) GROUP BY source",
    "SELECT 'sources ' || group_concat(name, ', ') || ' have the same number' FROM sources GROUP BY number HAVING count(*) > 1",
    "SELECT 'the absences of ' || sku || ' cannot be counted' FROM observations WHERE absent NOT BETWEEN 0 AND 4294967295",
    "SELECT 'the position of source ' || source || ' is from a commit that has not been' FROM positions
     WHERE read_at > :tick OR read_at < 0",
    "SELECT 'the files of source ' || source || ' cannot be understood' FROM positions
     WHERE NOT json_valid(files) OR json_type(files) <> 'array'",
    // The rest.
    "SELECT 'event ' || id || ' of source ' || source || ' cannot be understood' FROM events
     WHERE NOT json_valid(observations) OR merged NOT IN (0, 1)",
    "SELECT 'event numbers begin anew' WHERE (SELECT max(number) FROM events)
     > ifnull((SELECT value FROM numbers WHERE name = 'event'), 0)",
    "SELECT 'order ' || id || ' cannot be understood' FROM orders WHERE NOT json_valid(said)",
    "SELECT 'order numbers begin anew' WHERE (SELECT max(id) FROM orders)
     > ifnull((SELECT value FROM numbers WHERE name = 'order'), 0)",
    "SELECT 'the held plan ' || id || ' cannot be understood' FROM held WHERE NOT json_valid(reasons) OR NOT json_valid(items)",
    "SELECT 'the remote id of ' || sku || ' cannot be understood' FROM remotes
     WHERE NOT ifnull(CASE WHEN json_valid(remote) THEN json_type(remote, '$.id') = 'text' END, 0)",
];

/// Looked up once for each pair: a temporary index does what the state itself has no need of.
const LOOKED_UP: &str = "
CREATE TEMP TABLE accepted (place TEXT, sku TEXT, version INTEGER, PRIMARY KEY (place, sku, version)) WITHOUT ROWID;
INSERT OR IGNORE INTO accepted SELECT place, sku, version FROM ledger WHERE what = '\"accepted\"';
CREATE TEMP TABLE paired (place TEXT, sku TEXT, PRIMARY KEY (place, sku)) WITHOUT ROWID;
INSERT OR IGNORE INTO paired SELECT place, sku FROM ledger;
";

/// Lists what contradicts itself. `tick` is the number of the last commit.
pub(super) fn contradictions(
    connection: &Connection,
    tick: u64,
    found: &mut Found<'_>,
) -> rusqlite::Result<()> {
    connection.execute_batch(LOOKED_UP)?;
    for query in CONTRADICTIONS {
        let query = query.replace("ITEMS", ITEMS);
        let mut statement = connection.prepare(&query)?;
        if statement.parameter_index(":tick")?.is_some() {
            statement.raw_bind_parameter(":tick", tick.cast_signed())?;
        }
        let mut rows = statement.raw_query();
        let mut count = 0;
        while let Some(row) = rows.next()? {
            count += 1;
            if count <= SHOWN {
                let what: Option<String> = row.get(0)?;
                found.damaged(what.unwrap_or_else(|| "rows contradict each other".to_owned()));
            }
        }
        if count > SHOWN {
            found.damaged(format!("and {} more like the last", count - SHOWN));
        }
    }
    Ok(())
}
