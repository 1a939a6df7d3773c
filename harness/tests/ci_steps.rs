//! The CI jobs that `docs/ci.md` shows: each step is run in a plain shell, as the runner would, with the built binary installed.

#[cfg(unix)]
mod action;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::program::{path_with_the_binary, run};
use crate::formats::github::commands_in;
use crate::implementations::is_missing;
use crate::readme::pages::blocks;

const PAGE: &str = "docs/ci.md";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    fs::read_to_string(root().join(PAGE)).unwrap()
}

/// The YAML blocks of the page.
fn shown(page: &str) -> Vec<Value> {
    let yaml = blocks(page).into_iter().filter(|(language, _)| *language == "yaml");
    yaml.map(|(_, block)| serde_saphyr::from_str(block).unwrap_or_else(|why| panic!("{why}: {block}")))
        .collect()
}

/// The steps of the job for GitHub.
fn github() -> Vec<Value> {
    let page = page();
    let is_job = |block: &Value| block.pointer("/jobs/conform").is_some();
    let workflow = shown(&page).into_iter().find(is_job).unwrap();
    workflow["jobs"]["conform"]["steps"].as_array().unwrap().clone()
}

/// A folder with a project: a receiver and what the steps read.
fn project(receiver: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let server = root().join("fixtures/implementations/receivers").join(receiver).join("server.mjs");
    fs::copy(server, at("server.mjs")).unwrap();
    fs::write(at("known-failures.toml"), "# No known failures.\n").unwrap();
    fs::create_dir(at(".git")).unwrap();
    fs::create_dir(at("runner-temp")).unwrap();
    fs::write(at("summary.md"), "# An earlier command\n").unwrap();
    folder
}

/// Whether the binary has lists of known failures.
fn knows_known_failures() -> bool {
    run(["receiver", "--help"]).stdout.contains("--known-failures")
}

/// A step's script as this binary takes it.
fn script(step: &str) -> String {
    let is_known = |line: &&str| knows_known_failures() || !line.contains("--known-failures");
    step.lines().filter(is_known).map(|line| format!("{line}\n")).collect()
}

/// A command in a step, with the variables of the runner.
fn in_runner(program: &str, folder: &Path) -> Command {
    let at = |name: &str| folder.join(name);
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    let names = std::env::vars_os().map(|(name, _)| name);
    names.filter(|name| name.to_string_lossy().starts_with("TWENTY_")).for_each(|name| {
        command.env_remove(name);
    });
    command.env("PATH", path_with_the_binary()).env("CI", "true").env("GITHUB_ACTIONS", "true");
    command.env("GITHUB_STEP_SUMMARY", at("summary.md")).env("GITHUB_OUTPUT", at("outputs"));
    command.env("GITHUB_PATH", at("paths")).env_remove("GITHUB_SERVER_URL");
    command.env("RUNNER_TEMP", at("runner-temp")).env("GITHUB_WORKSPACE", folder);
    // Only so that the test is quick.
    command.env("TWENTY_CONFORM_CASES", "4").env("TWENTY_CONFORM_RUN", "RCV-1,VER-1,VER-4,VER-11");
    command.env("TWENTY_CONFORM_NO_CACHE", "true");
    command
}

/// Runs a script as a step.
fn in_step(shell: &[&str], script: &str, folder: &Path) -> Output {
    let file = folder.join("runner-temp/step.sh");
    fs::write(&file, script).unwrap();
    in_runner(shell[0], folder).args(&shell[1..]).arg(&file).output().unwrap()
}

fn is_install(script: &str) -> bool {
    script.starts_with("cargo install --locked --path twenty-conform")
}

/// Runs the steps of the job. Returns its status, and the lines that the runner takes for commands.
fn run_job(folder: &Path) -> (i32, Vec<String>) {
    let (mut status, mut commands) = (0, Vec::new());
    for step in github() {
        if status != 0 && step["if"] != "always()" {
            continue;
        }
        if let Some(step) = step["run"].as_str().filter(|step| !is_install(step)) {
            // The shell of a step for which the workflow names none.
            let ran = in_step(&["bash", "-e"], &script(step), folder);
            let (out, err) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
            assert!(matches!(ran.status.code(), Some(0 | 1)), "{step}: {out}{err}");
            status = ran.status.code().unwrap();
            commands.extend(commands_in(&out).into_iter().chain(commands_in(&err)));
        }
        for path in step["with"]["path"].as_str().unwrap_or_default().lines() {
            assert!(has(folder, path), "{path} of {step:#}");
        }
    }
    (status, commands)
}

