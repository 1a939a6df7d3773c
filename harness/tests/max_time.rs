//! Slow and broken subjects: a run ends in time, and says what it found and what it could not try.
//!
//! Invariant: `--max-time` plus one timeout, plus what ending a process takes, bounds every run.

mod receivers;
mod rounds;
mod senders;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::cli::program::{Ran, Report, judged};
use crate::implementations::is_missing;

/// How long a program may take to start and to be ended, on a busy machine.
const AROUND: Duration = Duration::from_secs(20);

/// The command of a program in `fixtures/hostile/`. `None` if there is no Python; if so, the skipped test was reported.
fn hostile(program: &str, options: &str) -> Option<String> {
    if is_missing("python3") {
        return None;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hostile").join(program);
    Some(format!("python3 '{}' {options}", path.display().to_string().replace('\\', "/")))
}

/// Runs a command with these options, and fails unless it ends within `bound`.
#[track_caller]
fn within(bound: Duration, role: &str, command: &str, options: &[&str]) -> (Ran, Report) {
    let began = Instant::now();
    let (ran, report) = judged([role, "--seed", "7", "--exec", command].iter().chain(options));
    let took = began.elapsed();
    assert!(took < bound + AROUND, "{command} took {took:?}: {ran:#?}");
    (ran, report)
}

/// How many generated cases per property the report says were tried, of how many.
fn generated(ran: &Ran) -> Option<(usize, usize)> {
    let note =
        ran.stdout.lines().find(|line| line.contains(" generated cases per property were tried in "))?;
    let mut words = note.strip_prefix("note: ")?.split(' ');
    let tried = words.next()?;
    let tried = if tried == "none" { 0 } else { tried.parse().ok()? };
    Some((tried, words.nth(1)?.parse().ok()?))
}
