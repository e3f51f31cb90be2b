//! A kept version to a channel that takes requests: what changed since the version that it took last, item by item, and
//! what is gone; everything every few days. Each item has its own verdict, which becomes a finding on its SKU.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_128;

use crate::channel::Channel;
use crate::config::destination::To;
use crate::config::project::Feed;
use crate::config::{ConfigError, Project, span};
use crate::deliver::{Deadline, DeliveryError, Recovery};
use crate::state::{Receipt, ReceiptFile, StagedFile};
use crate::store::request::{self, FeedNames, Item, Removed, Sending};
use crate::store::{Account, Outcome};
use crate::write::items::{ItemLogReader, LogHead};

use super::build::Logs;
use super::{Failure, Observer};

/// How often everything is sent, where the project does not say.
const FULL_EVERY: Duration = Duration::from_secs(7 * 24 * 3600);
/// What a receipt calls a sending of everything.
const ALL: &str = "all items";
/// What a receipt calls a sending of what changed.
const CHANGED: &str = "changed items";

/// A channel that takes requests, ready to be called.
pub(super) struct Requests {
    address: String,
    channel: Channel,
    url: Option<String>,
    settings: serde_json::Value,
    secrets: BTreeMap<String, crate::config::secret::Secret>,
    full_every: Duration,
    account: Account,
}

/// What is sent: a version's files, the log of its items, and what was taken last.
pub(super) struct Edition<'e> {
    pub(super) files: &'e [StagedFile],
    pub(super) logs: &'e Logs,
    /// The log of the version that the channel took last; none sends everything.
    pub(super) before: Option<PathBuf>,
    /// The receipts of this address, whatever their version, oldest first.
    pub(super) receipts: &'e [Receipt],
    /// Whether everything is sent, changed or not.
    pub(super) full: bool,
    pub(super) version: u64,
    pub(super) deadline: Deadline,
}

impl Requests {
    /// Reads settings and secrets, and calls nobody yet.
    pub(super) fn open(feed: &Feed, to: &To, project: &Project) -> Result<Self, ConfigError> {
        let channel = crate::channel::load(Some(&project.folder), &feed.channel)?;
        let Some(request) = &channel.manifest.request else {
            return Err(to.wrong(
                format!("channel `{}` takes no requests", feed.channel),
                "give `path` or `url` of a place for its file, or choose a channel with `[request]`",
            ));
        };
        let mut secrets = BTreeMap::new();
        for (name, reference) in &to.secrets {
            if !request.secrets.contains_key(name) {
                let known = request.secrets.keys().map(String::as_str);
                let hint =
                    crate::program::nearest::near(name, known.clone()).unwrap_or_else(|| {
                        format!("it asks for `{}`", known.collect::<Vec<_>>().join("`, `"))
                    });
                return Err(to.wrong(
                    format!("channel `{}` knows no secret `{name}`", feed.channel),
                    hint,
                ));
            }
            let secret = reference.resolve(&project.folder).map_err(|message| {
                to.wrong(
                    message,
                    "set it, or name another: `env:NAME` or `file:PATH`",
                )
            })?;
            secrets.insert(name.clone(), secret);
        }
        for (name, needed) in &request.secrets {
            if !needed.optional && !secrets.contains_key(name) {
                let about = needed.about.as_deref().unwrap_or("the channel needs it");
                return Err(to.wrong(
                    format!(
                        "channel `{}` needs the secret `{name}` ({about})",
                        feed.channel
                    ),
                    format!("add under [feed.to.secrets]: {name} = \"env:NAME\""),
                ));
            }
        }
        let every = to.full_every.as_deref();
        let full_every = every
            .map_or(Ok(FULL_EVERY), span::parse)
            .map_err(|(message, hint)| to.wrong(format!("`full_every`: {message}"), hint))?;
        Ok(Requests {
            address: format!(
                "{} ({})",
                feed.channel,
                to.url.as_deref().unwrap_or("its own address")
            ),
            settings: request::settings(&channel.manifest, &feed.settings),
            account: Account::new(request.pace),
            url: to.url.clone(),
            channel,
            secrets,
            full_every,
        })
    }

