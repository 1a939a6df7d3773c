//! Ends processes by SIGKILL, and their children that start meanwhile.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::table::{Entry, processes};

/// How long to repeat the search for processes. A killed one ends within milliseconds; one that is stuck in the kernel does not.
const END_WAIT: Duration = Duration::from_millis(500);
const END_PACE: Duration = Duration::from_millis(1);

/// Kills the processes that `find` finds in the table until there are none. It gets those that did not start before `since`.
pub(super) fn end_each(since: u64, find: impl Fn(&[Entry]) -> Vec<i32>) {
    let deadline = Instant::now() + END_WAIT;
    let mut refused = BTreeSet::new();
    loop {
        let found: Vec<i32> =
            find(&processes(since)).into_iter().filter(|id| !refused.contains(id)).collect();
        for id in &found {
            // A process of another user stays.
            if kill(Pid::from_raw(*id), Signal::SIGKILL) == Err(Errno::EPERM) {
                refused.insert(*id);
            }
        }
        if found.is_empty() || Instant::now() >= deadline {
            return;
        }
        thread::sleep(END_PACE);
    }
}
