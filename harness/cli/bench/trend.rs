//! `bench trend`: where the figures of saved runs changed.

use std::path::PathBuf;

use clap::Args;

use super::output::OutputOptions;
use crate::bench::compare::history::History;
use crate::cli::console::Console;
use crate::cli::outputs::Input;
use crate::error::Error;
use crate::exit::ExitStatus;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Read the JSON reports in this folder, one for each run, in the order in which the runs started
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    output: OutputOptions,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    arguments.output.check::<History>(Vec::new(), &[Input::with_contents("DIR", &arguments.folder)])?;
    let history = History::read(&arguments.folder).map_err(Error::Usage)?;
    arguments.output.publish(&history, history.result.status(), console)
}
