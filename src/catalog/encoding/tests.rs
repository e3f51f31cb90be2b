//! Each character set there and back, cuts and bad bytes, and what is told from bytes alone.

use std::io::Read;

use unicode_normalization::UnicodeNormalization;

use super::*;
use crate::catalog::input::read_error;
use crate::catalog::{SourceError, SourceProblem};

const POLISH: &str = "nazwa\nŻółta łódź\nŚwieże jabłka, gruszki i śliwki\nPieczywo żytnie\nZażółć gęślą jaźń\nKoszulka dziecięca\n";
const CZECH: &str = "název\nPříliš žluťoučký kůň úpěl ďábelské ódy\nSvěží jablka\nČerné tričko\nModrá košile\nDětská mikina\n";
const VIETNAMESE: &str = "tên\nÁo sơ mi nữ dài tay\nĐiện thoại di động\nGiày thể thao trẻ em\nNước mắm Phú Quốc\n";
const THAI: &str = "ชื่อ\nเสื้อเชิ้ตผู้หญิง\nรองเท้าวิ่ง Nike รุ่นใหม่\nน้ำปลาแท้ 700 มล.\n";
const GERMAN: &str = "Name\nGrüne Äpfel\nWeiße Schuhe für Mädchen\nKöln – 20 €\n";
const FRENCH: &str = "nom\nCafé moulu à l’ancienne\nBœuf séché, élevé en France\nGâteau aux pêches\nÇa va très bien\n";

/// `text` in a single-byte character set, by its own table turned round.
fn encode(text: &str, charset: &str) -> Vec<u8> {
    let table = Charset::by_name(charset).expect("known").table().expect("a letter a byte");
    // tones stand alone in windows-1258, but some vowels have theirs built in
    let mut bytes = Vec::new();
    for letter in text.chars() {
        let place = |letter: char| table.iter().position(|entry| *entry == Some(letter));
        if let Some(byte) = place(letter) {
            bytes.push(byte as u8);
            continue;
        }
        let (base, tone) = split_tone(letter);
        bytes.push(place(base).unwrap_or_else(|| panic!("{letter} in {charset}")) as u8);
        bytes.push(place(tone).unwrap_or_else(|| panic!("{letter} in {charset}")) as u8);
    }
    bytes
}

/// A Vietnamese letter as its vowel and its tone.
fn split_tone(letter: char) -> (char, char) {
    for tone in ['\u{300}', '\u{301}', '\u{303}', '\u{309}', '\u{323}'] {
        for base in "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY".chars() {
            if [base, tone].into_iter().nfc().eq([letter]) {
                return (base, tone);
            }
        }
    }
    panic!("{letter} has no tone")
}

fn decode(bytes: &[u8], charset: &str) -> Result<String, SourceError> {
    let charset = Charset::by_name(charset).expect("known");
    let mut text = String::new();
    match Transcoder::new("a.csv", charset, bytes).read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) => Err(read_error("a.csv", error)),
    }
}

fn judge(bytes: &[u8], language: Option<&str>) -> Verdict {
    let mut evidence = Evidence::default();
    // in pieces, so that words and letters are cut
    for piece in bytes.chunks(7) {
        evidence.add(piece);
    }
    evidence.judge(language)
}

#[track_caller]
fn assert_judged(bytes: &[u8], language: Option<&str>, name: &str) {
    match judge(bytes, language) {
        Verdict::Charset(charset, proof) => {
            assert_eq!(charset.name, name, "{proof}");
            assert!(proof.contains(name), "{proof}");
        }
        other => panic!("{other:?} instead of {name}"),
    }
}

#[test]
fn names_are_found_in_any_spelling() {
    for (label, name) in [
        ("UTF-8", "UTF-8"),
        ("utf8", "UTF-8"),
        ("utf-16", "UTF-16LE"),
        ("UTF-16BE", "UTF-16BE"),
        ("cp1250", "windows-1250"),
        ("Windows-1250", "windows-1250"),
        ("win1250", "windows-1250"),
        ("cp1252", "windows-1252"),
        ("windows_1258", "windows-1258"),
        ("tis-620", "windows-874"),
        ("cp874", "windows-874"),
        ("latin1", "ISO-8859-1"),
        ("ISO_8859-1", "ISO-8859-1"),
        ("latin2", "ISO-8859-2"),
        ("latin9", "ISO-8859-15"),
        ("Shift_JIS", "Shift_JIS"),
    ] {
        let found = Charset::by_name(label).map(|charset| charset.name);
        assert_eq!(found, Some(name), "{label}");
    }
    assert_eq!(Charset::by_name("utf-9"), None);
    assert_eq!(Charset::by_name("replacement"), None);
}

