//! VER-9 and VER-22: how a receiver answers what it rejects.

use proptest::collection::vec;
use proptest::prelude::prop_oneof;
use proptest::sample::select;

use super::aborted::{ABORTED, keeps_running};
use super::altered::{ALTERED_CONTENT, ALTERED_TIMESTAMP};
use super::case::Case;
use super::digits::{OTHER_DIGEST, SURROUNDED, Surrounded, surrounded};
use super::forgery::{LeftOut, Step};
use super::formatting::REFORMATTED;
use super::freshness::STALE;
use super::header::MISSING_HEADER;
use super::judge::{has_controls, is_4xx, of_crash, rejects};
use super::key::WRONG_KEY;
use super::messages;
use super::property::Property;
use super::signed_text::OTHER_MESSAGE;
use super::timestamp::TIMESTAMP_FORM;
use super::ways_in::BACK_DOOR;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Respect, Surrounding, Transcript};
use crate::webhook::signature::SIGNATURE_HEADER;

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[VER_9, VER_22];

const VER_9: Requirement = Requirement {
    id: "VER-9",
    title: "refuses with 4xx",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/verification/refusal-status",
    text: "A rejection is a 4xx (401 in the field), not a 5xx, a hang or a closed \
          connection, and the receiver answers the next delivery as before. Signatures of 0, 1, 63, 65 \
          and 64 non-ASCII characters included; so are deliveries broken off in head or body, which \
          nobody answers, but which must not end the process.",
    source: "W",
    why: "A comparison that throws on signatures of another length lets every scanner cause a crash report. In some \
          runtimes it ends the process. So does a client that hangs up inside the body, if the error of the request's stream \
          is not handled.",
    scenarios: &[
        &SIGNATURE_LENGTH,
        &ALTERED_CONTENT,
        &ALTERED_TIMESTAMP,
        &WRONG_KEY,
        &MISSING_HEADER,
        &OTHER_MESSAGE,
        &OTHER_DIGEST,
        &SURROUNDED,
        &TIMESTAMP_FORM,
        &STALE,
        &REFORMATTED,
        &BACK_DOOR,
        &ABORTED,
    ],
    needs: None,
    check: refusal_status,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::ThrowsOnLength,
        ReceiverFault::ThrowsOnHeaderBytes,
        ReceiverFault::ThrowsOnTimestamp,
        ReceiverFault::ClosesOnRejection,
        ReceiverFault::RejectsWith500,
        ReceiverFault::EndsOnAbortedRequest,
    ]),
};

/// What is sent for VER-9, in addition to what other requirements send.
const SIGNATURE_LENGTH: Scenario = Scenario::cases(
    "signature-length",
    "deliveries whose signature has 0, 1, 63, 65 or 200 digits, or 64 letters or non-ASCII \
          bytes",
    |_| surrounded(SIGNATURE_LENGTHS).into_iter().chain([beyond_ascii()]).collect(),
    &[junk],
);

const SIGNATURE_LENGTHS: &[Surrounded] = &[
    (Surrounding::Other("no digits"), "is empty", "no-digits", &[Step::SetSignature("")]),
    (Surrounding::Other("one digit"), "has one digit", "one-digit", &[Step::KeepOfSignature(1)]),
    (Surrounding::Other("63 digits"), "has 63 digits", "63-digits", &[Step::CutSignature(1)]),
    (Surrounding::Other("65 zeros"), "has 65 zeros", "65-zeros", &[Step::RepeatAsSignature('0', 65)]),
    (Surrounding::Other("200 digits"), "has 200 digits", "200-digits", &[Step::RepeatAsSignature('a', 200)]),
    (
        Surrounding::Other("64 letters z"),
        "has 64 letters that are not digits",
        "64-letters",
        &[Step::RepeatAsSignature('z', 64)],
    ),
];

/// A signature that no HTTP client has to be able to send.
fn beyond_ascii() -> Case {
    let what = "a delivery whose signature has 64 non-ASCII bytes";
    Case::forged_by(
        LeftOut::BeyondAscii,
        what,
        Respect::Surrounded(Surrounding::BeyondAscii),
        |_, delivery, _| {
            delivery.headers.set(SIGNATURE_HEADER, vec![0xE9; 64]);
            Some(())
        },
    )
}

