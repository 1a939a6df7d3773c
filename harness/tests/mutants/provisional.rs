//! Faults that the first one hides: a receiver that rejects every valid delivery, and has another fault besides.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use twenty_conform::clock::Clock;
use twenty_conform::peers::fault::ReceiverFault as F;
use twenty_conform::peers::mutant::receiver::{Mutant, manner};
use twenty_conform::peers::receiver::Settings;
use twenty_conform::subject;
use twenty_conform::suite::requirement::Role;
use twenty_conform::suite::requirements;
use twenty_conform::suite::run::{self, Judgement, Options, Run};
use twenty_conform::suite::verdict::{Provisional, Verdict};
use twenty_conform::webhook::dialect::{DOCUMENTED, SHIPPED};
use twenty_conform::webhook::manner::Manner;
use twenty_conform::webhook::recipe::{Digest, KeyForm, Message, Misread, Recipe};

use super::{AT_ONCE, LATE, failed, options, patient, secret};
use crate::peers::plain;

/// Runs the suite on a receiver that wants deliveries in this manner. If it has no other fault, it is the reference otherwise.
async fn check(manner: Manner, second: Option<F>, options: &Options) -> Run {
    let settings = Settings::new(secret());
    let (clock, observer) = (Clock::system(), Arc::new(|_| {}));
    let mutant = match second {
        Some(fault) => Mutant::new(fault, settings, clock, LATE, observer),
        None => Mutant::sound(settings, clock, observer),
    };
    let server = plain::serve(Arc::new(mutant.wanting(manner))).await.unwrap();
    let mut receiver = subject::receiver::Receiver::here(server, "/", secret());
    // A comparison can only be timed while nothing else runs, and bodies of 16 MiB take long.
    let left_out = ["VER-15", "RCV-11"];
    let selected: Vec<_> =
        requirements::of(Role::Receiver).filter(|one| !left_out.contains(&one.id)).collect();
    run::receiver(&mut receiver, &selected, options, &|_| {}).await.unwrap()
}

/// The ids of the requirements that provisionally fail, and how many provisionally pass.
fn provisional(run: &Run) -> (BTreeSet<&'static str>, usize) {
    let fails = |one: &Option<Provisional>| matches!(one, Some(Provisional::Fail(_)));
    let failing = run.findings.iter().filter(|finding| fails(&finding.provisional));
    let passing = run.findings.iter().filter(|finding| finding.provisional == Some(Provisional::Pass));
    (failing.map(|finding| finding.requirement.id).collect(), passing.count())
}

/// What provisionally fails, with its message.
fn told(run: &Run) -> String {
    let mut told = format!("  in {:?}\n", run.after.as_ref().map(|after| after.manner));

    for finding in &run.findings {
        if let Some(Provisional::Fail(evidence)) = &finding.provisional {
            let code = evidence.cause.as_ref().map(|cause| cause.code.as_str());
            writeln!(told, "  {}: {} ({code:?})", finding.requirement.id, evidence.message).unwrap();
        }
    }
    told
}

fn of_recipe(recipe: Recipe) -> Manner {
    Manner { recipe, ..Manner::CONTRACT }
}

