//! Tables for people: columns as wide as their widest cell, numbers to the right.

use std::io::Write;

/// Writes rows, the first of which is the head; `numeric` columns, counted from 0, are set to the right.
///
/// # Errors
/// When the output refuses.
pub fn table(rows: &[Vec<String>], numeric: &[usize], out: &mut dyn Write) -> std::io::Result<()> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |cell: &String| cell.chars().count();
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(width)
                .max()
        })
        .map(Option::unwrap_or_default)
        .collect();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, wide)) in row.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(wide - width(cell));
            line.push_str(&if numeric.contains(&column) {
                format!("{pad}{cell}  ")
            } else {
                format!("{cell}{pad}  ")
            });
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let rows: Vec<Vec<String>> = [["feed", "items"], ["web-ชาม", "12"], ["a", "1,234"]]
            .map(|row| row.map(str::to_owned).to_vec())
            .to_vec();
        let mut out = Vec::new();
        table(&rows, &[1], &mut out).expect("written");
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "feed     items\nweb-ชาม     12\na        1,234\n"
        );
    }
}
