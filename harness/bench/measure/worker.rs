//! A thread of a load. Each of its connections is a task that waits for a turn, sends a delivery, and judges the answer.
//!
//! A delivery is timestamped and signed right before it is sent. Each turn is counted once.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::bench::generate::connection::{IdleConnections, LoadConnection};
use crate::bench::generate::failure::DeliveryFailure;
use crate::bench::generate::ids::{FIRST_PROBE, Ids};
use crate::bench::generate::plan::LoadPlan;
use crate::bench::generate::probe::{self, ProbeMaker};
use crate::bench::generate::request::{Marks, RequestBuffer, Template};
use crate::bench::generate::turns::{Stop, Turn, Turns};
use crate::bench::measure::ended::{DeliveryKind, EndedDelivery};
use crate::bench::measure::kept::KeptExchanges;
use crate::bench::measure::live::{LiveFigures, LivePart};
use crate::bench::measure::tally::LoadTally;
use crate::clock::Clock;

/// The first and the longest pause before a connection is retried.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(80));
/// How many connections are opened at the same time: many receivers have a short backlog.
const OPENED_AT_ONCE: usize = 64;
/// After this idle time a connection is checked: its peer may have closed it.
const IDLE: Duration = Duration::from_millis(5);

pub(super) struct DeliveryParts {
    pub(super) templates: Vec<Template>,
    pub(super) maker: ProbeMaker,
    pub(super) ids: Ids,
}

/// Where the connections of a load go.
pub(super) struct Ways {
    pub(super) address: SocketAddr,
    pub(super) idle: Option<Arc<IdleConnections>>,
}

/// The state that the threads of a load share.
pub(super) struct SharedLoad {
    pub(super) plan: LoadPlan,
    ways: Ways,
    deliveries: DeliveryParts,
    pub(super) clock: Clock,
    live: Option<Arc<LiveFigures>>,
    /// The number of the next delivery, which determines its body.
    turn: AtomicU64,
    /// The number of the next record id.
    pub(super) number: AtomicU64,
    /// The number of the next probe's record id.
    pub(super) probe: AtomicU64,
    /// How many probes were begun, from an arbitrary first one.
    probes: AtomicUsize,
    /// Whether the next delivery must be a probe, as none was sent.
    lacks_probe: AtomicBool,
    /// A permit for each connection that is ready.
    pub(super) ready: Semaphore,
    /// The turns, once the load has begun.
    pub(super) turns: watch::Receiver<Option<Arc<Turns>>>,
    pub(super) stop: watch::Sender<Stop>,
    opening: Semaphore,
    /// Since when every new connection was refused.
    refused: Mutex<Option<Instant>>,
}

#[derive(Debug)]
pub(super) struct ThreadResult {
    pub(super) tally: LoadTally,
    pub(super) kept: KeptExchanges,
    /// How many connections were reopened.
    pub(super) reopened: u64,
    random: StdRng,
    live: Option<LivePart>,
}

impl SharedLoad {
    /// A load whose deliveries are numbered from `first`, and the channel that starts it.
    pub(super) fn new(
        plan: LoadPlan,
        ways: Ways,
        deliveries: DeliveryParts,
        clock: Clock,
        first: u64,
        live: Option<Arc<LiveFigures>>,
    ) -> (Self, watch::Sender<Option<Arc<Turns>>>) {
        let (begin, turns) = watch::channel(None);
        let lacks_probe = plan.probe_share > 0.0;
        // A short load has other kinds with another seed.
        let first_probe = StdRng::seed_from_u64(plan.seed).random_range(0..probe::all().len());
        let load = Self {
            plan,
            ways,
            deliveries,
            clock,
            live,
            turn: AtomicU64::new(first),
            number: AtomicU64::new(first),
            probe: AtomicU64::new(FIRST_PROBE + first),
            probes: AtomicUsize::new(first_probe),
            lacks_probe: AtomicBool::new(lacks_probe),
            ready: Semaphore::new(0),
            turns,
            stop: watch::Sender::new(Stop::No),
            opening: Semaphore::new(OPENED_AT_ONCE),
            refused: Mutex::default(),
        };
        (load, begin)
    }

