//! A plan as a person reads it in a minute: what stops it first, then money, then what goes, then the rest by field.

use std::io::Write;

use rust_decimal::Decimal;

use super::text::{count, message, thousands, value};
use crate::change::{
    Changes, FieldGroup, Gate, ItemChange, Listed, ListedItem, PriceMove, Tripped, Upcoming,
};
use crate::term::Shell;

/// How many items of a kind are shown, and with `-v`.
const SHOWN: usize = 5;
const SHOWN_VERBOSE: usize = 100;
/// How many fields are shown, and with `-v`.
const FIELDS: usize = 8;

/// What is planned for a feed.
pub struct PlannedFeed<'p> {
    /// Its name.
    pub feed: &'p str,
    /// Its channel.
    pub channel: &'p str,
    /// The version that stands there, and when it was published, in seconds since 1970 UTC.
    pub published: Option<(u64, i64)>,
    /// What would change.
    pub changes: &'p Changes,
    /// The gates that trip.
    pub tripped: &'p [Tripped],
    /// The gates that are allowed this once.
    pub allowed: &'p [Gate],
}

impl PlannedFeed<'_> {
    /// Whether a gate holds it.
    pub fn held(&self) -> bool {
        self.tripped
            .iter()
            .any(|tripped| !self.allowed.contains(&tripped.gate))
    }
}

