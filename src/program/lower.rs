//! Handlebars to nodes and operations: what the crate parsed is resolved to columns and attributes once, at load.
//!
//! Every name is looked up here, so that a misspelt one is a message with its line, never an empty cell. What is not
//! lowered (block parameters, `with`, `lookup`) becomes a piece that the crate itself renders.

mod operation;
mod text;

use std::collections::HashMap;

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use serde_json::Value as Json;

use crate::helper;

use super::escape::Escape;
use super::fallback::{Fallback, PATH};
use super::graph::{Graph, Node, NodeId};
use super::nearest::near;
use super::path::{collect_paths, is_name_only, split_path};
use operation::merge_literals;
pub use operation::{Fit, LateNumber, Operation, Place};

/// Where a name is looked up, from the innermost loop outwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The document: head and tail.
    Document,
    /// The item.
    Item,
    /// A variant of the product in hand.
    Variant,
    /// An element of a list.
    Element,
}

/// What names mean at a level.
pub trait Names {
    /// The node a name stands for.
    ///
    /// # Errors
    /// A message and a hint when the name cannot exist.
    fn resolve(
        &mut self,
        graph: &mut Graph,
        level: Level,
        path: &[String],
    ) -> Result<NodeId, (String, String)>;

    /// Whether the name is the list of the product's variants.
    fn is_variants(&self, level: Level, path: &[String]) -> bool {
        let _ = (level, path);
        false
    }

    /// Whether items stand in groups: `group.first` and `group.last` are known then.
    fn is_grouped(&self) -> bool {
        false
    }
}

/// Something in a template that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    /// Line in the template, from 1.
    pub line: usize,
    /// Column in that line, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Parses a template.
///
/// # Errors
/// Where it does not parse.
pub fn parse(source: &str) -> Result<Template, TemplateProblem> {
    Template::compile(source).map_err(|error| {
        let (line, column) = error.pos().unwrap_or((1, 1));
        TemplateProblem {
            line,
            column,
            message: error.reason().to_string(),
            hint:
                "see https://handlebarsjs.com/guide/expressions.html for what an expression may be"
                    .to_owned(),
        }
    })
}

/// Lowers templates into a graph.
pub struct Lowering<'g, 'n> {
    /// Where nodes go.
    pub graph: &'g mut Graph,
    /// What names mean.
    pub names: &'n mut dyn Names,
    /// Where what is not lowered goes.
    pub fallbacks: &'g mut Vec<Fallback>,
    /// Number of the view whose currency and language helpers use.
    pub view: u16,
    /// How `{{x}}` is escaped.
    pub escape: Escape,
    /// Static partials by name.
    pub partials: &'g HashMap<String, String>,
    /// What was wrong.
    pub problems: Vec<TemplateProblem>,
    /// True when something is written unescaped by `{{{x}}}`.
    pub raw: bool,
    levels: Vec<Level>,
    line: (usize, usize),
    /// The partials around the place in hand.
    within: Vec<String>,
}

/// Helpers whose result depends on the feed's currency or language, or the shop's units and zone.
const BY_VIEW: &[&str] = &[
    "money",
    "number",
    "date",
    "upper",
    "lower",
    "title_case",
    "unit",
    "truncate",
    "slug",
];
const BLOCKS: &[&str] = &["if", "unless", "each", "with", "lookup"];

impl<'g, 'n> Lowering<'g, 'n> {
    /// A lowering that starts at a level.
    pub fn new(
        graph: &'g mut Graph,
        fallbacks: &'g mut Vec<Fallback>,
        names: &'n mut dyn Names,
        partials: &'g HashMap<String, String>,
        escape: Escape,
        view: u16,
        levels: &[Level],
    ) -> Self {
        Lowering {
            graph,
            names,
            fallbacks,
            view,
            escape,
            partials,
            problems: Vec::new(),
            raw: false,
            levels: levels.to_vec(),
            line: (1, 1),
            within: Vec::new(),
        }
    }

