//! `bench import`: the results of locust as a benchmark report.

use std::path::PathBuf;

use clap::Args;

use super::command_line;
use super::output::OutputOptions;
use crate::bench::measure::report::BenchReport;
use crate::bench::tools::import;
use crate::cli::console::Console;
use crate::cli::outputs::Input;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Read the results of the exported locustfile (--results), or of locust itself (--json, or the _stats.csv file of --csv)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    output: OutputOptions,
}

pub(super) fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    arguments.output.check::<BenchReport>(Vec::new(), &[Input::named(&arguments.file)])?;
    let mut report = import::read(&arguments.file).map_err(Error::Usage)?;
    report.command = command_line(&Redaction::new(None));
    arguments.output.publish(&report, report.status(), console)
}
