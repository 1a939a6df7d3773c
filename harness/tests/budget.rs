//! Whatever a program under test sends, and whatever a file contains, the program needs less than 200 MiB and ends.
//!
//! The hostile programs are in `fixtures/hostile/`. Every one of their modes is run.

mod captures;
mod files;
mod search;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tempfile::TempDir;
use twenty_conform::suite::transcript::{Keeper, Kept, Limits, Role, Traits, Transcript};
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::wire::exchange::{Delivery, Exchange, ExchangeId, Headers, Outcome, Transfer};

use crate::cli::program::{Report, twenty};
use crate::implementations::is_missing;
use crate::skip::skip;

/// The memory limit of a run, in MiB.
const MOST_MEMORY: u64 = 200;
/// The address space of a run and what it starts, in KiB: a test that fails must not use up the machine.
const ADDRESS_SPACE: u64 = 4 * 1024 * 1024;
/// The longest run.
const LONGEST: Duration = Duration::from_secs(120);
/// How often the peak is read. It never falls, so only the last moment is missed.
const PACE: Duration = Duration::from_millis(5);
/// The exit statuses of a run that had a subject (docs/ci.md).
const STATUSES: [i32; 5] = [0, 1, 3, 6, 70];

/// How a run ended.
#[derive(Debug)]
struct Measured {
    status: Option<i32>,
    stderr: String,
    /// Its peak memory, in MiB.
    peak: u64,
    took: Duration,
    /// Its processor time, which does not depend on what else runs.
    busy: Duration,
}

/// Runs the binary to its end and reads its peak memory and processor time. `None` if this system does not have it; the skip was reported.
fn measured(arguments: &[&str]) -> Option<Measured> {
    if !cfg!(target_os = "linux") {
        skip("peak memory", "it is read from /proc");
        return None;
    }
    let binary = twenty(arguments);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {ADDRESS_SPACE} && exec \"$0\" \"$@\"")]);
    command.arg(binary.get_program()).args(binary.get_args());
    for (name, _) in binary.get_envs() {
        command.env_remove(name);
    }
    let folder = TempDir::new().unwrap();
    let stderr = folder.path().join("stderr");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).stdout(Stdio::null());
    let began = Instant::now();
    let child = command.stderr(std::fs::File::create(&stderr).unwrap()).spawn().unwrap();
    let (status, peak, busy) = watched(child, began);
    let stderr = String::from_utf8_lossy(&std::fs::read(stderr).unwrap()).into_owned();
    Some(Measured { status, stderr, peak, took: began.elapsed(), busy })
}

/// Its exit status, or `None` if it had to be ended, its peak memory in MiB, and its processor time.
fn watched(mut child: Child, began: Instant) -> (Option<i32>, u64, Duration) {
    let (id, (ends, ended)) = (child.id(), mpsc::channel());
    thread::spawn(move || ends.send(child.wait().unwrap().code()));
    let (mut peak, mut busy) = (0, Duration::ZERO);
    loop {
        peak = peak.max(peak_of(id));
        busy = busy.max(busy_of(id));
        if let Ok(status) = ended.recv_timeout(PACE) {
            return (status, peak, busy);
        }
        if began.elapsed() > LONGEST || peak > 2 * MOST_MEMORY {
            let killed = Command::new("kill").args(["-9", &id.to_string()]).status().unwrap();
            assert!(killed.success());
            ended.recv().unwrap();
            return (None, peak, busy);
        }
    }
}

/// The processor time of a process; 0 if it has ended.
fn busy_of(id: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name before it may contain anything. Linux counts in hundredths of a second.
    let numbers = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    Duration::from_millis(numbers.map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum())
}

/// The peak memory of a process, in MiB; 0 if it has ended, or not begun.
fn peak_of(id: u32) -> u64 {
    let program = |id: &str| std::fs::read_link(format!("/proc/{id}/exe")).ok();
    // Until it runs its own program, the memory of this one is its memory.
    if program(&id.to_string()) == program("self") {
        return 0;
    }
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
    peak.map_or(0, |kib| kib.parse::<u64>().unwrap() / 1024)
}

impl Measured {
    /// Fails unless it ended as documented, and within its memory.
    #[track_caller]
    fn check(&self, what: &str, statuses: &[i32]) {
        assert!(self.peak < MOST_MEMORY, "{what} needed {} MiB: {self:#?}", self.peak);
        assert!(self.status.is_some_and(|status| statuses.contains(&status)), "{what}: {self:#?}");
        assert!(!self.stderr.contains("panicked"), "{what}: {self:#?}");
    }
}

