//! Notices when the files of a program under test change.
//!
//! Files are polled. The system's notifications do not work across shared folders of containers and virtual machines, and need
//! a watch for every folder of `node_modules`. Polling some hundred source files costs a millisecond or two.
//!
//! Invariant: bounded. A walk visits at most `MOST_ENTRIES` entries, and files that runs write do not start runs forever.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use tokio::time::sleep;

use super::messages;
use crate::error::Error;

/// The polling interval, and how long nothing may change after a change: editors and builds write several files.
const PACE: Duration = Duration::from_millis(200);
/// A file that changes during this many runs in a row is written by the receiver itself.
const BY_ITSELF: usize = 3;
const MOST_ENTRIES: usize = 20_000;
/// Folders that tools write.
const SKIPPED: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// When a file was changed, since the epoch, and its length.
type FileState = (Option<Duration>, u64);
type Snapshot = BTreeMap<PathBuf, FileState>;

pub struct SourceWatch {
    roots: Vec<PathBuf>,
    /// Files that runs write.
    written: Vec<PathBuf>,
    known: Snapshot,
    /// During how many runs in a row each file changed.
    during: BTreeMap<PathBuf, usize>,
    /// Which of these files start another run.
    again: BTreeSet<PathBuf>,
}

impl SourceWatch {
    /// Watches these paths, except for files that runs write.
    ///
    /// Errors: a path does not exist, or contains too many files.
    pub(crate) fn new<'a>(
        paths: &[PathBuf],
        written: impl IntoIterator<Item = &'a Path>,
    ) -> Result<Self, Error> {
        let usage = |path: &Path, why: &str| Error::Usage(messages::cannot_watch(path, why));
        let mut watch = Self {
            roots: Vec::new(),
            written: written.into_iter().map(resolved).collect(),
            known: Snapshot::new(),
            during: BTreeMap::new(),
            again: BTreeSet::new(),
        };
        for path in paths {
            let root = fs::canonicalize(path).map_err(|why| usage(path, &why.to_string()))?;
            watch.roots.push(root);
            if watch.snapshot().len() >= MOST_ENTRIES {
                return Err(usage(path, &messages::too_many_files(MOST_ENTRIES)));
            }
        }
        Ok(watch)
    }

    /// A run begins: changes from now on are new.
    pub(crate) fn begin(&mut self) {
        self.known = self.snapshot();
    }

    /// A run ends. Files that changed during it start another run, unless they change during every run: the receiver itself
    /// writes those. Returns a note about files that were just recognised as such.
    pub(crate) fn end(&mut self) -> Option<String> {
        let now = self.snapshot();
        let count = |path: &PathBuf| (path.clone(), self.during.get(path).map_or(1, |times| times + 1));
        let during: BTreeMap<PathBuf, usize> = differences(&self.known, &now).map(count).collect();
        let of = |wanted: fn(usize) -> bool| -> BTreeSet<PathBuf> {
            during.iter().filter(|(_, times)| wanted(**times)).map(|(path, _)| path.clone()).collect()
        };
        self.again = of(|times| times < BY_ITSELF);
        let found = of(|times| times == BY_ITSELF);
        self.during = during;
        self.known = now;
        (!found.is_empty()).then(|| messages::changes_in_every_run(&describe(&found)))
    }

    /// Waits until something has changed and nothing changes any more. Returns a description of the changes.
    pub(crate) async fn changed(&mut self) -> String {
        let mut changed = std::mem::take(&mut self.again);
        loop {
            if changed.is_empty() {
                sleep(PACE).await;
            }
            let now = self.snapshot();
            let more: Vec<PathBuf> = differences(&self.known, &now).cloned().collect();
            self.known = now;
            if more.is_empty() && !changed.is_empty() {
                return describe(&changed);
            }
            if !more.is_empty() {
                changed.extend(more);
                sleep(PACE).await;
            }
        }
    }

    fn snapshot(&self) -> Snapshot {
        let mut files = Snapshot::new();
        let mut open: Vec<PathBuf> = self.roots.clone();
        let mut visited = 0;
        while let Some(path) = open.pop() {
            visited += 1;
            if visited > MOST_ENTRIES {
                break;
            }
            // An unreadable file counts as missing, and as changed when it is back.
            let Ok(link) = fs::symlink_metadata(&path) else { continue };
            if link.is_dir() {
                let Ok(entries) = fs::read_dir(&path) else { continue };
                open.extend(entries.flatten().map(|entry| entry.path()).filter(|path| self.is_watched(path)));
            } else if let Ok(file) = fs::metadata(&path) {
                let changed = file.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
                files.insert(path, (changed, file.len()));
            }
        }
        files
    }

    fn is_watched(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let hidden = name.starts_with('.') || SKIPPED.contains(&name.as_ref());
        !hidden && !self.written.iter().any(|written| written == path)
    }
}

fn differences<'a>(before: &'a Snapshot, now: &'a Snapshot) -> impl Iterator<Item = &'a PathBuf> {
    let changed = now.iter().filter(|(path, state)| before.get(*path) != Some(*state)).map(|(path, _)| path);
    changed.chain(before.keys().filter(|path| !now.contains_key(*path)))
}

fn describe(changed: &BTreeSet<PathBuf>) -> String {
    let here = std::env::current_dir().ok().and_then(|here| fs::canonicalize(here).ok()).unwrap_or_default();
    let shown = |path: &PathBuf| path.strip_prefix(&here).unwrap_or(path).display().to_string();
    let first = changed.iter().next().map(shown).unwrap_or_default();
    messages::changed(&first, changed.len())
}

/// The path as a walk finds it; the file need not exist yet.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let parent = absolute.parent().and_then(|parent| fs::canonicalize(parent).ok());
    match (fs::canonicalize(&absolute), parent, absolute.file_name()) {
        (Ok(path), ..) => path,
        (Err(_), Some(parent), Some(name)) => parent.join(name),
        _ => absolute,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn touched(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn names_changes_and_skips_files_that_tools_and_runs_write() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        touched(&at("src/server.mjs"), "one");
        touched(&at("old"), "");
        let written = [at("out"), at("report.json")];
        let mut watch =
            SourceWatch::new(&[folder.path().to_owned()], written.iter().map(PathBuf::as_path)).unwrap();
        watch.begin();
        for skipped in ["out/run.json", "report.json", "target/x", "a/node_modules/x", ".git/index"] {
            touched(&at(skipped), "written");
        }
        watch.end();
        assert_eq!(watch.again, BTreeSet::new());
        touched(&at("src/server.mjs"), "longer");
        touched(&at("new"), "");
        fs::remove_file(at("old")).unwrap();
        let now = watch.snapshot();
        let root = fs::canonicalize(folder.path()).unwrap();
        let changed: BTreeSet<&PathBuf> = differences(&watch.known, &now).collect();
        let expected = ["new", "old", "src/server.mjs"].map(|name| root.join(name));
        assert_eq!(changed, expected.iter().collect());
    }

    #[test]
    fn file_written_by_every_run_starts_two_more_runs() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut watch = SourceWatch::new(&[folder.path().to_owned()], []).unwrap();
        let mut runs = Vec::new();
        for text in ["a", "ab", "abc", "abcd"] {
            watch.begin();
            touched(&log, text);
            let note = watch.end();
            assert_eq!(note.is_some_and(|note| note.contains("log changed during each")), text == "abc");
            runs.push(watch.again.len());
        }
        assert_eq!(runs, [1, 1, 0, 0]);
        assert!(SourceWatch::new(&[folder.path().join("missing")], []).is_err());
    }
}
