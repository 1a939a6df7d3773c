//! A run that was saved with `--out`, or a report that was written as JSON, read back.
//!
//! Invariant: a folder is read as a whole or not at all, in bounded memory, and nothing in it is changed.

pub mod diff;
pub mod merge;

mod exchanges;
mod messages;
mod names;
mod reading;
mod unusable;

use std::fs;
use std::path::{Path, PathBuf};

use self::names::{EXCHANGES, MANIFEST, REPORT};
use self::reading::{Format, read};
use self::unusable::unusable;
use super::Report;
use super::evidence::{Manifest, OF_ROLES};
use crate::exit::ExitStatus;

pub use self::unusable::{Unusable, Why};

/// The longest report that is read, a hundred times as long as usual. Parsed, it may take ten times the memory.
const LONGEST_REPORT: u64 = 8 * 1024 * 1024;
/// The longest `run.json` that is read.
const LONGEST_MANIFEST: u64 = 1024 * 1024;

/// A saved run.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// What was named: a folder or a file.
    pub path: PathBuf,
    /// The options of the run: one for each role. There are none for a report without its folder.
    pub manifests: Vec<Manifest>,
    pub report: Report,
    /// Each folder with exchanges, and the role that they are of if there are several.
    exchanges: Vec<(PathBuf, Option<&'static str>)>,
}

impl Saved {
    /// The exit status of the run.
    ///
    /// Errors: it is not that of the requirements, so the report was changed.
    pub fn exit(&self) -> Result<ExitStatus, Unusable> {
        let mut concluded = self.report.clone();
        concluded.conclude();
        if concluded.exit == self.report.exit {
            return Ok(concluded.exit);
        }
        Err(unusable(&self.path, Why::Malformed(messages::other_result().to_owned())))
    }
}

/// Reads a folder that a run made with `--out`, or a report that was written as JSON.
///
/// Errors: it is neither, it is damaged, or another version wrote it.
pub fn open(path: &Path) -> Result<Saved, Unusable> {
    let found = fs::metadata(path).map_err(|why| unusable(path, Why::Unread(why.into())))?;
    if found.is_dir() { folder(path) } else { file(path) }
}

fn folder(path: &Path) -> Result<Saved, Unusable> {
    let roles = OF_ROLES.map(|role| (path.join(role), Some(role)));
    let is_own = exists(&path.join(MANIFEST));
    let is_demo = !is_own && roles.iter().any(|(folder, _)| exists(&folder.join(MANIFEST)));
    let exchanges = if is_demo { roles.to_vec() } else { vec![(path.to_owned(), None)] };
    if !is_own && !is_demo {
        let why = if exists(&path.join(REPORT)) { Why::Lacks(MANIFEST) } else { Why::NotARun };
        return Err(unusable(path, why));
    }
    let manifests = exchanges.iter().map(|(folder, _)| manifest(&folder.join(MANIFEST)));
    let manifests = manifests.collect::<Result<Vec<_>, _>>()?;
    if !exists(&path.join(REPORT)) {
        return Err(unusable(path, Why::NotEnded));
    }
    let report = report(&path.join(REPORT))?;
    if let Some(what) = mixed(&manifests, &report) {
        return Err(unusable(path, Why::Mixed(what)));
    }
    Ok(Saved { path: path.to_owned(), manifests, report, exchanges })
}

fn file(path: &Path) -> Result<Saved, Unusable> {
    let report = report(path)?;
    // The report of a run's folder has its exchanges next to it.
    let own = path.parent().filter(|_| path.file_name().is_some_and(|name| name == REPORT));
    let exchanges = own.filter(|folder| exists(&folder.join(EXCHANGES)));
    let exchanges = exchanges.map(|folder| (folder.to_owned(), None)).into_iter().collect();
    Ok(Saved { path: path.to_owned(), manifests: Vec::new(), report, exchanges })
}

/// Whether there is something of this name. What cannot be read is found when it is read.
fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Reads `run.json`.
fn manifest(path: &Path) -> Result<Manifest, Unusable> {
    is_file(path)?;
    read(path, LONGEST_MANIFEST, Format::RUN)
}

fn report(path: &Path) -> Result<Report, Unusable> {
    if path.file_name().is_some_and(|name| name == REPORT) {
        is_file(path)?;
    }
    let report: Report = read(path, LONGEST_REPORT, Format::REPORT)?;
    let (requirements, checks) = (&report.requirements, &report.checks);
    let is_paired = requirements.len() == checks.len()
        && requirements.iter().zip(checks).all(|(requirement, check)| {
            requirement.id == check.requirements[0]
                && requirement.checks[0] == check.id
                && requirement.verdict == check.verdict
        });
    if is_paired { Ok(report) } else { Err(unusable(path, Why::Malformed(messages::unpaired().to_owned()))) }
}

/// Errors: a folder, a device or a pipe has the name of a file of a run.
fn is_file(path: &Path) -> Result<(), Unusable> {
    let found = fs::metadata(path).map_err(|why| unusable(path, Why::Unread(why.into())))?;
    if found.is_file() { Ok(()) } else { Err(unusable(path, Why::NotAFile)) }
}

/// In what the files of a folder differ that must be equal.
fn mixed(manifests: &[Manifest], report: &Report) -> Option<&'static str> {
    let role = match manifests {
        [one] => one.role.as_str(),
        _ => "both",
    };
    let ids = || manifests.iter().flat_map(|one| &one.requirements);
    let is_same = |same: fn(&Manifest, &Report) -> bool| manifests.iter().all(|one| same(one, report));
    [
        ("role", report.role == role),
        ("seed", is_same(|one, report| one.seed == report.seed)),
        ("dialect", is_same(|one, report| one.dialect == report.dialect)),
        ("requirements", ids().eq(report.requirements.iter().map(|one| &one.id))),
        ("version", is_same(|one, report| one.tool == report.tool)),
    ]
    .into_iter()
    .find_map(|(what, is_same)| (!is_same).then_some(what))
}
