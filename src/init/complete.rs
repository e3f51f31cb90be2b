//! What follows from several columns together, once each has its place: a number, a description, levels, lists; and what
//! a spreadsheet has ruined.

use crate::catalog::words::likeness;

use super::fit::percent;
use super::look::Look;
use super::propose::{Ask, Guess, Proposal, mapping};
use super::values::Column;

/// A column by its name.
pub(super) fn column<'l>(look: &'l Look, name: &str) -> Option<&'l Column> {
    look.columns.iter().find(|column| column.name == name)
}

/// What follows from several columns together: a number where there is none, a description, both prices, two levels.
pub(super) fn complete(look: &Look, proposal: &mut Proposal) {
    let name_of = |proposal: &Proposal, ours: &str| {
        proposal
            .guesses
            .iter()
            .find(|guess| guess.ours == ours)
            .map(|guess| {
                (
                    guess.theirs.clone(),
                    if look.header {
                        guess.theirs.clone()
                    } else {
                        ours.to_owned()
                    },
                )
            })
    };
    if name_of(proposal, "sku").is_none() {
        let identifying = ["gtin", "url", "title"].into_iter().find_map(|ours| {
            let (theirs, now) = name_of(proposal, ours)?;
            let column = column(look, &theirs)?;
            (column.filled * 10 >= look.records * 9 && (ours == "title" || column.variety() > 0.9))
                .then_some((ours, theirs, now, column))
        });
        if let Some((ours, theirs, now, column)) = identifying {
            let stems = column.distinct_stems.len() * 100 >= column.distinct.len() * 95
                && column.distinct_stems.len() > 1;
            let mapping = match ours {
                "gtin" => now.clone(),
                "url" if stems => format!("{{{{hash (first (split [{now}] '?')) 12}}}}"),
                _ => format!("{{{{hash [{now}] 12}}}}"),
            };
            proposal.guesses.insert(0, Guess {
                ours: "sku",
                mapping,
                theirs,
                confidence: if ours == "title" { 50 } else { 70 },
                why: format!("the file has no number of its own: made from the column that tells products apart best ({} differ)", percent(column.variety())),
            });
        }
    }
    if name_of(proposal, "description").is_none()
        && let Some((theirs, now)) = name_of(proposal, "title")
    {
        proposal.guesses.push(Guess {
            ours: "description",
            mapping: now,
            theirs,
            confidence: 30,
            why: "the file has no description: the title stands in for it".to_owned(),
        });
        proposal.asks.push(Ask {
            what: "a description of the products".to_owned(),
            write: "[source.fields] description = \"…\" (the title stands in for it now)"
                .to_owned(),
        });
    }
    // The regular price may be missing where only the sale price is known.
    if let (Some((regular, _)), Some((sale, _))) =
        (name_of(proposal, "price"), name_of(proposal, "sale_price"))
        && look.header
        && column(look, &regular).is_some_and(|column| column.filled < look.records)
        && let Some(guess) = proposal
            .guesses
            .iter_mut()
            .find(|guess| guess.ours == "price")
    {
        guess.mapping = format!("{{{{default [{regular}] [{sale}]}}}}");
        guess
            .why
            .push_str("; where it is empty the other price stands in");
    }
    let level = |word: &str| {
        look.columns.iter().find(|column| {
            crate::catalog::words::normalised(&column.name) == word && column.filled > 0
        })
    };
    if let (Some(main), Some(sub)) = (level("main category"), level("sub category"))
        && let Some(guess) = proposal
            .guesses
            .iter_mut()
            .find(|guess| guess.ours == "category")
    {
        guess.mapping = format!("{{{{[{}]}}}} > {{{{[{}]}}}}", main.name, sub.name);
        guess.theirs = format!("{}, {}", main.name, sub.name);
        guess.why = "two levels in two columns".to_owned();
    }
    lists(look, proposal);
    damaged(look, proposal);
}

/// A column of pictures in brackets gives all of them.
fn lists(look: &Look, proposal: &mut Proposal) {
    let Some(guess) = proposal.guesses.iter().find(|guess| guess.ours == "image") else {
        return;
    };
    let Some(column) = column(look, &guess.theirs) else {
        return;
    };
    if column.share(column.lists) > 0.5
        && !proposal.guesses.iter().any(|guess| guess.ours == "images")
    {
        let (theirs, confidence) = (guess.theirs.clone(), guess.confidence);
        proposal.guesses.push(Guess {
            ours: "images",
            mapping: mapping("images", column),
            theirs,
            confidence,
            why: "a list in brackets".to_owned(),
        });
    }
}

/// Numbers that a spreadsheet has ruined are named as such, and not mapped.
fn damaged(look: &Look, proposal: &mut Proposal) {
    for column in &look.columns {
        let example = column.examples.first().map_or("", String::as_str);
        if column.share(column.damaged) > 0.3 {
            proposal.notes.push(format!(
                "`{}` holds barcodes that a spreadsheet has ruined (`{example}`): their last digits are lost, and it is not mapped",
                column.name
            ));
            proposal.asks.push(Ask {
                what: format!("the barcodes of `{}`", column.name),
                write: "export the column as text, then [source.fields] gtin = \"its column\""
                    .to_owned(),
            });
        } else if column.share(column.isbn10) > 0.5 && likeness(&column.name, "gtin") > 60 {
            proposal.notes.push(format!("`{}` holds ISBN-10s, some without their leading zeros (`{example}`): no GTINs, and not mapped", column.name));
        }
    }
}
