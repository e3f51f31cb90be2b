//! To be written: workbook.
