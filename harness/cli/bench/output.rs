//! The reports of a benchmark: their formats, and where they are written.

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::messages;
use crate::bench::compare::history::History;
use crate::bench::compare::pair::PairReport;
use crate::bench::measure::compared::ReportComparison;
use crate::bench::measure::report::BenchReport;
use crate::bench::show::{comparison, history, html, pair, text, trend};
use crate::cli::console::Console;
use crate::cli::headings::{OUTPUT, REPORTS};
use crate::cli::messages::{alternatives, json_not_written};
use crate::cli::outputs::{self, Input, OutputFile};
use crate::cli::target::{self, ReportTarget, check_stdout, name, names};
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::terminal;

/// The options of every benchmark's reports.
#[derive(Debug, Args)]
pub(super) struct OutputOptions {
    /// Write a report as text or json; use - for stdout; repeatable
    ///
    /// A load can also be written as html, bmf (Bencher Metric Format) or smaller-is-better (github-action-benchmark).
    #[arg(long, value_name = "FORMAT=PATH", help_heading = REPORTS)]
    report: Vec<ReportTarget<Format>>,
    /// Print JSON instead of text
    #[arg(long, help_heading = OUTPUT)]
    json: bool,
    /// Print no progress
    #[arg(short, long, help_heading = OUTPUT)]
    pub(super) quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
    Html,
    Bmf,
    SmallerIsBetter,
}

/// A report that can be written in some of the formats.
pub(super) trait Render: Serialize {
    const FORMATS: &'static [Format] = &[Format::Text, Format::Json];

    fn text(&self) -> String;

    /// Errors: it cannot be written in this format.
    fn render(&self, format: Format) -> Result<String, Error> {
        if format == Format::Json { json(self) } else { Ok(self.text()) }
    }
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    let failed = |why| Error::Harness(json_not_written(why));
    serde_json::to_string_pretty(value).map(|text| terminal::json(text + "\n")).map_err(failed)
}

impl Render for BenchReport {
    const FORMATS: &'static [Format] =
        &[Format::Text, Format::Json, Format::Html, Format::Bmf, Format::SmallerIsBetter];

    fn text(&self) -> String {
        text::render(self)
    }

    fn render(&self, format: Format) -> Result<String, Error> {
        match format {
            Format::Text => Ok(self.text()),
            Format::Json => json(self),
            Format::Html => Ok(html::render(self)),
            Format::Bmf => json(&trend::bmf(self)),
            Format::SmallerIsBetter => json(&trend::smaller_is_better(self)),
        }
    }
}

impl Render for ReportComparison {
    fn text(&self) -> String {
        comparison::render(self)
    }
}

impl Render for History {
    fn text(&self) -> String {
        history::render(self)
    }
}

impl Render for PairReport {
    fn text(&self) -> String {
        pair::render(self)
    }
}

impl OutputOptions {
    /// Checks the reports before a run. `others` are the files that the command writes in addition.
    ///
    /// Errors: this report does not have one of the formats, or a file cannot be written or would overwrite another.
    pub(super) fn check<T: Render>(&self, others: Vec<OutputFile>, inputs: &[Input]) -> Result<(), Error> {
        if let Some(target) = self.report.iter().find(|target| !T::FORMATS.contains(&target.format)) {
            let formats = alternatives(&names(T::FORMATS));
            return Err(Error::Usage(messages::unwritten_format(&name(&target.format), &formats)));
        }
        check_stdout(&self.report)?;
        let reports = self.report.iter().filter_map(ReportTarget::output);
        let files: Vec<OutputFile> = others.into_iter().chain(reports).collect();
        outputs::check(&files, inputs, None)
    }

    /// Writes the reports and returns the status.
    ///
    /// Errors: a report cannot be written.
    pub(super) fn publish(
        &self,
        report: &impl Render,
        status: ExitStatus,
        console: &mut Console,
    ) -> Result<ExitStatus, Error> {
        let plain = |format| {
            let rendered = report.render(format)?;
            Ok(match format {
                Format::Text => terminal::plain(&rendered),
                _ => rendered,
            })
        };
        let shown = || report.render(if self.json { Format::Json } else { Format::Text });
        let failed = target::write(&self.report, plain, shown, console)?;
        target::settle(failed, status, console)
    }
}
