//! How templates and mappings use names: lists printed bare, attributes that are never written, raw output.

use std::collections::{BTreeMap, BTreeSet};

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};

use crate::catalog::columns::{self, Kind};
use crate::channel::Channel;
use crate::channel::manifest::Records;
use crate::helper;
use crate::program::lower::parse;
use crate::program::nearest::near;
use crate::program::path::split_path;
use crate::validate::finding::Severity;

use super::Problem;
use super::place::Places;
use super::rules::{RESERVED, plain_column};

/// What a loop stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Outside,
    Items,
    Variants,
    Element,
}

/// How a name is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Printed,
    Argument,
}

struct Use {
    /// The crate renders it: the compiler has not looked the name up.
    slow: bool,
    path: Vec<String>,
    level: Level,
    how: How,
    line: usize,
    column: usize,
}

#[derive(Default)]
struct Walk<'c> {
    partials: Option<&'c std::collections::HashMap<String, String>>,
    products: bool,
    levels: Vec<Level>,
    at: (usize, usize),
    within: Vec<String>,
    uses: Vec<Use>,
    raw: Vec<(usize, usize, String)>,
}

impl Walk<'_> {
    fn template(&mut self, template: &Template) {
        for (index, element) in template.elements.iter().enumerate() {
            if let Some(mapping) = template.mapping.get(index)
                && self.within.is_empty()
            {
                self.at = (mapping.0, mapping.1);
            }
            match element {
                TemplateElement::Expression(expression) => self.expression(expression),
                TemplateElement::HtmlExpression(expression) => {
                    let name = expression.name.as_name().unwrap_or("").to_owned();
                    let written = !expression.params.is_empty()
                        && helper::find(&name).is_some_and(|helper| helper.raw);
                    if !written {
                        self.raw.push((self.at.0, self.at.1, name));
                    }
                    self.expression(expression);
                }
                TemplateElement::HelperBlock(block) => self.block(block),
                TemplateElement::PartialExpression(partial) => {
                    let name = partial.name.as_name().unwrap_or("").to_owned();
                    let source = self
                        .partials
                        .and_then(|partials| partials.get(&name))
                        .cloned();
                    if let Some(template) = source
                        .filter(|_| !self.within.contains(&name))
                        .and_then(|source| parse(&source).ok())
                    {
                        self.within.push(name);
                        self.template(&template);
                        self.within.pop();
                    }
                }
                _ => {}
            }
        }
    }

    fn expression(&mut self, expression: &HelperTemplate) {
        if expression.params.is_empty() && expression.hash.is_empty() {
            self.name(expression.name.as_name(), How::Printed, false);
        } else {
            self.arguments(expression, false);
        }
    }

    fn arguments(&mut self, expression: &HelperTemplate, slow: bool) {
        let own = matches!(expression.name.as_name(), Some("with" | "lookup"));
        let slow = slow
            || own
            || expression.block_param.is_some()
            || (expression.block && !expression.hash.is_empty());
        for parameter in expression.params.iter().chain(expression.hash.values()) {
            match parameter {
                Parameter::Name(_) | Parameter::Path(_) => {
                    self.name(parameter.as_name(), How::Argument, slow)
                }
                Parameter::Subexpression(inner) => {
                    if let TemplateElement::Expression(inner) = inner.as_element() {
                        self.arguments(inner, slow);
                    }
                }
                _ => {}
            }
        }
    }

    fn block(&mut self, block: &HelperTemplate) {
        let at = self.at;
        self.arguments(block, false);
        let pushed = match block.name.as_name() {
            Some("each") => {
                let raw = block
                    .params
                    .first()
                    .and_then(Parameter::as_name)
                    .unwrap_or("");
                let (_, path) = split_path(raw);
                let last = path.last().map_or("", String::as_str);
                Some(match (self.levels.last(), last) {
                    (Some(Level::Outside), "items") => Level::Items,
                    (Some(Level::Items), "variants") if self.products => Level::Variants,
                    _ => Level::Element,
                })
            }
            Some("with") => Some(Level::Element),
            _ => None,
        };
        self.levels.extend(pushed);
        if let Some(body) = &block.template {
            self.template(body);
        }
        if pushed.is_some() {
            self.levels.pop();
        }
        if let Some(body) = &block.inverse {
            self.template(body);
        }
        self.at = at;
    }

    fn name(&mut self, raw: Option<&str>, how: How, slow: bool) {
        let Some(raw) = raw else { return };
        let (up, path) = split_path(raw);
        let Some(&level) = self
            .levels
            .len()
            .checked_sub(1 + up)
            .and_then(|at| self.levels.get(at))
        else {
            return;
        };
        let path: Vec<String> = match path.split_first() {
            Some((first, rest)) if first == "this" && !rest.is_empty() => rest.to_vec(),
            _ => path,
        };
        self.uses.push(Use {
            slow,
            path,
            level,
            how,
            line: self.at.0,
            column: self.at.1,
        });
    }
}

