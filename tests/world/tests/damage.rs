//! What each fault really does.

use serde_json::{Value, json};

use super::super::exchange::Request;
use super::super::faults::{End, Fault, Faults};
use super::super::plain;
use super::super::protocol::Protocol;
use super::super::shop::{By, Shop};
use super::{codes, set, shop, shopify_call, woo};

/// One write to A-1 at HAN through one fault.
fn through(fault: Fault) -> (Shop, Faults, End) {
    let mut shop = shop();
    let mut faults = Faults::scripted(&[Some(fault)]);
    let request = set(
        &shop,
        "k",
        &[
            (0, 0, 7, json!(10)),
            (1, 0, 7, json!(10)),
            (2, 0, 7, json!(10)),
        ],
    );
    let done = faults.exchange(&mut shop, Protocol::Shopify, &request, 1000);
    assert_eq!(done.fault, Some(fault));
    (shop, faults, done.end)
}

#[test]
fn answers_are_lost_before_or_after_the_effect() {
    for (fault, done) in [
        (Fault::ResetBefore, false),
        (Fault::ResetAfter, true),
        (Fault::TimeOutBefore, false),
        (Fault::TimeOutAfter, true),
        (Fault::Unreached, false),
        (Fault::Cut, true),
        (Fault::Before500, false),
        (Fault::After500, true),
        (Fault::After503, true),
        (Fault::Html200, true),
        (Fault::Garbage200, true),
        (Fault::TooManySeconds, false),
        (Fault::Throttled, false),
        (Fault::KeyFailed, false),
        (Fault::LateLong, false),
    ] {
        let (shop, faults, _) = through(fault);
        let applied = shop.level(0, 0) == Some(7);
        assert_eq!(applied, done, "{}", fault.name());
        assert_eq!(faults.drawn.iter().sum::<u64>(), 1);
    }
}

#[test]
fn what_is_late_is_really_done_and_only_once() {
    for fault in [Fault::LateSoon, Fault::LateLong, Fault::KeyBusy] {
        let (mut shop, mut faults, end) = through(fault);
        assert!(shop.applied.is_empty(), "{}", fault.name());
        assert_eq!(fault == Fault::KeyBusy, matches!(end, End::Answer(_)));
        let due = faults.next_late().expect("it is under way");
        faults.settle(&mut shop, Protocol::Shopify, due - 1);
        assert!(shop.applied.is_empty());
        faults.settle(&mut shop, Protocol::Shopify, due);
        assert_eq!(shop.applied.len(), 3);
        assert!(
            shop.applied
                .iter()
                .all(|change| change.by == By::Late && change.at == due)
        );
        assert_eq!(faults.next_late(), None);
    }
    // with a key, twice is once; without one it is twice
    let (mut shop, mut faults, _) = through(Fault::Twice);
    faults.settle(&mut shop, Protocol::Shopify, 10_000);
    assert_eq!(shop.applied.len(), 3);
    let mut shop = Shop::new(&[""], &["A"], 10);
    let mut faults = Faults::scripted(&[Some(Fault::Twice)]);
    let batch = json!({ "update": [{ "id": 1_000_000, "stock_quantity": 4 }] });
    faults.exchange(
        &mut shop,
        Protocol::WooCommerce,
        &woo("POST", "products/batch", &batch),
        0,
    );
    shop.order(0, 0, 1, 1);
    faults.settle(&mut shop, Protocol::WooCommerce, 10_000);
    assert_eq!(shop.applied.len(), 3);
    assert_eq!(shop.level(0, 0), Some(4), "the order is overwritten");
}

#[test]
fn lies_are_told_in_full_and_not_done() {
    for fault in [Fault::LieSkipped, Fault::LieClamped] {
        let (shop, _, end) = through(fault);
        let End::Answer(answer) = end else {
            panic!("an answer")
        };
        assert_eq!(codes(&answer), [""; 0]);
        let right = (0..3)
            .filter(|item| shop.level(*item, 0) == Some(7))
            .count();
        assert_eq!(right, 2, "{}", fault.name());
    }
}

