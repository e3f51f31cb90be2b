//! A first look at a merchant's export: how it is opened, what its columns hold.

use std::path::Path;

use crate::catalog::open::{FileFormat, FileNames, format_of, open};
use crate::catalog::preset::{self, Preset};
use crate::catalog::words::{WORDS, likeness};
use crate::catalog::{Batch, SourceError, SourceProblem};
use crate::config::project::Source;

use super::values::{Column, header_is_data};

/// Records looked at; enough to tell what columns hold, few enough to answer at once.
pub const RECORDS_MAX: usize = 20_000;

/// What a first look found.
pub struct Look {
    /// The export as the user named it.
    pub shown: String,
    /// Its columns with what they hold.
    pub columns: Vec<Column>,
    /// Records seen.
    pub records: usize,
    /// Whether there are more.
    pub more: bool,
    /// Whether the first row names the columns.
    pub header: bool,
    /// Its layout, where it is a known one.
    pub preset: Option<&'static Preset>,
    /// What the reader had to say.
    pub remarks: Vec<String>,
    /// The sheet the user named.
    pub sheet: Option<String>,
    /// The encoding, where it had to be found by the column names, with how many of them are known words in it.
    pub encoding: Option<(&'static str, String)>,
}

/// Encodings that exports still come in, tried where the text alone does not tell.
const ENCODINGS: &[&str] = &[
    "windows-874",
    "windows-1252",
    "windows-1250",
    "windows-1258",
    "windows-1251",
    "iso-8859-2",
];

/// Fewer rows than these in one of many sheets are no product list.
const SHEET_ROWS_MIN: usize = 50;

/// Looks at an export.
///
/// # Errors
/// When it cannot be read, or holds no records (exit 7).
pub fn look(path: &Path, sheet: Option<&str>) -> Result<Look, SourceError> {
    let shown = path.display().to_string();
    let delimited = matches!(format_of(&shown, None), Some(FileFormat::Delimited(_)));
    let mut source = source(&shown)?;
    source.sheet = sheet.map(str::to_owned);
    let mut look = match read(&source, &shown) {
        Err(error)
            if error.problem == SourceProblem::Configuration
                && error.message.contains("encoding") =>
        {
            by_header(&mut source, &shown).ok_or(error)?
        }
        other => other?,
    };
    if delimited && look.preset.is_none() && header_is_data(&look.columns) {
        source.header = Some(false);
        look = Look {
            encoding: look.encoding,
            ..read(&source, &shown)?
        };
        look.header = false;
    }
    if look.records == 0 {
        return Err(SourceError::new(
            SourceProblem::NotWhole,
            shown,
            format!(
                "it has a header of {} columns and no rows below it: there are no products to read",
                look.columns.len()
            ),
        )
        .hint("this looks like an empty template; export the products themselves"));
    }
    let sheets = look
        .remarks
        .iter()
        .find(|remark| remark.contains(" sheets, "));
    if let (None, Some(sheets)) = (sheet, sheets)
        && look.records < SHEET_ROWS_MIN
        && look.preset.is_none()
    {
        let said = sheets
            .strip_prefix(&format!("{shown}: "))
            .unwrap_or(sheets)
            .split(';')
            .next()
            .unwrap_or("")
            .to_owned();
        return Err(SourceError::new(
            SourceProblem::NotWhole,
            shown,
            format!("no product list is to be seen in it: {said}, and that has {} rows; the others look like lookup and mapping tables", look.records),
        )
        .hint("export the products; or name the sheet that holds them: `--sheet NAME`"));
    }
    Ok(look)
}

/// The encoding in which most column names are known words. Names in plain English read alike in all and prove nothing.
fn by_header(source: &mut Source, shown: &str) -> Option<Look> {
    let mut best: Option<((usize, usize), &'static str, Look)> = None;
    for encoding in ENCODINGS {
        source.encoding = Some((*encoding).to_owned());
        let Ok(look) = read(source, shown) else {
            continue;
        };
        let known = |name: &str| WORDS.iter().any(|(ours, _)| likeness(name, ours) >= 80);
        let foreign = look.columns.iter().filter(|column| !column.name.is_ascii());
        let words = foreign.filter(|column| known(&column.name)).count();
        // Central Europe has two that read most letters alike: the one with more real letters is right.
        let central = matches!(*encoding, "windows-1250" | "iso-8859-2");
        let letters = |column: &Column| {
            let of = |language: &str| column.languages.get(language).copied().unwrap_or(0);
            of("pl") + of("cs")
        };
        let letters = look.columns.iter().map(letters).sum::<usize>();
        let better = best.as_ref().is_none_or(|((most, before), other, _)| {
            words > *most
                || (words == *most && central && *other == "windows-1250" && letters > *before)
        });
        if words > 0 && better {
            best = Some(((words, letters), encoding, look));
        }
    }
    let ((words, _), encoding, mut look) = best?;
    source.encoding = Some(encoding.to_owned());
    look.encoding = Some((
        encoding,
        format!("known words among the column names: {words} in it, and no more in any other"),
    ));
    Some(look)
}

fn source(path: &str) -> Result<Source, SourceError> {
    let mut table = toml::Table::new();
    table.insert("name".to_owned(), "products".into());
    table.insert("path".to_owned(), path.into());
    table
        .try_into()
        .map_err(|error| SourceError::new(SourceProblem::Configuration, path, error.to_string()))
}

fn read(source: &Source, shown: &str) -> Result<Look, SourceError> {
    let mut names = FileNames::default();
    let mut reader = open(source, None, Path::new("."), "en", &mut names)?;
    let mut columns: Vec<Column> = reader
        .columns()
        .iter()
        .map(|name| Column::new(name))
        .collect();
    let found = preset::recognise(reader.columns());
    let (mut records, mut more) = (0, false);
    let mut batch = Batch::default();
    'reading: while reader.read(&mut batch)? {
        for row in 0..batch.len() {
            if records == RECORDS_MAX {
                more = true;
                break 'reading;
            }
            records += 1;
            for (number, column) in columns.iter_mut().enumerate() {
                let place = if batch.order.is_empty() {
                    number
                } else {
                    batch
                        .order
                        .get(number)
                        .map_or(usize::MAX, |&place| place as usize)
                };
                column.add(batch.cell(row, place));
            }
        }
    }
    Ok(Look {
        shown: shown.to_owned(),
        columns,
        records,
        more,
        header: true,
        preset: found,
        remarks: reader.take_remarks(),
        sheet: source.sheet.clone(),
        encoding: None,
    })
}
