//! `report`: renders a saved run again, in any format.

use std::path::PathBuf;

use clap::Args;

use super::console::Console;
use super::headings::VERDICT;
use super::outputs::Input;
use super::reports::Rendering;
use super::saved;
use crate::budget::{Budget, CAPTURES};
use crate::error::Error;
use crate::exit::ExitStatus;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder that a run made with --out, or a report that was written as JSON
    #[arg(value_name = "DIR|FILE")]
    saved: PathBuf,
    /// Exit with the status of the saved run instead of 0
    #[arg(long, help_heading = VERDICT)]
    exit_status: bool,
    #[command(flatten)]
    shown: Rendering,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let mut saved = saved::open(&arguments.saved)?;
    arguments.shown.check(&[Input::saved(&arguments.saved)], None)?;
    saved::add_exchanges(&mut saved, &Budget::of(CAPTURES), console);
    let status = if arguments.exit_status { saved.exit() } else { Ok(ExitStatus::Passed) };
    let status = status.map_err(|why| Error::Usage(why.to_string()))?;
    arguments.shown.write(&saved.report, console)?;
    Ok(status)
}
