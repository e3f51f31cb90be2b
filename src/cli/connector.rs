//! `connector test`: what a connector must do before a sync is trusted to it, tried at a real address.

use std::time::Duration;

use clap::{Args, Subcommand};
use indexmap::IndexMap;
use serde_json::json;

use crate::config::sync::Store;
use crate::config::{Project, toml_file};
use crate::pipeline::Failure;
use crate::program::nearest::near;
use crate::report::json;
use crate::report::sync::contract as report;
use crate::sync::check;
use crate::sync::connector::Connector as Client;
use crate::sync::contract::{self, Trial};
use crate::term::Shell;

use super::kept::unwritten;
use super::{Global, exit};

/// How long the suite may take.
const DEADLINE: Duration = Duration::from_secs(600);

/// `connector`.
#[derive(Debug, Args)]
pub struct Connector {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Try a connector at a store: look-up, reading, one write there and back, repeats, compare-and-set, a batch
    Test(Test),
}

#[derive(Debug, Args)]
struct Test {
    /// A store of the project, or a connector
    name: String,
    /// Where the store is; of a store of the project, in place of its own
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// A SKU whose level is changed by one and put back; two or more try batches
    #[arg(long, value_name = "SKU", required = true)]
    sku: Vec<String>,
    /// The store's id of the location, where it has locations
    #[arg(long, value_name = "ID", default_value = "")]
    place: String,
    /// A secret by reference, such as token=env:SHOP_TOKEN
    #[arg(long, value_name = "NAME=REFERENCE", value_parser = pair)]
    secret: Vec<(String, String)>,
    /// A setting of the connector, such as shop=baan-design
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    setting: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write NAME=VALUE, without spaces around `=`")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A project where there is none: a connector needs a shop's currency and country.
const NO_PROJECT: &str = r#"
[shop]
name = "shop"
url = "https://shop.example"
currency = "EUR"
language = "en"
country = "DE"
"#;

impl Connector {
    /// Runs it; the exit code: 1 where the connector is not admitted.
    ///
    /// # Errors
    /// A connector, setting or secret that does not do.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        match &self.what {
            What::Test(test) => test.run(global, shell),
        }
    }
}

impl Test {
    fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        if global.dry_run {
            return Err(Failure::configuration(
                "--dry-run",
                "this command has no dry run: it writes, and puts back",
                "name SKUs whose level may be off by one for a moment",
            ));
        }
        let mut project = match global.project.join("shelfcast.toml").is_file() {
            true => Project::load(&global.project)?,
            false => {
                let mut project: Project = toml_file::parse("shelfcast.toml", NO_PROJECT)?;
                project.folder.clone_from(&global.project);
                project
            }
        };
        let store = self.store(&project)?;
        project.sync.clear();
        project.store = vec![store.clone()];
        check::check(&project)?;
        // Keys are made of it: whatever `--now` says, no two trials have the same.
        let now = crate::clock::now().as_microsecond();
        let run = format!("test-{now}-{}", std::process::id());
        let mut client = Client::open(&project, &store, &run, Some(DEADLINE), None)?;
        let trial = Trial {
            skus: &self.sku,
            place: &self.place,
            run: &run,
        };
        let findings = contract::admit(&mut client, &trial);
        let code = match report::is_admitted(&findings) {
            true => exit::DONE,
            false => exit::DATA,
        };
        shell
            .data(|out| {
                if !shell.json {
                    return report::write(shell, &store.connector, &findings, out);
                }
                for finding in &findings {
                    writeln!(out, "{}", report::line(&store.connector, finding))?;
                }
                let mut summary = json::done(code);
                summary["connector"] = json!(store.connector);
                summary["address"] = json!(client.address());
                summary["clauses"] = json!(findings.len());
                writeln!(out, "{summary}")
            })
            .map(|()| code)
            .map_err(unwritten)
    }

    /// The store that is tried: the project's, or one made of the flags.
    fn store(&self, project: &Project) -> Result<Store, Failure> {
        let own = project.store.iter().find(|store| store.name == self.name);
        let mut store = match own {
            Some(store) => store.clone(),
            None => Store {
                name: "tried".to_owned(),
                connector: self.name.clone(),
                url: None,
                currency: None,
                settings: IndexMap::new(),
                secrets: IndexMap::new(),
            },
        };
        if own.is_none() {
            let connector = check::connector(&store);
            let all = crate::channel::names(Some(&project.folder));
            if !all.contains(&connector) {
                let stores = project.store.iter().map(|store| store.name.as_str());
                let connectors: Vec<String> = all
                    .iter()
                    .filter_map(|one| check::connector_of(one))
                    .collect();
                let known = stores.chain(connectors.iter().map(String::as_str));
                let hint = near(&self.name, known).unwrap_or_else(|| {
                    "`shelfcast channel list` shows connectors: those that end in `-stock`"
                        .to_owned()
                });
                return Err(Failure::configuration(
                    "connector test",
                    format!(
                        "`{}` is neither a [[store]] here nor a connector",
                        self.name
                    ),
                    hint,
                ));
            }
        }
        if let Some(url) = &self.url {
            store.url = Some(url.clone());
        }
        store.secrets.extend(self.secret.iter().cloned());
        let settings = self.setting.iter().cloned();
        store
            .settings
            .extend(settings.map(|(name, value)| (name, toml::Value::String(value))));
        Ok(store)
    }
}
