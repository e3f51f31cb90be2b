//! PrestaShop's connector over a scripted transport: an id takes two questions, a write takes the whole row.

use serde_json::json;

use super::super::transport::Reply;
use super::super::{Found, Outcome, Reading};
use super::connectors::{item, json, open};

const ROW: &str = r#"{"stock_available":{"id":31,"id_product":"4","id_product_attribute":"9","id_shop":"1","id_shop_group":"0","quantity":"5","depends_on_stock":"0","out_of_stock":"2","location":"A & <B>"}}"#;

#[test]
fn an_id_takes_two_questions() {
    let (store, script) = open("prestashop", &[], &[("key", "WS-KEY")], |exchange| {
        let query: String = exchange.url.query().unwrap_or_default().to_owned();
        json(&match exchange.url.path() {
            "/products" => json!({ "products": [
                { "id": 4, "reference": "TEE", "id_default_combination": "9" },
                { "id": 5, "reference": "MUG", "id_default_combination": "0" },
                { "id": 6, "reference": "mug", "id_default_combination": 0 },
                { "id": 7, "reference": "SET", "id_default_combination": "" },
                { "id": 8, "reference": "TWICE", "id_default_combination": "0" },
            ] }),
            "/combinations" => json!({ "combinations": [
                { "id": 9, "reference": "TEE" },
                { "id": 10, "reference": "TWICE" },
            ] }),
            _ if query.contains("filter[id_product]") => json!({ "stock_availables": [
                { "id": 35, "id_product": "5" },
                // two shops that do not share their stock
                { "id": 36, "id_product": "7" },
                { "id": 37, "id_product": "7" },
                { "id": 38, "id_product": "8" },
            ] }),
            _ => json!({ "stock_availables": [
                { "id": 31, "id_product_attribute": "9" },
                { "id": 39, "id_product_attribute": "10" },
            ] }),
        })
    });
    let skus = ["TEE", "MUG", "SET", "TWICE", "NONE"].map(str::to_owned);
    let found = store.resolve(&skus).expect("found");
    let id = |sku: &str| match &found[sku] {
        Found::Remote(remote) => remote.id.clone(),
        other => format!("{other:?}"),
    };
    assert_eq!(
        ["TEE", "MUG", "SET", "TWICE", "NONE"].map(id),
        ["31", "35", "Ambiguous", "Ambiguous", "Stranger"]
    );
    assert_eq!(
        script.call(0),
        "GET https://shop.example/products?output_format=JSON&display=[id,reference,id_default_combination]&filter[reference]=[MUG%7CNONE%7CSET%7CTEE%7CTWICE]"
    );
    assert_eq!(
        script.call(1),
        "GET https://shop.example/stock_availables?output_format=JSON&display=[id,id_product]&filter[id_product]=[5%7C7%7C8]"
    );
    assert_eq!(
        script.header(0, "authorization").as_deref(),
        Some("Basic V1MtS0VZOg==")
    );
}

#[test]
fn nobody_found_is_an_empty_list_and_no_further_question() {
    let (store, script) = open("prestashop", &[("shop", "2")], &[("key", "WS-KEY")], |_| {
        Reply::new(200, "[]")
    });
    let found = store.resolve(&["A B".to_owned()]).expect("found");
    assert_eq!(found["A B"], Found::Stranger);
    assert_eq!(script.calls(), 2);
    assert!(script.call(1).ends_with("/combinations?output_format=JSON&display=[id,reference]&filter[reference]=[A%20B]&id_shop=2"), "{}", script.call(1));
    // an error in place of a list is not an empty one
    let (store, _) = open("prestashop", &[], &[("key", "WS-KEY")], |_| {
        Reply::new(
            200,
            r#"{"errors":[{"code":32,"message":"This filter does not exist"}]}"#,
        )
    });
    assert!(store.resolve(&["A".to_owned()]).is_err());
}

