//! Measures two receivers against each other: starts them, runs the rounds of loads, and stops them.
//!
//! Both are stopped whichever way a series ends. A load that did not finish, or whose receiver misbehaved, gives no figure. Earlier
//! figures are kept.

use std::time::Duration;

use tokio::sync::watch;

use super::messages;
use super::pair::{
    Conclusion, FORMAT, Figure, PairReport, PairRound, PairSeries, SeriesName, conclude, order,
};
use crate::bench::generate::corpus::Corpus;
use crate::bench::generate::plan::LoadPlan;
use crate::bench::measure::load::{LoadEnding, LoadOutcome, LoadTarget, run};
use crate::bench::measure::machine::{Machine, Tool};
use crate::bench::measure::messages::interrupted;
use crate::bench::measure::report::LoadFacts;
use crate::bench::measure::result::BenchResult;
use crate::bench::measure::verdict::Tolerance;
use crate::clock::Clock;
use crate::duration::milliseconds;
use crate::error::Error;
use crate::redaction::Redaction;
use crate::statistics::{FEWEST, Interval};
use crate::subject::SubjectError;
use crate::subject::launch::Launch;
use crate::subject::receiver::Receiver;
use crate::webhook::dialect::Dialect;
use crate::webhook::dialect::rfc3339;
use crate::webhook::signature::Secret;

/// The first 1/10 of each load is not measured.
const RUN_UP: u32 = 10;

#[derive(Debug)]
pub struct PairSetup<'a> {
    pub base: &'a str,
    pub candidate: &'a str,
    /// The path of the webhook route of both.
    pub path: &'a str,
    pub secret: &'a Secret,
    /// How long each may take to listen.
    pub ready: Duration,
    pub dialect: &'static Dialect,
    /// The bodies; `None` for the sample events.
    pub corpus: Option<&'a Corpus>,
    pub clock: &'a Clock,
    /// Becomes true to stop at once.
    pub interrupted: &'a watch::Receiver<bool>,
    /// Each load. The warm-up runs once, after the receivers start.
    pub plan: &'a LoadPlan,
    /// The rounds of each series, if the control needs no more.
    pub rounds: usize,
    pub figure: Figure,
    /// How much worse the candidate may be, as a share.
    pub max_regression: f64,
    pub tolerance: Tolerance,
    pub redaction: &'a Redaction,
}

#[derive(Debug)]
pub struct PairMeasured {
    /// The series that were begun. The last may be incomplete.
    pub series: Vec<PairSeries>,
    pub result: BenchResult,
    pub why: String,
}

/// Why a series ended early.
enum EndedEarly {
    /// What a receiver did, or an interruption.
    Subject(BenchResult, String),
    Harness(Error),
}

impl From<Error> for EndedEarly {
    fn from(why: Error) -> Self {
        Self::Harness(why)
    }
}

struct StartedReceiver {
    name: &'static str,
    receiver: Receiver,
    corpus: Corpus,
    /// Whether it is the candidate, whose faults fail the run.
    judged: bool,
}

/// Measures the series. `on_series` is called before each.
///
/// Errors: a command does not exist, or a load cannot be sent. Faults of receivers are not errors but results.
pub async fn measure_pair(
    comparison: &PairSetup<'_>,
    mut on_series: impl FnMut(SeriesName),
) -> Result<PairMeasured, Error> {
    let mut series: Vec<PairSeries> = Vec::new();
    let mut numbers = 0;
    // A candidate that does not start should not cost the time of the control.
    match comparison.start(messages::CANDIDATE, comparison.candidate, true).await {
        Ok(peer) => peer.receiver.stop().await,
        Err(EndedEarly::Subject(result, why)) => {
            return Ok(PairMeasured { series, result, why: comparison.redaction.text(&why) });
        }
        Err(EndedEarly::Harness(why)) => return Err(why),
    }
    loop {
        let ratio = |one: &PairSeries| one.ratio;
        let control = series.first().and_then(ratio);
        let candidate: Vec<Interval> = series.iter().skip(1).filter_map(ratio).collect();
        let better = comparison.figure.better();
        let next = match conclude(control.as_ref(), &candidate, better, comparison.max_regression) {
            Conclusion::Final(result, why) => return Ok(PairMeasured { series, result, why }),
            Conclusion::Continue(next) => next,
        };
        on_series(next);
        let planned = series.first().map_or(comparison.rounds, |control| control.rounds.len());
        let mut rounds = Vec::new();
        match comparison.run(next, planned, &mut rounds, &mut numbers).await {
            Ok(()) => {
                series.push(PairSeries::of(next, rounds, comparison.plan.seed));
                if series.last().and_then(ratio).is_none() {
                    let why = messages::too_few_rounds(FEWEST);
                    return Ok(PairMeasured { series, result: BenchResult::Incomplete, why });
                }
            }
            Err(EndedEarly::Subject(result, why)) => {
                series.push(PairSeries { name: next, rounds, ratio: None });
                return Ok(PairMeasured { series, result, why: comparison.redaction.text(&why) });
            }
            Err(EndedEarly::Harness(why)) => return Err(why),
        }
    }
}

