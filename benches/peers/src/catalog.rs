//! The reference catalog: as many variants as asked for, about 1.1 KB each, written as they are made.
//!
//! A shorter catalog with the same seed is the beginning of a longer one, so that the difference of two runs is the cost of
//! the records between. The variants of a product stand together and have the same columns filled, GTIN apart.

use std::fmt::Write as _;
use std::io;

use crate::columns::HEADER;
use crate::random::Random;
use crate::words::{BRANDS, Kind, LANGUAGES, Words};

/// What all variants of a product share.
struct Product {
    number: u64,
    words: &'static Words,
    kind: &'static Kind,
    brand: &'static str,
    adjective: &'static str,
    material: &'static str,
    description: String,
    price_cents: u64,
    /// Cents, first day of November 2026, year of the end.
    sale: Option<(u64, u64, u64)>,
    condition: &'static str,
    gender: &'static str,
    age_group: &'static str,
    images: u64,
    weight_g: u64,
    tags: String,
}

/// Writes the header and `variants` rows.
pub fn write<W: io::Write>(variants: u64, seed: u64, out: W) -> csv::Result<()> {
    let mut random = Random::new(seed);
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    let mut row = Vec::with_capacity(HEADER.len());
    let mut written = 0;
    let mut number = 0;
    while written < variants {
        let product = product(number, &mut random);
        number += 1;
        for variant in 1..=1 + random.below(4) {
            if written == variants {
                break;
            }
            fill(&mut row, &product, variant, written, &mut random);
            writer.write_record(&row)?;
            written += 1;
        }
    }
    writer.flush()?;
    Ok(())
}

/// Invents a product.
fn product(number: u64, random: &mut Random) -> Product {
    let words = random.pick(&LANGUAGES);
    let kind = random.pick(&words.kinds);
    let price_cents = 5_900 + random.below(4_000) * 100 + random.pick(&[0, 0, 50, 99]);
    let sale = random.percent(25).then(|| {
        let cents = price_cents * (60 + random.below(31)) / 100;
        (cents, 1 + random.below(30), 2030 + random.below(3))
    });
    let first_tag = random.word(&words.tags);
    let mut tags = first_tag.to_owned();
    for tag in &words.tags {
        if *tag != first_tag && random.percent(30) {
            tags.push('|');
            tags.push_str(tag);
        }
    }
    Product {
        number,
        words,
        kind,
        brand: random.word(&BRANDS),
        adjective: random.word(&words.adjectives),
        material: if random.percent(80) {
            random.word(&words.materials)
        } else {
            ""
        },
        description: description(words, random),
        price_cents,
        sale,
        condition: random.word(&[
            "new",
            "new",
            "new",
            "new",
            "new",
            "new",
            "new",
            "new",
            "refurbished",
            "used",
        ]),
        gender: if kind.clothes {
            random.word(&["female", "male", "unisex"])
        } else {
            ""
        },
        age_group: if kind.clothes {
            random.word(&["adult", "adult", "kids"])
        } else {
            ""
        },
        images: 2 + random.below(4),
        weight_g: 80 + random.below(4_000),
        tags,
    }
}

/// An HTML description of 400 to 500 bytes: a lead, a list, a last paragraph; one in four over several lines.
fn description(words: &Words, random: &mut Random) -> String {
    const BYTES_MIN: usize = 410;
    const BYTES_MAX: usize = 500;
    let line_end = if random.percent(25) { "\n" } else { "" };
    let mut html = format!(
        "<p class=\"lead\">{}</p>{line_end}<ul>",
        random.word(&words.leads)
    );
    let first = random.below(5) as usize;
    for n in 0..2 {
        let feature = words.features[(first + n) % words.features.len()];
        let _ = write!(html, "<li>{feature}</li>{line_end}");
    }
    html.push_str("</ul><p>");
    let first = random.below(6) as usize;
    for n in 0..words.sentences.len() {
        let sentence = words.sentences[(first + n) % words.sentences.len()];
        if html.len() + sentence.len() + "<br /></p>".len() > BYTES_MAX {
            continue;
        }
        html.push_str(sentence);
        html.push_str(match n % 3 {
            1 => "<br />",
            _ => " ",
        });
        if html.len() >= BYTES_MIN {
            break;
        }
    }
    html.push_str("</p>");
    html
}

