//! Where commands print: the report to stdout, progress and errors to stderr.
//!
//! Invariant: a failed write to stdout is an error of the command, unless the reader of stdout has gone.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write};

use anstream::AutoStream;
use clap::ValueEnum;
use serde::Serialize;

use super::environment;
use crate::error::Error;
use crate::redaction::Redaction;
use crate::report::text::WIDTH;
use crate::subject::heard::Stream;
use crate::terminal::{BAD, clean, guarded, inert, json, lines};
use crate::webhook::signature::Secret;

pub(super) use super::progress::ProgressLine;

/// When to colour.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ColorChoice {
    /// Colour the output of terminals
    Auto,
    /// Colour every output
    Always,
    /// Use no colours
    Never,
}

/// Widths of lines on a terminal. A longer line is hard to read.
const NARROWEST: usize = 40;
const WIDEST: usize = 120;

pub(super) struct Console {
    out: AutoStream<io::Stdout>,
    err: AutoStream<io::Stderr>,
    redaction: Redaction,
    color: ColorChoice,
}

impl Console {
    pub(super) fn new(color: ColorChoice) -> Self {
        let choice = match color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        Self {
            out: AutoStream::new(io::stdout(), choice),
            err: AutoStream::new(io::stderr(), choice),
            redaction: Redaction::default(),
            color,
        }
    }

    /// One that prints to the same places with the same redaction, for another thread.
    pub(super) fn second(&self) -> Self {
        Self { redaction: self.redaction.clone(), ..Self::new(self.color) }
    }

    /// Whether an option asks for colours everywhere.
    pub(super) fn always_colours(&self) -> bool {
        matches!(self.color, ColorChoice::Always)
    }

    /// The width of lines on stdout: that of the terminal, if it is one.
    pub(super) fn width(&self) -> usize {
        let width = io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
        width.map_or(WIDTH, |(width, _)| usize::from(width.0).clamp(NARROWEST, WIDEST))
    }

    /// The text without secrets. Reports are redacted where they are made; this finds what was missed.
    pub(super) fn redacted(&self, text: &str) -> String {
        self.redaction.rendered(text)
    }

    /// Prints to stdout, with everything escaped that could control a terminal, except the styles of this program. In JSON the
    /// escapes are those of JSON.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Error> {
        match self.redaction.json(text) {
            Some(redacted) => self.write_out(&json(redacted)),
            None => self.write_out(&shown(&self.redaction.text(text))),
        }
    }

    /// Prints JSON to stdout without redaction, for deliveries that are sent as they are printed.
    pub(super) fn print_unredacted(&mut self, value: &impl Serialize) -> Result<(), Error> {
        let written = serde_json::to_string(value).map_err(|why| Error::Harness(why.to_string()))?;
        self.write_out(&json(written + "\n"))
    }

    /// Prints code without redaction, which has no secret, although a short one may be a word of it.
    pub(super) fn print_code(&mut self, code: &str) -> Result<(), Error> {
        self.write_out(&shown(code))
    }

    fn write_out(&mut self, shown: &str) -> Result<(), Error> {
        match self.out.write_all(shown.as_bytes()).and_then(|()| self.out.flush()) {
            Err(why) if why.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::Report { path: "(stdout)".into(), source: why })
            }
            _ => Ok(()),
        }
    }

    /// Prints a line to stderr. It may quote a program under test, so control characters are escaped.
    pub(super) fn note(&mut self, text: &str) {
        self.write(&lines(&self.redaction.text(text), ""));
    }

    /// Prints the beginning of a line to stderr, after which a user types.
    pub(super) fn prompt(&mut self, text: &str) {
        // Without stderr the user sees no question, but can still answer.
        let _ = write!(self.err, "{}", guarded(&self.redaction.text(text))).and_then(|()| self.err.flush());
    }

    /// Prints lines with styles to stderr, with everything else escaped that could control a terminal.
    pub(super) fn tell(&mut self, styled: &str) {
        let styled = self.redaction.text(styled);
        self.write(styled.trim_end_matches('\n'));
    }

    /// Redacts a secret in all later output: errors quote programs and commands, which may contain it.
    pub(super) fn redact(&mut self, secret: &Secret) {
        self.redaction.add(secret);
    }

    pub(super) fn error(&mut self, text: &str) {
        // Only the first line begins at the margin, so no text from elsewhere can pass for a line of this program.
        let text = lines(&self.redaction.text(text), "  ");
        self.write(&format!("{BAD}error:{BAD:#} {text}"));
    }

    /// Prints lines to stderr that are commands to GitHub's runner, which reads both streams.
    pub(super) fn command(&mut self, lines: &str) {
        let lines = self.redaction.text(lines);
        // If stderr is gone there is no other place to print.
        let _ = self.err.write_all(guarded(&lines).as_bytes());
    }

    fn write(&mut self, text: &str) {
        // If stderr is gone there is no other place to print.
        let _ = writeln!(self.err, "{}", shown(text));
    }
}

/// The text with everything escaped that could control a terminal, or on GitHub Actions its runner.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    let guarded = guarded(text);
    if environment::is_github() { Cow::Owned(inert(&guarded).into_owned()) } else { guarded }
}

/// Prints the help that was asked for.
pub(super) fn print_help(why: &clap::Error) {
    let styled = why.render().ansi().to_string();
    let escaped = shown(&styled);
    // The status is that of a success either way.
    let _ = if escaped == styled { why.print() } else { anstream::stdout().write_all(escaped.as_bytes()) };
}

/// Prints an error of the command line. It quotes arguments, which may come from anywhere.
pub(super) fn print_usage(styled: &str) {
    // If this cannot be printed, the status still shows the error.
    let _ = anstream::stderr().write_all(shown(styled).as_bytes());
}

/// Prints a line of JSON to stdout, for a program that reads it.
pub(super) fn print_line(value: &serde_json::Value) {
    // With stdout closed, no program reads it.
    let _ = io::stdout().write_all(json(format!("{value}\n")).as_bytes());
}

/// Prints a redacted line of a program under test to stderr. It is marked, so that it cannot pass for a line of this program.
pub(super) fn print_output(stream: Stream, line: &str) {
    // If stderr is gone there is no other place to print.
    let _ = writeln!(anstream::stderr(), "{}", shown(&format!("  {} │ {}", stream.as_str(), clean(line))));
}
