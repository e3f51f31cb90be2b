//! The same input and moment give the same bytes, at any number of threads.

use crate::harness::FeedTest;

#[track_caller]
fn at_any_number_of_threads(test: &FeedTest, expected: i32) -> Vec<(String, Vec<u8>)> {
    test.run(["build", "--threads", "1"]).exits(expected);
    let first = test.out();
    assert!(!first.is_empty());
    for threads in ["1", "2", "8"] {
        std::fs::remove_dir_all(test.path("out")).expect("removes");
        test.run(["build", "--threads", threads]).exits(expected);
        let again = test.out();
        assert_eq!(names(&again), names(&first), "at {threads} threads");
        for ((name, bytes), (_, expected)) in again.iter().zip(&first) {
            assert!(bytes == expected, "{name} differs at {threads} threads");
        }
    }
    first
}

fn names(files: &[(String, Vec<u8>)]) -> Vec<&str> {
    files.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn the_sample_shop_gives_the_same_bytes() {
    let test = FeedTest::sample("shop");
    let files = at_any_number_of_threads(&test, 0);
    assert!(files.len() >= 16, "{:?}", names(&files));
}

/// A catalog of many batches, from a seed: texts of several languages, variants, sales, gaps and some rows that are wrong.
fn large(rows: u32) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let words = [
        "Lampa",
        "kubek",
        "żółty",
        "ชาม",
        "ตราไก่",
        "bát",
        "gốm",
        "blue",
        "café",
        "<b>",
        "&",
        "\"\"quoted\"\"",
        "🏺",
        "line\nbreak",
    ];
    let mut text = String::from(
        "sku,product_id,title,description,brand,category,price,sale_price,url,images,color,size,on_hand,availability,tags\n",
    );
    for row in 0..rows {
        let mut phrase = |length: u64| {
            (0..length)
                .map(|_| words[usize::try_from(draw(words.len() as u64)).expect("small")])
                .collect::<Vec<_>>()
                .join(" ")
        };
        let (title, description) = (phrase(6), phrase(60));
        let product = row / 3;
        let price = if row % 97 == 0 {
            "call us".to_owned()
        } else {
            format!("{}.{:02}", 1 + draw(900), draw(100))
        };
        let sale = if row % 5 == 0 { "0.99" } else { "" };
        let id = if row % 211 == 210 { row - 200 } else { row };
        text.push_str(&format!(
            "S-{id},P-{product},\"T {title}\",\"{description}\",Lumo,Home > Bowls,{price},{sale},https://shop.example/p/{product}?v={row},https://shop.example/{product}.jpg|https://shop.example/{product}-2.jpg,red,{},{},,a|b\n",
            row % 3,
            draw(20)
        ));
    }
    text
}

#[test]
fn a_catalog_of_many_batches_gives_the_same_bytes() {
    let test = FeedTest::empty();
    let mut toml = String::from(
        "[shop]\nname = \"Shop\"\nurl = \"https://shop.example\"\ncurrency = \"EUR\"\nlanguage = \"en\"\ncountry = \"IE\"\n\n[[source]]\nname = \"products\"\npath = \"catalog.csv\"\n",
    );
    for channel in [
        "google-products",
        "meta-catalog",
        "schema-org",
        "sitemap-products",
        "shopify-products",
        "shelf-labels-print",
    ] {
        toml.push_str(&format!(
            "\n[[feed]]\nname = \"{channel}\"\nchannel = \"{channel}\"\nmax_withheld = \"100%\"\n"
        ));
    }
    test.file("shelfcast.toml", toml)
        .file("catalog.csv", large(5000));
    let files = at_any_number_of_threads(&test, 0);
    assert!(
        files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > 10_000_000,
        "large enough for many batches"
    );
}
