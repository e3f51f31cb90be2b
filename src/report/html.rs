//! What a check found, as one page that a colleague can open: counts and charts, no request to anywhere.
//!
//! Everything that comes from data is escaped, and what would steer a reader's eye (control characters, marks that turn the
//! direction of writing) is shown as its number.

use std::fmt::Write;

use super::collected::{Collected, Example, Group};
use super::human::{extent, size};
use super::text::{count, message, thousands, value};
use crate::config::project::Shop;
use crate::pipeline::build::{FeedReport, Report};
use crate::validate::finding::Severity;
use crate::validate::rules;

pub(super) const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");
/// How many remarks about sources are shown.
const REMARKS: usize = 100;

/// What the page tells.
pub struct Checked<'c> {
    /// The shop.
    pub shop: &'c Shop,
    /// The run's moment.
    pub now: jiff::Timestamp,
    /// How the feeds came out.
    pub report: &'c Report,
    /// What was found.
    pub collected: &'c Collected,
}

/// The page: a whole HTML document.
pub fn page(checked: &Checked<'_>) -> String {
    let zone = jiff::tz::TimeZone::get(&checked.shop.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    let when = checked
        .now
        .to_zoned(zone)
        .strftime("%A, %-d %B %Y, %H:%M %Z")
        .to_string();
    let shop = escape(&checked.shop.name);
    let mut out = String::with_capacity(64 * 1024);
    put(
        &mut out,
        format_args!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<link rel=\"icon\" href=\"data:,\">\n<title>Feed check: {shop}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>Feed check: {shop}</h1>\n<p class=\"soft\">{}</p>\n",
            escape(&when),
        ),
    );
    tiles(&mut out, checked);
    out.push_str("</header>\n<main>\n");
    feeds(&mut out, &checked.report.feeds);
    let groups = checked.collected.sorted();
    chart(&mut out, &groups);
    details(&mut out, &groups, &checked.report.feeds);
    fill(&mut out, &checked.report.feeds);
    remarks(&mut out, &checked.collected.remarks);
    put(
        &mut out,
        format_args!(
            "</main>\n<footer>{} records read in {:.2} s. Made by <code>shelfcast check --report</code>, version {}. <code>shelfcast explain RULE</code> tells more of a rule, <code>shelfcast check --csv FILE</code> lists every finding.</footer>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
            thousands(checked.report.rows),
            checked.report.seconds,
            env!("CARGO_PKG_VERSION"),
        ),
    );
    out
}

pub(super) fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes all text");
}

/// Text from data, for elements and quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for letter in crate::term::visible(text).chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// A message: what stands in backticks as code.
pub(super) fn marked(text: &str) -> String {
    let text = message(text);
    let parts: Vec<&str> = text.split('`').collect();
    let mut shown = String::with_capacity(text.len() + 32);
    for (number, part) in parts.iter().enumerate() {
        let quoted = number % 2 == 1 && number + 1 < parts.len();
        if quoted {
            put(&mut shown, format_args!("<code>{}</code>", escape(part)));
        } else {
            if number % 2 == 1 {
                shown.push('`');
            }
            shown.push_str(&escape(part));
        }
    }
    shown
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// A share in percent, for the width of a bar.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 * 100.0 / whole as f64
    }
}

fn tiles(out: &mut String, checked: &Checked<'_>) {
    let feeds = &checked.report.feeds;
    let withheld: u64 = feeds.iter().map(|feed| feed.withheld).sum();
    let (_, warnings) = checked.collected.counts();
    let held = feeds.iter().filter(|feed| feed.held.is_some()).count() as u64;
    let tile = |out: &mut String, kind: &str, number: u64, label: &str| {
        let kind = if number == 0 { "" } else { kind };
        put(
            out,
            format_args!(
                "<div class=\"card tile {kind}\"><b>{}</b><span class=\"soft\">{label}</span></div>\n",
                thousands(number)
            ),
        );
    };
    out.push_str("<div class=\"tiles\">\n");
    tile(out, "", checked.report.rows, "records in the catalog");
    tile(out, "", feeds.len() as u64, "feeds");
    tile(out, "error", withheld, "items withheld, all feeds");
    tile(out, "error", held, "feeds over their limit");
    tile(out, "warning", warnings, "warnings");
    out.push_str("</div>\n");
}

