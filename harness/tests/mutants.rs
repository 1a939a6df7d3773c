//! The suite proves itself: the reference peers pass everything, and each mutant fails exactly the requirements that
//! name its fault.
//!
//! Invariant: only the requirements' literals say what a mutant must fail; the kill matrix shows it.

mod alone;

mod limits;
mod matrix;
mod nulls;
mod probes;
mod provisional;
mod rejudged;
mod retries;
mod shards;
mod short_reports;
mod transcripts;
mod watches;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::peers::plain;
use futures_util::stream::{self, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::watch;
use twenty_conform::clock::Clock;
use twenty_conform::peers::fault::{Faults, ReceiverFault, SenderFault};
use twenty_conform::peers::mutant;
use twenty_conform::peers::receiver::{Observer, Receiver, Settings};
use twenty_conform::peers::sender::pooled::Pooled;
use twenty_conform::peers::sender::{ANSWER_WAIT, Sender, Transport};
use twenty_conform::random::Random;
use twenty_conform::subject;
use twenty_conform::subject::observations::{Observing, Source};
use twenty_conform::suite::max_time::MaxTime;
use twenty_conform::suite::requirement::{Requirement, Role, Verdict};
use twenty_conform::suite::requirements;
use twenty_conform::suite::run::{self, Judgement, Options, Run};
use twenty_conform::suite::transcript::Limits;
use twenty_conform::webhook::dialect::{self, DOCUMENTED, Dialect, SHIPPED};
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::endpoint::certificates::Authority;
use twenty_conform::wire::endpoint::http;
use twenty_conform::wire::endpoint::scripted::Place;

use self::limits::{LATE, LATE_DELIVERY, MUTANT_WAIT, longer, patient, short};
use self::matrix::Matrix;

/// How many mutants run at the same time. They spend most of their time waiting.
const AT_ONCE: usize = 16;

pub(crate) fn options(dialect: &'static Dialect, limits: Limits) -> Options {
    let (never, interrupted) = watch::channel(false);
    // Never dropped, so nothing interrupts these runs.
    std::mem::forget(never);
    let clock = Clock::system();
    let authority = Arc::new(Authority::new(clock.clone()));
    let max_time = MaxTime::new(Duration::from_secs(3600));
    Options {
        dialect,
        auto: false,
        limits,
        seed: 7,
        cases: 8,
        jobs: 4,
        clock,
        interrupted,
        keeper: None,
        requests: Arc::default(),
        authority,
        rehearses: false,
        max_time,
        place: Place::default(),
        hidden: None,
    }
}

async fn check_sender(sender: &dyn subject::sender::Sender, options: &Options) -> Run {
    let selected: Vec<_> = requirements::of(Role::Sender).collect();
    check_sender_on(sender, options, &selected).await
}

/// The same, on some requirements.
async fn check_sender_on(
    sender: &dyn subject::sender::Sender,
    options: &Options,
    selected: &[&'static Requirement],
) -> Run {
    run::sender(sender, selected, options, &|_| {}).await.unwrap()
}

async fn check_receiver(receiver: subject::receiver::Receiver, options: &Options) -> Run {
    check_receiver_without(receiver, options, "").await
}

/// The same, without one requirement.
async fn check_receiver_without(
    receiver: subject::receiver::Receiver,
    options: &Options,
    left_out: &str,
) -> Run {
    let selected: Vec<_> = requirements::of(Role::Receiver).filter(|one| one.id != left_out).collect();
    check_receiver_on(receiver, options, &selected).await
}

/// The same, on some requirements.
async fn check_receiver_on(
    mut receiver: subject::receiver::Receiver,
    options: &Options,
    selected: &[&'static Requirement],
) -> Run {
    run::receiver(&mut receiver, selected, options, &|_| {}).await.unwrap()
}

/// Observations, and an observer that adds to them.
fn observations() -> (Observing, Observer) {
    let observations = Observing::default();
    let added = observations.clone();
    (observations, Arc::new(move |observed| added.add(observed)))
}

fn secret() -> Secret {
    Secret::new(Random::from_seed(7).secret())
}

/// The ids of the requirements with that kind of judgement.
fn with(run: &Run, wanted: fn(&Judgement) -> bool) -> BTreeSet<&'static str> {
    run.findings
        .iter()
        .filter(|finding| wanted(&finding.judgement))
        .map(|finding| finding.requirement.id)
        .collect()
}

fn failed(run: &Run) -> BTreeSet<&'static str> {
    with(run, |judgement| matches!(judgement, Judgement::Judged(Verdict::Fail(_))))
}

fn passed(run: &Run) -> BTreeSet<&'static str> {
    with(run, |judgement| matches!(judgement, Judgement::Judged(Verdict::Pass)))
}

