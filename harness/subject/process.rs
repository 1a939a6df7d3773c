//! The process of a subject: started without a shell, and ended together with everything it started.
//!
//! Invariant: every process of the command has ended when the value is dropped, or was stopped. A bounded part of stderr is kept.

#[cfg(unix)]
mod ending;
#[cfg(not(unix))]
mod job;
mod leader;
mod listening;
#[cfg(unix)]
mod table;
#[cfg(unix)]
mod tree;
pub mod usage;
#[cfg(unix)]
pub mod watchdog;

use std::fmt;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::heard::{Listener, Stream};
use super::output::{LastOutput, Tee};
use super::{StartFailure, SubjectError, messages};
use crate::shell;
#[cfg(not(unix))]
use job::Tree;
#[cfg(unix)]
use tree::Tree;

#[cfg(not(unix))]
pub use job::end_all;
#[cfg(unix)]
pub use table::MARK;
#[cfg(unix)]
pub use tree::{end_all, own};

/// How long a process may take to end after SIGTERM.
const STOP_WAIT: Duration = Duration::from_secs(2);
/// How long to wait for the rest of its output after the process ended. A child process may keep the streams open.
const OUTPUT_WAIT: Duration = Duration::from_millis(500);

/// How many of the last lines of its output are shown.
const SHOWN_LINES: usize = 12;
/// How many of them are searched for an error.
const SEARCHED_LINES: usize = 60;

