//! Mappings, parameters and helper calls to nodes: whatever becomes one value.

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use serde_json::Value as Json;

use crate::helper;
use crate::program::escape::Escape;
use crate::program::fallback::Fallback;
use crate::program::graph::{Node, NodeId, Part};
use crate::program::nearest::near;
use crate::program::path::{is_name_only, split_path};

use super::{BLOCKS, BY_VIEW, Level, Lowering};

impl Lowering<'_, '_> {
    /// Lowers a template to one text value, as mappings need it.
    pub fn text(&mut self, template: &Template) -> NodeId {
        let mut parts = Vec::new();
        for (index, element) in template.elements.iter().enumerate() {
            if let Some(mapping) = template.mapping.get(index) {
                self.line = (mapping.0, mapping.1);
            }
            let part = match element {
                TemplateElement::RawString(text) => self.graph.text(text),
                TemplateElement::Comment(_) => continue,
                TemplateElement::Expression(expression)
                | TemplateElement::HtmlExpression(expression) => {
                    if is_name_only(expression) {
                        let raw = expression.name.as_name().unwrap_or("").to_owned();
                        self.path(&raw)
                    } else {
                        self.call(expression)
                    }
                }
                TemplateElement::HelperBlock(block) => self.text_block(block, element),
                _ => self.problem(
                    "a mapping is text and expressions alone",
                    "partials and decorators belong in templates",
                ),
            };
            parts.push(part);
        }
        self.concat(parts)
    }

    fn concat(&mut self, parts: Vec<NodeId>) -> NodeId {
        let mut kept: Vec<NodeId> = Vec::new();
        for part in parts {
            let constant = self
                .graph
                .constant(part)
                .map(|text| text.unwrap_or("").to_owned());
            let before = kept.last().and_then(|&last| {
                self.graph
                    .constant(last)
                    .map(|text| text.unwrap_or("").to_owned())
            });
            match (before, constant) {
                (_, Some(text)) if text.is_empty() => {}
                (Some(before), Some(text)) => {
                    kept.pop();
                    let joined = self.graph.text(&(before + &text));
                    kept.push(joined);
                }
                _ => kept.push(part),
            }
        }
        match kept.as_slice() {
            [] => self.graph.add(Node::Absent),
            [one] => *one,
            _ => self.graph.add(Node::Concat(kept.into())),
        }
    }

    fn text_block(&mut self, block: &HelperTemplate, element: &TemplateElement) -> NodeId {
        let name = block.name.as_name().unwrap_or("");
        let lowered =
            block.block_param.is_none() && block.hash.is_empty() && block.params.len() == 1;
        match name {
            "if" | "unless" if lowered => {
                let test = self.parameter(&block.params[0]);
                let then = block.template.as_ref().map(|template| self.text(template));
                let then = then.unwrap_or_else(|| self.graph.add(Node::Absent));
                let otherwise = block.inverse.as_ref().map(|template| self.text(template));
                let otherwise = otherwise.unwrap_or_else(|| self.graph.add(Node::Absent));
                let (then, otherwise) = if name == "if" {
                    (then, otherwise)
                } else {
                    (otherwise, then)
                };
                match self.graph.node(test) {
                    Node::Absent | Node::Bool(false) => otherwise,
                    Node::Text(_) | Node::Bool(true) => then,
                    _ => self.graph.add(Node::If {
                        test,
                        then,
                        otherwise,
                    }),
                }
            }
            "each" if lowered => {
                let list = self.parameter(&block.params[0]);
                self.levels.push(Level::Element);
                let body = block.template.as_ref().map(|template| self.text(template));
                let body = body.unwrap_or_else(|| self.graph.add(Node::Absent));
                self.levels.pop();
                let otherwise = block.inverse.as_ref().map(|template| self.text(template));
                let otherwise = otherwise.unwrap_or_else(|| self.graph.add(Node::Absent));
                self.graph.add(Node::Each {
                    list,
                    body,
                    otherwise,
                })
            }
            _ if BLOCKS.contains(&name) => self.slow(element, Escape::None),
            _ => {
                let near = near(name, BLOCKS.iter().copied());
                self.problem(
                    format!("there is no block helper `{name}`"),
                    near.unwrap_or_else(|| "the blocks are `if unless each with`".to_owned()),
                )
            }
        }
    }

