//! Age group: foreign spellings in, one of five words out.

use super::words::{UnknownWord, key};

/// For what age a product is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AgeGroup {
    /// Up to 3 months.
    Newborn,
    /// 3 to 12 months.
    Infant,
    /// 1 to 5 years.
    Toddler,
    /// 5 to 13 years.
    Kids,
    /// Older.
    Adult,
}

impl AgeGroup {
    /// The canonical word: `newborn`, `infant`, `toddler`, `kids`, `adult`.
    pub fn as_str(self) -> &'static str {
        match self {
            AgeGroup::Newborn => "newborn",
            AgeGroup::Infant => "infant",
            AgeGroup::Toddler => "toddler",
            AgeGroup::Kids => "kids",
            AgeGroup::Adult => "adult",
        }
    }
}

/// Reads an age group in the spellings of schema.org, channels and shops of several languages.
pub fn parse(text: &str) -> Result<AgeGroup, UnknownWord> {
    Ok(match key(text).as_str() {
        "newborn"
        | "newborns"
        | "03months"
        | "ทารกแรกเกิด"
        | "sơsinh"
        | "noworodek"
        | "novorozenec"
        | "neugeborene"
        | "nouveauné"
        | "reciénnacido"
        | "neonato"
        | "новонароджені" => AgeGroup::Newborn,
        "infant" | "infants" | "baby" | "babies" | "312months" | "ทารก" | "niemowlę"
        | "niemowlęta" | "kojenec" | "bébé" | "bebé" | "säugling" | "немовлята" => {
            AgeGroup::Infant
        }
        "toddler"
        | "toddlers"
        | "15years"
        | "เด็กวัยหัดเดิน"
        | "maluch"
        | "batole"
        | "kleinkind"
        | "kleinkinder" => AgeGroup::Toddler,
        "kids" | "kid" | "child" | "children" | "youth" | "junior" | "เด็ก" | "trẻem"
        | "dziecko" | "dzieci" | "děti" | "dítě" | "dětské" | "kinder" | "kind" | "enfant"
        | "enfants" | "niño" | "niños" | "criança" | "crianças" | "infantil" | "bambino"
        | "bambini" | "kinderen" | "діти" | "дитячий" | "дети" | "детский" | "çocuk"
        | "anakanak" => AgeGroup::Kids,
        "adult"
        | "adults"
        | "grownup"
        | "ผู้ใหญ่"
        | "ngườilớn"
        | "dorosły"
        | "dorośli"
        | "dospělý"
        | "dospělí"
        | "erwachsene"
        | "erwachsener"
        | "adulte"
        | "adultes"
        | "adulto"
        | "adultos"
        | "adulti"
        | "volwassenen"
        | "дорослий"
        | "дорослі"
        | "взрослый"
        | "взрослые"
        | "yetişkin"
        | "dewasa" => AgeGroup::Adult,
        _ => {
            return Err(UnknownWord {
                noun: "age group",
                known: &["newborn", "infant", "toddler", "kids", "adult"],
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
            ("newborn", AgeGroup::Newborn),
            ("Baby", AgeGroup::Infant),
            ("toddlers", AgeGroup::Toddler),
            ("Children", AgeGroup::Kids),
            ("เด็ก", AgeGroup::Kids),
            ("trẻ em", AgeGroup::Kids),
            ("Adults", AgeGroup::Adult),
            ("Erwachsene", AgeGroup::Adult),
        ] {
            assert_eq!(parse(text), Ok(want), "{text}");
        }
        let problem = parse("something").expect_err("unknown");
        assert_eq!(
            problem.message("something"),
            "`something` is no age group known here"
        );
        assert_eq!(
            problem.hint(),
            "write one of `newborn`, `infant`, `toddler`, `kids`, `adult`"
        );
    }
}
