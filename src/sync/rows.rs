//! A source's rows against what is known of them: which say something new, which are gone.
//!
//! First the source is read, by `Rows::hear`: what says nothing new is passed over, the rest is held, and the state is only
//! looked at. When the reading ended well, `Rows::merge` takes it into a commit, by order mark: after the events that came
//! meanwhile.

use hashbrown::HashSet;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::state::StateError;

use super::decide::Rule;
use super::known::{self, Known};
use super::level::{Mark, Observation};
use super::observe::Observed;
use super::packed::{Packed, Skus};
use super::planted;
use super::source::{Read, ReadKind};
use super::state::{Change, Event, Look, Transaction};

/// Proven whole readings in a row that lack a row before its absence may mean zero.
const ABSENCES: u32 = 2;
/// The absences of a row of which it is known that it is gone.
pub(super) const GONE: u32 = 1_000;
/// The absences of a row that counts as zero because it is gone.
const ZEROED: u32 = 1_001;

pub(super) struct Rows<'a> {
    source: &'a str,
    /// A reading gives all rows, one of each.
    whole: bool,
    absent_is_zero: bool,
    /// The rows that are known, where a reading gives all of them and has begun; else each is looked up.
    known: Option<Known>,
    /// Rows of the reading that may say something new.
    news: Packed,
    /// Keys of rows that are in hand already, so that what follows of them is too: events, and where each row is looked up
    /// the reading's.
    held: HashSet<u64>,
    /// Rows that are back, by key.
    back: Vec<u64>,
    /// Rows that events said something new of, by key.
    told: Vec<u64>,
    /// Rows that counted nothing before an event spoke of them.
    revived: HashSet<u64>,
    buffer: Vec<u8>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(rule: &'a Rule, whole: bool) -> Self {
        Rows {
            source: &rule.reading,
            whole: rule.read_whole || whole,
            absent_is_zero: rule.absent_is_zero,
            known: None,
            news: Packed::default(),
            held: HashSet::new(),
            back: Vec::new(),
            told: Vec::new(),
            revived: HashSet::new(),
            buffer: Vec::new(),
        }
    }

    /// An event will be merged before the reading is: its rows are compared with the reading's then.
    pub(super) fn await_event(&mut self, event: &Event) {
        let rows = event.observations.iter();
        self.held
            .extend(rows.map(|row| key(&row.location, &row.sku)));
    }

    /// Takes what is known in hand, before the first row of a whole reading.
    fn get_ready(&mut self, look: &dyn Look) -> Result<(), StateError> {
        if !self.whole || self.known.is_some() {
            return Ok(());
        }
        let mut known = Known::default();
        look.digests(self.source, &mut |key, digest, absences| {
            known.add(known::Row {
                key,
                digest,
                absences,
                met: false,
                news: false,
            });
        })?;
        self.known = Some(known);
        Ok(())
    }

    /// Hears a row of the reading.
    pub(super) fn hear(
        &mut self,
        look: &dyn Look,
        row: &Observation,
        observed: &mut Observed,
    ) -> Result<(), StateError> {
        self.get_ready(look)?;
        let key = key_in(&mut self.buffer, &row.location, &row.sku);
        let digest = digest_in(&mut self.buffer, key, row);
        let uncounted = row.quantity.is_none();
        let held = !self.held.is_empty() && self.held.contains(&key);
        let same = match &mut self.known {
            Some(known) if uncounted => {
                let known = known.find(key);
                known.is_some_and(|known| meet(known, &mut self.back).digest == digest)
            }
            Some(known) => {
                let known = meet(known.find_or_add(key), &mut self.back);
                let same = known.digest == digest && !known.news && !held;
                known.news |= !same;
                same
            }
            None if held => false,
            None => {
                let before = look.observation(self.source, key)?;
                before.is_some_and(|before| digest_in(&mut self.buffer, key, &before) == digest)
            }
        };
        if same {
            return Ok(());
        }
        if uncounted {
            observed.uncounted += 1;
            observed.absent.insert(key);
            return Ok(());
        }
        if self.known.is_none() {
            self.held.insert(key);
        }
        self.news.push(row);
        Ok(())
    }

    /// Takes what an event says into the state. Of a row that counts as zero because it is gone, one that is no newer than the
    /// row was says nothing: it was only late.
    pub(super) fn merge_event(
        &mut self,
        made: &mut dyn Transaction,
        row: &Observation,
        touched: &mut Skus,
        observed: &mut Observed,
    ) -> Result<(), StateError> {
        let key = key(&row.location, &row.sku);
        if self.absent_is_zero {
            let before = made.observation(self.source, key)?;
            if let Some(before) = before.filter(|before| before.quantity == Some(0)) {
                if before.mark == row.mark {
                    observed.older += 1;
                    return Ok(());
                }
                self.revived.insert(key);
            }
        }
        let before = observed.changed;
        self.merge(made, row, touched, observed)?;
        if observed.changed > before {
            self.told.push(key);
        }
        Ok(())
    }

    /// Takes what was heard into the state.
    pub(super) fn merge_all(
        &mut self,
        made: &mut dyn Transaction,
        touched: &mut Skus,
        observed: &mut Observed,
    ) -> Result<(), StateError> {
        for key in std::mem::take(&mut self.back) {
            made.write(Change::Absent {
                source: self.source,
                key,
                times: 0,
            })?;
        }
        let news = std::mem::take(&mut self.news);
        news.each(|row| self.merge(made, row, touched, observed))
    }

    /// Takes a row into the state, unless it is older than what is known.
    fn merge(
        &mut self,
        made: &mut dyn Transaction,
        observation: &Observation,
        touched: &mut Skus,
        observed: &mut Observed,
    ) -> Result<(), StateError> {
        let key = key_in(&mut self.buffer, &observation.location, &observation.sku);
        let digest = digest_in(&mut self.buffer, key, observation);
        let before = made.observation(self.source, key)?;
        let said = |before: &Observation| digest_in(&mut self.buffer, key, before);
        if before.as_ref().map(said) == Some(digest) {
            return Ok(());
        }
        if observation.quantity.is_none() {
            observed.uncounted += 1;
            observed.absent.insert(key);
            return Ok(());
        }
        let older = before.is_some_and(|before| {
            before.sku == observation.sku
                && before.location == observation.location
                && !observation.mark.may_replace(&before.mark)
        });
        if older && !planted::is("event order by arrival") {
            observed.older += 1;
            return Ok(());
        }
        observed.changed += 1;
        made.write(Change::Observed {
            source: self.source,
            key,
            digest,
            observation,
        })?;
        touched.add(&observation.sku);
        Ok(())
    }

    /// What a whole reading no longer gives. It means zero only where the project says so, the reading is proven whole,
    /// and the one before was and lacked it too.
    pub(super) fn absences(
        &mut self,
        made: &mut dyn Transaction,
        read: &Read,
        touched: &mut Skus,
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
        let mut known = self.known.take().unwrap_or_default();
        for key in &self.told {
            known.find_or_add(*key).absences = 0;
        }
        let known = known.rows;
        let there = known.iter().filter(|row| row.absences < GONE);
        observed.known = there.count() as u64;
        let unmet = known.iter().filter(|row| !row.met);
        observed.absent.extend(unmet.map(|row| row.key));
        let zeroes = self.absent_is_zero;
        let mut gone: Vec<(u64, u32)> = known
            .iter()
            .filter(|row| !row.met && row.absences < if zeroes { ZEROED } else { GONE })
            .map(|row| (row.key, row.absences))
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
            .filter(|row| !row.met && row.absences == ZEROED);
        for row in zeroed {
            observed.absent.remove(&row.key);
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
                touched.add(&observation.sku);
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

/// The reading gave a row that is known.
fn meet<'k>(row: &'k mut known::Row, back: &mut Vec<u64>) -> &'k mut known::Row {
    row.met = true;
    if row.absences > 0 {
        row.absences = 0;
        back.push(row.key);
    }
    row
}