    pub(super) fn parameter(&mut self, parameter: &Parameter) -> NodeId {
        match parameter {
            Parameter::Literal(Json::String(text)) => self.graph.text(text),
            Parameter::Literal(Json::Number(number)) => self.graph.text(&number.to_string()),
            Parameter::Literal(Json::Bool(yes)) => self.graph.add(Node::Bool(*yes)),
            Parameter::Literal(Json::Null) => self.graph.add(Node::Absent),
            Parameter::Literal(_) => {
                self.problem("a literal list or object is not known here", "use a text")
            }
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(expression) => self.call(expression),
                _ => self.problem(
                    "this cannot stand in parentheses",
                    "write `(helper argument)`",
                ),
            },
            Parameter::Name(_) | Parameter::Path(_) => {
                let raw = parameter.as_name().unwrap_or("").to_owned();
                self.path(&raw)
            }
            _ => self.problem("this parameter is not known here", ""),
        }
    }

    pub(super) fn call(&mut self, expression: &HelperTemplate) -> NodeId {
        let name = expression.name.as_name().unwrap_or("").to_owned();
        if name == "lookup" {
            if let Some(node) = self.lookup(expression) {
                return node;
            }
            let element = TemplateElement::Expression(Box::new(expression.clone()));
            return self.slow(&element, Escape::None);
        }
        let Some(number) = helper::HELPERS
            .iter()
            .position(|helper| helper.name == name)
        else {
            let near = near(&name, helper::HELPERS.iter().map(|helper| helper.name));
            return self.problem(
                format!("there is no helper `{name}`"),
                near.unwrap_or_else(|| "`shelfcast channel helpers` lists them".to_owned()),
            );
        };
        let found = helper::HELPERS[number];
        let (fewest, most) = found.arity;
        let given = expression.params.len();
        if given < fewest || given > most {
            return self.problem(
                format!(
                    "`{name}` takes {} arguments, {given} given",
                    range(fewest, most)
                ),
                format!("usage: {}", found.usage),
            );
        }
        for key in expression.hash.keys() {
            if !found.named.contains(&key.as_str()) {
                let near = near(key, found.named.iter().copied());
                return self.problem(
                    format!("`{name}` has no option `{key}`"),
                    near.unwrap_or_else(|| format!("usage: {}", found.usage)),
                );
            }
        }
        let positional: Box<[NodeId]> = expression
            .params
            .iter()
            .map(|parameter| self.parameter(parameter))
            .collect();
        let mut keys: Vec<&String> = expression.hash.keys().collect();
        keys.sort();
        let named: Box<[(Box<str>, NodeId)]> = keys
            .into_iter()
            .map(|key| (key.as_str().into(), self.parameter(&expression.hash[key])))
            .collect();
        let view = if BY_VIEW.contains(&name.as_str()) {
            self.view
        } else {
            0
        };
        self.graph.add(Node::Helper {
            helper: u16::try_from(number).expect("few helpers"),
            view,
            positional,
            named,
        })
    }

    /// An element of a list that stands outside the loop in hand. The crate is given the list by name: what `../` leads to is
    /// not in the piece it renders.
    fn lookup(&mut self, expression: &HelperTemplate) -> Option<NodeId> {
        let mut raws = expression.params.iter().filter_map(Parameter::as_name);
        if !raws.any(|raw| raw.starts_with("../") || raw.starts_with('@')) {
            return None;
        }
        let [
            list,
            Parameter::Literal(place @ (Json::Number(_) | Json::String(_))),
        ] = expression.params.as_slice()
        else {
            return Some(self.problem(
                "`lookup` outside the loop takes a number: its place in this loop is not known to it",
                "write `{{lookup ../images 0}}`, or give the variant a list of its own",
            ));
        };
        if !list.as_name().is_some_and(|raw| raw.starts_with("../")) {
            return Some(self.problem(
                "`lookup` takes a list first",
                "write `{{lookup ../images 0}}`",
            ));
        }
        let node = self.parameter(list);
        let template = super::parse(&format!("{{{{lookup list {place}}}}}")).ok()?;
        let shown = format!("line {}: {{{{lookup …}}}}", self.line.0);
        self.fallbacks
            .push(Fallback::new(shown, template, Escape::None, self.view));
        let number = u32::try_from(self.fallbacks.len() - 1).expect("few pieces");
        Some(self.graph.add(Node::Rendered {
            template: number,
            names: Box::new([("list".into(), node)]),
        }))
    }

    /// The node a path stands for, or a problem.
    pub(super) fn path(&mut self, raw: &str) -> NodeId {
        let (up, path) = split_path(raw);
        let Some(level) = self.level_up(up) else {
            return self.problem(
                format!("`{raw}` leads out of the template"),
                "there are fewer loops around it than `../` say",
            );
        };
        let elements = self
            .levels
            .iter()
            .rev()
            .take(up)
            .filter(|level| matches!(level, Level::Element | Level::Variant))
            .count();
        let up_frames = u8::try_from(elements).unwrap_or(u8::MAX);
        if level == Level::Element {
            let part = match path
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .as_slice()
            {
                [] | ["this"] => Some(Part::Element),
                ["name"] | ["this", "name"] => Some(Part::Name),
                ["value"] | ["this", "value"] => Some(Part::Value),
                ["@index"] => Some(Part::Index),
                ["@first"] => Some(Part::First),
                ["@last"] => Some(Part::Last),
                _ => None,
            };
            return match part {
                Some(part) => self.graph.add(Node::This { up: up_frames, part }),
                None => self.problem(
                    format!("`{raw}` is no part of a list's element"),
                    format!("inside the loop write `this`, or `name` and `value` of a pair; for the item's own, `../{raw}`"),
                ),
            };
        }
        if level == Level::Variant
            && let [only] = path.as_slice()
            && only.starts_with('@')
        {
            let part = match only.as_str() {
                "@index" => Part::Index,
                "@first" => Part::First,
                "@last" => Part::Last,
                _ => {
                    return self.problem(
                        format!("`{only}` is not known"),
                        "a loop knows `@index`, `@first` and `@last`",
                    );
                }
            };
            return self.graph.add(Node::This {
                up: up_frames,
                part,
            });
        }
        let path: Vec<String> = match path.split_first() {
            Some((first, rest)) if first == "this" && !rest.is_empty() => rest.to_vec(),
            _ => path,
        };
        match self.names.resolve(self.graph, level, &path) {
            Ok(node) => node,
            Err((message, hint)) => self.problem(message, hint),
        }
    }
}

fn range(fewest: usize, most: usize) -> String {
    if fewest == most {
        fewest.to_string()
    } else if most > 32 {
        format!("{fewest} or more")
    } else {
        format!("{fewest} to {most}")
    }
}
