//! Currencies: codes, decimals and the signs that catalogs write for them. Codes and exponents are ISO 4217's; the signs
//! are those met in price cells, with every currency that uses them.

use iso_currency::Currency;

/// The code in ISO 4217's own spelling; `None` when there is no such currency. Case does not matter.
pub fn code(text: &str) -> Option<&'static str> {
    if text.len() != 3 || !text.bytes().all(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    Currency::from_code(&text.to_ascii_uppercase()).map(|currency| currency.code())
}

/// How many decimals an amount has: VND 0, EUR 2, KWD 3. 2 for an unknown code.
pub fn exponent(code: &str) -> u8 {
    match code {
        "EUR" | "USD" | "GBP" | "PLN" | "CZK" | "THB" => 2,
        "VND" | "JPY" => 0,
        _ => Currency::from_code(code)
            .and_then(|currency| currency.exponent())
            .and_then(|exponent| u8::try_from(exponent).ok())
            .unwrap_or(2),
    }
}

/// True where a point before three digits is the decimal point: three decimals, and no country that groups by points.
pub(crate) fn writes_three_decimals(code: &str) -> bool {
    matches!(code, "KWD" | "BHD" | "OMR" | "JOD")
}

/// The usual sign of a currency and whether it stands before the amount; `None` when the code serves as sign.
pub(crate) fn sign(code: &str) -> Option<(&'static str, Place)> {
    Some(match code {
        "EUR" => ("€", Place::ByDecimal),
        "USD" => ("$", Place::Before),
        "GBP" => ("£", Place::Before),
        "JPY" | "CNY" => ("¥", Place::Before),
        "THB" => ("฿", Place::Before),
        "INR" => ("₹", Place::Before),
        "VND" => ("₫", Place::After),
        "PLN" => ("zł", Place::After),
        "CZK" => ("Kč", Place::After),
        "HUF" => ("Ft", Place::After),
        "SEK" | "NOK" | "ISK" => ("kr", Place::After),
        "DKK" => ("kr.", Place::After),
        "UAH" => ("₴", Place::After),
        "RUB" => ("₽", Place::After),
        "RON" => ("lei", Place::After),
        "BGN" => ("лв.", Place::After),
        "BRL" => ("R$", Place::Before),
        "IDR" => ("Rp", Place::Before),
        "KRW" => ("₩", Place::Before),
        "PHP" => ("₱", Place::Before),
        "MYR" => ("RM", Place::Before),
        "ILS" => ("₪", Place::Before),
        "TRY" => ("₺", Place::Before),
        "KZT" => ("₸", Place::After),
        "NGN" => ("₦", Place::Before),
        _ => return None,
    })
}

/// Where a sign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `฿12.50`
    Before,
    /// `12,50 zł`
    After,
    /// The euro: after an amount with a decimal comma, before one with a point.
    ByDecimal,
}

/// The currencies that a sign, a word or a code beside an amount may mean, the likeliest first; empty when it means none.
pub(crate) fn named(word: &str) -> &'static [&'static str] {
    let lower = word.to_lowercase();
    match lower.trim_end_matches('.') {
        "$" => DOLLARS,
        "us$" | "$us" | "u$s" => &["USD"],
        "ca$" | "c$" | "cad$" => &["CAD"],
        "au$" | "a$" => &["AUD"],
        "nz$" => &["NZD"],
        "hk$" => &["HKD"],
        "nt$" => &["TWD"],
        "s$" | "sg$" => &["SGD"],
        "mx$" => &["MXN"],
        "r$" => &["BRL"],
        "€" | "euro" | "euros" => &["EUR"],
        "£" => &["GBP", "EGP", "GIP", "FKP", "SHP", "LBP", "SYP"],
        "¥" | "￥" => &["JPY", "CNY"],
        "円" => &["JPY"],
        "元" => &["CNY", "TWD", "HKD"],
        "₩" | "원" => &["KRW"],
        "฿" | "บาท" | "บ" => &["THB"],
        "₫" | "đ" | "vnđ" | "đồng" => &["VND"],
        "₹" => &["INR"],
        "rs" => &["INR", "PKR", "LKR", "NPR", "MUR"],
        "zł" | "zl" => &["PLN"],
        "kč" | "kc" => &["CZK"],
        "лв" => &["BGN"],
        "грн" | "₴" => &["UAH"],
        "руб" | "₽" | "р" => &["RUB"],
        "ft" => &["HUF"],
        "lei" => &["RON", "MDL"],
        "kr" => &["SEK", "NOK", "DKK", "ISK"],
        "₺" | "tl" => &["TRY"],
        "rp" => &["IDR"],
        "rm" => &["MYR"],
        "₱" => &["PHP"],
        "₪" => &["ILS"],
        "₸" => &["KZT"],
        "₾" => &["GEL"],
        "₦" => &["NGN"],
        "r" => &["ZAR"],
        "fr" | "sfr" => &["CHF"],
        "kn" => &["HRK"],
        "din" | "дин" => &["RSD"],
        "د.إ" | "dhs" | "dh" => &["AED", "MAD"],
        "ر.س" | "﷼" | "sr" => &["SAR"],
        "د.ك" | "kd" => &["KWD"],
        _ => &[],
    }
}

/// Currencies whose sign is `$`, the likeliest first.
const DOLLARS: &[&str] = &[
    "USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP", "UYU", "DOP",
    "BSD", "BBD", "BZD", "BMD", "KYD", "FJD", "GYD", "JMD", "LRD", "NAD", "SBD", "SRD", "TTD",
    "XCD", "BND",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_those_of_iso_4217() {
        for (code, want) in [
            ("VND", 0),
            ("JPY", 0),
            ("KRW", 0),
            ("THB", 2),
            ("PLN", 2),
            ("KWD", 3),
            ("TND", 3),
            ("???", 2),
        ] {
            assert_eq!(exponent(code), want, "{code}");
        }
    }

    #[test]
    fn every_code_in_the_tables_exists() {
        for word in [
            "$", "£", "¥", "元", "rs", "kr", "lei", "Rs.", "Kč", "лв.", "VNĐ", "dhs", "руб.",
        ] {
            assert!(!named(word).is_empty(), "{word}");
            assert!(named(word).iter().all(|c| code(c) == Some(c)), "{word}");
        }
        assert_eq!(code("eur"), Some("EUR"));
        assert_eq!(code("EU"), None);
        assert_eq!(code("ABC"), None);
        assert!(named("per").is_empty());
    }
}
