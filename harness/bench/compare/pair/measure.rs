//! Measures two receivers against each other: starts them, puts the loads of the rounds on them, and ends them.
//!
//! Invariant: both are ended whichever way a series goes; a load that was not whole, or whose receiver went wrong, is never a
//! figure; and what was measured until then is kept.

use std::time::Duration;

use tokio::sync::watch;

use super::{Conclusion, Figure, Round, Series, SeriesName, conclude, order};
use crate::bench::generate::corpus::Corpus;
use crate::bench::generate::load::{Ending, Outcome, Subject, run};
use crate::bench::generate::plan::Plan;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;
use crate::statistics::{FEWEST, Interval};
use crate::subject::SubjectError;
use crate::subject::receiver::Receiver;
use crate::suite::requirement::Level;
use crate::webhook::dialect::Dialect;
use crate::webhook::signature::Secret;

/// Which part of a round's load is left out at its beginning.
const RUN_UP: u32 = 10;

/// What is measured, and how.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// The command that starts the base.
    pub base: &'a str,
    /// The command that starts the candidate.
    pub candidate: &'a str,
    /// The path at which both take deliveries.
    pub path: &'a str,
    /// The secret of both.
    pub secret: &'a Secret,
    /// How long each may take until its port accepts.
    pub ready: Duration,
    /// The form of body and headers.
    pub dialect: &'static Dialect,
    /// The bodies, where they are not the sample events.
    pub corpus: Option<&'a Corpus>,
    /// The time of day.
    pub clock: &'a Clock,
    /// Becomes true where it is to end at once.
    pub interrupted: &'a watch::Receiver<bool>,
    /// Each load; its warm-up is that of a receiver that was just started.
    pub plan: &'a Plan,
    /// How many rounds each series has, where the control needs no more.
    pub rounds: usize,
    /// What is compared.
    pub figure: Figure,
    /// By which share the candidate may be worse.
    pub max_regression: f64,
    /// Which share of errors is allowed, from 0 to 1.
    pub max_errors: f64,
    /// The weakest level whose probes fail the run when they are let through.
    pub fail_on: Level,
    /// Takes the secret out.
    pub redaction: &'a Redaction,
}

/// What came of it.
#[derive(Debug)]
pub struct Measured {
    /// The series, as far as they went.
    pub series: Vec<Series>,
    /// The status that they lead to.
    pub status: ExitStatus,
    /// Why.
    pub why: String,
}

/// Why a series ended early: the status, and a sentence.
struct Trouble(ExitStatus, String);

/// A receiver that was started.
struct Peer {
    /// What it is called in messages.
    name: &'static str,
    receiver: Receiver,
    corpus: Corpus,
    /// Whether what it does wrong is the candidate's.
    judged: bool,
}

/// Measures. `told` hears of each series before it begins.
///
/// Errors: a command that cannot be started at all, a load that cannot be put; what receivers do wrong is in what is returned.
pub async fn compare(
    comparison: &Comparison<'_>,
    mut told: impl FnMut(SeriesName),
) -> Result<Measured, Error> {
    let mut series: Vec<Series> = Vec::new();
    let mut numbers = 0;
    // One that cannot be started is found out now, and not behind the control.
    match comparison.start("the candidate", comparison.candidate, true).await? {
        Ok(peer) => peer.receiver.stop().await,
        Err(Trouble(status, why)) => {
            return Ok(Measured { series, status, why: comparison.redaction.text(&why) });
        }
    }
    loop {
        let ratio = |one: &Series| one.ratio;
        let control = series.first().and_then(ratio);
        let candidate: Vec<Interval> = series.iter().skip(1).filter_map(ratio).collect();
        let better = comparison.figure.better();
        let next = match conclude(control.as_ref(), &candidate, better, comparison.max_regression) {
            Conclusion::Final(status, why) => return Ok(Measured { series, status, why }),
            Conclusion::GoOn(next) => next,
        };
        told(next);
        let planned = series.first().map_or(comparison.rounds, |control| control.rounds.len());
        let mut rounds = Vec::new();
        match comparison.run(next, planned, &mut rounds, &mut numbers).await? {
            None => {
                series.push(Series::of(next, rounds, comparison.plan.seed));
                if series.last().and_then(ratio).is_none() {
                    let why = format!("{FEWEST} rounds at least are needed to tell anything");
                    return Ok(Measured { series, status: ExitStatus::Incomplete, why });
                }
            }
            Some(Trouble(status, why)) => {
                series.push(Series { name: next, rounds, ratio: None });
                return Ok(Measured { series, status, why: comparison.redaction.text(&why) });
            }
        }
    }
}

