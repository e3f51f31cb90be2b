//! Plans: what would be published, kept with its bytes and its moment, so that exactly that is published later.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::record::{from_json, moment, read_file, signed, unsigned};
use super::{
    Action, Counts, Role, SourceDigest, StagedFile, State, StateError, VersionFile, action,
    private, record, store,
};

/// How long another run that keeps its plan is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(120);

/// One feed of a new plan.
#[derive(Clone, Debug)]
pub struct PlannedFeed<'p> {
    /// The feed.
    pub feed: &'p str,
    /// Its channel.
    pub channel: &'p str,
    /// The published version it was compared with; `None` for a first publication.
    pub base: Option<u64>,
    /// Its documents, in the order in which they are delivered.
    pub files: &'p [StagedFile],
    /// The log of its items.
    pub items_log: Option<&'p Path>,
    /// The items' bytes, where the documents do not show them.
    pub bodies: Option<&'p Path>,
    /// Where its records went.
    pub counts: Counts,
}

/// A plan to be kept.
#[derive(Clone, Debug)]
pub struct NewPlan<'p> {
    /// Its feeds.
    pub feeds: &'p [PlannedFeed<'p>],
    /// Hex of the digest of the configuration it was made by.
    pub configuration_digest: &'p str,
    /// What it was made from.
    pub source_digests: Vec<SourceDigest>,
    /// The run's moment, which decided what it says.
    pub now: Timestamp,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    pub who: &'p str,
    /// The plan as a document, for those who approve it.
    pub document: &'p str,
}

/// One feed of a kept plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFeed {
    /// The feed.
    pub feed: String,
    /// Its channel.
    pub channel: String,
    /// The published version it was compared with.
    pub base: Option<u64>,
    /// Where its records went.
    pub counts: Counts,
    /// Its documents, in the order in which they are delivered.
    pub files: Vec<VersionFile>,
    /// The log of its items.
    pub items_log: Option<VersionFile>,
    /// The items' bytes, where the documents do not show them.
    pub bodies: Option<VersionFile>,
}

/// A kept plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name: the first letters of its digest.
    pub plan: String,
    /// Hex of the SHA-256 over everything in it: feeds, base versions, files' digests, configuration, sources, moment.
    pub digest: String,
    /// The run's moment.
    pub now: Timestamp,
    /// When it was made.
    pub made_at: Timestamp,
    /// Who made it.
    pub who: String,
    /// Hex of the digest of the configuration it was made by.
    pub configuration_digest: String,
    /// What it was made from.
    pub source_digests: Vec<SourceDigest>,
    /// The plan as a document.
    pub document: String,
    /// Its feeds.
    pub feeds: Vec<PlanFeed>,
}

impl State {
    /// Keeps a plan with its bytes; its name. A plan of the same digest is kept once.
    ///
    /// # Errors
    /// A disk that refuses, or a staged file that is not what it is said to be.
    pub fn record_plan(&self, new: &NewPlan<'_>) -> Result<Plan, StateError> {
        let digest = digest(new);
        let name: String = digest.chars().take(12).collect();
        // Two runs that make the same plan must not take each other's folder away.
        let _lock = super::lock::acquire(self, "plans", LOCK_WAIT, new.at)?;
        if let Some(plan) = self.plan(&name)?
            && plan.digest == digest
        {
            return Ok(plan);
        }
        let staged = self.places.plans.join(format!(".{name}.new"));
        let target = self.places.plans.join(&name);
        for left in [&staged, &target] {
            if left.symlink_metadata().is_ok() {
                std::fs::remove_dir_all(left).map_err(|error| {
                    StateError::disk(left, "take away what a dead run left", &error)
                })?;
            }
        }
        private::folder(&staged)?;
        let recorded = (|| {
            let mut kept = Vec::with_capacity(new.feeds.len());
            for feed in new.feeds {
                store::check_name("feed", feed.feed)?;
                let below = format!("plans/{name}/{}", feed.feed);
                kept.push(store::keep(
                    &staged,
                    &staged.join(feed.feed),
                    &below,
                    &record::staged(feed.files, feed.items_log, feed.bodies),
                )?);
            }
            std::fs::rename(&staged, &target)
                .map_err(|error| StateError::disk(&target, "name the folder", &error))?;
            private::sync_folder(&self.places.plans)?;
            self.change(|connection| {
                insert(connection, new, &name, &digest, &kept).map_err(|error| self.wrong(&error))
            })
        })();
        if let Err(error) = recorded {
            drop(std::fs::remove_dir_all(&staged));
            if matches!(self.plan(&name), Ok(None)) {
                drop(std::fs::remove_dir_all(&target));
            }
            return Err(error);
        }
        self.plan(&name)?
            .ok_or_else(|| StateError::damaged(&target, "the plan that was just kept is not there"))
    }

