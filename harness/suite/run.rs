//! Runs the scenarios of the selected requirements, and judges what happened.
//!
//! Judging is a pure function of the transcript. If the harness or the attachment breaks down, the subject neither fails nor
//! passes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{messages, receiver as on_receiver, sender as on_sender};
use crate::clock::Clock;
use crate::error::Error;
use crate::random::Random;
use crate::subject::{self, SubjectError};
use crate::suite::cause::{Cause, Code};
use crate::suite::property::Extent;
use crate::suite::requirement::{Evidence, Requirement, Role, Verdict};
use crate::suite::requirements;
use crate::suite::scenario::{Play, Scenario, Turn};
use crate::suite::transcript::{Capability, Ending, Keeper, Limits, Transcript};
pub use crate::suite::verdict::Judgement;
use crate::webhook::dialect::Dialect;
use crate::webhook::vectors;
use crate::wire::client::Client;
use crate::wire::endpoint::certificates::Authority;
use crate::wire::exchange::ExchangeId;

#[derive(Debug, Clone)]
pub struct Options {
    pub dialect: &'static Dialect,
    pub limits: Limits,
    /// The seed of ids, secrets, nonces and generated cases.
    pub seed: u64,
    /// How many cases each property generates.
    pub cases: u32,
    /// How many cases run at the same time.
    pub jobs: usize,
    pub clock: Clock,
    /// Turns true when the run should end early.
    pub interrupted: watch::Receiver<bool>,
    /// Records the run while it runs.
    pub keeper: Option<Keeper>,
    /// Signs the certificates of the HTTPS endpoints.
    pub authority: Arc<Authority>,
}

impl Options {
    fn extent(&self) -> Extent {
        Extent { cases: self.cases, jobs: self.jobs.max(1), seed: self.seed }
    }
}

#[derive(Debug)]
pub struct Run {
    pub transcript: Transcript,
    /// One finding for each selected requirement, in the order of the contract.
    pub findings: Vec<Finding>,
    pub duration: Duration,
    /// Whether it ended early.
    pub interrupted: bool,
}

/// The judgement on one requirement.
#[derive(Debug)]
pub struct Finding {
    pub requirement: &'static Requirement,
    pub judgement: Judgement,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// How many scenarios are done.
    pub done: usize,
    pub of: usize,
    /// The scenario that starts now; `None` at the end.
    pub scenario: Option<&'static Scenario>,
}