/// A running process, with the end of its stderr.
#[derive(Debug)]
pub struct Process {
    tree: Tree,
    command: String,
    stderr: LastOutput,
    /// The end of stdout, if that is read through [`Process::output`].
    stdout: Option<LastOutput>,
    /// How it ended.
    end: Option<ProcessEnd>,
    /// Who hears what it writes.
    listener: Option<Listener>,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessEnd {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// The command, its status and the last lines of its output, as a clause.
    pub text: String,
    /// Its status in words, such as `exit status: 1`.
    pub status: String,
    /// The last lines of stderr, or else of stdout, with the stream's name.
    pub output: Option<(&'static str, Vec<String>)>,
}

impl fmt::Display for ProcessEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Process {
    /// Starts `command`, split into words as in a shell, with additional environment variables.
    ///
    /// Errors: [`SubjectError::Usage`] if the command cannot be split, [`SubjectError::NotStarted`] if it cannot be started.
    pub fn start(
        command: &str,
        environment: &[(&str, String)],
        piped_input: bool,
    ) -> Result<Self, SubjectError> {
        Self::launch(command, &str::to_owned, (environment, None, None), piped_input)
    }

    /// The same in a folder, heard by a listener, with each word of the command as `filled` returns it.
    ///
    /// Errors: those of [`Process::start`]. They have the words as they were written.
    pub(super) fn launch(
        command: &str,
        filled: &dyn Fn(&str) -> String,
        (environment, folder, listener): (&[(&str, String)], Option<&Path>, Option<&Listener>),
        piped_input: bool,
    ) -> Result<Self, SubjectError> {
        let words = shell::split(command).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| SubjectError::Usage(messages::not_a_command(command)))?;
        let mut builder = Command::new(leader::program(filled(&words[0]), environment, folder));
        folder.map(|folder| builder.current_dir(folder));
        builder
            .args(words[1..].iter().map(|word| filled(word)))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(if piped_input { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut tree = Tree::start(builder).map_err(|why| {
            let fix = match why.kind() {
                io::ErrorKind::NotFound => messages::check_its_path(),
                _ => messages::name_its_interpreter(),
            };
            let fault = messages::cannot_start(&words[0], why);
            SubjectError::NotStarted(Box::new(StartFailure {
                fault,
                command: Some(command.to_owned()),
                output: None,
                fixes: vec![fix.to_owned()],
            }))
        })?;
        let stderr = LastOutput::heard_by(listener, Stream::Stderr);
        if let Some(stream) = tree.leader.error_output() {
            tokio::spawn(stderr.clone().read(stream));
        }
        Ok(Self {
            tree,
            command: command.to_owned(),
            stderr,
            stdout: None,
            listener: listener.cloned(),
            end: None,
        })
    }

    /// Its stdin and stdout, on the first call.
    pub fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>) {
        self.tree.leader.pipes()
    }

    /// Its stdout, on the first call. The end of what is read from it is shown if stderr is empty.
    pub(super) fn output(&mut self) -> Option<Tee<ChildStdout>> {
        let stdout = self.tree.leader.pipes().1?;
        let heard = || LastOutput::heard_by(self.listener.as_ref(), Stream::Stdout);
        Some(self.stdout.get_or_insert_with(heard).tee(stdout))
    }

    /// How it ended, if it did.
    pub async fn ended(&mut self) -> Option<ProcessEnd> {
        let status = self.tree.leader.try_wait().ok()??;
        Some(self.describe(status).await)
    }

    /// Waits up to `wait` for its end. Returns how it ended.
    pub async fn ends_within(&mut self, wait: Duration) -> Option<ProcessEnd> {
        let status = timeout(wait, self.tree.leader.wait()).await.ok()?.ok()?;
        Some(self.describe(status).await)
    }

    async fn describe(&mut self, status: ExitStatus) -> ProcessEnd {
        // What it left would hold its port and its pipes.
        self.tree.end();
        // The end of the process may be seen before the end of its output was read.
        for output in [&self.stderr].into_iter().chain(&self.stdout) {
            output.is_over(OUTPUT_WAIT).await;
        }
        let text = messages::ended(&self.command, status, &self.output_end());
        let end =
            ProcessEnd { code: status.code(), text, status: status.to_string(), output: self.last_output() };
        self.end = Some(end.clone());
        end
    }

    /// The last lines of stderr, or of stdout if there are none.
    pub(super) fn last_lines(&self) -> Vec<String> {
        self.output_within(SHOWN_LINES).map(|(_, lines)| lines).unwrap_or_default()
    }

    /// The last lines of stderr, or of stdout if there are none, as the end of a message; empty if there are none either.
    pub fn output_end(&self) -> String {
        let said = self.output_within(SHOWN_LINES);
        said.map(|(stream, lines)| messages::last_lines(stream, &lines)).unwrap_or_default()
    }

    /// The last lines of stderr, or of stdout if there are none, with the stream's name: enough to have the error of a long stack.
    pub(super) fn last_output(&self) -> Option<(&'static str, Vec<String>)> {
        self.output_within(SEARCHED_LINES)
    }

    fn output_within(&self, most: usize) -> Option<(&'static str, Vec<String>)> {
        let stdout = || self.stdout.as_ref().map(|stdout| stdout.last_lines(most)).unwrap_or_default();
        let said = [("stderr", self.stderr.last_lines(most)), ("stdout", stdout())];
        said.into_iter().find(|(_, lines)| !lines.is_empty())
    }

    /// How it ended, once that was seen.
    pub(super) fn end(&self) -> Option<&ProcessEnd> {
        self.end.as_ref()
    }

    /// The ports that its processes listen on, in ascending order; none where the system does not say.
    pub(super) fn listens_on(&self) -> Vec<u16> {
        listening::ports(&self.processes())
    }

    /// Its processes that run, by their ids; none where the system does not say.
    pub(super) fn processes(&self) -> Vec<i32> {
        self.tree.processes()
    }

    /// Ends the process and everything it started: with SIGTERM, and after two seconds with SIGKILL. What left its group has no
    /// more time than its leader.
    pub async fn stop(&mut self) {
        self.tree.terminate();
        if timeout(STOP_WAIT, self.tree.leader.wait()).await.is_err() {
            self.tree.kill();
            // SIGKILL cannot be delayed, so this ends.
            let _ = self.tree.leader.wait().await;
        }
        // The leader ended, but its children may still run.
        self.tree.end();
        if self.listener.is_some() {
            // What it wrote at its end is heard before the run is over.
            for output in [&self.stderr].into_iter().chain(&self.stdout) {
                output.is_over(OUTPUT_WAIT).await;
            }
        }
    }
}
