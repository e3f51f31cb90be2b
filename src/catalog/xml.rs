//! To be written: xml.
