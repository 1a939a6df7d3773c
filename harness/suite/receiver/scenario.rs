//! What is done to a receiver: genuine deliveries, and forged ones between their twins.
//!
//! Invariant: results are written down in the order of the cases, whichever of them was faster; and what ends a receiver is
//! blamed on the one case that does so alone.

mod case;
mod diagnosis;
mod forged;
mod generate;
mod intake;
mod maker;
mod property;
mod reformat;
mod spelling;
mod strict;
mod timing;
mod valid;

use std::time::Duration;

use futures_util::future::{LocalBoxFuture, join_all};
use futures_util::stream::{self, StreamExt};

use self::case::{Attempt, Case, Line};
use self::maker::{Behind, Maker};
use crate::clock::Clock;
use crate::random::Random;
use crate::subject::SubjectError;
use crate::subject::receiver::Receiver;
use crate::suite::scenario::{Play, Scenario};
use crate::suite::stage::Extent;
use crate::suite::transcript::{Capability, Ending, Respect, ScenarioName, Transcript, Trial};
use crate::wire::client::Client;
use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Outcome};

/// How many deliveries come at the same time (contract RCV-8).
pub const CONCURRENT: usize = 64;

/// How many cases are tried before their results are written down. Where a receiver ends in the middle, those are the
/// suspects.
const BATCH: usize = 32;

/// How long a forged delivery is waited for, once it is known that they hang.
const IMPATIENT: Duration = Duration::from_secs(1);

/// What takes longer than that for an answer is tried with fewer cases.
const SLOW: Duration = Duration::from_millis(50);

/// How a scenario is played on a receiver.
pub type Course = for<'s> fn(&'s mut Stage<'_>) -> LocalBoxFuture<'s, Result<(), SubjectError>>;

/// What a run against a receiver has at hand.
pub struct Stage<'a> {
    /// The receiver.
    subject: &'a mut Receiver,
    line: Line<'a>,
    maker: Maker,
    /// What is written.
    transcript: &'a mut Transcript,
    extent: Extent,
    /// Whether it was found out if the receiver takes several deliveries at the same time.
    jobs_settled: bool,
    /// Whether it takes a plain genuine delivery at all, as far as that was tried.
    takes_plain: bool,
    /// Whether it stopped answering for good.
    given_up: bool,
    /// Whether it takes long over each answer.
    slow: bool,
}

/// The exchanges of a case that was tried.
struct Tried {
    trial: ExchangeId,
    controls: Vec<ExchangeId>,
}

/// What came of several cases, in their order: `None` where there was nothing to try, or no more was sent.
struct Batch {
    tried: Vec<Option<Tried>>,
    /// Why no more was sent, if so.
    stuck: Option<SubjectError>,
}

impl crate::suite::stage::Stage for Stage<'_> {
    async fn run(&mut self, scenario: &Scenario) {
        let Play::Receiver(course) = scenario.play else { return };
        if self.line.is_silent() && !self.given_up {
            // What it hung on may be over.
            let exchange = self.line.knock(&self.maker.deliver(&self.maker.plain())).await;
            self.given_up = exchange.outcome.status().is_none();
            self.transcript.record(exchange);
        }
        let ending = match course(self).await {
            Ok(()) => Ending::Complete,
            Err(SubjectError::Broke(why)) => Ending::Broke(why),
            Err(SubjectError::Stuck(why)) => Ending::Stuck(why),
            Err(why) => Ending::Died(why.to_string()),
        };
        self.transcript.endings.push((scenario.name, ending));
    }

    fn transcript(&mut self) -> &mut Transcript {
        self.transcript
    }
}

impl<'a> Stage<'a> {
    /// A stage for a receiver.
    pub fn new(
        subject: &'a mut Receiver,
        client: &'a Client,
        clock: &Clock,
        extent: Extent,
        transcript: &'a mut Transcript,
    ) -> Self {
        let target = subject.target().clone();
        let maker = Maker::new(
            transcript.dialect,
            subject.secret().clone(),
            clock.clone(),
            Random::from_seed(extent.seed),
            (target.url(), target.path.clone()),
        );
        let impatient = Client::new(transcript.limits.timeout.min(IMPATIENT), clock.clone());
        let line = Line::new(client, impatient, target);
        if subject.observes().is_some() {
            transcript.capabilities.insert(Capability::Observations);
        }
        Self {
            subject,
            line,
            maker,
            transcript,
            extent,
            jobs_settled: false,
            takes_plain: true,
            given_up: false,
            slow: false,
        }
    }

