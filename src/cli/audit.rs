//! `audit`: where the published feeds contradict each other; `audit --log`: who did what.

mod contradictions;

use clap::Args;
use serde_json::json;

use crate::cli::kept::{Kept, unwritten};
use crate::pipeline::Failure;
use crate::report::json;
use crate::report::table::table;
use crate::report::text::count;
use crate::state::ActionFilter;
use crate::term::Shell;

use super::{Global, exit};

/// `audit`.
#[derive(Debug, Args)]
pub struct Audit {
    /// Feeds to compare; all that are published by default
    #[arg(value_name = "FEED", conflicts_with = "log")]
    feeds: Vec<String>,
    /// Show who did what, oldest first, instead
    #[arg(long)]
    log: bool,
    /// Only what concerns this feed
    #[arg(long, value_name = "FEED", requires = "log")]
    feed: Option<String>,
    /// Only this kind: record, publish, override, pin, unpin, prune, plan, …
    #[arg(long, value_name = "KIND", requires = "log")]
    what: Option<String>,
    /// Only the newest so many
    #[arg(long, value_name = "N", requires = "log")]
    last: Option<usize>,
}

impl Audit {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// An unknown feed; a log that somebody changed; a version that is damaged.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let kept = Kept::open(&global.project)?;
        if !self.log {
            return contradictions::run(&kept, &self.feeds, shell);
        }
        if let Some(feed) = &self.feed {
            kept.chosen(std::slice::from_ref(feed))?;
        }
        let filter = ActionFilter {
            feed: self.feed.clone(),
            what: self.what.clone(),
            since: None,
            last: self.last,
        };
        let actions = match &kept.state {
            Some(state) => state.actions(&filter)?,
            None => Vec::new(),
        };
        if !shell.json && actions.is_empty() {
            shell.say("nobody has done anything yet that is logged");
            return Ok(exit::DONE);
        }
        shell
            .data(|out| {
                if shell.json {
                    for action in &actions {
                        let line = json!({
                            "type": "action",
                            "at": action.at.to_string(),
                            "who": action.who,
                            "what": action.what,
                            "feed": action.feed,
                            "version": action.version,
                            "detail": action.detail,
                        });
                        writeln!(out, "{line}")?;
                    }
                    let mut summary = json::done(exit::DONE);
                    summary["actions"] = json!(actions.len());
                    return writeln!(out, "{summary}");
                }
                let head = ["when", "who", "what", "feed", "version", "detail"];
                let mut rows = vec![head.map(str::to_owned).to_vec()];
                rows.extend(actions.iter().map(|action| {
                    vec![
                        kept.moment(action.at),
                        shell.clean(&action.who),
                        shell.clean(&action.what),
                        shell.clean(action.feed.as_deref().unwrap_or("")),
                        action
                            .version
                            .map_or_else(String::new, |number| number.to_string()),
                        shell.clean(&action.detail.replace('\n', " ")),
                    ]
                }));
                table(&rows, &[4], out)?;
                writeln!(
                    out,
                    "{}; the log's chain is whole; times of {}",
                    count(actions.len() as u64, "action"),
                    kept.zone()
                )
            })
            .map(|()| exit::DONE)
            .map_err(unwritten)
    }
}
