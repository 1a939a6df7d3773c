//! The action of `action.yml`, the template for GitLab and the hook of pre-commit: their steps are run in a plain shell.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::{has, in_runner, project, root};
use crate::cli::program::{Running, path_with_the_binary, run, twenty};
use crate::implementations::is_missing;

/// The variables of a step, with what a run sets for it.
type Variables = BTreeMap<String, String>;

fn yaml(file: &str) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(root().join(file)).unwrap()).unwrap()
}

/// A value of a workflow with its expressions replaced, as the runner does it.
fn filled(text: &str, inputs: &Variables) -> String {
    let mut text = text.replace("${{ github.action_path }}", &root().display().to_string());
    text = text.replace("${{ github.action_repository }}", "someone/twenty-conform");
    for (name, value) in inputs {
        text = text.replace(&format!("${{{{ inputs.{name} }}}}"), value);
    }
    assert!(!text.contains("${{"), "{text}");
    text
}

/// Runs a step of the action in the folder of a project. `variables` are added to those of the runner.
fn step(name: &str, inputs: &[(&str, &str)], folder: &Path, variables: &[(&str, &str)]) -> Output {
    let action = yaml("action.yml");
    let mut given = Variables::new();
    for (input, described) in action["inputs"].as_object().unwrap() {
        given.insert(input.clone(), described["default"].as_str().unwrap().to_owned());
    }
    given.extend(inputs.iter().map(|(input, value)| ((*input).to_owned(), (*value).to_owned())));
    let steps = action["runs"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == name).unwrap();
    assert_eq!(step["shell"], "bash");
    let own = step["env"].as_object().unwrap().iter();
    let own = own.map(|(name, value)| (name.clone(), filled(value.as_str().unwrap(), &given)));
    let file = folder.join("runner-temp/step.sh");
    fs::write(&file, filled(step["run"].as_str().unwrap(), &given)).unwrap();
    let mut command = in_runner("bash", folder);
    // The shell of GitHub for `shell: bash`.
    command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&file).envs(own);
    command.envs(variables.iter().copied()).output().unwrap()
}