    /// A plan by its name or its digest's first letters (at least six).
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn plan(&self, name: &str) -> Result<Option<Plan>, StateError> {
        if name.len() < 6 || !name.chars().all(|letter| letter.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let name: String = name.chars().take(12).collect::<String>().to_lowercase();
        self.look(|connection| {
            let full: Option<String> = connection
                .query_row(
                    "SELECT plan FROM plans WHERE substr(plan, 1, length(?1)) = ?1 ORDER BY made_at DESC LIMIT 1",
                    [&name],
                    |row| row.get(0),
                )
                .optional()?;
            full.map_or(Ok(None), |full| find(connection, &full))
        })
    }

    /// All kept plans, oldest first.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn plans(&self) -> Result<Vec<Plan>, StateError> {
        self.look(|connection| {
            let names: Vec<String> = connection
                .prepare_cached("SELECT plan FROM plans ORDER BY made_at, plan")?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let mut plans = Vec::with_capacity(names.len());
            for name in names {
                plans.extend(find(connection, &name)?);
            }
            Ok(plans)
        })
    }

    /// Forgets a plan and takes its bytes away; whether there was one.
    ///
    /// # Errors
    /// A disk that refuses.
    pub fn drop_plan(&self, name: &str, who: &str, at: Timestamp) -> Result<bool, StateError> {
        let Some(plan) = self.plan(name)? else {
            return Ok(false);
        };
        self.change(|connection| {
            forget(connection, &plan.plan, who, at).map_err(|error| self.wrong(&error))
        })?;
        let folder = self.places.plans.join(&plan.plan);
        // The rows are gone: what stays of the folder is an orphan, which cleaning takes.
        drop(std::fs::remove_dir_all(folder));
        Ok(true)
    }
}

fn forget(connection: &Connection, plan: &str, who: &str, at: Timestamp) -> rusqlite::Result<()> {
    for table in ["plan_files", "plan_feeds", "plans"] {
        connection.execute(&format!("DELETE FROM {table} WHERE plan = ?1"), [plan])?;
    }
    let mut entry = Action::new(at, who, "drop-plan");
    entry.detail = format!("plan {plan}");
    action::append(connection, &entry)
}

fn digest(new: &NewPlan<'_>) -> String {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    let mut add = |part: &str| {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    };
    add(&new.now.to_string());
    add(new.configuration_digest);
    add(&record::json(&new.source_digests));
    for feed in new.feeds {
        add(feed.feed);
        add(feed.channel);
        add(&feed.base.map_or("none".to_owned(), |base| base.to_string()));
        for file in feed.files {
            add(&file.name);
            add(file.role.as_str());
            add(&file.sha256);
        }
    }
    store::hex(&digest.finalize())
}

fn insert(
    connection: &Connection,
    new: &NewPlan<'_>,
    name: &str,
    digest: &str,
    kept: &[Vec<VersionFile>],
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO plans VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            name,
            digest,
            new.now.to_string(),
            new.at.to_string(),
            new.who,
            new.configuration_digest,
            record::json(&new.source_digests),
            new.document
        ],
    )?;
    for (feed, files) in new.feeds.iter().zip(kept) {
        connection.execute(
            "INSERT INTO plan_feeds VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                name,
                feed.feed,
                feed.channel,
                feed.base.map(signed),
                record::json(&feed.counts)
            ],
        )?;
        for (ordinal, file) in files.iter().enumerate() {
            connection.execute(
                "INSERT INTO plan_files VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    name,
                    feed.feed,
                    signed(ordinal as u64),
                    file.name,
                    file.role.as_str(),
                    signed(file.items),
                    signed(file.bytes),
                    file.sha256,
                    file.stored,
                    signed(file.stored_bytes),
                ],
            )?;
        }
    }
    let mut entry = Action::new(new.at, new.who, "plan");
    entry.detail = format!("plan {name}");
    action::append(connection, &entry)
}

fn find(connection: &Connection, name: &str) -> rusqlite::Result<Option<Plan>> {
    let plan = connection
        .prepare_cached("SELECT * FROM plans WHERE plan = ?1")?
        .query_row([name], |row| {
            Ok(Plan {
                plan: row.get("plan")?,
                digest: row.get("digest")?,
                now: moment(row, "now")?.unwrap_or_default(),
                made_at: moment(row, "made_at")?.unwrap_or_default(),
                who: row.get("who")?,
                configuration_digest: row.get("configuration")?,
                source_digests: from_json(row, "sources")?,
                document: row.get("document")?,
                feeds: Vec::new(),
            })
        })
        .optional()?;
    let Some(mut plan) = plan else {
        return Ok(None);
    };
    let mut statement =
        connection.prepare_cached("SELECT * FROM plan_feeds WHERE plan = ?1 ORDER BY feed")?;
    let feeds = statement.query_map([name], |row| {
        Ok(PlanFeed {
            feed: row.get("feed")?,
            channel: row.get("channel")?,
            base: row.get::<_, Option<i64>>("base")?.map(unsigned),
            counts: from_json(row, "counts")?,
            files: Vec::new(),
            items_log: None,
            bodies: None,
        })
    })?;
    for feed in feeds {
        let mut feed = feed?;
        let mut statement = connection.prepare_cached(
            "SELECT name, role, items, bytes, sha256, stored, stored_bytes FROM plan_files
             WHERE plan = ?1 AND feed = ?2 ORDER BY ordinal",
        )?;
        for file in statement.query_map(params![name, feed.feed], read_file)? {
            let file = file?;
            match file.role {
                Role::ItemLog => feed.items_log = Some(file),
                Role::Bodies => feed.bodies = Some(file),
                _ => feed.files.push(file),
            }
        }
        plan.feeds.push(feed);
    }
    Ok(Some(plan))
}
