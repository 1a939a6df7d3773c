//! Sends cases between their controls, and notices when the receiver stops answering.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::subject::SubjectError;
use crate::suite::max_time::MaxTime;
use crate::suite::receiver::case::Case;
use crate::suite::receiver::maker::Maker;
use crate::suite::receiver::messages;
use crate::webhook::manner::Manner;
use crate::wire::client::{Client, Target};
use crate::wire::exchange::{Delivery, Exchange, Outcome};

/// After this many unanswered valid deliveries in a row, no more are sent. Forged ones do not count: a receiver that
/// hangs on a forgery may still answer the next valid delivery.
const MAX_SILENT: usize = 3;

/// The client and the receiver's silence so far. All cases that run at the same time share it.
pub(in crate::suite::receiver) struct Link<'a> {
    pub(in crate::suite::receiver) client: &'a Client,
    pub(in crate::suite::receiver) target: Target,
    /// How this receiver wants its deliveries.
    pub(in crate::suite::receiver) manner: Manner,
    max_time: MaxTime,
    /// Sends forged deliveries once several of them were not answered: it waits only a second.
    impatient: Client,
    /// How many valid deliveries in a row timed out.
    silent: AtomicUsize,
    /// How many forged deliveries timed out.
    hung: AtomicUsize,
}

/// The exchanges of a case.
pub(in crate::suite::receiver) struct Attempt {
    pub(in crate::suite::receiver) before: Exchange,
    pub(in crate::suite::receiver) trial: Exchange,
    pub(in crate::suite::receiver) after: Option<Exchange>,
}

impl<'a> Link<'a> {
    pub(in crate::suite::receiver) fn new(
        client: &'a Client,
        impatient: Client,
        target: Target,
        max_time: MaxTime,
    ) -> Self {
        let (silent, hung) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { client, target, manner: Manner::CONTRACT, max_time, impatient, silent, hung }
    }

    /// Changes how long the run may take.
    pub(super) fn has(&mut self, max_time: MaxTime) {
        self.max_time = max_time;
    }

    /// Whether several forged deliveries have timed out.
    pub(in crate::suite::receiver) fn hangs_on_forged(&self) -> bool {
        self.hung.load(Ordering::Relaxed) >= MAX_SILENT
    }

    /// Sends one valid delivery. Errors: the time is used up, or the last few were not answered, so waiting for more answers is
    /// pointless.
    pub(in crate::suite::receiver) async fn send(
        &self,
        delivery: &Delivery,
    ) -> Result<Exchange, SubjectError> {
        self.check()?;
        Ok(self.exchange(delivery, true).await)
    }

    /// Sends a delivery that may be rejected.
    pub(in crate::suite::receiver) async fn send_forged(
        &self,
        delivery: &Delivery,
    ) -> Result<Exchange, SubjectError> {
        self.check()?;
        Ok(self.exchange(delivery, false).await)
    }

    /// Whether too many valid deliveries in a row were not answered to send more.
    pub(in crate::suite::receiver) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed) >= MAX_SILENT
    }

    /// Sends one valid delivery even to a silent receiver. An answer ends the silence.
    pub(in crate::suite::receiver) async fn send_anyway(&self, delivery: &Delivery) -> Exchange {
        self.exchange(delivery, true).await
    }

    /// Sends a delivery, with the header names that this receiver reads.
    pub(in crate::suite::receiver) async fn deliver(&self, delivery: &Delivery) -> Exchange {
        self.client.send(&self.target, &self.renamed(delivery)).await
    }

    /// Sends deliveries on one connection, as long as the receiver keeps it open.
    pub(in crate::suite::receiver) async fn deliver_all(&self, deliveries: &[Delivery]) -> Vec<Exchange> {
        let renamed: Vec<Delivery> = deliveries.iter().map(|one| self.renamed(one).into_owned()).collect();
        self.client.send_all(&self.target, &renamed).await
    }

    fn renamed<'d>(&self, delivery: &'d Delivery) -> Cow<'d, Delivery> {
        if self.manner == Manner::CONTRACT {
            return Cow::Borrowed(delivery);
        }
        let mut renamed = delivery.clone();
        for (name, _) in &mut renamed.headers.0 {
            if let Some(own) = self.manner.renamed(name) {
                *name = own;
            }
        }
        Cow::Owned(renamed)
    }

    /// Errors: nothing more is to be sent.
    fn check(&self) -> Result<(), SubjectError> {
        self.in_time()?;
        if !self.is_silent() {
            return Ok(());
        }
        Err(SubjectError::RequestFailed(messages::stopped_answering(MAX_SILENT)))
    }

    /// Errors: the time is used up.
    pub(in crate::suite::receiver) fn in_time(&self) -> Result<(), SubjectError> {
        if self.max_time.is_over() { Err(SubjectError::OutOfTime) } else { Ok(()) }
    }

    /// Sends one valid delivery on a new connection, which shows whether the receiver still accepts connections.
    ///
    /// Errors: the last few were not answered, so waiting for more answers is pointless.
    pub(in crate::suite::receiver) async fn send_on_new_connection(
        &self,
        delivery: &Delivery,
    ) -> Result<Exchange, SubjectError> {
        self.check()?;
        // There is one exchange for each delivery.
        let sent = self.deliver_all(std::slice::from_ref(delivery)).await;
        Ok(match sent.into_iter().next() {
            Some(exchange) => self.counted(exchange, true),
            None => self.exchange(delivery, true).await,
        })
    }

    async fn exchange(&self, delivery: &Delivery, valid: bool) -> Exchange {
        let client = if !valid && self.hangs_on_forged() { &self.impatient } else { self.client };
        let exchange = client.send(&self.target, &self.renamed(delivery)).await;
        self.counted(exchange, valid)
    }

    /// Counts an exchange that had no answer.
    fn counted(&self, exchange: Exchange, valid: bool) -> Exchange {
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

    /// Tries a case; `None` if there is nothing to try.
    pub(in crate::suite::receiver) async fn attempt(
        &self,
        maker: &Maker,
        case: &Case,
    ) -> Result<Option<Attempt>, SubjectError> {
        let Some((control, delivery, repeated)) = case.prepare(maker) else { return Ok(None) };
        // Silence is checked only before the case: its three exchanges are recorded together or not at all.
        self.check()?;
        let before = self.exchange(&control, true).await;
        self.in_time()?;
        let trial = self.exchange(&delivery, !case.is_forged()).await;
        if case.is_forged() && !trial.outcome.acknowledges() {
            // A rejection shows nothing without the control after it; an acceptance does.
            self.in_time()?;
        } else if self.in_time().is_err() {
            return Ok(Some(Attempt { before, trial, after: None }));
        }
        let after = match repeated {
            Some(repeated) => Some(self.exchange(&maker.sign_again(repeated, 2), true).await),
            None => None,
        };
        Ok(Some(Attempt { before, trial, after }))
    }
}

impl Attempt {
    pub(in crate::suite::receiver) fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        [&self.before, &self.trial].into_iter().chain(&self.after)
    }

    /// Whether every exchange had an answer.
    pub(in crate::suite::receiver) fn is_answered(&self) -> bool {
        self.exchanges().all(|exchange| exchange.outcome.status().is_some())
    }

    pub(in crate::suite::receiver) fn controls_are_answered(&self) -> bool {
        let answered = |exchange: &Exchange| exchange.outcome.status().is_some();
        answered(&self.before) && self.after.as_ref().is_none_or(answered)
    }
}
