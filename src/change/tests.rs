//! Comparing whole feeds: counts that add up, moves, money, fields, bounds.

use super::pending::Pending;
use super::testing::{Item, NOW, compared, item, made};
use super::*;
use crate::model::availability::Availability;
use proptest::prelude::*;
use rust_decimal::Decimal;

fn items(ids: &[&str]) -> Vec<Item> {
    ids.iter().map(|id| item(id)).collect()
}

fn ids(listed: &Listed<ListedItem>) -> Vec<&str> {
    listed.items.iter().map(|item| item.id.as_str()).collect()
}

#[test]
fn the_same_feed_changes_nothing() {
    let feed = made(&items(&["a", "b", "c"]));
    let changes = compared(Some(&feed), &feed);
    assert!(changes.is_nothing() && !changes.first());
    assert_eq!(changes.counts.unchanged, 3);
    assert_eq!((changes.counts.priced, changes.counts.buyable), (3, 3));
}

#[test]
fn moved_items_are_no_change() {
    let old = made(&items(&["a", "b", "c", "d", "e"]));
    let new = made(&items(&["e", "d", "a", "c", "b"]));
    let changes = compared(Some(&old), &new);
    assert!(changes.is_nothing());
    assert_eq!(changes.counts.unchanged, 5);
}

#[test]
fn a_first_publication_adds_everything() {
    let changes = compared(None, &made(&items(&["a", "b"])));
    assert!(changes.first() && !changes.is_nothing());
    assert_eq!((changes.counts.added, changes.added.total), (2, 2));
    assert_eq!(changes.counts.ids_changed, 0);
}

#[test]
fn what_comes_and_goes_is_listed_by_value() {
    let mut dear = item("dear");
    dear.price = Some("5000".to_owned());
    let old = made(&[item("a"), item("b"), dear, item("c")]);
    let new = made(&items(&["b", "x", "c"]));
    let changes = compared(Some(&old), &new);
    assert_eq!(ids(&changes.removed), ["dear", "a"]);
    assert_eq!(ids(&changes.added), ["x"]);
    assert_eq!((changes.counts.unchanged, changes.counts.changed), (2, 0));
}

#[test]
fn a_sku_under_another_id_is_told_from_one_that_went() {
    let mut renamed = item("a2");
    renamed.sku = "a".to_owned();
    // Neither id nor SKU stays here, title and price do.
    let mut reborn = item("z9");
    reborn.title = "Title b".to_owned();
    reborn.price = Some("100".to_owned());
    let old = made(&items(&["a", "b", "c"]));
    let new = made(&[renamed, reborn, item("new")]);
    let changes = compared(Some(&old), &new);
    let counts = &changes.counts;
    assert_eq!(
        (counts.added, counts.removed, counts.ids_changed),
        (3, 3, 2)
    );
    let gone: Vec<_> = changes
        .removed
        .items
        .iter()
        .filter(|item| !item.id_changed)
        .collect();
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0].id, "c");
    let come: Vec<_> = changes
        .added
        .items
        .iter()
        .filter(|item| !item.id_changed)
        .collect();
    assert_eq!(come[0].id, "new");
}

#[test]
fn prices_move_with_money_at_stake() {
    let mut old = items(&["a", "b", "c", "d"]);
    old[3].price = None;
    let mut new = old.clone();
    new[0].price = Some("100.00".to_owned());
    new[1].price = Some("99.90".to_owned());
    new[2].price = Some("10000".to_owned());
    new[2].quantity = Some(7);
    new[3].price = Some("5".to_owned());
    let changes = compared(Some(&made(&old)), &made(&new));
    let counts = &changes.counts;
    // 100 and 100.00 are the same price in other letters.
    assert_eq!(
        (counts.changed, counts.price_moves, counts.price_moves_far),
        (4, 2, 1)
    );
    assert_eq!(counts.at_stake, Decimal::new(69_301, 0));
    let first = &changes.changed.items[0];
    assert_eq!(first.id, "c");
    let price = first.price.expect("it moves");
    assert_eq!(price.at_stake, Some(Decimal::from(69_300)));
    assert_eq!(price.share, Some(Decimal::from(99)));
    assert_eq!(first.stock, Some(StockMove { old: 10, new: 7 }));
    let second = &changes.changed.items[1];
    assert_eq!(
        second.price.and_then(|price| price.at_stake),
        Some(Decimal::new(10, 1))
    );
}

