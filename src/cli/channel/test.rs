//! `channel test`: golden cases rendered and compared, or rewritten.

use clap::Args;
use serde_json::json as object;

use crate::channel::golden::{self, Case, Mismatch};
use crate::cli::{Global, exit};
use crate::pipeline::Failure;
use crate::program::nearest::near;
use crate::report::json;
use crate::term::Shell;

use super::{chosen, unwritten};

/// `channel test`.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Channels to test; all by default
    channels: Vec<String>,
    /// Rewrite the expected files with what is made now; read the changes like code
    #[arg(long)]
    update: bool,
}

#[derive(Default)]
struct Tally {
    passed: usize,
    changed: usize,
    failed: usize,
    broken: bool,
}

impl Test {
    /// Runs it; 1 when a case is not as expected, 2 when one cannot be rendered.
    ///
    /// # Errors
    /// An unknown channel; folders that cannot be read or written.
    pub(super) fn run(&self, global: &Global, shell: &Shell) -> Result<u8, Failure> {
        let mut tally = Tally::default();
        for channel in chosen(&self.channels, global)? {
            let cases = golden::cases(&global.project, &channel)?;
            if cases.is_empty() {
                tally.failed += 1;
                no_case(shell, &channel)?;
            }
            for case in cases {
                self.case(&case, global, shell, &mut tally)?;
            }
        }
        if self.channels.is_empty() {
            let known = crate::channel::names(Some(&global.project));
            for folder in golden::channels(&global.project)?
                .into_iter()
                .filter(|folder| !known.contains(folder))
            {
                tally.failed += 1;
                let message = format!(
                    "there are cases in {}/{folder}, and no such channel",
                    golden::FOLDER
                );
                let near = near(&folder, known.iter().map(String::as_str));
                failed(
                    shell,
                    &folder,
                    &message,
                    &near.unwrap_or_else(|| "take them out, or bring its manifest back".to_owned()),
                )?;
            }
        }
        let code = if tally.broken {
            exit::CONFIGURATION
        } else if tally.failed > 0 {
            exit::DATA
        } else {
            exit::DONE
        };
        let Tally {
            passed,
            changed,
            failed,
            ..
        } = tally;
        if shell.json {
            let mut line = json::done(code);
            (line["passed"], line["updated"], line["failed"]) =
                (object!(passed), object!(changed), object!(failed));
            shell
                .data(|out| writeln!(out, "{line}"))
                .map_err(unwritten)?;
        } else {
            let rewritten = if changed > 0 {
                format!(", {changed} rewritten")
            } else {
                String::new()
            };
            shell
                .data(|out| writeln!(out, "cases: {passed} passed{rewritten}, {failed} failed"))
                .map_err(unwritten)?;
            if failed > 0 && !self.update {
                shell.say("hint: where the new output is right, `shelfcast channel test --update` makes it the expected one");
            }
        }
        Ok(code)
    }

    fn case(
        &self,
        case: &Case,
        global: &Global,
        shell: &Shell,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        let rendered = match case.render(&global.project, &json::finding) {
            Ok(rendered) => rendered,
            Err(failure @ Failure::Disk(_)) => return Err(failure),
            Err(failure) => {
                tally.failed += 1;
                tally.broken = true;
                return impossible(shell, case, &failure);
            }
        };
        if self.update {
            let changed = case.update(&rendered)?;
            if changed == 0 {
                tally.passed += 1;
            } else {
                tally.changed += 1;
                tell(shell, case, "updated", &[])?;
            }
            return Ok(());
        }
        let wrong = case.compare(&rendered);
        if wrong.is_empty() {
            tally.passed += 1;
            tell(shell, case, "ok", &[])
        } else {
            tally.failed += 1;
            tell(shell, case, "failed", &wrong)
        }
    }
}

fn no_case(shell: &Shell, channel: &str) -> Result<(), Failure> {
    let message = format!("channel `{channel}` has no case");
    let hint = format!(
        "make a folder {}/{channel}/plain with a catalog.csv, then `shelfcast channel test {channel} --update`",
        golden::FOLDER
    );
    failed(shell, channel, &message, &hint)
}

fn failed(shell: &Shell, channel: &str, message: &str, hint: &str) -> Result<(), Failure> {
    if shell.json {
        let line = object!({ "type": "case", "channel": channel, "status": "failed", "problems": [{ "message": message, "hint": hint }] });
        return shell.data(|out| writeln!(out, "{line}")).map_err(unwritten);
    }
    shell
        .data(|out| {
            writeln!(
                out,
                "{} {channel}: {message}\n  hint: {hint}",
                shell.red("FAIL")
            )
        })
        .map_err(unwritten)
}

fn impossible(shell: &Shell, case: &Case, failure: &Failure) -> Result<(), Failure> {
    if shell.json {
        let problems: Vec<_> = failure
            .messages()
            .into_iter()
            .map(|(message, hint)| object!({ "message": message, "hint": hint }))
            .collect();
        let line = object!({ "type": "case", "channel": case.channel, "case": case.name, "status": "failed", "problems": problems });
        return shell.data(|out| writeln!(out, "{line}")).map_err(unwritten);
    }
    let mut text = format!(
        "{} {}: cannot be rendered\n",
        shell.red("FAIL"),
        case.title()
    );
    for (message, hint) in failure.messages() {
        text.push_str(&format!("  {}\n", shell.clean(&message)));
        if !hint.is_empty() {
            text.push_str(&format!("    hint: {}\n", shell.clean(&hint)));
        }
    }
    shell
        .data(|out| out.write_all(text.as_bytes()))
        .map_err(unwritten)
}

fn tell(shell: &Shell, case: &Case, status: &str, wrong: &[Mismatch]) -> Result<(), Failure> {
    if shell.json {
        let problems: Vec<_> = wrong
            .iter()
            .map(|one| object!({ "file": one.file, "message": one.message, "diff": one.diff }))
            .collect();
        let line = object!({ "type": "case", "channel": case.channel, "case": case.name, "status": status, "problems": problems });
        return shell.data(|out| writeln!(out, "{line}")).map_err(unwritten);
    }
    if status == "ok" && shell.verbose == 0 {
        return Ok(());
    }
    let word = if wrong.is_empty() {
        shell.green(status)
    } else {
        shell.red("FAIL")
    };
    let mut text = format!("{word} {}\n", case.title());
    for one in wrong {
        text.push_str(&format!("  {}: {}\n", one.file, one.message));
        for line in one.diff.lines() {
            let clean = shell.clean(line);
            let painted = match line.chars().next() {
                Some('+') => shell.green(&clean),
                Some('-') => shell.red(&clean),
                _ => clean,
            };
            text.push_str(&format!("    {painted}\n"));
        }
    }
    shell
        .data(|out| out.write_all(text.as_bytes()))
        .map_err(unwritten)
}
