//! The item log: one record an item of one feed, in stream order, beside the staged parts (`items.log`).
//!
//! In: what a worker knows of an item ([`encode`]) and where the ordered writer put its bytes. Out: a file that
//! [`ItemLogReader`] streams in constant memory. Promised: a log that was cut or altered is an error, never a shorter
//! log; writing allocates nothing an item; text of any kind comes back as it went in, titles cut to [`TITLE_BYTES_MAX`].
//! It knows no formats and no prices: both are text here.
//!
//! Layout: version byte, head (length, then format, language, currency, delimiter, columns), then a tag an item
//! (`FOLLOWS` where its bytes begin at the end of the item before, `PLACED` with part and offset), its length, the
//! encoded body; last `FOOT` with counts, and the xxh3 (128 bits) of everything before it. Numbers are varints.

mod reader;
#[cfg(test)]
mod tests;
mod varint;

use std::io::{self, Write};

use xxhash_rust::xxh3::Xxh3;

use crate::model::availability::Availability;

pub use reader::{ItemLogError, ItemLogReader, decode};
use varint::{put_number, put_signed, put_text};

/// The layout's version, the log's first byte.
pub const VERSION: u8 = 1;
/// Titles are cut to so many bytes, at a character's end.
pub const TITLE_BYTES_MAX: usize = 200;
/// One record, and the head and the foot, are at most so long.
pub const RECORD_BYTES_MAX: usize = 16 << 20;
/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 64 << 10;

const FOOT: u8 = 0;
const FOLLOWS: u8 = 1;
const PLACED: u8 = 2;

/// Bits of a body's first byte; the three lowest are the availability.
mod bits {
    pub(super) const AVAILABILITY: u8 = 0b0000_0111;
    pub(super) const SKU_IS_ID: u8 = 0b0000_1000;
    pub(super) const PRICE: u8 = 0b0001_0000;
    pub(super) const QUANTITY: u8 = 0b0010_0000;
    pub(super) const UPCOMING: u8 = 0b0100_0000;
}

/// A price that will hold from a moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpcomingPrice<'a> {
    /// From when, in seconds since 1970 UTC.
    pub at: i64,
    /// The price then, an exact decimal.
    pub price: &'a str,
}

/// What is known of an item wherever it will stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemBody<'a> {
    /// What names it at the channel: its unique attribute, or the SKU.
    pub id: &'a str,
    /// The record's SKU.
    pub sku: &'a str,
    /// xxh3 of its rendered bytes, without what only its neighbours decide (commas, counts).
    pub hash: u128,
    /// What a buyer pays now, an exact decimal.
    pub price: Option<&'a str>,
    /// The price's currency, ISO 4217; empty without one.
    pub currency: &'a str,
    /// Whether it can be bought; none is unknown.
    pub availability: Option<Availability>,
    /// Units that can be bought.
    pub quantity: Option<i64>,
    /// Its title.
    pub title: &'a str,
    /// The next price that comes by itself.
    pub upcoming: Option<UpcomingPrice<'a>>,
}

/// One item of a feed as the log has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemRecord<'a> {
    /// What the item is.
    pub body: ItemBody<'a>,
    /// Which part has it, from 1.
    pub part: u32,
    /// Where its bytes begin in the uncompressed part, or in `items.bodies`.
    pub offset: u64,
    /// How many bytes it has there.
    pub length: u32,
}

/// What is known of a feed before its first item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogHead {
    /// The format's word in the manifest, such as `xml`.
    pub format: String,
    /// Language of its texts, BCP 47.
    pub language: String,
    /// Its currency, ISO 4217.
    pub currency: String,
    /// What separates cells where the format has cells; 0 elsewhere.
    pub delimiter: u8,
    /// What quotes cells; 0 is nothing.
    pub quote: u8,
    /// The columns of a format that has columns.
    pub columns: Vec<String>,
}

/// What is known of a feed after its last item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFoot {
    /// xxh3 of what stands before the items, `run.*` left blank.
    pub head_hash: u128,
    /// xxh3 of what stands after them, `run.*` left blank.
    pub tail_hash: u128,
    /// Bytes of the feed before compression, all parts.
    pub bytes: u64,
    /// Items; the writer counts them, what is said here is not used.
    pub items: u64,
    /// Attribute by attribute, the items that have a value.
    pub fill: Vec<(String, u64)>,
}

