//! One feed on one batch: filter, compute, check, render. What is withheld writes nothing.

mod log;
mod shape;

use xxhash_rust::xxh3::xxh3_128;

use crate::channel::manifest::{AttributeLevel, Format, Records};
use crate::model::value::Value;
use crate::validate::finding::Severity;

use super::attribute::{AttributeProgram, Problem};
use super::columns::{Translated, View};
use super::escape::Escape;
use super::evaluate::{Evaluator, Product};
use super::graph::NodeId;
use super::logged::LogProgram;
use super::lower::{LateNumber, Operation, Place};
use super::members::Shape;
use super::table::RowId;

/// What a feed compiled to.
pub struct FeedProgram {
    /// The feed's name.
    pub name: String,
    /// The channel's name.
    pub channel: String,
    /// What one item is.
    pub records: Records,
    /// How it sees the catalog.
    pub view: View,
    /// Which records it has.
    pub filter: Option<NodeId>,
    /// Its attributes, in order.
    pub attributes: Vec<AttributeProgram>,
    /// Which of them two items may not share.
    pub unique: Option<usize>,
    /// What is written once, before the items of each part.
    pub head: Vec<Operation>,
    /// What is written for each item.
    pub body: Vec<Operation>,
    /// What is written once, after the items of each part.
    pub tail: Vec<Operation>,
    /// The JSON shape of an item, where there is no template.
    pub shape: Option<Shape>,
    /// The format.
    pub format: Format,
    /// How its values are escaped.
    pub escape: Escape,
    /// The stock table and key, where an item is a stock row.
    pub stock: Option<(u32, NodeId)>,
    /// Columns that may come from a fallback language.
    pub translated: Vec<Translated>,
    /// Catalog columns that the template names, for whoever renders it by the crate.
    pub catalog: Vec<(Vec<String>, NodeId)>,
    /// Whether something is written unescaped.
    pub raw: bool,
    /// How many attribute slots there are in all feeds.
    pub slots: usize,
    /// Whether the items' attributes with a value are counted.
    pub fill: bool,
    /// What is told of each item beside its bytes, where that is asked for.
    pub log: Option<LogProgram>,
}

/// Where and for whom a problem was found.
pub struct Reported {
    /// What is wrong.
    pub problem: Problem,
    /// The attribute's name.
    pub attribute: String,
    /// The record's SKU.
    pub sku: Option<String>,
    /// The record's row in the batch.
    pub row: usize,
}

/// A place in an item that only the writer can fill.
#[derive(Clone, Copy, Debug)]
pub struct Hole {
    /// Where in the feed's bytes.
    pub at: usize,
    /// What belongs there.
    pub fill: Fill,
}

/// What fills a hole.
#[derive(Clone, Copy, Debug)]
pub enum Fill {
    /// A number.
    Number(LateNumber),
    /// One of two ranges of the alternatives, by the item's place.
    Either {
        /// What is asked.
        place: Place,
        /// The bytes when it is so.
        then: (usize, usize),
        /// The bytes when it is not.
        otherwise: (usize, usize),
    },
}

/// One rendered item.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// Where its bytes end; they begin where the item before ended.
    pub end: usize,
    /// Where its holes end.
    pub holes: usize,
    /// Where the text of its unique attribute ends among the ids.
    pub id_end: usize,
    /// Hash of what must be unique, 0 when nothing must.
    pub unique: u128,
    /// Where what the log says of it ends.
    pub log_end: usize,
    /// Its row in the batch.
    pub row: usize,
}

/// What one feed made of one batch.
#[derive(Default)]
pub struct FeedOutput {
    /// The items' bytes, one after another.
    pub bytes: Vec<u8>,
    /// The items.
    pub items: Vec<Item>,
    /// Places the writer fills.
    pub holes: Vec<Hole>,
    /// What may fill them.
    pub alternatives: Vec<u8>,
    /// The texts of the unique attribute, one after another; each item says where its own ends.
    pub ids: String,
    /// Records read, in the feed's kind of record.
    pub read: u64,
    /// Records the filter left out.
    pub filtered: u64,
    /// Records withheld.
    pub withheld: u64,
    /// What is wrong with values.
    pub reported: Vec<Reported>,
    /// The items as templates see them, where that was asked for.
    pub described: Option<Vec<serde_json::Value>>,
    /// Where it is counted, 1 for each attribute that has a value, 0 for the others: item by item, in the attributes' order.
    pub fill: Vec<u8>,
    /// What the log says of the items, one after another; each item says where its own ends.
    pub log: Vec<u8>,
}

