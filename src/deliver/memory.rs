//! A destination in memory, for tests: it can misbehave in every way that the others meet.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Capabilities, Deadline, DeliveryError, Destination, Naming, Proof, Remote, Upload};

/// What a call does instead of working.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It works.
    None,
    /// It asks to be left alone, for so long.
    Busy(Option<Duration>),
    /// It refuses for good.
    Refuse,
    /// It works, and the answer is lost.
    AnswerLost,
    /// It keeps only so many bytes.
    Cut(u64),
    /// It changes a byte.
    Spoil,
    /// It says that it took the file, and the old one stays.
    KeepOld,
}

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `put` of a name.
    Put(String),
    /// `stands` of a name.
    Stands(String),
    /// `remove` of a name.
    Remove(String),
}

#[derive(Default)]
struct Shelf {
    files: BTreeMap<String, Vec<u8>>,
    faults: VecDeque<Fault>,
    calls: Vec<Call>,
}

/// A place in memory; clones are the same place.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Shelf>>);

impl Memory {
    /// An empty place.
    pub fn new() -> Self {
        Memory::default()
    }

    /// A destination that delivers here; files keep their names.
    pub fn open(&self) -> MemoryDestination {
        self.open_as(Naming::Folder)
    }

    /// A destination that delivers here.
    pub fn open_as(&self, naming: Naming) -> MemoryDestination {
        MemoryDestination {
            place: self.clone(),
            naming,
        }
    }

    /// What the next calls do, in order.
    pub fn fail_with(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shelf().faults.extend(faults);
    }

    /// The calls since this was last asked.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.shelf().calls)
    }

    /// The bytes under a name.
    pub fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.shelf().files.get(name).cloned()
    }

    /// Every name.
    pub fn names(&self) -> Vec<String> {
        self.shelf().files.keys().cloned().collect()
    }

    /// Puts bytes under a name past the destination.
    pub fn plant(&self, name: &str, bytes: &[u8]) {
        self.shelf().files.insert(name.to_owned(), bytes.to_vec());
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, call: Call) -> (MutexGuard<'_, Shelf>, Fault) {
        let mut shelf = self.shelf();
        shelf.calls.push(call);
        let fault = shelf.faults.pop_front().unwrap_or(Fault::None);
        (shelf, fault)
    }
}

/// Delivers to a [`Memory`].
pub struct MemoryDestination {
    place: Memory,
    naming: Naming,
}

impl MemoryDestination {
    fn lost(&self) -> DeliveryError {
        DeliveryError::retry(self.address(), "the answer was lost", "run again")
    }
}

/// Faults that say so at once.
fn refusal(address: &str, fault: &Fault) -> Result<(), DeliveryError> {
    match fault {
        Fault::Busy(after) => {
            let error = DeliveryError::retry(address, "the place is busy", "run again later");
            Err(after.map_or(error.clone(), |after| error.after(after)))
        }
        Fault::Refuse => Err(DeliveryError::abort(
            address,
            "the place takes nothing",
            "ask its owner",
        )),
        _ => Ok(()),
    }
}

impl Destination for MemoryDestination {
    fn address(&self) -> &str {
        "memory:"
    }

    fn naming(&self) -> &Naming {
        &self.naming
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            atomic: true,
            read_back: true,
            remove: true,
        }
    }

    fn put(&mut self, upload: &Upload<'_>, deadline: &Deadline) -> Result<Proof, DeliveryError> {
        deadline.check(self.address())?;
        let (mut shelf, fault) = self.place.call(Call::Put(upload.name.to_owned()));
        refusal(self.address(), &fault)?;
        let mut bytes = std::fs::read(upload.path).map_err(|error| {
            DeliveryError::abort(
                self.address(),
                format!("the file cannot be read: {error}"),
                "run again",
            )
        })?;
        match fault {
            Fault::Cut(first) => bytes.truncate(usize::try_from(first).unwrap_or(usize::MAX)),
            Fault::Spoil => match bytes.first_mut() {
                Some(byte) => *byte ^= 1,
                None => bytes.push(0),
            },
            _ => {}
        }
        // Read back before it takes its name: what is not whole is never seen.
        let stands = if fault == Fault::KeepOld {
            shelf.files.get(upload.name).cloned().unwrap_or_default()
        } else {
            bytes
        };
        let remote =
            Remote::read(stands.as_slice(), upload.bytes).expect("bytes in memory can be read");
        if let Some(how) = remote.differs(upload) {
            return Err(DeliveryError::not_what_was_sent(
                self.address(),
                upload.name,
                &how,
            ));
        }
        shelf.files.insert(upload.name.to_owned(), stands);
        if fault == Fault::AnswerLost {
            return Err(self.lost());
        }
        Ok(Proof::ReadBack)
    }

    fn stands(&mut self, name: &str, deadline: &Deadline) -> Result<Option<Remote>, DeliveryError> {
        deadline.check(self.address())?;
        let (shelf, fault) = self.place.call(Call::Stands(name.to_owned()));
        refusal(self.address(), &fault)?;
        Ok(shelf.files.get(name).map(|bytes| {
            Remote::read(bytes.as_slice(), u64::MAX).expect("bytes in memory can be read")
        }))
    }

    fn remove(&mut self, name: &str, deadline: &Deadline) -> Result<(), DeliveryError> {
        deadline.check(self.address())?;
        let (mut shelf, fault) = self.place.call(Call::Remove(name.to_owned()));
        refusal(self.address(), &fault)?;
        shelf.files.remove(name);
        if fault == Fault::AnswerLost {
            return Err(self.lost());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::suite::{self, Place, Trick};
    use super::*;

    struct Here(Memory);

    impl Place for Here {
        fn open(&self) -> Box<dyn Destination> {
            Box::new(self.0.open())
        }

        fn read(&self, name: &str) -> Option<Vec<u8>> {
            self.0.read(name)
        }

        fn names(&self) -> Vec<String> {
            self.0.names()
        }

        fn plant(&self, name: &str, bytes: &[u8]) {
            self.0.plant(name, bytes);
        }

        fn play(&self, trick: Trick) -> bool {
            self.0.fail_with([match trick {
                Trick::Cut(bytes) => Fault::Cut(bytes),
                Trick::Spoil => Fault::Spoil,
                Trick::KeepOld => Fault::KeepOld,
                Trick::Busy(after) => Fault::Busy(after),
                Trick::Refuse => Fault::Refuse,
                Trick::AnswerLost => Fault::AnswerLost,
                Trick::Silence => return false,
            }]);
            true
        }
    }

    #[test]
    fn it_passes_the_suite() {
        suite::passes(|| Some(Here(Memory::new())));
    }
}
