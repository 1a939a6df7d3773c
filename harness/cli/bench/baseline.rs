//! The options that save a benchmark's report as a baseline, or compare it with one.

use std::path::PathBuf;

use clap::Args;

use super::messages;
use super::output::OutputOptions;
use crate::bench::compare::baseline::{self, Baseline, Existing, KeptAs};
use crate::bench::compare::thresholds::{GivenRegression, MaxRegression};
use crate::bench::measure::report::BenchReport;
use crate::cli::console::Console;
use crate::cli::headings::COMPARISON;
use crate::cli::options::ConfigFile;
use crate::cli::outputs::{Input, OutputFile};
use crate::error::Error;
use crate::exit::ExitStatus;

/// The allowed regression, the folder of baselines and the configuration file.
#[derive(Debug, Args)]
#[command(next_help_heading = COMPARISON)]
pub(super) struct ProjectOptions {
    /// Allow a figure (rate, p50, p90, p99, errors) to be this much worse, such as 5% or p99=10%; repeatable
    /// [default: 5%, errors=0.1%]
    #[arg(long, value_name = "[FIGURE=]SHARE")]
    max_regression: Vec<GivenRegression>,
    /// Save and look up baselines in this folder [default: .twenty-conform/baselines]
    #[arg(long, value_name = "DIR")]
    baseline_dir: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigFile,
}

/// Saving and comparing.
#[derive(Debug, Args)]
#[command(next_help_heading = COMPARISON)]
pub(super) struct BaselineOptions {
    /// Save the report under this name as a baseline
    #[arg(long, value_name = "NAME")]
    save: Option<String>,
    /// Replace the baseline of this name if it exists
    #[arg(long)]
    force: bool,
    /// Compare with the baseline of this name, and repeat the load when a figure looks worse
    ///
    /// The status is 6 if both loads are worse, and 3 if the noise is too large to decide.
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    #[command(flatten)]
    project: ProjectOptions,
}

/// The options, with what is usual for those that are not given.
#[derive(Debug)]
pub(super) struct Project {
    /// How much worse each figure may be.
    pub(super) most: MaxRegression,
    pub(super) folder: PathBuf,
}

impl ProjectOptions {
    /// The configuration file.
    pub(super) fn inputs(&self) -> Vec<Input> {
        vec![self.config.input()]
    }

    /// How much worse each figure may be, and the folder of baselines.
    pub(super) fn project(&self) -> Project {
        let folder = self.baseline_dir.clone().unwrap_or_else(|| baseline::FOLDER.into());
        Project { most: MaxRegression::default().with(&self.max_regression), folder }
    }
}

impl BaselineOptions {
    /// Opens the baseline, and checks what the load will write. `inputs` are the files that the command reads in addition.
    ///
    /// Errors: the baseline is not usable or exists already, or a file cannot be written or would overwrite another.
    pub(super) fn open(&self, output: &OutputOptions, mut inputs: Vec<Input>) -> Result<Baseline, Error> {
        let Project { most, folder } = self.project.project();
        let existing = if self.force { Existing::IsReplaced } else { Existing::IsKept };
        let saved = self.save.as_deref().map(|name| (name, existing));
        let baseline = Baseline::open(folder.clone(), most, saved, self.baseline.as_deref())?;
        let file = |name: &String| baseline::path(&folder, name);
        let save = |name| OutputFile::new(format!("--save {name}"), &file(name)).in_created_folder();
        // With --force, a baseline may be replaced by the load that was compared with it.
        let compared = self.baseline.iter().filter(|name| self.save.as_ref() != Some(name));
        inputs.extend(compared.map(|name| Input::of("--baseline", &file(name))));
        inputs.extend(self.project.inputs());
        output.check::<BenchReport>(self.save.iter().map(save).collect(), &inputs)?;
        Ok(baseline)
    }
}

/// Publishes a report, and saves it if --save is given; each happens even if the other fails.
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
            console.note(&messages::saved(name, &path));
        }
        KeptAs::Refused(name, why) => console.note(&messages::not_saved(name, why.describe())),
        KeptAs::Kept(..) | KeptAs::NotAsked => {}
    }
    published
}

pub(super) fn note_repetition(quiet: bool, console: &mut Console) {
    if !quiet {
        console.note(messages::repeating());
    }
}