    /// The index of the next probe. They take turns, so a load with enough of them has all kinds.
    fn next_probe(&self) -> usize {
        self.probes.fetch_add(1, Ordering::Relaxed) % probe::all().len()
    }

    /// Whether the next delivery must be a probe: even the shortest load has one.
    fn needs_probe(&self) -> bool {
        self.lacks_probe.load(Ordering::Relaxed) && self.lacks_probe.swap(false, Ordering::Relaxed)
    }

    /// Stops the load, unless it is stopped already.
    pub(super) fn stop(&self, why: Stop) {
        self.stop.send_if_modified(|stop| {
            let first = *stop == Stop::No;
            *stop = if first { why } else { *stop };
            first
        });
    }

    /// Opens a connection. Stops the load if connections have been refused for too long.
    async fn open(&self, connection: &mut LoadConnection, deadline: Instant) -> Result<(), DeliveryFailure> {
        // The semaphore is never closed.
        let _permit = self.opening.acquire().await;
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

/// Runs the connections of a thread until the load ends.
pub(super) async fn run(load: Arc<SharedLoad>, thread: usize, connections: usize) -> ThreadResult {
    let random = StdRng::seed_from_u64(load.plan.seed ^ (thread as u64).rotate_left(32));
    let tally = LoadTally::new(&load.plan.phases());
    let live = load.live.clone().map(LivePart::new);
    let result = ThreadResult { tally, kept: KeptExchanges::default(), reopened: 0, random, live };
    let result = Arc::new(Mutex::new(result));
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(keep_sending(load.clone(), result.clone()));
    }
    let mut stop = load.stop.subscribe();
    let all = async { while tasks.join_next().await.is_some() {} };
    tokio::select! {
        () = all => {}
        _ = stop.wait_for(|stop| *stop != Stop::No) => {}
    }
    // Aborts the deliveries in flight.
    tasks.shutdown().await;
    Arc::into_inner(result).map_or_else(
        || unreachable!("every task that shared it is gone"),
        |result| result.into_inner().unwrap_or_else(PoisonError::into_inner),
    )
}

fn lock(result: &Mutex<ThreadResult>) -> MutexGuard<'_, ThreadResult> {
    result.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn keep_sending(load: Arc<SharedLoad>, result: Arc<Mutex<ThreadResult>>) {
    let idle = load.ways.idle.clone();
    let connection = match idle.as_deref().and_then(IdleConnections::take) {
        Some(connection) => connection,
        None => {
            let mut connection = LoadConnection::new(load.ways.address);
            // If this fails, the first delivery opens the connection, and counts the failure.
            let _ = load.open(&mut connection, Instant::now() + load.plan.timeout).await;
            connection
        }
    };
    let mut begun = load.turns.clone();
    load.ready.add_permits(1);
    let turns = match begun.wait_for(Option::is_some).await {
        Ok(turns) => turns.clone(),
        Err(_) => None,
    };
    let Some(turns) = turns else { return };
    let mut task = ConnectionTask { load, result, turns, connection, request: RequestBuffer::default() };
    let mut back_off = BACK_OFF.0;
    let mut free = task.turns.start();
    while let Some(turn) = task.turns.next().await {
        let ended;
        (ended, free) = task.deliver(turn, free).await;
        if matches!(ended, Err(DeliveryFailure::Refused | DeliveryFailure::Unconnected)) {
            sleep(back_off).await;
            back_off = (2 * back_off).min(BACK_OFF.1);
            free = Instant::now();
        } else {
            back_off = BACK_OFF.0;
        }
    }
    if let Some(idle) = idle {
        idle.add(task.connection);
    }
}

/// A connection and what it needs for deliveries.
struct ConnectionTask {
    load: Arc<SharedLoad>,
    result: Arc<Mutex<ThreadResult>>,
    turns: Arc<Turns>,
    connection: LoadConnection,
    request: RequestBuffer,
}

impl ConnectionTask {
    /// Sends a delivery and counts its outcome. `free` is the time since which the connection is idle. Returns the outcome and
    /// the time of its end.
    async fn deliver(&mut self, turn: Turn, free: Instant) -> (Result<u16, DeliveryFailure>, Instant) {
        let begun = if turn.scheduled { Instant::now() } else { turn.planned };
        let deadline = begun + self.load.plan.timeout;
        if turn.scheduled && begun.saturating_duration_since(free) > IDLE {
            self.connection.close_if_stale();
        }
        // If the delivery waited for a connection, the receiver made it late, else the generator.
        let late =
            (turn.scheduled && free <= turn.planned).then(|| begun.saturating_duration_since(turn.planned));
        let start = self.turns.start();
        let (mut kind, nonce) = {
            let mut result = lock(&self.result);
            let probes = result.random.random_bool(self.load.plan.probe_share) || self.load.needs_probe();
            let kind = match probes {
                true => DeliveryKind::Probe(self.load.next_probe()),
                false => DeliveryKind::Valid,
            };
            result.tally.begin(kind, turn.phase, begun.saturating_duration_since(start), late);
            (kind, result.random.random())
        };
        if kind != DeliveryKind::Valid {
            // Leftovers of an earlier exchange must not pass for the answer to a probe.
            self.connection.close_if_stale();
        }
        let opened = if self.connection.is_open() {
            Ok(())
        } else {
            self.connection.answer.begin();
            let opened = self.load.open(&mut self.connection, deadline).await;
            lock(&self.result).reopened += u64::from(opened.is_ok());
            opened
        };
        let ended = match opened {
            Ok(()) => {
                kind = self.make(kind, nonce);
                self.connection.exchange(&self.request.bytes, deadline).await
            }
            Err(why) => {
                self.request.bytes.clear();
                Err(why)
            }
        };
        let now = Instant::now();
        let answer = &self.connection.answer;
        let delivery = EndedDelivery {
            kind,
            phase: turn.phase,
            status: answer.status(),
            failure: ended.err(),
            latency: now.saturating_duration_since(turn.planned),
            at: now.saturating_duration_since(start),
            sent_bytes: self.request.bytes.len(),
            received_bytes: answer.received(),
        };
        let mut result = lock(&self.result);
        result.tally.end(&delivery);
        if let Some(live) = &mut result.live {
            live.count(&delivery, now);
        }
        if !delivery.is_expected() {
            result.kept.count(&delivery, &self.request.bytes, answer.kept());
        }
        (ended, now)
    }

    /// Makes the request, signed at the current time. Returns what it is: another probe, if the body does not allow this one.
    fn make(&mut self, kind: DeliveryKind, nonce: u128) -> DeliveryKind {
        let load = &*self.load;
        let turn = load.turn.fetch_add(1, Ordering::Relaxed);
        let DeliveryParts { templates, maker, ids } = &load.deliveries;
        let template = &templates[(turn % templates.len() as u64) as usize];
        let next = if kind == DeliveryKind::Valid { &load.number } else { &load.probe };
        // A body without an id must not use up a number: the gap would count as a loss.
        let numbered = template.id_in_body().is_some();
        let number = if numbered { next.fetch_add(1, Ordering::Relaxed) } else { turn };
        let marks = Marks { number, nonce, now_ms: load.clock.now_ms() };
        template.fill(*ids, &marks, &mut self.request);
        match kind {
            DeliveryKind::Valid => {
                template.sign(&maker.key, &mut self.request);
                kind
            }
            DeliveryKind::Probe(probe) => {
                // Probes are rare enough to allocate.
                let body = Bytes::copy_from_slice(&self.request.bytes[self.request.body..]);
                DeliveryKind::Probe(maker.make_next(probe, &marks, &body, &mut self.request))
            }
        }
    }
}
