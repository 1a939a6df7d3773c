//! Load on a receiver. Each delivery has its own record, timestamp and signature, each answer is judged, and probes are mixed in.
//!
//! A load ends after the plan and the wait for the last answers, when it is interrupted, or when the receiver no longer listens.
//! In each case it returns the outcome so far.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::sync::{oneshot, watch};
use tokio::task::spawn_blocking;

use crate::bench::generate::connection::{self, IdleConnections};
use crate::bench::generate::corpus::Corpus;
use crate::bench::generate::ids::Ids;
use crate::bench::generate::plan::{self, LoadPlan, Phase};
use crate::bench::generate::probe::ProbeMaker;
use crate::bench::generate::request::{self, HeadTemplate};
use crate::bench::generate::turns::{Stop, Turns};
use crate::bench::measure::ended::EndedDelivery;
use crate::bench::measure::kept::KeptExchanges;
use crate::bench::measure::live::LiveFigures;
use crate::bench::measure::messages;
use crate::bench::measure::tally::LoadTally;
use crate::bench::measure::worker::{self, DeliveryParts, SharedLoad, ThreadResult, Ways};
use crate::clock::Clock;
use crate::duration::milliseconds;
use crate::error::Error;
use crate::webhook::dialect::Dialect;
use crate::webhook::signature::{Key, Secret};
use crate::wire::client::{Scheme, Target};

/// A change of the clock that is more than its usual correction, and enough for a receiver to reject what is signed meanwhile.
const CLOCK_STEP: Duration = Duration::from_secs(10);
/// The most memory of all requests in flight, in bytes.
const LARGEST_REQUESTS: usize = 1 << 30;

/// The receiver of a load, and what the deliveries are made from.
#[derive(Debug)]
pub struct LoadTarget<'a> {
    pub target: &'a Target,
    pub secret: &'a Secret,
    pub dialect: &'static Dialect,
    pub corpus: &'a Corpus,
    pub clock: &'a Clock,
    /// Becomes true to end the load at once.
    pub interrupted: &'a watch::Receiver<bool>,
    /// Where the figures are counted for somebody who watches.
    pub live: Option<&'a Arc<LiveFigures>>,
    /// The connections of an earlier load to use again, and where this load leaves its own.
    pub idle: Option<&'a Arc<IdleConnections>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadEnding {
    Complete,
    Interrupted,
    /// The receiver's address refused connections for the time that the plan allows.
    Gone,
}

#[derive(Debug)]
pub struct LoadOutcome {
    pub phases: Vec<Phase>,
    pub tally: LoadTally,
    pub ending: LoadEnding,
    /// The time from the start to the last answer.
    pub elapsed: Duration,
    /// How many connections were reopened after they were closed.
    pub reopened: u64,
    /// How many record ids were used, including those of earlier loads.
    pub numbers: u64,
    /// By how many milliseconds the clock was set forward or back during the load, if by much.
    pub clock_step_ms: Option<i64>,
    pub(super) kept: KeptExchanges,
}

impl LoadOutcome {
    /// The outcome of a load that kept no exchanges.
    pub(in crate::bench) fn of_counts(
        phases: Vec<Phase>,
        tally: LoadTally,
        ending: LoadEnding,
        elapsed: Duration,
    ) -> Self {
        Self {
            phases,
            tally,
            ending,
            elapsed,
            reopened: 0,
            numbers: 0,
            clock_step_ms: None,
            kept: KeptExchanges::default(),
        }
    }
}

