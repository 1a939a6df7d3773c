//! Generated events in bursts, to several webhooks with secrets of their own; where a delivery comes out otherwise than it
//! should, the smallest event that shows it, and the smallest secret.
//!
//! Invariant: nothing is judged here. What comes out otherwise than it should is looked into further and written down as an
//! emission with its arrivals; all else is only counted. What is wrong with plain events is left to the fixed ones.

mod deviation;
mod inbox;
mod records;
mod smaller;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::slice;

use futures_util::future::join_all;
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::value::RawValue;

use super::{Registered, Stage, Wanted};
use crate::subject::SubjectError;
use crate::subject::protocol::{Op, Reply};
use crate::suite::sender::scenarios::GENERATED;
use crate::suite::transcript::{Capability, Emission, Form, Generated, ScenarioName, Tally};
use crate::webhook::event::Event;
use crate::webhook::json::difference::Concern;
use crate::webhook::json::{Json, Text};
use crate::wire::endpoint::scripted::Budget;
use inbox::Inbox;
use records::{Members, Property};

/// How many events are emitted at the same time.
const BURST: usize = 16;
/// How many events of each kind go to the same webhooks.
const ROUND: usize = 64;
/// How many requests an endpoint gets at most, so that it keeps all of them.
const MOST_REQUESTS: u64 = 900;
/// The events whose records are generated: those of several objects and actions which every dialect has.
const EVENTS: [&str; 4] = ["company.created", "person.updated", "note.created", "company.updated"];
const SCENARIO: ScenarioName = GENERATED.name;

/// How deliveries come out otherwise than they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deviation {
    /// A webhook does not get one.
    Lost,
    /// A webhook gets it more than once.
    Repeated,
    /// One request carries several of them.
    Batched,
    /// The webhook's secret stands in it.
    Leaked,
    /// Its signature does not verify.
    Unverified,
    /// What it carries is not the event, as far as that concern goes.
    Altered(Concern),
}

/// An event that was emitted.
#[derive(Debug, Clone)]
struct Sent {
    event: Event,
    record: Json,
    id: String,
    asked_at_ms: u64,
    concern: Concern,
}

/// One set of webhooks, in the order of the stage's registered ones, and what each of them got.
struct Round {
    /// As indices into the transcript's.
    webhooks: Range<usize>,
    inboxes: Vec<Inbox>,
    /// What was emitted, by the ids of the records.
    sent: HashMap<String, Sent>,
    /// What is wrong with plain events, or was found already: it is not looked for.
    known: BTreeSet<Deviation>,
}

/// How it goes on behind a round.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// With the next one.
    On,
    /// With one in its place.
    Again,
    /// Not at all.
    Stop,
}

/// What goes on from one round to the next.
struct Search {
    properties: Vec<(Property, TestRunner, Tally)>,
    secrets: TestRunner,
    /// What was found already, and is not looked for any more.
    found: BTreeSet<Deviation>,
}

impl Round {
    fn generated(&self, property: &'static str, steps: usize) -> Generated {
        Generated { property, steps, webhooks: self.webhooks.clone(), what: None }
    }

    /// Looks through what has come since.
    fn read(&mut self, registered: &[Registered]) {
        for (one, inbox) in registered.iter().zip(&mut self.inboxes) {
            one.endpoint.look(|received| inbox.read(received));
        }
    }
}

impl Search {
    /// The secrets of a round, each of which can be made smaller.
    fn secrets(&mut self) -> Vec<Box<dyn ValueTree<Value = String>>> {
        let tree = |strategy: BoxedStrategy<String>| {
            let tree = strategy.new_tree(&mut self.secrets);
            tree.unwrap_or_else(|why| unreachable!("a secret cannot be generated: {why}"))
        };
        records::secrets().map(tree).into()
    }
}