impl FeedOutput {
    /// Empties it; buffers are kept.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
        self.holes.clear();
        self.alternatives.clear();
        self.ids.clear();
        self.reported.clear();
        if let Some(described) = &mut self.described {
            described.clear();
        }
        self.fill.clear();
        self.log.clear();
        (self.read, self.filtered, self.withheld) = (0, 0, 0);
    }
}

/// A product as it lies in the batch: its rows, and which of them are variants.
pub struct ProductRows<'r> {
    /// Its place.
    pub product: Product,
    /// The variants' rows.
    pub variants: &'r [usize],
}

/// One feed at work on one batch.
pub struct FeedRun<'r, 'a> {
    program: &'r FeedProgram,
    run: &'r Evaluator<'a>,
    sku: NodeId,
    excluded: &'r dyn Fn(&str, &str) -> Option<String>,
    problems: Vec<Problem>,
    /// Attribute values of the variants in hand, `attributes` a variant.
    matrix: Vec<Value<'a>>,
    rows: Vec<usize>,
    product: Product,
    variant: usize,
    scratch: Vec<u8>,
}

impl<'r, 'a> FeedRun<'r, 'a> {
    /// A feed on an evaluator. `excluded` gives the reason why the project leaves a SKU out of a feed.
    pub fn new(
        program: &'r FeedProgram,
        run: &'r Evaluator<'a>,
        sku: NodeId,
        excluded: &'r dyn Fn(&str, &str) -> Option<String>,
    ) -> Self {
        FeedRun {
            program,
            run,
            sku,
            excluded,
            problems: Vec::new(),
            matrix: Vec::new(),
            rows: Vec::new(),
            product: Product::default(),
            variant: 0,
            scratch: Vec::new(),
        }
    }

    /// Whether items are whole products.
    pub fn takes_products(&self) -> bool {
        self.program.records == Records::Products
    }

    /// Makes the items of one variant, whose row is in hand.
    pub fn variant(&mut self, row: usize, out: &mut FeedOutput) {
        match self.program.records {
            Records::Variants => self.item(row, out),
            Records::Stock => {
                let Some((table, key)) = self.program.stock else {
                    return;
                };
                for stock in self.run.stock_rows(table, key) {
                    self.stock_item(row, stock, out);
                }
                self.run.select_stock(None);
            }
            Records::Products => {}
        }
    }

    /// What stands before or after the items: operations on what is known at load.
    ///
    /// # Errors
    /// When a helper cannot work on what it is given there.
    pub fn document(&mut self, operations: &[Operation]) -> Result<FeedOutput, Box<Problem>> {
        let mut out = FeedOutput::default();
        let mut bytes = Vec::new();
        self.operations(operations, &mut bytes, &mut out)?;
        out.bytes = bytes;
        Ok(out)
    }

    fn stock_item(&mut self, row: usize, stock: RowId, out: &mut FeedOutput) {
        self.run.select_stock(Some(stock));
        let run = self.run;
        let location = run.stock_location();
        run.select_location(location);
        if let (Some(wanted), Some(code)) =
            (&self.program.view.locations, run.stock_location_code())
            && !wanted.iter().any(|known| known == code)
        {
            out.read += 1;
            out.filtered += 1;
            run.select_location(None);
            return;
        }
        self.item(row, out);
        run.select_location(None);
    }

    /// An item of one variant or stock row, in hand.
    fn item(&mut self, row: usize, out: &mut FeedOutput) {
        out.read += 1;
        if !self.admitted(row, out) {
            return;
        }
        let program = self.program;
        let broken = self.compute(program.attributes.iter().map(|attribute| (attribute, true)));
        self.report(row, out);
        if broken {
            out.withheld += 1;
            return;
        }
        self.render(row, out);
    }