/// Of location and SKU.
pub fn key(location: &str, sku: &str) -> u64 {
    key_in(&mut Vec::new(), location, sku)
}

fn key_in(buffer: &mut Vec<u8>, location: &str, sku: &str) -> u64 {
    buffer.clear();
    buffer.extend_from_slice(&(location.len() as u64).to_le_bytes());
    buffer.extend_from_slice(location.as_bytes());
    buffer.extend_from_slice(sku.as_bytes());
    xxh3_64_with_seed(buffer, 0)
}

/// Of all that a row says. Its names are in it again, so that two rows of one key are told apart.
pub fn digest(key: u64, observation: &Observation) -> u64 {
    digest_in(&mut Vec::new(), key, observation)
}

fn digest_in(buffer: &mut Vec<u8>, key: u64, observation: &Observation) -> u64 {
    buffer.clear();
    for text in [&observation.location, &observation.sku] {
        buffer.extend_from_slice(&(text.len() as u64).to_le_bytes());
        buffer.extend_from_slice(text.as_bytes());
    }
    for number in [
        observation.quantity,
        observation.committed,
        observation.safety_stock,
    ] {
        buffer.push(u8::from(number.is_some()));
        buffer.extend_from_slice(&number.unwrap_or(0).to_le_bytes());
    }
    match &observation.mark {
        Mark::None => buffer.push(0),
        Mark::Sequence(sequence) => {
            buffer.push(1);
            buffer.extend_from_slice(&sequence.to_le_bytes());
        }
        Mark::Time { micros, tie } => {
            buffer.push(2);
            buffer.extend_from_slice(&micros.to_le_bytes());
            buffer.extend_from_slice(tie.as_bytes());
        }
    }
    xxh3_64_with_seed(buffer, key)
}
