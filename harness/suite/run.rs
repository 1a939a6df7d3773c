//! Runs the scenarios that the selected requirements need, and judges what happened.
//!
//! Invariant: judging is a pure function of the transcript. A breakdown of the harness or of the attachment is never a
//! failure of the subject, and never a pass.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{receiver as on_receiver, sender as on_sender};
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

/// How a run is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// The form of body.
    pub dialect: &'static Dialect,
    /// The bounds.
    pub limits: Limits,
    /// What ids, secrets, nonces and generated cases are made from.
    pub seed: u64,
    /// How many cases each property generates.
    pub cases: u32,
    /// How many cases go on at the same time.
    pub jobs: usize,
    /// The time of day.
    pub clock: Clock,
    /// Becomes true when the run is to end early.
    pub interrupted: watch::Receiver<bool>,
    /// Who is told of the run while it goes on.
    pub keeper: Option<Keeper>,
    /// The authority of the endpoints behind HTTPS.
    pub authority: Arc<Authority>,
}

impl Options {
    fn extent(&self) -> Extent {
        Extent { cases: self.cases, jobs: self.jobs.max(1), seed: self.seed }
    }
}

/// What a run yields.
#[derive(Debug)]
pub struct Run {
    /// Everything that happened.
    pub transcript: Transcript,
    /// One finding for each selected requirement, in the order of the contract.
    pub findings: Vec<Finding>,
    /// How long it took.
    pub duration: Duration,
    /// Whether it ended early.
    pub interrupted: bool,
}

/// A requirement and what came of it.
#[derive(Debug)]
pub struct Finding {
    pub requirement: &'static Requirement,
    /// What came of it.
    pub judgement: Judgement,
}

/// What is told while a run goes on.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// How many scenarios are done.
    pub done: usize,
    /// Of how many.
    pub of: usize,
    /// The one that begins, or `None` at the end.
    pub scenario: Option<&'static Scenario>,
}

