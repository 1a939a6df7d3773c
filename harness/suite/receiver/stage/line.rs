//! The connection to a receiver: it sends cases between their controls, and knows when the receiver has stopped answering.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::subject::SubjectError;
use crate::suite::receiver::case::Case;
use crate::suite::receiver::maker::Maker;
use crate::wire::client::{Client, Target};
use crate::wire::exchange::{Delivery, Exchange, Outcome};

/// How many valid deliveries in a row may be without an answer before no more are sent. Forged ones do not count: one
/// that hangs says nothing of the next valid one.
const MAX_SILENT: usize = 3;

/// What sends. Shared by everything that goes on at the same time.
pub(in crate::suite::receiver) struct Line<'a> {
    pub(in crate::suite::receiver) client: &'a Client,
    pub(in crate::suite::receiver) target: Target,
    /// What sends forged deliveries once some of them were not answered: it waits for a second only.
    impatient: Client,
    /// How many exchanges in a row had no answer within the wait.
    silent: AtomicUsize,
    /// How many forged deliveries had none.
    hung: AtomicUsize,
}

/// What came of a case.
pub(in crate::suite::receiver) struct Attempt {
    pub(in crate::suite::receiver) control: Exchange,
    pub(in crate::suite::receiver) trial: Exchange,
    pub(in crate::suite::receiver) behind: Option<Exchange>,
}

impl<'a> Line<'a> {
    pub(in crate::suite::receiver) fn new(client: &'a Client, impatient: Client, target: Target) -> Self {
        Self { client, target, impatient, silent: AtomicUsize::new(0), hung: AtomicUsize::new(0) }
    }

    /// Whether it is known by now that forged deliveries are not answered.
    pub(in crate::suite::receiver) fn hangs_on_forged(&self) -> bool {
        self.hung.load(Ordering::Relaxed) >= MAX_SILENT
    }

    /// Sends one valid delivery. Errors: none of the last few was answered, so that going on would only wait.
    pub(in crate::suite::receiver) async fn send(
        &self,
        delivery: &Delivery,
    ) -> Result<Exchange, SubjectError> {
        self.check()?;
        Ok(self.exchange(delivery, true).await)
    }

    /// Sends one that may be refused.
    pub(in crate::suite::receiver) async fn send_forged(
        &self,
        delivery: &Delivery,
    ) -> Result<Exchange, SubjectError> {
        self.check()?;
        Ok(self.exchange(delivery, false).await)
    }

    /// Whether so many valid deliveries in a row were not answered that no more are sent.
    pub(in crate::suite::receiver) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed) >= MAX_SILENT
    }

    /// Sends one valid delivery in spite of that, and goes on where it is answered.
    pub(in crate::suite::receiver) async fn knock(&self, delivery: &Delivery) -> Exchange {
        self.exchange(delivery, true).await
    }

    fn check(&self) -> Result<(), SubjectError> {
        if !self.is_silent() {
            return Ok(());
        }
        Err(SubjectError::Stuck(format!(
            "the receiver did not answer {MAX_SILENT} valid deliveries in a row within the wait, so no more were sent"
        )))
    }

    async fn exchange(&self, delivery: &Delivery, valid: bool) -> Exchange {
        let client = if !valid && self.hangs_on_forged() { &self.impatient } else { self.client };
        let exchange = client.send(&self.target, delivery).await;
        if !valid {
            self.hung.fetch_add(usize::from(exchange.outcome == Outcome::TimedOut), Ordering::Relaxed);
            return exchange;
        }
        if exchange.outcome == Outcome::TimedOut {
            self.silent.fetch_add(1, Ordering::Relaxed);
        } else {
            self.silent.store(0, Ordering::Relaxed);
        }
        exchange
    }

    /// Tries a case: `None` where there is nothing to try.
    pub(in crate::suite::receiver) async fn attempt(
        &self,
        maker: &Maker,
        case: &Case,
    ) -> Result<Option<Attempt>, SubjectError> {
        let Some((control, delivery, behind)) = case.prepare(maker) else { return Ok(None) };
        // Looked at once, so that what was begun is written down whole.
        self.check()?;
        let control = self.exchange(&control, true).await;
        let trial = self.exchange(&delivery, !case.is_forged()).await;
        let behind = match behind {
            Some(behind) => Some(self.exchange(&maker.sign_behind(behind, 2), true).await),
            None => None,
        };
        Ok(Some(Attempt { control, trial, behind }))
    }
}

impl Attempt {
    pub(in crate::suite::receiver) fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        [&self.control, &self.trial].into_iter().chain(&self.behind)
    }

    /// Whether every exchange had an answer.
    pub(in crate::suite::receiver) fn is_answered(&self) -> bool {
        self.exchanges().all(|exchange| exchange.outcome.status().is_some())
    }

    /// Whether the controls had one.
    pub(in crate::suite::receiver) fn controls_are_answered(&self) -> bool {
        let answered = |exchange: &Exchange| exchange.outcome.status().is_some();
        answered(&self.control) && self.behind.as_ref().is_none_or(answered)
    }
}
