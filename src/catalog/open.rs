//! Opens a source of the project: its files in order, each by its format, as one stream of records.

use std::path::{Path, PathBuf};

use crate::config::project::Source;
use crate::config::secret::Secret;

use super::csv::CsvOptions;
use super::flat::Opener;
use super::input::{self, InputOptions};
use super::json::JsonOptions;
use super::preset::Preset;
use super::sql::SqlOptions;
use super::xml::XmlOptions;
use super::{Batch, RecordReader, SourceError, SourceProblem};

/// A source's files as one stream: records in the files' order, columns by the union of their names.
pub struct SourceReader {
    columns: Vec<String>,
    files: std::vec::IntoIter<OpenFile>,
    current: Option<OpenFile>,
    remarks: Vec<String>,
}

struct OpenFile {
    number: u32,
    order: Vec<u32>,
    lists: bool,
    reader: Box<dyn RecordReader>,
    name: String,
}

/// The names of all files read in a run; records know theirs by number.
#[derive(Default)]
pub struct FileNames(Vec<String>);

impl FileNames {
    fn add(&mut self, name: &str) -> u32 {
        self.0.push(name.to_owned());
        u32::try_from(self.0.len() - 1).expect("fewer than 4 billion files")
    }

    /// The names of all files, in the order in which they were opened.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The name of a file.
    pub fn name(&self, number: u32) -> &str {
        self.0.get(number as usize).map_or("", String::as_str)
    }
}

/// What a file holds, by its name or as the project says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Delimited text; the delimiter where the name says it.
    Delimited(Option<u8>),
    /// One JSON document.
    Json,
    /// A JSON document a line.
    Ndjson,
    /// XML.
    Xml,
    /// A workbook.
    Workbook,
}

/// The format of a file: declared, else by the ending of its name (before `.gz` or `.zst`).
pub fn format_of(path: &str, declared: Option<&str>) -> Option<FileFormat> {
    let lower = path.to_ascii_lowercase();
    let name = lower
        .strip_suffix(".gz")
        .or_else(|| lower.strip_suffix(".zst"))
        .unwrap_or(&lower);
    let name = name.split(['?', '#']).next().unwrap_or(name);
    let word = declared.unwrap_or_else(|| name.rsplit('.').next().unwrap_or(""));
    Some(match word {
        "csv" | "txt" => FileFormat::Delimited(None),
        "tsv" | "tab" => FileFormat::Delimited(Some(b'\t')),
        "json" => FileFormat::Json,
        "ndjson" | "jsonl" => FileFormat::Ndjson,
        "xml" | "rss" | "yml" => FileFormat::Xml,
        "xlsx" | "xls" | "xlsm" | "ods" => FileFormat::Workbook,
        _ => return None,
    })
}

/// Opens a source. `shop_language` helps to tell encodings apart.
///
/// # Errors
/// When it is missing, cut from the start, or its settings do not fit it.
pub fn open(
    source: &Source,
    preset: Option<&Preset>,
    folder: &Path,
    shop_language: &str,
    names: &mut FileNames,
) -> Result<SourceReader, SourceError> {
    let opened: Vec<(String, bool, Box<dyn RecordReader>)> = match (&source.path, &source.database)
    {
        (_, Some(database)) => vec![open_database(source, database, folder)?],
        (Some(path), None) => {
            let mut opened = Vec::new();
            for (shown, file) in files(path, folder)? {
                opened.push(open_file(
                    source,
                    preset,
                    &shown,
                    &fetched(&shown, file, folder)?,
                    shop_language,
                )?);
            }
            opened
        }
        (None, None) => Vec::new(),
    };
    Ok(together(opened, names))
}

/// Opens the one file at `path`, which messages call `shown`, by a source's settings; of an address, its fetched copy.
///
/// # Errors
/// As [`open`].
pub fn open_one(
    source: &Source,
    preset: Option<&Preset>,
    shown: &str,
    path: &Path,
    shop_language: &str,
    names: &mut FileNames,
) -> Result<SourceReader, SourceError> {
    let opened = open_file(source, preset, shown, path, shop_language)?;
    Ok(together(vec![opened], names))
}

/// Opened files as one source.
fn together(
    opened: Vec<(String, bool, Box<dyn RecordReader>)>,
    names: &mut FileNames,
) -> SourceReader {
    let mut columns: Vec<String> = Vec::new();
    for (_, _, reader) in &opened {
        for column in reader.columns() {
            if !columns.contains(column) {
                columns.push(column.clone());
            }
        }
    }
    let mut files = Vec::new();
    for (name, lists, reader) in opened {
        let own = reader.columns();
        let order: Vec<u32> = columns
            .iter()
            .map(|column| {
                own.iter()
                    .position(|name| name == column)
                    .and_then(|at| u32::try_from(at).ok())
                    .unwrap_or(u32::MAX)
            })
            .collect();
        let same = order
            .iter()
            .enumerate()
            .all(|(at, &place)| place as usize == at);
        files.push(OpenFile {
            number: names.add(&name),
            order: if same { Vec::new() } else { order },
            lists,
            reader,
            name,
        });
    }
    SourceReader {
        columns,
        files: files.into_iter(),
        current: None,
        remarks: Vec::new(),
    }
}

