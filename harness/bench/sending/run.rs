//! Load on a sender: requests events, and measures how long each delivery takes to arrive and be verified.
//!
//! In a closed loop (saturation) a fixed number of events is in flight: the next event is requested when all deliveries of an
//! earlier one have arrived. So the load measures what the sender delivers, not what it accepts into a queue. In an open loop
//! events are requested at fixed times.
//!
//! A load ends after the plan and the wait for the last deliveries, when it is interrupted, or when the sender is gone. In each
//! case it returns the outcome so far.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch as channel;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

use crate::bench::accounts::arrivals::{Accounts, Webhooks};
use crate::bench::accounts::entry::LedgerEntry;
use crate::bench::generate::plan::{LoadPlan, Mode, Phase};
use crate::bench::generate::turns::{Stop, Turns};
use crate::bench::measure::ended::EndedDelivery;
use crate::bench::measure::live::LiveFigures;
use crate::bench::measure::load::{LoadEnding, LoadOutcome};
use crate::bench::measure::tally::LoadTally;
use crate::bench::sending::events::Events;
use crate::bench::sending::messages;
use crate::bench::sending::watch::{DeliveryWatch, WatchState};
use crate::clock::Clock;
use crate::error::Error;
use crate::random::Random;
use crate::redaction::Redaction;
use crate::subject::SubjectError;
use crate::subject::protocol::{self, Hello, Op, Reply};
use crate::subject::sender::{Sender, expect_ok};
use crate::webhook::dialect::Dialect;
use crate::webhook::signature::Secret;
use crate::wire::endpoint::intake::{Limits, Service};

/// How far a timestamp may be from the time of arrival.
const WINDOW: Duration = Duration::from_secs(300);
/// How often deliveries in flight are checked for their timeout.
const PACE: Duration = Duration::from_millis(5);
/// How long the sender may take to delete its webhooks.
const LAST_WAIT: Duration = Duration::from_secs(1);
/// The longest load that is limited by its number of events.
pub const LONGEST: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone)]
pub struct SenderLoad {
    /// When events are requested, how many at the same time, and the timeout of replies and deliveries.
    pub plan: LoadPlan,
    /// The most events.
    pub events: Option<u64>,
    /// The number of registered webhooks; each gets every event.
    pub webhooks: usize,
    /// The wait for duplicates after the last delivery.
    pub settle: Duration,
    /// The number of threads that receive deliveries.
    pub receiving: usize,
}

impl SenderLoad {
    /// How many connections the endpoint accepts: one for each delivery in flight, within limits.
    pub fn connections(&self) -> usize {
        self.plan.concurrency.saturating_mul(self.webhooks).clamp(1024, 8192)
    }
}

/// The sender of a load, and how it is measured.
pub struct SenderUnderLoad<'a> {
    pub sender: Arc<dyn Sender>,
    pub dialect: &'static Dialect,
    pub clock: &'a Clock,
    /// Becomes true to end the load at once.
    pub interrupted: &'a channel::Receiver<bool>,
    /// Where the figures are counted for somebody who watches.
    pub live: Option<&'a Arc<LiveFigures>>,
}

/// The outcome of a load on a sender.
pub struct SenderOutcome {
    pub outcome: LoadOutcome,
    pub ledger: LedgerEntry,
    pub hello: Hello,
    pub redaction: Redaction,
    /// Why the sender stopped answering requests, if it did.
    pub broke: Option<SubjectError>,
    pub(super) watch: DeliveryWatch,
    pub(super) events: Events,
}

pub(super) fn path(webhook: usize) -> String {
    format!("/webhooks/{}", webhook + 1)
}

/// Runs a load on a sender.
///
/// Errors: the sender cannot be reached, does not answer the greeting or accepts no webhook, or no port can be opened. They
/// contain no secret, even if the sender's messages do.
pub async fn run(task: &SenderLoad, subject: &SenderUnderLoad<'_>) -> Result<SenderOutcome, Error> {
    let random = Random::from_seed(task.plan.seed);
    let secrets: Vec<Secret> = (0..task.webhooks).map(|_| Secret::new(random.secret())).collect();
    let redaction = Redaction::new(&secrets);
    let sent = send(task, subject, &secrets, &redaction).await;
    sent.map_err(|why| match why {
        Error::Subject(why) => Error::Subject(why.with(|text| redaction.text(text))),
        other => other,
    })
}

