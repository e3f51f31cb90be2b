//! Availability: foreign spellings in, one of four words out.

use super::words::{UnknownWord, key};

/// Whether and how an offer can be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Availability {
    /// Can be bought and sent now.
    InStock,
    /// Cannot be bought.
    OutOfStock,
    /// Not yet released, can be ordered.
    Preorder,
    /// Sold out for now, can be ordered.
    Backorder,
}

impl Availability {
    /// The canonical word: `in_stock`, `out_of_stock`, `preorder`, `backorder`.
    pub fn as_str(self) -> &'static str {
        match self {
            Availability::InStock => "in_stock",
            Availability::OutOfStock => "out_of_stock",
            Availability::Preorder => "preorder",
            Availability::Backorder => "backorder",
        }
    }

    /// What follows from a quantity where nothing else is given.
    pub fn of_units(units: i64) -> Availability {
        if units > 0 {
            Availability::InStock
        } else {
            Availability::OutOfStock
        }
    }
}

/// Reads an availability: English as channels and schema.org spell it, yes and no, and the words of shops in Thai,
/// Vietnamese, Polish, Czech, Slovak, German, French, Spanish, Italian, Portuguese, Dutch, Ukrainian, Russian and more.
#[inline]
pub fn parse(text: &str) -> Result<Availability, UnknownWord> {
    match text {
        "in_stock" | "in stock" => Ok(Availability::InStock),
        "out_of_stock" | "out of stock" => Ok(Availability::OutOfStock),
        _ => parse_foreign(text),
    }
}

