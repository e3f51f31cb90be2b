//! Everything a run computes with, compiled from the project: sources opened, feeds lowered, joined sources loaded.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use bumpalo::Bump;
use xxhash_rust::xxh3::xxh3_128;

use crate::catalog::open::{FileNames, SourceReader};
use crate::catalog::preset::{self, Preset};
use crate::catalog::products::{Gathering, RowKeys};
use crate::catalog::{Batch, open};
use crate::channel::Channel;
use crate::config::ConfigError;
use crate::config::project::{Feed, Project, Role, Source};
use crate::helper::crate_adapter::OwnedContext;
use crate::helper::{HelperContext, map};
use crate::model::value::Value;
use crate::program::columns::Schema;
use crate::program::evaluate::Evaluator;
use crate::program::feed::FeedProgram;
use crate::program::graph::{Graph, NodeId};
use crate::program::nearest::near;
use crate::program::repeat::Watched;
use crate::program::{Location, Tables};

use super::compiling::Compiling;
use super::joined::load_tables;
use super::mapping::mappings;
use super::{Failure, Observer};

/// What a run computes with.
pub struct Program {
    /// The values.
    pub graph: Graph,
    /// What they are computed from beside the batch.
    pub tables: Tables,
    /// The feeds.
    pub feeds: Vec<FeedProgram>,
    /// The channels, one a feed.
    pub channels: Vec<Channel>,
    /// The feeds as the project has them.
    pub configured: Vec<Feed>,
    /// Currency and language of each view.
    pub views: Vec<(String, String)>,
    /// Mapping tables by the path written in templates.
    pub mappings: Arc<BTreeMap<String, map::Table>>,
    /// The record's SKU.
    pub sku: NodeId,
    /// What a row of the master is.
    pub role: Option<NodeId>,
    /// What the rows of one product share, and other keys of a row.
    pub keys: (Option<NodeId>, Option<NodeId>),
    /// The joined sources, with the record's key for each.
    pub joins: Vec<(u32, NodeId)>,
    /// Every column that a cell may be misread in, where that was asked for.
    pub every_cell: Vec<NodeId>,
    /// How rows of a product are brought together.
    pub gathering: Gathering,
    /// How many attribute slots there are.
    pub slots: usize,
    /// The master's columns that feeds are computed from.
    pub watched: Watched,
    /// The files read.
    pub files: FileNames,
    /// The shop's time zone, and units of bare numbers.
    pub shop: (String, String, String),
    /// The master's columns.
    pub master: Vec<String>,
    /// The sources' schemas.
    pub schemas: Vec<Schema>,
    /// The key of the last row, where rows without one go on with it.
    pub last_key: Option<std::sync::Mutex<Option<String>>>,
}

/// What to compile.
pub struct Wanted<'w> {
    /// Names of feeds; empty is all.
    pub feeds: &'w [String],
    /// The run's moment.
    pub now: jiff::Timestamp,
    /// Whether every cell is read, also where no feed asks for it: what is wrong with the catalog whatever the channel.
    pub every_cell: bool,
    /// Whether the items are logged.
    pub log: bool,
}

