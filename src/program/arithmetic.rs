//! Comparisons, searches and stock arithmetic on values: exact, and false where something is absent.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::model::stock::free;
use crate::model::value::{Value, pair};

use super::decimal;
use super::evaluate::{Evaluator, Failure, Outcome};
use super::graph::{Node, NodeId, Operation, Relation, Search};
use super::table::RowId;

/// The whole units a value says; `None` when absent.
pub(super) fn units(value: Value<'_>) -> Option<i64> {
    let text = value.as_text()?;
    text.parse::<i64>()
        .ok()
        .or_else(|| decimal::parse(text)?.floor().to_i64())
}

/// Computes the nodes that compare, search and count.
pub(super) fn compute<'a>(run: &Evaluator<'a>, node: &'a Node) -> Outcome<'a> {
    match node {
        Node::In(element, list) => {
            let element = text(run, *element)?;
            Ok(Value::Bool(
                run.value(*list)?
                    .elements()
                    .any(|other| pair(other).0 == element || other == element),
            ))
        }
        Node::Find(search, whole, part) => {
            let part = text(run, *part)?;
            let whole = run.value(*whole)?;
            if let (Value::List(list), Search::Contains) = (whole, search) {
                return Ok(Value::Bool(list.iter().any(|element| element == part)));
            }
            let whole = whole.as_text().ok_or_else(|| not_text(run))?;
            Ok(Value::Bool(match search {
                Search::Contains => whole.contains(part),
                Search::StartsWith => whole.starts_with(part),
                Search::EndsWith => whole.ends_with(part),
            }))
        }
        Node::Matches(whole, pattern) => Ok(Value::Bool(
            run.pattern(*pattern).is_match(text(run, *whole)?),
        )),
        Node::Size(id) => {
            let value = run.value(*id)?;
            let size = match value {
                Value::List(list) => list.iter().count(),
                other => other.as_text().unwrap_or("").chars().count(),
            };
            Ok(Value::Text(run.arena.alloc_str(&size.to_string())))
        }
        Node::Arithmetic(operation, left, right) => {
            let (Some(left), Some(right)) = (number(run, *left)?, number(run, *right)?) else {
                return Ok(Value::Absent);
            };
            match decimal::combine(*operation, left, right) {
                Some(result) => Ok(Value::Text(
                    run.arena.alloc_str(&result.normalize().to_string()),
                )),
                None if *operation == Operation::Divide && right.is_zero() => Err(run.fail(
                    "rule-type",
                    "division by zero".to_owned(),
                    "guard it: `x != 0 && …`",
                )),
                None => Err(run.fail(
                    "rule-type",
                    "the result is too large a number".to_owned(),
                    "",
                )),
            }
        }
        Node::SalePrice { price, sale, ends } => sale_price(run, *price, *sale, *ends),
        Node::OnSale { sale, starts, ends } => {
            if run.value(*sale)?.is_absent() {
                return Ok(Value::Bool(false));
            }
            let now = run.tables().now;
            let begun = moment(run.value(*starts)?).is_none_or(|starts| starts <= now);
            let over = is_over(run.value(*ends)?, now);
            Ok(Value::Bool(begun && !over))
        }
        Node::Availability { given, quantity } => {
            let given = run.value(*given)?;
            if !given.is_absent() {
                return Ok(given);
            }
            Ok(match units(run.value(*quantity)?) {
                Some(units) if units > 0 => Value::Text("in_stock"),
                Some(_) => Value::Text("out_of_stock"),
                None => Value::Absent,
            })
        }
        Node::Free {
            on_hand,
            committed,
            safety_stock,
        } => {
            let Some(on_hand) = units(run.value(*on_hand)?) else {
                return Ok(Value::Absent);
            };
            let less = |id| Ok::<i64, Failure>(units(run.value(id)?).unwrap_or(0));
            let free = free(on_hand, less(*committed)?, less(*safety_stock)?);
            Ok(Value::Text(run.arena.alloc_str(&free.to_string())))
        }
        Node::Salable { formula, key, keep } => salable(run, *formula, *key, keep),
        Node::Tax {
            price,
            rate,
            add,
            decimals,
        } => {
            let Some(price) = number(run, *price)? else {
                return Ok(Value::Absent);
            };
            let Some(rate) = number(run, *rate)? else {
                return Err(run.fail(
                    "no-tax-rate",
                    "the price needs its tax rate, to go from net to gross or back, and there is none".to_owned(),
                    "fill `tax_rate`, or set it in [source.defaults]",
                ));
            };
            let factor = Decimal::ONE + rate / Decimal::ONE_HUNDRED;
            let result = if *add {
                price.checked_mul(factor)
            } else {
                price.checked_div(factor)
            };
            Ok(result.map_or(Value::Absent, |result| {
                Value::Text(run.arena.alloc_str(&decimal::rounded(result, *decimals)))
            }))
        }
        Node::Where {
            test,
            equals,
            value,
        } => {
            let test = run.value(*test)?.as_text().unwrap_or("");
            if test.eq_ignore_ascii_case(equals) {
                run.value(*value)
            } else {
                Ok(Value::Absent)
            }
        }
        _ => Ok(Value::Absent),
    }
}

