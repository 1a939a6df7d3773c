//! `--source`: the place of failures in the project.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::program::{Ran, finish, twenty};
use crate::peers::servers::always;

/// A project with `src/hook.mjs`, of three lines.
fn project(has_repository: bool) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir_all(folder.path().join("my app/src")).unwrap();
    fs::write(folder.path().join("my app/src/hook.mjs"), "a\nb\nc\n").unwrap();
    if has_repository {
        fs::create_dir(folder.path().join(".git")).unwrap();
    }
    folder
}

fn at(folder: &Path, more: &[&str]) -> Ran {
    let url = always(200);
    let options = ["--secret", "s", "--run", "RCV-1,VER-4", "--cases", "2", "--report", "sarif=-"];
    let mut command = twenty(["receiver", "--url", &url].iter().chain(&options).chain(more));
    command.current_dir(folder);
    finish(command)
}

fn place(ran: &Ran) -> (Value, Value, Value) {
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let physical = &report["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    let artifact = &physical["artifactLocation"];
    (artifact["uri"].clone(), artifact["uriBaseId"].clone(), physical["region"]["startLine"].clone())
}

#[test]
fn place_is_relative_to_the_repository() {
    let folder = project(true);
    let ran = at(&folder.path().join("my app/src"), &["--source", "hook.mjs:2"]).expect(1);
    assert_eq!(place(&ran), ("my%20app/src/hook.mjs".into(), "%SRCROOT%".into(), 2.into()));
    let ran = at(&folder.path().join("my app"), &["--source", "src/../src/hook.mjs"]).expect(1);
    assert_eq!(place(&ran), ("my%20app/src/hook.mjs".into(), "%SRCROOT%".into(), 1.into()));
}

#[test]
fn place_without_a_repository_is_relative_to_the_current_folder() {
    let folder = project(false);
    let ran = at(&folder.path().join("my app"), &["--source", "src/hook.mjs:3"]).expect(1);
    assert_eq!(place(&ran), ("src/hook.mjs".into(), "%SRCROOT%".into(), 3.into()));
}

#[test]
fn configuration_names_the_place_and_is_the_place_otherwise() {
    let folder = project(true);
    let app = folder.path().join("my app");
    fs::write(app.join("twenty-conform.toml"), "[receiver]\nsource = \"src/hook.mjs:2\"\n").unwrap();
    let ran = at(&app.join("src"), &[]).expect(1);
    assert_eq!(place(&ran), ("my%20app/src/hook.mjs".into(), "%SRCROOT%".into(), 2.into()));
    fs::write(app.join("twenty-conform.toml"), "seed = 1\n").unwrap();
    let ran = at(&app.join("src"), &[]).expect(1);
    assert_eq!(place(&ran), ("my%20app/twenty-conform.toml".into(), "%SRCROOT%".into(), 1.into()));
}

#[test]
fn wrong_places_are_named() {
    let folder = project(true);
    for (given, words) in [
        ("src/none.mjs", &["there is no file src/none.mjs", "FILE:LINE"][..]),
        ("src/none.mjs:7", &["there is no file src/none.mjs;"]),
        ("src", &["src is a folder"]),
        ("src/hook.mjs:0", &["lines are counted from 1"]),
        ("src/hook.mjs:4", &["src/hook.mjs has no line 4", "3 lines"]),
        ("src/hook.mjs:x", &["there is no file src/hook.mjs:x"]),
    ] {
        at(&folder.path().join("my app"), &["--source", given]).expect(2).complains_of(words);
    }
    let same = ["--source", "src/hook.mjs:2", "--report", "json=src/hook.mjs"];
    at(&folder.path().join("my app"), &same).expect(2).complains_of(&["are the same file"]);
    assert_eq!(fs::read_to_string(folder.path().join("my app/src/hook.mjs")).unwrap(), "a\nb\nc\n");
}

#[test]
fn junit_names_the_file() {
    let folder = project(true);
    let report = folder.path().join("junit.xml");
    let option = format!("junit={}", report.display());
    at(folder.path(), &["--source", "my app/src/hook.mjs:2", "--report", &option]).expect(1);
    let text = fs::read_to_string(report).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let mut cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    assert!(cases.all(|case| {
        (case.attribute("file"), case.attribute("line")) == (Some("my app/src/hook.mjs"), Some("2"))
    }));
}
