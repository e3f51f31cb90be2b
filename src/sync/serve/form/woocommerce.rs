//! WooCommerce's `product.updated`, signed over the body. It has the SKU and its count, and no location. Of the body only these
//! and the time of the change are looked at.

use hyper::HeaderMap;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::Deserialize;
use serde_json::Value;

use super::Said;
use super::rows::{count, mark_of, text};
use crate::sync::level::Observation;
use crate::sync::serve::signature::{Secrets, name_of, only};

/// Which header signs it.
pub(crate) const SIGNATURE: &str = "x-wc-webhook-signature";
/// By which header a repetition is known.
pub(crate) const ID: &str = "x-wc-webhook-delivery-id";
/// The shop that sends it.
pub(crate) const SENDER: &str = "x-wc-webhook-source";

pub(super) fn verify(secrets: &Secrets, headers: &HeaderMap, body: &[u8]) -> bool {
    only(headers, SIGNATURE).is_some_and(|header| secrets.base64(&[body], header))
}

/// `webhook_id=12`, which WooCommerce sends without a signature when a webhook is saved.
pub(super) fn is_ping(headers: &HeaderMap, body: &[u8]) -> bool {
    !headers.contains_key(SIGNATURE)
        && body.strip_prefix(b"webhook_id=").is_some_and(|digits| {
            (1..=20).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
        })
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    sku: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    manage_stock: Value,
    #[serde(default)]
    stock_quantity: Value,
    #[serde(default)]
    date_modified_gmt: Option<String>,
}

pub(super) fn read(headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Said, String> {
    let parsed: Body =
        serde_json::from_slice(body).map_err(|_| "the body is no product in JSON".to_owned())?;
    let id = only(headers, ID).unwrap_or_default();
    let host = only(headers, SENDER)
        .and_then(|header| std::str::from_utf8(header).ok())
        .and_then(host_of);
    Ok(Said {
        id: name_of(&[id, body]),
        observations: parsed.observation(now)?.into_iter().collect(),
        host,
        ..Said::default()
    })
}

impl Body {
    /// The count, where the product has one of its own and says when it was so.
    fn observation(&self, now: Timestamp) -> Result<Option<Observation>, String> {
        let own =
            self.manage_stock == Value::Bool(true) && self.kind.as_deref() != Some("variable");
        let sku = text(self.sku.as_deref().unwrap_or("").trim(), "sku")?;
        let quantity = count(&self.stock_quantity, "stock_quantity")?;
        let mark = self
            .date_modified_gmt
            .as_deref()
            // Without an offset, and in UTC.
            .and_then(|written| written.trim_end_matches('Z').parse::<DateTime>().ok())
            .and_then(|written| Offset::UTC.to_timestamp(written).ok())
            .and_then(|at| mark_of(at, String::new(), now));
        Ok(match (own && !sku.is_empty(), quantity, mark) {
            (true, Some(units), Some(mark)) => Some(Observation {
                sku,
                quantity: Some(units),
                mark,
                ..Observation::default()
            }),
            _ => None,
        })
    }
}

/// `shop.example` of `https://shop.example/`.
fn host_of(url: &str) -> Option<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.rsplit('@').next()?;
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}
