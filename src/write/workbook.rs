//! A feed as a workbook: cells and rows, separated as the program wrote them, into one sheet.

use std::io::{self, Write};

use rust_xlsxwriter::Workbook;

use crate::program::compile::{WORKBOOK_CELL, WORKBOOK_ROW};

/// A sheet being filled, row by row, in constant memory.
pub(super) struct Sheet {
    workbook: Workbook,
    row: u32,
}

impl Sheet {
    /// An empty sheet of that name.
    ///
    /// # Errors
    /// When its temporary file cannot be made.
    pub(super) fn new(name: &str) -> io::Result<Self> {
        let mut workbook = Workbook::new();
        let sheet = workbook
            .add_worksheet_with_constant_memory()
            .map_err(io::Error::other)?;
        let short: String = name
            .chars()
            .filter(|letter| !"[]:*?/\\".contains(*letter))
            .take(31)
            .collect();
        sheet.set_name(short).map_err(io::Error::other)?;
        Ok(Sheet { workbook, row: 0 })
    }

    /// Adds rows. All cells are text: leading zeros and long numbers stay as they are.
    ///
    /// # Errors
    /// When there are more rows than a sheet can have.
    pub(super) fn rows(&mut self, bytes: &[u8]) -> io::Result<()> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        let sheet = self
            .workbook
            .worksheet_from_index(0)
            .map_err(io::Error::other)?;
        for row in text.split_terminator(WORKBOOK_ROW) {
            for (column, cell) in row.split(char::from(WORKBOOK_CELL)).enumerate() {
                if !cell.is_empty() {
                    let column = u16::try_from(column).map_err(io::Error::other)?;
                    sheet
                        .write_string(self.row, column, cell)
                        .map_err(io::Error::other)?;
                }
            }
            self.row += 1;
        }
        Ok(())
    }

    /// Writes the workbook.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn finish(mut self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.workbook.save_to_buffer().map_err(io::Error::other)?)
    }
}
