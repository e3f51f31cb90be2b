//! The worst of many, in bounded memory.

use rust_decimal::Decimal;

/// Keeps the entries with the greatest harm; of equal ones those that came first.
pub(super) struct Worst<T> {
    most: usize,
    entries: Vec<(Decimal, u64, T)>,
    total: u64,
    /// An entry with no more harm than this cannot get in any more.
    least: Option<Decimal>,
}

impl<T> Worst<T> {
    pub(super) fn new(most: usize) -> Self {
        Worst {
            most,
            entries: Vec::new(),
            total: 0,
            least: None,
        }
    }

    /// Counts an entry and keeps it where it is among the worst; it is only made then.
    pub(super) fn offer(&mut self, harm: Decimal, make: impl FnOnce() -> T) {
        self.total += 1;
        if self.least.is_some_and(|least| harm <= least) {
            return;
        }
        self.entries.push((harm, self.total, make()));
        if self.entries.len() >= 2 * self.most {
            self.shrink();
            if let Some((harm, _, _)) = self.entries.last() {
                self.least = Some(*harm);
            }
        }
    }

    fn shrink(&mut self) {
        self.entries
            .sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        self.entries.truncate(self.most);
    }

    /// The worst, the most harmful first, and how many were offered.
    pub(super) fn finish(mut self) -> (Vec<T>, u64) {
        self.shrink();
        let kept = self.entries.into_iter().map(|(_, _, entry)| entry);
        (kept.collect(), self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_what_sorting_all_gives(harms in prop::collection::vec(0_i64..20, 0..200), most in 1_usize..9) {
            let mut worst = Worst::new(most);
            for (place, &harm) in harms.iter().enumerate() {
                worst.offer(Decimal::from(harm), || place);
            }
            let mut sorted: Vec<usize> = (0..harms.len()).collect();
            sorted.sort_by_key(|&place| std::cmp::Reverse(harms[place]));
            sorted.truncate(most);
            prop_assert_eq!(worst.finish(), (sorted, harms.len() as u64));
        }
    }
}
