//! The state of a run against a receiver: the receiver, the connection to it, the maker of deliveries, the transcript.

mod batch;
mod ends;
mod generated;
mod link;
mod obstacle;
mod parts;

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{LocalBoxFuture, join, join_all};
use tokio::time::timeout;

use self::batch::Tried;
use self::ends::Ends;
use self::generated::Search;
use self::link::Link;
use super::case::Case;
use super::maker::{Maker, ascii_only};
use super::messages;
use super::property::Property;
use crate::clock::Clock;
use crate::random::Random;
use crate::subject::SubjectError;
use crate::subject::receiver::Receiver;
use crate::suite::max_time::MaxTime;
use crate::suite::property::Extent;
use crate::suite::transcript::{Capability, Chosen, Ending, Respect, ScenarioName, Transcript, Trial};
use crate::webhook::dialect::{self, Dialect};
use crate::webhook::manner::Manner;
use crate::wire::client::Client;
use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Outcome};

/// The code of a scenario that is not a list of cases.
pub type Steps = for<'s> fn(&'s mut ReceiverStage<'_>) -> LocalBoxFuture<'s, Result<(), SubjectError>>;

/// How long to wait for the answer to a forged delivery, once several of them have timed out.
const FORGED_WAIT: Duration = Duration::from_secs(1);

/// What makes the random sequence of a second pass another one.
const OTHER_SEED: u64 = 0x0070_726f_7669_7369;

/// How long the answer to the first delivery of a run is waited for before the second is sent.
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// How long the process is watched after the last exchange of the run.
const LAST_WATCH: Duration = Duration::from_millis(30);

/// How many of its answers 5xx are kept with what the program wrote.
const MOST_COMPLAINTS: usize = 64;

/// A receiver that takes longer than this to answer gets fewer generated cases.
const SLOW: Duration = Duration::from_millis(50);

/// What the scenarios of a receiver run with.
pub struct ReceiverStage<'a> {
    pub(super) subject: &'a mut Receiver,
    pub(super) link: Link<'a>,
    pub(super) maker: Maker,
    pub(super) transcript: &'a mut Transcript,
    pub(super) extent: Extent,
    /// Whether the receiver was already tested with several deliveries at the same time.
    pub(super) concurrency_probed: bool,
    /// Whether it accepts a plain valid delivery; true until one was sent.
    pub(super) accepts_plain: bool,
    /// Whether it stopped answering, and was found silent again before a later scenario.
    pub(super) given_up: bool,
    pub(super) slow: bool,
    /// Whether it was found out if something else answers instead of the receiver.
    looked_for_obstacle: bool,
    pub(super) max_time: MaxTime,
    /// The properties of the scenarios so far.
    searches: Vec<Search>,
    /// How long generated cases took so far.
    generating: Duration,
    pub(super) ends: Ends,
}

impl<'a> ReceiverStage<'a> {
    pub fn new(
        subject: &'a mut Receiver,
        client: &'a Client,
        clock: &Clock,
        extent: Extent,
        max_time: MaxTime,
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
        let impatient = client.with_timeout(transcript.limits.timeout.min(FORGED_WAIT));
        let link = Link::new(client, impatient, target, max_time);
        if subject.observes().is_some() {
            transcript.capabilities.insert(Capability::Observations);
        }
        Self {
            subject,
            link,
            maker,
            transcript,
            extent,
            concurrency_probed: false,
            accepts_plain: true,
            given_up: false,
            slow: false,
            looked_for_obstacle: false,
            max_time,
            searches: Vec::new(),
            generating: Duration::ZERO,
            ends: Ends::default(),
        }
    }

    /// Finds the first of these manners in which a plain delivery is accepted, and goes on in it. Returns whether there is one.
    pub async fn choose_manner(&mut self, manners: &[Manner]) -> bool {
        for &manner in manners {
            // With other ids than before: the receiver may remember what it rejected.
            let seed = self.extent.seed.rotate_left(32) ^ OTHER_SEED;
            let dialect = manner.dialect.and_then(Dialect::named).unwrap_or(self.maker.dialect);
            let maker = self.maker.with_seed(seed).in_dialect(dialect).in_manner(manner);
            self.link.manner = manner;
            let exchange = self.link.deliver(&maker.deliver(&maker.plain())).await;
            let accepted = exchange.outcome.acknowledges();
            let id = self.transcript.record(exchange);
            if accepted {
                self.transcript.dialect = dialect;
                self.transcript.manner = manner;
                self.transcript.secret = Some(maker.secret.clone());
                self.maker = maker;
                return true;
            }
            if self.transcript.outcome(id).status().is_none() && self.revive(id).await.is_err() {
                return false;
            }
        }
        false
    }

