//! What is kept, as rows: each kind to its columns and back.

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use serde::{Deserialize, Serialize};

use crate::sync::level::{
    Batch, BatchState, Known, Level, Line, Mark, Observation, Pair, Position, Standing, Wanted,
};
use crate::sync::state::{Event, HeldPlan, KeptOrder, Pause, RunEnd};

use super::columns::{Columns, Wrong, int, json, micros, optional, optional_micros, text};

/// A standing other than open, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Aside {
    Stranger {
        reason: String,
    },
    NotStocked,
    Dead {
        code: String,
        message: String,
        since: i64,
    },
}

pub(super) fn standing(of: &Standing) -> Option<String> {
    let aside = match of.clone() {
        Standing::Open => return None,
        Standing::Stranger { reason } => Aside::Stranger { reason },
        Standing::NotStocked => Aside::NotStocked,
        Standing::Dead {
            code,
            message,
            since,
        } => Aside::Dead {
            code,
            message,
            since: since.as_microsecond(),
        },
    };
    Some(json(&aside))
}

fn standing_of(text: Option<&str>) -> Result<Standing, Wrong> {
    let Some(text) = text else {
        return Ok(Standing::Open);
    };
    let aside = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(match aside {
        Aside::Stranger { reason } => Standing::Stranger { reason },
        Aside::NotStocked => Standing::NotStocked,
        Aside::Dead {
            code,
            message,
            since,
        } => Standing::Dead {
            code,
            message,
            since: Timestamp::from_microsecond(since).map_err(|error| error.to_string())?,
        },
    })
}

/// What a level is looked for as, added up; most are none of it.
pub(super) const OPEN: i64 = 1;
pub(super) const IN_FLIGHT: i64 = 2;
pub(super) const DEAD: i64 = 4;
pub(super) const ASIDE: i64 = 8;

fn class(level: &Level) -> Option<i64> {
    let mut class = 0;
    if level.flight.is_some() {
        class += IN_FLIGHT;
    } else if level.is_open() {
        class += OPEN;
    }
    class += match level.standing {
        Standing::Open => 0,
        Standing::Dead { .. } => DEAD,
        Standing::Stranger { .. } | Standing::NotStocked => ASIDE,
    };
    (class != 0).then_some(class)
}

/// A level's row; `standing` is [`standing`]'s text of it.
pub(super) fn of_level<'v>(level: &'v Level, standing: Option<&'v str>) -> [ValueRef<'v>; 14] {
    let wanted = level.wanted;
    let known = level.known;
    let number = |number: Option<u64>| optional(number.map(u64::cast_signed));
    [
        text(&level.pair.place),
        text(&level.pair.sku),
        text(&level.sync),
        optional(wanted.map(|wanted| wanted.quantity)),
        number(wanted.map(|wanted| wanted.version)),
        number(wanted.map(|wanted| wanted.observed_at)),
        optional(known.map(|known| known.quantity)),
        number(known.map(|known| known.version)),
        number(known.map(|known| known.at)),
        number(level.flight),
        int(level.attempts.into()),
        optional_micros(level.not_before),
        standing.map_or(ValueRef::Null, text),
        optional(class(level)),
    ]
}

pub(super) fn level(mut row: Columns<'_, '_>) -> Result<Level, Wrong> {
    let pair = Pair {
        place: row.text()?,
        sku: row.text()?,
    };
    let sync = row.text()?;
    let mut three = || -> Result<Option<(i64, u64, u64)>, Wrong> {
        match (row.optional()?, row.optional()?, row.optional()?) {
            (None, None, None) => Ok(None),
            (Some(quantity), Some(version), Some(at)) => Ok(Some((
                quantity,
                version.cast_unsigned(),
                at.cast_unsigned(),
            ))),
            _ => Err("a level is half there".to_owned()),
        }
    };
    let wanted = three()?.map(|(quantity, version, observed_at)| Wanted {
        quantity,
        version,
        observed_at,
    });
    let known = three()?.map(|(quantity, version, at)| Known {
        quantity,
        version,
        at,
    });
    Ok(Level {
        pair,
        sync,
        wanted,
        known,
        flight: row.optional()?.map(i64::cast_unsigned),
        attempts: row.small()?,
        not_before: row.optional_at()?,
        standing: match row.value()? {
            ValueRef::Null => Standing::Open,
            other => standing_of(Some(other.as_str().map_err(|error| error.to_string())?))?,
        },
    })
}

/// A mark's two columns. A sequence has no tie-break; a time has one, be it empty.
pub(super) fn of_mark(mark: &Mark) -> (ValueRef<'_>, ValueRef<'_>) {
    match mark {
        Mark::None => (ValueRef::Null, ValueRef::Null),
        Mark::Sequence(number) => (ValueRef::Integer(*number), ValueRef::Null),
        Mark::Time { micros, tie } => (ValueRef::Integer(*micros), text(tie)),
    }
}

