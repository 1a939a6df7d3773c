//! How scenarios end, and watching for deliveries that must not come.
//!
//! Invariant: a scenario that ends with a watch is watched for the whole quiet time, while the next ones run if the sender has shown that it
//! serves several webhooks as it must. What they emit, and what comes later, does not count for it.

use std::collections::HashSet;
use std::mem;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::{Registered, SenderStage, Steps};
use crate::subject::SubjectError;
use crate::subject::capability::Capability;
use crate::subject::protocol::Op;
use crate::suite::transcript::{Ending, ScenarioName};
use crate::wire::coding::record_ids;
use crate::wire::endpoint::scripted::{Endpoint, Received};

/// Looks at what reached the registered webhooks by the end of a watch, which is given in milliseconds since the epoch.
type Afterwards = Box<dyn FnOnce(&mut SenderStage<'_>, u64)>;

/// A watch that began when its scenario had nothing more to do.
pub(super) struct Watch {
    over: Instant,
    over_ms: u64,
    /// Records the arrivals, if it is not done as usual.
    then: Option<Afterwards>,
}

/// A scenario that has ended except for its watch.
pub(super) struct Watched {
    scenario: ScenarioName,
    registered: Vec<Registered>,
    counting: Counting,
    watch: Watch,
}

/// Which requests count for a watched scenario: those that arrived before its watch and, until the watch is over, those that name
/// records of no other scenario.
pub(super) struct Counting {
    /// How many requests each registered webhook had received.
    before: Vec<usize>,
    /// The records of other scenarios.
    others: HashSet<String>,
    over_ms: u64,
}

impl Counting {
    /// Whether a request is one of the scenario's. It is given by the place of the webhook and its place there.
    pub(super) fn includes(&self, webhook: usize, place: usize, received: &Received) -> bool {
        // One that names no record may be of any scenario.
        let is_own = || {
            let ids = record_ids(&received.delivery);
            !ids.is_empty() && !ids.iter().any(|id| self.others.contains(id))
        };
        self.before
            .get(webhook)
            .is_some_and(|before| place < *before || (received.at_ms <= self.over_ms && is_own()))
    }

    /// Until when the scenario was watched, if it is `now`, in milliseconds since the epoch.
    pub(super) fn watched_until(&self, now: u64) -> u64 {
        now.min(self.over_ms)
    }
}

impl SenderStage<'_> {
    /// Runs a scenario, and records how it ended.
    pub async fn play(&mut self, scenario: ScenarioName, needs: Option<Capability>, steps: Steps) {
        let is_able = needs.is_none_or(|needed| self.declares(needed));
        let played = if is_able { steps(self).await } else { Ok(()) };
        match (self.watch.take(), played) {
            (Some(watch), Ok(())) => {
                let (before, over_ms) = (self.requests_so_far(), watch.over_ms);
                let counting = Counting { before, others: HashSet::new(), over_ms };
                let registered = mem::take(&mut self.registered);
                self.watched.push(Watched { scenario, registered, counting, watch });
                self.transcript.endings.push((scenario, Ending::Complete));
                if !self.serves_several {
                    self.end_watches().await;
                }
            }
            (_, played) => {
                self.record_arrivals();
                let cleared = if played.is_ok() { self.delete_webhooks().await } else { Ok(()) };
                self.close_endpoints();
                self.transcript.endings.push((scenario, self.ending(played.and(cleared))));
            }
        }
        self.end_watches_that_are_over().await;
    }

    fn ending(&self, played: Result<(), SubjectError>) -> Ending {
        match played {
            Ok(()) => Ending::Complete,
            Err(SubjectError::Died(why)) => Ending::Died(why),
            Err(SubjectError::ProtocolViolation(why)) => Ending::ProtocolViolation(why),
            Err(SubjectError::BrokenCapability(why)) => Ending::BrokenCapability(why),
            Err(SubjectError::OutOfTime) => Ending::OutOfTime(self.max_time.whole()),
            Err(why) => Ending::RequestFailed(why.to_string()),
        }
    }

    /// Watches for deliveries that must not come, while nothing else runs.
    pub(crate) async fn watch(&mut self) {
        self.watch_for(self.transcript.limits.quiet).await;
    }

    pub(crate) async fn watch_for(&mut self, time: Duration) {
        sleep(time).await;
        self.transcript.waited += time;
    }

    /// Watches an endpoint for the quiet time, or until it has received what must not come.
    pub(crate) async fn watch_until(&mut self, endpoint: &Endpoint, has_come: impl Fn(&[Received]) -> bool) {
        let began = Instant::now();
        endpoint.wait(self.transcript.limits.quiet, has_come).await;
        self.transcript.waited += began.elapsed();
    }

    /// Watches for deliveries that must not come, while the next scenarios run if they may. Must be the last step of a scenario.
    pub(crate) fn watch_meanwhile(&mut self, then: Option<Afterwards>) {
        let quiet = self.transcript.limits.quiet;
        let quiet_ms = u64::try_from(quiet.as_millis()).unwrap_or(u64::MAX);
        let over_ms = self.clock.now_ms().saturating_add(quiet_ms);
        self.watch = Some(Watch { over: Instant::now() + quiet, over_ms, then });
    }

    /// Finds out whether scenarios may overlap: whether each registered webhook got each event of the scenario once, signed with its own
    /// secret. Otherwise a fault with several webhooks would fail what it does not concern.
    pub(crate) fn learn_whether_it_serves_several(&mut self, scenario: ScenarioName) {
        if self.crm().is_some() {
            // A scenario that is still watched has webhooks that the next one could use again.
            return;
        }
        let emitted = self.transcript.emissions_of(scenario).count();
        self.serves_several = self.registered.iter().all(|one| {
            one.endpoint.look(|received| {
                received.len() == emitted && received.iter().all(|request| self.verifies(one, request))
            })
        });
    }

    /// How many requests have reached each registered webhook and were kept.
    pub(crate) fn requests_so_far(&self) -> Vec<usize> {
        self.registered.iter().map(|one| one.endpoint.look(<[Received]>::len)).collect()
    }

    /// Waits until all watches are over.
    pub(crate) async fn end_watches(&mut self) {
        if let Some(over) = self.watched.iter().map(|one| one.watch.over).max() {
            let began = Instant::now();
            sleep_until(over).await;
            self.transcript.waited += began.elapsed();
        }
        self.end_watches_that_are_over().await;
    }

    async fn end_watches_that_are_over(&mut self) {
        let now = Instant::now();
        while let Some(at) = self.watched.iter().position(|one| one.watch.over <= now) {
            let watched = self.watched.remove(at);
            let scenario = self.record_watched(watched);
            let cleared = self.delete_webhooks().await;
            self.close_endpoints();
            if cleared.is_err() && !self.is_lost() {
                let ending = self.ending(cleared);
                self.transcript.cut_short(scenario, ending);
            }
        }
    }

    /// Records what was watched so far. Scenarios whose watch is not over end in this way.
    pub(crate) fn cut_watches(&mut self, why: &Ending) {
        for watched in mem::take(&mut self.watched) {
            let is_over = watched.watch.over <= Instant::now();
            let scenario = self.record_watched(watched);
            self.close_endpoints();
            if !is_over {
                self.transcript.cut_short(scenario, why.clone());
            }
        }
    }

    /// Records what arrived at watched webhooks. They are the registered ones from then on.
    fn record_watched(&mut self, mut watched: Watched) -> ScenarioName {
        let emissions = self.transcript.emissions.iter();
        let others = emissions.filter(|one| one.scenario != watched.scenario);
        watched.counting.others = others.map(|one| one.record_id.clone()).collect();
        self.registered = watched.registered;
        match watched.watch.then {
            Some(then) => then(self, watched.watch.over_ms),
            None => self.record_counting(Some(&watched.counting)),
        }
        watched.scenario
    }

    /// Whether the sender was lost, which is the ending of another scenario.
    fn is_lost(&self) -> bool {
        let lost =
            |(_, ending): &(_, Ending)| matches!(ending, Ending::Died(_) | Ending::ProtocolViolation(_));
        self.transcript.endings.iter().any(lost)
    }

    /// Deletes the scenario's webhooks, if the sender can.
    pub(in crate::suite::sender) async fn delete_webhooks(&mut self) -> Result<(), SubjectError> {
        self.settling.end();
        if self.crm().is_some() {
            self.keep_idle();
            return Ok(());
        }
        if !self.declares(Capability::Delete) {
            return Ok(());
        }
        // Taken: what is cut off here was recorded already, and must not be recorded again.
        for registered in &mem::take(&mut self.registered) {
            if self.transcript.webhooks[registered.index].deleted_after.is_none() {
                match self.call(Op::DeleteWebhook { webhook: registered.name.clone() }).await {
                    // The scenario is over; SUB-3 judges whether webhooks can be deleted.
                    Ok(_) | Err(SubjectError::RequestFailed(_)) => {}
                    // Nor does it lack anything if the time is used up.
                    Err(SubjectError::OutOfTime) => return Ok(()),
                    Err(why) => return Err(why),
                }
            }
        }
        Ok(())
    }

    /// Closes the scenario's endpoints. The endpoint of a webhook that cannot be deleted stays open, but no longer counts.
    pub(crate) fn close_endpoints(&mut self) {
        if self.crm().is_some() {
            self.keep_idle();
            return;
        }
        let left = self.registered.drain(..).map(|one| one.endpoint);
        if self.transcript.capabilities.contains(&Capability::Delete) {
            left.for_each(drop);
        } else {
            self.retired.extend(left.inspect(Endpoint::retire));
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::wire::exchange::{Delivery, Headers, Outcome, Response, Transfer};

    const OWN: &str = "aaaaaaaa-1111-4222-8333-444444444444";
    const FOREIGN: &str = "bbbbbbbb-1111-4222-8333-444444444444";

    fn received(body: &str, at_ms: u64) -> Received {
        let delivery = Delivery {
            method: "POST".to_owned(),
            target: "/".to_owned(),
            headers: Headers::default(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            transfer: Transfer::Whole,
        };
        Received {
            delivery,
            body_length: body.len() as u64,
            began_ms: at_ms,
            at_ms,
            outcome: Outcome::Answered(Response::default()),
            given_up_after: None,
            wrong_length: None,
        }
    }

    #[test]
    fn events_of_others_do_not_count_during_a_watch_and_nothing_after_it() {
        let counting = Counting { before: vec![1, 0], others: [FOREIGN.to_owned()].into(), over_ms: 500 };
        let counts =
            |webhook, place, body: &str, at_ms| counting.includes(webhook, place, &received(body, at_ms));
        assert!(counts(0, 0, "not JSON", 100), "it came before the watch");
        assert!(counts(0, 1, OWN, 500) && counts(1, 0, OWN, 500), "it came in time");
        assert!(!counts(1, 0, OWN, 501), "it came later");
        assert!(!counts(0, 1, FOREIGN, 200) && !counts(1, 0, "", 200), "it may be for another scenario");
        assert!(!counts(2, 0, OWN, 200), "there is no such webhook");
        assert_eq!((counting.watched_until(400), counting.watched_until(600)), (400, 500));
    }
}
