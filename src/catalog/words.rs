//! What columns are called: header words of exports and price lists in ten languages, for our columns.
//!
//! Used to propose a mapping, and to find colour and size among a product's options. Words are in lower case; signs and
//! underscores in a header count as spaces.

/// Our column and what others call it, the most certain words first.
#[rustfmt::skip]
pub const WORDS: &[(&str, &[&str])] = &[
    ("sku", &["sku", "variant sku", "item id", "item number", "article number", "product code", "artikelnummer", "artikel nr", "art nr", "kod produktu", "symbol", "kód", "kód produktu", "référence", "reference", "referencia", "código", "артикул", "код товару", "код товара", "код", "mã sản phẩm", "mã sp", "mã hàng", "รหัสสินค้า", "pid", "product id", "item code", "id", "uniq id", "asin", "book id", "číslo"]),
    ("title", &["title", "product name", "product title", "name", "item name", "nazwa", "nazwa produktu", "název", "název produktu", "název zboží", "bezeichnung", "artikelbezeichnung", "produktname", "titel", "titre", "nom", "nom du produit", "désignation", "título", "nombre", "nombre del producto", "назва", "назва позиції", "название", "наименование", "tên", "tên sản phẩm", "tên hàng", "ชื่อสินค้า", "ชื่อ", "product", "produkt", "produit", "producto", "สินค้า", "productname"]),
    ("description", &["description", "body html", "long description", "product description", "opis", "opis produktu", "popis", "beschreibung", "produktbeschreibung", "langtext", "description longue", "descripción", "опис", "описание", "mô tả", "mô tả sản phẩm", "รายละเอียด", "รายละเอียดสินค้า", "คำอธิบาย", "short description", "details", "summary", "krátký popis", "kurzbeschreibung", "ingredients text"]),
    ("brand", &["brand", "brand name", "marka", "značka", "marke", "marque", "marca", "бренд", "торгова марка", "торговая марка", "thương hiệu", "nhãn hiệu", "ยี่ห้อ", "แบรนด์", "vendor", "label", "brands"]),
    ("manufacturer", &["manufacturer", "producent", "výrobce", "hersteller", "fabricant", "fabricante", "виробник", "производитель", "nhà sản xuất", "ผู้ผลิต", "maker"]),
    ("gtin", &["gtin", "ean", "ean13", "ean 13", "upc", "barcode", "isbn13", "isbn", "kod kreskowy", "kod ean", "čárový kód", "strichcode", "code barres", "código de barras", "штрихкод", "штрих код", "mã vạch", "บาร์โค้ด", "gtin upc ean or isbn", "code"]),
    ("mpn", &["mpn", "manufacturer part number", "part number", "kod producenta", "herstellernummer", "référence fabricant", "model number"]),
    ("category", &["category", "categories", "product category", "product type", "category path", "product category tree", "kategoria", "kategorie", "catégorie", "catégories", "categoría", "categoria", "категорія", "категория", "danh mục", "ngành hàng", "หมวดหมู่", "ประเภท", "sub category", "main category", "group", "warengruppe", "rubrik", "tree"]),
    ("price", &["price", "regular price", "retail price", "list price", "actual price", "mrp", "cena", "cena brutto", "cena s dph", "preis", "verkaufspreis", "vk", "bruttopreis", "prix", "prix ttc", "precio", "ціна", "цена", "giá", "giá bán", "giá gốc", "ราคา", "ราคาปกติ", "unit price", "amount", "price amount", "msrp"]),
    ("sale_price", &["sale price", "special price", "discount price", "discounted price", "promo price", "offer price", "cena promocyjna", "akční cena", "aktionspreis", "sonderpreis", "prix promo", "prix soldé", "precio oferta", "precio rebajado", "акційна ціна", "цена со скидкой", "giá khuyến mãi", "giá sale", "ราคาลด", "ราคาพิเศษ", "selling price"]),
    ("cost", &["cost", "cost per item", "purchase price", "cena zakupu", "nákupní cena", "einkaufspreis", "ek", "prix d achat", "precio de compra", "закупівельна ціна", "закупочная цена", "giá vốn", "giá nhập", "ต้นทุน"]),
    ("currency", &["currency", "currency code", "waluta", "měna", "währung", "devise", "moneda", "divisa", "валюта", "tiền tệ", "สกุลเงิน"]),
    ("tax_rate", &["tax rate", "vat", "vat rate", "stawka vat", "sazba dph", "dph", "mwst", "steuersatz", "tva", "iva", "пдв", "ндс", "thuế", "ภาษี"]),
    ("available", &["quantity", "qty", "stock", "stock quantity", "inventory", "inventory quantity", "in stock quantity", "stan", "stan magazynowy", "ilość", "množství", "skladem ks", "sklad", "bestand", "lagerbestand", "menge", "quantité", "cantidad", "existencias", "кількість", "залишок", "количество", "остаток", "tồn kho", "số lượng", "จำนวน", "สต็อก", "คงเหลือ"]),
    ("availability", &["availability", "in stock", "stock status", "dostępność", "dostupnost", "verfügbarkeit", "disponibilité", "disponibilidad", "наявність", "наличие", "tình trạng", "สถานะสินค้า", "sellable online", "available", "is in stock"]),
    ("condition", &["condition", "stan produktu", "stav", "zustand", "état", "estado", "стан", "состояние", "tình trạng máy", "สภาพ"]),
    ("url", &["url", "link", "product url", "product link", "address", "adres", "odkaz", "adresse", "lien", "enlace", "посилання", "ссылка", "đường dẫn", "liên kết", "ลิงก์", "ลิงค์", "permalink", "url key", "product page"]),
    ("image", &["image", "image link", "image url", "image src", "picture", "photo", "zdjęcie", "obrázek", "bild", "bild url", "image principale", "imagen", "зображення", "фото", "изображение", "ảnh", "hình ảnh", "รูปภาพ", "รูป", "main image", "img", "thumbnail", "picture url"]),
    ("images", &["images", "image urls", "additional image link", "additional images", "gallery", "zdjęcia", "obrázky", "bilder", "photos", "imágenes", "галерея", "изображения", "bộ sưu tập", "รูปภาพเพิ่มเติม"]),
    ("color", &["color", "colour", "kolor", "barva", "farbe", "couleur", "колір", "цвет", "màu", "màu sắc", "สี"]),
    ("size", &["size", "rozmiar", "velikost", "größe", "taille", "talla", "tamaño", "розмір", "размер", "kích cỡ", "kích thước", "cỡ", "ขนาด", "ไซส์"]),
    ("material", &["material", "materiał", "materiál", "matériau", "matière", "матеріал", "материал", "chất liệu", "วัสดุ"]),
    ("pattern", &["pattern", "wzór", "vzor", "muster", "motif", "estampado", "візерунок", "узор", "họa tiết", "ลวดลาย"]),
    ("gender", &["gender", "płeć", "pohlaví", "geschlecht", "sexe", "género", "стать", "пол", "giới tính", "เพศ"]),
    ("age_group", &["age group", "grupa wiekowa", "věková skupina", "altersgruppe", "tranche d âge", "вікова група", "возраст", "nhóm tuổi", "ช่วงอายุ"]),
    ("weight", &["weight", "waga", "hmotnost", "gewicht", "poids", "peso", "вага", "вес", "khối lượng", "trọng lượng", "น้ำหนัก", "shipping weight"]),
    ("length", &["length", "depth", "długość", "délka", "hloubka", "länge", "tiefe", "longueur", "largo", "profundidad", "довжина", "длина", "chiều dài", "ความยาว"]),
    ("width", &["width", "szerokość", "šířka", "breite", "largeur", "ancho", "ширина", "chiều rộng", "ความกว้าง"]),
    ("height", &["height", "wysokość", "výška", "höhe", "hauteur", "alto", "altura", "висота", "высота", "chiều cao", "ความสูง"]),
    ("product_id", &["item group id", "group id", "parent sku", "parent id", "handle", "master id"]),
    ("google_product_category", &["google product category", "google category"]),
    ("tags", &["tags", "keywords", "tagi", "štítky", "schlagworte", "mots clés", "etiquetas", "теги", "thẻ", "แท็ก"]),
    ("status", &["status", "state"]),
    ("updated_at", &["updated at", "last modified", "modified"]),
];

