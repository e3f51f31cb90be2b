//! The path of the array of records in a document: read from settings, or found when there is only one.

use std::io::Read;

use super::fail;
use super::token::{Event, Tokens};
use crate::catalog::{SourceError, SourceProblem};

/// Arrays that a message names at most.
const CANDIDATES_MAX: usize = 12;

/// Member names (or places in arrays) from the document's root to the array.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path(Vec<String>);

impl Path {
    /// Reads `data.items`, `/data/items` or `$.data.items[*]`.
    pub(super) fn parse(at: &str) -> Self {
        let at = at.trim();
        if let Some(pointer) = at.strip_prefix('/') {
            return Path(
                pointer
                    .split('/')
                    .map(|part| part.replace("~1", "/").replace("~0", "~"))
                    .collect(),
            );
        }
        let at = at.strip_prefix('$').unwrap_or(at);
        Path(
            at.split('.')
                .map(|part| {
                    part.strip_suffix("[*]")
                        .or_else(|| part.strip_suffix("[]"))
                        .unwrap_or(part)
                })
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    /// As a user writes it in the project.
    fn show(&self) -> String {
        if self.0.iter().any(|part| part.contains(['.', '/'])) {
            self.0
                .iter()
                .map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1")))
                .collect()
        } else {
            self.0.join(".")
        }
    }

    /// Reads up to the array's first element.
    pub(super) fn seek(&self, tokens: &mut Tokens, name: &str) -> Result<(), SourceError> {
        let mut event = tokens.next().map_err(|wrong| fail(wrong, name))?;
        for (depth, part) in self.0.iter().enumerate() {
            event = match enter(tokens, event, part).map_err(|wrong| fail(wrong, name))? {
                Some(event) => event,
                None => return Err(self.missing(depth, name, tokens.line())),
            };
        }
        if event == Event::ArrayStart {
            return Ok(());
        }
        let what = match event {
            Event::ObjectStart => "an object",
            _ => "a single value",
        };
        let error = SourceError::new(
            SourceProblem::Configuration,
            name,
            if self.0.is_empty() {
                format!("the document is {what}, not a list of records")
            } else {
                format!("`{}` is {what}, not a list of records", self.show())
            },
        );
        Err(error
            .at_line(tokens.line())
            .hint("set `at` to the path of the list, such as `at = \"data.items\"`"))
    }

    /// Reads on from the array's end to the document's, which must be whole.
    pub(super) fn finish(&self, tokens: &mut Tokens, name: &str) -> Result<(), SourceError> {
        loop {
            let event = tokens.next().map_err(|wrong| fail(wrong, name))?;
            let level = tokens.depth();
            match event {
                Event::End => return Ok(()),
                Event::Key => {
                    let part = level.checked_sub(1).and_then(|level| self.0.get(level));
                    if part.is_some_and(|part| *part == tokens.text) {
                        let twice = tokens.wrong(format!(
                            "the member `{}` stands twice in one object",
                            tokens.text
                        ));
                        return Err(fail(twice, name)
                            .hint("only one of them can be the list of records; take one out"));
                    }
                }
                _ => tokens.skip(event).map_err(|wrong| fail(wrong, name))?,
            }
        }
    }

    fn missing(&self, depth: usize, name: &str, line: u64) -> SourceError {
        let found = Path(self.0.iter().take(depth).cloned().collect());
        let part = self.0.get(depth).cloned().unwrap_or_default();
        let error = SourceError::new(
            SourceProblem::Configuration,
            name,
            if depth == 0 {
                format!("the document has no member `{part}`")
            } else {
                format!("`{}` has no member `{part}`", found.show())
            },
        );
        error
            .at_line(line)
            .hint("set `at` to the path of the list of records; names count capitals")
    }
}

/// Reads up to the member or place `part` of the value that `first` begins; `None` when it has none.
fn enter(
    tokens: &mut Tokens,
    first: Event,
    part: &str,
) -> Result<Option<Event>, super::token::Wrong> {
    match first {
        Event::ObjectStart => loop {
            match tokens.next()? {
                Event::Key => {
                    let found = tokens.text == part;
                    let event = tokens.next()?;
                    if found {
                        return Ok(Some(event));
                    }
                    tokens.skip(event)?;
                }
                _ => return Ok(None),
            }
        },
        Event::ArrayStart => {
            let Ok(mut place) = part.parse::<u64>() else {
                return Ok(None);
            };
            loop {
                let event = tokens.next()?;
                if event == Event::ArrayEnd {
                    return Ok(None);
                }
                if place == 0 {
                    return Ok(Some(event));
                }
                place -= 1;
                tokens.skip(event)?;
            }
        }
        _ => Ok(None),
    }
}

/// The root when it is an array, else the only array of objects that stands outside all arrays. Reads the whole document.
pub(super) fn detect(
    stream: Box<dyn Read + Send>,
    name: &str,
    remarks: &mut Vec<String>,
) -> Result<Path, SourceError> {
    let mut tokens = Tokens::stream(stream);
    let mut found: Vec<Path> = Vec::new();
    let mut path: Vec<String> = Vec::new();
    loop {
        let event = tokens.next().map_err(|wrong| fail(wrong, name))?;
        match event {
            Event::ArrayStart if tokens.depth() == 1 => return Ok(Path::default()),
            Event::ArrayStart => {
                let level = tokens.depth() - 1;
                let first = tokens.next().map_err(|wrong| fail(wrong, name))?;
                if first == Event::ObjectStart && found.len() < CANDIDATES_MAX {
                    found.push(Path(path.clone()));
                }
                while tokens.depth() > level {
                    tokens.next().map_err(|wrong| fail(wrong, name))?;
                }
            }
            Event::Key => {
                path.truncate(tokens.depth() - 1);
                path.push(tokens.text.clone());
            }
            Event::End => break,
            _ => {}
        }
    }
    let shown = |found: &[Path]| {
        let names: Vec<String> = found
            .iter()
            .map(|path| format!("`{}`", path.show()))
            .collect();
        names.join(", ")
    };
    match found.as_slice() {
        [only] => {
            remarks.push(format!(
                "the records are the list at {}",
                shown(std::slice::from_ref(only))
            ));
            Ok(only.clone())
        }
        [] => Err(SourceError::new(
            SourceProblem::Configuration,
            name,
            "the document holds no list of objects",
        )
        .hint("a JSON catalog is a list of objects, or has one at the path `at`")),
        several => Err(SourceError::new(
            SourceProblem::Configuration,
            name,
            "the document holds several lists of objects",
        )
        .hint(format!("set `at` to one of {}", shown(several)))),
    }
}
