//! VER and DIA, the spelling of bodies: the bytes that came are what is verified, whatever JSON they spell.
//!
//! Invariant: a spelling is refused or taken for its spelling alone: its twins carry the same kind of record.

use super::processing;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::receiver::judge::{all_acknowledged, none_acknowledged};
use crate::suite::receiver::scenarios::{
    INTAKE, JAVASCRIPT_JSON, LONE_SURROGATE, OTHER_DIALECT, OTHER_SPELLING, REFORMATTED,
};
use crate::suite::requirement::{Binds, Level, Requirement, Verdict};
use crate::suite::transcript::{Capability, Respect, Transcript, Trial};

/// The requirements of this group.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "VER-8",
        title: "any JavaScript JSON",
        binds: Binds::Receiver,
        level: Level::Must,
        check_id: "receiver/verification/javascript-json",
        text: "Whatever a JavaScript JSON.stringify can emit is acknowledged when correctly signed: text in any \
               script, control characters, <>& and /, 1e21, 1e-7, long fractions, integer-like keys in its order, empty and __proto__ keys, nesting to 64 levels.",
        source: "D, S",
        why: "It is what the server that ships sends. Ten of 57 public receivers hash a re-serialised parse instead.",
        scenarios: &[&JAVASCRIPT_JSON],
        needs: None,
        check: |_, t| all_acknowledged(t, JAVASCRIPT_JSON.name, |trial| of_spelling(t, trial)),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::RefusesControlCharacters,
            ReceiverFault::RefusesDeepNesting,
            ReceiverFault::HashesAsPythonCompact,
            ReceiverFault::HashesAsPhp,
        ]),
    },
    Requirement {
        id: "VER-16",
        title: "verifies the bytes received",
        binds: Binds::Receiver,
        level: Level::Should,
        check_id: "receiver/verification/other-spelling",
        text: "The bytes received are what is verified, so any other spelling of JSON, correctly signed, is \
               acknowledged too: white space, other key orders, \\u and \\/ escapes, 1.0, 1e3, -0, integers beyond 2^53, duplicate keys, a trailing newline.",
        source: "D (the JSON string), W",
        why: "A receiver that survives this one hashes raw bytes, and a change of the sender's serialiser will not break it.",
        scenarios: &[&OTHER_SPELLING, &REFORMATTED],
        needs: None,
        check: |_, t| all_acknowledged(t, OTHER_SPELLING.name, |trial| of_spelling(t, trial)),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::HashesAsJavascript,
            ReceiverFault::HashesAsPythonCompact,
            ReceiverFault::HashesAsPhp,
        ]),
    },
    Requirement {
        id: "VER-17",
        title: "rejects reformatted bodies",
        binds: Binds::Receiver,
        level: Level::Should,
        check_id: "receiver/verification/respelled",
        text: "A body altered in its spelling alone (the list of VER-16) under the old signature is not \
               acknowledged.",
        source: "D, W",
        why: "Who accepts this hashes a re-serialised parse, always or as a fallback.",
        scenarios: &[&REFORMATTED],
        needs: None,
        check: |_, t| none_acknowledged(t, REFORMATTED.name),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::HashesAsJavascript,
            ReceiverFault::HashesAsPython,
            ReceiverFault::HashesAsPythonCompact,
            ReceiverFault::HashesAsGo,
            ReceiverFault::HashesAsPhp,
            ReceiverFault::HashesSorted,
            ReceiverFault::HashesPretty,
            ReceiverFault::FallsBackToReserialised,
            ReceiverFault::RefusesInBody,
            ReceiverFault::AcceptsEverything,
            ReceiverFault::IgnoresAlteredValues,
            ReceiverFault::IgnoresAddedMembers,
            ReceiverFault::AcceptsAnySignatureOnce,
        ]),
    },
    Requirement {
        id: "VER-18",
        title: "lone surrogates",
        binds: Binds::Receiver,
        level: Level::Should,
        check_id: "receiver/verification/lone-surrogate",
        text: "So is a lone surrogate, escaped as it escapes one (several languages' parsers refuse it).",
        source: "S, W",
        why: "Text that was cut inside an emoji ends in one; JSON.stringify escapes it, and the event should not be lost.",
        scenarios: &[&LONE_SURROGATE],
        needs: None,
        check: |_, t| all_acknowledged(t, LONE_SURROGATE.name, |trial| of_spelling(t, trial)),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::RefusesLoneSurrogates,
            ReceiverFault::HashesAsPhp,
        ]),
    },
    Requirement {
        id: "DIA-1",
        title: "accepts the other dialect",
        binds: Binds::Receiver,
        level: Level::Advice,
        check_id: "receiver/verification/other-dialect",
        text: "The body of the other dialect is acknowledged too, and taken in where that can be observed.",
        source: "W",
        why: "The documentation shows one form and the server sends the other; who reads both is safe.",
        scenarios: &[&OTHER_DIALECT, &INTAKE],
        needs: None,
        check: |_, t| other_dialect(t),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::RefusesOtherDialect,
            ReceiverFault::MisreadsOtherDialect,
            ReceiverFault::HashesAsPythonCompact,
            ReceiverFault::HashesAsPhp,
        ]),
    },
];

fn other_dialect(t: &Transcript) -> Verdict {
    let acknowledged = all_acknowledged(t, OTHER_DIALECT.name, |_| Some(Cause::new(Code::RefusesDialect)));
    if !t.capabilities.contains(&Capability::Observations) {
        return acknowledged;
    }
    of_all([acknowledged, processing::other_dialect(t)].into_iter(), "nothing was tried", "directions")
}

/// Why a spelling is refused. Where another spelling of the same content is taken under the old signature, it is a parse
/// that is hashed, not the bytes.
fn of_spelling(t: &Transcript, trial: &Trial) -> Option<Cause> {
    let reformatted = t.trials_of(REFORMATTED.name).find(|trial| t.acknowledged(trial.exchange));
    if let Some(Respect::Reformatted(which)) = reformatted.map(|trial| trial.respect) {
        return Some(Cause::detailed(Code::MessageReserialised, which));
    }
    match trial.respect {
        Respect::Form(which) => Some(Cause::detailed(Code::RefusesSpelling, which)),
        _ => None,
    }
}