/// Where a file lies: what stands at an address is fetched first.
///
/// # Errors
/// As [`super::remote::fetch`].
pub fn fetched(shown: &str, file: PathBuf, folder: &Path) -> Result<PathBuf, SourceError> {
    if !shown.contains("://") {
        return Ok(file);
    }
    let options = super::remote::RemoteOptions::new(folder.join(".shelfcast/remote"));
    Ok(super::remote::fetch(shown, &options)?.path)
}

impl SourceReader {
    /// The columns of the source, fixed.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The next batch, in whatever file it lies; `false` at the end of the last.
    ///
    /// # Errors
    /// When a file is not whole.
    pub fn read(&mut self, batch: &mut Batch) -> Result<bool, SourceError> {
        loop {
            if self.current.is_none() {
                self.current = self.files.next();
            }
            let Some(file) = &mut self.current else {
                return Ok(false);
            };
            if file.reader.read_batch(batch)? {
                batch.file = file.number;
                batch.order.clone_from(&file.order);
                batch.lists = file.lists;
                return Ok(true);
            }
            let name = &file.name;
            self.remarks.extend(
                file.reader
                    .remarks()
                    .into_iter()
                    .map(|remark| format!("{name}: {remark}")),
            );
            self.current = None;
        }
    }

    /// What the readers had to say, once everything is read.
    pub fn take_remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }
}

/// The files a path stands for: (as shown, as opened). A glob's are in byte order.
///
/// # Errors
/// A pattern that is none, or that no file fits.
pub fn files(path: &str, folder: &Path) -> Result<Vec<(String, PathBuf)>, SourceError> {
    if path == "-" || path.contains("://") {
        return Ok(vec![(path.to_owned(), PathBuf::from(path))]);
    }
    if !path.contains(['*', '?', '[']) || folder.join(path).is_file() {
        return Ok(vec![(path.to_owned(), folder.join(path))]);
    }
    let pattern = format!(
        "{}/{path}",
        glob::Pattern::escape(&folder.to_string_lossy())
    );
    let pattern = if Path::new(path).is_absolute() {
        path.to_owned()
    } else {
        pattern
    };
    let found = glob::glob(&pattern).map_err(|error| {
        SourceError::new(
            SourceProblem::Configuration,
            path,
            format!("is no pattern: {error}"),
        )
        .hint("a pattern knows `*`, `?` and `[…]`")
    })?;
    let mut files: Vec<(String, PathBuf)> = found
        .flatten()
        .filter(|file| file.is_file())
        .map(|file| {
            (
                file.strip_prefix(folder)
                    .unwrap_or(&file)
                    .display()
                    .to_string(),
                file,
            )
        })
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(
            SourceError::new(SourceProblem::Missing, path, "no file fits this pattern")
                .hint("look for a misspelt folder or ending"),
        );
    }
    Ok(files)
}

fn open_database(
    source: &Source,
    database: &str,
    folder: &Path,
) -> Result<(String, bool, Box<dyn RecordReader>), SourceError> {
    let address = address_of(source, database, folder)?;
    let query = source.query.as_deref().unwrap_or("");
    let options = SqlOptions {
        timeout_ms: source
            .timeout_ms
            .unwrap_or(SqlOptions::default().timeout_ms),
    };
    let reader = super::sql::open(&address, query, &options)?;
    Ok((format!("query `{}`", source.name), false, Box::new(reader)))
}

/// The address of a source's database, its secret resolved; a file's path is made the project's.
///
/// # Errors
/// A reference to a secret that is not there.
pub fn address_of(source: &Source, database: &str, folder: &Path) -> Result<String, SourceError> {
    let address = if database.starts_with("env:") || database.starts_with("file:") {
        let secret = Secret::resolve(database, folder).map_err(|message| {
            SourceError::new(SourceProblem::Configuration, source.name.as_str(), message)
                .hint("set it, or give `--env-file`")
        })?;
        secret.expose().to_owned()
    } else {
        database.to_owned()
    };
    Ok(match address.strip_prefix("sqlite:") {
        Some(path) if !path.starts_with('/') && !path.starts_with(':') => {
            format!("sqlite:{}", folder.join(path).display())
        }
        _ => address,
    })
}

