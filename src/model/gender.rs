//! Gender: foreign spellings in, one of three words out.

use super::words::{UnknownWord, key};

/// Whom a product is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gender {
    /// Men and boys.
    Male,
    /// Women and girls.
    Female,
    /// Everybody.
    Unisex,
}

impl Gender {
    /// The canonical word: `male`, `female`, `unisex`.
    pub fn as_str(self) -> &'static str {
        match self {
            Gender::Male => "male",
            Gender::Female => "female",
            Gender::Unisex => "unisex",
        }
    }
}

/// Reads a gender in the spellings of schema.org, channels and shops of several languages.
pub fn parse(text: &str) -> Result<Gender, UnknownWord> {
    Ok(match key(text).as_str() {
        "male" | "m" | "men" | "man" | "mens" | "men's" | "boy" | "boys" | "gentlemen" | "ชาย"
        | "ผู้ชาย" | "nam" | "męski" | "męskie" | "mężczyzna" | "mężczyźni" | "pánský" | "pánské"
        | "muž" | "muži" | "herren" | "herr" | "männer" | "männlich" | "homme" | "hommes"
        | "masculin" | "hombre" | "hombres" | "masculino" | "homem" | "uomo" | "uomini"
        | "heren" | "чоловічий" | "чоловіки" | "чоловіче" | "мужской" | "мужчины" | "erkek"
        | "pria" | "férfi" | "herre" | "herrar" => Gender::Male,
        "female"
        | "f"
        | "w"
        | "women"
        | "woman"
        | "womens"
        | "women's"
        | "girl"
        | "girls"
        | "ladies"
        | "lady"
        | "หญิง"
        | "ผู้หญิง"
        | "nữ"
        | "damski"
        | "damskie"
        | "kobieta"
        | "kobiety"
        | "dámský"
        | "dámské"
        | "žena"
        | "ženy"
        | "damen"
        | "dame"
        | "frauen"
        | "weiblich"
        | "femme"
        | "femmes"
        | "féminin"
        | "mujer"
        | "mujeres"
        | "femenino"
        | "mulher"
        | "feminino"
        | "donna"
        | "donne"
        | "dames"
        | "жіночий"
        | "жінки"
        | "жіноче"
        | "женский"
        | "женщины"
        | "kadın"
        | "wanita"
        | "női"
        | "damer"
        | "dam" => Gender::Female,
        "unisex"
        | "u"
        | "all"
        | "both"
        | "any"
        | "everyone"
        | "men&women"
        | "ทั้งชายและหญิง"
        | "ยูนิเซ็กซ์"
        | "unisexe"
        | "uniseks"
        | "унісекс"
        | "унисекс" => Gender::Unisex,
        _ => {
            return Err(UnknownWord {
                noun: "gender",
                known: &["male", "female", "unisex"],
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
            ("male", Gender::Male),
            ("Men", Gender::Male),
            ("Men's", Gender::Male),
            ("https://schema.org/Male", Gender::Male),
            ("ผู้ชาย", Gender::Male),
            ("Damen", Gender::Female),
            ("Kobieta", Gender::Female),
            ("nữ", Gender::Female),
            ("Unisex", Gender::Unisex),
            ("унісекс", Gender::Unisex),
        ] {
            assert_eq!(parse(text), Ok(want), "{text}");
        }
        let problem = parse("something").expect_err("unknown");
        assert_eq!(
            problem.message("something"),
            "`something` is no gender known here"
        );
        assert_eq!(problem.hint(), "write one of `male`, `female`, `unisex`");
    }
}
