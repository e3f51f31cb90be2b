//! The gates as a table: what stood, what was made, the limits, and the gates that trip.

use super::super::testing::{Item, Made, compared_with, item, made, made_as};
use super::*;
use crate::config::toml_file::parse;
use crate::model::availability::Availability;
use proptest::prelude::*;

/// A feed of so many items, changed by a row of the table.
struct Feed {
    items: Vec<Item>,
    currency: &'static str,
    language: &'static str,
    fill: Vec<(&'static str, u64)>,
}

fn of(count: usize) -> Feed {
    Feed {
        items: (0..count)
            .map(|number| item(&format!("i{number:03}")))
            .collect(),
        currency: "EUR",
        language: "en",
        fill: Vec::new(),
    }
}

impl Feed {
    fn made(&self) -> Made {
        if self.fill.is_empty() && (self.currency, self.language) == ("EUR", "en") {
            return made(&self.items);
        }
        made_as(&self.items, self.currency, self.language, &self.fill)
    }

    /// The first so many items, changed.
    fn first(mut self, count: usize, change: impl Fn(&mut Item)) -> Self {
        self.items.iter_mut().take(count).for_each(change);
        self
    }

    fn without(mut self, count: usize) -> Self {
        self.items.drain(..count);
        self
    }

    /// So many items more, of other ids, SKUs and titles.
    fn with(mut self, count: usize) -> Self {
        self.items
            .extend((0..count).map(|number| item(&format!("new{number:03}"))));
        self
    }

    fn price(self, count: usize, price: &str) -> Self {
        self.first(count, |item| item.price = Some(price.to_owned()))
    }

    fn no_price(self, count: usize) -> Self {
        self.first(count, |item| item.price = None)
    }

    fn out(self, count: usize) -> Self {
        self.first(count, |item| {
            item.availability = Some(Availability::OutOfStock)
        })
    }

    fn units(self, count: usize, units: i64) -> Self {
        self.first(count, |item| {
            item.availability = None;
            item.quantity = Some(units);
        })
    }

    /// Another id, the same SKU.
    fn renamed(self, count: usize) -> Self {
        self.first(count, |item| item.id = format!("other-{}", item.id))
    }

    /// Another id and SKU, the same title and price.
    fn reborn(self, count: usize) -> Self {
        self.first(count, |item| {
            item.id = format!("other-{}", item.id);
            item.sku.clone_from(&item.id);
        })
    }

    fn note(self, count: usize, note: &str) -> Self {
        self.first(count, |item| item.note = note.to_owned())
    }

    fn filled(mut self, attribute: &'static str, count: u64) -> Self {
        self.fill.push((attribute, count));
        self
    }

    fn in_currency(mut self, currency: &'static str) -> Self {
        self.currency = currency;
        self.items
            .iter_mut()
            .for_each(|item| item.currency = currency.to_owned());
        self
    }

