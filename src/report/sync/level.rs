//! One SKU at a store: every term of the formula, what the store should say, what it took, what is on its way.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::config::project::Basis;
use crate::report::table::table;
use crate::report::text::{message, value};
use crate::sync::decide::{Rule, Terms};
use crate::sync::level::{Batch, BatchState, Level, Line, Mark, Observation, Standing};
use crate::term::Shell;

use super::{moment, word};

/// A largest level from which on it is not said: no shop has so many.
const MAXIMUM_SAID: i64 = 1_000_000;

/// A SKU as one sync keeps it.
#[derive(Clone, Debug)]
pub struct SkuView {
    /// The SKU.
    pub sku: String,
    /// The sync's rule.
    pub rule: Rule,
    /// Its store.
    pub store: String,
    /// What the source says of it, by location.
    pub observations: Vec<Observation>,
    /// Where each of them was read, in the same order: file and row, or nothing.
    pub origins: Vec<String>,
    /// The store's locations, those that nothing is known of included.
    pub places: Vec<PlaceView>,
}

/// The SKU at one of the store's locations.
#[derive(Clone, Debug)]
pub struct PlaceView {
    /// The store's location; empty where it has one stock.
    pub place: String,
    /// The formula's terms; absent where no location gives a count.
    pub terms: Option<Terms>,
    /// What is known of the pair.
    pub level: Option<Level>,
    /// The batch that it is on its way with.
    pub batch: Option<Batch>,
    /// What the store says now, where it was asked.
    pub online: Option<String>,
    /// The last lines of the ledger, oldest first.
    pub lines: Vec<Line>,
}

/// What a basis is called.
fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::OnHand => "on hand",
        Basis::Available => "available",
        Basis::Salable => "salable",
    }
}

fn mark(mark: &Mark) -> String {
    match mark {
        Mark::None => "-".to_owned(),
        Mark::Sequence(number) => number.to_string(),
        Mark::Time { micros, tie } => {
            let time = jiff::Timestamp::from_microsecond(*micros)
                .map_or_else(|_| micros.to_string(), |time| time.to_string());
            if tie.is_empty() {
                time
            } else {
                format!("{time} {}", value(tie))
            }
        }
    }
}

/// Writes a SKU for people.
///
/// # Errors
/// When the output refuses.
pub fn write(
    shell: &Shell,
    view: &SkuView,
    zone: &TimeZone,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rule = &view.rule;
    writeln!(
        out,
        "{}",
        shell.bold(&format!(
            "== {} by sync `{}`: source `{}` ({}) to store `{}`",
            value(&view.sku),
            rule.name,
            rule.source,
            basis(rule.basis),
            view.store
        ))
    )?;
    counts(view, out)?;
    for place in &view.places {
        writeln!(out)?;
        one(shell, rule, place, zone, out)?;
    }
    Ok(())
}