    /// Whether filter and exclusion let the record in hand pass.
    fn admitted(&mut self, row: usize, out: &mut FeedOutput) -> bool {
        if let Some(filter) = self.program.filter {
            match self.run.value(filter) {
                Ok(value) if value.is_true() => {}
                Ok(_) => {
                    out.filtered += 1;
                    return false;
                }
                Err(failure) => {
                    let trouble = self.run.trouble(failure);
                    self.problems.push(Problem {
                        rule: trouble.rule,
                        severity: Severity::Error,
                        message: format!("`where`: {}", trouble.message),
                        hint: trouble.hint,
                    });
                    self.report(row, out);
                    out.withheld += 1;
                    return false;
                }
            }
        }
        if let Some(sku) = self.run.text(self.sku)
            && (self.excluded)(sku, &self.program.name).is_some()
        {
            out.filtered += 1;
            return false;
        }
        true
    }

    /// Computes and checks attributes; true when an error was found. With `false` an attribute is taken as computed.
    fn compute<'p>(
        &mut self,
        attributes: impl Iterator<Item = (&'p AttributeProgram, bool)> + Clone,
    ) -> bool
    where
        'r: 'p,
    {
        let run = self.run;
        let mut conditional = false;
        for (attribute, _) in attributes.clone().filter(|(_, compute)| *compute) {
            let before = self.problems.len();
            let value = attribute.compute(run, &mut self.problems);
            run.set_attribute(attribute.slot, value);
            let said = self.problems[before..]
                .iter()
                .any(|problem| problem.severity == Severity::Error);
            if value.is_absent() && attribute.required && !said {
                attribute.check_presence(value, run, &mut self.problems);
            }
            for problem in &mut self.problems[before..] {
                if !problem.message.starts_with('`') {
                    problem.message = format!("`{}`: {}", attribute.name, problem.message);
                }
            }
            conditional |= attribute.required_if.is_some();
        }
        if conditional {
            for (attribute, _) in attributes
                .filter(|(attribute, compute)| *compute && attribute.required_if.is_some())
            {
                attribute.check_presence(run.attribute(attribute.slot), run, &mut self.problems);
            }
        }
        for translated in &self.program.translated {
            let exact = run.value(translated.exact).unwrap_or(Value::Absent);
            if exact.is_absent()
                && run
                    .value(translated.any)
                    .is_ok_and(|value| !value.is_absent())
            {
                self.problems.push(Problem {
                    rule: "untranslated",
                    severity: Severity::Warning,
                    message: format!(
                        "`{}` is not there in {}; a fallback was taken",
                        translated.column, self.program.view.language
                    ),
                    hint: format!(
                        "translate it: a column `{}.{}`, or a source with that language",
                        translated.column, self.program.view.language
                    ),
                });
            }
        }
        self.problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
    }

    fn report(&mut self, row: usize, out: &mut FeedOutput) {
        if self.problems.is_empty() {
            return;
        }
        let sku = self.run.text(self.sku).map(str::to_owned);
        for problem in self.problems.drain(..) {
            let attribute = problem
                .message
                .strip_prefix('`')
                .and_then(|rest| rest.split('`').next())
                .unwrap_or("")
                .to_owned();
            out.reported.push(Reported {
                problem,
                attribute,
                sku: sku.clone(),
                row,
            });
        }
    }

    /// Makes the item of one product.
    pub fn whole_product(&mut self, rows: &ProductRows<'_>, out: &mut FeedOutput) {
        self.product = rows.product;
        let program = self.program;
        let width = program.attributes.len();
        out.read += 1;
        self.matrix.clear();
        self.rows.clear();
        let mut filtered = 0;
        let (before_filtered, before_withheld) = (out.filtered, out.withheld);
        for &row in rows.variants {
            self.run.select(row, rows.product);
            if !self.admitted(row, out) {
                filtered += 1;
                continue;
            }
            let broken = self.compute(
                program
                    .attributes
                    .iter()
                    .map(|attribute| (attribute, attribute.level == AttributeLevel::Variant)),
            );
            self.report(row, out);
            if broken {
                continue;
            }
            self.rows.push(row);
            for attribute in &program.attributes {
                self.matrix.push(self.run.attribute(attribute.slot));
            }
        }
        (out.filtered, out.withheld) = (before_filtered, before_withheld);
        let Some(&first) = self.rows.first() else {
            if filtered == rows.variants.len() {
                out.filtered += 1;
            } else {
                out.withheld += 1;
            }
            return;
        };
        // The product speaks through its own row where it has one, else through its first variant left.
        let speaker = if rows.product.apart {
            rows.product.row
        } else {
            first
        };
        self.run.set_variants(&self.rows);
        self.run.select(speaker, rows.product);
        let broken = self.compute(
            program
                .attributes
                .iter()
                .map(|attribute| (attribute, attribute.level == AttributeLevel::Product)),
        );
        self.report(speaker, out);
        if broken {
            out.withheld += 1;
            return;
        }
        for (index, attribute) in program.attributes.iter().enumerate() {
            if attribute.level == AttributeLevel::Product {
                let value = self.run.attribute(attribute.slot);
                for variant in 0..self.rows.len() {
                    self.matrix[variant * width + index] = value;
                }
            }
        }
        self.render(speaker, out);
    }

