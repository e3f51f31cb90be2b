//! One feed while it is written: its files, its counts, the ids it has had, and whether it may take its place.

use rust_decimal::Decimal;
use xxhash_rust::xxh3::xxh3_128;

use crate::channel::Channel;
use crate::channel::manifest::{Format, Manifest};
use crate::config::Project;
use crate::config::project::Feed;
use crate::config::sync::share;
use crate::model::seen::Seen;
use crate::program::compile::{WORKBOOK_CELL, WORKBOOK_ROW};
use crate::program::escape::{Escape, Quoting};
use crate::validate::finding::{Finding, Severity};
use crate::write::items::{LogFoot, LogHead};
use crate::write::sorted::{self, Sorter};
use crate::write::staged::{Encoding, Shape};
use crate::write::{Artifact, Limits, Piece, StagedFeed};

use super::build::{FeedReport, FileReport, Filled, Logs, Options};

use super::placing::{Names, packed, unpacked};
use super::program::Program;
use super::run::Work;
use super::{Failure, Observer};

fn disk(what: &str, error: &std::io::Error) -> Failure {
    Failure::Disk(format!("cannot write {what}: {error}"))
}

/// One feed while it is written: its files, its counts, the ids it has had.
pub(super) struct Written<'f> {
    index: usize,
    staged: StagedFeed<'f>,
    writes: bool,
    read: u64,
    filtered: u64,
    withheld: u64,
    warnings: u64,
    /// Whether an item may have broken the document.
    doubtful: bool,
    unique: Option<String>,
    ids: Seen,
    max_withheld: Decimal,
    fill: Vec<u64>,
    /// The names that the items' own files have had.
    names: Option<Names>,
    /// What brings the items into the channel's order.
    sorter: Option<Sorter>,
    packed: Vec<u8>,
}

impl<'f> Written<'f> {
    pub(super) fn new(
        program: &Program,
        index: usize,
        options: &Options,
        frame: &'f crate::write::staged::Frame<'f>,
    ) -> Result<Self, Failure> {
        let (feed, channel) = (&program.configured[index], &program.channels[index]);
        let manifest = &channel.manifest;
        let folder = options.folder.clone().unwrap_or_default();
        let shape = Shape {
            name: feed.name.clone(),
            extension: manifest.format.extension().to_owned(),
            gzip: feed.gzip && !options.log,
            digests: options.digests,
            limits: limits(manifest, &channel.manifest_path)?,
            encoding: encoding(manifest, &channel.manifest_path)?,
            bom: manifest.delimited.bom == Some(true),
            passing: options.log,
            documents: manifest.is_a_document_an_item(),
        };
        let mut staged = if options.folder.is_some() {
            StagedFeed::new(&folder, shape, frame)
        } else {
            StagedFeed::discarding(shape, frame)
        };
        if options.log {
            let (head, _) = frame(1, Some(0));
            staged
                .log(&log_head(program, index, &head))
                .map_err(|error| disk(&feed.name, &error))?;
        }
        Ok(Written {
            index,
            staged,
            writes: options.folder.is_some(),
            read: 0,
            filtered: 0,
            withheld: 0,
            warnings: 0,
            doubtful: false,
            unique: program.feeds[index]
                .attributes
                .iter()
                .find(|attribute| attribute.unique)
                .map(|attribute| attribute.name.clone()),
            ids: Seen::default(),
            max_withheld: max_withheld(feed)?,
            fill: vec![
                0;
                if options.fill {
                    program.feeds[index].attributes.len()
                } else {
                    0
                }
            ],
            names: program.feeds[index].file.is_some().then(Names::new),
            sorter: (options.folder.is_some() && !program.feeds[index].order.is_empty())
                .then(|| Sorter::new(&folder, sorted::MEMORY_BYTES)),
            packed: Vec::new(),
        })
    }

