//! A kept version to its destinations: each gets all files, proves that they stand, and its receipt is kept. One that fails
//! leaves the others theirs; a later run brings what is still awaited.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::channel::manifest::Format;
use crate::config::Project;
use crate::config::project::Feed;
use crate::deliver::{self, Deadline, DeliveryError, Destination, DryRun, Parcel, RetryPolicy};
use crate::state::{self, Lock, Receipt, ReceiptFile, StagedFile, State};

use super::build::Logs;
use super::requesting::{Edition, Requests};
use super::{Failure, Observer};

/// A destination that is ready.
pub(super) enum Ready {
    /// It takes files, and is tried so often.
    Files(Box<dyn Destination>, RetryPolicy),
    /// It takes requests.
    Requests(Box<Requests>),
}

impl Ready {
    /// Its address, without secrets.
    pub(super) fn address(&self) -> &str {
        match self {
            Ready::Files(destination, _) => destination.address(),
            Ready::Requests(requests) => requests.address(),
        }
    }
}

/// What came of one destination.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// Its address, without secrets.
    pub address: String,
    /// Its receipt, or why there is none.
    pub outcome: Result<Receipt, DeliveryError>,
    /// What a dry run would have done, a line a step.
    pub steps: Vec<String>,
}

/// Opens a feed's destinations: addresses, secrets and features are in order before anything is read.
pub(super) fn open(feed: &Feed, project: &Project) -> Result<Vec<Ready>, Failure> {
    let (mut ready, mut errors) = (Vec::<Ready>::new(), Vec::new());
    for to in &feed.to {
        let opened = if to.requests {
            Requests::open(feed, to, project).map(|requests| Ready::Requests(Box::new(requests)))
        } else {
            deliver::open(to, &project.folder)
                .and_then(|destination| Ok(Ready::Files(destination, RetryPolicy::of(to)?)))
        };
        match opened {
            Ok(opened) => {
                let address = opened.address();
                if ready.iter().any(|other| other.address() == address) {
                    errors.push(to.wrong(
                        format!("feed `{}` is delivered to `{address}` twice", feed.name),
                        "take one of the two out",
                    ));
                }
                if let Ready::Files(destination, _) = &opened
                    && let deliver::Naming::File(_) = destination.naming()
                    && documents(feed, project)
                {
                    errors.push(to.wrong(
                        format!(
                            "feed `{}` is a document an item, and `{}` names one file",
                            feed.name,
                            opened.address()
                        ),
                        "end the address with `/`: a folder, in which each has its own name",
                    ));
                }
                ready.push(opened);
            }
            Err(mut error) => {
                error.message = format!("feed `{}`: {}", feed.name, error.message);
                errors.push(error);
            }
        }
    }
    if errors.is_empty() {
        Ok(ready)
    } else {
        Err(Failure::Configuration(errors))
    }
}

/// Whether each item of the feed is a document; a channel that cannot be loaded is told of where it is built.
fn documents(feed: &Feed, project: &Project) -> bool {
    crate::channel::load(Some(&project.folder), &feed.channel)
        .is_ok_and(|channel| channel.manifest.is_a_document_an_item())
}

/// The files as a destination gets them.
pub(super) fn parcels(files: &[StagedFile], format: Format) -> Vec<Parcel> {
    files
        .iter()
        .map(|file| Parcel {
            name: file.name.clone(),
            path: file.path.clone(),
            items: file.items,
            content_type: match file.role {
                state::Role::Index => "application/xml",
                _ => content_type(format),
            },
            role: match file.role {
                state::Role::Index => deliver::Role::Index,
                state::Role::Part => deliver::Role::Part,
                _ => deliver::Role::Only,
            },
        })
        .collect()
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Xml => "application/xml",
        Format::Csv => "text/csv; charset=utf-8",
        Format::Tsv => "text/tab-separated-values; charset=utf-8",
        Format::Json => "application/json",
        Format::Ndjson => "application/x-ndjson",
        Format::Html => "text/html; charset=utf-8",
        Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Format::Text | Format::Edifact => "text/plain; charset=utf-8",
    }
}

/// What is delivered, and under whose lock.
pub(super) struct Delivery<'d> {
    pub(super) project: &'d Project,
    pub(super) state: &'d State,
    pub(super) lock: &'d Lock,
    pub(super) feed: &'d Feed,
    pub(super) version: u64,
    pub(super) files: &'d [StagedFile],
    pub(super) format: Format,
    pub(super) logs: &'d Logs,
    /// A folder for what has to be looked up.
    pub(super) room: &'d Path,
    /// Whether a channel that takes requests gets everything.
    pub(super) full: bool,
    /// How long a destination's lock is waited for.
    pub(super) wait: Duration,
    pub(super) deadline: Deadline,
}

