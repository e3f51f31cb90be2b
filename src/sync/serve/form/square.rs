//! Square's `inventory.count.updated`, signed over the address it calls and the body. It names its own ids, no SKU: it only has
//! the source read. Of the body only the event's id and the locations are looked at.

use hyper::HeaderMap;
use serde::Deserialize;

use super::Said;
use super::generic::kept_id;
use crate::sync::serve::signature::{Secrets, name_of, only};

/// Which header signs it.
pub(crate) const SIGNATURE: &str = "x-square-hmacsha256-signature";

pub(super) fn verify(secrets: &Secrets, url: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    only(headers, SIGNATURE).is_some_and(|header| secrets.base64(&[url.as_bytes(), body], header))
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    event_id: Option<String>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    object: Option<Object>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    inventory_counts: Vec<Count>,
}

#[derive(Deserialize)]
struct Count {
    #[serde(default)]
    location_id: Option<String>,
}

pub(super) fn read(rows_max: usize, body: &[u8]) -> Result<Said, String> {
    let parsed: Body =
        serde_json::from_slice(body).map_err(|_| "the body is no event in JSON".to_owned())?;
    let counts = parsed
        .data
        .and_then(|data| data.object)
        .map(|object| object.inventory_counts)
        .unwrap_or_default();
    if counts.len() > rows_max {
        return Err(format!("`inventory_counts` has more than {rows_max}"));
    }
    let mut places = Vec::with_capacity(counts.len());
    for count in counts {
        match count.location_id {
            Some(place) => places.push(place),
            // One that names no place may be news of any.
            None => {
                places.clear();
                break;
            }
        }
    }
    Ok(Said {
        id: match parsed.event_id {
            Some(id) if !id.is_empty() => kept_id(id),
            _ => name_of(&[body]),
        },
        places,
        ..Said::default()
    })
}