/// Encodes an item's body at the end of a buffer; nothing else is allocated.
pub fn encode(body: &ItemBody<'_>, out: &mut Vec<u8>) {
    let mut first = match body.availability {
        None => 0,
        Some(Availability::InStock) => 1,
        Some(Availability::OutOfStock) => 2,
        Some(Availability::Preorder) => 3,
        Some(Availability::Backorder) => 4,
    };
    for (is, bit) in [
        (body.sku == body.id, bits::SKU_IS_ID),
        (body.price.is_some(), bits::PRICE),
        (body.quantity.is_some(), bits::QUANTITY),
        (body.upcoming.is_some(), bits::UPCOMING),
    ] {
        if is {
            first |= bit;
        }
    }
    out.push(first);
    out.extend_from_slice(&body.hash.to_le_bytes());
    put_text(out, body.id);
    if body.sku != body.id {
        put_text(out, body.sku);
    }
    if let Some(price) = body.price {
        put_text(out, price);
    }
    put_text(out, body.currency);
    if let Some(quantity) = body.quantity {
        put_signed(out, quantity);
    }
    put_text(out, cut(body.title));
    if let Some(upcoming) = body.upcoming {
        put_signed(out, upcoming.at);
        put_text(out, upcoming.price);
    }
}

/// A title as the log keeps it: [`TITLE_BYTES_MAX`] bytes at most, cut at a character's end.
pub fn cut(title: &str) -> &str {
    let end = title.floor_char_boundary(TITLE_BYTES_MAX);
    title.get(..end).unwrap_or(title)
}

/// Writes an item log.
pub struct ItemLogWriter<W: Write> {
    out: W,
    buffer: Vec<u8>,
    digest: Xxh3,
    items: u64,
    /// Part and offset where the item before ended.
    next: (u32, u64),
}

impl<W: Write> ItemLogWriter<W> {
    /// Begins a log.
    ///
    /// # Errors
    /// When the disk refuses, and for a head beyond [`RECORD_BYTES_MAX`].
    pub fn new(out: W, head: &LogHead) -> io::Result<Self> {
        let mut buffer = Vec::with_capacity(2 * BUFFER_BYTES);
        buffer.push(VERSION);
        let mut text = Vec::new();
        for word in [&head.format, &head.language, &head.currency] {
            put_text(&mut text, word);
        }
        text.extend([head.delimiter, head.quote]);
        put_number(&mut text, head.columns.len() as u64);
        for column in &head.columns {
            put_text(&mut text, column);
        }
        fits(text.len())?;
        put_number(&mut buffer, text.len() as u64);
        buffer.extend_from_slice(&text);
        Ok(ItemLogWriter {
            out,
            buffer,
            digest: Xxh3::new(),
            items: 0,
            next: (1, 0),
        })
    }

    /// Adds an item: where its bytes stand (part from 1, offset, length) and its [`encode`]d body.
    ///
    /// # Errors
    /// When the disk refuses, and for a body beyond [`RECORD_BYTES_MAX`].
    pub fn add(&mut self, part: u32, offset: u64, length: u32, body: &[u8]) -> io::Result<()> {
        fits(body.len())?;
        let out = &mut self.buffer;
        if self.next == (part, offset) {
            out.push(FOLLOWS);
        } else {
            out.push(PLACED);
            put_number(out, u64::from(part));
            put_number(out, offset);
        }
        put_number(out, u64::from(length));
        put_number(out, body.len() as u64);
        out.extend_from_slice(body);
        self.next = (part, offset.saturating_add(u64::from(length)));
        self.items += 1;
        if self.buffer.len() >= BUFFER_BYTES {
            self.drain()?;
        }
        Ok(())
    }

    /// Items so far.
    pub fn items(&self) -> u64 {
        self.items
    }

    fn drain(&mut self) -> io::Result<()> {
        self.digest.update(&self.buffer);
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Ends the log and flushes; hands back what it was written to.
    ///
    /// # Errors
    /// When the disk refuses, and for a foot beyond [`RECORD_BYTES_MAX`].
    pub fn finish(mut self, foot: &LogFoot) -> io::Result<W> {
        let mut text = Vec::new();
        text.extend_from_slice(&foot.head_hash.to_le_bytes());
        text.extend_from_slice(&foot.tail_hash.to_le_bytes());
        put_number(&mut text, foot.bytes);
        put_number(&mut text, self.items);
        put_number(&mut text, foot.fill.len() as u64);
        for (attribute, items) in &foot.fill {
            put_text(&mut text, attribute);
            put_number(&mut text, *items);
        }
        fits(text.len())?;
        self.buffer.push(FOOT);
        put_number(&mut self.buffer, text.len() as u64);
        self.buffer.extend_from_slice(&text);
        self.drain()?;
        self.out.write_all(&self.digest.digest128().to_le_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }
}

fn fits(bytes: usize) -> io::Result<()> {
    if bytes > RECORD_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("an item's record has {bytes} bytes, {RECORD_BYTES_MAX} is the most"),
        ));
    }
    Ok(())
}