/// VER-9: signatures of any length, with any bytes that a header may have.
fn junk() -> Property {
    let strategy = prop_oneof![
        vec(select(&b"0123456789abcdefABCDEF"[..]), 1..160),
        vec(0x21..0x7f_u8, 1..160),
        vec(0x80..=0xff_u8, 1..160),
    ];
    Property::of("signatures of other forms", strategy, |junk| {
        let junk = junk.clone();
        let what = format!("a delivery whose signature has {} random bytes", junk.len());
        let respect = Respect::Surrounded(Surrounding::Other("random bytes"));
        Case::forged_by(LeftOut::Generated, what, respect, move |_, delivery, _| {
            delivery.headers.set(SIGNATURE_HEADER, junk.clone());
            Some(())
        })
    })
}

/// Every rejection of a negative must be a 4xx.
fn refusal_status(requirement: &Requirement, t: &Transcript) -> Verdict {
    let answered = requirement.scenarios.iter().filter(|scenario| **scenario != &ABORTED);
    let trials = answered.flat_map(|scenario| t.trials_of(scenario.name));
    let rejected = trials.filter(|trial| !t.acknowledged(trial.exchange));
    let verdicts = rejected.map(|trial| is_4xx(t, trial, of_crash(t, trial, Code::CrashSignatureLength)));
    // If a signature of another length is accepted, VER-4 and VER-6 say so.
    let of_length = Some(rejects(&[&SIGNATURE_LENGTH], t)).filter(|one| !matches!(one, Verdict::Fail(_)));
    let rejections =
        of_all(of_length.into_iter().chain(verdicts), messages::no_forged_rejected(), "rejections");
    match (rejections, of_all(keeps_running(t), messages::nothing_tried(), "deliveries")) {
        // A receiver that rejects nothing passes nothing by surviving.
        (Verdict::Pass, aborted) | (Verdict::Inconclusive(_), aborted @ Verdict::Fail(_)) => aborted,
        (rejections, _) => rejections,
    }
}

const VER_22: Requirement = Requirement {
    id: "VER-22",
    title: "refusals give nothing away",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/verification/leaks",
    text: "The answer to a forged delivery contains neither the secret nor the signature \
          that would have been accepted.",
    source: "W",
    why: "A helpful error message shows an attacker how to sign: send a forged delivery, read the signature from the \
          answer, and send it again.",
    scenarios: &[
        &ALTERED_CONTENT,
        &ALTERED_TIMESTAMP,
        &WRONG_KEY,
        &MISSING_HEADER,
        &OTHER_MESSAGE,
        &OTHER_DIGEST,
        &SIGNATURE_LENGTH,
    ],
    needs: None,
    check: reveals_nothing,
    counterexamples: Faults::Receiver(&[ReceiverFault::LeaksExpectedSignature, ReceiverFault::LeaksSecret]),
};

/// No answer to a rejected forgery may contain the secret, or the signature that would have been accepted.
fn reveals_nothing(requirement: &Requirement, t: &Transcript) -> Verdict {
    if !t.had_secret() {
        return Verdict::Inconclusive(messages::secret_unknown().to_owned());
    }
    let trials = requirement.scenarios.iter().flat_map(|scenario| t.trials_of(scenario.name));
    let verdicts = trials.filter_map(|trial| {
        if t.outcome(trial.exchange).status().is_none()
            || t.acknowledged(trial.exchange)
            || !has_controls(t, trial)
        {
            return None;
        }
        let leaks = t.leaks(trial.exchange);
        let leaked = if leaks.secret {
            (Code::LeaksSecret, messages::secret())
        } else if leaks.signature {
            (Code::LeaksSignature, messages::accepted_signature())
        } else {
            return Some(Verdict::Pass);
        };
        let (code, what) = leaked;
        let evidence = Evidence::new(
            messages::reveals_nothing(),
            messages::contains(what),
            messages::revealed(what, &trial.what),
        );
        Some(evidence.shown_by([trial.exchange]).because(Cause::new(code)).fail())
    });
    of_all(verdicts, messages::no_rejection_with_controls(), "answers")
}
