//! Dead letters: what failed for good, why, what the store said last, and the command that tries it again.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::report::text::{count, message, value};
use crate::sync::level::{Level, Line, Standing};
use crate::term::Shell;

use super::{moment, pair, units, word};

/// A dead letter, and the last line of the ledger about it.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// The level.
    pub level: Level,
    /// What the ledger said last.
    pub last: Option<Line>,
}

/// A text as one word of a shell's command.
pub fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./:@%+,".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", value(text).replace('\'', "'\\''"))
}

impl DeadLetter {
    /// The command that does something with it.
    pub fn command(&self, what: &str) -> String {
        format!(
            "shelfcast dead-letters {what} {} --sku {}",
            quoted(&self.level.sync),
            quoted(&self.level.pair.sku)
        )
    }

    /// Its line for programs.
    pub fn line(&self) -> Value {
        let (code, said, since) = reason(&self.level);
        json!({
            "type": "dead-letter",
            "sync": self.level.sync,
            "place": self.level.pair.place,
            "sku": self.level.pair.sku,
            "wanted": self.level.wanted.map(|wanted| wanted.quantity),
            "store_says": self.level.known.map(|known| known.quantity),
            "attempts": self.level.attempts,
            "code": code,
            "message": said,
            "since": since,
            "last": self.last.as_ref().map(|line| json!({
                "at": line.at.to_string(), "what": line.what, "code": line.code, "message": line.message,
            })),
            "retry": self.command("retry"),
        })
    }
}

fn reason(level: &Level) -> (&str, &str, Option<String>) {
    match &level.standing {
        Standing::Dead {
            code,
            message,
            since,
        } => (code, message, Some(since.to_string())),
        _ => ("", "", None),
    }
}

/// Writes dead letters for people.
///
/// # Errors
/// When the output refuses.
pub fn list(
    shell: &Shell,
    letters: &[DeadLetter],
    zone: &TimeZone,
    out: &mut dyn Write,
) -> io::Result<()> {
    for letter in letters {
        let level = &letter.level;
        writeln!(
            out,
            "{}: sync `{}`: wanted {}, the store says {}",
            shell.red(&pair(&level.pair)),
            level.sync,
            units(level.wanted.map(|wanted| wanted.quantity)),
            units(level.known.map(|known| known.quantity)),
        )?;
        if let Standing::Dead {
            code,
            message: said,
            since,
        } = &level.standing
        {
            writeln!(
                out,
                "  since {}, after {}: `{}`: {}",
                moment(*since, zone),
                match level.attempts {
                    1 => "1 try".to_owned(),
                    tries => format!("{tries} tries"),
                },
                message(code),
                message(said)
            )?;
        }
        if let Some(line) = &letter.last {
            writeln!(
                out,
                "  last: {} {}: {}",
                moment(line.at, zone),
                word(line.what),
                message(&line.message)
            )?;
        }
        writeln!(out, "  try again: {}", letter.command("retry"))?;
        writeln!(
            out,
            "  leave it as the store has it: {}",
            letter.command("drop")
        )?;
    }
    writeln!(out, "{}", count(letters.len() as u64, "dead letter"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::level::Pair;

    #[test]
    fn a_command_can_be_copied_whatever_the_sku_is() {
        let letter = |sku: &str| DeadLetter {
            level: Level::new(Pair::new("L1", sku), "web-stock"),
            last: None,
        };
        assert_eq!(
            letter("ชาม-1").command("retry"),
            "shelfcast dead-letters retry web-stock --sku ชาม-1"
        );
        assert_eq!(
            letter("it's; rm -r /").command("drop"),
            "shelfcast dead-letters drop web-stock --sku 'it'\\''s; rm -r /'"
        );
        assert!(!letter("a\u{1b}[2J").command("drop").contains('\u{1b}'));
    }
}
