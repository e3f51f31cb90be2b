//! Packed files and workbooks: cut, poisoned, or larger than they look.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{GOOD, shop};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("packs");
    encoder.finish().expect("packs")
}

#[test]
fn a_packed_catalog_is_read_like_any_other() {
    let shop = shop();
    let plain = shop.test.text("out/google.xml");
    shop.catalog("catalog.csv.gz", "", gzip(GOOD.as_bytes()));
    assert_eq!(shop.takes(&[]), plain);
}

#[test]
fn a_gzip_member_cut_in_the_middle() {
    let shop = shop();
    let rows: String = (0..20_000).map(|number| format!("B-{number},Bowl {},Text,9.00,in_stock,https://shop.example/x,https://shop.example/x.jpg,Lumo,new,1\n", number * 7919 % 10007)).collect();
    let mut packed = gzip(format!("{GOOD}{rows}").as_bytes());
    packed.truncate(packed.len() / 2);
    shop.catalog("catalog.csv.gz", "", packed);
    shop.refuses(7, &["catalog.csv.gz", "hint:"]);
}

#[test]
fn a_gzip_file_without_its_check_sum() {
    let shop = shop();
    let mut packed = gzip(GOOD.as_bytes());
    packed.truncate(packed.len() - 8);
    shop.catalog("catalog.csv.gz", "", packed);
    shop.refuses(7, &["catalog.csv.gz", "hint:"]);
}

#[test]
fn a_gzip_bomb() {
    let shop = shop();
    let mut bomb = GzEncoder::new(Vec::new(), Compression::default());
    bomb.write_all(GOOD.as_bytes()).expect("packs");
    let block = vec![b' '; 1024 * 1024];
    for _ in 0..64 {
        bomb.write_all(&block).expect("packs");
    }
    shop.catalog("catalog.csv.gz", "", bomb.finish().expect("packs"));
    shop.refuses(7, &["catalog.csv.gz", "hint:"]);
}

#[cfg(feature = "xlsx")]
mod workbooks {
    use std::io::{Cursor, Write};

    use rust_xlsxwriter::Workbook;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::super::{GOOD, shop};

    /// The good catalog as a workbook.
    fn workbook(far: bool) -> Vec<u8> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for (number, line) in (0..).zip(GOOD.lines()) {
            for (column, cell) in (0..).zip(line.split(',')) {
                sheet.write(number, column, cell).expect("writes");
            }
        }
        if far {
            sheet.write(1_048_575, 16_383, "far").expect("writes");
        }
        book.save_to_buffer().expect("saves")
    }

    #[test]
    fn one_cell_in_the_last_corner_costs_nothing() {
        let shop = shop();
        let plain = shop.test.text("out/google.xml");
        shop.catalog("catalog.xlsx", "", workbook(true));
        assert_eq!(shop.takes(&["XFD1048576"]), plain);
    }

    #[test]
    fn a_workbook_cut_in_the_middle() {
        let shop = shop();
        let mut book = workbook(false);
        book.truncate(book.len() / 2);
        shop.catalog("catalog.xlsx", "", book);
        shop.refuses(7, &["catalog.xlsx", "hint:"]);
    }

    #[test]
    fn a_sheet_that_there_is_not() {
        let shop = shop();
        shop.catalog("catalog.xlsx", "sheet = \"Retial\"", workbook(false));
        shop.refuses(2, &["catalog.xlsx", "`Retial`", "hint:"]);
    }

    #[test]
    fn a_zip_bomb() {
        let shop = shop();
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default();
        archive
            .start_file("[Content_Types].xml", options)
            .expect("begins");
        archive
            .write_all(
                b"<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>",
            )
            .expect("writes");
        archive
            .start_file("xl/workbook.xml", options)
            .expect("begins");
        archive.write_all(b"<workbook/>").expect("writes");
        archive
            .start_file("xl/worksheets/sheet1.xml", options)
            .expect("begins");
        let block = vec![b' '; 1024 * 1024];
        for _ in 0..96 {
            archive.write_all(&block).expect("writes");
        }
        let bomb = archive.finish().expect("ends").into_inner();
        assert!(bomb.len() < 1024 * 1024, "it is small");
        shop.catalog("catalog.xlsx", "", bomb);
        shop.refuses(
            7,
            &[
                "catalog.xlsx: it expands to more than 100 times its size",
                "hint:",
            ],
        );
    }

    #[test]
    fn a_table_that_calls_itself_a_workbook() {
        let shop = shop();
        shop.catalog("catalog.xlsx", "", GOOD);
        shop.refuses(7, &["catalog.xlsx", "no workbook", "hint:"]);
    }
}
