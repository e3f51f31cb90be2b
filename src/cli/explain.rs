//! `explain RULE`: a rule's page; `explain --sku S --sync NAME`: a level's terms, with the cells they were read from.

use crate::channel::lint;
use crate::pipeline::Failure;
use crate::program::nearest::nearest;
use crate::term::Shell;
use crate::validate::rules;

use super::stock::{self, Depth};
use super::{Global, exit};

/// The formula, as it is computed.
const FORMULA: &str = "salable = clamp(floor(share x sum over locations of max(0, on hand - committed - kept back)) - online orders, \
                       minimum, maximum)";

/// Prints every term of a SKU's levels at a sync's store.
///
/// # Errors
/// An unknown sync or SKU; a state that refuses.
pub fn level(global: &Global, shell: &Shell, sku: &str, sync: &str) -> Result<u8, Failure> {
    if !shell.json {
        shell.say(FORMULA);
    }
    let depth = Depth {
        online: false,
        origins: true,
        lines: 1,
    };
    stock::show(global, shell, sku, &[sync.to_owned()], depth)
}

/// Prints the page of a rule; without a name, the rules there are.
///
/// # Errors
/// An unknown rule, with its near miss.
pub fn rule(name: Option<&str>, shell: &Shell) -> Result<u8, Failure> {
    let failed =
        |error: std::io::Error| Failure::Disk(format!("cannot write to standard output: {error}"));
    let Some(name) = name else {
        shell
            .data(|out| {
                for rule in rules::RULES {
                    writeln!(out, "{:24} {}", rule.name, rule.title)?;
                }
                writeln!(out, "\nof channels, by `shelfcast channel lint`:")?;
                for page in lint::pages::PAGES {
                    writeln!(out, "{:24} {}", page.name, page.title)?;
                }
                Ok(())
            })
            .map_err(failed)?;
        return Ok(exit::DONE);
    };
    match rules::find(name) {
        Some(rule) => shell
            .data(|out| writeln!(out, "{}", rule.page().trim_end()))
            .map(|()| exit::DONE)
            .map_err(failed),
        None if lint::pages::find(name).is_some() => {
            let page = lint::pages::find(name)
                .map(lint::pages::Page::text)
                .unwrap_or_default();
            shell
                .data(|out| writeln!(out, "{page}"))
                .map(|()| exit::DONE)
                .map_err(failed)
        }
        None => {
            let hint = rules::nearest(name)
                .or_else(|| nearest(name, lint::pages::PAGES.iter().map(|page| page.name)))
                .map_or_else(
                    || "`shelfcast explain` lists the rules".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
            Err(Failure::configuration(
                "explain",
                format!("there is no rule `{name}`"),
                hint,
            ))
        }
    }
}