    fn problem(&mut self, message: impl Into<String>, hint: impl Into<String>) -> NodeId {
        let (line, column) = self.line;
        self.problems.push(TemplateProblem {
            line,
            column,
            message: message.into(),
            hint: hint.into(),
        });
        self.graph.add(Node::Absent)
    }

    fn level(&self) -> Level {
        self.levels.last().copied().unwrap_or(Level::Document)
    }

    /// Lowers a template to operations.
    pub fn operations(&mut self, template: &Template) -> Vec<Operation> {
        let mut out = Vec::new();
        for (index, element) in template.elements.iter().enumerate() {
            if let Some(mapping) = template.mapping.get(index) {
                self.line = (mapping.0, mapping.1);
            }
            self.operation(element, &mut out);
        }
        merge_literals(out)
    }

    fn operation(&mut self, element: &TemplateElement, out: &mut Vec<Operation>) {
        match element {
            TemplateElement::RawString(text) => out.push(Operation::Literal(text.as_str().into())),
            TemplateElement::Comment(_) => {}
            TemplateElement::Expression(expression) => self.print(expression, self.escape, out),
            TemplateElement::HtmlExpression(expression) => {
                self.raw |= !expression.name.as_name().is_some_and(is_markup);
                self.print(expression, Escape::None, out);
            }
            TemplateElement::HelperBlock(block) => self.block(block, element, out),
            TemplateElement::PartialExpression(partial) => {
                let name = partial.name.as_name().unwrap_or("").to_owned();
                let dynamic = matches!(
                    partial.name,
                    Parameter::Subexpression(_) | Parameter::Literal(_)
                );
                if dynamic || !partial.params.is_empty() || !partial.hash.is_empty() {
                    self.problem(
                        "a partial must be static and takes no arguments here",
                        "write `{{> name}}`",
                    );
                } else if let Some(source) = self.partials.get(&name).cloned() {
                    match parse(&source) {
                        Ok(_) if self.within.contains(&name) => {
                            self.problem(
                                format!("partial `{name}` includes itself"),
                                "write out what it needs, or take it out",
                            );
                        }
                        Ok(template) => {
                            let line = self.line;
                            let known = self.problems.len();
                            self.within.push(name.clone());
                            out.extend(self.operations(&template));
                            self.within.pop();
                            self.line = line;
                            for problem in &mut self.problems[known..] {
                                problem.message = in_partial(&name, problem);
                                (problem.line, problem.column) = line;
                            }
                        }
                        Err(problem) => {
                            self.problem(in_partial(&name, &problem), problem.hint);
                        }
                    }
                } else {
                    let near = near(&name, self.partials.keys().map(String::as_str));
                    self.problem(
                        format!("there is no partial `{name}`"),
                        near.unwrap_or_else(|| {
                            "partials are files in templates/partials/".to_owned()
                        }),
                    );
                }
            }
            _ => {
                self.problem(
                    "decorators and inline partials are refused",
                    "write it out, or use a static partial `{{> name}}`",
                );
            }
        }
    }

