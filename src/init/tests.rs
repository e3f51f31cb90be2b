//! `init --from` on small exports of every awkward kind.

use std::path::Path;

use super::*;
use crate::pipeline::build::{self, Options};
use crate::pipeline::observer::Silent;

fn now() -> jiff::Timestamp {
    "2026-11-22T10:00:00Z".parse().expect("a time")
}

fn made(name: &str, text: &[u8]) -> (tempfile::TempDir, Result<Made, Failure>) {
    let folder = tempfile::tempdir().expect("a folder");
    crate::write::atomic::write(&folder.path().join(name), text).expect("written");
    let made = from(
        &folder.path().join("shop"),
        &folder.path().join(name),
        None,
        now(),
    );
    (folder, made)
}

fn proposal(name: &str, text: &str) -> Proposal {
    let (_folder, made) = made(name, text.as_bytes());
    made.expect("a project").proposal.expect("a proposal")
}

fn mapping<'p>(proposal: &'p Proposal, ours: &str) -> &'p str {
    mapping_of(&proposal.guesses, ours)
}

#[test]
fn polish_headers_and_decimal_commas_are_read() {
    let text = "Symbol;Nazwa produktu;Cena brutto;Kod kreskowy;Stan magazynowy;Zdjęcie;Adres\n\
        A-1;Kubek żółty;1.234,50 zł;5901234123457;3;https://sklep.example/a.jpg;https://sklep.example/a\n\
        A-2;Łyżka;12,00 zł;;0;https://sklep.example/b.jpg;https://sklep.example/b\n\
        A-3;Półka;1.200 zł;;12;https://sklep.example/c.jpg;https://sklep.example/c\n\
        A-4;Źródło światła;99,90 zł;;7;https://sklep.example/d.jpg;https://sklep.example/d\n";
    let proposal = proposal("oferta.csv", text);
    for (ours, theirs) in [
        ("sku", "Symbol"),
        ("title", "Nazwa produktu"),
        ("price", "Cena brutto"),
        ("gtin", "Kod kreskowy"),
        ("available", "Stan magazynowy"),
        ("image", "Zdjęcie"),
        ("url", "Adres"),
    ] {
        assert_eq!(mapping(&proposal, ours), theirs, "{ours}");
    }
    assert_eq!(proposal.currency.value, "PLN");
    assert_eq!(proposal.language.value, "pl");
    assert_eq!(
        proposal.locale.as_ref().map(|locale| locale.value.as_str()),
        Some("pl")
    );
}

#[test]
fn a_number_that_may_be_two_is_asked_and_not_guessed() {
    let text = "sku,name,price,link,image\nA,Cup,\"1,234\",https://s.example/a,https://s.example/a.jpg\nB,Jug,\"2,345\",https://s.example/b,https://s.example/b.jpg\n";
    let proposal = proposal("list.csv", text);
    assert!(proposal.locale.is_none());
    let ask = proposal
        .asks
        .iter()
        .find(|ask| ask.what.contains("decimal comma or point"))
        .expect("asked");
    assert!(
        ask.what.contains("1,234") && ask.write.contains("locale ="),
        "{ask:?}"
    );
}

#[test]
fn a_file_without_a_header_gets_names_by_what_it_holds() {
    let text = "5901234123457,Blue cup from the coast,Home > Cups,12.50,https://s.example/1,https://s.example/1.jpg\n\
        4006381333931,Red jug with a lid,Home > Jugs,8.00,https://s.example/2,https://s.example/2.jpg\n\
        9780306406157,A book about cups,Books > Crafts,20.00,https://s.example/3,https://s.example/3.jpg\n";
    let proposal = proposal("plain.csv", text);
    let names = proposal.names.as_ref().expect("names");
    assert_eq!(names.join(" "), "gtin title category price url image");
    assert_eq!(mapping(&proposal, "sku"), "gtin");
}