/// From location, SKU, quantity, committed, safety stock, mark and tie-break.
pub(super) fn observation(mut row: Columns<'_, '_>) -> Result<Observation, Wrong> {
    Ok(Observation {
        location: row.text()?,
        sku: row.text()?,
        quantity: row.optional()?,
        committed: row.optional()?,
        safety_stock: row.optional()?,
        mark: match (row.optional()?, row.value()?) {
            (None, ValueRef::Null) => Mark::None,
            (Some(number), ValueRef::Null) => Mark::Sequence(number),
            (Some(micros), ValueRef::Text(tie)) => Mark::Time {
                micros,
                tie: std::str::from_utf8(tie)
                    .map_err(|error| error.to_string())?
                    .to_owned(),
            },
            _ => return Err("an order mark is none".to_owned()),
        },
    })
}

pub(super) fn of_position<'v>(
    source: &'v str,
    position: &'v Position,
    files: &'v str,
) -> [ValueRef<'v>; 8] {
    [
        text(source),
        int(position.read_at),
        micros(position.time),
        text(&position.cursor),
        int(position.rows),
        text(&position.digest),
        int(position.proven.into()),
        text(files),
    ]
}

pub(super) fn position(mut row: Columns<'_, '_>) -> Result<Position, Wrong> {
    row.skip();
    Ok(Position {
        read_at: row.int()?,
        time: row.at()?,
        cursor: row.text()?,
        rows: row.int()?,
        digest: row.text()?,
        proven: row.int()? != 0,
        files: row.json()?,
    })
}

pub(super) fn of_batch<'v>(batch: &'v Batch, items: &'v str) -> [ValueRef<'v>; 9] {
    [
        int(batch.id),
        text(&batch.sync),
        text(&batch.key),
        micros(batch.made_at),
        optional_micros(batch.key_ends),
        int((batch.state == BatchState::Unknown).into()),
        optional_micros(batch.unknown_since),
        int(batch.attempts.into()),
        text(items),
    ]
}

pub(super) fn batch(mut row: Columns<'_, '_>) -> Result<Batch, Wrong> {
    Ok(Batch {
        id: row.int()?,
        sync: row.text()?,
        key: row.text()?,
        made_at: row.at()?,
        key_ends: row.optional_at()?,
        state: if row.int()? == 0 {
            BatchState::Prepared
        } else {
            BatchState::Unknown
        },
        unknown_since: row.optional_at()?,
        attempts: row.small()?,
        items: row.json()?,
    })
}

pub(super) fn of_line<'v>(id: i64, line: &'v Line, what: &'v str) -> [ValueRef<'v>; 12] {
    [
        ValueRef::Integer(id),
        micros(line.at),
        text(&line.sync),
        text(&line.pair.place),
        text(&line.pair.sku),
        int(line.version),
        ValueRef::Integer(line.quantity),
        optional(line.before),
        int(line.batch),
        text(what),
        text(&line.code),
        text(&line.message),
    ]
}

pub(super) fn line(mut row: Columns<'_, '_>) -> Result<Line, Wrong> {
    row.skip();
    Ok(Line {
        at: row.at()?,
        sync: row.text()?,
        pair: Pair {
            place: row.text()?,
            sku: row.text()?,
        },
        version: row.int()?,
        quantity: row.signed()?,
        before: row.optional()?,
        batch: row.int()?,
        what: row.json()?,
        code: row.text()?,
        message: row.text()?,
    })
}

pub(super) fn event(mut row: Columns<'_, '_>) -> Result<Event, Wrong> {
    Ok(Event {
        source: row.text()?,
        id: row.text()?,
        at: row.at()?,
        observations: row.json()?,
    })
}

pub(super) fn order(mut row: Columns<'_, '_>) -> Result<KeptOrder, Wrong> {
    Ok(KeptOrder {
        id: row.int()?,
        at: row.at()?,
        who: row.text()?,
        order: row.json()?,
    })
}

pub(super) fn pause(mut row: Columns<'_, '_>) -> Result<Pause, Wrong> {
    Ok(Pause {
        sync: row.text()?,
        at: row.at()?,
        who: row.text()?,
        reason: row.text()?,
    })
}

pub(super) fn held(mut row: Columns<'_, '_>) -> Result<HeldPlan, Wrong> {
    let id = row.text()?;
    row.skip();
    Ok(HeldPlan {
        id,
        sync: row.text()?,
        at: row.at()?,
        reasons: row.json()?,
        items: row.json()?,
    })
}

pub(super) fn run(mut row: Columns<'_, '_>) -> Result<RunEnd, Wrong> {
    row.skip();
    Ok(RunEnd {
        sync: row.text()?,
        at: row.at()?,
        exit: u8::try_from(row.signed()?).map_err(|_| "an exit code is none".to_owned())?,
        words: row.text()?,
        compared: row.int()?,
        changed: row.int()?,
        accepted: row.int()?,
    })
}
