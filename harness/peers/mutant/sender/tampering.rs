//! A way out that tampers with what goes out, and with what is made of the answer.
//!
//! Invariant: what a fault does not concern goes the way of the reference sender.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use serde_json::Value;
use tokio::time::{sleep, timeout};
use url::Url;

use super::Registry;
use super::requests::{Alteration, resign_at};
use crate::clock::Clock;
use crate::peers::fault::SenderFault;
use crate::peers::mutant::sender::careless::{Careless, Takes};
use crate::peers::sender::Transport;
use crate::peers::sender::pooled::Pooled;
use crate::webhook::dialect::Dialect;
use crate::webhook::signature::{NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::exchange::{Delivery, Headers, Outcome, Response};

/// How long a delivery to a webhook waits for those to the webhooks before it to take their turns.
const TURN: Duration = Duration::from_millis(5);
/// How long an answer is waited for by the one that does not wait a second.
const TOO_SHORT: Duration = Duration::from_millis(600);
/// How long it is waited for by the one that waits without end.
const FOR_EVER: Duration = Duration::from_secs(3600);
/// How long the careless way out waits for an answer.
const CARELESS_WAIT: Duration = Duration::from_secs(3);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(80);

/// A way out that tampers with what goes out.
pub(super) struct Tampering {
    alteration: Alteration,
    inner: Arc<dyn Transport>,
    /// The way out where the careless one, which speaks no TLS, does not reach.
    secured: Arc<dyn Transport>,
    turn: tokio::sync::Mutex<()>,
}

impl Transport for Tampering {
    fn send(&self, url: Url, delivery: Delivery) -> BoxFuture<'_, Outcome> {
        self.tamper(url.into(), delivery).boxed()
    }

    fn trust(&self, ca: &Path) -> Result<(), String> {
        self.secured.trust(ca)
    }
}

impl Tampering {
    pub(super) fn new(
        fault: SenderFault,
        dialect: &'static Dialect,
        clock: Clock,
        inner: Arc<dyn Transport>,
        registry: Arc<Registry>,
        late: Duration,
    ) -> Self {
        let careless = |takes| Arc::new(Careless { wait: CARELESS_WAIT, takes });
        let other = match fault {
            SenderFault::WaitsForEver => Pooled::new(FOR_EVER).ok(),
            SenderFault::AnyCertificateTaken => Pooled::trusting_anybody(CARELESS_WAIT).ok(),
            _ => None,
        };
        let secured = other.map_or(inner, |other| Arc::new(other));
        let inner: Arc<dyn Transport> = match fault {
            SenderFault::FirstLineAcknowledges => careless(Takes::FirstLine),
            SenderFault::InterimIsTheAnswer => careless(Takes::FirstHead),
            SenderFault::AnswerMustBeJson
            | SenderFault::ErrorInAnswerIsFailure
            | SenderFault::AnswerReadToItsEnd => careless(Takes::WholeBody),
            _ => secured.clone(),
        };
        let alteration = Alteration { fault, dialect, clock, registry, late };
        Self { alteration, inner, secured, turn: tokio::sync::Mutex::default() }
    }