fn feeds(out: &mut String, feeds: &[FeedReport]) {
    out.push_str(
        "<h2>Feeds</h2>\n<section class=\"card\">\n<div class=\"legend\"><span><i class=\"written\"></i>written</span><span><i class=\"withheld\"></i>withheld: something is wrong</span><span><i class=\"filtered\"></i>filtered: not meant for it</span></div>\n\
         <table class=\"feeds\">\n<thead><tr><th>feed</th><th>of what was read</th><th class=\"n\">read</th><th class=\"n\">filtered</th><th class=\"n\">withheld</th><th class=\"n\">written</th><th class=\"n\">warnings</th><th class=\"n\">size</th></tr></thead>\n<tbody>\n",
    );
    for feed in feeds {
        put(
            out,
            format_args!(
                "<tr><td><b>{}</b><br><span class=\"soft\">{}</span>",
                escape(&feed.name),
                escape(&feed.channel)
            ),
        );
        if let Some(held) = &feed.held {
            put(
                out,
                format_args!(
                    "<br><span class=\"held\">would not be written: {}</span>",
                    marked(held)
                ),
            );
        }
        let title = format!(
            "{} written, {} withheld, {} filtered",
            thousands(feed.written),
            thousands(feed.withheld),
            thousands(feed.filtered)
        );
        put(
            out,
            format_args!(
                "</td><td class=\"bar\"><div class=\"stack\" role=\"img\" aria-label=\"{title}\" title=\"{title}\">"
            ),
        );
        for (kind, number) in [
            ("written", feed.written),
            ("withheld", feed.withheld),
            ("filtered", feed.filtered),
        ] {
            if number > 0 {
                put(
                    out,
                    format_args!(
                        "<i class=\"{kind}\" style=\"width:{:.2}%\"></i>",
                        share(number, feed.read)
                    ),
                );
            }
        }
        out.push_str("</div></td>");
        for (name, number) in [
            ("read", feed.read),
            ("filtered", feed.filtered),
            ("withheld", feed.withheld),
            ("written", feed.written),
            ("warnings", feed.warnings),
        ] {
            put(
                out,
                format_args!(
                    "<td class=\"n\" data-name=\"{name}\">{}</td>",
                    thousands(number)
                ),
            );
        }
        put(
            out,
            format_args!(
                "<td class=\"n\" data-name=\"size\">{}</td></tr>\n",
                size(feed.bytes)
            ),
        );
    }
    out.push_str("</tbody>\n</table>\n</section>\n");
}

