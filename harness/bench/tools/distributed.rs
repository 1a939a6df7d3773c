//! A load from several processes of locust on this machine: a master and its workers, watched and ended, and what they say
//! held against what the endpoint counted.
//!
//! Invariant: every process that was started here is ended, whichever way it goes; and a run whose counts do not agree does
//! not pass.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, copy, sink};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::bench::measure::report::BenchReport;
use crate::bench::measure::result::BenchResult;
use crate::bench::tools::export::LOCUST;
use crate::bench::tools::import;
use crate::bench::tools::locust::LocustResults;
use crate::bench::tools::reconcile::{LedgerCounts, reconcile};
use crate::clock::Clock;
use crate::error::Error;
use crate::subject::SubjectError;
use crate::subject::process::{Process, ProcessEnd};
use crate::webhook::signature::Secret;
use crate::wire::client::{Client, Target};
use crate::wire::exchange::{Delivery, Headers, Outcome, Transfer};

pub const MOST_WORKERS: usize = 64;
/// How long workers may take to come to their master, on a machine that has much else to do.
const CONNECT_WAIT: Duration = Duration::from_secs(60);
/// How long the end may take, in addition to the wait for the last answers.
const END_WAIT: Duration = Duration::from_secs(30);
/// How long a worker may take to end after its master.
const WORKER_WAIT: Duration = Duration::from_secs(5);
/// How long before its master a worker may end that was sent away.
const SENT_AWAY: Duration = Duration::from_secs(5);
/// How often the processes are looked at.
const PACE: Duration = Duration::from_millis(50);
/// How long Python may take to say what it has.
const ASK_WAIT: Duration = Duration::from_secs(30);
/// How long the ledger's answer is waited for, and how long it may be.
const LEDGER_WAIT: Duration = Duration::from_secs(5);
const LONGEST_LEDGER: usize = 1024 * 1024;

#[derive(Debug)]
pub struct Order<'a> {
    pub python: &'a str,
    /// Where the locustfile stands, and where the results go.
    pub folder: &'a Path,
    pub target: &'a Target,
    pub allow_remote: bool,
    pub secret: &'a Secret,
    pub workers: usize,
    pub users: usize,
    /// Deliveries per second; `None` for as many as the connections carry.
    pub rate: Option<f64>,
    pub duration: Duration,
    pub warm_up: Duration,
    pub timeout: Duration,
    /// Which share of the deliveries must be refused.
    pub probe_share: f64,
    /// The lowest level whose probes fail the run.
    pub fail_on: &'a str,
    pub max_errors: f64,
    /// Becomes true where it is to end at once.
    pub interrupted: &'a watch::Receiver<bool>,
}

#[derive(Debug)]
pub struct Played {
    pub results: LocustResults,
    pub interrupted: bool,
    /// Why it must not pass, whatever the results say.
    pub wrong: Vec<String>,
    pub early: Vec<String>,
}

/// The version of locust that a Python has.
///
/// Errors: there is no such Python, or it has none; with what to do.
pub async fn version(python: &str) -> Result<String, Error> {
    let fix = format!(
        "make an environment with it (python3 -m venv .venv && .venv/bin/pip install locust=={LOCUST}) and name that with \
         --python .venv/bin/python"
    );
    let ask = "from importlib.metadata import distributions as all; print(*(one.version for one in all(name='locust')))";
    let words = [python, "-c", ask];
    let mut process = Process::start(&command(&words)?, &[], false)
        .map_err(|why| Error::Usage(format!("{python:?} is no Python with locust ({why}); {fix}")))?;
    let mut said = String::new();
    if let (_, Some(stdout)) = process.pipes() {
        // What it says is short; what has more to say is no Python.
        let mut stdout = stdout.take(200);
        let _ = timeout(ASK_WAIT, stdout.read_to_string(&mut said)).await;
    }
    let ended = process.ends_within(WORKER_WAIT).await;
    process.stop().await;
    let said = said.trim();
    if !said.starts_with(|first: char| first.is_ascii_digit()) {
        let how = match ended {
            Some(end) if end.code == Some(0) => String::new(),
            Some(end) => format!(" ({end})"),
            None => " (it did not answer)".to_owned(),
        };
        return Err(Error::Usage(format!("{python:?} has no locust{how}; {fix}")));
    }
    Ok(said.to_owned())
}

