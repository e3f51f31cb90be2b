//! Gates: what stops a publication, judged on [`Changes`].
//!
//! A gate trips when *more* than its share is concerned (10 % of 50 items are 5: five removed pass, six do not), and only
//! from `at_least` items on. `empty`, `currency` and `language` know no limit and are always judged. A first publication
//! has nothing to compare with; it is judged in absolute terms:
//!
//! - `empty`: it has no items;
//! - `first_price`: more than `price_moved.share` of the items with a price have a price of zero or less;
//! - `first_fill`: an attribute that any channel needs ([`NEEDED`]) is among the feed's attributes and has a value in
//!   fewer than 10 % of the items.
//!
//! Both follow `price_moved = "off"` and `fill_drop = "off"`. What the shares are of: `removed`, `added` and
//! `ids_changed` of the items that stand at the channel; `price_moved` of the items in both with a price in both;
//! `going_out_of_stock` of the items in both that could be bought; `fill_drop` is in percentage points of an attribute's
//! fill, and its items are those that would still have the value had the fill stayed; `bytes` of the bytes that stand
//! there, larger or smaller, from `at_least` items in either version.

mod verdict;

use rust_decimal::Decimal;

use crate::config::gate::GateLimits;

pub use verdict::{Gate, NamedItem, Tripped};

use super::changes::{Changes, FillChange, ItemChange};

/// Attributes that any channel needs, by the words that channels have for them.
pub const NEEDED: [&str; 10] = [
    "id",
    "title",
    "name",
    "price",
    "link",
    "url",
    "image",
    "image_link",
    "image_url",
    "availability",
];
/// Below this share of the items a needed attribute counts as missing on a first publication.
const FIRST_FILL_MIN_PERCENT: u64 = 10;
/// Items a verdict names.
const NAMED: usize = 5;

/// The gates that a publication trips, in the order of [`Gate::ALL`]. Overrides are the caller's to apply.
pub fn judge(changes: &Changes, limits: &GateLimits) -> Vec<Tripped> {
    let judging = Judging { changes, limits };
    Gate::ALL
        .iter()
        .flat_map(|&gate| match gate {
            Gate::Empty => judging.empty(),
            Gate::FirstPrice | Gate::FirstFill if !changes.first() => Vec::new(),
            Gate::FirstPrice => judging.first_price(),
            Gate::FirstFill => judging.first_fill(),
            _ if changes.first() => Vec::new(),
            Gate::Currency => judging.currency(),
            Gate::Language => judging.language(),
            // With nothing left the rest says the same again.
            _ if changes.after.items == 0 => Vec::new(),
            Gate::Removed => judging.removed(),
            Gate::Added => judging.added(),
            Gate::IdsChanged => judging.ids_changed(),
            Gate::PriceMoved => judging.price_moved(),
            Gate::GoingOutOfStock => judging.going_out(),
            Gate::FillDrop => judging.fill_drop(),
            Gate::Bytes => judging.bytes(),
        })
        .collect()
}

/// Whether so many of so many are more than a share of them, exactly.
fn exceeds(count: u64, of: u64, limit: Decimal) -> bool {
    Decimal::from(count) > limit.saturating_mul(Decimal::from(of))
}

fn share_of(count: u64, of: u64) -> Option<Decimal> {
    Decimal::from(count).checked_div(Decimal::from(of))
}

/// A share as it reads: `10.5%`. What is over its limit never rounds down onto it.
fn percent(share: Decimal) -> String {
    let hundredfold = share.saturating_mul(Decimal::ONE_HUNDRED);
    let places = if hundredfold < Decimal::ONE { 3 } else { 1 };
    format!("{}%", hundredfold.round_dp(places).normalize())
}

/// Both shares in words, with as many decimals as it takes to tell them apart.
fn against(share: Decimal, limit: Decimal) -> (String, String) {
    let (shown, most) = (percent(share), percent(limit));
    if shown == most && share != limit {
        return (format!("a little over {most}"), most);
    }
    (shown, most)
}

struct Judging<'j> {
    changes: &'j Changes,
    limits: &'j GateLimits,
}

