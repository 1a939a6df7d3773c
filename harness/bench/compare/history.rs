//! Saved reports as series: which runs belong together, and where their figures changed.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::baseline;
use super::change_points::{FEWEST_RUNS, change_points};
use super::comparison::same_series;
use super::messages;
use crate::bench::measure::compared::{Metric, Unit};
use crate::bench::measure::machine::Tool;
use crate::bench::measure::report::{BenchReport, BenchRole, FORMAT as REPORT_FORMAT, LoadFacts};
use crate::bench::measure::result::BenchResult;

pub const FORMAT: &str = "twenty-conform-trend/1";
/// The most files of a folder.
const MOST_FILES: usize = 10_000;

/// The runs in a folder, with the changes of their figures. It never fails a build: `result` is always `pass`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct History {
    pub format: String,
    pub tool: Tool,
    pub folder: String,
    pub series: Vec<RunSeries>,
    /// Runs without figures, and files that are not reports.
    pub notes: Vec<String>,
    pub result: BenchResult,
    pub exit_status: u8,
}

/// Runs of one subject under the same load on the same machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSeries {
    pub subject: String,
    pub role: BenchRole,
    pub dialect: String,
    pub load: LoadFacts,
    /// From the first to the last.
    pub runs: Vec<Run>,
    pub metrics: Vec<MetricHistory>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// The file's name.
    pub file: String,
    /// In RFC 3339.
    pub started_at: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricHistory {
    pub name: Metric,
    pub unit: Unit,
    /// One for each run.
    pub values: Vec<f64>,
    pub changes: Vec<Change>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The index of the first run after the change.
    pub run: usize,
    /// The mean since the last change.
    pub before: f64,
    /// The mean until the next change.
    pub after: f64,
    /// The p-value of both means being equal.
    pub p: f64,
    pub better: bool,
}

impl History {
    /// Reads the reports of a folder, without those in its folders.
    ///
    /// Errors: the folder cannot be read, a report is damaged, or there is none.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let shown = folder.display().to_string();
        let (mut reports, mut notes, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for path in files(folder).map_err(|why| messages::folder_unreadable(&shown, &why))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = baseline::text(&path)?;
            if !is_report(&text) {
                others.push(name);
                continue;
            }
            let report = baseline::parse(&path, &text)?;
            if report.result.is_whole() {
                reports.push((name, report));
            } else {
                notes.push(messages::run_left_out(&name, report.result.describe()));
            }
        }
        if reports.is_empty() {
            return Err(messages::no_reports(&shown));
        }
        if let [first, ..] = others.as_slice() {
            notes.push(messages::other_files(others.len(), first));
        }
        // All times are in UTC and have the same form.
        reports.sort_by(|(name, a), (other, b)| (&a.started_at, name).cmp(&(&b.started_at, other)));
        let series = series_of(reports);
        if series.iter().all(|series| series.runs.len() < 2 * FEWEST_RUNS) {
            notes.push(messages::too_few_runs(2 * FEWEST_RUNS));
        }
        let result = BenchResult::Pass;
        let exit_status = result.status().code();
        Ok(Self {
            format: FORMAT.to_owned(),
            tool: Tool::this(),
            folder: shown,
            series,
            notes,
            result,
            exit_status,
        })
    }
}

/// The JSON files of a folder, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|why| why.to_string())? {
        let path = entry.map_err(|why| why.to_string())?.path();
        if path.extension().is_some_and(|ending| ending == "json") && path.is_file() {
            files.push(path);
        }
        if files.len() > MOST_FILES {
            return Err(messages::too_many_files(MOST_FILES));
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a file says that it is a benchmark report. One that is cut off counts, so that its error is shown.
fn is_report(text: &str) -> bool {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(value) => value.get("format").and_then(|format| format.as_str()) == Some(REPORT_FORMAT),
        Err(_) => text.contains(REPORT_FORMAT),
    }
}

fn series_of(reports: Vec<(String, BenchReport)>) -> Vec<RunSeries> {
    let mut groups: Vec<Vec<(String, BenchReport)>> = Vec::new();
    for (name, report) in reports {
        let of = |group: &&mut Vec<(String, BenchReport)>| {
            group
                .first()
                .is_some_and(|(_, first)| first.subject == report.subject && same_series(first, &report))
        };
        match groups.iter_mut().find(of) {
            Some(group) => group.push((name, report)),
            None => groups.push(vec![(name, report)]),
        }
    }
    groups.iter().filter_map(|group| RunSeries::of(group)).collect()
}

impl RunSeries {
    /// The series of some runs; `None` of none.
    fn of(group: &[(String, BenchReport)]) -> Option<Self> {
        let (_, first) = group.first()?;
        let run = |(file, report): &(String, BenchReport)| Run {
            file: file.clone(),
            started_at: report.started_at.clone(),
        };
        let metric = |name: &Metric| {
            let values: Vec<f64> = group.iter().map(|(_, report)| value(report, *name)).collect();
            let changes = change_points(&values).into_iter().map(|point| Change {
                run: point.at,
                before: point.before,
                after: point.after,
                p: point.p,
                better: (point.after > point.before) == (*name == Metric::Rate),
            });
            MetricHistory { name: *name, unit: name.unit(), changes: changes.collect(), values }
        };
        Some(Self {
            subject: first.subject.clone(),
            role: first.role,
            dialect: first.dialect.clone(),
            load: first.load.clone(),
            runs: group.iter().map(run).collect(),
            metrics: Metric::ALL.iter().map(metric).collect(),
        })
    }
}

/// The figure of a whole run, in the unit of the metric. Of a search, the rate is the one found.
fn value(report: &BenchReport, metric: Metric) -> f64 {
    let (total, latency) = (&report.total, &report.total.latency);
    let ms = |us: u64| us as f64 / 1e3;
    match metric {
        Metric::Rate => report.search.as_ref().and_then(|search| search.found).unwrap_or(total.rate),
        Metric::P50 => ms(latency.p50_us),
        Metric::P90 => ms(latency.p90_us),
        Metric::P99 => ms(latency.p99_us),
        Metric::Errors => total.error_share * 100.0,
    }
}
