//! The audit: the same SKU in several feeds, and where they contradict each other.
//!
//! In: the item logs of published feeds, opened as often as asked. Out: disagreements grouped by what disagrees, the
//! worst in full, the rest as counts. Prices are compared exactly, as decimals, among feeds of the same currency and tax;
//! titles among feeds of the same language, where one that is cut short agrees with the whole one. Another currency or
//! language is no disagreement; an item that is not in its own feed's currency is one. Memory is bounded: SKUs are taken
//! in shares of about [`ITEMS_AT_ONCE`] items, and the logs are read once a share.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use rust_decimal::Decimal;
use xxhash_rust::xxh3::xxh3_64;

use crate::model::availability::Availability;
use crate::program::decimal;
use crate::write::items::{ItemLogError, ItemLogReader};

use super::worst::Worst;

/// Items held at once.
pub const ITEMS_AT_ONCE: u64 = 200_000;
/// Disagreements of a kind that are listed.
pub const DISAGREEMENTS_MAX: usize = 500;

/// A feed to be audited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditedFeed {
    /// Its name.
    pub name: String,
    /// What its prices contain, such as `gross`: only feeds that say the same are compared.
    pub prices: String,
}

/// What disagrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Prices in the same currency.
    Price,
    /// The item's currency and its feed's.
    Currency,
    /// Whether it can be bought.
    Availability,
    /// Titles in the same language.
    Title,
}

impl Kind {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Price => "price",
            Kind::Currency => "currency",
            Kind::Availability => "availability",
            Kind::Title => "title",
        }
    }
}

/// A SKU on which feeds disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// The SKU.
    pub sku: String,
    /// What is said, and by which feeds.
    pub values: Vec<(String, Vec<String>)>,
}

/// Disagreements of one kind, in one currency or language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What disagrees.
    pub kind: Kind,
    /// The currency of prices, the language of titles; else empty.
    pub of: String,
    /// How many SKUs.
    pub total: u64,
    /// The worst, the most harmful first.
    pub items: Vec<Disagreement>,
}

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// The feeds with their items.
    pub feeds: Vec<(String, u64)>,
    /// SKUs in two feeds or more.
    pub shared: u64,
    /// What disagrees.
    pub groups: Vec<Group>,
}

/// Why feeds cannot be audited.
#[derive(Debug, thiserror::Error)]
#[error("the items of feed `{feed}`: {error}")]
pub struct AuditError {
    /// The feed.
    pub feed: String,
    /// What is wrong with its log.
    pub error: ItemLogError,
}

/// Compares feeds; `open` opens the item log of one (by its place in `feeds`), once a share of the SKUs and once before.
///
/// # Errors
/// A log that cannot be used.
pub fn audit<R: Read>(
    feeds: &[AuditedFeed],
    mut open: impl FnMut(usize) -> Result<ItemLogReader<R>, ItemLogError>,
) -> Result<Audit, AuditError> {
    let mut audit = Audit::default();
    for place in 0..feeds.len() {
        let items = each(feeds, place, &mut open, |_, _| ())?;
        let name = feeds[place].name.clone();
        audit.feeds.push((name, items));
    }
    let items: u64 = audit.feeds.iter().map(|(_, items)| items).sum();
    let shares = items.div_ceil(ITEMS_AT_ONCE).max(1);
    let mut found = Found::default();
    for share in 0..shares {
        let mut skus: HashMap<String, Vec<Fact>> = HashMap::new();
        for place in 0..feeds.len() {
            each(feeds, place, &mut open, |head, item| {
                if item.sku.is_empty() || xxh3_64(item.sku.as_bytes()) % shares != share {
                    return;
                }
                let facts = match skus.get_mut(item.sku) {
                    Some(facts) => facts,
                    None => skus.entry(item.sku.to_owned()).or_default(),
                };
                match facts.iter_mut().find(|fact| fact.feed == place) {
                    // A SKU at several locations: what it is overall is not for one row to say.
                    Some(fact) if fact.availability != item.availability => {
                        fact.availability = None;
                    }
                    Some(_) => {}
                    None => facts.push(Fact {
                        feed: place,
                        price: item.price.map(str::to_owned),
                        currency: item.currency.to_owned(),
                        feed_currency: head.currency.clone(),
                        language: head.language.clone(),
                        availability: item.availability,
                        title: item.title.to_owned(),
                    }),
                }
            })?;
        }
        let mut names: Vec<&String> = skus.keys().collect();
        names.sort_unstable();
        for sku in names {
            let facts = skus.get(sku).map_or(&[][..], Vec::as_slice);
            audit.shared += u64::from(facts.len() > 1);
            found.judge(sku, facts, feeds);
        }
    }
    audit.groups = found.finish();
    Ok(audit)
}