/// Manners that no single fault has.
fn further_manners() -> Vec<Manner> {
    let recipes = [
        Recipe::message(Message::Separator("")),
        Recipe::message(Message::TimestampAlone),
        Recipe::message(Message::DoubleStringified { ascii: true }),
        Recipe::message(Message::TrailingNewline),
        Recipe::message(Message::Misread(Misread::Empty)),
        Recipe::digest(Digest::Base64),
        Recipe::digest(Digest::Base64Url),
        Recipe::digest(Digest::Sha512),
        Recipe { digest: Digest::Prefixed, ..Recipe::message(Message::BodyAlone) },
        Recipe::key(KeyForm::SingleQuoted),
    ];
    let timestamp_name = "X-Webhook-Timestamp";
    let own_names = Manner { signature_name: "X-Webhook-Signature", timestamp_name, ..Manner::CONTRACT };
    let dialect = Manner { dialect: Some(SHIPPED.name), ..Manner::CONTRACT };
    let ahead = Manner { offset_ms: 40 * 60_000, ..Manner::CONTRACT };
    let others = [ahead, own_names, Manner { timestamp_name, ..Manner::CONTRACT }, dialect];
    recipes.map(of_recipe).into_iter().chain(others).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_besides_a_fault_that_is_alone() {
    let options = options(&DOCUMENTED, patient());
    let manners = F::ALL.iter().filter_map(|&fault| manner(fault)).chain(further_manners());
    let runs = manners.map(|manner| {
        let options = &options;
        async move { (manner, check(manner, None, options).await) }
    });
    let runs: Vec<_> = stream::iter(runs).buffer_unordered(AT_ONCE).collect().await;
    let mut wrong = String::new();
    for (manner, run) in &runs {
        let (failing, passing) = provisional(run);
        if !failed(run).contains("RCV-1") || !failing.is_empty() || passing < 24 {
            let told = told(run);
            writeln!(wrong, "{manner:?}: {passing} pass\n{told}").unwrap();
        }
    }
    assert_eq!(wrong, "", "of a receiver with one fault, nothing else fails");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_faults_is_told() {
    let recipe = |fault: F| manner(fault).unwrap();
    let base64 = of_recipe(Recipe::digest(Digest::Base64));
    let shipped = Manner { dialect: Some(SHIPPED.name), ..Manner::CONTRACT };
    let slow = Manner { offset_ms: -40 * 60_000, ..Manner::CONTRACT };
    let pairs: [(Manner, F, &[&str]); 15] = [
        (slow, F::AcceptsLastSignature, &["VER-21"]),
        (recipe(F::VerifiesBodyAlone), F::AcceptsTrailing, &["VER-7"]),
        (recipe(F::VerifiesBodyAlone), F::RejectsDeletions, &["RCV-1", "RCV-2"]),
        (recipe(F::VerifiesBodyAlone), F::NoWindow, &["VER-11"]),
        (recipe(F::VerifiesWithDot), F::RejectsUnknownEvents, &["RCV-2"]),
        (recipe(F::ReadsSeconds), F::AnswersMalformedWith500, &["VER-12"]),
        (recipe(F::ReadsSeconds), F::ThrowsOnLength, &["VER-9"]),
        (base64, F::LeaksExpectedSignature, &["VER-22"]),
        (recipe(F::ReadsOtherHeader), F::NoWindow, &["VER-11"]),
        (recipe(F::VerifiesHexDecodedKey), F::RejectsWith500, &["VER-12", "VER-20", "VER-9"]),
        (recipe(F::VerifiesDefaultSecret), F::LimitsTo100Kilobytes, &["RCV-10", "RCV-6"]),
        (recipe(F::RequiresShaPrefix), F::AcceptsEmptyKey, &["VER-3"]),
        (recipe(F::VerifiesConsumedBody), F::ThrowsOnHeaderBytes, &["VER-9"]),
        (recipe(F::VerifiesKeyWithNewline), F::AcceptsLastSignature, &["VER-21"]),
        (shipped, F::AcceptsFirstSignature, &["VER-21"]),
    ];
    let options = Options { cases: 4, ..options(&DOCUMENTED, patient()) };
    let runs = pairs.into_iter().map(|(manner, second, expected)| {
        let options = &options;
        async move { (manner, second, expected, check(manner, Some(second), options).await) }
    });
    let runs: Vec<_> = stream::iter(runs).buffer_unordered(AT_ONCE).collect().await;
    let mut wrong = String::new();
    for (manner, second, expected, run) in &runs {
        let (failing, _) = provisional(run);
        if failing != expected.iter().copied().collect() || !failed(run).contains("RCV-1") {
            writeln!(wrong, "{second:?} with {manner:?}: expected {expected:?}\n{}", told(run)).unwrap();
        }
        let changed = run.findings.iter().filter(|finding| finding.provisional.is_some()).find(|finding| {
            let open = matches!(finding.judgement, Judgement::Judged(Verdict::Inconclusive(_)));
            !open && finding.requirement.id != "RCV-1"
        });
        assert!(changed.is_none(), "{second:?}: {changed:?}");
    }
    assert_eq!(wrong, "", "the second fault is told, and nothing else");
}
