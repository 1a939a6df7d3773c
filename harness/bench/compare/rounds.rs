//! Measures two receivers against each other: starts them, puts the loads of the rounds on them, and ends them.
//!
//! Invariant: both are ended whichever way a series goes; a load that was not whole, or whose receiver went wrong, is never a
//! figure; and what was measured until then is kept.

use std::time::Duration;

use tokio::sync::watch;

use crate::bench::compare::pair::{
    Conclusion, FORMAT, Figure, PairReport, PairRound, PairSeries, SeriesName, conclude, order,
};
use crate::bench::generate::corpus::Corpus;
use crate::bench::generate::plan::LoadPlan;
use crate::bench::measure::load::{LoadEnding, LoadOutcome, LoadTarget, run};
use crate::bench::measure::machine::{Machine, Tool};
use crate::bench::measure::report::LoadFacts;
use crate::bench::measure::result::BenchResult;
use crate::bench::measure::verdict::Tolerance;
use crate::clock::Clock;
use crate::duration::milliseconds;
use crate::error::Error;
use crate::redaction::Redaction;
use crate::statistics::{FEWEST, Interval};
use crate::subject::SubjectError;
use crate::subject::receiver::Receiver;
use crate::webhook::dialect::Dialect;
use crate::webhook::dialect::rfc3339;
use crate::webhook::signature::Secret;

/// Which part of a round's load is left out at its beginning.
const RUN_UP: u32 = 10;

#[derive(Debug)]
pub struct PairSetup<'a> {
    pub base: &'a str,
    pub candidate: &'a str,
    /// The path at which both take deliveries.
    pub path: &'a str,
    pub secret: &'a Secret,
    /// How long each may take until its port accepts.
    pub ready: Duration,
    pub dialect: &'static Dialect,
    /// The bodies, where they are not the sample events.
    pub corpus: Option<&'a Corpus>,
    pub clock: &'a Clock,
    /// Becomes true where it is to end at once.
    pub interrupted: &'a watch::Receiver<bool>,
    /// Each load; its warm-up is that of a receiver that was just started.
    pub plan: &'a LoadPlan,
    /// How many rounds each series has, where the control needs no more.
    pub rounds: usize,
    pub figure: Figure,
    /// By which share the candidate may be worse.
    pub max_regression: f64,
    pub tolerance: Tolerance,
    pub redaction: &'a Redaction,
}

#[derive(Debug)]
pub struct PairMeasured {
    /// The series, as far as they went.
    pub series: Vec<PairSeries>,
    pub result: BenchResult,
    pub why: String,
}

/// Why a series ended early.
enum Trouble {
    /// What a receiver did, or an interruption: the result, and a sentence.
    Subject(BenchResult, String),
    Harness(Error),
}

impl From<Error> for Trouble {
    fn from(why: Error) -> Self {
        Self::Harness(why)
    }
}

struct StartedReceiver {
    name: &'static str,
    receiver: Receiver,
    corpus: Corpus,
    /// Whether what it does wrong is the candidate's.
    judged: bool,
}

/// Measures. `told` hears of each series before it begins.
///
/// Errors: a command that cannot be started at all, a load that cannot be put; what receivers do wrong is in what is returned.
pub async fn measure_pair(
    comparison: &PairSetup<'_>,
    mut told: impl FnMut(SeriesName),
) -> Result<PairMeasured, Error> {
    let mut series: Vec<PairSeries> = Vec::new();
    let mut numbers = 0;
    // One that cannot be started is found out now, and not after the control.
    match comparison.start("the candidate", comparison.candidate, true).await {
        Ok(peer) => peer.receiver.stop().await,
        Err(Trouble::Subject(result, why)) => {
            return Ok(PairMeasured { series, result, why: comparison.redaction.text(&why) });
        }
        Err(Trouble::Harness(why)) => return Err(why),
    }
    loop {
        let ratio = |one: &PairSeries| one.ratio;
        let control = series.first().and_then(ratio);
        let candidate: Vec<Interval> = series.iter().skip(1).filter_map(ratio).collect();
        let better = comparison.figure.better();
        let next = match conclude(control.as_ref(), &candidate, better, comparison.max_regression) {
            Conclusion::Final(result, why) => return Ok(PairMeasured { series, result, why }),
            Conclusion::GoOn(next) => next,
        };
        told(next);
        let planned = series.first().map_or(comparison.rounds, |control| control.rounds.len());
        let mut rounds = Vec::new();
        match comparison.run(next, planned, &mut rounds, &mut numbers).await {
            Ok(()) => {
                series.push(PairSeries::of(next, rounds, comparison.plan.seed));
                if series.last().and_then(ratio).is_none() {
                    let why = format!("{FEWEST} rounds at least are needed to tell anything");
                    return Ok(PairMeasured { series, result: BenchResult::Incomplete, why });
                }
            }
            Err(Trouble::Subject(result, why)) => {
                series.push(PairSeries { name: next, rounds, ratio: None });
                return Ok(PairMeasured { series, result, why: comparison.redaction.text(&why) });
            }
            Err(Trouble::Harness(why)) => return Err(why),
        }
    }
}

