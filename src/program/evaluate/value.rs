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
    #[inline(never)]
    pub fn value(&self, id: NodeId) -> Outcome<'a> {
        // Every arm hands its outcome on as it is: nothing stands between the caller and what does the work.
        match self.graph.way(id) {
            Way::Cell(column) => self.cell(column),
            Way::OwnCell(column) => self.own_cell(id, column),
            Way::Read(reading, column) => self.read_cell(id, reading, column),
            Way::OwnRead(own, reading, column) => self.own_read(id, own, reading, column),
            Way::FirstOf(byte, column) => self.first_of(id, byte, column),
            Way::Joined(byte, column) => self.joined_cell(id, byte, column),
            Way::Without(byte, node) => self.without(id, byte, node),
            Way::Attribute(slot) => Ok(self.attribute(slot)),
            Way::Absent => Ok(Value::Absent),
            Way::Computed => self.compute(id),
            Way::Kept => self.kept(id),
        }
    }

    #[inline(never)]
    fn cell(&self, column: u32) -> Outcome<'a> {
        Ok(match self.raw(column) {
            Value::Text(text) => Value::text(trim(text)),
            other => other,
        })
    }

    #[inline(never)]
    fn own_cell(&self, id: NodeId, column: u32) -> Outcome<'a> {
        match self.raw_text(column) {
            Some(text) => Ok(Value::Text(text)),
            None => self.compute(id),
        }
    }

    #[inline(never)]
    fn own_read(&self, id: NodeId, own: NodeId, reading: u32, column: u32) -> Outcome<'a> {
        if let Some(outcome) = self.kept[own.0 as usize].get(self.stamp.get())
            && !self.place.get().elsewhere
        {
            if let Ok(Value::Absent) = outcome {
                return self.compute(id);
            }
            return outcome;
        }
        match self.read_cell(own, reading, column) {
            Ok(Value::Absent) => self.compute(id),
            outcome => outcome,
        }
    }

    #[inline(never)]
    fn read_cell(&self, id: NodeId, reading: u32, column: u32) -> Outcome<'a> {
        let kept = &self.kept[id.0 as usize];
        let elsewhere = self.place.get().elsewhere;
        if !elsewhere && let Some(outcome) = kept.get(self.stamp.get()) {
            return outcome;
        }
        let value = match self.raw(column) {
            Value::Absent => Value::Absent,
            cell => self.read(reading, cell),
        };
        if !elsewhere {
            kept.set(self.stamp.get(), Ok(value));
        }
        Ok(value)
    }

    #[inline(never)]
    fn without(&self, id: NodeId, byte: u8, node: NodeId) -> Outcome<'a> {
        match self.value(node) {
            Ok(Value::Text(text)) if memchr::memchr(byte, text.as_bytes()).is_none() => {
                Ok(Value::Text(text))
            }
            _ => self.compute(id),
        }
    }

    #[inline(never)]
    pub(super) fn kept(&self, id: NodeId) -> Outcome<'a> {
        if self.place.get().elsewhere {
            return self.compute(id);
        }
        let kept = &self.kept[id.0 as usize];
        if let Some(outcome) = kept.get(self.stamp.get()) {
            return outcome;
        }
        let outcome = self.compute(id);
        kept.set(self.stamp.get(), outcome);
        outcome
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
    #[inline(never)]
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

    /// The text of a cell as [`Evaluator::raw_text`] gives it, and the sixteen bytes of the batch that begin with it.
    #[inline]
    pub(in crate::program) fn window(&self, column: u32) -> Option<(&'a str, &'a [u8; 16])> {
        let place = self.place.get();
        if !place.usual {
            return None;
        }
        let (text, window) = place.record.window(column);
        (is_tidy(text) && !text.is_empty())
            .then_some(text)
            .zip(window)
    }

    #[inline]
    fn raw(&self, column: u32) -> Value<'a> {
        let place = self.place.get();
        if place.usual {
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
    #[inline(never)]
    fn compute(&self, id: NodeId) -> Outcome<'a> {
        match self.graph.node(id) {
            Node::Text(text) => Ok(Value::Text(text)),
            Node::Raw(column) => Ok(self.raw(*column)),
            Node::Read { reading, input } => self.read_node(*reading, *input),
            Node::First(nodes) => self.first(nodes),
            Node::Inherit { own, siblings } => self.inherit(id, *own, *siblings),
            Node::Helper {
                helper: number,
                view,
                positional,
                named,
            } => self.help(*number, *view, positional, named),
            Node::Trim(node) => self.trimmed(*node),
            Node::If {
                test,
                then,
                otherwise,
            } => self.branch(*test, *then, *otherwise),
            Node::All(_)
            | Node::Any(_)
            | Node::Not(_)
            | Node::Has(_)
            | Node::CompareText(..)
            | Node::CompareNumber(..) => self.tested(id),
            _ => self.compute_more(id),
        }
    }

    #[inline(never)]
    fn read_node(&self, reading: u32, input: NodeId) -> Outcome<'a> {
        Ok(match self.value(input)? {
            Value::Absent => Value::Absent,
            value => self.read(reading, value),
        })
    }

    #[inline(never)]
    fn first(&self, nodes: &[NodeId]) -> Outcome<'a> {
        for &node in nodes {
            match self.value(node) {
                Ok(Value::Absent) => {}
                outcome => return outcome,
            }
        }
        Ok(Value::Absent)
    }

    #[inline(never)]
    fn inherit(&self, id: NodeId, own: NodeId, siblings: bool) -> Outcome<'a> {
        match self.value(own) {
            Ok(Value::Absent) => self.inherited(id, own, siblings),
            outcome => outcome,
        }
    }

    #[inline(never)]
    fn trimmed(&self, node: NodeId) -> Outcome<'a> {
        Ok(match self.value(node)? {
            Value::Text(text) => Value::text(trim(text)),
            other => other,
        })
    }

    #[inline(never)]
    fn branch(&self, test: NodeId, then: NodeId, otherwise: NodeId) -> Outcome<'a> {
        match self.test(test) {
            Ok(true) => self.value(then),
            Ok(false) => self.value(otherwise),
            Err(failure) => Err(failure),
        }
    }

    #[inline(never)]
    fn tested(&self, id: NodeId) -> Outcome<'a> {
        self.test(id).map(Value::Bool)
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

    /// A value, not absent, read as what its column holds.
    #[inline]
    fn read(&self, number: u32, value: Value<'a>) -> Value<'a> {
        let reading = &self.graph.readings[number as usize];
        match reading::read(reading, value, self.arena) {
            (value, None) => value,
            (value, Some(trouble)) => {
                self.misread(reading, trouble);
                value
            }
        }
    }

    #[cold]
    fn misread(&self, reading: &reading::Reading, trouble: Trouble) {
        let place = self.place.get();
        // A product's row reports its own cells when it is in hand; a variant that inherits does not repeat it.
        if !place.elsewhere || place.joined {
            self.tell();
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
    if is_tidy(text) { text } else { text.trim() }
}

/// True when no white space stands at either end.
#[inline]
pub(super) fn is_tidy(text: &str) -> bool {
    let (Some(&first), Some(&last)) = (text.as_bytes().first(), text.as_bytes().last()) else {
        return true;
    };
    let ascii = |byte: u8| byte > b' ' && byte < 0x80;
    (ascii(first) && ascii(last)) || is_tidy_beyond_ascii(text.as_bytes())
}

/// White space outside ASCII begins with one of a few bytes; Thai, Cyrillic and the like never do.
#[inline(never)]
fn is_tidy_beyond_ascii(bytes: &[u8]) -> bool {
    match bytes {
        [0xc2 | 0xe1..=0xe3, ..] | [.., 0xc2, _] | [.., 0xe1..=0xe3, _, _] => false,
        [first, .., last] => *first > b' ' && *last > b' ',
        [only] => *only > b' ',
        [] => true,
    }
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
