//! The options of every benchmark that keep its report under a name or hold it against one that was kept.
//!
//! Invariant: a baseline that cannot be compared with is refused before anything is started, and only a load that is worth
//! comparing with is kept.

use std::path::PathBuf;

use clap::Args;

use crate::bench::compare::baseline;
use crate::bench::compare::comparison::{comparable, compare, prepared, same_bodies, same_events, whole};
use crate::bench::compare::thresholds::{Given, MaxRegression};
use crate::bench::measure::objective::Bound;
use crate::bench::measure::report::{BenchReport, CorpusFacts, LoadFacts, Machine};
use crate::bench::measure::verdict::word;
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
    max_regression: Vec<Given>,
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
    /// Where baselines are kept.
    pub(super) folder: PathBuf,
    /// The bounds of the project's file.
    pub(super) bounds: Vec<Bound>,
}

/// What a benchmark is kept as and held against.
#[derive(Debug)]
pub(super) struct Baseline {
    project: Project,
    save: Option<String>,
    old: Option<(String, BenchReport)>,
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
    /// Reads what the options name. Errors: a name that is none, a baseline that is not there, broken, or of a load that was not
    /// whole; the project's file is not right.
    pub(super) fn open(&self) -> Result<Baseline, Error> {
        let project = self.project.read()?;
        let checked = |name: &String| baseline::check_name(name).map(|()| name.clone()).map_err(Error::Usage);
        let save = self.save.as_ref().map(checked).transpose()?;
        let old = self.baseline.as_ref().map(checked).transpose()?;
        let old = old.map(|name| {
            let path = baseline::path(&project.folder, &name);
            let report = baseline::read(&path).map_err(|why| {
                let hint = if path.exists() { "" } else { "; --save NAME keeps a report under a name" };
                Error::Usage(format!("there is no usable baseline {name:?}: {why}{hint}"))
            })?;
            match whole(&report) {
                _ if report.result == "fail" => Err(refused(&name, "it is of a load that failed")),
                Err(why) => Err(refused(&name, &why)),
                Ok(()) => Ok((name, report)),
            }
        });
        Ok(Baseline { project, save, old: old.transpose()? })
    }
}

fn refused(name: &str, why: &str) -> Error {
    Error::Usage(format!("the baseline {name:?} is refused: {why}"))
}

impl Baseline {
    /// The bounds: those given, or else those of the project's file.
    pub(super) fn bounds(&self, given: &[Bound]) -> Vec<Bound> {
        if given.is_empty() { self.project.bounds.clone() } else { given.to_vec() }
    }

    /// Refuses a baseline that what is to be measured cannot be compared with.
    pub(super) fn check(
        &self,
        machine: &Machine,
        load: &LoadFacts,
        (role, dialect): (&str, &str),
    ) -> Result<(), Error> {
        let Some((name, old)) = &self.old else { return Ok(()) };
        prepared(old, machine, load, (role, dialect)).map_err(|why| refused(name, &why))
    }

    /// Refuses a baseline of a sender with other webhooks or events.
    pub(super) fn check_events(&self, webhooks: usize, events: Option<u64>) -> Result<(), Error> {
        let Some((name, old)) = &self.old else { return Ok(()) };
        same_events(old, (webhooks, events)).map_err(|why| refused(name, &why))
    }

    /// Refuses a baseline of other bodies.
    pub(super) fn check_bodies(&self, corpus: &CorpusFacts) -> Result<(), Error> {
        let Some((name, old)) = &self.old else { return Ok(()) };
        same_bodies(old, corpus).map_err(|why| refused(name, &why))
    }

    /// Measures, and once more where it seems worse than the baseline; the comparison is in the report.
    ///
    /// Errors: it cannot be measured at all.
    pub(super) async fn measured(
        &self,
        quiet: bool,
        console: &mut Console,
        mut measure: impl AsyncFnMut(&mut Console) -> Result<(BenchReport, ExitStatus), Error>,
    ) -> Result<(BenchReport, ExitStatus), Error> {
        let (mut report, status) = measure(console).await?;
        let mut again = None;
        if self.suspects(&report, status) {
            if !quiet {
                console.tell("it seems worse than the baseline: once more, to be sure");
            }
            again = Some(measure(console).await);
        }
        let status = self.conclude(&mut report, status, again);
        Ok((report, status))
    }

    /// Whether a report seems worse than the baseline, so that the load is to be put once more.
    fn suspects(&self, report: &BenchReport, status: ExitStatus) -> bool {
        let Some((name, old)) = &self.old else { return false };
        is_whole(status) && compare((name, old), &[("this run", report)], &self.project.most).is_suspicious()
    }

    /// Puts the comparison into a report, `again` being what came of the load that was put once more. Returns the status of both.
    /// Where the second load could not be put, or what was measured cannot be compared after all, it is told all the same.
    fn conclude(
        &self,
        report: &mut BenchReport,
        status: ExitStatus,
        again: Option<Result<(BenchReport, ExitStatus), Error>>,
    ) -> ExitStatus {
        let Some((name, old)) = &self.old else { return status };
        let mut status = status;
        let again = match again.transpose() {
            Ok(again) => again,
            Err(why) => {
                report.notes.push(format!("the load could not be put once more: {why}"));
                status = status.min(why.exit_status());
                None
            }
        };
        if let Some((again, other)) = &again
            && !is_whole(*other)
        {
            report.notes.extend(again.notes.iter().map(|note| format!("put once more: {note}")));
            report.notes.push(format!("the load that was put once more: {}", again.result));
            status = status.min(*other);
        }
        if !is_whole(status) {
            report.notes.push(format!("not compared with the baseline {name:?}: the load was not whole"));
        } else {
            let mut new = vec![("this run", &*report)];
            new.extend(again.iter().map(|(again, _)| ("put once more", again)));
            match new.iter().try_for_each(|(_, report)| comparable(old, report)) {
                Err(why) => {
                    status = status.min(ExitStatus::Incomplete);
                    report.notes.push(format!("not compared with the baseline {name:?}: {why}"));
                }
                Ok(()) => {
                    let comparison = compare((name, old), &new, &self.project.most);
                    status = status.min(comparison.status());
                    report.comparison = Some(comparison);
                }
            }
        }
        report.exit_status = status.code();
        let is_compared = status == ExitStatus::Incomplete && report.comparison.is_some();
        report.result = if is_compared { "inconclusive" } else { word(status) }.to_owned();
        status
    }

    /// Keeps the report, where that was asked for and it is worth it.
    ///
    /// Errors: it cannot be written.
    pub(super) fn save(&self, report: &BenchReport, quiet: bool, console: &mut Console) -> Result<(), Error> {
        let Some(name) = &self.save else { return Ok(()) };
        let replaces = self.old.as_ref().is_some_and(|(old, _)| old == name);
        let why = match report.result.as_str() {
            "pass" => None,
            "slow" | "inconclusive" if !replaces => None,
            "slow" | "inconclusive" => Some("it is not known to be as good as the one that it would replace"),
            _ => Some("the load did not pass"),
        };
        if let Some(why) = why {
            console.tell(&format!("not kept as {name:?}: {why}"));
            return Ok(());
        }
        let kept = baseline::save(&self.project.folder, name, report);
        let path = kept.map_err(|(path, source)| Error::Report { path, source })?;
        if !quiet {
            console.tell(&format!("kept as {name:?} in {}", path.display()));
        }
        Ok(())
    }
}

/// Whether figures of a load with that status stand for anything.
fn is_whole(status: ExitStatus) -> bool {
    matches!(status, ExitStatus::Passed | ExitStatus::Slower)
}
