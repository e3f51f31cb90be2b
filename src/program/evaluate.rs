//! Runs the graph: the value of a node for the record in hand.
//!
//! An evaluator lives as long as a batch. Values borrow from the batch, the tables, the graph or the arena; what a record
//! was asked once is kept until the next record. It knows rows and products, not feeds.

mod rows;

use std::cell::{Cell, RefCell};

use bumpalo::Bump;
use bumpalo::collections::String as ArenaString;

use crate::catalog::Batch;
use crate::helper::{Arguments, HelperContext};
use crate::model::value::{ELEMENT, List, Value, pair};

use super::Tables;
use super::graph::{Graph, Node, NodeId, Part, helper};
use super::table::RowId;
use super::{arithmetic, reading};

/// Why a node has no value: the number of the [`Trouble`] that says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure(pub u32);

/// A node's value, or why there is none.
pub type Outcome<'a> = Result<Value<'a>, Failure>;

/// A rule broken while a value was computed.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// The rule.
    pub rule: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// A cell that could not be read as what its column holds: a finding about the catalog.
#[derive(Clone, Debug)]
pub struct Misread {
    /// The rule, the message, the way out.
    pub trouble: Trouble,
    /// The SKU of the record in hand, where it has one.
    pub sku: Option<String>,
    /// The file's number.
    pub file: u32,
    /// The record's line.
    pub line: u64,
    /// The source's column.
    pub column: String,
}

/// The rows of the product in hand, in its batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Product {
    /// First row.
    pub start: usize,
    /// One past the last row.
    pub end: usize,
    /// The row that stands for the product.
    pub row: usize,
    /// Whether that row is not itself a variant.
    pub apart: bool,
}

#[derive(Clone, Copy)]
struct Place<'a> {
    batch: &'a Batch,
    row: usize,
    /// A row other than the record's own: nothing is kept, nothing reported.
    elsewhere: bool,
    /// A row of a joined source: misread cells there are reported.
    joined: bool,
}

#[derive(Clone, Copy)]
struct Frame<'a> {
    element: &'a str,
    index: usize,
    last: bool,
}

type Kept<'a> = Cell<(u32, Outcome<'a>)>;

/// Computes values of the records of one batch.
pub struct Evaluator<'a> {
    graph: &'a Graph,
    tables: &'a Tables,
    /// Where new text is put.
    pub arena: &'a Bump,
    contexts: &'a [HelperContext<'a>],
    kept: Vec<Kept<'a>>,
    stamp: Cell<u32>,
    joined: Vec<Cell<(u32, Option<RowId>)>>,
    place: Cell<Place<'a>>,
    home: Cell<Place<'a>>,
    sku: Cell<Option<NodeId>>,
    product: Cell<Product>,
    stock_row: Cell<Option<RowId>>,
    variants: RefCell<Vec<usize>>,
    location: Cell<Option<u32>>,
    frames: RefCell<Vec<Frame<'a>>>,
    attributes: Vec<Cell<Value<'a>>>,
    troubles: RefCell<Vec<Trouble>>,
    misread: RefCell<Vec<Misread>>,
}

