//! What is replayed: a case, a folder of cases, a captured request, or the failures of the last run.

use std::fs;
use std::path::{Path, PathBuf};

use memchr::memmem;

use super::capture::{self, Recorded};
use crate::budget::LARGE_FILE;
use crate::cli::console::Console;
use crate::cli::messages::replay as messages;
use crate::error::Error;
use crate::input::{self, Unread};
use crate::redaction::Redaction;
use crate::report::case::Case;
use crate::report::last_runs::{LastRun, case_in};
use crate::suite::requirement::{Requirement, Role};
use crate::suite::requirements;
use crate::terminal::text;
use crate::webhook::signature::Secret;

/// How many files a folder of cases may have, and how many bytes.
const MOST_CASES: usize = 1000;
const MOST_BYTES: u64 = 4 * LARGE_FILE;

/// What is sent, in this order, and what cannot be.
#[derive(Default)]
pub(super) struct Batch {
    /// As the heading has it.
    pub(super) name: String,
    pub(super) items: Vec<Item>,
    /// Names of what cannot be sent, and why.
    pub(super) unusable: Vec<(String, String)>,
    /// Whether a single file was named, so that everything about it is shown.
    pub(super) is_single: bool,
}

/// One delivery to send again.
pub(super) struct Item {
    pub(super) name: String,
    /// What the file of a written test is called after.
    pub(super) stem: String,
    pub(super) sent: Sent,
}

pub(super) enum Sent {
    Case(Box<Case>, &'static Requirement),
    Captured(Recorded),
}

pub(super) enum Source {
    Batch(Batch),
    /// There is nothing to send, and why.
    Nothing(String),
}

impl Sent {
    /// Where it went, and the seed of the run.
    pub(super) fn place(&self) -> (&str, u64) {
        match self {
            Self::Case(case, _) => (case.path(), case.seed),
            Self::Captured(recorded) => (recorded.target(), 0),
        }
    }

    /// The path that it went to, with the secret where it was redacted, which is only then asked for.
    pub(super) fn path(&self, secret: impl FnOnce() -> Result<Secret, Error>) -> Result<String, Error> {
        let redacted = match self {
            Self::Case(case, _) => case.redacted,
            Self::Captured(recorded) => recorded.redacted,
        };
        let (path, _) = self.place();
        if redacted && path.contains("[redacted") {
            return Ok(Redaction::new([&secret()?]).restored_text(path));
        }
        Ok(path.to_owned())
    }

    pub(super) fn is_captured(&self) -> bool {
        matches!(self, Self::Captured(_))
    }
}

/// What a path names. Errors: it cannot be read, or there is nothing in it that can be replayed.
pub(super) fn at(path: &Path, console: &mut Console) -> Result<Source, Error> {
    let unusable = |why: String| Error::Usage(messages::cannot_replay(path, &why));
    let found = fs::metadata(path).map_err(|why| unusable(why.to_string()))?;
    if found.is_dir() {
        return folder(path).map_err(unusable);
    }
    if !found.is_file() {
        return Err(unusable(messages::not_a_file().to_owned()));
    }
    let bytes = match input::file(path, LARGE_FILE) {
        // A case is never so long, and HAR may be.
        Err(Unread::TooLong { .. }) => Vec::new(),
        read => read.map_err(|why| unusable(why.to_string()))?,
    };
    if is_case(&bytes) {
        let (sent, requirement) = case(&bytes).map_err(unusable)?;
        let mut batch = Batch { is_single: true, ..named(path) };
        batch.add(requirement.id.to_owned(), Ok(sent));
        return Ok(Source::Batch(batch));
    }
    let deliveries = match capture::deliveries(path, console) {
        Err(_) if may_be_case(path, &bytes) => return Err(unusable(case(&bytes).err().unwrap_or_default())),
        deliveries => deliveries?,
    };
    if let [Err(why)] = &*deliveries {
        return Err(unusable(why.clone()));
    }
    let mut batch = Batch { is_single: deliveries.len() == 1, ..named(path) };
    for (number, delivery) in (1..).zip(deliveries) {
        let (name, stem) = (file_name(path), path.file_stem().unwrap_or_default().to_string_lossy());
        let (name, stem) = if batch.is_single {
            (name, stem.into_owned())
        } else {
            (format!("{name} #{number}"), format!("{stem} request {number}"))
        };
        batch.add_as(name, stem, delivery.map(Sent::Captured));
    }
    Ok(Source::Batch(batch))
}

/// The failures of a run that was kept.
pub(super) fn of_last_run(name: String, folder: &Path, run: &LastRun) -> Batch {
    let mut batch = Batch { name, ..Batch::default() };
    for id in &run.cases {
        let read = input::file(&case_in(folder, id), LARGE_FILE).map_err(|why| why.to_string());
        batch.add(id.clone(), read.and_then(|bytes| case(&bytes)).map(|(sent, _)| sent));
    }
    let more = run.shown_by_more.iter().map(|id| (id.clone(), messages::shown_by_more(id)));
    let large = run.too_large.iter().map(|id| (id.clone(), messages::too_large_to_keep(id)));
    batch.unusable.extend(more.chain(large));
    batch
}

impl Batch {
    fn add(&mut self, name: String, sent: Result<Sent, String>) {
        self.add_as(name.clone(), name, sent);
    }

