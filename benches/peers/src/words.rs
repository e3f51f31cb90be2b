//! What the invented products are made of, in six languages.
//!
//! Sentences are pieces of HTML. An inline tag or a link always has white space outside it, so that cleaners which put a space
//! in a tag's place and those which do not agree.

/// A kind of thing that is sold.
pub struct Kind {
    /// Its name in the shop's language.
    pub noun: &'static str,
    /// For addresses: ASCII.
    pub slug: &'static str,
    /// The catalog's category, levels separated by ` > `.
    pub category: &'static str,
    /// Google's category number.
    pub google: u32,
    /// Clothes have a size letter, a gender and an age group.
    pub clothes: bool,
}

/// The vocabulary of one language.
pub struct Words {
    /// ISO 639-1.
    pub code: &'static str,
    /// The first three digits of its makers' GTINs.
    pub gtin_prefix: u64,
    /// Follow the noun in a title.
    pub adjectives: [&'static str; 5],
    /// Colours.
    pub colors: [&'static str; 5],
    /// Materials.
    pub materials: [&'static str; 4],
    /// First tags; the first one becomes a label.
    pub tags: [&'static str; 5],
    /// What is sold.
    pub kinds: [Kind; 6],
    /// First paragraphs.
    pub leads: [&'static str; 4],
    /// Elements of the list.
    pub features: [&'static str; 5],
    /// Sentences of the last paragraph.
    pub sentences: [&'static str; 6],
}

/// Brands, some with letters that XML must escape.
pub const BRANDS: [&str; 8] = [
    "Baan Design",
    "Lumen & Oak",
    "Karelia",
    "Nok Noi",
    "O'Hara Home",
    "Sông Xanh",
    "Žitná 9",
    "Grünwerk",
];

const fn kind(
    noun: &'static str,
    slug: &'static str,
    category: &'static str,
    google: u32,
    clothes: bool,
) -> Kind {
    Kind {
        noun,
        slug,
        category,
        google,
        clothes,
    }
}

/// The six languages.
pub static LANGUAGES: [Words; 6] = [
    Words {
        code: "th",
        gtin_prefix: 885,
        adjectives: ["แบบเรียบง่าย", "ทำมือ", "รุ่นประหยัด", "ขนาดใหญ่", "พับเก็บได้"],
        colors: ["สีขาว", "สีเทาเข้ม", "สีน้ำเงิน", "สีไม้โอ๊ค", "สีเขียวมะกอก"],
        materials: ["ผ้าฝ้าย", "ไม้สัก", "เซรามิก", "สเตนเลส"],
        tags: ["สินค้าใหม่", "ขายดี", "ของขวัญ", "ลดราคา", "ส่งฟรี"],
        kinds: [
            kind(
                "โคมไฟตั้งโต๊ะ",
                "table-lamp",
                "บ้าน > แสงสว่าง > โคมไฟ",
                4636,
                false,
            ),
            kind(
                "เก้าอี้ไม้",
                "wooden-chair",
                "บ้าน > เฟอร์นิเจอร์ > เก้าอี้",
                443,
                false,
            ),
            kind("เสื้อเชิ้ต", "shirt", "แฟชั่น > เสื้อ > เสื้อเชิ้ต", 212, true),
            kind("แก้วกาแฟ", "coffee-mug", "ครัว > เครื่องดื่ม > แก้ว", 2169, false),
            kind("ผ้าพันคอ", "scarf", "แฟชั่น > เครื่องแต่งกาย > ผ้าพันคอ", 177, true),
            kind("ตะกร้าหวาย", "basket", "บ้าน > จัดเก็บ > ตะกร้า", 6340, false),
        ],
        leads: [
            "ออกแบบในกรุงเทพฯ ผลิตโดยช่างฝีมือท้องถิ่น",
            "เหมาะกับบ้านหลังเล็ก &amp; คอนโด ใช้งานได้ทุกวัน",
            "คัดเฉพาะวัสดุคุณภาพดี ทนทาน ดูแลง่าย",
            "รุ่น &quot;สยาม&quot; ที่ลูกค้าถามหามากที่สุด",
        ],
        features: [
            "ขนาด 30&nbsp;ซม.",
            "น้ำหนักเบา &lt; 2&nbsp;กก.",
            "ล้างทำความสะอาดได้",
            "รับประกัน 1&ndash;2 ปี",
            "ประกอบง่ายใน 10 นาที",
        ],
        sentences: [
            "จัดส่งทั่วประเทศภายใน <b>3 วัน</b> ทำการ",
            "เปลี่ยนคืนได้ภายใน 14 วัน หากสินค้าไม่ตรงปก",
            "สีจริงอาจต่างจากภาพเล็กน้อย",
            "ใช้ได้ทั้งในบ้าน &amp; นอกบ้าน",
            "บรรจุในกล่องกระดาษรีไซเคิล",
            "อ่านวิธีดูแลได้ที่ <a href=\"https://baandesign.example/th/care?id=4&amp;v=2\">หน้านี้</a>",
        ],
    },
    Words {
        code: "vi",
        gtin_prefix: 893,
        adjectives: ["cỡ lớn", "thủ công", "gấp gọn", "tối giản", "phiên bản mới"],
        colors: ["trắng ngà", "xám đậm", "xanh dương", "nâu gỗ", "xanh rêu"],
        materials: ["vải bông", "gỗ sồi", "gốm sứ", "thép không gỉ"],
        tags: ["hàng mới", "bán chạy", "quà tặng", "giảm giá", "giao nhanh"],
        kinds: [
            kind(
                "Đèn bàn",
                "den-ban",
                "Nhà cửa > Chiếu sáng > Đèn bàn",
                4636,
                false,
            ),
            kind("Ghế gỗ", "ghe-go", "Nhà cửa > Nội thất > Ghế", 443, false),
            kind(
                "Áo sơ mi",
                "ao-so-mi",
                "Thời trang > Áo > Áo sơ mi",
                212,
                true,
            ),
            kind(
                "Cốc cà phê",
                "coc-ca-phe",
                "Nhà bếp > Đồ uống > Cốc",
                2169,
                false,
            ),
            kind(
                "Khăn quàng",
                "khan-quang",
                "Thời trang > Phụ kiện > Khăn",
                177,
                true,
            ),
            kind("Giỏ mây", "gio-may", "Nhà cửa > Lưu trữ > Giỏ", 6340, false),
        ],
        leads: [
            "Thiết kế tại Hà Nội, do thợ lành nghề làm từng chiếc một.",
            "Hợp với nhà nhỏ &amp; căn hộ, dùng hằng ngày đều tiện.",
            "Chất liệu chọn lọc, bền màu, dễ lau chùi sau mỗi lần dùng.",
            "Mẫu &quot;Sông Hồng&quot; được khách hỏi mua nhiều nhất năm nay.",
        ],
        features: [
            "Kích thước 30&nbsp;cm, chân đế chắc chắn",
            "Nhẹ, &lt; 2&nbsp;kg cả hộp",
            "Rửa được bằng máy ở 30 độ",
            "Bảo hành 12&ndash;24 tháng",
            "Lắp xong trong mười phút",
        ],
        sentences: [
            "Giao toàn quốc trong <b>3 ngày</b> làm việc, kiểm hàng trước khi nhận.",
            "Đổi trả trong 14 ngày nếu sản phẩm không đúng mô tả.",
            "Màu thực tế có thể hơi khác ảnh chụp do ánh sáng.",
            "Dùng được cả trong nhà &amp; ngoài trời, trừ khi mưa to.",
            "Đóng trong hộp giấy tái chế, không dùng xốp.",
            "Xem cách giữ gìn tại <a href=\"https://baandesign.example/vi/care?id=4&amp;v=2\">trang này</a>",
        ],
    },
    Words {
        code: "pl",
        gtin_prefix: 590,
        adjectives: [
            "ręcznie robiony",
            "duży",
            "składany",
            "w stylu retro",
            "z nowej serii",
        ],
        colors: [
            "kość słoniowa",
            "ciemnoszary",
            "niebieski",
            "dąb",
            "oliwkowy",
        ],
        materials: ["bawełna", "drewno dębowe", "ceramika", "stal nierdzewna"],
        tags: [
            "nowość",
            "bestseller",
            "prezent",
            "wyprzedaż",
            "szybka wysyłka",
        ],
        kinds: [
            kind(
                "Lampa stołowa",
                "lampa-stolowa",
                "Dom > Oświetlenie > Lampy",
                4636,
                false,
            ),
            kind(
                "Krzesło drewniane",
                "krzeslo",
                "Dom > Meble > Krzesła",
                443,
                false,
            ),
            kind("Koszula", "koszula", "Moda > Odzież > Koszule", 212, true),
            kind(
                "Kubek do kawy",
                "kubek",
                "Kuchnia > Napoje > Kubki",
                2169,
                false,
            ),
            kind("Szalik", "szalik", "Moda > Dodatki > Szaliki", 177, true),
            kind(
                "Kosz wiklinowy",
                "kosz",
                "Dom > Przechowywanie > Kosze",
                6340,
                false,
            ),
        ],
        leads: [
            "Zaprojektowane w Łodzi, wykonane ręcznie w małej pracowni.",
            "Pasuje do małych mieszkań &amp; domów letniskowych, na co dzień i od święta.",
            "Starannie dobrane materiały, które łatwo utrzymać w czystości.",
            "Model &quot;Żuraw&quot;, o który klienci pytają najczęściej.",
        ],
        features: [
            "Wysokość 30&nbsp;cm, stabilna podstawa",
            "Lekki, &lt; 2&nbsp;kg z opakowaniem",
            "Można myć w zmywarce",
            "Gwarancja 12&ndash;24 miesiące",
            "Montaż w dziesięć minut",
        ],
        sentences: [
            "Wysyłamy w ciągu <b>3 dni</b> roboczych, także do paczkomatu.",
            "Zwrot w ciągu 14 dni bez podania przyczyny, na nasz koszt.",
            "Kolor na zdjęciu może się nieco różnić od rzeczywistego.",
            "Nadaje się do wnętrz &amp; na taras, byle nie na mróz.",
            "Pakujemy w karton z odzysku, bez folii.",
            "O pielęgnacji piszemy na <a href=\"https://baandesign.example/pl/care?id=4&amp;v=2\">tej stronie</a>",
        ],
    },
    Words {
        code: "cs",
        gtin_prefix: 859,
        adjectives: [
            "ručně vyráběný",
            "velký",
            "skládací",
            "v retro stylu",
            "z nové řady",
        ],
        colors: ["slonová kost", "tmavě šedá", "modrá", "dub", "olivová"],
        materials: ["bavlna", "dubové dřevo", "keramika", "nerezová ocel"],
        tags: [
            "novinka",
            "nejprodávanější",
            "dárek",
            "výprodej",
            "rychlé dodání",
        ],
        kinds: [
            kind(
                "Stolní lampa",
                "stolni-lampa",
                "Dům > Osvětlení > Lampy",
                4636,
                false,
            ),
            kind(
                "Dřevěná židle",
                "zidle",
                "Dům > Nábytek > Židle",
                443,
                false,
            ),
            kind("Košile", "kosile", "Móda > Oblečení > Košile", 212, true),
            kind(
                "Hrnek na kávu",
                "hrnek",
                "Kuchyně > Nápoje > Hrnky",
                2169,
                false,
            ),
            kind("Šála", "sala", "Móda > Doplňky > Šály", 177, true),
            kind(
                "Proutěný koš",
                "kos",
                "Dům > Úložné prostory > Koše",
                6340,
                false,
            ),
        ],
        leads: [
            "Navrženo v Brně, vyrobeno ručně v malé dílně nedaleko řeky.",
            "Hodí se do malých bytů &amp; chalup, na každý den i na svátky.",
            "Pečlivě vybrané materiály, které se snadno udržují.",
            "Řada &quot;Vltava&quot;, na kterou se zákazníci ptají nejčastěji.",
        ],
        features: [
            "Výška 30&nbsp;cm, pevný podstavec",
            "Lehký, &lt; 2&nbsp;kg i s obalem",
            "Lze mýt v myčce",
            "Záruka 12&ndash;24 měsíců",
            "Složíte jej za deset minut",
        ],
        sentences: [
            "Odesíláme do <b>3 dnů</b> od objednávky, i na výdejní místa.",
            "Vrátit můžete do 14 dnů bez udání důvodu, na naše náklady.",
            "Barva na fotografii se může od skutečné trochu lišit.",
            "Vhodné do interiéru &amp; na terasu, mráz mu však neprospívá.",
            "Balíme do recyklované lepenky, bez fólie.",
            "O péči píšeme na <a href=\"https://baandesign.example/cs/care?id=4&amp;v=2\">této stránce</a>",
        ],
    },
    Words {
        code: "en",
        gtin_prefix: 500,
        adjectives: [
            "handmade",
            "large",
            "folding",
            "retro style",
            "12\" edition",
        ],
        colors: [
            "ivory",
            "charcoal",
            "navy blue",
            "natural oak",
            "olive green",
        ],
        materials: ["cotton", "oak wood", "ceramic", "stainless steel"],
        tags: [
            "new arrival",
            "bestseller",
            "gift",
            "clearance",
            "free delivery",
        ],
        kinds: [
            kind(
                "Table Lamp",
                "table-lamp",
                "Home > Lighting > Table Lamps",
                4636,
                false,
            ),
            kind(
                "Wooden Chair",
                "wooden-chair",
                "Home > Furniture > Chairs",
                443,
                false,
            ),
            kind(
                "Women's Shirt",
                "womens-shirt",
                "Fashion > Tops > Shirts",
                212,
                true,
            ),
            kind(
                "Coffee Mug",
                "coffee-mug",
                "Kitchen > Drinkware > Mugs",
                2169,
                false,
            ),
            kind(
                "Wool Scarf",
                "wool-scarf",
                "Fashion > Accessories > Scarves",
                177,
                true,
            ),
            kind(
                "Rattan Basket",
                "rattan-basket",
                "Home > Storage > Baskets",
                6340,
                false,
            ),
        ],
        leads: [
            "Designed by the river and made by hand, one at a time, in a small workshop.",
            "Made for small flats &amp; weekend houses, for every day and for guests.",
            "It&#39;s made of hand-picked materials that wear well and clean easily.",
            "The &quot;Riverside&quot; series, the one our customers ask for most.",
        ],
        features: [
            "Height 30&nbsp;cm, steady on its base",
            "Light: &lt; 2&nbsp;kg with its box",
            "Safe in the dishwasher",
            "Guarantee of 12&ndash;24 months",
            "Put together in ten minutes",
        ],
        sentences: [
            "Sent within <b>3 working days</b> to any address or pick-up point.",
            "Send it back within 14 days, no questions asked, at our cost.",
            "The colour you see on a screen may differ a little from the real one.",
            "Good indoors &amp; on a covered terrace, though it doesn&#39;t like frost.",
            "Packed in recycled cardboard, without any plastic.",
            "How to care for it is on <a href=\"https://baandesign.example/en/care?id=4&amp;v=2\">this page</a>",
        ],
    },
    Words {
        code: "de",
        gtin_prefix: 400,
        adjectives: [
            "handgefertigt",
            "groß",
            "klappbar",
            "im Retro-Stil",
            "aus neuer Serie",
        ],
        colors: [
            "elfenbeinweiß",
            "dunkelgrau",
            "marineblau",
            "Eiche natur",
            "olivgrün",
        ],
        materials: ["Baumwolle", "Eichenholz", "Keramik", "Edelstahl"],
        tags: [
            "Neuheit",
            "Bestseller",
            "Geschenk",
            "Ausverkauf",
            "schneller Versand",
        ],
        kinds: [
            kind(
                "Tischleuchte",
                "tischleuchte",
                "Wohnen > Beleuchtung > Tischleuchten",
                4636,
                false,
            ),
            kind(
                "Holzstuhl",
                "holzstuhl",
                "Wohnen > Möbel > Stühle",
                443,
                false,
            ),
            kind("Hemd", "hemd", "Mode > Oberteile > Hemden", 212, true),
            kind(
                "Kaffeebecher",
                "kaffeebecher",
                "Küche > Geschirr > Becher",
                2169,
                false,
            ),
            kind(
                "Wollschal",
                "wollschal",
                "Mode > Zubehör > Schals",
                177,
                true,
            ),
            kind(
                "Rattankorb",
                "rattankorb",
                "Wohnen > Aufbewahrung > Körbe",
                6340,
                false,
            ),
        ],
        leads: [
            "In Freiburg entworfen und in einer kleinen Werkstatt von Hand gefertigt.",
            "Für kleine Wohnungen &amp; Ferienhäuser, für jeden Tag und für Gäste.",
            "Sorgfältig gewählte Stoffe, die lange halten und leicht zu pflegen sind.",
            "Die Reihe &quot;Dreisam&quot;, nach der am häufigsten gefragt wird.",
        ],
        features: [
            "Höhe 30&nbsp;cm, sicherer Stand",
            "Leicht: &lt; 2&nbsp;kg samt Karton",
            "Für die Spülmaschine geeignet",
            "Garantie 12&ndash;24 Monate",
            "In zehn Minuten aufgebaut",
        ],
        sentences: [
            "Versand binnen <b>3 Werktagen</b> an jede Anschrift oder Packstation.",
            "Rückgabe innerhalb von 14 Tagen ohne Angabe von Gründen.",
            "Die Farbe auf dem Bild kann von der wirklichen leicht abweichen.",
            "Für drinnen &amp; die überdachte Terrasse, nur Frost mag es nicht.",
            "Verpackt in Karton aus Altpapier, ganz ohne Folie.",
            "Wie man es pflegt, steht auf <a href=\"https://baandesign.example/de/care?id=4&amp;v=2\">dieser Seite</a>",
        ],
    },
];
