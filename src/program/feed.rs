//! One feed on one batch: filter, compute, check, render. What is withheld writes nothing.

mod log;
mod output;
mod print;
mod shape;
mod sink;
mod steps;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::channel::manifest::{AttributeLevel, Format, Records};
use crate::model::file_name;
use crate::model::value::Value;
use crate::validate::finding::Severity;

use super::attribute::{AttributeProgram, Problem};
use super::columns::{Translated, View};
use super::escape::Escape;
use super::evaluate::{Computed, Evaluator, Product};
use super::graph::NodeId;
use super::logged::LogProgram;
use super::members::Shape;
use super::order::{self, OrderKey};
use super::table::RowId;
pub use output::{FeedOutput, Fill, Hole, Item, ProductRows, Reported};
use sink::Sink;
pub use steps::Steps;

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
    /// Those that must be there under a condition, by their places.
    pub conditional: Vec<usize>,
    /// Which of them two items may not share.
    pub unique: Option<usize>,
    /// What is written once, before the items of each part.
    pub head: Steps,
    /// What is written for each item.
    pub body: Steps,
    /// What is written once, after the items of each part.
    pub tail: Steps,
    /// What is written for the name of an item's file, where each has one of its own.
    pub file: Option<Steps>,
    /// What the items are sorted by.
    pub order: Vec<OrderKey>,
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
    /// Whether an error withholds the item; not where a feed is only tried.
    pub withholds: bool,
    /// What is told of each item beside its bytes, where that is asked for.
    pub log: Option<LogProgram>,
}

/// One feed at work on one batch.
pub struct FeedRun<'r, 'a> {
    program: &'r FeedProgram,
    run: &'r Evaluator<'a>,
    sku: NodeId,
    excluded: &'r dyn Fn(&str, &str) -> Option<String>,
    problems: Vec<Problem>,
    /// Attribute values of the variants in hand, `attributes` a variant.
    matrix: Vec<Computed<'a>>,
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

    /// What stands before or after the items: steps over what is known at load.
    ///
    /// # Errors
    /// When a helper cannot work on what it is given there.
    pub fn document(&mut self, steps: &Steps) -> Result<FeedOutput, Box<Problem>> {
        let mut out = FeedOutput::default();
        let mut sink = Sink::default();
        self.print(steps, &mut sink, &mut out)?;
        out.bytes = sink.into_bytes();
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
        let broken = self.compute(None);
        self.report(row, out);
        if broken && self.program.withholds {
            out.withheld += 1;
            return;
        }
        self.render(row, out);
    }

