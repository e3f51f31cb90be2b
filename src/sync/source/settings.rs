//! What the project says of a source, checked and with its defaults.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use crate::catalog::open::{FileFormat, FileNames, SourceReader, format_of};
use crate::catalog::preset::{self, Preset};
use crate::catalog::{SourceError, open};
use crate::config::project::{Basis, Project, Source};
use crate::config::{ConfigError, span};
use crate::model::number::NumberLocale;
use crate::program::nearest::near;
use crate::store::pace::Clock;
use crate::sync::level::Position;

use super::Opening;
use super::cursor::{Margin, Progress};
use super::layout::{Asked, Layout};
use super::rows::{Rules, Tally, mark_rules};
use super::seen::Seen;
use super::{SourceFailure, Tell};

/// How long a file is left alone whose end does not show that it is whole.
const SETTLE: Duration = Duration::from_secs(5);

/// A source, ready to be read.
pub(super) struct Settings {
    pub(super) project: Project,
    pub(super) source: Source,
    pub(super) preset: Option<&'static Preset>,
    pub(super) asked: Asked,
    pub(super) waits: bool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) margin: Margin,
    /// Digest of all that decides what rows mean.
    pub(super) digest: String,
}

impl Settings {
    pub(super) fn of_stock(
        project: &Project,
        source: &Source,
        opening: Opening,
    ) -> Result<Self, ConfigError> {
        let basis = source.basis.unwrap_or(Basis::OnHand);
        let asked = Asked {
            quantity: match basis {
                Basis::OnHand => "on_hand",
                Basis::Available => "available",
                Basis::Salable => "salable",
            },
            committed: basis == Basis::OnHand,
            safety_stock: opening.safety_stock.clone(),
            safety: basis != Basis::Salable,
            order: source.order.clone().or_else(|| source.cursor.clone()),
            tie: source.tie.clone(),
            cursor: source.cursor.clone(),
        };
        Settings::of(project, source, asked, opening.waits, opening.clock)
    }

