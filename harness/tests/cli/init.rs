//! `init`: the files that it writes are read by independent readers, and run.

#[cfg(unix)]
mod unix;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use twenty_conform::cli;

use super::program::{Ran, finish, twenty};
use crate::implementations::is_missing;

const CONFIG: &str = "twenty-conform.toml";
const WORKFLOW: &str = ".github/workflows/twenty-conform.yml";

fn within(folder: &Path, arguments: &[&str]) -> Ran {
    let mut call = twenty(arguments);
    call.current_dir(folder);
    finish(call)
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|why| panic!("{why}:\n{text}"))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The steps of a workflow that run something, by name.
fn steps(workflow: &Value) -> Vec<(&str, &str)> {
    let steps = workflow["jobs"]["webhooks"]["steps"].as_array().unwrap();
    steps.iter().filter_map(|step| Some((step["name"].as_str()?, step["run"].as_str()?))).collect()
}

/// What an option of the command is set to, by the configuration's own reader.
fn setting(folder: &Path, role: &str, long: &str) -> String {
    let shown = within(folder, &[role, "--print-config"]).expect(0).stdout;
    let line = shown.lines().find(|line| line.starts_with(&format!("{long} = ")));
    let line = line.unwrap_or_else(|| panic!("no {long}:\n{shown}"));
    line.split_once(" = ").unwrap().1.rsplit_once("  # ").unwrap().0.trim().to_owned()
}

/// A folder with the example receiver.
fn example() -> TempDir {
    let folder = TempDir::new().unwrap();
    let source = format!("{}/fixtures/implementations/receivers/node-http", env!("CARGO_MANIFEST_DIR"));
    fs::copy(Path::new(&source).join("server.mjs"), folder.path().join("server.mjs")).unwrap();
    folder
}

