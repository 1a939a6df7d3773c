//! The options that say which reports a run writes, and where.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::console::Console;
use super::target::{self, ReportTarget};
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::report::evidence::Folder;
use crate::report::text::Detail;
use crate::report::{Report, json, junit, text};
use crate::terminal::plain;

/// What a run writes, and how much of it is shown.
#[derive(Debug, Args)]
pub(super) struct ReportOptions {
    /// Write a report as well: text, json or junit; - is stdout, in the place of the text
    #[arg(long, value_name = "FORMAT=PATH")]
    report: Vec<ReportTarget<ReportFormat>>,
    /// Keep the run's evidence in this folder, which must be new or empty: every exchange and every trial as it comes, the
    /// reports, and a case for `replay` of each failure that one delivery shows (receivers)
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Show only what did not pass
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Show long commands too
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ReportFormat {
    Text,
    Json,
    Junit,
}

impl ReportOptions {
    /// The folder of the run's evidence, where one was asked for.
    ///
    /// Errors: it cannot be made, or there is something in it.
    pub(super) fn folder(&self) -> Result<Option<Folder>, Error> {
        self.out.as_deref().map(Folder::claim).transpose()
    }

    /// The files and folders that a run writes.
    pub(super) fn written(&self) -> impl Iterator<Item = &Path> {
        self.report.iter().map(ReportTarget::path).chain(self.out.as_deref())
    }

    /// Writes the reports and gives the status.
    ///
    /// Errors: a report that cannot be written; the others are written all the same.
    pub(super) fn publish(&self, report: &Report, console: &mut Console) -> Result<ExitStatus, Error> {
        let detail = match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        };
        let render = |format| {
            Ok(match format {
                ReportFormat::Text => plain(&text::render(report, detail)),
                ReportFormat::Json => json::render(report),
                ReportFormat::Junit => junit::render(report),
            })
        };
        let failed = target::write(&self.report, render, || Ok(text::render(report, detail)), console)?;
        if report.lacks_evidence {
            console.complain("the evidence is incomplete; the report's notes say what could not be written");
        }
        if report.exit == ExitStatus::NothingSelected {
            console.complain("nothing was selected to run");
        }
        target::settle(failed, report.exit, console)
    }
}
