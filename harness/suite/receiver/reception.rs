//! RCV: a receiver acknowledges what is genuine, however HTTP may spell it.
//!
//! Invariant: every trial but those of RCV-1 has an acknowledged twin before it, or it does not tell.

use std::time::Duration;

use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::cause::receiver::of_refusal;
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::receiver::judge::all_acknowledged;
use crate::suite::receiver::scenarios::{
    BODY_1_MIB, BODY_256_KIB, BODY_LIMIT, CONCURRENT, CONTENT_TYPE, DIAGNOSIS, FRAMING, HEADER_CASE,
    REPEATED, UNFAMILIAR, VALID,
};
use crate::suite::requirement::{Binds, Evidence, Level, Requirement, Verdict};
use crate::suite::transcript::{Respect, Transcript, Trial};

/// The requirements of this group.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "RCV-1",
        title: "accepts valid deliveries",
        binds: Binds::Receiver,
        level: Level::Must,
        check_id: "receiver/reception/genuine",
        text: "A correctly signed delivery is answered 2xx, for created, updated and deleted of every standard object.",
        source: "D",
        why: "A receiver that refuses genuine deliveries loses every event, and the sender never sends them again. Of \
              57 public receivers 15 refuse every one: most hash other bytes than those that were signed.",
        scenarios: &[&VALID, &DIAGNOSIS],
        needs: None,
        check: |_, t| valid(t),
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
        title: "accepts unknown events",
        binds: Binds::Receiver,
        level: Level::Should,
        check_id: "receiver/reception/unfamiliar",
        text: "So is one for an event or object it does not know (metadata events among them in dialect shipped), and \
               one with members it does not know.",
        source: "D (\"other events\")",
        why: "A webhook without a filter gets every kind of event, those of custom objects and of later versions too.",
        scenarios: &[&UNFAMILIAR],
        needs: None,
        check: |_, t| all_acknowledged(t, UNFAMILIAR.name, |_| Some(Cause::new(Code::RefusesUnknownEvent))),
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
        title: "header case",
        binds: Binds::Receiver,
        level: Level::Must,
        check_id: "receiver/reception/header-case",
        text: "Header names are matched without regard to case.",
        source: "R (RFC 9110, section 5.1)",
        why: "Senders, proxies and HTTP/2 spell header names in lower case; a map that is asked for the documentation's \
              spelling finds nothing.",
        scenarios: &[&HEADER_CASE],
        needs: None,
        check: |_, t| all_acknowledged(t, HEADER_CASE.name, |_| Some(Cause::new(Code::RefusesHeaderCase))),
        counterexamples: Faults::Receiver(&[ReceiverFault::HeaderNamesCaseSensitive]),
    },
    Requirement {
        id: "RCV-4",
        title: "content type parameters",
        binds: Binds::Receiver,
        level: Level::Should,
        check_id: "receiver/reception/content-type",
        text: "Content-Type: application/json; charset=utf-8 is accepted.",
        source: "R (RFC 9110)",
        why: "A comparison with the bare type refuses what many HTTP clients send.",
        scenarios: &[&CONTENT_TYPE],
        needs: None,
        check: |_, t| {
            all_acknowledged(t, CONTENT_TYPE.name, |_| {
                Some(Cause::detailed(Code::RefusesSpelling, "content type"))
            })
        },
        counterexamples: Faults::Receiver(&[ReceiverFault::RefusesCharset]),
    },
    Requirement {
        id: "RCV-5",
        title: "chunks and segments",
        binds: Binds::Receiver,
        level: Level::Should,
        check_id: "receiver/reception/framing",
        text: "A chunked body, a body that arrives in several segments (split inside a multi-byte \
               character too), and several deliveries on one connection are accepted.",
        source: "R (RFC 9112)",
        why: "How a body is cut on its way is the network's business; who decodes each piece by itself breaks characters \
              that stand on a seam, and with them the signature.",
        scenarios: &[&FRAMING],
        needs: None,
        check: |_, t| all_acknowledged(t, FRAMING.name, of_framing),
        counterexamples: Faults::Receiver(&[ReceiverFault::RefusesChunked, ReceiverFault::DecodesEachChunk]),
    },
    Requirement {
        id: "RCV-6",
        title: "256 KiB",
        binds: Binds::Receiver,
        level: Level::Should,
        check_id: "receiver/reception/256-kib",
        text: "A 256 KiB body is accepted.",
        source: "W",
        why: "A note with a long text has that size; the default limit of several frameworks is 100 kB.",
        scenarios: &[&BODY_256_KIB],
        needs: None,
        check: |_, t| all_acknowledged(t, BODY_256_KIB.name, of_size),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::LimitsTo100Kilobytes,
            ReceiverFault::TruncatesLargeBodies,
        ]),
    },
    Requirement {
        id: "RCV-7",
        title: "answers within 5 s",
        binds: Binds::Receiver,
        level: Level::Should,
        check_id: "receiver/reception/prompt",
        text: "The answer comes within 5 s.",
        source: "D (\"as soon as possible\"), S",
        why: "The server that ships gives up after 5 s and never sends the delivery again.",
        scenarios: &[&VALID],
        needs: None,
        check: |_, t| answers_within(t, t.limits.prompt),
        counterexamples: Faults::Receiver(&[ReceiverFault::AnswersLate]),
    },
    Requirement {
        id: "RCV-8",
        title: "20 at a time",
        binds: Binds::Receiver,
        level: Level::Must,
        check_id: "receiver/reception/concurrent",
        text: "Concurrent deliveries (64) are all acknowledged, each within the client's wait.",
        source: "D",
        why: "An import changes hundreds of records in a second, and nothing orders or spaces their deliveries.",
        scenarios: &[&CONCURRENT],
        needs: None,
        check: |_, t| all_acknowledged(t, CONCURRENT.name, |_| Some(Cause::new(Code::RefusesConcurrent))),
        counterexamples: Faults::Receiver(&[ReceiverFault::OneAtATime]),
    },
    Requirement {
        id: "RCV-9",
        title: "accepts a repeat",
        binds: Binds::Receiver,
        level: Level::Should,
        check_id: "receiver/reception/repeated",
        text: "A repeated delivery under a new timestamp and signature is answered 2xx.",
        source: "D (retries may come)",
        why: "To refuse what was taken in before makes a sender that retries try again.",
        scenarios: &[&REPEATED],
        needs: None,
        check: |_, t| {
            all_acknowledged(t, REPEATED.name, |_| Some(Cause::detailed(Code::AnswerStatus, "repeated")))
        },
        counterexamples: Faults::Receiver(&[ReceiverFault::RefusesRepeats]),
    },
    Requirement {
        id: "RCV-10",
        title: "1 MiB",
        binds: Binds::Receiver,
        level: Level::Advice,
        check_id: "receiver/reception/1-mib",
        text: "A 1 MiB body is accepted.",
        source: "W",
        why: "Nothing in Twenty bounds a record; a body that is refused is an event that is lost.",
        scenarios: &[&BODY_1_MIB],
        needs: None,
        check: |_, t| all_acknowledged(t, BODY_1_MIB.name, of_size),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::LimitsTo100Kilobytes,
            ReceiverFault::LimitsTo512Kibibytes,
            ReceiverFault::TruncatesLargeBodies,
        ]),
    },
    Requirement {
        id: "RCV-11",
        title: "too large is 413",
        binds: Binds::Receiver,
        level: Level::Should,
        check_id: "receiver/reception/413",
        text: "Beyond its limit (sought up to 16 MiB, with Content-Length and chunked; no limit found: not \
               applicable) a receiver answers 413: not 401, not 2xx, not silence.",
        source: "W",
        why: "A 401 sends people looking for a wrong secret where the body was cut off at a limit.",
        scenarios: &[&BODY_LIMIT],
        needs: None,
        check: |_, t| beyond_the_limit(t),
        counterexamples: Faults::Receiver(&[ReceiverFault::TruncatesLargeBodies]),
    },
    Requirement {
        id: "RCV-12",
        title: "answers within 1 s",
        binds: Binds::Receiver,
        level: Level::Advice,
        check_id: "receiver/reception/quick",
        text: "The answer comes within 1 s.",
        source: "D",
        why: "Whoever works before answering is late as soon as the work is slow.",
        scenarios: &[&VALID],
        needs: None,
        check: |_, t| answers_within(t, t.limits.quick),
        counterexamples: Faults::Receiver(&[ReceiverFault::AnswersLate]),
    },
];

fn valid(t: &Transcript) -> Verdict {
    match all_acknowledged(t, VALID.name, |_| of_refusal(t)) {
        Verdict::Fail(mut evidence) if evidence.cause.is_none() => {
            // Some are taken and some are not: the signature is understood, so it is the event that is refused.
            let taken = t.trials_of(VALID.name).any(|trial| t.acknowledged(trial.exchange));
            evidence.cause = taken.then(|| Cause::new(Code::RefusesUnknownEvent));
            Verdict::Fail(evidence)
        }
        verdict => verdict,
    }
}

fn answers_within(t: &Transcript, bound: Duration) -> Verdict {
    let answered = || t.trials_of(VALID.name).filter(|trial| t.acknowledged(trial.exchange));
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
    let mut trials = t.trials_of(BODY_LIMIT.name).peekable();
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
