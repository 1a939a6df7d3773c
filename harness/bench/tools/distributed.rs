//! A load from several locust processes on this machine: starts a master and workers, stops them, and checks their counts against
//! the receiver's ledger.
//!
//! Every process is stopped, whichever way the run ends. A run whose counts disagree fails.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, copy, sink};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::bench::measure::messages::interrupted;
use crate::bench::measure::report::BenchReport;
use crate::bench::measure::result::BenchResult;
use crate::bench::tools::export::LOCUST;
use crate::bench::tools::import;
use crate::bench::tools::locust::LocustResults;
use crate::bench::tools::messages;
use crate::bench::tools::reconcile::{LedgerCounts, reconcile};
use crate::budget::LARGE_FILE;
use crate::clock::Clock;
use crate::error::Error;
use crate::input;
use crate::subject::SubjectError;
use crate::subject::messages::no_free_port;
use crate::subject::port::free_port;
use crate::subject::process::{Process, ProcessEnd};
use crate::webhook::signature::Secret;
use crate::wire::client::{Client, Target};
use crate::wire::exchange::{Delivery, Headers, Outcome, Transfer};

/// The file of the results, next to the locustfile.
pub const RESULTS: &str = "results.json";
pub const MOST_WORKERS: usize = 64;
/// How long workers may take to connect to the master, even on a busy machine.
const CONNECT_WAIT: Duration = Duration::from_secs(60);
/// How long locust may take to end, after the last answers.
const END_WAIT: Duration = Duration::from_secs(30);
/// How long a worker may take to exit after its master.
const WORKER_WAIT: Duration = Duration::from_secs(5);
/// A worker that exits this shortly before its master was dismissed by it.
const DISMISSED: Duration = Duration::from_secs(5);
/// How often the processes are checked.
const PACE: Duration = Duration::from_millis(50);
/// How long Python may take to print the version of locust.
const VERSION_WAIT: Duration = Duration::from_secs(30);
const LEDGER_WAIT: Duration = Duration::from_secs(5);
const LONGEST_LEDGER: usize = 1024 * 1024;

#[derive(Debug)]
pub struct LocustPlan<'a> {
    pub python: &'a str,
    /// The folder of the locustfile, and of the results.
    pub folder: &'a Path,
    pub target: &'a Target,
    pub allow_remote: bool,
    pub secret: &'a Secret,
    pub workers: usize,
    pub users: usize,
    /// Deliveries per second; `None` for saturation.
    pub rate: Option<f64>,
    pub duration: Duration,
    pub warm_up: Duration,
    pub timeout: Duration,
    /// The share of deliveries that must be rejected.
    pub probe_share: f64,
    /// The lowest level whose probes fail the run.
    pub fail_on: &'a str,
    pub max_errors: f64,
    /// Becomes true to stop at once.
    pub interrupted: &'a watch::Receiver<bool>,
}

#[derive(Debug)]
pub struct LocustRun {
    pub results: LocustResults,
    pub interrupted: bool,
    /// Why the run fails, whatever the results say.
    pub wrong: Vec<String>,
    /// How each worker ended that exited before the master.
    pub early: Vec<String>,
}

/// A Python program that prints the version of locust, or nothing if it is not installed.
const PRINT_VERSION: &str = include_str!("locust/version.py").trim_ascii_end();

/// The version of locust that a Python has.
///
/// Errors: the Python cannot be started, or has no locust.
pub async fn version(python: &str) -> Result<String, Error> {
    let words = [python, "-c", PRINT_VERSION];
    let mut process = Process::start(&command(&words)?, &[], false)
        .map_err(|why| Error::Usage(messages::python_not_started(python, &why.to_string(), LOCUST)))?;
    let mut printed = String::new();
    if let (_, Some(stdout)) = process.pipes() {
        // A version is short. A program that prints more is not Python.
        let mut stdout = stdout.take(200);
        let _ = timeout(VERSION_WAIT, stdout.read_to_string(&mut printed)).await;
    }
    let ended = process.ends_within(WORKER_WAIT).await;
    process.stop().await;
    let printed = printed.trim();
    if !printed.starts_with(|first: char| first.is_ascii_digit()) {
        let how = match &ended {
            Some(end) if end.code == Some(0) => None,
            Some(end) => Some(end.text.as_str()),
            None => Some(messages::no_answer()),
        };
        return Err(Error::Usage(messages::python_without_locust(python, how, LOCUST)));
    }
    Ok(printed.to_owned())
}

