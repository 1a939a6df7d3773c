//! One thread of a load: its connections, each a task that takes a turn, makes a delivery, and judges what comes of it.
//!
//! Invariant: a delivery's timestamp is taken and its signature made right before it is sent, and every turn that is taken is
//! counted once.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::bench::generate::connection::LoadConnection;
use crate::bench::generate::failure::DeliveryFailure;
use crate::bench::generate::ids::{FIRST_PROBE, Ids};
use crate::bench::generate::plan::LoadPlan;
use crate::bench::generate::probe::{self, ProbeMaker};
use crate::bench::generate::request::{Marks, RequestBuffer, Template};
use crate::bench::generate::turns::{Stop, Turn, Turns};
use crate::bench::measure::ended::{DeliveryKind, EndedDelivery};
use crate::bench::measure::tally::LoadTally;
use crate::bench::measure::witness::KeptExchanges;
use crate::clock::Clock;

/// How long a connection waits at first before it is tried again, and at most.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(80));
/// How many connections are opened at the same time: many receivers have a short queue.
const OPENED_AT_ONCE: usize = 64;
/// How long a connection may have been idle before it is looked at: its peer may have closed it.
const IDLE: Duration = Duration::from_millis(5);

pub(super) struct DeliveryParts {
    pub(super) templates: Vec<Template>,
    pub(super) maker: ProbeMaker,
    pub(super) ids: Ids,
}

/// What all threads of a load share.
pub(super) struct SharedLoad {
    pub(super) plan: LoadPlan,
    pub(super) address: SocketAddr,
    deliveries: DeliveryParts,
    pub(super) clock: Clock,
    /// The number of the next delivery, which says what body it has.
    turn: AtomicU64,
    /// The number of the next record id.
    pub(super) number: AtomicU64,
    /// The number of the next probe's.
    pub(super) probe: AtomicU64,
    /// Whether a probe is owed.
    unprobed: AtomicBool,
    /// A permit for each connection that is ready to begin.
    pub(super) ready: Semaphore,
    /// The turns, once the load has begun.
    pub(super) turns: watch::Receiver<Option<Arc<Turns>>>,
    pub(super) stop: watch::Sender<Stop>,
    opening: Semaphore,
    /// Since when every connection that was tried was refused.
    refused: Mutex<Option<Instant>>,
}

#[derive(Debug)]
pub(super) struct ThreadResult {
    pub(super) tally: LoadTally,
    pub(super) witnesses: KeptExchanges,
    /// How many connections were opened after the first ones.
    pub(super) reopened: u64,
    random: StdRng,
}

impl SharedLoad {
    /// A load of deliveries that are numbered from `first`; with what begins it.
    pub(super) fn new(
        plan: LoadPlan,
        address: SocketAddr,
        deliveries: DeliveryParts,
        clock: Clock,
        first: u64,
    ) -> (Self, watch::Sender<Option<Arc<Turns>>>) {
        let (begin, turns) = watch::channel(None);
        let probed = plan.probe_share > 0.0;
        let load = Self {
            plan,
            address,
            deliveries,
            clock,
            turn: AtomicU64::new(first),
            number: AtomicU64::new(first),
            probe: AtomicU64::new(FIRST_PROBE + first),
            unprobed: AtomicBool::new(probed),
            ready: Semaphore::new(0),
            turns,
            stop: watch::Sender::new(Stop::No),
            opening: Semaphore::new(OPENED_AT_ONCE),
            refused: Mutex::default(),
        };
        (load, begin)
    }

    /// Whether there must be a probe and there was none yet: however short a load is, something in it is to be refused.
    fn owes_a_probe(&self) -> bool {
        self.unprobed.load(Ordering::Relaxed) && self.unprobed.swap(false, Ordering::Relaxed)
    }

    /// Stops the load, unless something else has stopped it before.
    pub(super) fn stop(&self, why: Stop) {
        self.stop.send_if_modified(|stop| {
            let first = *stop == Stop::No;
            *stop = if first { why } else { *stop };
            first
        });
    }

    /// Opens a connection, and learns from it whether the receiver is still there.
    async fn open(&self, connection: &mut LoadConnection, deadline: Instant) -> Result<(), DeliveryFailure> {
        // Never closed.
        let _turn = self.opening.acquire().await;
        let opened = connection.open(deadline).await;
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match opened {
            Err(DeliveryFailure::Refused) => {
                let now = Instant::now();
                if now - *refused.get_or_insert(now) >= self.plan.gone_after {
                    self.stop(Stop::Gone);
                }
            }
            _ => *refused = None,
        }
        opened
    }
}

/// Runs the connections of one thread until the load is over, and returns what they have seen.
pub(super) async fn run(load: Arc<SharedLoad>, thread: usize, connections: usize) -> ThreadResult {
    let random = StdRng::seed_from_u64(load.plan.seed ^ (thread as u64).rotate_left(32));
    let tally = LoadTally::new(&load.plan.phases());
    let seen = ThreadResult { tally, witnesses: KeptExchanges::default(), reopened: 0, random };
    let seen = Arc::new(Mutex::new(seen));
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(keep_sending(load.clone(), seen.clone()));
    }
    let mut stop = load.stop.subscribe();
    let all = async { while tasks.join_next().await.is_some() {} };
    tokio::select! {
        () = all => {}
        _ = stop.wait_for(|stop| *stop != Stop::No) => {}
    }
    // Whatever is under way ends here.
    tasks.shutdown().await;
    Arc::into_inner(seen).map_or_else(
        || unreachable!("every task that shared it is gone"),
        |seen| seen.into_inner().unwrap_or_else(PoisonError::into_inner),
    )
}

