//! One batch as one document: head, items, tail. Comes in: what the feed's template wrote around and for each item.
//!
//! In JSON the comma between two items belongs to the place and not to the item: it is taken off and put back. Numbers keep
//! their exact text.

use indexmap::IndexMap;
use serde_json::value::RawValue;

use crate::channel::manifest::Format;

/// What stands around the items.
#[derive(Clone, Debug)]
pub(super) struct Around {
    pub(super) format: Format,
    pub(super) head: Vec<u8>,
    pub(super) tail: Vec<u8>,
}

impl Around {
    /// An item's bytes without what belongs to its place.
    pub(super) fn bare<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        match self.format {
            Format::Json => {
                let bytes = bytes.trim_ascii();
                let bytes = bytes.strip_prefix(b",").unwrap_or(bytes);
                bytes.strip_suffix(b",").unwrap_or(bytes).trim_ascii()
            }
            Format::Ndjson => bytes.trim_ascii(),
            _ => bytes,
        }
    }

    /// Bytes that a document has beside its items, for each item.
    pub(super) fn between(&self) -> usize {
        match self.format {
            Format::Json => 2,
            Format::Ndjson => 1,
            _ => 0,
        }
    }

    /// The document of these items.
    pub(super) fn document<'b>(&self, items: impl Iterator<Item = &'b [u8]>) -> Vec<u8> {
        let mut out = self.head.clone();
        for (index, item) in items.enumerate() {
            if self.format == Format::Json && index > 0 {
                out.extend_from_slice(b",\n");
            }
            out.extend_from_slice(item);
            if self.format == Format::Ndjson {
                out.push(b'\n');
            }
        }
        out.extend_from_slice(&self.tail);
        out
    }
}

/// The item with one member set to its number in the batch; all other members keep their text.
///
/// # Errors
/// An item that is no JSON object.
pub(super) fn numbered(item: &[u8], member: &str, number: usize) -> Result<Vec<u8>, String> {
    let mut members: IndexMap<String, Box<RawValue>> = serde_json::from_slice(item)
        .map_err(|_| "the item is no JSON object, and cannot be numbered".to_owned())?;
    let number =
        RawValue::from_string(number.to_string()).map_err(|_| "a number is no JSON".to_owned())?;
    if let Some(place) = members.get_mut(member) {
        *place = number;
    } else {
        members.shift_insert(0, member.to_owned(), number);
    }
    serde_json::to_vec(&members).map_err(|_| "the item cannot be written".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(format: Format) -> Around {
        Around {
            format,
            head: b"{\"r\":[".to_vec(),
            tail: b"]}".to_vec(),
        }
    }

    #[test]
    fn commas_belong_to_the_place() {
        let around = around(Format::Json);
        let items: [&[u8]; 3] = [b",{\"a\":1}\n", b"{\"a\":2},\n", b"{\"a\":\",\"}"];
        let bare = items.map(|item| around.bare(item));
        assert_eq!(
            around.document(bare.into_iter()),
            b"{\"r\":[{\"a\":1},\n{\"a\":2},\n{\"a\":\",\"}]}"
        );
        assert_eq!(around.document([].into_iter()), b"{\"r\":[]}");
    }

    #[test]
    fn lines_end_each() {
        let around = Around {
            format: Format::Ndjson,
            head: Vec::new(),
            tail: Vec::new(),
        };
        let items = [around.bare(b"{}\n"), around.bare(b"[]")];
        assert_eq!(around.document(items.into_iter()), b"{}\n[]\n");
    }

    #[test]
    fn numbering_keeps_the_text_of_numbers() {
        let item = br#"{"messageId":77,"price":12.90,"big":12345678901234567890123,"s":"a\/b"}"#;
        assert_eq!(
            numbered(item, "messageId", 2).as_deref(),
            Ok(
                br#"{"messageId":2,"price":12.90,"big":12345678901234567890123,"s":"a\/b"}"#
                    .as_slice()
            )
        );
        assert_eq!(
            numbered(br#"{"a":1}"#, "n", 1).as_deref(),
            Ok(br#"{"n":1,"a":1}"#.as_slice())
        );
        assert!(numbered(b"[1]", "n", 1).is_err());
    }
}
