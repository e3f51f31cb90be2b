//! Where a stock source's rows of a SKU stand: file and row, by reading the source once more, for people.
//!
//! Columns that the project maps by a template are not looked into: then there is nothing to tell, and nothing is guessed.

use std::fmt;

use crate::catalog::Batch;
use crate::catalog::open::{self, FileNames};
use crate::config::Project;
use crate::config::project::{Basis, Source};

/// Rows that are told of a SKU.
const ROWS_MAX: usize = 1_000;

/// A row of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Our location; empty where the source has none.
    pub location: String,
    /// Its file or query.
    pub place: String,
    /// Line or record, from 1.
    pub line: u64,
    /// The column that counts.
    pub column: String,
    /// What stands there.
    pub text: String,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}, column `{}`: `{}`",
            self.place, self.line, self.column, self.text
        )
    }
}

/// The rows of a SKU; none where the source cannot be read again, or its SKUs are made by a template.
pub fn rows(project: &Project, source: &str, sku: &str) -> Vec<Row> {
    let mut found = Vec::new();
    let Some(source) = project.source.iter().find(|one| one.name == source) else {
        return found;
    };
    let mut names = FileNames::default();
    let language = &project.shop.language;
    let Ok(mut reader) = open::open(source, None, &project.folder, language, &mut names) else {
        return found;
    };
    let at = |ours: &[&str]| {
        let wanted: Vec<String> = ours.iter().map(|name| theirs(source, name)).collect();
        let columns = reader.columns();
        wanted.iter().find_map(|name| {
            let same = |column: &String| column.trim().eq_ignore_ascii_case(name);
            columns.iter().position(same)
        })
    };
    let counts = match source.basis {
        Some(Basis::Available) => ["available", "on_hand", "salable"],
        Some(Basis::Salable) => ["salable", "on_hand", "available"],
        Some(Basis::OnHand) | None => ["on_hand", "available", "salable"],
    };
    let (Some(key), Some(quantity)) = (at(&["sku"]), at(&counts)) else {
        return found;
    };
    let location = at(&["location"]);
    let column = reader.columns().get(quantity).cloned().unwrap_or_default();
    let mut batch = Batch::default();
    while let Ok(true) = reader.read(&mut batch) {
        let place = |column: usize| match batch.order.get(column) {
            Some(&at) => at as usize,
            None => column,
        };
        for record in 0..batch.len() {
            if batch.cell(record, place(key)).trim() != sku {
                continue;
            }
            let cell = |column: usize| batch.cell(record, place(column)).to_owned();
            found.push(Row {
                location: location.map_or_else(String::new, |at| cell(at).trim().to_owned()),
                place: names.name(batch.file_of(record)).to_owned(),
                line: batch.line(record),
                column: column.clone(),
                text: cell(quantity),
            });
            if found.len() >= ROWS_MAX {
                return found;
            }
        }
    }
    found
}

/// What a source calls a column of ours.
fn theirs(source: &Source, ours: &str) -> String {
    let mapped = source.fields.get(ours);
    mapped.cloned().unwrap_or_else(|| ours.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::toml_file;

    #[test]
    fn rows_are_found_with_file_and_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "Artikel,Filiale,Bestand\nA-1,bkk,5\nB-2,bkk,7\nA-1,cnx,-2\n";
        crate::write::atomic::write(&folder.path().join("stock.csv"), text.as_bytes())
            .expect("writes");
        let mut project: Project = toml_file::parse(
            "shelfcast.toml",
            r#"
[shop]
name = "Baan"
url = "https://baan.example"
currency = "THB"
language = "th"
country = "TH"
[[source]]
name = "stock"
path = "stock.csv"
role = "stock"
basis = "on_hand"
fields = { sku = "Artikel", location = "Filiale", on_hand = "Bestand" }
"#,
        )
        .expect("a project");
        project.folder = folder.path().to_owned();
        let told: Vec<String> = rows(&project, "stock", "A-1")
            .iter()
            .map(|row| format!("{} {row}", row.location))
            .collect();
        assert_eq!(
            told,
            [
                "bkk stock.csv:2, column `Bestand`: `5`",
                "cnx stock.csv:4, column `Bestand`: `-2`"
            ]
        );
        assert!(rows(&project, "stock", "A-").is_empty());
        assert!(rows(&project, "stok", "A-1").is_empty());
    }
}
