//! Waiting for deliveries, and recording what reached the endpoints.
//!
//! Invariant: a late delivery is not a lost one. The stage waits for arrivals for twice the deadline.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;

use super::watches::Counting;
use super::{Registered, SenderStage};
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::suite::transcript::{
    BrokenRequest, Emission, FailedHandshake, RegisteredWebhook, ScenarioName, Traits,
};
use crate::webhook::signature::{Key, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::coding::{is_unreadable, record_ids};
use crate::wire::endpoint::scripted::{self, Endpoint, Received};
use crate::wire::exchange::{Exchange, ExchangeId};
use crate::wire::uuids::uuids;

impl SenderStage<'_> {
    /// Whether a request to this webhook is signed with the webhook's own secret.
    pub(in crate::suite::sender) fn verifies(&self, registered: &Registered, received: &Received) -> bool {
        let webhook = &self.transcript.webhooks[registered.index];
        let headers = &received.delivery.headers;
        let found = (headers.single(SIGNATURE_HEADER), headers.single(TIMESTAMP_HEADER));
        let (Some(secret), (Some(signature), Some(timestamp))) = (&webhook.secret, found) else {
            return false;
        };
        Key::new(secret).verify(timestamp, &received.delivery.body, signature)
    }

    /// The records of the events since the webhook's registration that match its filter.
    fn expected_at(&self, webhook: usize) -> Vec<String> {
        let RegisteredWebhook { operations, scenario, .. } = &self.transcript.webhooks[webhook];
        let wanted = |emission: &&Emission| {
            let name = &emission.event.name;
            // A first event that is lost while the registration settles would cost the whole wait in each scenario. SUB-1 has its own.
            let may_be_lost = emission.first && self.settles() && *scenario != EVERY_EVENT.name;
            emission.unsupported.is_none()
                && !may_be_lost
                && operations.as_ref().is_none_or(|all| all.iter().any(|one| name.matches(one)))
        };
        self.transcript.emissions_to(webhook).filter(wanted).map(|one| one.record_id.clone()).collect()
    }

    /// Waits until every event of the scenario has reached each of its webhooks at which requests can be seen.
    pub(crate) async fn wait_for_all(&mut self) {
        let visible = |one: &&Registered| self.transcript.webhooks[one.index].conduct.sees_requests();
        let seen = self.registered.iter().filter(visible);
        join_all(seen.map(|one| self.wait_for(&one.endpoint, self.expected_at(one.index)))).await;
        if let Some(first) = self.registered.first() {
            self.mark_awaited(self.transcript.webhooks[first.index].scenario);
        }
    }

    /// Notes that everything emitted so far has had enough time to arrive.
    pub(crate) fn mark_awaited(&mut self, scenario: ScenarioName) {
        let of_scenario = self.transcript.emissions.iter_mut().filter(|one| one.scenario == scenario);
        of_scenario.for_each(|emission| emission.awaited = true);
    }

    /// Waits until these records have arrived, each as often as it is named.
    pub(crate) async fn wait_for(&self, endpoint: &Endpoint, ids: Vec<String>) {
        let (mut missing, mut seen): (HashMap<String, usize>, _) = (HashMap::new(), 0);
        for id in ids {
            *missing.entry(id).or_default() += 1;
        }
        let mut unreadable = 0;
        let enough = |received: &[Received]| {
            unreadable += received[seen..].iter().filter(|one| is_unreadable(&one.delivery)).count();
            // A body may contain an id more than once.
            let carried = |one: &Received| record_ids(&one.delivery).into_iter().collect::<HashSet<_>>();
            for id in received[seen..].iter().flat_map(carried) {
                if let Some(count) = missing.get_mut(&id) {
                    *count -= 1;
                    if *count == 0 {
                        missing.remove(&id);
                    }
                }
            }
            seen = received.len();
            // What cannot be read may be what is missing.
            missing.values().sum::<usize>() <= unreadable
        };
        // The checks judge what did not arrive by then.
        endpoint.wait(self.transcript.limits.deadline * 2, enough).await;
    }

    /// Records what reached the endpoints.
    pub(crate) fn record_arrivals(&mut self) {
        self.record_counting(None);
    }

    /// The same for a scenario that was watched while others ran: what counts for it.
    pub(super) fn record_counting(&mut self, watched: Option<&Counting>) {
        let (now, unfinished_after) = (self.clock.now_ms(), self.transcript.limits.deadline);
        // A CRM also sends what others do there.
        let own = self.crm().and(self.registered.first()).map(|first| self.ids_in_scenario_of(first.index));
        let seen = |one: &Registered| (one.index, one.endpoint.seen(unfinished_after));
        for (at, (index, seen)) in
            self.registered.iter().map(seen).collect::<Vec<_>>().into_iter().enumerate()
        {
            for (place, one) in seen.received.into_iter().enumerate() {
                if watched.is_some_and(|watched| !watched.includes(at, place, &one)) {
                    continue;
                }
                let strays = |token: &String| {
                    *token != self.tokens[index] && one.delivery.target.contains(token.as_str())
                };
                if !self.tokens.iter().any(strays) && own.as_ref().is_none_or(|own| is_about(&one, own)) {
                    self.record_arrival(Some(index), one);
                }
            }
            let broken = seen.broken.into_iter().map(|one| BrokenRequest {
                webhook: index,
                fault: one.fault,
                what: one.what,
            });
            self.transcript.broken.extend(broken);
            let handshake = |one: scripted::Handshake| FailedHandshake {
                webhook: index,
                at_ms: one.at_ms,
                end: one.end,
                what: one.what,
            };
            self.transcript.handshakes.extend(seen.handshakes.into_iter().map(handshake));
            let webhook = &mut self.transcript.webhooks[index];
            webhook.watched_until_ms = watched.map_or(now, |watched| watched.watched_until(now));
            (webhook.dropped, webhook.overflowed) = (seen.dropped, seen.overflowed);
        }
    }

    /// The records of the events of a webhook's scenario.
    fn ids_in_scenario_of(&self, webhook: usize) -> HashSet<String> {
        let scenario = self.transcript.webhooks[webhook].scenario;
        self.transcript.emissions_of(scenario).map(|one| one.record_id.clone()).collect()
    }

    /// Remarks on requests that were no deliveries.
    pub(crate) fn remark_on_strays(&mut self) {
        let counts = self.settings.strays.counts();
        if !counts.is_empty() {
            self.transcript.remarks.push(messages::strays(&counts));
        }
    }

    /// Records a request that reached a webhook's endpoint or, with `None`, the target of a redirect.
    pub(crate) fn record_arrival(&mut self, webhook: Option<usize>, received: Received) {
        let traits = Traits {
            began_ms: received.began_ms,
            body_length: received.body_length,
            given_up_after: received.given_up_after,
            wrong_length: received.wrong_length,
        };
        self.transcript.arrive(webhook, Self::exchange(received), traits);
    }

    pub(crate) fn exchange(received: Received) -> Exchange {
        Exchange {
            id: ExchangeId(0),
            delivery: received.delivery,
            outcome: received.outcome,
            at_ms: received.at_ms,
            took: Duration::ZERO,
        }
    }
}

/// Whether a request carries one of these records or, if a redirect was followed, names one in its target.
fn is_about(one: &Received, ids: &HashSet<String>) -> bool {
    let mut of_target = uuids(one.delivery.target.as_bytes());
    record_ids(&one.delivery).iter().any(|id| ids.contains(id)) || of_target.any(|id| ids.contains(id))
}
