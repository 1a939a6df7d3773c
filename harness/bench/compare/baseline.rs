//! Reports of benchmarks that are kept under a name, and what is measured later compared with one of them.
//!
//! Invariant: a baseline is there whole or not at all; a file that is none is refused with its name; and only a load that is
//! worth comparing with is kept.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::comparison::{comparable, compare, prepared, same_bodies, same_events, whole};
use super::thresholds::MaxRegression;
use crate::bench::measure::machine::Machine;
use crate::bench::measure::report::{BenchReport, BenchRole, CorpusFacts, LoadFacts};
use crate::bench::measure::result::BenchResult;
use crate::error::Error;

/// Where baselines are kept where nothing else is said.
pub const FOLDER: &str = ".twenty-conform/baselines";
const LONGEST_NAME: usize = 100;
/// The longest report that is read, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// A name that is one file's on every system. Errors: why it is none, as a sentence.
pub fn check_name(name: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if begins && name.len() <= LONGEST_NAME && name.bytes().all(allowed) && !name.ends_with('.') {
        return Ok(());
    }
    Err(format!(
        "{name:?} is no name of a baseline: it may hold up to {LONGEST_NAME} letters, digits, dots, hyphens and underscores, \
         begins with a letter or digit, and ends with no dot"
    ))
}

pub fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.json"))
}

/// What is meant by an argument: a file where it has a separator or ends in `.json`, otherwise the baseline of that name.
///
/// Errors: it is neither.
pub fn locate(argument: &str, folder: &Path) -> Result<PathBuf, String> {
    if argument.ends_with(".json") || argument.contains(['/', '\\']) {
        return Ok(argument.into());
    }
    check_name(argument)?;
    Ok(path(folder, argument))
}

/// Reads a report. Errors: a sentence that names the file.
pub fn read(path: &Path) -> Result<BenchReport, String> {
    let failed = |why: String| format!("the report {} cannot be read: {why}", path.display());
    let file = File::open(path).map_err(|why| failed(why.to_string()))?;
    let mut text = Vec::new();
    // One byte more than is allowed says that there is more.
    file.take(LARGEST + 1).read_to_end(&mut text).map_err(|why| failed(why.to_string()))?;
    if text.len() as u64 > LARGEST {
        return Err(failed(format!("it has more than {} MiB", LARGEST >> 20)));
    }
    let text = String::from_utf8(text).map_err(|_| failed("it is no text".to_owned()))?;
    BenchReport::parse(&text).map_err(failed)
}

/// Keeps a report under a name; one that was there is replaced. Returns where it is.
///
/// Errors: where it cannot be written, and why.
pub fn save(folder: &Path, name: &str, report: &BenchReport) -> Result<PathBuf, (PathBuf, std::io::Error)> {
    let path = path(folder, name);
    // Beside it, so that it is moved and not copied; of this process alone.
    let unfinished = folder.join(format!(".{name}.{}.unfinished", std::process::id()));
    let written = fs::create_dir_all(folder).and_then(|()| {
        let text = serde_json::to_string_pretty(report)? + "\n";
        let mut file = File::create(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)
    });
    if written.is_err() {
        // It may not even have been made.
        let _ = fs::remove_file(&unfinished);
    }
    written.map(|()| path.clone()).map_err(|why| (path, why))
}

/// Reads a report that figures can be compared with. Errors: it cannot be read, or its load was not whole or failed; a sentence.
pub fn read_whole(path: &Path) -> Result<BenchReport, String> {
    let report = read(path)?;
    whole(&report).map_err(|why| format!("the report {} is refused: {why}", path.display()))?;
    Ok(report)
}

/// What a benchmark is compared with, and what it is kept as.
#[derive(Debug)]
pub struct Baseline {
    folder: PathBuf,
    most: MaxRegression,
    save: Option<String>,
    old: Option<(String, BenchReport)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotKept {
    /// Its load failed, or did not come to its end.
    NotPassed,
    /// It would replace the report that it is or may be worse than.
    MayBeWorse,
}

impl NotKept {
    /// The reason, as a part of a sentence.
    pub fn describe(self) -> &'static str {
        match self {
            Self::NotPassed => "the load did not pass",
            Self::MayBeWorse => "it is not known to be as good as the one that it would replace",
        }
    }
}

