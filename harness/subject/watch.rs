//! Notices when the files of a program under test change.
//!
//! Looked at by polling, not by the system's notifications: those do not come through shared folders of containers and
//! virtual machines, and would have to be taken out for every folder of `node_modules` too. A walk over some hundred source
//! files costs a millisecond or two.
//!
//! Invariant: bounded. A walk looks at no more than `MOST_ENTRIES` entries, and what runs themselves write starts no run
//! without end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use tokio::time::sleep;

use crate::error::Error;

/// How often files are looked at, and for how long nothing may change after a change: editors and builds write several.
const PACE: Duration = Duration::from_millis(200);
/// What changes in the middle of so many runs on end is written by the receiver itself.
const BY_ITSELF: usize = 3;
const MOST_ENTRIES: usize = 20_000;
/// Folders that tools write, and the marks of what is hidden.
const PASSED_OVER: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// What a file is known by: when it was changed, since the epoch, and its length.
type FileState = (Option<Duration>, u64);
type Snapshot = BTreeMap<PathBuf, FileState>;

pub struct SourceWatch {
    roots: Vec<PathBuf>,
    /// What runs write.
    written: Vec<PathBuf>,
    known: Snapshot,
    /// In how many runs on end a file has changed while they went on.
    amid: BTreeMap<PathBuf, usize>,
    /// What of that is to start another run.
    again: BTreeSet<PathBuf>,
}

impl SourceWatch {
    /// Watches these paths, but for what runs write.
    ///
    /// Errors: one of them is not there, or holds too much.
    pub(crate) fn new<'a>(
        paths: &[PathBuf],
        written: impl IntoIterator<Item = &'a Path>,
    ) -> Result<Self, Error> {
        let usage = |path: &Path, why: &str| {
            Error::Usage(format!("--watch {} cannot be watched: {why}", path.display()))
        };
        let mut watch = Self {
            roots: Vec::new(),
            written: written.into_iter().map(resolved).collect(),
            known: Snapshot::new(),
            amid: BTreeMap::new(),
            again: BTreeSet::new(),
        };
        for path in paths {
            let root = fs::canonicalize(path).map_err(|why| usage(path, &why.to_string()))?;
            watch.roots.push(root);
            if watch.snapshot().len() >= MOST_ENTRIES {
                let why = format!("there are more than {MOST_ENTRIES} files below it; name a smaller folder");
                return Err(usage(path, &why));
            }
        }
        Ok(watch)
    }

    /// A run begins: what changes from now on is new.
    pub(crate) fn begin(&mut self) {
        self.known = self.snapshot();
    }

    /// A run ends. What changed in the middle of it starts another, but for what does so in one run after the other: that is
    /// written by the receiver itself. Returns what has just been found to be so.
    pub(crate) fn end(&mut self) -> Option<String> {
        let now = self.snapshot();
        let count = |path: &PathBuf| (path.clone(), self.amid.get(path).map_or(1, |times| times + 1));
        let amid: BTreeMap<PathBuf, usize> = differences(&self.known, &now).map(count).collect();
        let of = |wanted: fn(usize) -> bool| -> BTreeSet<PathBuf> {
            amid.iter().filter(|(_, times)| wanted(**times)).map(|(path, _)| path.clone()).collect()
        };
        self.again = of(|times| times < BY_ITSELF);
        let found = of(|times| times == BY_ITSELF);
        self.amid = amid;
        self.known = now;
        let starts_none = "in the middle of each run, and starts none by that any more";
        (!found.is_empty()).then(|| format!("{} {starts_none}", describe(&found)))
    }

    /// Waits until something has changed, and nothing changes any more. Returns what.
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
        let mut looked_at = 0;
        while let Some(path) = open.pop() {
            looked_at += 1;
            if looked_at > MOST_ENTRIES {
                break;
            }
            // What cannot be looked at is not there, and what comes back is a change.
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
        let hidden = name.starts_with('.') || PASSED_OVER.contains(&name.as_ref());
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
    match changed.len() {
        0 | 1 => format!("{first} changed"),
        more => format!("{first} and {} more changed", more - 1),
    }
}

/// The path as a walk would meet it; it need not be there yet.
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
    fn tells_what_changed_and_passes_over_what_tools_and_runs_write() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        touched(&at("src/server.mjs"), "one");
        touched(&at("old"), "");
        let written = [at("out"), at("report.json")];
        let mut watch =
            SourceWatch::new(&[folder.path().to_owned()], written.iter().map(PathBuf::as_path)).unwrap();
        watch.begin();
        for passed_over in ["out/run.json", "report.json", "target/x", "a/node_modules/x", ".git/index"] {
            touched(&at(passed_over), "written");
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
    fn what_each_run_writes_starts_two_runs_more_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut watch = SourceWatch::new(&[folder.path().to_owned()], []).unwrap();
        let mut runs = Vec::new();
        for text in ["a", "ab", "abc", "abcd"] {
            watch.begin();
            touched(&log, text);
            let told = watch.end();
            assert_eq!(told.is_some_and(|told| told.contains("log changed in the middle")), text == "abc");
            runs.push(watch.again.len());
        }
        assert_eq!(runs, [1, 1, 0, 0]);
        assert!(SourceWatch::new(&[folder.path().join("missing")], []).is_err());
    }
}
