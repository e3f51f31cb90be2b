//! XLSX: cells streamed by calamine, as text.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx, XlsxError};

use super::archive::not_whole;
use super::rows::{Header, Kind, Rows};
use super::unknown_sheet;
use crate::catalog::SourceError;
use crate::catalog::background::{Producer, Stop};

/// Reads one sheet of the workbook at `path` to its end.
pub(super) fn read(
    path: &Path,
    name: &str,
    sheet: Option<&str>,
    header: Header,
    producer: &mut Producer,
) -> Result<(), Stop> {
    let mut book: Xlsx<BufReader<File>> =
        calamine::open_workbook(path).map_err(|error| fail(&error, name))?;
    let sheet = choose(&mut book, name, sheet, producer)?;
    let mut rows = Rows::new(producer, name, header)?;
    let Some(sheet) = sheet else {
        return rows.finish();
    };
    let mut cells = book
        .worksheet_cells_reader(&sheet)
        .map_err(|error| fail(&error, name))?;
    let mut text = String::new();
    while let Some(cell) = cells.next_cell().map_err(|error| fail(&error, name))? {
        let (row, column) = cell.get_position();
        text.clear();
        let kind = match cell.get_value() {
            DataRef::Empty => continue,
            DataRef::Error(_) => Kind::Error,
            value => write(value, &mut text),
        };
        rows.cell(row, column, kind, &text)?;
    }
    rows.finish()
}

/// The named sheet, or the first visible one that holds something.
fn choose(
    book: &mut Xlsx<BufReader<File>>,
    name: &str,
    wanted: Option<&str>,
    producer: &Producer,
) -> Result<Option<String>, Stop> {
    let sheets: Vec<(String, bool)> = book
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .map(|sheet| (sheet.name.clone(), sheet.visible == SheetVisible::Visible))
        .collect();
    if let Some(wanted) = wanted {
        if sheets.iter().any(|(sheet, _)| sheet == wanted) {
            return Ok(Some(wanted.to_owned()));
        }
        let names: Vec<&str> = sheets.iter().map(|(sheet, _)| sheet.as_str()).collect();
        return Err(unknown_sheet(wanted, &names, name).into());
    }
    for (sheet, visible) in &sheets {
        if !visible {
            continue;
        }
        let mut cells = book
            .worksheet_cells_reader(sheet)
            .map_err(|error| fail(&error, name))?;
        while let Some(cell) = cells.next_cell().map_err(|error| fail(&error, name))? {
            if *cell.get_value() != DataRef::Empty {
                if sheets.len() > 1 {
                    producer.remark(format!(
                        "of its {} sheets, `{sheet}` is read; set `sheet` to read another",
                        sheets.len()
                    ))?;
                }
                return Ok(Some(sheet.clone()));
            }
        }
    }
    Ok(None)
}

/// Writes a value as text.
fn write(value: &DataRef<'_>, text: &mut String) -> Kind {
    match value {
        DataRef::Int(number) => {
            text.push_str(&number.to_string());
            return Kind::Number;
        }
        // The shortest digits that mean this very number, never with an exponent.
        DataRef::Float(number) => {
            text.push_str(&number.to_string());
            return Kind::Number;
        }
        DataRef::String(string) => text.push_str(string),
        DataRef::SharedString(string) => text.push_str(string),
        DataRef::Bool(true) => text.push_str("TRUE"),
        DataRef::Bool(false) => text.push_str("FALSE"),
        DataRef::DateTime(time) => text.push_str(&date(time)),
        DataRef::DateTimeIso(iso) => text.push_str(iso.strip_suffix("T00:00:00").unwrap_or(iso)),
        DataRef::DurationIso(iso) => text.push_str(iso),
        DataRef::Error(_) | DataRef::Empty => {}
    }
    Kind::Text
}

/// A date, a time of day, both, or a span, by what the number holds.
fn date(time: &ExcelDateTime) -> String {
    let value = time.as_f64();
    if time.is_duration() {
        // The sheet counts days; rounded to whole seconds, as it shows them.
        let seconds = (value.abs() * 86_400.0).round() as u64;
        let sign = if value < 0.0 { "-" } else { "" };
        return format!(
            "{sign}{:02}:{:02}:{:02}",
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        );
    }
    let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
    let clock = if milli == 0 {
        format!("{hour:02}:{minute:02}:{second:02}")
    } else {
        format!("{hour:02}:{minute:02}:{second:02}.{milli:03}")
    };
    if (0.0..1.0).contains(&value) {
        return clock;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if clock == "00:00:00" {
        date
    } else {
        format!("{date}T{clock}")
    }
}

fn fail(error: &XlsxError, name: &str) -> SourceError {
    match error {
        XlsxError::Password => {
            not_whole(name, "it has a password").hint("save it without a password")
        }
        other => not_whole(name, format!("it is cut or damaged: {other}"))
            .hint("open it in a spreadsheet program and save it again"),
    }
}
