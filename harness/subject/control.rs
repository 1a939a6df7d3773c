//! A sender at a URL: the objects of the attachment protocol by POST, one in each request, the reply in its response.
//!
//! Invariant: as with a command, what is no reply is quoted and is the sender's breach; an operation is never sent twice.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use super::SubjectError;
use super::protocol::{Op, Reply};
use super::sender::Sender;
use crate::clock::Clock;
use crate::wire::client::{Client, Target};
use crate::wire::codec::quote;
use crate::wire::exchange::{Delivery, Headers, Outcome};

const LONGEST_REPLY: usize = 16 * 1024 * 1024;
/// How many requests are under way at the same time: small services let few connections wait, and reset the others.
const AT_ONCE: usize = 4;
/// How long the reply to the last operation is waited for.
const LAST_WAIT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Control {
    target: Target,
    client: Client,
    wait: Duration,
    asked: AtomicU64,
    answered: AtomicU64,
    turns: Semaphore,
}

impl Control {
    /// A sender that is reached there; `wait` bounds each reply.
    pub(crate) fn at(target: Target, wait: Duration, clock: Clock) -> Self {
        let client = Client::new(wait, clock).keeping(LONGEST_REPLY);
        Self {
            target,
            client,
            wait,
            asked: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// Says that the run is over. What the sender makes of it is its own business.
    pub(crate) async fn stop(&self) {
        let _ = tokio::time::timeout(LAST_WAIT, self.ask(Op::Shutdown)).await;
    }

    async fn ask(&self, op: Op) -> Result<Reply, SubjectError> {
        // Never closed.
        let _turn = self.turns.acquire().await;
        let (id, name, url) = (self.asked.fetch_add(1, Ordering::Relaxed) + 1, op.name(), self.target.url());
        let mut headers = Headers::default();
        headers.add("Content-Type", "application/json");
        // A connection that was idle may be closed at any moment; what went over it would have to be sent again.
        headers.add("Connection", "close");
        let delivery = Delivery::new("POST", &self.target.path, headers, op.encode(id).into());
        let response = match self.client.send(&self.target, &delivery).await.outcome {
            Outcome::Answered(response) => response,
            lost => return Err(self.lost(name, &lost)),
        };
        let broke = |why: String| {
            SubjectError::Broke(format!(
                "{url} answered `{name}` (request {id}) with status {} and {}: {why}",
                response.status,
                quote(&response.body)
            ))
        };
        let (of, reply) = Reply::decode(&response.body).map_err(broke)?;
        if of != id {
            return Err(broke(format!("it is the reply to request {of}, not {id}")));
        }
        self.answered.fetch_add(1, Ordering::Relaxed);
        Ok(reply)
    }

    /// Why there is no reply. Who has never answered cannot be reached; who has, and is not there any more, has ended.
    fn lost(&self, op: &str, outcome: &Outcome) -> SubjectError {
        let url = self.target.url();
        let known = self.answered.load(Ordering::Relaxed) > 0;
        match outcome {
            Outcome::Refused if known => {
                SubjectError::Died(format!("no reply to `{op}`: nobody listens at {url} any more"))
            }
            Outcome::TimedOut if known => SubjectError::Broke(format!(
                "the sender at {url} did not reply to `{op}` within {} s",
                self.wait.as_secs_f64()
            )),
            Outcome::Malformed(_) => SubjectError::Broke(format!("{url}: no reply to `{op}`: {outcome}")),
            _ if known => SubjectError::Broke(format!("{url}: no reply to `{op}`: {outcome}")),
            _ => SubjectError::Unreachable(format!(
                "the sender at {url} cannot be reached: {outcome}; is it started, and is this the URL of its control?"
            )),
        }
    }
}

impl Sender for Control {
    fn call(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>> {
        self.ask(op).boxed()
    }
}
