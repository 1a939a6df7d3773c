//! Measures two receivers against each other: starts them, runs the rounds of loads, stops them, and begins again.
//!
//! All are stopped whichever way a start ends. A load that did not finish, or whose receiver misbehaved, gives no figure. Earlier
//! figures are kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::decision::{Conclusion, conclude, verdict};
use super::messages;
use super::pair::{FORMAT, Figure, PairFigure, PairLoad, PairReport, PairRound, PairStart, order};
use crate::bench::generate::connection::IdleConnections;
use crate::bench::generate::corpus::Corpus;
use crate::bench::generate::plan::{LoadPlan, Mode};
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
use crate::subject::SubjectError;
use crate::subject::launch::Launch;
use crate::subject::process::usage;
use crate::subject::receiver::Receiver;
use crate::webhook::dialect::Dialect;
use crate::webhook::dialect::rfc3339;
use crate::webhook::signature::Secret;

/// The longest load that is limited by its deliveries.
const LONGEST_LOAD: Duration = Duration::from_secs(10);
/// The warm-up tells how many deliveries a load needs, also if none was asked for.
const SHORTEST_WARM_UP: Duration = Duration::from_millis(200);
/// A run has time for at least this many starts: on a slow machine, fewer rounds are measured after each.
const STARTS: u32 = 8;
/// The fewest deliveries of a load for each connection.
const FEWEST_FOR_EACH: u64 = 4;

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
    /// The rounds after each start, if there is time for as many.
    pub rounds: usize,
    /// After this time no start begins that would not end in it.
    pub max_time: Duration,
    /// What is compared, and whether it decides.
    pub figures: &'a [(Figure, bool)],
    /// How much worse a figure may be, as a share.
    pub max_regression: f64,
    pub tolerance: Tolerance,
    pub redaction: &'a Redaction,
}

#[derive(Debug)]
pub struct PairMeasured {
    pub figures: Vec<PairFigure>,
    pub decided_by: Option<Figure>,
    /// The starts that were begun. The last may have fewer rounds.
    pub starts: Vec<PairStart>,
    pub result: BenchResult,
    pub why: String,
}

/// Why a start ended early.
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
    /// The ids of its processes, once it is warm.
    processes: Vec<i32>,
    /// Its connections between two loads: to open them for each would be a large part of its work.
    idle: Arc<IdleConnections>,
}

