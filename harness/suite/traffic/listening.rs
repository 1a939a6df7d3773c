//! Answers and judges deliveries as they arrive, from a sender that the suite does not drive.
//!
//! Nothing is lost: with a store, a delivery is answered only after it is stored; without one, after it is queued to be judged.
//! All that arrive are judged and shown before listening ends, unless it is interrupted: then the rest is counted. If judging is
//! slower than the sender, the sender waits for its answer. Long bodies have a queue of their own, and do not delay others.

mod judging;
mod receiving;
mod storing;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;

use super::Traffic;
use super::tally::TrafficTally;
use crate::clock::Clock;
use crate::error::Error;
use crate::redaction::Redaction;
use crate::suite::cause::Cause;
use crate::suite::requirement::{Requirement, Role};
use crate::suite::requirements;
use crate::suite::run::Finding;
use crate::wire::client::forwarding::{Forwarded, Forwarding};
use crate::wire::descriptors;
use crate::wire::endpoint::intake::{self, Service};
use crate::wire::exchange::{Exchange, ExchangeId};

use judging::Queues;
use receiving::Receiving;
use storing::Storing;
pub use storing::{Storage, Store};

/// How many are shown together.
const BATCH: usize = 64;
/// How many results wait to be shown.
const SHOWN: usize = 256;
/// How many connections are open at the same time.
const CONNECTIONS: usize = 512;
/// The endpoint's limits. One thread is enough: requests wait to be stored or judged, not for the endpoint.
const ENDPOINT: intake::Limits = intake::Limits {
    threads: 1,
    connections: CONNECTIONS,
    body: 8 * 1024 * 1024,
    long_bodies: 32 * 1024 * 1024,
    patience: Duration::from_secs(75),
};
/// How long requests that are being answered may delay the end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// How long deliveries that wait to be judged may delay the end after an interruption.
const LAST_VERDICTS: Duration = Duration::from_secs(4);
/// How long the target of forwarded requests may delay the end. A delivery that it has not answered by then is judged all the same.
const LAST_FORWARDS: Duration = Duration::from_secs(1);

/// How deliveries are answered, and how many are accepted.
pub struct Answering {
    pub clock: Clock,
    /// The status of the answers, if deliveries are not forwarded.
    pub status: u16,
    /// Where requests are forwarded to, if they are.
    pub forwarding: Option<Arc<Forwarding>>,
    /// After how many deliveries listening ends.
    pub most: Option<u64>,
    /// Where deliveries are stored before they are answered.
    pub store: Option<Box<dyn Store>>,
}

/// A server that queues requests to be judged.
#[derive(Debug)]
pub struct Listening {
    service: Service,
    queues: Queues,
    results: mpsc::Sender<Watched>,
    judged: mpsc::Receiver<Watched>,
    counts: Arc<Counts>,
    most: Option<u64>,
    /// Becomes true when listening ends.
    ends: watch::Sender<bool>,
}

/// What is counted where it arrives.
#[derive(Debug, Default)]
struct Counts {
    /// Deliveries; those past the maximum are not accepted.
    arrived: AtomicU64,
    /// Connections that their peers closed without a request.
    unused: AtomicU64,
}

/// What arrived.
#[derive(Debug)]
pub enum Watched {
    Delivery {
        /// The request and its answer, with the delivery's number.
        exchange: Box<Exchange>,
        storage: Storage,
        findings: Vec<Finding>,
        /// How its forwarding ended, if it was forwarded.
        forwarded: Option<Forwarded>,
    },
    /// Not a whole request: what it is, as a noun phrase, and the cause if the sender made it.
    Broken(String, Option<Cause>),
    /// A request that is no delivery, such as a probe: its method and its target.
    Stray(String, String),
    /// Bytes that are neither a request nor a part of a delivery, such as a connection that was closed halfway: what they are.
    Scrap(String),
    /// A request that was forwarded from here has come back. It is shown once.
    Loop,
    /// Someone at the terminal asks for something.
    Asked(Wish),
    /// The delivery of this number was sent again, which took this long.
    SentAgain(ExchangeId, Forwarded, Duration),
}

/// What someone at the terminal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To send the last delivery again to where deliveries are forwarded to.
    SendAgain,
    /// The details of the last delivery.
    Details,
}

/// Where something is shown among the deliveries. It does not keep listening from its end.
#[derive(Debug, Clone)]
pub struct Notices(mpsc::WeakSender<Watched>);

impl Notices {
    /// Shows this after what is shown already. `false` if listening has ended.
    pub async fn show(&self, what: Watched) -> bool {
        match self.0.upgrade() {
            Some(sender) => sender.send(what).await.is_ok(),
            None => false,
        }
    }

    /// The same for a wish, unless too much waits to be shown.
    pub fn ask(&self, wish: Wish) {
        // A wish that is lost can be made again.
        if let Some(sender) = self.0.upgrade() {
            drop(sender.try_send(Watched::Asked(wish)));
        }
    }
}

/// Counts what deliveries show.
#[derive(Debug)]
pub struct Judge {
    pub traffic: Arc<Traffic>,
    /// Redacts the secret from what is counted.
    pub redaction: Redaction,
    pub tally: TrafficTally,
    selected: Arc<[&'static Requirement]>,
}

/// How listening ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// How many deliveries were accepted.
    pub received: u64,
    /// How many of them were not judged, because listening was interrupted.
    pub not_judged: u64,
    /// How many connections were closed by their peers without a request.
    pub unused: u64,
}