/// What became of a report that was to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptAs<'a> {
    NotAsked,
    /// It is kept under this name, in this file.
    Kept(&'a str, PathBuf),
    Refused(&'a str, NotKept),
}

impl Baseline {
    /// Reads the baseline `old`, and takes `save` as the name to keep the report under.
    ///
    /// Errors: a name that is none, a baseline that is not there, broken, or of a load that was not whole.
    pub fn open(
        folder: PathBuf,
        most: MaxRegression,
        save: Option<&str>,
        old: Option<&str>,
    ) -> Result<Self, Error> {
        let checked = |name: &str| check_name(name).map(|()| name.to_owned()).map_err(Error::Usage);
        let save = save.map(checked).transpose()?;
        let old = old.map(checked).transpose()?;
        let read = |name: String| {
            let path = path(&folder, &name);
            let report = read(&path).map_err(|why| {
                let hint = if path.exists() { "" } else { "; --save NAME keeps a report under a name" };
                Error::Usage(format!("there is no usable baseline {name:?}: {why}{hint}"))
            })?;
            if report.result == BenchResult::Fail {
                return Err(refused(&name, "it is of a load that failed"));
            }
            whole(&report).map_err(|why| refused(&name, &why))?;
            Ok((name, report))
        };
        let old = old.map(read).transpose()?;
        Ok(Self { folder, most, save, old })
    }

    /// Refuses a baseline that what is to be measured cannot be compared with.
    pub fn check(&self, load: &LoadFacts, role: BenchRole, dialect: &str) -> Result<(), Error> {
        self.refuse(|old| prepared(old, &Machine::this(), load, (role, dialect)))
    }

    /// Refuses a baseline of a sender with other webhooks or events.
    pub fn check_events(&self, webhooks: usize, events: Option<u64>) -> Result<(), Error> {
        self.refuse(|old| same_events(old, (webhooks, events)))
    }

    /// Refuses a baseline of other bodies.
    pub fn check_bodies(&self, corpus: &CorpusFacts) -> Result<(), Error> {
        self.refuse(|old| same_bodies(old, corpus))
    }

    fn refuse(&self, check: impl Fn(&BenchReport) -> Result<(), String>) -> Result<(), Error> {
        let Some((name, old)) = &self.old else { return Ok(()) };
        check(old).map_err(|why| refused(name, &why))
    }

    /// Measures, and once more where a figure looks worse than the baseline's; the comparison is in the report. `context` is
    /// handed to each measurement, and to `told` before the second.
    ///
    /// Errors: it cannot be measured at all.
    pub async fn measured<T>(
        &self,
        context: &mut T,
        told: impl FnOnce(&mut T),
        mut measure: impl AsyncFnMut(&mut T) -> Result<BenchReport, Error>,
    ) -> Result<BenchReport, Error> {
        let mut report = measure(context).await?;
        let Some((name, old)) = &self.old else { return Ok(report) };
        let suspicious = |new| compare((name, old), &[("this run", new)], &self.most).is_suspicious();
        let again = if report.result.is_whole() && suspicious(&report) {
            told(context);
            Some(measure(context).await)
        } else {
            None
        };
        self.conclude((name, old), &mut report, again);
        Ok(report)
    }

    /// Puts the comparison into a report; `again` is the load that was repeated. Where that failed, or what was measured cannot
    /// be compared after all, a note says so.
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
                report.notes.push(format!("the load could not be put once more: {why}"));
                result = result.or_worse(BenchResult::of(why.exit_status()));
                None
            }
        };
        if let Some(again) = again.as_ref().filter(|again| !again.result.is_whole()) {
            report.notes.extend(again.notes.iter().map(|note| format!("put once more: {note}")));
            report.notes.push(format!("the load that was put once more: {}", again.result));
            result = result.or_worse(again.result);
        }
        if result.is_whole() {
            let mut new = vec![("this run", &*report)];
            new.extend(again.iter().map(|again| ("put once more", again)));
            match new.iter().try_for_each(|(_, report)| comparable(old, report)) {
                Err(why) => {
                    result = result.or_worse(BenchResult::Incomplete);
                    report.notes.push(format!("not compared with the baseline {name:?}: {why}"));
                }
                Ok(()) => {
                    let comparison = compare((name, old), &new, &self.most);
                    result = result.or_worse(comparison.result);
                    report.comparison = Some(comparison);
                }
            }
        } else {
            report.notes.push(format!("not compared with the baseline {name:?}: the load was not whole"));
        }
        report.settle(result);
    }

    /// Keeps the report, where that was asked for and it is worth it.
    ///
    /// Errors: it cannot be written.
    pub fn keep(&self, report: &BenchReport) -> Result<KeptAs<'_>, Error> {
        let Some(name) = self.save.as_deref() else { return Ok(KeptAs::NotAsked) };
        let replaces = self.old.as_ref().is_some_and(|(old, _)| old == name);
        match report.result {
            BenchResult::Pass => {}
            BenchResult::Slow | BenchResult::Inconclusive if !replaces => {}
            BenchResult::Slow | BenchResult::Inconclusive => {
                return Ok(KeptAs::Refused(name, NotKept::MayBeWorse));
            }
            _ => return Ok(KeptAs::Refused(name, NotKept::NotPassed)),
        }
        let kept = save(&self.folder, name, report);
        let path = kept.map_err(|(path, source)| Error::Report { path, source })?;
        Ok(KeptAs::Kept(name, path))
    }
}

fn refused(name: &str, why: &str) -> Error {
    Error::Usage(format!("the baseline {name:?} is refused: {why}"))
}
