//! A source's rows against what is known of them: which say something new, which are gone.

use std::collections::BTreeSet;

use hashbrown::{HashMap, HashSet};
use xxhash_rust::xxh3::Xxh3;

use crate::state::StateError;

use super::decide::Rule;
use super::level::{Mark, Observation};
use super::observe::Observed;
use super::planted;
use super::source::{Read, ReadKind};
use super::state::{Change, Transaction};

/// Proven whole readings in a row that lack a row before its absence may mean zero.
const ABSENCES: u32 = 2;
/// The absences of a row of which it is known that it is gone.
pub(super) const GONE: u32 = 1_000;
/// The absences of a row that counts as zero because it is gone.
const ZEROED: u32 = 1_001;

/// A row of the source, as far as it takes to see that it says nothing new.
struct Row {
    digest: u64,
    absences: u32,
    met: bool,
}

pub(super) struct Rows<'a> {
    source: &'a str,
    /// A reading gives all rows, one of each.
    whole: bool,
    absent_is_zero: bool,
    /// The rows that are known, where a reading gives all of them and has begun; else each is looked up.
    known: Option<HashMap<u64, Row>>,
    /// Rows that counted nothing before an event spoke of them.
    revived: HashSet<u64>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(rule: &'a Rule, whole: bool) -> Self {
        Rows {
            source: &rule.reading,
            whole: rule.read_whole || whole,
            absent_is_zero: rule.absent_is_zero,
            known: None,
            revived: HashSet::new(),
        }
    }

    /// An event's word on a row. Of a row that counts as zero because it is gone, one that is no newer than the row was says
    /// nothing: it was only late.
    pub(super) fn merge_event(
        &mut self,
        made: &mut dyn Transaction,
        observation: &Observation,
        touched: &mut BTreeSet<String>,
        observed: &mut Observed,
    ) -> Result<(), StateError> {
        if self.absent_is_zero {
            let key = key(&observation.location, &observation.sku);
            let before = made.observation(self.source, key)?;
            if let Some(before) = before.filter(|before| before.quantity == Some(0)) {
                if before.mark == observation.mark {
                    observed.older += 1;
                    return Ok(());
                }
                self.revived.insert(key);
            }
        }
        self.merge(made, observation, touched, observed)
    }

    /// Takes what is known in hand, before the first row of a whole reading.
    pub(super) fn get_ready(&mut self, made: &dyn Transaction) -> Result<(), StateError> {
        if !self.whole || self.known.is_some() {
            return Ok(());
        }
        let mut known = HashMap::new();
        made.digests(self.source, &mut |key, digest, absences| {
            let row = Row {
                digest,
                absences,
                met: false,
            };
            known.insert(key, row);
        })?;
        self.known = Some(known);
        Ok(())
    }

    /// The digest of a row that is known.
    fn look_up(&mut self, made: &mut dyn Transaction, key: u64) -> Result<Option<u64>, StateError> {
        let Some(known) = &mut self.known else {
            let before = made.observation(self.source, key)?;
            return Ok(before.map(|before| digest(key, &before)));
        };
        let Some(row) = known.get_mut(&key) else {
            return Ok(None);
        };
        row.met = true;
        if row.absences > 0 {
            row.absences = 0;
            made.write(Change::Absent {
                source: self.source,
                key,
                times: 0,
            })?;
        }
        Ok(Some(row.digest))
    }

    /// A row says something new.
    fn keep(
        &mut self,
        made: &mut dyn Transaction,
        key: u64,
        digest: u64,
        observation: &Observation,
    ) -> Result<(), StateError> {
        if let Some(known) = &mut self.known {
            let row = Row {
                digest,
                absences: 0,
                met: true,
            };
            known.insert(key, row);
        }
        made.write(Change::Observed {
            source: self.source,
            key,
            digest,
            observation,
        })
    }

    pub(super) fn merge(
        &mut self,
        made: &mut dyn Transaction,
        observation: &Observation,
        touched: &mut BTreeSet<String>,
        observed: &mut Observed,
    ) -> Result<(), StateError> {
        let key = key(&observation.location, &observation.sku);
        let digest = digest(key, observation);
        let before = self.look_up(made, key)?;
        if before == Some(digest) {
            return Ok(());
        }
        if observation.quantity.is_none() {
            observed.uncounted += 1;
            observed.absent.insert(key);
            return Ok(());
        }
        if before.is_some() {
            let before = made.observation(self.source, key)?;
            let older = before.is_some_and(|before| {
                before.sku == observation.sku
                    && before.location == observation.location
                    && !observation.mark.may_replace(&before.mark)
            });
            if older && !planted::is("event order by arrival") {
                observed.older += 1;
                return Ok(());
            }
        }
        observed.changed += 1;
        self.keep(made, key, digest, observation)?;
        if !touched.contains(&observation.sku) {
            touched.insert(observation.sku.clone());
        }
        Ok(())
    }

    /// What a whole reading no longer gives. It means zero only where the project says so, the reading is proven whole,
    /// and the one before was and lacked it too.
    pub(super) fn absences(
        &mut self,
        made: &mut dyn Transaction,
        read: &Read,
        touched: &mut BTreeSet<String>,
        observed: &mut Observed,
    ) -> Result<(), StateError> {
        if read.kind != ReadKind::Snapshot {
            return Ok(());
        }
        // rows were looked up one by one: which of the others are gone was not asked
        if self.known.is_none() && read.rows > 0 {
            return Ok(());
        }
        self.whole = true;
        self.get_ready(made)?;
        let known = self.known.take().unwrap_or_default();
        let there = known.values().filter(|row| row.absences < GONE);
        observed.known = there.count() as u64;
        let unmet = known.iter().filter(|(_, row)| !row.met);
        observed.absent.extend(unmet.map(|(key, _)| *key));
        let zeroes = self.absent_is_zero;
        let mut gone: Vec<(u64, u32)> = known
            .iter()
            .filter(|(_, row)| !row.met && row.absences < if zeroes { ZEROED } else { GONE })
            .map(|(key, row)| (*key, row.absences))
            .collect();
        gone.sort_unstable();
        let news = gone.iter().filter(|(_, absences)| *absences < GONE);
        observed.vanished = news.map(|(key, _)| *key).collect();
        let proven = read.position.proven || planted::is("drop the completeness check");
        if !self.absent_is_zero || !proven {
            return Ok(());
        }
        let needed = match planted::is("zero after one snapshot") {
            true => 1,
            false => ABSENCES,
        };
        // where absence means zero, a proven reading says zero of what is gone for good: whoever changes it at the store
        // meanwhile is set right, as with any count
        let zeroed = known
            .iter()
            .filter(|(_, row)| !row.met && row.absences == ZEROED);
        for (key, _) in zeroed {
            observed.absent.remove(key);
        }
        for (key, absences) in gone {
            // what was gone before absence meant anything begins to count now
            let times = match absences {
                // the event is older than this reading, which still lacks the row
                _ if self.revived.contains(&key) => needed,
                GONE => 1,
                absences => absences + 1,
            };
            if times >= needed {
                observed.absent.remove(&key);
            }
            if times >= needed
                && let Some(mut observation) = made.observation(self.source, key)?
                && observation.quantity != Some(0)
            {
                observation.quantity = Some(0);
                made.write(Change::Observed {
                    source: self.source,
                    key,
                    digest: digest(key, &observation),
                    observation: &observation,
                })?;
                touched.insert(observation.sku);
            }
            made.write(Change::Absent {
                source: self.source,
                key,
                times: if times >= needed { ZEROED } else { times },
            })?;
        }
        Ok(())
    }
}

/// Of location and SKU.
pub fn key(location: &str, sku: &str) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&(location.len() as u64).to_le_bytes());
    hash.update(location.as_bytes());
    hash.update(sku.as_bytes());
    hash.digest()
}

/// Of all that a row says. Its names are in it again, so that two rows of one key are told apart.
pub fn digest(key: u64, observation: &Observation) -> u64 {
    let mut hash = Xxh3::with_seed(key);
    let mut text = |text: &str| {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    text(&observation.location);
    text(&observation.sku);
    let mut number = |number: Option<i64>| {
        hash.update(&[u8::from(number.is_some())]);
        hash.update(&number.unwrap_or(0).to_le_bytes());
    };
    number(observation.quantity);
    number(observation.committed);
    number(observation.safety_stock);
    match &observation.mark {
        Mark::None => hash.update(&[0]),
        Mark::Sequence(sequence) => {
            hash.update(&[1]);
            hash.update(&sequence.to_le_bytes());
        }
        Mark::Time { micros, tie } => {
            hash.update(&[2]);
            hash.update(&micros.to_le_bytes());
            hash.update(tie.as_bytes());
        }
    }
    hash.digest()
}