    /// Takes what the feed made of a batch.
    pub(super) fn take(
        &mut self,
        program: &Program,
        work: &mut Work,
        index: usize,
        rejected: u64,
        observer: &mut dyn Observer,
    ) -> Result<(), Failure> {
        let output = &mut work.feeds[index];
        let batch = &work.input.batch;
        self.read += output.read + rejected;
        self.filtered += output.filtered;
        self.doubtful |= output.doubtful;
        self.withheld += output.withheld + rejected;
        let feed = &program.feeds[self.index];
        for reported in output.reported.drain(..) {
            if reported.problem.severity == Severity::Warning {
                self.warnings += 1;
            }
            observer.finding(&Finding {
                rule: reported.problem.rule,
                severity: reported.problem.severity,
                feed: Some(feed.name.clone()),
                sku: reported.sku,
                source: program.files.name(batch.file_of(reported.row)).to_owned(),
                line: batch.line(reported.row),
                column: reported.attribute,
                message: reported.problem.message,
                hint: reported.problem.hint,
            });
        }
        if self.unique.is_some() {
            self.ids
                .look_ahead(output.items.iter().map(|item| item.unique));
        }
        let together = self.writes
            && self.sorter.is_none()
            && self
                .staged
                .takes_all(&output.holes, output.written(), output.items.len());
        // Where those begin and end that are still to be written together, and how many they are.
        let (mut together_from, mut together_to, mut waiting) = (0, 0, 0);
        let (mut start, mut holes, mut id_start, mut log_start) = (0, 0, 0, 0);
        let (mut name_start, mut key_start) = (0, 0);
        for (number, item) in output.items.iter().enumerate() {
            let (from, first_hole, id_from, log_from) = (start, holes, id_start, log_start);
            (start, holes, id_start, log_start) = (item.end, item.holes, item.id_end, item.log_end);
            let (name_from, key_from) = (name_start, key_start);
            (name_start, key_start) = (item.name_end, item.key_end);
            let name = output.names.get(name_from..name_start).unwrap_or("");
            if self.unique.is_some() && !self.ids.insert(item.unique) {
                let attribute = self.unique.as_deref().unwrap_or("id");
                self.withheld += 1;
                let id = output
                    .ids
                    .get(id_from..item.id_end)
                    .unwrap_or("")
                    .to_owned();
                observer.finding(&Finding {
                    rule: "duplicate-id",
                    severity: Severity::Error,
                    feed: Some(feed.name.clone()),
                    sku: program.sku_of(batch, item.row),
                    source: program.files.name(batch.file_of(item.row)).to_owned(),
                    line: batch.line(item.row),
                    column: attribute.to_owned(),
                    message: format!(
                        "`{attribute}` `{id}` stands a second time; the first item was taken"
                    ),
                    hint: "give each variant a number of its own, or take one row out".to_owned(),
                });
                continue;
            }
            if let Some(names) = &mut self.names {
                let sku = program.sku_of(batch, item.row).unwrap_or_default();
                let other = names
                    .take(name, &sku)
                    .map_err(|error| disk(&feed.name, &error))?;
                if let Some(other) = other {
                    self.withheld += 1;
                    observer.finding(&Finding {
                        rule: "duplicate-file",
                        severity: Severity::Error,
                        feed: Some(feed.name.clone()),
                        message: format!(
                            "SKU `{sku}` would be written to `{name}`, which is the file of SKU `{other}`"
                        ),
                        sku: Some(sku),
                        source: program.files.name(batch.file_of(item.row)).to_owned(),
                        line: batch.line(item.row),
                        column: "file".to_owned(),
                        hint: "put into the channel's `file` what tells the two apart, such as `{{slug sku}}`"
                            .to_owned(),
                    });
                    continue;
                }
            }
            if !self.fill.is_empty() {
                let filled = output
                    .fill
                    .chunks_exact(self.fill.len())
                    .nth(number)
                    .unwrap_or(&[]);
                self.fill
                    .iter_mut()
                    .zip(filled)
                    .for_each(|(sum, &filled)| *sum += u64::from(filled));
            }
            if together {
                if together_to != from {
                    let bytes = &output.bytes[together_from..together_to];
                    self.staged
                        .add_all(bytes, std::mem::take(&mut waiting))
                        .map_err(|error| disk(&feed.name, &error))?;
                    together_from = from;
                }
                (together_to, waiting) = (item.end, waiting + 1);
            } else if self.writes {
                let piece = Piece {
                    bytes: &output.bytes[from..item.end],
                    holes: &output.holes[first_hole..item.holes],
                    start: from,
                    alternatives: &output.alternatives,
                    told: output.log.get(log_from..item.log_end).unwrap_or_default(),
                    name,
                    group: item.group,
                };
                let done = match &mut self.sorter {
                    None => self.staged.add(&piece),
                    Some(sorter) => {
                        packed(&piece, &mut self.packed);
                        let key = output.keys.get(key_from..key_start).unwrap_or_default();
                        sorter.push(key, &self.packed)
                    }
                };
                done.map_err(|error| disk(&feed.name, &error))?;
            } else {
                self.staged.count(item.end - from);
            }
        }
        if waiting > 0 {
            self.staged
                .add_all(&output.bytes[together_from..together_to], waiting)
                .map_err(|error| disk(&feed.name, &error))?;
        }
        Ok(())
    }