/// The plan of some feeds. Moments are shown in `zone`.
///
/// # Errors
/// When the output refuses.
pub fn plan(
    shell: &Shell,
    feeds: &[PlannedFeed<'_>],
    zone: &jiff::tz::TimeZone,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    for planned in feeds {
        feed(shell, planned, zone, out)?;
        writeln!(out)?;
    }
    writeln!(out, "{}", overall(feeds))
}

/// `3 feeds: 1 held, 1 would change, 1 stays as it is`.
fn overall(feeds: &[PlannedFeed<'_>]) -> String {
    let held = feeds.iter().filter(|feed| feed.held()).count();
    let same = feeds
        .iter()
        .filter(|feed| !feed.held() && feed.changes.is_nothing())
        .count();
    let change = feeds.len() - held - same;
    let mut parts = Vec::new();
    if held > 0 {
        parts.push(format!("{held} held by a gate"));
    }
    if change > 0 {
        parts.push(format!("{change} would change"));
    }
    if same > 0 {
        let verb = if same == 1 { "stays" } else { "stay" };
        parts.push(format!("{same} {verb} as published"));
    }
    format!(
        "{}: {}",
        count(feeds.len() as u64, "feed"),
        parts.join(", ")
    )
}

/// What happens in one line: `12 added, 6 changed, 10 removed, 980 unchanged`.
pub fn headline(changes: &Changes) -> String {
    let counts = &changes.counts;
    if changes.first() {
        return format!("first publication, {}", count(changes.after.items, "item"));
    }
    if changes.is_nothing() {
        return format!("nothing changes, {}", count(counts.unchanged, "item"));
    }
    let mut text = format!(
        "{} added, {} changed, {} removed, {} unchanged",
        thousands(counts.added),
        thousands(counts.changed),
        thousands(counts.removed),
        thousands(counts.unchanged)
    );
    if changes.document_changed {
        text.push_str(", and what stands around the items");
    }
    text
}

/// What is planned for one feed, or what changed in it.
///
/// # Errors
/// When the output refuses.
pub fn feed(
    shell: &Shell,
    planned: &PlannedFeed<'_>,
    zone: &jiff::tz::TimeZone,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let changes = planned.changes;
    writeln!(
        out,
        "{} ({}): {}",
        shell.bold(&value(planned.feed)),
        value(planned.channel),
        headline(changes)
    )?;
    if let Some((version, at)) = planned.published {
        let at = moment(at, zone);
        writeln!(out, "  compared with version {version}, published {at}")?;
    }
    let most = if shell.verbose > 0 {
        SHOWN_VERBOSE
    } else {
        SHOWN
    };
    for tripped in planned.tripped {
        gate(shell, tripped, planned.allowed.contains(&tripped.gate), out)?;
    }
    if !changes.first() {
        let title = match at_stake(changes) {
            Some(stake) => format!("price moves, {stake} at stake"),
            None => "price moves".to_owned(),
        };
        let moves = listed(&changes.changed, changes.counts.price_moves, |item| {
            item.price.is_some()
        });
        block(shell, &title, &moves, most, price_line, out)?;
        let gone = listed(&changes.changed, changes.counts.going_out, |item| {
            item.going_out
        });
        block(shell, "going out of stock", &gone, most, stock_line, out)?;
        let items = (
            changes.removed.items.iter().collect(),
            changes.removed.total,
        );
        block(shell, "removed", &items, most, item_line, out)?;
        let items = (changes.added.items.iter().collect(), changes.added.total);
        block(shell, "added", &items, most, item_line, out)?;
        fields(shell, changes, out)?;
    }
    let soon = (
        changes.upcoming.items.iter().collect(),
        changes.upcoming.total,
    );
    let line = |upcoming: &Upcoming| upcoming_line(upcoming, zone);
    block(shell, "by itself within 7 days", &soon, most, line, out)
}

fn gate(
    shell: &Shell,
    tripped: &Tripped,
    allowed: bool,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let word = if allowed {
        shell.yellow("allowed")
    } else {
        shell.red("held")
    };
    writeln!(
        out,
        "  {word}[{}]: {}",
        shell.bold(tripped.gate.as_str()),
        message(&tripped.message)
    )?;
    for item in &tripped.items {
        writeln!(out, "    {}  {}", value(&item.id), value(&item.what))?;
    }
    let shown = tripped.items.len() as u64;
    if shown > 0 && shown < tripped.count {
        writeln!(out, "    … and {} more", thousands(tripped.count - shown))?;
    }
    if !allowed {
        writeln!(out, "    hint: {}", message(&tripped.hint))?;
    }
    Ok(())
}

/// The listed items of a kind, and how many there are in all.
pub(super) fn listed<'c>(
    changed: &'c Listed<ItemChange>,
    total: u64,
    is: impl Fn(&ItemChange) -> bool,
) -> (Vec<&'c ItemChange>, u64) {
    (
        changed.items.iter().filter(|item| is(item)).collect(),
        total,
    )
}

fn block<T>(
    shell: &Shell,
    title: &str,
    (items, total): &(Vec<&T>, u64),
    most: usize,
    line: impl Fn(&T) -> String,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    if *total == 0 {
        return Ok(());
    }
    writeln!(out, "  {}: {}", shell.bold(title), thousands(*total))?;
    for item in items.iter().take(most) {
        writeln!(out, "    {}", line(item))?;
    }
    let more = total.saturating_sub(items.len().min(most) as u64);
    if more > 0 {
        writeln!(out, "    … and {} more", thousands(more))?;
    }
    Ok(())
}

/// The money at stake in a feed's price moves; none where no stock is known.
pub fn at_stake(changes: &Changes) -> Option<String> {
    let known = changes.changed.items.iter().any(|item| {
        item.price
            .is_some_and(|price| price.at_stake.is_some_and(|stake| !stake.is_zero()))
    });
    known.then(|| money(changes.counts.at_stake, &changes.after.currency))
}

/// An amount as people read it: `1,234.50 EUR`.
pub fn money(amount: Decimal, currency: &str) -> String {
    let text = amount.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let (sign, digits) = match whole.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", whole),
    };
    let mut shown = sign.to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    if !fraction.is_empty() {
        shown.push('.');
        shown.push_str(fraction);
    }
    if !currency.is_empty() {
        shown.push(' ');
        shown.push_str(&value(currency));
    }
    shown
}

/// A move in percent: `+9,900%`, `-0.5%`; empty from zero.
pub fn moved(price: &PriceMove) -> String {
    let Some(share) = price.share else {
        return String::new();
    };
    let percent = share.saturating_mul(Decimal::ONE_HUNDRED);
    let places = u32::from(percent.abs() < Decimal::TEN);
    let shown = percent.round_dp(places).normalize();
    let sign = if percent > Decimal::ZERO { "+" } else { "" };
    if shown.is_zero() {
        return format!("{sign}{}%", percent.round_dp(4).normalize());
    }
    format!("{sign}{}%", money(shown, ""))
}

