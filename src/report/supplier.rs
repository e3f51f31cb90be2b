//! Findings as a CSV file for whoever keeps the catalog: one a row, safe to open in a spreadsheet, written as they come and
//! there whole or not at all.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::term::visible;
use crate::validate::finding::{Finding, Severity};
use crate::write::atomic::AtomicFile;

const COLUMNS: [&str; 9] = [
    "rule", "severity", "feed", "sku", "source", "line", "column", "message", "hint",
];

/// A file of findings while it is written. Dropped without [`SupplierFile::commit`], it leaves nothing behind.
pub struct SupplierFile {
    target: PathBuf,
    writer: Option<csv::Writer<AtomicFile>>,
}

impl SupplierFile {
    /// Begins the file: a byte order mark, by which spreadsheets know UTF-8, and the columns' names.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn create(target: &Path) -> io::Result<Self> {
        let mut file = SupplierFile {
            target: target.to_owned(),
            writer: None,
        };
        file.restart()?;
        Ok(file)
    }

    /// Forgets what was added.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn restart(&mut self) -> io::Result<()> {
        // The hidden file of the old writer goes before the new one is made: they have the same name.
        self.writer = None;
        let mut file = AtomicFile::create(&self.target)?;
        file.write_all("\u{feff}".as_bytes())?;
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(file);
        writer.write_record(COLUMNS)?;
        self.writer = Some(writer);
        Ok(())
    }

    /// Adds a finding.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn add(&mut self, finding: &Finding) -> io::Result<()> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let line = if finding.line == 0 {
            String::new()
        } else {
            finding.line.to_string()
        };
        let texts = [
            finding.rule,
            severity,
            finding.feed.as_deref().unwrap_or(""),
            finding.sku.as_deref().unwrap_or(""),
            &finding.source,
            &line,
            &finding.column,
            &finding.message,
            &finding.hint,
        ];
        writer.write_record(texts.map(|text| harmless(text).into_owned()))?;
        Ok(())
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// When the disk refuses; the old file then stays.
    pub fn commit(mut self) -> io::Result<()> {
        let Some(writer) = self.writer.take() else {
            return Ok(());
        };
        writer
            .into_inner()
            .map_err(|error| io::Error::other(error.to_string()))?
            .commit()
    }
}

/// A cell that no spreadsheet takes for a formula and no terminal for an order: what begins like a formula gets an
/// apostrophe, numbers are left, control characters are written as their number.
fn harmless(text: &str) -> Cow<'_, str> {
    // Spreadsheets skip white space, and take the wide forms of some keyboards for the plain ones.
    let begins = |letter: char| {
        matches!(
            letter,
            '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}'
        )
    };
    let formula = text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(begins);
    if formula && !is_number(text) {
        Cow::Owned(format!("'{}", visible(text)))
    } else {
        visible(text)
    }
}

/// A plain number: a sign, digits, perhaps a point and more digits.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match unsigned.split_once('.') {
        None => digits(unsigned),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(sku: &str, message: &str) -> Finding {
        Finding {
            rule: "cut",
            severity: Severity::Warning,
            feed: None,
            sku: Some(sku.to_owned()),
            source: "catalog.csv".to_owned(),
            line: 7,
            column: "title".to_owned(),
            message: message.to_owned(),
            hint: String::new(),
        }
    }

    #[test]
    fn formulas_are_disarmed_and_numbers_are_left() {
        for formula in [
            "=1+1",
            "+cmd",
            "-2+3",
            "@SUM(A1)",
            " =1",
            "＝1",
            "+66 2 555",
            "-",
            "+1.",
            "--1",
        ] {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
        assert_eq!(
            ["\t=1", "\r=1", "\n1"].map(harmless),
            ["'\\t=1", "'\\r=1", "'\\n1"]
        );
        for plain in ["-5", "+5.25", "-0.5", "A-1", "1=1", "", "ชาม", "'x"] {
            assert_eq!(harmless(plain), plain);
        }
    }

    #[test]
    fn the_file_reads_back_and_stands_only_when_it_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("findings.csv");
        let mut file = SupplierFile::create(&target).expect("begun");
        file.add(&finding("void", "void")).expect("added");
        file.restart().expect("begun anew");
        file.add(&finding("=HYPERLINK(\"x\")", "ชาม, \"5\"\n\u{1b}[2J"))
            .expect("added");
        assert!(!target.exists());
        file.commit().expect("committed");
        let text = std::fs::read_to_string(&target).expect("written");
        let plain = text.strip_prefix('\u{feff}').expect("a byte order mark");
        let rows: Vec<Vec<String>> = csv::Reader::from_reader(plain.as_bytes())
            .records()
            .map(|row| row.expect("a row").iter().map(str::to_owned).collect())
            .collect();
        assert_eq!(
            rows,
            [[
                "cut",
                "warning",
                "",
                "'=HYPERLINK(\"x\")",
                "catalog.csv",
                "7",
                "title",
                "ชาม, \"5\"\\n\\u{1b}[2J",
                ""
            ]]
        );
        assert!(plain.starts_with("rule,severity,feed,sku,source,line,column,message,hint\r\n"));
        drop(SupplierFile::create(&target).expect("begun"));
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("a folder").count(),
            1
        );
    }
}
