//! Shopify's `inventory_levels/update`, signed over the body. It names no SKU: it only has the source read. Of the body only the
//! location is looked at, to know our own writing again.

use hyper::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use super::Said;
use crate::sync::serve::signature::{Secrets, name_of, only};

/// Which header signs it.
pub(crate) const SIGNATURE: &str = "x-shopify-hmac-sha256";
/// Headers by one of which a repetition is known.
pub(crate) const IDS: [&str; 2] = ["x-shopify-event-id", "x-shopify-webhook-id"];

pub(super) fn verify(secrets: &Secrets, headers: &HeaderMap, body: &[u8]) -> bool {
    only(headers, SIGNATURE).is_some_and(|header| secrets.base64(&[body], header))
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    location_id: Value,
}

pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Said, String> {
    let parsed: Body =
        serde_json::from_slice(body).map_err(|_| "the body is no object of JSON".to_owned())?;
    let id = IDS
        .iter()
        .find_map(|name| only(headers, name))
        .unwrap_or_default();
    let place = match parsed.location_id {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text),
        _ => None,
    };
    Ok(Said {
        // The header is not signed, the body is: under another id it is at most one reading more.
        id: name_of(&[id, body]),
        places: place.into_iter().collect(),
        ..Said::default()
    })
}