    fn render(&mut self, row: usize, out: &mut FeedOutput) {
        let program = self.program;
        let (start, holes) = (out.bytes.len(), out.holes.len());
        let mut bytes = std::mem::take(&mut out.bytes);
        if let Some(shape) = &program.shape {
            self.shape(shape, &mut bytes);
        }
        let written = self.operations(&program.body, &mut bytes, out);
        out.bytes = bytes;
        if let Err(problem) = written {
            out.bytes.truncate(start);
            out.holes.truncate(holes);
            self.problems.push(*problem);
            self.report(row, out);
            out.withheld += 1;
            return;
        }
        let unique = program
            .unique
            .map(|index| &program.attributes[index])
            .and_then(|attribute| self.run.attribute(attribute.slot).as_text());
        let hash = unique.map_or(0, |text| xxh3_128(text.as_bytes()));
        if let Some(text) = unique {
            out.ids.push_str(text);
        }
        if program.log.is_some() {
            self.log_item(start, unique, out);
        }
        out.items.push(Item {
            end: out.bytes.len(),
            holes: out.holes.len(),
            id_end: out.ids.len(),
            log_end: out.log.len(),
            unique: hash,
            row,
        });
        if let Some(described) = &mut out.described {
            described.push(self.described());
        }
        if program.fill {
            self.count_filled(out);
        }
    }

    /// Notes which attributes of the item in hand have a value; of a product's variants, one is enough.
    fn count_filled(&self, out: &mut FeedOutput) {
        let (attributes, records) = (&self.program.attributes, self.program.records);
        for (index, attribute) in attributes.iter().enumerate() {
            let filled =
                if records == Records::Products && attribute.level == AttributeLevel::Variant {
                    self.matrix
                        .iter()
                        .skip(index)
                        .step_by(attributes.len())
                        .any(|value| !value.is_absent())
                } else {
                    !self.run.attribute(attribute.slot).is_absent()
                };
            out.fill.push(u8::from(filled));
        }
    }

