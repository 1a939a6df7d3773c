//! A requirement that is selected alone has the verdict and the cause that it has in a whole run.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, ready};
use futures_util::stream::{self, StreamExt};
use futures_util::{FutureExt, join};
use serde_json::json;
use twenty_conform::clock::Clock;
use twenty_conform::peers::fault::{ReceiverFault, SenderFault};
use twenty_conform::peers::mutant;
use twenty_conform::peers::receiver::Settings;
use twenty_conform::peers::sender::Sender;
use twenty_conform::peers::sender::pooled::Pooled;
use twenty_conform::random::Random;
use twenty_conform::subject::observations::Source;
use twenty_conform::subject::protocol::{Op, Reply};
use twenty_conform::subject::{self, SubjectError};
use twenty_conform::suite::requirement::{Level, Requirement, Role, Verdict};
use twenty_conform::suite::requirements;
use twenty_conform::suite::run::{self, Judgement, Run};
use twenty_conform::suite::transcript::Limits;
use twenty_conform::webhook::dialect::DOCUMENTED;

use super::{LATE, LATE_DELIVERY, MUTANT_WAIT, observations, options, patient, secret, short};
use crate::peers::plain;
use crate::peers::senders::{Null as NullSend, NullSender};

/// Receivers: one that rejects everything, so that most depends on one verdict, and one whose limit others depend on.
const RECEIVERS: &[ReceiverFault] = &[ReceiverFault::VerifiesBodyAlone, ReceiverFault::RejectsChunked];

/// The reference sender, which declares no capability.
struct Bare(Sender);

impl subject::sender::Sender for Bare {
    fn call(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>> {
        match op {
            Op::Hello { .. } => ready(Ok(Reply::ok(&json!({ "name": "bare" })))).boxed(),
            other => subject::sender::Sender::call(&self.0, other),
        }
    }
}

fn bare() -> Bare {
    let transport = Arc::new(Pooled::new(MUTANT_WAIT).unwrap());
    Bare(Sender::new(&DOCUMENTED, Clock::system(), Random::from_seed(1), transport))
}

pub(super) fn faulty(fault: SenderFault) -> mutant::sender::Mutant {
    let transport = Arc::new(Pooled::new(MUTANT_WAIT).unwrap());
    let (clock, random) = (Clock::system(), Random::from_seed(1));
    mutant::sender::Mutant::new(fault, &DOCUMENTED, clock, random, transport, LATE_DELIVERY)
}

pub(super) async fn sender(
    sender: &dyn subject::sender::Sender,
    deadline: Duration,
    selected: &[&'static Requirement],
) -> Run {
    let limits = Limits { deadline, ..short() };
    run::sender(sender, selected, &options(&DOCUMENTED, limits), &|_| {}).await.unwrap()
}

pub(super) async fn receiver(fault: ReceiverFault, selected: &[&'static Requirement]) -> Run {
    let (observations, observer) = observations();
    let mutant =
        mutant::receiver::Mutant::new(fault, Settings::new(secret()), Clock::system(), LATE, observer);
    let server = plain::serve(Arc::new(mutant)).await.unwrap();
    let mut receiver =
        subject::receiver::Receiver::here(server, "/", secret()).observed_by(Source::Pushed(observations));
    run::receiver(&mut receiver, selected, &options(&DOCUMENTED, patient()), &|_| {}).await.unwrap()
}

/// The verdict of each requirement in a word, with the cause of a failure.
fn verdicts(run: &Run) -> Vec<String> {
    let judged = |finding: &run::Finding| match &finding.judgement {
        Judgement::Judged(Verdict::Pass) => "pass".to_owned(),
        Judgement::Judged(Verdict::Fail(evidence)) => {
            format!("fail: {}", evidence.cause.as_ref().map_or("-".to_owned(), ToString::to_string))
        }
        Judgement::Judged(Verdict::Inconclusive(_)) => "inconclusive".to_owned(),
        Judgement::Judged(Verdict::NotApplicable(_)) => "not applicable".to_owned(),
        Judgement::Error(why) => format!("error: {why}"),
    };
    run.findings.iter().map(|one| format!("{} {}", one.requirement.id, judged(one))).collect()
}

async fn assert_same_alone(what: &str, role: Role, check: impl AsyncFn(&[&'static Requirement]) -> Run) {
    // Times can only be measured while nothing else runs.
    let all: Vec<_> = requirements::of(role).filter(|one| one.id != "VER-15").collect();
    let whole = verdicts(&check(&all).await);
    let alone = stream::iter(&all).map(async |one| verdicts(&check(&[*one]).await)).buffered(all.len());
    let alone = alone.concat().await;
    let differ: Vec<_> = whole.iter().zip(&alone).filter(|(whole, alone)| whole != alone).collect();
    assert!(differ.is_empty(), "{what}: in a whole run, and alone: {differ:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sender_requirements_alone_come_out_as_in_a_whole_run() {
    let (usual, brief) = (short().deadline, Duration::from_millis(600));
    // Nothing arrives, so most is skipped; and it ends at the first event.
    let [nothing, ending] = [NullSend::SendsNothing, NullSend::DiesAtEvent].map(|null| {
        let what = format!("{null:?}");
        async move {
            let check = async |selected: &[&'static Requirement]| {
                sender(&NullSender::new(null), brief, selected).await
            };
            assert_same_alone(&what, Role::Sender, check).await;
        }
    });
    let bare = assert_same_alone("without capabilities", Role::Sender, async |selected| {
        sender(&bare(), usual, selected).await
    });
    let [acknowledging, altering] =
        [SenderFault::Only200Acknowledges, SenderFault::SignsBodyAlone].map(|fault| {
            let what = format!("{fault:?}");
            async move {
                let check =
                    async |selected: &[&'static Requirement]| sender(&faulty(fault), usual, selected).await;
                assert_same_alone(&what, Role::Sender, check).await;
            }
        });
    join!(nothing, ending, bare, acknowledging, altering);
}

/// Without the reformatted bodies of the shoulds.
#[tokio::test]
async fn musts_alone_name_a_body_that_is_serialised_again() {
    let is_must = |one: &&Requirement| one.level == Level::Must && one.id != "VER-15";
    let musts: Vec<_> = requirements::of(Role::Receiver).filter(is_must).collect();
    for fault in [ReceiverFault::HashesAsPythonCompact, ReceiverFault::HashesAsGo, ReceiverFault::HashesAsPhp]
    {
        let verdicts = verdicts(&receiver(fault, &musts).await);
        let failed: Vec<_> = verdicts.iter().filter(|one| one.contains(" fail: ")).collect();
        assert!(!failed.is_empty(), "{fault:?}");
        let is_named = |one: &&String| one.contains("message.reserialised");
        assert!(failed.iter().all(is_named), "{fault:?}: {failed:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receiver_requirements_alone_come_out_as_in_a_whole_run() {
    for &fault in RECEIVERS {
        let check = async |selected: &[&'static Requirement]| receiver(fault, selected).await;
        assert_same_alone(&format!("{fault:?}"), Role::Receiver, check).await;
    }
}
