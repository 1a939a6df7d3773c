//! Generated events in bursts, to several webhooks with their own secrets. An event whose delivery is wrong is shrunk, and so
//! is a secret.
//!
//! Invariant: nothing is judged here. A wrong delivery is recorded as an emission with its arrivals; all others are only
//! counted. The fixed scenarios judge faults that plain events show too.

mod cases;
mod crm;
mod deviation;
mod inbox;
mod parts;
mod records;
mod shrink;
mod written;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::slice;
use std::time::Duration;

use futures_util::FutureExt as _;
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use self::inbox::Inbox;
use self::records::RecordProperty;
use crate::subject::SubjectError;
use crate::subject::capability::Capability;
use crate::suite::messages::fewer_generated;
use crate::suite::property::LEAST_CASES;
use crate::suite::scenario::{Play, Scenario, Turn};
use crate::suite::sender::messages;
use crate::suite::sender::stage::{NewWebhook, Registered, SenderStage};
use crate::suite::transcript::{Generated, ScenarioName, Tally};
use crate::webhook::event::Event;
use crate::webhook::json::Json;
use crate::webhook::json::difference::Concern;
use crate::wire::endpoint::scripted::Budget;

/// Events with generated records, to webhooks with generated secrets.
pub const GENERATED: Scenario = Scenario {
    name: ScenarioName("generated"),
    sends: "three webhooks, two of them with generated secrets; bursts of events with generated records: text in any \
            script, numbers at the edges of 2^53 and beyond, nesting, integer-like and unusual names, lone surrogates, \
            up to 64 KiB",
    needs: None,
    turn: Turn::Generated,
    play: Play::Sender(|stage| stage.generated().boxed_local()),
};

/// How many events of each kind go to the same webhooks.
const ROUND: usize = 64;
/// How many cases of each property a CRM gets: each call has a price.
const CASES_OF_CRM: usize = 16;
/// The most requests that an endpoint gets. It keeps all of them.
const MOST_REQUESTS: u64 = 900;
/// The events with generated records. Every dialect has these objects and actions.
const EVENTS: [&str; 4] = ["company.created", "person.updated", "note.created", "company.updated"];
const SCENARIO: ScenarioName = GENERATED.name;

/// How deliveries are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum DeliveryDeviation {
    /// A webhook does not get the event.
    Lost,
    /// A webhook gets the event more than once.
    Repeated,
    /// One request carries several events.
    Batched,
    /// The request contains the webhook's secret.
    Leaked,
    /// The signature does not verify.
    Unverified,
    /// The body does not carry the event that was emitted, as far as that concern goes.
    Altered(Concern),
}

#[derive(Debug, Clone)]
struct EmittedEvent {
    event: Event,
    record: Json,
    id: String,
    asked_at_ms: u64,
    concern: Concern,
}

/// One set of webhooks, in the order of the stage's registered ones, and what each of them received.
struct GeneratedRound {
    /// Indices into the transcript's webhooks.
    webhooks: Range<usize>,
    inboxes: Vec<Inbox>,
    /// The emitted events by record id.
    sent: HashMap<String, EmittedEvent>,
    /// Deviations that plain events show or that were found before. The search ignores them.
    known: BTreeSet<DeliveryDeviation>,
    /// The events that arrived as expected, with the property of each.
    arrived: Vec<(String, &'static str)>,
    /// How many requests had reached each webhook when other scenarios began to emit.
    before_watch: Vec<usize>,
}

/// What follows a round of the search.
#[derive(Debug, Clone, Copy)]
enum AfterRound {
    /// The next round.
    NextRound,
    /// The same round again, with new webhooks.
    SameRound,
    /// The next scenario, during which this last round is watched.
    Watched,
    /// Nothing: the search ends.
    Stop,
}

/// What is kept from one round to the next.
struct SearchState {
    properties: Vec<(RecordProperty, TestRunner, Tally)>,
    secrets: TestRunner,
    /// Deviations that were found before, which the search ignores.
    found: BTreeSet<DeliveryDeviation>,
    /// How many cases of each property were tried.
    tried: usize,
    /// How long the last burst of each property took.
    spent: Duration,
    /// Whether another burst did not fit the time.
    out_of_time: bool,
}

impl GeneratedRound {
    fn generated(&self, property: &'static str, steps: usize) -> Generated {
        Generated { property, steps, webhooks: self.webhooks.clone(), what: None, matters: None }
    }

