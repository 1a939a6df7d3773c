//! Baselines: benchmark reports saved under a name, and compared with later loads.
//!
//! A baseline is replaced only on request and as a whole, and only a load that is worth comparing with is saved.

use std::fs;
use std::path::{Path, PathBuf};

use super::comparison::{check_finished, comparable, compare, prepared, same_bodies, same_events};
use super::messages;
use super::thresholds::MaxRegression;
use crate::bench::measure::machine::Machine;
use crate::bench::measure::report::{BenchReport, BenchRole, CorpusFacts, LoadFacts};
use crate::bench::measure::result::BenchResult;
use crate::budget::LARGE_FILE;
use crate::error::Error;
use crate::{files, input, terminal};

/// The default folder of baselines.
pub const FOLDER: &str = ".twenty-conform/baselines";
const LONGEST_NAME: usize = 100;

/// Checks that a name is a valid file name on every system.
pub fn check_name(name: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if begins && name.len() <= LONGEST_NAME && name.bytes().all(allowed) && !name.ends_with('.') {
        return Ok(());
    }
    Err(messages::not_a_name(name, LONGEST_NAME))
}

pub fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.json"))
}

/// The file that an argument names: a path if it has a separator or ends in `.json`, else a baseline.
///
/// Errors: it is neither a path nor a baseline name.
pub fn locate(argument: &str, folder: &Path) -> Result<PathBuf, String> {
    if argument.ends_with(".json") || argument.contains(['/', '\\']) {
        return Ok(argument.into());
    }
    check_name(argument)?;
    Ok(path(folder, argument))
}

/// Reads a report.
pub fn read(path: &Path) -> Result<BenchReport, String> {
    parse(path, &text(path)?)
}

/// The text of a report's file.
pub(super) fn text(path: &Path) -> Result<String, String> {
    input::text(path, LARGE_FILE).map_err(|why| unreadable(path, &why.to_string()))
}

/// The report that a file's text is.
pub(super) fn parse(path: &Path, text: &str) -> Result<BenchReport, String> {
    BenchReport::parse(text).map_err(|why| unreadable(path, &why))
}

fn unreadable(path: &Path, why: &str) -> String {
    messages::report_unreadable(&path.display().to_string(), why)
}

/// Saves a report under a name. Returns its path.
///
/// Errors: the path cannot be written, or it exists and is to be kept.
pub fn save(
    folder: &Path,
    (name, existing): (&str, Existing),
    report: &BenchReport,
) -> Result<PathBuf, (PathBuf, std::io::Error)> {
    let path = path(folder, name);
    let written = fs::create_dir_all(folder).and_then(|()| {
        let text = terminal::json(serde_json::to_string_pretty(report)? + "\n");
        match existing {
            Existing::IsReplaced => files::write(&path, text.as_bytes()),
            // Another process may have saved it since the load began.
            Existing::IsKept => files::write_new(&path, text.as_bytes()),
        }
    });
    written.map(|()| path.clone()).map_err(|why| (path, why))
}

/// Reads a report whose load finished.
pub fn read_finished(path: &Path) -> Result<BenchReport, String> {
    let report = read(path)?;
    check_finished(&report).map_err(|why| messages::report_unusable(&path.display().to_string(), &why))?;
    Ok(report)
}

/// The baseline that a benchmark is compared with, and the name to save its report under.
#[derive(Debug)]
pub struct Baseline {
    folder: PathBuf,
    most: MaxRegression,
    save: Option<(String, Existing)>,
    old: Option<(String, BenchReport)>,
}

/// What happens to a baseline that has the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    IsKept,
    IsReplaced,
}

described! {
    /// Why a report was not saved.
    pub enum NotKept {
        NotPassed: "the load did not pass",
        MayBeWorse: "it may be worse than the baseline that it would replace",
    }
}

