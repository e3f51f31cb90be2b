//! The indexes besides the tables' keys: what they hold, and how all of it is read.

use rusqlite::types::ValueRef;

use super::schema::Table;

/// An index besides a table's key.
pub(super) struct Index {
    pub(super) table: Table,
    /// Columns of the table, by place: its own, then what is left of the key.
    pub(super) columns: &'static [usize],
    /// The column that says whether a row is in it, and how.
    pub(super) only: Only,
    pub(super) make: &'static str,
    /// All entries in order.
    pub(super) scan: &'static str,
}

/// Which rows an index holds.
#[derive(Clone, Copy)]
pub(super) enum Only {
    All,
    NotNull(usize),
    Zero(usize),
}

impl Only {
    pub(super) fn holds(self, row: &[ValueRef<'_>]) -> bool {
        match self {
            Only::All => true,
            Only::NotNull(column) => row.get(column) != Some(&ValueRef::Null),
            Only::Zero(column) => row.get(column) == Some(&ValueRef::Integer(0)),
        }
    }
}

pub(super) const INDEXES: [Index; 4] = [
    Index {
        table: Table::Observations,
        columns: &[1, 2, 3, 4, 0],
        only: Only::All,
        make: "CREATE INDEX observations_key ON observations (source, key, digest, absent);",
        scan: "SELECT source, key, digest, absent, id FROM observations INDEXED BY observations_key
               ORDER BY source, key, digest, absent, id",
    },
    Index {
        table: Table::Observations,
        columns: &[1, 6, 0],
        only: Only::All,
        make: "CREATE INDEX observations_sku ON observations (source, sku);",
        scan: "SELECT source, sku, id FROM observations INDEXED BY observations_sku ORDER BY source, sku, id",
    },
    Index {
        table: Table::Levels,
        columns: &[13, 0, 1],
        only: Only::NotNull(13),
        make: "CREATE INDEX levels_class ON levels (class, place, sku) WHERE class IS NOT NULL;",
        scan: "SELECT class, place, sku FROM levels INDEXED BY levels_class WHERE class IS NOT NULL
               ORDER BY class, place, sku",
    },
    Index {
        table: Table::Events,
        columns: &[2, 0, 1],
        only: Only::Zero(4),
        make: "CREATE INDEX events_open ON events (number) WHERE merged = 0;",
        scan: "SELECT number, source, id FROM events INDEXED BY events_open WHERE merged = 0
               ORDER BY number, source, id",
    },
];
