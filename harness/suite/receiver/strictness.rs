//! VER, further: nothing beside the right form is taken, nothing stale, nothing that is no delivery; and every refusal is
//! an answer.
//!
//! Invariant: minimal pairs as everywhere; how a negative is refused is judged only where it is refused.

use std::time::Duration;

use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::receiver::judge::{all_acknowledged, none_acknowledged};
use crate::suite::receiver::scenarios::{
    ALTERED_CONTENT, ALTERED_TIMESTAMP, BACK_DOOR, COMPARISON, MALFORMED, MISSING_HEADER, OTHER_DIGEST,
    OTHER_MESSAGE, OTHER_METHOD, RECENT, REFORMATTED, SIGNATURE_LENGTH, STALE, SURROUNDED, TIMESTAMP_FORM,
    UNSIGNED_MALFORMED, WRONG_KEY,
};
use crate::suite::requirement::{Binds, Evidence, Level, Requirement, Verdict};
use crate::suite::transcript::{Respect, Transcript, Trial};
use crate::wire::exchange::Outcome;

/// The requirements of this group.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "VER-7",
        title: "nothing around the digits",
        binds: Binds::Receiver,
        level: Level::Should,
        check_id: "receiver/verification/surrounded",
        text: "Nothing may surround the 64 digits: trailing characters, an odd digit, a sha256= prefix, a second \
               signature header (the genuine one beside a bogus one, in both orders). Uppercase digits may be taken either way.",
        source: "W",
        why: "Lax decoders stop at the first character that is no digit; six public receivers take whatever stands \
              behind.",
        scenarios: &[&SURROUNDED],
        needs: None,
        check: |_, t| none_acknowledged(t, SURROUNDED.name),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::AcceptsTrailing,
            ReceiverFault::AcceptsShaPrefix,
            ReceiverFault::RequiresShaPrefix,
            ReceiverFault::TakesFirstSignature,
            ReceiverFault::TakesLastSignature,
            ReceiverFault::AcceptsEverything,
            ReceiverFault::RefusesInBody,
        ]),
    },
    Requirement {
        id: "VER-9",
        title: "refuses with 4xx",
        binds: Binds::Receiver,
        level: Level::Should,
        check_id: "receiver/verification/refusal-status",
        text: "A refusal is a 4xx (401 in the field), not a 5xx, a hang or a closed connection; the receiver \
               answers the next delivery as before. Signatures of 0, 1, 63, 65 and 64 non-ASCII characters included.",
        source: "W",
        why: "A comparison that throws on another length turns every scanner's probe into a crash report, and in some \
              run times ends the process.",
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
        ],
        needs: None,
        check: |_, t| refusal_status(t),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::ThrowsOnLength,
            ReceiverFault::ThrowsOnHeaderBytes,
            ReceiverFault::ThrowsOnTimestamp,
            ReceiverFault::ClosesOnRefusal,
            ReceiverFault::RefusesWith500,
        ]),
    },
    Requirement {
        id: "VER-10",
        title: "digits-only timestamp",
        binds: Binds::Receiver,
        level: Level::Should,
        check_id: "receiver/verification/timestamp-form",
        text: "The timestamp header is digits only: text moved across the colon, and deliveries correctly signed \
               under abc, NaN, an ISO date, +1735..., -1, or digits with spaces, are not acknowledged.",
        source: "R",
        why: "With anything but digits before the colon the signed text can be cut in two ways; and NaN is within \
              every window.",
        scenarios: &[&TIMESTAMP_FORM],
        needs: None,
        check: |_, t| none_acknowledged(t, TIMESTAMP_FORM.name),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::AcceptsAnyTimestamp,
            ReceiverFault::AcceptsNaN,
            ReceiverFault::AcceptsEverything,
            ReceiverFault::RefusesInBody,
        ]),
    },
    Requirement {
        id: "VER-11",
        title: "freshness",
        binds: Binds::Receiver,
        level: Level::Should,
        check_id: "receiver/verification/freshness",
        text: "A correctly signed delivery that is old (one day) or from the future (one day), or in seconds, is \
               not acknowledged; one that is up to 60 s off is.",
        source: "S",
        why: "A delivery that was recorded once can be sent again for ever, unless its time is looked at.",
        scenarios: &[&STALE, &RECENT],
        needs: None,
        check: |_, t| freshness(t),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::NoWindow,
            ReceiverFault::WindowOnPastOnly,
            ReceiverFault::AcceptsSeconds,
            ReceiverFault::ReadsSeconds,
            ReceiverFault::WindowTooSmall,
            ReceiverFault::AcceptsEverything,
            ReceiverFault::RefusesInBody,
        ]),
    },
    Requirement {
        id: "VER-12",
        title: "rejects what is no delivery",
        binds: Binds::Receiver,
        level: Level::Should,
        check_id: "receiver/verification/malformed",
        text: "Signed but not a delivery: truncated JSON, [], null, \"x\", {}, invalid UTF-8: 4xx.",
        source: "W",
        why: "A 500 is a failure of the receiver's own; a 200 says that something was taken in that was not.",
        scenarios: &[&MALFORMED],
        needs: None,
        check: |_, t| malformed(t),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::AcknowledgesMalformed,
            ReceiverFault::BreaksOnMalformed,
            ReceiverFault::AcceptsEverything,
            ReceiverFault::RefusesInBody,
            ReceiverFault::ClosesOnRefusal,
            ReceiverFault::RefusesWith500,
        ]),
    },
    Requirement {
        id: "VER-13",
        title: "POST only",
        binds: Binds::Receiver,
        level: Level::Advice,
        check_id: "receiver/verification/method",
        text: "GET, PUT, PATCH and DELETE are not acknowledged.",
        source: "D",
        why: "What answers 200 to every method looks healthy to whoever only opens it.",
        scenarios: &[&OTHER_METHOD],
        needs: None,
        check: |_, t| none_acknowledged(t, OTHER_METHOD.name),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::AcceptsOtherMethods,
            ReceiverFault::AcceptsEverything,
            ReceiverFault::RefusesInBody,
        ]),
    },
    Requirement {
        id: "VER-14",
        title: "no back door",
        binds: Binds::Receiver,
        level: Level::Advice,
        check_id: "receiver/verification/back-door",
        text: "No other way in: X-Forwarded-For, X-Real-IP or Forwarded naming 127.0.0.1, 10.0.0.1 or 172.18.0.2; \
               the secret itself in Authorization: Bearer, X-Webhook-Secret, X-Twenty-Webhook-Secret, X-Twenty-Webhook-Token; an unsigned ping body.",
        source: "W",
        why: "Shortcuts for tests and proxies stay in the code; a header that names an address can be sent by \
              anybody.",
        scenarios: &[&BACK_DOOR],
        needs: None,
        check: |_, t| none_acknowledged(t, BACK_DOOR.name),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::TrustsForwardedFor,
            ReceiverFault::AcceptsSecretAsHeader,
            ReceiverFault::AcceptsPing,
            ReceiverFault::AcceptsEverything,
            ReceiverFault::RefusesInBody,
            ReceiverFault::AcceptsMissingSignature,
            ReceiverFault::AcceptsMissingTimestamp,
        ]),
    },
    Requirement {
        id: "VER-15",
        title: "constant-time comparison",
        binds: Binds::Receiver,
        level: Level::Advice,
        check_id: "receiver/verification/comparison-time",
        text: "The comparison takes no measurably different time for a longer matching prefix.",
        source: "W",
        why: "A comparison that ends at the first wrong digit tells by its time how many were right, and so lets a \
              signature be guessed digit by digit.",
        scenarios: &[&COMPARISON],
        needs: None,
        check: |_, t| comparison_time(t),
        counterexamples: Faults::Receiver(&[ReceiverFault::ComparesDigitByDigit]),
    },
    Requirement {
        id: "VER-19",
        title: "verifies before parsing",
        binds: Binds::Receiver,
        level: Level::Advice,
        check_id: "receiver/verification/verify-first",
        text: "Unsigned and malformed is answered like unsigned and well-formed: nothing is parsed before it is \
               verified.",
        source: "W",
        why: "Whatever is parsed before it is verified is open to everybody.",
        scenarios: &[&UNSIGNED_MALFORMED],
        needs: None,
        check: |_, t| verify_first(t),
        counterexamples: Faults::Receiver(&[ReceiverFault::ParsesFirst]),
    },
];