/// Runs the suite against a receiver.
///
/// Errors: the suite contradicts itself.
pub async fn receiver(
    subject: &mut subject::receiver::Receiver,
    selected: &[&'static Requirement],
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Run, Error> {
    check_oracles()?;
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
    let findings = judge(&transcript, selected);
    Ok(Run { transcript, findings, duration: began.elapsed(), interrupted: *options.interrupted.borrow() })
}

/// Runs the suite against a sender.
///
/// Errors: the suite contradicts itself, or the sender does not answer the greeting.
pub async fn sender(
    subject: &dyn subject::sender::Sender,
    selected: &[&'static Requirement],
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Run, Error> {
    check_oracles()?;
    let began = Instant::now();
    let mut transcript = Transcript::new(Role::Sender, options.dialect, options.limits);
    transcript.keeper.clone_from(&options.keeper);
    let random = Random::from_seed(options.seed);
    let scenarios = needed(Role::Sender, selected);
    let extent = options.extent();
    let mut stage =
        on_sender::stage::SenderStage::new(subject, &options.clock, &random, extent, &mut transcript);
    if need_https(selected) {
        stage = stage.offering(&options.authority);
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

/// Whether endpoints behind HTTPS are needed for these requirements, where the sender can do with them.
pub fn need_https(selected: &[&'static Requirement]) -> bool {
    needed(Role::Sender, selected).iter().any(|one| one.needs == Some(Capability::Https))
}

/// The run that could not be begun: nothing was tried, and each requirement says why.
pub fn not_begun(transcript: Transcript, selected: &[&'static Requirement], why: &SubjectError) -> Run {
    let judgement = || match why {
        SubjectError::Broke(why) => Judgement::Error(why.clone()),
        other => Judgement::Judged(Verdict::Inconclusive(other.to_string())),
    };
    let findings = selected.iter().map(|&requirement| Finding { requirement, judgement: judgement() });
    Run { transcript, findings: findings.collect(), duration: Duration::ZERO, interrupted: false }
}

/// Judges a transcript. It can be done again at any time, without the subject.
pub fn judge(transcript: &Transcript, selected: &[&'static Requirement]) -> Vec<Finding> {
    let finding = |requirement: &&'static Requirement| Finding {
        requirement,
        judgement: judge_one(transcript, requirement),
    };
    selected.iter().map(finding).collect()
}

fn judge_one(transcript: &Transcript, requirement: &Requirement) -> Judgement {
    if let Some(capability) = requirement.needs.filter(|needed| !transcript.capabilities.contains(needed)) {
        let reason = match capability {
            Capability::Observations => {
                "what the receiver takes in cannot be seen; --observe makes it so".to_owned()
            }
            other => format!("the sender does not declare the capability `{}`", other.as_str()),
        };
        return Judgement::Judged(Verdict::NotApplicable(reason));
    }
    let verdict = (requirement.check)(requirement, transcript);
    // What only looks for the cause says nothing of the requirement where it breaks down.
    // Neither does what was not to be played: a requirement that needs a capability is out of the question before.
    let played =
        |scenario: &Scenario| scenario.needs.is_none_or(|one| transcript.capabilities.contains(&one));
    let judging = requirement.scenarios.iter();
    let judging = judging.filter(|scenario| scenario.turn != Turn::Diagnosis && played(scenario));
    let broken = judging.copied().find_map(|scenario| match transcript.ending(scenario.name)? {
        Ending::Complete => None,
        other => Some(other),
    });
    match (broken, verdict) {
        // What does not bind the subject does not bind it when it breaks down either.
        (_, verdict @ Verdict::NotApplicable(_)) => Judgement::Judged(verdict),
        // What was seen before the breakdown speaks against the subject whatever came after it.
        (
            None | Some(Ending::Died(_) | Ending::Stuck(_) | Ending::Unkept(_) | Ending::Skipped(_)),
            verdict @ Verdict::Fail(_),
        ) => Judgement::Judged(verdict),
        (None, verdict) => Judgement::Judged(verdict),
        (Some(Ending::Broke(why)), _) => Judgement::Error(why.clone()),
        (Some(Ending::Died(why)), _) if transcript.role == Role::Sender => {
            let evidence = Evidence::new("the sender goes on", "it ended", why.clone());
            Judgement::Judged(evidence.because(Cause::new(Code::SendCrash)).fail())
        }
        (Some(Ending::Unkept(why)), _) => {
            let evidence = Evidence::new("what is declared is kept", "it is not", why.clone());
            Judgement::Judged(evidence.fail())
        }
        (Some(Ending::Died(why) | Ending::Stuck(why) | Ending::Skipped(why)), _) => {
            Judgement::Judged(Verdict::Inconclusive(why.clone()))
        }
        (Some(Ending::Complete), verdict) => Judgement::Judged(verdict),
    }
}

/// The scenarios that the selected requirements need, in the order in which they are played.
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

/// What plays scenarios on a program under test, and writes down what happened.
trait Player {
    /// Plays one scenario, and writes down how it ended.
    fn play(&mut self, scenario: &Scenario) -> impl Future<Output = ()>;

    /// What was written so far.
    fn transcript(&mut self) -> &mut Transcript;
}

impl Player for on_receiver::stage::ReceiverStage<'_> {
    async fn play(&mut self, scenario: &Scenario) {
        self.begin().await;
        let played = match scenario.play {
            Play::Cases { fixed, generated } => self.try_cases(scenario.name, fixed, generated).await,
            Play::Receiver(course) => course(self).await,
            Play::Sender(_) => Ok(()),
        };
        self.end(scenario.name, played);
    }

    fn transcript(&mut self) -> &mut Transcript {
        Self::transcript(self)
    }
}

impl Player for on_sender::stage::SenderStage<'_> {
    async fn play(&mut self, scenario: &Scenario) {
        if let Play::Sender(course) = scenario.play {
            Self::play(self, scenario.name, scenario.needs, course).await;
        }
    }

    fn transcript(&mut self) -> &mut Transcript {
        self.transcript
    }
}

/// Runs scenarios one after another; those that cannot be begun, or not be ended, say why.
async fn play(
    stage: &mut impl Player,
    scenarios: &[&'static Scenario],
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) {
    for (done, &scenario) in scenarios.iter().enumerate() {
        progress(Progress { done, of: scenarios.len(), scenario: Some(scenario) });
        let ended = match hopeless(stage.transcript()) {
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

/// Runs a scenario to its end, or up to the interruption, and says so then.
async fn unless_interrupted(scenario: impl Future<Output = ()>, options: &Options) -> Option<String> {
    tokio::select! {
        biased;
        () = interruption(options) => Some("the run was interrupted".to_owned()),
        () = scenario => None,
    }
}

/// Waits for the interruption.
async fn interruption(options: &Options) {
    let mut interrupted = options.interrupted.clone();
    if interrupted.wait_for(|on| *on).await.is_err() {
        // Nobody is left who could interrupt.
        std::future::pending::<()>().await;
    }
}

/// Why no further scenario is begun, if so.
fn hopeless(transcript: &Transcript) -> Option<String> {
    let lost = transcript.endings.iter().find_map(|(_, ending)| match ending {
        Ending::Died(why) | Ending::Broke(why) => Some(format!("the subject was lost before: {why}")),
        _ => None,
    });
    let silent =
        transcript.role == Role::Sender && !transcript.endings.is_empty() && transcript.arrivals.is_empty();
    lost.or_else(|| silent.then(|| "nothing was delivered in the scenarios before it".to_owned()))
}

/// Holds the two oracles of signatures against each other.
///
/// Errors: they disagree.
pub fn check_oracles() -> Result<(), Error> {
    let disagreements = vectors::disagreements().map_err(Error::Harness)?;
    match disagreements.first() {
        None => Ok(()),
        Some(first) => Err(Error::Harness(format!("the two oracles of signatures disagree: {first}"))),
    }
}