async fn send(
    task: &SenderLoad,
    subject: &SenderUnderLoad<'_>,
    secrets: &[Secret],
    redaction: &Redaction,
) -> Result<SenderOutcome, Error> {
    let plan = &task.plan;
    let mut interrupted = subject.interrupted.clone();
    let mut ask = async |op: Op| {
        let name = op.name();
        tokio::select! {
            biased;
            // If the sender of this channel is gone, no interruption can come.
            Ok(_) = interrupted.wait_for(|on| *on) => Err(Error::Interrupted),
            reply = subject.sender.call(op) => Ok(expect_ok(name, reply?)?),
        }
    };
    let greeting = ask(Op::Hello { dialect: subject.dialect.name.to_owned(), ca: None }).await?;
    let hello = Hello::read(&greeting)?;

    let events = Events::new(subject.dialect, plan.seed);
    let start = Instant::now();
    let watch = DeliveryWatch::new(&plan.phases(), events.run(), task.webhooks, start, subject.live);
    let webhooks = secrets.iter().enumerate().map(|(number, secret)| (path(number), secret.clone()));
    let webhooks = Webhooks::At(webhooks.collect());
    let accounts =
        Accounts::new(webhooks, subject.dialect, subject.clock.clone(), Some(WINDOW), redaction.clone());
    let accounts = Arc::new(accounts.with_listener(watch.clone()));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let limits = Limits { threads: task.receiving, connections: task.connections(), ..Limits::default() };
    let service = Service::start(address, limits, accounts.clone()).await;
    let service = service.map_err(|why| Error::Harness(messages::no_port(&why)))?;

    let mut registered = Vec::new();
    for (number, secret) in secrets.iter().enumerate() {
        let (url, secret) = (service.url(&path(number)), Some(secret.clone()));
        let answer = ask(Op::CreateWebhook { url, secret, operations: None }).await?;
        registered.push(protocol::webhook_name(&answer)?);
    }

    let mut load = RunningLoad { task, watch: watch.clone(), events: Arc::new(events) };
    let (mut ending, broke, turns) = load.run(subject, start).await;
    let still = if broke.is_some() { Duration::ZERO } else { plan.timeout };
    if ending != LoadEnding::Interrupted && !load.settle(still, &mut subject.interrupted.clone()).await {
        ending = LoadEnding::Interrupted;
    }
    let unsent: Vec<(usize, Duration)> = match ending {
        LoadEnding::Complete if task.events.is_none() => turns.unsent().collect(),
        _ => Vec::new(),
    };
    if hello.capabilities.iter().any(|one| one == "delete") && broke.is_none() {
        let all = async {
            for webhook in registered {
                // The suite judges the reply, not the benchmark.
                let _ = subject.sender.call(Op::DeleteWebhook { webhook }).await;
            }
        };
        let _ = timeout(LAST_WAIT, all).await;
    }
    service.end().await;
    if ending != LoadEnding::Interrupted {
        watch.expire(None);
    }
    let RunningLoad { events, .. } = load;
    let events =
        Arc::into_inner(events).ok_or_else(|| Error::Harness(messages::task_outlived().to_owned()))?;
    let ledger = accounts.entry(true);
    let outcome = gather(task, &mut watch.state(), &unsent, ending, start);
    Ok(SenderOutcome { outcome, ledger, hello, redaction: redaction.clone(), broke, watch, events })
}

/// Combines the counts into the outcome.
fn gather(
    task: &SenderLoad,
    state: &mut WatchState,
    unsent: &[(usize, Duration)],
    ending: LoadEnding,
    start: Instant,
) -> LoadOutcome {
    let phases = task.plan.phases();
    let at = start.elapsed();
    for (phase, waited) in unsent.iter().flat_map(|one| std::iter::repeat_n(one, task.webhooks)) {
        state.tally.end(&EndedDelivery::unsent(*phase, *waited, at));
    }
    // Adding to an empty tally completes the current second of the series.
    let mut tally = LoadTally::new(&phases);
    tally.add(std::mem::replace(&mut state.tally, LoadTally::new(&phases)));
    // An open loop lasts until the end of its schedule; a number of events lasts until the last of them.
    let planned = phases.last().map_or(Duration::ZERO, Phase::end);
    let timed = ending == LoadEnding::Complete && task.events.is_none();
    let elapsed = if timed { state.last.max(planned) } else { state.last };
    LoadOutcome::of_counts(phases, tally, ending, elapsed)
}

