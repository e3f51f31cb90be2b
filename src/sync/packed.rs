//! Rows that say something new, packed: a first reading of a million rows is held until it ended well, in some 40 bytes a row.

use super::level::{Mark, Observation};

/// Observations in the order in which they were read.
#[derive(Default)]
pub(super) struct Packed {
    bytes: Vec<u8>,
}

impl Packed {
    pub(super) fn push(&mut self, row: &Observation) {
        self.text(&row.location);
        self.text(&row.sku);
        self.number(row.quantity);
        self.number(row.committed);
        self.number(row.safety_stock);
        match &row.mark {
            Mark::None => self.bytes.push(0),
            Mark::Sequence(number) => {
                self.bytes.push(1);
                self.bytes.extend_from_slice(&number.to_le_bytes());
            }
            Mark::Time { micros, tie } => {
                self.bytes.push(2);
                self.bytes.extend_from_slice(&micros.to_le_bytes());
                self.text(tie);
            }
        }
    }

    fn text(&mut self, text: &str) {
        // seven bits a byte, the lowest first
        let mut length = text.len();
        while let Some(rest) = Some(length >> 7).filter(|rest| *rest > 0) {
            self.bytes.push(length.to_le_bytes()[0] | 128);
            length = rest;
        }
        self.bytes.push(length.to_le_bytes()[0]);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, number: Option<i64>) {
        self.bytes.push(number.is_some().into());
        if let Some(number) = number {
            self.bytes.extend_from_slice(&number.to_le_bytes());
        }
    }

    /// Tells them all, in order, until one is not taken.
    pub(super) fn each<E>(
        &self,
        mut tell: impl FnMut(&Observation) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = Reader(&self.bytes);
        let mut row = Observation::default();
        while !rest.0.is_empty() {
            rest.text(&mut row.location);
            rest.text(&mut row.sku);
            row.quantity = rest.number();
            row.committed = rest.number();
            row.safety_stock = rest.number();
            row.mark = match rest.byte() {
                0 => Mark::None,
                1 => Mark::Sequence(rest.eight()),
                _ => {
                    let micros = rest.eight();
                    let mut tie = String::new();
                    rest.text(&mut tie);
                    Mark::Time { micros, tie }
                }
            };
            tell(&row)?;
        }
        Ok(())
    }
}

/// What is left to be read.
struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().expect("a row is packed whole");
        self.0 = rest;
        *first
    }

    fn eight(&mut self) -> i64 {
        let (first, rest) = self.0.split_first_chunk().expect("a row is packed whole");
        self.0 = rest;
        i64::from_le_bytes(*first)
    }

    fn number(&mut self) -> Option<i64> {
        (self.byte() != 0).then(|| self.eight())
    }

    fn text(&mut self, into: &mut String) {
        let (mut length, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            length |= usize::from(byte & 127) << shift;
            shift += 7;
            if byte < 128 {
                break;
            }
        }
        let (text, rest) = self
            .0
            .split_at_checked(length)
            .expect("a row is packed whole");
        self.0 = rest;
        into.clear();
        into.push_str(std::str::from_utf8(text).expect("it was text"));
    }
}

/// SKUs, each as often as it was added, in little space.
#[derive(Default)]
pub(super) struct Skus {
    text: String,
    ends: Vec<usize>,
    last: usize,
}

impl Skus {
    /// Adds one; rows of a SKU often follow each other.
    pub(super) fn add(&mut self, sku: &str) {
        if self.ends.is_empty() || self.text.get(self.last..) != Some(sku) {
            self.last = self.text.len();
            self.text.push_str(sku);
            self.ends.push(self.text.len());
        }
    }

    /// Each once, in order.
    pub(super) fn sorted(&self) -> Vec<&str> {
        let mut begin = 0;
        let skus = self.ends.iter().map(|end| {
            let sku = self.text.get(begin..*end).unwrap_or("");
            begin = *end;
            sku
        });
        let mut skus: Vec<&str> = skus.collect();
        skus.sort_unstable();
        skus.dedup();
        skus
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_as_it_was() {
        let marks = [
            Mark::None,
            Mark::Sequence(-3),
            Mark::Time {
                micros: 7,
                tie: "00é".to_owned(),
            },
        ];
        let mut rows = Vec::new();
        for (number, mark) in marks.into_iter().enumerate() {
            rows.push(Observation {
                location: "bkk".repeat(number * 100),
                sku: format!("ก-{number}"),
                quantity: (number > 0).then_some(i64::MIN),
                committed: (number > 1).then_some(0),
                safety_stock: None,
                mark,
            });
        }
        let mut packed = Packed::default();
        rows.iter().for_each(|row| packed.push(row));
        let mut out = Vec::new();
        let told = packed.each(|row| {
            out.push(row.clone());
            Ok::<(), ()>(())
        });
        assert_eq!((told, out), (Ok(()), rows));
    }

    #[test]
    fn skus_are_told_once_and_in_order() {
        let mut skus = Skus::default();
        for sku in ["B", "B", "A", "", "B", "AB", ""] {
            skus.add(sku);
        }
        assert_eq!(skus.sorted(), ["", "A", "AB", "B"]);
        assert!(Skus::default().sorted().is_empty());
    }
}