/// Whether a path with a `*` at its end, or another one, is in a folder.
fn has(folder: &Path, path: &str) -> bool {
    match path.strip_suffix('*') {
        Some(begin) => fs::read_dir(folder)
            .unwrap()
            .any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with(begin)),
        None => folder.join(path).exists(),
    }
}

#[test]
fn steps_for_github_run() {
    if is_missing("node") || is_missing("bash") {
        return;
    }
    for (receiver, status, result) in [("node-http", 0, "pass"), ("node-body-alone", 1, "fail")] {
        let folder = project(receiver);
        let at = |name: &str| folder.path().join(name);
        let (ended, commands) = run_job(folder.path());
        assert_eq!(ended, status, "{receiver}");
        let errors = commands.iter().filter(|line| line.starts_with("::error title=")).count();
        assert_eq!(errors > 0, status != 0, "{commands:#?}");
        assert!(commands.iter().all(|line| line.contains(",file=server.mjs")), "{commands:#?}");
        let summary = fs::read_to_string(at("summary.md")).unwrap();
        let begins = format!("# An earlier command\n### twenty-conform receiver: {result}\n");
        assert!(summary.starts_with(&begins), "{summary}");
        let junit = fs::read_to_string(at("conform.xml")).unwrap();
        let has_failures = roxmltree::Document::parse(&junit)
            .unwrap()
            .descendants()
            .any(|node| node.has_tag_name("failure"));
        assert_eq!(has_failures, status != 0);
        let sarif: Value = serde_json::from_str(&fs::read_to_string(at("conform.sarif")).unwrap()).unwrap();
        for result in sarif["runs"][0]["results"].as_array().unwrap() {
            let location = &result["locations"][0]["physicalLocation"]["artifactLocation"];
            assert_eq!(location["uri"], "server.mjs");
        }
        assert!(at("evidence/exchanges.jsonl").exists());
    }
}

#[test]
fn script_for_gitlab_runs() {
    if is_missing("node") {
        return;
    }
    let page = page();
    let job = shown(&page).into_iter().find_map(|block| block.get("webhooks").cloned()).unwrap();
    let folder = project("node-http");
    let lines = job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
    let (install, rest): (Vec<&str>, Vec<&str>) = lines.partition(|line| is_install(line));
    assert_eq!(install.len(), 1);
    let ran = in_step(&["sh", "-e"], &script(&rest.join("\n")), folder.path());
    assert!(ran.status.success(), "{ran:?}");
    let artifacts = &job["artifacts"];
    for path in artifacts["paths"].as_array().unwrap().iter().chain([&artifacts["reports"]["junit"]]) {
        assert!(has(folder.path(), path.as_str().unwrap()), "{path}");
    }
}

/// The actions that a page uses, each with what follows it in its line.
fn actions(page: &str) -> Vec<(String, String)> {
    let uses =
        page.lines().filter_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix("uses: "));
    uses.map(|action| action.split_once(' ').unwrap_or((action, "")))
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .collect()
}

#[test]
fn actions_are_pinned_to_a_commit() {
    let workflow = fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    let page = page() + &workflow;
    let mut actions = actions(&page);
    // Our own, of which the submodule pins the commit.
    actions.retain(|(action, _)| action != "./twenty-conform");
    let names: BTreeSet<&str> = actions.iter().filter_map(|(action, _)| action.split('@').next()).collect();
    assert_eq!(
        names,
        BTreeSet::from([
            "actions/checkout",
            "actions/download-artifact",
            "actions/upload-artifact",
            "github/codeql-action/upload-sarif",
        ])
    );
    for (action, comment) in &actions {
        let commit = action.split_once('@').unwrap().1;
        let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(is_commit && comment.starts_with("# v"), "{action} {comment}");
    }
}

#[test]
fn the_sarif_that_is_uploaded_is_written() {
    let page = page();
    let upload = shown(&page).into_iter().filter_map(|block| block.as_array().cloned()).flatten();
    let file =
        upload.filter_map(|step| step["with"]["sarif_file"].as_str().map(str::to_owned)).next().unwrap();
    let written = github()
        .iter()
        .any(|step| step["run"].as_str().is_some_and(|run| run.contains(&format!("sarif={file}"))));
    assert!(written, "{file}");
}
