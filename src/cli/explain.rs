//! `explain RULE`: a rule's page.

use crate::pipeline::Failure;
use crate::term::Shell;

/// Prints the page of a rule, or says which there are.
///
/// # Errors
/// An unknown rule, with its near miss.
pub fn rule(name: Option<&str>, _shell: &Shell) -> Result<u8, Failure> {
    Err(Failure::configuration("explain", format!("there is no page for `{}` yet", name.unwrap_or("")), "name a rule, or give --sku and --feed"))
}