/// What the source says, a row a location.
fn counts(view: &SkuView, out: &mut dyn Write) -> io::Result<()> {
    let none = || "-".to_owned();
    let origins = view.origins.iter().any(|origin| !origin.is_empty());
    let mut head = vec![
        "location",
        basis(view.rule.basis),
        "committed",
        "kept back",
        "free",
        "to",
        "order mark",
    ];
    if origins {
        head.push("read from");
    }
    let mut rows = vec![head.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    let parts = |location: &str| {
        let mut terms = view.places.iter().filter_map(|place| place.terms.as_ref());
        terms.find_map(|terms| terms.parts.iter().find(|part| part.location == location))
    };
    for (index, row) in view.observations.iter().enumerate() {
        let part = parts(&row.location);
        let mut cells = vec![
            value(&row.location),
            row.quantity.map_or_else(none, |units| units.to_string()),
            part.map_or_else(none, |part| part.committed.to_string()),
            part.map_or_else(none, |part| part.safety_stock.to_string()),
            part.map_or_else(none, |part| part.free.to_string()),
            match view.rule.place(&row.location) {
                None => "takes no part".to_owned(),
                Some("") => "the store".to_owned(),
                Some(place) => value(place),
            },
            mark(&row.mark),
        ];
        if origins {
            cells.push(
                view.origins
                    .get(index)
                    .map_or_else(none, |text| value(text)),
            );
        }
        rows.push(cells);
    }
    if rows.len() == 1 {
        return writeln!(out, "the source gives no row of it");
    }
    table(&rows, &[1, 2, 3, 4], out)
}

/// The sum as it is computed, such as `floor(80% x 12) - 1, from 0 to 50 = 8`.
pub fn sum(rule: &Rule, terms: &Terms) -> String {
    let mut text = match (rule.offer.share == Decimal::ONE, terms.online_open) {
        (true, 0) => terms.sum.to_string(),
        (true, open) => format!("{} - {open} ordered online", terms.sum),
        (false, open) => {
            let percent = (rule.offer.share * Decimal::ONE_HUNDRED).normalize();
            let offered = format!("floor({percent}% x {}) = {}", terms.sum, terms.shared);
            match open {
                0 => offered,
                open => format!("{offered}, - {open} ordered online"),
            }
        }
    };
    if rule.offer.minimum > 0 {
        text.push_str(&format!(", at least {}", rule.offer.minimum));
    }
    // A store's own largest level says nothing of this SKU.
    if rule.offer.maximum < MAXIMUM_SAID {
        text.push_str(&format!(", at most {}", rule.offer.maximum));
    }
    text
}

fn one(
    shell: &Shell,
    rule: &Rule,
    place: &PlaceView,
    zone: &TimeZone,
    out: &mut dyn Write,
) -> io::Result<()> {
    let name = match place.place.as_str() {
        "" => "the store".to_owned(),
        place => format!("place `{}`", value(place)),
    };
    match &place.terms {
        None => writeln!(
            out,
            "{}: no location gives a count: nothing is sent, absent is not zero",
            shell.bold(&name)
        )?,
        Some(terms) => writeln!(
            out,
            "{}: {} -> {} salable",
            shell.bold(&name),
            sum(rule, terms),
            shell.bold(&terms.salable.to_string())
        )?,
    }
    let Some(level) = &place.level else {
        return writeln!(out, "  nothing is kept of it yet: no run has seen it");
    };
    if let Some(wanted) = level.wanted {
        writeln!(
            out,
            "  the store should say {} (version {})",
            wanted.quantity, wanted.version
        )?;
    }
    match level.known {
        None => writeln!(out, "  what it says was never read")?,
        Some(known) if known.version == 0 => {
            writeln!(out, "  it said {} when it was read", known.quantity)?;
        }
        Some(known) => writeln!(
            out,
            "  it took {} (version {})",
            known.quantity, known.version
        )?,
    }
    if let Some(batch) = &place.batch {
        for item in batch.items.iter().filter(|item| item.pair == level.pair) {
            writeln!(
                out,
                "  on its way: {} (version {}) with batch {}, made {}, {}",
                item.quantity,
                item.version,
                batch.id,
                moment(batch.made_at, zone),
                match batch.state {
                    BatchState::Prepared => "about to be sent when the run ended",
                    BatchState::Unknown => "and nobody answered for it: the next run settles it",
                }
            )?;
        }
    }
    match &level.standing {
        Standing::Open => {}
        Standing::Stranger { reason } => {
            writeln!(
                out,
                "  {}: the store does not know the SKU: {}",
                shell.yellow("stranger"),
                message(reason)
            )?;
        }
        Standing::NotStocked => writeln!(
            out,
            "  {}: the store knows the SKU and does not stock it there",
            shell.yellow("not stocked")
        )?,
        Standing::Dead {
            code,
            message: said,
            since,
        } => writeln!(
            out,
            "  {} since {}: `{}`: {}",
            shell.red("dead letter"),
            moment(*since, zone),
            message(code),
            message(said)
        )?,
    }
    if let Some(then) = level.not_before {
        writeln!(out, "  left alone until {}", moment(then, zone))?;
    }
    if let Some(online) = &place.online {
        writeln!(out, "  it says now: {}", shell.bold(&message(online)))?;
    }
    for line in &place.lines {
        let before = line
            .before
            .map_or_else(String::new, |before| format!(" from {before}"));
        let said = match (line.code.as_str(), line.message.as_str()) {
            ("", "") => String::new(),
            (code, "") => format!(": `{}`", message(code)),
            ("", text) => format!(": {}", message(text)),
            (code, text) => format!(": `{}`: {}", message(code), message(text)),
        };
        writeln!(
            out,
            "  {}  {}{before} to {} (version {}{}){said}",
            moment(line.at, zone),
            word(line.what),
            line.quantity,
            line.version,
            match line.batch {
                0 => String::new(),
                batch => format!(", batch {batch}"),
            }
        )?;
    }
    Ok(())
}

/// A SKU's lines: one a place.
pub fn lines(view: &SkuView) -> Vec<Value> {
    let rule = &view.rule;
    view.places
        .iter()
        .map(|place| {
            let terms = place.terms.as_ref();
            let level = place.level.as_ref();
            json!({
                "type": "level",
                "sync": rule.name,
                "store": view.store,
                "place": place.place,
                "sku": view.sku,
                "basis": match rule.basis {
                    Basis::OnHand => "on_hand",
                    Basis::Available => "available",
                    Basis::Salable => "salable",
                },
                "parts": terms.map(|terms| terms.parts.iter().map(|part| {
                    let at = |row: &Observation| row.location == part.location;
                    let index = view.observations.iter().position(at);
                    let origin = index.and_then(|index| view.origins.get(index));
                    json!({
                        "location": part.location,
                        "quantity": part.quantity,
                        "committed": part.committed,
                        "safety_stock": part.safety_stock,
                        "free": part.free,
                        "origin": origin.filter(|origin| !origin.is_empty()),
                    })
                }).collect::<Vec<_>>()),
                "sum": terms.map(|terms| terms.sum),
                "share": rule.offer.share.normalize().to_string(),
                "shared": terms.map(|terms| terms.shared),
                "online_open": terms.map(|terms| terms.online_open),
                "minimum": rule.offer.minimum,
                "maximum": rule.offer.maximum,
                "salable": terms.map(|terms| terms.salable),
                "wanted": level.and_then(|level| level.wanted).map(|wanted| json!({
                    "quantity": wanted.quantity, "version": wanted.version,
                })),
                "acknowledged": level.and_then(|level| level.known).map(|known| json!({
                    "quantity": known.quantity, "version": known.version,
                })),
                "in_flight": place.batch.as_ref().map(|batch| batch.id),
                "standing": level.map(|level| match &level.standing {
                    Standing::Open => "open",
                    Standing::Stranger { .. } => "stranger",
                    Standing::NotStocked => "not-stocked",
                    Standing::Dead { .. } => "dead",
                }),
                "store_says": place.online,
                "ledger": place.lines.iter().map(super::run::refusal).collect::<Vec<_>>(),
            })
        })
        .collect()
}
