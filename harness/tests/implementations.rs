//! The example implementations. Each has a manifest that lists what the suite finds in it.
//!
//! Invariant: the failures are exactly those that the manifest lists. A skipped implementation is reported, and on CI none is
//! skipped.

#[cfg(unix)]
mod broken;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use twenty_conform::suite::requirement::Level;
use twenty_conform::suite::requirements;

use crate::cli::program::judged;
use crate::skip::skip;

/// The manifest next to an implementation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// The command that runs it, from the repository's root.
    command: String,
    role: String,
    /// The path of a receiver that does not answer at `/`.
    path: Option<String>,
    /// The ids of the requirements that it fails.
    fails: BTreeSet<String>,
    /// The cause that is found for one of these requirements.
    cause: Option<String>,
    /// A command to run once before, in the repository's root.
    setup: Option<String>,
    /// The path that the set-up creates, from the repository's root.
    needs: Option<PathBuf>,
}

impl Manifest {
    /// Whether a must fails, and the run with it. Some platforms do not let a receiver follow every advice.
    fn fails_run(&self) -> bool {
        requirements::all().any(|one| one.level == Level::Must && self.fails.contains(one.id))
    }

    /// Why its current sources cannot be run here; `None` if they can.
    fn missing(&self, folder: &Path) -> Option<String> {
        let program = self.command.split_whitespace().next().unwrap_or_default();
        let (Some(setup), Some(needs)) = (&self.setup, &self.needs) else { return why_missing(program) };
        let made = Path::new(env!("CARGO_MANIFEST_DIR")).join(needs);
        let changed = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
        let why = match changed(&made) {
            None => "is missing".to_owned(),
            // The set-up compiles the program, which may be older than its sources.
            Some(built) if program == needs.as_os_str() => {
                let newer = |source: &PathBuf| changed(source).is_some_and(|changed| changed > built);
                format!("is older than {}", sources(folder).into_iter().find(newer)?.display())
            }
            Some(_) if program.contains('/') => return None,
            Some(_) => return why_missing(program),
        };
        Some(format!("{} {why}; run `{setup}` first", needs.display()))
    }
}

/// The files that an implementation is compiled from.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let files = [folder.to_owned(), folder.join("src")].into_iter().filter_map(|at| fs::read_dir(at).ok());
    let names = files.flatten().map(|entry| entry.unwrap().path());
    let compiled = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        ["go", "rs", "lock"].contains(&ending) || path.ends_with("Cargo.toml")
    };
    names.filter(compiled).collect()
}

/// Whether a runtime is missing. The skipped test is reported; on CI a missing runtime fails it.
pub(crate) fn is_missing(runtime: &str) -> bool {
    let why = why_missing(runtime);
    if let Some(why) = &why {
        skip("a program written by a test", why);
    }
    why.is_some()
}

fn why_missing(runtime: &str) -> Option<String> {
    let asks = if runtime == "go" { "version" } else { "--version" };
    let mut command = Command::new(runtime);
    command.arg(asks).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => None,
        Ok(status) => Some(format!("`{runtime} {asks}` ended with {status}")),
        Err(why) => Some(format!("`{runtime}` cannot be run: {why}")),
    }
}

fn walk(folder: &str) -> Vec<(PathBuf, Manifest)> {
    let pattern = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/implementations").join(folder);
    let folders = fs::read_dir(pattern).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<(PathBuf, Manifest)> = folders
        .map(|folder| {
            let path = folder.join("manifest.toml");
            let text = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            let manifest = toml::from_str(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            (folder, manifest)
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

/// Runs the suite on every implementation of a role, and compares the results with the manifests.
fn assert_manifests(role: &str) {
    let mut wrong = Vec::new();
    let mut tested = 0;
    for (folder, manifest) in walk(&format!("{role}s")) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(manifest.role, role, "{name}");
        assert_eq!(
            manifest.fails.is_empty(),
            manifest.cause.is_none(),
            "{name}: a manifest has a cause if and only if it lists failures"
        );
        assert_eq!(
            manifest.setup.is_some(),
            manifest.needs.is_some(),
            "{name}: a manifest has a set-up if and only if it needs a path"
        );
        if let Some(why) = manifest.missing(&folder) {
            skip(&name, &why);
            continue;
        }
        tested += 1;
        let dialects = if manifest.fails_run() { &["documented"][..] } else { &["documented", "shipped"] };
        for dialect in dialects {
            wrong.extend(differences(&manifest, dialect).map(|what| format!("{name}, {dialect}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tested > 0 || std::env::var_os("CI").is_none());
}

/// How the results differ from the manifest.
fn differences(manifest: &Manifest, dialect: &str) -> Option<String> {
    let mut arguments = vec![manifest.role.as_str(), "--exec", &manifest.command, "--dialect", dialect];
    // The properties are the same in both dialects.
    arguments.extend(["--cases", if dialect == "documented" { "64" } else { "8" }]);
    if manifest.role == "receiver" {
        arguments.extend(["--secret", "s3cr3t", "--observe", "stdout"]);
        arguments.extend(manifest.path.iter().flat_map(|path| ["--path", path]));
    }
    let (ran, report) = judged(arguments);
    let mut wrong = Vec::new();
    let failed: BTreeSet<String> = report.with("fail").into_iter().map(str::to_owned).collect();
    if failed != manifest.fails {
        wrong.push(format!("it fails {failed:?}, not {:?}", manifest.fails));
    }
    let status = i32::from(manifest.fails_run());
    if ran.status != Some(status) {
        wrong.push(format!("the exit status is {:?}, not {status}", ran.status));
    }
    let unclear: Vec<&str> =
        ["inconclusive", "error"].iter().flat_map(|verdict| report.with(verdict)).collect();
    if !manifest.fails_run() && !unclear.is_empty() {
        wrong.push(format!("{unclear:?} are inconclusive or errors"));
    }
    let causes: BTreeSet<&str> = failed.iter().map(|id| report.cause(id)).collect();
    if let Some(cause) = manifest.cause.as_deref().filter(|cause| !causes.contains(cause)) {
        wrong.push(format!("the causes are {causes:?}, without {cause}"));
    }
    (!wrong.is_empty()).then(|| format!("{}\n{}{}", wrong.join("; "), ran.stdout, ran.stderr))
}

#[test]
fn receivers_fail_what_their_manifests_list() {
    assert_manifests("receiver");
}

#[test]
fn senders_fail_what_their_manifests_list() {
    assert_manifests("sender");
}
