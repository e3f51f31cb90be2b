//! Condition: foreign spellings in, one of three words out.

use super::words::{UnknownWord, key};

/// In what state a product is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Never used.
    New,
    /// Restored to working order.
    Refurbished,
    /// Used before, or its package is open.
    Used,
}

impl Condition {
    /// The canonical word: `new`, `refurbished`, `used`.
    pub fn as_str(self) -> &'static str {
        match self {
            Condition::New => "new",
            Condition::Refurbished => "refurbished",
            Condition::Used => "used",
        }
    }
}

/// Reads a condition in the spellings of schema.org, channels and shops of several languages.
pub fn parse(text: &str) -> Result<Condition, UnknownWord> {
    Ok(match key(text).as_str() {
        "new"
        | "newcondition"
        | "brandnew"
        | "ใหม่"
        | "มือหนึ่ง"
        | "mới"
        | "nowy"
        | "nowa"
        | "nowe"
        | "nový"
        | "nová"
        | "nové"
        | "neu"
        | "neuf"
        | "neuve"
        | "nuevo"
        | "nueva"
        | "novo"
        | "nova"
        | "nuovo"
        | "nuova"
        | "nieuw"
        | "новий"
        | "нова"
        | "новый"
        | "новая"
        | "ny"
        | "uusi"
        | "új"
        | "nou"
        | "yeni"
        | "baru"
        | "全新"
        | "新品" => Condition::New,
        "refurbished"
        | "refurbishedcondition"
        | "renewed"
        | "reconditioned"
        | "remanufactured"
        | "certifiedrefurbished"
        | "รีเฟอร์บิช"
        | "tântrang"
        | "odnowiony"
        | "odnowione"
        | "repasovaný"
        | "repasované"
        | "repasováno"
        | "generalüberholt"
        | "refurbisht"
        | "reconditionné"
        | "remisàneuf"
        | "reacondicionado"
        | "recondicionado"
        | "ricondizionato"
        | "gereviseerd"
        | "відновлений"
        | "восстановленный" => Condition::Refurbished,
        "used" | "usedcondition" | "secondhand" | "preowned" | "preloved" | "openbox"
        | "damagedcondition" | "likenew" | "มือสอง" | "cũ" | "đãquasửdụng" | "używany"
        | "używana" | "używane" | "použitý" | "použité" | "bazar" | "gebraucht" | "occasion"
        | "usagé" | "usado" | "usada" | "usato" | "usata" | "tweedehands" | "вживаний" | "б/в"
        | "бу" | "б/у" | "begagnad" | "brugt" | "brukt" | "käytetty" | "használt" | "ikinciel"
        | "bekas" | "二手" | "中古" => Condition::Used,
        _ => {
            return Err(UnknownWord {
                noun: "condition",
                known: &["new", "refurbished", "used"],
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_spellings_are_understood() {
        for (text, want) in [
            ("new", Condition::New),
            ("https://schema.org/NewCondition", Condition::New),
            ("NewCondition", Condition::New),
            ("ใหม่", Condition::New),
            ("Nowy", Condition::New),
            ("Refurbished", Condition::Refurbished),
            ("RefurbishedCondition", Condition::Refurbished),
            ("generalüberholt", Condition::Refurbished),
            ("Used", Condition::Used),
            ("second-hand", Condition::Used),
            ("มือสอง", Condition::Used),
            ("Б/у", Condition::Used),
        ] {
            assert_eq!(parse(text), Ok(want), "{text}");
        }
        let problem = parse("something").expect_err("unknown");
        assert_eq!(
            problem.message("something"),
            "`something` is no condition known here"
        );
        assert_eq!(problem.hint(), "write one of `new`, `refurbished`, `used`");
    }
}
