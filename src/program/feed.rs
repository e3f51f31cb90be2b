//! One feed on one batch: filter, compute, check, render. What is withheld writes nothing.

mod log;
mod output;
mod place;
mod print;
mod render;
mod shape;
mod sink;
mod steps;

use crate::channel::manifest::{AttributeLevel, Format, Records};
use crate::model::value::Value;
use crate::validate::finding::Severity;

use super::attribute::{AttributeProgram, Problem};
use super::columns::{Translated, View};
use super::escape::Escape;
use super::evaluate::{Computed, Evaluator, Failure, Product};
use super::graph::NodeId;
use super::logged::LogProgram;
use super::members::Shape;
use super::order::OrderKey;
use super::repeat::{ALL, Condition, OTHER};
use super::table::RowId;
pub use output::{FeedOutput, Fill, Hole, Item, ProductRows, Reported};
use render::Rendered;
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
    /// The conditions that this consists of, once they are known.
    pub conditions: Vec<Condition>,
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
    /// Whether its template surely writes well-formed documents, where no value is in doubt.
    pub proved: bool,
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
    joined: String,
    /// Variants of the product in hand that the filter left out.
    filtered: usize,
    /// Columns that may hold something else than when the attributes were computed.
    stale: u64,
    /// The same of a product's own attributes.
    product_stale: u64,
    /// The same of the filter's conditions, since all were last true.
    unproven: u64,
    rendered: Rendered,
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
            joined: String::new(),
            filtered: 0,
            stale: u64::MAX,
            product_stale: u64::MAX,
            unproven: u64::MAX,
            rendered: Rendered::default(),
        }
    }

    /// Whether items are whole products.
    pub fn takes_products(&self) -> bool {
        self.program.records == Records::Products
    }

    /// Takes a product in hand: its variants follow, then [`FeedRun::whole_product`].
    pub fn begin_product(&mut self, product: Product) {
        self.product = product;
        self.matrix.clear();
        self.rows.clear();
        self.filtered = 0;
    }

    /// Makes the items of one variant, whose row is in hand; `differ` are the watched columns in which it may differ from the
    /// one before. Of a whole product, the variant's own attributes.
    pub fn variant(&mut self, row: usize, differ: u64, out: &mut FeedOutput) {
        match self.program.records {
            Records::Variants => {
                self.stale |= differ;
                self.unproven |= differ;
                self.rendered.lone = differ & OTHER != 0 && self.run.ends_product();
                self.item(row, out);
            }
            Records::Stock => {
                let Some((table, key)) = self.program.stock else {
                    return;
                };
                for stock in self.run.stock_rows(table, key) {
                    self.stock_item(row, stock, out);
                }
                self.run.select_stock(None);
            }
            Records::Products => {
                self.stale |= differ;
                self.unproven |= differ;
                self.rendered.lone = true;
                self.product_variant(row, out);
            }
        }
    }

    fn product_variant(&mut self, row: usize, out: &mut FeedOutput) {
        // Products are counted, not their variants.
        let before = (out.filtered, out.withheld);
        let admitted = self.admitted(row, out);
        (out.filtered, out.withheld) = before;
        if !admitted {
            self.filtered += 1;
            return;
        }
        let broken = self.compute(Some(AttributeLevel::Variant));
        self.stands();
        self.report(row, out);
        if broken && self.program.withholds {
            return;
        }
        self.rows.push(row);
        let (run, attributes) = (self.run, &self.program.attributes);
        let values = attributes.iter().map(|of| run.computed(of.slot));
        self.matrix.extend(values);
    }

    /// What stands before or after the items: steps over what is known at load.
    ///
    /// # Errors
    /// When a helper cannot work on what it is given there.
    pub fn document(&mut self, steps: &Steps) -> Result<FeedOutput, Box<Problem>> {
        let mut out = FeedOutput::default();
        let mut sink = Sink::default();
        self.print_all(steps, &mut sink, &mut out)?;
        out.bytes = sink.into_bytes();
        Ok(out)
    }

    /// What was computed stands for the next record. Where something was told of this one, it must be told of the next one too:
    /// that computes everything anew.
    fn stands(&mut self) {
        let untold = self.problems.is_empty() && self.run.is_untold();
        self.stale = if untold { OTHER } else { u64::MAX };
    }

    /// Nothing that was computed stands.
    fn forget(&mut self) {
        (self.stale, self.unproven) = (u64::MAX, u64::MAX);
    }

    fn stock_item(&mut self, row: usize, stock: RowId, out: &mut FeedOutput) {
        self.forget();
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
        self.stands();
        self.report(row, out);
        if broken && self.program.withholds {
            out.withheld += 1;
            return;
        }
        self.render(row, out);
    }

    /// Whether filter and exclusion let the record in hand pass.
    fn admitted(&mut self, row: usize, out: &mut FeedOutput) -> bool {
        match self.filter() {
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
        if let Some(sku) = self.run.text(self.sku)
            && (self.excluded)(sku, &self.program.name).is_some()
        {
            out.filtered += 1;
            return false;
        }
        true
    }

    /// Whether the filter is true. As in CEL, a condition that fails yields to one that is false.
    fn filter(&mut self) -> Result<bool, Failure> {
        let unproven = std::mem::replace(&mut self.unproven, u64::MAX);
        let mut failed = None;
        for condition in &self.program.conditions {
            if condition.reads & unproven == 0 {
                continue;
            }
            match self.run.test(condition.node) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(failure) => failed = Some(failure),
            }
        }
        if let Some(failure) = failed {
            return Err(failure);
        }
        if self.run.is_untold() {
            self.unproven = OTHER;
        }
        Ok(true)
    }

    /// Computes and checks the attributes of a level, or all, but for those that stand from the record before; true when an
    /// error was found.
    fn compute(&mut self, level: Option<AttributeLevel>) -> bool {
        let (run, program) = (self.run, self.program);
        let wanted =
            |attribute: &AttributeProgram| level.is_none_or(|level| attribute.level == level);
        for attribute in &program.attributes {
            if attribute.reads & self.stale == 0 || !wanted(attribute) {
                continue;
            }
            self.rendered.changed |= attribute.mark;
            let before = self.problems.len();
            attribute.compute(run, &mut self.problems);
            if attribute.required && run.attribute(attribute.slot).is_absent() {
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

    /// Makes the item of the product in hand, whose variants were taken.
    pub fn whole_product(&mut self, rows: &ProductRows<'_>, out: &mut FeedOutput) {
        let program = self.program;
        let width = program.attributes.len();
        out.read += 1;
        let Some(&first) = self.rows.first() else {
            if self.filtered == rows.variants.len() {
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
        let variants_stale = std::mem::replace(&mut self.stale, self.product_stale);
        let broken = self.compute(Some(AttributeLevel::Product));
        // Of the next product only what never changes is known.
        let untold = self.problems.is_empty() && self.run.is_untold();
        self.product_stale = if untold { ALL } else { u64::MAX };
        self.stale = variants_stale | ALL;
        self.report(speaker, out);
        if broken && program.withholds {
            out.withheld += 1;
            return;
        }
        // Only the log asks each variant for what its product has.
        let told = program.log.is_some().then_some(&program.attributes);
        for (index, attribute) in told.into_iter().flatten().enumerate() {
            if attribute.level == AttributeLevel::Product {
                let computed = self.run.computed(attribute.slot);
                for variant in 0..self.rows.len() {
                    self.matrix[variant * width + index] = computed;
                }
            }
        }
        self.render(speaker, out);
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
