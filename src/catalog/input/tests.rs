//! Opening what is there, and refusing what is not whole, with the words the user gets.
#![expect(
    clippy::disallowed_methods,
    reason = "tests write what they like, and are told where real data lies"
)]

use std::io::Write;
use std::path::PathBuf;

use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

fn opened(
    name: &str,
    bytes: &[u8],
    options: &InputOptions<'_>,
) -> Result<(String, Vec<String>), SourceError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    let mut input = open(&path, name, options)?;
    assert_eq!(input.size_bytes, Some(bytes.len() as u64));
    let mut text = Vec::new();
    input
        .reader
        .read_to_end(&mut text)
        .map_err(|error| read_error(name, error))?;
    Ok((String::from_utf8_lossy(&text).into_owned(), input.remarks))
}

fn plain(name: &str, bytes: &[u8]) -> Result<(String, Vec<String>), SourceError> {
    opened(name, bytes, &InputOptions::default())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).expect("packed");
    packer.finish().expect("packed")
}

fn sample() -> Vec<u8> {
    let mut text = String::from("sku,title\n");
    for n in 0..3000 {
        text.push_str(&format!("s{n},łódź number {}\n", n * 7919 % 1009));
    }
    text.into_bytes()
}

#[test]
fn plain_text_comes_as_it_is_and_byte_order_marks_go() {
    assert_eq!(plain("a.csv", b"a,b\n"), Ok(("a,b\n".to_owned(), vec![])));
    assert_eq!(
        plain("a.csv", b"\xef\xbb\xbfa,\xc5\xbc\n"),
        Ok(("a,ż\n".to_owned(), vec![]))
    );
    assert_eq!(plain("a.csv", b""), Ok((String::new(), vec![])));
}

#[test]
fn utf16_is_told_by_its_mark_or_by_its_nul_bytes() {
    let text = "sku;tytuł\n1;łódź\n";
    for (order, mark) in [
        (u16::to_le_bytes as fn(u16) -> [u8; 2], [0xFF, 0xFE]),
        (u16::to_be_bytes, [0xFE, 0xFF]),
    ] {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(order).collect();
        let marked = [mark.as_slice(), &bytes].concat();
        for bytes in [bytes, marked] {
            let (read, remarks) = plain("a.csv", &bytes).expect("UTF-16");
            assert_eq!(read, text);
            assert!(remarks[0].contains("UTF-16"), "{remarks:?}");
        }
    }
}

#[test]
fn a_declared_encoding_is_taken_and_a_contradicting_mark_is_not() {
    let options = InputOptions {
        encoding: Some("cp1250"),
        ..InputOptions::default()
    };
    let read = opened("a.csv", b"\xb3\xf3d\x9f\n", &options);
    assert_eq!(read, Ok(("łódź\n".to_owned(), vec![])));
    let error = opened("a.csv", b"\xef\xbb\xbfa", &options).expect_err("two claims");
    assert_eq!(error.problem, SourceProblem::Configuration);
    assert!(error.hint.contains("utf-8"), "{}", error.hint);
    let options = InputOptions {
        encoding: Some("windows-12"),
        ..InputOptions::default()
    };
    let error = opened("a.csv", b"a", &options).expect_err("no such encoding");
    assert_eq!(error.message, "unknown encoding `windows-12`");
}

#[test]
fn an_encoding_that_shows_late_is_still_told_from_the_whole_file() {
    let mut bytes = "plain,ascii\n".repeat(20_000).into_bytes();
    bytes.extend(b"Za\xbf\xf3\xb3\xe6 g\xea\x9cl\xb9 ja\x9f\xf1, \x8cwie\xbfe jab\xb3ka\n");
    let (text, remarks) = plain("a.csv", &bytes).expect("windows-1250");
    assert!(text.ends_with("Zażółć gęślą jaźń, Świeże jabłka\n"));
    assert!(remarks[0].contains("windows-1250"), "{remarks:?}");
}

#[test]
fn an_encoding_that_cannot_be_told_lists_how_each_would_read() {
    let error = plain("a.csv", b"name\ns\xb9\n").expect_err("two letters");
    assert_eq!(error.problem, SourceProblem::Configuration);
    assert!(error.message.contains("windows-1250 reads `są`"), "{error}");
    assert!(error.message.contains("ISO-8859-2 reads `sš`"), "{error}");
    assert!(error.hint.contains("encoding = "), "{}", error.hint);
    let options = InputOptions {
        language: Some("pl"),
        ..InputOptions::default()
    };
    let (text, _) = opened("a.csv", b"name\ns\xb9\n", &options).expect("Polish");
    assert_eq!(text, "name\nsą\n");
}

#[test]
fn a_missing_file_names_those_that_look_like_it() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("products.csv"), "a").expect("written");
    let missing = |name: &str| {
        let error = open(&folder.path().join(name), name, &InputOptions::default());
        error.expect_err("not there")
    };
    let error = missing("product.csv");
    assert_eq!(error.problem, SourceProblem::Missing);
    assert_eq!(error.to_string(), "product.csv: no such file");
    assert_eq!(error.hint, "did you mean `products.csv`?");
    assert!(missing("zzz.xml").hint.starts_with("check the path"));
    let error = open(folder.path(), "folder", &InputOptions::default()).expect_err("a folder");
    assert_eq!(error.message, "this is a folder");
}