    /// Whether filter and exclusion let the record in hand pass.
    fn admitted(&mut self, row: usize, out: &mut FeedOutput) -> bool {
        if let Some(filter) = self.program.filter {
            match self.run.test(filter) {
                Ok(true) => {}
                Ok(false) => {
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

    /// Computes and checks the attributes of a level, or all; true when an error was found.
    fn compute(&mut self, level: Option<AttributeLevel>) -> bool {
        let (run, program) = (self.run, self.program);
        let wanted =
            |attribute: &AttributeProgram| level.is_none_or(|level| attribute.level == level);
        for attribute in &program.attributes {
            if !wanted(attribute) {
                continue;
            }
            let before = self.problems.len();
            let computed = attribute.compute(run, &mut self.problems);
            run.set_attribute(attribute.slot, computed);
            if computed.value.is_absent() && attribute.required {
                self.missing(attribute, before);
            }
            if self.problems.len() > before {
                self.name(attribute, before);
            }
        }
        for attribute in program
            .conditional
            .iter()
            .map(|&at| &program.attributes[at])
        {
            let value = run.attribute(attribute.slot);
            if value.is_absent() && wanted(attribute) {
                attribute.check_presence(value, run, &mut self.problems);
            }
        }
        if !program.translated.is_empty() {
            self.untranslated();
        }
        !self.problems.is_empty()
            && self
                .problems
                .iter()
                .any(|problem| problem.severity == Severity::Error)
    }

    /// Says that a required attribute has no value, unless it was said why.
    #[cold]
    fn missing(&mut self, attribute: &AttributeProgram, before: usize) {
        let mut said = self.problems[before..].iter();
        if !said.any(|problem| problem.severity == Severity::Error) {
            attribute.check_presence(Value::Absent, self.run, &mut self.problems);
        }
    }

    /// Puts the attribute's name before what does not name it.
    #[cold]
    fn name(&mut self, attribute: &AttributeProgram, before: usize) {
        for problem in &mut self.problems[before..] {
            if !problem.message.starts_with('`') {
                problem.message = format!("`{}`: {}", attribute.name, problem.message);
            }
        }
    }

    /// Says which texts were taken from a fallback language.
    fn untranslated(&mut self) {
        let run = self.run;
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
            let broken = self.compute(Some(AttributeLevel::Variant));
            self.report(row, out);
            if broken && program.withholds {
                continue;
            }
            self.rows.push(row);
            for attribute in &program.attributes {
                self.matrix.push(self.run.computed(attribute.slot));
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
        let broken = self.compute(Some(AttributeLevel::Product));
        self.report(speaker, out);
        if broken && program.withholds {
            out.withheld += 1;
            return;
        }
        for (index, attribute) in program.attributes.iter().enumerate() {
            if attribute.level == AttributeLevel::Product {
                let computed = self.run.computed(attribute.slot);
                for variant in 0..self.rows.len() {
                    self.matrix[variant * width + index] = computed;
                }
            }
        }
        self.render(speaker, out);
    }

    fn render(&mut self, row: usize, out: &mut FeedOutput) {
        let program = self.program;
        let (start, holes) = (out.written(), out.holes.len());
        let mut bytes = std::mem::take(&mut out.bytes);
        let mut at = start;
        if let Some(shape) = &program.shape {
            bytes.truncate(start);
            self.shape(shape, &mut bytes);
            at = bytes.len();
        }
        let mut sink = Sink::new(bytes, at);
        let written = self.print(&program.body, &mut sink, out);
        let end = sink.len();
        out.bytes = sink.into_inner();
        let placed = written.and_then(|()| self.placed(out));
        let (name, group) = match placed {
            Ok(placed) => placed,
            Err(problem) => {
                out.holes.truncate(holes);
                self.problems.push(*problem);
                self.report(row, out);
                out.withheld += 1;
                return;
            }
        };
        let unique = program
            .unique
            .map(|index| &program.attributes[index])
            .and_then(|attribute| self.run.attribute(attribute.slot).as_text());
        let hash = unique.map_or(0, |text| xxh3_128(text.as_bytes()));
        if let Some(text) = unique {
            out.ids.push_str(text);
        }
        if program.log.is_some() {
            self.log_item(start..end, unique, out);
        }
        out.names.push_str(&name);
        out.items.push(Item {
            end,
            holes: out.holes.len(),
            id_end: out.ids.len(),
            log_end: out.log.len(),
            name_end: out.names.len(),
            key_end: out.keys.len(),
            group,
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

    /// The name of the item's own file, and a hash of the group it is in; its place in the order goes to `out`.
    #[inline]
    fn placed(&mut self, out: &mut FeedOutput) -> Result<(String, u64), Box<Problem>> {
        if self.program.file.is_none() && self.program.order.is_empty() {
            return Ok((String::new(), 0));
        }
        self.place(out)
    }

    #[inline(never)]
    fn place(&mut self, out: &mut FeedOutput) -> Result<(String, u64), Box<Problem>> {
        let program = self.program;
        let mut name = String::new();
        if let Some(file) = &program.file {
            let mut sink = Sink::default();
            self.print(file, &mut sink, out)?;
            name = String::from_utf8(sink.into_bytes()).unwrap_or_default();
            file_name::check(&name).map_err(|(message, hint)| {
                Box::new(Problem {
                    rule: "file-name",
                    severity: Severity::Error,
                    message,
                    hint,
                })
            })?;
        }
        let (start, mut group) = (out.keys.len(), 0);
        for (number, key) in program.order.iter().enumerate() {
            let value = self.run.value(key.value).unwrap_or(Value::Absent);
            order::encode(value, key.number, key.descending, &mut out.keys);
            if number == 0 {
                group = xxh3_64(out.keys.get(start..).unwrap_or_default());
            }
        }
        Ok((name, group))
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
                        .any(|computed| !computed.value.is_absent())
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
