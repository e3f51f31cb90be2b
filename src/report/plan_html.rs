//! A plan as one page that a colleague can open and approve: no request to anywhere, everything from data escaped.
//!
//! It shows up to 200 items of a kind, the worst first; the counts are of all.

mod rows;

use super::html::{STYLE, escape, marked, put, share};
use super::human::size;
use super::plan::{PlannedFeed, at_stake, fields_note, headline, listed, moment};
use super::text::{thousands, value};
use crate::change::{Changes, Tripped};
use crate::config::project::Shop;
use rows::{change_row, from_to, item_row, price_row, stock_row, upcoming_row};

const PLAN_STYLE: &str = include_str!("html/plan.css");
/// How many items of a kind are shown at once; the others unfold.
const TOP: usize = 8;
/// How many items of a kind are there to be unfolded.
const ROWS: usize = 200;
/// How many fields are shown.
const FIELDS: usize = 60;

/// The page: a whole HTML document. `now` is the plan's moment, in seconds since 1970 UTC.
pub fn page(shop: &Shop, now: i64, feeds: &[PlannedFeed<'_>]) -> String {
    let zone = jiff::tz::TimeZone::get(&shop.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    let name = escape(&shop.name);
    let mut out = String::with_capacity(64 * 1024);
    put(
        &mut out,
        format_args!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n<link rel=\"icon\" href=\"data:,\">\n<title>Plan: {name}</title>\n<style>\n{STYLE}{PLAN_STYLE}</style>\n</head>\n<body>\n\
             <header>\n<h1>What would be published: {name}</h1>\n<p class=\"soft\">{} ({})</p>\n",
            escape(&moment(now, &zone)),
            escape(&shop.timezone),
        ),
    );
    tiles(&mut out, feeds);
    out.push_str("</header>\n<main>\n<h2>Feeds</h2>\n");
    for planned in feeds {
        feed(&mut out, planned, &zone);
    }
    put(
        &mut out,
        format_args!(
            "</main>\n<footer>Made by <code>shelfcast plan --report</code>, version {}. <code>shelfcast publish --plan FILE</code> sends exactly what is planned here.</footer>\n</body>\n</html>\n",
            env!("CARGO_PKG_VERSION"),
        ),
    );
    out
}

fn tiles(out: &mut String, feeds: &[PlannedFeed<'_>]) {
    let sum = |of: &dyn Fn(&Changes) -> u64| feeds.iter().map(|feed| of(feed.changes)).sum::<u64>();
    let held = feeds.iter().filter(|feed| feed.held()).count() as u64;
    out.push_str("<div class=\"tiles\">\n");
    for (kind, number, label) in [
        ("", feeds.len() as u64, "feeds"),
        ("error", held, "held by a gate"),
        (
            "warning",
            sum(&|changes| changes.counts.price_moves),
            "price moves",
        ),
        (
            "error",
            sum(&|changes| changes.counts.removed),
            "items removed",
        ),
        (
            "warning",
            sum(&|changes| changes.counts.going_out),
            "going out of stock",
        ),
        ("", sum(&|changes| changes.counts.added), "items added"),
        ("", sum(&|changes| changes.counts.changed), "items changed"),
    ] {
        let kind = if number == 0 { "" } else { kind };
        put(
            out,
            format_args!(
                "<div class=\"card tile {kind}\"><b>{}</b><span class=\"soft\">{label}</span></div>\n",
                thousands(number)
            ),
        );
    }
    out.push_str("</div>\n");
}

fn feed(out: &mut String, planned: &PlannedFeed<'_>, zone: &jiff::tz::TimeZone) {
    let changes = planned.changes;
    let (kind, word) = match (planned.held(), changes.is_nothing()) {
        (true, _) => ("error", "held"),
        (false, true) => ("", "as published"),
        (false, false) => ("warning", "would change"),
    };
    put(
        out,
        format_args!(
            "<section class=\"card feed\">\n<h3><span class=\"pill {kind}\">{word}</span>{} <span class=\"soft\">{}</span></h3>\n<p>{}</p>\n",
            escape(&value(planned.feed)),
            escape(&value(planned.channel)),
            escape(&headline(changes)),
        ),
    );
    if let Some((version, at)) = planned.published {
        put(
            out,
            format_args!(
                "<p class=\"soft\">Compared with version {version}, published {}. {} to {}.</p>\n",
                escape(&moment(at, zone)),
                size(changes.before.as_ref().map_or(0, |before| before.bytes)),
                size(changes.after.bytes),
            ),
        );
    }
    bar(out, changes);
    for tripped in planned.tripped {
        gate(out, tripped, planned.allowed.contains(&tripped.gate));
    }
    if !changes.first() {
        let moves = listed(&changes.changed, changes.counts.price_moves, |item| {
            item.price.is_some()
        });
        let title = match at_stake(changes) {
            Some(stake) => format!("price moves, {stake} at stake"),
            None => "price moves".to_owned(),
        };
        let head = ["item", "price", "move", "at stake"];
        table(out, &title, &head, &moves, true, price_row);
        let gone = listed(&changes.changed, changes.counts.going_out, |item| {
            item.going_out
        });
        table(
            out,
            "going out of stock",
            &["item", "units", "availability", "fields"],
            &gone,
            true,
            stock_row,
        );
        let head = ["item", "price", "units", ""];
        let removed = (
            changes.removed.items.iter().collect(),
            changes.removed.total,
        );
        table(out, "removed", &head, &removed, true, item_row);
        let added = (changes.added.items.iter().collect(), changes.added.total);
        table(out, "added", &head, &added, false, item_row);
        fields(out, changes);
        let others = changes.counts.changed - changes.counts.price_moves;
        let others = listed(&changes.changed, others, |item| item.price.is_none());
        table(
            out,
            "other changed items",
            &["item", "fields"],
            &others,
            false,
            change_row,
        );
        fill(out, changes);
    }
    let soon = (
        changes.upcoming.items.iter().collect(),
        changes.upcoming.total,
    );
    let head = ["item", "when", "price", ""];
    table(
        out,
        "by itself within 7 days",
        &head,
        &soon,
        false,
        |upcoming| upcoming_row(upcoming, zone),
    );
    out.push_str("</section>\n");
}

fn bar(out: &mut String, changes: &Changes) {
    let counts = &changes.counts;
    let parts = [
        ("added", counts.added),
        ("changed", counts.changed),
        ("removed", counts.removed),
        ("unchanged", counts.unchanged),
    ];
    let all: u64 = parts.iter().map(|(_, number)| number).sum();
    let words: Vec<String> = parts
        .iter()
        .map(|(word, number)| format!("{} {word}", thousands(*number)))
        .collect();
    let title = words.join(", ");
    put(
        out,
        format_args!("<div class=\"stack\" role=\"img\" aria-label=\"{title}\" title=\"{title}\">"),
    );
    for (kind, number) in parts {
        if number > 0 {
            put(
                out,
                format_args!(
                    "<i class=\"{kind}\" style=\"width:{:.2}%\"></i>",
                    share(number, all)
                ),
            );
        }
    }
    out.push_str("</div>\n<div class=\"legend\">");
    for (kind, number) in parts {
        if number > 0 {
            put(
                out,
                format_args!(
                    "<span><i class=\"{kind}\"></i>{} {kind}</span>",
                    thousands(number)
                ),
            );
        }
    }
    out.push_str("</div>\n");
}

fn gate(out: &mut String, tripped: &Tripped, allowed: bool) {
    let (class, pill, word) = if allowed {
        ("gate allowed", "warning", "allowed once")
    } else {
        ("gate", "error", "held")
    };
    put(
        out,
        format_args!(
            "<div class=\"{class}\"><span class=\"pill {pill}\">{word}</span><b>{}</b>: {}\n",
            tripped.gate.as_str(),
            marked(&tripped.message)
        ),
    );
    if !tripped.items.is_empty() {
        out.push_str("<ul>");
        for item in &tripped.items {
            put(
                out,
                format_args!(
                    "<li><code>{}</code> {}</li>",
                    escape(&value(&item.id)),
                    escape(&value(&item.what))
                ),
            );
        }
        out.push_str("</ul>");
    }
    if !allowed {
        put(
            out,
            format_args!("<p class=\"soft\">→ {}</p>", marked(&tripped.hint)),
        );
    }
    out.push_str("</div>\n");
}

/// A foldable table: `head` names its columns, the first of which is the item.
fn table<T>(
    out: &mut String,
    title: &str,
    head: &[&str],
    (items, total): &(Vec<&T>, u64),
    open: bool,
    row: impl Fn(&T) -> Vec<String>,
) {
    if *total == 0 {
        return;
    }
    let open = if open { " open" } else { "" };
    put(
        out,
        format_args!(
            "<details{open}><summary><b>{}</b> <span class=\"soft\">{}</span></summary>\n<div><table class=\"items\">\n<thead><tr>",
            escape(title),
            thousands(*total)
        ),
    );
    heads(out, head);
    for item in items.iter().take(TOP) {
        cells(out, head, &row(item));
    }
    out.push_str("</tbody>\n</table>\n");
    let rest: Vec<_> = items.iter().take(ROWS).skip(TOP).collect();
    if !rest.is_empty() {
        put(
            out,
            format_args!(
                "<details class=\"rest\"><summary>{} more</summary>\n<div><table class=\"items\">\n<thead><tr>",
                thousands(rest.len() as u64)
            ),
        );
        heads(out, head);
        for item in rest {
            cells(out, head, &row(item));
        }
        out.push_str("</tbody>\n</table></div>\n</details>\n");
    }
    let more = total.saturating_sub(items.len().min(ROWS) as u64);
    if more > 0 {
        put(
            out,
            format_args!("<p class=\"soft\">… and {} more.</p>\n", thousands(more)),
        );
    }
    out.push_str("</div>\n</details>\n");
}

fn heads(out: &mut String, head: &[&str]) {
    for name in head {
        put(out, format_args!("<th>{name}</th>"));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
}

fn cells(out: &mut String, head: &[&str], row: &[String]) {
    out.push_str("<tr>");
    for (place, cell) in row.iter().enumerate() {
        let name = head.get(place).copied().unwrap_or("");
        if place == 0 || name.is_empty() || cell.is_empty() {
            put(out, format_args!("<td>{cell}</td>"));
        } else {
            put(out, format_args!("<td data-name=\"{name}\">{cell}</td>"));
        }
    }
    out.push_str("</tr>\n");
}

fn fields(out: &mut String, changes: &Changes) {
    if changes.fields.is_empty() {
        return;
    }
    let most = changes.fields.first().map_or(1, |group| group.items);
    put(
        out,
        format_args!(
            "<details open><summary><b>changed fields</b> <span class=\"soft\">{} {}</span></summary>\n<div><table class=\"items\">\n<thead><tr><th>field</th><th>items</th><th class=\"n\"></th><th>for example</th></tr></thead>\n<tbody>\n",
            changes.fields.len(),
            fields_note(changes)
        ),
    );
    for group in changes.fields.iter().take(FIELDS) {
        let mut notes = String::new();
        for (number, word) in [(group.emptied, "emptied"), (group.filled, "filled")] {
            if number > 0 {
                notes.push_str(&format!(
                    "<br><span class=\"soft\">{} {word}</span>",
                    thousands(number)
                ));
            }
        }
        let example = group.examples.first().map_or(String::new(), |example| {
            format!(
                "<code>{}</code> {}",
                escape(&value(&example.id)),
                from_to(example.change.old.as_deref(), example.change.new.as_deref())
            )
        });
        put(
            out,
            format_args!(
                "<tr><td><code>{}</code>{notes}</td><td><div class=\"track\"><i class=\"full\" style=\"width:{:.2}%\"></i></div></td><td class=\"n\" data-name=\"items\">{}</td><td>{example}</td></tr>\n",
                escape(&value(&group.field)),
                share(group.items, most),
                thousands(group.items),
            ),
        );
    }
    out.push_str("</tbody>\n</table></div>\n</details>\n");
}

/// Attributes whose fill moves.
fn fill(out: &mut String, changes: &Changes) {
    let before = changes.before.as_ref().map_or(0, |before| before.items);
    let moved: Vec<_> = changes
        .fill
        .iter()
        .filter(|fill| {
            u128::from(fill.before) * u128::from(changes.after.items)
                != u128::from(fill.after) * u128::from(before)
        })
        .collect();
    if moved.is_empty() {
        return;
    }
    put(
        out,
        format_args!(
            "<details><summary><b>how full the attributes are</b> <span class=\"soft\">{} differ</span></summary>\n<div><table class=\"items\">\n<thead><tr><th>attribute</th><th>before</th><th>now</th></tr></thead>\n<tbody>\n",
            moved.len()
        ),
    );
    for fill in moved {
        put(
            out,
            format_args!(
                "<tr><td><code>{}</code></td><td data-name=\"before\">{:.1}%</td><td data-name=\"now\">{:.1}%</td></tr>\n",
                escape(&value(&fill.attribute)),
                share(fill.before, before),
                share(fill.after, changes.after.items),
            ),
        );
    }
    out.push_str("</tbody>\n</table></div>\n</details>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::judge;
    use crate::change::testing::{Item, NOW, compared, item, made};
    use crate::config::gate::GateLimits;
    use crate::config::project::Units;
    use crate::model::availability::Availability;

    const HOSTILE: &str = "</style><script>alert(1)</script>\"' onerror=x \u{1b}[2J\u{202e}&amp;";

    fn shop(name: &str) -> Shop {
        Shop {
            name: name.to_owned(),
            url: "https://shop.example".to_owned(),
            currency: "EUR".to_owned(),
            language: "en".to_owned(),
            country: "DE".to_owned(),
            timezone: "Europe/Berlin".to_owned(),
            units: Units::default(),
        }
    }

    fn feeds() -> (Vec<Item>, Vec<Item>) {
        let old: Vec<Item> = (0..60)
            .map(|number| {
                let mut made = item(&format!("MUG-{number:02}"));
                made.title =
                    format!("Stoneware mug, blue glaze, {number} cl, safe in the dishwasher");
                made
            })
            .collect();
        let mut new = old.clone();
        for item in new.iter_mut().take(15) {
            item.price = Some("10000.00".to_owned());
        }
        new[20].price = Some("99.50".to_owned());
        new[21].title = format!("Another title {HOSTILE}");
        new[22].note = String::new();
        for item in new.iter_mut().skip(24).take(3) {
            item.availability = Some(Availability::OutOfStock);
            item.quantity = Some(0);
        }
        new[30].upcoming = Some((NOW + 90_000, "80".to_owned()));
        new.drain(50..);
        let mut more = item(HOSTILE);
        more.upcoming = Some((NOW + 3, HOSTILE.to_owned()));
        new.push(more);
        (old, new)
    }

    fn shown() -> String {
        let (old, new) = feeds();
        let changes = compared(Some(&made(&old)), &made(&new));
        let tripped = judge(&changes, &GateLimits::default());
        let same = compared(Some(&made(&old)), &made(&old));
        let first = compared(None, &made(&new));
        let planned = |feed, published, changes, tripped| PlannedFeed {
            feed,
            channel: "google-products",
            published,
            changes,
            tripped,
            allowed: &[],
        };
        let feeds = [
            planned(HOSTILE, Some((3, NOW - 86_400)), &changes, &tripped[..]),
            planned("same", Some((8, NOW - 86_400)), &same, &[]),
            planned("first", None, &first, &[]),
        ];
        page(&shop(HOSTILE), NOW, &feeds)
    }

    #[test]
    fn data_is_escaped_and_nothing_is_asked_for() {
        let page = shown();
        for bad in [
            "<script",
            "\u{1b}",
            "\u{202e}",
            "onerror=x \"",
            "http:",
            "src=",
            "@import",
            "url(",
        ] {
            assert!(!page.contains(bad), "{bad}");
        }
        // The one address is the policy's own word.
        assert_eq!(page.matches("https:").count(), 0);
        assert_eq!(page.matches("</style>").count(), 1);
    }

    #[test]
    fn it_says_what_the_text_says() {
        let page = shown();
        for words in [
            "15 of 50 prices would move by more than 50%: 30%, the limit is 20%",
            "10 of 60 items would go",
            "<b>price moves, 1,485,005.00 EUR at stake</b> <span class=\"soft\">16</span>",
            "<span class=\"old\">100</span> → <span class=\"new\">10,000.00 EUR</span>",
            "+9,900%",
            "--allow price_moved --reason",
            "nothing changes, 60 items",
            "first publication, 51 items",
        ] {
            assert!(page.contains(words), "{words}");
        }
        let opened = page.matches("<details").count();
        assert_eq!(opened, page.matches("</details>").count());
        assert_eq!(page.matches("<section").count(), 3);
    }
}