impl Stage<'_> {
    pub(crate) async fn generated(&mut self) -> Result<(), SubjectError> {
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
        let mut search = Search {
            properties: properties.collect(),
            secrets: self.extent.runner(SCENARIO, "secrets"),
            found: BTreeSet::new(),
        };
        let mut left = self.extent.cases as usize;
        if !self.declares(Capability::Delete) {
            // Each further round would leave webhooks behind that get everything from then on.
            left = left.min(ROUND);
        }
        let mut ended = Ok(Then::On);
        while left > 0 && !matches!(ended, Ok(Then::Stop) | Err(_)) {
            let cases = left.min(ROUND);
            ended = self.round(cases, &mut search).await;
            left -= if matches!(ended, Ok(Then::Again)) { 0 } else { cases };
        }
        self.transcript.tallies.extend(search.properties.into_iter().map(|(_, _, tally)| tally));
        ended.map(drop)
    }

    /// One set of webhooks, and as many cases of each property. Returns how it goes on.
    async fn round(&mut self, cases: usize, search: &mut Search) -> Result<Then, SubjectError> {
        // What is kept here is let go of behind each round, so that it is no part of what a whole run may keep.
        let kept = std::mem::replace(&mut self.settings.budget, Budget::of_a_run());
        let played = self.play_round(cases, search).await;
        self.settings.budget = kept;
        let cleared = self.clear_away().await;
        self.leave();
        // What came out as it should is in the evidence by now.
        self.transcript.release();
        let then = played?;
        cleared.map(|()| then)
    }

    async fn play_round(&mut self, cases: usize, search: &mut Search) -> Result<Then, SubjectError> {
        let began = self.transcript.webhooks.len();
        self.register(SCENARIO).await?;
        let mut secrets = search.secrets();
        let mut kinds = Vec::new();
        for (secret, kind) in secrets.iter().zip(["a short one", "one of more than 64 bytes"]) {
            match self.register_as(SCENARIO, Wanted::with_secret(secret.current())).await {
                Ok(()) => kinds.push(kind),
                // Which secrets it takes is up to the sender.
                Err(SubjectError::Stuck(why)) => self.remark_once("a generated secret was not tried", &why),
                Err(why) => return Err(why),
            }
        }
        if kinds.len() < secrets.len() {
            secrets.clear();
        }
        let webhooks = began..self.transcript.webhooks.len();
        let inboxes = webhooks.clone().map(|_| Inbox::default()).collect();
        let mut round = Round { webhooks, inboxes, sent: HashMap::new(), known: search.found.clone() };
        let then = self.look_into(cases, search, &mut round, secrets, &kinds).await;
        round.read(&self.registered);
        self.keep(&round);
        then
    }

    /// Emits to a set of webhooks: a plain event and, where that comes out right, generated ones.
    async fn look_into(
        &mut self,
        cases: usize,
        search: &mut Search,
        round: &mut Round,
        mut secrets: Vec<Box<dyn ValueTree<Value = String>>>,
        kinds: &[&str],
    ) -> Result<Then, SubjectError> {
        // The first event behind a registration is for SUB-1 to judge, and shows nothing here.
        self.first(SCENARIO).await?;
        let plain = self.plain();
        self.ask(&plain).await?;
        self.arrive_all(round, slice::from_ref(&plain)).await;
        // Whatever shows in a plain event under a plain secret shows in all; the fixed scenarios have it.
        let at_each: Vec<_> =
            (0..round.inboxes.len()).map(|which| self.deviations_at(which, round, &plain)).collect();
        let lost: Vec<bool> = at_each.iter().map(|all| all.contains(&Deviation::Lost)).collect();
        if lost.contains(&true) {
            // Where it is lost under a plain secret too, the fixed scenarios have it.
            if !lost[0] {
                let which: Vec<&str> =
                    (1..lost.len()).filter(|&at| lost[at]).map(|at| kinds[at - 1]).collect();
                let generated = Generated { what: Some(which.join(", ")), ..round.generated("secrets", 0) };
                self.write_case(&plain, Deviation::Lost, generated, round);
            }
            return Ok(Then::Stop);
        }
        round.known.extend(&at_each[0]);
        let unverified = (1..at_each.len()).find(|&which| at_each[which].contains(&Deviation::Unverified));
        if let Some(which) = unverified
            && round.known.insert(Deviation::Unverified)
        {
            search.found.insert(Deviation::Unverified);
            if secrets.is_empty() {
                self.write_case(&plain, Deviation::Unverified, round.generated("secrets", 0), round);
            } else {
                self.shrink_secret(which, secrets.swap_remove(which - 1), round, &plain).await?;
            }
            // The search has filled the endpoints; the next round has new ones.
            return Ok(Then::Again);
        }
        self.emit_generated(cases, search, round).await
    }

    /// Emits cases of each property, and looks into those that come out otherwise than they should.
    async fn emit_generated(
        &mut self,
        cases: usize,
        search: &mut Search,
        round: &mut Round,
    ) -> Result<Then, SubjectError> {
        let mut came = Vec::new();
        for (property, runner, tally) in &mut search.properties {
            let mut left = cases;
            while left > 0 && self.has_room() {
                let trees: Vec<_> = (0..left.min(BURST)).map(|_| property.generate(runner)).collect();
                left -= trees.len();
                let named = trees.iter().zip(EVENTS.iter().cycle());
                let burst: Vec<Sent> =
                    named.map(|(tree, name)| self.made(name, &tree.current(), property.concern)).collect();
                let asked = join_all(burst.iter().map(|sent| self.ask(sent))).await;
                let asked = asked.into_iter().collect::<Result<Vec<Option<String>>, _>>()?;
                if let Some(why) = asked.iter().flatten().next() {
                    let begins = format!("not all of the generated {} were taken", property.name);
                    self.remark_once(&begins, why);
                }
                let asked = trees.into_iter().zip(burst).zip(asked).filter(|(_, refused)| refused.is_none());
                let (trees, burst): (Vec<_>, Vec<_>) = asked.map(|(asked, _)| asked).unzip();
                let burst_size = burst.len();
                self.arrive_all(round, &burst).await;
                for (tree, sent) in trees.into_iter().zip(burst) {
                    tally.cases += 1;
                    let deviations = self.deviations(round, &sent);
                    self.note(round, &sent, &deviations);
                    let counts = |one: &&Deviation| **one != Deviation::Altered(Concern::LoneSurrogates);
                    let counting: Vec<_> = deviations.iter().filter(counts).copied().collect();
                    tally.as_expected += usize::from(counting.is_empty());
                    let Some(&new) = counting.iter().find(|one| !round.known.contains(one)) else {
                        came.push((sent.id, property.name));
                        continue;
                    };
                    round.known.insert(new);
                    search.found.insert(new);
                    let (sent, steps) = self.shrink(tree, sent, new, round).await?;
                    let alone = (steps == 0).then(|| {
                        format!(
                            "emitted together with {} others; smaller ones by themselves came out right",
                            burst_size - 1
                        )
                    });
                    let generated = Generated { what: alone, ..round.generated(property.name, steps) };
                    self.write_case(&sent, new, generated, round);
                    if new == Deviation::Lost {
                        // Each one that is lost costs the whole wait.
                        return Ok(Then::Stop);
                    }
                }
            }
        }
        self.watch().await;
        round.read(&self.registered);
        // What comes a second time may come late.
        let twice = |id: &str| round.inboxes.iter().any(|inbox| inbox.of(id).len() > 1);
        let mut repeated = came
            .iter()
            .filter_map(|(id, property)| Some((round.sent.get(id).filter(|_| twice(id))?, property)));
        if let Some((sent, property)) =
            repeated.next().filter(|_| !round.known.contains(&Deviation::Repeated))
        {
            search.found.insert(Deviation::Repeated);
            self.write_case(sent, Deviation::Repeated, round.generated(property, 0), round);
        }
        Ok(Then::On)
    }

    /// An event of which nothing is generated.
    fn plain(&self) -> Sent {
        let id = self.random.uuid();
        let event = self.sample(EVENTS[0]).with_id(&id);
        let record = Json::parse(event.record.get().as_bytes()).unwrap_or(Json::Null);
        Sent { event, record, id, asked_at_ms: self.clock.now_ms(), concern: Concern::Values }
    }

    fn made(&self, name: &str, members: &Members, concern: Concern) -> Sent {
        let id = self.random.uuid();
        let own = (Text::from("id"), Json::Text(Text::from(&*id)));
        let record = Json::Object([own].into_iter().chain(members.iter().cloned()).collect());
        // What is written here is JSON; a test looks.
        let text = RawValue::from_string(record.compact());
        let text = text.unwrap_or_else(|why| unreachable!("a generated record is no JSON: {why}"));
        let event = Event { record: text, ..self.sample(name) };
        Sent { event, record, id, asked_at_ms: self.clock.now_ms(), concern }
    }

    /// Asks the sender to emit. Returns why it did not take the event, if so: that is no failure of the others.
    async fn ask(&self, sent: &Sent) -> Result<Option<String>, SubjectError> {
        Ok(match self.subject.call(Op::Emit(sent.event.clone())).await? {
            Reply::Ok(_) => None,
            Reply::Error(why) | Reply::Unsupported(why) => Some(why),
        })
    }

    /// A remark, unless there is one that begins so.
    fn remark_once(&mut self, begins: &str, rest: &str) {
        if !self.transcript.remarks.iter().any(|one| one.starts_with(begins)) {
            self.transcript.remarks.push(format!("{begins}: {rest}"));
        }
    }

    /// What is worth knowing and no requirement has: what becomes of text that is no Unicode.
    fn note(&mut self, round: &Round, sent: &Sent, deviations: &BTreeSet<Deviation>) {
        const BEGINS: &str = "text with a lone surrogate comes out otherwise than it went in";
        let concern = Concern::LoneSurrogates;
        if deviations.contains(&Deviation::Altered(concern)) {
            let mut got = (0..round.inboxes.len()).flat_map(|which| self.got(which, round, sent));
            if let Some(change) = got.find_map(|one| self.change(&one, sent, concern)) {
                self.remark_once(BEGINS, &change);
            }
        }
    }

    fn emitted(&mut self, sent: &Sent, deviation: Deviation, generated: Generated) {
        self.transcript.emissions.push(Emission {
            scenario: SCENARIO,
            event: sent.event.clone(),
            record_id: sent.id.clone(),
            asked_at_ms: sent.asked_at_ms,
            first: false,
            is_sample: false,
            has_long_numbers: deviation == Deviation::Altered(Concern::LongNumbers),
            answer: 200,
            form: Form::Plain,
            unsupported: None,
            generated: Some(generated),
            awaited: true,
        });
    }

    /// Writes down an event whose deliveries deviate, these, and what else they carry.
    fn write_case(&mut self, sent: &Sent, deviation: Deviation, generated: Generated, round: &Round) {
        let along = round.inboxes.iter().flat_map(|inbox| inbox.along(&sent.id));
        let along: BTreeSet<&str> = along.filter(|id| *id != sent.id).collect();
        let along = along.into_iter().filter_map(|id| round.sent.get(id));
        for other in along.filter(|_| deviation == Deviation::Batched) {
            self.emitted(other, deviation, generated.clone());
        }
        self.emitted(sent, deviation, generated);
        for which in 0..round.inboxes.len() {
            let index = self.registered[which].index;
            for received in self.got(which, round, sent) {
                self.take(Some(index), received);
            }
        }
    }

    /// Writes down what carries no event of the suite, the first few, and keeps the rest as exchanges that show nothing.
    fn keep(&mut self, round: &Round) {
        const STRANGERS: usize = 8;
        let mut strangers = 0;
        let written: HashSet<String> =
            self.transcript.emissions_of(SCENARIO).map(|emission| emission.record_id.clone()).collect();
        for which in 0..round.inboxes.len() {
            let (index, inbox) = (self.registered[which].index, &round.inboxes[which]);
            for (place, one) in self.registered[which].endpoint.received().into_iter().enumerate() {
                let carried = inbox.carried(place);
                if carried.iter().any(|id| written.contains(id)) {
                    continue;
                }
                if carried.is_empty() && strangers < STRANGERS {
                    strangers += 1;
                    self.take(Some(index), one);
                } else {
                    self.transcript.record(Self::exchange(one));
                }
            }
        }
    }
}