    /// Reads new arrivals until that time, in milliseconds since the epoch.
    fn read_until(&mut self, registered: &[Registered], end_ms: u64) {
        for (one, inbox) in registered.iter().zip(&mut self.inboxes) {
            one.endpoint.look(|received| {
                let end = received.iter().position(|one| one.at_ms > end_ms).unwrap_or(received.len());
                inbox.read(&received[..end]);
            });
        }
    }
}

impl SearchState {
    /// The secrets of a round, each of which can be shrunk.
    fn secrets(&mut self) -> Vec<Box<dyn ValueTree<Value = String>>> {
        let tree = |strategy: BoxedStrategy<String>| {
            let tree = strategy.new_tree(&mut self.secrets);
            tree.unwrap_or_else(|why| unreachable!("a secret cannot be generated: {why}"))
        };
        records::secrets().map(tree).into()
    }
}

impl SenderStage<'_> {
    async fn generated(&mut self) -> Result<(), SubjectError> {
        let properties = records::properties().into_iter().map(|property| {
            let runner = self.extent.runner(SCENARIO, property.name);
            let tally = Tally {
                scenario: SCENARIO,
                property: property.name,
                cases: 0,
                as_expected: 0,
                uncontrolled: 0,
            };
            (property, runner, tally)
        });
        let mut search = SearchState {
            properties: properties.collect(),
            secrets: self.extent.runner(SCENARIO, "secrets"),
            found: BTreeSet::new(),
            tried: 0,
            spent: Duration::ZERO,
            out_of_time: false,
        };
        let mut left = self.extent.cases as usize;
        if self.crm().is_some() {
            if !self.takes_any_record() {
                self.transcript.remarks.push(messages::no_generated_records().to_owned());
                return Ok(());
            }
            left = left.min(CASES_OF_CRM);
        }
        if !self.declares(Capability::Delete) {
            // Each round would leave webhooks that receive everything from then on.
            left = left.min(ROUND);
        }
        let mut ended = Ok(AfterRound::NextRound);
        while left > 0 && !search.out_of_time && !matches!(ended, Ok(AfterRound::Stop) | Err(_)) {
            let cases = left.min(ROUND);
            ended = self.round(cases, left == cases, &mut search).await;
            left -= if matches!(ended, Ok(AfterRound::SameRound)) { 0 } else { cases };
        }
        let SearchState { properties, tried, out_of_time, .. } = search;
        self.transcript.tallies.extend(properties.into_iter().map(|(_, _, tally)| tally));
        let cases = self.extent.cases as usize;
        match ended {
            Ok(_) if !out_of_time => Ok(()),
            Ok(_) | Err(SubjectError::OutOfTime) if tried >= LEAST_CASES.min(cases) => {
                self.transcript.remarks.push(fewer_generated(tried, cases, self.max_time.whole()));
                Ok(())
            }
            Ok(_) => Err(SubjectError::OutOfTime),
            Err(why) => Err(why),
        }
    }

    /// Runs one round, with this many cases of each property. Returns what follows it. The last round is watched while the next
    /// scenario runs.
    async fn round(
        &mut self,
        cases: usize,
        is_last: bool,
        search: &mut SearchState,
    ) -> Result<AfterRound, SubjectError> {
        // What is kept here is released after each round, so it has its own budget.
        let kept = std::mem::replace(&mut self.settings.budget, Budget::of_a_run());
        let played = self.play_round(cases, is_last, search).await;
        self.settings.budget = kept;
        if matches!(played, Ok(AfterRound::Watched)) {
            return played;
        }
        let cleared = self.delete_webhooks().await;
        self.close_endpoints();
        // Deliveries that passed are in the evidence by now.
        self.transcript.release();
        let then = played?;
        cleared.map(|()| then)
    }