fn open_file(
    source: &Source,
    preset: Option<&Preset>,
    shown: &str,
    file: &Path,
    shop_language: &str,
) -> Result<(String, bool, Box<dyn RecordReader>), SourceError> {
    let declared = source.format.as_deref();
    let Some(format) = format_of(shown, declared).or(if shown == "-" {
        Some(FileFormat::Delimited(None))
    } else {
        None
    }) else {
        return Err(SourceError::new(
            SourceProblem::Configuration,
            shown,
            "what it holds cannot be told from its name",
        )
        .hint("add `format = \"csv\"` (csv tsv json ndjson xml xlsx ods) to the source"));
    };
    let language = source
        .language
        .clone()
        .unwrap_or_else(|| shop_language.to_owned());
    let encoding = source.encoding.clone();
    // Standard input is kept in a file where a format is read twice.
    let twice = matches!(
        format,
        FileFormat::Json | FileFormat::Ndjson | FileFormat::Xml | FileFormat::Workbook
    );
    let spooled = if shown == "-" && twice {
        Some(spool(shown)?)
    } else {
        None
    };
    let path = spooled
        .as_ref()
        .map_or_else(|| file.to_owned(), |spooled| spooled.path().to_owned());
    let open_text = {
        let shown = shown.to_owned();
        let path = path.clone();
        move || {
            let options = InputOptions {
                encoding: encoding.as_deref(),
                language: Some(&language),
                ..InputOptions::default()
            };
            input::open(&path, &shown, &options)
        }
    };
    let lists = matches!(
        format,
        FileFormat::Json | FileFormat::Ndjson | FileFormat::Xml
    );
    let reader: Box<dyn RecordReader> = match format {
        FileFormat::Delimited(by_name) => {
            let byte = |text: &Option<String>, what: &str| -> Result<Option<u8>, SourceError> {
                match text.as_deref() {
                    None => Ok(None),
                    Some("\\t" | "tab") => Ok(Some(b'\t')),
                    Some(text) if text.len() == 1 => Ok(text.bytes().next()),
                    Some(text) => Err(SourceError::new(
                        SourceProblem::Configuration,
                        shown,
                        format!("`{text}` cannot be a {what}"),
                    )
                    .hint("it is one ASCII character; a tab is `\\t`")),
                }
            };
            let options = CsvOptions {
                delimiter: byte(&source.delimiter, "delimiter")?.or(by_name),
                quote: byte(&source.quote, "quote")?.or(CsvOptions::default().quote),
                header: source.header.unwrap_or(true),
                names: source.names.clone(),
            };
            super::csv::open(open_text()?, &options)?
        }
        FileFormat::Json | FileFormat::Ndjson => {
            let opener: Opener = Box::new(move || {
                let _keep = &spooled;
                Ok(open_text()?.checked().reader)
            });
            let at = source
                .at
                .clone()
                .or_else(|| preset.and_then(|preset| preset.at.clone()));
            Box::new(super::json::open(
                opener,
                shown,
                &JsonOptions {
                    at,
                    lines: format == FileFormat::Ndjson,
                },
            )?)
        }
        FileFormat::Xml => {
            let opener: Opener = Box::new(move || {
                let _keep = &spooled;
                Ok(open_text()?.checked().reader)
            });
            let record = source
                .record
                .clone()
                .or_else(|| preset.and_then(|preset| preset.record.clone()));
            Box::new(super::xml::open(opener, shown, &XmlOptions { record })?)
        }
        FileFormat::Workbook => open_workbook(source, &path, shown)?,
    };
    Ok((shown.to_owned(), lists, reader))
}

#[cfg(feature = "xlsx")]
fn open_workbook(
    source: &Source,
    path: &Path,
    shown: &str,
) -> Result<Box<dyn RecordReader>, SourceError> {
    use super::workbook::{self, WorkbookOptions};
    let options = WorkbookOptions {
        sheet: source.sheet.clone(),
        names: source.names.clone(),
        ..WorkbookOptions::default()
    };
    Ok(Box::new(workbook::open(path, shown, &options)?))
}

#[cfg(not(feature = "xlsx"))]
fn open_workbook(_: &Source, _: &Path, shown: &str) -> Result<Box<dyn RecordReader>, SourceError> {
    Err(SourceError::new(
        SourceProblem::Configuration,
        shown,
        "this program was built without the feature `xlsx`",
    )
    .hint("build it with `--features xlsx`, or export the sheet as CSV"))
}

fn spool(shown: &str) -> Result<tempfile::NamedTempFile, SourceError> {
    let failed = |error: std::io::Error| {
        SourceError::new(
            SourceProblem::NotWhole,
            shown,
            format!("cannot be kept for reading: {error}"),
        )
    };
    let mut file = tempfile::NamedTempFile::new().map_err(failed)?;
    std::io::copy(&mut std::io::stdin().lock(), &mut file).map_err(failed)?;
    Ok(file)
}
