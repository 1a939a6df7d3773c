//! The example implementations, each with a manifest that says what the suite finds in it.
//!
//! Invariant: a failure that a manifest does not name, and one that it names and that is not found, are both
//! wrong. An implementation is left out only visibly, and never on CI.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::cli::program::judged;
use crate::skip::skip;

/// What stands beside an implementation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// What runs it, from the repository's root.
    command: String,
    role: String,
    /// The ids of the requirements that it fails.
    fails: BTreeSet<String>,
    /// The cause that is found for one of them.
    cause: Option<String>,
    /// What has to be run once before, in the repository's root.
    setup: Option<String>,
    /// What that makes, from the repository's root.
    needs: Option<PathBuf>,
}

impl Manifest {
    /// Why it cannot be run here as its sources stand, if it cannot.
    fn missing(&self, folder: &Path) -> Option<String> {
        let program = self.command.split_whitespace().next().unwrap_or_default();
        let (Some(setup), Some(needs)) = (&self.setup, &self.needs) else { return why_missing(program) };
        let made = Path::new(env!("CARGO_MANIFEST_DIR")).join(needs);
        let changed = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
        let why = match changed(&made) {
            None => "is missing".to_owned(),
            // A path is no runtime of the machine's. Where the set-up compiles it, it may be older than its source.
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

/// What an implementation is compiled from.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let files = [folder.to_owned(), folder.join("src")].into_iter().filter_map(|at| fs::read_dir(at).ok());
    let names = files.flatten().map(|entry| entry.unwrap().path());
    let compiled = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        ["go", "rs", "lock"].contains(&ending) || path.ends_with("Cargo.toml")
    };
    names.filter(compiled).collect()
}

/// Whether a runtime is missing, in which case the test ends here: visibly, and on CI not at all.
pub(crate) fn is_missing(runtime: &str) -> bool {
    let why = why_missing(runtime);
    if let Some(why) = &why {
        skip("a subject that a test wrote", why);
    }
    why.is_some()
}

fn why_missing(runtime: &str) -> Option<String> {
    let mut command = Command::new(runtime);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => None,
        Ok(status) => Some(format!("`{runtime} --version` ended with {status}")),
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

/// Runs the suite on every implementation of a role; what is not as its manifest says is collected.
fn as_the_manifests_say(role: &str) {
    let mut wrong = Vec::new();
    let mut tested = 0;
    for (folder, manifest) in walk(&format!("{role}s")) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(manifest.role, role, "{name}");
        assert_eq!(
            manifest.fails.is_empty(),
            manifest.cause.is_none(),
            "{name}: a cause belongs to failures"
        );
        assert_eq!(
            manifest.setup.is_some(),
            manifest.needs.is_some(),
            "{name}: a set-up makes what is needed, and nothing else does"
        );
        if let Some(why) = manifest.missing(&folder) {
            skip(&name, &why);
            continue;
        }
        tested += 1;
        let dialects =
            if manifest.fails.is_empty() { &["documented", "shipped"][..] } else { &["documented"] };
        for dialect in dialects {
            wrong.extend(differences(&manifest, dialect).map(|what| format!("{name}, {dialect}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tested > 0 || std::env::var_os("CI").is_none());
}

/// What is not as the manifest says.
fn differences(manifest: &Manifest, dialect: &str) -> Option<String> {
    let mut arguments = vec![manifest.role.as_str(), "--exec", &manifest.command, "--dialect", dialect];
    if manifest.role == "receiver" {
        arguments.extend(["--secret", "s3cr3t", "--observe", "stdout"]);
        if dialect != "documented" {
            // The properties are the same in either dialect.
            arguments.extend(["--cases", "8"]);
        }
    }
    let (ran, report) = judged(arguments);
    let mut wrong = Vec::new();
    let failed: BTreeSet<String> = report.with("fail").into_iter().map(str::to_owned).collect();
    if failed != manifest.fails {
        wrong.push(format!("it fails {failed:?}, and should fail {:?}", manifest.fails));
    }
    let status = i32::from(!manifest.fails.is_empty());
    if ran.status != Some(status) {
        wrong.push(format!("it ends with {:?}, and should with {status}", ran.status));
    }
    let unclear: Vec<&str> =
        ["inconclusive", "error"].iter().flat_map(|verdict| report.with(verdict)).collect();
    if manifest.fails.is_empty() && !unclear.is_empty() {
        wrong.push(format!("{unclear:?} could not be judged"));
    }
    let causes: BTreeSet<&str> = failed.iter().map(|id| report.cause(id)).collect();
    if let Some(cause) = manifest.cause.as_deref().filter(|cause| !causes.contains(cause)) {
        wrong.push(format!("its causes are {causes:?}, and should be {cause}"));
    }
    (!wrong.is_empty()).then(|| format!("{}\n{}{}", wrong.join("; "), ran.stdout, ran.stderr))
}

#[test]
fn receivers_come_out_as_their_manifests_say() {
    as_the_manifests_say("receiver");
}

#[test]
fn senders_come_out_as_their_manifests_say() {
    as_the_manifests_say("sender");
}