/// Runs a master and its workers to their end.
///
/// Errors: a process cannot be started, they do not find each other, they do not end, or no results are left.
pub async fn run(order: &Order<'_>) -> Result<Played, Error> {
    let port = free_port().await?.to_string();
    let path = order.folder.join("results.json");
    // What stands there is of another run.
    match fs::remove_file(&path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => {
            return Err(Error::Report { path, source: why });
        }
        _ => {}
    }
    let mut master = start(&master(order, &port, &path)?, &[])?;
    let mut workers = Vec::new();
    for _ in 0..order.workers {
        let secret = [("TWENTY_WEBHOOK_SECRET", order.secret.expose().to_owned())];
        match start(&worker(order, &port)?, &secret) {
            Ok(worker) => workers.push(Watched { process: worker, ended: None }),
            Err(why) => {
                end(&mut master, &mut workers).await;
                return Err(why);
            }
        }
    }
    let run_time = Duration::from_secs(run_time(order));
    let deadline = Instant::now() + CONNECT_WAIT + run_time + 2 * order.timeout + END_WAIT;
    // The master writes a line into it when its workers have come.
    let begun = || fs::metadata(&path).is_ok_and(|known| known.len() > 0);
    let ending = attend(&mut master, &mut workers, deadline, order.interrupted, begun).await;
    let last_words = master.last_words();
    end(&mut master, &mut workers).await;

    let early: Vec<String> = workers.into_iter().filter_map(|worker| Some(worker.ended?.1)).collect();
    let text = fs::read_to_string(&path).unwrap_or_default();
    if text.trim().is_empty() {
        let how = match ending {
            MasterEnding::Ended(end) => end.text,
            MasterEnding::NotBegun => "a worker ended before the load began".to_owned(),
            MasterEnding::Interrupted => "it was interrupted before there was anything to say".to_owned(),
            MasterEnding::Late => format!("it did not end in time{last_words}"),
        };
        let early: String = early.iter().map(|how| format!("\n  a worker ended early: {how}")).collect();
        let why = format!("locust left no results behind: {how}{early}");
        return Err(Error::Subject(SubjectError::Unreachable(why)));
    }
    let results = import::parse(&path.display().to_string(), &text).map_err(Error::Harness)?;
    let mut wrong = Vec::new();
    match &ending {
        MasterEnding::Late => wrong.push(format!("locust did not end in time and was ended{last_words}")),
        MasterEnding::Ended(end) if end.code != Some(results.exit_status.into()) => {
            wrong.push(format!("the results say {}, and {end}", results.exit_status));
        }
        _ => {}
    }
    Ok(Played { results, interrupted: matches!(ending, MasterEnding::Interrupted), wrong, early })
}

/// A worker, with when and how it ended where that was before its master.
struct Watched {
    process: Process,
    ended: Option<(Instant, String)>,
}

enum MasterEnding {
    Ended(ProcessEnd),
    /// A worker ended before the load began: the master would wait for it in vain.
    NotBegun,
    Interrupted,
    Late,
}

