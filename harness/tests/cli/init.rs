//! `init`: the files that it writes are read by independent readers, and run.

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
    serde_norway::from_str(text).unwrap_or_else(|why| panic!("{why}:\n{text}"))
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
    assert!(steps[0].1.contains(&format!("--version '={}'", env!("CARGO_PKG_VERSION"))), "{text}");
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
        within(folder.path(), &["init", "sender", "--exec", "x", "--ci", service]).expect(0);
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

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::unix::fs::symlink;
    use std::process::Stdio;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use nix::pty::openpty;

    use super::*;
    use crate::cli::program::Running;
    use crate::skip::skip;

    const LONGEST: Duration = Duration::from_secs(60);

    /// The steps of the workflow as a plain shell runs them, with the receiver in the background.
    #[test]
    fn workflow_starts_the_example_in_the_background() {
        use std::os::unix::process::CommandExt;
        if is_missing("node") || is_missing("curl") {
            return;
        }
        let folder = example();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port().to_string();
        let url = format!("http://127.0.0.1:{port}/");
        within(folder.path(), &["init", "--url", &url, "--ci", "github"]).expect(0);
        let workflow = yaml(&read(folder.path(), WORKFLOW));
        let names: Vec<&str> = steps(&workflow).iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["Install twenty-conform", "Start the receiver", "Check the receiver"]);
        let runs: Vec<&str> = steps(&workflow).into_iter().skip(1).map(|(_, run)| run).collect();
        let mut shell = Command::new("bash");
        let binary = assert_cmd::cargo::cargo_bin!("twenty-conform").parent().unwrap().display().to_string();
        shell.args(["-e", "-c", &runs.join("\n")]).current_dir(folder.path()).process_group(0);
        shell.env("PATH", format!("{binary}:{}", std::env::var("PATH").unwrap()));
        shell.env("PORT", workflow["jobs"]["webhooks"]["env"]["PORT"].as_str().unwrap());
        shell.envs([("TWENTY_WEBHOOK_SECRET", "s3cr3t"), ("TWENTY_CONFORM_NO_CACHE", "1")]);
        shell.envs([("TWENTY_CONFORM_RUN", "VER-1"), ("TWENTY_CONFORM_CASES", "1")]);
        // What runs in the background keeps them open.
        shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        drop(free);
        let mut running = Running(shell.spawn().unwrap());
        let status = running.0.wait().unwrap();
        let group = nix::unistd::Pid::from_raw(i32::try_from(running.0.id()).unwrap());
        nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL).unwrap();
        assert_eq!(status.code(), Some(0), "{}", read(folder.path(), "receiver.log"));
        assert!(folder.path().join("twenty-conform.xml").is_file());
    }

    #[test]
    fn full_disk_leaves_every_file_as_it_was() {
        if !Path::new("/dev/full").exists() {
            return skip("a full disk", "/dev/full");
        }
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at(".github/workflows")).unwrap();
        symlink("/dev/full", at(WORKFLOW)).unwrap();
        let call = ["init", "--exec", "x", "--ci", "github", "--known-failures", "new/known.toml", "--force"];
        let failed = within(folder.path(), &call).expect(70);
        failed.complains_of(&[&format!("cannot write {WORKFLOW}")]);
        assert_eq!(names(folder.path()), [".github"]);
        fs::write(at(CONFIG), "# mine").unwrap();
        within(folder.path(), &call).expect(70);
        assert_eq!((names(folder.path()).len(), read(folder.path(), CONFIG)), (2, "# mine".to_owned()));
    }

    /// `init` on a terminal.
    struct OnTerminal {
        running: Running,
        keys: File,
        output: mpsc::Receiver<u8>,
    }

    impl OnTerminal {
        fn new(folder: &Path, arguments: &[&str]) -> Self {
            let terminal = openpty(None, None).unwrap();
            let slave = || Stdio::from(terminal.slave.try_clone().unwrap());
            let mut command = twenty(arguments);
            command.current_dir(folder).stdin(slave()).stdout(slave()).stderr(slave());
            let running = Running(command.spawn().unwrap());
            let keys = File::from(terminal.master);
            let mut reading = keys.try_clone().unwrap();
            let (send, output) = mpsc::channel();
            thread::spawn(move || {
                let mut buffer = [0; 1];
                while let Ok(1) = reading.read(&mut buffer) {
                    // The test may be over.
                    let _ = send.send(buffer[0]);
                }
            });
            Self { running, keys, output }
        }

        /// Waits for a question, and types an answer. Returns what was printed until then.
        #[track_caller]
        fn answer(&mut self, question: &str, answer: &str) -> String {
            let seen = self.until(question) + &self.until("> ");
            self.keys.write_all(answer.as_bytes()).unwrap();
            seen
        }

        #[track_caller]
        fn until(&self, text: &str) -> String {
            let mut seen = Vec::new();
            while !seen.ends_with(text.as_bytes()) {
                match self.output.recv_timeout(LONGEST) {
                    Ok(byte) => seen.push(byte),
                    Err(why) => panic!("{why}: no {text:?} in {:?}", String::from_utf8_lossy(&seen)),
                }
            }
            String::from_utf8_lossy(&seen).into_owned()
        }

        fn end(mut self) -> Option<i32> {
            self.running.0.wait().unwrap().code()
        }
    }

    #[test]
    fn questions_on_a_terminal_show_defaults_and_are_asked_again() {
        let folder = example();
        fs::create_dir(folder.path().join(".github")).unwrap();
        let mut terminal = OnTerminal::new(folder.path(), &["init", "--dialect", "documented"]);
        terminal.answer("receiver or sender? [receiver]", "reciever\n");
        assert!(terminal.until("try again").contains("receiver or sender"));
        terminal.answer("[receiver]", "\n");
        let started = terminal.answer("[node server.mjs]", "node 'server.mjs\n");
        assert!(started.contains("How is your receiver started?"), "{started}");
        assert!(terminal.until("try again").contains("quotation mark"));
        terminal.answer("[node server.mjs]", "\n");
        terminal.answer("[/]", "hooks\n");
        terminal.until("try again");
        terminal.answer("[/]", "/hooks\n");
        // The dialect is not asked, since an option answers it.
        let level = terminal.answer("[must]", "should\n");
        assert!(!level.contains("dialect") && !level.contains("payloads"), "{level}");
        terminal.answer("[none]", "\n");
        terminal.answer("[github]", "\n");
        terminal.until("next: twenty-conform receiver");
        assert_eq!(terminal.end(), Some(0));
        assert_eq!(setting(folder.path(), "receiver", "path"), "\"/hooks\"");
        assert_eq!(setting(folder.path(), "receiver", "fail-on"), "\"should\"");
        assert!(folder.path().join(WORKFLOW).is_file());
    }

    #[test]
    fn url_as_an_answer_needs_consent_for_another_machine() {
        let folder = TempDir::new().unwrap();
        for (consent, status) in [("no\n", 2), ("yes\n", 0)] {
            let mut terminal = OnTerminal::new(folder.path(), &["init", "receiver", "--fail-on", "must"]);
            terminal.answer("started?", "https://example.com/hooks\n");
            terminal.answer("[no]", consent);
            if status == 0 {
                terminal.answer("[auto]", "\n");
                terminal.answer("[none]", "\n");
                terminal.answer("[none]", "\n");
            }
            assert_eq!(terminal.end(), Some(status));
            assert_eq!(folder.path().join(CONFIG).exists(), status == 0);
        }
        assert_eq!(setting(folder.path(), "receiver", "url"), "\"https://example.com/hooks\"");
    }

    #[test]
    fn end_of_input_and_interruption_leave_nothing() {
        // Ctrl-D, and SIGINT as a terminal sends it.
        for is_end in [true, false] {
            let folder = TempDir::new().unwrap();
            let mut terminal = OnTerminal::new(folder.path(), &["init", "--ci", "github"]);
            terminal.answer("[receiver]", "\n");
            terminal.until("> ");
            if is_end {
                terminal.keys.write_all(&[4]).unwrap();
            } else {
                let id = i32::try_from(terminal.running.0.id()).unwrap();
                nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGINT)
                    .unwrap();
            }
            terminal.until("nothing was written");
            assert_eq!(terminal.end(), Some(if is_end { 2 } else { 130 }));
            assert!(names(folder.path()).is_empty());
        }
    }
}
