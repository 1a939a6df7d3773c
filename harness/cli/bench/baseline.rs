//! The options of every benchmark that keep its report under a name or hold it against one that was kept.

use std::path::PathBuf;

use clap::Args;

use super::output::OutputOptions;
use crate::bench::compare::baseline::{self, Baseline, KeptAs};
use crate::bench::compare::thresholds::{GivenRegression, MaxRegression};
use crate::bench::measure::objective::Bound;
use crate::bench::measure::report::BenchReport;
use crate::cli::config::Config;
use crate::cli::console::Console;
use crate::error::Error;
use crate::exit::ExitStatus;

/// Where the project's file is, what may be worse by how much, and where baselines are.
#[derive(Debug, Args)]
pub(super) struct ProjectOptions {
    /// By how much a figure may be worse, such as 5%, p99=10% or errors=0.1% (percent points); the figures are rate, p50, p90,
    /// p99 and errors [default: 5%, errors=0.1%]
    #[arg(long, value_name = "[FIGURE=]SHARE")]
    max_regression: Vec<GivenRegression>,
    /// Where baselines are kept [default: .twenty-conform/baselines]
    #[arg(long, value_name = "DIR")]
    baseline_dir: Option<PathBuf>,
    /// The project's file, for what is not given otherwise [default: twenty-conform.toml, where there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Keeping and comparing.
#[derive(Debug, Args)]
pub(super) struct BaselineOptions {
    /// Keep the report under this name, as a baseline for later ones
    #[arg(long, value_name = "NAME")]
    save: Option<String>,
    /// Compare with the report that was kept under this name. Where something seems worse the load is put once more: the status
    /// is 6 where both agree, and 3 where it cannot be told
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    #[command(flatten)]
    project: ProjectOptions,
}

/// What the options and the project's file come to.
#[derive(Debug)]
pub(super) struct Project {
    /// By how much each figure may be worse.
    pub(super) most: MaxRegression,
    pub(super) folder: PathBuf,
    pub(super) bounds: Vec<Bound>,
}

impl ProjectOptions {
    /// Reads the project's file, and puts what was given above it. Errors: the file is not right.
    pub(super) fn read(&self) -> Result<Project, Error> {
        let bench = Config::read(self.config.as_deref())?.bench;
        let folder = self.baseline_dir.clone().or(bench.baseline_dir);
        Ok(Project {
            most: MaxRegression::default().with(&bench.max_regression.0).with(&self.max_regression),
            folder: folder.unwrap_or_else(|| baseline::FOLDER.into()),
            bounds: bench.threshold.into_iter().map(|read| read.0).collect(),
        })
    }
}

impl BaselineOptions {
    /// Reads what the options name, and gives the bounds too: those given, or else those of the project's file.
    ///
    /// Errors: the baseline is not usable; the project's file is not right.
    pub(super) fn open(&self, given: &[Bound]) -> Result<(Baseline, Vec<Bound>), Error> {
        let Project { most, folder, bounds } = self.project.read()?;
        let baseline = Baseline::open(folder, most, self.save.as_deref(), self.baseline.as_deref())?;
        Ok((baseline, if given.is_empty() { bounds } else { given.to_vec() }))
    }
}

/// Publishes a report, and keeps it where that was asked for. What cannot be written in one place is written in the other.
///
/// Errors: it cannot be written.
pub(super) fn publish(
    report: &BenchReport,
    output: &OutputOptions,
    baseline: &Baseline,
    console: &mut Console,
) -> Result<ExitStatus, Error> {
    let published = output.publish(report, report.status(), console);
    match baseline.keep(report)? {
        KeptAs::Kept(name, path) if !output.quiet => {
            console.tell(&format!("kept as {name:?} in {}", path.display()));
        }
        KeptAs::Refused(name, why) => console.tell(&format!("not kept as {name:?}: {}", why.describe())),
        KeptAs::Kept(..) | KeptAs::NotAsked => {}
    }
    published
}

pub(super) fn tell_again(quiet: bool, console: &mut Console) {
    if !quiet {
        console.tell("it seems worse than the baseline: once more, to be sure");
    }
}