/// Runs the suite against a receiver.
///
/// Errors: the suite's own test vectors fail, or the receiver's process ends by itself before it answers anything.
pub async fn receiver(
    subject: &mut subject::receiver::Receiver,
    selected: &[&'static Requirement],
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Run, Error> {
    check_vectors()?;
    let began = Instant::now();
    let mut transcript = Transcript::new(Role::Receiver, options.dialect, options.limits);
    transcript.secret = Some(subject.secret().clone());
    transcript.url = subject.target().url();
    transcript.trust = subject.target().trust();
    transcript.keeper.clone_from(&options.keeper);
    let client = Client::new(options.limits.timeout, options.clock.clone());
    let extent = options.extent();
    let scenarios = needed(Role::Receiver, selected);
    let mut stage =
        on_receiver::stage::ReceiverStage::new(subject, &client, &options.clock, extent, &mut transcript);
    play(&mut stage, &scenarios, options, progress).await;
    // If it cannot be restarted, nothing more needs it.
    let _ = stage.finish().await;
    if let Some(why) = stage.unstarted() {
        return Err(why.into());
    }
    let findings = judge(&transcript, selected);
    Ok(Run { transcript, findings, duration: began.elapsed(), interrupted: *options.interrupted.borrow() })
}

/// Runs the suite against a sender.
///
/// Errors: the suite's own test vectors fail, or the sender does not answer `hello`.
pub async fn sender(
    subject: &dyn subject::sender::Sender,
    selected: &[&'static Requirement],
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Run, Error> {
    check_vectors()?;
    let began = Instant::now();
    let mut transcript = Transcript::new(Role::Sender, options.dialect, options.limits);
    transcript.keeper.clone_from(&options.keeper);
    let random = Random::from_seed(options.seed);
    let scenarios = needed(Role::Sender, selected);
    let extent = options.extent();
    let mut stage =
        on_sender::stage::SenderStage::new(subject, &options.clock, &random, extent, &mut transcript);
    if need_https(selected) {
        stage = stage.with_https(&options.authority);
    }
    let greeted = tokio::select! {
        biased;
        () = interruption(options) => Ok(()),
        greeted = stage.greet() => greeted.map(drop),
    };
    greeted?;
    play(&mut stage, &scenarios, options, progress).await;
    let findings = judge(&transcript, selected);
    Ok(Run { transcript, findings, duration: began.elapsed(), interrupted: *options.interrupted.borrow() })
}

/// Whether these requirements need HTTPS endpoints.
pub fn need_https(selected: &[&'static Requirement]) -> bool {
    needed(Role::Sender, selected).iter().any(|one| one.needs == Some(Capability::Https))
}

/// A run that could not start. The finding on each requirement is the reason.
pub fn not_started(mut transcript: Transcript, selected: &[&'static Requirement], why: &SubjectError) -> Run {
    transcript.unreached = true;
    let skipped = needed(transcript.role, selected).into_iter();
    transcript.endings = skipped.map(|one| (one.name, Ending::Skipped(why.to_string()))).collect();
    let judgement = || match why {
        SubjectError::ProtocolViolation(why) => Judgement::Error(why.clone()),
        other => Judgement::Judged(Verdict::Inconclusive(other.to_string())),
    };
    let findings = selected.iter().map(|&requirement| Finding { requirement, judgement: judgement() });
    Run { transcript, findings: findings.collect(), duration: Duration::ZERO, interrupted: false }
}

/// Judges a transcript. It needs no subject and can be repeated.
pub fn judge(transcript: &Transcript, selected: &[&'static Requirement]) -> Vec<Finding> {
    let finding = |requirement: &&'static Requirement| Finding {
        requirement,
        judgement: judge_one(transcript, requirement),
    };
    let mut findings: Vec<Finding> = selected.iter().map(finding).collect();
    fail_for_end(transcript, &mut findings);
    findings
}

/// If the receiver's process ended and no failure shows it, fails the requirement whose delivery was tried then. If that one is
/// not selected or fails already, another one: an end is never without a failure.
fn fail_for_end(transcript: &Transcript, findings: &mut [Finding]) {
    let of_scenario = |finding: &Finding, at: &ExchangeId| {
        let scenario = transcript.scenario_of(*at);
        finding.requirement.scenarios.iter().any(|one| Some(one.name) == scenario)
    };
    // A failure shows the first of several ends.
    let shown = |at: &ExchangeId| {
        findings.iter().any(|finding| match &finding.judgement {
            Judgement::Judged(Verdict::Fail(evidence)) => {
                let shows_end = evidence.exchanges.iter().any(|one| transcript.death_at(*one).is_some());
                evidence.exchanges.contains(at) || shows_end && of_scenario(finding, at)
            }
            _ => false,
        })
    };
    let Some((at, how)) = transcript.deaths.iter().find(|(at, _)| !shown(at)) else { return };
    let open =
        findings.iter_mut().filter(|one| !matches!(one.judgement, Judgement::Judged(Verdict::Fail(_))));
    let chosen = open.min_by_key(|finding| {
        let requirement = finding.requirement;
        let tried = of_scenario(finding, at);
        let applies = !matches!(finding.judgement, Judgement::Judged(Verdict::NotApplicable(_)));
        (!applies, !tried, requirement.level)
    });
    if let Some(finding) = chosen {
        finding.judgement = Judgement::Judged(on_receiver::ended(transcript, *at, how));
    }
}

fn judge_one(transcript: &Transcript, requirement: &Requirement) -> Judgement {
    if let Some(capability) = requirement.needs.filter(|needed| !transcript.capabilities.contains(needed)) {
        let reason = match capability {
            Capability::Observations => messages::observations_missing(),
            other => messages::capability_missing(other.as_str()),
        };
        return Judgement::Judged(Verdict::NotApplicable(reason));
    }
    let verdict = (requirement.check)(requirement, transcript);
    // A diagnosis that breaks down does not affect the verdict, nor does a scenario that was not meant to run.
    let played =
        |scenario: &Scenario| scenario.needs.is_none_or(|one| transcript.capabilities.contains(&one));
    let judging = requirement.scenarios.iter();
    let judging = judging.filter(|scenario| scenario.turn != Turn::Diagnosis && played(scenario));
    let broken = judging.copied().find_map(|scenario| match transcript.ending(scenario.name)? {
        Ending::Complete => None,
        other => Some(other),
    });
    match (broken, verdict) {
        // Not applicable stays not applicable when the subject breaks down, unless a trial would have shown that it applies.
        (None, verdict @ Verdict::NotApplicable(_)) => Judgement::Judged(verdict),
        (_, verdict @ Verdict::NotApplicable(_)) if transcript.role == Role::Sender => {
            Judgement::Judged(verdict)
        }
        // A failure that was seen before the scenario broke down counts.
        (
            None
            | Some(
                Ending::Died(_) | Ending::RequestFailed(_) | Ending::BrokenCapability(_) | Ending::Skipped(_),
            ),
            verdict @ Verdict::Fail(_),
        ) => Judgement::Judged(verdict),
        (None, verdict) => Judgement::Judged(verdict),
        (Some(Ending::ProtocolViolation(why)), _) => Judgement::Error(why.clone()),
        (Some(Ending::Died(why)), _) if transcript.role == Role::Sender => {
            let (expected, actual) = messages::exited();
            let evidence = Evidence::new(expected, actual, why.clone());
            Judgement::Judged(evidence.because(Cause::new(Code::SendCrash)).fail())
        }
        (Some(Ending::BrokenCapability(why)), _) => {
            let (expected, actual) = messages::capability_broken();
            let evidence = Evidence::new(expected, actual, why.clone());
            Judgement::Judged(evidence.fail())
        }
        (Some(Ending::Died(why) | Ending::RequestFailed(why) | Ending::Skipped(why)), _) => {
            Judgement::Judged(Verdict::Inconclusive(why.clone()))
        }
        (Some(Ending::Complete), verdict) => Judgement::Judged(verdict),
    }
}

/// The scenarios of the selected requirements, in the order in which they run.
fn needed(role: Role, selected: &[&'static Requirement]) -> Vec<&'static Scenario> {
    let mut scenarios: Vec<&'static Scenario> = Vec::new();
    for requirement in requirements::of(role) {
        scenarios
            .extend(requirement.scenarios.iter().filter(|one| !scenarios.contains(one)).collect::<Vec<_>>());
    }
    scenarios.sort_by_key(|scenario| scenario.turn);
    scenarios.retain(|scenario| selected.iter().any(|requirement| requirement.scenarios.contains(scenario)));
    scenarios
}

/// Runs scenarios against a program under test, and records what happened.
trait Player {
    /// Runs one scenario, and records how it ended.
    fn play(&mut self, scenario: &Scenario) -> impl Future<Output = ()>;

    fn transcript(&mut self) -> &mut Transcript;
}

impl Player for on_receiver::stage::ReceiverStage<'_> {
    async fn play(&mut self, scenario: &Scenario) {
        let played = match (self.begin().await, scenario.play) {
            (Err(why), _) => Err(why),
            (_, Play::Cases { fixed, generated }) => self.try_cases(scenario.name, fixed, generated).await,
            (_, Play::Receiver(steps)) => steps(self).await,
            (_, Play::Sender(_)) => Ok(()),
        };
        self.end(scenario.name, played);
    }

    fn transcript(&mut self) -> &mut Transcript {
        Self::transcript(self)
    }
}

impl Player for on_sender::stage::SenderStage<'_> {
    async fn play(&mut self, scenario: &Scenario) {
        if let Play::Sender(steps) = scenario.play {
            Self::play(self, scenario.name, scenario.needs, steps).await;
        }
    }

    fn transcript(&mut self) -> &mut Transcript {
        self.transcript
    }
}

/// Runs scenarios one after another. A scenario that is skipped or interrupted records why.
async fn play(
    stage: &mut impl Player,
    scenarios: &[&'static Scenario],
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) {
    for (done, &scenario) in scenarios.iter().enumerate() {
        progress(Progress { done, of: scenarios.len(), scenario: Some(scenario) });
        let ended = match reason_to_stop(stage.transcript()) {
            Some(why) => Some(why),
            None => unless_interrupted(stage.play(scenario), options).await,
        };
        if let Some(why) = ended {
            stage.transcript().endings.push((scenario.name, Ending::Skipped(why)));
        }
        stage.transcript().close();
    }
    progress(Progress { done: scenarios.len(), of: scenarios.len(), scenario: None });
}

/// Runs a scenario until it ends or the run is interrupted. Returns the reason if it was interrupted.
async fn unless_interrupted(scenario: impl Future<Output = ()>, options: &Options) -> Option<String> {
    tokio::select! {
        biased;
        () = interruption(options) => Some(messages::interrupted()),
        () = scenario => None,
    }
}

async fn interruption(options: &Options) {
    let mut interrupted = options.interrupted.clone();
    if interrupted.wait_for(|on| *on).await.is_err() {
        // The sending half is gone: no interruption can come.
        std::future::pending::<()>().await;
    }
}

/// Why no more scenarios can run; `None` if they can.
fn reason_to_stop(transcript: &Transcript) -> Option<String> {
    let lost = transcript.endings.iter().find_map(|(_, ending)| match ending {
        // The same words as for the scenario itself, so that they are told once.
        Ending::Died(why) if transcript.role == Role::Receiver => Some(why.clone()),
        Ending::Died(why) | Ending::ProtocolViolation(why) => Some(messages::skipped_after(why)),
        _ => None,
    });
    let nothing_arrived =
        transcript.role == Role::Sender && !transcript.endings.is_empty() && transcript.arrivals.is_empty();
    lost.or_else(|| nothing_arrived.then(messages::skipped_without_deliveries))
}

/// Compares the suite's own signatures with those of its test vectors, which other programs made.
///
/// Errors: they differ.
pub fn check_vectors() -> Result<(), Error> {
    let disagreements = vectors::disagreements().map_err(Error::Harness)?;
    match disagreements.first() {
        None => Ok(()),
        Some(first) => Err(Error::Harness(messages::signatures_disagree(first))),
    }
}
