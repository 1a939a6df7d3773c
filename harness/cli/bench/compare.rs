//! `bench compare`: compares saved reports.

use clap::Args;

use super::baseline::ProjectOptions;
use super::messages;
use super::output::OutputOptions;
use crate::bench::compare::baseline;
use crate::bench::compare::comparison::{comparable, compare};
use crate::bench::measure::compared::ReportComparison;
use crate::bench::measure::report::BenchReport;
use crate::bench::measure::result::BenchResult;
use crate::cli::console::Console;
use crate::cli::outputs::Input;
use crate::error::Error;
use crate::exit::ExitStatus;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The old report: a file (with a / in it, or ending in .json), or the name of a baseline
    old: String,
    /// The new report
    new: String,
    /// Confirm a regression with a second new report
    ///
    /// Without it a regression is only suspected (status 3); if both reports agree it is confirmed (status 6).
    again: Option<String>,
    #[command(flatten)]
    project: ProjectOptions,
    #[command(flatten)]
    output: OutputOptions,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let project = arguments.project.project();
    let given = [Some(&arguments.old), Some(&arguments.new), arguments.again.as_ref()];
    let located = given.into_iter().flatten().filter_map(|one| baseline::locate(one, &project.folder).ok());
    let inputs: Vec<Input> =
        located.map(|path| Input::named(&path)).chain(arguments.project.inputs()).collect();
    arguments.output.check::<ReportComparison>(Vec::new(), &inputs)?;
    let read = |argument: &String| -> Result<(String, BenchReport), Error> {
        let path = baseline::locate(argument, &project.folder).map_err(Error::Usage)?;
        Ok((argument.clone(), baseline::read_finished(&path).map_err(Error::Usage)?))
    };
    let (old_name, old) = read(&arguments.old)?;
    let new: Vec<(String, BenchReport)> = [Some(&arguments.new), arguments.again.as_ref()]
        .into_iter()
        .flatten()
        .map(read)
        .collect::<Result<_, _>>()?;
    if old.result == BenchResult::Fail {
        return Err(Error::Usage(messages::failed_load(&old_name)));
    }
    for (name, report) in &new {
        comparable(&old, report)
            .map_err(|why| Error::Usage(messages::cannot_compare(name, &old_name, why)))?;
    }
    if let [(_, first), (name, second)] = new.as_slice()
        && first == second
    {
        return Err(Error::Usage(messages::same_report_again(name)));
    }
    let named: Vec<(&str, &BenchReport)> = new.iter().map(|(name, report)| (name.as_str(), report)).collect();
    let comparison = compare((&old_name, &old), &named, &project.most);
    let status = comparison.status();
    arguments.output.publish(&comparison, status, console)
}
