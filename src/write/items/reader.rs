//! Reading an item log: a stream of borrowed records in constant memory, checked to its last byte.

use std::io::{self, Read};

use xxhash_rust::xxh3::Xxh3;

use crate::model::availability::Availability;

use super::varint::{Taking, number};
use super::{
    FOLLOWS, FOOT, ItemBody, ItemRecord, LogFoot, LogHead, PLACED, RECORD_BYTES_MAX, UpcomingPrice,
    VERSION, bits,
};

/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;
/// The most bytes before a body: tag and four numbers.
const PREFIX_BYTES: usize = 1 + 4 * 10;

/// Why an item log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ItemLogError {
    /// It cannot be read.
    #[error("the item log cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It ends before its end.
    #[error("the item log is cut")]
    Cut,
    /// It is not what was written.
    #[error("the item log is altered: {0}")]
    Altered(&'static str),
    /// Another version of the program wrote it.
    #[error("the item log has layout {0}, this program reads {VERSION}")]
    Version(u8),
}

/// Reads an item log. Records borrow from its buffer.
pub struct ItemLogReader<R: Read> {
    input: R,
    buffer: Vec<u8>,
    /// What is not yet taken: from..to.
    from: usize,
    to: usize,
    /// Taken bytes that are not yet in the digest begin here.
    undigested: usize,
    digest: Xxh3,
    head: LogHead,
    foot: Option<LogFoot>,
    items: u64,
    next: (u32, u64),
}

impl<R: Read> ItemLogReader<R> {
    /// Opens a log and reads its head.
    ///
    /// # Errors
    /// A log that cannot be read, is cut or altered, or has another layout.
    pub fn open(input: R) -> Result<Self, ItemLogError> {
        let mut reader = ItemLogReader {
            input,
            buffer: Vec::new(),
            from: 0,
            to: 0,
            undigested: 0,
            digest: Xxh3::new(),
            head: LogHead::default(),
            foot: None,
            items: 0,
            next: (1, 0),
        };
        match reader.fill(1)?.first() {
            None => return Err(ItemLogError::Cut),
            Some(&VERSION) => reader.from += 1,
            Some(&other) => return Err(ItemLogError::Version(other)),
        }
        reader.head = head(reader.counted()?).ok_or(ItemLogError::Altered("its head"))?;
        Ok(reader)
    }

    /// What is known before the first item.
    pub fn head(&self) -> &LogHead {
        &self.head
    }

    /// What is known after the last one: there once [`Self::next`] has said that there are no more.
    pub fn foot(&self) -> Option<&LogFoot> {
        self.foot.as_ref()
    }

    /// Items read so far.
    pub fn items(&self) -> u64 {
        self.items
    }

