//! Load on a sender: events that it is asked for, and how long each delivery takes until it arrives and is verified.
//!
//! In a closed loop (saturation) so many events are under way, and the next is asked for when all deliveries of one have
//! arrived: what is measured is what the sender delivers, and not how many requests it takes on to deliver some day. In an
//! open loop events are asked for at their time.
//!
//! Invariant: it ends: at the plan's end and the wait for the last deliveries, when it is interrupted, or when the sender is gone;
//! and what was seen until then is returned whichever way it ends.

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
use crate::bench::measure::load::{LoadEnding, LoadOutcome};
use crate::bench::measure::tally::LoadTally;
use crate::bench::sending::events::Events;
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
/// How often what is under way is looked through for what is lost.
const PACE: Duration = Duration::from_millis(5);
/// How long the sender may take to delete its webhooks.
const LAST_WAIT: Duration = Duration::from_secs(1);
/// The longest that a load without an end of its own goes on.
pub const LONGEST: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone)]
pub struct SenderLoad {
    /// When events are asked for, how many at the same time, and how long a reply and an arrival are waited for.
    pub plan: LoadPlan,
    /// How many events there are at most.
    pub events: Option<u64>,
    /// How many webhooks are registered; each is to get every event.
    pub webhooks: usize,
    /// How long doubles are waited for after the last delivery.
    pub settle: Duration,
    pub receiving: usize,
}

impl SenderLoad {
    /// How many connections a sender may have open to the endpoint: one for each delivery under way, and not too many.
    pub fn connections(&self) -> usize {
        self.plan.concurrency.saturating_mul(self.webhooks).clamp(1024, 8192)
    }
}

/// A sender, and what it is measured with.
pub struct SenderUnderLoad<'a> {
    pub sender: Arc<dyn Sender>,
    pub dialect: &'static Dialect,
    pub clock: &'a Clock,
    /// Becomes true where the load is to end at once.
    pub interrupted: &'a channel::Receiver<bool>,
}

/// The outcome of a load on a sender.
pub struct SenderOutcome {
    pub outcome: LoadOutcome,
    pub ledger: LedgerEntry,
    pub hello: Hello,
    pub redaction: Redaction,
    /// Why the sender could not be asked any further, where that was so.
    pub broke: Option<SubjectError>,
    pub(super) watch: DeliveryWatch,
    pub(super) events: Events,
}

pub(super) fn path(webhook: usize) -> String {
    format!("/webhooks/{}", webhook + 1)
}

/// Puts a load on a sender.
///
/// Errors: the sender cannot be reached, does not greet or takes no webhook, or nothing can be listened on; without the secrets
/// that were made for it, whatever it says.
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
            // Where no interruption can come any more, none is waited for.
            Ok(_) = interrupted.wait_for(|on| *on) => Err(Error::Interrupted),
            reply = subject.sender.call(op) => Ok(expect_ok(name, reply?)?),
        }
    };
    let greeting = ask(Op::Hello { dialect: subject.dialect.name.to_owned(), ca: None }).await?;
    let hello = Hello::read(&greeting)?;

    let events = Events::new(subject.dialect, plan.seed);
    let start = Instant::now();
    let watch = DeliveryWatch::new(&plan.phases(), events.run(), task.webhooks, start);
    let webhooks = secrets.iter().enumerate().map(|(number, secret)| (path(number), secret.clone()));
    let webhooks = Webhooks::At(webhooks.collect());
    let accounts =
        Accounts::new(webhooks, subject.dialect, subject.clock.clone(), Some(WINDOW), redaction.clone());
    let accounts = Arc::new(accounts.with_witness(watch.clone()));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let limits = Limits { threads: task.receiving, connections: task.connections(), ..Limits::default() };
    let service = Service::start(address, limits, accounts.clone()).await;
    let service = service.map_err(|why| Error::Harness(format!("no port can be listened on: {why}")))?;

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
                // What a sender makes of it is for the suite to say.
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
        Arc::into_inner(events).ok_or_else(|| Error::Harness("a task of the load outlived it".to_owned()))?;
    let ledger = accounts.entry(true);
    let outcome = gather(task, &mut watch.state(), &unsent, ending, start);
    Ok(SenderOutcome { outcome, ledger, hello, redaction: redaction.clone(), broke, watch, events })
}

