//! The process of a subject: started without a shell, and ended together with everything it started.
//!
//! Invariant: every process of the command has ended when the value is dropped, or was stopped. A bounded part of stderr is kept.

#[cfg(unix)]
mod ending;
#[cfg(not(unix))]
mod job;
mod leader;
#[cfg(unix)]
mod table;
#[cfg(unix)]
mod tree;
#[cfg(unix)]
pub mod watchdog;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{SubjectError, messages};
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

/// How many bytes of stderr are kept.
const KEPT_STDERR: usize = 16 * 1024;
/// How many of the last lines of stderr are shown.
const SHOWN_LINES: usize = 12;
/// How long a process may take to end after SIGTERM.
const STOP_WAIT: Duration = Duration::from_secs(2);
/// How long to wait for the rest of stderr after the process ended. A child process may keep stderr open.
const STDERR_WAIT: Duration = Duration::from_millis(500);

/// A running process, with the end of its stderr.
#[derive(Debug)]
pub struct Process {
    tree: Tree,
    command: String,
    stderr: Arc<Mutex<VecDeque<u8>>>,
    /// Reads stderr to its end; `None` after that.
    reading: Option<JoinHandle<()>>,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessEnd {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// The command, its status and the last lines of its stderr, as a clause.
    pub text: String,
}

impl fmt::Display for ProcessEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Process {
    /// Starts `command`, split into words as in a shell, with additional environment variables.
    ///
    /// Errors: [`SubjectError::Usage`] if the command cannot be split or does not exist.
    pub fn start(
        command: &str,
        environment: &[(&str, String)],
        piped_input: bool,
    ) -> Result<Self, SubjectError> {
        let words = shlex::split(command).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| SubjectError::Usage(messages::not_a_command(command)))?;
        let mut builder = Command::new(&words[0]);
        builder
            .args(&words[1..])
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(if piped_input { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut tree = Tree::start(builder).map_err(|why| {
            let is_missing = why.kind() == io::ErrorKind::NotFound;
            SubjectError::Usage(messages::cannot_start(&words[0], why, is_missing))
        })?;
        let stderr = Arc::new(Mutex::new(VecDeque::new()));
        let reading =
            tree.leader.error_output().map(|stream| tokio::spawn(keep_last(stream, stderr.clone())));
        Ok(Self { tree, command: command.to_owned(), stderr, reading })
    }

    /// Its stdin and stdout, on the first call.
    pub fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>) {
        self.tree.leader.pipes()
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
        // The end of the process may be seen before the end of stderr was read.
        if let Some(reading) = &mut self.reading
            && timeout(STDERR_WAIT, reading).await.is_ok()
        {
            self.reading = None;
        }
        let text = messages::ended(&self.command, status, &self.stderr_end());
        ProcessEnd { code: status.code(), text }
    }

    /// The last lines of stderr, as the end of a message; empty if there are none.
    pub fn stderr_end(&self) -> String {
        let kept = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept.iter().copied().collect::<Vec<_>>()).into_owned();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        messages::last_lines(&lines[lines.len().saturating_sub(SHOWN_LINES)..])
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
    }
}

async fn keep_last<R: AsyncRead + Unpin>(mut stream: R, kept: Arc<Mutex<VecDeque<u8>>>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(&buffer[..count]);
        let surplus = kept.len().saturating_sub(KEPT_STDERR);
        kept.drain(..surplus);
    }
}
