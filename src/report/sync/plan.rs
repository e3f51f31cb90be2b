//! A plan for people: what would change at the store, the most harmful first.

use std::io::{self, Write};

use crate::report::table::table;
use crate::report::text::{count, value};
use crate::sync::summary::{GuardTrip, PlanItem, SyncSummary};
use crate::term::Shell;

use super::{pair, units};

/// Levels that are shown; `-v` shows all that the summary holds.
const SHOWN: usize = 40;

/// Writes a sync's plan.
pub(super) fn plan(shell: &Shell, sync: &SyncSummary, out: &mut dyn Write) -> io::Result<()> {
    let mut items: Vec<&PlanItem> = sync.plan.iter().collect();
    items.sort_by_key(|item| item.harm());
    let counted = |fits: &dyn Fn(&PlanItem) -> bool| items.iter().filter(|one| fits(one)).count();
    let to_zero = counted(&|item| item.harm().0 == 0);
    let back = counted(&|item| item.harm().0 == 1);
    let fresh = counted(&|item| item.harm().0 == 3);
    let whole = items.len() as u64 >= sync.changed;
    let mut said = vec![
        format!("{to_zero} to zero"),
        format!("{back} back from zero"),
        format!("{} otherwise", items.len() - to_zero - back - fresh),
    ];
    if fresh > 0 {
        said.push(format!("{fresh} of which the store was not asked yet"));
    }
    writeln!(
        out,
        "sync `{}`: {} of {} would change at {}{}",
        sync.name,
        count(sync.changed, "level"),
        count(sync.compared, "level"),
        shell.clean(&sync.address),
        match (items.is_empty(), whole) {
            (true, _) => String::new(),
            (false, true) => format!(": {}", said.join(", ")),
            (false, false) => format!("; of the first {}: {}", items.len(), said.join(", ")),
        }
    )?;
    if sync.units != (0, 0) {
        writeln!(
            out,
            "  {} more, {} fewer",
            count(sync.units.0, "unit"),
            sync.units.1
        )?;
    }
    let shown = if shell.verbose > 0 {
        items.len()
    } else {
        SHOWN
    };
    let places = items.iter().any(|item| !item.pair.place.is_empty());
    let mut rows = Vec::new();
    let mut head = vec!["SKU", "says", "would say", "why"];
    if places {
        head.insert(0, "place");
    }
    rows.push(head.into_iter().map(str::to_owned).collect::<Vec<_>>());
    for item in items.iter().take(shown) {
        let mut row = vec![
            value(&item.pair.sku),
            units(item.before),
            item.after.to_string(),
            shell.clean(&super::super::text::message(&item.why)),
        ];
        if places {
            row.insert(0, value(&item.pair.place));
        }
        rows.push(row);
    }
    if rows.len() > 1 {
        let first = usize::from(places);
        table(&rows, &[first + 1, first + 2], out)?;
    }
    let listed = items.len().min(shown) as u64;
    if sync.changed > listed {
        let how = if shell.verbose == 0 && items.len() > shown {
            " (-v shows more)"
        } else {
            ""
        };
        writeln!(out, "… and {} more{how}", sync.changed - listed)?;
    }
    Ok(())
}

/// Writes the guards that tripped, what to do, and the command that lets the plan pass.
pub(super) fn trips(shell: &Shell, sync: &SyncSummary, out: &mut dyn Write) -> io::Result<()> {
    for trip in &sync.tripped {
        guard(shell, &sync.name, trip, out)?;
    }
    for trip in &sync.approved {
        writeln!(
            out,
            "\nsync `{}`: guard `{}` was let pass: {}",
            sync.name,
            trip.guard,
            shell.clean(&trip.message)
        )?;
    }
    if sync.tripped.is_empty() {
        return Ok(());
    }
    match &sync.plan_id {
        Some(id) => writeln!(
            out,
            "  nothing was sent; if it is right, let exactly this pass once:\n  shelfcast sync {} --approve {id} --reason \"…\"",
            sync.name
        ),
        None => writeln!(
            out,
            "  a run would send nothing and keep this plan: `shelfcast sync {}` names it for `--approve`",
            sync.name
        ),
    }
}

/// What to look at when a guard trips.
pub(super) fn hint(guard: &str) -> &'static str {
    match guard {
        "to_zero" => {
            "look whether the source is whole and its quantity column is the right one; shops rarely sell out at once"
        }
        "changed" => {
            "look whether rows or columns of the source are shifted, or the formula was changed"
        }
        "units" => {
            "look at the largest moves: a unit (pieces, cartons) or a column may have changed"
        }
        "vanished" => {
            "look whether the source gives all of its rows; vanished rows change nothing by themselves"
        }
        _ => "look at the source",
    }
}

fn guard(shell: &Shell, sync: &str, trip: &GuardTrip, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "\n{}: sync `{sync}`: guard `{}`: {}",
        shell.red("held"),
        trip.guard,
        shell.clean(&trip.message)
    )?;
    for item in &trip.items {
        writeln!(
            out,
            "  - {}: {} -> {}",
            pair(&item.pair),
            units(item.before),
            item.after
        )?;
    }
    writeln!(out, "  hint: {}", hint(&trip.guard))
}