impl PairSetup<'_> {
    /// The report of what was measured with it.
    pub fn report(
        &self,
        measured: PairMeasured,
        command: Vec<String>,
        started_at_ms: u64,
        took: Duration,
    ) -> PairReport {
        let machine = Machine::this();
        let note = "the tool was built without optimisations: what it measures is itself for the most part";
        let notes = if machine.optimised { Vec::new() } else { vec![note.to_owned()] };
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
    ) -> Result<(), Trouble> {
        let control = name == SeriesName::Control;
        let mut base = self.start("the base", self.base, false).await?;
        let (second, command) = match control {
            true => ("the base started once more", self.base),
            false => ("the candidate", self.candidate),
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
    ) -> Result<StartedReceiver, Trouble> {
        let mut interrupted = self.interrupted.clone();
        let started = tokio::select! {
            started = Receiver::start(command, self.path, self.secret.clone(), self.ready) => started,
            Ok(_) = interrupted.wait_for(|on| *on) => return Err(Trouble::interruption()),
        };
        let receiver = match started {
            Ok(receiver) => receiver,
            Err(why @ SubjectError::Usage(_)) => return Err(Error::from(why).into()),
            Err(why) => return Err(Trouble::Subject(BenchResult::Incomplete, format!("{name}: {why}"))),
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
    ) -> Result<(), Trouble> {
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
                let two = "an order has two loads on each";
                <[f64; 2]>::try_from(figures).map_err(|_| Error::Harness(two.to_owned()))
            };
            rounds.push(PairRound { base: of(of_base)?, candidate: of(of_other)? });
        }
        Ok(())
    }

    /// Puts one load on a receiver, and sees that it did what it must.
    async fn load(
        &self,
        plan: &LoadPlan,
        peer: &mut StartedReceiver,
        numbers: &mut u64,
    ) -> Result<LoadOutcome, Trouble> {
        let target = peer.receiver.target().clone();
        let subject = LoadTarget {
            target: &target,
            secret: self.secret,
            dialect: self.dialect,
            corpus: &peer.corpus,
            clock: self.clock,
            interrupted: self.interrupted,
        };
        let ran = run(plan, &subject, *numbers).await;
        let wrong = match &ran {
            Ok(outcome) if outcome.ending == LoadEnding::Interrupted => {
                return Err(Trouble::interruption());
            }
            Ok(outcome) => self.wrong(outcome),
            Err(Error::Subject(why)) => Some(format!("does not listen any more: {why}")),
            Err(_) => None,
        };
        // Where it is gone, that is why; otherwise it is what it did.
        let nothing = ran.as_ref().is_ok_and(|outcome| outcome.total().acknowledged == 0);
        let gone = match wrong.is_some() || nothing {
            true => peer.receiver.ends().await,
            false => peer.receiver.ended().await,
        };
        if let Some(what) = gone.map(|how| format!(": {how}")).or(wrong.map(|what| format!(" {what}"))) {
            let result = if peer.judged { BenchResult::Fail } else { BenchResult::Incomplete };
            return Err(Trouble::Subject(result, format!("{}{what}", peer.name)));
        }
        let outcome = ran?;
        if nothing {
            let why = format!(
                "no delivery to {} came to an end within {} ms: give a longer --duration",
                peer.name,
                plan.duration.as_millis()
            );
            return Err(Trouble::Subject(BenchResult::Incomplete, why));
        }
        *numbers = outcome.numbers;
        Ok(outcome)
    }

    /// What a receiver did wrong under a load: the end of a sentence.
    fn wrong(&self, outcome: &LoadOutcome) -> Option<String> {
        if outcome.broken_level().is_some_and(|level| level <= self.tolerance.fail_on) {
            let probes = outcome.probes(self.redaction);
            let through: Vec<String> = probes
                .kinds
                .iter()
                .filter(|kind| kind.let_through > 0)
                .map(|kind| format!("{} ({})", kind.name, kind.requirement))
                .collect();
            return Some(format!(
                "let through what must be refused: {}; `bench receiver` shows the exchange",
                through.join(", ")
            ));
        }
        let total = outcome.total();
        if outcome.ending == LoadEnding::Gone {
            return Some("did not listen any more".to_owned());
        }
        let ended = total.acknowledged + total.refused + total.failed;
        if total.error_share > self.tolerance.max_errors || (total.acknowledged == 0 && ended > 0) {
            let kinds: Vec<String> = outcome
                .unexpected(self.redaction)
                .iter()
                .map(|one| format!("{} × {}", one.count, one.text))
                .collect();
            let kinds = if kinds.is_empty() { "no answer came".to_owned() } else { kinds.join(", ") };
            return Some(format!("acknowledged {} of {ended} valid deliveries: {kinds}", total.acknowledged));
        }
        None
    }

    fn figure_of(&self, outcome: &LoadOutcome) -> f64 {
        let total = outcome.total();
        match self.figure {
            Figure::Rate => total.rate,
            // Of nothing there would be no logarithm.
            Figure::P99 => total.latency.p99_us.max(1) as f64,
        }
    }
}

impl Trouble {
    fn interruption() -> Self {
        Self::Subject(
            BenchResult::Interrupted,
            "it was interrupted: this is what there was until then".to_owned(),
        )
    }
}