impl Comparison<'_> {
    /// Runs a series. Returns why it ended early, where it did.
    async fn run(
        &self,
        name: SeriesName,
        planned: usize,
        rounds: &mut Vec<Round>,
        numbers: &mut u64,
    ) -> Result<Option<Trouble>, Error> {
        let control = name == SeriesName::Control;
        let mut base = match self.start("the base", self.base, false).await? {
            Ok(peer) => peer,
            Err(trouble) => return Ok(Some(trouble)),
        };
        let (second, command) = match control {
            true => ("the base started once more", self.base),
            false => ("the candidate", self.candidate),
        };
        let mut other = match self.start(second, command, !control).await {
            Ok(Ok(peer)) => peer,
            ended => {
                base.receiver.stop().await;
                return ended.map(Result::err);
            }
        };
        let is_over =
            |rounds: &[Round]| Series::is_over(name, rounds, planned, self.plan.seed, self.max_regression);
        let ran = self.alternate(&mut base, &mut other, is_over, rounds, numbers).await;
        base.receiver.stop().await;
        other.receiver.stop().await;
        match ran {
            Ok(()) => Ok(None),
            Err(Ok(trouble)) => Ok(Some(trouble)),
            Err(Err(why)) => Err(why),
        }
    }

    async fn start(
        &self,
        name: &'static str,
        command: &str,
        judged: bool,
    ) -> Result<Result<Peer, Trouble>, Error> {
        let mut interrupted = self.interrupted.clone();
        let started = tokio::select! {
            started = Receiver::start(command, self.path, self.secret.clone(), self.ready) => started,
            Ok(_) = interrupted.wait_for(|on| *on) => return Ok(Err(Trouble::interruption())),
        };
        let receiver = match started {
            Ok(receiver) => receiver,
            Err(why @ SubjectError::Usage(_)) => return Err(why.into()),
            Err(why) => return Ok(Err(Trouble(ExitStatus::Incomplete, format!("{name}: {why}")))),
        };
        let corpus = match self.corpus {
            Some(corpus) => corpus.clone(),
            None => Corpus::samples(self.dialect, &receiver.target().url(), self.clock.now_ms()),
        };
        Ok(Ok(Peer { name, receiver, corpus, judged }))
    }

    async fn alternate(
        &self,
        base: &mut Peer,
        other: &mut Peer,
        is_over: impl Fn(&[Round]) -> bool,
        rounds: &mut Vec<Round>,
        numbers: &mut u64,
    ) -> Result<(), Result<Trouble, Error>> {
        if !self.plan.warm_up.is_zero() {
            let warm_up = Plan { duration: self.plan.warm_up, warm_up: Duration::ZERO, ..self.plan.clone() };
            for peer in [&mut *base, &mut *other] {
                self.load(&warm_up, peer, numbers).await?;
            }
        }
        let each = Plan { warm_up: self.plan.duration / RUN_UP, ..self.plan.clone() };
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
                <[f64; 2]>::try_from(figures).map_err(|_| Err(Error::Harness(two.to_owned())))
            };
            rounds.push(Round { base: of(of_base)?, candidate: of(of_other)? });
        }
        Ok(())
    }

    /// Puts one load on a receiver, and sees that it did what it must.
    async fn load(
        &self,
        plan: &Plan,
        peer: &mut Peer,
        numbers: &mut u64,
    ) -> Result<Outcome, Result<Trouble, Error>> {
        let target = peer.receiver.target().clone();
        let subject = Subject {
            target: &target,
            secret: self.secret,
            dialect: self.dialect,
            corpus: &peer.corpus,
            clock: self.clock,
            interrupted: self.interrupted,
        };
        let ran = run(plan, &subject, *numbers).await;
        let wrong = match &ran {
            Ok(outcome) if outcome.ending == Ending::Interrupted => return Err(Ok(Trouble::interruption())),
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
            let status = if peer.judged { ExitStatus::Failed } else { ExitStatus::Incomplete };
            return Err(Ok(Trouble(status, format!("{}{what}", peer.name))));
        }
        let outcome = ran.map_err(Err)?;
        if nothing {
            let why = format!(
                "no delivery to {} came to an end within {} ms: give a longer --duration",
                peer.name,
                plan.duration.as_millis()
            );
            return Err(Ok(Trouble(ExitStatus::Incomplete, why)));
        }
        *numbers = outcome.numbers;
        Ok(outcome)
    }

    /// What a receiver did wrong under a load: the end of a sentence.
    fn wrong(&self, outcome: &Outcome) -> Option<String> {
        if outcome.broken_level().is_some_and(|level| level <= self.fail_on) {
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
        if outcome.ending == Ending::Gone {
            return Some("did not listen any more".to_owned());
        }
        let ended = total.acknowledged + total.refused + total.failed;
        if total.error_share > self.max_errors || (total.acknowledged == 0 && ended > 0) {
            let kinds: Vec<String> = outcome
                .unexpected(self.redaction)
                .iter()
                .map(|one| format!("{} × {}", one.count, one.text))
                .collect();
            let kinds = if kinds.is_empty() { "no answer came".to_owned() } else { kinds.join(", ") };
            return Some(format!(
                "acknowledged {} of {ended} genuine deliveries: {kinds}",
                total.acknowledged
            ));
        }
        None
    }

    fn figure_of(&self, outcome: &Outcome) -> f64 {
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
        Self(ExitStatus::Interrupted, "it was interrupted: this is what there was until then".to_owned())
    }
}
