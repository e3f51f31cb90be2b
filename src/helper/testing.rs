//! For the tests of helpers: a bench that calls them with small made-up surroundings.

use std::cell::RefCell;
use std::collections::BTreeMap;

use bumpalo::Bump;

use super::map::Table;
use super::{Arguments, HelperContext, HelperError, find};
use crate::model::value::Value;

/// Calls helpers; what they make lives as long as the bench.
pub(super) struct Bench {
    arena: Bump,
    language: String,
    tables: BTreeMap<String, Table>,
    unmatched: RefCell<BTreeMap<(String, String), u64>>,
}

/// The tables of every bench.
pub(super) fn tables() -> BTreeMap<String, Table> {
    let rows = "Home > Kitchen,Home & Garden > Kitchen & Dining\nClothing,Apparel\n";
    let table = Table::read(rows.as_bytes(), "mappings/google.csv").expect("a table");
    BTreeMap::from([("mappings/google.csv".to_owned(), table)])
}

impl Bench {
    pub(super) fn new(language: &str) -> Bench {
        Bench {
            arena: Bump::new(),
            language: language.to_owned(),
            tables: tables(),
            unmatched: RefCell::default(),
        }
    }

    pub(super) fn value<'a>(
        &'a self,
        helper: &str,
        positional: &[Value<'a>],
        named: &[(&str, Value<'a>)],
    ) -> Result<Value<'a>, HelperError> {
        let ctx = HelperContext {
            arena: &self.arena,
            currency: "THB",
            language: &self.language,
            timezone: "Asia/Bangkok",
            weight_unit: "g",
            length_unit: "cm",
            tables: &self.tables,
            unmatched: &self.unmatched,
        };
        let helper = find(helper).expect("a helper of that name");
        (helper.call)(&Arguments { positional, named }, &ctx)
    }

    /// Texts in, text out; `""` is absent.
    pub(super) fn call(&self, helper: &str, positional: &[&str]) -> Result<String, HelperError> {
        let own: Vec<Value<'_>> = positional
            .iter()
            .map(|text| Value::text(self.arena.alloc_str(text)))
            .collect();
        let value = self.value(helper, &own, &[])?;
        Ok(value.as_text().expect("a text").to_owned())
    }

    pub(super) fn unmatched(&self) -> BTreeMap<(String, String), u64> {
        self.unmatched.borrow().clone()
    }
}
