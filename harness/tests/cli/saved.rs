//! Saved runs: `report`, `diff`, `merge` and `--shard`.
//!
//! Invariant: what a command on a saved run says is what the run itself said, or why the folder cannot be used. Nothing in it changes.

mod damaged;
mod differences;
mod rendered;
mod shards;

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::Value;
use tempfile::TempDir;

use super::program::{Ran, finish, run, twenty};
use super::transcripts::recorded;
use crate::peers::servers::always;

pub(crate) use rendered::assert_reads_back;

/// A folder with saved runs.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn path(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    /// Saves a run of this name.
    fn keep(&self, name: &str, arguments: &[&str]) -> Ran {
        finish(twenty([arguments, &["--out", &self.path(name)]].concat()))
    }

    /// Saves the quickest run, on recorded deliveries.
    fn recorded(&self, name: &str) {
        let file = recorded();
        let arguments = file.arguments(&["--secret", super::listen::SECRET, "--seed", "1"]);
        self.keep(name, &arguments).expect(1);
    }

    /// Saves a run on a receiver that always answers with this status.
    fn receiver(&self, name: &str, answer: u16, options: &[&str], status: i32) {
        let url = always(answer);
        let usual = ["receiver", "--url", &url, "--secret", "s3cr3t", "--seed", "1", "--cases", "2"];
        self.keep(name, &[&usual[..], options].concat()).expect(status);
    }

    /// Writes a file of a run again, changed.
    fn change(&self, file: &str, change: impl FnOnce(&mut Value)) {
        let mut value = self.json(file);
        change(&mut value);
        fs::write(self.at(file), value.to_string()).unwrap();
    }

    fn json(&self, file: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.at(file)).unwrap()).unwrap()
    }
}

/// Fails unless a report is valid by the committed schema.
#[track_caller]
pub(crate) fn assert_valid(report: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/report.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let validator: Validator = jsonschema::draft202012::new(&schema).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(report).map(|why| format!("{}: {why}", why.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