    /// Sends one valid delivery in each dialect, and goes on in the only one that is accepted.
    ///
    /// Only acceptance counts: a refusal may have any reason. Returns whether each delivery was answered.
    pub async fn choose_dialect(&mut self) -> bool {
        // With ids of their own, so that a run with the chosen dialect as an option sends the same as this one.
        let maker = |dialect| self.maker.with_seed(!self.extent.seed).in_dialect(dialect);
        let [first, second] = dialect::ALL.map(|dialect| {
            let maker = maker(dialect);
            maker.sign(ascii_only(&maker.render(&maker.plain())))
        });
        let Ok(sent) = self.send_probes(&first, &second).await else { return false };
        let answered = sent.iter().all(|&id| self.transcript.outcome(id).status().is_some());
        let (accepted, refused): (Vec<_>, Vec<_>) =
            dialect::ALL.into_iter().zip(sent).partition(|&(_, id)| self.transcript.acknowledged(id));
        if let (&[(accepted, _)], &[(refused, id)]) = (&*accepted, &*refused) {
            self.transcript.choose(accepted, Chosen { refused: Some((refused.name, id)) });
            self.maker = self.maker.with_seed(self.extent.seed).in_dialect(accepted);
        }
        answered
    }

    /// Changes how long the run may take.
    pub fn has(&mut self, max_time: MaxTime) {
        self.max_time = max_time;
        self.link.has(max_time);
    }

    /// Sends the first deliveries of a run, the second without waiting long for the answer to the first: some receivers never answer
    /// what they cannot read.
    ///
    /// Errors: the process cannot be restarted.
    async fn send_probes(
        &mut self,
        first: &Delivery,
        second: &Delivery,
    ) -> Result<[ExchangeId; 2], SubjectError> {
        let (first, together) = {
            let mut answer = pin!(self.link.send_anyway(first));
            match timeout(PROBE_WAIT, &mut answer).await {
                Ok(exchange) => (exchange, None),
                Err(_) => {
                    let (exchange, other) = join(answer, self.link.send_anyway(second)).await;
                    (exchange, Some(other))
                }
            }
        };
        let (first, ended) = self.record_probe(first).await?;
        let is_lost = |other: &Exchange| ended && other.outcome.status().is_none();
        let second = match together.filter(|other| !is_lost(other)) {
            Some(exchange) => exchange,
            None => self.link.send_anyway(second).await,
        };
        Ok([first, self.record_probe(second).await?.0])
    }

    /// Returns its number, and whether the process ended at it.
    async fn record_probe(&mut self, exchange: Exchange) -> Result<(ExchangeId, bool), SubjectError> {
        let answered = exchange.outcome.status().is_some();
        let id = self.transcript.record(exchange);
        Ok((id, !answered && self.revive(id).await?))
    }

    /// Begins a scenario: restarts a process that ended since the last one, and checks whether a receiver that stopped answering
    /// answers again.
    ///
    /// Errors: the process cannot be restarted, or it keeps ending.
    pub async fn begin(&mut self) -> Result<(), SubjectError> {
        self.revive_idle(Duration::ZERO).await?;
        self.notice_limit()?;
        if self.link.is_silent() && !self.given_up && !self.max_time.is_over() {
            let exchange = self.link.send_anyway(&self.maker.deliver(&self.maker.plain())).await;
            self.given_up = exchange.outcome.status().is_none();
            self.transcript.record(exchange);
        }
        Ok(())
    }

    /// Ends the last scenario: records an end of the process after the last answer.
    ///
    /// Errors: the process cannot be restarted, or it keeps ending.
    pub async fn finish(&mut self) -> Result<(), SubjectError> {
        self.revive_idle(LAST_WATCH).await
    }

    /// Ends a scenario: records how it ended.
    pub fn end(&mut self, scenario: ScenarioName, played: Result<(), SubjectError>) {
        let ending = played.map_or_else(|why| self.ending(why), |()| Ending::Complete);
        self.transcript.endings.push((scenario, ending));
    }

    fn ending(&self, why: SubjectError) -> Ending {
        match why {
            SubjectError::ProtocolViolation(why) => Ending::ProtocolViolation(why),
            SubjectError::RequestFailed(why) => Ending::RequestFailed(why),
            SubjectError::OutOfTime => Ending::OutOfTime(self.max_time.whole()),
            why => Ending::Died(why.to_string()),
        }
    }

    pub fn transcript(&mut self) -> &mut Transcript {
        self.transcript
    }

    /// Tries a scenario's fixed cases. Its generated ones follow in rounds.
    pub async fn try_cases(
        &mut self,
        scenario: ScenarioName,
        fixed: fn(&Maker) -> Vec<Case>,
        generated: &[fn() -> Property],
    ) -> Result<(), SubjectError> {
        self.try_all(scenario, &fixed(&self.maker)).await?;
        if self.accepts_plain {
            // Otherwise every generated case would be inconclusive; the fixed cases say so.
            let searches = generated.iter().map(|property| Search::new(scenario, property(), self.extent));
            self.searches.extend(searches);
        }
        Ok(())
    }

