//! Publishing as people do it: seen, held, delivered, put back; and after a kill at every named point.

mod killed;
mod lines;
mod readers;

use crate::harness::{FeedTest, Outcome};

/// A shop with one feed into a folder. Prices are a column that tests change.
pub fn shop(gate: &str) -> FeedTest {
    let test = FeedTest::empty();
    test.file(
        "shelfcast.toml",
        format!(
            r#"
[shop]
name = "Lampy"
url = "https://lampy.example"
currency = "PLN"
language = "pl"
country = "PL"

[[source]]
name = "products"
path = "catalog.csv"

[[feed]]
name = "google"
channel = "google-products"
[feed.gate]
{gate}
[[feed.to]]
path = "web/"
"#
        ),
    );
    test
}

/// A catalog of so many lamps, each row through a change of its own.
pub fn catalog(test: &FeedTest, lamps: usize, change: impl Fn(usize, &mut Lamp)) {
    let mut text =
        "sku,title,description,price,availability,on_hand,image,url,brand,condition\n".to_owned();
    for number in 1..=lamps {
        let mut lamp = Lamp {
            title: format!("Lampa biurkowa nr {number}"),
            price: format!("{}.90", 100 + number),
            on_hand: "5".to_owned(),
            left_out: false,
        };
        change(number, &mut lamp);
        if lamp.left_out {
            continue;
        }
        text.push_str(&format!(
            "LMP-{number:03},{},Żółta lampa,{},in_stock,{},https://lampy.example/i/{number}.jpg,https://lampy.example/{number},Lampy,new\n",
            lamp.title, lamp.price, lamp.on_hand
        ));
    }
    test.file("catalog.csv", text);
}

/// What a test may change of a lamp.
pub struct Lamp {
    pub title: String,
    pub price: String,
    pub on_hand: String,
    pub left_out: bool,
}

/// The lines that a run printed for programs.
pub fn lines(outcome: &Outcome) -> Vec<serde_json::Value> {
    outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// The one line of a type.
pub fn line(outcome: &Outcome, kind: &str) -> serde_json::Value {
    let all = lines(outcome);
    all.iter()
        .find(|line| line["type"] == kind)
        .unwrap_or_else(|| panic!("no `{kind}` in {all:?}"))
        .clone()
}
