//! Answers or forwards requests: stored first, then queued to be judged, then answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use super::judging::Entries;
use super::storing::Storing;
use super::{Storage, Watched};
use crate::clock::Clock;
use crate::suite::sender::delivery::request::wrong_framing;
use crate::suite::traffic::messages;
use crate::wire::client::forwarding::Forwarding;
use crate::wire::codec::{encode_response, quote};
use crate::wire::endpoint::intake::{Broken, Intake, IntakeAnswer, Request};
use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Outcome, Response};

pub(super) struct Receiving {
    pub(super) clock: Clock,
    pub(super) status: u16,
    pub(super) forwarding: Option<Forwarding>,
    pub(super) most: Option<u64>,
    pub(super) storing: Storing,
    pub(super) entries: Entries,
    /// Requests that are not judged.
    pub(super) told: mpsc::Sender<Watched>,
    /// How many arrived; those past the maximum are not accepted.
    pub(super) arrived: Arc<AtomicU64>,
    /// Whether a request came back from where it was forwarded.
    pub(super) looped: AtomicBool,
}

impl Receiving {
    async fn answer(&self, delivery: Delivery) -> Option<Vec<u8>> {
        if self.forwarding.as_ref().is_some_and(|forwarding| forwarding.came_back(&delivery)) {
            return Some(self.refuse_loop().await);
        }
        if delivery.is_stray() {
            return Some(self.pass_over(&delivery).await);
        }
        let before = self.arrived.fetch_add(1, Ordering::Relaxed);
        if self.most.is_some_and(|most| before >= most) {
            return None;
        }
        let (at_ms, began) = (self.clock.now_ms(), Instant::now());
        let response = match &self.forwarding {
            Some(forwarding) => forwarding.pass(&delivery).await,
            None => Response::text(self.status, ""),
        };
        let outcome = Outcome::Answered(response);
        let exchange = Exchange { id: ExchangeId(0), delivery, outcome, at_ms, took: began.elapsed() };
        let (mut exchange, storage) = self.storing.store(Box::new(exchange)).await?;
        if let Storage::Failed(why) = &storage {
            exchange.outcome = Outcome::Answered(Response::text(503, messages::not_stored(why)));
        }
        let answer = match &exchange.outcome {
            Outcome::Answered(response) => encode_response(response),
            // Its outcome is the answer that was made above.
            _ => return None,
        };
        self.entries.add(exchange, storage).await?;
        Some(answer)
    }

    /// The answer to a request that is no delivery: it is shown, and neither counted nor judged.
    async fn pass_over(&self, delivery: &Delivery) -> Vec<u8> {
        // If the channel is closed, nothing more is shown.
        let _ = self.told.send(Watched::Stray(delivery.method.clone(), delivery.target.clone())).await;
        let mut answer = match &self.forwarding {
            Some(forwarding) => forwarding.pass(delivery).await,
            None => {
                let mut refusal = Response::text(405, messages::only_deliveries());
                refusal.headers.add("Allow", "POST");
                refusal
            }
        };
        if delivery.method == "HEAD" {
            // The answer to a HEAD has no body (RFC 9110, section 9.3.2).
            answer.body = Bytes::new();
        }
        encode_response(&answer)
    }

    /// The answer to a request that was forwarded from here. It is not a delivery: it arrived before, and was counted then.
    async fn refuse_loop(&self) -> Vec<u8> {
        if !self.looped.swap(true, Ordering::Relaxed) {
            // If the channel is closed, nothing more is shown.
            let _ = self.told.send(Watched::Loop).await;
        }
        encode_response(&Response::text(508, messages::came_back()))
    }
}

impl Intake for Receiving {
    fn handle(&self, request: &Request<'_>) -> IntakeAnswer<'_> {
        IntakeAnswer::Later(self.answer(request.to_delivery()).boxed())
    }

    fn broken(&self, what: Broken, bytes: &[u8]) -> Option<BoxFuture<'_, ()>> {
        let words = messages::broken_request(&what.to_string(), &quote(bytes));
        let cause = match what {
            Broken::Malformed(fault) => Some(wrong_framing(Some(fault))),
            // The network, or this server, may have cut it off.
            Broken::CutOff | Broken::Slow | Broken::TooLarge => None,
        };
        let queued = async move {
            // If the channel is closed, nothing more is judged.
            let _ = self.told.send(Watched::Broken(words, cause)).await;
        };
        Some(queued.boxed())
    }
}
