//! A run on a mutant that is saved and judged again gives the same report.
//!
//! `EVERY_FAULT=1` tries every fault, which takes some minutes; a part of a name tries the faults with it.

use futures_util::stream::{self, StreamExt};
use tempfile::TempDir;
use twenty_conform::peers::fault::{ReceiverFault, SenderFault};
use twenty_conform::report::evidence::{Folder, Manifest, RunEvidence};
use twenty_conform::report::rejudge::{Rejudged, rejudge};
use twenty_conform::report::{Heading, Report, json};
use twenty_conform::suite::requirement::{Level, Role};
use twenty_conform::suite::requirements;
use twenty_conform::suite::run::{Options, Run};

use super::shards::chosen;
use super::{AT_ONCE, check_receiver_without, check_sender, receiver_mutant, secret, sender_mutant};

/// Receivers: some that reject everything, so that a second pass follows, some that end, leak or answer late.
const RECEIVERS: &[ReceiverFault] = &[
    ReceiverFault::VerifiesBodyAlone,
    ReceiverFault::VerifiesConsumedBody,
    ReceiverFault::AcceptsMissingSignature,
    ReceiverFault::AcceptsTrailing,
    ReceiverFault::ThrowsOnLength,
    ReceiverFault::EndsOnAbortedRequest,
    ReceiverFault::LeaksSecret,
    ReceiverFault::LimitsTenAtATime,
];

/// Senders: some whose secrets, bodies or attempts are wrong.
const SENDERS: &[SenderFault] = &[
    SenderFault::SecretInHeader,
    SenderFault::SecretInHeaderName,
    SenderFault::SignsBodyAlone,
    SenderFault::KeyOfAnotherWebhook,
    SenderFault::LongNumbersRounded,
    SenderFault::DeliveredTwice,
    SenderFault::RetriesWithoutPause,
    SenderFault::HttpsDowngraded,
];

#[tokio::test(flavor = "multi_thread")]
async fn saved_runs_of_receivers_are_judged_alike() {
    let judged = stream::iter(chosen(ReceiverFault::ALL, RECEIVERS)).map(async |fault| {
        let (receiver, options) = receiver_mutant(fault, 1).await;
        let (saved, options) = Saved::begin(Role::Receiver, &options);
        let run = check_receiver_without(receiver, &options, "VER-15").await;
        saved.assert_judged_alike(&run, &format!("{fault:?}"));
    });
    judged.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_runs_of_senders_are_judged_alike() {
    // At the same time: they spend most of their time waiting.
    let judged = stream::iter(chosen(SenderFault::ALL, SENDERS)).map(async |fault| {
        let (sender, options) = sender_mutant(fault, 1);
        let (saved, options) = Saved::begin(Role::Sender, &options);
        let run = check_sender(&sender, &options).await;
        saved.assert_judged_alike(&run, &format!("{fault:?}"));
    });
    judged.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await;
}

/// The evidence of a run, which goes when it is dropped.
struct Saved {
    folder: TempDir,
    evidence: RunEvidence,
    seed: u64,
}

impl Saved {
    /// Begins the evidence of a run, and returns options with which it is kept.
    fn begin(role: Role, options: &Options) -> (Self, Options) {
        let folder = TempDir::new().unwrap();
        let all: Vec<_> = requirements::of(role).collect();
        let manifest = Manifest::new(role, "a mutant", options, (Level::Advice, Level::Must), &all);
        let secret = secret();
        let secret = (role == Role::Receiver).then_some(&secret);
        let evidence = Folder::claim(folder.path()).unwrap().begin(&manifest, secret);
        let options = Options { keeper: Some(evidence.keeper()), ..options.clone() };
        (Self { folder, evidence, seed: options.seed }, options)
    }

    /// Judges the run again from its files.
    fn assert_judged_alike(&self, run: &Run, fault: &str) {
        let heading = Heading {
            subject: "a mutant".to_owned(),
            seed: self.seed,
            attached: None,
            fail_on: Level::Must,
            required: Vec::new(),
            out: Some(self.folder.path().to_owned()),
        };
        let mut own = Report::new(run, &heading);
        self.evidence.finish(run, &heading, &mut own);
        let Rejudged { run, heading, notes } = rejudge(self.folder.path(), Some(&secret())).unwrap();
        assert_eq!(notes, Vec::<String>::new(), "{fault}");
        let again = json::render(&Report::new(&run, &heading));
        let own = json::render(&own);
        let differing = own.lines().zip(again.lines()).find(|(own, again)| own != again);
        assert_eq!((differing, own.len()), (None, again.len()), "{fault}");
    }
}
