//! What the cells of a column look like: addresses, pictures, GTINs, prices, words, paths, lists. Counted, never guessed.

use std::collections::{HashMap, HashSet};

use crate::catalog::words;
use crate::model::gtin::{Gtin, GtinProblem};
use crate::model::money::{self, MoneyProblem, MoneyRules};
use crate::model::number::{self, NumberProblem};
use crate::model::value::ELEMENT;

/// Distinct values counted exactly up to here.
const DISTINCT_MAX: usize = 50_000;
/// Examples kept.
const EXAMPLES_MAX: usize = 3;

/// A column of an export, with what its cells look like.
#[derive(Debug, Default)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Cells that are not empty.
    pub filled: usize,
    /// Addresses.
    pub urls: usize,
    /// Addresses of pictures.
    pub images: usize,
    /// Right GTINs.
    pub gtins: usize,
    /// Numbers a spreadsheet has ruined.
    pub damaged: usize,
    /// Right ISBN-10s, also without their leading zeros.
    pub isbn10: usize,
    /// Numbers, with or without a currency.
    pub numbers: usize,
    /// Whole numbers.
    pub integers: usize,
    /// Numbers that two locales read differently.
    pub ambiguous: usize,
    /// Numbers that only a decimal comma explains, and only a decimal point.
    pub commas: usize,
    /// See [`Column::commas`].
    pub points: usize,
    /// Amounts with their currency, by its code.
    pub currencies: HashMap<&'static str, usize>,
    /// Amounts with a sign that several currencies share.
    pub dollars: usize,
    /// Words for availability.
    pub availabilities: usize,
    /// Yes and no in some spelling.
    pub booleans: usize,
    /// Category paths.
    pub paths: usize,
    /// HTML.
    pub html: usize,
    /// Lists in brackets, `["a", "b"]`.
    pub lists: usize,
    /// Lists of the format's own.
    pub elements: usize,
    /// Characters in all.
    pub characters: usize,
    /// Cells with a letter.
    pub letters: usize,
    /// Distinct values.
    pub distinct: HashSet<u64>,
    /// Distinct values up to a `?`.
    pub distinct_stems: HashSet<u64>,
    /// The first few.
    pub examples: Vec<String>,
    /// Letters that tell languages, by language.
    pub languages: HashMap<&'static str, usize>,
    /// Hosts of its addresses.
    pub hosts: HashMap<String, usize>,
}

impl Column {
    /// An empty column.
    pub fn new(name: &str) -> Self {
        Column {
            name: name.to_owned(),
            ..Column::default()
        }
    }

    /// The share of filled cells, 0 to 1, that a count is.
    pub fn share(&self, count: usize) -> f64 {
        if self.filled == 0 {
            0.0
        } else {
            count as f64 / self.filled as f64
        }
    }

    /// How much cells differ, 0 to 1.
    pub fn variety(&self) -> f64 {
        self.share(self.distinct.len())
    }

    /// Characters a cell has on average.
    pub fn length(&self) -> f64 {
        if self.filled == 0 {
            0.0
        } else {
            self.characters as f64 / self.filled as f64
        }
    }

    /// Takes a cell in.
    pub fn add(&mut self, cell: &str) {
        let text = cell.trim();
        if text.is_empty() {
            return;
        }
        self.filled += 1;
        if self.examples.len() < EXAMPLES_MAX && !self.examples.iter().any(|known| known == text) {
            self.examples.push(text.chars().take(60).collect());
        }
        if self.distinct.len() < DISTINCT_MAX {
            self.distinct
                .insert(xxhash_rust::xxh3::xxh3_64(text.as_bytes()));
            self.distinct_stems.insert(xxhash_rust::xxh3::xxh3_64(
                text.split('?').next().unwrap_or(text).as_bytes(),
            ));
        }
        self.characters += text.chars().count();
        self.elements += usize::from(text.contains(ELEMENT));
        if text.starts_with('[') && text.ends_with(']') {
            self.lists += 1;
        }
        let one = text
            .trim_start_matches(['[', '"', '\''])
            .split([ELEMENT, '|', '"'])
            .next()
            .unwrap_or(text);
        if one.starts_with("http://") || one.starts_with("https://") {
            self.urls += 1;
            self.images += usize::from(is_image(one));
            if let Some(host) = one.split('/').nth(2) {
                *self.hosts.entry(host.to_ascii_lowercase()).or_default() += 1;
            }
            return;
        }
        self.letters += usize::from(text.chars().any(char::is_alphabetic));
        self.html +=
            usize::from(text.contains("</") || text.contains("<br") || text.contains("&lt;p"));
        self.paths += usize::from(
            text.contains(" > ")
                || text.contains(">>")
                || text.contains(" -> ")
                || (text.matches('/').count() > 1
                    && !text.contains("//")
                    && !text.starts_with('/')),
        );
        if text.len() <= 24 {
            self.short(text);
        }
        if self.letters <= 2_000 {
            self.learn_language(text);
        }
    }

