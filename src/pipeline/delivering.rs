//! A kept version to its destinations: each gets all files, proves that they stand, and its receipt is kept. One that fails
//! leaves the others theirs; a later run brings what is still awaited.

use std::path::Path;
use std::time::Duration;

use crate::channel::manifest::Format;
use crate::config::Project;
use crate::config::project::Feed;
use crate::deliver::{self, Deadline, DeliveryError, Destination, DryRun, Parcel, RetryPolicy};
use crate::state::{self, Lock, Receipt, ReceiptFile, StagedFile, State};

use super::Failure;

/// A destination that is ready, and how it is tried.
pub(super) struct Ready {
    pub(super) destination: Box<dyn Destination>,
    policy: RetryPolicy,
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
        let opened = deliver::open(to, &project.folder)
            .and_then(|destination| Ok((destination, RetryPolicy::of(to)?)));
        match opened {
            Ok((destination, policy)) => {
                if ready
                    .iter()
                    .any(|other| other.destination.address() == destination.address())
                {
                    errors.push(to.wrong(
                        format!(
                            "feed `{}` is delivered to `{}` twice",
                            feed.name,
                            destination.address()
                        ),
                        "take one of the two out",
                    ));
                }
                ready.push(Ready {
                    destination,
                    policy,
                });
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
    pub(super) state: &'d State,
    pub(super) lock: &'d Lock,
    pub(super) feed: &'d str,
    pub(super) version: u64,
    pub(super) parcels: &'d [Parcel],
    /// How long a destination's lock is waited for.
    pub(super) wait: Duration,
    pub(super) deadline: Deadline,
}

impl Delivery<'_> {
    /// Delivers to one destination and keeps the receipt.
    pub(super) fn to(&self, ready: &mut Ready) -> Result<Delivered, Failure> {
        let address = ready.destination.address().to_owned();
        // Two feeds, or two projects' runs, never write to one address at a time.
        let scope = format!("destination:{address}");
        let _lock = state::lock::acquire(self.state, &scope, self.wait, crate::clock::now())
            .map_err(|busy| Failure::from(crate::state::StateError::from(busy)))?;
        let before = self.stood(&address)?;
        let outcome = deliver::deliver(
            ready.destination.as_mut(),
            self.parcels,
            &before,
            &ready.policy,
            &self.deadline,
        );
        let outcome = match outcome {
            Ok(receipt) => {
                let receipt = Receipt {
                    destination: receipt.destination,
                    files: receipt
                        .files
                        .into_iter()
                        .map(|sent| ReceiptFile {
                            name: sent.name,
                            bytes: sent.bytes,
                            sha256: sent.sha256,
                            proof: word(sent.proof).to_owned(),
                        })
                        .collect(),
                    at: receipt.at,
                };
                self.state
                    .receipt(self.lock, self.feed, self.version, &receipt)?;
                Ok(receipt)
            }
            Err(error) => Err(error),
        };
        Ok(Delivered {
            address,
            outcome,
            steps: Vec::new(),
        })
    }

    /// The names that stand at an address by the latest receipt of any version.
    fn stood(&self, address: &str) -> Result<Vec<String>, Failure> {
        let mut latest: Option<Receipt> = None;
        for version in self.state.history(self.feed)? {
            for receipt in self.state.receipts(self.feed, version.version)? {
                let newer = latest.as_ref().is_none_or(|known| known.at < receipt.at);
                if receipt.destination == address && newer {
                    latest = Some(receipt);
                }
            }
        }
        Ok(latest.map_or_else(Vec::new, |receipt| {
            receipt.files.into_iter().map(|file| file.name).collect()
        }))
    }
}

/// What a dry run would do at a destination: reads go through, nothing else does.
pub(super) fn pretend(ready: &mut Ready, parcels: &[Parcel], deadline: &Deadline) -> Delivered {
    let address = ready.destination.address().to_owned();
    let mut dry = DryRun::new(ready.destination.as_mut());
    let outcome = deliver::deliver(&mut dry, parcels, &[], &ready.policy, deadline);
    let steps = dry.steps().to_vec();
    Delivered {
        outcome: outcome.map(|receipt| Receipt {
            destination: receipt.destination,
            files: Vec::new(),
            at: receipt.at,
        }),
        address,
        steps,
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

/// The files of a kept version, taken out into a folder to be sent.
pub(super) fn extracted(
    state: &State,
    version: &crate::state::Version,
    folder: &Path,
) -> Result<Vec<StagedFile>, Failure> {
    state.extract(version, folder)?;
    Ok(version
        .files
        .iter()
        .map(|file| StagedFile {
            name: file.name.clone(),
            path: folder.join(&file.name),
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            items: file.items,
            role: file.role,
        })
        .collect())
}
