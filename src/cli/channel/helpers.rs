//! `channel helpers`: what mappings and templates may call.

use clap::Args;
use serde_json::json as object;

use crate::cli::{Global, exit};
use crate::helper::{self, HELPERS};
use crate::pipeline::Failure;
use crate::program::nearest::near;
use crate::report::json;
use crate::term::Shell;

use super::{table, unwritten};

/// `channel helpers`.
#[derive(Debug, Args)]
pub(super) struct Helpers {
    /// The helper whose page is shown
    name: Option<String>,
}

impl Helpers {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// An unknown helper, with its near miss.
    pub(super) fn run(&self, _: &Global, shell: &Shell) -> Result<u8, Failure> {
        let shown: Vec<_> = match &self.name {
            None => HELPERS.to_vec(),
            Some(name) => match helper::find(name) {
                Some(helper) => vec![helper],
                None => {
                    let hint = near(name, HELPERS.iter().map(|helper| helper.name))
                        .unwrap_or_else(|| "`shelfcast channel helpers` lists them".to_owned());
                    return Err(Failure::configuration(
                        "helpers",
                        format!("there is no helper `{name}`"),
                        hint,
                    ));
                }
            },
        };
        let text = if shell.json {
            let mut text = String::new();
            for helper in &shown {
                let line = object!({ "type": "helper", "name": helper.name, "summary": helper.summary, "usage": helper.usage, "page": helper.page });
                text.push_str(&format!("{line}\n"));
            }
            text + &format!("{}\n", json::done(exit::DONE))
        } else if self.name.is_some() {
            shown
                .iter()
                .map(|helper| format!("{}\n\n{}\n", helper.usage, helper.page.trim_end()))
                .collect()
        } else {
            let mut rows = vec![
                ["helper", "what it does", "usage"]
                    .map(str::to_owned)
                    .to_vec(),
            ];
            rows.extend(shown.iter().map(|helper| {
                [helper.name, helper.summary, helper.usage]
                    .map(str::to_owned)
                    .to_vec()
            }));
            table(&rows)
                + "\n`if`, `unless`, `each`, `with` and `lookup` are Handlebars' own. `shelfcast channel helpers NAME` shows one's page.\n"
        };
        shell
            .data(|out| out.write_all(text.as_bytes()))
            .map_err(unwritten)?;
        Ok(exit::DONE)
    }
}