fn price_line(item: &ItemChange) -> String {
    let Some(price) = &item.price else {
        return String::new();
    };
    let mut text = format!(
        "{}  {} -> {}",
        value(&item.id),
        money(price.old, ""),
        money(price.new, &item.currency)
    );
    let moved = moved(price);
    if !moved.is_empty() {
        text.push_str(&format!(" ({moved})"));
    }
    if let Some(stake) = price.at_stake {
        text.push_str(&format!(", {} at stake", money(stake, &item.currency)));
    }
    with_title(text, &item.title)
}

fn stock_line(item: &ItemChange) -> String {
    let mut text = value(&item.id);
    if let Some(stock) = item.stock {
        text.push_str(&format!("  {} -> {} units", stock.old, stock.new));
    }
    with_title(text, &item.title)
}

fn item_line(item: &ListedItem) -> String {
    let mut text = value(&item.id);
    if let Some(price) = &item.price {
        text.push_str(&format!("  {} {}", value(price), value(&item.currency)));
    }
    if let Some(units) = item.quantity {
        text.push_str(&format!(", {units} in stock"));
    }
    if item.id_changed {
        text.push_str(", the same product under another id");
    }
    with_title(text, &item.title)
}

fn with_title(mut text: String, title: &str) -> String {
    if !title.is_empty() {
        text.push_str("  ");
        text.push_str(&value(title));
    }
    text
}

/// A moment as people read it: `Mon 23 Nov 2026, 10:00`.
pub fn moment(at: i64, zone: &jiff::tz::TimeZone) -> String {
    match jiff::Timestamp::from_second(at) {
        Ok(at) => at
            .to_zoned(zone.clone())
            .strftime("%a %-d %b %Y, %H:%M")
            .to_string(),
        Err(_) => at.to_string(),
    }
}

fn upcoming_line(upcoming: &Upcoming, zone: &jiff::tz::TimeZone) -> String {
    let now = upcoming.price.as_deref().unwrap_or("no price");
    let text = format!(
        "{}: {}  {} -> {} {}",
        moment(upcoming.at, zone),
        value(&upcoming.id),
        value(now),
        value(&upcoming.then),
        value(&upcoming.currency)
    );
    with_title(text, &upcoming.title)
}

/// What is said of the counts by field: whether they are of all items.
pub(super) fn fields_note(changes: &Changes) -> String {
    match changes.fields_stride {
        0 | 1 => String::new(),
        stride => format!("of every {stride}th changed item"),
    }
}

fn fields(shell: &Shell, changes: &Changes, out: &mut dyn Write) -> std::io::Result<()> {
    if changes.fields.is_empty() {
        return Ok(());
    }
    let note = fields_note(changes);
    let note = if note.is_empty() {
        note
    } else {
        format!(" ({note})")
    };
    writeln!(out, "  {}{note}", shell.bold("changed fields"))?;
    let most = if shell.verbose > 0 {
        usize::MAX
    } else {
        FIELDS
    };
    for group in changes.fields.iter().take(most) {
        writeln!(out, "    {}", field_line(group))?;
    }
    let more = changes.fields.len().saturating_sub(most) as u64;
    if more > 0 {
        writeln!(out, "    … and {}", count(more, "other field"))?;
    }
    Ok(())
}

fn field_line(group: &FieldGroup) -> String {
    let mut text = format!("{}: {}", value(&group.field), count(group.items, "item"));
    if group.emptied > 0 {
        text.push_str(&format!(", emptied in {}", thousands(group.emptied)));
    }
    if group.filled > 0 {
        text.push_str(&format!(", filled in {}", thousands(group.filled)));
    }
    if let Some(example) = group.examples.first() {
        let side = |side: &Option<String>| match side {
            Some(text) => format!("`{}`", value(text)),
            None => "nothing".to_owned(),
        };
        text.push_str(&format!(
            "; {}: {} -> {}",
            value(&example.id),
            side(&example.change.old),
            side(&example.change.new)
        ));
    }
    text
}

#[cfg(test)]
mod tests;