#[test]
fn lists_and_pages_are_bent() {
    let mut shop = shop();
    let bearer = format!("Bearer {}", plain::TOKEN);
    let request = Request::new("GET", "/stock", &[("authorization", &bearer)], b"");
    let mut list = |fault| {
        let mut faults = Faults::scripted(&[Some(fault)]);
        match faults.exchange(&mut shop, Protocol::Plain, &request, 0).end {
            End::Answer(answer) => answer.value()["levels"].as_array().unwrap().clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(list(Fault::Missing).len(), 11);
    assert_eq!(list(Fault::Extra).len(), 13);
    assert_eq!(list(Fault::Doubled).len(), 13);
    assert_eq!(list(Fault::Shuffled).len(), 12);
    let pages = |fault: Option<Fault>| {
        let mut shop = super::shop();
        let mut faults = Faults::none();
        let query = "query($a: String) { productVariants(first: 2, after: $a) { nodes { sku } pageInfo { hasNextPage endCursor } } }";
        let mut seen = Vec::new();
        let mut after = Value::Null;
        for turn in 0..10 {
            if turn > 0 || fault == Some(Fault::PageMissing) {
                faults.script.push_back(fault);
            }
            let request = shopify_call("2026-04", query, json!({ "a": after }));
            let End::Answer(answer) = faults
                .exchange(&mut shop, Protocol::Shopify, &request, 0)
                .end
            else {
                panic!()
            };
            let list = answer.value()["data"]["productVariants"].clone();
            seen.extend(
                list["nodes"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|node| node["sku"].as_str().unwrap().to_owned()),
            );
            if list["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = list["pageInfo"]["endCursor"].clone();
        }
        seen.len()
    };
    assert_eq!(pages(None), 6);
    assert_eq!(pages(Some(Fault::PageMissing)), 2);
    assert_eq!(pages(Some(Fault::PageTwice)), 6);
    assert_eq!(pages(Some(Fault::PageEndless)), 20);
    assert!(pages(Some(Fault::PageLoop)) >= 18);
}

#[test]
fn old_reads_show_what_was() {
    let mut shop = shop();
    shop.foreign(0, 0, 3, 1000);
    shop.foreign(0, 0, 4, 2000);
    shop.mischief.behind = 1500;
    assert_eq!(shop.told(0, 0, 3000), Some(3));
    assert_eq!(shop.told(0, 0, 2000), Some(10));
    assert_eq!(shop.told(0, 0, 3600), Some(4));
}

#[test]
fn one_that_is_asked_to_wait_and_does_not_is_counted() {
    let mut shop = shop();
    let mut faults = Faults::scripted(&[Some(Fault::TooManyDate)]);
    let request = shopify_call("2026-04", "{ shop { name } }", json!({}));
    let End::Answer(answer) = faults
        .exchange(&mut shop, Protocol::Shopify, &request, 5500)
        .end
    else {
        panic!()
    };
    assert_eq!(answer.status, 429);
    let date = &answer
        .headers
        .iter()
        .find(|(name, _)| name == "retry-after")
        .unwrap()
        .1;
    let moment = jiff::fmt::rfc2822::parse(date).expect("a date").timestamp();
    let asked = (moment.as_second() - faults.epoch) * 1000;
    assert_eq!(u64::try_from(asked).unwrap(), faults.asked_until);
    faults.exchange(
        &mut shop,
        Protocol::Shopify,
        &request,
        faults.asked_until - 1,
    );
    assert_eq!(faults.early, 1);
    let until = faults.asked_until;
    let end = faults
        .exchange(&mut shop, Protocol::Shopify, &request, until.max(9500))
        .end;
    assert!(matches!(end, End::Answer(answer) if answer.status == 200));
    assert_eq!(faults.early, 1);
}

#[test]
fn orders_never_sell_what_is_not_there() {
    let mut shop = shop();
    assert_eq!(shop.order(0, 0, 4, 0), 4);
    assert_eq!(shop.order(0, 0, 9, 0), 6);
    assert_eq!(shop.order(0, 0, 1, 0), 0);
    assert_eq!((shop.level(0, 0), shop.applied.len()), (Some(0), 2));
    shop.reserves = true;
    assert_eq!(shop.order(1, 1, 99, 0), 10);
    assert_eq!(shop.order(1, 1, 1, 0), 0);
    assert_eq!((shop.level(1, 1), shop.applied.len()), (Some(10), 2));
}

#[test]
fn the_same_seed_gives_the_same_damage_and_every_fault_is_drawn() {
    let run = |seed: u64| {
        let mut drawn = vec![0; Fault::ALL.len()];
        let mut trace = String::new();
        for protocol in [Protocol::Shopify, Protocol::Vendure] {
            let mut shop = shop();
            let mut faults = Faults::seeded(seed, 700);
            let mut now = 0;
            for turn in 0..4000_i64 {
                let request = match protocol {
                    _ if turn % 3 == 0 => {
                        set(&shop, &turn.to_string(), &[(0, 0, turn, Value::Null)])
                    }
                    _ => shopify_call("2026-04", "{ shop { name } }", json!({})),
                };
                let done = faults.exchange(&mut shop, protocol, &request, now);
                trace.push_str(&format!("{:?}{}", done.fault, done.took));
                now += done.took + 60_000;
            }
            for (sum, count) in drawn.iter_mut().zip(&faults.drawn) {
                *sum += count;
            }
        }
        (trace, drawn)
    };
    let (trace, drawn) = run(7);
    assert_eq!(trace, run(7).0);
    assert_ne!(trace, run(8).0);
    for (fault, count) in Fault::ALL.iter().zip(drawn) {
        assert!(count > 0, "{} was never drawn", fault.name());
    }
}