impl PairSetup<'_> {
    pub fn report(
        &self,
        measured: PairMeasured,
        command: Vec<String>,
        started_at_ms: u64,
        took: Duration,
    ) -> PairReport {
        let machine = Machine::this();
        let notes = machine.note().into_iter().collect();
        PairReport {
            format: FORMAT.to_owned(),
            tool: Tool::this(),
            machine,
            command,
            base: self.redaction.text(self.base),
            candidate: self.redaction.text(self.candidate),
            dialect: self.dialect.name.to_owned(),
            started_at: rfc3339(started_at_ms),
            seed: self.plan.seed,
            load: LoadFacts::of(self.plan, self.tolerance.max_errors, false),
            figure: self.figure,
            max_regression: self.max_regression,
            series: measured.series,
            result: measured.result,
            why: measured.why,
            exit_status: measured.result.status().code(),
            duration_ms: milliseconds(took),
            notes,
        }
    }

    /// Runs a series. Errors: why it ended early.
    async fn run(
        &self,
        name: SeriesName,
        planned: usize,
        rounds: &mut Vec<PairRound>,
        numbers: &mut u64,
    ) -> Result<(), EndedEarly> {
        let control = name == SeriesName::Control;
        let mut base = self.start(messages::BASE, self.base, false).await?;
        let (second, command) = match control {
            true => (messages::SECOND_BASE, self.base),
            false => (messages::CANDIDATE, self.candidate),
        };
        let mut other = match self.start(second, command, !control).await {
            Ok(peer) => peer,
            Err(why) => {
                base.receiver.stop().await;
                return Err(why);
            }
        };
        let is_over = |rounds: &[PairRound]| {
            PairSeries::is_over(name, rounds, planned, self.plan.seed, self.max_regression)
        };
        let ran = self.alternate(&mut base, &mut other, is_over, rounds, numbers).await;
        base.receiver.stop().await;
        other.receiver.stop().await;
        ran
    }

    async fn start(
        &self,
        name: &'static str,
        command: &str,
        judged: bool,
    ) -> Result<StartedReceiver, EndedEarly> {
        let (mut interrupted, launch) = (self.interrupted.clone(), Launch::of(command));
        let started = tokio::select! {
            started = Receiver::start(&launch, self.path, self.secret.clone(), self.ready) => started,
            Ok(_) = interrupted.wait_for(|on| *on) => return Err(EndedEarly::interruption()),
        };
        let receiver = match started {
            Ok(receiver) => receiver,
            Err(why @ SubjectError::Usage(_)) => return Err(Error::from(why).into()),
            Err(why) => {
                let why = messages::about(name, &why.to_string());
                return Err(EndedEarly::Subject(BenchResult::Incomplete, why));
            }
        };
        let corpus = match self.corpus {
            Some(corpus) => corpus.clone(),
            None => Corpus::samples(self.dialect, &receiver.target().url(), self.clock.now_ms()),
        };
        Ok(StartedReceiver { name, receiver, corpus, judged })
    }

    async fn alternate(
        &self,
        base: &mut StartedReceiver,
        other: &mut StartedReceiver,
        is_over: impl Fn(&[PairRound]) -> bool,
        rounds: &mut Vec<PairRound>,
        numbers: &mut u64,
    ) -> Result<(), EndedEarly> {
        if !self.plan.warm_up.is_zero() {
            let warm_up =
                LoadPlan { duration: self.plan.warm_up, warm_up: Duration::ZERO, ..self.plan.clone() };
            for peer in [&mut *base, &mut *other] {
                self.load(&warm_up, peer, numbers).await?;
            }
        }
        let each = LoadPlan { warm_up: self.plan.duration / RUN_UP, ..self.plan.clone() };
        while !is_over(rounds) {
            let (mut of_base, mut of_other) = (Vec::with_capacity(2), Vec::with_capacity(2));
            for second in order(rounds.len()) {
                let (peer, figures) =
                    if second { (&mut *other, &mut of_other) } else { (&mut *base, &mut of_base) };
                let outcome = self.load(&each, peer, numbers).await?;
                figures.push(self.figure_of(&outcome));
            }
            let of = |figures: Vec<f64>| {
                <[f64; 2]>::try_from(figures).map_err(|_| Error::Harness(messages::round_incomplete()))
            };
            rounds.push(PairRound { base: of(of_base)?, candidate: of(of_other)? });
        }
        Ok(())
    }

    /// Runs one load on a receiver and checks what it did.
    async fn load(
        &self,
        plan: &LoadPlan,
        peer: &mut StartedReceiver,
        numbers: &mut u64,
    ) -> Result<LoadOutcome, EndedEarly> {
        let target = peer.receiver.target().clone();
        let subject = LoadTarget {
            target: &target,
            secret: self.secret,
            dialect: self.dialect,
            corpus: &peer.corpus,
            clock: self.clock,
            interrupted: self.interrupted,
            live: None,
        };
        let ran = run(plan, &subject, *numbers).await;
        let wrong = match &ran {
            Ok(outcome) if outcome.ending == LoadEnding::Interrupted => {
                return Err(EndedEarly::interruption());
            }
            Ok(outcome) => self.wrong(outcome),
            Err(Error::Subject(why)) => Some(messages::stopped_listening_because(&why.to_string())),
            Err(_) => None,
        };
        let nothing = ran.as_ref().is_ok_and(|outcome| outcome.total().acknowledged == 0);
        // If the receiver ended, its end explains what it did.
        let end = match wrong.is_some() || nothing {
            true => peer.receiver.ends().await,
            false => peer.receiver.ended().await,
        };
        let end = end.map(|how| messages::about(peer.name, &how));
        if let Some(why) = end.or(wrong.map(|what| messages::did(peer.name, &what))) {
            let result = if peer.judged { BenchResult::Fail } else { BenchResult::Incomplete };
            return Err(EndedEarly::Subject(result, why));
        }
        let outcome = ran?;
        if nothing {
            let why = messages::nothing_finished(peer.name, plan.duration.as_millis());
            return Err(EndedEarly::Subject(BenchResult::Incomplete, why));
        }
        *numbers = outcome.numbers;
        Ok(outcome)
    }

    /// What a receiver did wrong under a load; it follows the receiver's name.
    fn wrong(&self, outcome: &LoadOutcome) -> Option<String> {
        if outcome.broken_level().is_some_and(|level| level <= self.tolerance.fail_on) {
            let probes = outcome.probes(self.redaction);
            let accepted: Vec<String> = probes
                .kinds
                .iter()
                .filter(|kind| kind.let_through > 0)
                .map(|kind| format!("{} ({})", kind.name, kind.requirement))
                .collect();
            return Some(messages::accepted_probes(&accepted));
        }
        let total = outcome.total();
        if outcome.ending == LoadEnding::Gone {
            return Some(messages::stopped_listening());
        }
        let ended = total.acknowledged + total.refused + total.failed;
        if total.error_share > self.tolerance.max_errors || (total.acknowledged == 0 && ended > 0) {
            let unexpected = outcome.unexpected(self.redaction);
            let kinds: Vec<(u64, &str)> =
                unexpected.iter().map(|one| (one.count, one.text.as_str())).collect();
            return Some(messages::accepted_too_few(total.acknowledged, ended, &kinds));
        }
        None
    }

    fn figure_of(&self, outcome: &LoadOutcome) -> f64 {
        let total = outcome.total();
        match self.figure {
            Figure::Rate => total.rate,
            // 0 has no logarithm.
            Figure::P99 => total.latency.p99_us.max(1) as f64,
        }
    }
}

impl EndedEarly {
    fn interruption() -> Self {
        Self::Subject(BenchResult::Interrupted, interrupted().to_owned())
    }
}
