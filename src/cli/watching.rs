//! What a command hears of a run: findings and remarks collected for people, findings as lines for programs, rows for the
//! supplier, progress.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use tempfile::SpooledTempFile;

use crate::pipeline::{Failure, Observer};
use crate::report::human::Collected;
use crate::report::json;
use crate::report::supplier::SupplierFile;
use crate::report::text::thousands;
use crate::term::Shell;
use crate::validate::finding::Finding;

/// Bytes of findings for programs that wait in memory; more of them wait in a temporary file.
const WAITING_BYTES_MAX: usize = 4 << 20;

/// What is asked of the findings.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// The rules that count; empty is all.
    pub(super) rules: Vec<&'static str>,
    /// Where the supplier's file goes.
    pub(super) supplier: Option<PathBuf>,
    /// How many examples of a rule are kept, where more are wanted than are printed.
    pub(super) examples: Option<usize>,
}

/// What is seen of a run on a terminal while it works.
fn bar() -> ProgressBar {
    let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        // A bar that cannot be drawn is left as it is.
        out.write_str(&thousands(state.per_sec() as u64))
            .unwrap_or_default();
    };
    let style =
        ProgressStyle::with_template("{spinner} {human_pos} records, {rate} a second, {elapsed}");
    let style = style.expect("the template is one").with_key("rate", rate);
    ProgressBar::new_spinner().with_style(style)
}

/// Hears a run.
pub(super) struct Watching<'s> {
    shell: &'s Shell,
    rules: Vec<&'static str>,
    collected: Collected,
    /// Lines for programs wait until the run is through: it may begin anew, and nothing is told twice.
    lines: Option<SpooledTempFile>,
    supplier: Option<SupplierFile>,
    bar: Option<ProgressBar>,
    broken: Option<Failure>,
}

impl<'s> Watching<'s> {
    /// Begins to listen.
    pub(super) fn new(asked: &Asked, shell: &'s Shell) -> Result<Self, Failure> {
        let supplier = match &asked.supplier {
            None => None,
            Some(path) => {
                let made = SupplierFile::create(path);
                Some(made.map_err(|error| {
                    Failure::Disk(format!("cannot write {}: {error}", path.display()))
                })?)
            }
        };
        let bar = shell.progress.then(bar);
        Ok(Watching {
            shell,
            rules: asked.rules.clone(),
            collected: asked
                .examples
                .map_or_else(Collected::new, Collected::keeping),
            lines: shell.json.then(|| SpooledTempFile::new(WAITING_BYTES_MAX)),
            supplier,
            bar,
            broken: None,
        })
    }

    /// Stops listening: lines for programs are printed, the supplier's file stands if the run came through.
    pub(super) fn finish(mut self, through: bool) -> Result<Collected, Failure> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        if let Some(lines) = &mut self.lines {
            let copied = lines.seek(SeekFrom::Start(0)).and_then(|_| {
                self.shell.data(|out| {
                    let mut buffer = vec![0; 64 * 1024];
                    loop {
                        match lines.read(&mut buffer)? {
                            0 => return Ok(()),
                            read => out.write_all(buffer.get(..read).unwrap_or_default())?,
                        }
                    }
                })
            });
            copied.map_err(|error| {
                Failure::Disk(format!("cannot write to standard output: {error}"))
            })?;
        }
        if let Some(supplier) = self.supplier.filter(|_| through) {
            supplier.commit().map_err(|error| {
                Failure::Disk(format!("cannot write the supplier's file: {error}"))
            })?;
        }
        Ok(self.collected)
    }

    fn note(&mut self, what: &str, result: io::Result<()>) {
        if let Err(error) = result
            && self.broken.is_none()
        {
            self.broken = Some(Failure::Disk(format!("cannot write {what}: {error}")));
        }
    }
}

impl Observer for Watching<'_> {
    fn finding(&mut self, finding: &Finding) {
        if self.broken.is_some() || !self.rules.is_empty() && !self.rules.contains(&finding.rule) {
            return;
        }
        self.collected.finding(finding);
        if let Some(lines) = &mut self.lines {
            let written = writeln!(lines, "{}", json::finding(finding));
            self.note("findings to a temporary file", written);
        }
        if let Some(supplier) = &mut self.supplier {
            let written = supplier.add(finding);
            self.note("the supplier's file", written);
        }
    }

    fn remark(&mut self, remark: &str) {
        self.collected.remark(remark);
    }

    fn restart(&mut self) {
        self.collected.restart();
        if let Some(lines) = &mut self.lines {
            *lines = SpooledTempFile::new(WAITING_BYTES_MAX);
        }
        if let Some(supplier) = &mut self.supplier {
            let begun = supplier.restart();
            self.note("the supplier's file", begun);
        }
    }

    fn progress(&mut self, records: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(records);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::finding::Severity;

    fn finding(rule: &'static str) -> Finding {
        Finding {
            rule,
            severity: Severity::Warning,
            feed: None,
            sku: None,
            source: "catalog.csv".to_owned(),
            line: 1,
            column: String::new(),
            message: "m".to_owned(),
            hint: String::new(),
        }
    }

    #[test]
    fn only_the_rules_asked_for_count_and_a_run_begun_anew_tells_nothing_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let supplier = folder.path().join("findings.csv");
        let shell = Shell {
            colour: false,
            quiet: true,
            verbose: 0,
            json: false,
            progress: false,
        };
        let asked = Asked {
            rules: vec!["cut"],
            supplier: Some(supplier.clone()),
            examples: None,
        };
        let mut watching = Watching::new(&asked, &shell).expect("listening");
        watching.finding(&finding("cut"));
        watching.finding(&finding("cut"));
        watching.restart();
        watching.finding(&finding("cut"));
        watching.finding(&finding("unmapped"));
        let collected = watching.finish(true).expect("heard");
        assert_eq!(collected.counts(), (0, 1));
        assert_eq!(
            std::fs::read_to_string(supplier)
                .expect("written")
                .lines()
                .count(),
            2
        );
    }

    #[test]
    fn a_run_that_fails_leaves_the_old_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let supplier = folder.path().join("findings.csv");
        crate::write::atomic::write(&supplier, b"old").expect("written");
        let shell = Shell {
            colour: false,
            quiet: true,
            verbose: 0,
            json: false,
            progress: false,
        };
        let asked = Asked {
            supplier: Some(supplier.clone()),
            ..Asked::default()
        };
        let mut watching = Watching::new(&asked, &shell).expect("listening");
        watching.finding(&finding("cut"));
        watching.finish(false).expect("heard");
        assert_eq!(std::fs::read(&supplier).expect("there"), b"old");
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("a folder").count(),
            1
        );
    }
}