/// Fills the row of one variant; `index` is its number in the catalog.
fn fill(row: &mut Vec<String>, product: &Product, variant: u64, index: u64, random: &mut Random) {
    let words = product.words;
    let kind = product.kind;
    let number = product.number;
    let color = random.word(&words.colors);
    let size = if kind.clothes {
        random.word(&["S", "M", "L", "XL"]).to_owned()
    } else {
        format!("{} x {} cm", 10 + random.below(80), 10 + random.below(80))
    };
    let model = 100 + number % 900;
    let page = format!(
        "https://baandesign.example/{}/p/{}-{number}?variant={variant}&utm_source=feed",
        words.code, kind.slug
    );
    let image = |n: u64| {
        format!("https://cdn.baandesign.example/i/{number:07}/{variant}-{n}.jpg?w=1200&v=3")
    };
    let images: Vec<String> = (1..=product.images).map(image).collect();
    let gtin = if product.condition == "new" || random.percent(50) {
        gtin13(words.gtin_prefix, index)
    } else {
        String::new()
    };
    let (sale_price, sale_starts, sale_ends) = match product.sale {
        Some((cents, day, year)) => (
            money(cents),
            format!("2026-11-{day:02}T00:00:00+07:00"),
            format!("{year}-01-{day:02}T23:59:00+07:00"),
        ),
        None => Default::default(),
    };
    row.clear();
    row.extend([
        format!("{}-{number:07}-{variant:02}", words.code.to_uppercase()),
        format!("P{number:07}"),
        format!(
            "{} {} {} {model}, {color}, {size}",
            product.brand, kind.noun, product.adjective
        ),
        product.description.clone(),
        product.brand.to_owned(),
        gtin,
        format!("{model}-{number:05}/{variant}"),
        kind.category.to_owned(),
        kind.google.to_string(),
        money(product.price_cents),
        sale_price,
        sale_starts,
        sale_ends,
        if random.percent(88) {
            "in_stock"
        } else {
            "out_of_stock"
        }
        .to_owned(),
        product.condition.to_owned(),
        page,
        images.first().cloned().unwrap_or_default(),
        images.join("|"),
        color.to_owned(),
        size,
        product.material.to_owned(),
        product.gender.to_owned(),
        product.age_group.to_owned(),
        product.weight_g.to_string(),
        "active".to_owned(),
        product.tags.clone(),
    ]);
}

/// Cents as an amount with two decimals.
fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// A GTIN-13: prefix, nine digits that no other `index` below 10^9 has, check digit.
fn gtin13(prefix: u64, index: u64) -> String {
    // The factor has no divisor in common with 10^9, so that no two indexes meet.
    let body = prefix * 1_000_000_000 + (index + 1) * 387_420_489 % 1_000_000_000;
    let mut text = format!("{body:012}");
    let sum: u32 = text
        .bytes()
        .zip([1, 3].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    let _ = write!(text, "{}", (10 - sum % 10) % 10);
    text
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::collections::HashSet;

    use super::{gtin13, write};
    use crate::columns;

    fn make(variants: u64, seed: u64) -> Vec<u8> {
        let mut out = Vec::new();
        write(variants, seed, &mut out).unwrap();
        out
    }

    #[test]
    fn check_digit_is_right() {
        let known = gtin13(885, 12_345);
        let sum: u32 = known
            .bytes()
            .rev()
            .zip([1, 3].into_iter().cycle())
            .map(|(digit, weight)| u32::from(digit - b'0') * weight)
            .sum();
        assert_eq!((known.len(), sum % 10), (13, 0));
    }

    #[test]
    fn same_seed_same_bytes_and_shorter_is_a_prefix() {
        let long = make(300, 7);
        assert_eq!(long, make(300, 7));
        assert!(long.starts_with(&make(100, 7)));
        assert_ne!(long, make(300, 8));
    }

    #[test]
    fn rows_are_what_the_mapping_relies_on() {
        let bytes = make(3_000, 1);
        let per_row = bytes.len() / 3_000;
        assert!((1_050..1_150).contains(&per_row), "{per_row} bytes a row");
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        columns::check_header(reader.headers().unwrap()).unwrap();
        let (mut skus, mut gtins) = (HashSet::new(), HashSet::new());
        for row in reader.records() {
            let row = row.unwrap();
            assert!(skus.insert(row[columns::SKU].to_owned()));
            if !row[columns::GTIN].is_empty() {
                assert!(gtins.insert(row[columns::GTIN].to_owned()));
            }
            assert!(row[columns::TITLE].chars().count() <= 150);
            let description = row[columns::DESCRIPTION].len();
            assert!((400..=500).contains(&description), "{description} bytes");
            assert!(row[columns::IMAGES].starts_with(&row[columns::IMAGE]));
            assert_eq!(
                row[columns::SALE_PRICE].is_empty(),
                row[columns::SALE_STARTS].is_empty()
            );
            if !row[columns::SALE_PRICE].is_empty() {
                let amount = |n: usize| row[n].replace('.', "").parse::<u64>().unwrap();
                assert!(amount(columns::SALE_PRICE) < amount(columns::PRICE));
            }
        }
    }
}
