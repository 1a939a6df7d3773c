//! One thing to try on a receiver: how its delivery is made from the plain one, and the attempt at it between its twins.
//!
//! Invariant: a forged delivery is made from the twin that is sent right before it and differs from it in one respect; the
//! twin behind it is the same delivery, signed anew.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::maker::{Maker, Twin, with_raw_member};
use crate::client::{Client, Target};
use crate::exchange::{Delivery, Exchange, Outcome};
use crate::signature::NONCE_HEADER;
use crate::subject::SubjectError;
use crate::transcript::Respect;

/// How many deliveries in a row may be without an answer before the run is given up: twins are among any three, so it is
/// not a negative alone that is not answered.
const MAX_SILENT: usize = 3;

/// Makes a delivery, beside the twin that goes before it; `None` where there is nothing to try with this secret or body.
type Make<'c> = Box<dyn Fn(&Maker, &Twin) -> Option<Delivery> + Send + Sync + 'c>;

/// Changes a twin in one respect, given the timestamp under which it was signed; `None` where it cannot be changed so.
pub(super) type Change = fn(&Maker, &mut Delivery, &str) -> Option<()>;

/// One thing to try.
pub(super) struct Case<'c> {
    /// What is sent, as a noun phrase.
    pub(super) what: String,
    pub(super) respect: Respect,
    /// Whether it is to be refused, and so has a twin behind it as well.
    forged: bool,
    /// A further member of the records of its twins, so that it differs from them in its own respect alone.
    member: Option<Cow<'static, str>>,
    make: Make<'c>,
}

/// What came of a case.
pub(super) struct Attempt {
    pub(super) twin: Exchange,
    pub(super) trial: Exchange,
    pub(super) behind: Option<Exchange>,
}

/// What sends. Shared by everything that goes on at the same time.
pub(super) struct Line<'a> {
    pub(super) client: &'a Client,
    pub(super) target: Target,
    /// How many exchanges in a row had no answer within the wait.
    silent: AtomicUsize,
}

impl<'c> Case<'c> {
    /// One that is genuine, made by itself.
    pub(super) fn genuine(
        what: impl Into<String>,
        respect: Respect,
        make: impl Fn(&Maker) -> Option<Delivery> + Send + Sync + 'c,
    ) -> Self {
        Self {
            what: what.into(),
            respect,
            forged: false,
            member: None,
            make: Box::new(move |maker, _| make(maker)),
        }
    }

    /// One that is genuine, made from the twin before it.
    pub(super) fn behind(
        what: impl Into<String>,
        respect: Respect,
        make: impl Fn(&Maker, &Twin) -> Option<Delivery> + Send + Sync + 'c,
    ) -> Self {
        Self { what: what.into(), respect, forged: false, member: None, make: Box::new(make) }
    }

    /// One that is to be refused: the twin, changed.
    pub(super) fn forged(
        what: impl Into<String>,
        respect: Respect,
        change: impl Fn(&Maker, &mut Delivery, &str) -> Option<()> + Send + Sync + 'c,
    ) -> Self {
        let make = move |maker: &Maker, twin: &Twin| {
            let mut delivery = twin.delivery.clone();
            if maker.dialect.nonce {
                // Not part of what is signed: a receiver that remembers nonces must not refuse for that alone.
                delivery.headers.set(NONCE_HEADER, maker.random.nonce());
            }
            change(maker, &mut delivery, &twin.timestamp)?;
            Some(delivery)
        };
        Self { what: what.into(), respect, forged: true, member: None, make: Box::new(make) }
    }

    /// The same, with twins whose records have a further member.
    pub(super) fn of_record_with(self, member: impl Into<Cow<'static, str>>) -> Self {
        Self { member: Some(member.into()), ..self }
    }

    /// The same, to be refused, and so with a twin behind it as well.
    pub(super) fn refused(self) -> Self {
        Self { forged: true, ..self }
    }

    /// The twin, the delivery between, and the body of the twin behind it where there is one.
    pub(super) fn prepare(&self, maker: &Maker) -> Option<(Delivery, Delivery, Option<bytes::Bytes>)> {
        let plain = maker.plain();
        let event = match &self.member {
            Some(member) => with_raw_member(&plain, member),
            None => plain,
        };
        let twin = maker.twin(maker.render(&event));
        let delivery = (self.make)(maker, &twin)?;
        let behind = self.forged.then(|| twin.delivery.body.clone());
        Some((twin.delivery, delivery, behind))
    }
}

impl<'a> Line<'a> {
    pub(super) fn new(client: &'a Client, target: Target) -> Self {
        Self { client, target, silent: AtomicUsize::new(0) }
    }

    /// Sends one delivery. Errors: none of the last few was answered, so that going on would only wait.
    pub(super) async fn send(&self, delivery: &Delivery) -> Result<Exchange, SubjectError> {
        self.check()?;
        Ok(self.exchange(delivery).await)
    }

    fn check(&self) -> Result<(), SubjectError> {
        if self.silent.load(Ordering::Relaxed) < MAX_SILENT {
            return Ok(());
        }
        Err(SubjectError::Stuck(format!(
            "the receiver did not answer {MAX_SILENT} deliveries in a row within the wait, so no more were sent"
        )))
    }

    async fn exchange(&self, delivery: &Delivery) -> Exchange {
        let exchange = self.client.send(&self.target, delivery).await;
        if exchange.outcome == Outcome::TimedOut {
            self.silent.fetch_add(1, Ordering::Relaxed);
        } else {
            self.silent.store(0, Ordering::Relaxed);
        }
        exchange
    }

    /// Tries a case: `None` where there is nothing to try.
    pub(super) async fn attempt(
        &self,
        maker: &Maker,
        case: &Case<'_>,
    ) -> Result<Option<Attempt>, SubjectError> {
        let Some((twin, delivery, behind)) = case.prepare(maker) else { return Ok(None) };
        // Looked at once, so that what was begun is written down whole.
        self.check()?;
        let twin = self.exchange(&twin).await;
        let trial = self.exchange(&delivery).await;
        let behind = match behind {
            Some(body) => Some(self.exchange(&maker.sign(body)).await),
            None => None,
        };
        Ok(Some(Attempt { twin, trial, behind }))
    }
}

impl Attempt {
    pub(super) fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        [&self.twin, &self.trial].into_iter().chain(&self.behind)
    }

    /// Whether every exchange had an answer.
    pub(super) fn is_answered(&self) -> bool {
        self.exchanges().all(|exchange| exchange.outcome.status().is_some())
    }

    /// Whether the twins had one.
    pub(super) fn twins_are_answered(&self) -> bool {
        let answered = |exchange: &Exchange| exchange.outcome.status().is_some();
        answered(&self.twin) && self.behind.as_ref().is_none_or(answered)
    }
}