/// Starts and measures both receivers until a figure decides or the time is up.
///
/// Errors: a command does not exist, or a load cannot be sent. Faults of receivers are not errors but results.
pub async fn measure_pair(comparison: &PairSetup<'_>) -> Result<PairMeasured, Error> {
    let (begun, mut starts, mut numbers) = (Instant::now(), Vec::new(), 0);
    let mut longest = Duration::ZERO;
    loop {
        let this_start = Instant::now();
        let mut start = PairStart::default();
        let ran = comparison.run(&mut start.rounds, &mut numbers).await;
        starts.push(start);
        let figures = comparison.figures_of(&starts);
        longest = longest.max(this_start.elapsed());
        let (result, decided_by, why) = match ran {
            Err(EndedEarly::Harness(why)) => return Err(why),
            Err(EndedEarly::Subject(result, why)) => (result, None, comparison.redaction.text(&why)),
            Ok(()) => {
                let has_time = begun.elapsed() + longest <= comparison.max_time;
                if has_time && conclude(&figures) == Conclusion::Undecided {
                    continue;
                }
                verdict(&figures, starts.len())
            }
        };
        return Ok(PairMeasured { figures, decided_by, starts, result, why });
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
            max_regression: self.max_regression,
            figures: measured.figures,
            decided_by: measured.decided_by,
            starts: measured.starts,
            result: measured.result,
            why: measured.why,
            exit_status: measured.result.status().code(),
            duration_ms: milliseconds(took),
            notes,
        }
    }

    fn figures_of(&self, starts: &[PairStart]) -> Vec<PairFigure> {
        let of = |(figure, decides): &(Figure, bool)| {
            PairFigure::of(*figure, *decides, self.max_regression, starts)
        };
        self.figures.iter().filter_map(of).collect()
    }

    /// Starts the three processes, measures the rounds, and stops the processes. Errors: why that ended early.
    async fn run(&self, rounds: &mut Vec<PairRound>, numbers: &mut u64) -> Result<(), EndedEarly> {
        let begun = Instant::now();
        let started = tokio::join!(
            self.start(messages::BASE, self.base, false),
            self.start(messages::CANDIDATE, self.candidate, true),
            self.start(messages::SECOND_BASE, self.base, false),
        );
        let (mut peers, mut failed) = (Vec::new(), None);
        for one in <[_; 3]>::from(started) {
            match one {
                Ok(peer) => peers.push(peer),
                Err(why) => failed = failed.or(Some(why)),
            }
        }
        let ran = match failed {
            None => self.alternate(&mut peers, begun, rounds, numbers).await,
            Some(why) => Err(why),
        };
        for peer in peers {
            peer.receiver.stop().await;
        }
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
        Ok(StartedReceiver { name, receiver, corpus, judged, processes: Vec::new(), idle: Arc::default() })
    }

    /// Warms base, candidate and control up, and measures them in turns.
    async fn alternate(
        &self,
        peers: &mut [StartedReceiver],
        begun: Instant,
        rounds: &mut Vec<PairRound>,
        numbers: &mut u64,
    ) -> Result<(), EndedEarly> {
        let each = self.warm_up(peers, numbers).await?;
        let is_over = |count| count >= self.rounds || count > 0 && begun.elapsed() > self.max_time / STARTS;
        while !is_over(rounds.len()) {
            let mut loads = [[PairLoad::default(); 2]; 3];
            let order = order(rounds.len());
            for (nth, peer) in order.into_iter().chain(order.into_iter().rev()).enumerate() {
                loads[peer][nth / 3] = self.measure(&each, &mut peers[peer], numbers).await?;
            }
            let [base, candidate, control] = loads;
            rounds.push(PairRound { base, candidate, control });
        }
        for (nth, peer) in peers.iter().enumerate() {
            if peer.receiver.processes() != peer.processes {
                // The times of processes that ended or were added are not known.
                for round in &mut *rounds {
                    let loads = [&mut round.base, &mut round.candidate, &mut round.control];
                    loads.into_iter().nth(nth).into_iter().flatten().for_each(PairLoad::without_processes);
                }
            }
        }
        Ok(())
    }

    /// Warms the processes up. Returns the plan of each load: so many deliveries as the base handles in its time, so that all
    /// have the same work.
    async fn warm_up(
        &self,
        peers: &mut [StartedReceiver],
        numbers: &mut u64,
    ) -> Result<LoadPlan, EndedEarly> {
        let mut each = LoadPlan { warm_up: Duration::ZERO, ..self.plan.clone() };
        let warm_up = LoadPlan { duration: self.plan.warm_up.max(SHORTEST_WARM_UP), ..each.clone() };
        let mut rate = None;
        for peer in &mut *peers {
            let warm = self.load(&warm_up, peer, numbers).await?;
            // The base is the first.
            rate = rate.or_else(|| Some(warm.total().rate));
        }
        if let (Mode::Saturation, Some(rate)) = (&self.plan.mode, rate) {
            let deliveries = (rate * self.plan.duration.as_secs_f64()).ceil() as u64;
            each.deliveries = Some(deliveries.max(FEWEST_FOR_EACH * self.plan.concurrency as u64));
            each.duration = LONGEST_LOAD.max(self.plan.duration);
        }
        for peer in peers {
            peer.processes = peer.receiver.processes();
        }
        Ok(each)
    }

    /// The figures of one load.
    async fn measure(
        &self,
        plan: &LoadPlan,
        peer: &mut StartedReceiver,
        numbers: &mut u64,
    ) -> Result<PairLoad, EndedEarly> {
        let before = usage::processor_time(&peer.processes);
        let outcome = self.load(plan, peer, numbers).await?;
        let after = usage::processor_time(&peer.processes);
        let memory = usage::resident_memory(&peer.processes);
        let (total, counts) = (outcome.total(), outcome.counts());
        let deliveries = (counts.ended() + counts.probes.iter().sum::<u64>()).max(1);
        let spent = before.zip(after).map(|(before, after)| after.saturating_sub(before));
        // More digits than were measured would only make a report of thousands of loads larger.
        let rounded = |value: f64| (value * 1e3).round() / 1e3;
        Ok(PairLoad {
            rate: rounded(total.rate),
            // 0 has no logarithm.
            p99_us: total.latency.p99_us.max(1) as f64,
            processor_us: spent.map(|spent| rounded(spent.as_secs_f64() * 1e6 / deliveries as f64)),
            memory_mib: memory.map(|bytes| rounded(bytes as f64 / f64::from(1 << 20))),
        })
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
            idle: Some(&peer.idle),
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
            let clock = ran.as_ref().ok().and_then(LoadOutcome::clock_note);
            let result = match peer.judged && clock.is_none() {
                true => BenchResult::Fail,
                false => BenchResult::Incomplete,
            };
            return Err(EndedEarly::Subject(result, clock.unwrap_or(why)));
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
}

impl EndedEarly {
    fn interruption() -> Self {
        Self::Subject(BenchResult::Interrupted, interrupted().to_owned())
    }
}