/// Runs a master and its workers to their end.
///
/// Errors: a process cannot be started, or no results are written.
pub async fn run(plan: &LocustPlan<'_>) -> Result<LocustRun, Error> {
    let port = free_port().map_err(|why| Error::Harness(no_free_port(why)))?.to_string();
    let path = plan.folder.join(RESULTS);
    // A file from an earlier run.
    match fs::remove_file(&path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => {
            return Err(Error::Report { path, source: why });
        }
        _ => {}
    }
    let mut master = start(&master(plan, &port, &path)?, &[])?;
    let mut workers = Vec::new();
    for _ in 0..plan.workers {
        let secret = [("TWENTY_WEBHOOK_SECRET", plan.secret.expose().to_owned())];
        match start(&worker(plan, &port)?, &secret) {
            Ok(worker) => workers.push(Watched { process: worker, ended: None }),
            Err(why) => {
                end(&mut master, &mut workers).await;
                return Err(why);
            }
        }
    }
    let run_time = Duration::from_secs(run_time(plan));
    let deadline = Instant::now() + CONNECT_WAIT + run_time + 2 * plan.timeout + END_WAIT;
    // The master writes a line into the file when its workers are connected.
    let begun = || fs::metadata(&path).is_ok_and(|known| known.len() > 0);
    let ending = wait_for_master(&mut master, &mut workers, deadline, plan.interrupted, begun).await;
    let stderr_end = master.output_end();
    end(&mut master, &mut workers).await;

    let early: Vec<String> = workers.into_iter().filter_map(|worker| Some(worker.ended?.1)).collect();
    let text = input::text(&path, LARGE_FILE).unwrap_or_default();
    if text.trim().is_empty() {
        let how = match ending {
            MasterEnding::Ended(end) => end.text,
            MasterEnding::NotBegun => messages::worker_exited_before_load(),
            MasterEnding::Interrupted => messages::interrupted_before_results(),
            MasterEnding::Late => messages::not_finished_in_time(&stderr_end),
        };
        return Err(Error::Subject(SubjectError::Unreachable(messages::no_results(&how, &early))));
    }
    let results = import::parse(&path.display().to_string(), &text).map_err(Error::Harness)?;
    let mut wrong = Vec::new();
    match &ending {
        MasterEnding::Late => wrong.push(messages::stopped_because_late(&stderr_end)),
        MasterEnding::Ended(end) if end.code != Some(results.exit_status.into()) => {
            wrong.push(messages::status_differs(results.exit_status, &end.text));
        }
        _ => {}
    }
    Ok(LocustRun { results, interrupted: matches!(ending, MasterEnding::Interrupted), wrong, early })
}

struct Watched {
    process: Process,
    /// When and how it ended, if that was before the master.
    ended: Option<(Instant, String)>,
}

enum MasterEnding {
    Ended(ProcessEnd),
    /// A worker exited before the load started. The master would wait for it until its timeout.
    NotBegun,
    Interrupted,
    Late,
}

/// Waits for the master to end, and records workers that end before it.
async fn wait_for_master(
    master: &mut Process,
    workers: &mut [Watched],
    deadline: Instant,
    interrupted: &watch::Receiver<bool>,
    begun: impl Fn() -> bool,
) -> MasterEnding {
    loop {
        // Workers first: if both have ended, the worker may be the cause.
        for worker in workers.iter_mut().filter(|worker| worker.ended.is_none()) {
            worker.ended = worker.process.ended().await.map(|end| (Instant::now(), end.text));
        }
        if let Some(end) = master.ended().await {
            // The master dismisses its workers right before it ends; those are not early.
            for worker in workers.iter_mut() {
                worker.ended = worker.ended.take().filter(|(when, _)| when.elapsed() > DISMISSED);
            }
            return MasterEnding::Ended(end);
        }
        if workers.iter().any(|worker| worker.ended.is_some()) && !begun() {
            return MasterEnding::NotBegun;
        }
        if *interrupted.borrow() {
            return MasterEnding::Interrupted;
        }
        if Instant::now() >= deadline {
            return MasterEnding::Late;
        }
        sleep(PACE).await;
    }
}

/// Stops all processes, the master first: it dismisses the workers.
async fn end(master: &mut Process, workers: &mut [Watched]) {
    master.stop().await;
    for worker in workers {
        if worker.ended.is_none() {
            // It exits by itself. `stop` ends what is left.
            let _ = worker.process.ends_within(WORKER_WAIT).await;
        }
        worker.process.stop().await;
    }
}

fn start(command: &str, environment: &[(&str, String)]) -> Result<Process, Error> {
    let mut process = Process::start(command, environment, false)?;
    if let (_, Some(mut stdout)) = process.pipes() {
        // Discard the output, or the process would block on a full pipe.
        tokio::spawn(async move { copy(&mut stdout, &mut sink()).await });
    }
    Ok(process)
}