/// What is wrong with a name that the compiler left to the crate: a message and a hint.
fn unknown(
    used: &Use,
    attributes: Option<&Channel>,
    columns: &[String],
) -> Option<(String, String)> {
    let first = used
        .path
        .first()
        .filter(|first| used.slow && !first.starts_with('@'))?;
    if used.level == Level::Element || (RESERVED.contains(&first.as_str()) && first != "catalog") {
        return None;
    }
    let column = used.path.strip_prefix(&["catalog".to_owned()]);
    let name = column.unwrap_or(&used.path).join(".");
    match attributes.filter(|_| column.is_none()) {
        Some(channel) => {
            let known = &channel.manifest.attributes;
            (!known.contains_key(&name) && used.level != Level::Outside).then(|| {
                let hint = near(&name, known.keys().map(String::as_str)).unwrap_or_else(|| {
                    "the manifest declares the attributes a template may use".to_owned()
                });
                (format!("there is no attribute `{name}`"), hint)
            })
        }
        None => {
            let base = name.split('.').next().unwrap_or(&name);
            let is_known = columns.iter().any(|known| *known == name || known == base)
                || matches!(base, "location" | "mapped");
            (!is_known).then(|| {
                let hint = near(&name, columns.iter().map(String::as_str)).unwrap_or_else(|| {
                    "`shelfcast channel columns` lists what the catalog has".to_owned()
                });
                (format!("the catalog has no column `{name}`"), hint)
            })
        }
    }
}

/// Checks the template and every mapping; `columns` are those a catalog can have.
pub(super) fn check(
    channel: &Channel,
    places: &Places<'_>,
    columns: &[String],
    problems: &mut Vec<Problem>,
) {
    mappings(channel, places, columns, problems);
    let Some((path, text)) = &channel.template else {
        return;
    };
    let Ok(template) = parse(text) else { return };
    let products = channel.manifest.records == Records::Products;
    let mut walk = Walk {
        partials: Some(&channel.partials),
        products,
        levels: vec![Level::Outside],
        ..Walk::default()
    };
    walk.template(&template);
    let mut written = placing(channel);
    for used in &walk.uses {
        if let Some((message, hint)) = unknown(used, Some(channel), columns) {
            let (path, severity) = (path.clone(), Severity::Error);
            problems.push(Problem {
                rule: "impossible-name",
                severity,
                path,
                line: used.line,
                column: used.column,
                message,
                hint,
            });
        }
        let name = used.path.join(".");
        let (list, how) = match used.path.split_first() {
            Some((first, rest)) if first == "catalog" => (
                is_list(&rest.join(".")),
                format!("{{{{join {name} \", \"}}}}"),
            ),
            _ if matches!(used.level, Level::Items | Level::Variants) => {
                written.insert(name.clone());
                let list = channel
                    .manifest
                    .attributes
                    .get(&name)
                    .is_some_and(|attribute| attribute.list.is_some());
                (
                    list,
                    format!("{{{{#each {name}}}}}…{{{{/each}}}}` or `{{{{join {name} \", \"}}}}"),
                )
            }
            _ => (false, String::new()),
        };
        if list && used.how == How::Printed {
            problems.push(Problem {
                rule: "bare-list",
                severity: Severity::Error,
                path: path.clone(),
                line: used.line,
                column: used.column,
                message: format!("`{name}` is a list and is printed bare"),
                hint: format!("write `{how}`"),
            });
        }
    }
    for (line, column, name) in walk.raw {
        problems.push(Problem {
            rule: "raw",
            severity: Severity::Warning,
            path: path.clone(),
            line,
            column,
            message: format!("`{name}` is written raw: nothing in it is escaped, and the feed is parsed again after writing"),
            hint: "write `{{…}}`, or `{{cdata …}}` in XML".to_owned(),
        });
    }
    unwritten(channel, places, &written, problems);
}

