//! Notices that the receiver's process ended, restarts it, and finds the exchange that ended it.
//!
//! Invariant: every end is recorded, with the exchange after which the process ended. A process that keeps ending without a
//! request, or at every request, ends the run.

use std::time::{Duration, Instant};

use super::ReceiverStage;
use crate::subject::SubjectError;
use crate::suite::receiver::messages;
use crate::wire::exchange::{Delivery, ExchangeId, Outcome};

/// How long the process is watched after a delivery that may have ended it.
pub(in crate::suite::receiver) const WATCH: Duration = Duration::from_millis(600);
/// How long a process that answered nothing is watched without a request: between these, twice as long as it lived before.
const IDLE_WATCH: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// How much longer than its last life a process must live without a request. If it ends before, the request did not end it.
const MARGIN: Duration = Duration::from_millis(200);
/// Which exchanges before its end may have ended it: how many, and how long before the last one they began.
const MOST_SUSPECTS: usize = 2048;
const SUSPECT_MS: u64 = 700;
/// How many ends of a run are searched for their exchange. Each search costs restarts.
const MOST_SEARCHES: usize = 3;
/// After this many ends in a row without an answer, the run ends.
const MOST_UNANSWERED: usize = 3;
/// How much time of a run may be spent on ends: noticing them, searching and restarting.
const MOST_TIME: Duration = Duration::from_secs(20);

/// The ends of the process so far.
#[derive(Debug, Default)]
pub(in crate::suite::receiver) struct Ends {
    /// How many exchanges had an answer when it last ended.
    answered: usize,
    /// How often it ended without an answer in between.
    unanswered: usize,
    searches: usize,
    /// How much time they took.
    took: Duration,
    /// Whether the process ends some time after its start without a request, so that no search shows anything.
    by_itself: bool,
    /// Whether a search found nothing.
    unexplained: bool,
    /// Whether deliveries must not be sent again, because the receiver's observations are counted.
    pub(in crate::suite::receiver) counting: bool,
    /// Why the process cannot be restarted, once that failed.
    gone: Option<SubjectError>,
    /// Why the receiver counts as not started: its process ended by itself before it answered anything.
    unstarted: Option<SubjectError>,
}