impl Judge {
    /// A judge of every requirement for senders.
    pub fn new(traffic: Traffic) -> Self {
        let selected: Arc<[&'static Requirement]> = requirements::of(Role::Sender).collect();
        let redaction = Redaction::new(traffic.secret.as_ref());
        Self { traffic: Arc::new(traffic), redaction, tally: TrafficTally::new(&selected), selected }
    }

    fn count(&mut self, watched: &mut Watched) {
        match watched {
            Watched::Delivery { exchange, findings, forwarded, .. } => {
                self.tally.add(exchange.id.0, findings, &self.redaction);
                forwarded.iter().for_each(|one| self.tally.add_forwarded(one, &self.redaction));
            }
            Watched::Broken(what, cause) => {
                self.tally.add_broken(cause.as_ref(), &self.redaction);
                *what = self.redaction.text(what);
            }
            Watched::Stray(method, target) => {
                self.tally.strays += 1;
                (*method, *target) = (self.redaction.text(method), self.redaction.text(target));
            }
            Watched::Scrap(what) => {
                self.tally.strays += 1;
                *what = self.redaction.text(what);
            }
            Watched::Loop | Watched::Asked(_) | Watched::SentAgain(..) => {}
        }
    }
}

impl Listening {
    /// Starts to listen. Errors: the address cannot be bound, or a thread cannot be started.
    pub async fn at(address: SocketAddr, answering: Answering) -> io::Result<Self> {
        let (entries, queues) = judging::queues();
        let (results, judged) = mpsc::channel(SHOWN);
        let (counts, most) = (Arc::<Counts>::default(), answering.most);
        let (ends, ending) = watch::channel(false);
        // A forwarded request needs a second socket.
        let sockets = if answering.forwarding.is_some() { 2 } else { 1 };
        let connections = (descriptors::allowed(CONNECTIONS * sockets) / sockets).max(1);
        let storing = Storing::start(answering.store)?;
        let receiving = Arc::new(Receiving {
            clock: answering.clock,
            status: answering.status,
            forwarding: answering.forwarding,
            most,
            storing,
            entries,
            told: results.clone(),
            counts: counts.clone(),
            looped: false.into(),
            ending,
        });
        // Only the server and its connections now keep the queues open.
        let limits = intake::Limits { connections, ..ENDPOINT };
        let service = Service::start(address, limits, receiving).await?;
        Ok(Self { service, queues, results, judged, counts, most, ends })
    }

    pub fn address(&self) -> SocketAddr {
        self.service.address()
    }

    /// The URL of a path here.
    pub fn url(&self, path: &str) -> String {
        self.service.url(path)
    }

    /// Where something else is shown among the deliveries.
    pub fn notices(&self) -> Notices {
        Notices(self.results.downgrade())
    }

    /// Judges and shows what arrives, until enough deliveries were judged or `show` returns that it is enough. When `asked`
    /// completes, it ends after those that have arrived by then and can be judged in a few seconds.
    ///
    /// Errors: something could not be shown, or a thread cannot be started.
    pub async fn judge(
        mut self,
        judge: &mut Judge,
        asked: impl Future<Output = ()>,
        mut show: impl AsyncFnMut(Vec<Watched>, &Judge) -> Result<bool, Error>,
    ) -> Result<Ended, Error> {
        self.queues.judge(&judge.traffic, &judge.selected, &self.results).map_err(judging::not_started)?;
        // Only the server and the threads now keep the results open.
        drop(self.results);
        let mut service = Some(self.service);
        let mut asked = std::pin::pin!(asked);
        let mut last = None::<Instant>;
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let too_late = async {
                match last {
                    Some(last) => sleep_until(last.into()).await,
                    None => std::future::pending().await,
                }
            };
            let ends = tokio::select! {
                biased;
                () = &mut asked, if last.is_none() => {
                    last = Some(Instant::now() + LAST_VERDICTS);
                    true
                }
                () = too_late => break,
                count = self.judged.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        break;
                    }
                    batch.iter_mut().for_each(|watched| judge.count(watched));
                    let enough = show(std::mem::take(&mut batch), judge).await?;
                    enough || self.most.is_some_and(|most| judge.tally.judged >= most)
                }
            };
            if let Some(service) = service.take_if(|_| ends) {
                self.ends.send_replace(true);
                // The loop must still drain the queues, since the last requests may wait for room in them.
                tokio::spawn(service.end_answered(LAST_ANSWERS));
            }
        }
        // What was judged by now is shown.
        batch.extend(std::iter::from_fn(|| self.judged.try_recv().ok()));
        batch.iter_mut().for_each(|watched| judge.count(watched));
        show(batch, judge).await?;
        let arrived = self.counts.arrived.load(Ordering::Relaxed);
        let received = self.most.map_or(arrived, |most| arrived.min(most));
        let unused = self.counts.unused.load(Ordering::Relaxed);
        Ok(Ended { received, not_judged: received.saturating_sub(judge.tally.judged), unused })
    }
}
