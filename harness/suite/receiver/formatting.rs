//! VER-8, VER-18, VER-16 and VER-17: a receiver verifies the bytes that it received, however their JSON is formatted.

use self::samples::Reformat;
use super::case::Case;
use super::forgery::LeftOut;
use super::judge::{accepts, rejects_all};
use super::maker::{PLAIN_MEMBER, with_raw_member};
use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::cause::receiver::{of_reserialising, of_text_encoding, reformatted as of_reformatted};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Respect, Transcript, Trial};
use crate::webhook::recipe::{Message, Recipe};
use crate::webhook::serialiser::Serialiser;

mod generated;
mod javascript;
mod samples;

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[VER_8, VER_18, VER_16, VER_17];

const VER_8: Requirement = Requirement {
    id: "VER-8",
    title: "any JavaScript JSON",
    binds: Binds::Receiver,
    level: Level::Must,
    check_id: "receiver/verification/javascript-json",
    text: "Whatever a JavaScript `JSON.stringify` can emit is accepted when correctly \
          signed: text in any script, control characters, `<>&` and `/`, `1e21`, `1e-7`, long fractions, \
          integer-like keys in its order, empty and `__proto__` keys, nesting to 64 levels.",
    source: "D, S",
    why: "Twenty sends what JSON.stringify writes. Ten of 57 public receivers hash a re-serialised body instead, which \
          often differs from it.",
    scenarios: &[&JAVASCRIPT_JSON],
    needs: None,
    check: accepts_formatting,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::RejectsControlCharacters,
        ReceiverFault::RejectsDeepNesting,
        ReceiverFault::VerifiesTextAsAscii,
        ReceiverFault::VerifiesEscapedText,
        ReceiverFault::HashesAsPythonCompact,
        ReceiverFault::HashesAsPhp,
    ]),
};

/// What is sent for VER-8.
const JAVASCRIPT_JSON: Scenario = Scenario::cases(
    "javascript-json",
    "valid deliveries with everything that JSON.stringify can write",
    |_| records(samples::JAVASCRIPT, Respect::Javascript),
    &[javascript::javascript, javascript::sizes],
);

const VER_18: Requirement = Requirement {
    id: "VER-18",
    title: "lone surrogates",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/verification/lone-surrogate",
    text: "A lone surrogate, escaped as JavaScript escapes one, is accepted too (several \
          languages' parsers refuse it).",
    source: "S, W",
    why: "Text that was cut inside an emoji ends in a lone surrogate, which JSON.stringify escapes. The event should \
          not be lost because of it.",
    scenarios: &[&LONE_SURROGATE],
    needs: None,
    check: accepts_formatting,
    counterexamples: Faults::Receiver(&[ReceiverFault::RejectsLoneSurrogates, ReceiverFault::HashesAsPhp]),
};

/// What is sent for VER-18.
const LONE_SURROGATE: Scenario = Scenario::cases(
    "lone-surrogate",
    "a valid delivery with an escaped lone surrogate",
    |_| records(&[("an escaped lone surrogate", samples::LONE_SURROGATE)], Respect::Javascript),
    &[],
);

const VER_16: Requirement = Requirement {
    id: "VER-16",
    title: "verifies the bytes received",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/verification/other-spelling",
    text: "Any other JSON formatting, correctly signed, is accepted: white space, key \
          order, `\\u` and `\\/` escapes, `1.0`, `1e3`, `-0`, integers beyond 2^53, duplicate keys, a \
          trailing newline.",
    source: "D (\"the JSON string\"), W",
    why: "A receiver that accepts any formatting hashes the raw bytes. A change of the sender's serialiser does not break it.",
    scenarios: &[&OTHER_FORMATTING, &REFORMATTED],
    needs: None,
    check: |_, t| accepts(&[&OTHER_FORMATTING], t, |trial| of_formatting(t, trial)),
    counterexamples: Faults::Receiver(&[
        ReceiverFault::VerifiesEscapedText,
        ReceiverFault::VerifiesTrimmedBody,
        ReceiverFault::HashesAsJavascript,
        ReceiverFault::HashesAsPythonCompact,
        ReceiverFault::HashesAsPhp,
    ]),
};

