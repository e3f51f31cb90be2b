//! Readers that run on a thread of their own, because the library they use lends instead of giving.
//!
//! Comes in: a function that produces columns and records. Goes out: a [`RecordReader`] over a bounded channel, so that
//! memory stays constant. It promises that a producer that stops early, or panics, is an error and never an end.

use std::collections::HashMap;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::batch::Reject;
use super::flat::is_full;
use super::{Batch, RecordReader, SourceError, SourceProblem};

/// Batches that may wait to be read.
const WAITING_MAX: usize = 2;

enum Message {
    Columns(Vec<String>),
    Remark(String),
    Batch(Batch),
    Failed(SourceError),
    Done,
}

/// Why a producer ends early.
pub(super) enum Stop {
    /// Nobody reads any more.
    Gone,
    /// The source cannot be used.
    Failed(SourceError),
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Stop::Failed(error)
    }
}

/// What a producer gives its columns and records to.
pub(super) struct Producer {
    sender: Sender<Message>,
    batch: Batch,
    width: usize,
}

impl Producer {
    /// Sets the columns; must come before the first record. Names are trimmed and made different from each other.
    pub(super) fn columns(&mut self, names: Vec<String>) -> Result<(), Stop> {
        let (names, repeated) = unique(names);
        self.width = names.len();
        self.batch.clear(self.width);
        if !repeated.is_empty() {
            self.remark(format!(
                "these column names are repeated, and the later ones have a number added: {}",
                repeated.join(", ")
            ))?;
        }
        self.send(Message::Columns(names))
    }

    /// Adds a record.
    pub(super) fn record<'a>(
        &mut self,
        line: u64,
        cells: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), Stop> {
        self.batch.push_record(line, cells);
        self.flush(false)
    }

    /// Adds a record whose cells are written, column by column, at the end of the batch's text; false when one was refused, and
    /// nothing is added.
    pub(super) fn make(
        &mut self,
        line: u64,
        cell: impl FnMut(usize, &mut String) -> bool,
    ) -> Result<bool, Stop> {
        let made = self.batch.make_record(line, cell);
        self.flush(false)?;
        Ok(made)
    }

    /// Adds a record that could not be read as one.
    pub(super) fn reject(&mut self, reject: Reject) -> Result<(), Stop> {
        self.batch.rejects.push(reject);
        self.flush(false)
    }

    /// Says something about the whole source.
    pub(super) fn remark(&self, remark: String) -> Result<(), Stop> {
        self.send(Message::Remark(remark))
    }

    fn flush(&mut self, all: bool) -> Result<(), Stop> {
        let some = !self.batch.is_empty() || !self.batch.rejects.is_empty();
        if (all && some) || is_full(&self.batch) {
            let batch = std::mem::take(&mut self.batch);
            self.batch.clear(self.width);
            return self.send(Message::Batch(batch));
        }
        Ok(())
    }

    fn send(&self, message: Message) -> Result<(), Stop> {
        self.sender.send(message).map_err(|_| Stop::Gone)
    }
}

/// Reads what a producer on another thread makes.
pub(super) struct Background {
    name: String,
    columns: Vec<String>,
    remarks: Vec<String>,
    receiver: Receiver<Message>,
    ended: bool,
}

impl Background {
    /// Starts `produce` and waits for its columns. `name` stands for the source in messages.
    pub(super) fn start(
        name: &str,
        produce: impl FnOnce(&mut Producer) -> Result<(), Stop> + Send + 'static,
    ) -> Result<Self, SourceError> {
        let (sender, receiver) = bounded(WAITING_MAX);
        let spawned = thread::Builder::new()
            .name("shelfcast-reader".to_owned())
            .spawn(move || {
                let mut producer = Producer {
                    sender,
                    batch: Batch::default(),
                    width: 0,
                };
                let result = produce(&mut producer).and_then(|()| producer.flush(true));
                let last = match result {
                    Ok(()) => Message::Done,
                    Err(Stop::Failed(error)) => Message::Failed(error),
                    Err(Stop::Gone) => return,
                };
                // When nobody reads any more, nobody misses the end either.
                drop(producer.send(last));
            });
        if let Err(error) = spawned {
            return Err(SourceError::new(
                SourceProblem::Missing,
                name,
                format!("cannot start a thread to read it: {error}"),
            ));
        }
        let mut background = Background {
            name: name.to_owned(),
            columns: Vec::new(),
            remarks: Vec::new(),
            receiver,
            ended: false,
        };
        loop {
            match background.receive()? {
                Message::Columns(columns) => {
                    background.columns = columns;
                    return Ok(background);
                }
                Message::Remark(remark) => background.remarks.push(remark),
                Message::Batch(_) | Message::Failed(_) => {}
                Message::Done => {
                    background.ended = true;
                    return Ok(background);
                }
            }
        }
    }