    fn print(&mut self, expression: &HelperTemplate, escape: Escape, out: &mut Vec<Operation>) {
        if is_name_only(expression) {
            let raw = expression.name.as_name().unwrap_or("");
            if let Some(number) = self.late_number(raw) {
                out.push(Operation::LateNumber(number));
                return;
            }
            let node = self.path(raw);
            match self.graph.node(node) {
                Node::Absent => {}
                Node::Text(text) => out.push(Operation::Literal(escape.escaped(text).into())),
                Node::Attribute(slot) => out.push(Operation::PrintAttribute(*slot, escape)),
                _ => out.push(Operation::Print(node, escape)),
            }
            return;
        }
        // `{{add @index 1}}` counts from one.
        if let ("add", [index, Parameter::Literal(Json::Number(more))]) = (
            expression.name.as_name().unwrap_or(""),
            expression.params.as_slice(),
        ) && index.as_name() == Some("@index")
            && self.level() == Level::Item
            && let Some(more) = more.as_u64()
        {
            out.push(Operation::LateNumber(LateNumber::Index(more)));
            return;
        }
        // `{{add (mul feed.items 4) 7}}` in the tail: EDIFACT counts its segments.
        if self.level() == Level::Document
            && let Some((times, plus)) =
                operation::reckoned(expression.name.as_name(), &expression.params)
            && times > 0
        {
            out.push(Operation::LateNumber(LateNumber::Items { times, plus }));
            return;
        }
        let markup = expression.name.as_name().is_some_and(is_markup);
        let node = self.call(expression);
        out.push(Operation::Print(
            node,
            if markup { Escape::None } else { escape },
        ));
    }

    fn late_number(&self, raw: &str) -> Option<LateNumber> {
        match (raw, self.level()) {
            ("@index", Level::Item) => Some(LateNumber::Index(0)),
            ("feed.part" | "this.feed.part", _) => Some(LateNumber::Part),
            ("feed.items" | "this.feed.items", Level::Document) => {
                Some(LateNumber::Items { times: 1, plus: 0 })
            }
            _ => None,
        }
    }

    /// What is written when a block's test holds, and when it does not; `unless` turns them round.
    fn branches(
        &mut self,
        block: &HelperTemplate,
        holds: bool,
    ) -> (Vec<Operation>, Vec<Operation>) {
        let mut lowered = |template: &Option<Template>| {
            let template = template.as_ref();
            template
                .map(|template| self.operations(template))
                .unwrap_or_default()
        };
        let (then, otherwise) = (lowered(&block.template), lowered(&block.inverse));
        if holds {
            (then, otherwise)
        } else {
            (otherwise, then)
        }
    }

    fn block(
        &mut self,
        block: &HelperTemplate,
        element: &TemplateElement,
        out: &mut Vec<Operation>,
    ) {
        let name = block.name.as_name().unwrap_or("");
        let lowered =
            block.block_param.is_none() && block.hash.is_empty() && block.params.len() == 1;
        match name {
            "if" | "unless" if lowered => {
                if let Some(place) = self.late_place(&block.params[0]) {
                    let (then, otherwise) = self.branches(block, name == "if");
                    if operation::waits(&then) || operation::waits(&otherwise) {
                        self.problem(
                            "an item's place is asked inside another question about its place",
                            "ask one after the other: `{{#if @first}}…{{/if}}{{#if group.first}}…{{/if}}`",
                        );
                    }
                    out.push(Operation::Late(place, then, otherwise));
                    return;
                }
                let test = self.parameter(&block.params[0]);
                let (then, otherwise) = self.branches(block, name == "if");
                match self.graph.node(test) {
                    Node::Absent | Node::Bool(false) => out.extend(otherwise),
                    Node::Text(_) | Node::Bool(true) => out.extend(then),
                    _ => out.push(Operation::If(test, then, otherwise)),
                }
            }
            "each" if lowered => {
                if let Some(raw) = self.variants(&block.params[0]) {
                    self.levels.push(Level::Variant);
                    let body = block
                        .template
                        .as_ref()
                        .map(|template| self.operations(template))
                        .unwrap_or_default();
                    self.levels.pop();
                    if block.inverse.is_some() {
                        self.problem(format!("`{{{{#each {raw}}}}}` has no `else`: an item without variants is withheld"), "take the `else` out");
                    }
                    out.push(Operation::Variants(body));
                    return;
                }
                let list = self.parameter(&block.params[0]);
                self.levels.push(Level::Element);
                let body = block
                    .template
                    .as_ref()
                    .map(|template| self.operations(template))
                    .unwrap_or_default();
                self.levels.pop();
                let otherwise = block
                    .inverse
                    .as_ref()
                    .map(|template| self.operations(template))
                    .unwrap_or_default();
                out.push(Operation::Each(list, body, otherwise));
            }
            _ => {
                if !BLOCKS.contains(&name) && helper::find(name).is_none() {
                    let near = near(name, BLOCKS.iter().copied());
                    self.problem(
                        format!("there is no block helper `{name}`"),
                        near.unwrap_or_else(|| "the blocks are `if unless each with`".to_owned()),
                    );
                    return;
                }
                let node = self.slow(element, self.escape);
                out.push(Operation::Print(node, Escape::None));
            }
        }
    }