#[test]
fn texts_come_back_as_they_were() {
    for (text, charset) in [
        (POLISH, "windows-1250"),
        (POLISH, "iso-8859-2"),
        (CZECH, "windows-1250"),
        (CZECH, "iso-8859-2"),
        (VIETNAMESE, "windows-1258"),
        (THAI, "tis-620"),
        (GERMAN, "windows-1252"),
        (FRENCH, "windows-1252"),
    ] {
        assert_eq!(decode(&encode(text, charset), charset).as_deref(), Ok(text));
    }
    let text = "a;ż;😀\nก";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(decode(&little, "utf-16le").as_deref(), Ok(text));
    assert_eq!(decode(&big, "utf-16be").as_deref(), Ok(text));
}

#[test]
fn vietnamese_tones_join_their_vowels_even_across_chunks() {
    let text = "ế".repeat(100_000);
    let decoded = decode(&encode(&text, "windows-1258"), "windows-1258");
    assert_eq!(decoded.map(|decoded| decoded == text), Ok(true));
}

#[test]
fn a_byte_without_a_letter_is_named_with_its_line() {
    let error = decode(b"a\nb\nc\x81d", "windows-1250").expect_err("0x81 is nothing");
    assert_eq!(error.problem, SourceProblem::NotWhole);
    assert_eq!(error.line, Some(3));
    assert_eq!(error.message, "byte 0x81 (number 6) is not windows-1250");
    let error = decode(b"5 \x80", "iso-8859-1").expect_err("no euro there");
    assert!(error.hint.contains("windows-1252"), "{}", error.hint);
    let error = decode(b"\x3d\xd8a\0\n\0", "utf-16le").expect_err("half a pair");
    assert_eq!(error.problem, SourceProblem::NotWhole);
}

#[test]
fn a_letter_cut_at_the_end_is_said_to_be_cut() {
    for (bytes, charset) in [
        (b"a\0b".as_slice(), "utf-16le"),
        (b"a\0\x3d\xd8".as_slice(), "utf-16le"),
        (b"a\nb\xc5".as_slice(), "utf-8"),
    ] {
        let error = decode(bytes, charset).expect_err("cut");
        assert!(error.message.contains("ends in the middle"), "{error}");
    }
}

#[test]
fn utf8_is_utf8_and_damage_is_damage() {
    assert_eq!(judge(POLISH.as_bytes(), None), Verdict::Utf8);
    assert_eq!(judge(b"plain", None), Verdict::Utf8);
    let mut damaged = POLISH.as_bytes().to_vec();
    damaged.extend(b"x\xb9y\n");
    let verdict = judge(&damaged, None);
    assert_eq!(verdict, Verdict::DamagedUtf8 { line: 7, byte: 0xB9 });
}

#[test]
fn encodings_are_told_from_the_text_alone() {
    assert_judged(&encode(POLISH, "windows-1250"), None, "windows-1250");
    assert_judged(&encode(POLISH, "iso-8859-2"), None, "ISO-8859-2");
    assert_judged(&encode(CZECH, "windows-1250"), None, "windows-1250");
    assert_judged(&encode(CZECH, "iso-8859-2"), None, "ISO-8859-2");
    assert_judged(&encode(VIETNAMESE, "windows-1258"), None, "windows-1258");
    assert_judged(&encode(THAI, "windows-874"), None, "windows-874");
    assert_judged(&encode(GERMAN, "windows-1252"), None, "windows-1252");
    assert_judged(&encode(FRENCH, "windows-1252"), None, "windows-1252");
}

#[test]
fn a_language_decides_what_the_text_leaves_open() {
    // `są` in windows-1250 is `sš` in ISO-8859-2
    let bytes = encode("są\n", "windows-1250");
    let Verdict::Ambiguous(candidates) = judge(&bytes, None) else {
        panic!("one word of two letters proves nothing");
    };
    let names: Vec<&str> = candidates.iter().map(|(charset, _)| charset.name).collect();
    assert!(names.contains(&"windows-1250") && names.contains(&"ISO-8859-2"), "{names:?}");
    let polish = candidates.iter().find(|(charset, _)| charset.name == "windows-1250");
    assert_eq!(polish.map(|(_, word)| word.as_str()), Some("są"));
    assert_judged(&bytes, Some("pl"), "windows-1250");
    assert_judged(&encode(CZECH, "windows-1250"), Some("cs-CZ"), "windows-1250");
    assert_judged(&encode(VIETNAMESE, "windows-1258"), Some("vi"), "windows-1258");
    assert_judged(&encode(THAI, "windows-874"), Some("th-TH"), "windows-874");
}

#[test]
fn signs_alone_are_no_proof_of_a_language() {
    // a pound sign in windows-1252 is a Polish letter in windows-1250
    assert!(matches!(judge(b"price\n\xa35\n", None), Verdict::Ambiguous(_)));
    assert_judged(b"name\nLego\xae\n20 m\xb2\n", None, "windows-1252");
}

#[test]
fn noise_is_not_taken_for_text() {
    let noise: Vec<u8> = (0..4000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    assert!(matches!(judge(&noise, None), Verdict::Ambiguous(_)));
}