fn chart(out: &mut String, groups: &[(&'static str, Severity, &Group)]) {
    out.push_str("<h2>Findings by rule, most harmful first</h2>\n");
    if groups.is_empty() {
        out.push_str("<section class=\"card\">Nothing was found.</section>\n");
        return;
    }
    let most = groups
        .iter()
        .map(|(_, _, group)| group.count)
        .max()
        .unwrap_or(1);
    out.push_str("<section class=\"card\">\n<div class=\"legend\"><span><i style=\"background:var(--bar-error)\"></i>error: the item is withheld</span><span><i style=\"background:var(--bar-warning)\"></i>warning</span></div>\n<div class=\"rules\">\n");
    for (rule, severity, group) in groups {
        let kind = word(*severity);
        put(
            out,
            format_args!(
                "<a href=\"#{kind}-{rule}\"><span class=\"name\">{rule}</span><span class=\"track\"><i class=\"{kind}\" style=\"width:{:.2}%\"></i></span><span class=\"n\">{} <span class=\"soft\">· {}</span></span></a>\n",
                share(group.count, most),
                thousands(group.count),
                group.records(),
            ),
        );
    }
    out.push_str("</div>\n</section>\n");
}

fn details(out: &mut String, groups: &[(&'static str, Severity, &Group)], feeds: &[FeedReport]) {
    if groups.is_empty() {
        return;
    }
    out.push_str("<h2>What is wrong, and what to do</h2>\n<div class=\"filter\" hidden><input id=\"text\" type=\"search\" placeholder=\"SKU, rule or word\" aria-label=\"SKU, rule or word\"><select id=\"severity\" aria-label=\"severity\"><option value=\"\">errors and warnings</option><option value=\"error\">errors</option><option value=\"warning\">warnings</option></select><select id=\"feed\" aria-label=\"feed\"><option value=\"\">all feeds</option>");
    for feed in feeds {
        put(out, format_args!("<option>{}</option>", escape(&feed.name)));
    }
    out.push_str("</select></div>\n<p id=\"none\" class=\"soft\" hidden>Nothing fits.</p>\n");
    for (number, (rule, severity, group)) in groups.iter().enumerate() {
        let kind = word(*severity);
        let known = rules::find(rule);
        let open = if number == 0 { " open" } else { "" };
        put(
            out,
            format_args!(
                "<details id=\"{kind}-{rule}\" data-severity=\"{kind}\" data-feeds=\"{}\"{open}>\n<summary><span class=\"pill {kind}\">{kind}</span><b>{rule}</b> <span class=\"soft\">{}</span></summary>\n<div>\n",
                names(group.feeds.keys().flatten()),
                known.map_or(String::new(), |rule| marked(rule.title)),
            ),
        );
        put(
            out,
            format_args!("<p class=\"soft\">{}</p>\n", marked(&extent(group))),
        );
        if let Some(known) = known {
            put(
                out,
                format_args!(
                    "<dl class=\"about\"><dt>Why it matters</dt><dd>{}</dd><dt>What to do</dt><dd>{}</dd></dl>\n",
                    marked(known.why),
                    marked(known.instead),
                ),
            );
        }
        out.push_str("<table class=\"examples\">\n<thead><tr><th>where</th><th>what</th></tr></thead>\n<tbody>\n");
        for example in &group.examples {
            row(out, example);
        }
        out.push_str("</tbody>\n</table>\n");
        let shown: u64 = group.examples.iter().map(Example::findings).sum();
        if shown < group.count {
            put(
                out,
                format_args!(
                    "<p class=\"soft\">… and {}.</p>\n",
                    count(group.count - shown, "more finding")
                ),
            );
        }
        out.push_str("</div>\n</details>\n");
    }
}

/// Names as a JSON list in a quoted attribute.
fn names<'n>(names: impl Iterator<Item = &'n String>) -> String {
    escape(&serde_json::Value::from(names.cloned().collect::<Vec<_>>()).to_string())
}

fn row(out: &mut String, example: &Example) {
    let first = &example.first;
    // A row with words from feeds that are not kept fits any feed.
    let feeds = example
        .said
        .iter()
        .flat_map(|said| &said.feeds)
        .filter(|_| example.others == 0);
    put(
        out,
        format_args!("<tr data-feeds=\"{}\"><td>", names(feeds)),
    );
    if let Some(sku) = &first.sku {
        put(
            out,
            format_args!("<code><b>{}</b></code><br>", escape(&value(sku))),
        );
    }
    put(
        out,
        format_args!("<span class=\"soft\">{}", escape(&value(&first.source))),
    );
    if first.line > 0 {
        put(out, format_args!(":{}", first.line));
    }
    out.push_str("</span></td><td>");
    for (number, said) in example.said.iter().enumerate() {
        put(
            out,
            format_args!("<p class=\"said\">{}", marked(&said.message)),
        );
        if !said.column.is_empty() && !said.message.contains(&format!("`{}`", said.column)) {
            put(
                out,
                format_args!(
                    " <span class=\"soft\">in column</span> <code>{}</code>",
                    escape(&value(&said.column))
                ),
            );
        }
        if !said.feeds.is_empty() {
            let feeds: Vec<String> = said.feeds.iter().map(|feed| escape(feed)).collect();
            put(
                out,
                format_args!(" <span class=\"soft\">· {}</span>", feeds.join(", ")),
            );
        }
        // The others' ways out differ in a name at most.
        if number == 0 && !said.hint.is_empty() {
            put(
                out,
                format_args!("<br><span class=\"soft\">→ {}</span>", marked(&said.hint)),
            );
        }
        out.push_str("</p>");
    }
    if example.others > 0 {
        put(
            out,
            format_args!(
                "<p class=\"said soft\">… and {}</p>",
                count(example.others, "more finding")
            ),
        );
    }
    out.push_str("</td></tr>\n");
}

fn fill(out: &mut String, feeds: &[FeedReport]) {
    if feeds
        .iter()
        .all(|feed| feed.fill.is_empty() || feed.written == 0)
    {
        return;
    }
    out.push_str("<h2>How full the attributes are</h2>\n<p class=\"soft\">Of the items that would be written, how many have a value.</p>\n");
    for feed in feeds
        .iter()
        .filter(|feed| !feed.fill.is_empty() && feed.written > 0)
    {
        let whole = feed
            .fill
            .iter()
            .filter(|filled| filled.items == feed.written)
            .count();
        put(
            out,
            format_args!(
                "<details><summary><b>{}</b> <span class=\"soft\">{whole} of {} in every item</span></summary>\n<div class=\"fill\">\n",
                escape(&feed.name),
                count(feed.fill.len() as u64, "attribute"),
            ),
        );
        let (mut sorted, never): (Vec<_>, Vec<_>) =
            feed.fill.iter().partition(|filled| filled.items > 0);
        sorted.sort_by_key(|filled| std::cmp::Reverse(filled.items));
        for filled in sorted {
            let title = format!("{} of {}", thousands(filled.items), thousands(feed.written));
            let bar = if filled.items == 0 {
                String::new()
            } else {
                format!(
                    "<i class=\"full\" style=\"width:{:.2}%\"></i>",
                    share(filled.items, feed.written)
                )
            };
            put(
                out,
                format_args!(
                    "<div title=\"{title}\"><span>{}</span><span class=\"track\">{bar}</span><span class=\"n\">{}</span></div>\n",
                    escape(&filled.attribute),
                    percent(filled.items, feed.written),
                ),
            );
        }
        if !never.is_empty() {
            let names: Vec<String> = never
                .iter()
                .map(|filled| escape(&filled.attribute))
                .collect();
            put(
                out,
                format_args!(
                    "<p class=\"never soft\">In no item: {}</p>\n",
                    names.join(", ")
                ),
            );
        }
        out.push_str("</div>\n</details>\n");
    }
}

/// A share as people read it: 100 % only when it is all, 0 % only when it is none.
fn percent(part: u64, whole: u64) -> String {
    match part.saturating_mul(100).checked_div(whole) {
        _ if part == 0 => "0%".to_owned(),
        Some(0) => "&lt; 1%".to_owned(),
        Some(percent) => format!("{percent}%"),
        None => String::new(),
    }
}

fn remarks(out: &mut String, remarks: &[String]) {
    if remarks.is_empty() {
        return;
    }
    out.push_str(
        "<h2>How the sources were read</h2>\n<section class=\"card\"><ul class=\"notes\">\n",
    );
    for remark in remarks.iter().take(REMARKS) {
        put(out, format_args!("<li>{}</li>\n", marked(remark)));
    }
    if remarks.len() > REMARKS {
        put(
            out,
            format_args!("<li>… and {} more</li>\n", remarks.len() - REMARKS),
        );
    }
    out.push_str("</ul></section>\n");
}

#[cfg(test)]
mod tests;
