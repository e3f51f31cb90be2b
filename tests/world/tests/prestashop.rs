//! PrestaShop's webservice: rows of stock are found by two questions, and a write takes the whole row.

use serde_json::{Value, json};

use super::super::exchange::{Answer, Request};
use super::super::prestashop::KEY;
use super::super::protocol::Protocol;
use super::super::shop::Shop;
use super::super::woocommerce::basic;

fn shop() -> Shop {
    // the fourth and the fifth are combinations of one product
    Shop::new(&[""], &["A", "B", "C", "D", "E"], 10)
}

fn ask(shop: &mut Shop, method: &str, target: &str, body: &str) -> Answer {
    let headers = [("authorization", basic(KEY, ""))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let target = format!("/api/{target}");
    let request = Request::new(method, &target, &headers, body.as_bytes());
    Protocol::PrestaShop.answer(shop, &request, 0)
}

/// The elements that a filter finds.
fn found(shop: &mut Shop, resource: &str, display: &str, filter: &str) -> Vec<Value> {
    let target = format!("{resource}?output_format=JSON&display=[{display}]&{filter}");
    let said = ask(shop, "GET", &target, "").value();
    said[resource].as_array().cloned().unwrap_or_default()
}

#[test]
fn rows_are_found_by_two_questions() {
    let mut shop = shop();
    let display = "id,reference,id_default_combination";
    let products = found(
        &mut shop,
        "products",
        display,
        "filter[reference]=[a|D|none]",
    );
    assert_eq!(
        products,
        [
            json!({ "id": 1_000_000, "reference": "A", "id_default_combination": "0" }),
            json!({ "id": 5_000_000, "reference": "D", "id_default_combination": "1000021" }),
        ]
    );
    let combinations = found(&mut shop, "combinations", "id", "filter[reference]=[D|E]");
    assert_eq!(
        combinations,
        [json!({ "id": 1_000_021 }), json!({ "id": 1_000_028 })]
    );
    let rows = found(
        &mut shop,
        "stock_availables",
        "id,quantity",
        "filter[id_product]=[5000000]",
    );
    // one a combination, and their sum
    let quantities: Vec<&Value> = rows.iter().map(|row| &row["quantity"]).collect();
    assert_eq!(quantities, ["10", "10", "20"]);
    let nobody = ask(
        &mut shop,
        "GET",
        "products?output_format=JSON&display=[id]&filter[reference]=[X]",
        "",
    );
    assert_eq!(nobody.value(), json!([]));
}

#[test]
fn a_write_takes_the_whole_row() {
    let mut shop = shop();
    let row = "<id>9000009</id><id_product>5000000</id_product><id_product_attribute>1000021</id_product_attribute><id_shop>1</id_shop><id_shop_group>0</id_shop_group><quantity>4</quantity><depends_on_stock>0</depends_on_stock><out_of_stock>2</out_of_stock><location>shelf &lt;A&gt; &amp; &quot;B&quot;</location>";
    let whole = format!(
        "<?xml version=\"1.0\"?><prestashop><stock_available>{row}</stock_available></prestashop>"
    );
    let mut put = |body: &str| {
        ask(
            &mut shop,
            "PUT",
            "stock_availables/9000009?output_format=JSON",
            body,
        )
    };
    for (from, to, status, code) in [
        ("<id_shop>1</id_shop>", "", 418, 0),
        ("<out_of_stock>2", "<out_of_stock>0", 418, 0),
        ("&lt;A&gt;", "A", 418, 0),
        ("<quantity>4</quantity>", "", 400, 41),
        ("<quantity>4", "<quantity>four", 400, 85),
        ("<id>9000009", "<id>7", 404, 92),
        ("<?xml version=\"1.0\"?>", "{}", 500, 127),
    ] {
        assert!(whole.contains(from), "{from}");
        let answer = put(&whole.replacen(from, to, 1));
        assert_eq!(answer.status, status, "{from}");
        assert_eq!(answer.value()["errors"][0]["code"], code, "{from}");
    }
    let said = put(&whole);
    assert_eq!(
        (said.status, &said.value()["stock_available"]["quantity"]),
        (200, &json!("4"))
    );
    assert_eq!((shop.level(3, 0), shop.applied.len()), (Some(4), 1));
    let bare = Request::new("GET", "/api/products", &[], b"");
    assert_eq!(Protocol::PrestaShop.answer(&mut shop, &bare, 0).status, 401);
}
