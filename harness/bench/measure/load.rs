//! Load on a receiver: every delivery with its own record, timestamp and signature, every answer judged, and deliveries among
//! them that must be refused.
//!
//! Invariant: it ends: at the plan's end and the wait for the last answers, when it is interrupted, or when the receiver does not
//! listen any more; and what was seen until then is returned whichever way it ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::sync::{oneshot, watch};
use tokio::task::spawn_blocking;

use crate::bench::generate::connection;
use crate::bench::generate::corpus::Corpus;
use crate::bench::generate::ids::Ids;
use crate::bench::generate::plan::{self, LoadPlan, Phase};
use crate::bench::generate::probe::ProbeMaker;
use crate::bench::generate::request::{self, HeadTemplate};
use crate::bench::generate::turns::{Stop, Turns};
use crate::bench::measure::ended::EndedDelivery;
use crate::bench::measure::tally::LoadTally;
use crate::bench::measure::witness::KeptExchanges;
use crate::bench::measure::worker::{self, DeliveryParts, SharedLoad, ThreadResult};
use crate::clock::Clock;
use crate::error::Error;
use crate::webhook::dialect::Dialect;
use crate::webhook::signature::{Key, Secret};
use crate::wire::client::{Scheme, Target};

/// How much memory the requests under way may take together, in bytes.
const LARGEST_REQUESTS: usize = 1 << 30;

/// What a load is put on, and with what.
#[derive(Debug)]
pub struct LoadTarget<'a> {
    pub target: &'a Target,
    pub secret: &'a Secret,
    pub dialect: &'static Dialect,
    pub corpus: &'a Corpus,
    pub clock: &'a Clock,
    /// Becomes true where the load is to end at once.
    pub interrupted: &'a watch::Receiver<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadEnding {
    Complete,
    Interrupted,
    /// The receiver's address refused connections for as long as the plan says.
    Gone,
}

#[derive(Debug)]
pub struct LoadOutcome {
    pub phases: Vec<Phase>,
    pub tally: LoadTally,
    pub ending: LoadEnding,
    /// How long it went on, from its start to its last answer.
    pub elapsed: Duration,
    /// How many connections were opened in the place of ones that were closed.
    pub reopened: u64,
    /// How many record ids were used up, those of earlier loads among them.
    pub numbers: u64,
    pub(super) witnesses: KeptExchanges,
}

impl LoadOutcome {
    /// The outcome of a load of which no exchange is kept.
    pub(in crate::bench) fn of_counts(
        phases: Vec<Phase>,
        tally: LoadTally,
        ending: LoadEnding,
        elapsed: Duration,
    ) -> Self {
        Self { phases, tally, ending, elapsed, reopened: 0, numbers: 0, witnesses: KeptExchanges::default() }
    }
}