fn each<R: Read>(
    feeds: &[AuditedFeed],
    place: usize,
    open: &mut impl FnMut(usize) -> Result<ItemLogReader<R>, ItemLogError>,
    mut show: impl FnMut(&crate::write::items::LogHead, &crate::write::items::ItemBody<'_>),
) -> Result<u64, AuditError> {
    let wrong = |error| AuditError {
        feed: feeds
            .get(place)
            .map_or(String::new(), |feed| feed.name.clone()),
        error,
    };
    let mut log = open(place).map_err(wrong)?;
    let head = log.head().clone();
    while let Some(record) = log.next().map_err(wrong)? {
        show(&head, &record.body);
    }
    Ok(log.items())
}

/// What a feed says of a SKU.
struct Fact {
    feed: usize,
    price: Option<String>,
    currency: String,
    feed_currency: String,
    language: String,
    availability: Option<Availability>,
    title: String,
}

#[derive(Default)]
struct Found {
    groups: BTreeMap<(Kind, String), Worst<Disagreement>>,
}

impl Found {
    fn judge(&mut self, sku: &str, facts: &[Fact], feeds: &[AuditedFeed]) {
        let name = |fact: &Fact| feeds.get(fact.feed).map_or("", |feed| feed.name.as_str());
        let astray: Vec<&Fact> = facts
            .iter()
            .filter(|fact| fact.price.is_some() && fact.currency != fact.feed_currency)
            .collect();
        if !astray.is_empty() {
            let values = said(facts.iter().map(|fact| (fact.currency.clone(), name(fact))));
            self.add(Kind::Currency, "", sku, Decimal::ZERO, values);
        }
        if facts.len() < 2 {
            return;
        }
        let mut by_currency: BTreeMap<(&str, &str), Vec<(Decimal, &Fact)>> = BTreeMap::new();
        for fact in facts {
            let amount = fact.price.as_deref().and_then(decimal::parse);
            let tax = feeds.get(fact.feed).map_or("", |feed| feed.prices.as_str());
            if let Some(amount) = amount {
                let key = (fact.currency.as_str(), tax);
                by_currency.entry(key).or_default().push((amount, fact));
            }
        }
        for ((currency, _), prices) in by_currency {
            let least = prices.iter().map(|(price, _)| *price).min();
            let most = prices.iter().map(|(price, _)| *price).max();
            if let (Some(least), Some(most)) = (least, most)
                && least != most
            {
                let harm = most
                    .saturating_sub(least)
                    .checked_div(least)
                    .unwrap_or(Decimal::MAX);
                let values = prices
                    .iter()
                    .map(|(price, fact)| (price.normalize().to_string(), name(fact)));
                self.add(Kind::Price, currency, sku, harm, said(values));
            }
        }
        let known: Vec<(Availability, &Fact)> = facts
            .iter()
            .filter_map(|fact| Some((fact.availability?, fact)))
            .collect();
        if known.windows(2).any(|pair| pair[0].0 != pair[1].0) {
            let out = |availability: Availability| availability == Availability::OutOfStock;
            // Sold out in one and for sale in another is worse than two ways to be ordered.
            let sold_out = known.iter().any(|(availability, _)| out(*availability));
            let values = known
                .iter()
                .map(|(availability, fact)| (availability.as_str().to_owned(), name(fact)));
            let harm = Decimal::from(i64::from(sold_out));
            self.add(Kind::Availability, "", sku, harm, said(values));
        }
        let mut by_language: BTreeMap<&str, Vec<&Fact>> = BTreeMap::new();
        for fact in facts.iter().filter(|fact| !fact.title.is_empty()) {
            by_language.entry(&fact.language).or_default().push(fact);
        }
        for (language, titled) in by_language {
            let longest = titled.iter().max_by_key(|fact| fact.title.len());
            let differs =
                |fact: &&Fact| longest.is_some_and(|longest| !agrees(&fact.title, &longest.title));
            if titled.iter().any(differs) {
                let values = titled.iter().map(|fact| (fact.title.clone(), name(fact)));
                self.add(Kind::Title, language, sku, Decimal::ZERO, said(values));
            }
        }
    }

    fn add(
        &mut self,
        kind: Kind,
        of: &str,
        sku: &str,
        harm: Decimal,
        values: Vec<(String, Vec<String>)>,
    ) {
        self.groups
            .entry((kind, of.to_owned()))
            .or_insert_with(|| Worst::new(DISAGREEMENTS_MAX))
            .offer(harm, || Disagreement {
                sku: sku.to_owned(),
                values,
            });
    }

    fn finish(self) -> Vec<Group> {
        let groups = self.groups.into_iter().map(|((kind, of), worst)| {
            let (items, total) = worst.finish();
            Group {
                kind,
                of,
                total,
                items,
            }
        });
        groups.collect()
    }
}

/// Whether a title is another one, or begins it and was cut.
fn agrees(title: &str, longest: &str) -> bool {
    let start = title.trim_end().trim_end_matches(['…', '.']).trim_end();
    title == longest || (!start.is_empty() && longest.starts_with(start))
}

/// The same values together, in the order in which they were first said.
fn said<'n>(values: impl Iterator<Item = (String, &'n str)>) -> Vec<(String, Vec<String>)> {
    let mut out: Vec<(String, Vec<String>)> = Vec::new();
    for (value, feed) in values {
        match out.iter_mut().find(|(known, _)| *known == value) {
            Some((_, feeds)) => feeds.push(feed.to_owned()),
            None => out.push((value, vec![feed.to_owned()])),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Item, Made, item, made_as};
    use super::*;

    fn audited(feeds: &[(&str, Made)]) -> Audit {
        let named: Vec<AuditedFeed> = feeds
            .iter()
            .map(|(name, _)| AuditedFeed {
                name: (*name).to_owned(),
                prices: if name.starts_with("net") {
                    "net"
                } else {
                    "gross"
                }
                .to_owned(),
            })
            .collect();
        audit(&named, |place| {
            ItemLogReader::open(feeds[place].1.log.as_slice())
        })
        .expect("whole")
    }

    fn feed(currency: &str, language: &str, items: Vec<Item>) -> Made {
        let items: Vec<Item> = items
            .into_iter()
            .map(|mut item| {
                if item.currency == "EUR" {
                    item.currency = currency.to_owned();
                }
                item
            })
            .collect();
        made_as(&items, currency, language, &[])
    }

    fn with(change: impl Fn(&mut Item)) -> Item {
        let mut made = item("a");
        change(&mut made);
        made
    }

    #[test]
    fn prices_are_compared_exactly_in_one_currency_and_tax() {
        let price = |price: &str| with(|item| item.price = Some(price.to_owned()));
        let audit = audited(&[
            ("web", feed("EUR", "en", vec![price("19.90"), item("b")])),
            ("meta", feed("EUR", "en", vec![price("19.900"), item("c")])),
            ("ceneo", feed("EUR", "en", vec![price("21")])),
            ("pl", feed("PLN", "en", vec![price("90")])),
            ("net-eu", feed("EUR", "en", vec![price("16")])),
        ]);
        assert_eq!((audit.shared, audit.groups.len()), (1, 1));
        let group = &audit.groups[0];
        assert_eq!(
            (group.kind, group.of.as_str(), group.total),
            (Kind::Price, "EUR", 1)
        );
        let values: Vec<(&str, usize)> = group.items[0]
            .values
            .iter()
            .map(|(value, feeds)| (value.as_str(), feeds.len()))
            .collect();
        assert_eq!(values, [("19.9", 2), ("21", 1)]);
    }

    #[test]
    fn titles_availability_and_currency_disagree() {
        let titled = |title: &str| with(|item| item.title = title.to_owned());
        let audit = audited(&[
            ("a", feed("EUR", "en", vec![titled("A blue stoneware mug")])),
            ("b", feed("EUR", "en", vec![titled("A blue stone…")])),
            ("c", feed("EUR", "de", vec![titled("Ein blauer Becher")])),
        ]);
        assert_eq!(audit.groups, []);
        let audit = audited(&[
            ("a", feed("EUR", "en", vec![titled("A blue mug")])),
            ("b", feed("EUR", "en", vec![titled("A red mug")])),
            (
                "c",
                feed(
                    "EUR",
                    "de",
                    vec![with(|item| {
                        item.availability = Some(Availability::OutOfStock);
                        item.currency = "USD".to_owned();
                    })],
                ),
            ),
        ]);
        let kinds: Vec<Kind> = audit.groups.iter().map(|group| group.kind).collect();
        assert_eq!(kinds, [Kind::Currency, Kind::Availability, Kind::Title]);
        assert_eq!(audit.groups[2].of, "en");
    }

    #[test]
    fn rows_of_several_locations_do_not_speak_for_the_sku() {
        let rows = vec![
            with(|item| item.id = "a@1".to_owned()),
            with(|item| item.availability = Some(Availability::OutOfStock)),
        ];
        let audit = audited(&[
            ("local", feed("EUR", "en", rows)),
            ("web", feed("EUR", "en", vec![item("a")])),
        ]);
        assert_eq!(audit.groups, []);
    }
}
