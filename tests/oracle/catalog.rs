//! A catalog from a seed: hostile texts, gaps, lists of 0 to 12, sales, products of 1 to 5 variants, stock by location.

use serde_json::{Map, Value, json};

/// What a text may be made of.
const PIECES: [&str; 40] = [
    "lamp",
    "Tasse",
    "żółta łódź",
    "ชามตราไก่",
    "น้ำ",
    "bát gốm",
    "Příliš žluťoučký",
    "کتاب",
    "日本語",
    "🏺",
    "👩‍👩‍👧",
    "e\u{301}",
    "<b>bold</b>",
    "<script>alert(1)</script>",
    "a & b",
    "&amp;",
    "&lt;p&gt;",
    "\"quoted\"",
    "it's",
    "]]>",
    "<![CDATA[x]]>",
    "{{title}}",
    "{{{raw}}}",
    "\\",
    "\\n",
    "\n",
    "\r\n",
    "\t",
    ",",
    ";",
    "|",
    ":",
    ">",
    "=",
    "`",
    "\u{1}",
    "\u{7f}",
    "\u{1e}",
    "\u{1f}",
    "\u{fffe}",
];

/// Draws from a seed (xorshift).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("small")
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn of<'p>(&mut self, pieces: &[&'p str]) -> &'p str {
        pieces[self.below(pieces.len())]
    }

    /// So many pieces, with spaces between most of them.
    fn text(&mut self, pieces: usize) -> String {
        let mut text = String::new();
        for _ in 0..pieces {
            text.push_str(self.of(&PIECES));
            if self.chance(80) {
                text.push(' ');
            }
        }
        text
    }

    fn list(&mut self, most: usize, mut one: impl FnMut(&mut Self, usize) -> String) -> Value {
        (0..self.below(most + 1))
            .map(|number| one(self, number))
            .collect()
    }

    fn gtin(&mut self) -> String {
        let mut digits = format!("{:012}", 400_000_000_000 + self.below(99_999_999_999));
        let sum: usize = digits
            .bytes()
            .enumerate()
            .map(|(at, digit)| usize::from(digit - b'0') * if at % 2 == 0 { 1 } else { 3 })
            .sum();
        let check = (10 - sum % 10) % 10 + usize::from(self.chance(5));
        digits.push_str(&(check % 10).to_string());
        digits
    }
}

/// The catalog as NDJSON, and its stock as CSV.
pub fn draw(seed: u64, products: usize, locations: &[String]) -> (String, String) {
    let mut draw = Draw(seed | 1);
    let mut catalog = String::new();
    let mut stock = String::from("sku,location,on_hand,committed\n");
    for product in 0..products {
        let shared = shared(&mut draw, product);
        let variants = 1 + draw.below(5);
        for variant in 0..variants {
            let sku = format!(
                "S{product}-{variant}{}",
                draw.of(&["", "/x", " y", "&z", "ก"])
            );
            let mut row = shared.clone();
            row.insert("sku".to_owned(), json!(sku));
            row.insert(
                "url".to_owned(),
                json!(format!(
                    "https://shop.example/p/{product}?v={variant}&q=a+b{}",
                    draw.of(&["", "#x", "&%C5%BC"])
                )),
            );
            offer(&mut draw, &mut row, variant);
            // What is absent is not there at all, or null, or empty.
            for name in row.keys().cloned().collect::<Vec<_>>() {
                if ![
                    "sku",
                    "product_id",
                    "url",
                    "price",
                    "title",
                    "description",
                    "images",
                    "availability",
                ]
                .contains(&name.as_str())
                    && draw.chance(20)
                {
                    match draw.below(3) {
                        0 => drop(row.remove(&name)),
                        1 => drop(row.insert(name, Value::Null)),
                        _ => drop(row.insert(name, json!(""))),
                    }
                }
            }
            catalog.push_str(&Value::Object(row).to_string());
            catalog.push('\n');
            for location in locations {
                if draw.chance(70) {
                    stock.push_str(&format!(
                        "\"{sku}\",{location},{},{}\n",
                        draw.below(9),
                        draw.below(3)
                    ));
                }
            }
        }
    }
    (catalog, stock)
}