#[test]
fn configuration_and_workflow_check_the_example() {
    if is_missing("node") {
        return;
    }
    let folder = example();
    let said = within(folder.path(), &["init", "--ci", "github"]).expect(0);
    assert!(said.stdout.ends_with("next: twenty-conform receiver\n"), "{said:#?}");
    assert_eq!(setting(folder.path(), "receiver", "exec"), "\"node server.mjs\"");
    within(folder.path(), &["receiver", "--cases", "1"]).expect(0);
    let text = read(folder.path(), WORKFLOW);
    let workflow = yaml(&text);
    let steps = steps(&workflow);
    assert!(steps[0].1.contains("cargo install --locked --path twenty-conform"), "{text}");
    assert!(said.stdout.contains("as the Git submodule twenty-conform"), "{said:#?}");
    let (_, check) = steps.iter().find(|(name, _)| *name == "Check the receiver").unwrap();
    let mut shell = Command::new("bash");
    let binary = assert_cmd::cargo::cargo_bin!("twenty-conform").parent().unwrap().display().to_string();
    shell.args(["-e", "-c", check]).current_dir(folder.path());
    shell.env("PATH", format!("{binary}:{}", std::env::var("PATH").unwrap()));
    shell.envs([
        ("TWENTY_CONFORM_NO_CACHE", "1"),
        ("TWENTY_CONFORM_RUN", "VER-1"),
        ("TWENTY_CONFORM_CASES", "1"),
    ]);
    finish(shell).expect(0);
    // The artifact has what the run wrote.
    let upload = workflow["jobs"]["webhooks"]["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(upload["if"], "always()");
    for path in upload["with"]["path"].as_str().unwrap().lines() {
        assert!(folder.path().join(path).exists(), "{path}");
    }
    // Actions are pinned to a commit.
    let uses = workflow["jobs"]["webhooks"]["steps"].as_array().unwrap().iter();
    for action in uses.filter_map(|step| step["uses"].as_str()) {
        let (_, commit) = action.split_once('@').unwrap();
        assert!(commit.len() == 40 && commit.chars().all(|one| one.is_ascii_hexdigit()), "{action}");
    }
}

#[test]
fn answers_reach_the_configuration_and_ci_unchanged() {
    let hostile = r#"node 'a "b" #c: {d} [e].mjs' --x=\\y & | > ${{ z }} ü"#;
    for (service, file) in [("github", WORKFLOW), ("gitlab", ".gitlab-ci.yml")] {
        let folder = TempDir::new().unwrap();
        let url = "http://127.0.0.1:3999/hooks?a=b&c='d'";
        let options = ["init", "--url", url, "--fail-on", "should", "--dialect", "shipped"];
        let ci = ["--ci", service, "--ci-start", hostile];
        let said = within(folder.path(), &[&options[..], &ci].concat()).expect(0);
        assert!(said.stdout.contains("TWENTY_WEBHOOK_SECRET"), "{said:#?}");
        assert_eq!(setting(folder.path(), "receiver", "fail-on"), "\"should\"");
        assert_eq!(setting(folder.path(), "receiver", "dialect"), "\"shipped\"");
        let text = read(folder.path(), file);
        let parsed = yaml(&text);
        let (script, port, junit) = match service {
            "github" => {
                let job = &parsed["jobs"]["webhooks"];
                assert!(job["env"]["TWENTY_WEBHOOK_SECRET"].as_str().unwrap().contains("secrets."), "{text}");
                let lines = steps(&parsed).into_iter().map(|(_, run)| run.to_owned()).collect::<Vec<_>>();
                (lines, &job["env"]["PORT"], "twenty-conform.xml")
            }
            _ => {
                let job = &parsed["webhooks"];
                let lines = job["script"].as_array().unwrap();
                let lines = lines.iter().map(|line| line.as_str().unwrap().to_owned()).collect();
                (lines, &job["variables"]["PORT"], job["artifacts"]["reports"]["junit"].as_str().unwrap())
            }
        };
        assert_eq!(*port, "3999");
        let script = script.join("\n");
        assert!(script.lines().any(|line| line.trim_start() == hostile), "{script}");
        assert!(script.contains("twenty-conform receiver ") && script.contains(junit), "{script}");
        // A shell reads all of it.
        let mut shell = Command::new("bash");
        shell.args(["-n", "-c", &script.replace(hostile, "true")]);
        finish(shell).expect(0);
    }
    let folder = TempDir::new().unwrap();
    let exec = "node 'a \"b\".mjs' --ü";
    within(folder.path(), &["init", "sender", "--exec", exec]).expect(0);
    let table: toml::Table = toml::from_str(&read(folder.path(), CONFIG)).unwrap();
    assert_eq!(table["sender"]["exec"].as_str(), Some(exec));
    assert_eq!(names(folder.path()), [CONFIG]);
}

#[test]
fn source_in_the_folder_is_built_and_its_version_checked() {
    for (service, file) in [("github", WORKFLOW), ("gitlab", ".gitlab-ci.yml")] {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("twenty-conform")).unwrap();
        fs::write(folder.path().join("twenty-conform/Cargo.toml"), "").unwrap();
        let said = within(folder.path(), &["init", "sender", "--exec", "x", "--ci", service]).expect(0);
        assert!(!said.stdout.contains("submodule"), "{said:#?}");
        let parsed = yaml(&read(folder.path(), file));
        let (install, submodules) = match service {
            "github" => {
                let checkout = &parsed["jobs"]["webhooks"]["steps"][0]["with"]["submodules"];
                (steps(&parsed)[0].1.to_owned(), checkout.to_string())
            }
            _ => {
                let job = &parsed["webhooks"];
                let strategy = &job["variables"]["GIT_SUBMODULE_STRATEGY"];
                (job["script"][0].as_str().unwrap().to_owned(), (strategy == "normal").to_string())
            }
        };
        assert!(install.contains("--path twenty-conform"), "{install}");
        assert!(install.contains(&format!("twenty-conform {}", env!("CARGO_PKG_VERSION"))), "{install}");
        assert_eq!(submodules, "true");
    }
}

#[test]
fn known_failures_are_kept_in_a_file_that_is_created_once() {
    let program = cli::declared();
    let receiver = program.find_subcommand("receiver").unwrap();
    let has_option = receiver.get_arguments().any(|arg| arg.get_long() == Some("known-failures"));
    let folder = TempDir::new().unwrap();
    let call = ["init", "--exec", "x", "--known-failures", "known.toml"];
    within(folder.path(), &call).expect(0);
    assert_eq!(names(folder.path()), ["known.toml", CONFIG]);
    assert_eq!(read(folder.path(), CONFIG).contains("\nknown-failures = \"known.toml\"\n"), has_option);
    toml::from_str::<toml::Table>(&read(folder.path(), "known.toml")).unwrap();
    fs::write(folder.path().join("known.toml"), "# mine").unwrap();
    within(folder.path(), &[&call[..], &["--force"]].concat()).expect(0);
    assert_eq!(read(folder.path(), "known.toml"), "# mine");
    fs::remove_file(folder.path().join("known.toml")).unwrap();
    within(folder.path(), &["init", "--exec", "x", "--known-failures", "twenty-2.31", "--force"]).expect(0);
    assert_eq!(names(folder.path()), [CONFIG]);
}