#[test]
fn a_write_takes_the_whole_row() {
    let (store, script) = open(
        "prestashop",
        &[],
        &[("key", "WS-KEY")],
        |exchange| match exchange.method.as_str() {
            "GET" => Reply::new(200, ROW),
            _ => Reply::new(200, ROW.replace(r#""quantity":"5""#, r#""quantity":"0""#)),
        },
    );
    let fields = [
        ("remote_id", "31"),
        ("place", ""),
        ("quantity", "0"),
        ("compare", "5"),
    ];
    assert_eq!(
        store.push("k", &[item("TEE", &fields)]),
        [Outcome::Accepted]
    );
    assert_eq!(
        script.call(0),
        "GET https://shop.example/stock_availables/31?output_format=JSON"
    );
    assert_eq!(
        script.call(1),
        "PUT https://shop.example/stock_availables/31?output_format=JSON"
    );
    assert_eq!(
        script.header(1, "content-type").as_deref(),
        Some("text/xml; charset=utf-8")
    );
    assert_eq!(
        script.body(1).trim_end(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<prestashop><stock_available><id>31</id><id_product>4</id_product><id_product_attribute>9</id_product_attribute><id_shop>1</id_shop><id_shop_group>0</id_shop_group><quantity>0</quantity><depends_on_stock>0</depends_on_stock><out_of_stock>2</out_of_stock><location>A &amp; &lt;B&gt;</location></stock_available></prestashop>"
    );
    // another level than was sent is not taken
    let fields = [
        ("remote_id", "31"),
        ("place", ""),
        ("quantity", "3"),
        ("compare", "5"),
    ];
    let outcomes = store.push("k2", &[item("TEE", &fields)]);
    assert!(
        matches!(outcomes[0], Outcome::Unknown { .. }),
        "{outcomes:?}"
    );
}

#[test]
fn what_it_refuses_and_what_nobody_knows() {
    let fields = [
        ("remote_id", "31"),
        ("place", ""),
        ("quantity", "3"),
        ("compare", "5"),
    ];
    let said = |get: (u16, &'static str), put: (u16, &'static str)| {
        let (store, _) =
            open(
                "prestashop",
                &[],
                &[("key", "WS-KEY")],
                move |exchange| match exchange.method.as_str() {
                    "GET" => Reply::new(get.0, get.1),
                    _ => Reply::new(put.0, put.1),
                },
            );
        store.push("k", &[item("TEE", &fields)]).remove(0)
    };
    let errors = r#"{"errors":[{"code":133,"message":"You cannot update the available stock when it depends on stock."}]}"#;
    let refused = said((200, ROW), (500, errors));
    assert!(
        matches!(&refused, Outcome::Rejected { code, transient: false, .. } if code == "133"),
        "{refused:?}"
    );
    // a row that is gone is gone for the write, too
    let gone = said((404, ""), (200, ROW));
    assert!(
        matches!(
            gone,
            Outcome::Rejected {
                transient: false,
                ..
            }
        ),
        "{gone:?}"
    );
    // trouble before the write leaves nothing there
    let unread = said((200, "<html>"), (200, ROW));
    assert!(matches!(unread, Outcome::Held { .. }), "{unread:?}");
    // and in the write nobody knows
    for put in [
        (200, "<html>"),
        (500, ""),
        (200, r#"{"stock_available":{}}"#),
    ] {
        let lost = said((200, ROW), put);
        assert!(matches!(lost, Outcome::Unknown { .. }), "{lost:?}");
    }
}

#[test]
fn levels_are_read_by_row() {
    let (store, script) = open("prestashop", &[], &[("key", "WS-KEY")], |_| {
        json(
            &json!({ "stock_availables": [{ "id": 31, "quantity": "-2" }, { "id": 35, "quantity": 7 }] }),
        )
    });
    let at = |id| [("remote_id", id), ("place", "")];
    let read = store
        .read(&[
            item("TEE", &at("31")),
            item("MUG", &at("35")),
            item("SET", &at("36")),
        ])
        .expect("read");
    assert_eq!(read[..2], [Reading::Level(-2), Reading::Level(7)]);
    assert!(matches!(read[2], Reading::Unknown(_)));
    assert_eq!(
        script.call(0),
        "GET https://shop.example/stock_availables?output_format=JSON&display=[id,quantity]&filter[id]=[31%7C35%7C36]"
    );
}