/// The counts of all that has ended.
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
    // Added to another, since that settles the second under way.
    let mut tally = LoadTally::new(&phases);
    tally.add(std::mem::replace(&mut state.tally, LoadTally::new(&phases)));
    // An open loop goes on to the end of its schedule; one of so many events to the last of them.
    let meant = phases.last().map_or(Duration::ZERO, Phase::end);
    let timed = ending == LoadEnding::Complete && task.events.is_none();
    let elapsed = if timed { state.last.max(meant) } else { state.last };
    LoadOutcome::of_counts(phases, tally, ending, elapsed)
}

struct RunningLoad<'a> {
    task: &'a SenderLoad,
    watch: DeliveryWatch,
    events: Arc<Events>,
}

impl RunningLoad<'_> {
    /// Asks for events until the end. Returns how it ended, and why the sender cannot be asked any further.
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
            let asking = Asking {
                sender: subject.sender.clone(),
                watch: self.watch.clone(),
                events: self.events.clone(),
                turns: turns.clone(),
                most: self.task.events.unwrap_or(u64::MAX),
                closed: plan.mode == Mode::Saturation,
            };
            tasks.spawn(asking.run());
        }
        let mut interrupted = subject.interrupted.clone();
        let mut asked = std::pin::pin!(interrupted.wait_for(|on| *on));
        let mut reachable = true;
        let (ending, broke) = loop {
            tokio::select! {
                ended = tasks.join_next() => match ended {
                    None => break (LoadEnding::Complete, None),
                    Some(Ok(Ok(()))) => {}
                    Some(Ok(Err(why))) => break (LoadEnding::Gone, Some(why)),
                    Some(Err(why)) => {
                        let why = format!("a task of the load ended: {why}");
                        break (LoadEnding::Gone, Some(SubjectError::Unreachable(why)));
                    }
                },
                on = &mut asked, if reachable => match on {
                    Ok(_) => break (LoadEnding::Interrupted, None),
                    // Where no interruption can come any more, none is waited for.
                    Err(_) => reachable = false,
                },
                () = sleep(PACE) => self.expire(),
            }
        };
        tasks.shutdown().await;
        stop.send_replace(Stop::Interrupted);
        let _ = pacemaker.await;
        (ending, broke, turns)
    }

    /// Gives up what has been waited for long enough.
    fn expire(&self) {
        self.watch.expire(Instant::now().checked_sub(self.task.plan.timeout));
    }

    /// Waits for what is under way, and for doubles after it. Returns whether it was not interrupted.
    async fn settle(&self, still: Duration, interrupted: &mut channel::Receiver<bool>) -> bool {
        let waited = async {
            let begun = Instant::now();
            while self.watch.open() > 0 && begun.elapsed() < still {
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

/// Asks for one event after the other.
struct Asking {
    sender: Arc<dyn Sender>,
    watch: DeliveryWatch,
    events: Arc<Events>,
    turns: Arc<Turns>,
    most: u64,
    closed: bool,
}

impl Asking {
    /// Until there is none any more. Errors: the sender cannot be asked.
    async fn run(self) -> Result<(), SubjectError> {
        let mut free = Instant::now();
        while let Some(turn) = self.turns.take().await {
            let now = Instant::now();
            // An event that waited for a reply to an earlier one is late by the sender's doing; otherwise by ours.
            let late = (turn.scheduled && free <= turn.intended)
                .then(|| now.saturating_duration_since(turn.intended));
            let Some((number, ended)) = self.watch.begin(turn, late, self.most) else { return Ok(()) };
            match self.sender.call(Op::Emit(self.events.event(number))).await {
                Ok(Reply::Ok(_)) => {
                    self.watch.taken(number);
                    if self.closed {
                        // It ends with the last arrival, or where that has been waited for long enough.
                        let _ = ended.await;
                    }
                }
                Ok(Reply::Error(why) | Reply::Unsupported(why)) => self.watch.refused(number, &why),
                Err(why) => return Err(why),
            }
            free = Instant::now();
        }
        Ok(())
    }
}