impl<'a> Evaluator<'a> {
    /// An evaluator over a batch, with room for so many attributes.
    pub fn new(
        graph: &'a Graph,
        tables: &'a Tables,
        contexts: &'a [HelperContext<'a>],
        arena: &'a Bump,
        batch: &'a Batch,
        attributes: usize,
    ) -> Self {
        Evaluator {
            graph,
            tables,
            arena,
            contexts,
            kept: vec![Cell::new((0, Ok(Value::Absent))); graph.len()],
            stamp: Cell::new(1),
            joined: vec![Cell::new((0, None)); tables.joined.len()],
            place: Cell::new(Place {
                batch,
                row: 0,
                elsewhere: false,
                joined: false,
            }),
            home: Cell::new(Place {
                batch,
                row: 0,
                elsewhere: true,
                joined: false,
            }),
            sku: Cell::new(None),
            product: Cell::new(Product::default()),
            stock_row: Cell::new(None),
            variants: RefCell::new(Vec::new()),
            location: Cell::new(None),
            frames: RefCell::new(Vec::new()),
            attributes: vec![Cell::new(Value::Absent); attributes],
            troubles: RefCell::new(Vec::new()),
            misread: RefCell::new(Vec::new()),
        }
    }

    /// Says which node is the record's SKU, for messages.
    pub fn set_sku(&self, sku: NodeId) {
        self.sku.set(Some(sku));
    }

    /// The SKU of the record in hand, wherever values are computed just now.
    fn home_sku(&self) -> Option<String> {
        let sku = self.sku.get()?;
        let before = self.place.replace(self.home.get());
        let text = self.text(sku).map(str::to_owned);
        self.place.set(before);
        text
    }

    /// Takes a row in hand. What was kept of the last one is forgotten.
    pub fn select(&self, row: usize, product: Product) {
        let batch = self.place.get().batch;
        self.place.set(Place {
            batch,
            row,
            elsewhere: false,
            joined: false,
        });
        self.home.set(Place {
            batch,
            row,
            elsewhere: true,
            joined: false,
        });
        self.product.set(product);
        self.stamp.set(self.stamp.get() + 1);
        self.stock_row.set(None);
        self.location.set(None);
    }

    /// The row in hand.
    pub fn row(&self) -> usize {
        self.place.get().row
    }

    /// Takes a stock row of the record in hand (or none).
    pub fn select_stock(&self, row: Option<RowId>) {
        self.stock_row.set(row);
    }

    /// Says which rows are the variants of the product in hand.
    pub fn set_variants(&self, rows: &[usize]) {
        let mut variants = self.variants.borrow_mut();
        variants.clear();
        variants.extend_from_slice(rows);
    }

    /// Takes a location in hand (or none).
    pub fn select_location(&self, location: Option<u32>) {
        self.location.set(location);
    }

    /// Sets a computed attribute of the item in hand.
    #[inline]
    pub fn set_attribute(&self, slot: u32, value: Value<'a>) {
        self.attributes[slot as usize].set(value);
    }

    /// A computed attribute of the item in hand.
    #[inline]
    pub fn attribute(&self, slot: u32) -> Value<'a> {
        self.attributes[slot as usize].get()
    }

    /// What went wrong, by a failure's number.
    pub fn trouble(&self, failure: Failure) -> Trouble {
        self.troubles.borrow()[failure.0 as usize].clone()
    }

    /// The cells misread since last asked.
    pub fn take_misread(&self) -> Vec<Misread> {
        if self.misread.borrow().is_empty() {
            Vec::new()
        } else {
            self.misread.take()
        }
    }

    /// The code of the location of the stock row in hand.
    pub fn stock_location_code(&self) -> Option<&'a str> {
        let table = self.tables.stock?;
        self.stock_row.get().and_then(|row| {
            self.at_joined(table, row, self.tables.stock_location?)
                .ok()?
                .as_text()
        })
    }

    /// The number of the location of the stock row in hand, where the project knows it.
    pub fn stock_location(&self) -> Option<u32> {
        let code = self.stock_location_code()?;
        let at = self
            .tables
            .locations
            .iter()
            .position(|location| location.code == code)?;
        u32::try_from(at).ok()
    }

    /// The stock rows a record has in a table.
    pub fn stock_rows(&self, table: u32, key: NodeId) -> Vec<RowId> {
        let tables = self.tables;
        let first = self.joined_row(table, key);
        std::iter::successors(first, |&row| tables.joined[table as usize].next(row)).collect()
    }

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
    #[inline]
    pub fn value(&self, id: NodeId) -> Outcome<'a> {
        let graph = self.graph;
        match graph.node(id) {
            Node::Absent => return Ok(Value::Absent),
            Node::Text(text) => return Ok(Value::Text(text)),
            Node::Raw(column) => return Ok(self.raw(*column)),
            Node::Attribute(slot) => return Ok(self.attribute(*slot)),
            _ => {}
        }
        if !graph.is_kept(id) || self.place.get().elsewhere {
            return self.compute(id);
        }
        let kept = &self.kept[id.0 as usize];
        let (stamp, outcome) = kept.get();
        if stamp == self.stamp.get() {
            return outcome;
        }
        let outcome = self.compute(id);
        kept.set((self.stamp.get(), outcome));
        outcome
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
        let order = &place.batch.order;
        let column = if order.is_empty() {
            column
        } else {
            order.get(column as usize).copied().unwrap_or(u32::MAX)
        };
        let text = place.batch.cell(place.row, column as usize);
        if place.batch.lists && text.contains(ELEMENT) {
            Value::list(text)
        } else {
            Value::text(text)
        }
    }

    /// A failure that says so.
    pub fn fail(&self, rule: &'static str, message: String, hint: &str) -> Failure {
        let mut troubles = self.troubles.borrow_mut();
        troubles.push(Trouble {
            rule,
            message,
            hint: hint.to_owned(),
        });
        Failure(u32::try_from(troubles.len() - 1).unwrap_or(u32::MAX))
    }

    /// Tells something wrong with the record in hand that is no one feed's matter.
    pub(super) fn report(&self, rule: &'static str, message: String, hint: &str, column: &str) {
        let place = self.place.get();
        if place.elsewhere {
            return;
        }
        self.misread.borrow_mut().push(Misread {
            trouble: Trouble {
                rule,
                message,
                hint: hint.to_owned(),
            },
            sku: self.home_sku(),
            file: place.batch.file_of(place.row),
            line: place.batch.line(place.row),
            column: column.to_owned(),
        });
    }

    fn compute(&self, id: NodeId) -> Outcome<'a> {
        let graph = self.graph;
        match graph.node(id) {
            Node::Absent => Ok(Value::Absent),
            Node::Text(text) => Ok(Value::Text(text)),
            Node::Bool(yes) => Ok(Value::Bool(*yes)),
            Node::Raw(column) => Ok(self.raw(*column)),
            Node::Attribute(slot) => Ok(self.attribute(*slot)),
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
            Node::Inherit { own, siblings } => self.inherit(*own, *siblings),
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
            Node::Helper {
                helper: number,
                view,
                positional,
                named,
            } => self.help(*number, *view, positional, named),
            Node::Concat(nodes) => {
                let mut text = ArenaString::new_in(self.arena);
                for &node in nodes {
                    self.append(&mut text, self.value(node)?)?;
                }
                Ok(Value::text(text.into_bump_str()))
            }
            Node::If {
                test,
                then,
                otherwise,
            } => {
                if self.value(*test)?.is_true() {
                    self.value(*then)
                } else {
                    self.value(*otherwise)
                }
            }
            Node::Trim(node) => Ok(match self.value(*node)? {
                Value::Text(text) => Value::text(trim(text)),
                other => other,
            }),
            Node::Union(nodes) => {
                // The main image usually leads the list of all.
                if let [first, all] = **nodes {
                    let (first, all) = (self.value(first)?, self.value(all)?);
                    let leads = |list: List<'a>| {
                        first
                            .as_text()
                            .is_some_and(|text| list.iter().next() == Some(text))
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
            Node::Each {
                list,
                body,
                otherwise,
            } => self.each(*list, *body, *otherwise),
            Node::This { up, part } => Ok(self.this(*up, *part)),
            Node::Rendered { template, names } => self.render(*template, names),
            Node::All(nodes) => {
                // CEL: a failure on one side yields to `false` on the other.
                let mut failed = None;
                for &node in nodes {
                    match self.value(node) {
                        Ok(value) if !value.is_true() => return Ok(Value::Bool(false)),
                        Ok(_) => {}
                        Err(failure) => failed = Some(failure),
                    }
                }
                failed.map_or(Ok(Value::Bool(true)), Err)
            }
            Node::Any(nodes) => {
                let mut failed = None;
                for &node in nodes {
                    match self.value(node) {
                        Ok(value) if value.is_true() => return Ok(Value::Bool(true)),
                        Ok(_) => {}
                        Err(failure) => failed = Some(failure),
                    }
                }
                failed.map_or(Ok(Value::Bool(false)), Err)
            }
            Node::Not(node) => Ok(Value::Bool(!self.value(*node)?.is_true())),
            Node::Has(node) => Ok(Value::Bool(!self.value(*node)?.is_absent())),
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

    /// The pattern of a number.
    pub(super) fn pattern(&self, number: u32) -> &'a regex::Regex {
        &self.graph.patterns[number as usize]
    }

    /// The tables values are joined from.
    pub fn tables(&self) -> &'a Tables {
        self.tables
    }

    fn append(&self, text: &mut ArenaString<'a>, value: Value<'a>) -> Result<(), Failure> {
        match value.as_text() {
            Some(part) => {
                text.push_str(part);
                Ok(())
            }
            None => Err(self.fail(
                "list-as-text",
                "a list stands where text is wanted".to_owned(),
                "join it: `{{join images \", \"}}`, or loop with `{{#each}}`",
            )),
        }
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
        Ok(value)
    }

    #[inline(never)]
    fn help(
        &self,
        number: u16,
        view: u16,
        positional: &'a [NodeId],
        named: &'a [(Box<str>, NodeId)],
    ) -> Outcome<'a> {
        let helper = helper(number);
        let mut values = [Value::Absent; 8];
        let mut more = Vec::new();
        let positional = if positional.len() <= values.len() {
            for (slot, &node) in values.iter_mut().zip(positional) {
                *slot = self.value(node)?;
            }
            &values[..positional.len()]
        } else {
            for &node in positional {
                more.push(self.value(node)?);
            }
            more.as_slice()
        };
        let named: Vec<(&str, Value<'a>)> = named
            .iter()
            .map(|(name, node)| Ok((&**name, self.value(*node)?)))
            .collect::<Result<_, Failure>>()?;
        let arguments = Arguments {
            positional,
            named: &named,
        };
        (helper.call)(&arguments, &self.contexts[usize::from(view)]).map_err(|error| {
            self.fail(
                "helper-failed",
                format!("`{}`: {error}", helper.name),
                "change the mapping, or the value it works on",
            )
        })
    }

    #[inline(never)]
    fn each(&self, list: NodeId, body: NodeId, otherwise: NodeId) -> Outcome<'a> {
        let list = self.value(list)?;
        let count = list.count();
        if count == 0 {
            return self.value(otherwise);
        }
        let mut text = ArenaString::new_in(self.arena);
        for (index, element) in list.elements().enumerate() {
            let part = self.within(element, index, index + 1 == count, || self.value(body))?;
            self.append(&mut text, part)?;
        }
        Ok(Value::text(text.into_bump_str()))
    }

    /// Runs something with a loop standing at an element.
    pub fn within<T>(
        &self,
        element: &'a str,
        index: usize,
        last: bool,
        run: impl FnOnce() -> T,
    ) -> T {
        self.frames.borrow_mut().push(Frame {
            element,
            index,
            last,
        });
        let result = run();
        self.frames.borrow_mut().pop();
        result
    }

    #[inline(never)]
    fn this(&self, up: u8, part: Part) -> Value<'a> {
        let frames = self.frames.borrow();
        let Some(frame) = frames
            .len()
            .checked_sub(1 + usize::from(up))
            .and_then(|at| frames.get(at))
        else {
            return Value::Absent;
        };
        match part {
            Part::Element => Value::text(frame.element),
            Part::Name => Value::text(pair(frame.element).0),
            Part::Value => Value::text(pair(frame.element).1),
            Part::Index => Value::Text(self.arena.alloc_str(&frame.index.to_string())),
            Part::First => Value::Bool(frame.index == 0),
            Part::Last => Value::Bool(frame.last),
        }
    }

    #[inline(never)]
    fn render(&self, template: u32, names: &'a [(Box<str>, NodeId)]) -> Outcome<'a> {
        let mut values = Vec::with_capacity(names.len());
        for (name, node) in names {
            values.push((&**name, self.value(*node)?));
        }
        match self.tables.fallbacks[template as usize].render(&values) {
            Ok(text) => Ok(Value::text(self.arena.alloc_str(&text))),
            Err(message) => Err(self.fail("template-failed", message, "correct the template")),
        }
    }
}

/// A text without white space around it; costs next to nothing where there is none.
#[inline]
pub(super) fn trim(text: &str) -> &str {
    let bytes = text.as_bytes();
    // White space outside ASCII begins with one of these bytes; Thai, Cyrillic and the like never do.
    let may_be_space = |lead: u8| lead <= b' ' || matches!(lead, 0xc2 | 0xe1 | 0xe2 | 0xe3);
    let first = bytes.first().is_some_and(|&lead| may_be_space(lead));
    let last = bytes
        .iter()
        .rev()
        .take(3)
        .find(|&&byte| byte & 0xc0 != 0x80)
        .is_some_and(|&lead| may_be_space(lead));
    if first || last { text.trim() } else { text }
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
