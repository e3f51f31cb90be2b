//! Our own form (`docs/webhooks.md`).
//!
//! `X-Shelfcast-Timestamp` has the seconds since 1970; `X-Shelfcast-Signature` is `sha256=` and the lower-case hexadecimal
//! HMAC-SHA-256 of the timestamp as it is written, a full stop, and the raw body. The id stands in the body, where the
//! signature covers it.

use std::time::Duration;

use hyper::HeaderMap;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::rows::{count, mark_of, text};
use super::{Refused, Said};
use crate::config::project::Basis;
use crate::sync::level::{Mark, Observation};
use crate::sync::serve::limits::{CLOCK_WINDOW, TEXT_BYTES};
use crate::sync::serve::signature::{Secrets, name_of, only};

/// Which header signs it.
pub(crate) const SIGNATURE: &str = "x-shelfcast-signature";
/// Which header says when.
pub(crate) const TIMESTAMP: &str = "x-shelfcast-timestamp";

pub(super) fn verify(
    secrets: &Secrets,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Refused> {
    let written = only(headers, TIMESTAMP).ok_or(Refused::Signature)?;
    let signature = only(headers, SIGNATURE)
        .and_then(|header| header.strip_prefix(b"sha256="))
        .ok_or(Refused::Signature)?;
    if !secrets.hex(&[written, b".", body], signature) {
        return Err(Refused::Signature);
    }
    // Only digits: the shortest way to write it, so that there is one.
    let seconds: Option<i64> = std::str::from_utf8(written)
        .ok()
        .filter(|digits| digits.len() <= 11 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok());
    let window = CLOCK_WINDOW + Duration::from_secs(1);
    match seconds {
        Some(seconds) if seconds.abs_diff(now.as_second()) < window.as_secs() => Ok(()),
        _ => Err(Refused::Late),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    id: String,
    #[serde(default)]
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    sku: String,
    #[serde(default)]
    location: String,
    #[serde(default)]
    on_hand: Value,
    #[serde(default)]
    available: Value,
    #[serde(default)]
    salable: Value,
    #[serde(default)]
    committed: Value,
    #[serde(default)]
    safety_stock: Value,
    updated_at: Option<String>,
    sequence: Option<i64>,
    #[serde(default)]
    tie: String,
}

pub(super) fn read(
    basis: Basis,
    rows_max: usize,
    body: &[u8],
    now: Timestamp,
) -> Result<Said, String> {
    // The message of the parser may repeat what stands there; the place is enough.
    let body: Body = serde_json::from_slice(body).map_err(|error| {
        format!(
            "the body is not what it should be at line {}, column {}: `id`, and `rows` of `sku`, `location`, a count, and \
             `updated_at` or `sequence`",
            error.line(),
            error.column()
        )
    })?;
    if body.id.is_empty() || body.id.len() > TEXT_BYTES {
        return Err(format!("`id` has 1 to {TEXT_BYTES} bytes"));
    }
    if body.rows.len() > rows_max {
        return Err(format!("`rows` has more than {rows_max}"));
    }
    let mut places = Vec::with_capacity(body.rows.len());
    let mut observations = Vec::with_capacity(body.rows.len());
    let mut complete = true;
    for (number, row) in body.rows.into_iter().enumerate() {
        let (observation, ordered) = row.observation(number, basis, now)?;
        complete &= ordered && observation.quantity.is_some();
        places.push(observation.location.clone());
        observations.push(observation);
    }
    if !complete {
        // It does not say all that it takes: the source is asked.
        observations.clear();
    }
    Ok(Said {
        id: kept_id(body.id),
        observations,
        places,
        ours: true,
        host: None,
    })
}

impl Row {
    fn observation(
        self,
        number: usize,
        basis: Basis,
        now: Timestamp,
    ) -> Result<(Observation, bool), String> {
        let at = |name: &str| format!("rows[{number}].{name}");
        let (name, counted) = match basis {
            Basis::OnHand => ("on_hand", &self.on_hand),
            Basis::Available => ("available", &self.available),
            Basis::Salable => ("salable", &self.salable),
        };
        let others = [
            ("on_hand", &self.on_hand),
            ("available", &self.available),
            ("salable", &self.salable),
        ];
        for (other, value) in others {
            if other != name && !value.is_null() {
                return Err(format!(
                    "`{}` is given, and the source counts `{name}`",
                    at(other)
                ));
            }
        }
        let committed = count(&self.committed, &at("committed"))?;
        if basis != Basis::OnHand && committed.is_some() {
            return Err(format!(
                "`{}` is given, and `{name}` is already without it",
                at("committed")
            ));
        }
        let mark = match (self.sequence, &self.updated_at) {
            (Some(_), Some(_)) => {
                return Err(format!(
                    "`rows[{number}]` has both `sequence` and `updated_at`; give one"
                ));
            }
            (Some(sequence), None) => Some(Mark::Sequence(sequence)),
            (None, Some(written)) => {
                let time: Timestamp = written
                    .parse()
                    .map_err(|_| format!("`{}` is no time of RFC 3339", at("updated_at")))?;
                mark_of(time, text(&self.tie, &at("tie"))?, now)
            }
            (None, None) => None,
        };
        let sku = text(self.sku.trim(), &at("sku"))?;
        if sku.is_empty() {
            return Err(format!("`{}` is empty", at("sku")));
        }
        let ordered = mark.is_some();
        let observation = Observation {
            location: text(self.location.trim(), &at("location"))?,
            sku,
            quantity: count(counted, &at(name))?,
            committed,
            safety_stock: count(&self.safety_stock, &at("safety_stock"))?,
            mark: mark.unwrap_or_default(),
        };
        Ok((observation, ordered))
    }
}

/// An id as it is kept: as it came where it is short and plain, else its digest.
pub(super) fn kept_id(id: String) -> String {
    let plain = id.len() <= 64
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    if plain { id } else { name_of(&[id.as_bytes()]) }
}
