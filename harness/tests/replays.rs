//! Failures of mutants, replayed a day later. They fail again on the mutant, and pass on the reference.
//!
//! Invariant: every failure of every mutant has a case, unless no single delivery shows it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::mutants;
use crate::peers::plain;
use futures_util::stream::{self, StreamExt};
use twenty_conform::clock::Clock;
use twenty_conform::peers::fault::{Faults, ReceiverFault};
use twenty_conform::peers::mutant;
use twenty_conform::peers::receiver::{Receiver, Settings};
use twenty_conform::random::Random;
use twenty_conform::report::case::Case;
use twenty_conform::report::case::replayed::{Replayed, Timing};
use twenty_conform::report::case::resign::resigned;
use twenty_conform::report::redaction;
use twenty_conform::subject;
use twenty_conform::suite::replay::{ReplayAttempt, ReplayDeliveries};
use twenty_conform::suite::requirement::Verdict;
use twenty_conform::suite::requirements;
use twenty_conform::suite::run::{self, Judgement, Options, Run};
use twenty_conform::suite::transcript::Limits;
use twenty_conform::webhook::dialect::{DOCUMENTED, SHIPPED};
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::client::{Client, Target};
use twenty_conform::wire::endpoint::Handler;

const THEN: u64 = 1_735_066_639_761;
const NOW: u64 = THEN + 24 * 60 * 60 * 1000 + 12_345;

pub(crate) fn secret() -> Secret {
    Secret::new(Random::secret_of(7))
}

/// Requirements whose failures no single delivery shows: concurrency, processing, and timing.
const SHOWN_BY_MORE: [&str; 7] = ["RCV-8", "RCV-13", "VER-22", "VER-15", "PRC-1", "PRC-2", "PRC-3"];

async fn receive(handler: Arc<dyn Handler>, case: &Case, (timing, now_ms): (Timing, u64)) -> Replayed {
    let server = plain::serve(handler).await.unwrap();
    let target = Target::parse(&server.url("/")).unwrap();
    let client = Client::new(Duration::from_secs(20), Clock::fixed(now_ms));
    let ReplayDeliveries { before, trial, after } = case.deliveries(&secret(), &timing, now_ms);
    let mut exchanges = Vec::new();
    for delivery in [&before, &Some(trial), &after].into_iter().flatten() {
        exchanges.push(client.send(&target, delivery).await);
    }
    let mut exchanges = exchanges.into_iter();
    let attempt = ReplayAttempt {
        before: before.is_some().then(|| exchanges.next()).flatten(),
        trial: exchanges.next().unwrap(),
        after: exchanges.next(),
        died: None,
    };
    case.judge(&attempt, &timing)
}

fn mutant(fault: ReceiverFault, at_ms: u64) -> Arc<dyn Handler> {
    let (settings, late) = (Settings::new(secret()), Duration::from_millis(1900));
    Arc::new(mutant::receiver::Mutant::new(fault, settings, Clock::fixed(at_ms), late, Arc::new(|_| {})))
}

fn reference(at_ms: u64) -> Arc<dyn Handler> {
    Arc::new(Receiver::new(Settings::new(secret()), Clock::fixed(at_ms), Arc::new(|_| {})))
}

/// The cases of a mutant's failures, read back from their files.
pub(crate) async fn cases(fault: ReceiverFault) -> Vec<Result<Case, &'static str>> {
    let prompt = Duration::from_millis(1500);
    let limits = Limits { prompt, quick: prompt, timeout: Duration::from_secs(8), ..Limits::default() };
    let dialect = if fault == ReceiverFault::DedupesOnNonce { &SHIPPED } else { &DOCUMENTED };
    let options = Options { cases: 4, clock: Clock::fixed(THEN), ..mutants::options(dialect, limits) };
    let names = |faults: Faults| matches!(faults, Faults::Receiver(faults) if faults.contains(&fault));
    let selected: Vec<_> = requirements::all().filter(|one| names(one.counterexamples)).collect();
    let server = plain::serve(mutant(fault, THEN)).await.unwrap();
    let mut receiver = subject::receiver::Receiver::here(server, "/", secret());
    let run: Run = run::receiver(&mut receiver, &selected, &options, &|_| {}).await.unwrap();
    let mut cases = Vec::new();
    for finding in &run.findings {
        let Judgement::Judged(Verdict::Fail(evidence)) = &finding.judgement else { continue };
        let (requirement, none) = (finding.requirement, redaction(&run.transcript));
        let case = Case::of(&run.transcript, requirement, evidence, 7, &none).ok_or(requirement.id);
        cases.push(case.map(|case| {
            let read = Case::parse(serde_json::to_string(&case).unwrap().as_bytes()).unwrap();
            assert_eq!(read, case);
            read.with_secret(&secret())
        }));
    }
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn mutant_failures_replay_on_the_mutant_and_pass_on_the_reference() {
    let replay = |fault: ReceiverFault| async move {
        let mut wrong = String::new();
        let mut number = 0;
        for case in cases(fault).await {
            let case = match case {
                Ok(case) => case,
                Err(id) if SHOWN_BY_MORE.contains(&id) => continue,
                Err(id) => {
                    writeln!(wrong, "{fault:?} {id}: no case").unwrap();
                    continue;
                }
            };
            number += 1;
            for (how, at_ms) in [
                (Timing::Present(resigned(&case, &secret(), NOW).doubt), NOW),
                (Timing::Frozen(Duration::ZERO), THEN),
            ] {
                let on_mutant = receive(mutant(fault, at_ms), &case, (how.clone(), at_ms)).await;
                let on_reference = receive(reference(at_ms), &case, (how.clone(), at_ms)).await;
                if !matches!(on_mutant, Replayed::StillFails(_)) || on_reference != Replayed::Fixed {
                    let (id, what) = (&case.requirement, &case.what);
                    writeln!(wrong, "{fault:?} {id} {how:?} ({what}): {on_mutant:?}, {on_reference:?}")
                        .unwrap();
                }
            }
        }
        (number, wrong)
    };
    // A machine that stands still for seconds makes an answer late. Other faults are there the second time too.
    let replay_again = |fault| async move {
        let first = replay(fault).await;
        if first.1.is_empty() {
            return first;
        }
        // Not with `eprintln!`: libtest hides its output if a test passes.
        writeln!(std::io::stderr(), "replayed as they must only the second time: {}", first.1).unwrap();
        replay(fault).await
    };
    let faults = ReceiverFault::ALL.iter().copied();
    let replayed: Vec<(usize, String)> =
        stream::iter(faults).map(replay_again).buffer_unordered(6).collect().await;
    let wrong: String = replayed.iter().map(|(_, wrong)| wrong.as_str()).collect();
    assert_eq!(wrong, "");
    let number: usize = replayed.iter().map(|(number, _)| number).sum();
    assert!(number >= ReceiverFault::ALL.len(), "only {number} cases");
}
