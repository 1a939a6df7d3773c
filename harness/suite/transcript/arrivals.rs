//! What a transcript says about a sender: its webhooks, the events of each, and the requests that arrived.

use std::sync::OnceLock;

use super::{
    Arrival, Emission, MOVED, RegisteredWebhook, ScenarioName, SettledDelivery, Traits, Transcript, uuids,
};
use crate::webhook::dialect::{Dialect, Members};
use crate::wire::coding::{is_unreadable, record_ids};
use crate::wire::exchange::{Exchange, ExchangeId};

impl Transcript {
    /// The webhooks of a scenario, with their indices, in the order of registration.
    pub fn webhooks_of(&self, scenario: ScenarioName) -> impl Iterator<Item = (usize, &RegisteredWebhook)> {
        self.webhooks.iter().enumerate().filter(move |(_, webhook)| webhook.scenario == scenario)
    }

    pub fn emissions_of(&self, scenario: ScenarioName) -> impl Iterator<Item = &Emission> {
        self.emissions.iter().filter(move |emission| emission.scenario == scenario)
    }

    /// Records a request that reached an endpoint, with the events that it carries.
    pub fn arrive(&mut self, webhook: Option<usize>, exchange: Exchange, traits: Traits) {
        let delivery = &exchange.delivery;
        // A redirect may be followed without the body: then only the target has the id.
        let of_target = uuids(delivery.target.as_bytes()).map(str::to_owned);
        let mut carries: Vec<usize> = record_ids(delivery)
            .into_iter()
            .chain(of_target)
            .filter_map(|id| self.emission_of(&id, &delivery.body))
            .collect();
        // An id that occurs in a body more than once is still one event.
        carries.sort_unstable();
        carries.dedup();
        let body_cut = traits.body_length.saturating_sub(delivery.body.len() as u64);
        let exchange = self.record_part(exchange, body_cut);
        self.arrivals.push(Arrival { webhook, exchange, carries, traits, shown: OnceLock::new() });
    }

    /// The dialect that this body is judged in: recorded and watched bodies show theirs, unless an option names it.
    pub(crate) fn dialect_of(&self, arrival: &Arrival) -> &'static Dialect {
        let shown = || Dialect::of_body(&self.exchange(arrival.exchange).delivery.body);
        let is_own = self.recorded && self.chosen.is_some();
        let own = is_own.then(|| *arrival.shown.get_or_init(shown)).flatten();
        own.unwrap_or(self.dialect)
    }

    /// The event that a body with this record id carries. A record may have several events: then the body names one of them.
    fn emission_of(&self, record_id: &str, body: &[u8]) -> Option<usize> {
        let of_record = |(_, emission): &(usize, &Emission)| emission.record_id == record_id;
        let all: Vec<(usize, &Emission)> = self.emissions.iter().enumerate().filter(of_record).collect();
        let [.., (last, _)] = all[..] else { return None };
        if let [_] = all[..] {
            return Some(last);
        }
        let named = Members::parse(body).ok().and_then(|members| members.text(self.dialect.event_member));
        let is_named = |emission: &Emission| named.as_deref() == Some(emission.event.name.as_str());
        Some(all.iter().find(|(_, emission)| is_named(emission)).map_or(last, |(at, _)| *at))
    }

    /// Records what reached a webhook before the suite began, which carries none of its events.
    pub fn arrive_all(
        &mut self,
        webhook: usize,
        exchanges: Vec<Exchange>,
        traits: impl Fn(&Exchange) -> Traits,
    ) {
        let first = self.exchanges.count() + 1;
        let arrival = |(at, exchange)| Arrival {
            webhook: Some(webhook),
            exchange: ExchangeId(first + at),
            carries: Vec::new(),
            traits: traits(exchange),
            shown: OnceLock::new(),
        };
        self.arrivals.extend(exchanges.iter().enumerate().map(arrival));
        self.exchanges.append(exchanges);
    }

    /// What reached the endpoints of a scenario's webhooks, with the webhook of each. It is in the order of emission: deliveries
    /// are concurrent, and a report must not depend on which was faster.
    pub fn arrivals_in(
        &self,
        scenario: ScenarioName,
    ) -> impl Iterator<Item = (&RegisteredWebhook, &Arrival)> {
        let of_scenario = |arrival: &'_ &Arrival| {
            arrival.webhook.is_some_and(|webhook| self.webhooks[webhook].scenario == scenario)
        };
        let mut arrivals: Vec<&Arrival> = self.arrivals.iter().filter(of_scenario).collect();
        arrivals.sort_by_key(|arrival| (arrival.carries.first().copied(), arrival.webhook));
        arrivals.into_iter().filter_map(|arrival| Some((&self.webhooks[arrival.webhook?], arrival)))
    }

    /// The events of its scenario that were emitted after a webhook was registered.
    pub fn emissions_to(&self, webhook: usize) -> impl Iterator<Item = &Emission> {
        let RegisteredWebhook { scenario, since, .. } = &self.webhooks[webhook];
        self.emissions[*since..].iter().filter(move |emission| emission.scenario == *scenario)
    }

    /// The requests that carried an event to a webhook's endpoint, in the order of arrival, without redirected ones.
    pub fn attempts(&self, webhook: usize, emission: &Emission) -> Vec<&Arrival> {
        let carries = |arrival: &&Arrival| {
            self.carried(arrival).any(|one| one.is(emission))
                && !self.exchange(arrival.exchange).delivery.target.starts_with(MOVED)
        };
        let at_webhook = self.arrivals.iter().filter(|arrival| arrival.webhook == Some(webhook));
        at_webhook.filter(carries).collect()
    }

    /// Whether a request reached a webhook whose event cannot be known, because of its content coding.
    pub fn has_unreadable(&self, webhook: usize) -> bool {
        let at_webhook = self.arrivals.iter().filter(|arrival| arrival.webhook == Some(webhook));
        let unknown = at_webhook.filter(|arrival| arrival.carries.is_empty());
        unknown.into_iter().any(|arrival| is_unreadable(&self.exchange(arrival.exchange).delivery))
    }

    /// The numbers of [`Transcript::attempts`].
    pub fn deliveries(&self, webhook: usize, emission: &Emission) -> Vec<ExchangeId> {
        self.attempts(webhook, emission).into_iter().map(|arrival| arrival.exchange).collect()
    }

    /// The outcome that the sender reports for an event's delivery to a webhook, if it is final.
    pub fn settled_of(&self, webhook: usize, emission: &Emission) -> Option<&SettledDelivery> {
        let mut settled = self.settled.iter();
        settled.find(|settled| settled.webhook == webhook && settled.record_id == emission.record_id)
    }

    /// The events that an arrival carries.
    pub fn carried(&self, arrival: &Arrival) -> impl Iterator<Item = &Emission> {
        arrival.carries.iter().map(|&at| &self.emissions[at])
    }
}