/// Puts a load on a receiver. `first` is the number of its first record id, so that several loads of a seed have ids of their
/// own.
///
/// Errors: the plan or the target is nothing that can be done, or a thread cannot be started.
pub async fn run(plan: &LoadPlan, subject: &LoadTarget<'_>, first: u64) -> Result<LoadOutcome, Error> {
    let (load, begin) = prepare(plan, subject, first).await?;
    let mut stopped = load.stop.subscribe();
    let mut workers = Vec::new();
    let threads = plan.threads.clamp(1, plan.concurrency.max(1));
    for thread in 0..threads {
        let share = plan.concurrency / threads + usize::from(thread < plan.concurrency % threads);
        workers.push(start(load.clone(), thread, share)?);
    }
    let mut interrupted = subject.interrupted.clone();
    let asked = async {
        // Where no interruption can come any more, none is waited for.
        if interrupted.wait_for(|on| *on).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::pin!(asked);

    let all = u32::try_from(plan.concurrency).unwrap_or(u32::MAX);
    // Whether it was interrupted before it had begun.
    let unbegun = tokio::select! {
        // Never closed.
        _ = load.ready.acquire_many(all) => false,
        _ = stopped.wait_for(|stop| *stop != Stop::No) => false,
        () = &mut asked => true,
    };
    if unbegun {
        load.stop.send_replace(Stop::Interrupted);
    }
    let turns = Arc::new(Turns::new(plan, Instant::now()));
    begin.send_replace(Some(turns.clone()));
    let (paced, pacing) = (turns.clone(), load.stop.subscribe());
    let pacemaker = spawn_blocking(move || paced.pace(&pacing));

    let mut seen: Vec<ThreadResult> = Vec::new();
    let collected = async {
        for worker in &mut workers {
            match worker.await {
                Ok(one) => seen.push(one),
                Err(_) => {
                    load.stop.send_replace(Stop::Broken);
                }
            }
        }
    };
    tokio::pin!(collected);
    tokio::select! {
        () = &mut collected => {}
        () = &mut asked, if !unbegun => {
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
        Stop::Broken => return Err(Error::Harness("a thread of the load ended by itself".to_owned())),
    };
    if ending == LoadEnding::Complete && plan.mode != plan::Mode::Saturation {
        // An open loop goes on to the end of its schedule, though its last delivery may be answered before.
        elapsed = elapsed.max(plan.phases().last().map_or(Duration::ZERO, Phase::end));
    }
    Ok(gather(plan, &load, &turns, seen, ending, elapsed))
}

/// Everything that the threads of a load share, with what begins it.
async fn prepare(
    plan: &LoadPlan,
    subject: &LoadTarget<'_>,
    first: u64,
) -> Result<(Arc<SharedLoad>, watch::Sender<Option<Arc<Turns>>>), Error> {
    let address = resolve(subject.target).await?;
    let head = HeadTemplate::new(subject.target, subject.dialect);
    let templates = head.templates(subject.corpus);
    let longest = templates.iter().map(request::Template::length).max().unwrap_or_default();
    if longest.saturating_mul(plan.concurrency) > LARGEST_REQUESTS {
        return Err(Error::Usage(format!(
            "{} connections with bodies of up to {longest} bytes take more memory than the {} MiB that a load may; \
             give fewer connections (--concurrency), or take the longest bodies out of the corpus",
            plan.concurrency,
            LARGEST_REQUESTS >> 20
        )));
    }
    let maker = ProbeMaker { head, key: Key::new(subject.secret), secret: subject.secret.clone() };
    let deliveries = DeliveryParts { templates, maker, ids: Ids::of(plan.seed) };
    let (load, begin) = SharedLoad::new(plan.clone(), address, deliveries, subject.clock.clone(), first);
    Ok((Arc::new(load), begin))
}

/// Puts together what the threads have seen.
fn gather(
    plan: &LoadPlan,
    load: &SharedLoad,
    turns: &Turns,
    seen: Vec<ThreadResult>,
    ending: LoadEnding,
    elapsed: Duration,
) -> LoadOutcome {
    let phases = plan.phases();
    let (mut tally, mut witnesses, mut reopened) = (LoadTally::new(&phases), KeptExchanges::default(), 0);
    for one in seen {
        tally.add(one.tally);
        witnesses.add(one.witnesses);
        reopened += one.reopened;
    }
    if ending == LoadEnding::Complete {
        for (phase, waited) in turns.unsent() {
            tally.end(&EndedDelivery::unsent(phase, waited, elapsed));
        }
    }
    let numbers = load.number.load(Ordering::Relaxed);
    LoadOutcome { phases, tally, ending, elapsed, reopened, numbers, witnesses }
}

fn start(
    load: Arc<SharedLoad>,
    thread: usize,
    connections: usize,
) -> Result<oneshot::Receiver<ThreadResult>, Error> {
    let failed = |why| Error::Harness(format!("a thread of the load cannot be started: {why}"));
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (done, seen) = oneshot::channel();
    let run = move || {
        // It is not waited for any more where the load was given up.
        let _ = done.send(runtime.block_on(worker::run(load, thread, connections)));
    };
    thread::Builder::new().name(format!("load-{thread}")).spawn(run).map_err(failed)?;
    Ok(seen)
}

/// Whether a load can be put on a target at all. Errors: it is reached over TLS.
pub fn check(target: &Target) -> Result<(), Error> {
    if target.scheme == Scheme::Http {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{} is reached over TLS, and a load goes over plain http alone: measure the receiver behind what ends TLS",
        target.url()
    )))
}

/// The address of a target: of several the first that takes a connection.
async fn resolve(target: &Target) -> Result<SocketAddr, Error> {
    check(target)?;
    connection::reachable(&target.host, target.port).await.map_err(Error::Subject)
}