impl ReceiverStage<'_> {
    /// After an exchange without an answer: if the process ended, records that and restarts it. Returns whether another exchange
    /// ended it, so that this one can be sent again.
    ///
    /// Errors: it cannot be restarted, or it keeps ending.
    pub(in crate::suite::receiver) async fn revive(&mut self, id: ExchangeId) -> Result<bool, SubjectError> {
        match self.subject.ends().await {
            Some(how) => Ok(self.restart_and_blame(id, how).await? != id || self.ends_at_random()),
            None => Ok(false),
        }
    }

    /// The same between two scenarios. The last exchange may have ended the process after its answer.
    pub(in crate::suite::receiver) async fn revive_idle(
        &mut self,
        wait: Duration,
    ) -> Result<(), SubjectError> {
        let Some(how) = self.subject.ends_within(wait).await else { return Ok(()) };
        if let Some(last) = self.transcript.exchanges.after(0).last() {
            return self.restart_and_blame(last.id, how).await.map(drop);
        }
        // An end is recorded with an exchange.
        let plain = self.maker.deliver(&self.maker.plain());
        let exchange = self.link.send_anyway(&plain).await;
        let id = self.transcript.record(exchange);
        self.restart(id, &how).await?;
        self.transcript.deaths.push((id, how));
        Ok(())
    }

    /// Why the receiver counts as not started, if it does.
    pub fn unstarted(&mut self) -> Option<SubjectError> {
        self.ends.unstarted.take()
    }

    /// Returns the exchange that ended the process, as far as that can be found.
    async fn restart_and_blame(&mut self, id: ExchangeId, how: String) -> Result<ExchangeId, SubjectError> {
        let began = Instant::now();
        let blamed = self.blamed(id);
        self.restart(blamed, &how).await?;
        let culprit = self.culprit(blamed).await;
        self.ends.took += began.elapsed();
        let culprit = culprit.as_ref().copied().unwrap_or_default().unwrap_or(blamed);
        self.transcript.deaths.push((culprit, how));
        match &self.ends.gone {
            Some(why) => Err(why.clone()),
            None => Ok(culprit),
        }
    }

    /// Restarts the process, and remembers it if that fails.
    ///
    /// Errors: that fails.
    async fn restart_again(&mut self) -> Result<(), SubjectError> {
        let restarted = self.subject.restart().await;
        if let Err(why) = &restarted {
            self.ends.gone = Some(why.clone());
        }
        restarted
    }

    /// If the process ended, restarts it. Returns how it ended, without recording it. `id` is the first exchange without an
    /// answer.
    pub(super) async fn restarted(&mut self, id: ExchangeId) -> Result<Option<String>, SubjectError> {
        let Some(how) = self.subject.ends().await else { return Ok(None) };
        let began = Instant::now();
        self.restart(self.blamed(id), &how).await?;
        self.ends.took += began.elapsed();
        Ok(Some(how))
    }

    /// Whether the process ended, and no delivery ended it again.
    pub(super) fn ends_at_random(&self) -> bool {
        self.ends.by_itself || self.ends.unexplained
    }

    /// The exchange that ended the process, as far as `id` shows: a refused delivery never reached it, so it is the one before.
    pub(super) fn blamed(&self, id: ExchangeId) -> ExchangeId {
        let exchanges = &self.transcript.exchanges;
        let before = ExchangeId(id.0.saturating_sub(1));
        let refused = exchanges.get(id).is_some_and(|one| one.outcome == Outcome::Refused);
        if refused && exchanges.get(before).is_some() { before } else { id }
    }

    /// Restarts the process. Errors: that fails, or the process keeps ending. Then its end is recorded at `blamed`.
    pub(in crate::suite::receiver) async fn restart(
        &mut self,
        blamed: ExchangeId,
        how: &str,
    ) -> Result<(), SubjectError> {
        if let Some(why) = &self.ends.gone {
            return Err(why.clone());
        }
        if self.ends.took > MOST_TIME {
            self.transcript.deaths.push((blamed, how.to_owned()));
            return Err(SubjectError::Died(messages::ended_too_often(self.transcript.deaths.len())));
        }
        let (lived, answered) = (self.subject.age(), self.transcript.exchanges.answered());
        self.ends.unanswered = if answered == self.ends.answered { self.ends.unanswered + 1 } else { 0 };
        self.ends.answered = answered;
        if let Err(why) = self.restart_again().await {
            if answered == 0 {
                // It ended before it answered anything, and again at once.
                self.ends.unstarted = Some(self.subject.ended_by_itself(how));
            } else {
                self.transcript.deaths.push((blamed, how.to_owned()));
            }
            return Err(why);
        }
        if self.ends.unanswered == 0 {
            return Ok(());
        }
        let (least, most) = IDLE_WATCH;
        let wait = (lived.unwrap_or_default() * 2).clamp(least, most);
        if let Some(again) = self.subject.ends_within(wait).await {
            let why = self.subject.ended_by_itself(&again);
            if answered == 0 {
                self.ends.unstarted = Some(why.clone());
            } else {
                self.transcript.deaths.push((blamed, how.to_owned()));
            }
            return Err(why);
        }
        if self.ends.unanswered >= MOST_UNANSWERED {
            self.transcript.deaths.push((blamed, how.to_owned()));
            return Err(SubjectError::Died(messages::ends_at_every_delivery(MOST_UNANSWERED)));
        }
        Ok(())
    }

    /// The exchange that ends the process when it is sent again, among `latest` and those shortly before it; `None` if none does.
    ///
    /// Errors: the process cannot be restarted.
    pub(in crate::suite::receiver) async fn culprit(
        &mut self,
        latest: ExchangeId,
    ) -> Result<Option<ExchangeId>, SubjectError> {
        let is_enough = self.ends.searches >= MOST_SEARCHES || self.max_time.is_over();
        if self.ends.counting || self.ends.by_itself || is_enough {
            return Ok(None);
        }
        self.ends.searches += 1;
        let found = self.search(latest).await?;
        self.ends.unexplained |= found.is_none();
        Ok(found)
    }

    async fn search(&mut self, latest: ExchangeId) -> Result<Option<ExchangeId>, SubjectError> {
        let mut suspects = self.suspects(latest);
        // Most processes end at once.
        let Some((last, delivery)) = suspects.pop() else { return Ok(None) };
        if self.ends_it(&delivery).await?.is_some() {
            return Ok(Some(last));
        }
        if self.ends.by_itself || !self.one_ends_it(&suspects).await? {
            return Ok(None);
        }
        while suspects.len() > 1 {
            let later = suspects.split_off(suspects.len() / 2);
            if self.one_ends_it(&later).await? {
                suspects = later;
            }
        }
        let Some((id, delivery)) = suspects.pop() else { return Ok(None) };
        Ok(self.ends_it(&delivery).await?.map(|_| id))
    }

    /// The exchanges shortly before the process ended, in order. Those that were refused never reached it.
    fn suspects(&self, latest: ExchangeId) -> Vec<(ExchangeId, Delivery)> {
        let exchanges = self.transcript.exchanges.after(latest.0.saturating_sub(MOST_SUSPECTS));
        let until = |id: ExchangeId| id <= latest;
        let reached = exchanges.iter().filter(|one| until(one.id) && one.outcome != Outcome::Refused);
        let last_ms = reached.clone().next_back().map_or(0, |one| one.at_ms);
        let recent = reached.filter(|one| last_ms.saturating_sub(one.at_ms) <= SUSPECT_MS);
        recent.map(|one| (one.id, one.delivery.clone())).collect()
    }

    /// Whether the process ends if these are sent one after another.
    ///
    /// Errors: the process cannot be restarted.
    async fn one_ends_it(&mut self, suspects: &[(ExchangeId, Delivery)]) -> Result<bool, SubjectError> {
        for (_, delivery) in suspects {
            let exchange = self.link.deliver(delivery).await;
            let lost = exchange.outcome.status().is_none() && exchange.outcome != Outcome::Abandoned;
            self.transcript.record(exchange);
            if lost {
                break;
            }
        }
        if self.subject.ends_within(WATCH).await.is_none() {
            return Ok(false);
        }
        self.restart_again().await?;
        Ok(true)
    }

    /// Sends a delivery while nothing else is sent, and watches the process. Returns the exchange and how the process ended, if
    /// it did because of the delivery. If it cannot be restarted, the next attempt to do so says so.
    ///
    /// Errors: the process cannot be restarted a second time.
    pub(in crate::suite::receiver) async fn ends_it(
        &mut self,
        delivery: &Delivery,
    ) -> Result<Option<(ExchangeId, String)>, SubjectError> {
        let exchange = self.link.deliver(delivery).await;
        let id = self.transcript.record(exchange);
        let Some(how) = self.subject.ends_within(WATCH).await else { return Ok(None) };
        let lived = self.subject.age().unwrap_or_default();
        if self.restart_again().await.is_err() || self.subject.ends_within(lived + MARGIN).await.is_none() {
            return Ok(Some((id, how)));
        }
        self.ends.by_itself = true;
        self.restart_again().await?;
        Ok(None)
    }
}