    fn receive(&self) -> Result<Message, SourceError> {
        match self.receiver.recv() {
            Ok(Message::Failed(error)) => Err(error),
            Ok(message) => Ok(message),
            Err(_) => Err(SourceError::new(
                SourceProblem::NotWhole,
                &self.name,
                "reading it stopped before its end",
            )),
        }
    }
}

impl RecordReader for Background {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn read_batch(&mut self, batch: &mut Batch) -> Result<bool, SourceError> {
        batch.clear(self.columns.len());
        while !self.ended {
            match self.receive()? {
                Message::Batch(mut full) => {
                    let (text, cells, lines) = full.take_parts();
                    let text = String::from_utf8(text).expect("a batch's text is UTF-8");
                    batch.set_parts(text, cells, lines);
                    batch.rejects.append(&mut full.rejects);
                    return Ok(true);
                }
                Message::Remark(remark) => self.remarks.push(remark),
                Message::Done => self.ended = true,
                Message::Columns(_) | Message::Failed(_) => {}
            }
        }
        Ok(false)
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }
}

/// Trims names and adds ` (2)`, ` (3)` to repeated ones; also the names that were repeated.
fn unique(names: Vec<String>) -> (Vec<String>, Vec<String>) {
    let mut counts: HashMap<String, u32> = HashMap::new();
    for name in &names {
        counts.entry(name.trim().to_owned()).or_default();
    }
    let mut out = Vec::with_capacity(names.len());
    let mut repeated = Vec::new();
    for name in names {
        let name = name.trim();
        let mut count = counts.get(name).copied().unwrap_or(0) + 1;
        if count == 1 {
            counts.insert(name.to_owned(), 1);
            out.push(name.to_owned());
            continue;
        }
        // A source may have a column that is called `price (2)` itself.
        let free = loop {
            let candidate = format!("{name} ({count})");
            if !counts.contains_key(&candidate) {
                break candidate;
            }
            count += 1;
        };
        counts.insert(name.to_owned(), count);
        counts.insert(free.clone(), 1);
        if !repeated.contains(&format!("`{name}`")) {
            repeated.push(format!("`{name}`"));
        }
        out.push(free);
    }
    (out, repeated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_names_get_numbers() {
        let names = ["a", " a ", "b", "a (2)", "a"].map(str::to_owned).to_vec();
        let (names, repeated) = unique(names);
        assert_eq!(names, ["a", "a (3)", "b", "a (2)", "a (4)"]);
        assert_eq!(repeated, ["`a`"]);
    }

    #[test]
    fn records_arrive_in_order_and_whole() {
        let mut reader = Background::start("x", |producer| {
            producer.columns(vec!["n".to_owned()])?;
            for n in 0..100_000_u64 {
                producer.record(n + 1, [n.to_string().as_str()])?;
            }
            producer.remark("end".to_owned())
        })
        .expect("starts");
        let mut batch = Batch::default();
        let mut count = 0;
        while reader.read_batch(&mut batch).expect("reads") {
            for record in 0..batch.len() {
                assert_eq!(batch.cell(record, 0), count.to_string());
                count += 1;
            }
        }
        assert_eq!(count, 100_000);
        assert_eq!(reader.remarks(), ["end"]);
    }

    #[test]
    fn a_producer_that_fails_or_panics_is_no_end() {
        let fails = |error: bool| {
            Background::start("x", move |producer| {
                producer.columns(vec!["n".to_owned()])?;
                producer.record(1, ["1"])?;
                assert!(error, "panics");
                Err(SourceError::new(SourceProblem::NotWhole, "x", "cut").into())
            })
            .expect("starts")
        };
        for (error, says) in [(true, "cut"), (false, "stopped before its end")] {
            let mut reader = fails(error);
            let mut batch = Batch::default();
            let failed = loop {
                match reader.read_batch(&mut batch) {
                    Ok(more) => assert!(more, "never ends whole"),
                    Err(failed) => break failed,
                }
            };
            assert!(failed.message.contains(says), "{failed}");
        }
    }
}
