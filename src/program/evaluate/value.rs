//! The value of a node: kept ones first, then cells, then whatever must be computed.

use bumpalo::collections::String as ArenaString;

use crate::model::value::{ELEMENT, List, Value};
use crate::program::graph::{Node, NodeId, Way};
use crate::program::{arithmetic, reading};

use super::{Evaluator, Failure, Misread, Outcome, Trouble};

impl<'a> Evaluator<'a> {
    /// Text of a node; absent and failed are `None`.
    pub fn text(&self, id: NodeId) -> Option<&'a str> {
        self.value(id)
            .ok()
            .and_then(Value::as_text)
            .filter(|text| !text.is_empty())
    }

    /// The value of a node for the record in hand.
    ///
    /// # Errors
    /// When a helper or a comparison could not work on what it was given.
    pub fn value(&self, id: NodeId) -> Outcome<'a> {
        match self.graph.way(id) {
            Way::Cell(column) => Ok(match self.raw(column) {
                Value::Text(text) => Value::text(trim(text)),
                other => other,
            }),
            Way::OwnCell(column) => match self.raw_text(column) {
                Some(text) => Ok(Value::Text(text)),
                None => self.compute(id),
            },
            Way::Attribute(slot) => Ok(self.attribute(slot)),
            Way::Absent => Ok(Value::Absent),
            Way::Computed => self.compute(id),
            Way::Kept => {
                let kept = &self.kept[id.0 as usize];
                let (stamp, outcome) = kept.get();
                if self.place.get().elsewhere {
                    return self.compute(id);
                }
                if stamp == self.stamp.get() {
                    return outcome;
                }
                let outcome = self.compute(id);
                kept.set((self.stamp.get(), outcome));
                outcome
            }
        }
    }

    /// Whether a node is true for the record in hand.
    ///
    /// # Errors
    /// When a helper or a comparison could not work on what it was given.
    pub fn test(&self, id: NodeId) -> Result<bool, Failure> {
        match self.graph.node(id) {
            Node::Attribute(slot) => Ok(self.attribute(*slot).is_true()),
            Node::All(nodes) => self.sides(nodes, false),
            Node::Any(nodes) => self.sides(nodes, true),
            Node::Not(node) => Ok(!self.test(*node)?),
            Node::Has(node) => Ok(!self.value(*node)?.is_absent()),
            Node::CompareText(relation, left, right) => {
                arithmetic::compare_texts(self, *relation, *left, *right)
            }
            Node::CompareNumber(relation, left, right) => {
                arithmetic::compare_numbers(self, *relation, *left, *right)
            }
            _ => Ok(self.value(id)?.is_true()),
        }
    }

    /// Whether one of some is as wanted. As in CEL, a failure on one side yields to what settles it on another.
    fn sides(&self, nodes: &[NodeId], wanted: bool) -> Result<bool, Failure> {
        let mut failed = None;
        for &node in nodes {
            match self.test(node) {
                Ok(yes) if yes == wanted => return Ok(wanted),
                Ok(_) => {}
                Err(failure) => failed = Some(failure),
            }
        }
        failed.map_or(Ok(!wanted), Err)
    }

    /// The text of a cell of the row in hand, without space around it; `None` when absent or a list.
    #[inline]
    pub fn raw_text(&self, column: u32) -> Option<&'a str> {
        match self.raw(column) {
            Value::Text(text) => Some(trim(text)).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    #[inline]
    fn raw(&self, column: u32) -> Value<'a> {
        let place = self.place.get();
        if place.batch.order.is_empty() && !place.batch.lists {
            return Value::text(place.record.cell(column));
        }
        self.raw_of_another_layout(column)
    }

    /// A cell where columns stand in another order, or cells may be lists.
    #[inline(never)]
    fn raw_of_another_layout(&self, column: u32) -> Value<'a> {
        let place = self.place.get();
        let order = &place.batch.order;
        let column = if order.is_empty() {
            column
        } else {
            order.get(column as usize).copied().unwrap_or(u32::MAX)
        };
        let text = place.record.cell(column);
        if place.batch.lists && text.contains(ELEMENT) {
            Value::list(text)
        } else {
            Value::text(text)
        }
    }

    /// The nodes that most records ask for.
    fn compute(&self, id: NodeId) -> Outcome<'a> {
        match self.graph.node(id) {
            Node::Text(text) => Ok(Value::Text(text)),
            Node::Raw(column) => Ok(self.raw(*column)),
            Node::Read { reading, input } => self.read(*reading, *input),
            Node::First(nodes) => {
                for &node in nodes {
                    let value = self.value(node)?;
                    if !value.is_absent() {
                        return Ok(value);
                    }
                }
                Ok(Value::Absent)
            }
            Node::Inherit { own, siblings } => match self.value(*own)? {
                Value::Absent => self.inherited(id, *own, *siblings),
                value => Ok(value),
            },
            Node::Helper {
                helper: number,
                view,
                positional,
                named,
            } => self.help(*number, *view, positional, named),
            Node::Trim(node) => Ok(match self.value(*node)? {
                Value::Text(text) => Value::text(trim(text)),
                other => other,
            }),
            Node::If {
                test,
                then,
                otherwise,
            } => {
                let branch = if self.test(*test)? { then } else { otherwise };
                self.value(*branch)
            }
            Node::All(_)
            | Node::Any(_)
            | Node::Not(_)
            | Node::Has(_)
            | Node::CompareText(..)
            | Node::CompareNumber(..) => self.test(id).map(Value::Bool),
            _ => self.compute_more(id),
        }
    }

    #[inline(never)]
    fn compute_more(&self, id: NodeId) -> Outcome<'a> {
        match self.graph.node(id) {
            Node::Absent => Ok(Value::Absent),
            Node::Bool(yes) => Ok(Value::Bool(*yes)),
            Node::Attribute(slot) => Ok(self.attribute(*slot)),
            Node::Join { table, key, value } => match self.joined_row(*table, *key) {
                Some(row) => self.at_joined(*table, row, *value),
                None => Ok(Value::Absent),
            },
            Node::StockRow { table, value } => match self.stock_row.get() {
                Some(row) => self.at_joined(*table, row, *value),
                None => Ok(Value::Absent),
            },
            Node::StockSum {
                table,
                key,
                quantity,
                location,
                locations,
            } => self.stock_sum(*table, *key, *quantity, *location, *locations),
            Node::Location(key) => Ok(self.location_key(key)),
            Node::OfProduct(own) => {
                let (place, product) = (self.place.get(), self.product.get());
                if place.elsewhere || place.row == product.row || product.end <= product.start {
                    self.value(*own)
                } else {
                    self.at_row(product.row, *own)
                }
            }
            Node::Gather(own) => self.gather(*own),
            Node::EachVariant(own) => {
                let rows = self.variants.borrow().clone();
                self.over_rows(rows.into_iter(), *own)
            }
            Node::Concat(nodes) => self.concat(nodes),
            Node::Union(nodes) => self.union(nodes),
            Node::Each {
                list,
                body,
                otherwise,
            } => self.each(*list, *body, *otherwise),
            Node::This { up, part } => Ok(self.this(*up, *part)),
            Node::Rendered { template, names } => self.render(*template, names),
            Node::ListOf(nodes) => {
                let mut text = ArenaString::new_in(self.arena);
                for (index, &node) in nodes.iter().enumerate() {
                    if index > 0 {
                        text.push(ELEMENT);
                    }
                    self.append(&mut text, self.value(node)?)?;
                }
                Ok(Value::list(text.into_bump_str()))
            }
            node => arithmetic::compute(self, node),
        }
    }

    fn concat(&self, nodes: &[NodeId]) -> Outcome<'a> {
        let mut text = ArenaString::with_capacity_in(64, self.arena);
        for &node in nodes {
            self.append(&mut text, self.value(node)?)?;
        }
        Ok(Value::text(text.into_bump_str()))
    }

    fn union(&self, nodes: &[NodeId]) -> Outcome<'a> {
        // The main image usually leads the list of all.
        if let [first, all] = *nodes {
            let (first, all) = (self.value(first)?, self.value(all)?);
            let leads = |list: List<'a>| {
                first
                    .as_text()
                    .and_then(|text| list.0.strip_prefix(text))
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(ELEMENT))
            };
            match all {
                _ if first.is_absent() => return Ok(all),
                Value::Absent => return Ok(first),
                Value::List(list) if leads(list) => return Ok(all),
                Value::Text(text) if first.as_text() == Some(text) => return Ok(all),
                _ => {}
            }
        }
        let mut seen: Vec<&'a str> = Vec::new();
        for &node in nodes {
            for element in self.value(node)?.elements() {
                if !seen.contains(&element) {
                    seen.push(element);
                }
            }
        }
        Ok(self.list_of(&seen))
    }

    #[inline(never)]
    fn read(&self, number: u32, input: NodeId) -> Outcome<'a> {
        let value = self.value(input)?;
        if value.is_absent() {
            return Ok(value);
        }
        let reading = &self.graph.readings[number as usize];
        let (value, trouble) = reading::read(reading, value, self.arena);
        if let Some(trouble) = trouble {
            self.misread(reading, trouble);
        }
        Ok(value)
    }

    #[cold]
    fn misread(&self, reading: &reading::Reading, trouble: Trouble) {
        let place = self.place.get();
        // A product's row reports its own cells when it is in hand; a variant that inherits does not repeat it.
        if !place.elsewhere || place.joined {
            self.misread.borrow_mut().push(Misread {
                trouble,
                sku: self.home_sku(),
                file: place.batch.file_of(place.row),
                line: place.batch.line(place.row),
                column: reading.shown.clone(),
            });
        }
    }
}

/// A text without white space around it; costs next to nothing where there is none.
#[inline]
pub(in crate::program) fn trim(text: &str) -> &str {
    // White space outside ASCII begins with one of these bytes; Thai, Cyrillic and the like never do.
    let bytes = text.as_bytes();
    let tidy = match bytes {
        [0xc2 | 0xe1..=0xe3, ..] | [.., 0xc2, _] | [.., 0xe1..=0xe3, _, _] => false,
        [first, .., last] => *first > b' ' && *last > b' ',
        [only] => *only > b' ',
        [] => true,
    };
    if tidy { text } else { text.trim() }
}

#[cfg(test)]
mod tests {
    use super::trim;

    #[test]
    fn every_white_space_is_trimmed() {
        for space in (0..=0x3000)
            .filter_map(char::from_u32)
            .filter(|letter| letter.is_whitespace())
        {
            for inner in ["a", "ก", "ż", "語", "🪔", ""] {
                assert_eq!(
                    trim(&format!("{space}{inner}{space}")),
                    inner,
                    "U+{:04X}",
                    u32::from(space)
                );
            }
        }
        assert_eq!(trim("ชาอู่หลง"), "ชาอู่หลง");
    }
}
