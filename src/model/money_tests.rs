use super::*;
use proptest::prelude::*;

fn read(
    text: &str,
    tag: &str,
    currency: &str,
) -> Result<(String, Option<&'static str>), MoneyProblem> {
    let locale = NumberLocale::from_tag(tag);
    parse(
        text,
        &MoneyRules {
            locale: locale.as_ref(),
            currency,
        },
    )
    .map(|parsed| (parsed.amount.into_owned(), parsed.currency))
}

#[test]
fn reads_what_shops_write() {
    for (text, expected, amount, named) in [
        ("1234.50", "EUR", "1234.50", None),
        ("1.234,50", "EUR", "1234.50", None),
        ("1 234,50 zł", "PLN", "1234.50", Some("PLN")),
        ("1\u{a0}234,50\u{a0}zł", "PLN", "1234.50", Some("PLN")),
        ("1\u{202f}234,50 €", "EUR", "1234.50", Some("EUR")),
        ("CHF 1'234.50", "CHF", "1234.50", Some("CHF")),
        ("฿2,612.00", "THB", "2612.00", Some("THB")),
        ("๒,๖๑๒.๐๐ บาท", "THB", "2612.00", Some("THB")),
        ("3.609.000 ₫", "VND", "3609000", Some("VND")),
        ("3.609.000đ", "VND", "3609000", Some("VND")),
        ("₹32,999.00", "INR", "32999.00", Some("INR")),
        ("₹1,23,456.00", "INR", "123456.00", Some("INR")),
        ("Rs.1,23,456", "INR", "123456", Some("INR")),
        ("USD 12.5", "EUR", "12.5", Some("USD")),
        ("12.34 EUR", "EUR", "12.34", Some("EUR")),
        ("12.34eur", "EUR", "12.34", Some("EUR")),
        ("R$ 1.299,90", "BRL", "1299.90", Some("BRL")),
        ("Rp 15.000,00", "IDR", "15000.00", Some("IDR")),
        ("299,00 Kč", "CZK", "299.00", Some("CZK")),
        ("19,90 лв.", "BGN", "19.90", Some("BGN")),
        ("1 200 грн.", "UAH", "1200", Some("UAH")),
        ("$12", "CAD", "12", Some("CAD")),
        ("$12", "EUR", "12", Some("USD")),
        ("$12 CAD", "EUR", "12", Some("CAD")),
        ("US$ 12 USD", "USD", "12", Some("USD")),
        ("kr 99", "NOK", "99", Some("NOK")),
        ("12,-", "EUR", "12", None),
        ("1.299,-- €", "EUR", "1299", Some("EUR")),
        ("$.99", "USD", "0.99", Some("USD")),
        (".99", "USD", "0.99", None),
        ("-0", "EUR", "0", None),
        ("0,00", "EUR", "0.00", None),
    ] {
        assert_eq!(
            read(text, "", expected),
            Ok((amount.to_owned(), named)),
            "{text}"
        );
    }
}

#[test]
fn the_currency_may_decide() {
    for (text, tag, currency, amount) in [
        ("1.234", "", "VND", "1234"),
        ("1,234", "", "JPY", "1234"),
        ("¥1,234", "", "JPY", "1234"),
        ("1.234 ₫", "", "EUR", "1234"),
        ("1.234", "vi", "VND", "1234"),
        ("1.234", "", "KWD", "1.234"),
        ("1.234", "de", "KWD", "1234"),
        ("₹32,999", "hi", "INR", "32999"),
        ("150000.00", "", "VND", "150000.00"),
    ] {
        assert_eq!(
            read(text, tag, currency).map(|p| p.0),
            Ok(amount.to_owned()),
            "{text} {tag}"
        );
    }
    for (text, tag, currency) in [
        ("1,234", "", "USD"),
        ("1.234", "", "EUR"),
        ("₹32,999", "", "INR"),
        ("1,234", "", "KWD"),
        // English writes decimals with a point, VND has none: somebody is wrong.
        ("1.234", "en", "VND"),
    ] {
        assert!(
            matches!(
                read(text, tag, currency),
                Err(MoneyProblem::Number(NumberProblem::Ambiguous { .. }))
            ),
            "{text}"
        );
    }
    let problem = read("1,234", "", "USD").expect_err("two readings");
    assert_eq!(problem.message("1,234"), "`1,234` may be 1234 or 1.234");
}

