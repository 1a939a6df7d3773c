//! A run's evidence on disk: every exchange and trial as it happens, the reports, and a case for each failure that can be
//! replayed.
//!
//! Earlier runs are never overwritten, no secret is written, and the report names every file that could not be written.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};

mod manifest;
mod subject_log;
pub(super) mod transcript;

use self::subject_log::SubjectLog;
use crate::error::Error;
use crate::files::{self, Folders, NotWritable};
use crate::redaction::Redaction;
use crate::report::case::Case;
use crate::report::curl::body_name;
use crate::report::messages;
use crate::report::text::{self, Detail};
use crate::report::{Heading, Report, json as json_report};
use crate::subject::heard::Stream;
use crate::suite::requirement::{Role, Verdict};
use crate::suite::run::{Judgement, Run};
use crate::suite::transcript::{Keeper, Kept, ProcessingTrial, Trial};
use crate::terminal::{self, plain};
use crate::webhook::signature::Secret;
use crate::wire::exchange::{Exchange, ExchangeId};

pub use self::manifest::{FORMAT, Manifest, SavedLimits};

/// The options of a run.
pub(super) const MANIFEST: &str = "run.json";
/// Its report.
pub(super) const REPORT: &str = "report.json";
/// Its exchanges, one in a line.
pub(super) const EXCHANGES: &str = "exchanges.jsonl";
/// What a judgement needs in addition.
pub const TRANSCRIPT: &str = "transcript.json";
/// Every generated case that was tried on a receiver.
pub(super) const GENERATED: &str = "generated.jsonl";

/// All files and folders of a run's evidence.
const NAMES: [&str; 10] = [
    MANIFEST,
    TRANSCRIPT,
    EXCHANGES,
    "trials.jsonl",
    GENERATED,
    "subject.log",
    REPORT,
    "report.txt",
    "cases",
    "bodies",
];

/// The subfolders of a run on both roles.
pub const OF_ROLES: [&str; 2] = ["sender", "receiver"];

/// Whether the evidence of a run may have a file at this path in its folder. On some systems names that differ in case are equal.
pub fn has(path: &Path) -> bool {
    let first = path.components().next().map(|first| first.as_os_str().to_string_lossy().to_lowercase());
    first.is_some_and(|first| NAMES.iter().chain(&OF_ROLES).any(|name| first == *name))
}

/// A folder for evidence, which was empty when it was claimed.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// The evidence of one run, during the run and at its end.
#[derive(Clone)]
pub struct RunEvidence(Arc<Mutex<Files>>);

struct Files {
    folder: PathBuf,
    manifest: Manifest,
    redaction: Redaction,
    exchanges: Lines,
    trials: Lines,
    generated: Lines,
    /// What the program under test wrote; the file is made with its first line.
    log: SubjectLog,
    failures: Vec<String>,
}

/// A file that grows line by line. After a failed write it is closed, so only its last line can be broken.
struct Lines {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Folder {
    /// Creates the folder, or uses an empty one.
    ///
    /// Errors: it cannot be created, read or written to, or it is not empty.
    pub fn claim(path: &Path) -> Result<Self, Error> {
        let not_created = |why| Error::Usage(messages::folder_not_created(path, &why));
        fs::create_dir_all(path).map_err(not_created)?;
        let not_read = |why| Error::Usage(messages::folder_not_read(path, &why));
        match fs::read_dir(path).map_err(not_read)?.next() {
            None => match files::check_folder(path, Folders::Exist) {
                Err(NotWritable::Folder(_, why)) => Err(Error::Usage(messages::not_written(path, &why))),
                _ => Ok(Self(path.to_owned())),
            },
            Some(_) => Err(Error::Usage(messages::folder_not_empty(path))),
        }
    }

    /// A subfolder, for one of several runs.
    pub fn within(&self, name: &str) -> Self {
        Self(self.0.join(name))
    }

