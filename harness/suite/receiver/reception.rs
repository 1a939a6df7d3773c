//! RCV: a receiver acknowledges what is genuine, however HTTP may spell it.
//!
//! Invariant: every trial but those of RCV-1 has an acknowledged twin before it, or it does not tell.

use std::time::Duration;

use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::cause::receiver::of_refusal;
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::{all_acknowledged, of_all};
use crate::suite::requirement::{Evidence, Level, Requirement, Role, Verdict};
use crate::suite::transcript::{Respect, Scenario, Transcript, Trial};

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
        scenarios: &[Scenario::Valid, Scenario::Diagnosis],
        needs: None,
        check: valid,
        counterexamples: Faults::Receiver(&[
            ReceiverFault::RefusesEverything,
            ReceiverFault::RefusesDeletions,
            ReceiverFault::VerifiesBodyAlone,
            ReceiverFault::VerifiesWithDot,
            ReceiverFault::VerifiesTwiceStringified,
            ReceiverFault::VerifiesHexDecodedKey,
            ReceiverFault::VerifiesSha1,
            ReceiverFault::VerifiesSeconds,
            ReceiverFault::VerifiesHexKeyBodyAlone,
            ReceiverFault::VerifiesKeyWithNewline,
            ReceiverFault::VerifiesDefaultSecret,
            ReceiverFault::RequiresShaPrefix,
            ReceiverFault::ExpectsUppercase,
            ReceiverFault::ReadsSeconds,
            ReceiverFault::ReadsOtherHeader,
            ReceiverFault::HashesAsPython,
            ReceiverFault::HashesAsPythonCompact,
            ReceiverFault::HashesAsGo,
            ReceiverFault::HashesAsPhp,
            ReceiverFault::HashesSorted,
            ReceiverFault::HashesPretty,
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
        check: |t| all_acknowledged(t, Scenario::Unfamiliar, |_| Some(Cause::new(Code::RefusesUnknownEvent))),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::RefusesDeletions,
            ReceiverFault::RefusesUnknownEvents,
            ReceiverFault::RefusesUnknownMembers,
            ReceiverFault::HashesAsPythonCompact,
            ReceiverFault::HashesAsPhp,
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
        check: |t| all_acknowledged(t, Scenario::HeaderCase, |_| Some(Cause::new(Code::RefusesHeaderCase))),
        counterexamples: Faults::Receiver(&[ReceiverFault::HeaderNamesCaseSensitive]),
    },
    Requirement {
        id: "RCV-4",
        role: Role::Receiver,
        level: Level::Should,
        check_id: "receiver/reception/content-type",
        text: "Content-Type: application/json; charset=utf-8 is accepted.",
        source: "R (RFC 9110)",
        why: "A comparison with the bare type refuses what many HTTP clients send.",
        scenarios: &[Scenario::ContentType],
        needs: None,
        check: |t| {
            all_acknowledged(t, Scenario::ContentType, |_| {
                Some(Cause::detailed(Code::RefusesSpelling, "content type"))
            })
        },
        counterexamples: Faults::Receiver(&[ReceiverFault::RefusesCharset]),
    },
    Requirement {
        id: "RCV-5",
        role: Role::Receiver,
        level: Level::Should,
        check_id: "receiver/reception/framing",
        text: "A chunked body, a body that arrives in several segments (split inside a multi-byte \
               character too), and several deliveries on one connection are accepted.",
        source: "R (RFC 9112)",
        why: "How a body is cut on its way is the network's business; who decodes each piece by itself breaks characters \
              that stand on a seam, and with them the signature.",
        scenarios: &[Scenario::Framing],
        needs: None,
        check: |t| all_acknowledged(t, Scenario::Framing, of_framing),
        counterexamples: Faults::Receiver(&[ReceiverFault::RefusesChunked, ReceiverFault::DecodesEachChunk]),
    },
    Requirement {
        id: "RCV-6",
        role: Role::Receiver,
        level: Level::Should,
        check_id: "receiver/reception/256-kib",
        text: "A 256 KiB body is accepted.",
        source: "W",
        why: "A note with a long text has that size; the default limit of several frameworks is 100 kB.",
        scenarios: &[Scenario::Body256KiB],
        needs: None,
        check: |t| all_acknowledged(t, Scenario::Body256KiB, of_size),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::LimitsTo100Kilobytes,
            ReceiverFault::TruncatesLargeBodies,
        ]),
    },
    Requirement {
        id: "RCV-7",
        role: Role::Receiver,
        level: Level::Should,
        check_id: "receiver/reception/prompt",
        text: "The answer comes within 5 s.",
        source: "D (\"as soon as possible\"), S",
        why: "The server that ships gives up after 5 s and never sends the delivery again.",
        scenarios: &[Scenario::Valid],
        needs: None,
        check: |t| answers_within(t, t.limits.prompt),
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
        check: |t| all_acknowledged(t, Scenario::Concurrent, |_| Some(Cause::new(Code::RefusesConcurrent))),
        counterexamples: Faults::Receiver(&[ReceiverFault::OneAtATime]),
    },
    Requirement {
        id: "RCV-9",
        role: Role::Receiver,
        level: Level::Should,
        check_id: "receiver/reception/repeated",
        text: "A repeated delivery under a new timestamp and signature is answered 2xx.",
        source: "D (retries may come)",
        why: "To refuse what was taken in before makes a sender that retries try again.",
        scenarios: &[Scenario::Repeated],
        needs: None,
        check: |t| {
            all_acknowledged(t, Scenario::Repeated, |_| Some(Cause::detailed(Code::AnswerStatus, "repeated")))
        },
        counterexamples: Faults::Receiver(&[ReceiverFault::RefusesRepeats]),
    },
    Requirement {
        id: "RCV-10",
        role: Role::Receiver,
        level: Level::Advice,
        check_id: "receiver/reception/1-mib",
        text: "A 1 MiB body is accepted.",
        source: "W",
        why: "Nothing in Twenty bounds a record; a body that is refused is an event that is lost.",
        scenarios: &[Scenario::Body1MiB],
        needs: None,
        check: |t| all_acknowledged(t, Scenario::Body1MiB, of_size),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::LimitsTo100Kilobytes,
            ReceiverFault::LimitsTo512Kibibytes,
            ReceiverFault::TruncatesLargeBodies,
        ]),
    },
    Requirement {
        id: "RCV-11",
        role: Role::Receiver,
        level: Level::Should,
        check_id: "receiver/reception/413",
        text: "Beyond its limit (sought up to 16 MiB, with Content-Length and chunked; no limit found: not \
               applicable) a receiver answers 413: not 401, not 2xx, not silence.",
        source: "W",
        why: "A 401 sends people looking for a wrong secret where the body was cut off at a limit.",
        scenarios: &[Scenario::BodyLimit],
        needs: None,
        check: beyond_the_limit,
        counterexamples: Faults::Receiver(&[ReceiverFault::TruncatesLargeBodies]),
    },
    Requirement {
        id: "RCV-12",
        role: Role::Receiver,
        level: Level::Advice,
        check_id: "receiver/reception/quick",
        text: "The answer comes within 1 s.",
        source: "D",
        why: "Whoever works before answering is late as soon as the work is slow.",
        scenarios: &[Scenario::Valid],
        needs: None,
        check: |t| answers_within(t, t.limits.quick),
        counterexamples: Faults::Receiver(&[ReceiverFault::AnswersLate]),
    },
];