    fn in_language(mut self, language: &'static str) -> Self {
        self.language = language;
        self
    }
}

fn tripped(before: Option<&Feed>, after: &Feed, limits: &str) -> Vec<Tripped> {
    let limits: GateLimits = parse("gate", limits).expect("limits");
    let before = before.map(Feed::made);
    judge(
        &compared_with(before.as_ref(), &after.made(), &limits),
        &limits,
    )
}

/// What stood (none on a first publication), what was made, limits, gates.
type Row = (&'static str, Option<Feed>, Feed, &'static str, &'static str);

fn table() -> Vec<Row> {
    let row = |name, before, after, limits, want| (name, Some(before), after, limits, want);
    let first = |name, after, limits, want| (name, None, after, limits, want);
    let fifty = "x".repeat(50);
    let note = fifty.as_str();
    vec![
        // Removed: more than 10 % of what stands there, and at least five.
        row("nothing differs", of(50), of(50), "", ""),
        row("exactly 10 % go", of(50), of(50).without(5), "", ""),
        row(
            "one more than 10 % go",
            of(50),
            of(50).without(6),
            "",
            "removed",
        ),
        row(
            "a small shop loses four of ten",
            of(10),
            of(10).without(4),
            "",
            "",
        ),
        row(
            "a small shop loses five of ten",
            of(10),
            of(10).without(5),
            "",
            "removed",
        ),
        row(
            "five of 49 are just over 10 %",
            of(49),
            of(49).without(5),
            "",
            "removed",
        ),
        row("half is lost", of(100), of(100).without(50), "", "removed"),
        row(
            "nearly all is lost",
            of(100),
            of(100).without(99),
            "",
            "removed bytes",
        ),
        row(
            "removed is off",
            of(100),
            of(100).without(40),
            "removed = \"off\"",
            "",
        ),
        row(
            "removed is 40 %, exactly",
            of(100),
            of(100).without(40),
            "removed = \"40%\"",
            "",
        ),
        row(
            "removed is 39.9 %",
            of(100),
            of(100).without(40),
            "removed = \"39.9%\"",
            "removed",
        ),
        row(
            "removed is 0 %, four go",
            of(100),
            of(100).without(4),
            "removed = \"0%\"",
            "",
        ),
        row(
            "removed is 0 %, at least one",
            of(100),
            of(100).without(1),
            "removed = \"0%\"\nat_least = 1",
            "removed",
        ),
        row(
            "at least zero means one",
            of(100),
            of(100),
            "removed = \"0%\"\nat_least = 0",
            "",
        ),
        row(
            "at least seven",
            of(50),
            of(50).without(6),
            "at_least = 7",
            "",
        ),
        // Added.
        row(
            "exactly 50 % come",
            of(50),
            of(50).with(25),
            "bytes = \"off\"",
            "",
        ),
        row(
            "51 % come",
            of(100),
            of(100).with(51),
            "bytes = \"off\"",
            "added",
        ),
        row(
            "four come to two",
            of(2),
            of(2).with(4),
            "bytes = \"off\"",
            "",
        ),
        row(
            "five come to two",
            of(2),
            of(2).with(5),
            "bytes = \"off\"",
            "added",
        ),
        row(
            "added is off",
            of(10),
            of(10).with(90),
            "added = \"off\"\nbytes = \"off\"",
            "",
        ),
        row(
            "a feed that was empty fills",
            of(0),
            of(8),
            "bytes = \"off\"",
            "added",
        ),
        row("a feed that was empty gets a few", of(0), of(4), "", ""),
        // Ids.
        row(
            "exactly 5 % of the ids change",
            of(100),
            of(100).renamed(5),
            "",
            "",
        ),
        row(
            "6 % of the ids change",
            of(100),
            of(100).renamed(6),
            "",
            "ids_changed",
        ),
        row(
            "all ids change",
            of(20),
            of(20).renamed(20),
            "bytes = \"off\"",
            "removed ids_changed added",
        ),
        row(
            "ids and SKUs change, titles stay",
            of(100),
            of(100).reborn(8),
            "",
            "ids_changed",
        ),
        row(
            "turnover is no change of ids",
            of(100),
            of(100).without(8).with(8),
            "",
            "",
        ),
        row(
            "ids_changed is off",
            of(100),
            of(100).renamed(9),
            "ids_changed = \"off\"",
            "",
        ),
        row("four ids of ten", of(10), of(10).renamed(4), "", ""),
        // Prices.
        row(
            "prices rise by exactly 50 %",
            of(50),
            of(50).price(50, "150"),
            "",
            "",
        ),
        row(
            "prices fall by exactly 50 %",
            of(50),
            of(50).price(50, "50"),
            "",
            "",
        ),
        row(
            "exactly 20 % of the prices rise far",
            of(50),
            of(50).price(10, "150.01"),
            "",
            "",
        ),
        row(
            "over 20 % of the prices rise far",
            of(50),
            of(50).price(11, "150.01"),
            "",
            "price_moved",
        ),
        row(
            "a hundredfold",
            of(50),
            of(50).price(50, "10000"),
            "",
            "price_moved",
        ),
        row(
            "a hundredth",
            of(50),
            of(50).price(50, "1"),
            "",
            "price_moved",
        ),
        row(
            "one price a hundredfold",
            of(50),
            of(50).price(1, "10000"),
            "",
            "",
        ),
        row("four prices of four", of(4), of(4).price(4, "1"), "", ""),
        row(
            "five prices of five",
            of(5),
            of(5).price(5, "1"),
            "",
            "price_moved",
        ),
        row(
            "prices become zero",
            of(50),
            of(50).price(20, "0"),
            "",
            "price_moved",
        ),
        row(
            "prices rise from zero",
            of(50).price(20, "0"),
            of(50),
            "",
            "price_moved",
        ),
        row(
            "zero stays zero",
            of(50).price(50, "0"),
            of(50).price(50, "0.00"),
            "",
            "",
        ),
        row(
            "the same price in other digits",
            of(50),
            of(50).price(50, "100.000"),
            "",
            "",
        ),
        row(
            "of items with a price only",
            of(50).no_price(40),
            of(50).no_price(40).first(50, |item| {
                if item.price.is_some() {
                    item.price = Some("999".to_owned());
                }
            }),
            "",
            "price_moved",
        ),
        row(
            "price_moved is off",
            of(50),
            of(50).price(50, "9"),
            "price_moved = \"off\"",
            "",
        ),
        row(
            "far is 100 %",
            of(50),
            of(50).price(50, "200"),
            "price_moved = { by = \"100%\" }",
            "",
        ),
        row(
            "far is 10 %",
            of(50),
            of(50).price(11, "111"),
            "price_moved = { by = \"10%\" }",
            "price_moved",
        ),
        row(
            "any far price is too much",
            of(50),
            of(50).price(5, "1"),
            "price_moved = { share = \"0%\" }",
            "price_moved",
        ),
        row(
            "prices vanish",
            of(50),
            of(50).no_price(10),
            "",
            "fill_drop",
        ),
        // Going out of stock.
        row("exactly 20 % go out", of(50), of(50).out(10), "", ""),
        row(
            "22 % go out",
            of(50),
            of(50).out(11),
            "",
            "going_out_of_stock",
        ),
        row(
            "of those that could be bought",
            of(50).out(30),
            of(50).out(35),
            "",
            "going_out_of_stock",
        ),
        row(
            "what was out stays out",
            of(50).out(50),
            of(50).out(50).note(50, "a"),
            "",
            "",
        ),
        row("what was out comes back", of(50).out(50), of(50), "", ""),
        row(
            "units say so where nothing else does",
            of(20).units(20, 3),
            of(20).units(20, 0),
            "",
            "going_out_of_stock",
        ),
        row("four of four go out", of(4), of(4).out(4), "", ""),
        row(
            "a backorder can be bought",
            of(50),
            of(50).first(50, |item| {
                item.availability = Some(Availability::Backorder);
            }),
            "",
            "",
        ),
        row(
            "going_out_of_stock is off",
            of(50),
            of(50).out(50),
            "going_out_of_stock = \"off\"",
            "",
        ),
        // Fill.
        row(
            "exactly 10 points fewer",
            of(50),
            of(50).note(5, ""),
            "",
            "",
        ),
        row(
            "12 points fewer",
            of(50),
            of(50).note(6, ""),
            "",
            "fill_drop",
        ),
        row("four of four lose it", of(4), of(4).note(4, ""), "", ""),
        row(
            "five of six lose it",
            of(6),
            of(6).note(5, ""),
            "",
            "fill_drop",
        ),
        row(
            "a rare attribute loses all, points are few",
            of(100).note(92, ""),
            of(100).note(100, ""),
            "",
            "",
        ),
        row(
            "more have it",
            of(50).note(50, ""),
            of(50).note(0, ""),
            "",
            "",
        ),
        row(
            "an attribute is gone",
            of(20).filled("gtin", 20),
            of(20).filled("mpn", 20),
            "",
            "fill_drop",
        ),
        row(
            "fewer items, the same fill",
            of(50).filled("gtin", 50),
            of(45).filled("gtin", 45),
            "",
            "",
        ),
        row(
            "fill_drop is off",
            of(50),
            of(50).note(50, ""),
            "fill_drop = \"off\"",
            "",
        ),
        row(
            "two attributes are two verdicts",
            of(50).filled("a", 50).filled("b", 50),
            of(50).filled("a", 9).filled("b", 9),
            "",
            "fill_drop fill_drop",
        ),
        // Bytes.
        row(
            "texts double the feed",
            of(20),
            of(20).note(20, &note.repeat(5)),
            "",
            "bytes",
        ),
        row(
            "texts vanish, the feed halves",
            of(20).note(20, &note.repeat(9)),
            of(20),
            "",
            "bytes",
        ),
        row(
            "four items may do as they like",
            of(4),
            of(4).note(4, &note.repeat(9)),
            "",
            "",
        ),
        row(
            "bytes is off",
            of(20),
            of(20).note(20, &note.repeat(9)),
            "bytes = \"off\"",
            "",
        ),
        // Always.
        row("everything goes", of(50), of(0), "", "empty"),
        row(
            "everything goes, and all is off",
            of(3),
            of(0),
            "removed = \"off\"\nbytes = \"off\"\nat_least = 999",
            "empty",
        ),
        row(
            "another currency",
            of(3),
            of(3).in_currency("USD"),
            "at_least = 999",
            "currency",
        ),
        row(
            "one item in another currency",
            of(50),
            of(50).first(1, |item| item.currency = "USD".to_owned()),
            "",
            "currency",
        ),
        row(
            "another language",
            of(3),
            of(3).in_language("de"),
            "at_least = 999",
            "language",
        ),
        // First publications.
        first("nothing at all", of(0), "", "empty"),
        first(
            "nothing at all, and all is off",
            of(0),
            "removed = \"off\"\nat_least = 999",
            "empty",
        ),
        first("a first feed", of(50), "", ""),
        first("one item", of(1), "", ""),
        first(
            "exactly 20 % of the prices are zero",
            of(50).price(10, "0"),
            "",
            "",
        ),
        first(
            "over 20 % of the prices are zero",
            of(50).price(11, "0.00"),
            "",
            "first_price",
        ),
        first("four of four prices are zero", of(4).price(4, "0"), "", ""),
        first(
            "zero prices, and the gate is off",
            of(50).price(50, "0"),
            "price_moved = \"off\"",
            "",
        ),
        first("a price in exactly 10 %", of(50).no_price(45), "", ""),
        first("a price in 8 %", of(50).no_price(46), "", "first_fill"),
        first("no titles", of(50).filled("g:title", 0), "", "first_fill"),
        first(
            "an image in 2 %",
            of(50).filled("Image Link", 1),
            "",
            "first_fill",
        ),
        first(
            "what few channels need may be rare",
            of(50).filled("size", 0),
            "",
            "",
        ),
        first(
            "no titles, and the gate is off",
            of(50).filled("title", 0),
            "fill_drop = \"off\"",
            "",
        ),
        first(
            "four items without titles",
            of(4).filled("title", 0),
            "",
            "",
        ),
    ]
}

#[test]
fn the_table_holds() {
    let table = table();
    assert!(table.len() >= 60, "{}", table.len());
    let mut wrong = Vec::new();
    for (name, before, after, limits, want) in &table {
        let found = tripped(before.as_ref(), after, limits);
        let names: Vec<&str> = found.iter().map(|tripped| tripped.gate.as_str()).collect();
        if names.join(" ") != *want {
            wrong.push(format!("{name}: {names:?}, expected `{want}`: {found:#?}"));
        }
        for tripped in &found {
            let allow = format!("`--allow {} --reason \"…\"`", tripped.gate.as_str());
            assert!(tripped.hint.ends_with(&allow), "{}", tripped.hint);
            assert_eq!(Gate::parse(tripped.gate.as_str()), Ok(tripped.gate));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn verdicts_say_how_many_which_and_the_limit() {
    let found = tripped(Some(&of(50)), &of(50).price(12, "10000").without(0), "");
    assert_eq!(
        found[0].message,
        "12 of 50 prices would move by more than 50%: 24%, the limit is 20%"
    );
    assert_eq!(found[0].items.len(), 5);
    assert_eq!(found[0].items[0].what, "100 -> 10000 EUR");
    let found = tripped(Some(&of(50)), &of(50).without(6), "");
    assert_eq!(
        found[0].message,
        "6 of 50 items would go: 12%, the limit is 10%"
    );
    assert_eq!(found[0].items[0].id, "i000");
    assert_eq!(found[0].items[0].what, "Title i000");
    let found = tripped(Some(&of(50)), &of(50).note(6, ""), "");
    assert_eq!(
        found[0].message,
        "`note` would be filled in 88% of the items, it was in 100%: 12% fewer, the limit is 10%"
    );
    assert_eq!(found[0].items[0].what, "loses `note`");
    let found = tripped(Some(&of(10)), &of(10).with(8), "bytes = \"off\"");
    assert_eq!(
        found[0].message,
        "8 items would come beside 10: 80%, the limit is 50%"
    );
    let found = tripped(Some(&of(9999)), &of(9999).without(1000), "");
    assert_eq!(
        found[0].message,
        "1000 of 9999 items would go: a little over 10%, the limit is 10%"
    );
}

#[test]
fn an_unknown_gate_has_a_near_miss() {
    assert_eq!(
        Gate::parse("removd"),
        Err("did you mean `removed`?".to_owned())
    );
    assert!(
        Gate::parse("zzzzzz")
            .expect_err("none")
            .starts_with("the gates are `empty`")
    );
}

proptest! {
    /// What passes never differs by more than the gates allow, counted in another way.
    #[test]
    fn what_passes_is_within_the_limits(
        count in 1_usize..80, gone in 0_usize..20, come in 0_usize..60, prices in 0_usize..40, out in 0_usize..30,
        emptied in 0_usize..20, price in 1_u32..400,
    ) {
        let price = price.to_string();
        let before = of(count);
        let after = of(count).price(prices, &price).out(out).note(emptied, "").without(gone.min(count)).with(come);
        if tripped(Some(&before), &after, "").is_empty() {
            // Integers only: so many of so many are at most so many hundredths, or fewer than five.
            let within = |part: usize, whole: usize, percent: usize| part < 5 || part * 100 <= whole * percent;
            let stays: Vec<&Item> = after.items.iter().filter(|item| item.id.starts_with('i')).collect();
            let items = after.items.len();
            prop_assert!(items > 0);
            prop_assert!(within(count - stays.len(), count, 10));
            prop_assert!(within(come, count, 50));
            let far = stays.iter().filter(|item| {
                let price: u32 = item.price.as_deref().and_then(|price| price.parse().ok()).unwrap_or(0);
                !(50..=150).contains(&price)
            });
            prop_assert!(within(far.count(), stays.len(), 20));
            let out = stays.iter().filter(|item| item.availability == Some(Availability::OutOfStock));
            prop_assert!(within(out.count(), stays.len(), 20));
            let lost = after.items.iter().filter(|item| item.note.is_empty()).count();
            prop_assert!(within(lost, items, 10));
            let (old, new) = (before.made().part.len(), after.made().part.len());
            prop_assert!(count.max(items) < 5 || old.abs_diff(new) * 2 <= old);
        }
    }
}
