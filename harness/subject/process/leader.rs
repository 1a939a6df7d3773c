//! The first process of a command, and how the system keeps what it starts together: a process group on Unix, a job object on
//! Windows.

use std::io;
use std::path::Path;
use std::process::ExitStatus;

#[cfg(windows)]
use process_wrap::tokio::{ChildWrapper, CommandWrap, JobObject, KillOnDrop};
#[cfg(not(windows))]
use tokio::process::Child;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};

/// What to start for the first word of a command with this environment in this folder: the word.
#[cfg(not(windows))]
pub(super) fn program(word: String, _environment: &[(&str, String)], _folder: Option<&Path>) -> String {
    word
}

/// What to start for the first word of a command with this environment in this folder. Scripts such as npm.cmd are found without
/// their ending, as every shell of the system does it.
#[cfg(windows)]
pub(super) fn program(word: String, environment: &[(&str, String)], folder: Option<&Path>) -> String {
    let path = environment.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case("PATH"));
    let here = folder.unwrap_or(Path::new("."));
    let found = match path {
        Some((_, path)) => which::which_in(&word, Some(path), here),
        None if word.contains(['/', '\\']) => which::which_in(&word, None::<&str>, here),
        None => which::which(&word),
    };
    // If none is found, the system says so.
    found.ok().and_then(|path| path.into_os_string().into_string().ok()).unwrap_or(word)
}

#[cfg(not(windows))]
#[derive(Debug)]
pub(super) struct Leader(Child);

/// The job ends with its last handle, thus also when this process is killed.
#[cfg(windows)]
#[derive(Debug)]
pub(super) struct Leader(Box<dyn ChildWrapper>);

impl Leader {
    /// Starts the command. Errors: it cannot be started.
    #[cfg(not(windows))]
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        #[cfg(unix)]
        command.process_group(0);
        command.kill_on_drop(true).spawn().map(Self)
    }

    /// Starts the command. Errors: it cannot be started.
    #[cfg(windows)]
    pub(super) fn start(command: Command) -> io::Result<Self> {
        CommandWrap::from(command).wrap(JobObject).wrap(KillOnDrop).spawn().map(Self)
    }

    #[cfg(unix)]
    pub(super) fn id(&self) -> Option<u32> {
        self.0.id()
    }

    /// Its stdin and stdout, on the first call.
    pub(super) fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>) {
        #[cfg(not(windows))]
        let pipes = (self.0.stdin.take(), self.0.stdout.take());
        #[cfg(windows)]
        let pipes = (ChildWrapper::stdin(&mut *self.0).take(), ChildWrapper::stdout(&mut *self.0).take());
        pipes
    }

    /// Its stderr, on the first call.
    pub(super) fn error_output(&mut self) -> Option<ChildStderr> {
        #[cfg(not(windows))]
        let stderr = self.0.stderr.take();
        #[cfg(windows)]
        let stderr = ChildWrapper::stderr(&mut *self.0).take();
        stderr
    }

    /// How it ended, if it did. Its children may still run.
    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        #[cfg(not(windows))]
        let status = self.0.try_wait();
        #[cfg(windows)]
        let status = self.0.inner_mut().try_wait();
        status
    }

    /// Waits for its end. Its children may still run.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        #[cfg(not(windows))]
        let status = self.0.wait().await;
        // The job itself would wait for all its processes.
        #[cfg(windows)]
        let status = self.0.inner_mut().wait().await;
        status
    }

    /// Ends it, on Windows with everything it started.
    #[cfg(not(unix))]
    pub(super) fn kill(&mut self) {
        // An error means that it has ended already.
        let _ = self.0.start_kill();
    }
}