#[test]
fn going_out_comes_before_other_stock_moves_and_texts() {
    let old = items(&["text", "stock", "out", "quiet"]);
    let mut new = old.clone();
    new[0].note = "another".to_owned();
    new[1].quantity = Some(4);
    new[2].quantity = Some(0);
    new[2].availability = Some(Availability::OutOfStock);
    let changes = compared(Some(&made(&old)), &made(&new));
    let order: Vec<&str> = changes
        .changed
        .items
        .iter()
        .map(|item| item.id.as_str())
        .collect();
    assert_eq!(order, ["out", "stock", "text"]);
    assert_eq!(
        (changes.counts.going_out, changes.counts.stock_moves),
        (1, 2)
    );
    assert!(changes.changed.items[0].going_out);
    let fields: Vec<&str> = changes.changed.items[0]
        .fields
        .iter()
        .map(|field| field.field.as_str())
        .collect();
    assert_eq!(fields, ["availability", "quantity"]);
    let groups: Vec<(&str, u64)> = changes
        .fields
        .iter()
        .map(|group| (group.field.as_str(), group.items))
        .collect();
    assert_eq!(groups, [("quantity", 2), ("availability", 1), ("note", 1)]);
    let note = &changes.fields[2].examples[0];
    assert_eq!(
        (note.id.as_str(), note.change.new.as_deref()),
        ("text", Some("another"))
    );
}

#[test]
fn emptied_and_filled_fields_are_counted() {
    let mut old = items(&["a", "b"]);
    old[1].note = String::new();
    let mut new = old.clone();
    new[0].note = String::new();
    new[1].note = "now".to_owned();
    let changes = compared(Some(&made(&old)), &made(&new));
    let note = &changes.fields[0];
    assert_eq!((note.items, note.emptied, note.filled), (2, 1, 1));
    assert_eq!(note.emptied_ids, ["a"]);
}

#[test]
fn upcoming_prices_are_those_of_the_next_seven_days() {
    let mut all = items(&["past", "later", "soon", "far", "edge"]);
    let day = 86_400;
    for (item, at) in
        all.iter_mut()
            .zip([NOW - 1, NOW + day, NOW, NOW + 7 * day + 1, NOW + 7 * day])
    {
        item.upcoming = Some((at, "50".to_owned()));
    }
    let feed = made(&all);
    let changes = compared(Some(&feed), &feed);
    let upcoming: Vec<&str> = changes
        .upcoming
        .items
        .iter()
        .map(|item| item.id.as_str())
        .collect();
    assert_eq!(upcoming, ["soon", "later", "edge"]);
}

#[test]
fn a_log_with_the_same_id_twice_is_matched_one_to_one() {
    let old = made(&items(&["a", "a", "b"]));
    let new = made(&items(&["b", "a"]));
    let counts = compared(Some(&old), &new).counts;
    assert_eq!((counts.removed, counts.added, counts.unchanged), (1, 0, 2));
}

#[test]
fn what_is_listed_is_bounded_and_what_is_counted_is_not() {
    let many = LISTED_MAX + 500;
    let old: Vec<Item> = (0..many)
        .map(|number| item(&format!("i{number}")))
        .collect();
    let mut new = old.clone();
    for (number, item) in new.iter_mut().enumerate() {
        item.price = Some(format!("{}", 101 + number));
    }
    let changes = compared(Some(&made(&old)), &made(&new));
    assert_eq!(changes.changed.items.len(), LISTED_MAX);
    assert_eq!(changes.changed.more(), 500);
    assert_eq!(changes.changed.items[0].id, format!("i{}", many - 1));
    assert_eq!(changes.fields[0].items, many as u64);
}

#[test]
fn extreme_amounts_are_no_accident() {
    let most = "79228162514264337593543950335";
    let mut old = items(&["a", "b", "c", "d"]);
    let mut new = old.clone();
    for (place, (before, now)) in [
        (most, "-79228162514264337593543950335"),
        ("0", most),
        (most, "0.0000000000000000000000000001"),
        ("1e9", "x"),
    ]
    .into_iter()
    .enumerate()
    {
        old[place].price = Some(before.to_owned());
        new[place].price = Some(now.to_owned());
        new[place].quantity = Some(i64::MAX);
        old[place].quantity = Some(i64::MIN);
    }
    let changes = compared(Some(&made(&old)), &made(&new));
    assert_eq!(
        (changes.counts.price_moves, changes.counts.price_moves_far),
        (3, 3)
    );
    assert_eq!(changes.counts.at_stake, Decimal::MAX);
    assert!(judge(&changes, &crate::config::gate::GateLimits::default()).is_empty());
}