fn lock(seen: &Mutex<ThreadResult>) -> MutexGuard<'_, ThreadResult> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn keep_sending(load: Arc<SharedLoad>, seen: Arc<Mutex<ThreadResult>>) {
    let mut connection = LoadConnection::new(load.address);
    // Where it does not come about, the first delivery tries again, and counts it.
    let _ = load.open(&mut connection, Instant::now() + load.plan.timeout).await;
    let mut begun = load.turns.clone();
    load.ready.add_permits(1);
    let turns = match begun.wait_for(Option::is_some).await {
        Ok(turns) => turns.clone(),
        Err(_) => None,
    };
    let Some(turns) = turns else { return };
    let mut line = ConnectionTask { load, seen, turns, connection, request: RequestBuffer::default() };
    let mut back_off = BACK_OFF.0;
    let mut free = line.turns.start();
    while let Some(turn) = line.turns.take().await {
        let ended;
        (ended, free) = line.deliver(turn, free).await;
        if matches!(ended, Err(DeliveryFailure::Refused | DeliveryFailure::Unconnected)) {
            sleep(back_off).await;
            back_off = (2 * back_off).min(BACK_OFF.1);
            free = Instant::now();
        } else {
            back_off = BACK_OFF.0;
        }
    }
}

/// One connection with all that it needs for a delivery.
struct ConnectionTask {
    load: Arc<SharedLoad>,
    seen: Arc<Mutex<ThreadResult>>,
    turns: Arc<Turns>,
    connection: LoadConnection,
    request: RequestBuffer,
}

impl ConnectionTask {
    /// Makes a delivery and counts what comes of it. `free` is since when the connection has waited for it. Returns how it
    /// ended, and when.
    async fn deliver(&mut self, turn: Turn, free: Instant) -> (Result<u16, DeliveryFailure>, Instant) {
        let begun = if turn.scheduled { Instant::now() } else { turn.intended };
        let deadline = begun + self.load.plan.timeout;
        if turn.scheduled && begun.saturating_duration_since(free) > IDLE {
            self.connection.look();
        }
        // A delivery that waited for a connection is late by the receiver's doing; otherwise by ours.
        let late =
            (turn.scheduled && free <= turn.intended).then(|| begun.saturating_duration_since(turn.intended));
        let start = self.turns.start();
        let (kind, nonce) = {
            let mut seen = lock(&self.seen);
            let probes = seen.random.random_bool(self.load.plan.probe_share) || self.load.owes_a_probe();
            let kind = match probes {
                true => DeliveryKind::Probe(seen.random.random_range(0..probe::ALL.len())),
                false => DeliveryKind::Valid,
            };
            seen.tally.begin(kind, turn.phase, begun.saturating_duration_since(start), late);
            (kind, seen.random.random())
        };
        if kind != DeliveryKind::Valid {
            // What is left over of an earlier exchange is no answer to this one.
            self.connection.look();
        }
        let opened = if self.connection.is_open() {
            Ok(())
        } else {
            self.connection.answer.begin();
            let opened = self.load.open(&mut self.connection, deadline).await;
            lock(&self.seen).reopened += u64::from(opened.is_ok());
            opened
        };
        let ended = match opened {
            Ok(()) => {
                self.make(kind, nonce);
                self.connection.exchange(&self.request.bytes, deadline).await
            }
            Err(why) => {
                self.request.bytes.clear();
                Err(why)
            }
        };
        let now = Instant::now();
        let answer = &self.connection.answer;
        let ended_as = EndedDelivery {
            kind,
            phase: turn.phase,
            status: answer.status(),
            failure: ended.err(),
            latency: now.saturating_duration_since(turn.intended),
            at: now.saturating_duration_since(start),
            sent_bytes: self.request.bytes.len(),
            received_bytes: answer.received(),
        };
        let mut seen = lock(&self.seen);
        seen.tally.end(&ended_as);
        if !ended_as.is_as_it_must_be() {
            seen.witnesses.see(&ended_as, &self.request.bytes, answer.kept());
        }
        (ended, now)
    }

    /// Makes the request, signed at this moment.
    fn make(&mut self, kind: DeliveryKind, nonce: u128) {
        let load = &*self.load;
        let turn = load.turn.fetch_add(1, Ordering::Relaxed);
        let DeliveryParts { templates, maker, ids } = &load.deliveries;
        let template = &templates[(turn % templates.len() as u64) as usize];
        let next = if kind == DeliveryKind::Valid { &load.number } else { &load.probe };
        // A number that no id has would be missed where ids are counted.
        let numbered = template.id_in_body().is_some();
        let number = if numbered { next.fetch_add(1, Ordering::Relaxed) } else { turn };
        let marks = Marks { number, nonce, now_ms: load.clock.now_ms() };
        template.fill(*ids, &marks, &mut self.request);
        match kind {
            DeliveryKind::Valid => template.sign(&maker.key, &mut self.request),
            DeliveryKind::Probe(probe) => {
                // Rare enough to take memory of their own.
                let mut body = self.request.bytes[self.request.body..].to_vec();
                let id = template.id_in_body().map(|id| id.start);
                maker.make(&probe::ALL[probe], &marks, &mut body, id, &mut self.request);
            }
        }
    }
}