impl Delivery<'_> {
    /// Delivers to one destination and keeps the receipt.
    pub(super) fn to(
        &self,
        ready: &mut Ready,
        observer: &mut dyn Observer,
    ) -> Result<Delivered, Failure> {
        let address = ready.address().to_owned();
        // Two feeds of a project never write to one address at a time.
        let scope = format!("destination:{address}");
        let _lock = state::lock::acquire(self.state, &scope, self.wait, crate::clock::now())?;
        let outcome = match ready {
            Ready::Files(destination, policy) => deliver::deliver(
                destination.as_mut(),
                &parcels(self.files, self.format),
                &self.stood(&address)?,
                policy,
                &self.deadline,
            )
            .map(receipt),
            Ready::Requests(requests) => {
                let (before, receipts) = self.taken(&address)?;
                let edition = Edition {
                    files: self.files,
                    logs: self.logs,
                    before,
                    receipts: &receipts,
                    full: self.full,
                    version: self.version,
                    deadline: self.deadline,
                };
                requests.send(self.feed, self.project, &edition, observer)?
            }
        };
        if let Ok(receipt) = &outcome {
            self.state
                .receipt(self.lock, &self.feed.name, self.version, receipt)?;
        }
        Ok(Delivered {
            address,
            outcome,
            steps: Vec::new(),
        })
    }

    /// The log of the version that an address took last, and all its receipts, oldest first.
    fn taken(&self, address: &str) -> Result<(Option<PathBuf>, Vec<Receipt>), Failure> {
        let confirmed = self.state.confirmed(&self.feed.name, address)?;
        let last = confirmed.last().map(|(version, _)| *version);
        let receipts = confirmed.into_iter().map(|(_, receipt)| receipt).collect();
        let history = self.state.history(&self.feed.name)?;
        let log = history
            .into_iter()
            .find(|version| Some(version.version) == last)
            .and_then(|version| version.items_log);
        let Some(log) = log else {
            return Ok((None, receipts));
        };
        let path = self.room.join("taken.items");
        self.state.extract_file(&log, &path)?;
        Ok((Some(path), receipts))
    }

    /// The names that stand at an address by the latest receipt of any version.
    fn stood(&self, address: &str) -> Result<Vec<String>, Failure> {
        let last = self.state.confirmed(&self.feed.name, address)?.pop();
        Ok(last.map_or_else(Vec::new, |(_, receipt)| {
            receipt.files.into_iter().map(|file| file.name).collect()
        }))
    }
}

fn receipt(delivered: deliver::DeliveryReceipt) -> Receipt {
    let files = delivered.files.into_iter();
    Receipt {
        destination: delivered.destination,
        files: files
            .map(|sent| ReceiptFile {
                name: sent.name,
                bytes: sent.bytes,
                sha256: sent.sha256,
                proof: word(sent.proof).to_owned(),
            })
            .collect(),
        at: delivered.at,
    }
}

/// What a dry run would do at a destination: reads go through, nothing else does.
pub(super) fn pretend(ready: &mut Ready, parcels: &[Parcel], deadline: &Deadline) -> Delivered {
    let address = ready.address().to_owned();
    match ready {
        Ready::Requests(_) => Delivered {
            steps: vec![format!(
                "send what changed of {} items by request",
                parcels.iter().map(|parcel| parcel.items).sum::<u64>()
            )],
            outcome: Ok(Receipt {
                destination: address.clone(),
                files: Vec::new(),
                at: crate::clock::now(),
            }),
            address,
        },
        Ready::Files(destination, policy) => {
            let mut dry = DryRun::new(destination.as_mut());
            let outcome = deliver::deliver(&mut dry, parcels, &[], policy, deadline);
            Delivered {
                steps: dry.steps().to_vec(),
                outcome: outcome.map(receipt),
                address,
            }
        }
    }
}

/// How a file is known to stand, in a word.
fn word(proof: deliver::Proof) -> &'static str {
    match proof {
        deliver::Proof::AnswerOnly => "answer-only",
        deliver::Proof::SizeAndChecksum => "size-and-checksum",
        deliver::Proof::ReadBack => "read-back",
    }
}

/// A kept version, taken out into a folder to be sent: its files, and the log of its items.
pub(super) fn extracted(
    state: &State,
    version: &crate::state::Version,
    folder: &Path,
) -> Result<(Vec<StagedFile>, Logs), Failure> {
    state.extract(version, folder)?;
    let files = version.files.iter();
    let files = files.map(|file| StagedFile {
        name: file.name.clone(),
        path: folder.join(&file.name),
        bytes: file.bytes,
        sha256: file.sha256.clone(),
        items: file.items,
        role: file.role,
    });
    let take = |file: &crate::state::VersionFile| -> Result<PathBuf, Failure> {
        let path = folder.join(format!(".{}", file.name));
        state.extract_file(file, &path)?;
        Ok(path)
    };
    let log = version.items_log.as_ref().ok_or_else(|| {
        Failure::Disk(format!(
            "version {} of feed `{}` has no log of its items",
            version.version, version.feed
        ))
    })?;
    Ok((
        files.collect(),
        Logs {
            items: take(log)?,
            bodies: version.bodies.as_ref().map(take).transpose()?,
        },
    ))
}
