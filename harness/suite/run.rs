//! Runs the scenarios of the selected requirements. Judging follows, from the transcript alone.
//!
//! What the time of a run does not allow is left out, the most telling cases last.

mod options;

use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use super::{messages, provisional, receiver as on_receiver, sender as on_sender};
use crate::error::{Error, StartFailure};
use crate::random::Random;
use crate::subject::{self, SubjectError};
pub use crate::suite::agreement::check_vectors;
pub use crate::suite::finding::{Finding, judge, required};
use crate::suite::requirement::{Requirement, Role, Verdict};
use crate::suite::requirements;
use crate::suite::scenario::{Play, Scenario, Turn};
use crate::suite::transcript::{Capability, Chosen, Ending, Transcript};
pub use crate::suite::verdict::Judgement;
use crate::wire::client::Client;
pub use options::Options;

#[derive(Debug)]
pub struct Run {
    pub transcript: Transcript,
    /// What followed, with deliveries made in the way that the receiver wants, if it rejects all others.
    pub after: Option<Transcript>,
    /// One finding for each selected requirement, in the order of the contract.
    pub findings: Vec<Finding>,
    pub duration: Duration,
    /// Whether it ended early.
    pub interrupted: bool,
    /// Why the program under test was not there to be tested.
    pub not_started: Option<StartFailure>,
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
    transcript.chosen = options.auto.then(Chosen::default);
    transcript.secret = Some(subject.secret().clone());
    transcript.url = subject.target().url();
    transcript.trust = subject.target().trust();
    transcript.keeper.clone_from(&options.keeper);
    transcript.exchanges.count_in(&options.requests);
    let client = Client::new(options.limits.timeout, options.clock.clone()).giving_up_on_bodies();
    let extent = options.extent();
    let scenarios = needed(Role::Receiver, selected);
    let (clock, max_time) = (&options.clock, options.max_time);
    let mut stage =
        on_receiver::stage::ReceiverStage::new(subject, &client, clock, extent, max_time, &mut transcript);
    let mut options = options.clone();
    if options.auto {
        // An interruption ends every scenario too, and is recorded there.
        let answered = unless_stopped(stage.choose_dialect(), &options).await;
        if answered == Ok(true) {
            // A slow receiver has as much time for its scenarios as one whose dialect is named.
            options.max_time = options.max_time.again();
            stage.has(options.max_time);
        }
    }
    let options = &options;
    play(&mut stage, &scenarios, options, progress).await;
    // If it cannot be restarted, nothing more needs it.
    let _ = stage.finish().await;
    if let Some(why) = stage.unstarted() {
        return Err(why.into());
    }
    let mut findings = judge(&transcript, selected);
    // On the heap: it is as large as the first pass.
    let again = pass_again(subject, &client, (&mut transcript, &mut findings), options, progress);
    let after = Box::pin(again).await;
    Ok(Run {
        transcript,
        after,
        findings,
        duration: began.elapsed(),
        interrupted: *options.interrupted.borrow(),
        not_started: None,
    })
}