/// Every negative that is refused is refused with a 4xx.
fn refusal_status(t: &Transcript) -> Verdict {
    let mut verdicts = vec![none_acknowledged(t, SIGNATURE_LENGTH.name)];
    let scenarios = [
        SIGNATURE_LENGTH.name,
        ALTERED_CONTENT.name,
        ALTERED_TIMESTAMP.name,
        WRONG_KEY.name,
        MISSING_HEADER.name,
        OTHER_MESSAGE.name,
        OTHER_DIGEST.name,
        SURROUNDED.name,
        TIMESTAMP_FORM.name,
        STALE.name,
        REFORMATTED.name,
        BACK_DOOR.name,
    ];
    let refused = scenarios.into_iter().flat_map(|scenario| t.trials_of(scenario));
    let refused = refused.filter(|trial| !t.acknowledged(trial.exchange));
    verdicts.extend(refused.map(|trial| is_4xx(t, trial, of_crash(t, trial, Code::CrashSignatureLength))));
    if let Verdict::Fail(_) = verdicts[0] {
        // That a signature of another length is taken is for VER-4 and VER-6 to say.
        verdicts.remove(0);
    }
    of_all(verdicts.into_iter(), "nothing was refused", "refusals")
}

/// Why a refusal is no answer: what the trial is about, where other refusals are answers.
fn of_crash(t: &Transcript, trial: &Trial, code: Code) -> Option<Cause> {
    let elsewhere = |other: &&Trial| {
        let positive = matches!(other.respect, Respect::Valid | Respect::Form(_));
        other.scenario != trial.scenario && !positive && !t.acknowledged(other.exchange)
    };
    let in_400s = |other: &Trial| t.outcome(other.exchange).status().is_some_and(|status| status / 100 == 4);
    let answered: Vec<bool> = t.trials.iter().filter(elsewhere).map(in_400s).collect();
    if !answered.is_empty() && !answered.contains(&true) {
        return None;
    }
    match trial.respect {
        Respect::Surrounded(which) if which.contains("ASCII") => Some(Cause::new(Code::CrashHeaderBytes)),
        Respect::Surrounded(_) | Respect::Malformed(_) => Some(Cause::new(code)),
        Respect::TimestampForm("text moved over the colon") => Some(Cause::new(Code::CrashMalformedJson)),
        Respect::TimestampForm(_) => {
            Some(Cause::detailed(Code::AnswerStatus, "a timestamp that is no number breaks the receiver"))
        }
        _ => None,
    }
}