/// Attributes that say where an item goes: its order, and the name of its file.
fn placing(channel: &Channel) -> BTreeSet<String> {
    let manifest = &channel.manifest;
    let order = manifest.sort.iter();
    let mut names: BTreeSet<String> = order
        .map(|key| key.strip_prefix('-').unwrap_or(key).to_owned())
        .collect();
    if let Some(template) = manifest.file.as_deref().and_then(|file| parse(file).ok()) {
        let mut walk = Walk {
            levels: vec![Level::Items],
            ..Walk::default()
        };
        walk.template(&template);
        names.extend(walk.uses.iter().map(|used| used.path.join(".")));
    }
    names
}

/// Attributes that no part of the template asks for.
fn unwritten(
    channel: &Channel,
    places: &Places<'_>,
    written: &BTreeSet<String>,
    problems: &mut Vec<Problem>,
) {
    let attributes = &channel.manifest.attributes;
    let conditions: Vec<&str> = attributes
        .values()
        .filter_map(|attribute| attribute.required_if.as_deref())
        .collect();
    let asked = |name: &str| {
        conditions.iter().any(|condition| {
            condition
                .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .any(|word| word == name)
        })
    };
    for (name, attribute) in attributes
        .iter()
        .filter(|(name, _)| !written.contains(*name) && !name.contains("{{"))
    {
        let (line, column) = places.key(&["attributes", name]);
        let (rule, severity) = match attribute.required {
            true => ("never-written", Severity::Error),
            false if asked(name) || attribute.unique => continue,
            false => ("never-written", Severity::Warning),
        };
        let what = if attribute.required {
            "is required and never written"
        } else {
            "is never written"
        };
        problems.push(Problem {
            rule,
            severity,
            path: channel.manifest_path.clone(),
            line,
            column,
            message: format!("attribute `{name}` {what} by the template"),
            hint: format!(
                "write `{{{{{name}}}}}` inside `{{{{#each items}}}}`, or take the attribute out"
            ),
        });
    }
}

fn mappings(
    channel: &Channel,
    places: &Places<'_>,
    columns: &[String],
    problems: &mut Vec<Problem>,
) {
    for (name, attribute) in &channel.manifest.attributes {
        let Some(mapping) = &attribute.value else {
            continue;
        };
        let Ok(template) = parse(mapping) else {
            continue;
        };
        let level = if attribute.list.is_some() && attribute.list.as_deref() != Some("variants") {
            Level::Element
        } else {
            Level::Items
        };
        let mut walk = Walk {
            levels: vec![Level::Items],
            ..Walk::default()
        };
        if level == Level::Element {
            walk.levels.push(level);
        }
        walk.template(&template);
        for used in &walk.uses {
            if let Some((message, hint)) = unknown(used, None, columns) {
                let (line, column) =
                    places.inside(&["attributes", name, "value"], used.line, used.column);
                let (path, severity) = (channel.manifest_path.clone(), Severity::Error);
                let message = format!("attribute `{name}`: {message}");
                problems.push(Problem {
                    rule: "impossible-name",
                    severity,
                    path,
                    line,
                    column,
                    message,
                    hint,
                });
            }
        }
        let mut said = BTreeMap::new();
        for used in walk
            .uses
            .iter()
            .filter(|used| used.how == How::Printed && used.level == Level::Items)
        {
            let column = used
                .path
                .strip_prefix(&["catalog".to_owned()])
                .unwrap_or(&used.path)
                .join(".");
            if !is_list(&column) || said.insert(column.clone(), ()).is_some() {
                continue;
            }
            let (line, at) = places.inside(&["attributes", name, "value"], used.line, used.column);
            let whole = plain_column(mapping) == Some(column.as_str());
            let hint = if whole {
                format!("write `list = \"{column}\"`, or `{{{{join {column} \", \"}}}}`")
            } else {
                format!("write `{{{{join {column} \", \"}}}}`")
            };
            problems.push(Problem {
                rule: "bare-list",
                severity: Severity::Error,
                path: channel.manifest_path.clone(),
                line,
                column: at,
                message: format!("attribute `{name}` prints the list `{column}` bare"),
                hint,
            });
        }
        for (line, column, what) in &walk.raw {
            let (line, column) = places.inside(&["attributes", name, "value"], *line, *column);
            problems.push(Problem {
                rule: "raw",
                severity: Severity::Warning,
                path: channel.manifest_path.clone(),
                line,
                column,
                message: format!("attribute `{name}` writes `{what}` with three braces, which do nothing in a mapping"),
                hint: "a mapping makes plain text: write two".to_owned(),
            });
        }
    }
}

fn is_list(column: &str) -> bool {
    let base = column.split('.').next().unwrap_or(column);
    columns::find(base)
        .is_some_and(|column| matches!(column.kind, Kind::List | Kind::Levels | Kind::Pairs))
}
