//! The options for the reports of a run.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::console::Console;
use super::environment;
use super::headings::{OUTPUT, REPORTS};
use super::messages;
use super::outputs::{self, Input};
use super::target::{self, ReportTarget};
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::report::evidence::Folder;
use crate::report::text::Detail;
use crate::report::{Report, html, json, junit, text};
use crate::terminal::plain;

/// What a run writes, and how much it prints.
#[derive(Debug, Args)]
pub(super) struct ReportOptions {
    /// Write a report as text, json, junit or html; use - for stdout; repeatable
    #[arg(long, value_name = "FORMAT=PATH", help_heading = REPORTS)]
    report: Vec<ReportTarget<ReportFormat>>,
    /// Save every exchange, the reports and cases for `replay` in this folder, which must be new or empty
    #[arg(long, value_name = "DIR", help_heading = REPORTS)]
    out: Option<PathBuf>,
    /// Show only what did not pass, in the short form of --agent
    #[arg(short, long, conflicts_with = "verbose", help_heading = OUTPUT)]
    quiet: bool,
    /// Show every requirement with its sentence and the number of its cases
    #[arg(short, long, help_heading = OUTPUT)]
    verbose: bool,
    /// Report for a coding agent: what failed, the fix, what not to do, and how to run it again; the default where one runs this
    #[arg(long, conflicts_with_all = ["no_agent", "verbose"], help_heading = OUTPUT)]
    agent: bool,
    /// Report for people, even where a coding agent runs this
    #[arg(long, help_heading = OUTPUT)]
    no_agent: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ReportFormat {
    /// What is printed without this option
    Text,
    /// For programs
    Json,
    /// For CI
    Junit,
    /// One page for a browser, with what was sent and answered
    Html,
}

impl ReportOptions {
    /// Checks that the reports can be written and overwrite nothing, and claims the folder for the evidence, if --out is given.
    ///
    /// Errors: a report cannot be written or would overwrite an input, or the folder cannot be made or is not empty.
    pub(super) fn claim(&self, inputs: &[Input]) -> Result<Option<Folder>, Error> {
        target::check_stdout(&self.report)?;
        let files: Vec<_> = self.report.iter().filter_map(ReportTarget::output).collect();
        outputs::check(&files, inputs, self.out.as_deref())?;
        self.out.as_deref().map(Folder::claim).transpose()
    }

    /// The files and folders that a run writes.
    pub(super) fn written(&self) -> impl Iterator<Item = &Path> {
        self.report.iter().map(ReportTarget::path).chain(self.out.as_deref())
    }

    /// Whether the text report is printed, so that nothing in it needs to be told again.
    pub(super) fn prints_text(&self) -> bool {
        let mut printed = self.report.iter().filter(|target| target.is_stdout()).peekable();
        printed.peek().is_none() || printed.any(|target| matches!(target.format(), ReportFormat::Text))
    }

    /// Whether only what did not pass is shown, and no progress.
    pub(super) fn is_quiet(&self) -> bool {
        self.detail() == Detail::Quiet
    }

    /// How much is shown. Every option that was given counts more than what the environment suggests.
    fn detail(&self) -> Detail {
        if self.verbose {
            Detail::Verbose
        } else if self.quiet || self.agent || !self.no_agent && environment::has_agent() {
            Detail::Quiet
        } else {
            Detail::Normal
        }
    }

    /// Writes the reports and returns the status.
    ///
    /// Errors: a report cannot be written; the others still are.
    pub(super) fn publish(&self, report: &Report, console: &mut Console) -> Result<ExitStatus, Error> {
        let detail = self.detail();
        let shown = || {
            let text = text::render(report, detail, console.width());
            if detail == Detail::Quiet && !console.always_colours() { plain(&text) } else { text }
        };
        let shown = shown();
        let render = |format| {
            Ok(match format {
                ReportFormat::Text => plain(&text::render(report, detail, text::WIDTH)),
                ReportFormat::Json => json::render(report),
                ReportFormat::Junit => junit::render(report),
                ReportFormat::Html => html::render(report),
            })
        };
        let failed = target::write(&self.report, render, || Ok(shown), console)?;
        if report.lacks_evidence {
            console.error(messages::evidence_is_incomplete());
        }
        if report.exit == ExitStatus::NothingSelected {
            console.error(messages::nothing_selected());
        }
        target::settle(failed, report.exit, console)
    }
}