#[test]
fn existing_files_are_not_replaced() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at(CONFIG), "# mine").unwrap();
    let refused = within(folder.path(), &["init", "--exec", "x"]).expect(2);
    refused.complains_of(&["twenty-conform.toml exists", "--force"]);
    assert_eq!(read(folder.path(), CONFIG), "# mine");
    fs::remove_file(at(CONFIG)).unwrap();
    // The configuration is not written without the other file.
    fs::create_dir_all(at(".github/workflows")).unwrap();
    fs::write(at(WORKFLOW), "mine: 1").unwrap();
    within(folder.path(), &["init", "--exec", "x", "--ci", "github"])
        .expect(2)
        .complains_of(&[WORKFLOW, "--force"]);
    assert_eq!(names(folder.path()), [".github"]);
    within(folder.path(), &["init", "--exec", "x", "--ci", "github", "--force"]).expect(0);
    assert!(yaml(&read(folder.path(), WORKFLOW))["jobs"].is_object());
    // A file of the user for GitLab is never changed.
    fs::write(at(".gitlab-ci.yml"), "mine: 1").unwrap();
    let said = within(folder.path(), &["init", "--exec", "x", "--ci", "gitlab", "--force"]).expect(0);
    assert!(said.stdout.contains("local: .gitlab/twenty-conform.yml"), "{said:#?}");
    assert_eq!(read(folder.path(), ".gitlab-ci.yml"), "mine: 1");
    assert!(yaml(&read(folder.path(), ".gitlab/twenty-conform.yml"))["webhooks"]["script"].is_array());
}

#[test]
fn invalid_answers_are_refused_and_leave_nothing() {
    for (arguments, words) in [
        (&[][..], &["no file here shows how the receiver is started", "--exec", "--url"][..]),
        (&["sender"], &["the sender is started", "--control"]),
        (&["--exec", "node 'x"], &["--exec", "quotation mark"]),
        (&["--exec", " "], &["--exec", "empty"]),
        (&["--exec", "a\nb"], &["--exec", "control character"]),
        (&["--exec", "x", "--path", "hooks"], &["--path", "hooks"]),
        (&["--exec", "x", "--url", "http://127.0.0.1/"], &["--exec", "--url", "cannot be used"]),
        (&["--url", "nonsense"], &["--url", "nonsense"]),
        (&["--url", "http://example.com/"], &["example.com", "--allow-remote"]),
        (&["--url", "http://127.0.0.1:1/", "--path", "/x"], &["--path"]),
        (&["--url", "http://127.0.0.1:1/", "--ci", "github"], &["--ci-start"]),
        (&["--exec", "x", "--ci-start", "y"], &["--ci-start", "--ci"]),
        (&["--exec", "x", "--ci", "github", "--ci-start", "y"], &["--ci-start"]),
        (&["--exec", "x", "--ci", "jenkins"], &["jenkins", "github, gitlab"]),
        (&["--exec", "x", "--dialect", "latin"], &["latin", "documented"]),
        (&["--exec", "x", "--known-failures", "folder/"], &["folder/", "is a folder"]),
        (&["--exec", "x", "--known-failures", ""], &["--known-failures", "empty"]),
        (
            &["--exec", "x", "--known-failures", "./twenty-conform.toml"],
            &["twenty-conform.toml", "another path"],
        ),
        (
            &["--exec", "x", "--ci", "gitlab", "--known-failures", ".gitlab-ci.yml"],
            &[".gitlab-ci.yml", "another path"],
        ),
        (&["receiver", "--control", "http://127.0.0.1:1/"], &["--control is for senders"]),
        (&["sender", "--url", "http://127.0.0.1:1/"], &["--url is for receivers"]),
        (&["sender", "--exec", "x", "--path", "/"], &["--path is for receivers"]),
        (&["both"], &["both", "receiver, sender"]),
    ] {
        let folder = TempDir::new().unwrap();
        let ran = within(folder.path(), &[&["init"], arguments].concat()).expect(2);
        ran.complains_of(words);
        assert!(ran.stdout.is_empty() && names(folder.path()).is_empty(), "{arguments:?}: {ran:#?}");
    }
    // A file where a folder must be.
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(".github"), "").unwrap();
    within(folder.path(), &["init", "--exec", "x", "--ci", "github"]).expect(2).complains_of(&[".github"]);
    assert_eq!(names(folder.path()), [".github"]);
    within(folder.path(), &["init", "--url", "http://example.com/", "--allow-remote"]).expect(0);
    assert_eq!(setting(folder.path(), "receiver", "allow-remote"), "true");
}
