//! ODS: `content.xml` streamed, never a sheet as a whole.

use std::fs::File;
use std::io::{BufReader, Read, Seek};

use super::archive::not_whole;
use super::rows::{Header, Kind, Rows};
use super::unknown_sheet;
use crate::catalog::SourceError;
use crate::catalog::background::{Producer, Stop};
use crate::catalog::xml::pieces::{Piece, Pieces};

/// Size of a sheet.
const ROWS_MAX: u32 = 1_048_576;
const COLUMNS_MAX: u32 = 16_384;

/// A sheet as the first pass sees it.
struct Sheet {
    name: String,
    visible: bool,
    filled: bool,
}

/// Reads one sheet of an unpacked `content.xml` to its end.
pub(super) fn read(
    mut file: File,
    name: &str,
    wanted: Option<&str>,
    header: Header,
    producer: &mut Producer,
) -> Result<(), Stop> {
    let sheets = list(&mut file, name)?;
    let place = match wanted {
        Some(wanted) => {
            let found = sheets.iter().position(|sheet| sheet.name == wanted);
            let Some(found) = found else {
                let names: Vec<&str> = sheets.iter().map(|sheet| sheet.name.as_str()).collect();
                return Err(unknown_sheet(wanted, &names, name).into());
            };
            Some(found)
        }
        None => sheets
            .iter()
            .position(|sheet| sheet.visible && sheet.filled),
    };
    if wanted.is_none()
        && sheets.len() > 1
        && let Some(sheet) = place.and_then(|place| sheets.get(place))
    {
        producer.remark(format!(
            "of its {} sheets, `{}` is read; set `sheet` to read another",
            sheets.len(),
            sheet.name
        ))?;
    }
    let mut rows = Rows::new(producer, name, header)?;
    let mut pieces = pieces(&mut file, name)?;
    let mut number = 0;
    loop {
        match pieces.next()? {
            Piece::Start if pieces.name() == "table:table" => {
                if Some(number) == place {
                    table(&mut pieces, &mut rows)?;
                }
                number += 1;
            }
            Piece::End => return rows.finish(),
            _ => {}
        }
    }
}

fn pieces(file: &mut File, name: &str) -> Result<Pieces, SourceError> {
    let again = file.rewind().and_then(|()| file.try_clone());
    let again = again.map_err(|error| not_whole(name, format!("cannot read it: {error}")))?;
    let stream: Box<dyn Read + Send> = Box::new(BufReader::new(again));
    Ok(Pieces::new(stream, name))
}

/// All sheets, by reading the content to its end.
fn list(file: &mut File, name: &str) -> Result<Vec<Sheet>, SourceError> {
    let mut pieces = pieces(file, name)?;
    let mut hidden: Vec<String> = Vec::new();
    let mut style = String::new();
    let mut sheets: Vec<Sheet> = Vec::new();
    loop {
        match pieces.next()? {
            Piece::Start => match pieces.name() {
                "style:style" => style = attribute(&pieces, "style:name").to_owned(),
                "style:table-properties" => {
                    if attribute(&pieces, "table:display") == "false" {
                        hidden.push(style.clone());
                    }
                }
                "table:table" => sheets.push(Sheet {
                    name: attribute(&pieces, "table:name").to_owned(),
                    visible: !hidden
                        .iter()
                        .any(|hidden| hidden == attribute(&pieces, "table:style-name")),
                    filled: false,
                }),
                "table:table-cell" => {
                    if let Some(sheet) = sheets.last_mut() {
                        sheet.filled |= !attribute(&pieces, "office:value-type").is_empty();
                    }
                }
                _ => {}
            },
            Piece::End => return Ok(sheets),
            Piece::Text | Piece::Close => {}
        }
    }
}

/// One cell as written, for as many columns as it is repeated.
struct Cell {
    repeated: u32,
    kind: Kind,
    text: String,
}

/// Reads a table to its end tag.
fn table(pieces: &mut Pieces, rows: &mut Rows<'_>) -> Result<(), Stop> {
    let outside = pieces.depth() - 1;
    let mut row = 0_u32;
    let mut repeated = 1_u32;
    let mut cells: Vec<Cell> = Vec::new();
    while pieces.depth() > outside {
        match pieces.next()? {
            Piece::Start => match pieces.name() {
                "table:table-row" => {
                    repeated = count(pieces, "table:number-rows-repeated");
                    cells.clear();
                }
                "table:table-cell" | "table:covered-table-cell" => {
                    let cell = cell(pieces)?;
                    cells.push(cell);
                    if cells.len() > COLUMNS_MAX as usize {
                        return Err(pieces.wrong("a row has more cells than a sheet").into());
                    }
                }
                // A table inside a shape or comment is no part of the sheet.
                "table:shapes" | "table:table" => skip(pieces)?,
                _ => {}
            },
            Piece::Close => {
                if pieces.closed() == "table:table-row" {
                    let filled = cells
                        .iter()
                        .any(|cell| !cell.text.is_empty() || cell.kind == Kind::Error);
                    let times = if filled { repeated } else { 0 };
                    for extra in 0..times.min(ROWS_MAX.saturating_sub(row)) {
                        let mut column = 0_u32;
                        for cell in &cells {
                            let to = column.saturating_add(cell.repeated).min(COLUMNS_MAX);
                            if !cell.text.is_empty() || cell.kind == Kind::Error {
                                for at in column..to {
                                    rows.cell(row + extra, at, cell.kind, &cell.text)?;
                                }
                            }
                            column = to;
                        }
                    }
                    row = row.saturating_add(repeated);
                    cells.clear();
                }
            }
            Piece::End => return Err(pieces.wrong("it ends inside a sheet").into()),
            _ => {}
        }
    }
    Ok(())
}

