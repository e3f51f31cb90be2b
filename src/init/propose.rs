//! Which column of an export is which of ours, how surely, and why; currency, language and notation with their proof.

use crate::catalog::preset::Preset;
use crate::catalog::words::{WORDS, likeness};
use crate::catalog::{SourceError, SourceProblem};

use super::fit::{by_value, evidence, fit};
use super::look::Look;
use super::values::Column;
use super::{complete, facts};

/// Below this a guess is not made.
const CONFIDENCE_MIN: u8 = 45;

/// One column of ours, and where it comes from.
#[derive(Clone, Debug)]
pub struct Guess {
    /// Our column.
    pub ours: &'static str,
    /// The mapping as `[source.fields]` has it.
    pub mapping: String,
    /// The export's column, or what the value is made of.
    pub theirs: String,
    /// How sure it is, in per cent.
    pub confidence: u8,
    /// Why.
    pub why: String,
}

/// One fact about the shop.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What was found, or a placeholder.
    pub value: String,
    /// Its proof; `None` for a placeholder.
    pub proof: Option<String>,
}

/// Something that could not be guessed: what it is, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What is missing.
    pub what: String,
    /// What to write, and where.
    pub write: String,
}

/// What a look at an export proposes.
#[derive(Debug)]
pub struct Proposal {
    /// Its layout, where it is a known one.
    pub preset: Option<&'static Preset>,
    /// The mapping.
    pub guesses: Vec<Guess>,
    /// What is taken where a row has nothing: our column, value, why.
    pub defaults: Vec<(&'static str, String, String)>,
    /// The sheet of a workbook, where the user named one.
    pub sheet: Option<String>,
    /// Its encoding, where the column names told it.
    pub encoding: Option<Fact>,
    /// Names for the columns of a file without a header.
    pub names: Option<Vec<String>>,
    /// How numbers are written, with the proof.
    pub locale: Option<Fact>,
    /// The shop's name.
    pub name: Fact,
    /// Its address.
    pub url: Fact,
    /// Its currency.
    pub currency: Fact,
    /// Its language.
    pub language: Fact,
    /// Its country and time zone.
    pub place: (&'static str, &'static str),
    /// What could not be guessed.
    pub asks: Vec<Ask>,
    /// What else its owner should hear.
    pub notes: Vec<String>,
    /// Records seen, and whether there are more.
    pub records: (usize, bool),
}

/// Proposes a mapping.
///
/// # Errors
/// When no column holds what products have (exit 7): the file is something else.
pub fn propose(look: &Look) -> Result<Proposal, SourceError> {
    let mut proposal = Proposal {
        preset: look.preset,
        guesses: Vec::new(),
        defaults: Vec::new(),
        sheet: look.sheet.clone(),
        encoding: look.encoding.as_ref().map(|(name, proof)| Fact {
            value: (*name).to_owned(),
            proof: Some(proof.clone()),
        }),
        names: None,
        locale: None,
        name: Fact {
            value: "My shop".to_owned(),
            proof: None,
        },
        url: Fact {
            value: "https://www.example.com".to_owned(),
            proof: None,
        },
        currency: Fact {
            value: "EUR".to_owned(),
            proof: None,
        },
        language: Fact {
            value: "en".to_owned(),
            proof: None,
        },
        place: ("DE", "Europe/Berlin"),
        asks: Vec::new(),
        notes: look.remarks.clone(),
        records: (look.records, look.more),
    };
    if look.preset.is_none() {
        assign(look, &mut proposal);
        refuse_other_files(look, &proposal)?;
        complete::complete(look, &mut proposal);
    }
    facts::language(look, &mut proposal);
    facts::address(look, &mut proposal);
    facts::currency(look, &mut proposal);
    facts::locale(look, &mut proposal);
    if look.preset.is_none() {
        facts::assume(&mut proposal);
    }
    Ok(proposal)
}

fn refuse_other_files(look: &Look, proposal: &Proposal) -> Result<(), SourceError> {
    let has = |ours: &str| proposal.guesses.iter().any(|guess| guess.ours == ours);
    let known = [
        "price",
        "gtin",
        "url",
        "image",
        "available",
        "description",
        "category",
        "brand",
    ]
    .into_iter()
    .filter(|ours| has(ours))
    .count();
    if has("title") && known > 0 {
        return Ok(());
    }
    let shown: Vec<String> = look
        .columns
        .iter()
        .take(8)
        .map(|column| format!("`{}`", column.name))
        .collect();
    Err(SourceError::new(
        SourceProblem::NotWhole,
        look.shown.as_str(),
        format!("no product rows are to be seen in it: nothing in {} looks like a title with a price, a barcode, an address or a picture", shown.join(", ")),
    )
    .hint("name the file (or make the one sheet) that holds products; a mapping table or a category list is no catalog"))
}

/// Assigns columns, the surest first, each once.
fn assign(look: &Look, proposal: &mut Proposal) {
    let mut candidates: Vec<(u8, usize, &'static str, String)> = Vec::new();
    for (place, column) in look
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.filled > 0)
    {
        for (ours, _) in WORDS {
            let header = if look.header {
                likeness(&column.name, ours)
            } else {
                0
            };
            let fit = fit(ours, column, look.records);
            let by_header = (f64::from(header) * fit).round() as u8;
            let (by_value, seen) = by_value(ours, column, look);
            if by_header >= by_value && by_header >= CONFIDENCE_MIN {
                candidates.push((
                    by_header,
                    place,
                    ours,
                    format!("its name{}", evidence(ours, column)),
                ));
            } else if by_value >= CONFIDENCE_MIN {
                candidates.push((by_value, place, ours, format!("its values: {seen}")));
            }
        }
    }
    candidates.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
    let mut taken: Vec<usize> = Vec::new();
    for (confidence, place, ours, why) in candidates {
        if taken.contains(&place) || proposal.guesses.iter().any(|guess| guess.ours == ours) {
            continue;
        }
        taken.push(place);
        let column = &look.columns[place];
        proposal.guesses.push(Guess {
            ours,
            mapping: mapping(ours, column),
            theirs: column.name.clone(),
            confidence,
            why,
        });
    }
    if !look.header {
        name_columns(look, proposal);
    }
    let order = |ours: &str| {
        WORDS
            .iter()
            .position(|(known, _)| *known == ours)
            .unwrap_or(usize::MAX)
    };
    proposal.guesses.sort_by_key(|guess| order(guess.ours));
}

/// A file without a header gets our names, so that the mapping says itself.
fn name_columns(look: &Look, proposal: &mut Proposal) {
    let mut names: Vec<String> = look
        .columns
        .iter()
        .map(|column| column.name.clone())
        .collect();
    for guess in &mut proposal.guesses {
        if let Some(place) = look
            .columns
            .iter()
            .position(|column| column.name == guess.theirs)
        {
            names[place] = guess.ours.to_owned();
            guess.mapping = guess.mapping.replace(&guess.theirs, guess.ours);
        }
    }
    proposal.names = Some(names);
    proposal
        .notes
        .push("the file has no header row: its columns were named by what they hold".to_owned());
}

/// How a column's text becomes ours.
pub(super) fn mapping(ours: &str, column: &Column) -> String {
    let name = format!("[{}]", column.name);
    if column.share(column.lists) > 0.5 {
        let bare = format!("(replace (replace {name} '[\"' '') '\"]' '')");
        return match ours {
            "image" => format!("{{{{first (split {bare} '\", \"')}}}}"),
            "images" | "tags" => format!("{{{{split {bare} '\", \"'}}}}"),
            _ => format!("{{{{replace (replace {name} '[\"' '') '\"]' ''}}}}"),
        };
    }
    if ours == "category"
        && column
            .examples
            .iter()
            .any(|example| example.contains(" -> "))
    {
        return format!("{{{{replace {name} ' -> ' ' > '}}}}");
    }
    if ours == "category"
        && !column.examples.iter().any(|example| example.contains('>'))
        && column.share(column.paths) > 0.5
    {
        return format!("{{{{replace {name} '/' ' > '}}}}");
    }
    column.name.clone()
}
