//! Small feeds for tests: items to a log and the bytes it points to.

use std::collections::HashMap;
use std::io;

use xxhash_rust::xxh3::xxh3_128;

use super::bytes::{ItemBytes, Side};
use super::{Changes, CompareOptions, compare};
use crate::config::gate::GateLimits;
use crate::model::availability::Availability;
use crate::write::items::{
    ItemBody, ItemLogReader, ItemLogWriter, LogFoot, LogHead, UpcomingPrice, encode,
};

pub(crate) const NOW: i64 = 1_800_000_000;

/// An item of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) sku: String,
    pub(crate) title: String,
    pub(crate) price: Option<String>,
    pub(crate) currency: String,
    pub(crate) availability: Option<Availability>,
    pub(crate) quantity: Option<i64>,
    pub(crate) upcoming: Option<(i64, String)>,
    /// What else stands in it.
    pub(crate) note: String,
}

pub(crate) fn item(id: &str) -> Item {
    Item {
        id: id.to_owned(),
        sku: id.to_owned(),
        title: format!("Title {id}"),
        price: Some("100".to_owned()),
        currency: "EUR".to_owned(),
        availability: Some(Availability::InStock),
        quantity: Some(10),
        upcoming: None,
        note: "note".to_owned(),
    }
}

impl Item {
    pub(crate) fn rendered(&self) -> Vec<u8> {
        let escape = |text: &str| quick_xml::escape::escape(text).into_owned();
        format!(
            "<item><id>{}</id><title>{}</title><price>{} {}</price><availability>{}</availability><quantity>{}</quantity><note>{}</note></item>\n",
            escape(&self.id),
            escape(&self.title),
            escape(self.price.as_deref().unwrap_or("")),
            self.currency,
            self.availability.map_or("", Availability::as_str),
            self.quantity.map_or(String::new(), |units| units.to_string()),
            escape(&self.note),
        )
        .into_bytes()
    }
}

/// A feed of a test: its log and its only part.
pub(crate) struct Made {
    pub(crate) log: Vec<u8>,
    pub(crate) part: Vec<u8>,
}

pub(crate) fn made(items: &[Item]) -> Made {
    let count = |has: &dyn Fn(&Item) -> bool| items.iter().filter(|item| has(item)).count() as u64;
    let fill = [
        ("id", items.len() as u64),
        ("title", count(&|item| !item.title.is_empty())),
        ("price", count(&|item| item.price.is_some())),
        ("note", count(&|item| !item.note.is_empty())),
    ];
    made_as(items, "EUR", "en", &fill)
}

pub(crate) fn made_as(
    items: &[Item],
    currency: &str,
    language: &str,
    fill: &[(&str, u64)],
) -> Made {
    let head = LogHead {
        format: "xml".to_owned(),
        language: language.to_owned(),
        currency: currency.to_owned(),
        ..LogHead::default()
    };
    let mut log = ItemLogWriter::new(Vec::new(), &head).expect("a vector");
    let mut part = b"<feed>\n".to_vec();
    let mut body = Vec::new();
    for item in items {
        let rendered = item.rendered();
        body.clear();
        let record = ItemBody {
            id: &item.id,
            sku: &item.sku,
            hash: xxh3_128(&rendered),
            price: item.price.as_deref(),
            currency: &item.currency,
            availability: item.availability,
            quantity: item.quantity,
            title: &item.title,
            upcoming: item
                .upcoming
                .as_ref()
                .map(|(at, price)| UpcomingPrice { at: *at, price }),
        };
        encode(&record, &mut body);
        log.add(1, part.len() as u64, rendered.len() as u32, &body)
            .expect("a vector");
        part.extend_from_slice(&rendered);
    }
    let foot = LogFoot {
        head_hash: 1,
        tail_hash: 2,
        bytes: part.len() as u64,
        items: 0,
        fill: fill
            .iter()
            .map(|(name, items)| ((*name).to_owned(), *items))
            .collect(),
    };
    let log = log.finish(&foot).expect("a vector");
    Made { log, part }
}

/// Bytes of two feeds in memory.
pub(crate) struct InMemory<'m>(pub(crate) HashMap<&'static str, &'m [u8]>);

impl ItemBytes for InMemory<'_> {
    fn read(
        &mut self,
        side: Side,
        _: u32,
        offset: u64,
        length: u32,
        into: &mut Vec<u8>,
    ) -> io::Result<()> {
        let part = self.0[if side == Side::Old { "old" } else { "new" }];
        let start = offset as usize;
        into.clear();
        into.extend_from_slice(
            part.get(start..start + length as usize)
                .ok_or(io::ErrorKind::UnexpectedEof)?,
        );
        Ok(())
    }
}

pub(crate) fn compared(old: Option<&Made>, new: &Made) -> Changes {
    compared_with(old, new, &GateLimits::default())
}

pub(crate) fn compared_with(old: Option<&Made>, new: &Made, limits: &GateLimits) -> Changes {
    let nothing: &[u8] = &[];
    let parts = [
        ("old", old.map_or(nothing, |made| made.part.as_slice())),
        ("new", new.part.as_slice()),
    ];
    let mut bytes = InMemory(HashMap::from(parts));
    let mut old_log = old.map(|made| ItemLogReader::open(made.log.as_slice()).expect("whole"));
    let mut new_log = ItemLogReader::open(new.log.as_slice()).expect("whole");
    let options = CompareOptions::of(limits, NOW);
    compare(old_log.as_mut(), &mut new_log, &mut bytes, &options).expect("whole")
}