/// How long locust runs. It accepts only whole seconds.
fn run_time(plan: &LocustPlan<'_>) -> u64 {
    (plan.warm_up + plan.duration).as_secs_f64().ceil() as u64
}

fn master(plan: &LocustPlan<'_>, port: &str, results: &Path) -> Result<String, Error> {
    let seconds = |duration: Duration| format!("{}ms", duration.as_millis());
    let users = plan.users.to_string();
    let mut words: Vec<String> = [
        "--master",
        "--master-bind-host",
        "127.0.0.1",
        "--master-bind-port",
        port,
        "--expect-workers",
        &plan.workers.to_string(),
        "--expect-workers-max-wait",
        &CONNECT_WAIT.as_secs().to_string(),
        "--users",
        &users,
        "--spawn-rate",
        &users,
        "--run-time",
        &run_time(plan).to_string(),
        "--host",
        &plan.target.url(),
        "--probe-share",
        &plan.probe_share.to_string(),
        "--fail-on",
        plan.fail_on,
        "--max-errors",
        &plan.max_errors.to_string(),
        "--timeout",
        &seconds(plan.timeout),
        "--warm-up",
        &seconds(plan.warm_up),
    ]
    .map(str::to_owned)
    .into();
    words.extend(["--results".to_owned(), results.display().to_string()]);
    if let Some(rate) = plan.rate {
        words.extend(["--rate".to_owned(), rate.to_string()]);
    }
    if plan.allow_remote {
        words.push("--allow-remote".to_owned());
    }
    locust(plan, &words)
}

fn worker(plan: &LocustPlan<'_>, port: &str) -> Result<String, Error> {
    let words = ["--worker", "--master-host", "127.0.0.1", "--master-port", port];
    locust(plan, &words.map(str::to_owned))
}

/// The command of a locust process.
fn locust(plan: &LocustPlan<'_>, more: &[String]) -> Result<String, Error> {
    let file = plan.folder.join("locustfile.py").display().to_string();
    let start = [plan.python, "-m", "locust", "--locustfile", &file, "--headless", "--only-summary"];
    command(&start.into_iter().chain(more.iter().map(String::as_str)).collect::<Vec<_>>())
}

/// Joins words into a command line.
fn command(words: &[&str]) -> Result<String, Error> {
    let joined = shlex::try_join(words.iter().copied());
    joined.map_err(|why| Error::Usage(messages::not_a_command(words, &why.to_string())))
}

/// The counts of the receiver's ledger so far; `None` if it has no ledger.
pub async fn ledger(target: &Target, clock: &Clock) -> Option<LedgerCounts> {
    let delivery = Delivery {
        method: "GET".to_owned(),
        target: "/ledger".to_owned(),
        headers: Headers::default(),
        body: bytes::Bytes::new(),
        transfer: Transfer::Whole,
    };
    let client = Client::new(LEDGER_WAIT, clock.clone()).keeping(LONGEST_LEDGER);
    match client.send(target, &delivery).await.outcome {
        Outcome::Answered(answer) if answer.status == 200 => serde_json::from_slice(&answer.body).ok(),
        _ => None,
    }
}

/// The report of a run of locust, given the receiver's ledger before and after, if it has one.
pub fn conclude(
    run: &LocustRun,
    (before, after): (Option<&LedgerCounts>, Option<&LedgerCounts>),
    version: &str,
) -> BenchReport {
    let mut report = import::results(&run.results);
    let mut wrong = run.wrong.clone();
    match (before, after) {
        (Some(before), Some(after)) => {
            wrong.extend(reconcile(&run.results, Some((before, after))));
            if wrong.is_empty() {
                let (verified, accepted) = (after.verified - before.verified, run.results.all.acknowledged);
                report.notes.push(messages::ledger_agrees(verified, accepted));
            }
        }
        (Some(_), None) => wrong.push(messages::ledger_unreadable()),
        (None, _) => {
            wrong.extend(reconcile(&run.results, None));
            report.notes.push(messages::no_ledger());
        }
    }
    if version != LOCUST {
        report.notes.push(messages::other_locust(LOCUST, version));
    }
    report.notes.extend(run.early.iter().map(|how| messages::worker_exited_early(how)));
    if run.interrupted {
        report.notes.push(interrupted().to_owned());
        report.settle(BenchResult::Interrupted);
    } else if !wrong.is_empty() {
        report.settle(BenchResult::Fail);
    }
    report.notes.extend(wrong);
    report
}

/// Creates a new folder for a run.
pub fn folder(base: &Path, seed: u64) -> Result<PathBuf, Error> {
    let path = base.join(format!("twenty-conform-{}-{seed:x}", std::process::id()));
    fs::create_dir(&path).map_err(|source| Error::Report { path: path.clone(), source })?;
    Ok(path)
}
