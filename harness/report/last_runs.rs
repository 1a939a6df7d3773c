//! The failures of the last runs on receivers, kept so that `replay` finds them without being told where they are.
//!
//! A run appears as a whole or not at all, so runs at the same time do not disturb each other. No secret is written, and the
//! number and the size of what is kept are bounded.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tempfile::Builder;

use super::case::Case;
use super::redaction;
use crate::budget::LARGE_FILE;
use crate::duration::milliseconds;
use crate::input::{self, Unread};
use crate::redaction::Redaction;
use crate::suite::requirement::Verdict;
use crate::suite::run::{Judgement, Run};
use crate::terminal;

pub const FORMAT: &str = "twenty-conform-last-run/1";

/// The file that says what was tested.
const MANIFEST: &str = "last-run.json";
const CASES: &str = "cases";
/// The beginning of the name of a run that is being written.
const UNFINISHED: &str = ".new-";
/// How many runs are kept: of one folder, and of all.
const MOST: (usize, usize) = (5, 40);
/// How many bytes the cases of one run may have, and those of all runs.
const MOST_BYTES: (u64, u64) = (16 << 20, 128 << 20);
/// After this long, a run that is still being written was left by a program that was killed.
const ABANDONED_MS: u64 = 24 * 60 * 60 * 1000;

/// A run as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    pub format: String,
    /// The folder in which it was started.
    pub folder: PathBuf,
    /// In milliseconds since the epoch.
    pub began_at_ms: u64,
    pub seed: u64,
    pub attached: Attached,
    /// The failures that have a case.
    pub cases: Vec<String>,
    /// The failures that no single delivery shows.
    pub shown_by_more: Vec<String>,
    /// The failures whose cases are too large to be kept.
    pub too_large: Vec<String>,
}

/// How the receiver of a run is reached or started, with its secret redacted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attached {
    pub url: Option<String>,
    pub exec: Option<String>,
    pub env: Vec<(String, String)>,
    pub cwd: Option<PathBuf>,
    pub port: Option<u16>,
    pub ready_timeout_ms: u64,
    pub allow_remote: bool,
    pub ca: Option<PathBuf>,
    pub insecure: bool,
    pub secret: SecretOrigin,
}

/// Where the secret of a run came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretOrigin {
    /// From the seed.
    #[default]
    Made,
    /// An option or a variable had it.
    Given,
    /// The file, which is read again.
    File(PathBuf),
}

impl Attached {
    fn map(self, change: impl Fn(&str) -> String) -> Self {
        Self {
            url: self.url.map(|url| change(&url)),
            exec: self.exec.map(|exec| change(&exec)),
            env: self.env.into_iter().map(|(name, value)| (name, change(&value))).collect(),
            ..self
        }
    }

    fn redacted(self, redaction: &Redaction) -> Self {
        self.map(|text| redaction.text(text))
    }

    /// The same with its secret.
    #[must_use]
    pub fn restored(self, redaction: &Redaction) -> Self {
        self.map(|text| redaction.restored_text(text))
    }
}

/// The folder of the last runs.
#[derive(Debug, Clone)]
pub struct LastRuns(PathBuf);

impl LastRuns {
    /// Within the folder for what programs may lose.
    pub fn within(cache: &Path) -> Self {
        Self(cache.join(env!("CARGO_PKG_NAME")).join("runs"))
    }

    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Keeps the failures of a run that began in this folder, and removes the oldest runs.
    ///
    /// Errors: the run cannot be written; nothing of it is kept then.
    pub fn keep(
        &self,
        run: &Run,
        attached: Attached,
        (folder, seed, began_at_ms): (&Path, u64, u64),
    ) -> io::Result<()> {
        let redaction = redaction(&run.transcript);
        let mut kept = LastRun {
            format: FORMAT.to_owned(),
            folder: folder.to_owned(),
            began_at_ms,
            seed,
            attached: attached.redacted(&redaction),
            cases: Vec::new(),
            shown_by_more: Vec::new(),
            too_large: Vec::new(),
        };
        fs::create_dir_all(&self.0)?;
        // Only its owner can read it: variables of the command may be secrets of other programs.
        let new = Builder::new().prefix(UNFINISHED).tempdir_in(&self.0)?;
        fs::create_dir(new.path().join(CASES))?;
        let mut left = MOST_BYTES.0;
        for finding in &run.findings {
            let Judgement::Judged(Verdict::Fail(evidence)) = &finding.judgement else { continue };
            let id = finding.requirement.id;
            let Some(case) = Case::of(&run.transcript, finding.requirement, evidence, seed, &redaction)
            else {
                kept.shown_by_more.push(id.to_owned());
                continue;
            };
            let text = json(&case)?;
            let Some(rest) = left.checked_sub(text.len() as u64) else {
                kept.too_large.push(id.to_owned());
                continue;
            };
            left = rest;
            fs::write(case_in(new.path(), id), text)?;
            kept.cases.push(id.to_owned());
        }
        fs::write(new.path().join(MANIFEST), json(&kept)?)?;
        let random = new.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let random = random.trim_start_matches(UNFINISHED);
        let name = format!("{began_at_ms:014}-{}-{random}", digest(folder));
        fs::rename(new.path(), self.0.join(name))?;
        // It has another name now.
        let _ = new.keep();
        self.remove_oldest(began_at_ms);
        Ok(())
    }

