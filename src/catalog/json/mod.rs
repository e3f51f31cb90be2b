//! JSON and NDJSON catalogs.
//!
//! Comes in: a text that is one array of objects, holds one at a path, or has an object a line. Goes out: batches with a
//! column for every path met. A first pass learns the columns, a second reads; both in memory that does not grow with the
//! source. Numbers keep their exact text. A source that is cut or no JSON is never taken for whole; one bad line of
//! NDJSON costs that record only.

mod at;
mod lines;
mod record;
mod scalar;
#[cfg(test)]
mod tests;
mod token;

use self::at::Path;
use self::lines::Lines;
use self::record::{INDEXED_MAX, Record};
use self::token::{Event, Tokens, Wrong};
pub use super::flat::Opener;
use super::flat::{self, Flat};
use super::{Batch, RecordReader, SourceError, SourceProblem};
use crate::catalog::batch::Reject;

const TOO_WIDE: &str = "set `at` to the list of products; names that vary from record to record must not be member names";

/// Where the records are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonOptions {
    /// Path of the array: `products`, `data.items` or `/data/items`. Without it the whole document, or the only array of
    /// objects in it.
    pub at: Option<String>,
    /// One object a line (NDJSON).
    pub lines: bool,
}

/// What the records are read from.
enum Mode {
    Array { tokens: Tokens, path: Path },
    Lines { lines: Lines, tokens: Tokens },
}

/// One record, as far as it could be read.
enum Step {
    Record(u64),
    Reject(Reject),
    End,
}

/// Reads JSON records.
pub struct JsonReader {
    name: String,
    mode: Mode,
    record: Record,
    flat: Flat,
    remarks: Vec<String>,
    ended: bool,
}

/// Opens a JSON or NDJSON source, which `name` stands for in messages, and learns its columns by reading it once.
///
/// # Errors
/// When it cannot be opened, is cut or no JSON, has no array at the path, or has more than 4,096 columns.
pub fn open(opener: Opener, name: &str, options: &JsonOptions) -> Result<JsonReader, SourceError> {
    let mut remarks = Vec::new();
    let path = match (&options.at, options.lines) {
        (Some(at), false) => Path::parse(at),
        (None, false) => at::detect(opener()?, name, &mut remarks)?,
        (None, true) => Path::default(),
        (Some(_), true) => {
            return Err(SourceError::new(
                SourceProblem::Configuration,
                name,
                "`at` does not go with one record a line",
            )
            .hint("take `at` out, or set `format = \"json\"`"));
        }
    };
    let start = || -> Result<Mode, SourceError> {
        let stream = opener()?;
        Ok(if options.lines {
            Mode::Lines {
                lines: Lines::new(stream),
                tokens: Tokens::lines(),
            }
        } else {
            let mut tokens = Tokens::stream(stream);
            path.seek(&mut tokens, name)?;
            Mode::Array {
                tokens,
                path: path.clone(),
            }
        })
    };
    let mut reader = JsonReader {
        name: name.to_owned(),
        mode: start()?,
        record: Record::default(),
        flat: Flat::default(),
        remarks,
        ended: false,
    };
    while let Some(line) = reader.next_good()? {
        reader.flat.begin();
        let learned = reader.record.flatten(&mut reader.flat);
        learned.map_err(|why| flat::no_column(why, name, line, TOO_WIDE))?;
    }
    reader.flat.freeze();
    reader.ended = false;
    reader.mode = start()?;
    if reader.record.long_list {
        reader.remarks.push(format!(
            "some lists hold more than {INDEXED_MAX} objects: only the first {INDEXED_MAX} have columns of their own, \
             the `[]` columns hold all"
        ));
    }
    Ok(reader)
}

impl JsonReader {
    /// The next record that is one, passing over the others.
    fn next_good(&mut self) -> Result<Option<u64>, SourceError> {
        loop {
            match self.step()? {
                Step::Record(line) => return Ok(Some(line)),
                Step::Reject(_) => {}
                Step::End => return Ok(None),
            }
        }
    }

