//! Facts about the shop that an export gives away: language, address, currency, notation of numbers; each with its proof.

use crate::catalog::words::likeness;
use crate::model::number::NumberLocale;

use super::complete::column;
use super::look::Look;
use super::propose::{Ask, Fact, Proposal};
use super::values::Column;

/// The language, by letters that few others have.
pub(super) fn language(look: &Look, proposal: &mut Proposal) {
    let texts = |column: &&Column| column.share(column.letters) > 0.5 && column.length() > 4.0;
    let mut counts: std::collections::BTreeMap<&'static str, usize> =
        std::collections::BTreeMap::new();
    let mut characters = 0;
    for column in look.columns.iter().filter(texts) {
        characters += column.characters;
        for (language, count) in &column.languages {
            *counts.entry(language).or_default() += count;
        }
    }
    let Some((&top, &count)) = counts.iter().max_by_key(|(_, count)| **count) else {
        return;
    };
    // French letters stand in many languages; a third as many of another's own letters say which it is.
    let own = counts
        .iter()
        .filter(|(language, _)| !matches!(**language, "fr" | "de"))
        .max_by_key(|(_, count)| **count);
    let (language, count) = match own {
        Some((&language, &own)) if matches!(top, "fr" | "de") && own * 3 > count => (language, own),
        _ => (top, count),
    };
    if count * 250 > characters && count >= 10 {
        proposal.language = Fact {
            value: language.to_owned(),
            proof: Some(format!("{count} letters of that language in its texts")),
        };
    }
}

/// The shop's address, where the products' addresses lie.
pub(super) fn address(look: &Look, proposal: &mut Proposal) {
    let pages = |column: &&Column| {
        column.filled * 2 >= look.records
            && column.share(column.urls) > 0.5
            && column.share(column.images) < 0.5
    };
    let host = look
        .columns
        .iter()
        .filter(pages)
        .flat_map(|column| &column.hosts)
        .max_by_key(|(_, count)| **count);
    if let Some((host, count)) = host {
        proposal.url = Fact {
            value: format!("https://{host}"),
            proof: Some(format!("{count} addresses lie there")),
        };
        let name = host
            .trim_start_matches("www.")
            .split('.')
            .next()
            .unwrap_or("shop");
        proposal.name.value = name
            .chars()
            .enumerate()
            .map(|(at, letter)| {
                if at == 0 {
                    letter.to_ascii_uppercase()
                } else {
                    letter
                }
            })
            .collect();
    } else {
        let why = if look.preset.is_some() {
            "addresses of products are made from it"
        } else {
            "no address in the file says it"
        };
        proposal.asks.push(Ask {
            what: format!("the shop's address: {why}"),
            write: "[shop] url = \"https://…\"".to_owned(),
        });
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

/// The currency, by signs and codes, else by the address.
pub(super) fn currency(look: &Look, proposal: &mut Proposal) {
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
            *counts.entry("USD").or_default() +=
                usize::from(column.examples.iter().any(|example| example == "USD")) * column.filled;
        }
        for (code, count) in &column.currencies {
            *counts.entry(code).or_default() += count;
        }
        dollars += column.dollars;
    }
    let host = proposal.url.value.clone();
    let by_host = PLACES.iter().find(|place| host.ends_with(place.3));
    if let Some((code, count)) = counts.into_iter().max_by_key(|(_, count)| *count) {
        proposal.currency = Fact {
            value: code.to_owned(),
            proof: Some(format!("{count} amounts say so")),
        };
    } else if let Some(place) = by_host {
        proposal.currency = Fact {
            value: place.0.to_owned(),
            proof: Some(format!("the address ends in `{}`", place.3)),
        };
    } else {
        let (code, why) = if dollars > 0 {
            ("USD", "`$` is the sign of many")
        } else {
            ("EUR", "no sign or code in the file says it")
        };
        proposal.currency.value = code.to_owned();
        proposal.asks.push(Ask {
            what: format!("the currency of the prices: {why}; {code} was written"),
            write: "[shop] currency = \"…\" (ISO 4217), with country and timezone".to_owned(),
        });
    }
    let language = proposal.language.value.as_str();
    proposal.place = match (proposal.currency.value.as_str(), language) {
        ("EUR", "fr") => ("FR", "Europe/Paris"),
        ("EUR", "es") => ("ES", "Europe/Madrid"),
        (code, _) => PLACES
            .iter()
            .find(|place| place.0 == code)
            .map_or(("DE", "Europe/Berlin"), |place| (place.1, place.2)),
    };
}

/// How numbers are written: set with proof where some could be read in two ways, asked where nothing proves it.
pub(super) fn locale(look: &Look, proposal: &mut Proposal) {
    if proposal
        .preset
        .is_some_and(|preset| preset.locale.is_some())
    {
        return;
    }
    let columns: Vec<&Column> = match proposal.preset {
        Some(_) => look
            .columns
            .iter()
            .filter(|column| likeness(&column.name, "price") > 50)
            .collect(),
        None => {
            let prices = proposal
                .guesses
                .iter()
                .filter(|guess| matches!(guess.ours, "price" | "sale_price" | "cost"));
            prices
                .filter_map(|guess| column(look, &guess.theirs))
                .collect()
        }
    };
    let sum =
        |count: fn(&Column) -> usize| columns.iter().map(|column| count(column)).sum::<usize>();
    let (ambiguous, commas, points) = (
        sum(|column| column.ambiguous),
        sum(|column| column.commas),
        sum(|column| column.points),
    );
    if ambiguous == 0 {
        return;
    }
    let example = columns
        .iter()
        .flat_map(|column| &column.examples)
        .find(|example| example.contains([',', '.']))
        .cloned()
        .unwrap_or_default();
    let language = proposal.language.value.clone();
    if commas > 0 && points == 0 {
        let fits = NumberLocale::from_tag(&language).is_some_and(|locale| locale.decimal == ',');
        let tag = if fits { language } else { "de".to_owned() };
        proposal.locale = Some(Fact {
            value: tag,
            proof: Some(format!(
                "{commas} prices can only have a decimal comma, none a decimal point"
            )),
        });
    } else if points > 0 && commas == 0 {
        proposal.locale = Some(Fact {
            value: "en".to_owned(),
            proof: Some(format!(
                "{points} prices can only have a decimal point, none a decimal comma"
            )),
        });
    } else {
        let why = if points > 0 {
            format!("{points} prices have a decimal point and {commas} a decimal comma")
        } else {
            "nothing in the file proves either".to_owned()
        };
        proposal.asks.push(Ask {
            what: format!("whether prices such as `{example}` have a decimal comma or point: {ambiguous} can be read in two ways, and {why}"),
            write: "[[source]] locale = \"en\" (1,234.50) or locale = \"de\" (1.234,50)".to_owned(),
        });
    }
}

/// Availability is needed everywhere; where nothing says it, the goods of a price list are taken to be there.
pub(super) fn assume(proposal: &mut Proposal) {
    let has = |ours: &str| proposal.guesses.iter().any(|guess| guess.ours == ours);
    if !has("availability") && !has("available") {
        proposal.defaults.push((
            "availability",
            "in_stock".to_owned(),
            "assumed: the file says nothing about stock".to_owned(),
        ));
        proposal.asks.push(Ask {
            what: "stock: everything is taken to be in stock".to_owned(),
            write:
                "[source.fields] available = \"its column\", or a stock source (role = \"stock\")"
                    .to_owned(),
        });
    }
}