/// What did not pass, although it applies.
fn not_passed(run: &Run) -> String {
    let mut text = String::new();
    for finding in &run.findings {
        let good = matches!(finding.judgement, Judgement::Judged(Verdict::Pass | Verdict::NotApplicable(_)));
        if !good {
            writeln!(text, "{}: {:?}", finding.requirement.id, finding.judgement).unwrap();
        }
    }
    text
}

/// Runs the suite on something that must pass everything, and again with longer limits if a busy machine made it late.
async fn assert_all_pass(what: &str, run: impl AsyncFn(Limits) -> Run) -> Run {
    let first = run(Limits::default()).await;
    let late = not_passed(&first);
    if late.is_empty() {
        return first;
    }
    let second = run(longer(Limits::default(), PATIENCE)).await;
    assert_eq!(not_passed(&second), "", "{what}, with limits {PATIENCE} times as long; before: {late}");
    tell_late(&format!("{what}: {late}"));
    second
}

/// The reference sender with this transport.
async fn assert_sender_passes(what: &str, transport: impl Transport) -> Run {
    let sender = Sender::new(&DOCUMENTED, Clock::system(), Random::from_seed(1), Arc::new(transport));
    assert_all_pass(what, async |limits| check_sender(&sender, &options(&DOCUMENTED, limits)).await).await
}

/// The causes that a run names, by requirement.
fn causes(run: &Run) -> Vec<String> {
    let cause = |finding: &run::Finding| match &finding.judgement {
        Judgement::Judged(Verdict::Fail(evidence)) => {
            let cause = evidence.cause.as_ref().map_or("-".to_owned(), ToString::to_string);
            Some(format!("{} {cause}", finding.requirement.id))
        }
        _ => None,
    };
    run.findings.iter().filter_map(cause).collect()
}

fn requirements_naming(is_counterexample: impl Fn(Faults) -> bool) -> BTreeSet<&'static str> {
    requirements::all().filter(|one| is_counterexample(one.counterexamples)).map(|one| one.id).collect()
}

#[tokio::test]
async fn reference_sender_passes_everything() {
    for dialect in dialect::ALL {
        let transport = Arc::new(Pooled::new(ANSWER_WAIT).unwrap());
        let sender = Sender::new(dialect, Clock::system(), Random::from_seed(1), transport);
        let run = async |limits| check_sender(&sender, &options(dialect, limits)).await;
        assert_all_pass(dialect.name, run).await;
    }
}

#[tokio::test]
async fn reference_receiver_passes_everything() {
    for dialect in dialect::ALL {
        let run = async |limits| {
            let (observations, observer) = observations();
            let reference = Receiver::new(Settings::new(secret()), Clock::system(), observer);
            let server = http::serve(([127, 0, 0, 1], 0).into(), Arc::new(reference)).await.unwrap();
            let receiver = subject::receiver::Receiver::here(server, "/hook?x=1", secret())
                .observed_by(Source::Pushed(observations));
            check_receiver(receiver, &options(dialect, limits)).await
        };
        assert_all_pass(dialect.name, run).await;
    }
}

/// Runs the suite on a sender with a fault. Every limit is multiplied by `patience`.
async fn run_sender_mutant(fault: SenderFault, patience: u32) -> Run {
    let (mutant, options) = sender_mutant(fault, patience);
    check_sender(&mutant, &options).await
}

