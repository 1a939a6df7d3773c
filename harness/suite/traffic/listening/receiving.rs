//! Answers or forwards requests: stored first, then queued to be judged, then answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use memchr::memmem;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::judging::Entries;
use super::storing::Storing;
use super::{Counts, LAST_FORWARDS, Storage, Watched};
use crate::clock::Clock;
use crate::suite::sender::delivery::request::wrong_framing;
use crate::suite::traffic::messages;
use crate::wire::client::forwarding::{Forwarded, Forwarding};
use crate::wire::codec::{encode_response, quote};
use crate::wire::endpoint::intake::{Broken, Intake, IntakeAnswer, Request};
use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Outcome, Response};

pub(super) struct Receiving {
    pub(super) clock: Clock,
    pub(super) status: u16,
    pub(super) forwarding: Option<Arc<Forwarding>>,
    pub(super) most: Option<u64>,
    pub(super) storing: Storing,
    pub(super) entries: Entries,
    /// Requests that are not judged.
    pub(super) told: mpsc::Sender<Watched>,
    pub(super) counts: Arc<Counts>,
    /// Whether a request came back from where it was forwarded.
    pub(super) looped: AtomicBool,
    /// Becomes true when listening ends.
    pub(super) ending: watch::Receiver<bool>,
}

impl Receiving {
    async fn answer(&self, delivery: Delivery) -> Option<Vec<u8>> {
        if self.forwarding.as_ref().is_some_and(|forwarding| forwarding.came_back(&delivery)) {
            return Some(self.refuse_loop().await);
        }
        if delivery.is_stray() {
            return Some(self.pass_over(&delivery).await);
        }
        let before = self.counts.arrived.fetch_add(1, Ordering::Relaxed);
        if self.most.is_some_and(|most| before >= most) {
            return None;
        }
        let (at_ms, began) = (self.clock.now_ms(), Instant::now());
        let (response, forwarded) = match &self.forwarding {
            Some(forwarding) => {
                let (response, forwarded) = self.forward(forwarding, &delivery).await;
                (response, Some(forwarded))
            }
            None => (Response::text(self.status, ""), None),
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
        self.entries.add(exchange, storage, forwarded).await?;
        Some(answer)
    }

    /// Forwards a request. At the end of listening, its target has only a little more time.
    async fn forward(&self, forwarding: &Forwarding, delivery: &Delivery) -> (Response, Forwarded) {
        let mut ending = self.ending.clone();
        let too_late = async {
            let ends = ending.wait_for(|ends| *ends).await.is_ok();
            if !ends {
                std::future::pending::<()>().await;
            }
            sleep(LAST_FORWARDS).await;
        };
        tokio::select! {
            passed = forwarding.pass(delivery) => passed,
            () = too_late => forwarding.lost(messages::ended_before_an_answer()),
        }
    }

    /// The answer to a request that is no delivery: it is shown, and neither counted nor judged.
    async fn pass_over(&self, delivery: &Delivery) -> Vec<u8> {
        // If the channel is closed, nothing more is shown.
        let _ = self.told.send(Watched::Stray(delivery.method.clone(), delivery.target.clone())).await;
        let mut answer = match &self.forwarding {
            Some(forwarding) => self.forward(forwarding, delivery).await.0,
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
        if is_scrap(what, bytes) {
            let told = self.told.clone();
            return Some(async move { drop(told.send(Watched::Scrap(words)).await) }.boxed());
        }
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

    fn unused(&self) {
        self.counts.unused.fetch_add(1, Ordering::Relaxed);
    }
}

/// How many bytes are searched for a header of Twenty.
const SEARCHED: usize = 64 * 1024;

/// Whether an incomplete or invalid request is no delivery: it has no header of Twenty, and is neither a whole POST nor longer than
/// its head.
fn is_scrap(what: Broken, bytes: &[u8]) -> bool {
    let begin = bytes[..bytes.len().min(SEARCHED)].to_ascii_lowercase();
    if memmem::find(&begin, b"\nx-twenty-").is_some() {
        return false;
    }
    let method = bytes.split(|byte| *byte == b' ').next().unwrap_or_default();
    let is_other = method != b"POST" && !method.is_empty() && method.iter().all(u8::is_ascii_uppercase);
    match what {
        Broken::CutOff | Broken::Slow => is_other || memmem::find(&begin, b"\r\n\r\n").is_none(),
        Broken::Malformed(_) | Broken::TooLarge => is_other && method.len() < bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_scrap;
    use crate::wire::codec::FramingFault;
    use crate::wire::endpoint::intake::Broken;

    #[test]
    fn scraps_are_told_from_broken_deliveries() {
        let malformed = Broken::Malformed(FramingFault::NotHttp);
        for (what, bytes, scrap) in [
            (Broken::CutOff, "POST / HT", true),
            (Broken::CutOff, "POST / HTTP/1.1\r\nHost: x\r\nX-TWENTY-webhook-si", false),
            (Broken::CutOff, "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{", false),
            (Broken::Slow, "GET / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{", true),
            (malformed, "GET / HTTP/1.1\r\n\r\n", true),
            (malformed, "POST / HTTP/1.1\r\n\r\n", false),
            (malformed, "\u{16}\u{3}\u{1} what\r\n\r\n", false),
            (malformed, "GET / HTTP/1.1\r\nx-twenty-webhook-nonce: 1\r\n\r\n", false),
        ] {
            assert_eq!(is_scrap(what, bytes.as_bytes()), scrap, "{what:?} {bytes}");
        }
    }
}