    /// Begins the evidence of a run, and removes that of an earlier run of this process. Write failures are reported at the end.
    pub fn begin(&self, manifest: &Manifest, secret: Option<&Secret>) -> RunEvidence {
        let mut redaction = Redaction::default();
        secret.into_iter().for_each(|secret| redaction.add_numbered(secret));
        let mut failures = Vec::new();
        // The subfolder of one of several runs does not exist yet.
        let cleared = fs::create_dir_all(&self.0).and_then(|()| clear(&self.0));
        failures.extend(cleared.err().map(|why| messages::not_written(&self.0, &why)));
        let manifest = Manifest { subject: redaction.text(&manifest.subject), ..manifest.clone() };
        let path = self.0.join(MANIFEST);
        failures.extend(write_json(&path, &manifest).err().map(|why| messages::not_written(&path, &why)));
        let mut lines = |name: &str| {
            let path = self.0.join(name);
            let file = File::create(&path).map_err(|why| failures.push(messages::not_written(&path, &why)));
            Lines { path, file: file.ok().map(BufWriter::new) }
        };
        let [exchanges, trials, generated] = [EXCHANGES, "trials.jsonl", GENERATED].map(&mut lines);
        RunEvidence(Arc::new(Mutex::new(Files {
            folder: self.0.clone(),
            manifest,
            redaction,
            exchanges,
            trials,
            generated,
            log: SubjectLog::within(&self.0),
            failures,
        })))
    }

    /// Writes the report of joined shards. `manifests` are their common options, one for each role.
    pub fn join(&self, manifests: &[Manifest], report: &mut Report) {
        let mut failures = Vec::new();
        for manifest in manifests {
            let role = self.within(manifest.role.as_str());
            let folder = if let [_] = manifests { self } else { &role };
            let path = folder.0.join(MANIFEST);
            let written = make_parent(&path).and_then(|()| write_json(&path, manifest));
            failures.extend(written.err().map(|why| messages::not_written(&path, &why)));
        }
        report.note_missing_evidence(&failures);
        self.report(report);
    }

    /// Writes the combined report of several runs.
    pub fn report(&self, report: &mut Report) {
        let failures = write_reports(&self.0, report);
        report.note_missing_evidence(&failures);
    }
}

impl RunEvidence {
    /// Writes down the run as it happens.
    pub fn keeper(&self) -> Keeper {
        let evidence = self.clone();
        Keeper::new(move |kept| evidence.files().keep(kept))
    }

    /// Writes down a line of the program under test, redacted.
    pub fn hear(&self, stream: Stream, line: &[u8], at_ms: u64) {
        let mut files = self.files();
        let line = files.redaction.text(&terminal::text(line));
        let failed = files.log.add(stream, &line, at_ms);
        files.failures.extend(failed);
    }

    /// Redacts the key of an API too, from now on.
    pub fn hide_key(&self, key: &Secret) {
        self.files().redaction.add_key(key);
    }

    /// Removes the files and the folder, since there was no run.
    pub fn discard(&self) {
        let folder = self.folder();
        // If this fails, the next run that uses the folder reports that it is not empty.
        let _ = clear(&folder).and_then(|()| fs::remove_dir(&folder));
    }

    pub fn folder(&self) -> PathBuf {
        self.files().folder.clone()
    }

