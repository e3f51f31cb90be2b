//! `init`: a new project, empty, with a sample, or from a merchant's own export.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::init::{self, Made};
use crate::pipeline::Failure;
use crate::term::Shell;

use super::Global;

/// `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The project's folder; made where it is not there
    dir: PathBuf,
    /// With a small sample catalog, so that `build` works at once
    #[arg(long, conflicts_with = "from")]
    sample: bool,
    /// Look at a merchant's own export and propose the mapping; the file stays where it is
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// The sheet of a workbook that holds the products
    #[arg(long, value_name = "NAME", requires = "from")]
    sheet: Option<String>,
}

impl Init {
    /// Runs it; the exit code.
    ///
    /// # Errors
    /// A project that is there already, an export that cannot be read or holds no products.
    pub fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let made = match &self.from {
            Some(export) => {
                init::from(&self.dir, export, self.sheet.as_deref(), global.now("UTC")?)?
            }
            None => init::new(&self.dir, self.sample)?,
        };
        let printed = if shell.json {
            print_json(&made, shell)
        } else {
            self.print(&made, shell)
        };
        printed
            .map_err(|error| Failure::Disk(format!("cannot write to standard output: {error}")))?;
        Ok(super::exit::DONE)
    }

    fn print(&self, made: &Made, shell: &Shell) -> std::io::Result<()> {
        let folder = self.dir.display();
        shell.data(|out| {
            if let Some(proposal) = &made.proposal {
                let (records, more) = proposal.records;
                let more = if more { "the first " } else { "" };
                writeln!(out, "looked at {more}{records} records")?;
                if let Some(preset) = proposal.preset {
                    writeln!(out, "layout: {} (preset `{}`)", preset.title, preset.name)?;
                    writeln!(out, "        {}", preset.about)?;
                }
                table(shell, made, out)?;
                for note in &proposal.notes {
                    writeln!(out, "note: {}", shell.clean(note))?;
                }
                writeln!(out)?;
                for feed in &made.feeds {
                    let state = if feed.kept {
                        "writes"
                    } else {
                        "is left out for now: it would write"
                    };
                    writeln!(
                        out,
                        "feed `{}` ({}) {state} {} of {} records",
                        feed.name, feed.channel, feed.written, feed.admitted
                    )?;
                }
                if !proposal.asks.is_empty() {
                    writeln!(out, "\n{}", shell.bold("could not be guessed:"))?;
                    for ask in &proposal.asks {
                        writeln!(
                            out,
                            "  - {}\n    write: {}",
                            shell.clean(&ask.what),
                            ask.write
                        )?;
                    }
                }
                writeln!(out)?;
            }
            writeln!(out, "made {folder}: {}", made.files.join(", "))?;
            writeln!(out, "next: shelfcast build --project {folder}")
        })
    }
}

/// Our column, theirs, how sure, why.
fn table(shell: &Shell, made: &Made, out: &mut dyn Write) -> std::io::Result<()> {
    let Some(proposal) = &made.proposal else {
        return Ok(());
    };
    let facts = [
        ("[shop] currency", &proposal.currency),
        ("[shop] language", &proposal.language),
        ("[shop] url", &proposal.url),
    ];
    let mut rows: Vec<[String; 4]> = vec![[
        "ours".to_owned(),
        "theirs".to_owned(),
        "sure".to_owned(),
        "why".to_owned(),
    ]];
    for guess in &proposal.guesses {
        rows.push([
            guess.ours.to_owned(),
            shell.clean(&guess.theirs),
            format!("{} %", guess.confidence),
            shell.clean(&guess.why),
        ]);
    }
    for (ours, value, why) in &proposal.defaults {
        rows.push([
            (*ours).to_owned(),
            format!("always {value}"),
            "-".to_owned(),
            why.clone(),
        ]);
    }
    if let Some(encoding) = &proposal.encoding {
        rows.push([
            "encoding".to_owned(),
            encoding.value.clone(),
            "80 %".to_owned(),
            encoding.proof.clone().unwrap_or_default(),
        ]);
    }
    if let Some(locale) = &proposal.locale {
        rows.push([
            "locale".to_owned(),
            locale.value.clone(),
            "90 %".to_owned(),
            locale.proof.clone().unwrap_or_default(),
        ]);
    }
    for (name, fact) in facts {
        let sure = if fact.proof.is_some() { "80 %" } else { "?" };
        let why = fact
            .proof
            .clone()
            .unwrap_or_else(|| "a placeholder: check it".to_owned());
        rows.push([name.to_owned(), fact.value.clone(), sure.to_owned(), why]);
    }
    let width = |place: usize| {
        rows.iter()
            .map(|row| row[place].chars().count())
            .max()
            .unwrap_or(0)
            .min(40)
    };
    let (first, second, third) = (width(0), width(1), width(2));
    for row in &rows {
        writeln!(
            out,
            "{:first$}  {:second$}  {:>third$}  {}",
            row[0], row[1], row[2], row[3]
        )?;
    }
    Ok(())
}

fn print_json(made: &Made, shell: &Shell) -> std::io::Result<()> {
    shell.data(|out| {
        if let Some(proposal) = &made.proposal {
            for guess in &proposal.guesses {
                let line = serde_json::json!({"type": "mapping", "ours": guess.ours, "theirs": guess.theirs, "mapping": guess.mapping, "confidence": guess.confidence, "why": guess.why});
                writeln!(out, "{line}")?;
            }
            for feed in &made.feeds {
                let line = serde_json::json!({"type": "trial", "feed": feed.name, "channel": feed.channel, "kept": feed.kept, "written": feed.written, "admitted": feed.admitted});
                writeln!(out, "{line}")?;
            }
            for note in &proposal.notes {
                writeln!(out, "{}", serde_json::json!({"type": "note", "text": note}))?;
            }
            for ask in &proposal.asks {
                let line = serde_json::json!({"type": "ask", "what": ask.what, "write": ask.write});
                writeln!(out, "{line}")?;
            }
        }
        writeln!(out, "{}", serde_json::json!({"type": "summary", "ok": true, "exit": 0, "files": made.files, "preset": made.proposal.as_ref().and_then(|proposal| proposal.preset.map(|preset| &preset.name))}))
    })
}