    /// The next item; `None` at a proven end. What was read before that end is not yet proven.
    ///
    /// # Errors
    /// A log that cannot be read, is cut or altered.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator cannot lend its records"
    )]
    pub fn next(&mut self) -> Result<Option<ItemRecord<'_>>, ItemLogError> {
        if self.foot.is_some() {
            return Ok(None);
        }
        let bytes = self.fill(PREFIX_BYTES)?;
        let available = bytes.len();
        let mut taking = Taking(bytes);
        let cut_or = |what| {
            if available < PREFIX_BYTES {
                ItemLogError::Cut
            } else {
                ItemLogError::Altered(what)
            }
        };
        let tag = taking.byte().ok_or(ItemLogError::Cut)?;
        if tag == FOOT {
            self.from += 1;
            self.end()?;
            return Ok(None);
        }
        let placed = match tag {
            FOLLOWS => None,
            PLACED => {
                let part = taking.number().ok_or_else(|| cut_or("a part"))?;
                let offset = taking.number().ok_or_else(|| cut_or("an offset"))?;
                let part = u32::try_from(part).map_err(|_| ItemLogError::Altered("a part"))?;
                Some((part, offset))
            }
            _ => return Err(ItemLogError::Altered("a tag")),
        };
        let length = taking.number().ok_or_else(|| cut_or("a length"))?;
        let length = u32::try_from(length).map_err(|_| ItemLogError::Altered("a length"))?;
        let used = available - taking.0.len();
        self.from += used;
        let (part, offset) = placed.unwrap_or(self.next);
        self.next = (part, offset.saturating_add(u64::from(length)));
        self.items += 1;
        let body = decode(self.counted()?).ok_or(ItemLogError::Altered("an item"))?;
        Ok(Some(ItemRecord {
            body,
            part,
            offset,
            length,
        }))
    }

    fn end(&mut self) -> Result<(), ItemLogError> {
        let foot = foot(self.counted()?).ok_or(ItemLogError::Altered("its foot"))?;
        self.take_in();
        let said = self.fill(17)?;
        let length = said.len();
        let said = Taking(said).hash().ok_or(ItemLogError::Cut)?;
        if said != self.digest.digest128() {
            return Err(ItemLogError::Altered("its digest does not fit"));
        }
        if length > 16 {
            return Err(ItemLogError::Altered("something stands after its end"));
        }
        if foot.items != self.items {
            return Err(ItemLogError::Altered("its count of items does not fit"));
        }
        self.foot = Some(foot);
        Ok(())
    }

    /// Takes bytes that have their count before them.
    fn counted(&mut self) -> Result<&[u8], ItemLogError> {
        let bytes = self.fill(10)?;
        let (count, used) = match number(bytes) {
            Some(found) => found,
            None if bytes.len() < 10 => return Err(ItemLogError::Cut),
            None => return Err(ItemLogError::Altered("a length")),
        };
        let count = usize::try_from(count)
            .ok()
            .filter(|&count| count <= RECORD_BYTES_MAX)
            .ok_or(ItemLogError::Altered("a length"))?;
        self.from += used;
        if self.fill(count)?.len() < count {
            return Err(ItemLogError::Cut);
        }
        let start = self.from;
        self.from += count;
        Ok(self.buffer.get(start..self.from).unwrap_or(&[]))
    }

    /// At least so many bytes from here on, fewer only at the file's end.
    fn fill(&mut self, wanted: usize) -> Result<&[u8], ItemLogError> {
        if self.to - self.from < wanted {
            self.take_in();
            self.buffer.copy_within(self.from..self.to, 0);
            (self.to, self.from, self.undigested) = (self.to - self.from, 0, 0);
            while self.to < wanted {
                // A false length makes the buffer no larger than what is there to read.
                if self.buffer.len() < self.to + READ_BYTES {
                    self.buffer.resize(self.to + READ_BYTES, 0);
                }
                let room = self.buffer.get_mut(self.to..).unwrap_or_default();
                match self.input.read(room) {
                    Ok(0) => break,
                    Ok(read) => self.to += read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(self.buffer.get(self.from..self.to).unwrap_or(&[]))
    }

    /// Takes into the digest what was read.
    fn take_in(&mut self) {
        self.digest.update(
            self.buffer
                .get(self.undigested..self.from)
                .unwrap_or_default(),
        );
        self.undigested = self.from;
    }
}

/// Reads an [`encode`](super::encode)d body; none where it is no such thing.
pub fn decode(bytes: &[u8]) -> Option<ItemBody<'_>> {
    let mut taking = Taking(bytes);
    let first = taking.byte()?;
    let availability = match first & bits::AVAILABILITY {
        0 => None,
        1 => Some(Availability::InStock),
        2 => Some(Availability::OutOfStock),
        3 => Some(Availability::Preorder),
        4 => Some(Availability::Backorder),
        _ => return None,
    };
    let has = |bit: u8| first & bit != 0;
    let hash = taking.hash()?;
    let id = taking.text()?;
    let sku = if has(bits::SKU_IS_ID) {
        id
    } else {
        taking.text()?
    };
    let price = match has(bits::PRICE) {
        true => Some(taking.text()?),
        false => None,
    };
    let currency = taking.text()?;
    let quantity = match has(bits::QUANTITY) {
        true => Some(taking.signed()?),
        false => None,
    };
    let title = taking.text()?;
    let upcoming = match has(bits::UPCOMING) {
        true => Some(UpcomingPrice {
            at: taking.signed()?,
            price: taking.text()?,
        }),
        false => None,
    };
    taking.0.is_empty().then_some(ItemBody {
        id,
        sku,
        hash,
        price,
        currency,
        availability,
        quantity,
        title,
        upcoming,
    })
}

fn head(bytes: &[u8]) -> Option<LogHead> {
    let mut taking = Taking(bytes);
    let mut head = LogHead {
        format: taking.text()?.to_owned(),
        language: taking.text()?.to_owned(),
        currency: taking.text()?.to_owned(),
        delimiter: taking.byte()?,
        quote: taking.byte()?,
        columns: Vec::new(),
    };
    for _ in 0..taking.number()? {
        head.columns.push(taking.text()?.to_owned());
    }
    taking.0.is_empty().then_some(head)
}

fn foot(bytes: &[u8]) -> Option<LogFoot> {
    let mut taking = Taking(bytes);
    let mut foot = LogFoot {
        head_hash: taking.hash()?,
        tail_hash: taking.hash()?,
        bytes: taking.number()?,
        items: taking.number()?,
        fill: Vec::new(),
    };
    for _ in 0..taking.number()? {
        foot.fill
            .push((taking.text()?.to_owned(), taking.number()?));
    }
    taking.0.is_empty().then_some(foot)
}
