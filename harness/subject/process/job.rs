//! Everything that a command under test started, where the system keeps it together: the job object of its leader on Windows.

use std::io;

use tokio::process::Command;

use super::leader::Leader;

/// A command's processes. They are ended at the latest when it is dropped.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) leader: Leader,
}

/// Nothing to do: a job ends with this process, however that ends.
pub fn end_all() {}

impl Tree {
    /// Starts a command in a job of its own. Errors: it cannot be started.
    pub(super) fn start(command: Command) -> io::Result<Self> {
        Leader::start(command).map(|leader| Self { leader })
    }

    /// A job does not say which processes it has.
    pub(super) fn processes(&self) -> Vec<i32> {
        Vec::new()
    }

    /// Ends the job: there is no signal that asks it to end.
    pub(super) fn terminate(&mut self) {
        self.leader.kill();
    }

    pub(super) fn kill(&mut self) {
        self.leader.kill();
    }

    pub(super) fn end(&mut self) {
        self.leader.kill();
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.end();
    }
}