/// Reads a cell to its end tag.
fn cell(pieces: &mut Pieces) -> Result<Cell, SourceError> {
    let outside = pieces.depth() - 1;
    let repeated = count(pieces, "table:number-columns-repeated");
    let is_error = attribute(pieces, "calcext:value-type") == "error";
    let (kind, typed) = match attribute(pieces, "office:value-type") {
        _ if is_error => (Kind::Error, None),
        "float" | "percentage" | "currency" => (
            Kind::Number,
            Some(number(attribute(pieces, "office:value"))),
        ),
        "boolean" => {
            let value = attribute(pieces, "office:boolean-value").to_uppercase();
            (Kind::Text, Some(value))
        }
        "date" => {
            let value = attribute(pieces, "office:date-value");
            let value = value.strip_suffix("T00:00:00").unwrap_or(value);
            (Kind::Text, Some(value.to_owned()))
        }
        "time" => {
            let value = attribute(pieces, "office:time-value");
            (
                Kind::Text,
                Some(clock(value).unwrap_or_else(|| value.to_owned())),
            )
        }
        "string" => {
            let value = attribute(pieces, "office:string-value");
            (Kind::Text, (!value.is_empty()).then(|| value.to_owned()))
        }
        // Without a type the cell is empty, whatever a style puts there.
        _ => (Kind::Text, Some(String::new())),
    };
    let mut text = String::new();
    let mut paragraphs = 0;
    while pieces.depth() > outside {
        match pieces.next()? {
            Piece::Start => match pieces.name() {
                "text:p" => {
                    if paragraphs > 0 {
                        text.push('\n');
                    }
                    paragraphs += 1;
                }
                "text:s" => {
                    let spaces = count(pieces, "text:c").min(1_000);
                    text.extend(std::iter::repeat_n(' ', spaces as usize));
                }
                "text:tab" => text.push('\t'),
                "text:line-break" => text.push('\n'),
                "office:annotation" | "draw:frame" | "table:table" => skip(pieces)?,
                _ => {}
            },
            Piece::Text if paragraphs > 0 => text.push_str(&pieces.text),
            Piece::End => return Err(pieces.wrong("it ends inside a cell")),
            Piece::Text | Piece::Close => {}
        }
    }
    Ok(Cell {
        repeated,
        kind,
        text: typed.unwrap_or(text),
    })
}

/// Reads on to the end tag of the element that has just begun.
fn skip(pieces: &mut Pieces) -> Result<(), SourceError> {
    let outside = pieces.depth() - 1;
    while pieces.depth() > outside {
        if pieces.next()? == Piece::End {
            return Err(pieces.wrong("it ends inside an element"));
        }
    }
    Ok(())
}

fn attribute<'a>(pieces: &'a Pieces, name: &str) -> &'a str {
    pieces
        .attributes
        .iter()
        .find(|(key, _)| key == name)
        .map_or("", |(_, value)| value.as_str())
}

fn count(pieces: &Pieces, name: &str) -> u32 {
    attribute(pieces, name).parse().unwrap_or(1).max(1)
}

/// A number's text without exponent or needless decimals; what stands there when it has none.
fn number(written: &str) -> String {
    let plain = written.bytes().all(|byte| byte.is_ascii_digit());
    match written.parse::<f64>() {
        Ok(number) if !plain && number.is_finite() => number.to_string(),
        _ => written.to_owned(),
    }
}

/// `10:20:30` from `PT10H20M30S`.
fn clock(written: &str) -> Option<String> {
    let rest = written.strip_prefix("PT")?;
    let (hours, rest) = rest.split_once('H')?;
    let (minutes, rest) = rest.split_once('M')?;
    let seconds = rest.strip_suffix('S')?;
    let (seconds, _) = seconds.split_once(['.', ',']).unwrap_or((seconds, ""));
    Some(format!("{hours:0>2}:{minutes:0>2}:{seconds:0>2}"))
}