/// Compiles a project.
///
/// # Errors
/// Sources that cannot be used; everything that is wrong with configuration, manifests and templates, at once.
pub fn compile(
    project: &Project,
    wanted: &Wanted<'_>,
    observer: &mut dyn Observer,
) -> Result<(Program, SourceReader), Failure> {
    let path = project.folder.join("shelfcast.toml").display().to_string();
    let feeds = chosen(project, wanted.feeds, &path)?;
    let zone = jiff::tz::TimeZone::get(&project.shop.timezone).map_err(|_| {
        ConfigError::new(
            path.as_str(),
            format!("`{}` is no time zone", project.shop.timezone),
            "write its IANA name, such as `Asia/Bangkok`",
        )
    })?;
    let now = wanted
        .now
        .to_zoned(zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string();
    let mut files = FileNames::default();
    let (schemas, mut readers) = open_sources(project, &path, &mut files)?;
    let locations: Vec<Location> = project.location.iter().map(location).collect();
    let mut compiling = Compiling {
        project,
        path: &path,
        graph: Graph::default(),
        tables: Tables::default(),
        fallbacks: Vec::new(),
        views: Vec::new(),
    };
    compiling.tables.now = wanted.now;
    compiling.tables.locations.clone_from(&locations);
    compiling.tables.stock = schemas
        .iter()
        .find(|schema| schema.source.role == Some(Role::Stock))
        .and_then(|schema| schema.table);
    let compiled = compiling.feeds(&schemas, &feeds, &locations, &now, wanted)?;
    let Compiling {
        graph,
        mut tables,
        mut fallbacks,
        views,
        ..
    } = compiling;
    let mappings = Arc::new(mappings(&graph, project, &path)?);
    for fallback in &mut fallbacks {
        let (currency, language) = views
            .get(usize::from(fallback.view))
            .cloned()
            .unwrap_or_default();
        fallback.prepare(Arc::new(OwnedContext {
            currency,
            language,
            timezone: project.shop.timezone.clone(),
            weight_unit: project.shop.units.weight.clone(),
            length_unit: project.shop.units.length.clone(),
            tables: Arc::clone(&mappings),
            unmatched: std::sync::Mutex::default(),
        }));
    }
    tables.fallbacks = fallbacks;
    let master = readers.remove(0);
    load_tables(
        &graph,
        &mut tables,
        &schemas,
        readers,
        &compiled.table_keys,
        project,
        &files,
        observer,
    )?;
    let preset = schemas[0].preset;
    let gathering = match (
        compiled.keys.0.is_some(),
        preset.is_some_and(|preset| preset.scattered),
    ) {
        (false, _) => Gathering::Single,
        (true, false) => Gathering::Adjacent,
        (true, true) => Gathering::Whole,
    };
    let program = Program {
        graph,
        tables,
        feeds: compiled.feeds,
        channels: compiled.channels,
        configured: feeds.into_iter().cloned().collect(),
        views,
        mappings,
        sku: compiled.sku,
        role: compiled.role,
        keys: compiled.keys,
        joins: compiled.joins,
        every_cell: compiled.every_cell,
        gathering,
        slots: compiled.slots as usize,
        watched: compiled.watched,
        files,
        shop: (
            project.shop.timezone.clone(),
            project.shop.units.weight.clone(),
            project.shop.units.length.clone(),
        ),
        master: master.columns().to_vec(),
        last_key: preset
            .is_some_and(|preset| preset.continues)
            .then(std::sync::Mutex::default),
        schemas,
    };
    Ok((program, master))
}

/// What stands in the way of compiling each feed by itself; empty where nothing does. Sources are opened once, and not read.
///
/// # Errors
/// Sources that cannot be used.
pub(super) fn trial(
    project: &Project,
    feeds: &[Feed],
    now: jiff::Timestamp,
) -> Result<Vec<Vec<ConfigError>>, Failure> {
    let path = project.folder.join("shelfcast.toml").display().to_string();
    let (schemas, _) = open_sources(project, &path, &mut FileNames::default())?;
    let locations: Vec<Location> = project.location.iter().map(location).collect();
    let wanted = Wanted {
        feeds: &[],
        now,
        every_cell: false,
        log: false,
    };
    feeds
        .iter()
        .map(|feed| {
            let mut compiling = Compiling {
                project,
                path: &path,
                graph: Graph::default(),
                tables: Tables::default(),
                fallbacks: Vec::new(),
                views: Vec::new(),
            };
            let tried = compiling
                .feeds(&schemas, &[feed], &locations, &now.to_string(), &wanted)
                .and_then(|_| mappings(&compiling.graph, project, &path));
            match tried {
                Ok(_) => Ok(Vec::new()),
                Err(Failure::Configuration(errors)) => Ok(errors),
                Err(other) => Err(other),
            }
        })
        .collect()
}

pub(super) fn chosen<'p>(
    project: &'p Project,
    wanted: &[String],
    path: &str,
) -> Result<Vec<&'p Feed>, Failure> {
    for name in wanted {
        if !project.feed.iter().any(|feed| feed.name == *name) {
            let hint = near(name, project.feed.iter().map(|feed| feed.name.as_str()));
            let all = project
                .feed
                .iter()
                .map(|feed| format!("`{}`", feed.name))
                .collect::<Vec<_>>()
                .join(", ");
            return Err(Failure::configuration(
                path,
                format!("there is no feed `{name}`"),
                hint.unwrap_or_else(|| format!("the feeds are {all}")),
            ));
        }
    }
    Ok(project
        .feed
        .iter()
        .filter(|feed| wanted.is_empty() || wanted.contains(&feed.name))
        .collect())
}

fn location(keys: &indexmap::IndexMap<String, String>) -> Location {
    let code = keys.get("code").cloned().unwrap_or_default();
    Location {
        code,
        keys: keys
            .iter()
            .filter(|(name, _)| *name != "code")
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    }
}