    /// The newest run that began in this folder, with the folder that it is kept in; `None` if none is.
    ///
    /// Errors: the folder of kept runs, or the newest one in it, cannot be read. An older one is not the last run.
    pub fn newest(&self, folder: &Path) -> Result<Option<(PathBuf, LastRun)>, (PathBuf, String)> {
        if let Err(why) = fs::read_dir(&self.0)
            && why.kind() != io::ErrorKind::NotFound
        {
            return Err((self.0.clone(), why.to_string()));
        }
        for run in self.runs().into_iter().filter(|run| run.digest == digest(folder)) {
            let kept = read(&run.path)?;
            if let Some(kept) = kept.filter(|kept| kept.folder == folder) {
                return Ok(Some((run.path, kept)));
            }
        }
        Ok(None)
    }

    /// The newest run of any folder.
    pub fn newest_of_all(&self) -> Option<LastRun> {
        self.runs().into_iter().find_map(|run| read(&run.path).ok().flatten())
    }

    /// Every run, the newest first.
    fn runs(&self) -> Vec<Found> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let mut runs: Vec<Found> = entries.filter_map(|entry| Found::of(entry.path())).collect();
        runs.sort_by(|one, other| other.path.cmp(&one.path));
        runs
    }

    /// Removes what is too much. What cannot be removed now is tried again after the next run.
    fn remove_oldest(&self, now_ms: u64) {
        let mut of_folder: HashMap<String, usize> = HashMap::new();
        let mut bytes = 0;
        for (at, run) in self.runs().into_iter().enumerate() {
            let number = of_folder.entry(run.digest).or_default();
            *number += 1;
            bytes += size(&run.path);
            let is_newest = at == 0;
            if !is_newest && (*number > MOST.0 || at >= MOST.1 || bytes > MOST_BYTES.1) {
                let _ = fs::remove_dir_all(&run.path);
            }
        }
        for entry in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            let is_unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
            let changed = entry.metadata().and_then(|found| found.modified()).ok();
            let changed_ms = changed.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map(milliseconds);
            if is_unfinished && changed_ms.is_some_and(|at_ms| at_ms + ABANDONED_MS < now_ms) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// The file of a requirement's case.
pub fn case_in(folder: &Path, id: &str) -> PathBuf {
    folder.join(CASES).join(format!("{id}.json"))
}

/// A run in the folder.
struct Found {
    path: PathBuf,
    /// Of the folder in which it began.
    digest: String,
}

impl Found {
    /// `None` if the name is not that of a run.
    fn of(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (time, rest) = name.split_once('-')?;
        let (digest, _) = rest.split_once('-')?;
        let is_run = time.len() == 14 && time.bytes().all(|byte| byte.is_ascii_digit());
        let digest = digest.to_owned();
        is_run.then_some(Self { path, digest })
    }
}

/// A short name of a folder.
fn digest(folder: &Path) -> String {
    let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
    const_hex::encode(&digest[..4])
}

/// `None` for a run of another version, and for one that is being removed. Errors: the file, and why it cannot be read.
fn read(run: &Path) -> Result<Option<LastRun>, (PathBuf, String)> {
    let manifest = run.join(MANIFEST);
    let bytes = match input::file(&manifest, LARGE_FILE) {
        Err(Unread::Io(why)) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|why| (manifest.clone(), why.to_string()))?,
    };
    let kept: LastRun = serde_json::from_slice(&bytes).map_err(|why| (manifest, why.to_string()))?;
    Ok(Some(kept).filter(|kept| kept.format == FORMAT))
}

fn size(run: &Path) -> u64 {
    let cases = fs::read_dir(run.join(CASES)).into_iter().flatten().flatten();
    cases.filter_map(|entry| entry.metadata().ok()).map(|found| found.len()).sum()
}

fn json(value: &impl Serialize) -> io::Result<String> {
    Ok(terminal::json(serde_json::to_string_pretty(value)? + "\n"))
}