#[test]
fn bad_cells_are_told_apart() {
    let number = MoneyProblem::Number;
    for (text, want) in [
        ("", MoneyProblem::Blank),
        ("  \u{a0} ", MoneyProblem::Blank),
        ("call us", MoneyProblem::Words),
        ("free", MoneyProblem::Words),
        ("N/A", MoneyProblem::Words),
        ("-", MoneyProblem::Words),
        ("No old price", MoneyProblem::Words),
        ("from 12.00", MoneyProblem::Words),
        ("12.00 per kg", MoneyProblem::Words),
        ("€", MoneyProblem::Words),
        ("-12.00", MoneyProblem::Negative),
        ("\u{2212}12,00 €", MoneyProblem::Negative),
        ("€-12.00", MoneyProblem::Negative),
        ("(12.00)", MoneyProblem::Negative),
        ("12.00-", MoneyProblem::Negative),
        ("10 - 20", number(NumberProblem::Several)),
        ("12.00 / 15.00", number(NumberProblem::Several)),
        ("1.2E+3", number(NumberProblem::Scientific)),
        ("1e5", number(NumberProblem::Scientific)),
        ("1.23.4", number(NumberProblem::Malformed)),
        ("€12 PLN", MoneyProblem::Currencies("EUR", "PLN")),
    ] {
        let problem = read(text, "", "EUR").expect_err(text);
        assert_eq!(problem, want, "{text}");
        assert!(!problem.message(text).ends_with('.') && !problem.hint().is_empty());
    }
}

#[test]
fn writes_amounts_for_feeds() {
    let symbol = MoneyStyle {
        currency: CurrencyStyle::Symbol,
        ..MoneyStyle::default()
    };
    let german = MoneyStyle {
        decimal: ",",
        group: ".",
        ..symbol
    };
    let bare = MoneyStyle {
        currency: CurrencyStyle::None,
        ..MoneyStyle::default()
    };
    let minor = MoneyStyle {
        minor: true,
        ..bare
    };
    for (amount, code, style, want) in [
        ("2612", "THB", MoneyStyle::default(), "2612.00 THB"),
        ("2612.5", "VND", MoneyStyle::default(), "2613 VND"),
        ("2612.4999", "VND", MoneyStyle::default(), "2612 VND"),
        ("1.2345", "KWD", MoneyStyle::default(), "1.235 KWD"),
        ("0.005", "EUR", bare, "0.01"),
        ("2612", "THB", symbol, "฿2612.00"),
        ("1234567.5", "EUR", german, "1.234.567,50 €"),
        ("12.5", "EUR", symbol, "€12.50"),
        ("12.5", "AED", symbol, "12.50 AED"),
        ("0.05", "EUR", minor, "5"),
        ("12.5", "EUR", minor, "1250"),
        ("3609000", "VND", minor, "3609000"),
        ("0", "EUR", minor, "0"),
        ("-3.456", "EUR", bare, "-3.46"),
    ] {
        let mut out = String::new();
        assert_eq!(format(amount, code, &style, &mut out), Ok(()), "{amount}");
        assert_eq!(out, want);
    }
    assert_eq!(
        format("twelve", "EUR", &bare, &mut String::new()),
        Err(NotAnAmount)
    );
}

proptest! {
    #[test]
    fn written_amounts_read_back(minor in 0u64..1_000_000_000_000, which in 0usize..7) {
        let (tag, code, decimal, group) = [
            ("en", "USD", ".", ","), ("de", "EUR", ",", "."), ("pl", "PLN", ",", "\u{a0}"),
            ("vi", "VND", ",", "."), ("ja", "JPY", ".", ","), ("ar", "KWD", ".", ","), ("de-CH", "CHF", ".", "'"),
        ][which];
        let places = usize::from(exponent(code));
        let scale = 10u64.pow(places as u32);
        let exact = if places == 0 { minor.to_string() } else {
            format!("{}.{:0places$}", minor / scale, minor % scale)
        };
        for currency in [CurrencyStyle::Code, CurrencyStyle::None, CurrencyStyle::Symbol] {
            let mut out = String::new();
            let style = MoneyStyle { currency, decimal, group, minor: false };
            prop_assert_eq!(format(&exact, code, &style, &mut out), Ok(()));
            let (amount, named) = read(&out, tag, code).map_err(|p| TestCaseError::fail(p.message(&out)))?;
            prop_assert_eq!(amount, exact.clone());
            prop_assert_eq!(named.is_some(), currency != CurrencyStyle::None);
        }
        let mut out = String::new();
        let style = MoneyStyle { currency: CurrencyStyle::None, minor: true, ..MoneyStyle::default() };
        prop_assert_eq!(format(&exact, code, &style, &mut out), Ok(()));
        prop_assert_eq!(out, minor.to_string());
    }

    #[test]
    fn never_panics(text in "\\PC{0,20}") {
        if let Ok((amount, _)) = read(&text, "", "EUR") {
            prop_assert!(decimal::parts(&amount).is_some());
        }
    }
}