/// What a column of ours is called elsewhere; none for a name that is not ours.
pub fn of(column: &str) -> &'static [&'static str] {
    WORDS
        .iter()
        .find(|(ours, _)| *ours == column)
        .map_or(&[], |(_, words)| words)
}

/// A header as words: lower case, `productName` and `product_name` as `product name`.
pub fn normalised(header: &str) -> String {
    let mut out = String::with_capacity(header.len());
    let mut before = ' ';
    for letter in header.chars() {
        if letter.is_alphanumeric() || is_mark(letter) {
            if letter.is_uppercase() && before.is_lowercase() {
                out.push(' ');
            }
            out.extend(letter.to_lowercase());
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
        before = letter;
    }
    out.trim().to_owned()
}

/// Thai vowels and tone marks belong to their letter.
fn is_mark(letter: char) -> bool {
    ('\u{e31}'..='\u{e4e}').contains(&letter) || ('\u{300}'..='\u{36f}').contains(&letter)
}

/// How surely a header names a column of ours, 0 to 100.
pub fn likeness(header: &str, column: &str) -> u8 {
    let header = normalised(header);
    if header.is_empty() {
        return 0;
    }
    if header == column.replace('_', " ") {
        return 98;
    }
    let mut best = 0;
    for (place, word) in of(column).iter().enumerate() {
        let place = u8::try_from(place / 4).unwrap_or(10).min(10);
        let score = if header == *word {
            95 - place / 2
        } else if ends_with_word(&header, word) {
            // `variant price`, `offer price`: the last words say what it is.
            68 - place
        } else if starts_with_word(&header, word) {
            55 - place
        } else {
            0
        };
        best = best.max(score);
    }
    best
}

fn ends_with_word(header: &str, word: &str) -> bool {
    word.chars().count() > 2
        && header
            .strip_suffix(word)
            .is_some_and(|before| before.ends_with(' '))
}

fn starts_with_word(header: &str, word: &str) -> bool {
    word.chars().count() > 2
        && header
            .strip_prefix(word)
            .is_some_and(|after| after.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(header: &str) -> &'static str {
        WORDS
            .iter()
            .map(|(ours, _)| (likeness(header, ours), *ours))
            .max_by_key(|(score, _)| *score)
            .filter(|(score, _)| *score > 0)
            .map_or("", |(_, ours)| ours)
    }

    #[test]
    fn headers_in_ten_languages_are_known() {
        for (header, ours) in [
            ("ราคา", "price"),
            ("ชื่อสินค้า", "title"),
            ("Tên sản phẩm", "title"),
            ("Giá bán", "price"),
            ("Cena brutto", "price"),
            ("Stan magazynowy", "available"),
            ("Název zboží", "title"),
            ("Čárový kód", "gtin"),
            ("Artikelnummer", "sku"),
            ("Hersteller", "manufacturer"),
            ("Prix TTC", "price"),
            ("Descripción", "description"),
            ("Наявність", "availability"),
            ("Цена со скидкой", "sale_price"),
            ("product_url", "url"),
            ("imageLink", "image"),
            ("discounted_price", "sale_price"),
            ("ratings", ""),
        ] {
            assert_eq!(best(header), ours, "{header}");
        }
    }
}
