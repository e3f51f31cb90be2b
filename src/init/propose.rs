//! Which column of an export is which of ours, how surely, and why; currency, language and notation with their proof.

use crate::catalog::preset::Preset;
use crate::catalog::words::{WORDS, likeness};
use crate::catalog::{SourceError, SourceProblem};
use crate::model::number::NumberLocale;

use super::look::Look;
use super::values::Column;

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
        names: None,
        locale: None,
        name: Fact { value: "My shop".to_owned(), proof: None },
        url: Fact { value: "https://www.example.com".to_owned(), proof: None },
        currency: Fact { value: "EUR".to_owned(), proof: None },
        language: Fact { value: "en".to_owned(), proof: None },
        place: ("DE", "Europe/Berlin"),
        asks: Vec::new(),
        notes: look.remarks.clone(),
        records: (look.records, look.more),
    };
    if look.preset.is_none() {
        assign(look, &mut proposal);
        refuse_other_files(look, &proposal)?;
        complete(look, &mut proposal);
    }
    language(look, &mut proposal);
    address(look, &mut proposal);
    currency(look, &mut proposal);
    locale(look, &mut proposal);
    if look.preset.is_none() {
        assume(look, &mut proposal);
    }
    Ok(proposal)
}

fn refuse_other_files(look: &Look, proposal: &Proposal) -> Result<(), SourceError> {
    let has = |ours: &str| proposal.guesses.iter().any(|guess| guess.ours == ours);
    let known = ["price", "gtin", "url", "image", "available", "description", "category", "brand"].into_iter().filter(|ours| has(ours)).count();
    if has("title") && known > 0 {
        return Ok(());
    }
    let shown: Vec<String> = look.columns.iter().take(8).map(|column| format!("`{}`", column.name)).collect();
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
    for (place, column) in look.columns.iter().enumerate().filter(|(_, column)| column.filled > 0) {
        for (ours, _) in WORDS {
            let header = if look.header { likeness(&column.name, ours) } else { 0 };
            let fit = fit(ours, column, look.records);
            let by_header = (f64::from(header) * fit).round() as u8;
            let (by_value, seen) = by_value(ours, column, look);
            if by_header >= by_value && by_header >= CONFIDENCE_MIN {
                candidates.push((by_header, place, ours, format!("its name{}", evidence(ours, column))));
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
        proposal.guesses.push(Guess { ours, mapping: mapping(ours, column), theirs: column.name.clone(), confidence, why });
    }
    if !look.header {
        name_columns(look, proposal);
    }
    let order = |ours: &str| WORDS.iter().position(|(known, _)| *known == ours).unwrap_or(usize::MAX);
    proposal.guesses.sort_by_key(|guess| order(guess.ours));
}

/// A file without a header gets our names, so that the mapping says itself.
fn name_columns(look: &Look, proposal: &mut Proposal) {
    let mut names: Vec<String> = look.columns.iter().map(|column| column.name.clone()).collect();
    for guess in &mut proposal.guesses {
        if let Some(place) = look.columns.iter().position(|column| column.name == guess.theirs) {
            names[place] = guess.ours.to_owned();
            guess.mapping = guess.mapping.replace(&guess.theirs, guess.ours);
        }
    }
    proposal.names = Some(names);
    proposal.notes.push("the file has no header row: its columns were named by what they hold".to_owned());
}

/// How a column's text becomes ours.
fn mapping(ours: &str, column: &Column) -> String {
    let name = format!("[{}]", column.name);
    if column.share(column.lists) > 0.5 {
        let bare = format!("(replace (replace {name} '[\"' '') '\"]' '')");
        return match ours {
            "image" => format!("{{{{first (split {bare} '\", \"')}}}}"),
            "images" | "tags" => format!("{{{{split {bare} '\", \"'}}}}"),
            _ => format!("{{{{replace (replace {name} '[\"' '') '\"]' ''}}}}"),
        };
    }
    if ours == "category" && column.examples.iter().any(|example| example.contains(" -> ")) {
        return format!("{{{{replace {name} ' -> ' ' > '}}}}");
    }
    if ours == "category" && !column.examples.iter().any(|example| example.contains('>')) && column.share(column.paths) > 0.5 {
        return format!("{{{{replace {name} '/' ' > '}}}}");
    }
    column.name.clone()
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn evidence(ours: &str, column: &Column) -> String {
    let said = |count: usize, what: &str| format!(", and {} of its cells are {what}", percent(column.share(count)));
    match ours {
        "url" => said(column.urls, "addresses"),
        "image" | "images" => said(column.urls, "addresses"),
        "price" | "sale_price" | "cost" | "tax_rate" => said(column.numbers, "amounts"),
        "gtin" => said(column.gtins, "GTINs with a right check digit"),
        "sku" => format!(", and {} of its cells differ", percent(column.variety())),
        "available" => said(column.integers, "whole numbers"),
        "availability" => said(column.availabilities, "known words"),
        _ => String::new(),
    }
}

/// How well a column's values suit ours, 0 (never) to 1.
fn fit(ours: &str, column: &Column, records: usize) -> f64 {
    let yes = |fits: bool| if fits { 1.0 } else { 0.0 };
    let words = column.share(column.letters);
    match ours {
        "url" => yes(column.share(column.urls) > 0.6 && column.share(column.images) < 0.5),
        "image" => yes(column.share(column.urls) > 0.6),
        "images" => yes(column.share(column.urls) > 0.6 && (column.lists + column.elements > 0 || column.length() > 120.0)),
        "price" | "sale_price" | "cost" => yes(column.share(column.numbers) > 0.6),
        "tax_rate" => yes(column.share(column.numbers) > 0.6 && column.distinct.len() < 20),
        "gtin" => yes(column.share(column.gtins) > 0.5 && column.share(column.damaged) < 0.3),
        "sku" => {
            let shape = column.variety() > 0.5 && column.length() < 50.0 && column.share(column.urls) < 0.1;
            yes(shape && column.filled * 10 >= records * 9) * if column.variety() > 0.99 { 1.0 } else { 0.9 }
        }
        "mpn" => yes(column.variety() > 0.5 && column.length() < 70.0),
        "available" => yes(column.share(column.integers) > 0.8 && column.distinct.len() > 2),
        "availability" => yes(column.share(column.availabilities) > 0.8),
        "title" => yes(words > 0.8 && column.length() > 2.5 && column.length() < 400.0 && column.share(column.urls) < 0.1),
        "description" => yes(words > 0.7) * if column.length() > 40.0 { 1.0 } else { 0.7 },
        "brand" | "manufacturer" => yes(words > 0.6 && column.length() < 60.0),
        "category" => yes(words > 0.6 && column.length() < 250.0),
        "currency" => yes(column.examples.iter().all(|example| crate::model::currency::code(example).is_some())),
        "color" | "size" | "material" | "pattern" => yes(column.length() < 40.0 && column.share(column.urls) < 0.1),
        "condition" => yes(column.examples.iter().all(|example| crate::model::condition::parse(example).is_ok())),
        "gender" => yes(column.examples.iter().all(|example| crate::model::gender::parse(example).is_ok())),
        "age_group" => yes(column.examples.iter().all(|example| crate::model::age_group::parse(example).is_ok())),
        "weight" | "length" | "width" | "height" => yes(column.length() < 16.0 && column.share(column.numbers) > 0.6),
        "status" => yes(column.distinct.len() <= 6),
        "updated_at" => 0.0,
        _ => 1.0,
    }
}

/// How surely the values alone say what a column is, and what was seen.
fn by_value(ours: &str, column: &Column, look: &Look) -> (u8, String) {
    let share = |count: usize| column.share(count);
    let bare = !look.header;
    let money = column.currencies.values().sum::<usize>() + column.dollars;
    let whole = column.filled * 10 >= look.records * 9;
    let none = (0, String::new());
    match ours {
        "gtin" if share(column.gtins) > 0.8 && column.variety() > 0.5 && column.length() > 7.5 => {
            (80, format!("{} are GTINs with a right check digit", percent(share(column.gtins))))
        }
        "sku" if bare && whole && column.variety() > 0.98 && column.length() < 30.0 && share(column.letters) < 0.5 && share(column.urls) < 0.1 && column.points == 0 => {
            (50, "short, and no two alike".to_owned())
        }
        "image" if share(column.urls) > 0.9 && share(column.images) > 0.6 => (85, "addresses of pictures".to_owned()),
        "url" if share(column.urls) > 0.9 && share(column.images) < 0.2 => (80, "addresses of pages".to_owned()),
        "category" if share(column.paths) > 0.6 && column.length() < 250.0 && share(column.html) < 0.1 => (70, "paths with levels".to_owned()),
        "price" if share(money) > 0.6 => (75, "amounts with a currency".to_owned()),
        "price" if bare && share(column.numbers) > 0.9 && share(column.points + column.commas) > 0.5 => (65, "amounts with decimals".to_owned()),
        "description" if share(column.html) > 0.4 => (60, "HTML".to_owned()),
        "description" if bare && column.length() > 80.0 && share(column.letters) > 0.8 => (60, "long texts".to_owned()),
        "title" if bare && share(column.letters) > 0.8 && (4.0..120.0).contains(&column.length()) && column.variety() > 0.6 && share(column.paths) < 0.5 => {
            (55, "short texts that differ".to_owned())
        }
        "available" if bare && share(column.integers) > 0.9 && column.length() < 5.0 => (45, "small whole numbers".to_owned()),
        _ => none,
    }
}

fn column<'l>(look: &'l Look, name: &str) -> Option<&'l Column> {
    look.columns.iter().find(|column| column.name == name)
}

/// What follows from several columns together: a number where there is none, a description, both prices, two levels.
fn complete(look: &Look, proposal: &mut Proposal) {
    let name_of = |proposal: &Proposal, ours: &str| {
        proposal.guesses.iter().find(|guess| guess.ours == ours).map(|guess| (guess.theirs.clone(), if look.header { guess.theirs.clone() } else { ours.to_owned() }))
    };
    if name_of(proposal, "sku").is_none() {
        let identifying = ["gtin", "url", "title"].into_iter().find_map(|ours| {
            let (theirs, now) = name_of(proposal, ours)?;
            let column = column(look, &theirs)?;
            (column.filled * 10 >= look.records * 9 && (ours == "title" || column.variety() > 0.9)).then_some((ours, theirs, now, column))
        });
        if let Some((ours, theirs, now, column)) = identifying {
            let stems = column.distinct_stems.len() * 100 >= column.distinct.len() * 95 && column.distinct_stems.len() > 1;
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
        proposal.guesses.push(Guess { ours: "description", mapping: now, theirs, confidence: 30, why: "the file has no description: the title stands in for it".to_owned() });
        proposal.asks.push(Ask { what: "a description of the products".to_owned(), write: "[source.fields] description = \"…\" (the title stands in for it now)".to_owned() });
    }
    // The regular price may be missing where only the sale price is known.
    if let (Some((regular, _)), Some((sale, _))) = (name_of(proposal, "price"), name_of(proposal, "sale_price"))
        && look.header
        && column(look, &regular).is_some_and(|column| column.filled < look.records)
        && let Some(guess) = proposal.guesses.iter_mut().find(|guess| guess.ours == "price")
    {
        guess.mapping = format!("{{{{default [{regular}] [{sale}]}}}}");
        guess.why.push_str("; where it is empty the other price stands in");
    }
    let level = |word: &str| look.columns.iter().find(|column| crate::catalog::words::normalised(&column.name) == word && column.filled > 0);
    if let (Some(main), Some(sub)) = (level("main category"), level("sub category"))
        && let Some(guess) = proposal.guesses.iter_mut().find(|guess| guess.ours == "category")
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
    let Some(guess) = proposal.guesses.iter().find(|guess| guess.ours == "image") else { return };
    let Some(column) = column(look, &guess.theirs) else { return };
    if column.share(column.lists) > 0.5 && !proposal.guesses.iter().any(|guess| guess.ours == "images") {
        let (theirs, confidence) = (guess.theirs.clone(), guess.confidence);
        proposal.guesses.push(Guess { ours: "images", mapping: mapping("images", column), theirs, confidence, why: "a list in brackets".to_owned() });
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
            proposal.asks.push(Ask { what: format!("the barcodes of `{}`", column.name), write: "export the column as text, then [source.fields] gtin = \"its column\"".to_owned() });
        } else if column.share(column.isbn10) > 0.5 && likeness(&column.name, "gtin") > 60 {
            proposal.notes.push(format!("`{}` holds ISBN-10s, some without their leading zeros (`{example}`): no GTINs, and not mapped", column.name));
        }
    }
}

fn language(look: &Look, proposal: &mut Proposal) {
    let texts = |column: &&Column| column.share(column.letters) > 0.5 && column.length() > 4.0;
    let mut counts: std::collections::BTreeMap<&'static str, usize> = std::collections::BTreeMap::new();
    let mut characters = 0;
    for column in look.columns.iter().filter(texts) {
        characters += column.characters;
        for (language, count) in &column.languages {
            *counts.entry(language).or_default() += count;
        }
    }
    let Some((&top, &count)) = counts.iter().max_by_key(|(_, count)| **count) else { return };
    // French letters stand in many languages; a third as many of another's own letters say which it is.
    let own = counts.iter().filter(|(language, _)| !matches!(**language, "fr" | "de")).max_by_key(|(_, count)| **count);
    let (language, count) = match own {
        Some((&language, &own)) if matches!(top, "fr" | "de") && own * 3 > count => (language, own),
        _ => (top, count),
    };
    if count * 250 > characters && count >= 10 {
        proposal.language = Fact { value: language.to_owned(), proof: Some(format!("{count} letters of that language in its texts")) };
    }
}

fn address(look: &Look, proposal: &mut Proposal) {
    let pages = |column: &&Column| column.share(column.urls) > 0.5 && column.share(column.images) < 0.5;
    let host = look.columns.iter().filter(pages).flat_map(|column| &column.hosts).max_by_key(|(_, count)| **count);
    if let Some((host, count)) = host {
        proposal.url = Fact { value: format!("https://{host}"), proof: Some(format!("{count} addresses lie there")) };
        let name = host.trim_start_matches("www.").split('.').next().unwrap_or("shop");
        proposal.name.value = name.chars().enumerate().map(|(at, letter)| if at == 0 { letter.to_ascii_uppercase() } else { letter }).collect();
    } else {
        let why = if look.preset.is_some() { "addresses of products are made from it" } else { "no address in the file says it" };
        proposal.asks.push(Ask { what: format!("the shop's address: {why}"), write: "[shop] url = \"https://…\"".to_owned() });
    }
}

/// Currency, country and time zone of each currency and top-level domain that is met often.
const PLACES: &[(&str, &str, &str, &str)] = &[
    ("THB", "TH", "Asia/Bangkok", ".th"),
    ("VND", "VN", "Asia/Ho_Chi_Minh", ".vn"),
    ("INR", "IN", "Asia/Kolkata", ".in"),
    ("PLN", "PL", "Europe/Warsaw", ".pl"),
    ("CZK", "CZ", "Europe/Prague", ".cz"),
    ("GBP", "GB", "Europe/London", ".uk"),
    ("USD", "US", "America/New_York", ".us"),
    ("JPY", "JP", "Asia/Tokyo", ".jp"),
    ("UAH", "UA", "Europe/Kyiv", ".ua"),
    ("RUB", "RU", "Europe/Moscow", ".ru"),
    ("SAR", "SA", "Asia/Riyadh", ".sa"),
    ("CHF", "CH", "Europe/Zurich", ".ch"),
    ("SEK", "SE", "Europe/Stockholm", ".se"),
    ("AUD", "AU", "Australia/Sydney", ".au"),
    ("HUF", "HU", "Europe/Budapest", ".hu"),
    ("RON", "RO", "Europe/Bucharest", ".ro"),
    ("EUR", "DE", "Europe/Berlin", ".de"),
];

fn currency(look: &Look, proposal: &mut Proposal) {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    let mut dollars = 0;
    for column in &look.columns {
        let named = likeness(&column.name, "currency") > 60;
        for example in column.examples.iter().filter(|_| named) {
            if let Some(code) = crate::model::currency::code(example) {
                *counts.entry(code).or_default() += column.filled;
            }
        }
        // The dump of a database names its currency in a column of its own.
        if column.name.ends_with("currency") {
            *counts.entry("USD").or_default() += usize::from(column.examples.iter().any(|example| example == "USD")) * column.filled;
        }
        for (code, count) in &column.currencies {
            *counts.entry(code).or_default() += count;
        }
        dollars += column.dollars;
    }
    let host = proposal.url.value.clone();
    let by_host = PLACES.iter().find(|place| host.ends_with(place.3));
    if let Some((code, count)) = counts.into_iter().max_by_key(|(_, count)| *count) {
        proposal.currency = Fact { value: code.to_owned(), proof: Some(format!("{count} amounts say so")) };
    } else if let Some(place) = by_host {
        proposal.currency = Fact { value: place.0.to_owned(), proof: Some(format!("the address ends in `{}`", place.3)) };
    } else {
        let (code, why) = if dollars > 0 { ("USD", "`$` is the sign of many") } else { ("EUR", "no sign or code in the file says it") };
        proposal.currency.value = code.to_owned();
        proposal.asks.push(Ask { what: format!("the currency of the prices: {why}; {code} was written"), write: "[shop] currency = \"…\" (ISO 4217), with country and timezone".to_owned() });
    }
    let language = proposal.language.value.as_str();
    proposal.place = match (proposal.currency.value.as_str(), language) {
        ("EUR", "fr") => ("FR", "Europe/Paris"),
        ("EUR", "es") => ("ES", "Europe/Madrid"),
        (code, _) => PLACES.iter().find(|place| place.0 == code).map_or(("DE", "Europe/Berlin"), |place| (place.1, place.2)),
    };
}

/// How numbers are written: set with proof where some could be read in two ways, asked where nothing proves it.
fn locale(look: &Look, proposal: &mut Proposal) {
    if proposal.preset.is_some_and(|preset| preset.locale.is_some()) {
        return;
    }
    let columns: Vec<&Column> = match proposal.preset {
        Some(_) => look.columns.iter().filter(|column| likeness(&column.name, "price") > 50).collect(),
        None => {
            let prices = proposal.guesses.iter().filter(|guess| matches!(guess.ours, "price" | "sale_price" | "cost"));
            prices.filter_map(|guess| column(look, &guess.theirs)).collect()
        }
    };
    let sum = |count: fn(&Column) -> usize| columns.iter().map(|column| count(column)).sum::<usize>();
    let (ambiguous, commas, points) = (sum(|column| column.ambiguous), sum(|column| column.commas), sum(|column| column.points));
    if ambiguous == 0 {
        return;
    }
    let example = columns.iter().flat_map(|column| &column.examples).find(|example| example.contains([',', '.'])).cloned().unwrap_or_default();
    let language = proposal.language.value.clone();
    if commas > 0 && points == 0 {
        let fits = NumberLocale::from_tag(&language).is_some_and(|locale| locale.decimal == ',');
        let tag = if fits { language } else { "de".to_owned() };
        proposal.locale = Some(Fact { value: tag, proof: Some(format!("{commas} prices can only have a decimal comma, none a decimal point")) });
    } else if points > 0 && commas == 0 {
        proposal.locale = Some(Fact { value: "en".to_owned(), proof: Some(format!("{points} prices can only have a decimal point, none a decimal comma")) });
    } else {
        let why = if points > 0 { format!("{points} prices have a decimal point and {commas} a decimal comma") } else { "nothing in the file proves either".to_owned() };
        proposal.asks.push(Ask {
            what: format!("whether prices such as `{example}` have a decimal comma or point: {ambiguous} can be read in two ways, and {why}"),
            write: "[[source]] locale = \"en\" (1,234.50) or locale = \"de\" (1.234,50)".to_owned(),
        });
    }
}

/// Availability is needed everywhere; where nothing says it, the goods of a price list are taken to be there.
fn assume(_: &Look, proposal: &mut Proposal) {
    let has = |ours: &str| proposal.guesses.iter().any(|guess| guess.ours == ours);
    if !has("availability") && !has("available") {
        proposal.defaults.push(("availability", "in_stock".to_owned(), "assumed: the file says nothing about stock".to_owned()));
        proposal.asks.push(Ask { what: "stock: everything is taken to be in stock".to_owned(), write: "[source.fields] available = \"its column\", or a stock source (role = \"stock\")".to_owned() });
    }
}