    pub(crate) async fn cases_and_properties(&mut self, scenario: ScenarioName) -> Result<(), SubjectError> {
        let cases = self.cases_of(scenario);
        self.try_all(scenario, cases).await?;
        self.properties_of(scenario).await
    }

    /// The properties that belong to a scenario.
    async fn properties_of(&mut self, scenario: ScenarioName) -> Result<(), SubjectError> {
        match scenario.0 {
            "unfamiliar" => self.hold(scenario, &generate::valid::event_names()).await,
            "header-case" => self.hold(scenario, &generate::valid::header_cases()).await,
            "framing" => {
                self.on_one_connection().await?;
                self.hold(scenario, &generate::valid::cuttings()).await
            }
            "javascript-json" => {
                self.hold(scenario, &reformat::javascript()).await?;
                self.hold(scenario, &generate::valid::sizes()).await
            }
            "other-spelling" => self.hold(scenario, &reformat::spellings()).await,
            "reformatted" => self.hold(scenario, &reformat::reformatted()).await,
            "altered-content" => self.hold(scenario, &generate::alterations()).await,
            "altered-timestamp" => self.hold(scenario, &generate::redatings()).await,
            "wrong-key" => self.hold(scenario, &generate::rekeyings()).await,
            "other-digest" => self.hold(scenario, &generate::digits()).await,
            "signature-length" => self.hold(scenario, &generate::junk()).await,
            "timestamp-form" => self.hold(scenario, &generate::timestamp_forms()).await,
            "stale" => {
                self.hold(scenario, &generate::stale()).await?;
                self.window().await
            }
            "recent" => self.hold(scenario, &generate::valid::recent()).await,
            "malformed" => self.hold(scenario, &generate::malformations()).await,
            _ => Ok(()),
        }
    }