    fn add_as(&mut self, name: String, stem: String, sent: Result<Sent, String>) {
        match sent {
            Ok(sent) => self.items.push(Item { name, stem, sent }),
            Err(why) => self.unusable.push((name, why)),
        }
    }
}

fn named(path: &Path) -> Batch {
    Batch { name: text(path.as_os_str().as_encoded_bytes()).into_owned(), ..Batch::default() }
}

fn file_name(path: &Path) -> String {
    text(path.file_name().unwrap_or(path.as_os_str()).as_encoded_bytes()).into_owned()
}

/// Whether a file is a saved case, perhaps a damaged one, and no capture.
fn is_case(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{") && memmem::find(bytes, b"\"requirement\"").is_some()
}

/// Whether a file that is no capture looks most like a case.
fn may_be_case(path: &Path, bytes: &[u8]) -> bool {
    let is_json = path.extension().is_some_and(|end| end == "json");
    is_json && matches!(bytes.trim_ascii_start().first(), None | Some(b'{'))
}

/// A case and its requirement. Errors: why it is none.
fn case(bytes: &[u8]) -> Result<(Sent, &'static Requirement), String> {
    let case = Case::parse(bytes)?;
    let named = |one: &&Requirement| one.role() == Role::Receiver && one.id == case.requirement;
    let requirement = requirements::all()
        .find(named)
        .ok_or_else(|| messages::not_a_receiver_requirement(&case.requirement))?;
    Ok((Sent::Case(Box::new(case), requirement), requirement))
}

/// The cases of a folder. Errors: why there are none.
fn folder(path: &Path) -> Result<Source, String> {
    let [own, of_demo] = [path.join("cases"), path.join("receiver/cases")];
    let cases = [own, of_demo].into_iter().find(|folder| folder.is_dir());
    if cases.is_none() {
        let role = ["run.json", "receiver/run.json"].iter().find_map(|name| role(&path.join(name)));
        match role.as_deref() {
            Some("sender") => return Err(messages::folder_of_a_sender().to_owned()),
            Some(_) => return Ok(Source::Nothing(messages::nothing_saved(path))),
            None => {}
        }
    }
    let cases = cases.unwrap_or_else(|| path.to_owned());
    let mut batch = named(path);
    let mut bytes_in_all = 0;
    for file in files(&cases)? {
        let read = input::file(&file, LARGE_FILE).map_err(|why| why.to_string());
        bytes_in_all += read.as_ref().map_or(0, |bytes| bytes.len() as u64);
        if bytes_in_all > MOST_BYTES {
            return Err(messages::cases_are_too_large(MOST_BYTES >> 20));
        }
        let sent = read.and_then(|bytes| case(&bytes)).map(|(sent, _)| sent);
        let name = match &sent {
            Ok(Sent::Case(case, _)) => case.requirement.clone(),
            _ => file_name(&file),
        };
        batch.add(name, sent);
    }
    if batch.items.is_empty() {
        return Err(match batch.unusable.first() {
            Some((name, why)) => messages::no_case_is_usable(name, why),
            None => messages::no_cases_in_folder().to_owned(),
        });
    }
    Ok(Source::Batch(batch))
}

/// The JSON files of a folder, those of requirements in the order of the requirements.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|why| why.to_string())?;
    let paths = entries.flatten().map(|entry| entry.path());
    let is_json = |path: &PathBuf| path.extension().is_some_and(|end| end == "json") && path.is_file();
    let mut files: Vec<PathBuf> = paths.filter(is_json).take(MOST_CASES + 1).collect();
    if files.len() > MOST_CASES {
        return Err(messages::too_many_cases(MOST_CASES));
    }
    let ids: Vec<&str> = requirements::all().map(|one| one.id).collect();
    let place = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        ids.iter().position(|id| *id == name).unwrap_or(ids.len())
    };
    files.sort_by_cached_key(|path| (place(path), path.clone()));
    Ok(files)
}

/// The role in a `run.json`; `None` if there is none.
fn role(path: &Path) -> Option<String> {
    let run: serde_json::Value = serde_json::from_slice(&input::file(path, LARGE_FILE).ok()?).ok()?;
    run["role"].as_str().map(str::to_owned)
}