/// If the receiver rejects every valid delivery, and the way was found in which it wants them: plays the open scenarios again with
/// deliveries made in that way. Returns what happened.
async fn pass_again(
    subject: &mut subject::receiver::Receiver,
    client: &Client,
    (first, findings): (&mut Transcript, &mut [Finding]),
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Option<Transcript> {
    let (manners, open) = provisional::open(first, findings)?;
    if reason_to_stop(first, options).is_some() {
        first.remarks.push(messages::not_passed_again().to_owned());
        return None;
    }
    let mut transcript = first.following();
    let (clock, extent, max_time) = (&options.clock, options.extent(), options.max_time);
    let mut stage =
        on_receiver::stage::ReceiverStage::new(subject, client, clock, extent, max_time, &mut transcript);
    if unless_stopped(stage.choose_manner(&manners), options).await == Ok(true) {
        let mut scenarios = needed(Role::Receiver, &open);
        scenarios.retain(|scenario| scenario.turn != Turn::Diagnosis);
        play(&mut stage, &scenarios, options, progress).await;
        // If it cannot be restarted, nothing more needs it.
        let _ = stage.finish().await;
        provisional::add(findings, &transcript);
        if transcript.endings.iter().any(|(_, ending)| matches!(ending, Ending::OutOfTime(_))) {
            first.remarks.push(messages::not_passed_again().to_owned());
        }
    }
    Some(transcript)
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
    transcript.chosen = options.auto.then(Chosen::default);
    transcript.secrets.extend(options.hidden.clone());
    transcript.keeper.clone_from(&options.keeper);
    transcript.exchanges.count_in(&options.requests);
    let random = Random::from_seed(options.seed);
    let scenarios = needed(Role::Sender, selected);
    let extent = options.extent();
    let (clock, max_time) = (&options.clock, options.max_time);
    let mut stage =
        on_sender::stage::SenderStage::new(subject, clock, &random, extent, max_time, &mut transcript)
            .at(options.place.clone());
    if need_https(selected) {
        stage = stage.with_https(&options.authority);
    }
    stage.rehearses = options.rehearses;
    let greeted = tokio::select! {
        biased;
        () = interruption(options) => Ok(()),
        greeted = stage.greet() => greeted.map(drop),
    };
    greeted?;
    play(&mut stage, &scenarios, options, progress).await;
    if let Err(why) = unless_stopped(stage.end_watches(), options).await {
        stage.cut_watches(&why);
    }
    stage.transcript.close();
    stage.remark_on_strays();
    let findings = judge(&transcript, selected);
    Ok(Run {
        transcript,
        after: None,
        findings,
        duration: began.elapsed(),
        interrupted: *options.interrupted.borrow(),
        not_started: None,
    })
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
    let findings = selected.iter().map(|&requirement| Finding {
        requirement,
        judgement: judgement(),
        provisional: None,
    });
    Run {
        transcript,
        after: None,
        findings: findings.collect(),
        duration: Duration::ZERO,
        interrupted: false,
        not_started: Some(why.start_failure()),
    }
}

/// The scenarios of the selected requirements, in the order in which they run. The first one for a sender always runs: if it
/// delivers nothing, the others are skipped, whatever is selected.
fn needed(role: Role, selected: &[&'static Requirement]) -> Vec<&'static Scenario> {
    let mut scenarios: Vec<&'static Scenario> = Vec::new();
    for requirement in requirements::of(role) {
        scenarios
            .extend(requirement.scenarios.iter().filter(|one| !scenarios.contains(one)).collect::<Vec<_>>());
    }
    scenarios.sort_by_key(|scenario| scenario.turn);
    let first = scenarios.first().copied().filter(|_| role == Role::Sender && !selected.is_empty());
    let is_selected =
        |scenario: &&Scenario| selected.iter().any(|requirement| requirement.scenarios.contains(scenario));
    scenarios.retain(|scenario| is_selected(scenario) || first == Some(*scenario));
    scenarios
}

/// Runs scenarios against a program under test, and records what happened.
trait Player {
    /// Runs one scenario without its generated cases, and records how it ended.
    fn play(&mut self, scenario: &Scenario) -> impl Future<Output = ()>;

    /// Tries some more generated cases. Returns whether there are more to try in time.
    fn play_round(&mut self) -> impl Future<Output = bool>;

    /// Ends the rounds. `why` is how the scenarios end of which too few cases were tried.
    fn end_rounds(&mut self, why: &Ending);

    /// Records what a scenario has shown that ran out of time.
    fn cut_off(&mut self);

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

    async fn play_round(&mut self) -> bool {
        self.try_round().await
    }

    fn end_rounds(&mut self, why: &Ending) {
        Self::end_rounds(self, why);
    }

    fn cut_off(&mut self) {}

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

    // Generated events are a scenario of their own, with its own rounds. They are many: no other webhook should get them.
    async fn play_round(&mut self) -> bool {
        self.end_watches().await;
        false
    }

    fn end_rounds(&mut self, _: &Ending) {}

    fn cut_off(&mut self) {
        self.record_arrivals();
        self.close_endpoints();
    }

    fn transcript(&mut self) -> &mut Transcript {
        self.transcript
    }
}

/// Runs scenarios one after another, with rounds of generated cases after the usual ones.
async fn play(
    stage: &mut impl Player,
    scenarios: &[&'static Scenario],
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) {
    let show = |done, scenario| progress(Progress { done, of: scenarios.len(), scenario });
    let fixed = scenarios.partition_point(|scenario| scenario.turn == Turn::Usual);
    for (done, &scenario) in scenarios.iter().enumerate() {
        if done == fixed {
            play_rounds(stage, options).await;
        }
        show(done, Some(scenario));
        play_one(stage, scenario, options).await;
    }
    if fixed == scenarios.len() {
        play_rounds(stage, options).await;
    }
    show(scenarios.len(), None);
}

/// Runs one scenario. If it is skipped or interrupted, or runs out of time, that is recorded.
async fn play_one(stage: &mut impl Player, scenario: &Scenario, options: &Options) {
    let ended = match reason_to_stop(stage.transcript(), options) {
        Some(why) => Some(why),
        None => {
            let ended = unless_stopped(stage.play(scenario), options).await.err();
            if let Some(Ending::OutOfTime(_)) = ended {
                stage.cut_off();
            }
            ended
        }
    };
    // Interrupted while other webhooks were deleted, it had ended before.
    if let Some(why) = ended.filter(|_| stage.transcript().ending(scenario.name).is_none()) {
        stage.transcript().endings.push((scenario.name, why));
    }
    stage.transcript().close();
}

async fn play_rounds(stage: &mut impl Player, options: &Options) {
    let why = loop {
        if let Some(why) = reason_to_stop(stage.transcript(), options) {
            break why;
        }
        let more = unless_stopped(stage.play_round(), options).await;
        stage.transcript().close();
        match more {
            Ok(true) => {}
            // Either everything was tried, or what is left does not fit the time.
            Ok(false) => break Ending::OutOfTime(options.max_time.whole()),
            Err(why) => break why,
        }
    };
    stage.end_rounds(&why);
}

/// Runs until the end, unless the run is interrupted or its time is over before. Errors: how it ended then.
async fn unless_stopped<T>(played: impl Future<Output = T>, options: &Options) -> Result<T, Ending> {
    // What is under way when the time is over ends by itself within a timeout. If it does not, it is cut off.
    let latest = options.max_time.end() + options.limits.timeout;
    tokio::select! {
        biased;
        () = interruption(options) => Err(Ending::Skipped(messages::interrupted())),
        played = played => Ok(played),
        () = sleep_until(latest) => Err(Ending::OutOfTime(options.max_time.whole())),
    }
}

async fn interruption(options: &Options) {
    let mut interrupted = options.interrupted.clone();
    if interrupted.wait_for(|on| *on).await.is_err() {
        // The sending half is gone: no interruption can come.
        std::future::pending::<()>().await;
    }
}

/// How all other scenarios end, if no more can run.
fn reason_to_stop(transcript: &Transcript, options: &Options) -> Option<Ending> {
    let lost = transcript.endings.iter().find_map(|(_, ending)| match ending {
        // The same words as for the scenario itself, so that they are reported once.
        Ending::Died(why) if transcript.role == Role::Receiver => Some(why.clone()),
        Ending::Died(why) | Ending::ProtocolViolation(why) => Some(messages::skipped_after(why)),
        _ => None,
    });
    let nothing_arrived = transcript.role == Role::Sender
        && !transcript.emissions.is_empty()
        && transcript.arrivals.is_empty()
        && !options.rehearses;
    if *options.interrupted.borrow() {
        return Some(Ending::Skipped(messages::interrupted()));
    }
    let skipped = lost.or_else(|| nothing_arrived.then(messages::skipped_without_deliveries));
    let is_over = options.max_time.is_over();
    skipped.map(Ending::Skipped).or_else(|| is_over.then(|| Ending::OutOfTime(options.max_time.whole())))
}
