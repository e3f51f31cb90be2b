//! The plan is read in a minute: few lines, the worst first, nothing that steers the terminal.

use super::*;
use crate::change::judge;
use crate::change::testing::{Item, NOW, compared, item, made};
use crate::config::gate::GateLimits;
use crate::model::availability::Availability;

const PLAIN: Shell = Shell {
    colour: false,
    quiet: false,
    verbose: 0,
    json: false,
    progress: false,
};

fn shown(old: Option<&[Item]>, new: &[Item], allowed: &[Gate]) -> String {
    let old = old.map(made);
    let changes = compared(old.as_ref(), &made(new));
    let tripped = judge(&changes, &GateLimits::default());
    let planned = PlannedFeed {
        feed: "web",
        channel: "google-products",
        published: (!changes.first()).then_some((4, NOW - 3600)),
        changes: &changes,
        tripped: &tripped,
        allowed,
    };
    let mut out = Vec::new();
    plan(&PLAIN, &[planned], &jiff::tz::TimeZone::UTC, &mut out).expect("written");
    String::from_utf8(out).expect("text")
}

fn some(count: usize) -> Vec<Item> {
    (0..count)
        .map(|number| item(&format!("A-{number:02}")))
        .collect()
}

#[test]
fn the_worst_comes_first() {
    let old = some(50);
    let mut new = old.clone();
    new[0].price = Some("10000".to_owned());
    new[1].price = Some("99.50".to_owned());
    new[2].availability = Some(Availability::OutOfStock);
    new[2].quantity = Some(0);
    new[3].title = "Another title".to_owned();
    new[4].upcoming = Some((NOW + 3600, "80".to_owned()));
    new.drain(40..);
    new.push(item("new"));
    let text = shown(Some(&old), &new, &[]);
    let expected = "\
web (google-products): 1 added, 4 changed, 10 removed, 36 unchanged
  compared with version 4, published Fri 15 Jan 2027, 07:00
  held[removed]: 10 of 50 items would go: 20%, the limit is 10%
    A-40  Title A-40
    A-41  Title A-41
    A-42  Title A-42
    A-43  Title A-43
    A-44  Title A-44
    … and 5 more
    hint: see whether the source is whole, and what the filter leaves out; if it is meant, once: `--allow removed --reason \"…\"`
  price moves, 99,005.00 EUR at stake: 2
    A-00  100 -> 10,000 EUR (+9,900%), 99,000 EUR at stake  Title A-00
    A-01  100 -> 99.50 EUR (-0.5%), 5.00 EUR at stake  Title A-01
  going out of stock: 1
    A-02  10 -> 0 units  Title A-02
  removed: 10
    A-40  100 EUR, 10 in stock  Title A-40
    A-41  100 EUR, 10 in stock  Title A-41
    A-42  100 EUR, 10 in stock  Title A-42
    A-43  100 EUR, 10 in stock  Title A-43
    A-44  100 EUR, 10 in stock  Title A-44
    … and 5 more
  added: 1
    new  100 EUR, 10 in stock  Title new
  changed fields
    price: 2 items; A-00: `100 EUR` -> `10000 EUR`
    availability: 1 item; A-02: `in_stock` -> `out_of_stock`
    quantity: 1 item; A-02: `10` -> `0`
    title: 1 item; A-03: `Title A-03` -> `Another title`
  by itself within 7 days: 1
    Fri 15 Jan 2027, 09:00: A-04  100 -> 80 EUR  Title A-04

1 feed: 1 held by a gate
";
    assert_eq!(text, expected);
}

#[test]
fn nothing_and_the_first_are_one_line_each() {
    let feed = some(50);
    let same = shown(Some(&feed), &feed, &[]);
    assert!(
        same.starts_with("web (google-products): nothing changes, 50 items\n"),
        "{same}"
    );
    assert!(same.ends_with("1 feed: 1 stays as published\n"), "{same}");
    let first = shown(None, &feed, &[]);
    assert!(
        first.starts_with("web (google-products): first publication, 50 items\n"),
        "{first}"
    );
    assert!(first.ends_with("1 feed: 1 would change\n"), "{first}");
    assert_eq!(first.lines().count(), 3);
}

#[test]
fn what_is_allowed_is_said_and_does_not_hold() {
    let old = some(50);
    let text = shown(Some(&old), &old[20..], &[Gate::Removed]);
    assert!(text.contains("  allowed[removed]: 20 of 50"), "{text}");
    assert!(!text.contains("--allow"), "{text}");
    assert!(text.ends_with("1 feed: 1 would change\n"), "{text}");
}

#[test]
fn data_does_not_steer_the_terminal() {
    let hostile = format!("\u{1b}[2J\u{202e}\n{}", "9".repeat(500));
    let mut old = some(9);
    old[0].title.clone_from(&hostile);
    old[1].note.clone_from(&hostile);
    let mut new = old.clone();
    new.remove(0);
    new[0].note = hostile.repeat(2);
    let mut extra = item(&hostile);
    extra.upcoming = Some((NOW + 5, hostile.clone()));
    new.push(extra);
    let text = shown(Some(&old), &new, &[]);
    let steers = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}';
    assert!(!text.chars().any(steers), "{text:?}");
    assert!(
        text.lines().all(|line| line.chars().count() < 400),
        "{text}"
    );
}

#[test]
fn amounts_read_well() {
    let money_of = |text: &str| money(text.parse().expect("a number"), "EUR");
    assert_eq!(money_of("1234567.50"), "1,234,567.50 EUR");
    assert_eq!(money_of("-999"), "-999 EUR");
    let price = |old: &str, new: &str| {
        let (old, new): (Decimal, Decimal) = (
            old.parse().expect("a number"),
            new.parse().expect("a number"),
        );
        let share = (new - old).checked_div(old);
        moved(&PriceMove {
            old,
            new,
            share,
            at_stake: None,
        })
    };
    assert_eq!(price("100", "101.5"), "+1.5%");
    assert_eq!(price("3", "2"), "-33%");
    assert_eq!(price("10000", "10001"), "+0.01%");
    assert_eq!(price("0", "1"), "");
}
