//! The command line: arguments as typed, and one file a subcommand.

mod all_ready;
pub mod audit;
pub mod build;
pub mod channel;
pub mod check;
pub mod completions;
pub mod connector;
pub mod dead_letters;
pub mod diff;
pub mod doctor;
pub mod exit;
pub mod explain;
pub mod history;
pub mod init;
mod interrupt;
mod kept;
pub mod pause;
pub mod preview;
pub mod publish;
pub mod schema;
pub mod show;
pub mod status;
pub mod stock;
pub mod sync;
mod synced;
mod watching;

use std::cell::RefCell;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::env;
use crate::pipeline::Failure;
use crate::term::Shell;

/// One catalog in, every channel's feed out.
#[derive(Debug, Parser)]
#[command(name = "shelfcast", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub struct Global {
    /// The project's folder
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub project: PathBuf,
    /// Output for programs: JSON Lines
    #[arg(long, global = true)]
    pub json: bool,
    /// Say only what is wrong
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_parser = ["auto", "always", "never"])]
    pub color: String,
    /// Show no progress bar
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// How many threads work; the machine's cores by default
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// The run's moment, such as 2026-11-27T08:00:00+07:00; now by default
    #[arg(long, global = true, value_name = "TIME", env = "SHELFCAST_NOW")]
    pub now: Option<String>,
    /// Variables of the environment, one `NAME=value` a line, from a file that is yours alone (mode 0600)
    #[arg(long, global = true, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// Do all of it but the last step: write and send nothing
    #[arg(long, global = true)]
    pub dry_run: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a project folder
    Init(init::Init),
    /// Build feeds into out/
    Build(build::Build),
    /// Check feeds without writing them
    Check(check::Check),
    /// Show what would change at the channels since the last publication
    Plan(publish::Plan),
    /// Build feeds, hold them against gates, deliver them, prove that they stand
    Publish(publish::Publish),
    /// Put an earlier version back, and pin the feed to it
    Rollback(publish::Rollback),
    /// Bring the stock of online stores in step with that of the shops
    Sync(sync::Sync),
    /// Show one SKU at the online stores: every term, what was taken, what is on its way
    Stock(stock::Stock),
    /// Levels that failed for good: show them, try them again, let them be
    DeadLetters(dead_letters::DeadLetters),
    /// Stop a sync: nothing is sent from the next batch on
    Pause(pause::Pause),
    /// Let a paused sync go on
    Resume(pause::Resume),
    /// Try a store's connector
    Connector(connector::Connector),
    /// Show one variant as the channels will get it
    Preview(preview::Preview),
    /// Say how a variant's attributes or its level at a store come about, or what a rule means
    Explain(preview::Explain),
    /// Say why a variant is not in a feed, and what would admit it
    WhyNot(preview::WhyNot),
    /// List the versions that are kept, or let the oldest go
    History(history::History),
    /// Show one kept version, or write its files somewhere
    Show(show::Show),
    /// Say what changed at a channel between two kept versions
    Diff(diff::Diff),
    /// Say where published feeds contradict each other, or who did what
    Audit(audit::Audit),
    /// Say how old each published feed is, how each sync stands, and what waits for somebody
    Status(status::Status),
    /// Check that everything that is kept is whole
    Doctor(doctor::Doctor),
    /// Look at channels, write and test them
    Channel(channel::Channel),
    /// Print a JSON Schema, for editors
    Schema(schema::Schema),
    /// Print completions for a shell
    Completions(completions::Completions),
    /// Print the manual's page
    Man(completions::Man),
}

impl Global {
    /// The shell these flags ask for.
    pub fn shell(&self) -> Shell {
        Shell::new(
            &self.color,
            self.quiet,
            self.verbose,
            self.json,
            self.no_progress,
        )
    }

    /// How many threads work.
    pub fn threads(&self) -> usize {
        self.threads.map_or_else(
            || std::thread::available_parallelism().map_or(1, usize::from),
            usize::from,
        )
    }

    /// The run's moment: `--now`, `SOURCE_DATE_EPOCH`, or now.
    ///
    /// # Errors
    /// A time that cannot be read.
    pub fn now(&self, timezone: &str) -> Result<jiff::Timestamp, Failure> {
        if let Some(text) = &self.now {
            let zone = jiff::tz::TimeZone::get(timezone).unwrap_or(jiff::tz::TimeZone::UTC);
            let rules = crate::model::date::DateRules {
                zone: &zone,
                order: None,
                thai: false,
                end: false,
            };
            let moment = crate::model::date::parse(text, &rules);
            return moment.map(|moment| moment.at).map_err(|problem| {
                Failure::configuration("--now", problem.message(text), problem.hint())
            });
        }
        if let Some(seconds) = env::get("SOURCE_DATE_EPOCH") {
            let moment = seconds
                .parse()
                .ok()
                .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
            return moment.ok_or_else(|| {
                Failure::configuration(
                    "SOURCE_DATE_EPOCH",
                    format!("`{seconds}` is no time"),
                    "it is a number of seconds since 1970",
                )
            });
        }
        Ok(crate::clock::now())
    }
}

