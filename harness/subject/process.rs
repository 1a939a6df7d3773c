//! The process of a subject: started without a shell, and ended together with everything it started.
//!
//! Invariant: the process group always ends when the value is dropped. A bounded part of stderr is kept.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::tail::{Tail, Tailed};
use super::{SubjectError, messages};

/// How many bytes of stderr are kept.
const KEPT_STDERR: usize = 16 * 1024;
/// How many of the last lines of its output are shown.
const SHOWN_LINES: usize = 12;
/// How long a process may take to end after SIGTERM.
const STOP_WAIT: Duration = Duration::from_secs(2);
/// How long to wait for the rest of its output after the process ended. A child process may keep the streams open.
const OUTPUT_WAIT: Duration = Duration::from_millis(500);

/// A running process, with the end of its stderr.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// The leader's id, which remains the group's id after the leader ended.
    id: Option<u32>,
    command: String,
    stderr: Arc<Mutex<VecDeque<u8>>>,
    /// The end of stdout, if that is read through [`Process::output`].
    stdout: Option<Tail>,
    /// Reads stderr to its end; `None` after that.
    reading: Option<JoinHandle<()>>,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessEnd {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// The command, its status and the last lines of its output, as a clause.
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
    /// Errors: [`SubjectError::Usage`] if the command cannot be split, [`SubjectError::Unreachable`] if it cannot be started.
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
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        builder.process_group(0);
        let mut child = builder.spawn().map_err(|why| {
            let fix = match why.kind() {
                io::ErrorKind::NotFound => messages::check_its_path(),
                _ => messages::name_its_interpreter(),
            };
            SubjectError::Unreachable(messages::cannot_start(&words[0], why, fix))
        })?;
        let stderr = Arc::new(Mutex::new(VecDeque::new()));
        let reading = child.stderr.take().map(|stream| tokio::spawn(keep_last(stream, stderr.clone())));
        Ok(Self { id: child.id(), child, command: command.to_owned(), stderr, stdout: None, reading })
    }

    /// Its stdin and stdout, on the first call.
    pub fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>) {
        (self.child.stdin.take(), self.child.stdout.take())
    }

    /// Its stdout, on the first call. The end of what is read from it is shown if stderr is empty.
    pub(super) fn output(&mut self) -> Option<Tailed<ChildStdout>> {
        let stdout = self.child.stdout.take()?;
        Some(self.stdout.get_or_insert_default().of(stdout))
    }

    /// How it ended, if it did.
    pub async fn ended(&mut self) -> Option<ProcessEnd> {
        let status = self.child.try_wait().ok()??;
        Some(self.describe(status).await)
    }

    /// Waits up to `wait` for its end. Returns how it ended.
    pub async fn ends_within(&mut self, wait: Duration) -> Option<ProcessEnd> {
        let status = timeout(wait, self.child.wait()).await.ok()?.ok()?;
        Some(self.describe(status).await)
    }

    async fn describe(&mut self, status: ExitStatus) -> ProcessEnd {
        // The end of the process may be seen before the end of stderr was read.
        if let Some(reading) = &mut self.reading
            && timeout(OUTPUT_WAIT, reading).await.is_ok()
        {
            self.reading = None;
        }
        if let Some(stdout) = &self.stdout {
            stdout.is_over(OUTPUT_WAIT).await;
        }
        let text = messages::ended(&self.command, status, &self.output_end());
        ProcessEnd { code: status.code(), text }
    }

    /// The last lines of stderr, or of stdout if there are none, as the end of a message; empty if there are none either.
    pub fn output_end(&self) -> String {
        let kept = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept.iter().copied().collect::<Vec<_>>()).into_owned();
        let said = last_lines(&text);
        if !said.is_empty() {
            return messages::last_lines("stderr", &said);
        }
        let text = self.stdout.as_ref().map(Tail::text).unwrap_or_default();
        messages::last_lines("stdout", &last_lines(&text))
    }

    /// Ends the process and everything it started: with SIGTERM, and after two seconds with SIGKILL.
    pub async fn stop(&mut self) {
        self.signal(false);
        if timeout(STOP_WAIT, self.child.wait()).await.is_err() {
            self.signal(true);
            // SIGKILL cannot be delayed, so this ends.
            let _ = self.child.wait().await;
        }
        // The leader ended, but its children may still run.
        self.signal(true);
    }

    #[cfg(unix)]
    fn signal(&self, kill: bool) {
        use nix::sys::signal::{Signal, killpg};
        use nix::unistd::Pid;
        let group = self.id.and_then(|id| i32::try_from(id).ok());
        if let Some(group) = group {
            // An error means that the group has ended already.
            let _ = killpg(Pid::from_raw(group), if kill { Signal::SIGKILL } else { Signal::SIGTERM });
        }
    }

    #[cfg(not(unix))]
    fn signal(&mut self, _kill: bool) {
        let _ = self.child.start_kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(true);
    }
}

fn last_lines(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].to_vec()
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
