//! Lines and cells that a csv, tsv or ndjson template makes, followed through every branch: no line stays empty, items do
//! not run together, and a cell is one expression alone.

use std::collections::{BTreeSet, HashMap};

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};

use crate::channel::Channel;
use crate::channel::manifest::Format;
use crate::program::compile::{escape_of, split};
use crate::program::escape::Escape;
use crate::program::lower::parse;
use crate::validate::finding::Severity;

use super::Problem;

/// What the line and the cell in hand may hold, over all ways that lead here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    line_empty: bool,
    line_filled: bool,
    cell_empty: bool,
    cell_text: bool,
    cell_value: bool,
}

impl State {
    const FRESH: State = State {
        line_empty: true,
        line_filled: false,
        cell_empty: true,
        cell_text: false,
        cell_value: false,
    };

    fn or(self, other: State) -> State {
        State {
            line_empty: self.line_empty | other.line_empty,
            line_filled: self.line_filled | other.line_filled,
            cell_empty: self.cell_empty | other.cell_empty,
            cell_text: self.cell_text | other.cell_text,
            cell_value: self.cell_value | other.cell_value,
        }
    }

    fn filled(self) -> State {
        State {
            line_empty: false,
            line_filled: true,
            ..self
        }
    }
}

struct Flow<'c> {
    /// The delimiter, where cells are looked at.
    delimiter: Option<char>,
    partials: &'c HashMap<String, String>,
    depth: usize,
    at: (usize, usize),
    found: BTreeSet<(usize, usize, &'static str)>,
}

/// Checks a template whose format knows lines.
pub(super) fn check(channel: &Channel, problems: &mut Vec<Problem>) {
    let format = channel.manifest.format;
    if !matches!(format, Format::Csv | Format::Tsv | Format::Ndjson) {
        return;
    }
    let Some((path, text)) = &channel.template else {
        return;
    };
    let Some((head, body, tail)) = parse(text).ok().and_then(|template| split(&template)) else {
        return;
    };
    let delimiter = match escape_of(&channel.manifest) {
        Escape::Cell { delimiter, .. } => Some(char::from(delimiter)),
        _ => None,
    };
    let mut flow = Flow {
        delimiter,
        partials: &channel.partials,
        depth: 0,
        at: (1, 1),
        found: BTreeSet::new(),
    };
    for part in [&head, &body, &tail] {
        let end = flow.template(part, State::FRESH);
        if end.line_filled {
            flow.found.insert((flow.at.0, flow.at.1, "runs-together"));
        }
    }
    for (line, column, rule) in flow.found {
        let (message, hint) = match rule {
            "empty-line" => (
                "an empty line is written here",
                "put the block's tags on lines of their own, or the text on the line of its tag: `{{#if x}}{{x}}{{/if}}`",
            ),
            "runs-together" => (
                "what is written here has no line end, and runs together with what follows",
                "end the line before `{{/each}}`",
            ),
            _ => (
                "a cell is one expression alone, and here it has more",
                "put texts together in the attribute's `value`; quotes around a cell are written where they are needed",
            ),
        };
        problems.push(Problem {
            rule,
            severity: Severity::Error,
            path: path.clone(),
            line,
            column,
            message: message.to_owned(),
            hint: hint.to_owned(),
        });
    }
}

impl Flow<'_> {
    fn template(&mut self, template: &Template, mut state: State) -> State {
        for (index, element) in template.elements.iter().enumerate() {
            if let Some(mapping) = template.mapping.get(index)
                && self.depth == 0
            {
                self.at = (mapping.0, mapping.1);
            }
            state = match element {
                TemplateElement::RawString(text) => self.text(text, state),
                TemplateElement::Expression(_) | TemplateElement::HtmlExpression(_) => {
                    self.value(state)
                }
                TemplateElement::HelperBlock(block) => self.block(block, state),
                TemplateElement::PartialExpression(partial) => {
                    let source = partial
                        .name
                        .as_name()
                        .and_then(|name| self.partials.get(name));
                    match source
                        .filter(|_| self.depth < 8)
                        .and_then(|source| parse(source).ok())
                    {
                        Some(template) => {
                            self.depth += 1;
                            let state = self.template(&template, state);
                            self.depth -= 1;
                            state
                        }
                        None => state,
                    }
                }
                _ => state,
            };
        }
        state
    }

    fn text(&mut self, text: &str, mut state: State) -> State {
        let (mut line, mut column) = self.at;
        for letter in text.chars() {
            match letter {
                '\r' => {}
                '\n' => {
                    if state.line_empty {
                        self.found.insert((line, column, "empty-line"));
                    }
                    state = State::FRESH;
                }
                letter if Some(letter) == self.delimiter => {
                    state = State {
                        cell_empty: true,
                        cell_text: false,
                        cell_value: false,
                        ..state.filled()
                    };
                }
                _ => {
                    if state.cell_value && self.delimiter.is_some() {
                        self.found.insert((line, column, "cell-not-alone"));
                    }
                    state = State {
                        cell_empty: false,
                        cell_text: true,
                        cell_value: false,
                        ..state.filled()
                    };
                }
            }
            (line, column) = if letter == '\n' {
                (line + 1, 1)
            } else {
                (line, column + 1)
            };
        }
        state
    }

    fn value(&mut self, state: State) -> State {
        if self.delimiter.is_some() && (state.cell_text || state.cell_value) {
            self.found.insert((self.at.0, self.at.1, "cell-not-alone"));
        }
        State {
            cell_empty: false,
            cell_text: false,
            cell_value: true,
            ..state.filled()
        }
    }

    fn block(&mut self, block: &HelperTemplate, state: State) -> State {
        let mut branch = |template: &Option<Template>, state: State| {
            template
                .as_ref()
                .map_or(state, |template| self.template(template, state))
        };
        match block.name.as_name() {
            Some("each") => {
                let once = branch(&block.template, state);
                let again = branch(&block.template, once);
                let variants = block
                    .params
                    .first()
                    .and_then(Parameter::as_name)
                    .is_some_and(|name| name == "variants" || name == "this.variants");
                let never = if variants {
                    once
                } else {
                    branch(&block.inverse, state)
                };
                once.or(again).or(never)
            }
            _ => branch(&block.template, state).or(branch(&block.inverse, state)),
        }
    }
}