pub(super) fn open_sources(
    project: &Project,
    path: &str,
    files: &mut FileNames,
) -> Result<(Vec<Schema>, Vec<SourceReader>), Failure> {
    // A source of stock or orders is no master, wherever it stands.
    let mut sources: Vec<&Source> = project
        .source
        .iter()
        .filter(|source| source.role != Some(Role::Orders))
        .collect();
    sources.sort_by_key(|source| source.role.is_some());
    if sources.first().is_none_or(|source| source.role.is_some()) {
        return Err(Failure::configuration(
            path,
            "the project has no catalog",
            "add a [[source]] with `name` and `path`",
        ));
    }
    let mut schemas = Vec::new();
    let mut readers = Vec::new();
    for (index, source) in sources.into_iter().enumerate() {
        let preset: Option<&'static Preset> = match &source.preset {
            None => None,
            Some(name) => Some(preset::find(name).ok_or_else(|| {
                let hint = near(
                    name,
                    preset::all().iter().map(|preset| preset.name.as_str()),
                );
                let all = preset::all()
                    .iter()
                    .map(|preset| format!("`{}`", preset.name))
                    .collect::<Vec<_>>()
                    .join(", ");
                ConfigError::new(
                    path,
                    format!("source `{}`: there is no preset `{name}`", source.name),
                    hint.unwrap_or_else(|| format!("the presets are {all}")),
                )
            })?),
        };
        let reader = open::open(
            source,
            preset,
            &project.folder,
            &project.shop.language,
            files,
        )?;
        let columns = reader.columns().to_vec();
        let table = if index == 0 {
            None
        } else {
            u32::try_from(index - 1).ok()
        };
        schemas.push(Schema {
            source: source.clone(),
            preset,
            columns,
            table,
        });
        readers.push(reader);
    }
    Ok((schemas, readers))
}

impl Program {
    /// The contexts helpers run in, one a view.
    pub fn contexts<'a>(
        &'a self,
        arena: &'a Bump,
        unmatched: &'a RefCell<BTreeMap<(String, String), u64>>,
    ) -> Vec<HelperContext<'a>> {
        let (timezone, weight_unit, length_unit) = &self.shop;
        self.views
            .iter()
            .map(|(currency, language)| HelperContext {
                arena,
                currency,
                language,
                timezone,
                weight_unit,
                length_unit,
                tables: &self.mappings,
                unmatched,
            })
            .collect()
    }

    /// The SKU of a row of a batch, where it has one.
    pub fn sku_of(&self, batch: &Batch, row: usize) -> Option<String> {
        let arena = Bump::new();
        let unmatched = RefCell::default();
        let contexts = self.contexts(&arena, &unmatched);
        let run = Evaluator::new(&self.graph, &self.tables, &contexts, &arena, batch, 0);
        run.select(row, Default::default());
        run.text(self.sku).map(str::to_owned)
    }

    /// The keys of each row of a batch, for bringing products together.
    pub fn row_keys(&self, batch: &Batch) -> Vec<RowKeys> {
        let arena = Bump::new();
        let unmatched = RefCell::default();
        let contexts = self.contexts(&arena, &unmatched);
        let run = Evaluator::new(&self.graph, &self.tables, &contexts, &arena, batch, 0);
        let (key, aliases) = self.keys;
        // Rows are keyed in order, by one thread.
        let mut last = self.last_key.as_ref().and_then(|last| last.lock().ok());
        (0..batch.len())
            .map(|row| {
                run.select(row, Default::default());
                let own = key.and_then(|key| run.text(key));
                let hash = |key: &str| xxh3_128(key.as_bytes());
                let own = match (&mut last, own) {
                    (Some(last), Some(own)) => {
                        **last = Some(own.to_owned());
                        Some(hash(own))
                    }
                    (Some(last), None) => last.as_deref().map(hash),
                    (None, own) => own.map(hash),
                };
                RowKeys {
                    key: own,
                    aliases: aliases
                        .and_then(|aliases| run.value(aliases).ok())
                        .map(|value| list_of(value).map(|key| xxh3_128(key.as_bytes())).collect())
                        .unwrap_or_default(),
                }
            })
            .collect()
    }
}

fn list_of(value: Value<'_>) -> impl Iterator<Item = &str> {
    value
        .elements()
        .flat_map(|element| element.split('|'))
        .map(str::trim)
        .filter(|element| !element.is_empty())
}