    fn held(&self) -> Option<String> {
        let admitted = self.read - self.filtered;
        if self.staged.items == 0 {
            return Some(if self.read == 0 {
                "the catalog has no records".to_owned()
            } else if admitted == 0 {
                format!("the filter leaves nothing of {} records", self.read)
            } else {
                format!("all {admitted} records are withheld")
            });
        }
        if let Some(over) = &self.staged.over {
            return Some(over.clone());
        }
        let share = Decimal::from(self.withheld) / Decimal::from(admitted.max(1));
        if share > self.max_withheld {
            let hundred = Decimal::ONE_HUNDRED;
            return Some(format!(
                "{} of {admitted} records are withheld, {}%, and `max_withheld` is {}%",
                self.withheld,
                (share * hundred).round_dp(1).normalize(),
                (self.max_withheld * hundred).normalize()
            ));
        }
        None
    }

    /// Ends the files. A document that its template could have broken is read once more: raw text in XML, and JSON
    /// written by hand that is not proved to be well formed.
    pub(super) fn finish(&mut self, program: &Program) -> Result<(), Failure> {
        if let Some(sorter) = self.sorter.take() {
            let (staged, mut holes) = (&mut self.staged, Vec::new());
            sorter
                .finish(|packed| {
                    let piece = unpacked(packed, &mut holes).expect("what was packed unpacks");
                    staged.add(&piece)
                })
                .map_err(|error| disk(&program.feeds[self.index].name, &error))?;
        }
        self.staged
            .finish()
            .map_err(|error| disk("a feed", &error))?;
        if !self.writes {
            self.staged.count_frame();
        }
        let (feed, channel) = (&program.feeds[self.index], &program.channels[self.index]);
        let sure = feed.proved && !self.doubtful;
        let may_be_broken = (feed.raw || by_hand(channel)) && !sure;
        if self.writes && may_be_broken && self.staged.over.is_none() {
            let malformed = self
                .staged
                .malformed(feed.format)
                .map_err(|error| disk(&feed.name, &error))?;
            if let Some(message) = malformed {
                let template = channel
                    .template
                    .as_ref()
                    .map_or("its template", |(path, _)| path.as_str());
                self.staged.over = Some(format!(
                    "{template} makes a document that does not parse: {message}"
                ));
            }
        }
        Ok(())
    }

    pub(super) fn commit(
        mut self,
        program: &Program,
        project: &Project,
    ) -> Result<FeedReport, Failure> {
        let held = self.held();
        let feed = &program.feeds[self.index];
        let (items, bytes) = (self.staged.items, self.staged.bytes);
        let log = self
            .staged
            .end_log(&LogFoot {
                head_hash: frame_hash(program, self.index, project),
                tail_hash: 0,
                bytes,
                items,
                fill: feed
                    .attributes
                    .iter()
                    .zip(&self.fill)
                    .map(|(attribute, &items)| (attribute.name.clone(), items))
                    .collect(),
            })
            .map_err(|error| disk(&feed.name, &error))?;
        let mut files = Vec::new();
        if held.is_none() && self.writes {
            let channel = &program.channels[self.index];
            let (configured, now) = (&program.configured[self.index], program.tables.now);
            let index = channel.index.as_ref().map(|(_, text)| {
                move |artifacts: &[Artifact]| {
                    super::index::render(
                        text,
                        artifacts,
                        project,
                        configured,
                        &channel.manifest,
                        now,
                    )
                }
            });
            let committed = match &index {
                Some(index) => self.staged.commit(Some(index)),
                None => self.staged.commit(None),
            };
            for artifact in committed.map_err(|error| disk(&feed.name, &error))? {
                let path = artifact.path.strip_prefix(&project.folder);
                let path = path.unwrap_or(&artifact.path).display();
                files.push(FileReport {
                    path: if artifact.path.is_dir() {
                        format!("{path}/")
                    } else {
                        path.to_string()
                    },
                    bytes: artifact.bytes,
                    items: artifact.items,
                    sha256: artifact.sha256,
                });
            }
        }
        let fill = feed
            .attributes
            .iter()
            .zip(&self.fill)
            .map(|(attribute, &items)| Filled {
                attribute: attribute.name.clone(),
                items,
            })
            .collect();
        Ok(FeedReport {
            name: feed.name.clone(),
            channel: feed.channel.clone(),
            exit: u8::from(held.is_some()),
            read: self.read,
            filtered: self.filtered,
            withheld: self.withheld,
            written: items,
            warnings: self.warnings,
            bytes,
            files,
            seconds: 0.0,
            held,
            fill,
            log: log.map(|(items, bodies)| Logs { items, bodies }),
        })
    }
}

