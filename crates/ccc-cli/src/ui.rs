//! What the person sees.
//!
//! Rules: results go to standard output; everything else goes to standard error; a message has a prefix
//! (`error:`, `hint:`, `note:`), starts in lower case and has no full stop; progress appears only where
//! standard error is a terminal; colour only there, and never with `NO_COLOR`.

use crate::error::{Error, Exit};
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

/// How this run speaks.
pub(crate) struct Ui {
    json: bool,
    quiet: bool,
    colour: bool,
}

/// What a verb answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Done, or yes.
    Done,
    /// Everything worked, and the answer is no.
    No,
}

impl Answer {
    /// 0 or 1.
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::from(Exit::Done as u8),
            Self::No => ExitCode::from(Exit::No as u8),
        }
    }
}

impl Ui {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self { json, quiet, colour }
    }

    /// Prints the result: the lines for a person, or the object with `--json`.
    ///
    /// A reader that closed the pipe has seen enough: that is no error.
    pub(crate) fn result(&self, lines: &[String], object: &serde_json::Value) {
        let text = if self.json { object.to_string() } else { lines.join("\n") };
        if !text.is_empty() && (self.json || !self.quiet) {
            let _closed_pipe = writeln!(std::io::stdout(), "{text}");
        }
    }

    /// One line of a result that grows while the work goes on; nothing with `--json` or `--quiet`.
    pub(crate) fn text(&self, line: &str) {
        if !self.json && !self.quiet {
            let _closed_pipe = writeln!(std::io::stdout(), "{line}");
        }
    }

    /// One line on standard error about something that the person should know.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet && !self.json {
            self.line("note:", AnsiColor::Cyan, text);
        }
    }

    /// Prints an error with its hint, as lines or as one object, and gives its exit code.
    pub(crate) fn failure(&self, error: &Error) -> ExitCode {
        let parts = error.parts();
        if self.json {
            let object = serde_json::json!({
                "code": parts.code, "exit": parts.exit as u8, "error": one_line(&error.to_string()), "hint": parts.hint,
            });
            let _closed_pipe = writeln!(std::io::stderr(), "{object}");
        } else {
            self.line("error:", AnsiColor::Red, &error.to_string());
            self.line("hint:", AnsiColor::Green, parts.hint);
        }
        ExitCode::from(parts.exit as u8)
    }

    /// A bar over `steps` steps; silent unless standard error is a terminal.
    pub(crate) fn progress(&self, steps: u64, what: &'static str) -> ProgressBar {
        let shown = !self.quiet && !self.json && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(steps), target).with_message(what);
        match ProgressStyle::with_template("{msg} [{bar:24}] {pos}/{len}") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    fn line(&self, prefix: &str, colour: AnsiColor, text: &str) {
        let style = if self.colour { Style::new().bold().fg_color(Some(colour.into())) } else { Style::new() };
        let _closed_pipe = writeln!(std::io::stderr(), "{style}{prefix}{style:#} {}", one_line(text));
    }
}

/// Prints what clap says about the arguments; with `--json` anywhere among them, as one object.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let object = serde_json::json!({
            "code": "usage", "exit": Exit::CouldNot as u8, "error": first, "hint": "`ccc help VERB` shows the arguments",
        });
        let _closed_pipe = writeln!(std::io::stderr(), "{object}");
    } else {
        let _closed_pipe = error.print();
    }
    ExitCode::from(if error.use_stderr() { Exit::CouldNot as u8 } else { Exit::Done as u8 })
}

/// The text on one line, without control characters: a file or a server must not steer the terminal.
fn one_line(text: &str) -> String {
    text.split(['\n', '\r'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn messages_stay_on_one_line_and_cannot_steer_the_terminal() {
        assert_eq!(one_line("a\n  b\r\n"), "a; b");
        assert_eq!(one_line("\u{1b}[31mred"), "\u{fffd}[31mred");
    }
}