    /// What names it in receipts and messages.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Sends what changed, and tells each item's verdict. There is a receipt when every item has one that stands: what
    /// is refused for good is a finding, what nobody knows is sent again by the next run.
    pub(super) fn send(
        &self,
        feed: &Feed,
        project: &Project,
        edition: &Edition<'_>,
        observer: &mut dyn Observer,
    ) -> Result<Result<Receipt, DeliveryError>, Failure> {
        let full = edition.full || edition.before.is_none() || self.full_is_due(edition.receipts);
        let old = match &edition.before {
            Some(log) => hashes(log)?,
            None => HashMap::new(),
        };
        let request = self
            .channel
            .manifest
            .request
            .as_ref()
            .expect("it was asked");
        let frame = Frame::read(edition)?;
        let removed = match request.delete {
            Some(_) => gone(edition, &old)?,
            None => Vec::new(),
        };
        let skip = if full { HashMap::new() } else { old };
        let mut sent_bytes = 0;
        let mut outcomes = BTreeMap::<&str, u64>::new();
        let mut problems = Vec::new();
        let sending = Sending {
            request,
            format: self.channel.manifest.format,
            head: &frame.head,
            tail: &frame.tail,
            settings: &self.settings,
            secrets: &self.secrets,
            feed: FeedNames {
                name: &feed.name,
                language: &frame.log.language,
                currency: &frame.log.currency,
                country: &project.shop.country,
            },
            url: self.url.as_deref(),
            run: &format!("{}-{}", feed.name, edition.version),
            full,
            remote: None,
            account: self.account.clone(),
            deadline: Some(edition.deadline.remaining()),
            stop: None,
            transport: None,
        };
        let items = Items::open(edition, skip)?
            .map(|item| item.inspect(|item| sent_bytes += item.bytes.len() as u64));
        let ended = request::send(&sending, items, removed, &mut |item| {
            let kind = match &item.outcome {
                Outcome::Accepted => "accepted",
                Outcome::Rejected {
                    transient: false, ..
                } => "refused",
                Outcome::Rejected { .. } | Outcome::Stale { .. } => "refused for now",
                Outcome::Unknown { .. } => "unknown",
                Outcome::Held { .. } => "held back",
            };
            *outcomes.entry(kind).or_default() += 1;
            problems.extend(item.finding(&feed.name, &self.address));
        });
        for problem in &problems {
            observer.finding(problem);
        }
        let report = match ended {
            Ok(report) => report,
            Err(error) => return Ok(Err(self.failed(&error.to_string(), Recovery::Abort))),
        };
        let open: u64 = ["refused for now", "unknown", "held back"]
            .iter()
            .filter_map(|kind| outcomes.get(kind))
            .sum();
        if open > 0 {
            let counts: Vec<String> = outcomes
                .iter()
                .map(|(kind, count)| format!("{count} {kind}"))
                .collect();
            let paused = report
                .paused
                .map_or_else(String::new, |why| format!("; {why}"));
            return Ok(Err(self.failed(
                &format!("not every item is settled: {}{paused}", counts.join(", ")),
                Recovery::Retry { after: None },
            )));
        }
        Ok(Ok(Receipt {
            destination: self.address.clone(),
            files: vec![ReceiptFile {
                name: if full { ALL } else { CHANGED }.to_owned(),
                bytes: sent_bytes,
                sha256: String::new(),
                proof: format!(
                    "verdicts: {} accepted, {} refused",
                    report.accepted, report.rejected
                ),
            }],
            at: crate::clock::now(),
        }))
    }

    fn failed(&self, message: &str, recovery: Recovery) -> DeliveryError {
        DeliveryError {
            address: self.address.clone(),
            message: message.to_owned(),
            hint:
                "run again: what is settled is not sent twice to harm, what is open is sent again"
                    .to_owned(),
            recovery,
        }
    }

    fn full_is_due(&self, receipts: &[Receipt]) -> bool {
        let full = |receipt: &&Receipt| receipt.files.iter().any(|file| file.name == ALL);
        receipts.iter().rfind(full).is_none_or(|receipt| {
            let age = crate::clock::now().duration_since(receipt.at);
            // One of the future was kept by a clock that has been put right since.
            age.is_negative() || age.unsigned_abs() >= self.full_every
        })
    }
}

