//! What is told of an item beside its bytes, for the log that plans, gates and audits are made from.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_128;

use super::{FeedOutput, FeedRun};
use crate::channel::manifest::Records;
use crate::model::availability;
use crate::model::value::Value;
use crate::write::items::{self, ItemBody, UpcomingPrice};

impl FeedRun<'_, '_> {
    /// Adds the item just rendered, whose bytes stand at `place`, to the log. Its id is what must be unique; where
    /// nothing must, the SKU, in a stock feed with its location.
    pub(super) fn log_item(&self, place: Range<usize>, unique: Option<&str>, out: &mut FeedOutput) {
        let Some(log) = &self.program.log else {
            return;
        };
        let run = self.run;
        let now = run.tables().now;
        let sku = run.text(self.sku).unwrap_or("");
        let told = if self.program.records == Records::Products {
            let width = self.program.attributes.len();
            let (row, variants) = (run.row(), &self.rows);
            let told = log.read_product(run, now, variants, self.product, |variant, slot| {
                let place = self
                    .program
                    .attributes
                    .iter()
                    .position(|attribute| attribute.slot == slot);
                place
                    .and_then(|place| self.matrix.get(variant * width + place))
                    .map_or(Value::Absent, |computed| computed.value)
            });
            run.select(row, self.product);
            told
        } else {
            log.read(run, now)
        };
        let bytes = out.bytes.get(place).unwrap_or_default();
        let at_location;
        let id = match unique.filter(|id| !id.is_empty()) {
            Some(id) => id,
            None => match run.stock_location_code() {
                Some(code) => {
                    at_location = format!("{sku} @ {code}");
                    &at_location
                }
                None => sku,
            },
        };
        let currency = &self.program.view.currency;
        items::encode(
            &ItemBody {
                id,
                sku,
                hash: xxh3_128(bytes),
                price: told.price.as_deref(),
                currency: if told.price.is_some() { currency } else { "" },
                availability: told
                    .availability
                    .and_then(|word| availability::parse(word).ok()),
                quantity: told.quantity,
                title: told.title.unwrap_or(""),
                upcoming: told.upcoming.map(|(at, price)| UpcomingPrice {
                    at: at.as_second(),
                    price,
                }),
            },
            &mut out.log,
        );
    }
}