/// What the step wrote as outputs.
fn outputs(folder: &Path) -> Variables {
    let text = fs::read_to_string(folder.join("outputs")).unwrap();
    text.lines()
        .map(|line| line.split_once('=').unwrap())
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .collect()
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

/// A server of the files in a folder.
fn files_of(folder: &Path) -> (Running, String) {
    let mut command = Command::new("python3");
    command.args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"]).arg(folder);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.split_once(" port ").unwrap().1.split(' ').next().unwrap();
    (Running(child), format!("http://127.0.0.1:{port}"))
}

#[test]
fn action_checks_and_gives_outputs() {
    if is_missing("node") || is_missing("bash") {
        return;
    }
    for (receiver, status, verdict) in [("node-http", 0, "pass"), ("node-body-alone", 1, "fail")] {
        let folder = project(receiver);
        let args = "--exec\nnode server.mjs\n\n--fail-on\nshould\n";
        let ran = step("Check", &[("args", args), ("reports", "my reports")], folder.path(), &[]);
        assert_eq!(ran.status.code(), Some(status), "{}", text(&ran));
        let outputs = outputs(folder.path());
        let action = yaml("action.yml");
        let declared: BTreeSet<&String> = action["outputs"].as_object().unwrap().keys().collect();
        assert_eq!(declared, outputs.keys().collect());
        assert_eq!((outputs["verdict"].as_str(), outputs["exit-status"].parse()), (verdict, Ok(status)));
        let report: Value =
            serde_json::from_slice(&fs::read(folder.path().join(&outputs["json"])).unwrap()).unwrap();
        for level in ["must", "should", "advice"] {
            let passed = report["counts"][level]["pass"].as_u64().unwrap();
            assert!(outputs[level].starts_with(&format!("{passed}/")), "{outputs:?} {report}");
        }
        for format in ["junit", "sarif", "html", "evidence"] {
            assert!(folder.path().join(&outputs[format]).exists(), "{format}");
        }
        let summary = fs::read_to_string(folder.path().join("summary.md")).unwrap();
        assert!(summary.contains(&format!("### twenty-conform receiver: {verdict}\n")), "{summary}");
        assert_eq!(text(&ran).contains("::error title="), status != 0);
    }
}

#[test]
fn action_takes_each_line_for_one_argument() {
    if is_missing("bash") {
        return;
    }
    let folder = project("node-http");
    let args = "--exec\nsh -c 'echo $(id) > ran; exit 7' \"; touch ran\"\n--run\n*\n";
    let ran = step("Check", &[("args", args)], folder.path(), &[]);
    let said = text(&ran);
    assert_eq!(ran.status.code(), Some(3), "{said}");
    assert_eq!(outputs(folder.path())["verdict"], "incomplete", "{said}");
    let ran = step("Check", &[("command", "report; id")], folder.path(), &[]);
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    let ran = step("Check", &[("args", "--no-such-option")], folder.path(), &[]);
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    assert!(fs::read_to_string(folder.path().join("outputs")).unwrap().contains("\nverdict=\n"));
}

#[test]
fn action_installs_what_the_release_has() {
    if is_missing("bash") || is_missing("python3") || is_missing("curl") || !cfg!(target_arch = "x86_64") {
        return;
    }
    let folder = project("node-http");
    // It is installed already.
    let ran = step("Install twenty-conform", &[], folder.path(), &[]);
    assert!(ran.status.success() && !folder.path().join("paths").exists(), "{}", text(&ran));
    // A release on a server of this machine, and no program and no cargo in PATH.
    let served = TempDir::new().unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let name = format!("twenty-conform-{version}-x86_64-unknown-linux-musl");
    let release = served.path().join(format!("someone/twenty-conform/releases/download/v{version}"));
    fs::create_dir_all(release.join(&name)).unwrap();
    let program = format!("#!/bin/sh\necho twenty-conform {version}\n");
    fs::write(release.join(&name).join("twenty-conform"), program).unwrap();
    let pack = format!(
        "chmod +x {name}/twenty-conform && tar -czf {name}.tar.gz {name} && sha256sum *.tar.gz > SHA256SUMS"
    );
    let packed = Command::new("sh").args(["-c", &pack]).current_dir(&release).status().unwrap();
    assert!(packed.success());
    let (_server, url) = files_of(served.path());
    let tools = TempDir::new().unwrap();
    for tool in ["bash", "sed", "head", "mkdir", "uname", "curl", "grep", "sha256sum", "tar", "gzip", "mv"] {
        let found = std::env::split_paths(&path_with_the_binary())
            .map(|one| one.join(tool))
            .find(|one| one.is_file());
        symlink(found.unwrap(), tools.path().join(tool)).unwrap();
    }
    let path = tools.path().to_str().unwrap();
    let variables = [("PATH", path), ("GITHUB_SERVER_URL", url.as_str())];
    let ran = step("Install twenty-conform", &[], folder.path(), &variables);
    assert!(ran.status.success(), "{}", text(&ran));
    let added = fs::read_to_string(folder.path().join("paths")).unwrap();
    assert!(Path::new(added.trim()).join("twenty-conform").is_file(), "{added}");
    // Another archive than the one that was summed, and none.
    fs::write(release.join("SHA256SUMS"), format!("{}  {name}.tar.gz\n", "0".repeat(64))).unwrap();
    let ran = step("Install twenty-conform", &[], folder.path(), &variables);
    assert!(
        !ran.status.success() && text(&ran).contains("is not the one of which SHA256SUMS"),
        "{}",
        text(&ran)
    );
    fs::remove_file(release.join("SHA256SUMS")).unwrap();
    let ran = step("Install twenty-conform", &[], folder.path(), &variables);
    assert!(!ran.status.success() && text(&ran).contains("no cargo to build it"), "{}", text(&ran));
}

#[test]
fn template_for_gitlab_runs() {
    if is_missing("node") {
        return;
    }
    let job = yaml("packaging/gitlab.yml")[".twenty-conform"].clone();
    let folder = project("node-http");
    let name = "twenty-conform-0.0.0-any";
    let inner = folder.path().join(name);
    fs::create_dir(&inner).unwrap();
    let binary = twenty([""; 0]).get_program().to_owned();
    symlink(binary, inner.join("twenty-conform")).unwrap();
    let packed =
        Command::new("tar").args(["-czf", "program.tar.gz", name]).current_dir(folder.path()).status();
    assert!(packed.unwrap().success());
    let lines = ["before_script", "script"].map(|part| {
        let lines = job[part].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
        lines.collect::<Vec<_>>().join("\n")
    });
    let mut command = in_runner("sh", folder.path());
    for (name, value) in job["variables"].as_object().unwrap() {
        command.env(name, value.as_str().unwrap());
    }
    command.env("CONFORM_ARCHIVE", "program.tar.gz").env("TWENTY_CONFORM_EXEC", "node server.mjs");
    let ran = command.args(["-ec", &lines.join("\n")]).output().unwrap();
    assert!(ran.status.success(), "{}", text(&ran));
    // An unknown variable with our prefix would be a warning.
    assert!(!text(&ran).contains("warning"), "{}", text(&ran));
    let artifacts = &job["artifacts"];
    for path in artifacts["paths"].as_array().unwrap().iter().chain([&artifacts["reports"]["junit"]]) {
        assert!(has(folder.path(), path.as_str().unwrap()), "{path}");
    }
}

#[test]
fn hook_of_pre_commit_is_a_command() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    for hook in hooks.as_array().unwrap() {
        let words: Vec<&str> = hook["entry"].as_str().unwrap().split(' ').collect();
        assert_eq!(words[0], "twenty-conform");
        let check = words[1..].iter().chain(&["--exec", "true", "--run", "RCV-1"]);
        run(check).expect(3);
    }
}

#[test]
fn platforms_are_named_alike_everywhere() {
    let build = fs::read_to_string(root().join("packaging/build")).unwrap();
    let install = fs::read_to_string(root().join("packaging/action/install")).unwrap();
    let targets = build.lines().filter_map(|line| line.split_once("\": (\"")?.1.split_once('"'));
    let targets: Vec<&str> = targets.map(|(target, _)| target).collect();
    assert_eq!(targets.len(), 5, "{targets:?}");
    for target in targets {
        assert!(install.contains(&format!("target={target} ")), "{target}");
    }
    let manifest: toml::Table =
        toml::from_str(&fs::read_to_string(root().join("Cargo.toml")).unwrap()).unwrap();
    let binstall = &manifest["package"]["metadata"]["binstall"];
    assert!(
        binstall["pkg-url"].as_str().unwrap().ends_with("/{ name }-{ version }-{ target }{ archive-suffix }")
    );
}