/// A sender with a fault, and the options of a run on it.
fn sender_mutant(fault: SenderFault, patience: u32) -> (mutant::sender::Mutant, Options) {
    // Only one dialect has nonces, metadata events and members that may be left out.
    let shipped = [
        SenderFault::NonceConstant,
        SenderFault::NonceMissing,
        SenderFault::MetadataNotMatched,
        SenderFault::OptionalMemberMistyped,
    ];
    let dialect = if shipped.contains(&fault) { &SHIPPED } else { &DOCUMENTED };
    let transport = Arc::new(Pooled::new(MUTANT_WAIT * patience).unwrap());
    let (clock, random, late) = (Clock::system(), Random::from_seed(1), LATE_DELIVERY * patience);
    let mutant = mutant::sender::Mutant::new(fault, dialect, clock, random, transport, late);
    (mutant, options(dialect, longer(short(), patience)))
}

/// The fault that no requirement forbids but a note reports, and words of that note.
const REMARKED: (SenderFault, &str) = (
    SenderFault::AcceptsAnyCertificate,
    "whose certificate has expired, is self-signed or is for another host",
);

/// What is wrong with a run on a sender with a fault; empty if it fails exactly the requirements that name the fault.
fn unexpected(fault: SenderFault, run: &Run) -> String {
    let expected = names_sender_fault(fault);
    let remarked = run.transcript.remarks.iter().any(|remark| remark.contains(REMARKED.1));
    let is_remarked = fault == REMARKED.0;
    if failed(run) == expected && expected.is_empty() == is_remarked && remarked == is_remarked {
        return String::new();
    }
    let remarks = &run.transcript.remarks;
    format!("{fault:?}: expected {expected:?}, failed {:?}, remarks {remarks:?}\n", causes(run))
}

#[tokio::test(flavor = "multi_thread")]
async fn https_faults_of_senders_are_reported() {
    let faults = [
        SenderFault::HttpsHostChanged,
        SenderFault::HttpsDowngraded,
        SenderFault::HandshakeAcknowledges,
        SenderFault::CrashesOnCertificate,
        REMARKED.0,
    ];
    let runs = stream::iter(faults).map(async |fault| (fault, run_sender_mutant(fault, 1).await));
    let runs: Vec<_> = runs.buffered(faults.len()).collect().await;
    for (fault, run) in &runs {
        assert_eq!(unexpected(*fault, run), "");
        for finding in &run.findings {
            if let Judgement::Judged(Verdict::Fail(evidence)) = &finding.judgement {
                let says = evidence.message.contains("HTTPS") || evidence.message.contains("TLS");
                assert!(says, "{fault:?}: {}: {}", finding.requirement.id, evidence.message);
            }
        }
    }
}

fn names_sender_fault(fault: SenderFault) -> BTreeSet<&'static str> {
    requirements_naming(|faults| matches!(faults, Faults::Sender(faults) if faults.contains(&fault)))
}

/// How much longer every limit of the second run is. Its verdicts count: the limits of the first are short, and a busy machine is late.
const PATIENCE: u32 = 4;

/// Says that only the second run came out as it must. Not with `eprintln!`: libtest hides its output if a test passes.
fn tell_late(first: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "only with limits {PATIENCE} times as long as it must be: {}", first.trim_end())
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sender_mutants_fail_the_requirements_of_their_fault() {
    // Each on its own thread: while one is judged, the others continue.
    let faults = stream::iter(SenderFault::ALL.iter().copied());
    let runtime = Handle::current();
    let run = |fault, patience| {
        let runtime = runtime.clone();
        tokio::task::spawn_blocking(move || (fault, runtime.block_on(run_sender_mutant(fault, patience))))
    };
    let runs = faults.map(|fault| run(fault, 1));
    // In any order, so the next one starts as soon as any is done.
    let mut runs: Vec<_> = runs.buffer_unordered(AT_ONCE).map(Result::unwrap).collect().await;
    runs.sort_by_key(|(fault, _)| SenderFault::ALL.iter().position(|other| other == fault));
    let late = runs.iter().filter(|(fault, first)| !unexpected(*fault, first).is_empty());
    let late: Vec<SenderFault> = late.map(|(fault, _)| *fault).collect();
    let again = stream::iter(late).map(|fault| run(fault, PATIENCE));
    let mut second: Vec<_> = again.buffer_unordered(AT_ONCE).map(Result::unwrap).collect().await;
    let mut matrix = Matrix::default();
    for (fault, first) in runs {
        let again = async || {
            let at = second.iter().position(|(other, _)| *other == fault);
            second.swap_remove(at.expect("every late one ran again")).1
        };
        matrix
            .add(
                &format!("{fault:?}"),
                &names_sender_fault(fault),
                first,
                |run| unexpected(fault, run),
                again,
            )
            .await;
    }
    matrix.assert("kill-matrix-senders");
}

