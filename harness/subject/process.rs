//! A subject's process: started without a shell, watched, and ended with everything that it started.
//!
//! Invariant: the process group is ended when the value goes, whichever way it goes; what is kept of stderr is bounded.

use std::collections::VecDeque;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::SubjectError;

/// How much of stderr is kept.
const KEPT_STDERR: usize = 16 * 1024;
/// How many of its last lines are shown.
const SHOWN_LINES: usize = 12;
/// How long a process may take to end after it was asked to.
const STOP_WAIT: Duration = Duration::from_secs(2);
/// How long the rest of stderr is waited for once the process is gone: what it left running may hold it open.
const STDERR_WAIT: Duration = Duration::from_millis(500);

/// A running process and what it said on stderr.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// The leader's id, which stays the group's when the leader is gone.
    id: Option<u32>,
    command: String,
    stderr: Arc<Mutex<VecDeque<u8>>>,
    /// Reads stderr to its end; `None` once it got there.
    reading: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts `command`, split into words as a shell would, with further variables in its environment.
    ///
    /// Errors: [`SubjectError::Usage`] where the command cannot be split or does not exist.
    pub fn start(
        command: &str,
        environment: &[(&str, String)],
        piped_input: bool,
    ) -> Result<Self, SubjectError> {
        let words = shlex::split(command).filter(|words| !words.is_empty());
        let words =
            words.ok_or_else(|| SubjectError::Usage(format!("{command:?} cannot be split into words")))?;
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
            SubjectError::Usage(format!("the command {:?} cannot be started: {why}", words[0]))
        })?;
        let stderr = Arc::new(Mutex::new(VecDeque::new()));
        let reading = child.stderr.take().map(|stream| tokio::spawn(keep_last(stream, stderr.clone())));
        Ok(Self { id: child.id(), child, command: command.to_owned(), stderr, reading })
    }

    /// Its input and output, the first time that they are asked for.
    pub fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>) {
        (self.child.stdin.take(), self.child.stdout.take())
    }

    /// How it ended, if it did, with the last lines of its stderr.
    pub async fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok()??;
        Some(self.describe(status).await)
    }

    /// Waits that long for it to end, and says how it did.
    pub async fn ends_within(&mut self, wait: Duration) -> Option<String> {
        let status = timeout(wait, self.child.wait()).await.ok()?.ok()?;
        Some(self.describe(status).await)
    }

    async fn describe(&mut self, status: ExitStatus) -> String {
        // The process may be seen to be gone before its last words were read.
        if let Some(reading) = &mut self.reading
            && timeout(STDERR_WAIT, reading).await.is_ok()
        {
            self.reading = None;
        }
        format!("the command `{}` ended with {status}{}", self.command, self.last_words())
    }

    /// The last lines of stderr, for a message; empty where there are none.
    pub fn last_words(&self) -> String {
        let kept = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept.iter().copied().collect::<Vec<_>>()).into_owned();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
        if last.is_empty() {
            String::new()
        } else {
            format!("; its stderr ends:\n    {}", last.join("\n    "))
        }
    }

    /// Ends the process and whatever it started: asks first, and insists after two seconds.
    pub async fn stop(&mut self) {
        self.signal(false);
        if timeout(STOP_WAIT, self.child.wait()).await.is_err() {
            self.signal(true);
            // It was killed: there is nothing left that could hold this up.
            let _ = self.child.wait().await;
        }
        // The leader is gone; what it left running is not.
        self.signal(true);
    }

    #[cfg(unix)]
    fn signal(&self, insist: bool) {
        use nix::sys::signal::{Signal, killpg};
        use nix::unistd::Pid;
        let group = self.id.and_then(|id| i32::try_from(id).ok());
        if let Some(group) = group {
            // Gone already is as good.
            let _ = killpg(Pid::from_raw(group), if insist { Signal::SIGKILL } else { Signal::SIGTERM });
        }
    }

    #[cfg(not(unix))]
    fn signal(&mut self, _insist: bool) {
        let _ = self.child.start_kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(true);
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