    /// The item in hand as the `handlebars` crate is given it.
    fn described(&mut self) -> serde_json::Value {
        let program = self.program;
        let products = self.takes_products();
        let attributes = |run: &Evaluator<'_>, level: AttributeLevel| {
            let attributes = program
                .attributes
                .iter()
                .filter(|attribute| !products || attribute.level == level);
            super::oracle::item(run, attributes, &program.catalog)
        };
        let mut item = attributes(self.run, AttributeLevel::Product);
        if products {
            let speaker = self.run.row();
            let mut variants = Vec::new();
            for variant in 0..self.rows.len() {
                self.take_variant(variant);
                variants.push(serde_json::Value::Object(attributes(
                    self.run,
                    AttributeLevel::Variant,
                )));
            }
            self.leave_variants(speaker);
            item.insert("variants".to_owned(), variants.into());
        }
        item.into()
    }

    fn operations(
        &mut self,
        operations: &[Operation],
        bytes: &mut Vec<u8>,
        out: &mut FeedOutput,
    ) -> Result<(), Box<Problem>> {
        for operation in operations {
            match operation {
                Operation::Literal(text) => bytes.extend_from_slice(text.as_bytes()),
                Operation::PrintAttribute(slot, escape) => {
                    print(self.run.attribute(*slot), *escape, bytes)
                }
                Operation::Print(node, escape) => print(self.value(*node)?, *escape, bytes),
                Operation::Joined(slot, separator, escape) => {
                    self.joined(*slot, separator, *escape, bytes)
                }
                Operation::OncePerProduct(inner) => {
                    if self.variant == 0 {
                        self.operations(inner, bytes, out)?;
                    }
                }
                Operation::If(test, then, otherwise) => {
                    let branch = if self.value(*test)?.is_true() {
                        then
                    } else {
                        otherwise
                    };
                    self.operations(branch, bytes, out)?;
                }
                Operation::Each(list, body, otherwise) => {
                    let list = self.value(*list)?;
                    let count = list.count();
                    if count == 0 {
                        self.operations(otherwise, bytes, out)?;
                    }
                    for (index, element) in list.elements().enumerate() {
                        let run = self.run;
                        run.within(element, index, index + 1 == count, || {
                            self.operations(body, bytes, out)
                        })?;
                    }
                }
                Operation::Variants(body) => {
                    let speaker = self.run.row();
                    for variant in 0..self.rows.len() {
                        self.take_variant(variant);
                        let run = self.run;
                        run.within("", variant, variant + 1 == self.rows.len(), || {
                            self.operations(body, bytes, out)
                        })?;
                    }
                    self.leave_variants(speaker);
                }
                Operation::LateNumber(number) => out.holes.push(Hole {
                    at: bytes.len(),
                    fill: Fill::Number(*number),
                }),
                Operation::Late(place, then, otherwise) => {
                    let mut alternative =
                        |operations: &[Operation],
                         this: &mut Self|
                         -> Result<(usize, usize), Box<Problem>> {
                            let mut scratch = std::mem::take(&mut this.scratch);
                            scratch.clear();
                            this.operations(operations, &mut scratch, out)?;
                            let start = out.alternatives.len();
                            out.alternatives.extend_from_slice(&scratch);
                            this.scratch = scratch;
                            Ok((start, out.alternatives.len()))
                        };
                    let then = alternative(then, self)?;
                    let otherwise = alternative(otherwise, self)?;
                    out.holes.push(Hole {
                        at: bytes.len(),
                        fill: Fill::Either {
                            place: *place,
                            then,
                            otherwise,
                        },
                    });
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn value(&self, node: NodeId) -> Result<Value<'a>, Box<Problem>> {
        self.run.value(node).map_err(|failure| {
            let trouble = self.run.trouble(failure);
            Box::new(Problem {
                rule: trouble.rule,
                severity: Severity::Error,
                message: trouble.message,
                hint: trouble.hint,
            })
        })
    }

    fn joined(&self, slot: u32, separator: &str, escape: Escape, bytes: &mut Vec<u8>) {
        match self.run.attribute(slot) {
            Value::List(list) => {
                let joined = list
                    .iter()
                    .map(|element| element.replace(crate::model::value::PAIR, ": "))
                    .collect::<Vec<_>>()
                    .join(separator);
                escape.write(&joined, bytes);
            }
            other => print(other, escape, bytes),
        }
    }

    fn take_variant(&mut self, variant: usize) {
        self.variant = variant;
        self.run.select(self.rows[variant], self.product);
        let width = self.program.attributes.len();
        for (index, attribute) in self.program.attributes.iter().enumerate() {
            if attribute.level == AttributeLevel::Variant {
                self.run
                    .set_attribute(attribute.slot, self.matrix[variant * width + index]);
            }
        }
    }

    fn leave_variants(&mut self, speaker: usize) {
        self.variant = 0;
        self.run.select(speaker, self.product);
    }
}

#[inline]
fn print(value: Value<'_>, escape: Escape, bytes: &mut Vec<u8>) {
    match value {
        Value::Text(text) => escape.write(text, bytes),
        Value::Absent => {}
        Value::Bool(yes) => bytes.extend_from_slice(if yes { b"true" } else { b"false" }),
        // Lint refuses a bare list; the crate would print it like this.
        Value::List(list) => escape.write(
            &format!("[{}]", list.iter().collect::<Vec<_>>().join(", ")),
            bytes,
        ),
    }
}
