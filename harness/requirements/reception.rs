//! RCV: a receiver acknowledges what is genuine, however HTTP may spell it.
//!
//! Invariant: every trial but those of RCV-1 has an acknowledged twin before it, or it does not tell.

use super::judge::all_acknowledged;
use crate::cause::receiver::of_refusal;
use crate::cause::{Cause, Code};
use crate::fault::{Faults, ReceiverFault};
use crate::requirement::{Evidence, Level, Requirement, Role, Verdict};
use crate::transcript::{Scenario, Transcript};

/// The requirements of this group.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "RCV-1",
        role: Role::Receiver,
        level: Level::Must,
        check_id: "receiver/reception/genuine",
        text: "A correctly signed delivery is answered 2xx, for created, updated and deleted of every standard object.",
        source: "D",
        why: "A receiver that refuses genuine deliveries loses every event, and the sender never sends them again. Of \
              57 public receivers 15 refuse every one: most hash other bytes than those that were signed.",
        scenarios: &[Scenario::Genuine, Scenario::Diagnosis],
        needs: None,
        check: genuine,
        counterexamples: Faults::Receiver(&[
            ReceiverFault::RefusesEverything,
            ReceiverFault::RefusesDeletions,
            ReceiverFault::VerifiesBodyAlone,
            ReceiverFault::VerifiesWithDot,
            ReceiverFault::VerifiesTwiceStringified,
            ReceiverFault::VerifiesHexDecodedKey,
            ReceiverFault::VerifiesSha1,
            ReceiverFault::VerifiesSeconds,
        ]),
    },
    Requirement {
        id: "RCV-2",
        role: Role::Receiver,
        level: Level::Should,
        check_id: "receiver/reception/unfamiliar",
        text: "So is one for an event or object it does not know (metadata events among them in dialect shipped), and \
               one with members it does not know.",
        source: "D (\"other events\")",
        why: "A webhook without a filter gets every kind of event, those of custom objects and of later versions too.",
        scenarios: &[Scenario::Unfamiliar],
        needs: None,
        check: |t| all_acknowledged(t, Scenario::Unfamiliar, Some(Cause::new(Code::RefusesUnknownEvent))),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::RefusesDeletions,
            ReceiverFault::RefusesUnknownEvents,
            ReceiverFault::RefusesUnknownMembers,
        ]),
    },
    Requirement {
        id: "RCV-3",
        role: Role::Receiver,
        level: Level::Must,
        check_id: "receiver/reception/header-case",
        text: "Header names are matched without regard to case.",
        source: "R (RFC 9110, section 5.1)",
        why: "Senders, proxies and HTTP/2 spell header names in lower case; a map that is asked for the documentation's \
              spelling finds nothing.",
        scenarios: &[Scenario::HeaderCase],
        needs: None,
        check: |t| all_acknowledged(t, Scenario::HeaderCase, Some(Cause::new(Code::RefusesHeaderCase))),
        counterexamples: Faults::Receiver(&[ReceiverFault::HeaderNamesCaseSensitive]),
    },
    Requirement {
        id: "RCV-7",
        role: Role::Receiver,
        level: Level::Should,
        check_id: "receiver/reception/prompt",
        text: "The answer comes within 5 s.",
        source: "D (\"as soon as possible\"), S",
        why: "The server that ships gives up after 5 s and never sends the delivery again.",
        scenarios: &[Scenario::Genuine],
        needs: None,
        check: prompt,
        counterexamples: Faults::Receiver(&[ReceiverFault::AnswersLate]),
    },
    Requirement {
        id: "RCV-8",
        role: Role::Receiver,
        level: Level::Must,
        check_id: "receiver/reception/concurrent",
        text: "Concurrent deliveries (64) are all acknowledged, each within the client's wait.",
        source: "D",
        why: "An import changes hundreds of records in a second, and nothing orders or spaces their deliveries.",
        scenarios: &[Scenario::Concurrent],
        needs: None,
        check: |t| all_acknowledged(t, Scenario::Concurrent, Some(Cause::new(Code::RefusesConcurrent))),
        counterexamples: Faults::Receiver(&[ReceiverFault::OneAtATime]),
    },
];

fn genuine(t: &Transcript) -> Verdict {
    match all_acknowledged(t, Scenario::Genuine, of_refusal(t)) {
        Verdict::Fail(mut evidence) if evidence.cause.is_none() => {
            // Some are taken and some are not: the signature is understood, so it is the event that is refused.
            let taken = t.trials_of(Scenario::Genuine).any(|trial| t.acknowledged(trial.exchange));
            evidence.cause = taken.then(|| Cause::new(Code::RefusesUnknownEvent));
            Verdict::Fail(evidence)
        }
        verdict => verdict,
    }
}

fn prompt(t: &Transcript) -> Verdict {
    let answered = || t.trials_of(Scenario::Genuine).filter(|trial| t.acknowledged(trial.exchange));
    let Some(slowest) = answered().max_by_key(|trial| t.exchange(trial.exchange).took) else {
        return Verdict::Untestable("no genuine delivery was acknowledged".to_owned());
    };
    let took = t.exchange(slowest.exchange).took;
    if took <= t.limits.prompt {
        return Verdict::Pass;
    }
    let (took, bound) =
        (format!("{:.1} s", took.as_secs_f64()), format!("{:.1} s", t.limits.prompt.as_secs_f64()));
    let message = format!("{} was acknowledged only after {took}", slowest.what);
    Evidence::new(format!("within {bound}"), took, message)
        .shown_by([slowest.exchange])
        .because(Cause::new(Code::AnswerLate))
        .fail()
}