    pub(super) fn of(
        project: &Project,
        source: &Source,
        asked: Asked,
        waits: bool,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let path = project.folder.join("shelfcast.toml").display().to_string();
        let wrong = |message: String, hint: String| {
            ConfigError::new(
                path.as_str(),
                format!("source `{}`: {message}", source.name),
                hint,
            )
        };
        let preset = match &source.preset {
            None => None,
            Some(name) => Some(preset::find(name).ok_or_else(|| {
                let known = preset::all().iter().map(|preset| preset.name.as_str());
                let hint = near(name, known).unwrap_or_default();
                wrong(format!("there is no preset `{name}`"), hint)
            })?),
        };
        for (key, text) in [("settle", &source.settle), ("poll", &source.poll)] {
            if let Some(Err((message, hint))) = text.as_deref().map(span::parse) {
                return Err(wrong(format!("`{key}`: {message}"), hint.to_owned()));
            }
        }
        for (key, zone) in [
            ("timezone", source.timezone.as_deref()),
            ("timezone of the shop", Some(project.shop.timezone.as_str())),
        ] {
            if let Some(zone) = zone
                && jiff::tz::TimeZone::get(zone).is_err()
            {
                return Err(wrong(
                    format!("`{key}`: `{zone}` is no time zone"),
                    "write its IANA name, such as `Asia/Bangkok`".to_owned(),
                ));
            }
        }
        if source.cursor.is_some() && source.database.is_none() {
            return Err(wrong(
                "`cursor` asks a database for changes, and this is none".to_owned(),
                "say `order = \"…\"` for what orders rows, and `rows = \"changes\"` where a file holds changes".to_owned(),
            ));
        }
        if source.tie.is_some() && asked.order.is_none() {
            return Err(wrong(
                "`tie` parts equal marks, and there are none".to_owned(),
                "say `order = \"…\"`, or `cursor = \"…\"` for a database".to_owned(),
            ));
        }
        let margin = margin(source.margin.as_ref()).map_err(|message| {
            wrong(
                message,
                "write a span, such as `margin = \"60s\"`, or for a cursor of numbers how many, such as `margin = 1000`".to_owned(),
            )
        })?;
        if source.margin.is_some() && source.cursor.is_none() {
            return Err(wrong(
                "`margin` is how far a cursor goes back, and there is none".to_owned(),
                "say `cursor = \"…\"`, or take `margin` out".to_owned(),
            ));
        }
        if source.end.as_ref().is_some_and(|end| end.trim().is_empty()) {
            return Err(wrong(
                "`end` is empty".to_owned(),
                "name the SKU that stands in the last row, such as `end = \"#END\"`".to_owned(),
            ));
        }
        let shop = &project.shop;
        let made_of = format!(
            "{source:?} {asked:?} {} {} {}",
            shop.timezone,
            shop.language,
            env!("CARGO_PKG_VERSION")
        );
        Ok(Settings {
            project: project.clone(),
            source: source.clone(),
            preset,
            asked,
            waits,
            clock,
            margin,
            digest: format!("{:016x}", xxh3_64(made_of.as_bytes())),
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.wall()
    }

    fn locale(&self) -> Option<&str> {
        let own = self.source.locale.as_deref();
        own.or_else(|| self.preset.and_then(|preset| preset.locale.as_deref()))
    }

    /// How long a file must have been left alone before it is read.
    pub(super) fn settle(&self, shown: &str) -> Duration {
        settle(&self.source, shown)
    }

    /// The rules that a reading is held against.
    pub(super) fn rules(&self, all: bool, now: Timestamp) -> Rules<'_> {
        Rules {
            source: &self.source,
            numbers: self.locale().and_then(NumberLocale::from_tag),
            marks: mark_rules(&self.source, self.locale(), &self.project.shop, now),
            all,
            each: false,
            quantity: self.asked.quantity,
            end: self.source.end.is_some(),
        }
    }

    /// Opens one file, which messages call `shown`.
    pub(super) fn open_file(
        &self,
        shown: &str,
        path: &Path,
        names: &mut FileNames,
    ) -> Result<SourceReader, SourceError> {
        open::open_one(
            &self.source,
            self.preset,
            shown,
            path,
            &self.project.shop.language,
            names,
        )
    }

    /// Reads what was opened to its end.
    pub(super) fn read(
        &self,
        reader: &mut SourceReader,
        names: &FileNames,
        rules: &Rules<'_>,
        progress: Option<&mut Progress>,
        before: Option<&Position>,
        tell: Tell<'_>,
    ) -> Result<(Tally, String), SourceFailure> {
        let columns = reader.columns().to_vec();
        if columns.is_empty() {
            // A format that names its columns row by row, without rows.
            let tally = super::rows::read_nothing(reader, names, rules)?;
            return Ok((tally, String::new()));
        }
        let layout = Layout::find(
            &self.project,
            &self.source,
            self.preset,
            &columns,
            &self.asked,
        )?;
        self.refuse_lost_columns(&layout, before)?;
        let optional = layout.optional.clone();
        let tally = super::rows::read(reader, names, &layout, rules, progress, tell)?;
        Ok((tally, optional))
    }

    /// A column that was there and is gone would change what all rows mean.
    fn refuse_lost_columns(
        &self,
        layout: &Layout,
        before: Option<&Position>,
    ) -> Result<(), SourceError> {
        let before = before.map(|position| Seen::parse(&position.digest));
        let Some(before) = before.filter(|seen| seen.settings == self.digest) else {
            return Ok(());
        };
        for (letter, name, otherwise) in [
            ('l', "location", "location = \"…\""),
            ('c', "committed", "committed = \"0\""),
            ('s', "safety_stock", "safety_stock = \"0\""),
        ] {
            if before.columns.contains(letter) && !layout.optional.contains(letter) {
                return Err(SourceError::new(
                    crate::catalog::SourceProblem::Configuration,
                    format!("source `{}`", self.source.name),
                    format!("the column for `{name}` was there the last time, and is gone"),
                )
                .hint(format!(
                    "have it put back; if it is meant, say so: [source.defaults] {otherwise}"
                )));
            }
        }
        Ok(())
    }
}

/// Whether a path stands for several files.
pub(super) fn is_pattern(path: &str, folder: &Path) -> bool {
    !path.contains("://") && path.contains(['*', '?', '[']) && !folder.join(path).is_file()
}

/// How long a file must have been left alone: as the source says; otherwise a little for a format without an end of its own.
pub(super) fn settle(source: &Source, shown: &str) -> Duration {
    if let Some(Ok(settle)) = source.settle.as_deref().map(span::parse) {
        return settle;
    }
    let lower = shown.to_ascii_lowercase();
    let packed = lower.ends_with(".gz") || lower.ends_with(".zst");
    let open_ended = matches!(
        format_of(shown, source.format.as_deref()),
        None | Some(FileFormat::Delimited(_) | FileFormat::Ndjson)
    );
    if source.end.is_some() || packed || !open_ended {
        Duration::ZERO
    } else {
        SETTLE
    }
}

fn margin(value: Option<&toml::Value>) -> Result<Margin, String> {
    match value {
        None => Ok(Margin::Usual),
        Some(toml::Value::Integer(number)) if *number >= 0 => Ok(Margin::Numbers(*number)),
        Some(toml::Value::String(text)) => span::parse(text)
            .map(Margin::Time)
            .map_err(|(message, _)| format!("`margin`: {message}")),
        Some(other) => Err(format!("`margin`: `{other}` is no margin")),
    }
}
