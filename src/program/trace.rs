//! How a value came about, for `explain`: from the cell it was read from, step by step.

use std::collections::HashSet;

use crate::model::value::{PAIR, Value};

use super::evaluate::Evaluator;
use super::graph::{Node, NodeId, Relation, helper};

/// One step, indented by how deep it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How deep it lies: the cells lie deepest.
    pub depth: usize,
    /// What was done, or where it was read.
    pub text: String,
}

/// What the trace asks about places: names of files and columns.
pub struct Places<'p> {
    /// The name of a file by its number.
    pub file: &'p dyn Fn(u32) -> String,
    /// The master's columns.
    pub master: &'p [String],
}

/// A value as people read it.
pub fn shown(value: Value<'_>) -> String {
    match value {
        Value::Absent => "nothing".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Text(text) => format!("`{}`", clipped(text)),
        Value::List(list) => {
            let elements: Vec<String> = list
                .iter()
                .map(|element| format!("`{}`", clipped(&element.replace(PAIR, ": "))))
                .collect();
            format!("[{}]", elements.join(", "))
        }
    }
}

fn clipped(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(200)
        .map(|letter| if letter.is_control() { '␣' } else { letter })
        .collect();
    if text.chars().nth(200).is_some() {
        short.push('…');
    }
    short
}

/// The steps to a node's value for the record in hand.
pub fn trace(run: &Evaluator<'_>, places: &Places<'_>, node: NodeId) -> Vec<Step> {
    let mut tracing = Tracing {
        run,
        places,
        told: HashSet::new(),
        out: Vec::new(),
    };
    tracing.step(None, node, 0);
    tracing.out
}

struct Tracing<'t, 'a> {
    run: &'t Evaluator<'a>,
    places: &'t Places<'t>,
    /// What was told once is not told again.
    told: HashSet<NodeId>,
    out: Vec<Step>,
}

impl Tracing<'_, '_> {
    /// Where a value that is not there would have been read.
    fn missing(&self, columns: Option<&[String]>, id: NodeId) -> Option<String> {
        let graph = self.run.graph();
        match graph.node(id) {
            Node::Raw(column) => {
                let name = columns
                    .unwrap_or(self.places.master)
                    .get(*column as usize)?;
                Some(format!("column `{name}` is empty"))
            }
            Node::Join { table, value, .. } => {
                let joined = &self.run.tables().joined[*table as usize];
                self.missing(Some(&joined.columns), *value)
                    .map(|text| format!("source `{}`: {text}", joined.name))
            }
            _ => graph
                .inputs(id)
                .into_iter()
                .find_map(|input| self.missing(columns, input)),
        }
    }

