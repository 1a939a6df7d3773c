//! A sender at a URL: the objects of the attachment protocol by POST, one per request, with the reply in the response.
//!
//! Invariant: as with a command, an invalid reply is quoted and breaks the protocol. An operation is never sent twice, unless a rate limit refused it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::protocol::{Op, Reply, ReplyTexts};
use super::sender::Sender;
use super::{SubjectError, messages};
use crate::budget::OUTCOMES;
use crate::clock::Clock;
use crate::wire::client::address::addresses;
use crate::wire::client::{Client, Target};
use crate::wire::codec::quote;
use crate::wire::exchange::{Delivery, Headers, Outcome, Response};

/// How many requests are sent at the same time. Small services queue few connections and reset the others.
const AT_ONCE: usize = 4;
/// How long to wait for the reply to the last operation.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// How long to wait after a rate limit that names no time.
const RATE_PAUSE: Duration = Duration::from_millis(500);

/// How long to wait if an answer is a rate limit: 429, or 503 with Retry-After.
fn rate_limit(answer: &Response) -> Option<Duration> {
    let named = answer.headers.single("retry-after");
    if answer.status != 429 && (answer.status != 503 || named.is_none()) {
        return None;
    }
    Some(answer.retry_after().unwrap_or(RATE_PAUSE))
}

#[derive(Debug)]
pub struct Control {
    target: Target,
    client: Client,
    wait: Duration,
    asked: AtomicU64,
    answered: AtomicU64,
    turns: Semaphore,
    texts: Mutex<ReplyTexts>,
}

impl Control {
    /// A sender at `target`; `wait` bounds each reply.
    pub(crate) fn at(target: Target, wait: Duration, clock: Clock) -> Self {
        let client = Client::new(wait, clock).keeping(OUTCOMES);
        Self {
            target,
            client,
            wait,
            asked: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            turns: Semaphore::new(AT_ONCE),
            texts: Mutex::default(),
        }
    }

    /// Tells the sender that the run is over. Its reply does not matter.
    pub(crate) async fn stop(&self) {
        let _ = tokio::time::timeout(LAST_WAIT, self.ask(Op::Shutdown)).await;
    }

    async fn ask(&self, op: Op) -> Result<Reply, SubjectError> {
        // Never closed.
        let _turn = self.turns.acquire().await;
        let (id, name, url) = (self.asked.fetch_add(1, Ordering::Relaxed) + 1, op.name(), self.target.url());
        let longest = op.longest_reply();
        self.texts().know(&op);
        let mut headers = Headers::default();
        headers.add("Content-Type", "application/json");
        // An idle connection may be closed at any moment, and then the operation would have to be sent again.
        headers.add("Connection", "close");
        let delivery = Delivery::new("POST", &self.target.path, headers, op.encode(id).into());
        let response = match self.sent(&delivery).await {
            Outcome::Answered(response) => response,
            lost if self.is_unknown_host(&lost).await => {
                return Err(SubjectError::Unreachable(messages::sender_unreachable(&url, lost)));
            }
            lost => return Err(self.lost(name, &lost)),
        };
        let broke = |why: String| {
            let answer = (response.status, &*quote(&response.body));
            SubjectError::ProtocolViolation(messages::invalid_reply(&url, name, id, answer, &why))
        };
        if response.cut > 0 || response.body.len() > longest {
            return Err(broke(messages::reply_too_long(longest)));
        }
        let (of, reply) = Reply::decode(&response.body).map_err(broke)?;
        if of != id {
            return Err(broke(messages::reply_to_other_request(of)));
        }
        self.answered.fetch_add(1, Ordering::Relaxed);
        Ok(self.texts().kept(reply))
    }

    /// Sends a request. A rate limit means that it was not taken, so it is sent again after the time that the answer names.
    async fn sent(&self, delivery: &Delivery) -> Outcome {
        let until = Instant::now() + self.wait;
        loop {
            let outcome = self.client.send(&self.target, delivery).await.outcome;
            let pause = match &outcome {
                Outcome::Answered(answer) => rate_limit(answer),
                _ => None,
            };
            match pause {
                Some(pause) if Instant::now() + pause < until => sleep(pause).await,
                _ => return outcome,
            }
        }
    }

    fn texts(&self) -> std::sync::MutexGuard<'_, ReplyTexts> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is no reply because the host has no address.
    async fn is_unknown_host(&self, outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Malformed(_))
            && addresses(&self.target.host, self.target.port).await.is_err()
    }

    /// Why there is no reply. A sender that never answered is unreachable; one that answered before has ended.
    fn lost(&self, op: &str, outcome: &Outcome) -> SubjectError {
        let url = self.target.url();
        let known = self.answered.load(Ordering::Relaxed) > 0;
        match outcome {
            Outcome::Refused if known => SubjectError::Died(messages::stopped_listening(&url, op)),
            Outcome::TimedOut if known => SubjectError::ProtocolViolation(messages::no_reply_from_in_time(
                &url,
                op,
                self.wait.as_secs_f64(),
            )),
            outcome if known || matches!(outcome, Outcome::Malformed(_)) => {
                SubjectError::ProtocolViolation(messages::no_reply_from(&url, op, outcome))
            }
            outcome => SubjectError::Unreachable(messages::sender_unreachable(&url, outcome)),
        }
    }
}

impl Sender for Control {
    fn call(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>> {
        self.ask(op).boxed()
    }
}