/// What is sent for VER-16.
const OTHER_FORMATTING: Scenario = Scenario::cases(
    "other-formatting",
    "valid deliveries with white space, members in another order, other escapes and number \
          formats, and duplicate keys",
    |_| {
        let mut cases = records(samples::FOREIGN, Respect::Formatting);
        cases.extend(samples::REFORMATTINGS.iter().map(formatted));
        cases
    },
    &[generated::formattings],
);

/// Valid deliveries of records with an added member.
fn records(
    members: &'static [(&'static str, &'static str)],
    respect: fn(&'static str) -> Respect,
) -> Vec<Case> {
    let case = |&(what, member): &(&'static str, &'static str)| {
        Case::valid(format!("a valid delivery with {what}"), respect(what), move |maker| {
            Some(maker.deliver(&with_raw_member(&maker.plain(), member)))
        })
        .of_record_with(PLAIN_MEMBER)
    };
    members.iter().map(case).collect()
}

/// A valid delivery of the plain body in another formatting.
fn formatted(&(what, reformat): &(&'static str, Reformat)) -> Case {
    Case::valid(format!("a valid delivery with {what}"), Respect::Formatting(what), move |maker| {
        let body = maker.render(&maker.plain());
        Some(maker.sign(reformat(std::str::from_utf8(&body).ok()?)?.into()))
    })
}

const VER_17: Requirement = Requirement {
    id: "VER-17",
    title: "rejects reformatted bodies",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/verification/respelled",
    text: "A body reformatted after signing (the list of VER-16) is rejected.",
    source: "D, W",
    why: "A receiver that accepts such a body hashes a re-serialised one, always or as a fallback.",
    scenarios: &[&REFORMATTED],
    needs: None,
    check: rejects_all,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::VerifiesTrimmedBody,
        ReceiverFault::HashesAsJavascript,
        ReceiverFault::HashesAsPython,
        ReceiverFault::HashesAsPythonCompact,
        ReceiverFault::HashesAsGo,
        ReceiverFault::HashesAsPhp,
        ReceiverFault::HashesSorted,
        ReceiverFault::HashesPretty,
        ReceiverFault::FallsBackToReserialised,
        ReceiverFault::RejectsInBody,
        ReceiverFault::AcceptsEverything,
        ReceiverFault::IgnoresAlteredValues,
        ReceiverFault::IgnoresAddedMembers,
        ReceiverFault::AcceptsAnySignatureOnce,
    ]),
};

/// What is sent for VER-17.
pub(super) const REFORMATTED: Scenario = Scenario::cases(
    "reformatted",
    "deliveries whose JSON was reformatted after signing",
    |_| reformatted(),
    &[generated::reformatted],
);

fn reformatted() -> Vec<Case> {
    let case = |&(which, reformat): &(&'static str, Reformat)| {
        let what = format!("a delivery reformatted after signing ({which})");
        Case::forged_by(LeftOut::Parsed, what, Respect::Reformatted(which), move |_, delivery, _| {
            delivery.body = reformat(std::str::from_utf8(&delivery.body).ok()?)?.into();
            Some(())
        })
    };
    samples::REFORMATTINGS.iter().map(case).chain(Serialiser::ALL.iter().map(reserialised)).collect()
}

/// A delivery signed over its re-serialised body: only a receiver that hashes what this serialiser prints accepts it.
fn reserialised(&serialiser: &Serialiser) -> Case {
    let recipe = Recipe::message(Message::Reserialised(serialiser));
    Case::signed(recipe).of_record_with(format!("\"probe\":{}", Serialiser::probe()))
}

fn accepts_formatting(requirement: &Requirement, t: &Transcript) -> Verdict {
    accepts(requirement.scenarios, t, |trial| of_formatting(t, trial))
}

/// Why a formatting is rejected. If another formatting of the same content is accepted with the old signature, the receiver
/// hashes a re-serialised body instead of the bytes.
fn of_formatting(t: &Transcript, trial: &Trial) -> Option<Cause> {
    if let Some(cause) = of_text_encoding(t, trial).or_else(|| of_reserialising(t)) {
        return Some(cause);
    }
    let mut reformatted = t.trials_of(REFORMATTED.name).filter(|trial| t.acknowledged(trial.exchange));
    if let Some(Trial { respect: Respect::Reformatted(which), .. }) = reformatted.next() {
        return Some(of_reformatted(which));
    }
    match trial.respect {
        Respect::Javascript(which) | Respect::Formatting(which) => {
            Some(Cause::detailed(Code::RefusesSpelling, which))
        }
        _ => None,
    }
}