/// What stands around the items, for batches of the same document.
struct Frame {
    log: LogHead,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Frame {
    fn read(edition: &Edition<'_>) -> Result<Self, Failure> {
        let mut log = super::staging::log(edition.logs)?;
        let head = log.head().clone();
        let Some(part) = edition.files.first() else {
            return Err(Failure::Disk("a version without files".to_owned()));
        };
        let (mut first, mut last) = (None, 0);
        while let Some(record) = log.next().map_err(unreadable)? {
            if record.part > 1 {
                break;
            }
            first.get_or_insert(record.offset);
            last = record.offset + u64::from(record.length);
        }
        let mut frame = Frame {
            log: head,
            head: Vec::new(),
            tail: Vec::new(),
        };
        let read = || -> io::Result<(Vec<u8>, Vec<u8>)> {
            let mut file = File::open(&part.path)?;
            let (mut head, mut tail) = (Vec::new(), Vec::new());
            (&mut file)
                .take(first.unwrap_or(0))
                .read_to_end(&mut head)?;
            file.seek(SeekFrom::Start(last))?;
            file.read_to_end(&mut tail)?;
            Ok((head, tail))
        };
        (frame.head, frame.tail) = read().map_err(|error| disk(&error))?;
        Ok(frame)
    }
}

/// The items that are to be sent, out of the version's files, in their order.
struct Items<'e> {
    edition: &'e Edition<'e>,
    log: ItemLogReader<BufReader<File>>,
    /// What the channel has: hash of the id = hash of the item.
    known: HashMap<u128, u128>,
    open: Option<(u32, File)>,
}

impl<'e> Items<'e> {
    fn open(edition: &'e Edition<'e>, known: HashMap<u128, u128>) -> Result<Self, Failure> {
        Ok(Items {
            edition,
            log: super::staging::log(edition.logs)?,
            known,
            open: None,
        })
    }

    fn one(&mut self) -> io::Result<Option<Item<'static>>> {
        loop {
            let Some(record) = self.log.next().map_err(io::Error::other)? else {
                return Ok(None);
            };
            let same = self.known.get(&xxh3_128(record.body.id.as_bytes()));
            if same == Some(&record.body.hash) {
                continue;
            }
            let part = record.part;
            if self.open.as_ref().is_none_or(|(number, _)| *number != part) {
                let place = (part as usize).saturating_sub(1);
                let path = match &self.edition.logs.bodies {
                    Some(bodies) => bodies,
                    None => {
                        &self
                            .edition
                            .files
                            .get(place)
                            .ok_or_else(|| {
                                io::Error::other("the log names a part that is not there")
                            })?
                            .path
                    }
                };
                self.open = Some((part, File::open(path)?));
            }
            let (_, file) = self.open.as_mut().expect("it was opened");
            file.seek(SeekFrom::Start(record.offset))?;
            let mut bytes = vec![0; record.length as usize];
            file.read_exact(&mut bytes)?;
            return Ok(Some(Item {
                id: Cow::Owned(record.body.id.to_owned()),
                sku: Cow::Owned(record.body.sku.to_owned()),
                bytes: Cow::Owned(bytes),
                fields: Vec::new(),
            }));
        }
    }
}

impl Iterator for Items<'_> {
    type Item = io::Result<Item<'static>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.one().transpose()
    }
}

/// What a log says of its items: hash of the id = hash of the item; 32 bytes an item, and the table's slack.
fn hashes(log: &PathBuf) -> Result<HashMap<u128, u128>, Failure> {
    let file = File::open(log).map_err(|error| disk(&error))?;
    let mut log = ItemLogReader::open(BufReader::new(file)).map_err(unreadable)?;
    let mut known = HashMap::new();
    while let Some(record) = log.next().map_err(unreadable)? {
        known.insert(xxh3_128(record.body.id.as_bytes()), record.body.hash);
    }
    Ok(known)
}

/// Items that the channel has and the new version has not.
fn gone(
    edition: &Edition<'_>,
    old: &HashMap<u128, u128>,
) -> Result<Vec<Removed<'static>>, Failure> {
    let Some(before) = &edition.before else {
        return Ok(Vec::new());
    };
    let new = hashes(&edition.logs.items)?;
    if old.keys().all(|id| new.contains_key(id)) {
        return Ok(Vec::new());
    }
    let file = File::open(before).map_err(|error| disk(&error))?;
    let mut log = ItemLogReader::open(BufReader::new(file)).map_err(unreadable)?;
    let mut gone = Vec::new();
    while let Some(record) = log.next().map_err(unreadable)? {
        if !new.contains_key(&xxh3_128(record.body.id.as_bytes())) {
            gone.push(Removed {
                id: Cow::Owned(record.body.id.to_owned()),
                sku: Cow::Owned(record.body.sku.to_owned()),
                fields: Vec::new(),
            });
        }
    }
    Ok(gone)
}

fn disk(error: &io::Error) -> Failure {
    Failure::Disk(format!("the items to send cannot be read: {error}"))
}

fn unreadable(error: crate::write::items::ItemLogError) -> Failure {
    Failure::Disk(format!(
        "the log of the items to send cannot be read: {error}"
    ))
}