/// What all variants of a product have.
fn shared(draw: &mut Draw, product: usize) -> Map<String, Value> {
    let mut row = Map::new();
    let mut set = |name: &str, value: Value| drop(row.insert(name.to_owned(), value));
    set("product_id", json!(format!("P{product}")));
    let length = 1 + draw.below(40);
    set("title", json!(format!("T{product} {}", draw.text(length))));
    set("title.en", json!(format!("E{product} {}", draw.text(4))));
    set("title.pl", json!(draw.text(4)));
    let length = draw.below(200);
    set(
        "description",
        json!(format!("D{product} {}", draw.text(length))),
    );
    set("description.cs", json!(draw.text(30)));
    let brand = draw.text(2);
    set("brand", json!(format!("B {brand}")));
    set("manufacturer", json!(draw.text(2)));
    let kind = draw.text(1);
    set(
        "category",
        json!(["ครัวและโต๊ะอาหาร", "Home & Garden", format!("Bowls {kind}")]),
    );
    set("tags", draw.list(12, |draw, _| draw.text(1)));
    set("material", json!(draw.text(1)));
    set("pattern", json!(draw.text(1)));
    set(
        "condition",
        json!(draw.of(&["new", "used", "refurbished", ""])),
    );
    set("gender", json!(draw.of(&["male", "female", "unisex", ""])));
    set(
        "age_group",
        json!(draw.of(&["adult", "kids", "infant", "newborn", "toddler", ""])),
    );
    set(
        "params",
        json!(format!(
            "Made in: {}; Care: {}; {}",
            draw.text(1),
            draw.text(1),
            draw.text(2)
        )),
    );
    row
}

/// What a variant has of its own.
fn offer(draw: &mut Draw, row: &mut Map<String, Value>, variant: usize) {
    let mut set = |name: &str, value: Value| drop(row.insert(name.to_owned(), value));
    set("gtin", json!(draw.gtin()));
    set("mpn", json!(draw.text(1)));
    set(
        "color",
        json!(draw.of(&["red", "blue & white", "สีแดง", "żółty", "\"gold\""])),
    );
    set("size", json!(format!("{variant}")));
    set(
        "options",
        json!(format!(
            "Color: {}; Size: {variant}",
            draw.of(&["red", "สีแดง", "a & b"])
        )),
    );
    let cents = 500 + draw.below(900_000);
    let sale = draw.chance(30);
    let money = |cents: usize| format!("{}.{:02}", cents / 100, cents % 100);
    for (column, whole) in [
        ("", false),
        (".PLN", false),
        (".CZK", true),
        (".USD", false),
        (".VND", true),
        (".EUR", false),
    ] {
        let amount = |cents: usize| {
            if whole {
                format!("{}", cents / 100)
            } else {
                money(cents)
            }
        };
        set(&format!("price{column}"), json!(amount(cents)));
        if sale {
            set(&format!("sale_price{column}"), json!(amount(cents / 2)));
        }
    }
    if sale && draw.chance(50) {
        set(
            "sale_starts",
            json!(draw.of(&["2026-11-01", "2026-11-27T08:00:00+07:00"])),
        );
        set(
            "sale_ends",
            json!(draw.of(&["2026-11-30", "2026-12-24T23:59:59+07:00", "2026-01-01"])),
        );
    }
    set("cost", json!(money(cents / 3)));
    set("tax_rate", json!(draw.of(&["7", "23", "0"])));
    set(
        "images",
        (0..draw.below(13))
            .map(|number| {
                format!("https://img.shop.example/{variant}-{number}.jpg?a=1&b=\"2\"")
                    .replace('"', "%22")
            })
            .collect(),
    );
    set(
        "availability",
        json!(draw.of(&[
            "in_stock",
            "out_of_stock",
            "preorder",
            "backorder",
            "in stock"
        ])),
    );
    set(
        "availability_date",
        json!(draw.of(&["2026-12-01T00:00:00+07:00", ""])),
    );
    set(
        "weight",
        json!(draw.of(&["420 g", "1.5 kg", "300", "12 oz"])),
    );
    set("length", json!(draw.of(&["16", "10 in", "2 m"])));
    set("width", json!(draw.of(&["16", "3.5", ""])));
    set("height", json!(draw.of(&["7.5", "1", ""])));
    set(
        "unit_pricing_measure",
        json!(draw.of(&["750 ml", "1 kg", "100 g", ""])),
    );
    set("delivery_days", json!(draw.of(&["0", "1", "3", "30"])));
}