/// Runs the suite on a receiver with a fault.
async fn run_receiver_mutant(fault: ReceiverFault, patience: u32) -> Run {
    let (receiver, options) = receiver_mutant(fault, patience).await;
    // The time of a comparison can only be measured while nothing else runs.
    let left_out = if fault == ReceiverFault::ComparesDigitByDigit { "" } else { "VER-15" };
    check_receiver_without(receiver, &options, left_out).await
}

/// A receiver with a fault, and the options of a run on it.
async fn receiver_mutant(fault: ReceiverFault, patience: u32) -> (subject::receiver::Receiver, Options) {
    // Only one dialect has a nonce.
    let shipped = [ReceiverFault::DedupesOnNonce, ReceiverFault::RejectsShipped];
    let dialect = if shipped.contains(&fault) { &SHIPPED } else { &DOCUMENTED };
    let (observations, observer) = observations();
    let mutant = mutant::receiver::Mutant::new(
        fault,
        Settings::new(secret()),
        Clock::system(),
        LATE * patience,
        observer,
    );
    let server = plain::serve(Arc::new(mutant)).await.unwrap();
    let receiver =
        subject::receiver::Receiver::here(server, "/", secret()).observed_by(Source::Pushed(observations));
    (receiver, options(dialect, longer(patient(), patience)))
}

#[tokio::test(flavor = "multi_thread")]
async fn receiver_mutants_fail_the_requirements_of_their_fault() {
    let run = |fault: ReceiverFault| async move { (fault, run_receiver_mutant(fault, 1).await) };
    let (alone, together): (Vec<_>, Vec<_>) =
        ReceiverFault::ALL.iter().copied().partition(|fault| *fault == ReceiverFault::ComparesDigitByDigit);
    let mut runs: Vec<_> = stream::iter(together).map(run).buffer_unordered(AT_ONCE).collect().await;
    runs.sort_by_key(|(fault, _)| ReceiverFault::ALL.iter().position(|other| other == fault));
    for fault in alone {
        runs.push(run(fault).await);
    }
    let mut matrix = Matrix::default();
    for (fault, first) in runs {
        let expected = requirements_naming(
            |faults| matches!(faults, Faults::Receiver(faults) if faults.contains(&fault)),
        );
        let unexpected = |run: &Run| match failed(run) == expected && !expected.is_empty() {
            true => String::new(),
            false => format!("{fault:?}: expected {expected:?}, failed {:?}\n", causes(run)),
        };
        let again = async || run_receiver_mutant(fault, PATIENCE).await;
        matrix.add(&format!("{fault:?}"), &expected, first, unexpected, again).await;
    }
    matrix.assert("kill-matrix-receivers");
}

#[test]
fn every_requirement_names_a_fault() {
    for requirement in requirements::all() {
        assert!(
            requirement.counterexamples.descriptions().count() > 0,
            "{} has no counterexample",
            requirement.id
        );
        let fits = matches!(
            (requirement.role(), requirement.counterexamples),
            (Role::Sender, Faults::Sender(_)) | (Role::Receiver, Faults::Receiver(_))
        );
        assert!(fits, "{} names faults of the other role", requirement.id);
    }
}