fn not_text(run: &Evaluator<'_>) -> Failure {
    run.fail(
        "rule-type",
        "a list is compared as text".to_owned(),
        "ask `\"x\" in list`, or `size(list)`",
    )
}

fn text<'a>(run: &Evaluator<'a>, id: NodeId) -> Result<&'a str, Failure> {
    run.value(id)?.as_text().ok_or_else(|| not_text(run))
}

/// The exact number a node says, `None` when absent.
fn number(run: &Evaluator<'_>, id: NodeId) -> Result<Option<Decimal>, Failure> {
    let value = run.value(id)?;
    if value.is_absent() {
        return Ok(None);
    }
    let text = value.as_text().ok_or_else(|| not_text(run))?;
    decimal::parse(text).map(Some).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        run.fail(
            "rule-type",
            format!("`{shown}` is compared as a number and is none"),
            "correct the value, or ask for text",
        )
    })
}

/// Whether two texts stand as asked.
#[inline(never)]
pub(super) fn compare_texts(
    run: &Evaluator<'_>,
    relation: Relation,
    left: NodeId,
    right: NodeId,
) -> Result<bool, Failure> {
    let left = text(run, left)?;
    let right = match run.graph().constant(right) {
        Some(known) => known.unwrap_or(""),
        None => text(run, right)?,
    };
    Ok(match relation {
        Relation::Equal => left == right,
        Relation::NotEqual => left != right,
        other => decimal::holds(other, left.cmp(right)),
    })
}

/// Whether two exact numbers stand as asked; false when one is absent.
#[inline(never)]
pub(super) fn compare_numbers(
    run: &Evaluator<'_>,
    relation: Relation,
    left: NodeId,
    right: NodeId,
) -> Result<bool, Failure> {
    let first = run.value(left)?;
    if let (Value::Text(first), Some(Some("0"))) = (first, run.graph().constant(right))
        && let Some(ordering) = beside_zero(first)
    {
        return Ok(decimal::holds(relation, ordering));
    }
    if let (Value::Text(first), Value::Text(second)) = (first, run.value(right)?)
        && let (Some(first), Some(second)) = (decimal::parse(first), decimal::parse(second))
    {
        return Ok(decimal::holds(relation, first.cmp(&second)));
    }
    match (number(run, left)?, number(run, right)?) {
        (Some(left), Some(right)) => Ok(decimal::holds(relation, left.cmp(&right))),
        _ => Ok(false),
    }
}

/// How digits, perhaps with a point between them, stand to zero; `None` for other texts and for very long ones.
fn beside_zero(text: &str) -> Option<Ordering> {
    let bytes = text.as_bytes();
    let plain =
        bytes.len() < 20 && bytes.first()?.is_ascii_digit() && bytes.last()?.is_ascii_digit();
    let (mut points, mut above) = (0, false);
    for &byte in bytes {
        match byte {
            b'0' => {}
            b'1'..=b'9' => above = true,
            b'.' => points += 1,
            _ => return None,
        }
    }
    let ordering = if above {
        Ordering::Greater
    } else {
        Ordering::Equal
    };
    (plain && points < 2).then_some(ordering)
}