fn parse_foreign(text: &str) -> Result<Availability, UnknownWord> {
    use Availability::{Backorder, InStock, OutOfStock, Preorder};
    Ok(match key(text).as_str() {
        // English, schema.org, flags
        "instock"
        | "available"
        | "availableinstock"
        | "onstock"
        | "instoreonly"
        | "onlineonly"
        | "limitedavailability"
        | "lowstock"
        | "fewleft"
        | "availablefororder"
        | "active"
        | "1"
        | "yes"
        | "y"
        | "true"
        | "t" => InStock,
        "outofstock"
        | "outstock"
        | "oos"
        | "unavailable"
        | "notavailable"
        | "notinstock"
        | "soldout"
        | "discontinued"
        | "nostock"
        | "currentlyunavailable"
        | "temporarilyoutofstock"
        | "0"
        | "no"
        | "n"
        | "false"
        | "f" => OutOfStock,
        "preorder" | "presale" | "preorderavailable" | "comingsoon" => Preorder,
        "backorder"
        | "backordered"
        | "onbackorder"
        | "availableonbackorder"
        | "onorder"
        | "availableonorder"
        | "madetoorder" => Backorder,
        // Thai
        "มีสินค้า" | "มีของ" | "พร้อมส่ง" | "มีสินค้าพร้อมส่ง" | "มีสต็อก" | "มีในสต็อก" => {
            InStock
        }
        "สินค้าหมด" | "หมด" | "ไม่มีสินค้า" | "ของหมด" | "หมดสต็อก" => {
            OutOfStock
        }
        "พรีออเดอร์" | "สั่งจองล่วงหน้า" | "สั่งซื้อล่วงหน้า" => {
            Preorder
        }
        // Vietnamese
        "cònhàng" | "sẵnhàng" | "cósẵn" | "cóhàng" => InStock,
        "hếthàng" | "tạmhếthàng" | "khôngcònhàng" => OutOfStock,
        "đặttrước" | "đặthàngtrước" => Preorder,
        // Polish
        "dostępny" | "dostępna" | "dostępne" | "wmagazynie" | "nastanie" | "tak" => InStock,
        "niedostępny" | "niedostępna" | "niedostępne" | "brak" | "brakwmagazynie"
        | "wyprzedany" | "wyprzedane" | "nie" => OutOfStock,
        "przedsprzedaż" | "zapowiedź" => Preorder,
        "nazamówienie" => Backorder,
        // Czech and Slovak
        "skladem" | "naskladě" | "nasklade" | "skladom" | "dostupné" | "dostupný" | "ano"
        | "áno" => InStock,
        "nenískladem" | "neskladem" | "vyprodáno" | "nedostupné" | "niejeskladom" | "vypredané"
        | "ne" => OutOfStock,
        "předobjednávka" | "predobjednávka" | "předprodej" => Preorder,
        "naobjednávku" | "naobjednání" => Backorder,
        // German
        "auflager" | "lieferbar" | "verfügbar" | "vorrätig" | "sofortlieferbar" | "ja" => InStock,
        "nichtauflager" | "nichtlieferbar" | "nichtverfügbar" | "nichtvorrätig" | "ausverkauft"
        | "vergriffen" | "nein" => OutOfStock,
        "vorbestellbar" | "vorbestellung" => Preorder,
        "nachbestellt" | "lieferrückstand" | "aufbestellung" => Backorder,
        // French
        "enstock" | "disponible" | "oui" => InStock,
        "enrupturedestock" | "rupturedestock" | "rupture" | "épuisé" | "indisponible" | "non" => {
            OutOfStock
        }
        "précommande" | "enprécommande" => Preorder,
        "surcommande" | "encommande" => Backorder,
        // Spanish, Portuguese, Italian
        "enexistencia" | "hayexistencias" | "sí" | "si" | "emestoque" | "emstock"
        | "disponível" | "disponibile" | "inmagazzino" | "sì" => InStock,
        "agotado" | "sinstock" | "sinexistencias" | "nodisponible" | "esgotado"
        | "foradeestoque" | "semestoque" | "indisponível" | "esaurito" | "nondisponibile"
        | "não" => OutOfStock,
        "preventa" | "reserva" | "prevenda" | "prévenda" | "préencomenda" | "preordine"
        | "inprenotazione" => Preorder,
        "bajopedido" | "sobencomenda" | "suordinazione" => Backorder,
        // Dutch, Swedish, Danish, Norwegian, Finnish
        "opvoorraad" | "leverbaar" | "ilager" | "ilagret" | "pålager" | "pålaget"
        | "varastossa" => InStock,
        "nietopvoorraad" | "uitverkocht" | "slutilager" | "slutsåld" | "ikkepålager"
        | "udsolgt" | "utsolgt" | "loppu" | "loppunut" => OutOfStock,
        // Ukrainian, Russian, Bulgarian
        "внаявності"
        | "єунаявності"
        | "євнаявності"
        | "так"
        | "вналичии"
        | "естьвналичии"
        | "да"
        | "налично"
        | "вналичност" => InStock,
        "немаєвнаявності"
        | "немавнаявності"
        | "відсутній"
        | "закінчився"
        | "ні"
        | "нетвналичии"
        | "нет"
        | "изчерпан"
        | "неналично" => OutOfStock,
        "передзамовлення" | "предзаказ" => Preorder,
        "підзамовлення" | "подзаказ" => Backorder,
        // Hungarian, Romanian, Turkish, Indonesian
        "raktáron" | "készleten" | "înstoc" | "disponibil" | "stokta" | "stoktavar"
        | "tersedia" => InStock,
        "nincsraktáron" | "elfogyott" | "stocepuizat" | "indisponibil" | "stoktayok"
        | "tükendi" | "habis" | "stokhabis" => OutOfStock,
        // Chinese, Japanese, Korean
        "有货" | "有貨" | "在庫あり" | "재고있음" => InStock,
        "缺货" | "缺貨" | "在庫なし" | "在庫切れ" | "품절" => OutOfStock,
        "预售" | "預售" | "予約" | "예약" => Preorder,
        _ => {
            return Err(UnknownWord {
                noun: "availability",
                known: &["in_stock", "out_of_stock", "preorder", "backorder"],
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_spellings_are_understood() {
        for (texts, want) in [
            (
                &[
                    "in stock",
                    "in_stock",
                    "InStock",
                    "https://schema.org/InStock",
                    "http://schema.org/LimitedAvailability",
                    "instock",
                    "1",
                    "yes",
                    "TRUE",
                    "มีสินค้า",
                    "còn hàng",
                    "Còn Hàng",
                    "co\u{300}n ha\u{300}ng",
                    "dostępny",
                    "skladem",
                    "Auf Lager",
                    "en stock",
                    "in magazzino",
                    "В наявності",
                ][..],
                Availability::InStock,
            ),
            (
                &[
                    "out of stock",
                    "OUT-OF-STOCK",
                    "SoldOut",
                    "https://schema.org/OutOfStock",
                    "0",
                    "no",
                    "สินค้าหมด",
                    "hết hàng",
                    "niedostępny",
                    "není skladem",
                    "nicht auf Lager",
                    "Rupture de stock",
                    "Agotado",
                    "Esaurito",
                    "немає в наявності",
                ],
                Availability::OutOfStock,
            ),
            (
                &[
                    "pre-order",
                    "PreOrder",
                    "preorder",
                    "vorbestellbar",
                    "đặt trước",
                ],
                Availability::Preorder,
            ),
            (
                &[
                    "backordered",
                    "BackOrder",
                    "on backorder",
                    "onbackorder",
                    "na zamówienie",
                ],
                Availability::Backorder,
            ),
        ] {
            for text in texts {
                assert_eq!(parse(text), Ok(want), "{text}");
            }
        }
    }

    #[test]
    fn canonical_words_read_back() {
        for word in ["in_stock", "out_of_stock", "preorder", "backorder"] {
            assert_eq!(parse(word).map(Availability::as_str), Ok(word));
        }
    }

    #[test]
    fn unknown_words_name_the_known_ones() {
        for text in ["", "maybe", "25", "available soon-ish"] {
            let problem = parse(text).expect_err(text);
            assert_eq!(
                problem.message(text),
                format!("`{text}` is no availability known here")
            );
            assert_eq!(
                problem.hint(),
                "write one of `in_stock`, `out_of_stock`, `preorder`, `backorder`"
            );
        }
    }
}