    fn forward(&self, url: String, delivery: Delivery) -> BoxFuture<'_, Outcome> {
        let is_secured = url.starts_with("https:");
        let way = if is_secured { &self.secured } else { &self.inner };
        let misframed = match self.alteration.fault {
            SenderFault::LengthDoubled => Some(("Content-Length", "3")),
            SenderFault::LengthAndCoding => Some(("Transfer-Encoding", "chunked")),
            _ => None,
        };
        match (Url::parse(&url), misframed.filter(|_| !is_secured)) {
            (Ok(url), None) => way.send(url, delivery),
            (Ok(url), Some((name, value))) => async move {
                let mut first = delivery.clone();
                first.headers.add(name, value);
                let careless = Careless { wait: CARELESS_WAIT, takes: Takes::FirstHead };
                careless.send(url.clone(), first).await;
                way.send(url, delivery).await
            }
            .boxed(),
            (Err(why), _) => ready(Outcome::Malformed(format!("{url:?} is no URL: {why}"))).boxed(),
        }
    }

    async fn tamper(&self, mut url: String, mut delivery: Delivery) -> Outcome {
        let registered = url.clone();
        if let Some(outcome) = self.alteration.alter(&mut url, &mut delivery).await {
            return outcome;
        }
        let outcome = match self.alteration.fault {
            SenderFault::OneHangBlocksAll => {
                // The tasks of one event begin in any order; here it is that of the webhooks.
                sleep(TURN * self.alteration.registry.place_of(&registered)).await;
                let _turn = self.turn.lock().await;
                self.forward(url.clone(), delivery.clone()).await
            }
            SenderFault::WaitsTooShort => {
                let sent = timeout(TOO_SHORT, self.forward(url.clone(), delivery.clone()));
                sent.await.unwrap_or(Outcome::TimedOut)
            }
            _ => self.forward(url.clone(), delivery.clone()).await,
        };
        let outcome = self.again(&registered, &url, &mut delivery, outcome).await;
        let outcome = self.follow(&delivery, outcome).await;
        self.misread(&registered, outcome)
    }

    /// Sends a delivery again where the fault is about that. Returns what came of it in the end.
    async fn again(
        &self,
        registered: &str,
        url: &str,
        delivery: &mut Delivery,
        mut outcome: Outcome,
    ) -> Outcome {
        let (first, failed) =
            (outcome.status(), |outcome: &Outcome| outcome.status().is_some_and(|status| status >= 500));
        let most = match self.alteration.fault {
            SenderFault::DeliveredTwice => return self.forward(url.to_owned(), delivery.clone()).await,
            SenderFault::ResentAfterAcknowledgement
                if first.is_some_and(|status| (201..300).contains(&status)) =>
            {
                return self.forward(url.to_owned(), delivery.clone()).await;
            }
            SenderFault::RetriesWithoutEnd => usize::MAX,
            SenderFault::RetriesWithoutPause => 5,
            SenderFault::RetriesWithOtherData
            | SenderFault::RetriesUnsigned
            | SenderFault::RetriesWithOldSignature => 2,
            _ => 0,
        };
        let secret = self.alteration.registry.secret_of(registered);
        for attempt in 0..most {
            if !failed(&outcome) || !self.alteration.registry.is_registered(registered) {
                break;
            }
            if self.alteration.fault != SenderFault::RetriesWithoutPause {
                sleep(PAUSE).await;
            }
            let now = self.alteration.clock.now_ms().to_string();
            match self.alteration.fault {
                SenderFault::RetriesUnsigned => {
                    [SIGNATURE_HEADER, TIMESTAMP_HEADER, NONCE_HEADER]
                        .iter()
                        .for_each(|name| delivery.headers.remove(name));
                }
                SenderFault::RetriesWithOldSignature => delivery.headers.set(TIMESTAMP_HEADER, now),
                SenderFault::RetriesWithOtherData => {
                    self.alteration.edit(secret.as_ref(), delivery, |dialect, body| {
                        body[dialect.record_member]["attempt"] = attempt.into();
                    })
                }
                _ => resign_at(secret.as_ref(), delivery, now),
            }
            outcome = self.forward(url.to_owned(), delivery.clone()).await;
        }
        outcome
    }

    /// Follows a redirect where the fault is about that.
    async fn follow(&self, delivery: &Delivery, outcome: Outcome) -> Outcome {
        let Outcome::Answered(response) = &outcome else { return outcome };
        let location = response.headers.single("location").filter(|_| (300..400).contains(&response.status));
        let Some(location) = location.map(|value| String::from_utf8_lossy(value).into_owned()) else {
            return outcome;
        };
        match self.alteration.fault {
            SenderFault::RedirectFollowed => self.forward(location, delivery.clone()).await,
            SenderFault::RedirectFollowedUncounted => {
                self.forward(location, delivery.clone()).await;
                outcome
            }
            // To its own host alone, as careful clients have it.
            SenderFault::RedirectFollowedAsGet if !location.contains("//localhost") => {
                let get = Delivery {
                    method: "GET".to_owned(),
                    headers: Headers::default(),
                    body: Bytes::new(),
                    ..delivery.clone()
                };
                self.forward(location, get).await
            }
            _ => outcome,
        }
    }

    /// What the fault makes of what came back.
    fn misread(&self, registered: &str, outcome: Outcome) -> Outcome {
        let delivered =
            || Outcome::Answered(Response { status: 200, headers: Headers::default(), body: Bytes::new() });
        match (self.alteration.fault, &outcome) {
            (SenderFault::ResetAcknowledges, Outcome::Reset)
            | (SenderFault::ClosingAcknowledges, Outcome::ClosedEarly)
            | (SenderFault::RefusalAcknowledges, Outcome::Refused)
            | (SenderFault::SilenceAcknowledges, Outcome::TimedOut)
            | (SenderFault::HandshakeAcknowledges, Outcome::Tls(_)) => delivered(),
            (SenderFault::CrashesOnRefusal, Outcome::Refused)
            | (SenderFault::CrashesOnCertificate, Outcome::Tls(_)) => {
                let how = format!("ended by an error that nobody caught: {outcome}");
                self.alteration.registry.lock().crashed = Some(how);
                outcome
            }
            (SenderFault::StopsAfterFailure, outcome) if outcome.status().is_none() => {
                self.alteration.registry.lock().stopped.insert(registered.to_owned());
                outcome.clone()
            }
            (
                SenderFault::AnswerMustBeJson | SenderFault::ErrorInAnswerIsFailure,
                Outcome::Answered(response),
                // The way out over HTTPS reads no body.
            ) if !registered.starts_with("https:") => {
                let body: Option<Value> = serde_json::from_slice(&response.body).ok();
                let fails = match self.alteration.fault {
                    SenderFault::AnswerMustBeJson => body.is_none() && response.status != 204,
                    _ => body.is_some_and(|body| body.get("error").is_some()),
                };
                // In place of what the answer's status says.
                if fails {
                    Outcome::Malformed("an answer that is not understood".to_owned())
                } else {
                    outcome
                }
            }
            _ => outcome,
        }
    }
}
