//! Sends a delivery byte for byte and returns its outcome.
//!
//! Invariant: header names keep their case and order, bodies are never changed, and whatever the peer does is an
//! `Outcome`, never an error.

pub mod forwarding;
pub mod look;

pub(crate) mod address;
mod bodies;
mod connection;
mod conversation;
mod prompt;
mod target;
pub(crate) mod tls;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::clock::Clock;
use crate::wire::codec::{Step, encode_request, has_token};
use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Outcome, Transfer};
use bodies::BodyLimits;
use conversation::{Reading, converse};

/// How many bytes of an answer's body are kept by default.
const KEPT_BODY: usize = 32 * 1024;

pub use connection::Connection;
pub use target::{Scheme, Target};
pub use tls::Tls;

/// A client that keeps connections alive.
#[derive(Debug)]
pub struct Client {
    timeout: Duration,
    kept: usize,
    bodies: BodyLimits,
    clock: Clock,
    idle: Mutex<Vec<Connection>>,
}

impl Client {
    pub fn new(timeout: Duration, clock: Clock) -> Self {
        Self { timeout, kept: KEPT_BODY, bodies: BodyLimits::default(), clock, idle: Mutex::default() }
    }

    /// Keeps this many bytes of an answer's body instead.
    #[must_use]
    pub(crate) fn keeping(self, kept: usize) -> Self {
        Self { kept, ..self }
    }

    /// Waits only for a few bodies that do not come, and then no more: the status is the answer.
    #[must_use]
    pub(crate) fn giving_up_on_bodies(self) -> Self {
        Self { bodies: BodyLimits::for_a_few(), ..self }
    }

    /// Another client with this timeout. Bodies that do not come count for both.
    pub(crate) fn with_timeout(&self, timeout: Duration) -> Self {
        let (kept, bodies) = (self.kept, self.bodies.clone());
        Self { kept, bodies, ..Self::new(timeout, self.clock.clone()) }
    }

    /// Sends one delivery. The exchange has no number yet; the transcript assigns it.
    pub async fn send(&self, target: &Target, delivery: &Delivery) -> Exchange {
        let idle = if needs_fresh(delivery) { None } else { self.take_idle(target) };
        let (exchange, kept) = self.exchange(target, delivery, idle).await;
        self.put_back(kept);
        exchange
    }

    /// Sends deliveries one after another on one new connection. If the peer closes it, the rest is sent on another.
    pub async fn send_all(&self, target: &Target, deliveries: &[Delivery]) -> Vec<Exchange> {
        // A peer that serves one connection at a time reaches the new one only if no other is open.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let (mut exchanges, mut kept) = (Vec::with_capacity(deliveries.len()), None);
        for delivery in deliveries {
            let kept_for_it = kept.filter(|_| !needs_fresh(delivery));
            let (exchange, connection) = self.exchange(target, delivery, kept_for_it).await;
            exchanges.push(exchange);
            kept = connection;
        }
        self.put_back(kept);
        exchanges
    }

    /// One exchange, on the given connection if there is one. Returns the connection if it can carry another.
    async fn exchange(
        &self,
        target: &Target,
        delivery: &Delivery,
        kept: Option<Connection>,
    ) -> (Exchange, Option<Connection>) {
        let steps = encode_request(delivery, &target.authority());
        let at_ms = self.clock.now_ms();
        let began = Instant::now();
        let (outcome, took, connection) = self.attempt(target, &steps, kept, began + self.timeout).await;
        let exchange = Exchange {
            id: ExchangeId(0),
            delivery: delivery.clone(),
            outcome,
            at_ms,
            took: took.unwrap_or_else(|| began.elapsed()),
        };
        (exchange, connection.filter(|_| !has_token(&delivery.headers, "close")))
    }

    async fn attempt(
        &self,
        target: &Target,
        steps: &[Step],
        kept: Option<Connection>,
        deadline: Instant,
    ) -> (Outcome, Option<Duration>, Option<Connection>) {
        let mut sent = None;
        if let Some(mut connection) = kept {
            let answer = converse(&mut connection, steps, deadline, &self.reading()).await;
            // A peer may close an idle connection at any moment. If no byte of an answer arrived, the request is sent again
            // on a new connection. If that ends without an answer too, this is the outcome, unless nothing listens any more:
            // then the first one says that the request was sent.
            if !(answer.silent && matches!(answer.outcome, Outcome::ClosedEarly | Outcome::Reset)) {
                return (answer.outcome, answer.took, Some(connection).filter(|_| answer.reusable));
            }
            sent = Some(answer.outcome);
        }
        match timeout_at(deadline, Connection::open(target)).await {
            Err(_) => (Outcome::TimedOut, None, None),
            Ok(Err(Outcome::Refused)) => (sent.unwrap_or(Outcome::Refused), None, None),
            Ok(Err(outcome)) => (outcome, None, None),
            Ok(Ok(mut connection)) => {
                let answer = converse(&mut connection, steps, deadline, &self.reading()).await;
                (answer.outcome, answer.took, Some(connection).filter(|_| answer.reusable))
            }
        }
    }

    fn reading(&self) -> Reading<'_> {
        Reading { wait: self.timeout, kept: self.kept, bodies: &self.bodies }
    }

    fn take_idle(&self, target: &Target) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let at = idle.iter().rposition(|connection| connection.leads_to(target))?;
            let mut connection = idle.swap_remove(at);
            if connection.is_idle() {
                return Some(connection);
            }
        }
    }

    fn put_back(&self, connection: Option<Connection>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(connection);
    }
}

/// Whether a delivery needs a new connection: an aborted request would not notice that the peer had closed an idle one.
fn needs_fresh(delivery: &Delivery) -> bool {
    matches!(delivery.transfer, Transfer::Broken(_) | Transfer::Aborted(_))
}
