//! An even sample of a stream of unknown length: all of it, then every 2nd, every 4th.

/// Keeps every so-many-th entry, so that a stated number is never exceeded.
pub(super) struct Sample<T> {
    most: usize,
    stride: u64,
    seen: u64,
    entries: Vec<(u64, T)>,
}

impl<T> Sample<T> {
    pub(super) fn new(most: usize) -> Self {
        Sample {
            most,
            stride: 1,
            seen: 0,
            entries: Vec::new(),
        }
    }

    /// Counts an entry and keeps it where its turn is.
    pub(super) fn offer(&mut self, entry: T) {
        let number = self.seen;
        self.seen += 1;
        if !number.is_multiple_of(self.stride) {
            return;
        }
        if self.entries.len() == self.most {
            self.stride *= 2;
            let stride = self.stride;
            self.entries
                .retain(|(number, _)| number.is_multiple_of(stride));
            if !number.is_multiple_of(stride) {
                return;
            }
        }
        self.entries.push((number, entry));
    }

    /// The entries with their numbers from 0, and one in how many they are.
    pub(super) fn finish(self) -> (Vec<(u64, T)>, u64) {
        (self.entries, self.stride)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_even_and_bounded() {
        for length in [0_u64, 1, 7, 8, 9, 16, 17, 1000] {
            let mut sample = Sample::new(8);
            (0..length).for_each(|number| sample.offer(number));
            let (entries, stride) = sample.finish();
            assert!(entries.len() <= 8);
            let expected: Vec<_> = (0..length)
                .filter(|number| number.is_multiple_of(stride))
                .map(|number| (number, number))
                .collect();
            assert_eq!(entries, expected, "{length}");
            assert_eq!(stride == 1, length <= 8);
        }
    }
}