    /// Checks whether the receiver accepts several plain deliveries at the same time. If it does not, RCV-8 says so,
    /// and all other cases are sent one at a time.
    pub(super) async fn probe_concurrency(&mut self) -> Result<(), SubjectError> {
        if self.concurrency_probed {
            return Ok(());
        }
        self.concurrency_probed = true;
        let alone = self.send(self.maker.deliver(&self.maker.plain())).await?;
        self.accepts_plain = self.transcript.acknowledged(alone);
        self.find_obstacle(alone).await?;
        self.limit_cases(self.transcript.exchange(alone).took);
        if !self.accepts_plain || self.extent.jobs < 2 {
            return Ok(());
        }
        let together: Vec<Delivery> =
            (0..2 * self.extent.jobs).map(|_| self.maker.deliver(&self.maker.plain())).collect();
        let exchanges = self.send_concurrently(&together).await?;
        if !exchanges.iter().all(|&id| self.transcript.acknowledged(id)) {
            self.extent.jobs = 1;
            self.transcript.remarks.push(messages::concurrency_lowered().to_owned());
        }
        Ok(())
    }

    /// Generates fewer cases for a receiver that answers slowly.
    pub(super) fn limit_cases(&mut self, took: Duration) {
        let cases = u32::try_from(u128::from(self.extent.cases) * SLOW.as_millis() / took.as_millis().max(1));
        let cases = cases.unwrap_or(u32::MAX).max(4);
        if took > SLOW && cases < self.extent.cases {
            self.transcript.remarks.push(messages::fewer_cases(took, cases, self.extent.cases));
            self.extent.cases = cases;
            self.slow = true;
        }
    }

    /// Notes something about the run, once.
    pub(super) fn remark(&mut self, remark: &str) {
        if !self.transcript.remarks.iter().any(|known| known == remark) {
            self.transcript.remarks.push(remark.to_owned());
        }
    }

    /// Sends deliveries at the same time. Errors: the time is used up.
    pub(super) async fn send_concurrently(
        &mut self,
        deliveries: &[Delivery],
    ) -> Result<Vec<ExchangeId>, SubjectError> {
        let (ids, ended) = self.send_together(deliveries).await?;
        // If something else ended the process, it is not their number.
        Ok(if ended { self.send_together(deliveries).await?.0 } else { ids })
    }

    /// Returns the exchanges, and whether something else ended the process meanwhile.
    async fn send_together(
        &mut self,
        deliveries: &[Delivery],
    ) -> Result<(Vec<ExchangeId>, bool), SubjectError> {
        self.link.in_time()?;
        let link = &self.link;
        let sent = deliveries.iter().map(|delivery| link.deliver(delivery));
        let ids: Vec<ExchangeId> =
            join_all(sent).await.into_iter().map(|exchange| self.transcript.record(exchange)).collect();
        let broken = ids.iter().copied().find(|&id| self.transcript.outcome(id).status().is_none());
        let ended = match broken {
            Some(id) => self.revive(id).await?,
            None => false,
        };
        Ok((ids, ended))
    }

    /// Sends one valid delivery. Errors: the last few were not answered, so waiting for more answers is pointless.
    pub(super) async fn send(&mut self, delivery: Delivery) -> Result<ExchangeId, SubjectError> {
        let exchange = self.link.send(&delivery).await?;
        self.record(exchange).await
    }

    /// Sends a delivery that may be rejected, or not be answered at all.
    pub(super) async fn send_forgery(&mut self, delivery: Delivery) -> Result<ExchangeId, SubjectError> {
        let exchange = self.link.send_forged(&delivery).await?;
        self.record(exchange).await
    }

    pub(super) async fn record(&mut self, exchange: Exchange) -> Result<ExchangeId, SubjectError> {
        let answered = exchange.outcome.status().is_some() || exchange.outcome == Outcome::Abandoned;
        let delivery = (!answered).then(|| exchange.delivery.clone());
        let id = self.transcript.record(exchange);
        self.hear(id).await;
        let Some(delivery) = delivery else { return Ok(id) };
        if !self.revive(id).await? {
            return Ok(id);
        }
        // An earlier delivery ended the process. This one never reached it, or was lost with it.
        let again = self.link.deliver(&delivery).await;
        let answered = again.outcome.status().is_some();
        let id = self.transcript.record(again);
        if !answered {
            self.revive(id).await?;
        }
        Ok(id)
    }

    /// Keeps what the program wrote about a 5xx.
    async fn hear(&mut self, id: ExchangeId) {
        let failed = self.transcript.outcome(id).status().is_some_and(|status| status >= 500);
        if failed && self.transcript.complaints.len() < MOST_COMPLAINTS {
            let known = self.transcript.complaints.last().map_or(&[][..], |(_, lines)| lines);
            let lines = self.subject.says_more(known).await;
            if !lines.is_empty() {
                self.transcript.complaints.push((id, lines));
            }
        }
    }

    pub(super) fn record_trial(
        &mut self,
        scenario: ScenarioName,
        case: &Case,
        Tried { trial, controls }: Tried,
    ) {
        let (what, respect, generated) = (case.what.clone(), case.respect, case.generated);
        self.transcript.trials.push(Trial { scenario, what, respect, generated, exchange: trial, controls });
    }

    /// Records a trial without controls.
    pub(super) fn record_single(
        &mut self,
        scenario: ScenarioName,
        what: String,
        respect: Respect,
        exchange: ExchangeId,
    ) {
        let (generated, controls) = (false, Vec::new());
        self.transcript.trials.push(Trial { scenario, what, respect, generated, exchange, controls });
    }
}
