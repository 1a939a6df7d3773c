//! The reports of a benchmark: which formats, and where they go.
//!
//! Invariant: a report that cannot be written is an error, and the others are written all the same.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use crate::cli::console::Console;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::load::report::BenchReport;
use crate::report::bench;

/// The options of every benchmark's reports.
#[derive(Debug, Args)]
pub(super) struct OutputOptions {
    /// Write a report as well: text or json; - is stdout, in the place of the text
    #[arg(
        long,
        value_name = "FORMAT=PATH",
        env = "TWENTY_CONFORM_REPORT",
        value_delimiter = ',',
        hide_env = true
    )]
    report: Vec<ReportTarget>,
    /// Print the report as JSON in the place of the text
    #[arg(long, env = "TWENTY_CONFORM_JSON", value_parser = clap::builder::BoolishValueParser::new(), hide_env = true)]
    json: bool,
    /// Do not tell on stderr how far it is
    #[arg(short, long, env = "TWENTY_CONFORM_QUIET", value_parser = clap::builder::BoolishValueParser::new(), hide_env = true)]
    pub(super) quiet: bool,
}

#[derive(Debug, Clone)]
struct ReportTarget {
    format: Format,
    path: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl FromStr for ReportTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) =
            text.split_once('=').ok_or("it must have the form FORMAT=PATH, such as json=report.json")?;
        let format = <Format as ValueEnum>::from_str(format, false)
            .map_err(|_| format!("there is no report format {format:?}; there are text and json"))?;
        if path.is_empty() {
            return Err("the path is empty".to_owned());
        }
        Ok(Self { format, path: path.into() })
    }
}

impl Format {
    fn render(self, report: &BenchReport) -> Result<String, Error> {
        match self {
            Self::Text => Ok(bench::render(report)),
            Self::Json => {
                let failed = |why| Error::Harness(format!("the report cannot be written as JSON: {why}"));
                serde_json::to_string_pretty(report).map(|text| text + "\n").map_err(failed)
            }
        }
    }
}

impl OutputOptions {
    /// Writes the reports, and gives the status back.
    ///
    /// Errors: a report that cannot be written.
    pub(super) fn publish(
        &self,
        report: &BenchReport,
        status: ExitStatus,
        console: &mut Console,
    ) -> Result<ExitStatus, Error> {
        let to_stdout = |target: &ReportTarget| target.path.as_os_str() == "-";
        let mut failed = None;
        for target in &self.report {
            let rendered = target.format.render(report)?;
            let plain = anstream::adapter::strip_str(&rendered).to_string();
            let written = if to_stdout(target) {
                console.print(&plain)
            } else {
                let failed = |source| Error::Report { path: target.path.clone(), source };
                fs::write(&target.path, plain).map_err(failed)
            };
            failed = failed.or(written.err());
        }
        if !self.report.iter().any(to_stdout) {
            let format = if self.json { Format::Json } else { Format::Text };
            failed = console.print(&format.render(report)?).err().or(failed);
        }
        match failed {
            // An interruption comes first among the statuses; what could not be written is said all the same.
            Some(why) if status == ExitStatus::Interrupted => {
                console.complain(&why.to_string());
                Ok(status)
            }
            Some(why) => Err(why),
            None => Ok(status),
        }
    }
}
