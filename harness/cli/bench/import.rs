//! `bench import`: locust's results as the report of a benchmark.

use std::path::PathBuf;

use clap::Args;

use super::command_line;
use super::output::OutputOptions;
use crate::bench::measure::report::BenchReport;
use crate::bench::tools::import;
use crate::cli::console::Console;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;

/// Options of `bench import`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What the exported locustfile has written (--results), or locust itself: its --json, or the file of --csv that ends in
    /// _stats.csv
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    output: OutputOptions,
}

pub(super) fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    arguments.output.check::<BenchReport>()?;
    let mut report = import::read(&arguments.file).map_err(Error::Usage)?;
    report.command = command_line(&Redaction::new(None));
    arguments.output.publish(&report, report.status(), console)
}