struct RunningLoad<'a> {
    task: &'a SenderLoad,
    watch: DeliveryWatch,
    events: Arc<Events>,
}

impl RunningLoad<'_> {
    /// Requests events until the end. Returns how the load ended, and why the sender stopped answering, if it did.
    async fn run(
        &mut self,
        subject: &SenderUnderLoad<'_>,
        start: Instant,
    ) -> (LoadEnding, Option<SubjectError>, Arc<Turns>) {
        let plan = &self.task.plan;
        let turns = Arc::new(Turns::new(plan, start));
        let (stop, pacing) = channel::channel(Stop::No);
        let paced = turns.clone();
        let pacemaker = spawn_blocking(move || paced.pace(&pacing));
        let mut tasks = JoinSet::new();
        for _ in 0..plan.concurrency {
            let requester = Requester {
                sender: subject.sender.clone(),
                watch: self.watch.clone(),
                events: self.events.clone(),
                turns: turns.clone(),
                most: self.task.events.unwrap_or(u64::MAX),
                closed: plan.mode == Mode::Saturation,
            };
            tasks.spawn(requester.run());
        }
        let mut interrupted = subject.interrupted.clone();
        let mut interruption = std::pin::pin!(interrupted.wait_for(|on| *on));
        let mut interruptible = true;
        let (ending, broke) = loop {
            tokio::select! {
                ended = tasks.join_next() => match ended {
                    None => break (LoadEnding::Complete, None),
                    Some(Ok(Ok(()))) => {}
                    Some(Ok(Err(why))) => break (LoadEnding::Gone, Some(why)),
                    Some(Err(why)) => {
                        let why = messages::task_panicked(&why);
                        break (LoadEnding::Gone, Some(SubjectError::Unreachable(why)));
                    }
                },
                on = &mut interruption, if interruptible => match on {
                    Ok(_) => break (LoadEnding::Interrupted, None),
                    Err(_) => interruptible = false,
                },
                () = sleep(PACE) => self.expire(),
            }
        };
        tasks.shutdown().await;
        stop.send_replace(Stop::Interrupted);
        let _ = pacemaker.await;
        (ending, broke, turns)
    }

    /// Gives up the deliveries that have timed out.
    fn expire(&self) {
        self.watch.expire(Instant::now().checked_sub(self.task.plan.timeout));
    }

    /// Waits for deliveries in flight, then for duplicates. Returns false if interrupted.
    async fn settle(&self, still: Duration, interrupted: &mut channel::Receiver<bool>) -> bool {
        let waited = async {
            let begun = Instant::now();
            while self.watch.in_flight() > 0 && begun.elapsed() < still {
                self.expire();
                sleep(PACE).await;
            }
            sleep(self.task.settle).await;
        };
        tokio::select! {
            () = waited => true,
            Ok(_) = interrupted.wait_for(|on| *on) => false,
        }
    }
}

/// Requests one event at a time.
struct Requester {
    sender: Arc<dyn Sender>,
    watch: DeliveryWatch,
    events: Arc<Events>,
    turns: Arc<Turns>,
    most: u64,
    closed: bool,
}

impl Requester {
    /// Errors: the sender does not answer requests.
    async fn run(self) -> Result<(), SubjectError> {
        let mut free = Instant::now();
        while let Some(turn) = self.turns.next().await {
            let now = Instant::now();
            // If the event waited for an earlier reply, the sender made it late, else the generator.
            let late =
                (turn.scheduled && free <= turn.planned).then(|| now.saturating_duration_since(turn.planned));
            let Some((number, ended)) = self.watch.begin(turn, late, self.most) else { return Ok(()) };
            match self.sender.call(Op::Emit(self.events.event(number))).await {
                Ok(Reply::Ok(_)) => {
                    self.watch.accepted(number);
                    if self.closed {
                        // Ends with the last delivery or its timeout.
                        let _ = ended.await;
                    }
                }
                Ok(Reply::Error(why) | Reply::Unsupported(why)) => self.watch.rejected(number, &why),
                Err(why) => return Err(why),
            }
            free = Instant::now();
        }
        Ok(())
    }
}
