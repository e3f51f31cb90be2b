//! stub
use std::io::{self, Read};
use super::{SourceError, SourceProblem};
/// x
pub struct Input { /// n
 pub name: String, /// r
 pub reader: Box<dyn Read + Send>, /// s
 pub size_bytes: Option<u64>, /// r
 pub remarks: Vec<String> }
/// e
pub fn read_error(path: &str, error: io::Error) -> SourceError {
 SourceError::new(SourceProblem::NotWhole, path, error.to_string()) }
