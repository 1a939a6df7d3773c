//! `init` on a terminal, on a full disk, and in a workflow's shell.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use nix::pty::openpty;

use super::*;
use crate::cli::program::Running;
use crate::cli::screen::Screen;
use crate::skip::skip;

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

#[test]
fn pipes_are_neither_read_nor_written() {
    let folder = TempDir::new().unwrap();
    for name in ["package.json", CONFIG] {
        nix::unistd::mkfifo(&folder.path().join(name), nix::sys::stat::Mode::S_IRWXU).unwrap();
    }
    within(folder.path(), &["init", "--config", "none", "--force"]).expect(2).complains_of(&["--exec"]);
    let call = ["init", "--config", "none", "--exec", "x", "--force"];
    within(folder.path(), &call).expect(2).complains_of(&[CONFIG, "a pipe"]);
}

/// `init` on a terminal.
struct OnTerminal {
    running: Running,
    keys: File,
    output: Screen,
}

impl OnTerminal {
    fn new(folder: &Path, arguments: &[&str]) -> Self {
        let terminal = openpty(None, None).unwrap();
        let slave = || Stdio::from(terminal.slave.try_clone().unwrap());
        let mut command = twenty(arguments);
        command.current_dir(folder).stdin(slave()).stdout(slave()).stderr(slave());
        let running = Running(command.spawn().unwrap());
        let keys = File::from(terminal.master);
        let output = Screen::of(&keys);
        Self { running, keys, output }
    }

    /// Waits for a question, and types an answer. Returns what was printed until then.
    #[track_caller]
    fn answer(&mut self, question: &str, answer: &str) -> String {
        let seen = self.output.until(question) + &self.output.until("> ");
        self.keys.write_all(answer.as_bytes()).unwrap();
        seen
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
    assert!(terminal.output.until("try again").contains("receiver or sender"));
    terminal.answer("[receiver]", "\n");
    let started = terminal.answer("[node server.mjs]", "node 'server.mjs\n");
    assert!(started.contains("How is your receiver started?"), "{started}");
    assert!(terminal.output.until("try again").contains("quotation mark"));
    terminal.answer("[node server.mjs]", "\n");
    terminal.answer("[/]", "hooks\n");
    terminal.output.until("try again");
    terminal.answer("[/]", "/hooks\n");
    // The dialect is not asked, since an option answers it.
    let level = terminal.answer("[must]", "should\n");
    assert!(!level.contains("dialect") && !level.contains("payloads"), "{level}");
    terminal.answer("[none]", "\n");
    terminal.answer("[github]", "\n");
    terminal.output.until("next: twenty-conform receiver");
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
        terminal.output.until("> ");
        if is_end {
            terminal.keys.write_all(&[4]).unwrap();
        } else {
            let id = i32::try_from(terminal.running.0.id()).unwrap();
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGINT).unwrap();
        }
        terminal.output.until("nothing was written");
        assert_eq!(terminal.end(), Some(if is_end { 2 } else { 130 }));
        assert!(names(folder.path()).is_empty());
    }
}