    /// Writes the bodies that commands refer to, the cases and the reports. The report names what could not be written.
    pub fn finish(&self, run: &Run, heading: &Heading, report: &mut Report) {
        let mut files = self.files();
        files.write_transcript(run, heading);
        files.write_bodies(run, &report.bodies);
        files.write_cases(run, report.seed);
        let failures = std::mem::take(&mut files.failures);
        report.note_missing_evidence(&failures);
        let failures = write_reports(&files.folder, report);
        report.note_missing_evidence(&failures);
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files {
    fn keep(&mut self, kept: Kept<'_>) {
        match kept {
            Kept::Secret(secret) => self.redaction.add_numbered(secret),
            Kept::Dialect(dialect) if dialect == self.manifest.dialect => {}
            Kept::Dialect(dialect) => {
                self.manifest.dialect = dialect.into();
                let manifest = self.manifest.clone();
                self.write_json(MANIFEST, &manifest);
            }
            Kept::Exchange { exchange, body_cut } => {
                let (exchange, redacted) = self.redaction.exchange(exchange);
                let body_cut = NonZeroU64::new(body_cut);
                let line = ExchangeLine { exchange: &exchange, redacted, body_cut };
                self.failures.extend(self.exchanges.add(&line));
            }
            Kept::Generated(case) => {
                let line = self.redaction.serialised(case);
                self.failures.extend(self.generated.add(&line));
            }
            Kept::Scenario { trials, processing, provisional } => {
                for trial in trials {
                    self.failures
                        .extend(self.trials.add(&marked(trial_line(trial, &self.redaction), provisional)));
                }
                for trial in processing {
                    self.failures.extend(
                        self.trials.add(&marked(processing_line(trial, &self.redaction), provisional)),
                    );
                }
            }
        }
    }

    /// Writes what a later judgement of the run needs. A run that did not begin has nothing to judge.
    fn write_transcript(&mut self, run: &Run, heading: &Heading) {
        if run.not_started.is_none() {
            let redacted = self.redaction.serialised(&transcript::written(run, heading));
            self.write_json(TRANSCRIPT, &redacted);
        }
    }

    fn write_json(&mut self, name: &str, value: &impl Serialize) {
        let path = self.folder.join(name);
        let written = write_json(&path, value);
        self.failures.extend(written.err().map(|why| messages::not_written(&path, &why)));
    }

    fn write_bodies(&mut self, run: &Run, bodies: &[ExchangeId]) {
        for id in bodies {
            let path = self.folder.join(body_name(*id));
            let body = self.redaction.delivery(&run.transcript.exchange(*id).delivery).body;
            let written = make_parent(&path).and_then(|()| files::write(&path, &body));
            self.failures.extend(written.err().map(|why| messages::not_written(&path, &why)));
        }
    }

    fn write_cases(&mut self, run: &Run, seed: u64) {
        if run.transcript.role != Role::Receiver {
            return;
        }
        for finding in &run.findings {
            let Judgement::Judged(Verdict::Fail(evidence)) = &finding.judgement else { continue };
            let requirement = finding.requirement;
            let case = Case::of(&run.transcript, requirement, evidence, seed, &self.redaction);
            let Some(case) = case else { continue };
            let path = self.folder.join("cases").join(format!("{}.json", requirement.id));
            let written = make_parent(&path).and_then(|()| write_json(&path, &case));
            self.failures.extend(written.err().map(|why| messages::not_written(&path, &why)));
        }
    }
}

impl Lines {
    /// Writes a line to the file. Returns what went wrong.
    fn add(&mut self, line: &impl Serialize) -> Option<String> {
        let file = self.file.as_mut()?;
        // Not `to_string`: that prints in the code of this crate, which is slow in builds without optimisation.
        let text = serde_json::to_value(line).map(|line| terminal::json(format!("{line}\n")));
        let text = text.map_err(io::Error::from);
        let written = text.and_then(|text| file.write_all(text.as_bytes())).and_then(|()| file.flush());
        let why = written.err()?;
        if let Some(file) = self.file.take() {
            // The rest of the buffer cannot be written either.
            let _ = file.into_parts();
        }
        Some(messages::not_written(&self.path, &why))
    }
}

/// An exchange in `exchanges.jsonl`.
#[derive(Serialize)]
struct ExchangeLine<'a> {
    #[serde(flatten)]
    exchange: &'a Exchange,
    /// Whether the secret was redacted from it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    redacted: bool,
    /// How many bytes of the request's body are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_cut: Option<NonZeroU64>,
}

fn trial_line(trial: &Trial, redaction: &Redaction) -> Value {
    json!({
        "scenario": trial.scenario,
        "what": redaction.text(&trial.what),
        "respect": redaction.serialised(&trial.respect),
        "generated": trial.generated,
        "exchange": trial.exchange.0,
        "controls": numbers(&trial.controls),
    })
}

fn processing_line(trial: &ProcessingTrial, redaction: &Redaction) -> Value {
    json!({
        "scenario": trial.scenario,
        "what": redaction.text(&trial.what),
        "processing": redaction.serialised(&trial.kind),
        "observed": redaction.serialised(&trial.observed),
        "times": trial.kind.times(),
        "exchanges": numbers(&trial.exchanges),
    })
}

/// A trial's line that says whether its deliveries were made in another manner than the contract's.
fn marked(mut line: Value, provisional: bool) -> Value {
    if provisional {
        line["provisional"] = true.into();
    }
    line
}

fn numbers(exchanges: &[ExchangeId]) -> Vec<usize> {
    exchanges.iter().map(|id| id.0).collect()
}

fn clear(folder: &Path) -> io::Result<()> {
    for name in NAMES {
        let path = folder.join(name);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.or_else(|why| if why.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(why) })?;
    }
    Ok(())
}

/// Writes both reports. Returns what went wrong.
fn write_reports(folder: &Path, report: &Report) -> Vec<String> {
    let shown = text::render(report, Detail::Verbose, text::WIDTH);
    let reports = [(REPORT, json_report::render(report)), ("report.txt", plain(&shown))];
    let write = |(name, text): (&str, String)| {
        let path = folder.join(name);
        files::write(&path, text.as_bytes()).err().map(|why| messages::not_written(&path, &why))
    };
    reports.into_iter().filter_map(write).collect()
}

fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let text = terminal::json(serde_json::to_string_pretty(value)? + "\n");
    files::write(path, text.as_bytes())
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}