    fn step(&mut self) -> Result<Step, SourceError> {
        let line = match &mut self.mode {
            Mode::Array { tokens, path } => {
                let event = tokens.next().map_err(|wrong| fail(wrong, &self.name))?;
                if event == Event::ArrayEnd {
                    path.finish(tokens, &self.name)?;
                    return Ok(Step::End);
                }
                let line = tokens.line();
                self.record
                    .read(tokens, event)
                    .map_err(|wrong| fail(wrong, &self.name))?;
                line
            }
            Mode::Lines { lines, tokens } => {
                let Some(ended) = lines.next(&self.name)? else {
                    return Ok(Step::End);
                };
                let line = lines.line;
                tokens.set_line(&mut lines.bytes, line);
                match read_line(tokens, &mut self.record) {
                    Ok(()) => line,
                    Err(wrong) if ended && !(line == 1 && wrong.message.contains("HTML")) => {
                        return Ok(Step::Reject(bad_line(&wrong)));
                    }
                    Err(wrong) => return Err(fail(wrong, &self.name)),
                }
            }
        };
        if !self.record.is_object() {
            let mut hint = "each record must be an object with named members".to_owned();
            if matches!(self.mode, Mode::Lines { .. }) && self.record.kind_name() == "a list" {
                hint.push_str("; if the file is one list, set `format = \"json\"`");
            }
            return Ok(Step::Reject(Reject {
                rule: "bad-record",
                line,
                message: format!("the record is {}, not an object", self.record.kind_name()),
                hint,
            }));
        }
        if let Some(key) = self.record.duplicate.take() {
            return Ok(Step::Reject(Reject {
                rule: "duplicate-member",
                line,
                message: format!("the member `{key}` stands twice in one object"),
                hint: "leave one of them, or make it one list".to_owned(),
            }));
        }
        Ok(Step::Record(line))
    }
}

impl RecordReader for JsonReader {
    fn columns(&self) -> &[String] {
        self.flat.names()
    }

    fn read_batch(&mut self, batch: &mut Batch) -> Result<bool, SourceError> {
        batch.clear(self.flat.names().len());
        while !self.ended && !flat::is_full(batch) {
            match self.step()? {
                Step::Record(line) => {
                    self.flat.begin();
                    self.record
                        .flatten(&mut self.flat)
                        .map_err(|why| flat::no_column(why, &self.name, line, TOO_WIDE))?;
                    self.flat.finish(batch, line);
                }
                Step::Reject(reject) => batch.rejects.push(reject),
                Step::End => self.ended = true,
            }
        }
        Ok(!batch.is_empty() || !batch.rejects.is_empty())
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }
}

/// One line as one whole document.
fn read_line(tokens: &mut Tokens, record: &mut Record) -> Result<(), Wrong> {
    let first = tokens.next()?;
    record.read(tokens, first)?;
    tokens.next().map(|_| ())
}

fn bad_line(wrong: &Wrong) -> Reject {
    Reject {
        rule: "bad-record",
        line: wrong.line,
        message: format!(
            "not valid JSON at character {}: {}",
            wrong.column, wrong.message
        ),
        hint: match wrong.hint {
            _ if wrong.cut => "each line must be one whole object".to_owned(),
            "" => "correct the line; each one must be one whole object".to_owned(),
            hint => hint.to_owned(),
        },
    }
}

/// The error for a document that is not whole.
fn fail(wrong: Wrong, name: &str) -> SourceError {
    if let Some(error) = &wrong.io {
        return flat::read_failed(error, name, wrong.line);
    }
    let hint = if wrong.trailing {
        "if it has one record a line, set `format = \"ndjson\"`"
    } else {
        wrong.hint
    };
    SourceError::new(SourceProblem::NotWhole, name, wrong.message)
        .at_line(wrong.line)
        .in_column(wrong.column.to_string())
        .hint(hint)
}