#[test]
fn lists_in_brackets_and_missing_numbers_are_mapped_with_helpers() {
    let text = "product_name,retail_price,product_url,image,tree\n\
        Cup,9.90,https://s.example/cup?pid=1,\"[\"\"https://s.example/1.jpg\"\", \"\"https://s.example/2.jpg\"\"]\",\"[\"\"Home >> Cups\"\"]\"\n\
        Jug,5.00,https://s.example/jug?pid=2,\"[\"\"https://s.example/3.jpg\"\"]\",\"[\"\"Home >> Jugs\"\"]\"\n";
    let (folder, made) = made("scrape.csv", text.as_bytes());
    let made = made.expect("a project");
    assert_eq!(
        mapping(made.proposal.as_ref().expect("a proposal"), "sku"),
        "{{hash (first (split [product_url] '?')) 12}}"
    );
    let project = crate::config::Project::load(&folder.path().join("shop")).expect("a project");
    let out = folder.path().join("shop/out");
    let options = Options {
        feeds: vec!["google".to_owned()],
        now: now(),
        threads: 1,
        folder: Some(out.clone()),
        digests: false,
        fill: false,
        log: false,
    };
    build::build(&project, &options, &mut Silent).expect("builds");
    let feed = std::fs::read_to_string(out.join("google.xml")).expect("a feed");
    for part in [
        "<g:image_link>https://s.example/1.jpg</g:image_link>",
        "<g:additional_image_link>https://s.example/2.jpg</g:additional_image_link>",
        "<g:product_type>Home &gt; Cups</g:product_type>",
    ] {
        assert!(feed.contains(part), "{part} in {feed}");
    }
}

#[test]
fn barcodes_that_a_spreadsheet_ruined_are_named_and_not_mapped() {
    let text = "id,title,price,isbn13\n1,Book one,9.99,9.78043902348e+12\n2,Book two,8.99,9.78043955493e+12\n";
    let proposal = proposal("books.csv", text);
    assert_eq!(mapping(&proposal, "gtin"), "");
    assert!(
        proposal
            .notes
            .iter()
            .any(|note| note.contains("`isbn13`") && note.contains("spreadsheet")),
        "{:?}",
        proposal.notes
    );
}

#[test]
fn what_holds_no_products_is_refused_and_leaves_no_project() {
    for (name, text, says) in [
        ("template.csv", "sku;title;price\n", "no rows below it"),
        (
            "colours.csv",
            "from,to\nrot,red\nblau,blue\n",
            "no product rows",
        ),
    ] {
        let (folder, made) = made(name, text.as_bytes());
        let failure = made.expect_err("refused");
        assert_eq!(failure.exit(), 7);
        assert!(failure.to_string().contains(says), "{failure}");
        assert!(!folder.path().join("shop/shelfcast.toml").exists());
    }
}

#[test]
fn a_new_project_with_a_sample_builds_and_is_never_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    new(folder.path(), true).expect("made");
    let project = crate::config::Project::load(folder.path()).expect("a project");
    let options = Options {
        feeds: Vec::new(),
        now: now(),
        threads: 1,
        folder: None,
        digests: false,
        fill: false,
        log: false,
    };
    let report = build::build(&project, &options, &mut Silent).expect("builds");
    assert!(
        report.feeds.iter().all(|feed| feed.written >= 5),
        "{:?}",
        report.feeds
    );
    assert_eq!(
        new(folder.path(), true).expect_err("there is one").exit(),
        2
    );
}

#[test]
fn every_preset_parses_and_is_told_from_the_others() {
    let presets = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/presets");
    for name in ["prestashop", "opencart", "vendure", "square"] {
        let look = look::look(&presets.join(format!("{name}.csv")), None).expect("opens");
        assert_eq!(look.preset.map(|preset| preset.name.as_str()), Some(name));
    }
    assert!(crate::catalog::preset::all().len() >= 12);
}

#[test]
fn an_export_is_named_relative_to_the_project() {
    assert_eq!(
        relative(Path::new("/a/b/shop"), Path::new("/a/data/x.csv")),
        "../../data/x.csv"
    );
    assert_eq!(
        relative(Path::new("/a/shop"), Path::new("/a/shop/catalog/x.csv")),
        "catalog/x.csv"
    );
    assert_eq!(
        relative(Path::new("/a/shop"), Path::new("/b/x.csv")),
        "/b/x.csv"
    );
}

#[test]
fn the_encoding_is_told_by_the_column_names() {
    let text = "Symbol;Nazwa;Cena;Zdjęcie;Link\nA-1;Kubek żółty;12,50 zł;https://s.example/a.jpg;https://s.example/a\n";
    let (bytes, _, _) = encoding_rs::WINDOWS_1250.encode(text);
    let (_folder, made) = made("oferta.csv", &bytes);
    let proposal = made.expect("a project").proposal.expect("a proposal");
    assert_eq!(
        proposal.encoding.map(|encoding| encoding.value).as_deref(),
        Some("windows-1250")
    );
    assert_eq!(mapping_of(&proposal.guesses, "image"), "Zdjęcie");
}

fn mapping_of<'g>(guesses: &'g [propose::Guess], ours: &str) -> &'g str {
    guesses
        .iter()
        .find(|guess| guess.ours == ours)
        .map_or("", |guess| guess.mapping.as_str())
}