fn valid(t: &Transcript) -> Verdict {
    match all_acknowledged(t, Scenario::Valid, |_| of_refusal(t)) {
        Verdict::Fail(mut evidence) if evidence.cause.is_none() => {
            // Some are taken and some are not: the signature is understood, so it is the event that is refused.
            let taken = t.trials_of(Scenario::Valid).any(|trial| t.acknowledged(trial.exchange));
            evidence.cause = taken.then(|| Cause::new(Code::RefusesUnknownEvent));
            Verdict::Fail(evidence)
        }
        verdict => verdict,
    }
}

fn answers_within(t: &Transcript, bound: Duration) -> Verdict {
    let answered = || t.trials_of(Scenario::Valid).filter(|trial| t.acknowledged(trial.exchange));
    let Some(slowest) = answered().max_by_key(|trial| t.exchange(trial.exchange).took) else {
        return Verdict::Inconclusive("no genuine delivery was acknowledged".to_owned());
    };
    let took = t.exchange(slowest.exchange).took;
    if took <= bound {
        return Verdict::Pass;
    }
    let (took, bound) = (format!("{:.1} s", took.as_secs_f64()), format!("{:.1} s", bound.as_secs_f64()));
    let message = format!("{} was acknowledged only after {took}", slowest.what);
    Evidence::new(format!("within {bound}"), took, message)
        .shown_by([slowest.exchange])
        .because(Cause::new(Code::AnswerLate))
        .fail()
}

/// Why a body in another framing is refused.
fn of_framing(trial: &Trial) -> Option<Cause> {
    let Respect::Form(which) = trial.respect else { return None };
    let code = if which.contains("character") { Code::RefusesSplitCharacter } else { Code::RefusesChunked };
    Some(Cause::detailed(code, which))
}

fn of_size(_: &Trial) -> Option<Cause> {
    Some(Cause::new(Code::RefusesLarge))
}

/// Beyond its limit a receiver answers 413, however the body is framed.
fn beyond_the_limit(t: &Transcript) -> Verdict {
    let mut trials = t.trials_of(Scenario::BodyLimit).peekable();
    if trials.peek().is_none() {
        return Verdict::NotApplicable("no limit was found up to 16 MiB".to_owned());
    }
    let verdicts = trials.map(|trial| {
        let outcome = t.outcome(trial.exchange);
        if !trial.controls.iter().all(|&control| t.acknowledged(control)) {
            return Verdict::Inconclusive(
                "a plain genuine delivery beside it was not acknowledged".to_owned(),
            );
        }
        if outcome.status() == Some(413) {
            return Verdict::Pass;
        }
        let message = format!("{} was answered: {outcome}", trial.what);
        let cause = if outcome.status().is_none() {
            Cause::new(Code::AnswerNone)
        } else {
            Cause::detailed(Code::AnswerStatus, "too large")
        };
        Evidence::new("413", outcome.to_string(), message).shown_by([trial.exchange]).because(cause).fail()
    });
    of_all(verdicts, "nothing was sent", "deliveries")
}