/// The modes of a hostile program. Empty if there is no Python; the skip was reported.
fn modes(program: &str) -> Vec<String> {
    if is_missing("python3") {
        return Vec::new();
    }
    let listed = Command::new("python3").args([program, "--list"]).output().unwrap();
    let modes: Vec<String> = String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect();
    assert!(modes.len() > 20, "{program} --list: {modes:?}");
    modes
}

/// Runs a role against one mode of its hostile program and checks the run and its report.
#[track_caller]
fn attacked(role: &str, mode: &str, options: &[&str]) {
    let folder = TempDir::new().unwrap();
    let report = folder.path().join("report.json");
    let (exec, json) =
        (format!("python3 fixtures/hostile/{role}.py {mode}"), format!("json={}", report.display()));
    let mut arguments = vec![role, "--exec", &exec, "--report", &json, "--ready-timeout", "20s"];
    arguments.retain(|argument| role == "receiver" || !["--ready-timeout", "20s"].contains(argument));
    arguments.extend(options);
    let Some(run) = measured(&arguments) else { return };
    run.check(&format!("{role} {mode}"), &STATUSES);
    let report =
        Report::read(Path::new(&report)).unwrap_or_else(|why| panic!("{role} {mode}: {why}: {run:#?}"));
    assert!(!report.verdicts().is_empty(), "{role} {mode}: {run:#?}");
}

/// Calls `attack` for each mode, some at a time: most of them wait.
fn for_each(modes: Vec<String>, attack: impl Fn(&str) + Sync) {
    let left = Mutex::new(modes.into_iter());
    let next = || left.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(mode) = next() {
                    attack(&mode);
                }
            });
        }
    });
}

#[test]
fn every_mode_of_a_hostile_receiver_stays_below_200_mib() {
    let options = ["--run", "VER-1", "--cases", "1", "--timeout", "300ms"];
    for_each(modes("fixtures/hostile/receiver.py"), |mode| attacked("receiver", mode, &options));
}

#[test]
fn every_mode_of_a_hostile_sender_stays_below_200_mib() {
    let options = ["--run", "SIG-1,ACK-1", "--cases", "1", "--timeout", "3s", "--deadline", "300ms"];
    for_each(modes("fixtures/hostile/sender.py"), |mode| attacked("sender", mode, &options));
}

/// Without a budget, this keeps 100 KiB of each of 6000 answers.
#[test]
fn memory_does_not_grow_with_the_number_of_cases() {
    if !is_missing("python3") {
        attacked("receiver", "large", &["--run", "VER-4", "--cases", "1000"]);
    }
}

#[test]
fn observations_that_nothing_asks_for_are_not_kept() {
    if !is_missing("python3") {
        attacked("receiver", "long-observations", &["--run", "VER-4", "--cases", "300"]);
    }
}

#[test]
fn observations_have_a_budget() {
    if !is_missing("python3") {
        for mode in ["long-observations", "many-observations", "distinct-observations"] {
            attacked("receiver", mode, &["--run", "PRC-*", "--cases", "1", "--observe", "stdout"]);
        }
    }
}

/// A request of which an endpoint kept a part is marked in the evidence.
#[test]
fn request_that_is_kept_in_part_is_marked() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = seen.clone();
    let mut transcript = Transcript::new(Role::Sender, &DOCUMENTED, Limits::default());
    transcript.keeper = Some(Keeper::new(move |kept| {
        if let Kept::Exchange { body_cut, .. } = kept {
            keep.lock().unwrap().push(body_cut);
        }
    }));
    for body_length in [2, 5] {
        let (method, target) = ("POST".to_owned(), "/".to_owned());
        let (headers, body, transfer) = (Headers::default(), Bytes::from_static(b"{}"), Transfer::Whole);
        let delivery = Delivery { method, target, headers, body, transfer };
        let (id, outcome, took) = (ExchangeId(0), Outcome::ClosedEarly, Duration::ZERO);
        let exchange = Exchange { id, delivery, outcome, at_ms: 0, took };
        transcript.arrive(
            None,
            exchange,
            Traits { began_ms: 0, body_length, given_up_after: None, wrong_length: None },
        );
    }
    assert_eq!(*seen.lock().unwrap(), [0, 3]);
}