    fn step(&mut self, columns: Option<&[String]>, id: NodeId, depth: usize) {
        let (run, places) = (self.run, self.places);
        if depth > 24 {
            return;
        }
        if run.value(id).is_ok_and(Value::is_absent)
            && !matches!(run.graph().node(id), Node::Absent)
        {
            if let Some(text) = self.missing(columns, id)
                && self.told.insert(id)
            {
                self.out.push(Step { depth, text });
            }
            return;
        }
        if columns.is_none() && !run.graph().inputs(id).is_empty() && !self.told.insert(id) {
            self.out.push(Step {
                depth,
                text: "as above".to_owned(),
            });
            return;
        }
        let value = match run.value(id) {
            Ok(value) => shown(value),
            Err(failure) => format!("fails: {}", run.trouble(failure).message),
        };
        let graph = run.graph();
        let out = &mut self.out;
        let mut say = |text: String| out.push(Step { depth, text });
        match graph.node(id) {
            Node::Raw(column) => {
                let (file, line) = run.place();
                let name = columns
                    .unwrap_or(places.master)
                    .get(*column as usize)
                    .map_or("?", String::as_str);
                say(format!(
                    "{}:{line}, column `{name}`: {value}",
                    (places.file)(file)
                ));
                return;
            }
            Node::Text(_) | Node::Bool(_) => {
                say(format!("written in the mapping: {value}"));
                return;
            }
            Node::Absent => return,
            Node::Trim(inner) => return self.step(columns, *inner, depth),
            Node::Join {
                table,
                key,
                value: inner,
            } => {
                let joined = &run.tables().joined[*table as usize];
                let key_text = run.text(*key).unwrap_or("");
                match joined.find(key_text) {
                    Some(row) => {
                        say(format!(
                            "source `{}`, joined by `{key_text}`: {value}",
                            joined.name
                        ));
                        run.with_joined(*table, row, || {
                            self.step(Some(&joined.columns), *inner, depth + 1)
                        });
                    }
                    None => say(format!(
                        "source `{}` has no row for `{key_text}`",
                        joined.name
                    )),
                }
                return;
            }
            Node::First(nodes) => {
                // Only the one that was taken, and those before it that had nothing.
                for &node in nodes {
                    let taken = run.value(node).is_ok_and(|value| !value.is_absent());
                    self.step(columns, node, depth);
                    if taken {
                        return;
                    }
                }
                return;
            }
            Node::Inherit { own, .. } => {
                if run.value(*own).is_ok_and(|value| !value.is_absent()) {
                    return self.step(columns, *own, depth);
                }
                say(format!("taken from the product's row: {value}"));
            }
            Node::Read { reading, .. } => say(format!(
                "read as {}: {value}",
                format!("{:?}", graph.readings[*reading as usize].kind).to_lowercase()
            )),
            Node::Helper { helper: number, .. } => {
                say(format!("`{}` makes {value}", helper(*number).name))
            }
            Node::Concat(_) => say(format!("put together: {value}")),
            Node::If {
                test,
                then,
                otherwise,
            } => {
                let yes = run.value(*test).is_ok_and(Value::is_true);
                say(format!(
                    "{}: {value}",
                    if yes {
                        "the condition holds"
                    } else {
                        "the condition does not hold"
                    }
                ));
                self.step(columns, *test, depth + 1);
                self.step(columns, if yes { *then } else { *otherwise }, depth + 1);
                return;
            }
            Node::StockSum {
                table,
                key,
                quantity,
                location,
                ..
            } => {
                let joined = &run.tables().joined[*table as usize];
                say(format!(
                    "summed over the locations in source `{}`: {value}",
                    joined.name
                ));
                for row in run.stock_rows(*table, *key) {
                    let text = run.with_joined(*table, row, || {
                        let (file, line) = run.place();
                        let units = run.value(*quantity).map_or_else(|_| "?".to_owned(), shown);
                        format!(
                            "{}:{line}, location {}: {units}",
                            (places.file)(file),
                            run.value(*location).map_or_else(|_| "?".to_owned(), shown)
                        )
                    });
                    self.out.push(Step {
                        depth: depth + 1,
                        text,
                    });
                }
                return;
            }
            Node::Salable { formula, keep, .. } => {
                let formula = &run.tables().formulas[*formula as usize];
                let kept = match keep.is_empty() {
                    true => formula.safety_stock.to_string(),
                    false => format!("what `[[sync.keep]]` says, or {}", formula.safety_stock),
                };
                say(format!(
                    "salable = clamp(floor({} x sum of max(0, on hand - committed - {kept})), {}, {}) = {value}",
                    formula.offer.share, formula.offer.minimum, formula.offer.maximum
                ));
            }
            Node::Free { .. } => say(format!("on hand less committed less safety stock: {value}")),
            Node::SalePrice { .. } => say(format!(
                "the sale price, where it is below the price and the sale is not over: {value}"
            )),
            Node::OnSale { .. } => say(format!("whether the sale is on now: {value}")),
            Node::Availability { .. } => say(format!("as given, or by the quantity: {value}")),
            Node::CompareText(relation, ..) | Node::CompareNumber(relation, ..) => {
                say(format!("{}: {value}", words(*relation)))
            }
            Node::All(_) => say(format!("all of these: {value}")),
            Node::Any(_) => say(format!("one of these: {value}")),
            Node::Not(_) => say(format!("not this: {value}")),
            Node::Tax { add, .. } => say(format!(
                "{}: {value}",
                if *add { "with tax" } else { "without tax" }
            )),
            Node::Where { equals, .. } => say(format!("in {equals}: {value}")),
            Node::EachVariant(_) => say(format!("of each variant: {value}")),
            Node::Gather(_) => say(format!("gathered over the product's rows: {value}")),
            Node::Union(_) => say(format!("together: {value}")),
            Node::Rendered { .. } => say(format!("rendered by the slow path: {value}")),
            _ => say(format!("computed: {value}")),
        }
        for input in graph.inputs(id) {
            self.step(columns, input, depth + 1);
        }
    }
}

fn words(relation: Relation) -> &'static str {
    match relation {
        Relation::Equal => "are these equal",
        Relation::NotEqual => "do these differ",
        Relation::Less => "is the first less",
        Relation::LessOrEqual => "is the first not greater",
        Relation::Greater => "is the first greater",
        Relation::GreaterOrEqual => "is the first not less",
    }
}