/// A sale that is over, or that is no lower price, is no sale.
fn sale_price<'a>(run: &Evaluator<'a>, price: NodeId, sale: NodeId, ends: NodeId) -> Outcome<'a> {
    let sale = run.value(sale)?;
    if sale.is_absent() {
        return Ok(sale);
    }
    let lower = match (sale, run.value(price)?) {
        (Value::Text(sale), Value::Text(price)) => {
            match (decimal::parse(sale), decimal::parse(price)) {
                (Some(sale), Some(price)) => sale < price,
                _ => false,
            }
        }
        _ => false,
    };
    if !lower && !run.value(price)?.is_absent() {
        let shown = |value: Value<'_>| value.as_text().unwrap_or("").to_owned();
        run.report(
            "sale-not-below-price",
            format!(
                "the sale price {} is not below the price {}, and is left out",
                shown(sale),
                shown(run.value(price)?)
            ),
            "correct one of the two; a sale price equal to the price is best left empty",
            "sale_price",
        );
    }
    let over = || Ok::<bool, Failure>(is_over(run.value(ends)?, run.tables().now));
    Ok(if lower && !over()? {
        sale
    } else {
        Value::Absent
    })
}

/// Whether a moment has come; one years ahead need not be read to its end.
fn is_over(ends: Value<'_>, now: jiff::Timestamp) -> bool {
    /// Seconds of a year, and of two days more than any offset.
    const YEAR: i64 = 366 * 86_400;
    let year = ends
        .as_text()
        .and_then(|text| text.get(..4))
        .and_then(|year| year.parse::<i64>().ok());
    // No year is shorter than 365 days: this many seconds have passed at least when it begins.
    let ahead = year.is_some_and(|year| (year - 1971) * 365 * 86_400 > now.as_second() + YEAR);
    !ahead && moment(ends).is_some_and(|ends| ends <= now)
}

fn moment(value: Value<'_>) -> Option<jiff::Timestamp> {
    value
        .as_text()
        .filter(|text| !text.is_empty())?
        .parse()
        .ok()
}

/// `clamp(floor(share x sum over its locations of max(0, on_hand - committed - safety_stock)), minimum, maximum)` at each
/// online location, summed. Of rows that count the SKU at a location twice the first counts, as in a sync.
fn salable<'a>(
    run: &Evaluator<'a>,
    formula: u32,
    key: NodeId,
    keep: &[(NodeId, i64)],
) -> Outcome<'a> {
    let tables = run.tables();
    let formula = &tables.formulas[formula as usize];
    let table = &tables.joined[formula.table as usize];
    let mut kept = None;
    for (condition, units) in keep {
        if run.value(*condition)? == Value::Bool(true) {
            kept = Some(*units);
            break;
        }
    }
    let mut seen: Vec<&str> = Vec::new();
    let mut sums: Vec<Option<i64>> = Vec::new();
    let mut row: Option<RowId> = run.stock_rows(formula.table, key).into_iter().next();
    while let Some(at) = row {
        row = table.next(at);
        let value = |id: NodeId| run.at_joined(formula.table, at, id);
        let location = value(formula.location)?.as_text().unwrap_or("");
        let Some(place) = formula.place(location) else {
            continue;
        };
        if seen.contains(&location) {
            continue;
        }
        seen.push(location);
        let Some(quantity) = units(value(formula.quantity)?) else {
            continue;
        };
        let of = |column: Option<NodeId>| column.map_or(Ok(None), |id| value(id).map(units));
        let committed = of(formula.committed)?.unwrap_or(0);
        let kept = match kept {
            Some(units) => units,
            None => of(formula.safety_stock_column)?.unwrap_or(formula.safety_stock),
        };
        if sums.len() <= place {
            sums.resize(place + 1, None);
        }
        let free = free(quantity, committed, kept);
        sums[place] = Some(sums[place].unwrap_or(0).saturating_add(free));
    }
    let shown = sums
        .into_iter()
        .flatten()
        .map(|sum| formula.offer.shown(formula.offer.shared(sum), 0))
        .reduce(i64::saturating_add);
    Ok(shown.map_or(Value::Absent, |units| {
        Value::Text(run.arena.alloc_str(&units.to_string()))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beside_zero_agrees_with_decimals() {
        for text in [
            "0", "0.00", "1", "0.01", "10.50", "007", "-1", "1.", ".5", "1.2.3", "x", "", "1e5",
        ] {
            let exact = decimal::parse(text).map(|number| number.cmp(&Decimal::ZERO));
            if let Some(ordering) = beside_zero(text) {
                assert_eq!(Some(ordering), exact, "{text}");
            }
        }
        assert_eq!(beside_zero("0.00"), Some(Ordering::Equal));
        assert_eq!(beside_zero("3955.00"), Some(Ordering::Greater));
    }
}
