//! The files that `bench export` writes for locust and wrk.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use twenty_conform::bench::generate::ids::Ids;
use twenty_conform::bench::generate::probe;
use twenty_conform::bench::tools::export::LOCUST;
use twenty_conform::webhook::signature::{Key, Secret};

use super::{SECRET, fixture};
use crate::cli::program::{Ran, finish, run, twenty};
use crate::implementations::is_missing;

/// Runs `bench export` with the secret in its environment.
pub(super) fn export(arguments: &[&str], folder: &Path) -> Ran {
    let mut command = twenty(["bench", "export"]);
    command.args(arguments).arg(folder).env("TWENTY_WEBHOOK_SECRET", SECRET);
    finish(command)
}

/// The names and contents of a folder's files, sorted by name.
fn files(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<(String, String)> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

fn text<'a>(files: &'a [(String, String)], name: &str) -> &'a str {
    &files.iter().find(|(known, _)| known == name).unwrap().1
}

#[test]
fn locust_export_is_complete_and_compiles() {
    for dialect in ["documented", "shipped"] {
        let folder = TempDir::new().unwrap();
        let ran = export(&["locust", "--dialect", dialect], folder.path());
        assert_eq!(ran.status, Some(0), "{ran:#?}");
        let files = files(folder.path());
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["README.md", "k8s.yaml", "locustfile.py", "requirements.txt"]);
        for (name, text) in &files {
            assert!(!text.contains(SECRET), "{name} contains the secret");
            assert!(!text.contains("@LOCUST@") && !text.contains("@VERSION@"), "{name} has a placeholder");
        }
        let locustfile = text(&files, "locustfile.py");
        assert!(locustfile.contains(&format!("\"dialect\": \"{dialect}\"")));
        assert!(locustfile.contains("\"name\": \"secret-non-ascii\""));
        let embedded = locustfile.split("# END EMBEDDED").next().unwrap();
        assert_eq!(embedded.matches("\"steps\": [").count(), probe::all().len());
        // The bodies of the generator: those that every receiver must accept.
        let bodies = locustfile.split("# END EMBEDDED").next().unwrap().matches("        [\n").count();
        assert_eq!(bodies, 15, "created, updated and deleted of five standard objects");
        assert_eq!(text(&files, "requirements.txt").lines().last(), Some(&*format!("locust=={LOCUST}")));
        if is_missing("python3") {
            continue;
        }
        let compiled = Command::new("python3")
            .args(["-m", "py_compile"])
            .arg(folder.path().join("locustfile.py"))
            .status()
            .unwrap();
        assert!(compiled.success());
    }
}

#[test]
fn generator_reads_ids_of_the_locustfile() {
    // MadeUp by `Ids(0x123456789)` of the locustfile.
    let first = Ids::read(b"12345678-9a3f-4327-8000-000000000000").unwrap();
    let second = Ids::read(b"12345678-9a3f-4327-8000-000000000001").unwrap();
    let probe = Ids::read(b"12345678-9a3f-4327-8000-000800000000").unwrap();
    assert_eq!((first.run, second.run, probe.run), (first.run, first.run, first.run));
    assert_eq!((first.number, second.number, probe.number), (0, 1, 1 << 35));
}

#[test]
fn pinned_locust_is_the_tested_version() {
    let pinned = fs::read_to_string(fixture("requirements.txt")).unwrap();
    assert_eq!(pinned.trim(), format!("locust=={LOCUST}"));
}

#[test]
fn export_overwrites_only_exported_files() {
    let folder = TempDir::new().unwrap();
    assert_eq!(export(&["locust"], folder.path()).status, Some(0));
    assert_eq!(export(&["locust"], folder.path()).status, Some(0), "its own files are overwritten");
    let other = folder.path().join("README.md");
    fs::write(&other, "mine").unwrap();
    let before = files(folder.path());
    for tool in ["locust", "wrk"] {
        let ran = export(&[tool, "--dialect", "shipped"], folder.path());
        assert_eq!(ran.status, Some(2), "{ran:#?}");
        assert!(ran.stderr.contains("README.md exists"), "{}", ran.stderr);
        assert_eq!(files(folder.path()), before, "nothing was written");
    }
}

#[test]
fn pre_signed_deliveries_verify() {
    let key = Key::new(&Secret::new(SECRET));
    let id_of_verified = |timestamp: &str, signature: &str, body: &[u8]| {
        assert!(key.verify(timestamp.as_bytes(), body, signature.as_bytes()), "{timestamp} {signature}");
        let body: Value = serde_json::from_slice(body).unwrap();
        body["record"]["id"].as_str().unwrap().to_owned()
    };
    let folder = TempDir::new().unwrap();
    let url = "http://127.0.0.1:3999/hooks?x=1";
    let ran = export(
        &["wrk", "--url", url, "--count", "40", "--good-for", "90s", "--dialect", "shipped"],
        folder.path(),
    );
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    let files = files(folder.path());
    for (name, text) in &files {
        assert!(!text.contains(SECRET), "{name} contains the secret");
        assert!(text.contains("good until"), "{name} does not say until when it is good");
    }
    let readme = text(&files, "README.md");
    assert!(readme.contains("which is 1.5 minutes") && readme.contains(url), "{readme}");
    let mut ids = BTreeSet::new();
    let mut rest = text(&files, "deliveries.txt").split_once('\n').unwrap().1;
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let length: usize = words[3].parse().unwrap();
        assert_eq!(words[2].len(), 32, "a nonce");
        ids.insert(id_of_verified(words[0], words[1], &after.as_bytes()[..length]));
        rest = after[length..].strip_prefix('\n').unwrap();
    }
    assert_eq!(ids.len(), 40, "each delivery has a record id of its own");
}

#[test]
fn pre_signing_needs_the_secret() {
    let folder = TempDir::new().unwrap();
    let ran = run(["bench", "export", "wrk", folder.path().to_str().unwrap()]);
    assert_eq!(ran.status, Some(2), "{ran:#?}");
    ran.complains_of(&["--secret-file", "TWENTY_WEBHOOK_SECRET"]);
    assert!(files(folder.path()).is_empty());
}

#[test]
fn pre_signing_rejects_a_corpus_with_the_secret() {
    let folder = TempDir::new().unwrap();
    let corpus = folder.path().join("corpus.json");
    fs::write(&corpus, format!("{{\"id\":\"1\"}}\n{{\"id\":\"2\",\"note\":\"it is {SECRET}\"}}\n")).unwrap();
    let (corpus, to) = (corpus.display().to_string(), folder.path().join("export"));
    let ran =
        run(["bench", "export", "wrk", &to.display().to_string(), "--secret", SECRET, "--corpus", &corpus]);
    ran.expect(2).complains_of(&["secret", "body 2"]);
    assert!(!to.exists());
}