    async fn play_round(
        &mut self,
        cases: usize,
        is_last: bool,
        search: &mut SearchState,
    ) -> Result<AfterRound, SubjectError> {
        let began = self.transcript.webhooks.len();
        self.register(SCENARIO).await?;
        let mut secrets = search.secrets();
        let mut kinds = Vec::new();
        for (secret, kind) in secrets.iter().zip([messages::short_secret(), messages::long_secret()]) {
            // A CRM has few webhooks, with the secrets that they have.
            let wanted = match self.crm() {
                None => NewWebhook::with_secret(secret.current()),
                Some(_) => NewWebhook::signed(),
            };
            match self.register_as(SCENARIO, wanted).await {
                Ok(()) => kinds.push(kind),
                // The sender decides which secrets it accepts.
                Err(SubjectError::RequestFailed(why)) => self.remark_once(messages::secret_refused(), &why),
                Err(why) => return Err(why),
            }
        }
        if kinds.len() < secrets.len() || self.crm().is_some() {
            secrets.clear();
        }
        let webhooks = began..self.transcript.webhooks.len();
        let inboxes = webhooks.clone().map(|_| Inbox::default()).collect();
        let mut round = GeneratedRound {
            webhooks,
            inboxes,
            sent: HashMap::new(),
            known: search.found.clone(),
            arrived: Vec::new(),
            before_watch: Vec::new(),
        };
        let then = self.search_round(cases, search, &mut round, secrets, &kinds).await;
        if matches!(then, Ok(AfterRound::NextRound)) {
            if is_last && !search.out_of_time {
                round.before_watch = self.requests_so_far();
                self.watch_meanwhile(Some(Box::new(|stage, over_ms| {
                    stage.end_round(round, over_ms);
                })));
                return Ok(AfterRound::Watched);
            }
            self.watch().await;
        }
        if self.end_round(round, u64::MAX) {
            search.found.insert(DeliveryDeviation::Repeated);
        }
        then
    }

    /// Records what arrived in a round until that time, in milliseconds since the epoch. Returns whether an event came again late.
    fn end_round(&mut self, mut round: GeneratedRound, end_ms: u64) -> bool {
        round.read_until(&self.registered, end_ms);
        let is_repeated = self.look_for_repeated(&round);
        self.record_rest(&round);
        is_repeated
    }

    /// Emits to a set of webhooks: a plain event and, if its deliveries are right, generated events.
    async fn search_round(
        &mut self,
        cases: usize,
        search: &mut SearchState,
        round: &mut GeneratedRound,
        mut secrets: Vec<Box<dyn ValueTree<Value = String>>>,
        kinds: &[&str],
    ) -> Result<AfterRound, SubjectError> {
        // SUB-1 judges the first event after a registration. It shows nothing here.
        self.emit_first(SCENARIO).await?;
        let mut plain = self.plain();
        self.ask_all(slice::from_mut(&mut plain)).await?;
        self.wait_for_deliveries(round, slice::from_ref(&plain)).await;
        // A deviation of a plain event with a plain secret shows in every event; the fixed scenarios judge it.
        let at_each: Vec<_> =
            (0..round.inboxes.len()).map(|which| self.deviations_at(which, round, &plain)).collect();
        let lost: Vec<bool> = at_each.iter().map(|all| all.contains(&DeliveryDeviation::Lost)).collect();
        if lost.contains(&true) && !self.rehearses {
            // If it is lost with a plain secret too, the fixed scenarios judge it.
            if !lost[0] {
                let which: Vec<&str> =
                    (1..lost.len()).filter(|&at| lost[at]).map(|at| kinds[at - 1]).collect();
                let generated = Generated { what: Some(which.join(", ")), ..round.generated("secrets", 0) };
                self.record_case(&plain, DeliveryDeviation::Lost, generated, round);
            }
            return Ok(AfterRound::Stop);
        }
        round.known.extend(&at_each[0]);
        let unverified =
            (1..at_each.len()).find(|&which| at_each[which].contains(&DeliveryDeviation::Unverified));
        if let Some(which) = unverified
            && round.known.insert(DeliveryDeviation::Unverified)
        {
            search.found.insert(DeliveryDeviation::Unverified);
            if secrets.is_empty() {
                self.record_case(&plain, DeliveryDeviation::Unverified, round.generated("secrets", 0), round);
            } else {
                self.shrink_secret(which, secrets.swap_remove(which - 1), round, &plain).await?;
            }
            // The search has filled the endpoints; the next round has new ones.
            return Ok(AfterRound::SameRound);
        }
        self.emit_generated(cases, search, round).await
    }
}