    fn variants(&self, parameter: &Parameter) -> Option<String> {
        let raw = match parameter {
            Parameter::Path(_) | Parameter::Name(_) => parameter.as_name()?,
            _ => return None,
        };
        let (up, path) = split_path(raw);
        let level = self.level_up(up)?;
        self.names.is_variants(level, &path).then(|| raw.to_owned())
    }

    fn level_up(&self, up: usize) -> Option<Level> {
        self.levels
            .len()
            .checked_sub(1 + up)
            .map(|at| self.levels[at])
    }

    fn late_place(&self, parameter: &Parameter) -> Option<Place> {
        if self.level() != Level::Item {
            return None;
        }
        match parameter.as_name()? {
            "@first" => Some(Place::First),
            "@last" => Some(Place::Last),
            "group.first" | "this.group.first" if self.names.is_grouped() => {
                Some(Place::GroupFirst)
            }
            "group.last" | "this.group.last" if self.names.is_grouped() => Some(Place::GroupLast),
            _ => None,
        }
    }

    /// A piece for the crate, with the names it mentions.
    fn slow(&mut self, element: &TemplateElement, escape: Escape) -> NodeId {
        let mut paths = Vec::new();
        collect_paths(element, &mut paths);
        let mut names: Vec<(Box<str>, NodeId)> = Vec::new();
        let level = self.level();
        for raw in paths {
            let (up, path) = split_path(&raw);
            let path: Vec<String> = path
                .into_iter()
                .filter(|segment| segment != "this")
                .collect();
            if path.is_empty() || path[0].starts_with('@') || BLOCKS.contains(&path[0].as_str()) {
                continue;
            }
            // Inside the piece's own loops `../` leads back to here; a name of its loops simply is not found.
            let _ = up;
            if let Ok(node) = self.names.resolve(self.graph, level, &path) {
                let key: Box<str> = path.join(&PATH.to_string()).into();
                if !names.iter().any(|(known, _)| *known == key) {
                    names.push((key, node));
                }
            }
        }
        let mut template = Template::new();
        template.elements.push(element.clone());
        let shown = format!("line {}: {}", self.line.0, shown(element));
        self.fallbacks
            .push(Fallback::new(shown, template, escape, self.view));
        let number = u32::try_from(self.fallbacks.len() - 1).expect("few pieces");
        self.graph.add(Node::Rendered {
            template: number,
            names: names.into(),
        })
    }
}

/// What is wrong in a partial, with its place there; the problem's own place becomes that of `{{> name}}`.
fn in_partial(name: &str, problem: &TemplateProblem) -> String {
    format!(
        "in partial `{name}`, line {}, column {}: {}",
        problem.line, problem.column, problem.message
    )
}

fn shown(element: &TemplateElement) -> String {
    match element {
        TemplateElement::HelperBlock(block) => {
            format!("{{{{#{} …}}}}", block.name.as_name().unwrap_or("?"))
        }
        TemplateElement::Expression(expression) | TemplateElement::HtmlExpression(expression) => {
            format!("{{{{{} …}}}}", expression.name.as_name().unwrap_or("?"))
        }
        _ => "a piece of the template".to_owned(),
    }
}

/// Whether a helper's result is markup already.
fn is_markup(name: &str) -> bool {
    helper::find(name).is_some_and(|helper| helper.raw)
}