    /// The fixed cases of a scenario.
    fn cases_of(&self, scenario: ScenarioName) -> Vec<Case<'static>> {
        match scenario.0 {
            "unfamiliar" | "header-case" | "content-type" | "framing" | "body-256-kib" | "body-1-mib"
            | "repeated" | "javascript-json" | "lone-surrogate" | "other-spelling" | "other-dialect"
            | "recent" => valid::cases(scenario, self.transcript.dialect),
            "altered-content" | "altered-timestamp" | "wrong-key" | "missing-header" | "other-message"
            | "other-digest" => forged::cases(scenario),
            "surrounded" | "signature-length" | "timestamp-form" | "stale" | "malformed"
            | "unsigned-malformed" | "other-method" | "back-door" | "reformatted" => {
                strict::cases(scenario, self.maker.secret.expose())
            }
            _ => Vec::new(),
        }
    }

    /// Tries each case, and writes down what came of it.
    async fn try_all(&mut self, scenario: ScenarioName, cases: Vec<Case<'_>>) -> Result<(), SubjectError> {
        for batch in cases.chunks(BATCH) {
            let Batch { tried, stuck } = self.attempt_all(batch).await;
            for (case, tried) in batch.iter().zip(tried) {
                if let Some(tried) = tried {
                    self.write(scenario, case, tried);
                }
            }
            if let Some(why) = stuck {
                return Err(why);
            }
        }
        Ok(())
    }

    /// Tries cases, some of them at the same time. Those during which the receiver ended are tried again alone, so that the
    /// one that ends it is known.
    async fn attempt_all(&mut self, cases: &[Case<'_>]) -> Batch {
        if let Err(why) = self.settle_jobs().await {
            return Batch { tried: Vec::new(), stuck: Some(why) };
        }
        let makers: Vec<Maker> =
            cases.iter().map(|_| self.maker.with_seed(self.maker.random.seed())).collect();
        let line = &self.line;
        let attempts: Vec<_> =
            cases.iter().zip(&makers).map(|(case, maker)| line.attempt(maker, case)).collect();
        let attempts: Vec<_> = stream::iter(attempts).buffered(self.extent.jobs).collect().await;
        let (mut tried, mut stuck, mut suspects) = (Vec::with_capacity(cases.len()), None, Vec::new());
        let mut unclear = false;
        for (at, attempt) in attempts.into_iter().enumerate() {
            let attempt = attempt.unwrap_or_else(|why| {
                stuck = Some(why);
                None
            });
            let timed_out = |exchange: &Exchange| exchange.outcome == Outcome::TimedOut;
            if let Some(attempt) = attempt.as_ref().filter(|attempt| !attempt.is_answered()) {
                // A process that ended does not keep a connection open until the wait is over.
                if !attempt.exchanges().all(|one| one.outcome.status().is_some() || timed_out(one)) {
                    suspects.push(at);
                    unclear |= !attempt.controls_are_answered();
                }
            }
            tried.push(attempt.map(|attempt| self.enter(attempt)));
        }
        if !suspects.is_empty() {
            match self.subject.revive().await {
                Ok(None) if !unclear => {}
                Ok(death) => {
                    let again = self.again(cases, &makers, &suspects, &mut tried, death).await;
                    stuck = again.err().or(stuck);
                }
                Err(why) => stuck = Some(why),
            }
        }
        Batch { tried, stuck }
    }

    /// Tries suspects alone. Where none of them ends the receiver again, what ended it the first time stands as it was
    /// seen: trying again hides nothing.
    async fn again(
        &mut self,
        cases: &[Case<'_>],
        makers: &[Maker],
        suspects: &[usize],
        tried: &mut [Option<Tried>],
        death: Option<String>,
    ) -> Result<(), SubjectError> {
        let deaths = self.transcript.deaths.len();
        let first = suspects.iter().find_map(|&at| {
            let one = tried[at].as_ref()?;
            let unanswered = self.transcript.outcome(one.trial).status().is_none();
            unanswered.then_some((at, one.trial))
        });
        if death.is_none() {
            self.remark("deliveries at the same time were not all answered; those were tried again alone");
        }
        let mut kept = None;
        for &at in suspects {
            if cases[at].generated && self.transcript.deaths.len() > deaths {
                // Each end costs a start, and one such case is enough.
                tried[at] = None;
                continue;
            }
            let before = std::mem::replace(&mut tried[at], self.alone(&cases[at], &makers[at]).await?);
            if first.is_some_and(|(first, _)| first == at) {
                kept = before;
            }
        }
        if let (Some(how), Some((at, exchange))) = (death, first)
            && self.transcript.deaths.len() == deaths
        {
            self.transcript.deaths.push((exchange, how));
            tried[at] = kept;
        }
        Ok(())
    }

    /// Tries a case while nothing else goes on.
    async fn alone(&mut self, case: &Case<'_>, maker: &Maker) -> Result<Option<Tried>, SubjectError> {
        let Some((control, delivery, behind)) = case.prepare(maker) else { return Ok(None) };
        let mut controls = vec![self.send(control).await?];
        let trial =
            if case.is_forged() { self.send_forgery(delivery).await? } else { self.send(delivery).await? };
        if let Some(Behind { body, sent_ms }) = behind {
            let again = |later_ms| maker.sign_behind(Behind { body: body.clone(), sent_ms }, later_ms);
            let mut control = self.send(again(2)).await?;
            if let Some(how) = self.transcript.death_at(control).map(str::to_owned) {
                // It answered and ended then: that is the forged delivery's doing. The receiver runs again, so the twin can
                // be sent.
                self.transcript.deaths.push((trial, how));
                control = self.send(again(3)).await?;
            }
            controls.push(control);
        }
        Ok(Some(Tried { trial, controls }))
    }

    /// Finds out whether the receiver takes several plain deliveries at the same time. If it does not, that is RCV-8's to
    /// judge, and everything else is sent one after the other.
    async fn settle_jobs(&mut self) -> Result<(), SubjectError> {
        if self.jobs_settled {
            return Ok(());
        }
        self.jobs_settled = true;
        let alone = self.send(self.maker.deliver(&self.maker.plain())).await?;
        self.takes_plain = self.transcript.acknowledged(alone);
        self.pace(self.transcript.exchange(alone).took);
        if !self.takes_plain || self.extent.jobs < 2 {
            return Ok(());
        }
        let together: Vec<Delivery> =
            (0..2 * self.extent.jobs).map(|_| self.maker.deliver(&self.maker.plain())).collect();
        let exchanges = self.together(&together).await?;
        if !exchanges.iter().all(|&id| self.transcript.acknowledged(id)) {
            self.extent.jobs = 1;
            self.transcript.remarks.push(
                "deliveries at the same time were not all acknowledged, so the cases were tried one at a time"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// Generates fewer cases for a receiver that takes long over each.
    fn pace(&mut self, took: Duration) {
        let cases = u32::try_from(u128::from(self.extent.cases) * SLOW.as_millis() / took.as_millis().max(1));
        let cases = cases.unwrap_or(u32::MAX).max(4);
        if took > SLOW && cases < self.extent.cases {
            self.transcript.remarks.push(format!(
                "an answer took {} ms, so only {cases} cases were generated for each property in place of {}",
                took.as_millis(),
                self.extent.cases
            ));
            self.extent.cases = cases;
            self.slow = true;
        }
    }

    /// Notes something about the run, once.
    fn remark(&mut self, remark: &str) {
        if !self.transcript.remarks.iter().any(|known| known == remark) {
            self.transcript.remarks.push(remark.to_owned());
        }
    }

    /// Sends deliveries at the same time.
    async fn together(&mut self, deliveries: &[Delivery]) -> Result<Vec<ExchangeId>, SubjectError> {
        let line = &self.line;
        let sent = deliveries.iter().map(|delivery| line.client.send(&line.target, delivery));
        let ids: Vec<ExchangeId> =
            join_all(sent).await.into_iter().map(|exchange| self.transcript.record(exchange)).collect();
        let broken = ids.iter().copied().find(|&id| self.transcript.outcome(id).status().is_none());
        if let Some(id) = broken {
            self.revive(id).await?;
        }
        Ok(ids)
    }

    /// Sends one genuine delivery. Errors: none of the last few was answered, so that going on would only wait.
    async fn send(&mut self, delivery: Delivery) -> Result<ExchangeId, SubjectError> {
        let exchange = self.line.send(&delivery).await?;
        self.record(exchange).await
    }

    /// Sends one that may be refused, or not be answered at all.
    async fn send_forgery(&mut self, delivery: Delivery) -> Result<ExchangeId, SubjectError> {
        let exchange = self.line.send_forged(&delivery).await?;
        self.record(exchange).await
    }

    async fn record(&mut self, exchange: Exchange) -> Result<ExchangeId, SubjectError> {
        let answered = exchange.outcome.status().is_some() || exchange.outcome == Outcome::Abandoned;
        let id = self.transcript.record(exchange);
        if !answered {
            self.revive(id).await?;
        }
        Ok(id)
    }

    async fn revive(&mut self, id: ExchangeId) -> Result<(), SubjectError> {
        if let Some(how) = self.subject.revive().await? {
            self.transcript.deaths.push((id, how));
        }
        Ok(())
    }

    fn enter(&mut self, attempt: Attempt) -> Tried {
        let control = self.transcript.record(attempt.control);
        let trial = self.transcript.record(attempt.trial);
        let behind = attempt.behind.map(|exchange| self.transcript.record(exchange));
        Tried { trial, controls: [control].into_iter().chain(behind).collect() }
    }

    fn write(&mut self, scenario: ScenarioName, case: &Case<'_>, Tried { trial, controls }: Tried) {
        let (what, respect, generated) = (case.what.clone(), case.respect, case.generated);
        self.transcript.trials.push(Trial { scenario, what, respect, generated, exchange: trial, controls });
    }

    /// Writes down a trial that has no twins.
    fn write_single(&mut self, scenario: ScenarioName, what: String, respect: Respect, exchange: ExchangeId) {
        let (generated, controls) = (false, Vec::new());
        self.transcript.trials.push(Trial { scenario, what, respect, generated, exchange, controls });
    }
}
