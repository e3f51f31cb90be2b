//! What the commands about sync share: the project's syncs, the states of their stores, telling a moment.

use jiff::tz::TimeZone;

use crate::config::Project;
use crate::config::sync::{Store, Sync};
use crate::pipeline::Failure;
use crate::program::nearest::near;
use crate::state::{Action, State};
use crate::sync::state::sqlite::{self, SqliteIntake, SqliteReader};
use crate::sync::{check, session};

use super::Global;

/// A project and its syncs.
pub(super) struct Synced {
    /// The project, its stores and syncs checked.
    pub(super) project: Project,
}

impl Synced {
    /// Loads a project and checks its stores and syncs.
    pub(super) fn open(global: &Global) -> Result<Self, Failure> {
        let project = Project::load(&global.project)?;
        check::check(&project)?;
        Ok(Synced { project })
    }

    /// The syncs meant: those named, or all.
    pub(super) fn chosen(&self, names: &[String]) -> Result<Vec<&Sync>, Failure> {
        Ok(session::chosen(&self.project, names)?)
    }

    /// The store of a sync.
    pub(super) fn store(&self, sync: &Sync) -> &Store {
        let mut stores = self.project.store.iter();
        stores
            .find(|store| store.name == sync.to)
            .expect("a checked sync leads to a store")
    }

    /// The state of a store to look at; `None` where no run has been.
    pub(super) fn look(&self, store: &str) -> Result<Option<SqliteReader>, Failure> {
        Ok(sqlite::read(&self.project.folder, store)?)
    }

    /// Where orders for a store are left, whoever works on it.
    pub(super) fn intake(&self, store: &str) -> Result<SqliteIntake, Failure> {
        Ok(SqliteIntake::open(&self.project.folder, store)?)
    }

    /// The shop's time zone.
    pub(super) fn zone(&self) -> TimeZone {
        TimeZone::get(&self.project.shop.timezone).unwrap_or(TimeZone::UTC)
    }

    /// Keeps what somebody did in the project's log.
    pub(super) fn log(&self, global: &Global, what: &str, detail: String) -> Result<(), Failure> {
        let at = global.now(&self.project.shop.timezone)?;
        let mut action = Action::new(at, &crate::state::who(), what);
        action.detail = detail;
        Ok(State::open(&self.project.folder)?.log(&action)?)
    }
}

/// A SKU that is not there, with the nearest that is.
pub(super) fn unknown_sku(sku: &str, known: &[String], what: &str) -> Failure {
    Failure::configuration(
        "--sku",
        format!("{what} `{sku}`"),
        near(sku, known.iter().map(String::as_str))
            .unwrap_or_else(|| "SKUs are compared letter by letter".to_owned()),
    )
}