fn is_4xx(t: &Transcript, trial: &Trial, crash: Option<Cause>) -> Verdict {
    let outcome = t.outcome(trial.exchange);
    let died = t.death_at(trial.exchange).is_some();
    if !died && outcome.status().is_some_and(|status| (400..500).contains(&status)) {
        return if trial.controls.iter().all(|&control| t.acknowledged(control)) {
            Verdict::Pass
        } else {
            Verdict::Inconclusive("a plain genuine delivery beside it was not acknowledged".to_owned())
        };
    }
    // Where genuine deliveries fare no better, it is not the refusal that is wrong.
    if !t.acknowledged(trial.controls[0]) {
        return Verdict::Inconclusive("a plain genuine delivery beside it was not acknowledged".to_owned());
    }
    let death = t.death_at(trial.exchange).map(|how| format!("; {how}")).unwrap_or_default();
    let answer = if outcome.status().is_some() { "was answered" } else { "was not answered" };
    let message = format!("{} {answer}: {outcome}{death}", trial.what);
    let answered = matches!(outcome, Outcome::Answered(_)) && !died;
    let cause =
        crash.unwrap_or_else(|| Cause::new(if answered { Code::AnswerStatus } else { Code::AnswerNone }));
    Evidence::new("4xx", outcome.to_string(), message).shown_by([trial.exchange]).because(cause).fail()
}