impl Judging<'_> {
    fn before(&self) -> u64 {
        self.changes.before.as_ref().map_or(0, |stand| stand.items)
    }

    /// A gate on a count of items.
    fn counted(
        &self,
        gate: Gate,
        (count, of): (u64, u64),
        limit: Option<Decimal>,
        what: &str,
        items: impl FnOnce() -> Vec<NamedItem>,
        look: &str,
    ) -> Vec<Tripped> {
        let Some(limit) = limit else {
            return Vec::new();
        };
        if count < self.limits.at_least.max(1) || !exceeds(count, of, limit) {
            return Vec::new();
        }
        let share = share_of(count, of);
        let message = match share {
            Some(share) => {
                let (share, limit) = against(share, limit);
                format!("{count} of {of} {what}: {share}, the limit is {limit}")
            }
            None => format!("{count} {what}, there were none before"),
        };
        vec![Tripped {
            gate,
            message,
            count,
            of,
            share,
            limit: Some(limit),
            items: items(),
            hint: hint(gate, look),
        }]
    }

    fn empty(&self) -> Vec<Tripped> {
        if self.changes.after.items > 0 {
            return Vec::new();
        }
        let of = self.before();
        let message = match of {
            0 => "the feed has no items".to_owned(),
            1 => "the feed has no items, it had 1".to_owned(),
            of => format!("the feed has no items, it had {of}"),
        };
        let look = "see what the filter and the checks leave: `shelfcast check`";
        vec![self.whole(Gate::Empty, message, (of, of), look)]
    }

    fn currency(&self) -> Vec<Tripped> {
        let Some(before) = &self.changes.before else {
            return Vec::new();
        };
        let (old, new) = (&before.currency, &self.changes.after.currency);
        let changed = self.changes.counts.currency_changes;
        let message = if old != new {
            format!("the feed's currency was `{old}` and would be `{new}`")
        } else if changed > 0 {
            let items = if changed == 1 { "item" } else { "items" };
            format!("{changed} {items} would have another currency")
        } else {
            return Vec::new();
        };
        let look = "a feed keeps its currency: another one belongs into a feed of its own";
        let of = self.before();
        vec![self.whole(Gate::Currency, message, (changed, of), look)]
    }

    fn language(&self) -> Vec<Tripped> {
        let Some(before) = &self.changes.before else {
            return Vec::new();
        };
        let (old, new) = (&before.language, &self.changes.after.language);
        if old == new {
            return Vec::new();
        }
        let message = format!("the feed's language was `{old}` and would be `{new}`");
        let look = "a feed keeps its language: another one belongs into a feed of its own";
        let of = self.before();
        vec![self.whole(Gate::Language, message, (of, of), look)]
    }

    fn whole(&self, gate: Gate, message: String, (count, of): (u64, u64), look: &str) -> Tripped {
        Tripped {
            gate,
            message,
            count,
            of,
            share: None,
            limit: None,
            items: Vec::new(),
            hint: hint(gate, look),
        }
    }

    fn removed(&self) -> Vec<Tripped> {
        let items = || {
            named(
                self.changes
                    .removed
                    .items
                    .iter()
                    .map(|item| (&item.id, &item.title)),
            )
        };
        let counts = (self.changes.counts.removed, self.before());
        let look = "see whether the source is whole, and what the filter leaves out";
        self.counted(
            Gate::Removed,
            counts,
            self.limits.removed.0,
            "items would go",
            items,
            look,
        )
    }

    fn added(&self) -> Vec<Tripped> {
        let items = || {
            named(
                self.changes
                    .added
                    .items
                    .iter()
                    .map(|item| (&item.id, &item.title)),
            )
        };
        let counts = (self.changes.counts.added, self.before());
        let look = "see whether these products are meant for this channel";
        let what = "items would come";
        let mut tripped = self.counted(Gate::Added, counts, self.limits.added.0, what, items, look);
        // Of what stands there: more may come than there are.
        for tripped in &mut tripped {
            if let (Some(share), Some(limit)) = (tripped.share, tripped.limit) {
                let (share, limit) = against(share, limit);
                tripped.message = format!(
                    "{} items would come beside {}: {share}, the limit is {limit}",
                    tripped.count, tripped.of
                );
            }
        }
        tripped
    }

    fn ids_changed(&self) -> Vec<Tripped> {
        let items = || {
            let renamed = self.changes.removed.items.iter();
            let renamed = renamed.filter(|item| item.id_changed);
            named(renamed.map(|item| (&item.id, &item.title)))
        };
        let counts = (self.changes.counts.ids_changed, self.before());
        let look = "a channel takes a new id for a new product and forgets what it knew of the old one: restore the mapping of the id";
        let what = "items would come back under another id";
        self.counted(
            Gate::IdsChanged,
            counts,
            self.limits.ids_changed.0,
            what,
            items,
            look,
        )
    }

    fn price_moved(&self) -> Vec<Tripped> {
        let Some(limit) = self.limits.price_moved.0 else {
            return Vec::new();
        };
        let counts = &self.changes.counts;
        let by = self.changes.price_by;
        let items = || {
            let far = self.changes.changed.items.iter().filter_map(|item| {
                let price = item.price.as_ref()?;
                super::tally::is_far(price, by).then(|| NamedItem {
                    id: item.id.clone(),
                    what: format!("{} -> {} {}", price.old, price.new, item.currency)
                        .trim_end()
                        .to_owned(),
                })
            });
            far.take(NAMED).collect()
        };
        let what = format!("prices would move by more than {}", percent(by));
        let look = "see whether the source has changed its decimal sign, currency or tax";
        let counts = (counts.price_moves_far, counts.priced);
        self.counted(
            Gate::PriceMoved,
            counts,
            Some(limit.share),
            &what,
            items,
            look,
        )
    }

    fn going_out(&self) -> Vec<Tripped> {
        let items = || {
            let out = self.changes.changed.items.iter();
            let out = out.filter(|item: &&ItemChange| item.going_out);
            named(out.map(|item| (&item.id, &item.title)))
        };
        let counts = (self.changes.counts.going_out, self.changes.counts.buyable);
        let look = "see whether the stock source is whole and current";
        let what = "items that can be bought no longer could";
        let limit = self.limits.going_out_of_stock.0;
        self.counted(Gate::GoingOutOfStock, counts, limit, what, items, look)
    }

    fn fill_drop(&self) -> Vec<Tripped> {
        let Some(limit) = self.limits.fill_drop.0 else {
            return Vec::new();
        };
        let (before, after) = (self.before(), self.changes.after.items);
        let mut tripped: Vec<Tripped> = Vec::new();
        for fill in &self.changes.fill {
            // All over before × after, so that nothing is rounded.
            let had = u128::from(fill.before) * u128::from(after);
            let has = u128::from(fill.after) * u128::from(before);
            let lost = had.saturating_sub(has);
            let whole = u128::from(before) * u128::from(after);
            let items = lost.checked_div(u128::from(before)).unwrap_or(0);
            let items = u64::try_from(items).unwrap_or(u64::MAX);
            let (Some(lost), Some(whole)) = (decimal(lost), decimal(whole)) else {
                continue;
            };
            let least = self.limits.at_least.max(1);
            if items < least || lost <= limit.saturating_mul(whole) {
                continue;
            }
            let share = lost.checked_div(whole);
            let part = |count: u64, of: u64| percent(share_of(count, of).unwrap_or_default());
            let (points, most) = against(share.unwrap_or_default(), limit);
            let message = format!(
                "`{}` would be filled in {} of the items, it was in {}: {points} fewer, the limit is {most}",
                fill.attribute,
                part(fill.after, after),
                part(fill.before, before),
            );
            let look = "see whether its column is still in the source";
            tripped.push(Tripped {
                gate: Gate::FillDrop,
                message,
                count: items,
                of: after,
                share,
                limit: Some(limit),
                items: self.emptied(fill),
                hint: hint(Gate::FillDrop, look),
            });
        }
        tripped
    }

    /// Items in which a field of that name lost its value.
    fn emptied(&self, fill: &FillChange) -> Vec<NamedItem> {
        let groups = self.changes.fields.iter();
        let group = groups.filter(|group| last_name(&group.field) == last_name(&fill.attribute));
        let ids = group.flat_map(|group| &group.emptied_ids).take(NAMED);
        ids.map(|id| NamedItem {
            id: id.clone(),
            what: format!("loses `{}`", fill.attribute),
        })
        .collect()
    }

    fn bytes(&self) -> Vec<Tripped> {
        let (Some(limit), Some(before)) = (self.limits.bytes.0, &self.changes.before) else {
            return Vec::new();
        };
        let after = &self.changes.after;
        let moved = after.bytes.abs_diff(before.bytes);
        if before.items.max(after.items) < self.limits.at_least.max(1)
            || !exceeds(moved, before.bytes, limit)
        {
            return Vec::new();
        }
        let word = if after.bytes > before.bytes {
            "larger"
        } else {
            "smaller"
        };
        let share = share_of(moved, before.bytes);
        let (share_text, limit_text) = against(share.unwrap_or(Decimal::ONE), limit);
        let message = format!(
            "the feed would have {} bytes, it had {}: {share_text} {word}, the limit is {limit_text}",
            after.bytes, before.bytes
        );
        let look = "see which fields have grown or gone";
        vec![Tripped {
            share,
            limit: Some(limit),
            ..self.whole(Gate::Bytes, message, (after.items, before.items), look)
        }]
    }

    fn first_price(&self) -> Vec<Tripped> {
        let limit = self.limits.price_moved.0.map(|limit| limit.share);
        let counts = (
            self.changes.counts.zero_prices,
            self.changes.counts.with_price,
        );
        let items = || {
            let zero = self.changes.added.items.iter().filter(|item| {
                let price = item
                    .price
                    .as_deref()
                    .and_then(crate::program::decimal::parse);
                price.is_some_and(|price| price <= Decimal::ZERO)
            });
            named(zero.map(|item| (&item.id, &item.title)))
        };
        let look = "see whether the price's column is the right one";
        let what = "prices are zero";
        self.counted(Gate::FirstPrice, counts, limit, what, items, look)
    }

    fn first_fill(&self) -> Vec<Tripped> {
        let after = self.changes.after.items;
        if self.limits.fill_drop.0.is_none() || after < self.limits.at_least.max(1) {
            return Vec::new();
        }
        let needed = self.changes.fill.iter().filter(|fill| {
            NEEDED.contains(&plain_name(&fill.attribute).as_str())
                && fill.after.saturating_mul(100) < after.saturating_mul(FIRST_FILL_MIN_PERCENT)
        });
        needed
            .map(|fill| {
                let message = format!(
                    "`{}` is filled in {} of {after} items, a first publication needs it in {FIRST_FILL_MIN_PERCENT}%",
                    fill.attribute, fill.after
                );
                let look = "see whether it is mapped: `shelfcast preview` shows an item";
                Tripped {
                    share: share_of(fill.after, after),
                    limit: Some(Decimal::new(FIRST_FILL_MIN_PERCENT as i64, 2)),
                    ..self.whole(Gate::FirstFill, message, (fill.after, after), look)
                }
            })
            .collect()
    }
}