#[test]
fn a_cut_log_is_an_error() {
    use crate::config::gate::GateLimits;
    use crate::write::items::ItemLogReader;
    let feed = made(&items(&["a", "b"]));
    let options = CompareOptions::of(&GateLimits::default(), NOW);
    for end in 0..feed.log.len() {
        let Ok(mut old) = ItemLogReader::open(&feed.log[..end]) else {
            continue;
        };
        let mut new = ItemLogReader::open(feed.log.as_slice()).expect("whole");
        let mut bytes = testing::InMemory(std::collections::HashMap::new());
        let outcome = compare(Some(&mut old), &mut new, &mut bytes, &options);
        assert!(matches!(outcome, Err(CompareError::Old(_))), "cut at {end}");
    }
}

/// Random feeds out of a few ids, in any order, each id once.
fn feeds() -> impl Strategy<Value = Vec<Item>> {
    let one = (
        0_u8..14,
        0_i64..4,
        prop::option::of(0_i64..3),
        "[a<&\"é]{0,3}",
    );
    prop::collection::vec(one, 0..14).prop_map(|all| {
        let mut seen = std::collections::HashSet::new();
        all.into_iter()
            .filter(|(id, ..)| seen.insert(*id))
            .map(|(id, price, quantity, note)| {
                let mut made = item(&format!("id{id}"));
                made.price = (price > 0).then(|| (price * 10).to_string());
                made.quantity = quantity;
                made.availability = None;
                made.note = note;
                made
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn counts_add_up_and_swapping_swaps(old in feeds(), new in feeds()) {
        let (old_made, new_made) = (made(&old), made(&new));
        let there = compared(Some(&old_made), &new_made);
        let back = compared(Some(&new_made), &old_made);
        let counts = &there.counts;
        prop_assert_eq!(counts.removed + counts.changed + counts.unchanged, old.len() as u64);
        prop_assert_eq!(counts.added + counts.changed + counts.unchanged, new.len() as u64);
        prop_assert_eq!((back.counts.added, back.counts.removed), (counts.removed, counts.added));
        prop_assert_eq!((back.counts.changed, back.counts.unchanged), (counts.changed, counts.unchanged));
        prop_assert_eq!(back.counts.price_moves, counts.price_moves);
        prop_assert_eq!(back.counts.ids_changed, counts.ids_changed);
        // The plain way: by a table of ids.
        let changed = new.iter().filter(|now| old.iter().any(|before| before.id == now.id && before != *now));
        prop_assert_eq!(counts.changed, changed.count() as u64);
        for change in &there.changed.items {
            prop_assert!(!change.fields.is_empty(), "{change:?}");
        }
        prop_assert_eq!(there.is_nothing(), {
            let (mut a, mut b) = (old.clone(), new.clone());
            a.sort_by(|a, b| a.id.cmp(&b.id));
            b.sort_by(|a, b| a.id.cmp(&b.id));
            a == b
        });
    }
}

/// How many bytes an item costs that is out of step, which the documents state; not its speed.
fn bytes_out_of_step(count: u32) -> usize {
    use crate::write::items::{ItemBody, ItemRecord};
    let mut pending = Pending::default();
    for number in 0..count {
        let id = format!("SKU-{number:08}");
        let body = ItemBody {
            id: &id,
            sku: &id,
            hash: u128::from(number),
            price: Some("1299.90"),
            currency: "EUR",
            availability: Some(Availability::InStock),
            quantity: Some(12),
            title: "A stoneware mug with a blue glaze, 350 ml, safe in a dishwasher and a microwave",
            upcoming: None,
        };
        let record = ItemRecord {
            body,
            part: 1,
            offset: u64::from(number) * 900,
            length: 900,
        };
        pending.insert(&record);
    }
    let each = pending.bytes() / count as usize;
    for number in 0..count {
        let taken = pending.take(&format!("SKU-{number:08}"), |record| record.offset);
        assert_eq!(taken, Some(u64::from(number) * 900));
    }
    // What remains is the table and the list of chunks.
    assert!(pending.bytes() / (count as usize) < 30);
    each
}

#[test]
fn an_item_out_of_step_costs_what_is_stated() {
    let each = bytes_out_of_step(100_000);
    assert!(each <= OUT_OF_STEP_BYTES, "{each} bytes an item");
}

#[test]
fn logs_that_are_shifted_cost_only_what_they_are_apart() {
    use crate::write::items::{ItemBody, ItemRecord};
    let mut pending = Pending::default();
    for number in 0..20_000_u32 {
        let id = number.to_string();
        let body = ItemBody {
            id: &id,
            sku: &id,
            title: "title",
            ..ItemBody::default()
        };
        pending.insert(&ItemRecord {
            body,
            part: 1,
            offset: 0,
            length: 0,
        });
        if number >= 10 {
            assert!(pending.take(&(number - 10).to_string(), |_| ()).is_some());
        }
    }
    assert!(pending.bytes() < 200_000, "{}", pending.bytes());
}