fn freshness(t: &Transcript) -> Verdict {
    let too_small = |_: &Trial| Some(Cause::detailed(Code::AnswerStatus, "a window of less than a minute"));
    let both = [none_acknowledged(t, STALE.name), all_acknowledged(t, RECENT.name, too_small)];
    of_all(both.into_iter(), "nothing was tried", "directions")
}

fn malformed(t: &Transcript) -> Verdict {
    let refused = t.trials_of(MALFORMED.name).filter(|trial| !t.acknowledged(trial.exchange));
    let refused = refused.map(|trial| is_4xx(t, trial, of_crash(t, trial, Code::CrashMalformedJson)));
    // What breaks the receiver comes before what it only takes for a delivery.
    let verdicts = refused.chain([none_acknowledged(t, MALFORMED.name)]);
    of_all(verdicts, "nothing was tried", "bodies")
}

/// The first trial is unsigned and well-formed, the others unsigned and malformed.
fn verify_first(t: &Transcript) -> Verdict {
    let mut trials = t.trials_of(UNSIGNED_MALFORMED.name);
    let Some(well_formed) = trials.next() else {
        return Verdict::Inconclusive("nothing could be tried".to_owned());
    };
    if t.acknowledged(well_formed.exchange) {
        return Verdict::Inconclusive(
            "unsigned requests are acknowledged, so nothing is verified".to_owned(),
        );
    }
    let expected = t.outcome(well_formed.exchange).to_string();
    let verdicts = trials.map(|trial| {
        if !trial.controls.iter().all(|&control| t.acknowledged(control)) {
            return Verdict::Inconclusive(
                "a plain genuine delivery beside it was not acknowledged".to_owned(),
            );
        }
        let actual = t.outcome(trial.exchange).to_string();
        if actual == expected {
            return Verdict::Pass;
        }
        let message = format!("{} was answered {actual}, a well-formed one {expected}", trial.what);
        Evidence::new(expected.clone(), actual, message)
            .shown_by([well_formed.exchange, trial.exchange])
            .because(Cause::detailed(Code::AnswerStatus, "parsed before verified"))
            .fail()
    });
    of_all(verdicts, "nothing could be tried", "bodies")
}

/// How many standard deviations the ranks of two series must be apart: less than one run in a hundred million by chance.
const MEASURABLE: f64 = 6.0;

fn comparison_time(t: &Transcript) -> Verdict {
    let Some(comparison) = &t.comparison else {
        return Verdict::Inconclusive("the signatures compared were not all answered 4xx".to_owned());
    };
    let [early, late, control] =
        [&comparison.early, &comparison.late, &comparison.control].map(|series| median(series));
    let apart = late.saturating_sub(early);
    // What two equal series differ by is noise; a difference of that size says nothing.
    let noise = early.abs_diff(control);
    if ranks_apart(&comparison.early, &comparison.late) < MEASURABLE || apart <= noise * 3 {
        return Verdict::Pass;
    }
    let message = format!(
        "a signature that is wrong in its last digit alone is refused {apart:.0?} later than one that is wrong in its first \
         (medians of {} each): compare in constant time, over all digits",
        comparison.early.len()
    );
    Evidence::new(format!("{early:.0?}"), format!("{late:.0?}"), message)
        .shown_by(comparison.shown_by.iter().copied())
        .fail()
}

fn median(series: &[Duration]) -> Duration {
    let mut sorted = series.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// By how many standard deviations the second series ranks above the first (Mann and Whitney's U, normal approximation).
fn ranks_apart(first: &[Duration], second: &[Duration]) -> f64 {
    let wins: f64 = second
        .iter()
        .map(|b| {
            first
                .iter()
                .map(|a| {
                    if b > a {
                        1.0
                    } else if b == a {
                        0.5
                    } else {
                        0.0
                    }
                })
                .sum::<f64>()
        })
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
    let (m, n) = (first.len() as f64, second.len() as f64);
    (wins - m * n / 2.0) / (m * n * (m + n + 1.0) / 12.0).sqrt()
}
