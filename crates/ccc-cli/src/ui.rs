//! What the person sees.
//!
//! Rules: results go to standard output; everything else goes to standard error; a message has a prefix
//! (`error:`, `hint:`, `note:`), starts in lower case and has no full stop; progress appears only where
//! standard error is a terminal; colour only there, and never with `NO_COLOR`.

mod columns;

pub(crate) use columns::{Side, columns, decimal, short};

use crate::error::{Error, Exit};
use anstyle::{AnsiColor, Style};
use ccc_core::table::{Progress, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

/// How often a step of unknown length shows that it goes on.
const TICK: Duration = Duration::from_millis(100);

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

    /// As [`Self::result`], for what would be lost if it were not printed: `--quiet` does not silence it.
    pub(crate) fn rescue(&self, lines: &[String], object: &serde_json::Value) {
        Self { quiet: false, ..*self }.result(lines, object);
    }

    /// As [`Self::result`], for an object that is large: its text is made where it is printed alone.
    pub(crate) fn answer(&self, lines: &[String], object: impl FnOnce() -> String) {
        let text = if self.json { object() } else { lines.join("\n") };
        let text = text.trim_end();
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

    /// One line on standard error that must outlive the command: `--quiet` does not silence it, and with `--json` it is an
    /// object.
    pub(crate) fn keep(&self, text: &str, object: &serde_json::Value) {
        if self.json {
            let _closed_pipe = writeln!(std::io::stderr(), "{object}");
        } else {
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
            self.line("hint:", AnsiColor::Green, &parts.hint);
        }
        ExitCode::from(parts.exit as u8)
    }

    /// A bar over `steps` steps; silent unless standard error is a terminal.
    pub(crate) fn progress(&self, steps: u64, what: &'static str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(steps), self.progress_target()).with_message(what);
        styled(bar, BAR)
    }

    /// A step of which nobody knows yet how long it is; silent unless standard error is a terminal.
    pub(crate) fn working(&self, what: &'static str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, self.progress_target()).with_message(what);
        if self.shows_progress() {
            bar.enable_steady_tick(TICK);
        }
        styled(bar, SPINNER)
    }

    /// Lets a step of unknown length become a bar, once there are parts to count.
    pub(crate) fn advance(bar: &ProgressBar, done: u64, of: u64) {
        if bar.length() != Some(of) {
            bar.set_length(of);
            if let Ok(style) = ProgressStyle::with_template(BAR) {
                bar.set_style(style);
            }
        }
        bar.set_position(done);
    }

    /// The passes over a table, one bar after the other.
    pub(crate) fn pass(bar: &ProgressBar, Progress { stage, done, of }: Progress) {
        bar.set_message(match stage {
            Stage::Find => "finding rows",
            Stage::Seal => "sealing the table",
            _ => "sealing to owners",
        });
        Self::advance(bar, done.into(), of.into());
    }

    fn shows_progress(&self) -> bool {
        !self.quiet && !self.json && std::io::stderr().is_terminal()
    }

    fn progress_target(&self) -> ProgressDrawTarget {
        if self.shows_progress() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
    }

    fn line(&self, prefix: &str, colour: AnsiColor, text: &str) {
        let style = if self.colour { Style::new().bold().fg_color(Some(colour.into())) } else { Style::new() };
        let _closed_pipe = writeln!(std::io::stderr(), "{style}{prefix}{style:#} {}", one_line(text));
    }
}

const BAR: &str = "{msg} [{bar:24}] {pos}/{len}";
const SPINNER: &str = "{msg} {spinner}";

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
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

/// The text on one line, without control characters and without marks that turn its direction: a file or a server must
/// not steer the terminal, nor show its text in another order than its own.
pub(crate) fn one_line(text: &str) -> String {
    text.split(['\n', '\r'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
        .chars()
        .map(|c| if c.is_control() || turns(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Unicode's marks, embeddings, overrides and isolates of direction.
fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{BAR, Progress, SPINNER, Stage, Ui, one_line};
    use indicatif::ProgressStyle;

    #[test]
    fn a_step_becomes_a_bar_when_its_parts_are_counted() {
        for template in [BAR, SPINNER] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
        let bar = Ui::new(false, true).working("a step");
        assert!(bar.is_hidden() && bar.length().is_none());
        Ui::advance(&bar, 3, 8);
        assert_eq!((bar.position(), bar.length()), (3, Some(8)));
        Ui::pass(&bar, Progress { stage: Stage::Entries, done: 1, of: 2 });
        assert_eq!((bar.message().as_str(), bar.position(), bar.length()), ("sealing to owners", 1, Some(2)));
    }

    #[test]
    fn messages_stay_on_one_line_and_cannot_steer_the_terminal() {
        assert_eq!(one_line("a\n  b\r\n"), "a; b");
        assert_eq!(one_line("\u{1b}[31mred"), "\u{fffd}[31mred");
        for mark in ['\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}'] {
            assert_eq!(one_line(&format!("a{mark}b")), "a\u{fffd}b");
        }
    }
}
