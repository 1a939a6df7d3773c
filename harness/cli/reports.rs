//! The options for the reports of a run.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::console::{Console, shown};
use super::environment;
use super::github;
use super::headings::{OUTPUT, REPORTS};
use super::messages;
use super::outputs::{self, Input};
use super::project;
use super::target::{self, ReportTarget};
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::report::evidence::Folder;
use crate::report::text::Detail;
use crate::report::{Place, Report, html, json, junit, markdown, sarif, tap, text};
use crate::terminal::plain;

/// What a run writes, and how much it prints.
#[derive(Debug, Args)]
pub(super) struct ReportOptions {
    #[command(flatten)]
    shown: Rendering,
    /// Save every exchange, the reports and cases for `replay` in this folder, which must be new or empty
    #[arg(long, value_name = "DIR", help_heading = REPORTS)]
    out: Option<PathBuf>,
    /// Name the file of the handler, and a line of it, as the place of failures in sarif, junit and annotations
    #[arg(long, value_name = "FILE[:LINE]", help_heading = REPORTS)]
    source: Option<PathBuf>,
}

/// In which formats a report is written, and how much is printed.
#[derive(Debug, Args)]
pub(super) struct Rendering {
    /// Write a report as text, json, junit, html, tap, sarif or markdown; use - for stdout; repeatable
    #[arg(long, value_name = "FORMAT=PATH", help_heading = REPORTS)]
    report: Vec<ReportTarget<ReportFormat>>,
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

/// A format of reports on runs.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ReportFormat {
    /// What is printed without this option
    Text,
    /// For programs
    Json,
    /// For CI
    Junit,
    /// For test harnesses such as prove
    Tap,
    /// For code scanning
    Sarif,
    /// For comments and summaries
    Markdown,
    /// One page for a browser, with what was sent and answered
    Html,
}

impl ReportFormat {
    /// A report in this format, for a file. Text shows as much as `detail` says.
    pub(super) fn render(self, report: &Report, detail: Detail) -> String {
        match self {
            Self::Text => shown(&plain(&text::render(report, detail, text::WIDTH))).into_owned(),
            Self::Json => json::render(report),
            Self::Junit => junit::render(report),
            Self::Tap => tap::render(report),
            Self::Sarif => sarif::render(report),
            Self::Markdown => markdown::render(report),
            Self::Html => html::render(report),
        }
    }
}

impl ReportOptions {
    /// Checks that the reports can be written and overwrite nothing, and claims the folder for the evidence, if --out is given.
    ///
    /// Errors: a report cannot be written or would overwrite an input, or the folder cannot be made or is not empty.
    pub(super) fn claim(&self, inputs: &[Input]) -> Result<Option<Folder>, Error> {
        self.shown.check(inputs, self.out.as_deref())?;
        self.out.as_deref().map(Folder::claim).transpose()
    }

    /// The file of `--source`.
    pub(super) fn inputs(&self) -> Vec<Input> {
        self.source.iter().map(|given| Input::of("--source", &project::split(given).0)).collect()
    }

    /// The place of failures in the project.
    ///
    /// Errors: there is no such file, or it has no such line.
    pub(super) fn source(&self) -> Result<Option<Place>, Error> {
        self.source.as_deref().map(project::place).transpose()
    }

    /// The files and folders that a run writes.
    pub(super) fn written(&self) -> impl Iterator<Item = &Path> {
        self.shown.report.iter().map(ReportTarget::path).chain(self.out.as_deref())
    }
}

impl Deref for ReportOptions {
    type Target = Rendering;

    fn deref(&self) -> &Rendering {
        &self.shown
    }
}

impl Rendering {
    /// Checks that the reports can be written and overwrite nothing. `evidence` is the folder of the run's evidence.
    ///
    /// Errors: a report cannot be written or would overwrite an input.
    pub(super) fn check(&self, inputs: &[Input], evidence: Option<&Path>) -> Result<(), Error> {
        target::check_stdout(&self.report)?;
        let files: Vec<_> = self.report.iter().filter_map(ReportTarget::output).collect();
        outputs::check(&files, inputs, evidence)
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

    /// Writes the reports, notes what is wrong with the run, and returns its status.
    ///
    /// Errors: a report cannot be written; the others still are.
    pub(super) fn publish(&self, report: &Report, console: &mut Console) -> Result<ExitStatus, Error> {
        let failed = self.rendered(report, console)?;
        github::tell(report, console);
        if report.lacks_evidence {
            console.error(messages::evidence_is_incomplete());
        }
        if report.exit == ExitStatus::NothingSelected {
            console.error(messages::nothing_selected());
        }
        target::settle(failed, report.exit, console)
    }

    /// Writes the reports of a run that was judged before.
    ///
    /// Errors: a report cannot be written; the others still are.
    pub(super) fn write(&self, report: &Report, console: &mut Console) -> Result<(), Error> {
        self.rendered(report, console)?.map_or(Ok(()), Err)
    }

    /// Writes the reports. Returns why one could not be written.
    ///
    /// Errors: a report cannot be rendered.
    fn rendered(&self, report: &Report, console: &mut Console) -> Result<Option<Error>, Error> {
        let detail = self.detail();
        let printed = || {
            let text = text::render(report, detail, console.width());
            if detail == Detail::Quiet && !console.always_colours() { plain(&text) } else { text }
        };
        let render = |format: ReportFormat| Ok(format.render(report, detail));
        let printed = printed();
        target::write(&self.report, render, || Ok(printed), console)
    }
}
