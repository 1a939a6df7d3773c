//! The shards of a run have the verdicts, the provisional ones and the causes of the whole run, whatever is wrong with the program.
//!
//! `EVERY_FAULT=1` tries every fault, which takes some minutes; a part of a name tries the faults with it.

use std::env;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use twenty_conform::peers::fault::{ReceiverFault, SenderFault};
use twenty_conform::suite::requirement::{Requirement, Role, Verdict};
use twenty_conform::suite::requirements;
use twenty_conform::suite::run::{Judgement, Run};
use twenty_conform::suite::shard::Shard;
use twenty_conform::suite::verdict::{Provisional, VerdictName};

use super::alone;
use super::short;

/// Receivers: some that reject everything, with more to judge after a fix; some whose process or limit others depend on.
const RECEIVERS: &[ReceiverFault] = &[
    ReceiverFault::VerifiesBodyAlone,
    ReceiverFault::AcceptsMissingSignature,
    ReceiverFault::AcceptsEverything,
];

/// Senders: one that signs otherwise, and one that misreads answers.
const SENDERS: &[SenderFault] = &[SenderFault::SignsBodyAlone, SenderFault::Only200Acknowledges];

/// The faults to try: usually these.
pub(super) fn chosen<F: Copy + std::fmt::Debug>(all: &[F], usual: &[F]) -> Vec<F> {
    match env::var("EVERY_FAULT") {
        Ok(part) if part == "1" => all.to_vec(),
        Ok(part) => all.iter().copied().filter(|fault| format!("{fault:?}").contains(&part)).collect(),
        Err(_) => usual.to_vec(),
    }
}

/// Every requirement with its verdict, and what it provisionally came to.
fn verdicts(run: &Run) -> Vec<(&'static str, String)> {
    let told = |one: &twenty_conform::suite::run::Finding| {
        let cause = match (&one.judgement, &one.provisional) {
            (Judgement::Judged(Verdict::Fail(evidence)), _) => evidence.cause.as_ref(),
            (_, Some(Provisional::Fail(evidence))) => evidence.cause.as_ref(),
            _ => None,
        };
        let cause = cause.map(ToString::to_string).unwrap_or_default();
        let provisional = one.provisional.as_ref().map(|one| VerdictName::from(one).as_str());
        let verdict = VerdictName::from(&one.judgement).as_str();
        (one.requirement.id, format!("{verdict} {provisional:?} {cause}"))
    };
    run.findings.iter().map(told).collect()
}

/// What differs between a whole run and its shards.
async fn differences(
    what: &str,
    role: Role,
    of: &[usize],
    check: impl AsyncFn(&[&'static Requirement]) -> Run,
) -> String {
    // Times can only be measured while nothing else runs.
    let all: Vec<_> = requirements::of(role).filter(|one| one.id != "VER-15").collect();
    let whole = verdicts(&check(&all).await);
    let mut wrong = String::new();
    for &of in of {
        let shards = (1..=of).map(async |index| {
            let part = Shard { index, of }.part(&all);
            let mut run = check(&Shard::played(&part, &all)).await;
            run.keep_only(&part);
            verdicts(&run)
        });
        let joined: Vec<_> = join_all(shards).await.concat();
        for (id, verdict) in &whole {
            let own: Vec<_> = joined.iter().filter(|(other, _)| other == id).map(|(_, own)| own).collect();
            if own != [verdict] {
                wrong += &format!("{what}, {id} in {of} shards: {own:?}, in a whole run {verdict:?}\n");
            }
        }
        assert_eq!(joined.len(), whole.len(), "{what}");
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_of_receivers_judge_as_the_whole_run() {
    let wrong = stream::iter(chosen(ReceiverFault::ALL, RECEIVERS)).map(async |fault| {
        let check = async |selected: &[&'static Requirement]| alone::receiver(fault, selected).await;
        differences(&format!("{fault:?}"), Role::Receiver, &[2, 3], check).await
    });
    assert_eq!(wrong.buffered(2).collect::<Vec<_>>().await.concat(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_of_senders_judge_as_the_whole_run() {
    let deadline = short().deadline;
    let wrong = stream::iter(chosen(SenderFault::ALL, SENDERS)).map(async |fault| {
        let check = async |selected: &[&'static Requirement]| {
            alone::sender(&alone::faulty(fault), deadline, selected).await
        };
        differences(&format!("{fault:?}"), Role::Sender, &[2, 3], check).await
    });
    assert_eq!(wrong.buffered(8).collect::<Vec<_>>().await.concat(), "");
}