/// Parses the arguments and runs the command; the exit code.
pub fn main() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            // A closed pipe is no error.
            drop(error.print());
            return code;
        }
    };
    let loaded = cli.global.env_file.as_deref().map_or(Ok(()), env::load);
    let shell = cli.global.shell();
    let ended = loaded
        .map_err(|error| Failure::from(error).into())
        .and_then(|()| run(&cli, &shell));
    let code = match &ended {
        Ok(code) => *code,
        Err(error) => exit_of(error),
    };
    if let Err(error) = &ended {
        remember(match error.downcast_ref::<Failure>() {
            Some(failure) => crate::report::json::failed(failure),
            None => crate::report::json::done(code),
        });
    }
    if code != exit::DONE && cli.command.is_a_job() {
        notify(&cli, &shell);
    }
    match ended {
        Ok(code) => code,
        Err(error) => {
            tell(&shell, &error);
            if shell.json {
                let line = match error.downcast_ref::<Failure>() {
                    Some(failure) => crate::report::json::failed(failure),
                    None => crate::report::json::done(exit_of(&error)),
                };
                drop(shell.data(|out| writeln!(out, "{line}")));
            }
            exit_of(&error)
        }
    }
}

thread_local! {
    /// How the command ended, for whoever is notified.
    static ENDED: RefCell<Option<serde_json::Value>> = const { RefCell::new(None) };
}

/// Keeps a command's summary for whoever is notified.
fn remember(summary: serde_json::Value) {
    ENDED.with(|ended| *ended.borrow_mut() = Some(summary));
}

/// Tells whom the project names that a job did not end well. That this fails is said, and changes nothing else.
fn notify(cli: &Cli, shell: &Shell) {
    let Ok(project) = crate::config::Project::load(&cli.global.project) else {
        return;
    };
    let (Some(notify), false) = (&project.notify, cli.global.dry_run) else {
        return;
    };
    let mut summary = ENDED
        .with(|ended| ended.borrow_mut().take())
        .unwrap_or_default();
    summary["command"] = cli.command.name().into();
    summary["shop"] = project.shop.name.as_str().into();
    summary["at"] = crate::clock::now().to_string().into();
    if let Err(message) = crate::notify::tell(notify, &project.folder, &summary) {
        shell.error(&message, "nobody was told how the run ended");
    }
}

impl Command {
    /// What runs unattended, and whose failure somebody should hear of.
    fn is_a_job(&self) -> bool {
        matches!(
            self,
            Command::Build(_) | Command::Publish(_) | Command::Rollback(_) | Command::Sync(_)
        )
    }

    fn name(&self) -> &'static str {
        match self {
            Command::Build(_) => "build",
            Command::Publish(_) => "publish",
            Command::Rollback(_) => "rollback",
            Command::Sync(_) => "sync",
            _ => "",
        }
    }
}

fn run(cli: &Cli, shell: &Shell) -> anyhow::Result<u8> {
    let global = &cli.global;
    let writes = matches!(
        cli.command,
        Command::Init(_)
            | Command::Channel(_)
            | Command::History(_)
            | Command::Show(_)
            | Command::DeadLetters(_)
            | Command::Pause(_)
            | Command::Resume(_)
    );
    if global.dry_run && writes {
        return Err(Failure::configuration(
            "--dry-run",
            "this command has no dry run",
            "`build`, `plan`, `publish`, `rollback` and `sync` have one",
        )
        .into());
    }
    Ok(match &cli.command {
        Command::Init(init) => init.run(global, shell)?,
        Command::Build(build) => build.run(global, shell)?,
        Command::Check(check) => check.run(global, shell)?,
        Command::Plan(plan) => plan.run(global, shell)?,
        Command::Publish(publish) => publish.run(global, shell)?,
        Command::Rollback(rollback) => rollback.run(global, shell)?,
        Command::Sync(sync) => sync.run(global, shell)?,
        Command::Stock(stock) => stock.run(global, shell)?,
        Command::DeadLetters(letters) => letters.run(global, shell)?,
        Command::Pause(pause) => pause.run(global, shell)?,
        Command::Resume(resume) => resume.run(global, shell)?,
        Command::Connector(connector) => connector.run(global, shell)?,
        Command::Preview(preview) => preview.run(global, shell)?,
        Command::Explain(explain) => explain.run(global, shell)?,
        Command::WhyNot(why) => why.run(global, shell)?,
        Command::History(history) => history.run(global, shell)?,
        Command::Show(show) => show.run(global, shell)?,
        Command::Diff(diff) => diff.run(global, shell)?,
        Command::Audit(audit) => audit.run(global, shell)?,
        Command::Status(status) => status.run(global, shell)?,
        Command::Doctor(doctor) => doctor.run(global, shell)?,
        Command::Channel(channel) => channel.run(global, shell)?,
        Command::Schema(schema) => schema.run(shell)?,
        Command::Completions(completions) => completions.run(shell)?,
        Command::Man(man) => man.run(shell)?,
    })
}

/// The exit code of an error: what a failure says of itself; anything else is the machine's own.
fn exit_of(error: &anyhow::Error) -> u8 {
    error
        .downcast_ref::<Failure>()
        .map_or(exit::DISK, Failure::exit)
}

/// Says what went wrong: each thing with its way out, or cause under cause.
fn tell(shell: &Shell, error: &anyhow::Error) {
    match error.downcast_ref::<Failure>() {
        Some(failure) => {
            for (message, hint) in failure.messages() {
                shell.error(&message, &hint);
            }
        }
        None => {
            let mut text = error.to_string();
            for cause in error.chain().skip(1) {
                text.push_str(&format!("\n  caused by: {cause}"));
            }
            shell.error(&text, "");
        }
    }
}