/// Runs a load on a receiver. `first` is the number of its first record id, so that loads of the same seed can have different ids.
///
/// Errors: the plan or the target is impossible, or a thread cannot be started.
pub async fn run(plan: &LoadPlan, subject: &LoadTarget<'_>, first: u64) -> Result<LoadOutcome, Error> {
    let (began, began_ms) = (Instant::now(), subject.clock.now_ms());
    let (load, begin) = prepare(plan, subject, first).await?;
    let mut stopped = load.stop.subscribe();
    let mut workers = Vec::new();
    let threads = plan.threads.clamp(1, plan.concurrency.max(1));
    for thread in 0..threads {
        let share = plan.concurrency / threads + usize::from(thread < plan.concurrency % threads);
        workers.push(start(load.clone(), thread, share)?);
    }
    let mut interrupted = subject.interrupted.clone();
    let interruption = async {
        // If the sender is gone, no interruption can come.
        if interrupted.wait_for(|on| *on).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::pin!(interruption);

    let all = u32::try_from(plan.concurrency).unwrap_or(u32::MAX);
    let interrupted_early = tokio::select! {
        // The semaphore is never closed.
        _ = load.ready.acquire_many(all) => false,
        _ = stopped.wait_for(|stop| *stop != Stop::No) => false,
        () = &mut interruption => true,
    };
    if interrupted_early {
        load.stop.send_replace(Stop::Interrupted);
    }
    let turns = Arc::new(Turns::new(plan, Instant::now()));
    begin.send_replace(Some(turns.clone()));
    let (paced, pacing) = (turns.clone(), load.stop.subscribe());
    let pacemaker = spawn_blocking(move || paced.pace(&pacing));

    let mut results: Vec<ThreadResult> = Vec::new();
    let collected = async {
        for worker in &mut workers {
            match worker.await {
                Ok(result) => results.push(result),
                Err(_) => {
                    load.stop.send_replace(Stop::Broken);
                }
            }
        }
    };
    tokio::pin!(collected);
    tokio::select! {
        () = &mut collected => {}
        () = &mut interruption, if !interrupted_early => {
            load.stop(Stop::Interrupted);
            collected.await;
        }
    }
    let _ = pacemaker.await;
    let mut elapsed = turns.start().elapsed();
    let ending = match *stopped.borrow() {
        Stop::No => LoadEnding::Complete,
        Stop::Interrupted => LoadEnding::Interrupted,
        Stop::Gone => LoadEnding::Gone,
        Stop::Broken => return Err(Error::Harness(messages::thread_panicked().to_owned())),
    };
    if ending == LoadEnding::Complete && plan.mode != plan::Mode::Saturation {
        // An open loop lasts until the end of its schedule, even if its last answer arrives earlier.
        elapsed = elapsed.max(plan.phases().last().map_or(Duration::ZERO, Phase::end));
    }
    let mut outcome = gather(plan, &load, &turns, results, ending, elapsed);
    outcome.clock_step_ms = clock_step(began_ms, subject.clock.now_ms(), began.elapsed());
    Ok(outcome)
}

/// By how much the clock was set, if it shows other than the time that passed.
fn clock_step(began_ms: u64, now_ms: u64, passed: Duration) -> Option<i64> {
    let step = i128::from(now_ms) - i128::from(began_ms) - i128::from(milliseconds(passed));
    let is_large = step.unsigned_abs() > CLOCK_STEP.as_millis();
    is_large.then(|| i64::try_from(step).unwrap_or(i64::MAX))
}

/// The state that the threads of a load share, and the channel that starts it.
async fn prepare(
    plan: &LoadPlan,
    subject: &LoadTarget<'_>,
    first: u64,
) -> Result<(Arc<SharedLoad>, watch::Sender<Option<Arc<Turns>>>), Error> {
    let idle = subject.idle.cloned();
    let address = match idle.as_deref().and_then(IdleConnections::address) {
        Some(address) => address,
        None => resolve(subject.target).await?,
    };
    let head = HeadTemplate::new(subject.target, subject.dialect);
    let templates = head.templates(subject.corpus);
    let longest = templates.iter().map(request::Template::length).max().unwrap_or_default();
    if longest.saturating_mul(plan.concurrency) > LARGEST_REQUESTS {
        return Err(Error::Usage(messages::too_much_memory(
            plan.concurrency,
            longest,
            LARGEST_REQUESTS >> 20,
        )));
    }
    let maker = ProbeMaker { head, key: Key::new(subject.secret), secret: subject.secret.clone() };
    let deliveries = DeliveryParts { templates, maker, ids: Ids::of(plan.seed) };
    let (clock, live) = (subject.clock.clone(), subject.live.cloned());
    let ways = Ways { address, idle };
    let (load, begin) = SharedLoad::new(plan.clone(), ways, deliveries, clock, first, live);
    Ok((Arc::new(load), begin))
}

/// Combines the results of the threads.
fn gather(
    plan: &LoadPlan,
    load: &SharedLoad,
    turns: &Turns,
    results: Vec<ThreadResult>,
    ending: LoadEnding,
    elapsed: Duration,
) -> LoadOutcome {
    let phases = plan.phases();
    let (mut tally, mut kept, mut reopened) = (LoadTally::new(&phases), KeptExchanges::default(), 0);
    for result in results {
        tally.add(result.tally);
        kept.add(result.kept);
        reopened += result.reopened;
    }
    if ending == LoadEnding::Complete {
        for (phase, waited) in turns.unsent() {
            tally.end(&EndedDelivery::unsent(phase, waited, elapsed));
        }
    }
    let numbers = load.number.load(Ordering::Relaxed);
    LoadOutcome { phases, tally, ending, elapsed, reopened, numbers, clock_step_ms: None, kept }
}

fn start(
    load: Arc<SharedLoad>,
    thread: usize,
    connections: usize,
) -> Result<oneshot::Receiver<ThreadResult>, Error> {
    let failed = |why: std::io::Error| Error::Harness(messages::thread_not_started(&why));
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (done, result) = oneshot::channel();
    let run = move || {
        // After an error no one receives the result.
        let _ = done.send(runtime.block_on(worker::run(load, thread, connections)));
    };
    thread::Builder::new().name(format!("load-{thread}")).spawn(run).map_err(failed)?;
    Ok(result)
}

/// Checks that a load can reach the target. Errors: the target needs TLS.
pub fn check(target: &Target) -> Result<(), Error> {
    if target.scheme == Scheme::Http {
        return Ok(());
    }
    Err(Error::Usage(messages::needs_tls(&target.url())))
}

/// The first address of a target that accepts a connection.
async fn resolve(target: &Target) -> Result<SocketAddr, Error> {
    check(target)?;
    connection::reachable(&target.host, target.port).await.map_err(Error::Subject)
}
