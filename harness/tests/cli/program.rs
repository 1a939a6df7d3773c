//! Runs the binary under test and reads its output and reports.
//!
//! Invariant: no environment variable of the machine changes a run, and every run has a time limit.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use twenty_conform::cli::OF_AGENTS;

/// The longest run, on a busy machine.
const LONGEST_RUN: Duration = Duration::from_secs(300);

/// Variables that the binary reads in addition to `TWENTY_…` and those of coding agents.
const VARIABLES: [&str; 7] =
    ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "PORT", "TERM", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"];

/// The variable of `--cases`, and its value here: most tests are about something else than generated cases. A test that is not gives
/// the option.
const CASES: &str = "TWENTY_CONFORM_CASES";
const FEW_CASES: &str = "8";

/// A program that is killed when the value is dropped.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // The program may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The outcome of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A JSON report.
#[derive(Debug)]
pub(crate) struct Report(pub(crate) Value);

/// A reference peer in a process of its own, which ends when the value is dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
}

/// The binary with these arguments, in the root of the repository.
pub(crate) fn twenty<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("twenty-conform"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    let is_own = |name: &OsStr| name.to_string_lossy().starts_with("TWENTY_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_own(name)) {
        command.env_remove(name);
    }
    for name in VARIABLES.iter().chain(&OF_AGENTS) {
        command.env_remove(name);
    }
    // Tests of the last run set it back, and have a folder of their own.
    command.env("TWENTY_CONFORM_NO_CACHE", "true").env(CASES, FEW_CASES);
    command
}

/// The same without the variable for few cases, where it would be seen: in a page, a report's commands, or a configuration.
pub(crate) fn as_given<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = twenty(arguments);
    command.env_remove(CASES);
    command
}

/// The folders of programs, with that of the binary before them.
pub(crate) fn path_with_the_binary() -> OsString {
    let binary = assert_cmd::cargo::cargo_bin!("twenty-conform");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(binary.parent().unwrap().to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap()
}

/// Runs it to its end.
pub(crate) fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ran {
    finish(twenty(arguments))
}

/// Runs it to its end with this input.
pub(crate) fn run_on<A: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = A>,
    input: impl Into<Vec<u8>>,
) -> Ran {
    let mut command = assert_cmd::Command::from_std(twenty(arguments));
    Ran::new(command.write_stdin(input).timeout(LONGEST_RUN).output().unwrap())
}

/// Runs a command to its end.
pub(crate) fn finish(command: Command) -> Ran {
    Ran::new(assert_cmd::Command::from_std(command).timeout(LONGEST_RUN).output().unwrap())
}

/// A load of half a second, or of 20 s where that was so short for a busy machine that the load is incomplete.
pub(crate) fn for_long_enough(load: impl Fn(&'static str) -> Ran) -> Ran {
    let ran = load("500ms");
    if ran.status == Some(3) { load("20s") } else { ran }
}

/// Runs it with a JSON report in addition to its output.
pub(crate) fn judged<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> (Ran, Report) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("report.json");
    let mut command = twenty(arguments);
    command.arg("--report").arg(format!("json={}", path.display()));
    let ran = finish(command);
    let report = Report::read(&path).unwrap_or_else(|why| panic!("no report ({why}): {ran:#?}"));
    (ran, report)
}

/// The command that serves a reference peer, for `--exec`.
pub(crate) fn reference(peer: &str) -> String {
    let binary = assert_cmd::cargo::cargo_bin!("twenty-conform").display().to_string().replace('\\', "/");
    format!("'{binary}' serve {peer}")
}

/// Starts the reference receiver on a free port.
pub(crate) fn serve_receiver(secret: &str) -> Served {
    serve(twenty(["serve", "receiver", "--port", "0", "--secret", secret]))
}

/// Starts a command that prints the address at which it listens.
pub(crate) fn serve(mut command: Command) -> Served {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").map(str::to_owned);
    Served { url: url.unwrap_or_else(|| panic!("it said {line:?}")), child }
}

/// Starts a command whose first line on stdout is JSON with its URL.
pub(crate) fn serve_with_json(mut command: Command) -> Served {
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut served = Served { child, url: String::new() };
    let ready: Value = serde_json::from_str(&served.next_line()).unwrap();
    served.url = ready["ready"]["url"].as_str().unwrap_or_else(|| panic!("{ready}")).to_owned();
    served
}

impl Served {
    /// Its process.
    #[cfg(unix)]
    pub(crate) fn child(&self) -> &Child {
        &self.child
    }

    /// Its next line on stdout.
    pub(crate) fn next_line(&mut self) -> String {
        // Unbuffered: nothing is read beyond the line.
        let mut line = String::new();
        BufReader::with_capacity(1, self.child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line
    }
}

impl Served {
    /// Its exit status and stdout, once it ends by itself.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut output = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
        (self.child.wait().unwrap().code(), output)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ran {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Fails unless it exited with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self:#?}");
        self
    }

    /// Fails unless stdout is empty or, where JSON was asked for, one error as JSON.
    #[track_caller]
    pub(crate) fn prints_no_more_than_an_error(&self) {
        let error: Result<Value, _> = serde_json::from_str(&self.stdout);
        let is_error = error.is_ok_and(|error| error["format"] == "twenty-conform-error/1");
        assert!(self.stdout.is_empty() || is_error, "{self:#?}");
    }

    /// Fails unless stderr contains all of these words.
    #[track_caller]
    pub(crate) fn complains_of(&self, words: &[&str]) {
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in stderr: {self:#?}");
        }
    }

    /// Fails unless its output contains all of these words. Reports break their lines between words.
    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) {
        let unbroken = self.unbroken();
        for word in words {
            let is_said = unbroken.contains(word) || self.stdout.contains(word) || self.stderr.contains(word);
            assert!(is_said, "{word:?} is not in {self:#?}");
        }
    }

    /// Its stdout with a single blank between words.
    pub(crate) fn unbroken(&self) -> String {
        self.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The last line of a text report.
    pub(crate) fn result_line(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }
}

impl Report {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|why| why.to_string())?;
        serde_json::from_str(&text).map(Self).map_err(|why| format!("{why}: {text}"))
    }

    /// Every requirement's id and verdict.
    pub(crate) fn verdicts(&self) -> Vec<(&str, &str)> {
        self.entries("requirements")
            .iter()
            .map(|one| (one["id"].as_str().unwrap(), one["verdict"].as_str().unwrap()))
            .collect()
    }

    /// The ids of the requirements with that verdict.
    pub(crate) fn with(&self, verdict: &str) -> BTreeSet<&str> {
        self.verdicts().into_iter().filter(|(_, other)| *other == verdict).map(|(id, _)| id).collect()
    }

    /// The finding on a requirement.
    pub(crate) fn check(&self, id: &str) -> &Value {
        let found = self.entries("checks").iter().find(|check| check["requirements"][0] == id);
        found.unwrap_or_else(|| panic!("{id} is not in the report: {:#}", self.0))
    }

    /// The code of the cause of a requirement's failure, or an empty text.
    pub(crate) fn cause(&self, id: &str) -> &str {
        self.check(id)["cause"]["code"].as_str().unwrap_or_default()
    }

    /// The message on a requirement.
    pub(crate) fn message(&self, id: &str) -> &str {
        self.check(id)["message"].as_str().unwrap_or_default()
    }

    fn entries(&self, of: &str) -> &[Value] {
        self.0[of].as_array().map(Vec::as_slice).unwrap_or_default()
    }
}
