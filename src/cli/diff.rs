//! `diff FEED [A] [B]`: what changed at a channel between two kept versions.

use clap::Args;
use serde_json::json;

use crate::change::{CompareOptions, Parts, Side, compare};
use crate::cli::kept::{Kept, unwritten};
use crate::pipeline::{Failure, kept};
use crate::report::plan::{self, PlannedFeed};
use crate::report::{json, plan_json};
use crate::state::{State, Version};
use crate::term::Shell;

use super::{Global, exit};

/// `diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// The feed
    #[arg(value_name = "FEED")]
    feed: String,
    /// The version before: a number, `current` or `pending`; the one before the other by default
    #[arg(value_name = "A")]
    old: Option<String>,
    /// The version after; the published one by default
    #[arg(value_name = "B")]
    new: Option<String>,
}

impl Diff {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// An unknown feed or version; a version that is damaged, or whose items were not kept.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let kept = Kept::open(&global.project)?;
        let named = |which: &str| kept.version(&format!("{}@{which}", self.feed));
        let (state, new) = named(self.new.as_deref().unwrap_or("current"))?;
        let old = match &self.old {
            Some(old) => named(old)?.1,
            None => before(state, &new)?,
        };
        let project = &kept.project;
        let limits = project
            .feed
            .iter()
            .find(|feed| feed.name == self.feed)
            .map(|feed| feed.gate.clone())
            .unwrap_or_default();
        let now = global.now(&project.shop.timezone)?;
        let (mut old_items, mut new_items) = (items(state, &old)?, items(state, &new)?);
        let mut bytes = Parts::new(|side, number| match side {
            Side::Old => kept::part(state, &old, number),
            Side::New => kept::part_file_anywhere(state, &new, number),
        });
        let options = CompareOptions::of(&limits, now.as_second());
        let changes = compare(Some(&mut old_items), &mut new_items, &mut bytes, &options)
            .map_err(|error| kept::incomparable(state, Some(&old), Some(&new), error))?;
        let name = format!("{}@{}", self.feed, new.version);
        let published = old.published_at.unwrap_or(old.recorded_at).as_second();
        let planned = PlannedFeed {
            feed: &name,
            channel: &new.channel,
            published: Some((old.version, published)),
            changes: &changes,
            tripped: &[],
            allowed: &[],
        };
        let zone =
            jiff::tz::TimeZone::get(&project.shop.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
        let written = shell.data(|out| {
            if !shell.json {
                return plan::feed(shell, &planned, &zone, out);
            }
            for mut line in plan_json::lines(&planned) {
                line["feed"] = json!(self.feed);
                if line["type"] == "plan" {
                    line["type"] = json!("diff");
                    line["version_after"] = json!(new.version);
                }
                writeln!(out, "{line}")?;
            }
            writeln!(out, "{}", json::done(exit::DONE))
        });
        written.map(|()| exit::DONE).map_err(unwritten)
    }
}

/// The newest version that was published before another one.
fn before(state: &State, new: &Version) -> Result<Version, Failure> {
    let older = state
        .history(&new.feed)?
        .into_iter()
        .filter(|version| version.version < new.version && version.published_at.is_some())
        .max_by_key(|version| version.version);
    older.ok_or_else(|| {
        Failure::configuration(
            &new.feed,
            format!(
                "nothing is kept that was published before version {}",
                new.version
            ),
            format!("`shelfcast history {}` lists what is kept", new.feed),
        )
    })
}

fn items(
    state: &State,
    version: &Version,
) -> Result<crate::write::items::ItemLogReader<crate::state::VersionReader>, Failure> {
    kept::items(state, version)?.ok_or_else(|| {
        Failure::configuration(
            &version.feed,
            format!("the items of version {} were not kept", version.version),
            "versions that `shelfcast publish` makes can be compared",
        )
    })
}
