//! Answers and judges deliveries as they arrive, from a sender that the suite does not drive.
//!
//! Nothing is lost: each request is queued before it is answered, and is judged and shown before listening ends. If judging is
//! slower than the sender, the sender waits for its answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::tally::TrafficTally;
use super::{Traffic, messages};
use crate::clock::Clock;
use crate::error::Error;
use crate::redaction::Redaction;
use crate::suite::requirement::{Requirement, Role};
use crate::suite::requirements;
use crate::suite::run::Finding;
use crate::wire::client::forwarding::Forwarding;
use crate::wire::codec::{encode_response, quote};
use crate::wire::endpoint::intake::{self, Broken, Intake, IntakeAnswer, Request, Service};
use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Outcome, Response};

/// How many requests may wait to be judged.
const QUEUED: usize = 1024;
/// How many KiB may wait.
const QUEUED_KIB: usize = 64 * 1024;
/// How many are judged before their results are shown.
const BATCH: usize = 64;
/// The endpoint's limits. One thread is enough: requests wait to be judged, not for the endpoint.
const ENDPOINT: intake::Limits =
    intake::Limits { threads: 1, connections: 512, body: 8 * 1024 * 1024, patience: Duration::from_secs(75) };
/// How long requests that are being answered may delay the end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// How deliveries are answered, and how many are accepted.
#[derive(Debug)]
pub struct Answering {
    pub clock: Clock,
    /// The status of the answers, if deliveries are not forwarded.
    pub status: u16,
    /// Where requests are forwarded to, if they are.
    pub forwarding: Option<Forwarding>,
    /// After how many deliveries listening ends.
    pub most: Option<u64>,
}

/// A server that queues requests to be judged.
#[derive(Debug)]
pub struct Listening {
    service: Service,
    queued: mpsc::Receiver<Queued>,
    arrived: Arc<AtomicU64>,
    most: Option<u64>,
}

/// What arrived.
#[derive(Debug)]
pub enum Watched {
    Delivery {
        /// The request and its answer, with the delivery's number.
        exchange: Box<Exchange>,
        findings: Vec<Finding>,
    },
    /// Not a whole request: what it is, as a noun phrase.
    Broken(String),
}

/// Judges deliveries one by one, and counts what they show.
#[derive(Debug)]
pub struct Judge {
    pub traffic: Traffic,
    /// Redacts the secret from what is counted.
    pub redaction: Redaction,
    pub tally: TrafficTally,
    selected: Vec<&'static Requirement>,
}

/// A request that waits to be judged. It occupies its share of the queue until it is dropped.
#[derive(Debug)]
enum Queued {
    Whole(Box<Exchange>, OwnedSemaphorePermit),
    Broken(String),
}

/// Answers or forwards requests, and queues them.
struct Queueing {
    answering: Answering,
    room: Arc<Semaphore>,
    queue: mpsc::Sender<Queued>,
    /// How many arrived; those past the maximum are not accepted.
    arrived: Arc<AtomicU64>,
}

impl Queueing {
    async fn answer(&self, delivery: Delivery) -> Option<Vec<u8>> {
        let before = self.arrived.fetch_add(1, Ordering::Relaxed);
        if self.answering.most.is_some_and(|most| before >= most) {
            return None;
        }
        let (at_ms, began) = (self.answering.clock.now_ms(), Instant::now());
        let response = match &self.answering.forwarding {
            Some(forwarding) => forwarding.pass(&delivery).await,
            None => Response::text(self.answering.status, ""),
        };
        let answer = encode_response(&response);
        let kib = u32::try_from(delivery.body.len() / 1024 + 1).unwrap_or(u32::MAX);
        let exchange = Exchange {
            id: ExchangeId(0),
            delivery,
            outcome: Outcome::Answered(response),
            at_ms,
            took: began.elapsed(),
        };
        let room = self.room.clone().acquire_many_owned(kib).await.ok()?;
        self.queue.send(Queued::Whole(Box::new(exchange), room)).await.ok()?;
        Some(answer)
    }
}

impl Intake for Queueing {
    fn handle(&self, request: &Request<'_>) -> IntakeAnswer<'_> {
        IntakeAnswer::Later(self.answer(request.to_delivery()).boxed())
    }

    fn broken(&self, what: Broken, bytes: &[u8]) -> Option<BoxFuture<'_, ()>> {
        let words = messages::broken_request(&what.to_string(), &quote(bytes));
        let queued = async move {
            // If the queue is closed, nothing more is judged.
            let _ = self.queue.send(Queued::Broken(words)).await;
        };
        Some(queued.boxed())
    }
}

impl Judge {
    /// A judge of every requirement for senders.
    pub fn new(traffic: Traffic) -> Self {
        let selected: Vec<&'static Requirement> = requirements::of(Role::Sender).collect();
        let redaction = Redaction::new(traffic.secret.as_ref());
        Self { traffic, redaction, tally: TrafficTally::new(&selected), selected }
    }

    fn judge(&mut self, queued: Queued) -> Watched {
        let mut exchange = match queued {
            Queued::Whole(exchange, _room) => exchange,
            Queued::Broken(what) => {
                self.tally.broken += 1;
                return Watched::Broken(self.redaction.text(&what));
            }
        };
        let number = usize::try_from(self.tally.judged).unwrap_or(usize::MAX).saturating_add(1);
        exchange.id = ExchangeId(number);
        let transcript = self.traffic.transcript(vec![(*exchange).clone()]);
        let findings = self.traffic.judge(&transcript, &self.selected);
        self.tally.add(number, &findings, &self.redaction);
        Watched::Delivery { exchange, findings }
    }
}

impl Listening {
    /// Starts to listen. Errors: the address cannot be bound.
    pub async fn at(address: SocketAddr, answering: Answering) -> io::Result<Self> {
        let (queue, queued) = mpsc::channel(QUEUED);
        let (arrived, most) = (Arc::new(AtomicU64::new(0)), answering.most);
        let room = Arc::new(Semaphore::new(QUEUED_KIB));
        let queueing = Arc::new(Queueing { answering, room, queue, arrived: arrived.clone() });
        // Only the server and its connections now keep the queue open.
        let service = Service::start(address, ENDPOINT, queueing).await?;
        Ok(Self { service, queued, arrived, most })
    }

    pub fn address(&self) -> SocketAddr {
        self.service.address()
    }

    /// The URL of a path here.
    pub fn url(&self, path: &str) -> String {
        self.service.url(path)
    }

    /// Judges and shows what arrives, until enough deliveries were judged. When `asked` completes, it ends after those that have
    /// arrived by then. Returns how many were accepted.
    ///
    /// Errors: something could not be shown.
    pub async fn judge(
        mut self,
        judge: &mut Judge,
        asked: impl Future<Output = ()>,
        mut show: impl FnMut(Vec<Watched>, &Judge) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let mut service = Some(self.service);
        let mut asked = std::pin::pin!(asked);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let ends = tokio::select! {
                biased;
                () = &mut asked, if service.is_some() => true,
                count = self.queued.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        let arrived = self.arrived.load(Ordering::Relaxed);
                        return Ok(self.most.map_or(arrived, |most| arrived.min(most)));
                    }
                    let arrived = batch.drain(..).map(|queued| judge.judge(queued)).collect();
                    show(arrived, judge)?;
                    self.most.is_some_and(|most| judge.tally.judged >= most)
                }
            };
            if let Some(service) = service.take_if(|_| ends) {
                // The loop must still drain the queue, since the last requests may wait for room in it.
                tokio::spawn(service.end_answered(LAST_ANSWERS));
            }
        }
    }
}