/// Waits for the master to end, and remembers workers that end before it.
async fn attend(
    master: &mut Process,
    workers: &mut [Watched],
    deadline: Instant,
    interrupted: &watch::Receiver<bool>,
    begun: impl Fn() -> bool,
) -> MasterEnding {
    loop {
        // Workers first: where both have ended, the worker may well have been the reason.
        for worker in workers.iter_mut().filter(|worker| worker.ended.is_none()) {
            worker.ended = worker.process.ended().await.map(|end| (Instant::now(), end.text));
        }
        if let Some(end) = master.ended().await {
            // The master sends its workers away right before it ends: that is not early.
            for worker in workers.iter_mut() {
                worker.ended = worker.ended.take().filter(|(when, _)| when.elapsed() > SENT_AWAY);
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

/// Ends all of them: the master first, which sends the workers away.
async fn end(master: &mut Process, workers: &mut [Watched]) {
    master.stop().await;
    for worker in workers {
        if worker.ended.is_none() {
            // It ends by itself; what is left of it is ended.
            let _ = worker.process.ends_within(WORKER_WAIT).await;
        }
        worker.process.stop().await;
    }
}

fn start(command: &str, environment: &[(&str, String)]) -> Result<Process, Error> {
    let mut process = Process::start(command, environment, false)?;
    if let (_, Some(mut stdout)) = process.pipes() {
        // Read to its end, so that it never waits for room in the pipe.
        tokio::spawn(async move { copy(&mut stdout, &mut sink()).await });
    }
    Ok(process)
}

/// How long locust is to run, in whole seconds, which is all that it knows.
fn run_time(order: &Order<'_>) -> u64 {
    (order.warm_up + order.duration).as_secs_f64().ceil() as u64
}

fn master(order: &Order<'_>, port: &str, results: &Path) -> Result<String, Error> {
    let seconds = |duration: Duration| format!("{}ms", duration.as_millis());
    let users = order.users.to_string();
    let mut words: Vec<String> = [
        "--master",
        "--master-bind-host",
        "127.0.0.1",
        "--master-bind-port",
        port,
        "--expect-workers",
        &order.workers.to_string(),
        "--expect-workers-max-wait",
        &CONNECT_WAIT.as_secs().to_string(),
        "--users",
        &users,
        "--spawn-rate",
        &users,
        "--run-time",
        &run_time(order).to_string(),
        "--host",
        &order.target.url(),
        "--probe-share",
        &order.probe_share.to_string(),
        "--fail-on",
        order.fail_on,
        "--max-errors",
        &order.max_errors.to_string(),
        "--timeout",
        &seconds(order.timeout),
        "--warm-up",
        &seconds(order.warm_up),
    ]
    .map(str::to_owned)
    .into();
    words.extend(["--results".to_owned(), results.display().to_string()]);
    if let Some(rate) = order.rate {
        words.extend(["--rate".to_owned(), rate.to_string()]);
    }
    if order.allow_remote {
        words.push("--allow-remote".to_owned());
    }
    locust(order, &words)
}

fn worker(order: &Order<'_>, port: &str) -> Result<String, Error> {
    let words = ["--worker", "--master-host", "127.0.0.1", "--master-port", port];
    locust(order, &words.map(str::to_owned))
}

/// The command of a process of locust.
fn locust(order: &Order<'_>, more: &[String]) -> Result<String, Error> {
    let file = order.folder.join("locustfile.py").display().to_string();
    let start = [order.python, "-m", "locust", "--locustfile", &file, "--headless", "--only-summary"];
    command(&start.into_iter().chain(more.iter().map(String::as_str)).collect::<Vec<_>>())
}

/// Words as the one text that processes are started from.
fn command(words: &[&str]) -> Result<String, Error> {
    let joined = shlex::try_join(words.iter().copied());
    joined.map_err(|why| Error::Usage(format!("{words:?} cannot be a command: {why}")))
}

/// A free port, on this machine's own address.
async fn free_port() -> Result<u16, Error> {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let port = free.and_then(|listener| listener.local_addr()).map(|address| address.port());
    port.map_err(|why| Error::Harness(format!("no port is free: {why}")))
}

/// What an endpoint of the suite has counted so far; `None` where there is none at that address.
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

/// The report of what locust has done. The counts are those of the receiver's ledger before and after, where it has one.
pub fn conclude(
    played: &Played,
    (before, after): (Option<&LedgerCounts>, Option<&LedgerCounts>),
    version: &str,
) -> BenchReport {
    let mut report = import::results(&played.results);
    let mut wrong = played.wrong.clone();
    match (before, after) {
        (Some(before), Some(after)) => {
            wrong.extend(reconcile(&played.results, Some((before, after))));
            if wrong.is_empty() {
                report.notes.push(format!(
                    "the ledger agrees: it verified {} deliveries, and {} were acknowledged",
                    after.verified - before.verified,
                    played.results.all.acknowledged
                ));
            }
        }
        (Some(_), None) => wrong.push("the ledger cannot be read any more".to_owned()),
        (None, _) => {
            wrong.extend(reconcile(&played.results, None));
            report
                .notes
                .push("the receiver has no ledger (GET /ledger): what it verified is not known".to_owned());
        }
    }
    if version != LOCUST {
        report.notes.push(format!("the locustfile is tested with locust {LOCUST}, and this is {version}"));
    }
    report.notes.extend(played.early.iter().map(|how| format!("a worker ended early: {how}")));
    if played.interrupted {
        report.notes.push("it was interrupted: this is what there was until then".to_owned());
        report.settle(BenchResult::Interrupted);
    } else if !wrong.is_empty() {
        report.settle(BenchResult::Fail);
    }
    report.notes.extend(wrong);
    report
}

/// Makes a new folder for a run. Errors: it cannot be made.
pub fn folder(base: &Path, seed: u64) -> Result<PathBuf, Error> {
    let path = base.join(format!("twenty-conform-{}-{seed:x}", std::process::id()));
    fs::create_dir(&path).map_err(|source| Error::Report { path: path.clone(), source })?;
    Ok(path)
}
