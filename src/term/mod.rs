//! The terminal: both streams, colour, how much is said.

use std::io::{self, IsTerminal, Write};

use crate::config::env;
pub use crate::model::visible::visible;

/// Where output goes and how it looks.
#[derive(Clone, Debug)]
pub struct Shell {
    /// Whether colour is used.
    pub colour: bool,
    /// Whether talk is left out.
    pub quiet: bool,
    /// How much more is said.
    pub verbose: u8,
    /// Whether output is for programs.
    pub json: bool,
    /// Whether progress is shown.
    pub progress: bool,
}

impl Shell {
    /// A shell for these flags: `colour` is `auto`, `always` or `never`.
    pub fn new(colour: &str, quiet: bool, verbose: u8, json: bool, no_progress: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        let plain = env::get("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::get("TERM").is_some_and(|term| term == "dumb");
        let colour = match colour {
            "always" => true,
            "never" => false,
            _ => terminal && io::stdout().is_terminal() && !plain,
        };
        Shell {
            colour,
            quiet,
            verbose,
            json,
            progress: terminal && !no_progress && !json && !quiet,
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// Text for what is wrong.
    pub fn red(&self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// Text for what is doubtful.
    pub fn yellow(&self, text: &str) -> String {
        self.paint("1;33", text)
    }

    /// Text for what is well.
    pub fn green(&self, text: &str) -> String {
        self.paint("1;32", text)
    }

    /// Text that stands out.
    pub fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Text from data, safe on a terminal: control characters are shown, not sent. Line breaks stay.
    pub fn clean(&self, text: &str) -> String {
        text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
    }

    /// Writes data to standard output. A closed pipe is no error.
    pub fn data(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        match write(&mut out).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Writes a line of talk to standard error.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            // Nobody is left to tell when standard error is closed.
            drop(writeln!(io::stderr().lock(), "{text}"));
        }
    }

    /// Writes what went wrong to standard error, quiet or not.
    pub fn error(&self, message: &str, hint: &str) {
        let mut text = format!("{}: {}", self.red("error"), self.clean(message));
        if !hint.is_empty() {
            text.push_str(&format!("\n  hint: {}", self.clean(hint)));
        }
        drop(writeln!(io::stderr().lock(), "{text}"));
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_sent() {
        assert_eq!(
            visible("\u{1b}[31mred\u{7}\u{9b}2J"),
            "\\u{1b}[31mred\\u{7}\\u{9b}2J"
        );
        assert_eq!(visible("a\r\nb\tc"), "a\\r\\nb\\tc");
        assert_eq!(visible("\u{202e}txt.exe"), "\\u{202e}txt.exe");
    }

    #[test]
    fn writing_is_left_alone() {
        for text in ["ชามตราไก่", "Gốm Sông Hồng", "zażółć", "👩‍👩‍👧", "a\u{200b}b"]
        {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text));
        }
    }
}
