//! The watchdog: a process of this program that outlives it by a moment, and ends what it started if it could not do so itself,
//! because it was killed or aborted.
//!
//! It reads from a pipe which processes are under test. The end of the pipe is the end of this program, of whatever kind. It is in
//! a group of its own and blocks all signals, so Ctrl-C does not end it.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::ending::end_each;
use super::table::with_descendants;

/// The first argument of a watchdog. The second is the beginning of the marks of its processes.
pub const ARGUMENT: &str = "--watchdog-of";

/// How long it may take to end. It takes a millisecond if no program is left.
const END_WAIT: Duration = Duration::from_secs(1);
const END_PACE: Duration = Duration::from_millis(1);

/// The watchdog of a library, whose process is not this program: it ends the groups that are left. It reads the same lines.
const SHELL: &str = include_str!("watchdog.sh");

/// The end of the pipe at which this process writes.
#[derive(Debug)]
pub(super) struct Watchdog {
    process: Child,
}

impl Watchdog {
    /// Starts one with `program`, which is this program. `None`: it cannot be started, and what it guards against is rare.
    pub(super) fn start(program: &Path, marks: &str) -> Option<Self> {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(program);
        command.arg0("twenty-conform").args([ARGUMENT, marks]);
        Self::started(command)
    }

    /// Starts one where this process is another program. `None`: there is no shell.
    pub(super) fn start_shell() -> Option<Self> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SHELL, "twenty-conform"]);
        Self::started(command)
    }

    fn started(mut command: Command) -> Option<Self> {
        use std::os::unix::process::CommandExt;
        command.process_group(0).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Some(Self { process: command.spawn().ok()? })
    }

    pub(super) fn id(&self) -> i32 {
        i32::try_from(self.process.id()).unwrap_or_default()
    }

    /// Says that the processes of this leader are to be ended, or no longer. Errors: it has ended.
    pub(super) fn tell(&mut self, leader: i32, is_living: bool) -> io::Result<()> {
        let sign = if is_living { '+' } else { '-' };
        match &mut self.process.stdin {
            // In one write, so that no line is cut.
            Some(pipe) => pipe.write_all(format!("{sign}{leader}\n").as_bytes()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It ends at the end of its input, unless something stopped it.
        let deadline = Instant::now() + END_WAIT;
        while matches!(self.process.try_wait(), Ok(None)) {
            if Instant::now() >= deadline {
                let _ = self.process.kill();
                let _ = self.process.wait();
                break;
            }
            thread::sleep(END_PACE);
        }
    }
}

/// Keeps watch until the input ends, then ends the processes that are left.
pub fn keep_watch(input: impl BufRead, marks: &str) {
    // Not even a request to terminate ends it before the program that it watches.
    let _ = nix::sys::signal::SigSet::all().thread_block();
    let mut leaders = BTreeSet::new();
    for line in input.lines() {
        let Ok(line) = line else { break };
        match (line.get(..1), line.get(1..).and_then(|id| id.parse::<i32>().ok())) {
            (Some("+"), Some(id)) => drop(leaders.insert(id)),
            (Some("-"), Some(id)) => drop(leaders.remove(&id)),
            _ => {}
        }
    }
    if leaders.is_empty() {
        return;
    }
    // The marks begin with the id and the start of the program. What is older is not its.
    let since = marks.trim_end_matches('.').split('-').next_back().and_then(|start| start.parse().ok());
    end_each(since.unwrap_or(0), |table| {
        with_descendants(table, |one| {
            let is_marked = one.marks.iter().any(|mark| mark.starts_with(marks));
            is_marked || leaders.contains(&one.id) || leaders.contains(&one.group)
        })
    });
}