#[test]
fn pages_and_workbooks_are_refused_by_name() {
    for page in ["<!DOCTYPE html><html>", "\u{feff}\n  <HTML lang=en>"] {
        let error = plain("a.csv", page.as_bytes()).expect_err("a page");
        assert_eq!(error.problem, SourceProblem::NotWhole);
        assert!(error.message.contains("an HTML page, not CSV"), "{error}");
    }
    let error = plain("a.csv.gz", &gzip(b"<html>log in</html>")).expect_err("a packed page");
    assert!(error.message.contains("an HTML page"), "{error}");
    let error = plain("a.csv", b"PK\x03\x04rest").expect_err("a workbook");
    assert!(error.hint.contains("xlsx"), "{}", error.hint);
}

#[test]
fn all_members_and_frames_are_unpacked() {
    let bytes = [gzip(b"a,b\n"), gzip("1,ż\n".as_bytes())].concat();
    assert_eq!(
        plain("a.csv.gz", &bytes),
        Ok(("a,b\n1,ż\n".to_owned(), vec![]))
    );
    let frame = |text: &str| zstd::encode_all(text.as_bytes(), 1).expect("packed");
    let bytes = [frame("a,b\n"), frame("1,ż\n")].concat();
    let (text, remarks) = plain("download", &bytes).expect("frames");
    assert_eq!(text, "a,b\n1,ż\n");
    assert_eq!(remarks, ["this is Zstandard data and was unpacked"]);
    let error = plain("a.csv.gz", b"a,b\n").expect_err("not packed");
    assert!(error.message.contains("not gzip data"), "{error}");
}

#[test]
fn a_packed_file_cut_anywhere_is_not_whole() {
    let whole = sample();
    for (name, packed) in [
        ("a.csv.gz", gzip(&whole)),
        (
            "a.csv.zst",
            zstd::encode_all(whole.as_slice(), 1).expect("packed"),
        ),
    ] {
        let places = (0..packed.len()).filter(|n| *n < 40 || n % 97 == 0 || packed.len() - n < 20);
        for cut in places {
            let error = plain(name, &packed[..cut]).expect_err("cut");
            assert_eq!(
                error.problem,
                SourceProblem::NotWhole,
                "{name} cut at {cut}"
            );
            if cut > 20 {
                assert!(error.message.contains("ends in the middle of a"), "{error}");
            }
        }
    }
}

#[test]
fn a_wrong_checksum_is_damage() {
    let mut packed = gzip(&sample());
    let at = packed.len() - 8;
    packed[at] ^= 1;
    let error = plain("a.csv.gz", &packed).expect_err("damaged");
    assert_eq!(error.problem, SourceProblem::NotWhole);
    assert!(error.message.contains("gzip data is damaged"), "{error}");
}

#[test]
fn bombs_are_stopped() {
    let bomb = gzip(&vec![b'a'; 20 * 1024 * 1024]);
    let error = plain("a.csv.gz", &bomb).expect_err("a bomb");
    assert!(
        error.message.contains("more than 100 times its size"),
        "{error}"
    );
    let options = InputOptions {
        unpacked_bytes_max: 1000,
        ..InputOptions::default()
    };
    let error = opened("a.csv.gz", &gzip(&sample()), &options).expect_err("too much");
    assert!(error.message.contains("limit of 1000 bytes"), "{error}");
    // beneath 8 MiB anything may pack well
    assert!(plain("a.csv.gz", &gzip(&vec![b'a'; 4 * 1024 * 1024])).is_ok());
}

#[test]
fn a_file_that_changes_while_it_is_read_is_not_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path: PathBuf = folder.path().join("a.csv");
    for change in [b"b,c\n".as_slice(), b""] {
        std::fs::write(&path, "a,b\n".repeat(50_000)).expect("written");
        let mut input = open(&path, "a.csv", &InputOptions::default()).expect("there");
        let mut file = std::fs::OpenOptions::new()
            .append(!change.is_empty())
            .write(true)
            .open(&path)
            .expect("there");
        if change.is_empty() {
            file.set_len(1000).expect("cut");
        }
        file.write_all(change).expect("changed");
        let error = input
            .reader
            .read_to_end(&mut Vec::new())
            .expect_err("changed");
        let error = read_error("a.csv", error);
        assert_eq!(error.problem, SourceProblem::NotWhole);
        assert!(
            error.message.contains("changed while it was being read"),
            "{error}"
        );
    }
}

#[test]
fn checked_text_is_utf8_or_an_error() {
    let input = from_reader(
        "-",
        Box::new(b"a\nb\xff".as_slice()),
        &InputOptions {
            encoding: Some("utf-8"),
            ..InputOptions::default()
        },
    );
    let mut reader = input.expect("opened").checked().reader;
    let error = reader.read_to_end(&mut Vec::new()).expect_err("not UTF-8");
    assert_eq!(read_error("-", error).line, Some(2));
}

proptest! {
    #[test]
    fn any_bytes_open_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(input) = from_reader("-", Box::new(std::io::Cursor::new(bytes)), &InputOptions::default()) {
            let mut reader = input.checked().reader;
            let mut text = Vec::new();
            if reader.read_to_end(&mut text).is_ok() {
                prop_assert!(std::str::from_utf8(&text).is_ok());
            }
        }
    }
}
