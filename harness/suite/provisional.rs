//! What the first fault hides: if a receiver rejects every valid delivery, and the way was found in which it wants them, the
//! other requirements are judged with deliveries made in that way.
//!
//! Invariant: such a judgement is only provisional. It changes no verdict, and it does not tell the first fault again.

use super::receiver::manners;
use crate::suite::cause::{Cause, Code};
use crate::suite::finding::{Finding, judge};
use crate::suite::requirement::{Evidence, Expected, Requirement, Role, Verdict};
use crate::suite::transcript::Transcript;
use crate::suite::verdict::{Judgement, Provisional};
use crate::webhook::manner::Manner;
use crate::webhook::recipe::Message;

/// The manners to try after a run, and the requirements that are open because valid deliveries were rejected.
pub(super) fn open(
    transcript: &Transcript,
    findings: &[Finding],
) -> Option<(Vec<Manner>, Vec<&'static Requirement>)> {
    let manners = manners(transcript);
    if transcript.role != Role::Receiver || manners.is_empty() {
        return None;
    }
    let open = findings.iter().filter(|finding| is_open(finding)).map(|finding| finding.requirement);
    Some((manners, open.collect()))
}

/// Judges what followed the first pass, and adds to its findings what they provisionally come to.
pub(super) fn add(findings: &mut [Finding], after: &Transcript) {
    let first = findings.iter().find(|finding| finding.requirement.id == FIRST).and_then(cause).cloned();
    let selected: Vec<_> = findings.iter().filter(|one| is_open(one)).map(|one| one.requirement).collect();
    for judged in judge(after, &selected) {
        let Some(finding) = findings.iter_mut().find(|one| one.requirement.id == judged.requirement.id)
        else {
            continue;
        };
        finding.provisional = match judged.judgement {
            // That valid deliveries are accepted now follows from how they are made.
            Judgement::Judged(Verdict::Pass) if finding.requirement.id == FIRST => None,
            Judgement::Judged(Verdict::Pass) => Some(Provisional::Pass),
            Judgement::Judged(Verdict::Fail(evidence)) => {
                let told = first.as_ref().zip(evidence.cause.as_ref());
                let is_first = told.is_some_and(|(first, cause)| is_same(first.code, cause));
                let is_first = is_first || is_imitation(after, &evidence);
                (!is_first).then_some(Provisional::Fail(evidence))
            }
            _ => None,
        };
    }
}

/// The requirement that fails if every valid delivery is rejected.
const FIRST: &str = "RCV-1";

/// Whether a requirement waits for the first fault to be fixed, or is the one that shows it.
fn is_open(finding: &Finding) -> bool {
    let is_inconclusive = matches!(finding.judgement, Judgement::Judged(Verdict::Inconclusive(_)));
    is_inconclusive || finding.requirement.id == FIRST
}

fn cause(finding: &Finding) -> Option<&Cause> {
    match &finding.judgement {
        Judgement::Judged(Verdict::Fail(evidence)) => evidence.cause.as_ref(),
        _ => None,
    }
}

/// Whether valid deliveries were rejected only because their text is not imitated as this receiver misreads or prints it.
fn is_imitation(after: &Transcript, evidence: &Evidence) -> bool {
    let is_imitated = matches!(
        after.manner.recipe.message,
        Message::Misread(_)
            | Message::MisreadAlone(_)
            | Message::Reserialised(_)
            | Message::DoubleStringified { .. }
    );
    // Programs print these characters alike.
    let is_plain =
        |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'\\' | b'\'' | b'/' | b'<' | b'&');
    let bodies = evidence.exchanges.iter().filter_map(|&id| after.exchanges.get(id));
    let mut bodies = bodies.map(|exchange| &exchange.delivery.body);
    evidence.expected == Expected::Accepted && is_imitated && !bodies.any(|body| body.iter().all(is_plain))
}

/// Whether a cause is the first fault once more.
fn is_same(first: Code, cause: &Cause) -> bool {
    cause.code == first || cause.inner == Some(first)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::suite::transcript::Limits;
    use crate::webhook::dialect::DOCUMENTED;
    use crate::webhook::recipe::{Misread, Recipe};
    use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Headers, Outcome, Response};

    /// Whether this body's rejection, expected to be this, follows from a text that is imitated only partly.
    fn imitated(message: Message, body: &'static str, expected: Expected) -> bool {
        let mut after = Transcript::new(Role::Receiver, &DOCUMENTED, Limits::default());
        after.manner = Manner { recipe: Recipe::message(message), ..Manner::CONTRACT };
        let exchange = after.record(Exchange {
            id: ExchangeId(0),
            at_ms: 0,
            took: Duration::ZERO,
            delivery: Delivery::new("POST", "/", Headers::default(), body.into()),
            outcome: Outcome::Answered(Response::text(401, "")),
        });
        is_imitation(&after, &Evidence::new(expected, "401", "rejected").shown_by([exchange]))
    }

    #[test]
    fn only_odd_text_of_a_misread_body_is_imitated_partly() {
        let python = Message::Misread(Misread::BytesLiteral);
        assert!(imitated(python, r#"{"name":"日本"}"#, Expected::Accepted));
        assert!(imitated(python, r#"{"name":"\u0000"}"#, Expected::Accepted));
        assert!(!imitated(python, r#"{"event":"person.deleted"}"#, Expected::Accepted));
        assert!(!imitated(python, r#"{"name":"日本"}"#, Expected::ClientError));
        assert!(!imitated(Message::BodyAlone, r#"{"name":"日本"}"#, Expected::Accepted));
    }
}