/// Whether a report was saved, with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptAs<'a> {
    NotAsked,
    Kept(&'a str, PathBuf),
    Refused(&'a str, NotKept),
}

impl Baseline {
    /// Reads the baseline `old`, and remembers `save` as the name to save the report under.
    ///
    /// Errors: an invalid name, a baseline that is missing, broken, or of a load that failed or did not finish, or one that
    /// exists and is to be kept.
    pub fn open(
        folder: PathBuf,
        most: MaxRegression,
        save: Option<(&str, Existing)>,
        old: Option<&str>,
    ) -> Result<Self, Error> {
        let checked = |name: &str| check_name(name).map(|()| name.to_owned()).map_err(Error::Usage);
        let save = save.map(|(name, existing)| checked(name).map(|name| (name, existing))).transpose()?;
        if let Some((name, Existing::IsKept)) = &save {
            let path = path(&folder, name);
            if fs::symlink_metadata(&path).is_ok() {
                return Err(Error::Usage(messages::baseline_exists(name, &path.display().to_string())));
            }
        }
        let old = old.map(checked).transpose()?;
        let read = |name: String| {
            let path = path(&folder, &name);
            let report = read(&path).map_err(|why| {
                let fix = if path.exists() { String::new() } else { messages::create_baseline(&name) };
                unusable(&name, &(why + &fix))
            })?;
            if report.result == BenchResult::Fail {
                return Err(unusable(&name, messages::load_failed()));
            }
            check_finished(&report).map_err(|why| unusable(&name, &why))?;
            Ok((name, report))
        };
        let old = old.map(read).transpose()?;
        Ok(Self { folder, most, save, old })
    }

    /// Checks that a planned load is comparable with the baseline.
    pub fn check(&self, load: &LoadFacts, role: BenchRole, dialect: &str) -> Result<(), Error> {
        self.checked(|old| prepared(old, &Machine::this(), load, (role, dialect)))
    }

    /// Checks that a sender's load has the webhooks and events of the baseline.
    pub fn check_events(&self, webhooks: usize, events: Option<u64>) -> Result<(), Error> {
        self.checked(|old| same_events(old, (webhooks, events)))
    }

    /// Checks that the bodies are those of the baseline.
    pub fn check_bodies(&self, corpus: &CorpusFacts) -> Result<(), Error> {
        self.checked(|old| same_bodies(old, corpus))
    }

    fn checked(&self, check: impl Fn(&BenchReport) -> Result<(), String>) -> Result<(), Error> {
        let Some((name, old)) = &self.old else { return Ok(()) };
        check(old).map_err(|why| unusable(name, &why))
    }

    /// Measures, and repeats the load if a figure looks worse than the baseline's. The comparison goes into the report. `context` is
    /// passed to each measurement, and to `on_repeat` before the second.
    ///
    /// Errors: the first measurement fails.
    pub async fn measured<T>(
        &self,
        context: &mut T,
        on_repeat: impl FnOnce(&mut T),
        mut measure: impl AsyncFnMut(&mut T) -> Result<BenchReport, Error>,
    ) -> Result<BenchReport, Error> {
        let mut report = measure(context).await?;
        let Some((name, old)) = &self.old else { return Ok(report) };
        let suspicious = |new| compare((name, old), &[(messages::THIS_RUN, new)], &self.most).is_suspicious();
        let again = if report.result.is_whole() && suspicious(&report) {
            on_repeat(context);
            Some(measure(context).await)
        } else {
            None
        };
        self.conclude((name, old), &mut report, again);
        Ok(report)
    }

    /// Adds the comparison to a report. `again` is the repeated load. If the repetition failed, or the reports turn out not to be
    /// comparable, a note says so.
    fn conclude(
        &self,
        (name, old): (&str, &BenchReport),
        report: &mut BenchReport,
        again: Option<Result<BenchReport, Error>>,
    ) {
        let mut result = report.result;
        let again = match again.transpose() {
            Ok(again) => again,
            Err(why) => {
                report.notes.push(messages::repeat_failed(&why.to_string()));
                result = result.or_worse(BenchResult::of(why.exit_status()));
                None
            }
        };
        if let Some(again) = again.as_ref().filter(|again| !again.result.is_whole()) {
            report.notes.extend(again.notes.iter().map(|note| messages::note_of_repeat(note)));
            report.notes.push(messages::result_of_repeat(again.result.describe()));
            result = result.or_worse(again.result);
        }
        if result.is_whole() {
            let mut new = vec![(messages::THIS_RUN, &*report)];
            new.extend(again.iter().map(|again| (messages::REPEATED_RUN, again)));
            match new.iter().try_for_each(|(_, report)| comparable(old, report)) {
                Err(why) => {
                    result = result.or_worse(BenchResult::Incomplete);
                    report.notes.push(messages::not_compared(name, &why));
                }
                Ok(()) => {
                    let comparison = compare((name, old), &new, &self.most);
                    result = result.or_worse(comparison.result);
                    report.comparison = Some(comparison);
                }
            }
        } else {
            report.notes.push(messages::not_compared(name, messages::load_without_figures()));
        }
        report.settle(result);
    }

    /// Saves the report if a name was given and the report is fit for a baseline.
    ///
    /// Errors: it cannot be written.
    pub fn keep(&self, report: &BenchReport) -> Result<KeptAs<'_>, Error> {
        let Some((name, existing)) = &self.save else { return Ok(KeptAs::NotAsked) };
        let replaces = self.old.as_ref().is_some_and(|(old, _)| old == name);
        match report.result {
            BenchResult::Pass => {}
            BenchResult::Slow | BenchResult::Inconclusive if !replaces => {}
            BenchResult::Slow | BenchResult::Inconclusive => {
                return Ok(KeptAs::Refused(name, NotKept::MayBeWorse));
            }
            _ => return Ok(KeptAs::Refused(name, NotKept::NotPassed)),
        }
        let kept = save(&self.folder, (name, *existing), report);
        let path = kept.map_err(|(path, source)| Error::Report { path, source })?;
        Ok(KeptAs::Kept(name, path))
    }
}

fn unusable(name: &str, why: &str) -> Error {
    Error::Usage(messages::baseline_unusable(name, why))
}