fn decimal(number: u128) -> Option<Decimal> {
    i128::try_from(number)
        .ok()
        .and_then(|number| Decimal::try_from_i128_with_scale(number, 0).ok())
}

fn named<'n>(items: impl Iterator<Item = (&'n String, &'n String)>) -> Vec<NamedItem> {
    items
        .take(NAMED)
        .map(|(id, what)| NamedItem {
            id: id.clone(),
            what: what.clone(),
        })
        .collect()
}

/// The last name of a path without prefix and repeats, as channels spell attributes: `g:image_link[2]` is `image_link`.
fn last_name(path: &str) -> String {
    let last = path
        .rsplit(['/', ':', '.', '@', '>'])
        .next()
        .unwrap_or(path);
    let last = last.split('[').next().unwrap_or(last);
    last.trim().to_lowercase().replace([' ', '-'], "_")
}

/// An attribute's own name without its prefix; one that lies deeper is another thing of that name:
/// `offers.priceSpecification.price` is not the price that a channel needs.
fn plain_name(attribute: &str) -> String {
    if attribute.contains(['.', '/']) {
        return String::new();
    }
    last_name(attribute)
}

fn hint(gate: Gate, look: &str) -> String {
    format!(
        "{look}; if it is meant, once: `--allow {} --reason \"…\"`",
        gate.as_str()
    )
}

#[cfg(test)]
mod tests;