/// What the log says of a feed before its items: how their bytes are to be read.
fn log_head(program: &Program, index: usize, head: &[u8]) -> LogHead {
    let feed = &program.feeds[index];
    let (delimiter, quote) = match feed.escape {
        Escape::Cell { delimiter, quoting } => {
            (delimiter, if quoting == Quoting::Never { 0 } else { b'"' })
        }
        _ => (0, 0),
    };
    LogHead {
        format: feed.format.as_str().to_owned(),
        language: feed.view.language.clone(),
        currency: feed.view.currency.clone(),
        delimiter,
        quote,
        columns: if delimiter == 0 {
            Vec::new()
        } else {
            columns(head, delimiter, quote)
        },
    }
}

/// The header of a delimited feed: the last row that stands before the items.
fn columns(head: &[u8], delimiter: u8, quote: u8) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new();
    reader
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .quoting(quote != 0);
    if delimiter == WORKBOOK_CELL {
        reader.terminator(csv::Terminator::Any(WORKBOOK_ROW.as_bytes()[0]));
    }
    let rows = reader.from_reader(head).into_byte_records();
    let last = rows.map_while(Result::ok).last().unwrap_or_default();
    last.iter()
        .map(|cell| String::from_utf8_lossy(cell).into_owned())
        .collect()
}

/// Hash of what decides what stands around the items, save the run's own moment.
fn frame_hash(program: &Program, index: usize, project: &Project) -> u128 {
    let (feed, channel) = (&program.configured[index], &program.channels[index]);
    let template = channel.template.as_ref().map(|(_, text)| text);
    let list = channel.index.as_ref().map(|(_, text)| text);
    let mut partials: Vec<_> = channel.partials.iter().collect();
    partials.sort();
    let text = format!(
        "{template:?}{list:?}{partials:?}{:?}{:?}{:?}{:?}{:?}",
        channel.manifest.delimited, project.shop, feed.name, feed.language, feed.settings
    );
    xxh3_128(text.as_bytes())
}

fn max_withheld(feed: &Feed) -> Result<Decimal, Failure> {
    let text = feed.max_withheld.as_deref().unwrap_or("20%");
    share(text).ok_or_else(|| {
        Failure::configuration(
            "shelfcast.toml",
            format!(
                "feed `{}`: `max_withheld = \"{text}\"` is no share",
                feed.name
            ),
            "write it like `20%`",
        )
    })
}

/// Whether a channel's JSON is written by its template.
fn by_hand(channel: &Channel) -> bool {
    channel.template.is_some() && matches!(channel.manifest.format, Format::Json | Format::Ndjson)
}

/// A channel's limits in bytes and items.
fn limits(manifest: &Manifest, path: &str) -> Result<Limits, Failure> {
    let bytes = match &manifest.limits.bytes {
        None => None,
        Some(text) => Some(size_bytes(text).ok_or_else(|| {
            Failure::configuration(
                path,
                format!("`limits.bytes = \"{text}\"` is no size"),
                "write it like `4 GB` or `50 MB`",
            )
        })?),
    };
    Ok(Limits {
        bytes,
        items: manifest.limits.items,
        parts: manifest.parts.allowed,
    })
}

/// `4 GB`, `50 MB`, `10 MiB` or bytes.
fn size_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let unit = match text
        .get(digits.len()..)?
        .trim()
        .to_ascii_lowercase()
        .as_str()
    {
        "" | "b" | "bytes" => 1,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn encoding(manifest: &Manifest, path: &str) -> Result<Encoding, Failure> {
    if manifest.format == Format::Xlsx {
        if cfg!(feature = "xlsx") {
            return Ok(Encoding::Workbook);
        }
        return Err(Failure::configuration(
            path,
            "this program was built without the feature `xlsx`",
            "build it with `--features xlsx`",
        ));
    }
    match manifest.delimited.encoding.as_deref() {
        None => Ok(Encoding::Utf8),
        Some(label) => match encoding_rs::Encoding::for_label(label.as_bytes()) {
            Some(encoding) if encoding == encoding_rs::UTF_8 => Ok(Encoding::Utf8),
            Some(encoding) => Ok(Encoding::Other(encoding)),
            None => Err(Failure::configuration(
                path,
                format!("`{label}` is no encoding"),
                "write it like `utf-8` or `windows-1250`",
            )),
        },
    }
}
