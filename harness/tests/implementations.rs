//! The example implementations, each with a manifest that says what the suite finds in it.
//!
//! Invariant: a failure that a manifest does not name, and one that it names and that is not found, are both
//! wrong. An implementation is left out only visibly, and never on CI.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::cli::program::judged;

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
    /// What has to be run once before.
    setup: Option<String>,
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

fn skip(what: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what}: {why}");
    // Not through `eprintln!`, which libtest keeps to itself where a test passes.
    let _ = writeln!(std::io::stderr(), "skipped: {what}: {why}");
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
        if let Some(why) = why_missing(manifest.command.split_whitespace().next().unwrap_or_default()) {
            skip(&name, &why);
            continue;
        }
        if let Some(setup) = manifest.setup.as_ref().filter(|_| !folder.join("node_modules").is_dir()) {
            skip(&name, &format!("run `{setup}` first"));
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
        arguments.extend(["--secret", "s3cr3t"]);
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
        ["untestable", "error"].iter().flat_map(|verdict| report.with(verdict)).collect();
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