    fn short(&mut self, text: &str) {
        match Gtin::parse(text) {
            Ok(_) => self.gtins += 1,
            // `4.0E+12` has lost its digits; `2008.0` is just a number.
            Err(GtinProblem::SpreadsheetDamage) => {
                self.damaged += usize::from(text.contains(['e', 'E']))
            }
            Err(GtinProblem::Isbn10(_)) => self.isbn10 += 1,
            Err(_) => {}
        }
        self.availabilities += usize::from(crate::model::availability::parse(text).is_ok());
        let flag = matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "yes" | "no" | "0" | "1" | "y" | "n"
        );
        self.booleans += usize::from(flag);
        if !text.bytes().any(|byte| byte.is_ascii_digit()) {
            return;
        }
        self.integers += usize::from(text.bytes().all(|byte| byte.is_ascii_digit()));
        let rules = MoneyRules {
            locale: None,
            currency: "XXX",
        };
        match money::parse(text, &rules) {
            Ok(parsed) => {
                self.numbers += 1;
                if let Some(code) = parsed.currency.filter(|code| *code != "XXX") {
                    *self.currencies.entry(code).or_default() += 1;
                } else if text.contains('$') {
                    self.dollars += 1;
                }
                let digits: String = text
                    .chars()
                    .filter(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ','))
                    .collect();
                let digits = digits.trim_matches(['.', ',']);
                match (
                    parsed.amount.contains('.'),
                    digits.rfind(['.', ',']).and_then(|at| digits.get(at..)),
                ) {
                    (true, Some(tail)) if tail.starts_with(',') => self.commas += 1,
                    (true, Some(tail)) if tail.starts_with('.') => self.points += 1,
                    // Two or more groups: the sign between them is no decimal sign.
                    (false, Some(tail)) if tail.starts_with('.') => self.commas += 1,
                    (false, Some(tail)) if tail.starts_with(',') => self.points += 1,
                    _ => {}
                }
            }
            Err(MoneyProblem::Number(NumberProblem::Ambiguous { .. })) => {
                self.numbers += 1;
                self.ambiguous += 1;
                // The sign of the currency is told all the same.
                let bare = text.trim_matches(|letter: char| {
                    letter.is_ascii_digit() || matches!(letter, '.' | ',' | ' ' | '\u{a0}')
                });
                if let Ok(parsed) = money::parse(&format!("{bare} 1"), &rules)
                    && let Some(code) = parsed.currency.filter(|code| *code != "XXX")
                {
                    *self.currencies.entry(code).or_default() += 1;
                }
            }
            Err(_) => self.numbers += usize::from(number::parse(text, None).is_ok()),
        }
    }

    fn learn_language(&mut self, text: &str) {
        for letter in text.chars().filter(|letter| !letter.is_ascii()) {
            if let Some(language) = language_of(letter) {
                *self.languages.entry(language).or_default() += 1;
            }
        }
    }
}

fn is_image(url: &str) -> bool {
    let lower = url
        .split(['?', '#'])
        .next()
        .unwrap_or(url)
        .to_ascii_lowercase();
    [".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".bmp"]
        .iter()
        .any(|ending| lower.ends_with(ending))
}

/// The language a letter speaks for; many letters speak for none.
fn language_of(letter: char) -> Option<&'static str> {
    Some(match letter.to_lowercase().next().unwrap_or(letter) {
        '\u{e01}'..='\u{e5b}' => "th",
        'ă' | 'đ' | 'ơ' | 'ư' | '\u{1ea0}'..='\u{1ef9}' => "vi",
        'ł' | 'ś' | 'ż' | 'ź' | 'ń' | 'ą' | 'ę' | 'ć' => "pl",
        'ř' | 'ě' | 'ů' | 'č' | 'š' | 'ž' => "cs",
        'ß' | 'ä' | 'ö' | 'ü' => "de",
        'ñ' | '¿' | '¡' => "es",
        'è' | 'ê' | 'à' | 'ç' | 'œ' | 'é' => "fr",
        'і' | 'ї' | 'є' | 'ґ' => "uk",
        'ы' | 'э' | 'ъ' | 'ё' => "ru",
        '\u{3040}'..='\u{30ff}' => "ja",
        '\u{ac00}'..='\u{d7af}' => "ko",
        _ => return None,
    })
}

/// Whether what stands where column names should be is a record: numbers, prices, barcodes, addresses or long text.
pub fn header_is_data(columns: &[Column]) -> bool {
    let named = columns
        .iter()
        .filter(|column| {
            words::WORDS
                .iter()
                .any(|(ours, _)| words::likeness(&column.name, ours) >= 80)
        })
        .count();
    let data = columns
        .iter()
        .filter(|column| {
            let name = column.name.trim();
            let digits = name.bytes().filter(u8::is_ascii_digit).count();
            name.starts_with("http")
                || name.chars().count() > 80
                || (digits > 0 && digits * 10 >= name.len() * 8)
                || name.contains(" > ")
        })
        .count();
    data >= 2 && named * 2 < data + named
}
